#include "sim/generate/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace npu::generate {
namespace {

using llm_kernels::kStages;
using llm_kernels::Stage;

std::string_view stage_name(std::size_t stage) {
  return llm_kernels::name_of(static_cast<Stage>(stage));
}

double share(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

double milliseconds(double cycles, double clock_hz) { return 1e3 * cycles / clock_hz; }

/// Figures of the decode steps and the first tokens.
struct Figures {
  StepCost decode;
  double steps = 0, tokens = 0;  ///< Of decode.
  double first_token_ms = 0;     ///< Mean of the sequences.
  double token_ms = 0;           ///< Per decode step: each sequence gets one token.
  double tokens_per_s = 0;
  double token_energy_uj = 0;
};

Figures figures_of(const Generation& g, double clock_hz) {
  Figures f;
  f.decode = g.decode_total();
  f.steps = static_cast<double>(g.decode.size());
  f.tokens = static_cast<double>(f.decode.rows);
  for (const GeneratedSequence& s : g.sequences) {
    f.first_token_ms += milliseconds(static_cast<double>(s.first_token_cycles), clock_hz) /
                        static_cast<double>(g.sequences.size());
  }
  if (f.steps == 0) return f;
  const double total_ms = milliseconds(static_cast<double>(f.decode.total.cycles), clock_hz);
  f.token_ms = total_ms / f.steps;
  f.tokens_per_s = 1e3 * f.tokens / total_ms;
  f.token_energy_uj = 1e-6 * f.decode.total.energy_pj / f.tokens;
  return f;
}

void add_breakdown(std::string& text, const char* what, const StepCost& cost, double parts,
                   double clock_hz) {
  if (parts == 0) return;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{:<14} {:>12} {:>7} {:>12} {:>7} {:>14}\n", what, "ms", "%", "uJ", "%",
                 "DRAM bytes");
  const auto line = [&](std::string_view name, const Cost& c) {
    fmt::format_to(out, "  {:<12} {:>12.4f} {:>6.1f}% {:>12.3f} {:>6.1f}% {:>14.0f}\n", name,
                   milliseconds(static_cast<double>(c.cycles), clock_hz) / parts,
                   share(static_cast<double>(c.cycles), static_cast<double>(cost.total.cycles)),
                   1e-6 * c.energy_pj / parts, share(c.energy_pj, cost.total.energy_pj),
                   static_cast<double>(c.dram_read_bytes + c.dram_write_bytes) / parts);
  };
  Cost rest = {};
  rest.energy_pj = cost.total.energy_pj;
  for (std::size_t s = 0; s < kStages; ++s) {
    line(stage_name(s), cost.stages[s]);
    rest.energy_pj -= cost.stages[s].energy_pj;
  }
  fmt::format_to(out, "  {:<12} {:>12} {:>7} {:>12.3f} {:>6.1f}%\n", "no stage", "", "",
                 1e-6 * rest.energy_pj / parts, share(rest.energy_pj, cost.total.energy_pj));
  line("total", cost.total);
}

nlohmann::ordered_json json_of(const Cost& c) {
  return {{"cycles", c.cycles},
          {"energy_pj", c.energy_pj},
          {"dram_read_bytes", c.dram_read_bytes},
          {"dram_write_bytes", c.dram_write_bytes},
          {"macs", c.macs}};
}

nlohmann::ordered_json json_of(const StepCost& cost) {
  nlohmann::ordered_json json = {{"tokens", cost.rows}, {"total", json_of(cost.total)}};
  for (std::size_t s = 0; s < kStages; ++s) json[stage_name(s)] = json_of(cost.stages[s]);
  return json;
}

}  // namespace

std::string describe(const Generation& g, double clock_hz) {
  const Figures f = figures_of(g, clock_hz);
  std::string text;
  auto out = std::back_inserter(text);
  std::int64_t prompt = 0;
  for (const GeneratedSequence& s : g.sequences) prompt += s.prompt_tokens;
  fmt::format_to(out, "sequences            {}, {} prompt tokens, {} generated\n",
                 g.sequences.size(), prompt, g.generated());
  fmt::format_to(out, "time to first token  {:.4f} ms\n", f.first_token_ms);
  if (f.steps > 0) {
    fmt::format_to(out, "time per token       {:.4f} ms\n", f.token_ms);
    fmt::format_to(out, "tokens per second    {:.1f}\n", f.tokens_per_s);
    fmt::format_to(out, "energy per token     {:.3f} uJ\n", f.token_energy_uj);
  }
  if (g.comparison.tokens > 0) {
    fmt::format_to(out, "CPU reference        {} tokens equal, max logit difference {:.3g}\n",
                   g.comparison.tokens, g.comparison.max_logit_difference);
  }
  add_breakdown(text, "prompts", g.prefill, static_cast<double>(g.sequences.size()), clock_hz);
  add_breakdown(text, "decode step", f.decode, f.steps, clock_hz);
  return text;
}

std::string decode_csv(const Generation& g) {
  std::string text = "step,sequences,longest_keys,cycles,energy_pj";
  auto out = std::back_inserter(text);
  for (std::size_t s = 0; s < kStages; ++s) {
    std::string name(stage_name(s));
    std::ranges::replace(name, '-', '_');
    fmt::format_to(out, ",{0}_cycles,{0}_energy_pj", name);
  }
  text += '\n';
  for (std::size_t i = 0; i < g.decode.size(); ++i) {
    const DecodeStep& step = g.decode[i];
    fmt::format_to(out, "{},{},{},{},{:.6g}", i, step.sequences, step.longest,
                   step.cost.total.cycles, step.cost.total.energy_pj);
    for (const Cost& c : step.cost.stages) fmt::format_to(out, ",{},{:.6g}", c.cycles, c.energy_pj);
    text += '\n';
  }
  return text;
}

std::string generation_json(const Generation& g, double clock_hz) {
  const Figures f = figures_of(g, clock_hz);
  nlohmann::ordered_json json;
  json["time_to_first_token_ms"] = f.first_token_ms;
  json["time_per_token_ms"] = f.token_ms;
  json["tokens_per_s"] = f.tokens_per_s;
  json["energy_per_token_uj"] = f.token_energy_uj;
  json["reference"] = {{"tokens", g.comparison.tokens},
                       {"max_logit_difference", g.comparison.max_logit_difference}};
  for (const GeneratedSequence& s : g.sequences) {
    json["sequences"].push_back({{"prompt_tokens", s.prompt_tokens},
                                 {"tokens", s.tokens},
                                 {"ended", s.ended},
                                 {"first_token_cycles", s.first_token_cycles}});
  }
  json["prefill"] = json_of(g.prefill);
  json["decode"] = json_of(f.decode);
  json["decode_steps"] = g.decode.size();
  return json.dump(2) + "\n";
}

std::string printable(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t') shown += c;
  }
  return shown;
}

}  // namespace npu::generate

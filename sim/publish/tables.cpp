#include "sim/publish/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "sim/base/csv.h"
#include "sim/publish/markdown.h"

namespace npu::publish {
namespace {

constexpr std::size_t kMaxCauses = 12;

/// Energies with the prefix of their size, shares in percent.
std::string with_unit(double value, std::string_view unit) {
  constexpr std::pair<double, std::string_view> kPrefixes[] = {
      {1e12, "J"}, {1e9, "mJ"}, {1e6, "uJ"}, {1e3, "nJ"}};
  if (unit == "share") return fmt::format("{:.1f} %", 100 * value);
  for (const auto& [factor, name] : kPrefixes) {
    if (unit == "pJ" && value >= factor) return fmt::format("{:.5g} {}", value / factor, name);
  }
  return fmt::format("{:.5g}{}{}", value, unit.empty() ? "" : " ", unit);
}

double percent(double part, double whole) { return whole == 0 ? 0 : 100 * part / whole; }

std::string interval_text(const Summary& s) {
  if (!s.interval) return "uncalibrated";
  return fmt::format("{:.5g} to {:.5g} ms at {:g} %", s.interval->low_ms, s.interval->high_ms,
                     s.interval->level_percent);
}

std::string sqnr_text(const std::optional<double>& sqnr_db) {
  if (!sqnr_db) return "";
  if (std::isinf(*sqnr_db)) return *sqnr_db > 0 ? "exact" : "none";
  return fmt::format("{:.2f}", *sqnr_db);
}

class MarkdownWriter {
 public:
  std::string write(const std::vector<RunFolder>& runs) {
    line("# {}", runs.size() == 1 ? "npusim run " + markdown_text(runs.front().name)
                                  : fmt::format("npusim: {} runs", runs.size()));
    figures(runs);
    for (const RunFolder& run : runs) {
      if (runs.size() > 1) line("\n## {}", markdown_text(run.name));
      section(run);
    }
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void head(const std::vector<std::string>& names) { out_ += markdown_head(names); }

  void figures(const std::vector<RunFolder>& runs) {
    std::vector<std::string> names = {"figure"};
    for (const RunFolder& run : runs) names.push_back(">" + run.name);
    head(names);
    const auto row = [&](std::string_view title, const auto& value) {
      out_ += fmt::format("| {} |", title);
      for (const RunFolder& run : runs) out_ += fmt::format(" {} |", value(run));
      out_ += '\n';
    };
    row("model", [](const RunFolder& run) { return markdown_text(run.summary.model); });
    row("NPU", [](const RunFolder& run) { return markdown_text(run.summary.config); });
    for (std::size_t i = 0; i < kFigureCount; ++i) {
      row(kFigures[i].label, [&](const RunFolder& run) {
        return with_unit(run.summary.figures[i], kFigures[i].unit);
      });
    }
    row("latency interval", [](const RunFolder& run) { return interval_text(run.summary); });
    row("cycles", [](const RunFolder& run) { return fmt::to_string(run.summary.total_cycles); });
    row("inferences", [](const RunFolder& run) { return fmt::to_string(run.summary.samples); });
  }

  void section(const RunFolder& run) {
    layers(run);
    energy(run);
    accuracy(run);
    path(run);
    if (!run.summary.notes.empty()) line("\n### Notes\n");
    for (const std::string& note : run.summary.notes) line("- {}", markdown_text(note));
    line("\n### Provenance\n");
    for (const auto& [key, value] : run.summary.provenance) {
      if (!value.empty()) line("- {}: {}", markdown_text(key), markdown_text(value));
    }
  }

  void layers(const RunFolder& run) {
    line("\n### Layers of the last inference");
    head({"layer", ">cycles", "bound by", ">utilization [%]", ">MACs", ">DRAM [bytes]",
          ">energy [nJ]", ">SQNR [dB]", ">differing", ">repeats"});
    for (const LayerFigures& l : run.layers) {
      line("| {} | {} | {} | {:.1f} | {} | {} | {:.5g} | {} | {} | {} |", markdown_text(l.name),
           l.cycles, markdown_text(l.bound_by), 100 * l.utilization, l.macs,
           l.dram_read_bytes + l.dram_write_bytes, l.energy_pj * 1e-3, sqnr_text(l.sqnr_db),
           l.differing ? fmt::to_string(*l.differing) : "", l.repeats);
    }
  }

  void energy(const RunFolder& run) {
    shares(run, "component", &EnergyFigures::component);
    shares(run, "class of source", &EnergyFigures::source_class);
    line("\nUncalibrated: no energy was fitted to this chip's silicon.");
  }

  void shares(const RunFolder& run, std::string_view title, std::string EnergyFigures::*key) {
    std::vector<std::pair<std::string, double>> sums;
    for (const EnergyFigures& e : run.energy) {
      auto at = std::ranges::find(sums, e.*key, &std::pair<std::string, double>::first);
      if (at == sums.end()) at = sums.insert(sums.end(), {e.*key, 0.0});
      at->second += e.energy_pj;
    }
    line("\n### Energy by {}", title);
    head({std::string(title), ">energy [nJ]", ">share [%]"});
    for (const auto& [name, pj] : sums) {
      line("| {} | {:.5g} | {:.1f} |", markdown_text(name), pj * 1e-3,
           percent(pj, run.summary.total_energy_pj));
    }
  }

  void accuracy(const RunFolder& run) {
    line("\n### Accuracy");
    if (!run.summary.accuracy) {
      line("\n{}", run.summary.timing_only ? "A timing-only run computes no values."
                                           : "The run was not compared with a reference.");
      return;
    }
    const AccuracyFigures& a = *run.summary.accuracy;
    head({"output", ">elements", ">differing from the integer reference", ">max LSB",
          ">SQNR against float [dB]", ">max abs. error"});
    for (const TensorFigures& t : a.outputs) {
      const bool has_float = t.against_float.has_value();
      std::string sqnr, worst;
      if (has_float) {
        sqnr = sqnr_text(t.against_float->sqnr());
        if (t.against_float->max_abs_error) {
          worst = fmt::format("{:.5g}", *t.against_float->max_abs_error);
        }
      }
      line("| {} | {} | {} | {} | {} | {} |", markdown_text(t.name), t.integer.elements,
           t.integer.differing, t.integer.max_lsb, sqnr, worst);
    }
    for (const ClassShares& c : a.classes) {
      line("\nClasses against the {}: top 1 {:.2f} %, top 5 {:.2f} %.", c.against, 100 * c.top1,
           100 * c.top5);
    }
  }

  void path(const RunFolder& run) {
    line("\n### Critical path");
    if (!run.path.value) {
      line("\n{}", run.path.absent);
      return;
    }
    head({"unit", "cause", ">cycles", ">share [%]"});
    const report::PathSummary& path = *run.path.value;
    for (std::size_t i = 0; i < std::min(kMaxCauses, path.shares.size()); ++i) {
      const report::PathShare& share = path.shares[i];
      line("| {} | {} | {} | {:.2f} |", markdown_text(share.unit), name_of(share.cause),
           share.cycles,
           percent(static_cast<double>(share.cycles), static_cast<double>(path.total_cycles)));
    }
  }

  std::string out_;
};

}  // namespace

std::string markdown(const std::vector<RunFolder>& runs) { return MarkdownWriter().write(runs); }

std::string csv(const std::vector<RunFolder>& runs) {
  std::string out =
      "run,model,config,layer,begin_cycle,end_cycle,cycles,macs,utilization,bound_by,"
      "mac_busy_cycles,vector_busy_cycles,dma_busy_cycles,dram_read_bytes,dram_write_bytes,"
      "energy_pj,integer_differing_elements,float_sqnr_db,repeats\n";
  for (const RunFolder& run : runs) {
    for (const LayerFigures& l : run.layers) {
      fmt::format_to(std::back_inserter(out),
                     "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                     csv_field(run.name), csv_field(run.summary.model),
                     csv_field(run.summary.config), csv_field(l.name), l.begin_cycle, l.end_cycle,
                     l.cycles, l.macs, l.utilization, csv_field(l.bound_by), l.mac_busy_cycles,
                     l.vector_busy_cycles, l.dma_busy_cycles, l.dram_read_bytes, l.dram_write_bytes,
                     l.energy_pj, l.differing ? fmt::to_string(*l.differing) : "",
                     l.sqnr_db ? fmt::to_string(*l.sqnr_db) : "", l.repeats);
    }
  }
  return out;
}

}  // namespace npu::publish

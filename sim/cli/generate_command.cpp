#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "sim/base/sha256.h"
#include "sim/cli/commands.h"
#include "sim/cli/progress.h"
#include "sim/generate/text.h"
#include "sim/report/output_files.h"
#include "sim/report/writers.h"
#include "sim/session/build_report.h"
#include "sim/session/config_path.h"
#include "workloads/llm/checkpoint.h"
#include "workloads/llm/group_quantize.h"

namespace npu::cli {
namespace {

enum class Weights : std::uint8_t { kStored, kQ8, kQ4 };

struct GenerateOptions {
  std::string npu, model, tokenizer, out;
  std::vector<std::string> prompts;
  std::int64_t tokens = 64;
  llm::Numerics numerics;
  Weights weights = Weights::kStored;
  std::int64_t group_size = llm::kGgufGroupSize;
  bool compares = true;
};

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail("stdout: cannot write");
  }
}

void check_options(const GenerateOptions& o) {
  if (o.tokens < 1) fail("--tokens: must be at least 1, got {}", o.tokens);
  if (o.group_size < 1 || o.group_size > 65536) {
    fail("--group-size: must be 1 to 65536, got {}", o.group_size);
  }
}

llm::Llama read_model(const GenerateOptions& o) {
  llm::Llama model = llm::read_checkpoint(o.model);
  const bool is_float = model.embedding.format == llm::WeightFormat::kFloat32;
  switch (o.weights) {
    case Weights::kStored:
      break;
    case Weights::kQ8:
      model = llm::with_weights(model, llm::WeightFormat::kQ8, o.group_size);
      break;
    case Weights::kQ4:
      model = llm::with_weights(model, llm::WeightFormat::kQ4, o.group_size);
      break;
  }
  if (!is_float && o.weights == Weights::kQ8) {
    fail("--weights q8_0: {} is quantized already", o.model);
  }
  return model;
}

/// Text as it comes: of one sequence at once, of several when all are there.
class TextPrinter {
 public:
  TextPrinter(const llm::Tokenizer& tokenizer, const std::vector<std::vector<llm::Token>>& prompts)
      : tokenizer_(tokenizer), streams_(prompts.size() == 1), texts_(prompts.size()) {
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      for (std::size_t k = 1; k < prompts[i].size(); ++k) {
        add(i, prompts[i][k - 1], prompts[i][k]);
      }
    }
  }
  void add(std::size_t sequence, llm::Token previous, llm::Token token) {
    const std::string piece = generate::printable(tokenizer_.decode(previous, token));
    texts_[sequence] += piece;
    if (!streams_) return;
    print(piece);
    if (std::fflush(stdout) != 0) fail("stdout: cannot write");
  }
  void finish() const {
    if (streams_) return print("\n\n");
    for (std::size_t i = 0; i < texts_.size(); ++i) print(fmt::format("[{}] {}\n", i, texts_[i]));
    print("\n");
  }
  [[nodiscard]] std::string all() const {
    std::string text;
    for (const std::string& t : texts_) text += t + "\n";
    return text;
  }

 private:
  const llm::Tokenizer& tokenizer_;
  const bool streams_;
  std::vector<std::string> texts_;
};

void write_files(const GenerateOptions& o, const NpuConfig& config,
                 const generate::Generation& generation, const generate::Runner& runner,
                 const TextPrinter& printer, double clock_hz) {
  report::Report last =
      session::build_report(config, runner.machine().program(), runner.machine().stats(), {});
  last.model_name = std::filesystem::path(o.model).filename().string();
  last.notes.emplace_back("layers and trace: of the last step; totals: of all steps");
  report::OutputFiles files(o.out);
  files.add("text.txt", printer.all());
  files.add("generate.txt", generate::describe(generation, clock_hz));
  files.add("generate.json", generate::generation_json(generation, clock_hz));
  files.add("decode.csv", generate::decode_csv(generation));
  files.add("layers.csv", report::layers_csv(last));
  files.add("energy.csv", report::energy_csv(last));
  files.commit();
}

int run_generate(const GenerateOptions& o) {
  check_options(o);
  const NpuConfig config = load_npu_config(session::find_config(o.npu));
  const llm::Llama model = read_model(o);
  const llm::Tokenizer tokenizer = llm::Tokenizer::read(o.tokenizer, model.config.vocabulary);
  std::vector<std::vector<llm::Token>> prompts;
  for (const std::string& prompt : o.prompts) prompts.push_back(tokenizer.encode(prompt));
  if (prompts.empty()) prompts.push_back(tokenizer.encode(""));
  const generate::SessionOptions options{
      .numerics = o.numerics, .tokens = o.tokens, .compares = o.compares};
  generate::Runner runner(model, generate::layout_options(model, prompts, options), config);
  TextPrinter printer(tokenizer, prompts);
  const generate::Generation generation =
      generate::generate(runner, model, prompts, options,
                         [&](std::size_t sequence, llm::Token previous, llm::Token token) {
                           printer.add(sequence, previous, token);
                         });
  printer.finish();
  const double clock_hz = 1e12 / static_cast<double>(config.clock.period_ps());
  print(generate::describe(generation, clock_hz));
  if (!o.out.empty()) write_files(o, config, generation, runner, printer, clock_hz);
  return kSuccess;
}

template <typename T>
std::map<std::string, T> choices(std::initializer_list<T> values) {
  std::map<std::string, T> names;
  for (const T value : values) names[std::string(name_of(value))] = value;
  return names;
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  using llm::CacheType;
  using llm::Precision;
  auto o = std::make_shared<GenerateOptions>();
  o->npu = session::kDefaultConfig;
  CLI::App* command =
      app.add_subcommand("generate", "run a language model on the simulated NPU, token by token");
  command->add_option("--npu", o->npu, "configuration: a YAML file or the name of a preset")
      ->capture_default_str();
  command->add_option("--model", o->model, "llama2.c checkpoint: float or Q8_0 (version 2)")
      ->required();
  command->add_option("--tokenizer", o->tokenizer, "its tokenizer file")->required();
  command
      ->add_option("--prompt", o->prompts,
                   "text to go on from; several times for a batch of sequences; none: an empty one")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--tokens", o->tokens, "tokens to generate per sequence, at most")
      ->capture_default_str();
  command
      ->add_option("--precision", o->numerics.precision,
                   "float weights and what they are multiplied with: float32, float16, bfloat16")
      ->transform(CLI::CheckedTransformer(
          choices({Precision::kFloat32, Precision::kFloat16, Precision::kBfloat16})))
      ->default_str("float32");
  command
      ->add_option("--kv-cache", o->numerics.cache,
                   "keys and values: float32, float16, bfloat16, int8")
      ->transform(CLI::CheckedTransformer(choices(
          {CacheType::kFloat32, CacheType::kFloat16, CacheType::kBfloat16, CacheType::kInt8})))
      ->default_str("float32");
  command
      ->add_option("--weights", o->weights, "stored (as in the file), or quantized to q8_0 or q4_0")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Weights>{
          {"stored", Weights::kStored}, {"q8_0", Weights::kQ8}, {"q4_0", Weights::kQ4}}))
      ->default_str("stored");
  command
      ->add_option("--group-size", o->group_size, "weights per scale, with --weights q8_0 or q4_0")
      ->capture_default_str();
  command->add_option("--out,--output", o->out, "folder for the report's files");
  command->add_flag("!--no-reference", o->compares, "do not compare with the CPU reference");
  command->callback([o, &action] { action = [o] { return run_generate(*o); }; });
}

}  // namespace npu::cli

#include "sim/generate/session.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "kernels/llm_reference/forward.h"
#include "workloads/llm/sampling.h"

namespace npu::generate {
namespace {

using llm::Token;
using llm_kernels::SequencePart;
using llm_kernels::Step;
using Prompts = std::vector<std::vector<Token>>;

class Session {
 public:
  Session(Runner& runner, const llm::Llama& model, const SessionOptions& options,
          const OnToken& on_token)
      : runner_(runner), model_(model), options_(options), on_token_(on_token) {}

  Generation run(const Prompts& prompts) {
    for (const std::vector<Token>& prompt : prompts) {
      result_.sequences.push_back({.tokens = prompt,
                                   .prompt_tokens = std::ssize(prompt),
                                   .ended = false,
                                   .first_token_cycles = 0});
      references_.push_back(options_.compares
                                ? std::make_unique<llm_reference::Sequence>(
                                      model_, options_.numerics, llm_reference::Rules::kNpu)
                                : nullptr);
      fed_.push_back(0);
    }
    for (std::size_t i = 0; i < prompts.size(); ++i) prefill(i);
    while (decode()) {
    }
    return std::move(result_);
  }

 private:
  void prefill(std::size_t index) {
    GeneratedSequence& sequence = result_.sequences[index];
    const std::int64_t most = std::min(runner_.most_rows(), options_.prefill_rows);
    const std::int64_t all = sequence.prompt_tokens;
    for (std::int64_t first = 0; first < all; first += most) {
      const std::int64_t count = std::min(most, all - first);
      const auto from = sequence.tokens.begin() + first;
      const StepOutcome outcome =
          runner_.run({.parts = {{.slot = static_cast<std::int64_t>(index),
                                  .position = first,
                                  .tokens = std::vector<Token>(from, from + count),
                                  .wants_logits = first + count == all}}});
      result_.prefill += outcome.cost;
      sequence.first_token_cycles += outcome.cost.total.cycles;
      if (!outcome.logits.empty()) take(index, outcome.logits.front());
    }
  }

  /// One step for all that go on; false if there are none.
  bool decode() {
    Step step;
    std::vector<std::size_t> indices;
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < result_.sequences.size(); ++i) {
      const GeneratedSequence& s = result_.sequences[i];
      if (s.ended || std::ssize(s.tokens) - s.prompt_tokens >= options_.tokens) continue;
      indices.push_back(i);
      step.parts.push_back({.slot = static_cast<std::int64_t>(i),
                            .position = std::ssize(s.tokens) - 1,
                            .tokens = {s.tokens.back()}});
      longest = std::max(longest, static_cast<std::int64_t>(s.tokens.size()));
    }
    if (indices.empty()) return false;
    run_decode(step, indices, longest);
    return true;
  }

  /// As many rows at a time as the NPU takes.
  void run_decode(const Step& step, const std::vector<std::size_t>& indices, std::int64_t longest) {
    const auto most = static_cast<std::size_t>(runner_.most_rows());
    DecodeStep done{.sequences = std::ssize(indices), .longest = longest, .cost = {}};
    for (std::size_t first = 0; first < indices.size(); first += most) {
      const std::size_t end = std::min(first + most, indices.size());
      const auto parts = step.parts.begin();
      const StepOutcome outcome = runner_.run(
          {.parts = std::vector<SequencePart>(parts + static_cast<std::ptrdiff_t>(first),
                                              parts + static_cast<std::ptrdiff_t>(end))});
      done.cost += outcome.cost;
      for (std::size_t i = first; i < end; ++i) take(indices[i], outcome.logits[i - first]);
    }
    result_.decode.push_back(done);
  }

  void take(std::size_t index, std::span<const float> logits) {
    GeneratedSequence& sequence = result_.sequences[index];
    const Token token = llm::most_likely(logits);
    if (options_.compares) compare(index, logits, token);
    if (token == llm::kBeginOfSequence || token == llm::kEndOfSequence) {
      sequence.ended = true;
      return;
    }
    const Token previous = sequence.tokens.back();
    sequence.tokens.push_back(token);
    if (on_token_) on_token_(index, previous, token);
  }

  void compare(std::size_t index, std::span<const float> logits, Token token) {
    const std::vector<Token>& tokens = result_.sequences[index].tokens;
    std::span<const float> expected;
    for (std::size_t& i = fed_[index]; i < tokens.size(); ++i) {
      expected = references_[index]->forward(tokens[i]);
    }
    double difference = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double d = std::fabs(static_cast<double>(logits[i]) - expected[i]);
      if (!(d <= difference)) difference = d;
    }
    Comparison& c = result_.comparison;
    ++c.tokens;
    c.max_logit_difference = std::max(c.max_logit_difference, difference);
    const Token reference = llm::most_likely(expected);
    if (reference == token) return;
    throw RunFault(fmt::format(
        "sequence {}, position {}: the NPU's token is {}, the reference's {}; the largest "
        "difference of a logit is {:.3g}",
        index, tokens.size(), token, reference, difference));
  }

  Runner& runner_;
  const llm::Llama& model_;
  const SessionOptions& options_;
  const OnToken& on_token_;
  Generation result_;
  std::vector<std::unique_ptr<llm_reference::Sequence>> references_;
  std::vector<std::size_t> fed_;  ///< Tokens that each reference has seen.
};

}  // namespace

StepCost Generation::decode_total() const {
  StepCost sum;
  for (const DecodeStep& step : decode) sum += step.cost;
  return sum;
}

std::int64_t Generation::generated() const {
  std::int64_t sum = 0;
  for (const GeneratedSequence& s : sequences) sum += std::ssize(s.tokens) - s.prompt_tokens;
  return sum;
}

llm_kernels::LayoutOptions layout_options(const llm::Llama& model, const Prompts& prompts,
                                          const SessionOptions& options) {
  llm_kernels::LayoutOptions layout{.numerics = options.numerics,
                                    .sequences = std::ssize(prompts),
                                    .positions = 0,
                                    .mask_rows = 1};
  for (const std::vector<Token>& prompt : prompts) {
    NPU_CHECK(!prompt.empty() && options.tokens >= 1, "something to do");
    // The last token is not fed.
    const std::int64_t positions = std::ssize(prompt) + options.tokens - 1;
    if (positions > model.config.max_positions) {
      fail("{}: a prompt of {} tokens and {} more need {} positions, the model has {}", model.file,
           prompt.size(), options.tokens, positions, model.config.max_positions);
    }
    layout.positions = std::max(layout.positions, positions);
    layout.mask_rows =
        std::max(layout.mask_rows, std::min(std::ssize(prompt), options.prefill_rows));
  }
  // Rows of a step are bounded by it, those of a decode step too.
  layout.mask_rows = std::max<std::int64_t>(
      layout.mask_rows, std::min<std::int64_t>(std::ssize(prompts), options.prefill_rows));
  return layout;
}

Generation generate(Runner& runner, const llm::Llama& model, const Prompts& prompts,
                    const SessionOptions& options, const OnToken& on_token) {
  return Session(runner, model, options, on_token).run(prompts);
}

}  // namespace npu::generate

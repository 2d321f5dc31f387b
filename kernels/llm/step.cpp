#include "kernels/llm/step.h"

#include <algorithm>

#include "isa/encoding.h"
#include "kernels/llm/step_builder.h"
#include "kernels/lowering/loops.h"
#include "kernels/lowering/schedule.h"

namespace npu::llm_kernels {
namespace {

using isa::TensorRole;
using std::int64_t;

isa::TensorRecord record(std::int32_t id, std::string name, TensorRole role, int64_t address,
                         DType type, Shape shape) {
  isa::TensorRecord r;
  r.id = id;
  r.name = std::move(name);
  r.type = type;
  r.shape = std::move(shape);
  r.role = role;
  r.memory = isa::Memory::kDram;
  r.address = address;
  return r;
}

/// What the program finds in DRAM and what it leaves there. The caches are inputs, whose bytes it
/// may write.
std::vector<isa::TensorRecord> tensors_of(const ModelLayout& layout, const Step& step,
                                          std::int32_t last) {
  std::vector<isa::TensorRecord> tensors;
  tensors.push_back(
      record(0, "weights", TensorRole::kInput, 0, DType::kUint8, {layout.weights_end}));
  tensors.push_back(record(1, "kv_cache", TensorRole::kInput, layout.caches_begin, DType::kUint8,
                           {layout.cache_bytes()}));
  if (step.logit_rows() > 0) {
    tensors.push_back(record(2, "logits", TensorRole::kOutput, layout.logits, DType::kFloat32,
                             {step.logit_rows(), layout.model.vocabulary}));
    tensors.back().ready_after = last;
  }
  return tensors;
}

void check_step(const ModelLayout& layout, const Step& step) {
  NPU_CHECK(!step.parts.empty() && step.logit_rows() <= layout.options.sequences,
            "parts of a step");
  for (const SequencePart& part : step.parts) {
    const auto tokens = static_cast<int64_t>(part.tokens.size());
    NPU_CHECK(part.slot >= 0 && part.slot < layout.options.sequences && tokens >= 1 &&
                  tokens <= layout.options.mask_rows && part.position >= 0 &&
                  part.position + tokens <= layout.options.positions,
              "a part inside the cache");
    for (const llm::Token token : part.tokens) {
      NPU_CHECK(token >= 0 && token < layout.model.vocabulary, "tokens of the vocabulary");
    }
  }
}

}  // namespace

int64_t Step::rows() const {
  int64_t rows = 0;
  for (const SequencePart& part : parts) rows += static_cast<int64_t>(part.tokens.size());
  return rows;
}

int64_t Step::logit_rows() const {
  return std::ranges::count_if(parts, [](const SequencePart& p) { return p.wants_logits; });
}

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::kEmbedding:
      return "embedding";
    case Stage::kProjections:
      return "projections";
    case Stage::kAttention:
      return "attention";
    case Stage::kFeedForward:
      return "feed-forward";
    case Stage::kHead:
      return "head";
  }
  return "?";
}

isa::Program compile_step(const ModelLayout& layout, const NpuConfig& config, const Step& step) {
  check_step(layout, step);
  StepBuilder builder(layout, config, step);
  builder.build();
  kernels::Emitter& out = builder.emitter();
  std::vector<kernels::Item> items = kernels::schedule(std::move(out.steps()));
  kernels::insert_tokens(items);
  std::vector<kernels::CodeLine> lines;
  lines.reserve(items.size());
  for (const kernels::Item& item : items) {
    static_cast<void>(isa::encode(item.instruction));  // Every operand fits its field.
    lines.push_back({item.instruction, item.layer, item.comment});
  }
  isa::Program program;
  for (const kernels::CodeLine& line : kernels::roll_loops(lines)) {
    program.code.push_back(line.instruction);
    program.layer_of.push_back(line.layer);
    program.comments.emplace_back(line.comment);
  }
  program.tensors = tensors_of(layout, step, static_cast<std::int32_t>(program.code.size()) - 1);
  program.code.emplace_back();  // halt
  program.layer_of.push_back(-1);
  program.comments.emplace_back("end");
  program.code_address = out.allocate(std::ssize(program.code) * isa::kWordBytes);
  program.dram_bytes = out.dram_end();
  program.layers = std::move(out.layers());
  program.image = std::move(out.image());
  program.provenance["config"] = config.name;
  program.provenance["config_fingerprint"] = config.fingerprint();
  return program;
}

}  // namespace npu::llm_kernels

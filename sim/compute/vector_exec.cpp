#include "sim/compute/vector_exec.h"

#include "sim/base/error.h"

namespace npu::compute {

void execute_vector(const isa::Instruction& instruction, std::int32_t index, Rounding rounding,
                    std::span<std::byte> scratchpad, std::span<std::byte> accumulator) {
  using isa::Opcode;
  const VectorContext context{instruction, index, rounding, scratchpad.data(), accumulator.data()};
  switch (instruction.opcode) {
    case Opcode::kRequantize:
      return run_requantize(context);
    case Opcode::kRescale:
      return run_rescale(context);
    case Opcode::kLut:
      return run_lut(context);
    case Opcode::kAdd:
    case Opcode::kSub:
    case Opcode::kMul:
    case Opcode::kMax:
    case Opcode::kMin:
      return run_binary(context);
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
      return run_pool(context);
    case Opcode::kReduceSum:
      return run_reduce_sum(context);
    case Opcode::kDot:
      return run_dot(context);
    case Opcode::kSoftmax:
      return run_softmax(context);
    case Opcode::kInterpolate:
      return run_interpolate(context);
    case Opcode::kSoftmaxTable:
      return run_softmax_table(context);
    case Opcode::kMap:
      return run_map(context);
    case Opcode::kReduce:
      return run_reduce(context);
    case Opcode::kOutput:
      return run_output(context);
    case Opcode::kHalt:
    case Opcode::kLoop:
    case Opcode::kSync:
    case Opcode::kDmaLoad:
    case Opcode::kDmaStore:
    case Opcode::kDmaCopy:
    case Opcode::kDmaFill:
    case Opcode::kLoadWeights:
    case Opcode::kConv:
    case Opcode::kDepthwise:
    case Opcode::kGemm:
      break;
  }
  NPU_CHECK(false, "not an instruction of the vector unit");
}

}  // namespace npu::compute

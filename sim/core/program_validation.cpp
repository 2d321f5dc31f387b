#include "sim/core/program_validation.h"

#include <algorithm>
#include <array>
#include <string>

#include "isa/encoding.h"
#include "isa/footprint.h"
#include "isa/unroll.h"
#include "sim/base/error.h"
#include "sim/core/operand_checks.h"
#include "sim/core/program_layout.h"
#include "sim/core/stream_check.h"

namespace npu {
namespace {

using isa::Opd;

constexpr std::array kSteps = {
    Opd::kN0,  Opd::kN1,   Opd::kN2,      Opd::kN3,      Opd::kM,           Opd::kN,
    Opd::kK,   Opd::kR1,   Opd::kR2,      Opd::kRows,    Opd::kOutH,        Opd::kOutW,
    Opd::kInC, Opd::kOutC, Opd::kKernelH, Opd::kKernelW, Opd::kElementBytes};

double work_of(const isa::Instruction& instruction) {
  const isa::InstrSpec& spec = isa::spec_of(instruction.opcode);
  double work = 1;
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    if (std::ranges::find(kSteps, spec.fields[f].opd) != kSteps.end()) {
      work *= static_cast<double>(instruction.values[f]);
    }
  }
  return work;
}

void check_records(const isa::Program& program, bool timing_only) {
  if (program.layer_of.size() != program.code.size()) {
    fail("program: {} layer indices for {} instructions", program.layer_of.size(),
         program.code.size());
  }
  for (std::size_t i = 0; i < program.layer_of.size(); ++i) {
    const std::int32_t layer = program.layer_of[i];
    if (layer < -1 || layer >= std::ssize(program.layers)) {
      fail("instruction {}: layer {} does not exist: the program has {}", i, layer,
           program.layers.size());
    }
  }
  if (program.code_address % isa::kWordBytes != 0) {
    fail("program: code address {:#x} is not a multiple of {}", program.code_address,
         isa::kWordBytes);
  }
  for (const isa::ImageSegment& segment : program.image) {
    if (!timing_only && segment.bytes.empty() && segment.size != 0) {
      fail("image '{}': has no bytes: the program can run timing-only", segment.name);
    }
  }
  for (const isa::TensorRecord& tensor : program.tensors) {
    if (tensor.ready_after < -1 || tensor.ready_after >= std::ssize(program.code)) {
      fail("tensor {} '{}': ready after instruction {}: the program has {}", tensor.id, tensor.name,
           tensor.ready_after, program.code.size());
    }
  }
}

class InstructionCheck {
 public:
  InstructionCheck(const isa::Program& program, const NpuConfig& config, bool check_bounds)
      : program_(program), config_(config), check_bounds_(check_bounds) {}

  void operator()(const isa::Instruction& instruction, std::int32_t index) {
    if (const auto fault = operand_fault(instruction, config_)) {
      fail("{}: {}", text(index), *fault);
    }
    if (const auto fault = stream_.add(instruction, index)) fail("{}: {}", text(index), *fault);
    const bool is_dma = isa::spec_of(instruction.opcode).unit == isa::Unit::kDma;
    const double work = work_of(instruction);
    if (work > (is_dma ? kMaxDmaBytes : kMaxComputeSteps)) {
      fail("{}: {} {} are more than one instruction may have ({})", text(index), work,
           is_dma ? "bytes" : "steps", is_dma ? kMaxDmaBytes : kMaxComputeSteps);
    }
    total_work_ += work;
    if (total_work_ > kMaxProgramSteps) {
      fail("{}: the program has more than {} steps up to here", text(index), kMaxProgramSteps);
    }
    if (!check_bounds_) return;
    isa::footprint(instruction, footprint_);
    for (const isa::Region& region : footprint_.reads) check_region(region, index, "reads");
    for (const isa::Region& region : footprint_.writes) check_region(region, index, "writes");
  }

  void finish() const {
    if (const auto index = stream_.left_over()) {
      fail("{}: stream: nobody takes all of its results", text(*index));
    }
  }

 private:
  void check_region(const isa::Region& region, std::int32_t index, std::string_view verb) const {
    const std::int64_t capacity = region.memory == isa::Memory::kDram ? program_.dram_bytes
                                  : region.memory == isa::Memory::kScratchpad
                                      ? config_.scratchpad.capacity_bytes
                                      : config_.accumulator.capacity_bytes;
    if (region.low() >= 0 && region.high() <= capacity) return;
    fail("{}: {} {} [{:#x}, {:#x}), outside its {} bytes", text(index), verb,
         memory_name(region.memory), region.low(), region.high(), capacity);
  }

  [[nodiscard]] std::string text(std::int32_t index) const {
    const auto i = static_cast<std::size_t>(index);
    return fmt::format("instruction {} ({})", index, spec_of(program_.code[i].opcode).mnemonic);
  }

  const isa::Program& program_;
  const NpuConfig& config_;
  const bool check_bounds_;
  double total_work_ = 0;
  StreamCheck stream_;
  isa::Footprint footprint_;
};

}  // namespace

void validate_program(const isa::Program& program, const NpuConfig& config,
                      const ValidationScope& scope) {
  check_records(program, scope.timing_only);
  (void)check_layout(program, config);
  isa::Unroller unroller(program.code);
  InstructionCheck check(program, config, scope.check_bounds);
  isa::Instruction instruction;
  std::int32_t index = 0;
  while (unroller.next(instruction, index)) check(instruction, index);
  check.finish();
}

}  // namespace npu

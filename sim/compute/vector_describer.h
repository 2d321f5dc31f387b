#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "sim/base/error.h"
#include "sim/compute/vector_work.h"

namespace npu::compute {

// What the files behind describe_vector share.

/// One dimension of a box of bytes.
struct Dim {
  std::int64_t count, stride;
};
/// The bytes from the first to the last of `run` bytes at every step.
[[nodiscard]] Extent box(std::int64_t base, std::int64_t run, std::initializer_list<Dim> dims);

/// Collects the streams of one instruction.
class Describer {
 public:
  Describer(const isa::Instruction& instruction, std::int32_t index)
      : in_(instruction), index_(index) {}

  [[nodiscard]] std::int64_t get(isa::Opd opd) const { return in_[opd]; }
  [[nodiscard]] std::int64_t positive(isa::Opd opd) const {
    if (in_[opd] <= 0) fault(fmt::format("{} must be at least 1, got {}", name_of(opd), in_[opd]));
    return in_[opd];
  }
  [[nodiscard]] std::int64_t size(isa::Opd type) const {
    return size_of(static_cast<Element>(in_[type]));
  }

  void set_work(timing::VectorClass kind, std::initializer_list<std::int64_t> element_dims,
                std::initializer_list<std::int64_t> step_dims) {
    work_.kind = kind;
    work_.elements = product(element_dims, 1);
    work_.steps = product(step_dims, 1);
    (void)product({work_.elements, work_.steps}, 1);
  }
  void stream(const char* operand, isa::Memory memory, bool is_write, Extent extent,
              std::int64_t bytes) {
    work_.streams[work_.stream_count++] = {operand, memory, is_write, extent, bytes};
  }
  /// Rows of accumulators, written, and read first where they are accumulated into.
  void accumulate(std::int64_t rows, std::int64_t columns, std::int64_t pitch) {
    const Extent extent = box(get(isa::Opd::kAcc), columns * 4, {{rows, pitch * 4}});
    if (get(isa::Opd::kAccumulate) != 0)
      stream("acc", isa::Memory::kAccumulator, false, extent, rows * columns * 4);
    stream("acc", isa::Memory::kAccumulator, true, extent, rows * columns * 4);
  }
  void params(std::int64_t bytes) {
    const std::int64_t at = get(isa::Opd::kParams);
    stream("params", isa::Memory::kScratchpad, false, {at, at + bytes}, bytes);
  }
  void table(std::int64_t bytes) {
    const std::int64_t at = get(isa::Opd::kTable);
    stream("table", isa::Memory::kScratchpad, false, {at, at + bytes}, bytes);
  }
  void set_float(bool is_float) { work_.is_float = is_float; }
  [[nodiscard]] bool is_float(isa::Opd type) const {
    return compute::is_float(static_cast<Element>(in_[type]));
  }
  [[nodiscard]] const VectorWork& work() const { return work_; }
  [[noreturn]] void fault(const std::string& what) const {
    throw RunFault(
        fmt::format("instruction {}: {}: {}", index_, isa::spec_of(in_.opcode).mnemonic, what));
  }

 private:
  static constexpr std::int64_t kMaxSteps = std::int64_t{1} << 40;

  [[nodiscard]] std::int64_t product(std::initializer_list<std::int64_t> dims,
                                     std::int64_t p) const {
    for (const std::int64_t d : dims) {
      if (__builtin_mul_overflow(p, d, &p) || p > kMaxSteps) fault("more than 2^40 steps");
    }
    return p;
  }

  const isa::Instruction& in_;
  std::int32_t index_;
  VectorWork work_;
};

void describe_map(Describer& d);
void describe_reduce(Describer& d);
void describe_output(Describer& d);

}  // namespace npu::compute

#include "sim/timing/vector_timing.h"

#include <cmath>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::timing {
namespace {

constexpr std::int64_t kUnits = 1024;  // Fractions of a cycle: whole numbers keep the result exact.

double cycles_of(const VectorConfig& config, VectorClass kind) {
  switch (kind) {
    case VectorClass::kRequantize:
      return config.requantize_cycles;
    case VectorClass::kElementwise:
      return config.elementwise_cycles;
    case VectorClass::kMultiply:
      return config.multiply_cycles;
    case VectorClass::kPool:
      return config.pool_tap_cycles;
    case VectorClass::kLut:
      return config.lut_cycles;
    case VectorClass::kReduce:
      return config.reduce_cycles;
    case VectorClass::kSoftmax:
      return config.softmax_cycles;
    case VectorClass::kFunction:
      return config.function_cycles;
  }
  NPU_CHECK(false, "unknown class of vector operation");
  return 0;
}

}  // namespace

VectorTiming vector_op(const VectorConfig& config, VectorClass kind, std::int64_t elements,
                       std::int64_t steps) {
  VectorTiming t;
  if (elements <= 0 || steps <= 0) return t;
  const std::int64_t units =
      elements * steps * std::llround(cycles_of(config, kind) * double{kUnits});
  t.busy_cycles = ceil_div(units, kUnits * config.lanes);
  t.fill_drain_cycles = config.latency_cycles;
  t.total_cycles = t.busy_cycles + t.fill_drain_cycles;
  t.lane_ops = ceil_div(units, kUnits);
  return t;
}

}  // namespace npu::timing

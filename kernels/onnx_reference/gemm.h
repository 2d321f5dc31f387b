#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace npu::onnx {

/// c[M,N] = a[M,K] · b[K,N], row-major, sums in double.
void multiply(std::span<const double> a, std::span<const double> b, std::span<double> c,
              std::int64_t m, std::int64_t n, std::int64_t k);

}  // namespace npu::onnx

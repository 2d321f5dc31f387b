#include <algorithm>
#include <cmath>

#include "kernels/reference/dot.h"
#include "kernels/reference/floats.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

using graph::MatMulAttrs;
using std::size_t;

namespace {

/// Sizes of the products and which a and b each of them takes.
struct Batch {
  size_t m, n, k;
  struct Pair {
    size_t a, b;  ///< First elements.
  };
  std::vector<Pair> products;

  Batch(const Shape& a, const Shape& y) : m(size(y, 2)), n(size(y, 1)), k(size(a, 1)) {}

  /// Size of the dimension `back` from the end, 1 beyond the first.
  static size_t size(const Shape& shape, size_t back) {
    return back > shape.size() ? 1 : static_cast<size_t>(shape[shape.size() - back]);
  }
};

Batch batch_of(const Shape& a, const Shape& b, const Shape& y) {
  Batch batch(a, y);
  const auto count = static_cast<size_t>(element_count(y)) / std::max<size_t>(1, batch.m * batch.n);
  for (size_t p = 0; p < count; ++p) {
    size_t rest = p, at_a = 0, at_b = 0;
    size_t step_a = batch.m * batch.k, step_b = batch.k * batch.n;
    for (size_t back = 3; back <= y.size(); ++back) {
      const size_t index = rest % Batch::size(y, back);
      rest /= Batch::size(y, back);
      if (Batch::size(a, back) > 1) at_a += index * step_a;
      if (Batch::size(b, back) > 1) at_b += index * step_b;
      step_a *= Batch::size(a, back);
      step_b *= Batch::size(b, back);
    }
    batch.products.push_back({at_a, at_b});
  }
  return batch;
}

/// Matrix `from` [n,k] as [k,n].
template <typename T>
void transpose(const T* from, size_t n, size_t k, std::vector<T>& to) {
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = 0; i < k; ++i) to[i * n + j] = from[j * k + i];
  }
}

/// y = a·b for every product: sums from 0, k ascending.
template <typename T, typename Multiply>
std::vector<T> products(const Batch& batch, bool transpose_b, const std::vector<T>& a,
                        const std::vector<T>& b, Multiply&& multiply) {
  std::vector<T> y(batch.products.size() * batch.m * batch.n);
  std::vector<T> columns(transpose_b ? batch.k * batch.n : 0);
  T* to = y.data();
  for (const Batch::Pair& at : batch.products) {
    const T* matrix = b.data() + at.b;
    if (transpose_b) {
      transpose(matrix, batch.n, batch.k, columns);
      matrix = columns.data();
    }
    for (size_t i = 0; i < batch.m; ++i, to += batch.n)
      multiply(a.data() + at.a + i * batch.k, matrix, to);
  }
  return y;
}

std::vector<float> float_products(const Invocation& call, const std::vector<float>& a,
                                  const std::vector<float>& b) {
  const Batch batch = batch_of(*call.input(0).shape, *call.input(1).shape, call.output().shape);
  return products(batch, call.attrs<MatMulAttrs>().transpose_b, a, b,
                  [&](const float* row, const float* matrix, float* sums) {
                    accumulate_columns(row, matrix, batch.k, batch.n, sums);
                  });
}

/// Sums modulo 2^32 as the accumulators have them, with the bias.
std::vector<std::int32_t> integer_products(const Invocation& call) {
  const auto zero = [](const graph::Tensor& t) {
    return t.quantization ? t.quantization->zero_point.at(0) : 0;
  };
  const Batch batch = batch_of(*call.input(0).shape, *call.input(1).shape, call.output().shape);
  std::vector<std::int32_t> y = products(
      batch, call.attrs<MatMulAttrs>().transpose_b,
      load_integers(call.input(0), zero(call.input_tensor(0))),
      load_integers(call.input(1), zero(call.input_tensor(1))),
      [&](const std::int32_t* row, const std::int32_t* matrix, std::int32_t* sums) {
        for (size_t k = 0; k < batch.k; ++k) {
          const auto factor = static_cast<std::uint32_t>(row[k]);
          for (size_t j = 0; j < batch.n; ++j) {
            const std::uint32_t product =
                factor * static_cast<std::uint32_t>(matrix[k * batch.n + j]);
            sums[j] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[j]) + product);
          }
        }
      });
  if (!call.has_input(2)) return y;
  const auto bias = call.input(2).as<std::int32_t>();
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(y[i]) +
                                     static_cast<std::uint32_t>(bias[i % batch.n]));
  }
  return y;
}

bool has_exact(const graph::Graph& graph, const graph::Node& node) {
  const DType a = input_type(graph, node);
  return is_float(a) || a == DType::kInt8 || a == DType::kUint8;
}

void run_floats(Invocation& call) {
  const auto& attrs = call.attrs<MatMulAttrs>();
  std::vector<float> y =
      float_products(call, load_floats(call.input(0)), load_floats(call.input(1)));
  const auto bias = call.has_input(2) ? call.input(2).as<float>() : std::span<const float>();
  const FloatRange range = activation_range(attrs.activation);
  const auto columns = static_cast<size_t>(call.output().shape.back());
  for (size_t i = 0; i < y.size(); ++i) {
    const float scaled = y[i] * attrs.scale;
    const float sum = scaled + (bias.empty() ? 0.0F : bias[i % columns]);
    y[i] = std::clamp(sum, range.low, range.high);
  }
  store_floats(call.output(), y);
}

/// fp32 factor of each column: ((a.scale · b.scale) · scale) / y.scale, each step rounded.
std::vector<float> column_scales(const Invocation& call) {
  std::vector<float> scales = call.input_tensor(1).quantization.value().scale;
  for (float& scale : scales) {
    scale = scale_of(call.input_tensor(0)) * scale;
    scale = scale * call.attrs<MatMulAttrs>().scale;
    if (!is_float(call.output().type)) scale = scale / scale_of(call.output_tensor());
  }
  return scales;
}

void run_exact(Invocation& call) {
  if (is_float(call.input(0).type)) return run_floats(call);
  std::vector<std::int32_t> sums = integer_products(call);
  if (call.output().type == DType::kInt32) return store_integers(call.output(), sums);
  const std::vector<float> scales = column_scales(call);
  const auto columns = static_cast<size_t>(call.output().shape.back());
  const bool to_float = is_float(call.output().type);
  FloatRange range = activation_range(call.attrs<MatMulAttrs>().activation);
  if (!to_float) {
    range.low /= scale_of(call.output_tensor());
    range.high /= scale_of(call.output_tensor());
  }
  std::vector<float> y(sums.size());
  for (size_t i = 0; i < y.size(); ++i) {
    const float real = static_cast<float>(sums[i]) * scales[scales.size() == 1 ? 0 : i % columns];
    y[i] = std::clamp(real, range.low, range.high);
  }
  if (to_float) return store_floats(call.output(), y);
  const IntegerRange limits = range_of(call.output().type);
  const std::int32_t zero = zero_point_of(call.output_tensor());
  for (size_t i = 0; i < y.size(); ++i) {
    const double rounded = std::nearbyint(static_cast<double>(y[i])) + zero;
    sums[i] = static_cast<std::int32_t>(std::clamp<double>(rounded, limits.low, limits.high));
  }
  store_integers(call.output(), sums);
}

void run_float(Invocation& call) {
  const auto& attrs = call.attrs<MatMulAttrs>();
  const graph::Tensor& a = call.input_tensor(0);
  const graph::Tensor& b = call.input_tensor(1);
  const auto x = call.input(0).as<float>();
  const auto w = call.input(1).as<float>();
  std::vector<float> y = float_products(call, {x.begin(), x.end()}, {w.begin(), w.end()});
  const auto columns = static_cast<size_t>(call.output().shape.back());
  const FloatRange range = activation_range(attrs.activation);
  const bool raw = call.output_tensor().type == DType::kInt32;
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t column = i % columns;
    // Sums and int32 biases count steps of the operands' scales.
    float step = 1;
    if (a.quantization && !is_float(a.type)) step *= a.quantization->scale[0];
    if (b.quantization && !is_float(b.type)) {
      step *= b.quantization->scale[b.quantization->per_channel() ? column : 0];
    }
    float sum = y[i] * attrs.scale;
    if (call.has_input(2)) {
      const bool steps = call.input_tensor(2).type == DType::kInt32;
      sum += static_cast<float>(call.input(2).as<float>()[column]) * (steps ? step : 1.0F);
    }
    y[i] = raw ? sum / step : std::clamp(sum, range.low, range.high);
  }
  std::ranges::copy(y, call.output().as<float>().begin());
}

}  // namespace

const Operator kMatMul = {has_exact, run_exact, run_float};

}  // namespace npu::reference

// Pooling over any number of spatial dimensions.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/onnx_reference/window.h"

namespace npu::onnx {
namespace {

SpatialWindow pool_window(const Call& call) {
  const Value& x = call.in(0);
  if (x.rank() < 3) fail("expected [N,C,...], got {}", to_string(x.shape));
  return window_of(call, Shape(x.shape.begin() + 2, x.shape.end()),
                   call.integers("kernel_shape", {}), call.integer("ceil_mode", 0) != 0);
}

Shape pooled_shape(const Value& x, const SpatialWindow& window) {
  Shape shape = {x.shape[0], x.shape[1]};
  shape.insert(shape.end(), window.out.begin(), window.out.end());
  checked_count(shape);
  return shape;
}

void run_max_pool(Call& call) {
  const Value& x = call.in(0);
  const SpatialWindow window = pool_window(call);
  const Shape shape = pooled_shape(x, window);
  const std::vector<double> elements = to_doubles(x);
  const bool column_major = call.integer("storage_order", 0) != 0;
  const std::int64_t in_size = element_count(window.in), out_size = element_count(window.out);
  std::vector<double> out(static_cast<std::size_t>(element_count(shape)),
                          -std::numeric_limits<double>::infinity());
  std::vector<std::int64_t> where(out.size(), -1);
  window.for_each_tap([&](std::int64_t o, std::int64_t from, std::int64_t) {
    for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
      const double value = elements[static_cast<std::size_t>(plane * in_size + from)];
      const auto at = static_cast<std::size_t>(plane * out_size + o);
      if (where[at] < 0 || value > out[at]) {
        out[at] = value;
        where[at] = plane * in_size + from;
      }
    }
  });
  if (column_major) {
    const auto strides = strides_of(window.in);
    for (std::int64_t& index : where) {
      const std::int64_t plane = index / in_size;
      std::int64_t flat = 0;
      for (std::size_t d = window.in.size(); d-- > 0;) {
        flat = flat * window.in[d] + index % in_size / strides[d] % window.in[d];
      }
      index = plane * in_size + flat;
    }
  }
  call.set(0, from_doubles(x.type, shape, out));
  call.set(1, from_integers(ElementType::kInt64, shape, where));
}

void run_average_pool(Call& call) {
  const Value& x = call.in(0);
  const SpatialWindow window = pool_window(call);
  const Shape shape = pooled_shape(x, window);
  const bool counts_padding = call.integer("count_include_pad", 0) != 0;
  const std::vector<double> elements = to_doubles(x);
  const std::int64_t in_size = element_count(window.in), out_size = element_count(window.out);
  std::vector<double> out(static_cast<std::size_t>(element_count(shape)), 0.0);
  std::vector<double> count(static_cast<std::size_t>(out_size), 0.0);
  window.for_each_tap([&](std::int64_t o, std::int64_t from, std::int64_t) {
    count[static_cast<std::size_t>(o)] += 1;
    for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
      out[static_cast<std::size_t>(plane * out_size + o)] +=
          elements[static_cast<std::size_t>(plane * in_size + from)];
    }
  });
  if (counts_padding) {
    // Taps within the padded input; those that ceil_mode adds beyond it do not count.
    const auto strides = strides_of(window.out);
    for (std::int64_t o = 0; o < out_size; ++o) {
      double taps = 1;
      for (std::size_t d = 0; d < window.out.size(); ++d) {
        const std::int64_t begin = o / strides[d] % window.out[d] * window.strides[d];
        const std::int64_t end = window.pads_begin[d] + window.in[d] + window.pads_end[d];
        const std::int64_t fit = (end - begin + window.dilations[d] - 1) / window.dilations[d];
        taps *= static_cast<double>(std::min(window.kernel[d], fit));
      }
      count[static_cast<std::size_t>(o)] = taps;
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] /= count[i % count.size()];
  call.set(0, from_doubles(x.type, shape, out));
}

void run_lp_pool(Call& call) {
  const Value& x = call.in(0);
  const SpatialWindow window = pool_window(call);
  const Shape shape = pooled_shape(x, window);
  const auto p = static_cast<double>(call.integer("p", 2));
  const std::vector<double> elements = to_doubles(x);
  const std::int64_t in_size = element_count(window.in), out_size = element_count(window.out);
  std::vector<double> out(static_cast<std::size_t>(element_count(shape)), 0.0);
  window.for_each_tap([&](std::int64_t o, std::int64_t from, std::int64_t) {
    for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
      out[static_cast<std::size_t>(plane * out_size + o)] +=
          std::pow(std::fabs(elements[static_cast<std::size_t>(plane * in_size + from)]), p);
    }
  });
  for (double& e : out) e = std::pow(e, 1 / p);
  call.set(0, from_doubles(x.type, shape, out));
}

template <typename F>
void run_global(Call& call, F f) {
  const Value& x = call.in(0);
  if (x.rank() < 3) fail("expected [N,C,...], got {}", to_string(x.shape));
  const auto size = static_cast<std::size_t>(product(x.shape, 2, x.shape.size()));
  if (size == 0) fail("an empty window has no result");
  Shape shape(x.shape.size(), 1);
  shape[0] = x.shape[0];
  shape[1] = x.shape[1];
  const std::vector<double> elements = to_doubles(x);
  std::vector<double> out;
  for (std::size_t i = 0; i < elements.size(); i += size) {
    out.push_back(f(std::span(elements).subspan(i, size)));
  }
  call.set(0, from_doubles(x.type, std::move(shape), out));
}

void run_global_average(Call& call) {
  run_global(call, [](std::span<const double> v) {
    double sum = 0;
    for (const double e : v) sum += e;
    return sum / static_cast<double>(v.size());
  });
}

void run_global_max(Call& call) {
  run_global(call, [](std::span<const double> v) { return *std::max_element(v.begin(), v.end()); });
}

void run_max_unpool(Call& call) {
  const Value& x = call.in(0);
  if (x.rank() < 3) fail("expected [N,C,...], got {}", to_string(x.shape));
  const std::size_t rank = x.shape.size() - 2;
  const auto kernel = call.integers("kernel_shape", {});
  const auto strides = call.integers("strides", std::vector<std::int64_t>(rank, 1));
  const auto pads = call.integers("pads", std::vector<std::int64_t>(2 * rank, 0));
  if (kernel.size() != rank || strides.size() != rank || pads.size() != 2 * rank)
    fail("the window does not fit");
  Shape inferred = {x.shape[0], x.shape[1]};
  for (std::size_t d = 0; d < rank; ++d) {
    inferred.push_back((x.shape[d + 2] - 1) * strides[d] + kernel[d] - pads[d] - pads[rank + d]);
  }
  const Shape shape = call.has(2) ? integer_list(call.in(2)) : inferred;
  if (shape.size() != x.shape.size()) fail("output_shape does not fit");
  const std::vector<std::int64_t> to = to_integers(call.in(1));
  if (static_cast<std::int64_t>(to.size()) != x.size()) fail("one index per element is needed");
  // Indices are flat in the inferred shape.
  checked_count(inferred);
  std::vector<std::int64_t> from(static_cast<std::size_t>(checked_count(shape)), -1);
  const auto inferred_strides = strides_of(inferred), out_strides = strides_of(shape);
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] < 0 || to[i] >= element_count(inferred)) fail("index {} is out of range", to[i]);
    std::int64_t at = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const std::int64_t k = to[i] / inferred_strides[d] % inferred[d];
      if (k >= shape[d]) fail("index {} is out of range", to[i]);
      at += k * out_strides[d];
    }
    from[static_cast<std::size_t>(at)] = static_cast<std::int64_t>(i);
  }
  call.set(0, gather_elements(x, shape, from));
}

constexpr Operator kOperators[] = {
    {"AveragePool", 1, 1,
     "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides", run_average_pool},
    {"GlobalAveragePool", 1, 1, "", run_global_average},
    {"GlobalMaxPool", 1, 1, "", run_global_max},
    {"LpPool", 1, 1, "auto_pad ceil_mode dilations kernel_shape p pads strides", run_lp_pool},
    {"MaxPool", 1, 1, "auto_pad ceil_mode dilations kernel_shape pads storage_order strides",
     run_max_pool},
    {"MaxUnpool", 2, 3, "kernel_shape pads strides", run_max_unpool},
};

}  // namespace

std::span<const Operator> pool_operators() { return kOperators; }

}  // namespace npu::onnx

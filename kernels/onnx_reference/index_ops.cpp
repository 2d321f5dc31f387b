// Gather and scatter families, padding.
#include <algorithm>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

using Indices = std::vector<std::int64_t>;

std::int64_t checked_index(std::int64_t index, std::int64_t size) {
  if (index < -size || index >= size) fail("index {} is not within {}", index, size);
  return index < 0 ? index + size : index;
}

void run_gather(Call& call) {
  const Value& x = call.in(0);
  const Value& at = call.in(1);
  const std::size_t axis = resolve_axis(call.integer("axis", 0), x.rank());
  Shape shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), at.shape.begin(), at.shape.end());
  shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
  checked_count(shape);
  const std::int64_t outer = product(x.shape, 0, axis);
  const std::int64_t inner = product(x.shape, axis + 1, x.shape.size());
  Indices indices;
  indices.reserve(static_cast<std::size_t>(element_count(shape)));
  const Indices picks = to_integers(at);
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t pick : picks) {
      const std::int64_t k = checked_index(pick, x.shape[axis]);
      for (std::int64_t i = 0; i < inner; ++i) {
        indices.push_back((o * x.shape[axis] + k) * inner + i);
      }
    }
  }
  call.set(0, gather_elements(x, std::move(shape), indices));
}

/// Flat index into `data` for each element of an index tensor that names positions along `axis`.
Indices element_positions(const Value& data, const Value& at, std::size_t axis) {
  if (at.rank() != data.rank()) fail("indices of rank {} for rank {}", at.rank(), data.rank());
  const Indices strides = strides_of(data.shape);
  const Indices at_strides = strides_of(at.shape);
  const Indices picks = to_integers(at);
  Indices positions(picks.size());
  for (std::size_t i = 0; i < picks.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = 0; d < at.shape.size(); ++d) {
      std::int64_t k = rest / at_strides[d];
      rest %= at_strides[d];
      if (d == axis) k = picks[i];
      positions[i] += checked_index(k, data.shape[d]) * strides[d];
    }
  }
  return positions;
}

void run_gather_elements(Call& call) {
  const Value& x = call.in(0);
  const std::size_t axis = resolve_axis(call.integer("axis", 0), x.rank());
  call.set(0, gather_elements(x, call.in(1).shape, element_positions(x, call.in(1), axis)));
}

/// First flat element of the slice that each index tuple (last dimension of `at`) names.
Indices tuple_positions(const Value& data, const Value& at, std::size_t batch_dims) {
  if (at.rank() < 1) fail("indices without dimensions");
  const auto depth = static_cast<std::size_t>(at.shape.back());
  if (batch_dims + depth > data.shape.size()) fail("{} indices for rank {}", depth, data.rank());
  for (std::size_t d = 0; d < batch_dims; ++d) {
    if (at.shape.at(d) != data.shape[d]) fail("batch dimension {} differs", d);
  }
  const Indices strides = strides_of(data.shape);
  const Indices picks = to_integers(at);
  const std::int64_t tuples = depth > 0 ? at.size() / static_cast<std::int64_t>(depth)
                                        : product(at.shape, 0, at.shape.size() - 1);
  const std::int64_t batches = product(data.shape, 0, batch_dims);
  const std::int64_t batch_stride = product(data.shape, batch_dims, data.shape.size());
  const std::int64_t per_batch = std::max<std::int64_t>(1, batches > 0 ? tuples / batches : 0);
  Indices positions(static_cast<std::size_t>(tuples));
  for (std::int64_t t = 0; t < tuples; ++t) {
    std::int64_t position = batch_dims > 0 ? t / per_batch * batch_stride : 0;
    for (std::size_t d = 0; d < depth; ++d) {
      const std::int64_t pick = picks[static_cast<std::size_t>(t) * depth + d];
      position += checked_index(pick, data.shape[batch_dims + d]) * strides[batch_dims + d];
    }
    positions[static_cast<std::size_t>(t)] = position;
  }
  return positions;
}

void run_gather_nd(Call& call) {
  const Value& x = call.in(0);
  const Value& at = call.in(1);
  const std::int64_t batch = call.integer("batch_dims", 0);
  if (batch < 0 || batch >= std::min(x.rank(), at.rank()))
    fail("batch_dims {} is out of range", batch);
  const auto batch_dims = static_cast<std::size_t>(batch);
  const Indices positions = tuple_positions(x, at, batch_dims);
  const std::size_t first = batch_dims + static_cast<std::size_t>(at.shape.back());
  const std::int64_t run = product(x.shape, first, x.shape.size());
  Shape shape(at.shape.begin(), at.shape.end() - 1);
  shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(first), x.shape.end());
  checked_count(shape);
  Indices indices;
  for (const std::int64_t position : positions) {
    for (std::int64_t i = 0; i < run; ++i) indices.push_back(position + i);
  }
  call.set(0, gather_elements(x, std::move(shape), indices));
}

double combine(const std::string& how, double old, double update) {
  if (how == "add") return old + update;
  if (how == "mul") return old * update;
  if (how == "max") return std::max(old, update);
  if (how == "min") return std::min(old, update);
  fail("reduction: unknown \"{}\"", how);
}

/// data with updates at the positions, in order.
Value scatter(const Value& data, const Value& updates, const Indices& positions,
              const std::string& how) {
  same_type(data, updates);
  if (static_cast<std::int64_t>(positions.size()) != updates.size()) {
    fail("{} updates for {} positions", updates.size(), positions.size());
  }
  if (how == "none") {
    Value out = data;
    const auto width = static_cast<std::size_t>(bytes_of(data.type));
    for (std::size_t i = 0; i < positions.size(); ++i) {
      std::memcpy(out.bytes.data() + static_cast<std::size_t>(positions[i]) * width,
                  updates.bytes.data() + i * width, width);
    }
    return out;
  }
  std::vector<double> out = to_doubles(data);
  const std::vector<double> values = to_doubles(updates);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    double& target = out[static_cast<std::size_t>(positions[i])];
    target = combine(how, target, values[i]);
  }
  return from_doubles(data.type, data.shape, out);
}

void run_scatter_elements(Call& call) {
  const Value& x = call.in(0);
  const std::size_t axis = resolve_axis(call.integer("axis", 0), x.rank());
  call.set(0, scatter(x, call.in(2), element_positions(x, call.in(1), axis),
                      call.text("reduction", "none")));
}

void run_scatter_nd(Call& call) {
  const Value& x = call.in(0);
  const Value& at = call.in(1);
  const Indices firsts = tuple_positions(x, at, 0);
  const std::int64_t run =
      product(x.shape, static_cast<std::size_t>(at.shape.back()), x.shape.size());
  Indices positions;
  for (const std::int64_t first : firsts) {
    for (std::int64_t i = 0; i < run; ++i) positions.push_back(first + i);
  }
  call.set(0, scatter(x, call.in(2), positions, call.text("reduction", "none")));
}

/// Writes a window into a cache along one axis, from write_indices per batch on.
void run_tensor_scatter(Call& call) {
  const Value& past = call.in(0);
  const Value& update = call.in(1);
  same_type(past, update);
  const std::string mode = call.text("mode", "linear");
  if (mode != "linear" && mode != "circular") fail("mode: unknown \"{}\"", mode);
  const std::size_t axis = resolve_axis(call.integer("axis", -2), past.rank());
  Shape expected = update.shape;
  if (expected.size() == past.shape.size()) expected[axis] = past.shape[axis];
  if (axis == 0 || expected != past.shape) {
    fail("{} does not update {}", to_string(update.shape), to_string(past.shape));
  }
  Indices starts(static_cast<std::size_t>(past.shape[0]), 0);
  if (call.has(2)) starts = integer_list(call.in(2));
  if (static_cast<std::int64_t>(starts.size()) != past.shape[0])
    fail("one index per batch is needed");
  const std::int64_t length = past.shape[axis];
  const std::int64_t middle = product(past.shape, 1, axis);
  const std::int64_t inner = product(past.shape, axis + 1, past.shape.size());
  Indices positions;
  for (std::int64_t b = 0; b < past.shape[0]; ++b) {
    for (std::int64_t m = 0; m < middle; ++m) {
      for (std::int64_t k = 0; k < update.shape[axis]; ++k) {
        std::int64_t at = starts[static_cast<std::size_t>(b)] + k;
        if (mode == "circular" && length > 0) at = (at % length + length) % length;
        if (at < 0 || at >= length) fail("write index {} is not within {}", at, length);
        for (std::int64_t i = 0; i < inner; ++i) {
          positions.push_back(((b * middle + m) * length + at) * inner + i);
        }
      }
    }
  }
  call.set(0, scatter(past, update, positions, "none"));
}

/// Index into a dimension of `size` for a position that may lie outside; −1: the constant.
std::int64_t padded_source(std::int64_t at, std::int64_t size, const std::string& mode) {
  if (at >= 0 && at < size) return at;
  if (mode == "constant") return -1;
  if (size == 0) fail("an empty dimension cannot be padded by {}", mode);
  if (mode == "edge") return at < 0 ? 0 : size - 1;
  if (mode == "wrap") return (at % size + size) % size;
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);  // reflect, without repeating the edge
  const std::int64_t phase = (at % period + period) % period;
  return phase < size ? phase : period - phase;
}

void run_pad(Call& call) {
  const Value& x = call.in(0);
  const std::string mode = call.text("mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "wrap" && mode != "reflect") {
    fail("mode: unknown \"{}\"", mode);
  }
  const Indices pads = call.opset() < 11 ? call.integers("pads", {}) : integer_list(call.in(1));
  Indices axes;
  for (std::int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  if (call.has(3)) axes = integer_list(call.in(3));
  if (pads.size() != 2 * axes.size()) fail("{} pads for {} axes", pads.size(), axes.size());
  Indices before(x.shape.size(), 0);
  Shape shape = x.shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = resolve_axis(axes[i], x.rank());
    for (const std::int64_t pad : {pads[i], pads[axes.size() + i]}) {
      if (pad < -kMaxElements || pad > kMaxElements) fail("pad {} is out of range", pad);
    }
    before[axis] = pads[i];
    shape[axis] += pads[i] + pads[axes.size() + i];
  }
  Value fill = Value::zeros(x.type, {});
  if (call.has(2)) {
    fill = call.in(2);
    same_type(x, fill);
    if (fill.size() != 1) fail("the constant is no scalar");
  } else if (call.has_attribute("value")) {
    fill = from_doubles(x.type, {}, std::vector<double>{call.real("value", 0)});
  }
  const Indices strides = strides_of(x.shape);
  const Indices out_strides = strides_of(shape);
  Value out = Value::zeros(x.type, shape);
  checked_count(shape);
  const auto width = static_cast<std::size_t>(bytes_of(x.type));
  for (std::int64_t i = 0; i < out.size(); ++i) {
    std::int64_t rest = i;
    std::int64_t from = 0;
    for (std::size_t d = 0; d < shape.size() && from >= 0; ++d) {
      const std::int64_t k = padded_source(rest / out_strides[d] - before[d], x.shape[d], mode);
      rest %= out_strides[d];
      from = k < 0 ? -1 : from + k * strides[d];
    }
    const std::byte* source =
        from < 0 ? fill.bytes.data() : x.bytes.data() + static_cast<std::size_t>(from) * width;
    std::memcpy(out.bytes.data() + static_cast<std::size_t>(i) * width, source, width);
  }
  call.set(0, std::move(out));
}

void run_center_crop_pad(Call& call) {
  const Value& x = call.in(0);
  const Indices target = integer_list(call.in(1));
  Indices axes;
  for (std::int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  axes = call.integers("axes", axes);
  if (target.size() != axes.size()) fail("{} sizes for {} axes", target.size(), axes.size());
  Shape shape = x.shape;
  Indices shift(x.shape.size(), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = resolve_axis(axes[i], x.rank());
    const std::int64_t old = x.shape[axis];
    shape[axis] = target[i];
    shift[axis] = target[i] > old ? -((target[i] - old) / 2) : (old - target[i]) / 2;
  }
  Indices indices(static_cast<std::size_t>(checked_count(shape)));
  const Indices strides = strides_of(x.shape);
  const Indices out_strides = strides_of(shape);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = 0; d < shape.size() && indices[i] >= 0; ++d) {
      const std::int64_t k = rest / out_strides[d] + shift[d];
      rest %= out_strides[d];
      indices[i] = k < 0 || k >= x.shape[d] ? -1 : indices[i] + k * strides[d];
    }
  }
  call.set(0, gather_elements(x, std::move(shape), indices));
}

void run_reverse_sequence(Call& call) {
  const Value& x = call.in(0);
  const Indices lengths = integer_list(call.in(1));
  const std::size_t batch = resolve_axis(call.integer("batch_axis", 1), x.rank());
  const std::size_t time = resolve_axis(call.integer("time_axis", 0), x.rank());
  if (batch + time != 1) fail("batch_axis and time_axis must be 0 and 1");
  if (static_cast<std::int64_t>(lengths.size()) != x.shape[batch])
    fail("one length per batch is needed");
  const Indices strides = strides_of(x.shape);
  Indices indices(static_cast<std::size_t>(x.size()));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const std::int64_t b = at / strides[batch] % x.shape[batch];
    const std::int64_t t = at / strides[time] % x.shape[time];
    const std::int64_t length = lengths[static_cast<std::size_t>(b)];
    if (length < 0 || length > x.shape[time])
      fail("length {} is not within {}", length, x.shape[time]);
    indices[i] = t < length ? at + (length - 1 - 2 * t) * strides[time] : at;
  }
  call.set(0, gather_elements(x, x.shape, indices));
}

void run_one_hot(Call& call) {
  const Value& at = call.in(0);
  const std::vector<double> depth_value = to_doubles(call.in(1));
  const Value& values = call.in(2);
  if (depth_value.size() != 1 || values.size() != 2) fail("expected one depth and two values");
  const auto depth = static_cast<std::int64_t>(depth_value[0]);
  const std::size_t axis = resolve_axis(call.integer("axis", -1), at.rank() + 1);
  Shape shape = at.shape;
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), depth);
  Indices picks(static_cast<std::size_t>(checked_count(shape)), 0);
  const std::int64_t inner = product(at.shape, axis, at.shape.size());
  const std::vector<double> positions = to_doubles(at);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    auto k = static_cast<std::int64_t>(positions[i]);
    if (k < -depth || k >= depth) continue;
    if (k < 0) k += depth;
    const auto index = static_cast<std::int64_t>(i);
    picks[static_cast<std::size_t>((index / inner * depth + k) * inner + index % inner)] = 1;
  }
  call.set(0, gather_elements(values, std::move(shape), picks));
}

constexpr Operator kOperators[] = {
    {"CenterCropPad", 2, 2, "axes", run_center_crop_pad},
    {"Gather", 2, 2, "axis", run_gather},
    {"GatherElements", 2, 2, "axis", run_gather_elements},
    {"GatherND", 2, 2, "batch_dims", run_gather_nd},
    {"OneHot", 3, 3, "axis", run_one_hot},
    {"Pad", 1, 4, "mode pads value", run_pad},
    {"ReverseSequence", 2, 2, "batch_axis time_axis", run_reverse_sequence},
    {"Scatter", 3, 3, "axis", run_scatter_elements},
    {"ScatterElements", 3, 3, "axis reduction", run_scatter_elements},
    {"ScatterND", 3, 3, "reduction", run_scatter_nd},
    {"TensorScatter", 2, 3, "axis mode", run_tensor_scatter},
};

}  // namespace

std::span<const Operator> index_operators() { return kOperators; }

}  // namespace npu::onnx

// Operators that change shapes or move whole elements.
#include <algorithm>
#include <numeric>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

void set_shape(Call& call, Shape shape) {
  Value out = call.in(0);
  if (checked_count(shape) != out.size()) {
    fail("{} does not reshape to {}", to_string(out.shape), to_string(shape));
  }
  out.shape = std::move(shape);
  call.set(0, std::move(out));
}

/// Axes from the attribute (before opset 13) or operand 1.
std::vector<std::int64_t> axes_of(const Call& call) {
  return call.has(1) ? integer_list(call.in(1)) : call.integers("axes", {});
}

void run_shape(Call& call) {
  const Shape& shape = call.in(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto clamp = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = clamp(call.integer("start", 0));
  const std::int64_t end = std::max(begin, clamp(call.integer("end", rank)));
  call.set(0, int64_list({shape.begin() + begin, shape.begin() + end}));
}

void run_size(Call& call) {
  call.set(0, from_integers(ElementType::kInt64, {}, std::vector<std::int64_t>{call.in(0).size()}));
}

void run_reshape(Call& call) {
  const Shape& from = call.in(0).shape;
  // Before opset 5 the target is an attribute.
  const std::vector<std::int64_t> target =
      call.has(1) ? integer_list(call.in(1)) : call.integers("shape", {});
  const bool allow_zero = call.integer("allowzero", 0) != 0;
  Shape shape;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < target.size(); ++i) {
    std::int64_t dim = target[i];
    if (dim == 0 && !allow_zero) {
      if (i >= from.size()) fail("dimension {} copies none of {}", i, to_string(from));
      dim = from[i];
    }
    if (dim == -1) {
      if (open >= 0) fail("two dimensions are -1");
      open = static_cast<std::ptrdiff_t>(i);
      dim = 1;
    }
    shape.push_back(dim);
  }
  if (open >= 0) {
    const std::int64_t others = checked_count(shape);
    if (others == 0 || call.in(0).size() % others != 0) {
      fail("{} does not reshape to {}", to_string(from), to_string(target));
    }
    shape[static_cast<std::size_t>(open)] = call.in(0).size() / others;
  }
  set_shape(call, std::move(shape));
}

void run_flatten(Call& call) {
  const Shape& shape = call.in(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t axis = call.integer("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) fail("axis {} is not within rank {}", axis, rank);
  const auto cut = static_cast<std::size_t>(axis);
  set_shape(call, {product(shape, 0, cut), product(shape, cut, shape.size())});
}

void run_squeeze(Call& call) {
  const Shape& from = call.in(0).shape;
  std::vector<bool> goes(from.size(), false);
  const bool all = !call.has(1) && !call.has_attribute("axes");
  for (const std::int64_t axis : axes_of(call)) goes[resolve_axis(axis, call.in(0).rank())] = true;
  Shape shape;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!(all ? from[i] == 1 : goes[i])) {
      shape.push_back(from[i]);
    } else if (from[i] != 1) {
      fail("dimension {} of {} is not 1", i, to_string(from));
    }
  }
  set_shape(call, std::move(shape));
}

void run_unsqueeze(Call& call) {
  const Shape& from = call.in(0).shape;
  const std::vector<std::int64_t> axes = axes_of(call);
  const auto rank = static_cast<std::int64_t>(from.size() + axes.size());
  std::vector<bool> is_new(static_cast<std::size_t>(rank), false);
  for (const std::int64_t axis : axes) {
    const std::size_t at = resolve_axis(axis, rank);
    if (is_new[at]) fail("axis {} is there twice", axis);
    is_new[at] = true;
  }
  Shape shape;
  auto next = from.begin();
  for (const bool fresh : is_new) shape.push_back(fresh ? 1 : *next++);
  set_shape(call, std::move(shape));
}

Value transpose(const Value& x, const std::vector<std::size_t>& permutation) {
  const std::vector<std::int64_t> strides = strides_of(x.shape);
  Shape shape;
  for (const std::size_t p : permutation) shape.push_back(x.shape[p]);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(x.size()));
  Shape at(shape.size(), 0);
  std::int64_t index = 0;
  for (std::int64_t& entry : indices) {
    entry = index;
    for (std::size_t d = shape.size(); d-- > 0;) {
      index += strides[permutation[d]];
      if (++at[d] < shape[d]) break;
      index -= strides[permutation[d]] * shape[d];
      at[d] = 0;
    }
  }
  return gather_elements(x, std::move(shape), indices);
}

void run_transpose(Call& call) {
  const Value& x = call.in(0);
  std::vector<std::int64_t> reversed(x.shape.size());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const std::vector<std::int64_t> perm = call.integers("perm", reversed);
  std::vector<std::size_t> permutation;
  std::vector<bool> seen(x.shape.size(), false);
  for (const std::int64_t p : perm) {
    const std::size_t axis = resolve_axis(p, x.rank());
    if (seen[axis]) fail("perm names axis {} twice", axis);
    seen[axis] = true;
    permutation.push_back(axis);
  }
  if (permutation.size() != x.shape.size()) fail("perm does not name every axis");
  call.set(0, transpose(x, permutation));
}

void run_expand(Call& call) {
  const Value& x = call.in(0);
  const Shape target = integer_list(call.in(1));
  Shape shape = broadcast({&x.shape, &target});
  const auto indices = broadcast_indices(x.shape, shape);
  call.set(0, gather_elements(x, std::move(shape), indices));
}

void run_tile(Call& call) {
  const Value& x = call.in(0);
  const std::vector<std::int64_t> repeats = integer_list(call.in(1));
  if (repeats.size() != x.shape.size()) fail("expected {} repeats", x.shape.size());
  Shape shape;
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    if (repeats[i] < 0 || repeats[i] > kMaxElements) fail("repeats {} is out of range", repeats[i]);
    shape.push_back(x.shape[i] * repeats[i]);
  }
  std::vector<std::int64_t> indices(static_cast<std::size_t>(checked_count(shape)));
  const std::vector<std::int64_t> strides = strides_of(x.shape);
  const std::vector<std::int64_t> out_strides = strides_of(shape);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = 0; d < shape.size(); ++d) {
      indices[i] += rest / out_strides[d] % x.shape[d] * strides[d];
      rest %= out_strides[d];
    }
  }
  call.set(0, gather_elements(x, std::move(shape), indices));
}

void run_concat(Call& call) {
  const Value& first = call.in(0);
  const std::size_t axis = resolve_axis(call.integer("axis", 0), first.rank());
  Shape shape = first.shape;
  shape[axis] = 0;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    const Value& part = call.in(i);
    same_type(first, part);
    Shape expected = part.shape;
    if (expected.size() == shape.size()) expected[axis] = first.shape[axis];
    if (expected != first.shape) {
      fail("{} and {} do not concatenate", to_string(first.shape), to_string(part.shape));
    }
    shape[axis] += part.shape[axis];
  }
  checked_count(shape);
  Value out = Value::zeros(first.type, shape);
  const std::int64_t outer = product(shape, 0, axis);
  const std::int64_t inner = product(shape, axis + 1, shape.size()) * bytes_of(first.type);
  auto* target = out.bytes.data();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < call.input_count(); ++i) {
      const auto run = static_cast<std::size_t>(call.in(i).shape[axis] * inner);
      if (run > 0) {
        std::memcpy(target, call.in(i).bytes.data() + static_cast<std::size_t>(o) * run, run);
      }
      target += run;
    }
  }
  call.set(0, std::move(out));
}

/// x[…, begin + k·step, …] for k < count along one axis.
Value take_range(const Value& x, std::size_t axis, std::int64_t begin, std::int64_t count,
                 std::int64_t step) {
  Shape shape = x.shape;
  shape[axis] = count;
  Value out = Value::zeros(x.type, shape);
  const std::int64_t outer = product(x.shape, 0, axis);
  const auto run =
      static_cast<std::size_t>(product(x.shape, axis + 1, x.shape.size()) * bytes_of(x.type));
  auto* target = out.bytes.data();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t k = 0; k < count; ++k) {
      const auto from = static_cast<std::size_t>(o * x.shape[axis] + begin + k * step);
      if (run > 0) std::memcpy(target, x.bytes.data() + from * run, run);
      target += run;
    }
  }
  return out;
}

void run_split(Call& call) {
  const Value& x = call.in(0);
  const std::size_t axis = resolve_axis(call.integer("axis", 0), x.rank());
  std::vector<std::int64_t> sizes = call.integers("split", {});
  if (call.has(1)) sizes = integer_list(call.in(1));
  if (sizes.empty()) {
    const auto parts = static_cast<std::int64_t>(call.output_count());
    if (call.integer("num_outputs", parts) != parts) fail("num_outputs is not {}", parts);
    const std::int64_t each = (x.shape[axis] + parts - 1) / parts;
    for (std::int64_t i = 0; i < parts; ++i) {
      sizes.push_back(std::clamp<std::int64_t>(x.shape[axis] - i * each, 0, each));
    }
  }
  if (sizes.size() != call.output_count())
    fail("{} sizes for {} outputs", sizes.size(), call.output_count());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0 || sizes[i] > x.shape[axis] - begin)
      fail("the sizes do not fit {}", x.shape[axis]);
    call.set(i, take_range(x, axis, begin, sizes[i], 1));
    begin += sizes[i];
  }
  if (begin != x.shape[axis]) fail("the sizes sum to {} of {}", begin, x.shape[axis]);
}

void run_slice(Call& call) {
  const Value* x = &call.in(0);
  const bool by_attribute = call.opset() < 10;
  const std::vector<std::int64_t> starts =
      by_attribute ? call.integers("starts", {}) : integer_list(call.in(1));
  const std::vector<std::int64_t> ends =
      by_attribute ? call.integers("ends", {}) : integer_list(call.in(2));
  std::vector<std::int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (by_attribute) axes = call.integers("axes", axes);
  if (call.has(3)) axes = integer_list(call.in(3));
  std::vector<std::int64_t> steps(starts.size(), 1);
  if (call.has(4)) steps = integer_list(call.in(4));
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    fail("starts, ends, axes and steps differ in length");
  }
  Value out = *x;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = resolve_axis(axes[i], out.rank());
    const std::int64_t dim = out.shape[axis];
    const std::int64_t step = steps[i];
    if (step == 0) fail("a step is 0");
    const auto limit = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
      if (at < 0) at += dim;
      return std::clamp(at, low, high);
    };
    const std::int64_t begin = step > 0 ? limit(starts[i], 0, dim) : limit(starts[i], -1, dim - 1);
    const std::int64_t end = step > 0 ? limit(ends[i], 0, dim) : limit(ends[i], -1, dim - 1);
    std::int64_t count = 0;
    if (step > 0 && end > begin) count = (end - begin - 1) / step + 1;
    if (step < 0 && begin > end) count = (begin - end - 1) / -step + 1;
    out = take_range(out, axis, begin, count, step);
  }
  call.set(0, std::move(out));
}

void run_trilu(Call& call) {
  const Value& x = call.in(0);
  if (x.rank() < 2) fail("expected matrices");
  const bool upper = call.integer("upper", 1) != 0;
  std::int64_t k = 0;
  if (call.has(1)) k = integer_list(call.in(1)).at(0);
  const std::int64_t columns = x.shape.back();
  const std::int64_t rows = x.shape[x.shape.size() - 2];
  std::vector<std::int64_t> indices(static_cast<std::size_t>(x.size()));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const std::int64_t diagonal = at % columns - at / columns % rows;
    indices[i] = (upper ? diagonal >= k : diagonal <= k) ? at : -1;
  }
  call.set(0, gather_elements(x, x.shape, indices));
}

/// Between [N,C·b²,H,W] and [N,C,H·b,W·b] by a transpose of six dimensions.
template <bool kToDepth>
void run_depth_space(Call& call) {
  const Value& x = call.in(0);
  if (x.rank() != 4) fail("expected [N,C,H,W]");
  const std::int64_t b = call.integer("blocksize", 0);
  const std::string mode = call.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") fail("mode: expected DCR or CRD, got \"{}\"", mode);
  const std::int64_t n = x.shape[0], c = x.shape[1], h = x.shape[2], w = x.shape[3];
  if (b < 1 || b > 4096 || (kToDepth ? h % b != 0 || w % b != 0 : c % (b * b) != 0)) {
    fail("{} has no blocks of {}", to_string(x.shape), b);
  }
  Value six = x;
  Shape shape;
  if (kToDepth) {
    six.shape = {n, c, h / b, b, w / b, b};
    six = transpose(six, {0, 3, 5, 1, 2, 4});
    shape = {n, c * b * b, h / b, w / b};
  } else if (mode == "DCR") {
    six.shape = {n, b, b, c / (b * b), h, w};
    six = transpose(six, {0, 3, 4, 1, 5, 2});
    shape = {n, c / (b * b), h * b, w * b};
  } else {
    six.shape = {n, c / (b * b), b, b, h, w};
    six = transpose(six, {0, 1, 4, 2, 5, 3});
    shape = {n, c / (b * b), h * b, w * b};
  }
  six.shape = std::move(shape);
  call.set(0, std::move(six));
}

constexpr Operator kOperators[] = {
    {"Concat", 1, kMany, "axis", run_concat},
    {"DepthToSpace", 1, 1, "blocksize mode", run_depth_space<false>},
    {"Expand", 2, 2, "", run_expand},
    {"Flatten", 1, 1, "axis", run_flatten},
    {"Reshape", 1, 2, "allowzero shape", run_reshape},
    {"Shape", 1, 1, "start end", run_shape},
    {"Size", 1, 1, "", run_size},
    {"Slice", 1, 5, "starts ends axes", run_slice},
    {"SpaceToDepth", 1, 1, "blocksize", run_depth_space<true>},
    {"Split", 1, 2, "axis split num_outputs", run_split},
    {"Squeeze", 1, 2, "axes", run_squeeze},
    {"Tile", 2, 2, "", run_tile},
    {"Transpose", 1, 1, "perm", run_transpose},
    {"Trilu", 1, 2, "upper", run_trilu},
    {"Unsqueeze", 1, 2, "axes", run_unsqueeze},
};

}  // namespace

std::span<const Operator> shape_operators() { return kOperators; }

}  // namespace npu::onnx

#include <algorithm>
#include <cstring>
#include <limits>

#include "workloads/importers/tflite_reader.h"

namespace npu::importers {
namespace {

using graph::OpKind;
using graph::TensorId;

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

void add_reshape(OperatorReader& r) { r.add(OpKind::kReshape, {r.inputs()[0]}, r.outputs()); }

/// The wanted shape may have one −1; the output's own shape decides.
void check_new_shape(const OperatorReader& r, const std::vector<std::int64_t>& wanted) {
  const Shape& y = r.out().shape;
  const bool legacy_scalar = y.empty() && wanted == std::vector<std::int64_t>{0};
  const auto free = std::count(wanted.begin(), wanted.end(), -1);
  bool same = wanted.size() == y.size() && free <= 1;
  for (std::size_t i = 0; same && i < y.size(); ++i) same = wanted[i] == -1 || wanted[i] == y[i];
  if (!same && !legacy_scalar) {
    r.reject("new shape {} does not fit output {}", to_string(wanted), to_string(y));
  }
}

Shape without_units(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

/// Dimensions of size 1 come or go.
void read_unit_change(OperatorReader& r) {
  if (without_units(r.in(0).shape) != without_units(r.out().shape)) {
    r.reject("shapes {} and {} differ in more than dimensions of 1", to_string(r.in(0).shape),
             to_string(r.out().shape));
  }
  add_reshape(r);
}

/// The single value of a quantized constant.
std::int32_t scalar_of(const OperatorReader& r, const graph::Tensor& t) {
  if (!t.is_constant || element_count(t.shape) != 1) {
    r.reject("the padding value must be a constant of one element, `{}` has shape {}", t.name,
             to_string(t.shape));
  }
  const auto read = [&](auto value) {
    std::memcpy(&value, t.data.data(), sizeof value);
    return value;
  };
  switch (t.type) {
    case DType::kInt8:
      return read(std::int8_t{});
    case DType::kUint8:
      return read(std::uint8_t{});
    case DType::kInt16:
      return read(std::int16_t{});
    case DType::kInt32:
      return read(std::int32_t{});
    case DType::kFloat32:
      if (read(0.0F) == 0.0F) return 0;
      r.reject("float32 is padded with 0 only, got {}", read(0.0F));
    default:
      r.reject("a padding value of {} is not supported", npu::name_of(t.type));
  }
}

graph::PadAttrs read_amounts(const OperatorReader& r) {
  const std::size_t rank = r.in(0).shape.size();
  const Shape expected = {static_cast<std::int64_t>(rank), 2};
  if (r.in(1).shape != expected) {
    r.reject("paddings must have shape {}, got {}", to_string(expected), to_string(r.in(1).shape));
  }
  const std::vector<std::int64_t> amounts = r.integers(1, 2 * graph::kMaxRank, "paddings");
  graph::PadAttrs a;
  for (std::size_t i = 0; i < rank; ++i) {
    a.before.push_back(amounts[2 * i]);
    a.after.push_back(amounts[2 * i + 1]);
  }
  return a;
}

/// One part of `x`: STRIDED_SLICE with unit strides.
void add_part(OperatorReader& r, TensorId x, TensorId y, const Shape& shape, std::size_t axis,
              std::int64_t begin, std::int64_t size) {
  graph::SliceAttrs a;
  a.begin.assign(shape.size(), 0);
  a.stride.assign(shape.size(), 1);
  a.sizes = shape;
  a.begin[axis] = begin;
  a.sizes[axis] = size;
  r.add(OpKind::kStridedSlice, {x}, {y}, a);
}

}  // namespace

void read_reshape(OperatorReader& r) {
  r.expect(1, 2);
  const auto* o = r.options<schema::ReshapeOptions>();
  if (r.optional(1) != graph::kAbsent) {
    check_new_shape(r, r.integers(1, graph::kMaxRank, "new shape"));
  } else if (o != nullptr && o->new_shape() != nullptr) {
    if (o->new_shape()->size() > graph::kMaxRank) r.reject("new shape of more than 8 dimensions");
    check_new_shape(r, {o->new_shape()->begin(), o->new_shape()->end()});
  }
  add_reshape(r);
}

void read_squeeze(OperatorReader& r) {
  r.expect(1, 1);
  (void)r.options<schema::SqueezeOptions>();
  read_unit_change(r);
}

void read_expand_dims(OperatorReader& r) {
  r.expect(2, 2);
  (void)r.options<schema::ExpandDimsOptions>();
  const std::vector<std::int64_t> axes = r.integers(1, 1, "axis");
  if (axes.size() != 1) r.reject("needs one axis");
  const int axis = r.axis(axes[0], r.in(0).shape.size() + 1);
  Shape y = r.in(0).shape;
  y.insert(y.begin() + axis, 1);
  if (y != r.out().shape) {
    r.reject("output shape must be {}, got {}", to_string(y), to_string(r.out().shape));
  }
  add_reshape(r);
}

void read_transpose(OperatorReader& r) {
  r.expect(2, 2);
  (void)r.options<schema::TransposeOptions>();
  graph::TransposeAttrs a;
  for (const std::int64_t p : r.integers(1, graph::kMaxRank, "permutation")) {
    a.permutation.push_back(r.axis(p, r.in(0).shape.size()));
  }
  r.add(OpKind::kTranspose, {r.inputs()[0]}, r.outputs(), a);
}

void read_pad(OperatorReader& r) {
  r.expect(2, 2);
  (void)r.options<schema::PadOptions>();
  graph::PadAttrs a = read_amounts(r);
  const graph::Tensor& y = r.out();
  const bool quantized = y.type == DType::kInt8 || y.type == DType::kUint8;
  if (quantized && y.quantization.has_value()) a.value = y.quantization->zero_point[0];
  r.add(OpKind::kPad, {r.inputs()[0]}, r.outputs(), a);
}

void read_pad_v2(OperatorReader& r) {
  r.expect(3, 3);
  (void)r.options<schema::PadV2Options>();
  graph::PadAttrs a = read_amounts(r);
  const graph::Tensor& value = r.in(2);
  if (value.type != r.out().type || !graph::same_quantization(value, r.out())) {
    r.reject("the padding value `{}` must have the type and quantization of the output",
             value.name);
  }
  a.value = scalar_of(r, value);
  r.add(OpKind::kPad, {r.inputs()[0]}, r.outputs(), a);
}

void read_concatenation(OperatorReader& r) {
  r.expect(1, kNoLimit);
  const auto& o = r.require_options<schema::ConcatenationOptions>();
  graph::ActivationAttrs a;
  a.axis = r.axis(o.axis(), r.in(0).shape.size());
  a.activation = r.activation(o.activation());
  r.add(OpKind::kConcatenation, r.inputs(), r.outputs(), a);
}

void read_pack(OperatorReader& r) {
  r.expect(1, kNoLimit);
  const auto& o = r.require_options<schema::PackOptions>();
  if (std::cmp_not_equal(o.values_count(), r.inputs().size())) {
    r.reject("values_count is {}, got {} inputs", o.values_count(), r.inputs().size());
  }
  graph::ActivationAttrs a;
  a.axis = r.axis(o.axis(), r.in(0).shape.size() + 1);
  r.add(OpKind::kPack, r.inputs(), r.outputs(), a);
}

void read_split(OperatorReader& r) {
  r.expect(2, 2, r.outputs().size());
  const auto& o = r.require_options<schema::SplitOptions>();
  const Shape& x = r.in(1).shape;
  const std::vector<std::int64_t> axes = r.integers(0, 1, "axis");
  if (axes.size() != 1) r.reject("needs one axis");
  const auto axis = static_cast<std::size_t>(r.axis(axes[0], x.size()));
  const std::vector<TensorId> outputs = r.outputs();
  const auto parts = static_cast<std::int64_t>(outputs.size());
  if (parts == 0 || o.num_splits() != parts || x[axis] % parts != 0) {
    r.reject("num_splits {} does not fit {} outputs of input {}", o.num_splits(), parts,
             to_string(x));
  }
  const std::int64_t size = x[axis] / parts;
  for (std::int64_t i = 0; i < parts; ++i) {
    add_part(r, r.inputs()[1], outputs[static_cast<std::size_t>(i)], x, axis, i * size, size);
  }
}

void read_split_v(OperatorReader& r) {
  r.expect(3, 3, r.outputs().size());
  (void)r.options<schema::SplitVOptions>();
  const Shape& x = r.in(0).shape;
  const std::vector<TensorId> outputs = r.outputs();
  std::vector<std::int64_t> sizes = r.integers(1, outputs.size(), "sizes");
  const std::vector<std::int64_t> axes = r.integers(2, 1, "axis");
  if (axes.size() != 1) r.reject("needs one axis");
  const auto axis = static_cast<std::size_t>(r.axis(axes[0], x.size()));
  if (sizes.size() != outputs.size()) {
    r.reject("{} sizes for {} outputs", sizes.size(), outputs.size());
  }
  std::int64_t rest = x[axis];
  for (const std::int64_t size : sizes) rest -= std::max<std::int64_t>(size, 0);
  if (std::count(sizes.begin(), sizes.end(), -1) == 1) {
    *std::find(sizes.begin(), sizes.end(), -1) = rest;
    rest = 0;
  }
  if (rest != 0) r.reject("the sizes do not add up to input {}", to_string(x));
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    add_part(r, r.inputs()[0], outputs[i], x, axis, begin, sizes[i]);
    begin += sizes[i];
  }
}

}  // namespace npu::importers

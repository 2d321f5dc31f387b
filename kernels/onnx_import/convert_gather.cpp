// Operators that only move elements, to places that constants decide: their index map is what the
// CPU reference makes of a tensor that counts its elements.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;
using onnx::ElementType;
using onnx::Value;

/// For every element of output 0 the element of operand 0 that it is; −1: zero (or false).
std::vector<std::int64_t> index_map(const Conversion& c) {
  std::vector<std::int64_t> count(static_cast<std::size_t>(element_count(c.shape(0))));
  std::iota(count.begin(), count.end(), std::int64_t{1});
  const Value counted = onnx::from_integers(ElementType::kInt32, c.shape(0), count);
  std::vector<const Value*> inputs = {&counted};
  for (std::size_t i = 1; i < c.input_count(); ++i) {
    inputs.push_back(c.has(i) ? &c.need_constant(i, fmt::format("operand {}", i)) : nullptr);
  }
  const std::vector<Value> made = evaluate(c.node(), c.opset(), inputs, "index map");
  std::vector<std::int64_t> map = to_integers(made.at(0));
  for (std::int64_t& entry : map) --entry;
  return map;
}

/// Longest run of elements that lie together in both, everywhere and aligned: rows of a gather.
std::int64_t row_length(const std::vector<std::int64_t>& map, std::int64_t elements) {
  const auto fits = [&](std::int64_t length) {
    for (std::size_t i = 0; i < map.size(); i += static_cast<std::size_t>(length)) {
      const std::int64_t first = map[i];
      if (first >= 0 && first % length != 0) return false;
      for (std::size_t k = 1; k < static_cast<std::size_t>(length); ++k) {
        const std::int64_t expected = first < 0 ? -1 : first + static_cast<std::int64_t>(k);
        if (map[i + k] != expected) return false;
      }
    }
    return true;
  };
  const std::int64_t largest = std::gcd(static_cast<std::int64_t>(map.size()), elements);
  std::int64_t best = 1;
  for (std::int64_t d = 1; d * d <= largest; ++d) {
    if (largest % d != 0) continue;
    if (d > best && fits(d)) best = d;
    if (largest / d > best && fits(largest / d)) best = largest / d;
  }
  return best;
}

/// Output 0 as rows of operand 0 taken by a constant index.
void gather_by(Conversion& c, const std::vector<std::int64_t>& map) {
  const std::int64_t elements = element_count(c.shape(0));
  const std::int64_t row = row_length(map, elements);
  const bool has_zeros = std::any_of(map.begin(), map.end(), [](auto i) { return i < 0; });
  std::int64_t rows = elements / row;
  TensorId table = c.reshape(c.tensor(0), {rows, row});
  if (has_zeros) {
    graph::Tensor zeros = c.like(table, {1, row});
    zeros.quantization = c.get(table).quantization;
    zeros.data.resize(static_cast<std::size_t>(zeros.bytes()));
    table = c.concatenate({table, c.add_constant(std::move(zeros))}, 0);
    ++rows;
  }
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < map.size(); i += static_cast<std::size_t>(row)) {
    indices.push_back(map[i] < 0 ? rows - 1 : map[i] / row);
  }
  const auto taken = static_cast<std::int64_t>(indices.size());
  const Value list = onnx::from_integers(ElementType::kInt32, {taken}, indices);
  const TensorId index = c.add_constant(list, DType::kInt32, {0});
  graph::Tensor y = c.like(table, {taken, row});
  y.quantization = c.get(table).quantization;
  const TensorId gathered = c.add(OpKind::kGather, {table, index}, {}, std::move(y));
  c.result(0, c.reshape(gathered, tensor_shape(c.out(0).shape)));
}

void convert_moved(Conversion& c) { gather_by(c, index_map(c)); }

/// Rows of a table by a computed index; constant ones as any other movement.
void convert_gather(Conversion& c) {
  if (c.constant(1) != nullptr) return convert_moved(c);
  const auto rank = static_cast<std::int64_t>(c.shape(0).size());
  const std::size_t axis = onnx::resolve_axis(c.attributes().integer("axis", 0), rank);
  if (axis != 0) not_mapped("computed indices along axis {}", axis);
  const TensorId table = c.tensor(0);
  const TensorId index = c.index_tensor(1, c.shape(0)[0]);
  graph::Tensor y = c.like(table, c.out(0).shape);
  y.quantization = c.get(table).quantization;
  Shape shape = c.get(index).shape;
  shape.insert(shape.end(), c.shape(0).begin() + 1, c.shape(0).end());
  y.shape = std::move(shape);
  const TensorId rows = c.add(OpKind::kGather, {table, index}, {}, std::move(y));
  c.result(0, c.reshape(rows, tensor_shape(c.out(0).shape)));
}

/// Zeros around the tensor as PAD; what reflects, repeats or wraps as a gather; other constants
/// as a gather and a selection.
void convert_pad(Conversion& c) {
  const std::string mode = c.attributes().text("mode", "constant");
  if (mode != "constant") return gather_by(c, index_map(c));
  double fill = c.opset() < 11 ? c.attributes().real("value", 0) : 0;
  if (c.opset() >= 11 && c.has(2)) fill = c.need_scalar(2, "constant_value");
  // The map is made with a fill of 0, which no element has.
  std::vector<std::int64_t> map;
  {
    std::vector<std::int64_t> count(static_cast<std::size_t>(element_count(c.shape(0))));
    std::iota(count.begin(), count.end(), std::int64_t{1});
    const Value counted = onnx::from_integers(ElementType::kInt32, c.shape(0), count);
    std::vector<const Value*> inputs = {&counted};
    onnx::Node node = c.node();
    node.attributes.erase("value");
    if (c.opset() >= 11) {
      inputs.push_back(&c.need_constant(1, "pads"));
      if (c.has(3)) {
        inputs.push_back(nullptr);
        inputs.push_back(&c.need_constant(3, "axes"));
      }
    }
    const std::vector<Value> made = evaluate(node, c.opset(), inputs, "index map");
    map = to_integers(made.at(0));
  }
  const Shape& in = c.shape(0);
  const Shape& out = c.out(0).shape;
  // The box that the operand fills.
  const auto strides = onnx::strides_of(out);
  const auto first = std::find_if(map.begin(), map.end(), [](auto i) { return i != 0; });
  const auto last = std::find_if(map.rbegin(), map.rend(), [](auto i) { return i != 0; });
  if (first == map.end()) not_mapped("nothing of the operand is left");
  const std::int64_t low = first - map.begin();
  const std::int64_t high = map.rend() - last - 1;
  Shape begin(in.size(), 0);
  graph::PadAttrs pad{Shape(in.size(), 0), Shape(in.size(), 0), 0};
  Shape sizes(in.size(), 1);
  const auto in_strides = onnx::strides_of(in);
  for (std::size_t d = 0; d < in.size(); ++d) {
    pad.before[d] = low / strides[d] % out[d];
    pad.after[d] = out[d] - 1 - high / strides[d] % out[d];
    sizes[d] = out[d] - pad.before[d] - pad.after[d];
    begin[d] = (*first - 1) / in_strides[d] % in[d];
  }
  const Form x = c.operand(0);
  const TensorId kept = c.slice(x.tensor, permuted(begin, x.order), permuted(sizes, x.order));
  pad.before = permuted(pad.before, x.order);
  pad.after = permuted(pad.after, x.order);
  const DType type = c.get(x.tensor).type;
  if (!is_float(type)) {
    if (!(std::fabs(fill) < 0x1p31)) not_mapped("a fill of {}", fill);
    pad.value = static_cast<std::int32_t>(fill);
    fill = 0;
  }
  graph::Tensor y = c.like(kept, permuted(out, x.order));
  y.quantization = c.get(x.tensor).quantization;
  if (fill == 0) {
    return c.result(0, c.add(OpKind::kPad, {kept}, pad, std::move(y)), x.order);
  }
  // Fill, tensor, fill: one dimension after the other.
  TensorId whole = kept;
  for (std::size_t d = 0; d < in.size(); ++d) {
    std::vector<TensorId> parts;
    for (const std::int64_t size : {pad.before[d], std::int64_t{-1}, pad.after[d]}) {
      if (size < 0) parts.push_back(whole);
      if (size <= 0) continue;
      Shape shape = c.get(whole).shape;
      shape[d] = size;
      const std::vector<double> elements(static_cast<std::size_t>(element_count(shape)), fill);
      parts.push_back(c.add_constant(onnx::from_doubles(element_type(type), shape, elements), type,
                                     identity_order(shape.size())));
    }
    whole = c.concatenate(std::move(parts), static_cast<int>(d));
  }
  c.result(0, whole, x.order);
}

/// Nearest neighbours move elements; other modes compute.
void convert_resize(Conversion& c) {
  const std::string mode = c.attributes().text("mode", "nearest");
  if (mode != "nearest") not_mapped("mode \"{}\"", mode);
  const bool crops =
      c.attributes().text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
  if (crops && c.attributes().real("extrapolation_value", 0) != 0) {
    not_mapped("extrapolation_value");
  }
  convert_moved(c);
}

constexpr std::int64_t kMostBlock = 1 << 12;

/// Blocks of channels to space, or back: a TRANSPOSE between two RESHAPEs.
void convert_depth_to_space(Conversion& c) {
  const Shape& s = c.shape(0);
  const std::int64_t b = c.attributes().integer("blocksize", 0);
  if (s.size() != 4 || b < 1 || b > kMostBlock || s[1] % (b * b) != 0)
    not_mapped("blocksize {}", b);
  const std::int64_t depth = s[1] / (b * b);
  const bool dcr = c.attributes().text("mode", "DCR") == "DCR";
  const Shape split =
      dcr ? Shape{s[0], b, b, depth, s[2], s[3]} : Shape{s[0], depth, b, b, s[2], s[3]};
  const Order order = dcr ? Order{0, 3, 4, 1, 5, 2} : Order{0, 1, 4, 2, 5, 3};
  c.result(0, c.reshape(c.transpose(c.reshape(c.tensor(0), split), order), c.out(0).shape));
}

void convert_space_to_depth(Conversion& c) {
  const Shape& s = c.shape(0);
  const std::int64_t b = c.attributes().integer("blocksize", 0);
  if (s.size() != 4 || b < 1 || b > kMostBlock || s[2] % b != 0 || s[3] % b != 0)
    not_mapped("blocksize {}", b);
  const Shape split = {s[0], s[1], s[2] / b, b, s[3] / b, b};
  const TensorId y = c.transpose(c.reshape(c.tensor(0), split), {0, 3, 5, 1, 2, 4});
  c.result(0, c.reshape(y, c.out(0).shape));
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "CenterCropPad", convert_moved},
    {"", "Compress", convert_moved},
    {"", "DepthToSpace", convert_depth_to_space},
    {"", "Gather", convert_gather},
    {"", "GatherElements", convert_moved},
    {"", "GatherND", convert_moved},
    {"", "Pad", convert_pad},
    {"", "Resize", convert_resize},
    {"", "ReverseSequence", convert_moved},
    {"", "SpaceToDepth", convert_space_to_depth},
    {"", "Trilu", convert_moved},
    {"", "Upsample", convert_resize},
});

}  // namespace

std::span<const Converter> gather_converters() { return kConverters; }

}  // namespace npu::onnx_import

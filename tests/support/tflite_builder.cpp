#include "tests/support/tflite_builder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "sim/base/error.h"

namespace npu::test {
namespace {

using graph::Node;
using graph::OpKind;
using graph::TensorId;
namespace schema = importers::schema;

schema::TensorType type_of(DType type) {
  switch (type) {
    case DType::kInt8:
      return schema::TensorType::INT8;
    case DType::kUint8:
      return schema::TensorType::UINT8;
    case DType::kInt16:
      return schema::TensorType::INT16;
    case DType::kInt32:
      return schema::TensorType::INT32;
    case DType::kInt64:
      return schema::TensorType::INT64;
    case DType::kFloat32:
      return schema::TensorType::FLOAT32;
    case DType::kBool:
      return schema::TensorType::BOOL;
    case DType::kFloat16:
      return schema::TensorType::FLOAT16;
    case DType::kBfloat16:
      break;
  }
  fail("unknown type");
}

schema::ActivationType activation_of(graph::Activation activation) {
  switch (activation) {
    case graph::Activation::kNone:
      return schema::ActivationType::NONE;
    case graph::Activation::kRelu:
      return schema::ActivationType::RELU;
    case graph::Activation::kReluN1To1:
      return schema::ActivationType::RELU_N1_TO_1;
    case graph::Activation::kRelu6:
      return schema::ActivationType::RELU6;
  }
  fail("unknown activation");
}

/// Built-in operator numbers in the order of OpKind; SPLIT's is not used.
constexpr std::array<std::int32_t, graph::kOpKinds> kCodes = {
    3,  4,  67, 9,  0,  41, 18, 55, 57, 1,  17, 40, 74,  34,  2, 22,
    39, 45, -1, 83, 25, 50, 14, 28, 19, 21, 20, 98, 117, 114, 6, 27,
};

std::int32_t code_of(OpKind kind) {
  const std::int32_t code = kCodes.at(static_cast<std::size_t>(kind));
  if (code < 0) fail("{} cannot be written", name_of(kind));
  return code;
}

constexpr std::int32_t kPadV2 = 60;

/// SAME's padding along one axis.
std::pair<int, int> same_pads(std::int64_t in, int kernel, int stride, int dilation) {
  const std::int64_t out = (in + stride - 1) / stride;
  const auto span = std::int64_t{kernel - 1} * dilation + 1;
  const auto total = static_cast<int>(std::max<std::int64_t>((out - 1) * stride + span - in, 0));
  return {total / 2, total - total / 2};
}

schema::Padding padding_of(const graph::Window& w, const Shape& image) {
  const std::pair<int, int> h(w.pad_top, w.pad_bottom);
  const std::pair<int, int> v(w.pad_left, w.pad_right);
  const std::pair<int, int> none(0, 0);
  if (h == none && v == none) return schema::Padding::VALID;
  if (h == same_pads(image.at(1), w.kernel_h, w.stride_h, w.dilation_h) &&
      v == same_pads(image.at(2), w.kernel_w, w.stride_w, w.dilation_w)) {
    return schema::Padding::SAME;
  }
  fail("padding {}, {} is neither SAME nor VALID", w.pad_top, w.pad_left);
}

class ModelBuilder {
 public:
  explicit ModelBuilder(const graph::Graph& graph) : graph_(graph) {
    model_.version = 3;
    model_.subgraphs.push_back(std::make_unique<schema::SubGraphT>());
    model_.buffers.push_back(std::make_unique<schema::BufferT>());
    subgraph().name = graph.name;
    subgraph().inputs = graph.inputs;
    subgraph().outputs = graph.outputs;
    for (const graph::Tensor& t : graph.tensors) add_tensor(t);
    for (const Node& node : graph.nodes) add_operator(node);
  }

  schema::ModelT take() { return std::move(model_); }

 private:
  schema::SubGraphT& subgraph() { return *model_.subgraphs[0]; }

  TensorId add_tensor(const graph::Tensor& t) {
    auto tensor = std::make_unique<schema::TensorT>();
    tensor->name = t.name;
    tensor->type = type_of(t.type);
    for (const std::int64_t d : t.shape) tensor->shape.push_back(static_cast<std::int32_t>(d));
    tensor->is_variable = t.is_variable;
    if (t.quantization.has_value()) {
      tensor->quantization = std::make_unique<schema::QuantizationT>();
      tensor->quantization->scale = t.quantization->scale;
      tensor->quantization->zero_point.assign(t.quantization->zero_point.begin(),
                                              t.quantization->zero_point.end());
      tensor->quantization->quantized_dimension = t.quantization->axis;
    }
    if (!t.data.empty()) {
      auto buffer = std::make_unique<schema::BufferT>();
      buffer->data.resize(t.data.size());
      std::memcpy(buffer->data.data(), t.data.data(), t.data.size());
      tensor->buffer = static_cast<std::uint32_t>(model_.buffers.size());
      model_.buffers.push_back(std::move(buffer));
    }
    subgraph().tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(subgraph().tensors.size() - 1);
  }

  /// An operand that carries attributes.
  template <typename Values>
  TensorId integers(const Values& values, Shape shape) {
    graph::Tensor t;
    t.name = "attributes";
    t.type = DType::kInt32;
    t.shape = std::move(shape);
    t.is_constant = true;
    t.data.resize(4 * values.size());
    std::size_t at = 0;
    for (const auto value : values) {
      const auto narrow = static_cast<std::int32_t>(value);
      std::memcpy(t.data.data() + at, &narrow, 4);
      at += 4;
    }
    return add_tensor(t);
  }
  template <typename Values>
  TensorId integers(const Values& values) {
    return integers(values, {static_cast<std::int64_t>(values.size())});
  }

  std::uint32_t opcode(std::int32_t code) {
    for (std::uint32_t i = 0; i < model_.operator_codes.size(); ++i) {
      if (model_.operator_codes[i]->code == code) return i;
    }
    auto entry = std::make_unique<schema::OperatorCodeT>();
    entry->code = code;
    entry->legacy_code = static_cast<std::int8_t>(std::min(code, 127));
    model_.operator_codes.push_back(std::move(entry));
    return static_cast<std::uint32_t>(model_.operator_codes.size() - 1);
  }

  const Shape& in(const Node& n, std::size_t i) const {
    return graph_.tensor(n.inputs.at(i)).shape;
  }
  const Shape& out(const Node& n) const { return graph_.tensor(n.outputs.at(0)).shape; }

  template <typename Options>
  static void set_window(Options& o, const graph::WindowAttrs& a, const Shape& image) {
    o.padding = padding_of(a.window, image);
    o.stride_h = a.window.stride_h;
    o.stride_w = a.window.stride_w;
    o.activation = activation_of(a.activation);
  }

  void add_operator(const Node& n) {
    auto op = std::make_unique<schema::OperatorT>();
    op->inputs = n.inputs;
    op->outputs = n.outputs;
    std::int32_t code = code_of(n.kind);
    if (n.kind == OpKind::kPad) code = set_pad(*op, n, code);
    if (std::holds_alternative<graph::WindowAttrs>(n.attrs)) set_window_options(*op, n);
    if (std::holds_alternative<graph::ActivationAttrs>(n.attrs)) set_activation_options(*op, n);
    set_other_options(*op, n);
    op->opcode_index = opcode(code);
    subgraph().operators.push_back(std::move(op));
  }

  void set_window_options(schema::OperatorT& op, const Node& n) {
    const auto& a = std::get<graph::WindowAttrs>(n.attrs);
    if (n.kind == OpKind::kConv2d) {
      schema::Conv2DOptionsT o;
      set_window(o, a, in(n, 0));
      o.dilation_h = a.window.dilation_h;
      o.dilation_w = a.window.dilation_w;
      op.builtin_options.Set(o);
    } else if (n.kind == OpKind::kDepthwiseConv2d) {
      schema::DepthwiseConv2DOptionsT o;
      set_window(o, a, in(n, 0));
      o.dilation_h = a.window.dilation_h;
      o.dilation_w = a.window.dilation_w;
      o.depth_multiplier = a.depth_multiplier;
      op.builtin_options.Set(o);
    } else if (n.kind == OpKind::kTransposeConv) {
      schema::TransposeConvOptionsT o;
      set_window(o, a, out(n));
      op.builtin_options.Set(o);
      op.inputs = {integers(out(n)), n.inputs[1], n.inputs[0], n.inputs[2]};
    } else {
      schema::Pool2DOptionsT o;
      set_window(o, a, in(n, 0));
      o.filter_h = a.window.kernel_h;
      o.filter_w = a.window.kernel_w;
      op.builtin_options.Set(o);
    }
  }

  void set_activation_options(schema::OperatorT& op, const Node& n) {
    const auto& a = std::get<graph::ActivationAttrs>(n.attrs);
    const auto set = [&](auto o) {
      if constexpr (requires { o.activation; }) o.activation = activation_of(a.activation);
      if constexpr (requires { o.axis; }) o.axis = a.axis;
      if constexpr (requires { o.pot_scale_int16; }) o.pot_scale_int16 = false;
      if constexpr (requires { o.keep_num_dims; }) o.keep_num_dims = out(n).size() != 2;
      if constexpr (requires { o.values_count; }) {
        o.values_count = static_cast<std::int32_t>(n.inputs.size());
      }
      op.builtin_options.Set(o);
    };
    if (n.kind == OpKind::kFullyConnected) set(schema::FullyConnectedOptionsT());
    if (n.kind == OpKind::kAdd) set(schema::AddOptionsT());
    if (n.kind == OpKind::kSub) set(schema::SubOptionsT());
    if (n.kind == OpKind::kMul) set(schema::MulOptionsT());
    if (n.kind == OpKind::kConcatenation) set(schema::ConcatenationOptionsT());
    if (n.kind == OpKind::kPack) set(schema::PackOptionsT());
  }

  /// PAD where the value is real 0, otherwise PADV2.
  std::int32_t set_pad(schema::OperatorT& op, const Node& n, std::int32_t pad) {
    const auto& a = std::get<graph::PadAttrs>(n.attrs);
    std::vector<std::int64_t> amounts;
    for (std::size_t i = 0; i < a.before.size(); ++i) {
      amounts.insert(amounts.end(), {a.before[i], a.after[i]});
    }
    op.inputs.push_back(integers(amounts, {static_cast<std::int64_t>(a.before.size()), 2}));
    const graph::Tensor& y = graph_.tensor(n.outputs[0]);
    const bool quantized = y.type == DType::kInt8 || y.type == DType::kUint8;
    if (a.value == (quantized ? y.quantization->zero_point[0] : 0)) return pad;
    graph::Tensor value = y;
    value.name = "value";
    value.shape = {1};
    value.is_constant = true;
    value.data.resize(static_cast<std::size_t>(size_of(y.type)));
    std::memcpy(value.data.data(), &a.value, value.data.size());
    op.inputs.push_back(add_tensor(value));
    return kPadV2;
  }

  void set_other_options(schema::OperatorT& op, const Node& n) {
    if (const auto* reduce = std::get_if<graph::ReduceAttrs>(&n.attrs)) {
      op.inputs.push_back(integers(reduce->axes));
      schema::ReducerOptionsT o;
      o.keep_dims = reduce->keep_dims;
      op.builtin_options.Set(o);
    } else if (const auto* transpose = std::get_if<graph::TransposeAttrs>(&n.attrs)) {
      op.inputs.push_back(integers(transpose->permutation));
    } else if (const auto* softmax = std::get_if<graph::SoftmaxAttrs>(&n.attrs)) {
      schema::SoftmaxOptionsT o;
      o.beta = softmax->beta;
      op.builtin_options.Set(o);
    } else if (const auto* leaky = std::get_if<graph::LeakyReluAttrs>(&n.attrs)) {
      schema::LeakyReluOptionsT o;
      o.alpha = leaky->alpha;
      op.builtin_options.Set(o);
    } else if (const auto* svdf = std::get_if<graph::SvdfAttrs>(&n.attrs)) {
      schema::SvdfOptionsT o;
      o.rank = svdf->rank;
      o.activation = activation_of(svdf->activation);
      op.builtin_options.Set(o);
    } else if (std::holds_alternative<graph::SliceAttrs>(n.attrs)) {
      set_slice(op, n);
    } else if (n.kind == OpKind::kReshape) {
      schema::ReshapeOptionsT o;
      for (const std::int64_t d : out(n)) o.new_shape.push_back(static_cast<std::int32_t>(d));
      op.inputs.push_back(integers(out(n)));
      op.builtin_options.Set(o);
    }
  }

  void set_slice(schema::OperatorT& op, const Node& n) {
    const auto& a = std::get<graph::SliceAttrs>(n.attrs);
    schema::StridedSliceOptionsT o;
    std::vector<std::int64_t> end;
    std::size_t next = 0;
    for (std::size_t i = 0; i < a.begin.size(); ++i) {
      const std::int64_t last = a.begin[i] + (a.sizes[i] - 1) * a.stride[i];
      end.push_back(a.stride[i] > 0 ? last + 1 : last - 1);
      if (end.back() < 0) o.end_mask |= 1 << i;  // −1 would count from the end.
      const bool kept = next < out(n).size() && out(n)[next] == a.sizes[i];
      if (kept) ++next;
      if (!kept) o.shrink_axis_mask |= 1 << i;
    }
    for (const auto& values : {a.begin, end, a.stride}) op.inputs.push_back(integers(values));
    op.builtin_options.Set(o);
  }

  const graph::Graph& graph_;
  schema::ModelT model_;
};

}  // namespace

schema::ModelT to_model(const graph::Graph& graph) { return ModelBuilder(graph).take(); }

std::string pack(const schema::ModelT& model) {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &model));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

std::string build_tflite(const graph::Graph& graph) { return pack(to_model(graph)); }

}  // namespace npu::test

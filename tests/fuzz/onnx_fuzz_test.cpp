// Damaged ONNX models, as bytes and as graphs, through reader, simplifier and planner: an Error or
// a plan of verified graphs each time, never a crash or a hang.

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <random>
#include <set>

#include "kernels/onnx_import/plan.h"
#include "sim/base/error.h"
#include "tests/unit/onnx_import/models.h"
#include "workloads/onnx/reader.h"

namespace npu::onnx_import {
namespace {

using Integers = std::vector<std::int64_t>;
constexpr int kMutantsOfBytes = 600;  ///< Per model.
constexpr int kMutantsOfGraphs = 800;
constexpr std::int64_t kMaxElements = 1 << 16;

std::size_t below(std::mt19937_64& rng, std::size_t limit) { return rng() % limit; }

void set_tensor(::onnx::TensorProto& proto, const std::string& name, const onnx::Value& value) {
  proto.set_name(name);
  proto.set_data_type(static_cast<int>(value.type));
  for (const std::int64_t d : value.shape) proto.add_dims(d);
  proto.set_raw_data(value.bytes.data(), value.bytes.size());
}

struct AttributeWriter {
  ::onnx::AttributeProto& proto;
  void operator()(std::int64_t v) const {
    proto.set_type(::onnx::AttributeProto::INT);
    proto.set_i(v);
  }
  void operator()(float v) const {
    proto.set_type(::onnx::AttributeProto::FLOAT);
    proto.set_f(v);
  }
  void operator()(const std::string& v) const {
    proto.set_type(::onnx::AttributeProto::STRING);
    proto.set_s(v);
  }
  void operator()(const Integers& v) const {
    proto.set_type(::onnx::AttributeProto::INTS);
    for (const std::int64_t i : v) proto.add_ints(i);
  }
  template <typename T>
  void operator()(const T&) const {
    FAIL() << "an attribute that the models here do not have";
  }
};

std::string serialized(const onnx::Model& model) {
  ::onnx::ModelProto proto;
  proto.set_ir_version(model.ir_version);
  for (const auto& [domain, version] : model.opsets) {
    auto* opset = proto.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  auto* graph = proto.mutable_graph();
  for (const auto& [name, value] : model.graph.initializers) {
    set_tensor(*graph->add_initializer(), name, value);
  }
  for (const onnx::ValueInfo& info : model.graph.inputs) {
    auto* input = graph->add_input();
    input->set_name(info.name);
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(static_cast<int>(info.type));
    for (const onnx::Dimension& d : info.shape) {
      type->mutable_shape()->add_dim()->set_dim_value(d.size);
    }
  }
  for (const onnx::ValueInfo& info : model.graph.outputs) {
    auto* output = graph->add_output();
    output->set_name(info.name);
    output->mutable_type()->mutable_tensor_type()->set_elem_type(1);
  }
  for (const onnx::Node& node : model.graph.nodes) {
    auto* n = graph->add_node();
    n->set_op_type(node.op_type);
    n->set_domain(node.domain);
    for (const std::string& name : node.inputs) n->add_input(name);
    for (const std::string& name : node.outputs) n->add_output(name);
    for (const auto& [name, value] : node.attributes) {
      auto* attribute = n->add_attribute();
      attribute->set_name(name);
      std::visit(AttributeWriter{*attribute}, value);
    }
  }
  return proto.SerializeAsString();
}

/// Convolutional network with pooling, normalization and a classifier.
onnx::Model convolutional() {
  ModelMaker m;
  m.input("x", {1, 3, 8, 8})
      .constant("w", {4, 3, 3, 3}, std::vector<double>(108, 0.5))
      .constant("b", {4}, {1, 2, 3, 4})
      .node("Conv", {"x", "w", "b"}, {"c"}, {{"pads", Integers{1, 1, 1, 1}}})
      .node("BatchNormalization", {"c", "b", "b", "b", "b"}, {"n"})
      .node("Relu", {"n"}, {"r"})
      .node("MaxPool", {"r"}, {"p"},
            {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}})
      .constant("t", {4, 2, 2, 2}, std::vector<double>(32, 0.25))
      .node("ConvTranspose", {"p", "t"}, {"u"}, {{"strides", Integers{2, 2}}})
      .node("AveragePool", {"u"}, {"a"}, {{"kernel_shape", Integers{3, 3}}})
      .node("GlobalAveragePool", {"a"}, {"g"})
      .node("Flatten", {"g"}, {"f"})
      .constant("m", {5, 2}, std::vector<double>(10, 1))
      .node("Gemm", {"f", "m"}, {"y"}, {{"transB", std::int64_t{1}}, {"alpha", 0.5F}})
      .node("Softmax", {"y"}, {"s"}, {{"axis", std::int64_t{-1}}})
      .output("s");
  return m.model();
}

/// Attention block with its movements.
onnx::Model transformer() {
  ModelMaker m(23);
  m.input("x", {1, 4, 8})
      .constant("s", {8}, std::vector<double>(8, 1))
      .node("LayerNormalization", {"x", "s", "s"}, {"n"}, {{"axis", std::int64_t{-1}}})
      .constant("w", {8, 24}, std::vector<double>(192, 0.1))
      .node("MatMul", {"n", "w"}, {"qkv"})
      .node("Split", {"qkv"}, {"q", "k", "v"},
            {{"axis", std::int64_t{2}}, {"num_outputs", std::int64_t{3}}})
      .node("Attention", {"q", "k", "v"}, {"a"},
            {{"q_num_heads", std::int64_t{2}},
             {"kv_num_heads", std::int64_t{2}},
             {"is_causal", std::int64_t{1}}})
      .node("Add", {"a", "x"}, {"r"})
      .node("RMSNormalization", {"r", "s"}, {"o"})
      .node("Gelu", {"o"}, {"e"}, {{"approximate", std::string("tanh")}})
      .integers("shape", {2, 2, -1})
      .node("Reshape", {"e", "shape"}, {"h"})
      .node("Transpose", {"h"}, {"t"}, {{"perm", Integers{1, 2, 0}}})
      .node("TopK", {"t", "k1"}, {"top", "at"}, {{"axis", std::int64_t{1}}})
      .integers("k1", {2})
      .output("top")
      .output("at");
  return m.model();
}

/// Slices, padding, gathers, resizing, reductions.
onnx::Model movement() {
  ModelMaker m(19);
  m.input("x", {2, 3, 4, 5})
      .integers("starts", {1, 0})
      .integers("ends", {2, 4})
      .integers("axes", {0, 3})
      .node("Slice", {"x", "starts", "ends", "axes"}, {"a"})
      .integers("pads", {0, 0, 1, 1, 0, 0, 1, 2})
      .node("Pad", {"a", "pads"}, {"b"}, {{"mode", std::string("edge")}})
      .integers("rows", {2, 0, 1})
      .node("Gather", {"b", "rows"}, {"c"}, {{"axis", std::int64_t{1}}})
      .constant("scales", {4}, {1, 1, 2, 2})
      .node("Resize", {"c", "", "scales"}, {"d"}, {{"mode", std::string("nearest")}})
      .integers("repeats", {1, 2, 1, 1})
      .node("Tile", {"d", "repeats"}, {"e"})
      .node("ReduceMean", {"e", "axes2"}, {"f"}, {{"keepdims", std::int64_t{0}}})
      .integers("axes2", {2, 3})
      .integers("shape", {3, 1, 6})
      .node("Expand", {"f", "shape"}, {"g"})
      .node("CumSum", {"g", "axis"}, {"h"})
      .constant("axis", {}, {2}, onnx::ElementType::kInt64)
      .node("ArgMax", {"h"}, {"i"}, {{"axis", std::int64_t{1}}})
      .node("Cast", {"h"}, {"j"}, {{"to", std::int64_t{10}}})
      .node("Concat", {"j", "j"}, {"y"}, {{"axis", std::int64_t{-1}}})
      .output("i")
      .output("y");
  return m.model();
}

/// Operator set 1 and com.microsoft.
onnx::Model legacy() {
  ModelMaker m(1);
  m.input("x", {1, 2, 3, 3})
      .constant("b", {2}, {1, 2})
      .node("Add", {"x", "b"}, {"a"}, {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{1}}})
      .node("Reshape", {"a"}, {"r"}, {{"shape", Integers{2, 9}}})
      .node("Clip", {"r"}, {"c"}, {{"min", 0.0F}, {"max", 6.0F}})
      .constant("s", {9}, std::vector<double>(9, 1))
      .node("SkipLayerNormalization", {"c", "r", "s", "s"}, {"n"})
      .node("FastGelu", {"n", "s"}, {"y"})
      .output("y");
  m.model().opsets["com.microsoft"] = 1;
  for (std::size_t i : {3U, 4U}) m.model().graph.nodes[i].domain = "com.microsoft";
  return m.model();
}

/// Quantized operators, by themselves and around those of floats.
onnx::Model quantized() {
  constexpr auto kBytes = onnx::ElementType::kUint8;
  constexpr auto kSigned = onnx::ElementType::kInt8;
  ModelMaker m(19);
  m.input("x", {1, 2, 6, 6})
      .constant("s", {}, {0.02})
      .constant("z", {}, {100}, kBytes)
      .constant("w", {4, 2, 3, 3}, std::vector<double>(72, 3), kSigned)
      .constant("ws", {4}, {0.01, 0.02, 0.03, 0.04})
      .constant("wz", {4}, {0, 0, 0, 0}, kSigned)
      .constant("b", {4}, {1, 2, 3, 4})
      .node("QuantizeLinear", {"x", "s", "z"}, {"q"})
      .node("DequantizeLinear", {"q", "s", "z"}, {"d"})
      .node("DequantizeLinear", {"w", "ws", "wz"}, {"wd"}, {{"axis", std::int64_t{0}}})
      .node("Conv", {"d", "wd", "b"}, {"c"})
      .node("Relu", {"c"}, {"r"})
      .node("QuantizeLinear", {"r", "s", "z"}, {"cq"})
      .node("QLinearConv", {"cq", "s", "z", "v", "s", "z", "s", "z"}, {"lq"})
      .constant("v", {4, 4, 1, 1}, std::vector<double>(16, 120), kBytes)
      .node("DequantizeLinear", {"lq", "s", "z"}, {"l"})
      .node("DequantizeLinear", {"cq", "s", "z"}, {"k"})
      .node("Concat", {"l", "k"}, {"j"}, {{"axis", std::int64_t{1}}})
      .node("MaxPool", {"j"}, {"p"}, {{"kernel_shape", Integers{2, 2}}})
      .node("Flatten", {"p"}, {"f"})
      .node("DynamicQuantizeLinear", {"f"}, {"fq", "fs", "fz"})
      .constant("m", {72, 3}, std::vector<double>(216, 5), kSigned)
      .node("MatMulInteger", {"fq", "m", "fz"}, {"i"})
      .node("Cast", {"i"}, {"g"}, {{"to", std::int64_t{1}}})
      .node("QuantizeLinear", {"g", "s", "z"}, {"gq"})
      .node("QLinearAdd", {"gq", "s", "z", "gq", "s", "z", "s", "z"}, {"y"})
      .output("y");
  m.model().opsets["com.microsoft"] = 1;
  m.model().graph.nodes.back().domain = "com.microsoft";
  return m.model();
}

std::vector<onnx::Model> models() {
  return {convolutional(), transformer(), movement(), legacy(), quantized()};
}

/// Plans a model; a verified plan is as good as an Error. @return true if it was refused.
bool is_refused(const onnx::Model& model, std::set<std::string>& messages) {
  try {
    SimplifyOptions options;
    options.max_elements = kMaxElements;
    const Network network = simplify(model, options);
    for (const Stage& stage : make_plan(network, {}).stages) {
      if (const auto* npu = std::get_if<NpuStage>(&stage); npu != nullptr) verify(npu->graph);
    }
    return false;
  } catch (const Error& error) {
    messages.insert(error.what());
    return true;
  }
}

std::string damaged(std::string bytes, std::mt19937_64& rng) {
  switch (below(rng, 4)) {
    case 0:
      bytes.resize(below(rng, bytes.size()));
      return bytes;
    case 1:
      for (std::size_t i = below(rng, 4) + 1; i > 0; --i) {
        char& c = bytes[below(rng, bytes.size())];
        c = static_cast<char>(c ^ (1 << below(rng, 8)));
      }
      return bytes;
    case 2:
      bytes[below(rng, bytes.size())] = static_cast<char>(below(rng, 256));
      return bytes;
    default: {
      const std::string piece = bytes.substr(below(rng, bytes.size()), below(rng, 40) + 1);
      bytes.replace(below(rng, bytes.size()), piece.size(), piece);
      return bytes;
    }
  }
}

TEST(OnnxFuzz, DamagedBytes) {
  std::mt19937_64 rng(1);
  std::set<std::string> messages;
  int refused = 0;
  for (const onnx::Model& model : models()) {
    const std::string good = serialized(model);
    ASSERT_FALSE(is_refused(onnx::parse_model(good, "good"), messages)) << *messages.begin();
    for (int i = 0; i < kMutantsOfBytes; ++i) {
      try {
        refused += is_refused(onnx::parse_model(damaged(good, rng), "mutant"), messages) ? 1 : 0;
      } catch (const Error& error) {
        ++refused;
        messages.insert(error.what());
      }
    }
  }
  EXPECT_GT(refused, kMutantsOfBytes);
  EXPECT_GT(messages.size(), 50U);
}

/// A number where graphs have sizes, axes and counts.
std::int64_t odd_number(std::mt19937_64& rng) {
  constexpr std::int64_t kOdd[] = {0,  1,   -1,  2,       3,       -2,        7,         16,
                                   31, 255, 999, 1 << 20, 1 << 30, INT32_MIN, INT64_MAX, INT64_MIN};
  return kOdd[below(rng, std::size(kOdd))];
}

void damage(onnx::Value& value, std::mt19937_64& rng) {
  if (below(rng, 2) == 0 && value.type == onnx::ElementType::kInt64 && value.size() > 0) {
    value.as<std::int64_t>()[below(rng, static_cast<std::size_t>(value.size()))] = odd_number(rng);
  } else {
    Shape shape;
    for (std::size_t d = below(rng, 5); d > 0; --d) {
      shape.push_back(static_cast<std::int64_t>(below(rng, 6)));
    }
    value = onnx::Value::zeros(value.type, shape);
  }
}

/// One thing of a graph changed.
void damage(onnx::Model& model, std::mt19937_64& rng) {
  onnx::Graph& g = model.graph;
  onnx::Node& node = g.nodes[below(rng, g.nodes.size())];
  const onnx::Node& other = g.nodes[below(rng, g.nodes.size())];
  const auto some = [&](auto& map) { return std::next(map.begin(), below(rng, map.size())); };
  switch (below(rng, 9)) {
    case 0:
      node.op_type = other.op_type;
      return;
    case 1:
      if (!node.inputs.empty()) node.inputs[below(rng, node.inputs.size())] = other.outputs[0];
      return;
    case 2:
      if (!node.inputs.empty()) {
        node.inputs[below(rng, node.inputs.size())] = some(g.initializers)->first;
      }
      return;
    case 3:
      node.inputs.resize(below(rng, 5));
      return;
    case 4:
      damage(some(g.initializers)->second, rng);
      return;
    case 5: {
      onnx::ValueInfo& input = g.inputs[below(rng, g.inputs.size())];
      if (input.shape.empty()) return;
      input.shape[below(rng, input.shape.size())].size = odd_number(rng);
      return;
    }
    case 6:
      g.inputs[0].type = static_cast<onnx::ElementType>(below(rng, onnx::kElementTypes));
      return;
    case 7:
      if (node.attributes.empty()) {
        node.attributes["axis"] = odd_number(rng);
        return;
      } else {
        onnx::Attribute& attribute = some(node.attributes)->second;
        if (auto* v = std::get_if<std::int64_t>(&attribute); v != nullptr) *v = odd_number(rng);
        if (auto* v = std::get_if<Integers>(&attribute); v != nullptr) {
          v->resize(below(rng, 5), odd_number(rng));
          if (!v->empty()) v->at(below(rng, v->size())) = odd_number(rng);
        }
        return;
      }
    default:
      model.opsets[""] = static_cast<std::int64_t>(below(rng, 27));
  }
}

TEST(OnnxFuzz, DamagedGraphs) {
  std::mt19937_64 rng(2);
  std::set<std::string> messages;
  int refused = 0;
  for (const onnx::Model& model : models()) {
    for (int i = 0; i < kMutantsOfGraphs; ++i) {
      onnx::Model mutant = model;
      for (std::size_t k = below(rng, 3) + 1; k > 0; --k) damage(mutant, rng);
      refused += is_refused(mutant, messages) ? 1 : 0;
    }
  }
  EXPECT_GT(refused, kMutantsOfGraphs);
  EXPECT_GT(messages.size(), 100U);
}

}  // namespace
}  // namespace npu::onnx_import

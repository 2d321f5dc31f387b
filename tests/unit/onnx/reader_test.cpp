// The ONNX reader on models made here, whole and damaged.
#include "workloads/onnx/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "kernels/onnx_reference/operators.h"
#include "kernels/onnx_reference/run.h"
#include "sim/base/error.h"

namespace npu::onnx {
namespace {

using testing::HasSubstr;

void set_input(::onnx::GraphProto& graph, const char* name, std::initializer_list<int> shape) {
  auto* input = graph.add_input();
  input->set_name(name);
  auto* type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(1);
  for (const int dim : shape) type->mutable_shape()->add_dim()->set_dim_value(dim);
}

/// y = Relu(x + w), w = {1, −5}.
::onnx::ModelProto sample_model() {
  ::onnx::ModelProto model;
  model.set_ir_version(8);
  auto* opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(17);
  auto* graph = model.mutable_graph();
  graph->set_name("sample");
  set_input(*graph, "x", {2});
  auto* w = graph->add_initializer();
  w->set_name("w");
  w->set_data_type(1);
  w->add_dims(2);
  w->add_float_data(1);
  w->add_float_data(-5);
  auto* add = graph->add_node();
  add->set_op_type("Add");
  add->add_input("x");
  add->add_input("w");
  add->add_output("sum");
  auto* relu = graph->add_node();
  relu->set_op_type("Relu");
  relu->add_input("sum");
  relu->add_output("y");
  graph->add_output()->set_name("y");
  graph->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(1);
  return model;
}

Values sample_input() {
  return {{"x", from_doubles(ElementType::kFloat, {2}, std::vector<double>{2, 3})}};
}

std::string message_of(const ::onnx::ModelProto& proto, Values inputs = sample_input()) {
  try {
    (void)run(parse_model(proto.SerializeAsString(), "m.onnx"), std::move(inputs));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Reader, TypesOfAttributesAreThoseOfTheirFieldInOldFiles) {
  ::onnx::ModelProto model = sample_model();
  model.mutable_graph()->mutable_node(1)->set_op_type("LeakyRelu");
  auto* attribute = model.mutable_graph()->mutable_node(1)->add_attribute();
  attribute->set_name("alpha");
  attribute->set_f(0.5F);
  const Model read = parse_model(model.SerializeAsString(), "m.onnx");
  EXPECT_EQ(std::get<float>(read.graph.nodes.at(1).attributes.at("alpha")), 0.5F);
  attribute->clear_f();
  attribute->add_ints(3);
  const Model integers = parse_model(model.SerializeAsString(), "m.onnx");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(integers.graph.nodes.at(1).attributes.at("alpha")),
            std::vector<std::int64_t>{3});
  attribute->set_f(0.5F);
  EXPECT_THAT(message_of(model), HasSubstr("attribute \"alpha\": attributes of type UNDEFINED are "
                                           "not supported"));
}

TEST(Reader, RunsASmallModel) {
  const Model model = parse_model(sample_model().SerializeAsString(), "m.onnx");
  EXPECT_EQ(unsupported_reason(model), "");
  const std::vector<Value> out = run(model, sample_input());
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(to_doubles(out[0]), (std::vector<double>{3, 0}));
}

TEST(Reader, NamesWhatItRefuses) {
  auto model = sample_model();
  model.mutable_graph()->mutable_initializer(0)->add_float_data(7);
  EXPECT_THAT(message_of(model),
              HasSubstr("m.onnx: initializer \"w\": expected 2 elements, got 3"));

  model = sample_model();
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, std::int64_t{1} << 40);
  EXPECT_THAT(message_of(model), HasSubstr("dimension 1099511627776 is out of range"));

  model = sample_model();
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, 1 << 20);
  EXPECT_THAT(message_of(model), HasSubstr("expected 1048576 elements of float32, got 16 bytes"));

  model = sample_model();
  model.mutable_graph()->mutable_node(1)->set_op_type("Frobnicate");
  EXPECT_THAT(message_of(model), HasSubstr("node #1 Frobnicate: no such operator"));
  EXPECT_EQ(unsupported_reason(parse_model(model.SerializeAsString(), "m.onnx")),
            "operator Frobnicate");

  model = sample_model();
  auto* attribute = model.mutable_graph()->mutable_node(1)->add_attribute();
  attribute->set_name("alpha");
  attribute->set_type(::onnx::AttributeProto::FLOAT);
  EXPECT_THAT(message_of(model), HasSubstr("node #1 Relu: attribute \"alpha\" is not supported"));

  model = sample_model();
  model.mutable_graph()->mutable_node(0)->set_input(1, "nowhere");
  EXPECT_THAT(message_of(model), HasSubstr("node #0 Add: no value \"nowhere\" before it"));

  model = sample_model();
  auto* external = model.mutable_graph()->mutable_initializer(0);
  external->set_data_location(::onnx::TensorProto::EXTERNAL);
  auto* location = external->add_external_data();
  location->set_key("location");
  location->set_value("../secret");
  EXPECT_THAT(message_of(model), HasSubstr("is no file below the model's folder"));

  EXPECT_THAT(message_of(sample_model(), {}), HasSubstr("input \"x\" is missing"));
  EXPECT_THAT(message_of(sample_model(), {{"x", Value::zeros(ElementType::kFloat, {3})}}),
              HasSubstr("a tensor of [3] does not fit"));
  EXPECT_THROW((void)parse_model("", "empty.onnx"), Error);
}

TEST(Reader, TellsTheFilesOfExternalData) {
  const auto put = [](::onnx::TensorProto& tensor, const std::string& location) {
    tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
    auto* entry = tensor.add_external_data();
    entry->set_key("location");
    entry->set_value(location);
  };
  auto model = sample_model();
  auto* graph = model.mutable_graph();
  put(*graph->mutable_initializer(0), "w.bin");
  put(*graph->add_initializer(), "parts/../w.bin");
  put(*graph->add_initializer(), "../secret");
  graph->add_initializer()->add_external_data()->set_key("location");  // Its data are not external.
  auto* inner = graph->mutable_node(0)->add_attribute()->mutable_g();
  put(*inner->add_node()->add_attribute()->mutable_t(), "parts/v.bin");
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("npusim_external{}", ::getpid());
  std::filesystem::create_directory(folder);
  const std::string path = folder / "m.onnx";
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
  const std::vector<std::string> files = external_files(path);
  std::ofstream(path, std::ios::binary) << "x";
  EXPECT_THROW((void)external_files(path), Error);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(files, (std::vector<std::string>{folder / "parts/v.bin", folder / "w.bin"}));
  EXPECT_THROW((void)external_files(path), Error);
}

TEST(Reader, DamagedModelsEndInAnErrorOrAResult) {
  const std::string good = sample_model().SerializeAsString();
  std::mt19937 rng(7);
  int errors = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = good;
    for (auto flips = 1 + rng() % 3; flips > 0; --flips) {
      bytes[rng() % bytes.size()] = static_cast<char>(rng());
    }
    if (rng() % 4 == 0) bytes.resize(rng() % bytes.size());
    try {
      (void)run(parse_model(bytes, "m.onnx"), sample_input());
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 2000);
}

TEST(Operators, EveryRowIsFoundByName) {
  EXPECT_GT(all_operators().size(), 150U);
  for (const Operator* op : all_operators()) EXPECT_EQ(find_operator("", op->name), op);
  EXPECT_EQ(find_operator("ai.onnx.ml", "Add"), nullptr);
}

TEST(Operators, BroadcastIndices) {
  EXPECT_EQ(broadcast_indices({2, 1}, {2, 3}), (std::vector<std::int64_t>{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(broadcast_indices({3}, {2, 3}), (std::vector<std::int64_t>{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(broadcast_indices({}, {2}), (std::vector<std::int64_t>{0, 0}));
}

}  // namespace
}  // namespace npu::onnx

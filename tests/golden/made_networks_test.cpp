// The program on networks made for the purpose: functions over int16 and uint8 from file to
// comparison, and errors that no ordinary network provokes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>

#include "isa/program.h"
#include "sim/base/file.h"
#include "tests/golden/program_run.h"
#include "tests/support/graph_maker.h"
#include "tests/support/tflite_builder.h"

namespace npu::test {
namespace {

using graph::OpKind;
using graph::TensorId;
using testing::HasSubstr;

std::string file_of(const TemporaryFolder& folder, const std::string& name,
                    const graph::Graph& graph) {
  std::string path = folder / name;
  const std::string bytes = build_tflite(graph);
  write_file(path, std::as_bytes(std::span(bytes)));
  return path;
}

void expect_equal_in_every_bit(const graph::Graph& graph) {
  const TemporaryFolder folder;
  const ProgramRun run = run_npusim({"run", "--model", file_of(folder, "net.tflite", graph)});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("equal in every bit"));
}

TEST(MadeNetworks, FunctionsOverInt16) {
  GraphMaker maker("int16");
  const Shape shape = {1, 7, 5, 12};
  const Affine unit{0x1p-15F, 0};
  const TensorId x = maker.input(DType::kInt16, shape, {3e-4F, 0});
  const TensorId leaky = maker.activation(DType::kInt16, shape, {0x1p-12F, 0});
  maker.node(OpKind::kLeakyRelu, {x}, {leaky}, graph::LeakyReluAttrs{-0.7F});
  const TensorId logistic = maker.activation(DType::kInt16, shape, unit);
  maker.node(OpKind::kLogistic, {leaky}, {logistic});
  const TensorId tanh = maker.activation(DType::kInt16, shape, unit);
  maker.node(OpKind::kTanh, {x}, {tanh});
  const TensorId softmax = maker.activation(DType::kInt16, shape, unit);
  maker.node(OpKind::kSoftmax, {x}, {softmax}, graph::SoftmaxAttrs{1.0F});
  expect_equal_in_every_bit(maker.finish({logistic, tanh, softmax}));
}

TEST(MadeNetworks, FunctionsOverUint8) {
  GraphMaker maker("uint8");
  const Shape shape = {1, 300};
  const TensorId x = maker.input(DType::kUint8, shape, {0.05F, 117});
  const TensorId logistic = maker.activation(DType::kUint8, shape, {1.0F / 256, 0});
  maker.node(OpKind::kLogistic, {x}, {logistic});
  const TensorId tanh = maker.activation(DType::kUint8, shape, {1.0F / 128, 128});
  maker.node(OpKind::kTanh, {x}, {tanh});
  expect_equal_in_every_bit(maker.finish({logistic, tanh}));
}

TEST(MadeNetworks, ReductionOverThreeSeparateGroups) {
  GraphMaker maker("mean");
  const TensorId x = maker.input(DType::kInt8, {3, 4, 5, 6, 7}, {0.1F, 3});
  const TensorId y = maker.activation(DType::kInt8, {4, 6}, {0.05F, -2});
  maker.node(OpKind::kMean, {x}, {y}, graph::ReduceAttrs{{0, 2, 4}, false});
  expect_equal_in_every_bit(maker.finish({y}));
}

/// Two RELU in a row; `which` of their results the network gives out.
graph::Graph two_relu(bool first) {
  GraphMaker maker("relu");
  const Affine q{0.1F, 0};
  const TensorId x = maker.input(DType::kInt8, {1, 8}, q);
  const TensorId a = maker.activation(DType::kInt8, {1, 8}, q);
  const TensorId b = maker.activation(DType::kInt8, {1, 8}, q);
  maker.node(OpKind::kRelu, {x}, {a});
  maker.node(OpKind::kRelu, {a}, {b});
  return maker.finish({first ? a : b});
}

TEST(MadeNetworks, AProgramThatLacksTheModelsOutput) {
  const TemporaryFolder folder;
  const std::string program = folder / "last.npu";
  const std::string model = file_of(folder, "last.tflite", two_relu(false));
  EXPECT_EQ(run_npusim({"compile", "--model", model, "-o", program}).exit_code, 0);
  const std::string other = file_of(folder, "first.tflite", two_relu(true));
  const ProgramRun run = run_npusim({"run", "--program", program, "--model", other});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.output, HasSubstr("was compiled from last.tflite, got " + other));

  isa::Program nameless = isa::load(program);
  nameless.provenance.erase("model_sha256");
  isa::save(nameless, program);
  const ProgramRun again = run_npusim({"run", "--program", program, "--model", other});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.output, HasSubstr("the program does not produce the model's output tensor 1"));
}

TEST(MadeNetworks, AnInputWithoutRandomValues) {
  GraphMaker maker("int32");
  const TensorId x = maker.input(DType::kInt32, {1, 8}, {0.1F, 0});
  const TensorId y = maker.activation(DType::kInt8, {1, 8}, {0.1F, 0});
  maker.node(OpKind::kQuantize, {x}, {y});
  const TemporaryFolder folder;
  const ProgramRun run =
      run_npusim({"run", "--model", file_of(folder, "net.tflite", maker.finish({y}))});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.output, HasSubstr("is int32: random values make no sense for it, give it with "
                                    "--input"));
}

}  // namespace
}  // namespace npu::test

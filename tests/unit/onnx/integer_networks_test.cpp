// Operators of integer networks: by hand, and against the golden tensors of Deeploy's networks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/onnx_reference/operators.h"
#include "kernels/onnx_reference/run.h"
#include "sim/base/error.h"
#include "tests/support/integer_network.h"
#include "tests/support/shared.h"

namespace npu::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Value numbers(Shape shape, const std::vector<std::int64_t>& elements) {
  return from_integers(ElementType::kInt32, std::move(shape), elements);
}

/// Element by element, whatever the type.
std::vector<std::int64_t> elements_of(const Value& value) {
  std::vector<std::int64_t> out;
  for (const double e : to_doubles(value)) out.push_back(static_cast<std::int64_t>(e));
  return out;
}

std::vector<std::int64_t> run_one(const char* op, std::map<std::string, std::int64_t> attributes,
                                  const std::vector<Value>& operands) {
  Node node{
      .op_type = op, .domain = "", .name = "", .inputs = {}, .outputs = {"y"}, .attributes = {}};
  for (const auto& [name, value] : attributes) node.attributes[name] = value;
  std::vector<const Value*> inputs;
  for (const Value& value : operands) inputs.push_back(&value);
  return elements_of(evaluate(node, 10, inputs, "node").at(0));
}

std::string message_of(const char* op, const std::map<std::string, std::int64_t>& attributes,
                       const std::vector<Value>& operands) {
  try {
    (void)run_one(op, attributes, operands);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(IntegerNetworks, RequantShiftRoundsHalfUpAndClamps) {
  const std::map<std::string, std::int64_t> unsigned_levels = {
      {"div", 4}, {"n_levels_out", 256}, {"signed", 0}};
  const Value x = numbers({6}, {-1, 1, 2, 5, 600, -600});
  EXPECT_THAT(run_one("RequantShift", unsigned_levels, {x, numbers({}, {2}), numbers({}, {0})}),
              ElementsAre(0, 1, 1, 3, 255, 0));
  const std::map<std::string, std::int64_t> signed_levels = {
      {"div", 4}, {"n_levels_out", 256}, {"signed", 1}};
  EXPECT_THAT(run_one("RequantShift", signed_levels, {x, numbers({}, {1}), numbers({}, {-1})}),
              ElementsAre(0, 0, 0, 1, 127, -128));
}

TEST(IntegerNetworks, NormsDivideByTheRoot) {
  // mean 2, d = −2 0 0 2, root of 2 + 1 = 1
  EXPECT_THAT(run_one("iLayerNorm", {{"D", 2}, {"n_levels", 256}},
                      {numbers({1, 4}, {0, 2, 2, 4}), numbers({4}, {3, 3, 3, 3}),
                       numbers({4}, {0, 1, 2, 0})}),
              ElementsAre(-3, 0, 1, 3));
  // mean of squares 8, root of 9 = 3
  EXPECT_THAT(run_one("iRMSNorm", {{"D", 2}, {"n_levels", 256}},
                      {numbers({1, 2}, {0, -4}), numbers({2}, {9, 10})}),
              ElementsAre(0, -7));
}

TEST(IntegerNetworks, Softmaxes) {
  EXPECT_THAT(run_one("ITAMax", {{"n_levels", 256}}, {numbers({1, 2}, {0, 0})}),
              ElementsAre(127, 127));
  EXPECT_THAT(run_one("ITAMax", {{"n_levels", 256}}, {numbers({1, 2}, {64, 0})}),
              ElementsAre(204, 51));
  EXPECT_THAT(run_one("iSoftmax",
                      {{"coeffA", 1}, {"coeffB", 3}, {"coeffC", 1}, {"log2", 2}, {"n_levels", 256}},
                      {numbers({1, 3}, {4, 4, 1})}),
              ElementsAre(115, 115, 23));  // exponentials 10, 10, (4 + 1) >> 1
}

TEST(IntegerNetworks, Elementwise) {
  EXPECT_THAT(run_one("iGELU", {{"b", -4}, {"one", 20}}, {numbers({3}, {-2, 0, 2})}),
              ElementsAre(-4, 0, 36));
  EXPECT_THAT(run_one("iHardswish", {{"one_over_six", 2}, {"three", 3}, {"six", 6}},
                      {numbers({3}, {-4, 1, 9})}),
              ElementsAre(0, 8, 108));
  EXPECT_THAT(run_one("TrueIntegerDiv", {{"Delta", 16}, {"eta", 10}, {"y", 3}, {"eps", 1}},
                      {numbers({2}, {2, -3})}),
              ElementsAre(10, -15));
  EXPECT_THAT(run_one("IntegerMean", {{"keepdims", 0}}, {numbers({1, 2}, {1, 2})}), ElementsAre(2));
  EXPECT_THAT(run_one("IntegerMean", {{"keepdims", 0}}, {numbers({1, 2}, {-1, -2})}),
              ElementsAre(-1));
}

TEST(IntegerNetworks, BadAttributesAndOperands) {
  const Value x = numbers({2}, {1, 2});
  EXPECT_THAT(message_of("IntegerMean", {}, {from_doubles(ElementType::kFloat, {1}, {{0.5}})}),
              HasSubstr("0.5 is not a whole number"));
  EXPECT_THAT(message_of("RequantShift", {}, {x, x, x}), HasSubstr("attribute \"div\" is missing"));
  EXPECT_THAT(
      message_of("RequantShift", {{"div", 0}, {"n_levels_out", 2}, {"signed", 0}}, {x, x, x}),
      HasSubstr("attribute \"div\" must be at least 1, got 0"));
  EXPECT_THAT(message_of("RequantShift", {{"div", 1}, {"n_levels_out", 2}, {"signed", 0}},
                         {x, numbers({2, 1}, {1, 1}), x}),
              HasSubstr("mul and add must broadcast to [2]"));
  EXPECT_THAT(message_of("ITAMax", {{"n_levels", 16}}, {x}), HasSubstr("n_levels must be 256"));
  EXPECT_THAT(message_of("iRMSNorm", {{"D", 1}, {"n_levels", 2}}, {x, numbers({3}, {1, 1, 1})}),
              HasSubstr("operand 1 has 3 elements, a row 2"));
  EXPECT_THAT(message_of("TrueIntegerDiv", {}, {x, x}),
              HasSubstr("a second operand is not supported"));
  EXPECT_THAT(
      message_of("iGELU", {{"b", -4}, {"one", std::int64_t{1} << 62}}, {numbers({1}, {1 << 20})}),
      HasSubstr("a product leaves 64 bits"));
  EXPECT_THAT(message_of("iSoftmax", {}, {numbers({}, {1})}), HasSubstr("is missing"));
  EXPECT_THAT(message_of("ITAMax", {{"n_levels", 256}}, {numbers({}, {1})}),
              HasSubstr("needs a last axis"));
}

class Deeploy : public testing::TestWithParam<const char*> {};

TEST_P(Deeploy, ReferenceEqualsTheGoldenTensors) {
  NPUSIM_REQUIRE_SHARED();
  const test::IntegerNetworkCase c = test::load_integer_network(GetParam());
  std::string difference;
  EXPECT_TRUE(test::equals_golden(c, run(c.model, c.values()), difference)) << difference;
}

INSTANTIATE_TEST_SUITE_P(Networks, Deeploy, testing::ValuesIn(test::kIntegerNetworks),
                         [](const auto& network) { return test::short_name(network.param); });

}  // namespace
}  // namespace npu::onnx

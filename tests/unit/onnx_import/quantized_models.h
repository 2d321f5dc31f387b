#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kernels/onnx_import/run_plan.h"
#include "kernels/reference/reference.h"
#include "tests/unit/onnx_import/models.h"

// Quantized models made in tests, and their check.

namespace npu::onnx_import {

using onnx::ElementType;

inline constexpr ElementType kI8 = ElementType::kInt8;
inline constexpr ElementType kU8 = ElementType::kUint8;
inline constexpr ElementType kI32 = ElementType::kInt32;

class Numbers {
 public:
  std::vector<double> whole(std::int64_t count, int low, int high) {
    std::vector<double> out;
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(low + static_cast<double>(rng_() % static_cast<unsigned>(high - low + 1)));
    }
    return out;
  }
  std::vector<double> real(std::int64_t count, double low, double high) {
    std::vector<double> out;
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(low + (high - low) * static_cast<double>(rng_() >> 40) * 0x1p-24);
    }
    return out;
  }

 private:
  std::mt19937_64 rng_{11};
};

/// A model of DequantizeLinear, float operators and QuantizeLinear.
class Qdq {
 public:
  explicit Qdq(ElementType bytes = kU8) : bytes_(bytes) {}

  ModelMaker& maker() { return m_; }
  Numbers& numbers() { return numbers_; }

  std::string dequantize(const std::string& x, double scale, double zero) {
    const std::string y = fresh();
    m_.node("DequantizeLinear", {x, scalar(scale), zero_point(zero)}, {y});
    return y;
  }
  std::string quantize(const std::string& x, double scale, double zero,
                       const std::string& name = "") {
    const std::string y = name.empty() ? fresh() : name;
    m_.node("QuantizeLinear", {x, scalar(scale), zero_point(zero)}, {y});
    return y;
  }
  std::string op(
      const std::string& type, std::vector<std::string> inputs,
      std::initializer_list<std::pair<const std::string, onnx::Attribute>> attributes = {}) {
    const std::string y = fresh();
    m_.node(type, std::move(inputs), {y}, attributes);
    return y;
  }
  std::string reals(const Shape& shape, double low, double high) {
    const std::string c = fresh();
    m_.constant(c, shape, numbers_.real(element_count(shape), low, high));
    return c;
  }
  /// int8 weights with a scale per slice of `axis`.
  std::string weights(const Shape& shape, std::int64_t axis) {
    const std::int64_t channels = shape[static_cast<std::size_t>(axis)];
    const std::string w = fresh(), s = fresh(), z = fresh(), y = fresh();
    m_.constant(w, shape, numbers_.whole(element_count(shape), -127, 127), kI8);
    scales_ = numbers_.real(channels, 0.002, 0.01);
    m_.constant(s, {channels}, scales_);
    m_.constant(z, {channels}, std::vector<double>(static_cast<std::size_t>(channels), 0), kI8);
    m_.node("DequantizeLinear", {w, s, z}, {y}, {{"axis", axis}});
    return y;
  }
  /// int32 in units of the sums of the last weights with an operand of that scale.
  std::string bias(double scale) {
    const std::string b = fresh(), s = fresh(), y = fresh();
    const auto channels = static_cast<std::int64_t>(scales_.size());
    std::vector<double> units;
    for (const double w : scales_) {
      units.push_back(static_cast<double>(static_cast<float>(scale) * static_cast<float>(w)));
    }
    m_.constant(b, {channels}, numbers_.whole(channels, -3000, 3000), kI32);
    m_.constant(s, {channels}, units);
    m_.node("DequantizeLinear", {b, s}, {y}, {{"axis", std::int64_t{0}}});
    return y;
  }
  std::string fresh() { return "v" + std::to_string(count_++); }
  std::string scalar(double value) {
    const std::string c = fresh();
    m_.constant(c, {}, {value});
    return c;
  }
  std::string zero_point(double value) {
    const std::string c = fresh();
    m_.constant(c, {}, {value}, bytes_);
    return c;
  }

 private:
  ModelMaker m_;
  Numbers numbers_;
  ElementType bytes_;
  std::vector<double> scales_;
  int count_ = 0;
};

inline onnx::Values inputs_of(const onnx::Model& model, Numbers& numbers) {
  onnx::Values values;
  for (const onnx::ValueInfo& input : model.graph.inputs) {
    Shape shape;
    for (const onnx::Dimension& d : input.shape) shape.push_back(d.size);
    const std::int64_t count = element_count(shape);
    const std::vector<double> elements = input.type == kI8   ? numbers.whole(count, -128, 127)
                                         : input.type == kU8 ? numbers.whole(count, 0, 255)
                                                             : numbers.real(count, -2, 2);
    values[input.name] = onnx::from_doubles(input.type, shape, elements);
  }
  return values;
}

/// The one stage of a network that runs on the NPU as a whole; its outputs are those of ONNX.
inline graph::Graph expect_equal(ModelMaker& maker) {
  Numbers numbers;
  const onnx::Model& model = maker.model();
  const onnx::Values inputs = inputs_of(model, numbers);
  const Network network = simplify(model, {});
  const Plan plan = make_plan(network, {});
  const std::vector<onnx::Value> expected = onnx::run(model, inputs);
  const std::vector<onnx::Value> got = run_plan(network, plan, inputs, run_by_reference);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].type, expected[i].type);
    EXPECT_EQ(got[i].shape, expected[i].shape);
    EXPECT_EQ(to_doubles(got[i]), to_doubles(expected[i])) << "output " << i;
  }
  EXPECT_EQ(plan.stages.size(), 1U);
  for (const Stage& stage : plan.stages) {
    if (const auto* host = std::get_if<HostStage>(&stage)) {
      for (const HostNode& n : host->nodes) ADD_FAILURE() << n.reason;
    }
  }
  const auto* npu = std::get_if<NpuStage>(plan.stages.data());
  return npu != nullptr ? npu->graph : graph::Graph();
}

inline std::vector<std::string> kinds(const graph::Graph& graph) {
  std::vector<std::string> names;
  for (const graph::Node& node : graph.nodes) {
    if (node.kind != graph::OpKind::kReshape) names.emplace_back(name_of(node.kind));
  }
  return names;
}

inline std::string reason_of(ModelMaker& maker) {
  const Plan plan = make_plan(simplify(maker.model(), {}), {});
  for (const Stage& stage : plan.stages) {
    if (const auto* host = std::get_if<HostStage>(&stage)) return host->nodes[0].reason;
  }
  return "";
}

}  // namespace npu::onnx_import

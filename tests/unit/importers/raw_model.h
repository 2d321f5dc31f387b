#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "tests/support/tflite_builder.h"
#include "workloads/importers/tflite.h"

namespace npu::test {

namespace schema = importers::schema;

/// A model of one operator, written field by field: what the builder cannot or would not write.
class RawModel {
 public:
  RawModel() {
    model.version = 3;
    model.subgraphs.push_back(std::make_unique<schema::SubGraphT>());
    model.buffers.push_back(std::make_unique<schema::BufferT>());
    model.operator_codes.push_back(std::make_unique<schema::OperatorCodeT>());
    subgraph().operators.push_back(std::make_unique<schema::OperatorT>());
  }

  schema::SubGraphT& subgraph() { return *model.subgraphs[0]; }
  schema::OperatorT& op() { return *subgraph().operators[0]; }
  schema::TensorT& tensor(int id) { return *subgraph().tensors[static_cast<std::size_t>(id)]; }

  RawModel& code(int number) {
    model.operator_codes[0]->legacy_code = static_cast<std::int8_t>(std::min(number, 127));
    model.operator_codes[0]->code = number;
    return *this;
  }
  template <typename Options>
  RawModel& options(const Options& o) {
    op().builtin_options.Set(Options(o));
    return *this;
  }

  /// A tensor with scale 0.5 and zero point 3 (int16: 0) if it is a quantized integer.
  int add(schema::TensorType type, std::vector<int> shape) {
    auto t = std::make_unique<schema::TensorT>();
    t->name = "t" + std::to_string(subgraph().tensors.size());
    t->type = type;
    t->shape = std::move(shape);
    if (type == schema::TensorType::INT8 || type == schema::TensorType::UINT8 ||
        type == schema::TensorType::INT16) {
      t->quantization = std::make_unique<schema::QuantizationT>();
      t->quantization->scale = {0.5F};
      t->quantization->zero_point = {type == schema::TensorType::INT16 ? 0 : 3};
    }
    subgraph().tensors.push_back(std::move(t));
    return static_cast<int>(subgraph().tensors.size() - 1);
  }
  RawModel& input(std::vector<int> shape, schema::TensorType type = schema::TensorType::INT8) {
    const int id = add(type, std::move(shape));
    op().inputs.push_back(id);
    subgraph().inputs.push_back(id);
    return *this;
  }
  RawModel& output(std::vector<int> shape, schema::TensorType type = schema::TensorType::INT8) {
    const int id = add(type, std::move(shape));
    op().outputs.push_back(id);
    subgraph().outputs.push_back(id);
    return *this;
  }
  /// A constant operand.
  RawModel& constant(schema::TensorType type, std::vector<int> shape,
                     std::vector<std::uint8_t> data) {
    const int id = add(type, std::move(shape));
    op().inputs.push_back(id);
    set_data(id, std::move(data));
    return *this;
  }
  RawModel& integers(const std::vector<std::int32_t>& values, std::vector<int> shape = {}) {
    std::vector<std::uint8_t> data(4 * values.size());
    std::memcpy(data.data(), values.data(), data.size());
    if (shape.empty()) shape = {static_cast<int>(values.size())};
    return constant(schema::TensorType::INT32, std::move(shape), std::move(data));
  }
  void set_data(int id, std::vector<std::uint8_t> data) {
    auto buffer = std::make_unique<schema::BufferT>();
    buffer->data = std::move(data);
    tensor(id).buffer = static_cast<std::uint32_t>(model.buffers.size());
    model.buffers.push_back(std::move(buffer));
  }

  [[nodiscard]] graph::Graph import() const {
    return importers::parse_tflite(pack(model), "raw.tflite");
  }
  void refused(const std::string& part) const {
    EXPECT_THAT([&] { (void)import(); },
                testing::ThrowsMessage<Error>(
                    testing::AllOf(testing::StartsWith("raw.tflite: "), testing::HasSubstr(part))));
  }

  schema::ModelT model;
};

}  // namespace npu::test

#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "tflite_generated.h"
#include "workloads/graph/graph.h"

namespace npu::importers {

/// "CONV_2D", or nothing for a number that is not a built-in operator.
[[nodiscard]] std::string_view builtin_name(std::int32_t code);

/// Limits what a file makes the importer allocate and visit: tables and payloads may be shared
/// inside a FlatBuffer, so a small file can describe a huge network.
class Budget {
 public:
  /// 16 bytes for each byte of the file, and 1 MiB.
  explicit Budget(std::size_t file_bytes)
      : left_(16 * static_cast<std::int64_t>(file_bytes) + (1 << 20)) {}
  /// @throws Error if the budget is used up.
  void spend(std::int64_t bytes) {
    left_ -= bytes;
    if (left_ < 0) fail("the model needs more than 16 times the memory of its file");
  }

 private:
  std::int64_t left_;
};

/// A FlatBuffers vector that may be absent.
template <typename T>
[[nodiscard]] std::uint32_t size_of_vector(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

/// Printable ASCII of at most 200 bytes; other bytes become '?'.
[[nodiscard]] std::string clean_name(const flatbuffers::String* text);

/// Reads all tensors of a subgraph. `file_bytes` is the whole file.
void read_tensors(const schema::Model& model, const schema::SubGraph& subgraph,
                  std::string_view file_bytes, Budget& budget, graph::Graph& graph);

/// One operator while it becomes nodes.
class OperatorReader {
 public:
  OperatorReader(graph::Graph& graph, const schema::Operator& source, int index,
                 std::string_view name, Budget& budget);

  /// Throws Error "operator #3 CONV_2D: …".
  template <typename... Args>
  [[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(fmt::format("operator #{} {}: ", index_, name_) +
                fmt::format(format, std::forward<Args>(args)...));
  }

  /// Checks the number of operands; afterwards the ones below `at_least` are there.
  void expect(std::size_t at_least, std::size_t at_most, std::size_t outputs = 1) const;
  [[nodiscard]] const std::vector<graph::TensorId>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<graph::TensorId>& outputs() const { return outputs_; }
  /// Input `i`, or kAbsent where the list is shorter.
  [[nodiscard]] graph::TensorId optional(std::size_t i) const {
    return i < inputs_.size() ? inputs_[i] : graph::kAbsent;
  }
  [[nodiscard]] const graph::Tensor& in(std::size_t i) const;
  [[nodiscard]] const graph::Tensor& out(std::size_t i = 0) const;
  /// Shape of an operand that must have `rank` dimensions of at least 1.
  [[nodiscard]] const Shape& shape(const graph::Tensor& tensor, std::size_t rank) const;

  /// Values of a constant int32 or int64 input that only carries attributes.
  [[nodiscard]] std::vector<std::int64_t> integers(std::size_t i, std::size_t at_most,
                                                   std::string_view what) const;
  /// An axis counted from the end if negative, within `rank` dimensions.
  [[nodiscard]] int axis(std::int64_t value, std::size_t rank) const;
  [[nodiscard]] graph::Activation activation(schema::ActivationType type) const;

  /// The options if they have type T; nullptr if there are none.
  template <typename T>
  [[nodiscard]] const T* options() const {
    constexpr auto kType = schema::BuiltinOptionsTraits<T>::enum_value;
    check_options_type(static_cast<int>(kType));
    return static_cast<const T*>(source_.builtin_options_type() == kType ? source_.builtin_options()
                                                                         : nullptr);
  }
  template <typename T>
  [[nodiscard]] const T& require_options() const {
    const T* found = options<T>();
    if (found == nullptr) reject("its options are missing");
    return *found;
  }
  void expect_no_options() const { check_options_type(0); }

  void add(graph::OpKind kind, std::vector<graph::TensorId> inputs,
           std::vector<graph::TensorId> outputs, graph::Attrs attrs = {});

 private:
  void check_options_type(int expected) const;

  graph::Graph& graph_;
  const schema::Operator& source_;
  int index_;
  std::string_view name_;
  std::vector<graph::TensorId> inputs_, outputs_;
};

/// Turns one operator into nodes.
using ReadOperator = void (*)(OperatorReader& reader);
/// The reader of a built-in operator, or nullptr if it is not supported.
[[nodiscard]] ReadOperator find_reader(std::int32_t code);

/// "RESIZE_BILINEAR is not supported: { … }, int8[1,4,4,2], int32[2] to int8[1,8,8,2]".
[[nodiscard]] std::string describe_unsupported(const schema::SubGraph& subgraph,
                                               const schema::Operator& source,
                                               std::string_view name);

// Readers by family; the table in operator_table.cpp maps numbers to them.
void read_conv(OperatorReader& r);
void read_depthwise(OperatorReader& r);
void read_transpose_conv(OperatorReader& r);
void read_fully_connected(OperatorReader& r);
void read_average_pool(OperatorReader& r);
void read_max_pool(OperatorReader& r);
void read_svdf(OperatorReader& r);

void read_reshape(OperatorReader& r);
void read_squeeze(OperatorReader& r);
void read_expand_dims(OperatorReader& r);
void read_transpose(OperatorReader& r);
void read_pad(OperatorReader& r);
void read_pad_v2(OperatorReader& r);
void read_concatenation(OperatorReader& r);
void read_pack(OperatorReader& r);
void read_slice(OperatorReader& r);
void read_strided_slice(OperatorReader& r);
void read_split(OperatorReader& r);
void read_split_v(OperatorReader& r);

}  // namespace npu::importers

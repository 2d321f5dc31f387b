#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/onnx_reference/operators.h"
#include "kernels/onnx_reference/run.h"
#include "workloads/onnx/model.h"

namespace npu::onnx_import {

/// Type and shape of a value. A shape that depends on values (NonZero, a Reshape whose target is
/// computed from data, …) is not static; then the type may be undefined, too.
struct ValueType {
  onnx::ElementType type = onnx::ElementType::kUndefined;
  Shape shape;
  bool is_static = false;
};

/// Least and greatest value of a tensor of whole numbers.
struct Range {
  std::int64_t low = 0, high = 0;
};
using Ranges = std::map<std::string, Range, std::less<>>;

/// An output of the network: its name, and the value that it is.
struct NetworkOutput {
  std::string name, value;
};

/// int8 or uint8 with real values scale · (q − zero_point): one of each, or one per slice along
/// `axis`.
struct QuantizedConstant {
  onnx::Value value;
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;  ///< As long as scale.
  std::size_t axis = 0;
};

/// An ONNX model made simple: every dimension bound, constants folded into `model.graph`'s
/// initializers, copies (Identity, Dropout) gone, types of all values known where they are static,
/// nothing that no output needs.
struct Network {
  onnx::Model model;  ///< Inputs of static shape; nodes in topological order.
  std::vector<NetworkOutput> outputs;
  std::map<std::string, ValueType, std::less<>> types;  ///< By value; constants and inputs, too.
  /// Of all values of an integer network (integer_ranges.h), whose floats are whole numbers that
  /// the NPU holds as integers; empty for other networks.
  Ranges ranges;
  /// What float constants were before DequantizeLinear.
  std::map<std::string, QuantizedConstant, std::less<>> dequantized;

  /// nullptr if the value is no constant.
  [[nodiscard]] const onnx::Value* constant(std::string_view name) const;
  /// @throws std::logic_error for a name that the network does not have.
  [[nodiscard]] const ValueType& type(std::string_view name) const;
  /// Version of the operator set of the domain; 1 where the model imports none.
  [[nodiscard]] std::int64_t opset(std::string_view domain) const;
};

struct SimplifyOptions {
  /// Sizes of symbolic dimensions by their symbol; of nameless ones as "input[axis]".
  std::map<std::string, std::int64_t, std::less<>> dimensions;
  /// Shapes of inputs, for whom the data are there already; these go before `dimensions`.
  std::map<std::string, Shape, std::less<>> input_shapes;
  /// Values of inputs that become constants; the network has these inputs no more.
  onnx::Values input_values = {};
  /// Ranges of the inputs of an integer network; int8 where none is given.
  Ranges input_ranges = {};
  std::int64_t max_elements = onnx::kMaxElements;  ///< Bound of a tensor.
};

/// Newest version of ONNX's operator set that is known: that of ONNX 1.21.
inline constexpr std::int64_t kNewestOpset = 26;

/// Binds dimensions, folds constants, removes copies and dead nodes, finds the type and shape of
/// every value. What older operator sets spell differently becomes today's operators.
/// @throws Error for a newer operator set than kNewestOpset; naming input, dimension and option for
/// a dimension that has no size; naming the node for anything that the CPU reference and the shape
/// rules refuse.
[[nodiscard]] Network simplify(onnx::Model model, const SimplifyOptions& options);

}  // namespace npu::onnx_import

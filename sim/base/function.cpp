#include "sim/base/function.h"

#include "sim/base/error.h"

namespace npu {
namespace {

constexpr auto kSpecial = FunctionClass::kSpecial;
constexpr auto kMultiply = FunctionClass::kMultiply;

// clang-format off
constexpr std::array<FunctionInfo, kMapFunctions> kInfo = {{
    {"add", 2}, {"sub", 2}, {"mul", 2, 0, kMultiply}, {"div", 2, 0, kSpecial}, {"max", 2}, {"min", 2}, {"pow", 2, 0, kSpecial},
    {"mod", 2, 0, kSpecial}, {"remainder", 2, 0, kSpecial}, {"equal", 2}, {"not_equal", 2}, {"less", 2}, {"less_equal", 2}, {"greater", 2},
    {"greater_equal", 2}, {"and", 2}, {"or", 2}, {"xor", 2}, {"shift_left", 2}, {"shift_right", 2}, {"prelu", 2, 0, kMultiply}, {"select", 2},
    {"copy"}, {"negate"}, {"abs"}, {"sign"}, {"not"}, {"complement"}, {"floor"}, {"ceil"}, {"round"}, {"is_nan"}, {"is_inf"}, {"relu"},
    {"clip", 1, 2}, {"leaky_relu", 1, 1, kMultiply}, {"threshold", 1, 1}, {"hard_sigmoid", 1, 2, kMultiply}, {"hard_swish", 1, 0, kMultiply},
    {"dequantize", 1, 2, kMultiply}, {"quantize", 1, 2, kMultiply}, {"integer_sqrt", 1, 0, kSpecial},
    {"sqrt", 1, 0, kSpecial}, {"reciprocal", 1, 0, kSpecial}, {"reciprocal_sqrt", 1, 0, kSpecial}, {"exp", 1, 0, kSpecial},
    {"log", 1, 0, kSpecial}, {"sin", 1, 0, kSpecial}, {"cos", 1, 0, kSpecial}, {"tan", 1, 0, kSpecial}, {"asin", 1, 0, kSpecial},
    {"acos", 1, 0, kSpecial}, {"atan", 1, 0, kSpecial}, {"sinh", 1, 0, kSpecial}, {"cosh", 1, 0, kSpecial}, {"tanh", 1, 0, kSpecial},
    {"asinh", 1, 0, kSpecial}, {"acosh", 1, 0, kSpecial}, {"atanh", 1, 0, kSpecial}, {"erf", 1, 0, kSpecial}, {"sigmoid", 1, 0, kSpecial},
    {"silu", 1, 0, kSpecial}, {"softplus", 1, 0, kSpecial}, {"softsign", 1, 0, kSpecial}, {"mish", 1, 0, kSpecial}, {"elu", 1, 1, kSpecial},
    {"selu", 1, 2, kSpecial}, {"celu", 1, 1, kSpecial}, {"gelu", 1, 0, kSpecial}, {"gelu_tanh", 1, 0, kSpecial},
}};
// clang-format on

constexpr std::array<std::string_view, kReduceFunctions> kReduceNames = {
    "sum", "max", "min", "product", "sum_squares", "arg_max", "arg_min"};

}  // namespace

const FunctionInfo& info_of(MapFunction function) {
  const auto index = static_cast<std::size_t>(function);
  NPU_CHECK(index < kInfo.size(), "function out of range");
  return kInfo[index];
}

std::optional<MapFunction> find_map_function(std::string_view name) {
  for (std::size_t i = 0; i < kInfo.size(); ++i) {
    if (kInfo[i].name == name) return static_cast<MapFunction>(i);
  }
  return std::nullopt;
}

std::string_view name_of(ReduceFunction function) {
  const auto index = static_cast<std::size_t>(function);
  NPU_CHECK(index < kReduceNames.size(), "function out of range");
  return kReduceNames[index];
}

}  // namespace npu

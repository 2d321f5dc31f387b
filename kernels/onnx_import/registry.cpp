#include <array>
#include <map>
#include <utility>

#include "kernels/onnx_import/converter.h"

namespace npu::onnx_import {
namespace {

using Table = std::map<std::pair<std::string_view, std::string_view>, const Converter*>;

const Table& table() {
  static const Table kTable = [] {
    Table rows;
    for (const auto& family :
         {attention_converters(), binary_converters(), conv_converters(), gather_converters(),
          integer_converters(), integer_product_converters(), matmul_converters(),
          movement_converters(), normalization_converters(), pool_converters(),
          quantization_converters(), quantized_product_converters(), reduce_converters(),
          unary_converters()}) {
      for (const Converter& c : family) {
        const bool is_new = rows.emplace(std::pair(c.domain, c.op_type), &c).second;
        NPU_CHECK(is_new, "a converter is there twice");
      }
    }
    return rows;
  }();
  return kTable;
}

}  // namespace

const Converter* find_converter(std::string_view domain, std::string_view op_type) {
  const auto it = table().find({domain, op_type});
  return it != table().end() ? it->second : nullptr;
}

std::vector<const Converter*> all_converters() {
  std::vector<const Converter*> all;
  for (const auto& [key, converter] : table()) all.push_back(converter);
  return all;
}

}  // namespace npu::onnx_import

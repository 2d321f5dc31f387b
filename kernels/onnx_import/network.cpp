#include "kernels/onnx_import/network.h"

#include "sim/base/error.h"

namespace npu::onnx_import {

const onnx::Value* Network::constant(std::string_view name) const {
  const auto it = model.graph.initializers.find(name);
  return it != model.graph.initializers.end() ? &it->second : nullptr;
}

const ValueType& Network::type(std::string_view name) const {
  const auto it = types.find(name);
  NPU_CHECK(it != types.end(), "every value has a type");
  return it->second;
}

std::int64_t Network::opset(std::string_view domain) const {
  const auto it = model.opsets.find(domain);
  return it != model.opsets.end() ? it->second : 1;
}

}  // namespace npu::onnx_import

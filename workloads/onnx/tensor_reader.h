#pragma once

#include <string>

#include "workloads/onnx/value.h"

namespace onnx {
class TensorProto;
}

namespace npu::onnx {

/// The value of a TensorProto. @param place  starts error messages.
/// @param folder  where external data may be; empty: nowhere.
[[nodiscard]] Value read_tensor(const ::onnx::TensorProto& proto, const std::string& place,
                                const std::string& folder);

}  // namespace npu::onnx

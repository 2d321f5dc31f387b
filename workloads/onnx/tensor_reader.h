#pragma once

#include <optional>
#include <string>

#include "workloads/onnx/value.h"

namespace onnx {
class TensorProto;
}

namespace npu::onnx {

/// The file of external data; nothing for a location that is none below the model's folder.
/// @param folder  the model's; empty: there is none.
[[nodiscard]] std::optional<std::string> external_path(const std::string& location,
                                                       const std::string& folder);
/// Where a tensor's external data are; empty if it has none.
[[nodiscard]] std::string external_location(const ::onnx::TensorProto& proto);

/// The value of a TensorProto. @param place  starts error messages.
/// @param folder  where external data may be; empty: nowhere.
[[nodiscard]] Value read_tensor(const ::onnx::TensorProto& proto, const std::string& place,
                                const std::string& folder);

}  // namespace npu::onnx

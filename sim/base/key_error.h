#pragma once

#include <string>
#include <utility>

#include "sim/base/error.h"

namespace npu {

/// A key cannot be where it stands, whatever its value: nobody knows it, or what should hold it is
/// no mapping.
class KeyError : public Error {
 public:
  /// @param key  dotted, from the top of its file.
  KeyError(const std::string& message, std::string key) : Error(message), key_(std::move(key)) {}

  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  std::string key_;
};

}  // namespace npu

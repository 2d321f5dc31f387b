#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sim/base/error.h"

namespace npu {

/// The message of the Error that `action` throws; a failed expectation if it throws none.
template <typename Action>
[[nodiscard]] std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no npu::Error was thrown";
  return "";
}

}  // namespace npu

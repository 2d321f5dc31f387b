#include "sim/base/tensor.h"

#include <fmt/ranges.h>

namespace npu {

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ",")); }

}  // namespace npu

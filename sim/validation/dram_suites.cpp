#include "sim/validation/suite.h"

namespace npu::validation {

void add_dram_suites(std::vector<Suite>& /*suites*/) {}

}  // namespace npu::validation

#include "sim/validation/published.h"
#include "sim/validation/suite.h"

namespace npu::validation {

void add_published_suites(std::vector<Suite>& suites) { suites.push_back(gemmini_suite()); }

}  // namespace npu::validation

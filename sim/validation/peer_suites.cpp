#include "sim/validation/peer_suites.h"

namespace npu::validation {

void add_peer_suites(std::vector<Suite>& suites) { add_scalesim_suites(suites); }

}  // namespace npu::validation

#include "sim/validation/peer_suites.h"

namespace npu::validation {

void add_peer_suites(std::vector<Suite>& suites) {
  add_scalesim_suites(suites);
  add_onnxim_suites(suites);
  add_zigzag_suites(suites);
  add_timeloop_suites(suites);
  add_maestro_suites(suites);
}

}  // namespace npu::validation

#include "sim/validation/published.h"
#include "sim/validation/suite.h"
#include "workloads/graph/network_table.h"

namespace npu::validation {

graph::Graph shipped_network(const SuiteContext& context, const std::string& name,
                             std::int64_t batch) {
  return graph::load_network_table(context.configs + "/validation/networks/" + name + ".csv",
                                   batch);
}

void add_published_suites(std::vector<Suite>& suites) {
  suites.push_back(gemmini_suite());
  suites.push_back(nvdla_performance_suite());
  suites.push_back(ethos_cycles_suite());
  suites.push_back(ethos_traffic_suite());
  suites.push_back(tpu_v1_suite());
  suites.push_back(eyeriss_suite());
}

}  // namespace npu::validation

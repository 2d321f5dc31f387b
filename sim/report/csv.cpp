#include "sim/base/csv.h"

#include <iterator>

#include "sim/report/writers.h"

namespace npu::report {
namespace {

/// SQNR of the tensors that the layer produced against the float reference, the worst of them.
std::string worst_sqnr(const Report& report, const std::string& layer) {
  std::optional<double> worst;
  if (!report.accuracy) return "";
  for (const TensorAccuracy& t : report.accuracy->tensors) {
    if (t.layer != layer || !t.float_error) continue;
    if (!worst || t.float_error->sqnr_db < *worst) worst = t.float_error->sqnr_db;
  }
  return worst ? fmt::format("{}", *worst) : "";
}

/// Elements of the layer's tensors that differ from the integer reference.
std::string differing(const Report& report, const std::string& layer) {
  std::int64_t elements = 0, count = 0;
  if (!report.accuracy) return "";
  for (const TensorAccuracy& t : report.accuracy->tensors) {
    if (t.layer != layer) continue;
    elements += t.integer.elements;
    count += t.integer.differing;
  }
  return elements == 0 ? "" : fmt::format("{}", count);
}

}  // namespace

std::string layers_csv(const Report& report) {
  std::string out =
      "layer,begin_cycle,end_cycle,cycles,macs,utilization,bound_by,mac_busy_cycles,"
      "vector_busy_cycles,dma_busy_cycles,dram_read_bytes,dram_write_bytes,energy_pj,"
      "integer_differing_elements,float_sqnr_db,repeats";
  const std::vector<std::string> components = components_of(report.ledger);
  for (const std::string& component : components) out += ",energy_" + component + "_pj";
  out += '\n';
  for (const LayerRow& l : report.layers) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
                   csv_field(l.name), l.stats.begin_cycle, l.stats.end_cycle, l.cycles(), l.macs,
                   utilization(report, l), bound_by(report, l), l.stats.mac_busy_cycles,
                   l.stats.vector_busy_cycles, l.stats.dma_busy_cycles, l.stats.dram_read_bytes,
                   l.stats.dram_write_bytes, l.energy_pj, differing(report, l.name),
                   worst_sqnr(report, l.name), l.stats.repeats);
    for (const std::string& component : components) {
      const auto at = l.component_pj.find(component);
      fmt::format_to(std::back_inserter(out), ",{}", at == l.component_pj.end() ? 0.0 : at->second);
    }
    out += '\n';
  }
  return out;
}

std::string energy_csv(const Report& report) {
  std::string out = "component,event,count,energy_per_event_pj,energy_pj,class,source\n";
  for (const LedgerRow& row : report.ledger.rows) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{}\n", csv_field(row.component),
                   csv_field(row.event), row.count, row.energy_per_event_pj, row.energy_pj,
                   name_of(row.source_class), csv_field(row.source));
  }
  return out;
}

}  // namespace npu::report

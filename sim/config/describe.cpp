#include <fmt/format.h>

#include <iterator>

#include "sim/config/sections.h"

namespace npu {
namespace {

ResolvedSection sram_section(std::string_view name, const SramConfig& c) {
  return {name,
          {{"capacity_bytes", fmt::format("{}", c.capacity_bytes)},
           {"banks", fmt::format("{}", c.banks)},
           {"port_width_bytes", fmt::format("{}", c.port_width_bytes)},
           {"ports", fmt::format("{}", c.ports)},
           {"latency_cycles", fmt::format("{}", c.latency_cycles)},
           {"interleave", std::string(name_of(c.interleave))}}};
}

ResolvedSection dram_section(const DramConfig& c) {
  const auto text = [](auto value) { return fmt::format("{}", value); };
  if (c.kind == DramKind::kFixedLatency) {
    const FixedLatencyConfig& f = c.fixed_latency;
    return {"dram",
            {{"kind", std::string(name_of(c.kind))},
             {"clock_mhz", text(c.clock_mhz)},
             {"fixed_latency.capacity_bytes", text(f.capacity_bytes)},
             {"fixed_latency.beat_bytes", text(f.beat_bytes)},
             {"fixed_latency.read_latency_clocks", text(f.read_latency_clocks)},
             {"fixed_latency.read_clocks_per_256_beats", text(f.read_clocks_per_256_beats)},
             {"fixed_latency.write_clocks_per_256_beats", text(f.write_clocks_per_256_beats)},
             {"fixed_latency.write_response_clocks", text(f.write_response_clocks)}}};
  }
  return {"dram",
          {{"kind", std::string(name_of(c.kind))},
           {"clock_mhz", text(c.clock_mhz)},
           {"data_rate", text(c.data_rate)},
           {"channels", text(c.channels)},
           {"ranks", text(c.ranks)},
           {"bank_groups", text(c.bank_groups)},
           {"banks_per_group", text(c.banks_per_group)},
           {"rows", text(c.rows)},
           {"columns", text(c.columns)},
           {"bus_width_bits", text(c.bus_width_bits)},
           {"burst_length", text(c.burst_length)},
           {"tCL", text(c.tCL)},
           {"tCWL", text(c.tCWL)},
           {"tRCD", text(c.tRCD)},
           {"tRP", text(c.tRP)},
           {"tRAS", text(c.tRAS)},
           {"tRRD_S", text(c.tRRD_S)},
           {"tRRD_L", text(c.tRRD_L)},
           {"tFAW", text(c.tFAW)},
           {"tCCD_S", text(c.tCCD_S)},
           {"tCCD_L", text(c.tCCD_L)},
           {"tWR", text(c.tWR)},
           {"tWTR_S", text(c.tWTR_S)},
           {"tWTR_L", text(c.tWTR_L)},
           {"tRTP", text(c.tRTP)},
           {"tRFC", text(c.tRFC)},
           {"tRFCpb", text(c.tRFCpb)},
           {"tREFI", text(c.tREFI)},
           {"tRTRS", text(c.tRTRS)},
           {"tRREFD", text(c.tRREFD)},
           {"address_mapping", c.address_mapping},
           {"bank_hash", std::string(name_of(c.bank_hash))},
           {"page_policy", std::string(name_of(c.page_policy))},
           {"refresh", std::string(name_of(c.refresh))},
           {"queue_depth", text(c.queue_depth)},
           {"write_queue_depth", text(c.write_queue_depth)},
           {"write_drain_high", text(c.write_drain_high)},
           {"write_drain_low", text(c.write_drain_low)},
           {"bank_queue_depth", text(c.bank_queue_depth)},
           {"starvation_cap", text(c.starvation_cap)},
           {"controller_latency_ns", text(c.controller_latency_ns)}}};
}

/// One row of the peak table: a figure per core cycle and per second.
struct Peak {
  std::string_view name;
  double bytes_per_cycle;
};

double ports_bytes_per_cycle(const SramConfig& c) {
  return static_cast<double>(c.banks) * c.port_width_bytes;
}

/// Float types and the passes of their MACs; 0: the array has none.
std::array<std::pair<std::string_view, int>, 3> float_rates(const MacArrayConfig& c) {
  return {{{"float16", c.float16_cycles},
           {"bfloat16", c.bfloat16_cycles},
           {"float32", c.float32_cycles}}};
}

/// Whether an event of the energy table can happen on the array.
bool is_used(const MacArrayConfig& config, std::string_view event) {
  for (const auto& [name, cycles] : float_rates(config)) {
    if (event == fmt::format("mac_{}", name)) return cycles > 0;
  }
  return true;
}

std::string peak_figures(const NpuConfig& c) {
  const double core_hz = c.clock.frequency_mhz * 1e6;
  const auto macs = static_cast<double>(c.mac_array.macs_per_cycle());
  const double dram = c.dram.peak_bytes_per_second() / core_hz;
  const bool split_pad = c.scratchpad.ports == 2, split_acc = c.accumulator.ports == 2;
  const std::array<Peak, 9> peaks = {{
      {split_pad ? "scratchpad read" : "scratchpad read + write",
       ports_bytes_per_cycle(c.scratchpad)},
      {split_pad ? "scratchpad write" : "", ports_bytes_per_cycle(c.scratchpad)},
      {split_acc ? "accumulator read" : "accumulator read + write",
       ports_bytes_per_cycle(c.accumulator)},
      {split_acc ? "accumulator write" : "", ports_bytes_per_cycle(c.accumulator)},
      {"weight registers", static_cast<double>(c.mac_array.weight_load_bytes_per_cycle)},
      {"dma, one channel", static_cast<double>(c.dma.bus_width_bytes)},
      {"dma, all channels", static_cast<double>(c.dma.bus_width_bytes) * c.dma.channels},
      {"interconnect", static_cast<double>(c.interconnect.bytes_per_cycle)},
      {"dram, all channels", dram},
  }};
  std::string out = "peak\n";
  const auto line = std::back_inserter(out);
  fmt::format_to(line, "  {:<26} {:>14.10g}\n", "int8 MAC/cycle", macs);
  fmt::format_to(line, "  {:<26} {:>14.4f}\n", "int8 TOPS (2 op per MAC)", 2e-12 * macs * core_hz);
  fmt::format_to(line, "  {:<26} {:>14.4f}\n", "int16 TOPS",
                 2e-12 * macs * core_hz / c.mac_array.int16_cycles);
  for (const auto& [name, cycles] : float_rates(c.mac_array)) {
    if (cycles == 0) continue;
    fmt::format_to(line, "  {:<26} {:>14.4f}\n", fmt::format("{} TFLOPS", name),
                   2e-12 * macs * core_hz / cycles);
  }
  fmt::format_to(line, "  {:<26} {:>14}\n", "vector lanes/cycle", c.vector_unit.lanes);
  fmt::format_to(line, "  {:<26} {:>14}  {:>12}\n", "", "bytes/cycle", "GB/s");
  for (const Peak& peak : peaks) {
    if (peak.name.empty()) continue;
    fmt::format_to(line, "  {:<26} {:>14.3f}  {:>12.3f}\n", peak.name, peak.bytes_per_cycle,
                   peak.bytes_per_cycle * core_hz * 1e-9);
  }
  fmt::format_to(line, "  {:<26} {:>14.3f}  (below: bound by DRAM)\n", "ridge point MAC/DRAM byte",
                 macs / dram);
  fmt::format_to(line, "  {:<26} {:>14.10g}\n", "dram capacity MiB",
                 static_cast<double>(c.dram.capacity_bytes()) / (1024.0 * 1024.0));
  return out;
}

}  // namespace

std::vector<ResolvedSection> resolved_values(const NpuConfig& c) {
  const auto text = [](auto value) { return fmt::format("{}", value); };
  return {
      {"clock", {{"frequency_mhz", text(c.clock.frequency_mhz)}}},
      {"mac_array",
       {{"kind", std::string(name_of(c.mac_array.kind))},
        {"dataflow", std::string(name_of(c.mac_array.dataflow))},
        {"rows", text(c.mac_array.rows)},
        {"cols", text(c.mac_array.cols)},
        {"pixels", text(c.mac_array.pixels)},
        {"double_buffered_weights", text(c.mac_array.double_buffered_weights)},
        {"weight_load_bytes_per_cycle", text(c.mac_array.weight_load_bytes_per_cycle)},
        {"pipeline_latency_cycles", text(c.mac_array.pipeline_latency_cycles)},
        {"int16_cycles", text(c.mac_array.int16_cycles)},
        {"float16_cycles", text(c.mac_array.float16_cycles)},
        {"bfloat16_cycles", text(c.mac_array.bfloat16_cycles)},
        {"float32_cycles", text(c.mac_array.float32_cycles)},
        {"stripe_positions", text(c.mac_array.stripe_positions)},
        {"whole_block_loads", text(c.mac_array.whole_block_loads)},
        {"result_stream_entries", text(c.mac_array.result_stream_entries)},
        {"result_stream_latency_cycles", text(c.mac_array.result_stream_latency_cycles)},
        {"result_credit_latency_cycles", text(c.mac_array.result_credit_latency_cycles)}}},
      sram_section("scratchpad", c.scratchpad),
      sram_section("accumulator", c.accumulator),
      {"vector_unit",
       {{"lanes", text(c.vector_unit.lanes)},
        {"latency_cycles", text(c.vector_unit.latency_cycles)},
        {"pipelined", text(c.vector_unit.pipelined)},
        {"requantize_cycles", text(c.vector_unit.requantize_cycles)},
        {"elementwise_cycles", text(c.vector_unit.elementwise_cycles)},
        {"multiply_cycles", text(c.vector_unit.multiply_cycles)},
        {"pool_tap_cycles", text(c.vector_unit.pool_tap_cycles)},
        {"lut_cycles", text(c.vector_unit.lut_cycles)},
        {"reduce_cycles", text(c.vector_unit.reduce_cycles)},
        {"softmax_cycles", text(c.vector_unit.softmax_cycles)},
        {"function_cycles", text(c.vector_unit.function_cycles)},
        {"requantize.rounding", std::string(name_of(c.vector_unit.rounding))}}},
      {"dma",
       {{"channels", text(c.dma.channels)},
        {"bus_width_bytes", text(c.dma.bus_width_bytes)},
        {"max_outstanding", text(c.dma.max_outstanding)},
        {"max_burst_bytes", text(c.dma.max_burst_bytes)},
        {"setup_cycles", text(c.dma.setup_cycles)},
        {"pipelined_descriptors", text(c.dma.pipelined_descriptors)},
        {"load_completion_cycles", text(c.dma.load_completion_cycles)},
        {"full_rate_run_bytes", text(c.dma.full_rate_run_bytes)},
        {"long_run_beat_cycles", text(c.dma.long_run_beat_cycles)}}},
      {"sequencer",
       {{"queue_depth", text(c.sequencer.queue_depth)},
        {"fetch_buffer_instructions", text(c.sequencer.fetch_buffer_instructions)},
        {"dispatch_cycles", text(c.sequencer.dispatch_cycles)},
        {"program_memory", std::string(name_of(c.sequencer.program_memory))}}},
      {"interconnect",
       {{"bytes_per_cycle", text(c.interconnect.bytes_per_cycle)},
        {"latency_cycles", text(c.interconnect.latency_cycles)},
        {"max_outstanding_reads", text(c.interconnect.max_outstanding_reads)}}},
      dram_section(c.dram),
  };
}

std::string describe(const NpuConfig& c) {
  std::string out = fmt::format("{}\n", c.name);
  const auto line = std::back_inserter(out);
  if (!c.description.empty()) fmt::format_to(line, "{}\n", c.description);
  fmt::format_to(line, "file        {}\nfingerprint {}\n", c.path, c.fingerprint());
  for (const ResolvedSection& section : resolved_values(c)) {
    fmt::format_to(line, "\n{}\n", section.name);
    if (section.name == "dram") fmt::format_to(line, "  {:<30} {}\n", "device", c.dram.device);
    for (const auto& [key, value] : section.values) {
      fmt::format_to(line, "  {:<30} {}\n", key, value);
    }
  }
  fmt::format_to(line, "\nenergy\n  {:<30} {}\n  {:<30} {}\n", "technology", c.energy.technology,
                 "window_cycles", c.energy.window_cycles);
  for (std::size_t i = 0; i < c.energy.events.size() && i < kEnergyEventKeys.size(); ++i) {
    const EnergyRow& row = c.energy.events[i];
    if (!is_used(c.mac_array, kEnergyEventKeys[i])) continue;
    fmt::format_to(line, "  {:<30} {:>12.6g} pJ  {}\n", kEnergyEventKeys[i], row.picojoules,
                   name_of(row.source_class));
  }
  for (const LeakageRow& row : c.energy.leakage) {
    fmt::format_to(line, "  {:<30} {:>12.6g} mW  {}\n", row.component + " leakage", row.milliwatts,
                   name_of(row.source_class));
  }
  if (c.host) {
    fmt::format_to(
        line, "\nhost\n  {:<30} {:g}\n  {:<30} {:g}\n  {:<30} {:g}\n  {:<30} {:g}\n  {:<30} {:g}\n",
        "macs_per_second", c.host->macs_per_second, "elements_per_second",
        c.host->elements_per_second, "bytes_per_second", c.host->bytes_per_second, "call_us",
        c.host->call_us, "active_power_mw", c.host->active_power_mw);
  }
  if (c.calibration) {
    const CalibrationRecord& r = *c.calibration;
    fmt::format_to(line,
                   "\ncalibration\n  {:<30} {}\n  {:<30} {}\n  {:<30} {}\n  {:<30} {}\n  {:<30} "
                   "{}\n  {:<30} {}\n",
                   "rows", r.rows, "held_out_rows", r.held_out_rows, "mean_error_percent",
                   r.mean_error_percent, "interval_low_percent", r.interval_low_percent,
                   "interval_high_percent", r.interval_high_percent, "level_percent",
                   r.level_percent);
  }
  fmt::format_to(line, "\nsources\n");
  for (const ConfigSource& source : c.sources) {
    fmt::format_to(line, "  {:<38} {}\n",
                   source.key.empty() ? source.section : source.section + "." + source.key,
                   source.text);
  }
  fmt::format_to(line, "\n{}", peak_figures(c));
  return out;
}

}  // namespace npu

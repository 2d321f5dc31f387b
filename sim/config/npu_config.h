#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/fixed_point.h"

namespace npu {

/// Clock of the NPU core: sequencer, arrays, scratchpad, DMA. YAML section `clock`.
struct ClockConfig {
  double frequency_mhz = 0;
  [[nodiscard]] std::int64_t period_ps() const;  ///< Rounded to whole picoseconds.
};

enum class ArrayKind : std::uint8_t { kSystolic, kDotProduct };
enum class Dataflow : std::uint8_t { kWeightStationary, kOutputStationary, kInputStationary };

/// YAML section `mac_array`. `systolic`: rows × cols processing elements, one MAC each per cycle.
/// `dot_product`: `cols` output channels, each a dot product over `rows` input channels, for
/// `pixels` output positions at once. Peak = rows · cols · pixels MAC/cycle.
struct MacArrayConfig {
  ArrayKind kind = ArrayKind::kSystolic;
  Dataflow dataflow = Dataflow::kWeightStationary;
  int rows = 0, cols = 0;
  int pixels = 1;                       ///< dot_product only; 1 for systolic.
  bool double_buffered_weights = true;  ///< Shadow weight registers hide the preload.
  int weight_load_bytes_per_cycle = 0;  ///< Into the weight registers.
  int pipeline_latency_cycles = 0;  ///< From operand to accumulator beyond the array's own skew.
  int int16_cycles = 2;             ///< Passes per int16×int8 MAC.
  /// Passes per MAC of two floats of the type, sums in fp32; 0: the array has no such arithmetic.
  int float16_cycles = 0, bfloat16_cycles = 0, float32_cycles = 0;
  /// Output positions that all blocks of the reduction pass over before the next ones; 0: a tile's.
  int stripe_positions = 0;
  bool whole_block_loads = false;  ///< A partial block of weights loads as long as a whole one.
  /// Output positions that the array may be ahead of the vector unit; 0: no such stream.
  int result_stream_entries = 0;
  int result_stream_latency_cycles = 0;  ///< Last MAC of a stripe to its first entry.
  int result_credit_latency_cycles = 0;  ///< An entry taken to its place free at the array.

  [[nodiscard]] std::int64_t macs_per_cycle() const { return std::int64_t{rows} * cols * pixels; }
};

enum class Interleave : std::uint8_t { kWord, kBlock };

/// YAML sections `scratchpad` and `accumulator`.
struct SramConfig {
  std::int64_t capacity_bytes = 0;
  int banks = 1;
  int port_width_bytes = 0;  ///< Per bank and port [B/cycle].
  int ports = 1;             ///< 1: reads and writes share it; 2: one read and one write port.
  int latency_cycles = 1;    ///< Request to first data.
  Interleave interleave = Interleave::kWord;  ///< kWord: consecutive words in consecutive banks.
                                              ///< kBlock: banks are contiguous.
};

/// YAML section `vector_unit`.
struct VectorConfig {
  int lanes = 0;
  int latency_cycles = 0;  ///< Issue to first result.
  bool pipelined = false;  ///< The next instruction issues under the latency of this one.
  /// Cycles per element and lane of each operation class.
  double requantize_cycles = 1, elementwise_cycles = 1, multiply_cycles = 1, pool_tap_cycles = 1,
         lut_cycles = 1, reduce_cycles = 1, softmax_cycles = 1, function_cycles = 4;
  Rounding rounding = Rounding::kTfliteDouble;
};

/// YAML section `dma`.
struct DmaConfig {
  int channels = 2;
  int bus_width_bytes = 0;  ///< Per channel between scratchpad and interconnect [B/cycle].
  int max_outstanding = 0;  ///< Requests in flight per channel.
  int max_burst_bytes = 0;  ///< Longest request; none crosses a 4 KiB boundary.
  int setup_cycles = 0;     ///< Per descriptor.
  bool pipelined_descriptors = false;  ///< The next one's requests follow this one's directly.
  int load_completion_cycles = 0;      ///< Last byte of a load to its completion.
  /// Loads with longer runs (0: none) take long_run_beat_cycles per bus beat.
  int full_rate_run_bytes = 0;
  double long_run_beat_cycles = 1;
};

enum class ProgramMemory : std::uint8_t { kDram, kLocal };

/// YAML section `sequencer`.
struct SequencerConfig {
  int queue_depth = 0;                ///< Per engine.
  int fetch_buffer_instructions = 0;  ///< Prefetched ahead of dispatch.
  int dispatch_cycles = 1;
  ProgramMemory program_memory = ProgramMemory::kDram;  ///< Where the words are fetched from.
};

/// YAML section `interconnect`: the path between the DMA channels (and instruction fetch) and the
/// DRAM controllers.
struct InterconnectConfig {
  int bytes_per_cycle = 0;        ///< Over all requesters.
  int latency_cycles = 0;         ///< One way.
  int max_outstanding_reads = 0;  ///< Read requests in flight, all requesters; 0: no limit.
};

enum class PagePolicy : std::uint8_t { kOpen, kClosed };
enum class RefreshPolicy : std::uint8_t { kNone, kAllBank, kPerBank };

/// What the rank, bank group and bank of an address are XORed with, in this order from the low end:
/// nothing, the bits of the row, or those of the column (in bursts), the last also the row.
enum class BankHash : std::uint8_t { kNone, kColumn, kRow };
enum class DramKind : std::uint8_t { kJedec, kFixedLatency };

/// A memory without banks and rows; YAML mapping `fixed_latency` of the device. In clocks of
/// DramConfig::clock_mhz.
struct FixedLatencyConfig {
  std::int64_t capacity_bytes = std::int64_t{1} << 30;
  int beat_bytes = 8;
  int read_latency_clocks = 0;
  int read_clocks_per_256_beats = 256;
  int write_clocks_per_256_beats = 256;
  int write_response_clocks = 0;
};

/// A DRAM device and controller; YAML file named by `dram.device`, overridden by the keys beside
/// it. Timings in DRAM clock cycles, JEDEC names.
struct DramConfig {
  std::string device;  ///< Name of the device.
  DramKind kind = DramKind::kJedec;
  FixedLatencyConfig fixed_latency;  ///< kFixedLatency; the JEDEC values below then say nothing.
  double clock_mhz = 0;              ///< Command clock.
  int data_rate = 2;                 ///< Beats per clock.
  int channels = 1, ranks = 1, bank_groups = 1, banks_per_group = 1;
  std::int64_t rows = 0, columns = 0;  ///< Columns in device-width units.
  int bus_width_bits = 0;              ///< Per channel.
  int burst_length = 0;                ///< Beats.
  int tCL = 0, tCWL = 0, tRCD = 0, tRP = 0, tRAS = 0, tRRD_S = 0, tRRD_L = 0, tFAW = 0, tCCD_S = 0,
      tCCD_L = 0, tWR = 0, tWTR_S = 0, tWTR_L = 0, tRTP = 0, tRFC = 0, tRFCpb = 0, tREFI = 0,
      tRTRS = 0, tRREFD = 0;
  /// Fields from high to low address bits, e.g. "ro-ra-bg-ba-co-ch"; co may be split by a "co:n" of
  /// n bits below the rest of it.
  std::string address_mapping;
  BankHash bank_hash = BankHash::kNone;
  PagePolicy page_policy = PagePolicy::kOpen;
  RefreshPolicy refresh = RefreshPolicy::kAllBank;
  int queue_depth = 32;           ///< Reads the controller reorders over, per channel [bursts].
  int write_queue_depth = 32;     ///< Writes it collects, per channel [bursts].
  int write_drain_high = 26;      ///< Queued writes that start a drain.
  int write_drain_low = 6;        ///< Queued writes that end it if reads wait.
  int bank_queue_depth = 0;       ///< Bursts in a queue of each bank behind these; 0: none.
  int starvation_cap = 16;        ///< Row hits that may overtake the oldest request.
  int controller_latency_ns = 0;  ///< Both ways together, queue excluded.

  [[nodiscard]] std::int64_t burst_bytes() const {
    return kind == DramKind::kFixedLatency ? fixed_latency.beat_bytes
                                           : std::int64_t{bus_width_bits} / 8 * burst_length;
  }
  [[nodiscard]] std::int64_t capacity_bytes() const;
  [[nodiscard]] double peak_bytes_per_second() const;
  /// Clocks that the controller books commands ahead of the data bus: a row miss from its
  /// precharge, and kBatchBursts bursts.
  [[nodiscard]] std::int64_t lookahead_clocks() const;
  /// Least tREFI that leaves time for accesses between refreshes: the refresh itself, what may be
  /// booked ahead before and after it, and the recovery of a row.
  [[nodiscard]] std::int64_t least_refresh_interval() const;
  static constexpr int kBatchBursts = 4;
};

enum class SourceClass : std::uint8_t { kMeasured, kPublished, kDerived, kAssumed, kPlaceholder };

/// "measured", "published", …: as the energy tables and the ledger write it.
[[nodiscard]] std::string_view name_of(SourceClass source_class);

/// One row of the energy table: what an event costs, and where the figure is from.
struct EnergyRow {
  double picojoules = 0;
  SourceClass source_class = SourceClass::kAssumed;
  std::string source;
};
/// Static power of one component [mW].
struct LeakageRow {
  std::string component;
  double milliwatts = 0;
  SourceClass source_class = SourceClass::kAssumed;
  std::string source;
};

/// YAML file named by `energy.table`: `technology`, `events:` (every npu::Event by name),
/// `leakage:`.
struct EnergyConfig {
  std::string technology;
  std::vector<EnergyRow> events;  ///< Indexed by npu::Event.
  std::vector<LeakageRow> leakage;
  std::int64_t window_cycles = 1000;  ///< Power trace resolution; key `energy.window_cycles`.
};

/// Where a section's figures are from: `source` (key empty) or an entry of `sources`.
struct ConfigSource {
  std::string section, key, text;
};

/// How far predicted cycles were from measured ones when parameters of this NPU were fitted
/// (`npusim calibrate`). YAML section `calibration`, absent where nothing was fitted. A layer like
/// those measured has interval_low_percent ≤ (measured − predicted) / predicted ≤
/// interval_high_percent with a probability of level_percent.
struct CalibrationRecord {
  std::int64_t rows = 0;           ///< Measured layers that the parameters were fitted on.
  std::int64_t held_out_rows = 0;  ///< Measured layers that the fit did not see.
  double mean_error_percent = 0;   ///< Held-out rows: mean of |predicted − measured| / measured.
  double interval_low_percent = 0, interval_high_percent = 0;
  double level_percent = 0;
  std::string source;
};

/// The CPU beside the NPU, for operators that run there. YAML section `host`, absent where their
/// time is not modelled. An operator takes seconds().
struct HostConfig {
  double macs_per_second = 0, elements_per_second = 0, bytes_per_second = 0;
  double call_us = 0;          ///< To hand an operator over and back.
  double active_power_mw = 0;  ///< While it works, beyond its idle power.

  /// The call, and the longest of its multiply-accumulates, its elements and its bytes.
  [[nodiscard]] double seconds(double macs, double elements, double bytes) const {
    return call_us * 1e-6 + std::max({macs / macs_per_second, elements / elements_per_second,
                                      bytes / bytes_per_second});
  }
};

/// A whole NPU.
struct NpuConfig {
  std::string name, description, path;
  ClockConfig clock;
  MacArrayConfig mac_array;
  SramConfig scratchpad, accumulator;
  VectorConfig vector_unit;
  DmaConfig dma;
  SequencerConfig sequencer;
  InterconnectConfig interconnect;
  DramConfig dram;
  EnergyConfig energy;
  std::optional<HostConfig> host;
  std::optional<CalibrationRecord> calibration;
  std::vector<ConfigSource> sources;  ///< In the order of the file.

  /// Stable hash of every value above that influences a compiled program or its timing, as 16 hex
  /// digits.
  [[nodiscard]] std::string fingerprint() const;
};

/// Reads and checks a configuration file and the files that it names (relative to it).
/// @throws Error `file:line:column: key: what, got value`.
[[nodiscard]] NpuConfig load_npu_config(const std::string& path);
/// The same from memory; `path` is used in messages and to find the files that it names.
[[nodiscard]] NpuConfig parse_npu_config(std::string_view text, const std::string& path);

class YamlMap;
/// The same from a document that was read already.
[[nodiscard]] NpuConfig parse_npu_config(const YamlMap& in);

/// The resolved configuration and its peak figures as text (`npusim describe`).
[[nodiscard]] std::string describe(const NpuConfig& config);

}  // namespace npu

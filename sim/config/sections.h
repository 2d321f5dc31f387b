#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/yaml_map.h"
#include "sim/config/npu_config.h"

namespace npu {

/// Keys of an energy table's `events`, in the order of npu::Event (sim/stats/recorder.h, which this
/// folder must not include; a test compares the two).
inline constexpr std::array<std::string_view, 18> kEnergyEventKeys = {
    "mac_int8",         "mac_int16",        "weight_register_write", "scratchpad_read",
    "scratchpad_write", "accumulator_read", "accumulator_write",     "vector_op",
    "dma_byte",         "instruction",      "dram_activate",         "dram_read",
    "dram_write",       "dram_refresh",     "mac_float16",           "mac_bfloat16",
    "mac_float32",      "vector_float_op"};

/// A row that an energy table may leave out: it is then `factor` times another row.
struct DerivedEnergy {
  std::string_view key, from;
  double factor;
};
/// Ratios at 45 nm: float16 multiply 1.1 and float32 add 0.9, float32 multiply 3.7 and add 0.9,
/// int8 multiply 0.2 and int32 add 0.1, int32 multiply 3.1 and add 0.1 pJ (bfloat16: as float16).
/// Source: Horowitz, ISSCC 2014, figure 1.1.9.
inline constexpr std::array<DerivedEnergy, 4> kDerivedEnergies = {
    {{"mac_float16", "mac_int8", 2.0 / 0.3},
     {"mac_bfloat16", "mac_int8", 2.0 / 0.3},
     {"mac_float32", "mac_int8", 4.6 / 0.3},
     {"vector_float_op", "vector_op", 4.6 / 3.2}}};

/// Components of an energy table's `leakage`, in this order.
inline constexpr std::array<std::string_view, 7> kLeakageComponents = {
    "mac_array", "scratchpad", "accumulator", "vector_unit", "dma", "sequencer", "dram"};

inline constexpr std::array<std::string_view, 6> kAddressFields = {"ro", "ra", "bg",
                                                                   "ba", "co", "ch"};

[[nodiscard]] std::string_view name_of(ArrayKind kind);
[[nodiscard]] std::string_view name_of(Dataflow dataflow);
[[nodiscard]] std::string_view name_of(Interleave interleave);
[[nodiscard]] std::string_view name_of(Rounding rounding);
[[nodiscard]] std::string_view name_of(ProgramMemory memory);
[[nodiscard]] std::string_view name_of(DramKind kind);
[[nodiscard]] std::string_view name_of(PagePolicy policy);
[[nodiscard]] std::string_view name_of(RefreshPolicy policy);
[[nodiscard]] std::string_view name_of(BankHash hash);

/// Reads `source` (required, for the whole section) and `sources` (optional, text per key), and
/// appends them to `out`. Call when every other key has been read: `sources` may name those only.
void read_sources(const YamlMap& in, std::string_view section, std::vector<ConfigSource>& out);

// One section each; ranges and checks within the section. All throw Error.
[[nodiscard]] ClockConfig read_clock(const YamlMap& in);
[[nodiscard]] MacArrayConfig read_mac_array(const YamlMap& in);
[[nodiscard]] SramConfig read_sram(const YamlMap& in, std::int64_t least_bytes,
                                   std::int64_t most_bytes);
[[nodiscard]] VectorConfig read_vector_unit(const YamlMap& in);
[[nodiscard]] DmaConfig read_dma(const YamlMap& in);
[[nodiscard]] SequencerConfig read_sequencer(const YamlMap& in);
[[nodiscard]] InterconnectConfig read_interconnect(const YamlMap& in);

/// A DRAM device file. `sources`, where given, receives its source.
[[nodiscard]] DramConfig read_dram_device(const YamlMap& in, std::vector<ConfigSource>& sources);
/// The section `dram` of an NPU: the device file that it names, then the keys beside `device`.
[[nodiscard]] DramConfig read_dram(const YamlMap& in, std::vector<ConfigSource>& sources);

/// An energy table file.
[[nodiscard]] EnergyConfig read_energy_table(const YamlMap& in);
/// The section `energy` of an NPU: the table that it names and `window_cycles`.
[[nodiscard]] EnergyConfig read_energy(const YamlMap& in);

/// The section `calibration`.
[[nodiscard]] CalibrationRecord read_calibration(const YamlMap& in);
[[nodiscard]] HostConfig read_host(const YamlMap& in);

/// Opens the file that `key` names, relative to the file of `in`.
[[nodiscard]] YamlMap open_named_file(const YamlMap& in, std::string_view key);

/// Every resolved value that influences a program or its timing, as (section, [(key, value)]), in
/// the order of NpuConfig: what the fingerprint hashes and `describe` prints.
struct ResolvedSection {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string>> values;
};
[[nodiscard]] std::vector<ResolvedSection> resolved_values(const NpuConfig& config);

}  // namespace npu

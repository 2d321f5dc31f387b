#include <algorithm>
#include <array>
#include <bit>

#include "sim/base/error.h"
#include "sim/interchange/dropped_keys.h"
#include "sim/interchange/import_config.h"
#include "sim/interchange/npu_draft.h"
#include "sim/interchange/settings_file.h"

namespace npu::interchange {
namespace {

constexpr std::int64_t kKib = 1024;
constexpr std::int64_t kMaxKib = std::int64_t{256} * kKib;
constexpr std::int64_t kMaxWords = 1 << 20;
constexpr std::int64_t kSumBytes = 4;  ///< Of a partial sum here.

constexpr std::array kDropped = {
    DroppedKey{"architecture_presets.IfmapOffset", "addresses are the compiler's here"},
    DroppedKey{"architecture_presets.FilterOffset", "addresses are the compiler's here"},
    DroppedKey{"architecture_presets.OfmapOffset", "addresses are the compiler's here"},
    DroppedKey{"architecture_presets.MemoryBanks", "the banks are the DRAM device's here"},
    DroppedKey{"architecture_presets.ReadRequestBuffer", "used there with Ramulator's traces only"},
    DroppedKey{"architecture_presets.WriteRequestBuffer",
               "used there with Ramulator's traces only"},
    DroppedKey{"architecture_presets.SRAM_row_size", "energy there; the table has its own"},
    DroppedKey{"architecture_presets.SRAM_bank_size", "energy there; the table has its own"},
    DroppedKey{"architecture_presets.DRAM_row_size", "energy there; the table has its own"},
    DroppedKey{"architecture_presets.DRAM_bank_size", "energy there; the table has its own"},
    DroppedKey{"layout.IfmapCustomLayout", "the layout is the compiler's here"},
    DroppedKey{"layout.FilterCustomLayout", "the layout is the compiler's here"},
    DroppedKey{"layout.IfmapSRAMBankBandwidth", "used there with InterfaceBandwidth USER only"},
    DroppedKey{"layout.FilterSRAMBankBandwidth", "used there with InterfaceBandwidth USER only"},
    DroppedKey{"layout.IfmapSRAMBankNum", "used there with a custom layout only"},
    DroppedKey{"layout.IfmapSRAMBankPort", "used there with a custom layout only"},
    DroppedKey{"layout.FilterSRAMBankNum", "used there with a custom layout only"},
    DroppedKey{"layout.FilterSRAMBankPort", "used there with a custom layout only"},
    DroppedKey{"sparsity.SparsitySupport", "weights are dense here"},
    DroppedKey{"sparsity.SparseRep", "weights are dense here"},
    DroppedKey{"sparsity.OptimizedMapping", "weights are dense here"},
    DroppedKey{"sparsity.BlockSize", "weights are dense here"},
    DroppedKey{"sparsity.RandomNumberGeneratorSeed", "weights are dense here"},
    DroppedKey{"run_presets.UseRamulatorTrace", "the DRAM is simulated with the rest here"},
    DroppedKey{"run_presets.TimeLinearModel", "times are simulated here"},
    DroppedKey{"network_presets.TopologyCsvLoc", "--model names the topology here"},
    DroppedKey{"architecture_presets.Bandwidth", "used there with InterfaceBandwidth USER only"},
};

class ScaleSimImport {
 public:
  ScaleSimImport(std::string_view text, const std::string& file)
      : in_(SettingsFile::parse_ini(text, file)), origin_(origin_of(file, "SCALE-Sim")) {}

  ImportedConfig import() {
    read_array();
    read_memories();
    read_interface();
    NpuDraft& d = draft_;
    const Setting* run_name = in_.find("general.run_name");
    d.name = plain_name(run_name == nullptr ? "" : run_name->text, "scalesim");
    d.description = fmt::format("{}x{} systolic array, {}", d.rows, d.cols, origin_);
    d.clock_source = "assumed: SCALE-Sim counts cycles, 1 GHz makes them nanoseconds";
    constexpr double kAFew = 1.0 / 64;
    d.vector_lanes = 4096;
    d.requantize_cycles = kAFew;
    d.vector_source = "assumed: as fast as can be said, SCALE-Sim has no requantization";
    d.interconnect_source = "assumed: as fast as can be said, no limit there";
    ImportedConfig out{.yaml = d.yaml(), .notes = std::move(notes_)};
    add_dropped(in_, kDropped, out.notes);
    out.notes.push_back(in_.file() +
                        ": assumed: clock 1000 MHz, vector unit, DMA, sequencer and interconnect "
                        "without limits, the energies of edge");
    return out;
  }

 private:
  void note(const Setting& setting, const std::string& what) {
    notes_.push_back(fmt::format("{}: approximated: {}", in_.place(setting), what));
  }

  void read_array() {
    constexpr std::int64_t kMaxExtent = 1024;
    constexpr std::array<std::string_view, 3> kNames = {"ws", "os", "is"};
    constexpr std::array kDataflows = {Dataflow::kWeightStationary, Dataflow::kOutputStationary,
                                       Dataflow::kInputStationary};
    draft_.rows = in_.require_int("architecture_presets.ArrayHeight", 1, kMaxExtent);
    draft_.cols = in_.require_int("architecture_presets.ArrayWidth", 1, kMaxExtent);
    draft_.dataflow = kDataflows[in_.require_choice("architecture_presets.Dataflow", kNames)];
    draft_.double_buffered_weights = false;
    draft_.array_source =
        origin_ +
        "; the stationary operand enters a row per cycle, a fold begins when the one "
        "before has left the array; words of any type take one pass";
  }

  /// Version 1 writes the names without the unit.
  const Setting& size(const std::string& name) {
    const std::string with_unit = "architecture_presets." + name + "kB";
    const std::string without = "architecture_presets." + name;
    return in_.has(without) && !in_.has(with_unit) ? in_.require(without) : in_.require(with_unit);
  }

  void read_memories() {
    constexpr std::int64_t kLeastKib = 4;
    const Setting& ifmap = size("IfmapSramSz");
    const Setting& filter = size("FilterSramSz");
    const Setting& ofmap = size("OfmapSramSz");
    const std::int64_t sum = in_.integer(ifmap, 1, kMaxKib) + in_.integer(filter, 1, kMaxKib);
    if (sum < kLeastKib || sum > kMaxKib) {
      in_.fail_at(filter, fmt::format("makes {} KiB with the ifmap's, must be {} to {}", sum,
                                      kLeastKib, kMaxKib));
    }
    draft_.scratchpad = {sum * kKib,
                         origin_ + ": ifmap and filter SRAM together; ports without conflicts"};
    draft_.accumulator = {in_.integer(ofmap, 1, kMaxKib / kSumBytes) * kKib * kSumBytes,
                          origin_ + ": the words of the ofmap SRAM, 4 bytes a partial sum"};
    note(ifmap, "one scratchpad of ifmap and filter, divided by the mapper");
    note(filter, "one scratchpad of ifmap and filter, divided by the mapper");
    note(ofmap, "accumulators of as many partial sums, 4 bytes each");
  }

  void read_interface() {
    constexpr std::array<std::string_view, 2> kModes = {"CALC", "USER"};
    const bool is_user = in_.has("run_presets.InterfaceBandwidth") &&
                         in_.require_choice("run_presets.InterfaceBandwidth", kModes) == 1;
    if (is_user) return read_bandwidth();
    draft_.dram_keys =
        "  device: ../dram/hbm2_2000_x64.yaml\n  channels: 64\n  controller_latency_ns: 0\n"
        "  refresh: none\n";
    draft_.dram_source =
        "assumed: 1 TB/s; InterfaceBandwidth CALC has a memory that never stalls the array";
    if (const Setting* mode = in_.find("run_presets.InterfaceBandwidth")) {
      note(*mode, "a memory without stalls: 64 channels of HBM2 without refresh, 1 TB/s");
    }
  }

  /// Words per cycle of the ofmap and, where nothing else says, of ifmap and filter.
  std::int64_t words_per_cycle() {
    const Setting& setting = in_.require("architecture_presets.Bandwidth");
    Setting first = setting;
    first.text = setting.text.substr(0, setting.text.find(','));
    while (first.text.ends_with(' ')) first.text.pop_back();
    const std::int64_t words = in_.integer(first, 1, kMaxWords);
    if (first.text.size() < setting.text.size()) note(setting, "the first of the list for all");
    return words;
  }

  void read_bandwidth() {
    const std::int64_t writes = words_per_cycle();
    const std::int64_t reads =
        in_.get_int("layout.IfmapSRAMBankBandwidth", 1, kMaxWords).value_or(writes) +
        in_.get_int("layout.FilterSRAMBankBandwidth", 1, kMaxWords).value_or(writes);
    constexpr std::int64_t kBeats = 256, kLeastBeat = 64, kMostBeat = 4096;
    const auto fastest = static_cast<std::uint64_t>(std::max(reads, writes));
    const auto beat =
        std::clamp(static_cast<std::int64_t>(std::bit_ceil(fastest)), kLeastBeat, kMostBeat);
    const auto clocks = [&](std::int64_t words) {
      return std::max<std::int64_t>(1, (beat * kBeats + words / 2) / words);
    };
    draft_.dram_keys = fmt::format(
        "  device: ../dram/fixed_latency.yaml\n  fixed_latency:\n    capacity_bytes: {}\n"
        "    beat_bytes: {}\n    read_latency_clocks: 0\n    read_clocks_per_256_beats: {}\n"
        "    write_clocks_per_256_beats: {}\n    write_response_clocks: 0\n",
        std::int64_t{1} << 36, beat, clocks(reads), clocks(writes));
    draft_.dram_source = origin_ + ": InterfaceBandwidth USER; latency and order left out there";
    note(in_.require("architecture_presets.Bandwidth"),
         fmt::format("one stream of {} bytes per cycle for reads of ifmap and filter, one of {} "
                     "for writes, in bursts of {} bytes",
                     reads, writes, beat));
  }

  SettingsFile in_;
  std::string origin_;
  NpuDraft draft_;
  std::vector<std::string> notes_;
};

}  // namespace

ImportedConfig import_scalesim_config(std::string_view text, const std::string& file) {
  return ScaleSimImport(text, file).import();
}

}  // namespace npu::interchange

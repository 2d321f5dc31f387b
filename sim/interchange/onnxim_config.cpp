#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>

#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/interchange/dropped_keys.h"
#include "sim/interchange/import_config.h"
#include "sim/interchange/npu_draft.h"
#include "sim/interchange/settings_file.h"

namespace npu::interchange {
namespace {

constexpr std::int64_t kKib = 1024;
constexpr std::int64_t kMaxKib = std::int64_t{256} * kKib;
constexpr std::int64_t kSumBytes = 4;  ///< Of a partial sum here.
constexpr std::int64_t kMaxMhz = 5000;
constexpr std::int64_t kBitsPerByte = 8;

constexpr std::string_view kOneLatency = "the vector unit has one latency here, add_latency";
constexpr std::array kDropped = {
    DroppedKey{"sram_width", "the scratchpad has ports without conflicts"},
    DroppedKey{"mul_latency", kOneLatency},
    DroppedKey{"exp_latency", kOneLatency},
    DroppedKey{"gelu_latency", kOneLatency},
    DroppedKey{"mac_latency", kOneLatency},
    DroppedKey{"div_latency", kOneLatency},
    DroppedKey{"add_tree_latency", kOneLatency},
    DroppedKey{"softmax_latency", kOneLatency},
    DroppedKey{"layernorm_latency", kOneLatency},
    DroppedKey{"scalar_sqrt_latency", kOneLatency},
    DroppedKey{"scalar_add_latency", kOneLatency},
    DroppedKey{"scalar_mul_latency", kOneLatency},
    DroppedKey{"dram_req_size", "the burst of the DRAM device is its own"},
    DroppedKey{"dram_latency", "the DRAM's latency follows from its timings"},
    DroppedKey{"dram_size", "the DRAM device has its own capacity"},
    DroppedKey{"dram_print_interval", "output there"},
    DroppedKey{"core_print_interval", "output there"},
    DroppedKey{"icnt_print_interval", "output there"},
    DroppedKey{"icnt_config_path", "the interconnect is one link here"},
    DroppedKey{"layout", "the layout is the compiler's here"},
    DroppedKey{"scheduler", "one network at a time here"},
};

class OnnximImport {
 public:
  OnnximImport(std::string_view text, const std::string& file)
      : in_(SettingsFile::parse_json(text, file)),
        name_(std::filesystem::path(file).stem().string()),
        origin_(origin_of(file, "ONNXim")) {}

  ImportedConfig import() {
    read_core();
    read_memories();
    read_vector_unit();
    read_interconnect();
    read_dram();
    draft_.name = plain_name(name_, "onnxim");
    draft_.description = fmt::format("{}x{} systolic array, {}", draft_.rows, draft_.cols, origin_);
    ImportedConfig out{.yaml = draft_.yaml(), .notes = std::move(notes_)};
    add_dropped(in_, kDropped, out.notes);
    out.notes.push_back(in_.file() +
                        ": assumed: DMA and sequencer without limits, the energies of edge");
    return out;
  }

 private:
  void note(const Setting& setting, const std::string& what) {
    notes_.push_back(fmt::format("{}: approximated: {}", in_.place(setting), what));
  }

  void read_core() {
    constexpr std::int64_t kMaxExtent = 1024, kMaxCores = 1024;
    constexpr std::array<std::string_view, 2> kTypes = {"systolic_ws", "systolic_os"};
    constexpr std::array kDataflows = {Dataflow::kWeightStationary, Dataflow::kOutputStationary};
    const std::int64_t cores = in_.require_int("num_cores", 1, kMaxCores);
    if (cores > 1) note(in_.require("num_cores"), "one core here, with all of the memory's width");
    draft_.dataflow = kDataflows[in_.require_choice("core_type", kTypes)];
    draft_.frequency_mhz = static_cast<double>(in_.require_int("core_freq", 1, kMaxMhz));
    draft_.clock_source = origin_ + ": core_freq";
    draft_.rows = in_.require_int("core_height", 1, kMaxExtent);
    draft_.cols = in_.require_int("core_width", 1, kMaxExtent);
    draft_.array_source = origin_ + ": preload hidden behind the stream, one pass for any type";
    for (const Setting* setting : in_.unused()) {
      if (!setting->key.starts_with("partition.")) continue;
      note(*in_.find(setting->key), "one core here: no partitions");
    }
  }

  void read_memories() {
    constexpr std::int64_t kLeastKib = 4, kMaxElementBytes = 8;
    element_bytes_ = in_.require_int("precision", 1, kMaxElementBytes);
    note(in_.require("precision"), "the types are the network's here (--precision)");
    draft_.scratchpad = {in_.require_int("spad_size", kLeastKib, kMaxKib) * kKib,
                         origin_ + ": spad_size; banks and ports without conflicts"};
    const std::int64_t kib = in_.require_int("accum_spad_size", 1, kMaxKib / kSumBytes);
    // A whole number of 64-byte words.
    constexpr std::int64_t kWord = 64;
    draft_.accumulator = {ceil_div(kib * kKib / element_bytes_ * kSumBytes, kWord) * kWord,
                          origin_ + ": the elements of accum_spad_size, 4 bytes a partial sum"};
    note(in_.require("accum_spad_size"), "accumulators of as many partial sums, 4 bytes each");
  }

  void read_vector_unit() {
    constexpr std::int64_t kMaxBits = 1 << 22, kMaxLanes = 4096, kMaxLatency = 10'000;
    const std::int64_t bits = in_.require_int("vector_process_bit", 1, kMaxBits);
    const std::int64_t lane_bits = element_bytes_ * kBitsPerByte;
    const std::int64_t lanes = std::max<std::int64_t>(1, bits / lane_bits);
    draft_.vector_lanes = std::min(lanes, kMaxLanes);
    if (draft_.vector_lanes != lanes || bits % lane_bits != 0) {
      note(in_.require("vector_process_bit"), fmt::format("{} lanes", draft_.vector_lanes));
    }
    draft_.vector_latency_cycles = in_.get_int("add_latency", 0, kMaxLatency).value_or(0);
    draft_.vector_source = origin_ +
                           ": vector_process_bit over the bits of an element; "
                           "add_latency, one cycle per operation and lane assumed";
  }

  void read_interconnect() {
    constexpr std::array<std::string_view, 2> kTypes = {"simple", "booksim2"};
    constexpr std::int64_t kMaxLatency = 10'000, kMaxIcntMhz = 100'000;
    const bool is_simple = in_.require_choice("icnt_type", kTypes) == 0;
    const std::int64_t latency = in_.get_int("icnt_latency", 0, kMaxLatency).value_or(0);
    const std::int64_t mhz = in_.require_int("icnt_freq", 1, kMaxIcntMhz);
    const auto core = static_cast<std::int64_t>(draft_.frequency_mhz);
    draft_.interconnect_latency_cycles = std::min(ceil_div(latency * core, mhz), kMaxLatency);
    draft_.interconnect_source =
        origin_ + ": icnt_latency in core cycles; as wide as can be said (assumed)";
    if (!is_simple) {
      note(in_.require("icnt_type"), "a link of one latency, without the routers of booksim2");
    }
  }

  void read_dram() {
    constexpr std::array<std::string_view, 3> kTypes = {"simple", "ramulator", "ramulator2"};
    constexpr std::int64_t kMaxDramMhz = 10'000, kMaxChannels = 64;
    const std::size_t type = in_.require_choice("dram_type", kTypes);
    const std::int64_t mhz = in_.require_int("dram_freq", 1, kMaxDramMhz);
    const std::int64_t channels = in_.require_int("dram_channels", 1, kMaxChannels);
    if (type == 0) return read_simple_dram(mhz, channels);
    if (!std::has_single_bit(static_cast<std::uint64_t>(channels))) {
      in_.fail_at(in_.require("dram_channels"),
                  fmt::format("must be a power of two with Ramulator, got {}", channels));
    }
    const Setting* path = in_.find("dram_config_path");
    const std::string named = path == nullptr ? "" : path->text;
    const bool is_ddr4 = named.find("DDR4") != std::string::npos;
    const char* const device = is_ddr4 ? "ddr4_3200_x64" : "hbm2_2000_x64";
    draft_.dram_keys = fmt::format(
        "  device: ../dram/{}.yaml\n  clock_mhz: {}\n  channels: {}\n  controller_latency_ns: 0\n",
        device, mhz, channels);
    draft_.dram_source =
        fmt::format("{}: dram_freq and dram_channels; the device is assumed: {}", origin_, device);
    if (path != nullptr) {
      note(*path, fmt::format("the device {} in the place of that file", device));
    }
  }

  /// A request per clock and channel, answered after dram_latency clocks.
  void read_simple_dram(std::int64_t mhz, std::int64_t channels) {
    constexpr std::int64_t kMaxRequest = 4096, kMaxLatency = 1 << 20, kBeats = 256;
    const std::int64_t request = in_.require_int("dram_req_size", 1, kMaxRequest);
    const std::int64_t latency = in_.get_int("dram_latency", 0, kMaxLatency).value_or(0);
    if (!std::has_single_bit(static_cast<std::uint64_t>(request))) {
      in_.fail_at(in_.require("dram_req_size"),
                  fmt::format("must be a power of two, got {}", request));
    }
    const std::int64_t clocks = std::max<std::int64_t>(1, kBeats / channels);
    draft_.dram_keys = fmt::format(
        "  device: ../dram/fixed_latency.yaml\n  clock_mhz: {}\n  fixed_latency:\n"
        "    capacity_bytes: {}\n    beat_bytes: {}\n    read_latency_clocks: {}\n"
        "    read_clocks_per_256_beats: {}\n    write_clocks_per_256_beats: {}\n"
        "    write_response_clocks: {}\n",
        mhz, std::int64_t{1} << 36, request, latency, clocks, clocks, latency);
    draft_.dram_source =
        origin_ + ": dram_latency, and a request of dram_req_size per clock and channel each way";
    note(in_.require("dram_channels"),
         "one memory as fast as all channels, reads and writes apart");
  }

  SettingsFile in_;
  std::string name_, origin_;
  std::int64_t element_bytes_ = 1;  ///< There: of every tensor.
  NpuDraft draft_;
  std::vector<std::string> notes_;
};

}  // namespace

ImportedConfig import_onnxim_config(std::string_view text, const std::string& file) {
  return OnnximImport(text, file).import();
}

}  // namespace npu::interchange

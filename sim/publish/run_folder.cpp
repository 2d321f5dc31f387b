#include "sim/publish/run_folder.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <span>

#include "sim/base/csv.h"
#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/mapped_file.h"
#include "sim/base/yaml_map.h"

namespace npu::publish {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxTextBytes = std::int64_t{64} << 20;
constexpr std::int64_t kMaxTraceBytes = std::int64_t{8} << 30;
constexpr std::int64_t kMaxConfigBytes = std::int64_t{1} << 20;
constexpr std::size_t kMaxConfigFiles = 16;
constexpr std::size_t kMaxLayers = 100'000;
constexpr std::size_t kMaxComponents = 64;
constexpr std::int64_t kMaxCount = std::numeric_limits<std::int64_t>::max();
constexpr double kMaxEnergy = 1e30;
/// Two sums of the same figures, in other orders.
constexpr double kRoundingShare = 1e-6;

constexpr const char* kComponentPrefix = "energy_";
constexpr const char* kComponentSuffix = "_pj";

/// The files of one folder.
class FolderReader {
 public:
  explicit FolderReader(const std::string& path) : path_(path) {
    std::error_code error;
    if (!fs::is_directory(path, error)) fail("{}: no such folder", path);
    for (const char* name : {"summary.json", "layers.csv", "energy.csv", "trace.json"}) {
      if (!exists(name)) {
        fail("{}: the folder has no {}: it is not one that `npusim run --out` wrote", path, name);
      }
    }
  }

  RunFolder read() {
    out_.name = folder_name();
    out_.summary = read_summary(text("summary.json"), file("summary.json"));
    read_energy(CsvTable::load(file("energy.csv")));
    read_layers(CsvTable::load(file("layers.csv")));
    check_sums();
    const MappedFile trace(file("trace.json"), kMaxTraceBytes);
    out_.trace =
        read_trace({reinterpret_cast<const char*>(trace.bytes().data()), trace.bytes().size()},
                   file("trace.json"), out_.summary.clock_period_ps);
    read_memory();
    read_path();
    read_configuration();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string file(const std::string& name) const {
    return (fs::path(path_) / name).string();
  }
  [[nodiscard]] bool exists(const std::string& name) const {
    std::error_code error;
    return fs::exists(file(name), error);
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read_file(file(name), kMaxTextBytes);
  }
  /// Without trailing slashes; "." has the name of the folder it stands for.
  [[nodiscard]] std::string folder_name() const {
    std::error_code error;
    fs::path path = fs::path(path_).lexically_normal();
    if (path.filename().empty()) path = path.parent_path();
    if (path.filename() == "." || path.filename() == "..") path = fs::canonical(path_, error);
    return path.filename().string();
  }

  void read_energy(const CsvTable& in) {
    for (std::size_t row = 0; row < in.rows(); ++row) {
      EnergyFigures e{.component = in.text(row, "component"),
                      .event = in.text(row, "event"),
                      .source_class = in.text(row, "class"),
                      .source = in.text(row, "source"),
                      .count = count(in, row, "count"),
                      .per_event_pj = in.number(row, "energy_per_event_pj", 0, kMaxEnergy),
                      .energy_pj = in.number(row, "energy_pj", 0, kMaxEnergy)};
      if (std::ranges::find(out_.components, e.component) == out_.components.end()) {
        if (out_.components.size() == kMaxComponents) {
          fail("{}: more than {} components", in.place(row), kMaxComponents);
        }
        out_.components.push_back(e.component);
      }
      out_.energy.push_back(std::move(e));
    }
  }

  static std::uint64_t count(const CsvTable& in, std::size_t row, std::string_view column) {
    return static_cast<std::uint64_t>(in.integer(row, column, 0, kMaxCount));
  }

  static std::optional<double> sqnr(const CsvTable& in, std::size_t row) {
    const std::string& text = in.text(row, "float_sqnr_db");
    if (text.empty()) return std::nullopt;
    if (text == "inf") return std::numeric_limits<double>::infinity();
    if (text == "-inf") return -std::numeric_limits<double>::infinity();
    return in.number(row, "float_sqnr_db", -kMaxEnergy, kMaxEnergy);
  }

  void read_layers(const CsvTable& in) {
    if (in.rows() > kMaxLayers) fail("{}: more than {} layers", file("layers.csv"), kMaxLayers);
    for (std::size_t row = 0; row < in.rows(); ++row) {
      LayerFigures l{.name = in.text(row, "layer"),
                     .bound_by = in.text(row, "bound_by"),
                     .begin_cycle = count(in, row, "begin_cycle"),
                     .end_cycle = count(in, row, "end_cycle"),
                     .cycles = count(in, row, "cycles"),
                     .macs = count(in, row, "macs"),
                     .mac_busy_cycles = count(in, row, "mac_busy_cycles"),
                     .vector_busy_cycles = count(in, row, "vector_busy_cycles"),
                     .dma_busy_cycles = count(in, row, "dma_busy_cycles"),
                     .dram_read_bytes = count(in, row, "dram_read_bytes"),
                     .dram_write_bytes = count(in, row, "dram_write_bytes"),
                     .repeats = count(in, row, "repeats"),
                     .utilization = in.number(row, "utilization", 0, kMaxEnergy),
                     .energy_pj = in.number(row, "energy_pj", 0, kMaxEnergy),
                     .component_pj = {},
                     .differing = std::nullopt,
                     .sqnr_db = sqnr(in, row)};
      for (const std::string& component : out_.components) {
        l.component_pj.push_back(
            in.number(row, kComponentPrefix + component + kComponentSuffix, 0, kMaxEnergy));
      }
      if (!in.text(row, "integer_differing_elements").empty()) {
        l.differing = count(in, row, "integer_differing_elements");
      }
      out_.layers.push_back(std::move(l));
    }
  }

  /// Files that were put together from several runs do not add up.
  void check_sums() const {
    double energy = 0;
    for (const EnergyFigures& e : out_.energy) energy += e.energy_pj;
    const double total = out_.summary.total_energy_pj;
    if (std::abs(energy - total) > kRoundingShare * std::max(energy, total)) {
      fail("{}: its energy sums to {} pJ, total_energy_pj of summary.json is {}: not of one run",
           file("energy.csv"), energy, total);
    }
    std::uint64_t cycles = 0;
    for (const LayerFigures& l : out_.layers) cycles += l.cycles;
    if (!out_.layers.empty() && cycles != out_.summary.last_run_cycles) {
      fail(
          "{}: its layers sum to {} cycles, the last inference of summary.json has {}: not of one "
          "run",
          file("layers.csv"), cycles, out_.summary.last_run_cycles);
    }
  }

  void read_memory() {
    if (!exists("mapping.yaml")) {
      out_.memory.absent =
          "The run left no mapping.yaml: it took a program, or a network of several programs.";
      return;
    }
    const std::string yaml = read_file(file("mapping.yaml"), YamlMap::kMaxFileBytes);
    out_.memory.value = read_memory_use(yaml, file("mapping.yaml"), out_.trace);
    if (out_.memory.value->empty()) {
      out_.memory.value.reset();
      out_.memory.absent = "The mapping keeps nothing in the on-chip memories.";
    }
  }

  void read_path() {
    if (!exists("critical_path.csv")) {
      out_.path.absent =
          "The run left no critical_path.csv: it simulated repeated layers once, or several "
          "programs.";
      return;
    }
    std::vector<std::string> names;
    for (const LayerFigures& l : out_.layers) names.push_back(l.name);
    out_.path.value = report::summarize(
        report::read_critical_path(text("critical_path.csv"), file("critical_path.csv"), names));
  }

  void read_configuration() {
    std::vector<std::string> names;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_, error)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("config") && name.ends_with(".yaml")) names.push_back(name);
    }
    if (names.size() > kMaxConfigFiles) {
      fail("{}: more than {} files config*.yaml", path_, kMaxConfigFiles);
    }
    if (names.empty()) {
      out_.configuration.absent = "The run left no config.yaml.";
      return;
    }
    // config.yaml first, then the files that it names.
    std::ranges::sort(
        names, {}, [](const std::string& name) { return std::pair(name != "config.yaml", name); });
    out_.configuration.value.emplace();
    for (const std::string& name : names) {
      out_.configuration.value->push_back({name, read_file(file(name), kMaxConfigBytes)});
    }
  }

  std::string path_;
  RunFolder out_;
};

}  // namespace

RunFolder read_run_folder(const std::string& path) { return FolderReader(path).read(); }

std::vector<RunFolder> read_run_folders(const std::vector<std::string>& paths) {
  std::vector<RunFolder> out;
  std::map<std::string, int> times;
  for (const std::string& path : paths) {
    out.push_back(read_run_folder(path));
    const int seen = ++times[out.back().name];
    if (seen > 1) out.back().name += fmt::format(" ({})", seen);
  }
  return out;
}

}  // namespace npu::publish

#include "sim/vcd/vcd_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <systemc>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/vcd/waves.h"

namespace npu::vcd {
namespace {

namespace fs = std::filesystem;

/// Goes through the waves, an instant for each at which one changes, and one after the last.
class Player : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Player);
  Player(const sc_core::sc_module_name& name, const std::vector<Wave>& waves,
         std::uint64_t end_cycle, std::uint64_t period_ps)
      : sc_module(name), end_cycle_(end_cycle), period_ps_(period_ps), values_(waves.size()) {
    for (std::size_t i = 0; i < waves.size(); ++i) {
      values_[i] = waves[i].changes.front().value;
      for (const Wave::Change& change : waves[i].changes) {
        changes_.push_back({change.cycle, static_cast<std::uint32_t>(i), change.value});
      }
    }
    std::ranges::stable_sort(changes_, {}, &Change::cycle);
    SC_METHOD(step);
  }

  void trace_into(sc_core::sc_trace_file* file, const std::vector<Wave>& waves) const {
    for (std::size_t i = 0; i < waves.size(); ++i) {
      sc_core::sc_trace(file, values_[i], waves[i].name, waves[i].bits);
    }
  }

 private:
  struct Change {
    std::uint64_t cycle;
    std::uint32_t wave, value;
  };

  void step() {
    const std::uint64_t now = sc_core::sc_time_stamp().value() / period_ps_;
    while (next_ < changes_.size() && changes_[next_].cycle <= now) {
      values_[changes_[next_].wave] = changes_[next_].value;
      ++next_;
    }
    const std::uint64_t wake = next_ < changes_.size() ? changes_[next_].cycle : end_cycle_;
    if (wake > now) {
      next_trigger(sc_core::sc_time::from_value((wake - now) * period_ps_));
    } else if (!is_over_) {
      is_over_ = true;
      next_trigger(sc_core::sc_time::from_value(1));  // What is last is traced when time goes on.
    }
  }

  const std::uint64_t end_cycle_, period_ps_;
  std::vector<std::uint32_t> values_;
  std::vector<Change> changes_;
  std::size_t next_ = 0;
  bool is_over_ = false;
};

/// sc_trace tells on stdout which unit of time it takes.
class QuietReports {
 public:
  QuietReports()
      : before_(sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING)) {
  }
  QuietReports(const QuietReports&) = delete;
  QuietReports& operator=(const QuietReports&) = delete;
  ~QuietReports() { sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, before_); }

 private:
  sc_core::sc_actions before_;
};

std::string state_names() {
  std::string text = "state:";
  for (std::size_t b = 0; b < kBucketCount; ++b) {
    text += fmt::format(" {} {}{}", b, name_of(static_cast<Bucket>(b)),
                        b + 1 < kBucketCount ? "," : "");
  }
  return text;
}

/// Blanks in the place of the date; the header is within the first bytes.
void remove_date(std::fstream& file) {
  constexpr std::size_t kHead = 512;
  std::string head(kHead, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  file.clear();
  const std::string_view begin = "$date\n";
  const std::size_t from = head.find(begin);
  const std::size_t to = from == std::string::npos ? from : head.find("\n$end", from);
  NPU_CHECK(to != std::string::npos, "a VCD file begins with its date");
  const std::size_t text = from + begin.size();
  file.seekp(static_cast<std::streamoff>(text));
  file << std::string(to - text, ' ');
}

/// Takes off the instant after the end of the run that the file ends with; the end itself is there.
/// @return false if it does not end so: sc_trace does not say if it could write.
bool end_at(const std::string& path, std::uint64_t end_ps) {
  constexpr std::uintmax_t kTail = 1 << 20;  // More than all signals' values.
  const std::string beyond = fmt::format("#{}\n", end_ps + 1);
  const std::uintmax_t size = fs::file_size(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  std::string tail(std::min(size, kTail), '\0');
  file.seekg(static_cast<std::streamoff>(size - tail.size()));
  file.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  if (!file || !tail.ends_with(beyond)) return false;
  const std::string end = fmt::format("#{}\n", end_ps);
  const bool has_end = tail.find("\n" + end) != std::string::npos;
  file.close();
  fs::resize_file(path, size - beyond.size());
  if (has_end) return true;
  std::ofstream more(path, std::ios::app | std::ios::binary);
  more << end;
  more.close();
  return static_cast<bool>(more);
}

}  // namespace

VcdFile::VcdFile(std::string path)
    : path_(std::move(path)), trunk_(fmt::format("{}.{}.part", path_, getpid())) {
  std::error_code error;
  if (fs::is_directory(path_, error)) fail("{}: cannot write: is a folder", path_);
  try {
    write_file(other_name(), "");
  } catch (const Error&) {
    fail("{}: cannot write: its folder does not exist or takes no files", path_);
  }
}

VcdFile::~VcdFile() {
  std::error_code error;
  fs::remove(other_name(), error);
}

void VcdFile::write(const ActivityLog& log, std::int64_t clock_period_ps) {
  const std::vector<Wave> waves = waves_of(log);
  const std::uint64_t cycles = log.end_cycle - log.begin_cycle;
  const auto period = static_cast<std::uint64_t>(clock_period_ps);
  sc_core::sc_get_curr_simcontext()->reset();
  const QuietReports quiet;
  sc_core::sc_trace_file* trace = sc_core::sc_create_vcd_trace_file(trunk_.c_str());
  trace->set_time_unit(1, sc_core::SC_PS);
  {
    const Player player("npusim", waves, cycles, period);
    player.trace_into(trace, waves);
    sc_core::sc_write_comment(trace, state_names());
    sc_core::sc_start();
    sc_core::sc_close_vcd_trace_file(trace);
  }
  std::fstream file(other_name(), std::ios::in | std::ios::out | std::ios::binary);
  if (file) remove_date(file);
  file.close();
  if (!file || !end_at(other_name(), cycles * period)) fail("{}: cannot write it whole", path_);
}

void VcdFile::commit() {
  std::error_code error;
  fs::rename(other_name(), path_, error);
  if (error) fail("{}: cannot write: {}", path_, error.message());
}

}  // namespace npu::vcd

#include "sim/memory/sram.h"

#include <algorithm>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu {
namespace {

constexpr std::uint64_t ceil_div_u(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

}  // namespace

void PortBookings::split_at(std::uint64_t cycle) {
  if (steps_.empty()) {
    steps_.push_back({cycle, 0});
    return;
  }
  if (cycle >= steps_.back().until) {
    if (cycle > steps_.back().until) steps_.push_back({cycle, 0});
    return;
  }
  const auto at = std::lower_bound(steps_.begin(), steps_.end(), cycle,
                                   [](const Step& s, std::uint64_t c) { return s.until < c; });
  if (at->until != cycle) steps_.insert(at, {cycle, at->share});
}

void PortBookings::trim() {
  if (steps_.size() <= kMaxSteps) return;
  steps_.erase(steps_.begin(), steps_.end() - kMaxSteps / 2);
}

std::uint64_t PortBookings::book(std::uint64_t work, std::uint64_t start_cycle,
                                 std::uint64_t duration_cycles) {
  if (work == 0) return start_cycle;
  const std::uint64_t wanted =
      duration_cycles == 0 ? kWhole : std::min(kWhole, ceil_div_u(work, duration_cycles));
  trim();
  split_at(start_cycle);
  auto at = std::upper_bound(steps_.begin(), steps_.end(), start_cycle,
                             [](std::uint64_t c, const Step& s) { return c < s.until; });
  std::uint64_t from = start_cycle;
  std::uint64_t left = work;
  for (; at != steps_.end() && left > 0; ++at) {
    const std::uint64_t got = std::min(wanted, kWhole - at->share);
    if (got > 0) {
      const std::uint64_t needed = ceil_div_u(left, got);
      if (needed <= at->until - from) {
        const std::uint64_t end = from + needed;
        if (end != at->until) at = steps_.insert(at, {end, at->share});
        at->share += got;
        return end;
      }
      left -= got * (at->until - from);
      at->share += got;
    }
    from = at->until;
  }
  const std::uint64_t end = from + ceil_div_u(left, wanted);
  steps_.push_back({end, wanted});
  return end;
}

Sram::Sram(std::string name, const SramConfig& config, bool with_data)
    : name_(std::move(name)),
      config_(config),
      bank_bytes_(ceil_div(config.capacity_bytes, config.banks)),
      data_(with_data ? static_cast<std::size_t>(config.capacity_bytes) : 0),
      ports_(static_cast<std::size_t>((config.interleave == Interleave::kWord ? 1 : config.banks) *
                                      config.ports)) {
  NPU_CHECK(config.capacity_bytes > 0 && config.banks > 0 && config.port_width_bytes > 0 &&
                (config.ports == 1 || config.ports == 2),
            "an SRAM needs capacity, banks and one or two ports");
}

std::uint64_t Sram::book(bool is_write, std::int64_t low, std::int64_t high, std::int64_t bytes,
                         std::uint64_t start_cycle, std::uint64_t duration_cycles) {
  const SramStream stream{.is_write = is_write, .low = low, .high = high, .bytes = bytes};
  return book({&stream, 1}, start_cycle, duration_cycles);
}

std::uint64_t Sram::book(std::span<const SramStream> streams, std::uint64_t start_cycle,
                         std::uint64_t duration_cycles) {
  const bool by_block = config_.interleave == Interleave::kBlock;
  work_.assign(ports_.size(), 0);
  for (const SramStream& s : streams) {
    NPU_CHECK(s.low >= 0 && s.low <= s.high && s.high <= config_.capacity_bytes && s.bytes >= 0,
              "a stream leaves its memory");
    if (s.bytes == 0 || s.low == s.high) continue;
    const std::int64_t first = by_block ? s.low / bank_bytes_ : 0;
    const std::int64_t last = by_block ? (s.high - 1) / bank_bytes_ : 0;
    const std::int64_t touched = by_block ? last - first + 1 : config_.banks;
    const std::uint64_t work = ceil_div_u(
        static_cast<std::uint64_t>(s.bytes) * PortBookings::kWhole,
        static_cast<std::uint64_t>(touched) * static_cast<std::uint64_t>(config_.port_width_bytes));
    const std::int64_t port = config_.ports == 2 && s.is_write ? 1 : 0;
    for (std::int64_t bank = first; bank <= last; ++bank) {
      work_[static_cast<std::size_t>(bank * config_.ports + port)] += work;
    }
  }
  std::uint64_t end = start_cycle + duration_cycles;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    end = std::max(end, ports_[i].book(work_[i], start_cycle, duration_cycles));
  }
  return end;
}

}  // namespace npu

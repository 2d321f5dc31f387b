#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/memory/dram_banks.h"

namespace npu {

/// A burst waiting at a controller.
struct DramBurst {
  std::uint32_t bank = 0, row = 0;  ///< Flat bank of the channel.
  bool is_write = false;
  DramClock arrival = 0;      ///< At the controller.
  std::uint32_t request = 0;  ///< The caller's.
  int overtaken = 0;          ///< Row hits that came later and went first.
};

/// The controller of one channel: FR-FCFS over a bounded queue.
///
/// Of the queued bursts the one whose column command can be earliest goes next; of equals a hit of
/// an open row before a miss, then the older. A row with queued hits is not closed. A burst that
/// starvation_cap row hits have overtaken goes before all. Column commands are issued in that
/// order; activates run ahead of them, up to tRP + tRCD + max(tCL, tCWL) + burst before the data
/// bus is free, so that banks open while others transfer. A burst leaves the queue when its
/// commands are booked. Closed pages: precharge with the last queued hit of a row. Decisions are
/// made kBatchBursts bursts ahead of need, to save simulation events: what arrives meanwhile cannot
/// overtake those. Not modelled: write draining by watermark, gaps on the data bus filled by later
/// bursts. Source: Rixner et al., Memory Access Scheduling, ISCA 2000 (first ready, first come
/// first served).
class DramScheduler {
 public:
  /// @throws Error if the refresh interval leaves no time to access a bank.
  explicit DramScheduler(const DramConfig& config);

  /// Whether the queue has a free entry, counting bursts on their way to the controller.
  [[nodiscard]] bool has_room() const {
    return queue_.size() + reads_.size() + writes_.size() < depth_;
  }
  /// Puts a burst on its way; it waits in front of a full queue. Reads arrive in the order pushed,
  /// and so do writes.
  void push(const DramBurst& burst) { (burst.is_write ? writes_ : reads_).push_back(burst); }

  /// One burst that has been booked.
  struct Issue {
    DramBurst burst;
    BurstTimes times;
    DramClock wanted_since = 0;  ///< From when on the channel had work that led here.
  };
  /// Books what can be booked at `now`, appending to `issues`. @return when to call again; kNever
  /// if nothing waits.
  [[nodiscard]] DramClock run(DramClock now, std::vector<Issue>& issues);

  /// The earliest instant at which a burst arriving at `arrival` needs run().
  [[nodiscard]] DramClock wake_for(DramClock arrival) const;

  [[nodiscard]] DramBanks& banks() { return banks_; }
  [[nodiscard]] const DramBanks& banks() const { return banks_; }

 private:
  static constexpr DramClock kBatchBursts = 4;

  struct Choice {
    std::size_t index = 0;
    BurstTimes times{.column = kNever};
  };
  void refill(DramClock now);
  [[nodiscard]] DramClock next_arrival() const;
  [[nodiscard]] Choice choose(DramClock now);
  void consider_hits(DramClock now, Choice& best);
  void consider_misses(DramClock now, Choice& best);
  /// True the first time per choice that a key is asked for.
  [[nodiscard]] bool first_look(std::size_t key) {
    if (looked_[key] == choice_number_) return false;
    looked_[key] = choice_number_;
    return true;
  }
  [[nodiscard]] bool is_last_hit(std::size_t index) const;
  void issue(const Choice& choice, std::vector<Issue>& issues);

  const std::size_t depth_;
  const int starvation_cap_;
  const bool closed_page_;
  const DramClock lookahead_, batch_;
  DramBanks banks_;
  std::deque<DramBurst> reads_, writes_;  ///< On their way, by arrival.
  std::vector<DramBurst> queue_;          ///< By age.
  /// Per bank, for hits in each direction and for misses: the choice it was last looked at for.
  std::vector<std::uint32_t> looked_;
  std::uint32_t choice_number_ = 0;
};

}  // namespace npu

#include "sim/memory/dram_activity.h"

#include <algorithm>

namespace npu {

DramActivity::DramActivity(const DramConfig& config, const ClockRatio& to_core, Recorder& recorder,
                           std::uint32_t track)
    : activate_clocks_(config.tRCD), to_core_(to_core), recorder_(recorder), track_(track) {}

void DramActivity::append(Bucket bucket, std::uint64_t until) {
  if (until <= last_until_) return;
  last_until_ = until;
  if (!ahead_.empty() && ahead_.back().bucket == bucket) {
    ahead_.back().until = until;
  } else {
    ahead_.push_back({bucket, until});
  }
}

void DramActivity::add_gap(const DramScheduler::Issue& issue, const DramBanks& banks) {
  const BurstTimes& t = issue.times;
  const auto until = [this, &t](Bucket bucket, DramClock clock) {
    append(bucket, cycle_of(std::min(clock, t.data_start)));
  };
  until(Bucket::kIdle, issue.wanted_since);
  const DramBanks::Interval refresh = banks.last_refresh(issue.burst.bank);
  if (refresh.end > std::max(data_end_, issue.wanted_since) && refresh.end <= t.data_start) {
    until(Bucket::kWaitDram, refresh.begin);
    until(Bucket::kRefresh, refresh.end);
  }
  if (t.activate >= 0) {
    until(Bucket::kWaitDram, t.precharge >= 0 ? t.precharge : t.activate);
    until(Bucket::kRowMiss, t.activate + activate_clocks_);
  }
  until(Bucket::kWaitDram, t.data_start);
}

void DramActivity::add(const DramScheduler::Issue& issue, std::int32_t layer,
                       const DramBanks& banks) {
  const BurstTimes& t = issue.times;
  if (t.data_start > data_end_) add_gap(issue, banks);
  data_end_ = t.data_end;
  queues_.add(issue.burst.is_write, cycle_of(t.column), -1);
  const std::uint64_t begin = cycle_of(t.data_start);
  const std::uint64_t end = cycle_of(t.data_end);
  append(Bucket::kBusy, end);
  if (begin > span_end_) {
    end_span();
    span_begin_ = begin;
  }
  span_end_ = end;

  if (layer != layer_ || begin > count_begin_ + kFlushCycles) flush_counters();
  if (reads_ + writes_ == 0) count_begin_ = begin;
  count_end_ = end;
  layer_ = layer;
  ++(issue.burst.is_write ? writes_ : reads_);
  if (t.activate >= 0) ++activates_;
}

void DramActivity::flush_counters() {
  if (reads_ + writes_ == 0) return;
  recorder_.count(Event::kDramActivate, activates_, layer_, count_begin_, count_end_);
  recorder_.count(Event::kDramRead, reads_, layer_, count_begin_, count_end_);
  recorder_.count(Event::kDramWrite, writes_, layer_, count_begin_, count_end_);
  activates_ = reads_ = writes_ = 0;
  count_begin_ = count_end_;
}

void DramActivity::count_refreshes(const DramBanks& banks, std::uint64_t cycle) {
  const std::uint64_t count = banks.refresh_count();
  if (count == refreshes_) return;
  const std::uint64_t end = std::max(cycle, refreshed_until_);
  recorder_.count(Event::kDramRefresh, count - refreshes_, -1, refreshed_until_, end);
  refreshes_ = count;
  refreshed_until_ = end;
}

void DramActivity::settle(std::uint64_t cycle) {
  std::size_t done = 0;
  for (; done < ahead_.size(); ++done) {
    timeline_.advance(ahead_[done].bucket, std::min(ahead_[done].until, cycle));
    if (ahead_[done].until > cycle) break;
  }
  ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(done));
}

void DramActivity::end_span() {
  if (span_end_ > span_begin_) {
    recorder_.span({track_, -1, span_begin_, span_end_});
  }
  span_begin_ = span_end_;
}

void DramActivity::close(std::uint64_t cycle) {
  settle(cycle);
  timeline_.advance(Bucket::kIdle, cycle);
  last_until_ = std::max(last_until_, cycle);
  flush_counters();
  end_span();
}

}  // namespace npu

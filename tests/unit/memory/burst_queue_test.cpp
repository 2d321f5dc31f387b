#include "sim/memory/burst_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace npu {
namespace {

constexpr std::uint32_t kBanks = 70;  // More than a word of bits.

/// What BurstQueue promises, by search.
struct Plain {
  struct Entry {
    BurstQueue::Slot slot;
    DramBurst burst;
  };
  std::vector<Entry> entries;  ///< By age.
  std::map<std::uint32_t, std::int64_t> open_row;
  std::map<std::uint32_t, int> overtaken;
  int cap = 0;

  [[nodiscard]] std::int64_t row_of(std::uint32_t bank) const {
    const auto found = open_row.find(bank);
    return found == open_row.end() ? -1 : found->second;
  }
  [[nodiscard]] const Entry& next_of(std::uint32_t bank) const {
    const Entry* oldest = nullptr;
    for (const Entry& e : entries) {
      if (e.burst.bank != bank) continue;
      if (oldest == nullptr) oldest = &e;
      const auto count = overtaken.find(bank);
      const bool capped = count != overtaken.end() && count->second >= cap;
      if (!capped && std::int64_t{e.burst.row} == row_of(bank)) return e;
    }
    return *oldest;
  }
  void erase(BurstQueue::Slot slot) {
    const auto at = std::find_if(entries.begin(), entries.end(),
                                 [slot](const Entry& e) { return e.slot == slot; });
    const std::uint32_t bank = at->burst.bank;
    const auto first = std::find_if(entries.begin(), entries.end(),
                                    [bank](const Entry& e) { return e.burst.bank == bank; });
    overtaken[bank] = first == at ? 0 : overtaken[bank] + 1;
    entries.erase(at);
  }
};

void expect_same(const BurstQueue& queue, const Plain& plain) {
  ASSERT_EQ(queue.size(), plain.entries.size());
  if (plain.entries.empty()) return;
  EXPECT_EQ(queue.oldest(), plain.entries.front().slot);
  std::set<std::uint32_t> hits;
  queue.hits().for_each([&](std::uint32_t bank) {
    hits.insert(bank);
    EXPECT_EQ(queue.next_of(bank), plain.next_of(bank).slot);
    EXPECT_EQ(queue.next_order(bank), queue.order(queue.next_of(bank)));
  });
  std::set<BurstQueue::Slot> misses;
  queue.misses().for_each([&](std::uint32_t bank) {
    misses.insert(queue.next_of(bank));
    EXPECT_EQ(queue.next_order(bank), queue.order(queue.next_of(bank)));
  });
  std::set<BurstQueue::Slot> expected;
  std::set<std::uint32_t> expected_hits;
  for (const Plain::Entry& e : plain.entries) {
    if (plain.next_of(e.burst.bank).slot != e.slot) continue;
    if (std::int64_t{e.burst.row} == plain.row_of(e.burst.bank)) {
      expected_hits.insert(e.burst.bank);
    } else {
      expected.insert(e.slot);
    }
  }
  EXPECT_EQ(hits, expected_hits);
  EXPECT_EQ(misses, expected);
  EXPECT_EQ(queue.misses().empty(), expected.empty());
}

TEST(BurstQueue, EqualsASearchAfterEveryOperation) {
  for (const int cap : {1, 3, 1000}) {
    std::mt19937 random(static_cast<unsigned>(cap));
    BurstQueue queue(24, kBanks, cap);
    Plain plain;
    plain.cap = cap;
    for (int i = 0; i < 5000; ++i) {
      const auto bank = static_cast<std::uint32_t>(random() % 4 * 23);  // Few, in both words.
      const auto row = static_cast<std::uint32_t>(random() % 3);
      switch (random() % 3) {
        case 0:
          if (queue.full()) break;
          queue.push({.bank = bank, .row = row});
          plain.entries.push_back({BurstQueue::kNone, {.bank = bank, .row = row}});
          // Its slot: the youngest is the last of the bursts in the order of age.
          for (BurstQueue::Slot s = 24 + kBanks; s-- > 0;) {
            if (queue.order(s) + 1 == queue.pushed()) plain.entries.back().slot = s;
          }
          break;
        case 1:
          queue.set_open_row(bank, std::int64_t{row} - 1);
          plain.open_row[bank] = std::int64_t{row} - 1;
          break;
        default: {
          BurstQueue::Slot hit = BurstQueue::kNone;
          queue.hits().for_each([&](std::uint32_t b) { hit = queue.next_of(b); });
          if (hit == BurstQueue::kNone) break;
          queue.erase(hit);
          plain.erase(hit);
        }
      }
      expect_same(queue, plain);
    }
  }
}

TEST(BurstQueue, ABurstWhoseRowIsOpenedLeavesItsPlace) {
  BurstQueue queue(2, 4, 16);
  queue.push({.bank = 0, .row = 1});
  queue.push({.bank = 1, .row = 1});
  EXPECT_TRUE(queue.full());
  queue.open_row_for(queue.next_of(0));
  EXPECT_TRUE(queue.opened().contains(0));
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.size(), 2U);
  queue.push({.bank = 2, .row = 1});
  EXPECT_TRUE(queue.full());
  queue.set_open_row(0, -1);  // A refresh closes the row again.
  EXPECT_TRUE(queue.opened().empty());
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(queue.places_taken(), 3U);
}

TEST(BurstQueue, FindsTheYoungestBurstOfAPlace) {
  BurstQueue queue(4, 4, 16);
  queue.push({.bank = 1, .row = 2, .column = 3});
  queue.push({.bank = 1, .row = 2, .column = 3});
  queue.push({.bank = 1, .row = 2, .column = 4});
  EXPECT_EQ(queue.order(queue.find(1, 2, 3)), 1U);
  EXPECT_EQ(queue.find(1, 3, 3), BurstQueue::kNone);
  EXPECT_EQ(queue.find(0, 2, 3), BurstQueue::kNone);
  EXPECT_EQ(queue.count_on_row(1, 2), 3);
}

}  // namespace
}  // namespace npu

#include "sim/memory/dram_banks.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/memory/fixtures.h"

namespace npu {
namespace {

using test::ddr4_2400;

constexpr DramClock kBurst = 4;

/// Books bursts one after another at their earliest instants, from clock 0.
class Bench {
 public:
  explicit Bench(const DramConfig& config)
      : precharge_clocks_(config.tRP), banks_(config), rows_(banks_.bank_count(), -1) {}
  BurstTimes book(std::uint32_t bank, std::uint32_t row, bool is_write = false, DramClock now = 0,
                  bool auto_precharge = false) {
    if (rows_[bank] != row) {
      const DramClock at = banks_.earliest_activate(bank, now);
      banks_.book_activate(bank, row, at - precharge_clocks_, at);
    }
    const DramClock column = banks_.earliest_column(bank, banks_.outlook(is_write, now));
    rows_[bank] = auto_precharge ? -1 : std::int64_t{row};
    return banks_.book_column(bank, is_write, column, auto_precharge);
  }
  DramBanks& banks() { return banks_; }
  void refresh_until(DramClock now) {
    banks_.refresh_until(now);
    for (std::uint32_t i = 0; i < rows_.size(); ++i) {
      if (!banks_.is_open(i)) rows_[i] = -1;
    }
  }

 private:
  const DramClock precharge_clocks_;
  DramBanks banks_;
  std::vector<std::int64_t> rows_;
};

/// Each rule: the distance that `measure` finds must follow the parameter, N and N + 1.
template <typename Measure>
void expect_follows(int DramConfig::*parameter, int value, Measure measure) {
  DramConfig config = ddr4_2400();
  config.*parameter = value;
  EXPECT_EQ(measure(config), value);
  config.*parameter = value + 1;
  EXPECT_EQ(measure(config), value + 1);
}

TEST(DramBanks, ActivateToColumnIsTrcd) {
  expect_follows(&DramConfig::tRCD, 17, [](const DramConfig& c) {
    const BurstTimes t = Bench(c).book(0, 1);
    return t.column - t.activate;
  });
}

TEST(DramBanks, ColumnToDataIsTclOrTcwl) {
  expect_follows(&DramConfig::tCL, 17, [](const DramConfig& c) {
    const BurstTimes t = Bench(c).book(0, 1, false);
    return t.data_start - t.column;
  });
  expect_follows(&DramConfig::tCWL, 12, [](const DramConfig& c) {
    const BurstTimes t = Bench(c).book(0, 1, true);
    return t.data_start - t.column;
  });
}

TEST(DramBanks, PrechargeToActivateIsTrp) {
  expect_follows(&DramConfig::tRP, 17, [](const DramConfig& c) {
    Bench bench(c);
    (void)bench.book(0, 1);
    const BurstTimes t = bench.book(0, 2);
    return t.activate - t.precharge;
  });
}

TEST(DramBanks, ActivateToPrechargeIsTras) {
  expect_follows(&DramConfig::tRAS, 39, [](const DramConfig& c) {
    Bench bench(c);
    const BurstTimes first = bench.book(0, 1);
    return bench.book(0, 2).precharge - first.activate;
  });
}

TEST(DramBanks, ActivatesOfOneBankAreTrcApart) {
  Bench bench(ddr4_2400());
  const BurstTimes first = bench.book(0, 1);
  EXPECT_EQ(bench.book(0, 2).activate - first.activate, 39 + 17);
}

TEST(DramBanks, ReadToPrechargeIsTrtp) {
  expect_follows(&DramConfig::tRTP, 30, [](const DramConfig& c) {
    Bench bench(c);
    const BurstTimes first = bench.book(0, 1);
    return bench.book(0, 2).precharge - first.column;
  });
}

TEST(DramBanks, WriteRecoveryIsTwrAfterTheData) {
  expect_follows(&DramConfig::tWR, 18, [](const DramConfig& c) {
    Bench bench(c);
    const BurstTimes first = bench.book(0, 1, true);
    EXPECT_EQ(first.data_end, first.column + 12 + kBurst);
    return bench.book(0, 2).precharge - first.data_end;
  });
}

TEST(DramBanks, ColumnsAreTccdLInAGroupAndTccdSBetweenGroups) {
  const auto gap_to = [](std::uint32_t bank) {
    return [bank](const DramConfig& c) {
      Bench bench(c);
      (void)bench.book(bank, 1);
      const BurstTimes first = bench.book(0, 1, false, 1000);
      return bench.book(bank, 1, false, 1000).column - first.column;
    };
  };
  expect_follows(&DramConfig::tCCD_L, 6, gap_to(1));
  expect_follows(&DramConfig::tCCD_S, 5, gap_to(4));
  EXPECT_EQ(gap_to(4)(ddr4_2400()), kBurst);
}

TEST(DramBanks, ActivatesAreTrrdLInAGroupAndTrrdSBetweenGroups) {
  const auto gap_to = [](std::uint32_t bank) {
    return [bank](const DramConfig& c) {
      Bench bench(c);
      const BurstTimes first = bench.book(0, 1);
      return bench.book(bank, 1).activate - first.activate;
    };
  };
  expect_follows(&DramConfig::tRRD_L, 6, gap_to(1));
  expect_follows(&DramConfig::tRRD_S, 4, gap_to(4));
}

TEST(DramBanks, FifthActivateWaitsForTfaw) {
  expect_follows(&DramConfig::tFAW, 26, [](const DramConfig& c) {
    Bench bench(c);
    const BurstTimes first = bench.book(0, 1);
    for (std::uint32_t bank = 4; bank < 16; bank += 4) {
      EXPECT_EQ(bench.book(bank, 1).activate - first.activate, bank);
    }
    return bench.book(1, 1).activate - first.activate;
  });
}

TEST(DramBanks, OtherRankHasItsOwnActivateWindow) {
  DramConfig c = ddr4_2400();
  c.ranks = 2;
  Bench bench(c);
  for (std::uint32_t bank = 0; bank < 16; bank += 4) (void)bench.book(bank, 1);
  EXPECT_EQ(bench.book(16, 1).activate, 0);
}

TEST(DramBanks, WriteToReadIsTwtrAfterTheData) {
  const auto gap_to = [](std::uint32_t bank) {
    return [bank](const DramConfig& c) {
      Bench bench(c);
      (void)bench.book(bank, 1);
      const BurstTimes write = bench.book(0, 1, true, 1000);
      return bench.book(bank, 1, false, 1000).column - write.data_end;
    };
  };
  expect_follows(&DramConfig::tWTR_L, 9, gap_to(1));
  expect_follows(&DramConfig::tWTR_S, 3, gap_to(4));
}

TEST(DramBanks, BusTurnaroundAndRankSwitchCostTrtrs) {
  expect_follows(&DramConfig::tRTRS, 1, [](const DramConfig& c) {
    Bench bench(c);
    (void)bench.book(4, 1);
    const BurstTimes read = bench.book(0, 1, false, 1000);
    return bench.book(4, 1, true, 1000).data_start - read.data_end;
  });
  expect_follows(&DramConfig::tRTRS, 1, [](DramConfig c) {
    c.ranks = 2;
    Bench bench(c);
    (void)bench.book(16, 1);
    const BurstTimes read = bench.book(0, 1, false, 1000);
    return bench.book(16, 1, false, 1000).data_start - read.data_end;
  });
}

TEST(DramBanks, ClosedPageNeedsNoPrechargeCommandLater) {
  Bench bench(ddr4_2400());
  (void)bench.book(0, 1, false, 0, true);
  EXPECT_FALSE(bench.banks().is_open(0));
  const BurstTimes next = bench.book(0, 2, false, 1000);
  EXPECT_EQ(next.precharge, -1);
  EXPECT_EQ(next.activate, 1000);
}

TEST(DramBanks, AllBankRefreshClosesTheRankForTrfc) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kAllBank;
  Bench bench(c);
  (void)bench.book(0, 1);
  EXPECT_EQ(bench.banks().refresh_due(0), 9360);
  bench.refresh_until(9359);
  EXPECT_EQ(bench.banks().refresh_count(), 0U);
  bench.refresh_until(9360);
  EXPECT_EQ(bench.banks().refresh_count(), 1U);
  EXPECT_EQ(bench.banks().last_refresh(15).begin, 9360);  // Bank 0 was precharged in time.
  EXPECT_FALSE(bench.banks().is_open(0));
  EXPECT_EQ(bench.book(7, 1, false, 9360).activate, 9360 + 420);
}

TEST(DramBanks, PerBankRefreshLeavesTheOtherBanksAlone) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kPerBank;
  Bench bench(c);
  EXPECT_EQ(bench.banks().refresh_due(0), 9360 / 16);
  EXPECT_EQ(bench.banks().refresh_due(15), 9360);
  bench.refresh_until(9360 / 16);
  EXPECT_EQ(bench.banks().refresh_count(), 1U);
  EXPECT_EQ(bench.book(0, 1, false, 600).activate, 9360 / 16 + 120);
  EXPECT_EQ(bench.book(4, 1, false, 600).activate, 9360 / 16 + 120 + 4);  // tRRD_S only.
}

TEST(DramBanks, RefreshesOfLongIdleTimeAreCounted) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kAllBank;
  c.ranks = 2;
  DramBanks banks(c);
  banks.refresh_until(DramClock{9360} * 1'000'000);
  EXPECT_EQ(banks.refresh_count(), 2'000'000U);
  EXPECT_EQ(banks.refresh_due(16), DramClock{9360} * 1'000'001);
}

}  // namespace
}  // namespace npu

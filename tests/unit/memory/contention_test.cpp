// Who waits for whom, and how long: cases small enough for a closed form or a walk over cycles.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "sim/base/math.h"
#include "sim/memory/dma_descriptor.h"
#include "sim/memory/interconnect.h"
#include "sim/memory/sram.h"
#include "tests/unit/memory/dma_instructions.h"

namespace npu {
namespace {

constexpr bool kRead = false, kWrite = true;
constexpr std::int64_t kBankBytes = 4096;
constexpr int kWidth = 8;

SramConfig memory(int banks, Interleave interleave, int ports = 1) {
  return {.capacity_bytes = banks * kBankBytes,
          .banks = banks,
          .port_width_bytes = kWidth,
          .ports = ports,
          .latency_cycles = 1,
          .interleave = interleave};
}

/// Streams that begin together and last `duration`, each asking its banks for 1/parts of a port.
struct Streams {
  int count, parts;
  std::uint64_t duration;
};

/// Cycles that the streams of one bank wait, all together: `parts` fit beside each other, the next
/// ones begin when those are done.
std::uint64_t closed_form(const Streams& s, int first, int step) {
  std::uint64_t waited = 0;
  for (int i = first; i < s.count; i += step) {
    waited += s.duration * static_cast<std::uint64_t>(i / step / s.parts);
  }
  return waited;
}

TEST(Contention, WordInterleavingMakesAllStreamsShareAllBanks) {
  for (const int banks : {1, 2, 4, 8, 16}) {
    for (int count = 1; count <= 12; ++count) {
      for (const int parts : {1, 2, 4, 8}) {
        const Streams s{count, parts, 64};
        Sram sram("spm", memory(banks, Interleave::kWord), false);
        std::uint64_t waited = 0;
        for (int i = 0; i < count; ++i) {
          waited += sram.book(kRead, 0, kBankBytes, 64 * kWidth * banks / parts, 100, 64) - 164;
        }
        ASSERT_EQ(waited, closed_form(s, 0, 1)) << banks << " " << count << " " << parts;
      }
    }
  }
}

TEST(Contention, BlockInterleavingMakesStreamsShareTheirOwnBank) {
  for (const int banks : {1, 2, 4, 8, 16}) {
    for (int count = 1; count <= 40; ++count) {
      for (const int parts : {1, 2, 4}) {
        // Stream i has bank i mod banks for itself, but for every banks-th stream.
        const Streams s{count, parts, 64};
        Sram sram("spm", memory(banks, Interleave::kBlock), false);
        std::uint64_t waited = 0;
        for (int i = 0; i < count; ++i) {
          const std::int64_t low = i % banks * kBankBytes;
          waited += sram.book(kRead, low, low + kBankBytes, 64 * kWidth / parts, 100, 64) - 164;
        }
        std::uint64_t expected = 0;
        for (int bank = 0; bank < banks; ++bank) expected += closed_form(s, bank, banks);
        ASSERT_EQ(waited, expected) << banks << " " << count << " " << parts;
      }
    }
  }
}

TEST(Contention, OneMorePortFreesTheWritesFromTheReads) {
  // Full streams: on one port they follow each other, on two the k-th of each kind waits for the k
  // − 1 before it.
  for (int reads = 0; reads <= 6; ++reads) {
    for (int writes = 0; writes <= 6; ++writes) {
      for (const int ports : {1, 2}) {
        Sram sram("spm", memory(4, Interleave::kWord, ports), false);
        const auto waits = [&](bool is_write) {
          return sram.book(is_write, 0, kBankBytes, std::int64_t{50} * kWidth * 4, 0, 50) - 50;
        };
        std::uint64_t waited = 0;
        for (int i = 0; i < std::max(reads, writes); ++i) {
          if (i < reads) waited += waits(kRead);
          if (i < writes) waited += waits(kWrite);
        }
        const auto queue = [](int n) { return static_cast<std::uint64_t>(50 * n * (n - 1) / 2); };
        ASSERT_EQ(waited, ports == 1 ? queue(reads + writes) : queue(reads) + queue(writes))
            << reads << " reads, " << writes << " writes, " << ports << " ports";
      }
    }
  }
}

TEST(Contention, StreamsOfOneTransactionMoveOnInStep) {
  // A full stream and one of a sixteenth: 17/16 of the time together; one after the other the
  // second has to wait for all of the first, at its own pace.
  constexpr std::int64_t kFull = std::int64_t{64} * kWidth;
  const auto stream = [](bool is_write, std::int64_t low, std::int64_t bytes) {
    return SramStream{.is_write = is_write, .low = low, .high = low + kBankBytes, .bytes = bytes};
  };
  const std::array same_bank = {stream(kRead, 0, kFull), stream(kRead, 0, kFull / 16)};
  const std::array two_banks = {stream(kRead, 0, kFull), stream(kRead, kBankBytes, kFull / 16)};
  const std::array read_write = {stream(kRead, 0, kFull), stream(kWrite, 0, kFull / 16)};
  const auto end = [](const auto& streams, int ports) {
    Sram sram("spm", memory(2, Interleave::kBlock, ports), false);
    return sram.book(streams, 100, 64);
  };
  EXPECT_EQ(end(same_bank, 1), 100 + 68);
  EXPECT_EQ(end(two_banks, 1), 100 + 64);
  EXPECT_EQ(end(read_write, 1), 100 + 68);
  EXPECT_EQ(end(read_write, 2), 100 + 64);

  Sram sram("spm", memory(2, Interleave::kBlock), false);
  EXPECT_EQ(sram.book(kRead, 0, kBankBytes, kFull, 100, 64), 100 + 64);
  EXPECT_EQ(sram.book(kRead, 0, kBankBytes, kFull / 16, 100, 64), 100 + 128);
}

TEST(Contention, ASinglePortTurnsAroundWithoutACycleLost) {
  // A synchronous single-port SRAM reads or writes in each cycle as asked.
  Sram sram("spm", memory(1, Interleave::kWord), false);
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(sram.book(i % 2 == 0 ? kWrite : kRead, 0, kBankBytes, kWidth, 0, 1), i + 1);
  }
}

/// A port cycle by cycle: a stream takes its share of each, or what is left.
class PortWalk {
 public:
  std::uint64_t book(std::uint64_t work, std::uint64_t start, std::uint64_t duration) {
    const std::uint64_t whole = PortBookings::kWhole;
    const std::uint64_t wanted =
        duration == 0 ? whole : std::min(whole, (work + duration - 1) / duration);
    std::uint64_t cycle = start;
    for (std::uint64_t left = work; left > 0; ++cycle) {
      if (taken_.size() <= cycle) taken_.resize(cycle + 1);
      const std::uint64_t got = std::min(wanted, whole - taken_[cycle]);
      taken_[cycle] += got;
      left -= std::min(left, got);
    }
    return cycle;
  }

 private:
  std::vector<std::uint64_t> taken_;
};

TEST(Contention, RandomStreamsEqualAWalkOverCycles) {
  std::mt19937 random(5);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int round = 0; round < 300; ++round) {
    const int banks = 1 << pick(0, 4);
    const int ports = pick(1, 2);
    const Interleave interleave = pick(0, 1) != 0 ? Interleave::kWord : Interleave::kBlock;
    Sram sram("spm", memory(banks, interleave, ports), false);
    std::vector<PortWalk> walks(static_cast<std::size_t>(banks * ports));
    for (int i = 0; i < 14; ++i) {  // Few enough for every booking to be remembered.
      const std::int64_t low = pick(0, banks * static_cast<int>(kBankBytes) - 1);
      const std::int64_t high = std::min<std::int64_t>(
          banks * kBankBytes, low + pick(1, 3 * static_cast<int>(kBankBytes)));
      const std::int64_t bytes = pick(1, 3000);
      const auto start = static_cast<std::uint64_t>(pick(0, 200));
      const auto duration = static_cast<std::uint64_t>(pick(0, 120));
      const bool is_write = pick(0, 1) != 0;
      const bool by_word = interleave == Interleave::kWord;
      const std::int64_t first = by_word ? 0 : low / kBankBytes;
      const std::int64_t last = by_word ? banks - 1 : (high - 1) / kBankBytes;
      const auto work = static_cast<std::uint64_t>(ceil_div(
          bytes * static_cast<std::int64_t>(PortBookings::kWhole), (last - first + 1) * kWidth));
      std::uint64_t expected = start + duration;
      for (std::int64_t bank = first; bank <= last; ++bank) {
        const auto port = static_cast<std::size_t>(bank * ports + (is_write ? ports - 1 : 0));
        expected = std::max(expected, walks[port].book(work, start, duration));
      }
      ASSERT_EQ(sram.book(is_write, low, high, bytes, start, duration), expected)
          << "round " << round << " stream " << i;
    }
  }
}

TEST(Contention, LongRunsOfStreamsEqualAWalkOverCycles) {
  // Only the last bookings are remembered: enough for streams that begin in the order of booking,
  // up to 30 cycles early or late, beside one that lasts.
  std::mt19937 random(7);
  const auto pick = [&](int low, int high) {
    return static_cast<std::uint64_t>(std::uniform_int_distribution<int>(low, high)(random));
  };
  for (int round = 0; round < 20; ++round) {
    PortBookings port;
    PortWalk walk;
    const std::uint64_t background = PortBookings::kWhole / 4 * 20000;
    ASSERT_EQ(port.book(background, 0, 20000), walk.book(background, 0, 20000));
    std::uint64_t now = 30;
    while (now < 15000) {
      now += pick(0, 40);
      const std::uint64_t start = now + pick(0, 60) - 30;
      const std::uint64_t work = pick(1, 20) * PortBookings::kWhole;
      const std::uint64_t duration = pick(1, 80);
      ASSERT_EQ(port.book(work, start, duration), walk.book(work, start, duration))
          << "round " << round << " at " << start;
    }
  }
}

TEST(Contention, RequestsOfARunAreItsWindowsAndBursts) {
  // Windows of max(max_burst, burst) bytes counted from each 4 KiB boundary, and cut there.
  std::mt19937 random(6);
  for (int round = 0; round < 3000; ++round) {
    const std::int64_t burst = std::int64_t{16} << random() % 4;
    const std::int64_t request = burst * static_cast<std::int64_t>(1 + random() % 40);
    const auto low = static_cast<std::int64_t>(random() % 20000);
    const auto run = static_cast<std::int64_t>(1 + random() % 20000);
    const std::int64_t high = low + run;
    const DmaDescriptor d(test::dma_instruction(isa::Opcode::kDmaLoad, {.src = low, .run = run}));
    RequestCutter cutter(
        d, {.request_bytes = request, .burst_bytes = burst, .bus_bytes = 16, .port_bytes = 16});
    std::int64_t requests = 0;
    std::int64_t bursts = 0;
    std::int64_t at = low;
    for (DmaPiece piece; cutter.next(piece); ++requests) {
      ASSERT_EQ(piece.address, at);
      at += piece.bytes;
      bursts += ceil_div(at, burst) - piece.address / burst;
    }
    ASSERT_EQ(at, high);
    const auto window = [&](std::int64_t address) {
      return address / 4096 * ceil_div(4096, request) + address % 4096 / request;
    };
    ASSERT_EQ(requests, window(high - 1) - window(low) + 1);
    // An unaligned head or tail is a whole burst, and no burst is paid twice.
    ASSERT_EQ(bursts, ceil_div(high, burst) - low / burst);
  }
}

TEST(Contention, RequestersShareTheInterconnectDownToTheByte) {
  for (const int width : {1, 3, 16, 48, 128}) {
    const InterconnectConfig config{.bytes_per_cycle = width, .latency_cycles = 0};
    const Interconnect link(config);
    Interconnect::Lane lane(link);
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const std::uint64_t size = 1 + i * 7 % 96;
      bytes += size;
      // Always asked for at cycle 0: the lane has no gaps, and a cycle is shared where one ends.
      ASSERT_EQ(lane.pass(0, size), (bytes + static_cast<std::uint64_t>(width) - 1) /
                                        static_cast<std::uint64_t>(width));
    }
    // After a gap it starts with a whole cycle.
    const std::uint64_t later = bytes + 10;
    EXPECT_EQ(lane.pass(later, 1), later + 1);
  }
}

}  // namespace
}  // namespace npu

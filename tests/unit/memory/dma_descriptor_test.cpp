#include "sim/memory/dma_descriptor.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <stdexcept>

#include "tests/unit/memory/dma_instructions.h"

namespace npu {
namespace {

using isa::Opcode;
using test::Copy;
using test::dma_instruction;

constexpr RequestCutter::Widths kWidths{
    .request_bytes = 256, .burst_bytes = 64, .bus_bytes = 16, .port_bytes = 8};

std::vector<DmaPiece> cut(const Copy& copy, Opcode opcode = Opcode::kDmaLoad,
                          const RequestCutter::Widths& widths = kWidths) {
  const DmaDescriptor d(dma_instruction(opcode, copy));
  RequestCutter cutter(d, widths);
  std::vector<DmaPiece> pieces;
  DmaPiece piece;
  while (cutter.next(piece)) pieces.push_back(piece);
  return pieces;
}

TEST(DmaDescriptor, MergesWhatIsContiguousOnBothSides) {
  const DmaDescriptor d(dma_instruction(
      Opcode::kDmaLoad,
      {.run = 8, .count = {4, 3, 1}, .src_stride = {8, 32, 7}, .dst_stride = {8, 32, 9}}));
  EXPECT_EQ(d.run, 96);
  EXPECT_EQ(d.rows(), 1);
}

TEST(DmaDescriptor, KeepsWhatIsStridedOnOneSide) {
  const DmaDescriptor d(dma_instruction(
      Opcode::kDmaLoad,
      {.run = 8, .count = {4, 3, 2}, .src_stride = {8, 32, 200}, .dst_stride = {8, 64, 300}}));
  EXPECT_EQ(d.run, 32);
  EXPECT_EQ(d.rows(), 6);
  EXPECT_EQ(d.bytes(), 192);
}

TEST(DmaDescriptor, EmptyCountsMeanNoRows) {
  const DmaDescriptor d(dma_instruction(Opcode::kDmaLoad, {.run = 8, .count = {4, 0, 2}}));
  EXPECT_EQ(d.bytes(), 0);
  EXPECT_TRUE(RowWalk(d).done());
}

TEST(DmaDescriptor, RefusesWhatNoTensorNeeds) {
  constexpr std::int64_t kMany = (1 << 20) - 1;
  EXPECT_THROW(
      DmaDescriptor(dma_instruction(Opcode::kDmaLoad, {.run = 1, .count = {kMany, kMany, kMany}})),
      std::logic_error);
  EXPECT_THROW(DmaDescriptor(test::fill_instruction({.run = 1}, 0, 0)), std::logic_error);
  EXPECT_THROW(DmaDescriptor(dma_instruction(Opcode::kDmaLoad, {.run = -1})), std::logic_error);
  isa::Instruction halt;
  EXPECT_THROW(DmaDescriptor{halt}, std::logic_error);
}

TEST(DmaDescriptor, HullSpansNegativeStrides) {
  const ByteRange range = hull(1000, {-10, 5, 0}, {4, 3, 9}, 7);
  EXPECT_EQ(range.low, 970);
  EXPECT_EQ(range.high, 1017);
}

TEST(RequestCutter, SplitsAtTheRequestSizeAndFourKib) {
  const std::vector<DmaPiece> pieces = cut({.src = 4096 - 256, .run = 1024});
  ASSERT_EQ(pieces.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(pieces[i].address, 4096 - 256 + static_cast<std::int64_t>(i) * 256);
    EXPECT_EQ(pieces[i].bytes, 256);
    EXPECT_EQ(pieces[i].beats, 16);
  }
  RequestCutter::Widths odd = kWidths;
  odd.request_bytes = 3000;
  const std::vector<DmaPiece> uneven = cut({.src = 0, .run = 8192}, Opcode::kDmaLoad, odd);
  ASSERT_EQ(uneven.size(), 4U);
  EXPECT_EQ(uneven[0].bytes, 3000);
  EXPECT_EQ(uneven[1].bytes, 1096);
  EXPECT_EQ(uneven[2].address, 4096);
}

TEST(RequestCutter, UnalignedHeadIsShort) {
  const std::vector<DmaPiece> pieces = cut({.src = 250, .dst = 3, .run = 520});
  ASSERT_EQ(pieces.size(), 4U);
  EXPECT_EQ(pieces[0].bytes, 6);
  EXPECT_EQ(pieces[1].bytes, 256);
  EXPECT_EQ(pieces[3].bytes, 2);
  EXPECT_EQ(pieces[1].scratchpad.low, 9);
  EXPECT_EQ(pieces[1].scratchpad.high, 9 + 256);
}

TEST(RequestCutter, RowsInOneBurstAreOneRequest) {
  // 16 rows of 1 byte, 4 bytes apart: one DRAM burst, one beat and one port word each.
  const std::vector<DmaPiece> pieces =
      cut({.src = 64, .run = 1, .count = {16, 1, 1}, .src_stride = {4}, .dst_stride = {100}});
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].address, 64);
  EXPECT_EQ(pieces[0].bytes, 61);
  EXPECT_EQ(pieces[0].beats, 16);
  EXPECT_EQ(pieces[0].port_bytes, 16 * 8);
}

TEST(RequestCutter, GatheredRowsArePackedOnTheBus) {
  const std::vector<DmaPiece> pieces =
      cut({.src = 0, .run = 1, .count = {16, 1, 1}, .src_stride = {4}, .dst_stride = {1}});
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].beats, 1);
  EXPECT_EQ(pieces[0].port_bytes, 16);
}

TEST(RequestCutter, RowsInDifferentBurstsAreRequestsOfTheirOwn) {
  const std::vector<DmaPiece> pieces =
      cut({.src = 0, .run = 1, .count = {10, 1, 1}, .src_stride = {64}, .dst_stride = {1}});
  EXPECT_EQ(pieces.size(), 10U);
  const std::vector<DmaPiece> backwards =
      cut({.src = 640, .run = 1, .count = {10, 1, 1}, .src_stride = {-1}, .dst_stride = {1}});
  EXPECT_EQ(backwards.size(), 10U);
}

TEST(RequestCutter, RowsThatFollowInDramAreOneRun) {
  const std::vector<DmaPiece> pieces =
      cut({.src = 0, .run = 32, .count = {16, 1, 1}, .src_stride = {32}, .dst_stride = {50}});
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].bytes, 256);
  EXPECT_EQ(pieces[0].beats, 16);
}

TEST(RequestCutter, CoversEveryByteOnceInBoundedRequests) {
  std::mt19937 random(3);
  const auto pick = [&random](int low, int high) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(high - low + 1)) + low;
  };
  for (int round = 0; round < 500; ++round) {
    Copy copy{.src = pick(0, 500), .dst = pick(100'000, 200'000), .run = pick(1, 100)};
    for (std::size_t k = 0; k < 3; ++k) {
      copy.count[k] = pick(1, 6);
      copy.src_stride[k] = pick(0, 300);
      copy.dst_stride[k] = pick(0, 5000);
    }
    const Opcode opcode = round % 2 == 0 ? Opcode::kDmaLoad : Opcode::kDmaStore;
    const DmaDescriptor d(dma_instruction(opcode, copy));
    const std::vector<DmaPiece> pieces = cut(copy, opcode);
    std::map<std::int64_t, int> covered;
    std::int64_t beats = 0;
    for (const DmaPiece& piece : pieces) {
      EXPECT_GT(piece.bytes, 0);
      EXPECT_LE(piece.bytes, 256);
      EXPECT_EQ(piece.address / 4096, (piece.address + piece.bytes - 1) / 4096);
      for (std::int64_t i = 0; i < piece.bytes; ++i) ++covered[piece.address + i];
      beats += piece.beats;
    }
    for (RowWalk walk(d); !walk.done(); walk.next()) {
      const std::int64_t row = opcode == Opcode::kDmaLoad ? walk.src() : walk.dst();
      for (std::int64_t i = 0; i < d.run; ++i) EXPECT_TRUE(covered.contains(row + i));
    }
    EXPECT_GE(beats * 16, d.bytes());
  }
}

}  // namespace
}  // namespace npu

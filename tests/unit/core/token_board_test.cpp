#include "sim/core/token_board.h"

#include <gtest/gtest.h>

namespace npu {
namespace {

using isa::Engine;

constexpr std::uint8_t bit(Engine e) {
  return static_cast<std::uint8_t>(1U << static_cast<int>(e));
}

TEST(TokenBoard, GivesToEveryEngineInTheMask) {
  TokenBoard board;
  board.give(Engine::kDma0, bit(Engine::kMacArray) | bit(Engine::kDma5));
  EXPECT_EQ(board.count(Engine::kDma0, Engine::kMacArray), 1U);
  EXPECT_EQ(board.count(Engine::kDma0, Engine::kDma5), 1U);
  EXPECT_EQ(board.count(Engine::kDma0, Engine::kVector), 0U);
  EXPECT_EQ(board.count(Engine::kMacArray, Engine::kDma0), 0U);
}

TEST(TokenBoard, TakesAllOrNone) {
  TokenBoard board;
  const std::uint8_t both = bit(Engine::kDma0) | bit(Engine::kDma1);
  board.give(Engine::kDma0, bit(Engine::kMacArray));
  EXPECT_FALSE(board.take(Engine::kMacArray, both));
  EXPECT_EQ(board.missing(Engine::kMacArray, both), bit(Engine::kDma1));
  EXPECT_EQ(board.count(Engine::kDma0, Engine::kMacArray), 1U);
  board.give(Engine::kDma1, bit(Engine::kMacArray));
  EXPECT_TRUE(board.take(Engine::kMacArray, both));
  EXPECT_EQ(board.count(Engine::kDma0, Engine::kMacArray), 0U);
  EXPECT_EQ(board.missing(Engine::kMacArray, both), both);
}

TEST(TokenBoard, CountsTokens) {
  TokenBoard board;
  board.give(Engine::kVector, bit(Engine::kVector));
  board.give(Engine::kVector, bit(Engine::kVector));
  EXPECT_TRUE(board.take(Engine::kVector, bit(Engine::kVector)));
  EXPECT_TRUE(board.take(Engine::kVector, bit(Engine::kVector)));
  EXPECT_FALSE(board.take(Engine::kVector, bit(Engine::kVector)));
  EXPECT_TRUE(board.take(Engine::kVector, 0));
}

TEST(TokenBoard, ClearForgetsTokens) {
  TokenBoard board;
  board.give(Engine::kVector, bit(Engine::kMacArray));
  board.clear();
  EXPECT_FALSE(board.take(Engine::kMacArray, bit(Engine::kVector)));
}

}  // namespace
}  // namespace npu

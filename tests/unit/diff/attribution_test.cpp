#include "sim/diff/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "sim/base/error.h"

namespace npu::diff {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::vector<Values> each(const std::vector<Choice>& choices,
                         const std::function<Values(const Choice&)>& value) {
  std::vector<Values> out;
  for (const Choice& choice : choices) out.push_back(value(choice));
  return out;
}

Values one(double value) { return std::vector<double>{value}; }

bool nobody(std::size_t /*i*/, std::size_t /*j*/) { return false; }

TEST(Attribution, IndependentChangesGetTheirOwnEffect) {
  for (const std::size_t count : {1, 2, 4, 5, 9}) {
    Attribution attribution(
        count,
        [](const std::vector<Choice>& choices) {
          return each(choices, [](const Choice& c) {
            double sum = 100;
            for (std::size_t i = 0; i < c.size(); ++i) sum += c[i] ? static_cast<double>(i * i) : 0;
            return Values({sum, -2 * sum});
          });
        },
        nobody);
    const std::vector<Share> shares = attribution.run();
    ASSERT_EQ(shares.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto effect = static_cast<double>(i * i);
      EXPECT_THAT(shares[i].members, ElementsAre(i));
      EXPECT_THAT(shares[i].values,
                  ElementsAre(DoubleNear(effect, 1e-9), DoubleNear(-2 * effect, 1e-9)));
    }
  }
}

TEST(Attribution, WhatOnlyTwoTogetherDoIsShared) {
  Attribution attribution(
      3,
      [](const std::vector<Choice>& choices) {
        return each(choices, [](const Choice& c) { return one(c[0] && c[2] ? 10.0 : 0.0); });
      },
      nobody);
  const std::vector<Share> shares = attribution.run();
  EXPECT_NEAR(shares[0].values[0], 5, 1e-12);
  EXPECT_NEAR(shares[1].values[0], 0, 1e-12);
  EXPECT_NEAR(shares[2].values[0], 5, 1e-12);
  EXPECT_EQ(attribution.simulations(), 8);
}

TEST(Attribution, SharesSumToTheDifference) {
  std::mt19937_64 random(3);
  for (std::size_t count = 1; count <= 8; ++count) {
    std::map<Choice, double> values;
    Attribution attribution(
        count,
        [&](const std::vector<Choice>& choices) {
          return each(choices, [&](const Choice& c) {
            return one(values.emplace(c, static_cast<double>(random() % 100'000)).first->second);
          });
        },
        nobody);
    double sum = 0;
    for (const Share& share : attribution.run()) sum += share.values[0];
    EXPECT_NEAR(sum, attribution.of_b()[0] - attribution.of_a()[0], 1e-6);
    if (count > Attribution::kExact) {
      EXPECT_EQ(attribution.simulations(), 2 * count);
    }
  }
}

TEST(Attribution, ChangesThatOnlyGoTogetherAreOne) {
  // 1 and 3 are related and must agree.
  Attribution attribution(
      4,
      [](const std::vector<Choice>& choices) {
        return each(choices, [](const Choice& c) {
          return c[1] == c[3] ? one((c[0] ? 1.0 : 0) + (c[1] ? 7.0 : 0)) : std::nullopt;
        });
      },
      [](std::size_t i, std::size_t j) { return i % 2 == j % 2; });
  const std::vector<Share> shares = attribution.run();
  ASSERT_EQ(shares.size(), 3);
  EXPECT_THAT(shares[1].members, ElementsAre(1, 3));
  EXPECT_NEAR(shares[0].values[0], 1, 1e-12);
  EXPECT_NEAR(shares[1].values[0], 7, 1e-12);
  EXPECT_NEAR(shares[2].values[0], 0, 1e-12);
}

TEST(Attribution, NothingButAllTogetherIsOneChange) {
  Attribution attribution(
      6,
      [](const std::vector<Choice>& choices) {
        return each(choices, [](const Choice& c) {
          const auto made = std::count(c.begin(), c.end(), true);
          return made == 0 || made == 6 ? one(static_cast<double>(made)) : std::nullopt;
        });
      },
      nobody);
  const std::vector<Share> shares = attribution.run();
  ASSERT_EQ(shares.size(), 1);
  EXPECT_EQ(shares[0].members.size(), 6);
  EXPECT_EQ(shares[0].values[0], 6);
}

TEST(Attribution, AAndBMustRun) {
  Attribution attribution(
      1,
      [](const std::vector<Choice>& choices) {
        return each(choices, [](const Choice& c) { return c[0] ? std::nullopt : one(1.0); });
      },
      nobody);
  try {
    (void)attribution.run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "B cannot be simulated again");
  }
}

}  // namespace
}  // namespace npu::diff

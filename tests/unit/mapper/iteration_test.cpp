#include "kernels/mapper/iteration.h"

#include <gtest/gtest.h>

#include <random>

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using graph::OpKind;

std::int64_t add_tensor(Graph& g, Shape shape) {
  graph::Tensor t;
  t.shape = std::move(shape);
  g.tensors.push_back(t);
  return static_cast<std::int64_t>(g.tensors.size()) - 1;
}

/// Applies moves to bytes; the inputs hold 1, 2, 3, …
std::vector<int> apply(const Moves& moves, std::int64_t out_bytes) {
  std::vector<int> y(static_cast<std::size_t>(out_bytes), -1);
  for (const Fill& f : moves.fills) {
    std::vector<std::int64_t> offsets{f.dst_offset};
    for (std::size_t d = 0; d < f.count.size(); ++d) {
      std::vector<std::int64_t> next;
      for (const std::int64_t o : offsets) {
        for (std::int64_t i = 0; i < f.count[d]; ++i) next.push_back(o + i * f.dst_stride[d]);
      }
      offsets = next;
    }
    for (const std::int64_t o : offsets) {
      for (std::int64_t i = 0; i < f.run; ++i) {
        EXPECT_EQ(y.at(static_cast<std::size_t>(o + i)), -1) << "written twice";
        y.at(static_cast<std::size_t>(o + i)) = 0;
      }
    }
  }
  for (const Copy& c : moves.copies) {
    std::vector<std::pair<std::int64_t, std::int64_t>> offsets{{c.src_offset, c.dst_offset}};
    for (std::size_t d = 0; d < c.count.size(); ++d) {
      std::vector<std::pair<std::int64_t, std::int64_t>> next;
      for (const auto& [s, t] : offsets) {
        for (std::int64_t i = 0; i < c.count[d]; ++i)
          next.emplace_back(s + i * c.src_stride[d], t + i * c.dst_stride[d]);
      }
      offsets = next;
    }
    for (const auto& [s, t] : offsets) {
      for (std::int64_t i = 0; i < c.run; ++i) {
        EXPECT_EQ(y.at(static_cast<std::size_t>(t + i)), -1) << "written twice";
        y.at(static_cast<std::size_t>(t + i)) =
            static_cast<int>(1000 * static_cast<std::int64_t>(c.input) + s + i + 1);
      }
    }
  }
  return y;
}

TEST(Moves, PadWritesEveryByteOnce) {
  Graph g;
  const auto x = add_tensor(g, {2, 3, 2});
  const auto y = add_tensor(g, {3, 6, 4});
  Node n{OpKind::kPad,
         {static_cast<int>(x)},
         {static_cast<int>(y)},
         graph::PadAttrs{{1, 1, 0}, {0, 2, 2}, 5},
         0};
  const Moves moves = moves_of(g, n);
  const std::vector<int> out = apply(moves, 72);
  EXPECT_EQ(moves.fill_value, 5);
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 6; ++b) {
      for (int c = 0; c < 4; ++c) {
        const bool inside = a >= 1 && b >= 1 && b < 4 && c < 2;
        EXPECT_EQ(out[static_cast<std::size_t>(a * 24 + b * 4 + c)],
                  inside ? ((a - 1) * 3 + (b - 1)) * 2 + c + 1 : 0);
      }
    }
  }
}

TEST(Moves, TransposeOfEveryPermutation) {
  const Shape shape{2, 3, 4, 5};
  std::vector<int> permutation{0, 1, 2, 3};
  do {
    Graph g;
    const auto x = add_tensor(g, shape);
    Shape out_shape;
    for (const int p : permutation) out_shape.push_back(shape[static_cast<std::size_t>(p)]);
    const auto y = add_tensor(g, out_shape);
    Node n{OpKind::kTranspose,
           {static_cast<int>(x)},
           {static_cast<int>(y)},
           graph::TransposeAttrs{permutation},
           0};
    const std::vector<int> out = apply(moves_of(g, n), 120);
    std::size_t at = 0;
    std::array<std::int64_t, 4> i{};
    for (i[0] = 0; i[0] < out_shape[0]; ++i[0]) {
      for (i[1] = 0; i[1] < out_shape[1]; ++i[1]) {
        for (i[2] = 0; i[2] < out_shape[2]; ++i[2]) {
          for (i[3] = 0; i[3] < out_shape[3]; ++i[3]) {
            std::array<std::int64_t, 4> s{};
            for (std::size_t d = 0; d < 4; ++d) s[static_cast<std::size_t>(permutation[d])] = i[d];
            EXPECT_EQ(out[at++], ((s[0] * 3 + s[1]) * 4 + s[2]) * 5 + s[3] + 1);
          }
        }
      }
    }
  } while (std::next_permutation(permutation.begin(), permutation.end()));
}

TEST(Moves, ConcatenationAndReversedSlice) {
  Graph g;
  const auto a = add_tensor(g, {2, 1, 3});
  const auto b = add_tensor(g, {2, 2, 3});
  const auto y = add_tensor(g, {2, 3, 3});
  Node n{OpKind::kConcatenation,
         {static_cast<int>(a), static_cast<int>(b)},
         {static_cast<int>(y)},
         graph::ActivationAttrs{graph::Activation::kNone, 1},
         0};
  const std::vector<int> out = apply(moves_of(g, n), 18);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[3], 1001);
  EXPECT_EQ(out[9], 4);
  EXPECT_EQ(out[12], 1007);

  const auto z = add_tensor(g, {2, 3, 2});
  Node slice{OpKind::kStridedSlice,
             {static_cast<int>(y)},
             {static_cast<int>(z)},
             graph::SliceAttrs{{0, 2, 2}, {1, -1, -2}, {2, 3, 2}},
             0};
  const std::vector<int> reversed = apply(moves_of(g, slice), 12);
  EXPECT_EQ(reversed, (std::vector<int>{9, 7, 6, 4, 3, 1, 18, 16, 15, 13, 12, 10}));
}

TEST(BroadcastDims, MergesNeighboursOfOneKind) {
  const auto dims = broadcast_dims({1, 4, 4, 8}, {8}, {1, 4, 4, 8});
  ASSERT_EQ(dims.size(), 2U);
  EXPECT_EQ(dims[0].size, 16);
  EXPECT_TRUE(dims[0].a);
  EXPECT_FALSE(dims[0].b);
  EXPECT_EQ(dims[1].size, 8);
  EXPECT_TRUE(dims[1].b);
  EXPECT_EQ(broadcast_dims({1}, {1}, {1}).size(), 1U);
}

TEST(ReduceDims, MergesNeighboursOfOneKind) {
  const auto dims = reduce_dims({1, 7, 7, 64}, {1, 2});
  ASSERT_EQ(dims.size(), 2U);
  EXPECT_EQ(dims[0].size, 49);
  EXPECT_TRUE(dims[0].reduced);
  EXPECT_EQ(dims[1].size, 64);
}

}  // namespace
}  // namespace npu::mapper

// Damaged model files: an Error or a verified graph each time, never a crash or a hang.

#include <gtest/gtest.h>

#include <set>

#include "sim/base/file.h"
#include "tests/support/random_graph.h"
#include "tests/support/shared.h"
#include "tests/support/tflite_builder.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::test {
namespace {

constexpr int kMutants = 1000;  ///< Per file.

std::size_t below(std::mt19937_64& rng, std::size_t limit) { return rng() % limit; }

/// One damage of a kind that files suffer.
std::string mutate(std::string bytes, std::mt19937_64& rng) {
  switch (below(rng, 5)) {
    case 0:  // Cut off.
      bytes.resize(below(rng, bytes.size()));
      return bytes;
    case 1:  // A few flipped bits.
      for (std::size_t i = below(rng, 4) + 1; i > 0; --i) {
        char& c = bytes[below(rng, bytes.size())];
        c = static_cast<char>(c ^ (1 << below(rng, 8)));
      }
      return bytes;
    case 2: {  // A piece copied over another.
      const std::size_t size = below(rng, 64) + 1;
      const std::size_t from = below(rng, bytes.size());
      const std::string piece = bytes.substr(from, size);
      bytes.replace(below(rng, bytes.size()), piece.size(), piece);
      return bytes;
    }
    case 3: {  // A word of extreme value, where the tables and the lengths are.
      const std::size_t at = below(rng, bytes.size() / 4) * 4;
      const std::uint32_t word = std::array<std::uint32_t, 6>{
          0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff}[below(rng, 6)];
      for (std::size_t i = 0; i < 4; ++i) {
        bytes[at + i] = static_cast<char>(word >> (8 * i) & 255U);
      }
      return bytes;
    }
    default:  // A piece lost or doubled.
      if (below(rng, 2) == 0) {
        bytes.erase(below(rng, bytes.size()), below(rng, 32) + 1);
      } else {
        bytes.insert(below(rng, bytes.size()), bytes.substr(0, below(rng, 32)));
      }
      return bytes;
  }
}

/// Imports mutants; returns how many were refused and checks that the rest verify.
int refused_of(const std::string& good, std::uint64_t seed, std::set<std::string>& messages) {
  std::mt19937_64 rng(seed);
  int refused = 0;
  for (int i = 0; i < kMutants; ++i) {
    const std::string bytes = mutate(good, rng);
    try {
      graph::Graph graph = importers::parse_tflite(bytes, "mutant");
      graph::verify(graph);
      (void)passes::fuse(graph);
      graph::verify(graph);
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(std::string_view(error.what()).starts_with("mutant: "));
      messages.insert(error.what());
    }
  }
  return refused;
}

TEST(TfliteFuzz, BuiltNetworks) {
  std::set<std::string> messages;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    std::mt19937_64 rng(seed);
    refused += refused_of(build_tflite(random_network(rng, 6)), seed, messages);
  }
  EXPECT_GT(refused, kMutants);
  EXPECT_GT(messages.size(), 50U) << "the mutants reach deep checks";
}

TEST(TfliteFuzz, BuiltOperators) {
  std::set<std::string> messages;
  int refused = 0;
  std::uint64_t seed = 0;
  for (const graph::OpKind kind :
       {graph::OpKind::kSvdf, graph::OpKind::kStridedSlice, graph::OpKind::kTransposeConv,
        graph::OpKind::kConcatenation, graph::OpKind::kPad, graph::OpKind::kMean}) {
    std::mt19937_64 rng(++seed);
    refused += refused_of(build_tflite(random_layer(rng, kind, DType::kInt8, 4)), seed, messages);
  }
  EXPECT_GT(refused, kMutants);
  EXPECT_GT(messages.size(), 100U);
}

TEST(TfliteFuzz, PublicNetworks) {
  NPUSIM_REQUIRE_SHARED();
  std::set<std::string> messages;
  int refused = 0;
  std::uint64_t seed = 100;
  for (const char* path : {"tflm/hello_world_int8.tflite", "tflm/micro_speech_quantized.tflite",
                           "tflm/keyword_scrambled_8bit.tflite"}) {
    const std::string file = shared_path(std::string("models/tflite/") + path);
    refused += refused_of(read_file(file, 1 << 20), ++seed, messages);
  }
  EXPECT_GT(refused, 500);
}

/// Every byte of a small model set to each of a few values.
TEST(TfliteFuzz, EveryByteOfASmallModel) {
  std::mt19937_64 rng(5);
  const std::string good =
      build_tflite(random_layer(rng, graph::OpKind::kFullyConnected, DType::kInt8, 2));
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int value : {0, 1, 127, 128, 255}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(value);
      try {
        graph::verify(importers::parse_tflite(bytes, "mutant"));
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(good.size()));
}

}  // namespace
}  // namespace npu::test

// Damaged network descriptions and topologies: an Error or a verified network, never anything else.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <functional>
#include <random>
#include <set>
#include <string>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/yaml_map.h"
#include "workloads/importers/scalesim.h"

namespace npu::importers {
namespace {

const std::array<std::string, 26> kWords = {
    "0",        "-1",      "1",       "65535",  "16777216", "99999999999999999999",
    "tokens",   "entry",   "[]",      "[1, 1]", "{}",       "batch * 0 - 1",
    "1 / 3",    "((((1))", "true",    "same",   "conv",     "attention",
    "softmax",  "linear",  "reshape", "x",      "~",        "\n  - {name: z, op: relu}",
    ",,,,,,,,", "\n"};

/// One damage: a word replaced, a piece cut, doubled or flipped.
std::string mutant(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  const std::size_t edits = 1 + below(3);
  for (std::size_t i = 0; i < edits && !text.empty(); ++i) {
    const std::size_t at = below(text.size());
    switch (below(6)) {
      case 0:
        text.erase(at, 1 + below(20));
        break;
      case 1:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.insert(below(text.size()), text.substr(at, below(60)));
        break;
      default: {
        const std::size_t begin = text.find_first_of(" ,:[", at);
        if (begin == std::string::npos) break;
        const std::size_t end = std::min(text.find_first_of(",]}\n", begin + 1), text.size());
        text.replace(begin + 1, end - begin - 1, kWords[below(kWords.size())]);
      }
    }
  }
  return text;
}

/// Feeds mutants to `load`; returns how many were refused.
int refused_of(const std::string& good, int mutants, std::set<std::string>& messages,
               const std::function<graph::Graph(const std::string&)>& load) {
  std::mt19937_64 random(20240229);
  int refused = 0;
  for (int i = 0; i < mutants; ++i) {
    try {
      graph::verify(load(mutant(good, random)), graph::Payload::kOptional);
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(std::string_view(error.what()).starts_with("mutant")) << error.what();
      messages.insert(error.what());
    }
  }
  return refused;
}

TEST(NetworkFuzz, Descriptions) {
  constexpr int kMutants = 150;
  std::set<std::string> messages;
  int files = 0, refused = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(NPUSIM_SOURCE_DIR "/workloads/models")) {
    if (entry.path().extension() != ".yaml") continue;
    ++files;
    const std::string good = read_file(entry.path().string(), YamlMap::kMaxFileBytes);
    refused += refused_of(good, kMutants, messages, [](const std::string& text) {
      return parse_network_description(text, "mutant.yaml", {}).graph;
    });
  }
  EXPECT_GE(files, 10);
  EXPECT_GT(refused, files * kMutants / 3);
  EXPECT_GT(messages.size(), 150U) << "the mutants reach deep checks";
}

TEST(NetworkFuzz, Topologies) {
  std::set<std::string> messages;
  int refused = 0;
  for (const char* good :
       {"Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
        "Strides,\nConv1, 224, 224, 7, 7, 3, 64, 2,\nConvDP, 112, 112, 3, 3, 32, 1, 1,\nFC, 1, 1, "
        "1, 1, 512, 1000, 1,\n",
        "Layer, M, N, K, Batch, Sparsity,\nqkv, 128, 2304, 768, 1, 1:1,\nscores, 128, 128, 64, 12, "
        "2:4,\n"}) {
    refused += refused_of(good, 1500, messages, [](const std::string& text) {
      return parse_scalesim(text, "mutant.csv", {}).network.graph;
    });
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(messages.size(), 60U);
}

}  // namespace
}  // namespace npu::importers

// Damaged mapping.yaml files: an Error, or a mapping that runs and equals the reference.
#include <gtest/gtest.h>

#include <set>

#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/mapping_reader.h"
#include "sim/base/error.h"
#include "tests/mapping/mapping_case.h"

namespace npu::test {
namespace {

const std::array<std::string, 24> kWords = {"0",
                                            "-1",
                                            "1",
                                            "2",
                                            "3",
                                            "64",
                                            "128",
                                            "4096",
                                            "63",
                                            "4095",
                                            "999",
                                            "16384",
                                            "1099511627776",
                                            "99999999999999999999",
                                            "true",
                                            "false",
                                            "dram",
                                            "scratchpad",
                                            "[1]",
                                            "{}",
                                            "channels_outer",
                                            "space_outer",
                                            "~",
                                            "x"};

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  /// One to three damages: a value replaced or changed a little, a line dropped or doubled, a byte
  /// flipped.
  std::string damage(std::string text) {
    const std::size_t edits = 1 + below(3);
    for (std::size_t i = 0; i < edits && !text.empty(); ++i) {
      const std::size_t at = below(text.size());
      switch (below(8)) {
        case 0:
          text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
          break;
        case 1: {
          const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
          text.erase(at, end - at);
          break;
        }
        case 2: {
          const std::size_t begin = std::min(text.rfind('\n', at) + 1, at);
          text.insert(begin, text.substr(begin, text.find('\n', at) - begin + 1));
          break;
        }
        case 3: {
          const std::size_t begin = std::min(text.rfind('\n', at) + 1, at);
          text.erase(begin, text.find('\n', at) - begin + 1);
          break;
        }
        default:
          value(text, at);
      }
    }
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  void value(std::string& text, std::size_t at) {
    const std::size_t colon = text.find(": ", at);
    if (colon == std::string::npos) return;
    const std::size_t begin = colon + 2;
    const std::size_t end = std::min(text.find_first_of(",}]\n", begin), text.size());
    const std::string old = text.substr(begin, end - begin);
    const bool number =
        !old.empty() && old.size() < 10 && old.find_first_not_of("0123456789") == std::string::npos;
    if (!number || below(2) == 0) {
      text.replace(begin, end - begin, kWords[below(kWords.size())]);
      return;
    }
    const long n = std::stol(old);
    const std::array<long, 5> near = {n / 2, n - 1, n + 1, n + 64, n - n % 64};
    text.replace(begin, end - begin, std::to_string(near[below(near.size())]));
  }

  std::mt19937_64 random_;
};

class MappingFuzz : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MappingFuzz, ErrorOrExact) {
  constexpr int kMutants = 320;
  int refused = 0, accepted = 0;
  std::set<std::string> messages;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t seed = 70000 + GetParam() * 5 + i;
    const MappingCase c = random_case(seed);
    SCOPED_TRACE(c.what);
    std::string good;
    try {
      good = kernels::compile(c.graph, c.config, {.attention = c.attention}).mapping_yaml;
    } catch (const Error&) {
      continue;  // The network does not fit at all.
    }
    Mutator mutator(seed);
    for (int m = 0; m < kMutants / 4; ++m) {
      const std::string text = mutator.damage(good);
      try {
        const mapper::MappingFile file = mapper::MappingFile::parse(text, "mutant.yaml");
        file.require_network(c.graph.name);
        const kernels::CompileOptions options{.attention = c.attention,
                                              .decisions = &file.decisions()};
        static_cast<void>(kernels::compile(c.graph, c.config, options));
        if (++accepted % 4 == 0) expect_exact(c, file.decisions(), seed);
      } catch (const Error& error) {
        ++refused;
        messages.insert(error.what());
      }
      if (HasFatalFailure()) {
        ADD_FAILURE() << text;
        return;
      }
    }
  }
  EXPECT_GT(refused, 60);
  EXPECT_GT(accepted, 20);
  EXPECT_GT(messages.size(), 40U) << "the mutants reach deep checks";
}
INSTANTIATE_TEST_SUITE_P(Seeds, MappingFuzz, testing::Range<std::uint64_t>(0, 12));

}  // namespace
}  // namespace npu::test

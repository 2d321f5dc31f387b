// Damaged sweep files and databases: an Error or a sweep, never anything else.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/sweep/space.h"
#include "sim/sweep/store.h"
#include "sim/sweep/table.h"
#include "tests/support/text_mutant.h"

namespace npu::sweep {
namespace {

constexpr int kMutantsPerFile = 200;
constexpr int kDatabases = 150;
constexpr std::uint64_t kPointsPerSweep = 4;

const std::string kConfigs = std::string(NPUSIM_SOURCE_DIR) + "/configs";

/// Reads a sweep and looks at some of its points.
void read(const std::string& text, const std::string& path, Configurations& configurations) {
  const SweepFile sweep = parse_sweep(text, path);
  const Space space(sweep, configurations);
  Resolver resolver(
      sweep, configurations,
      [](const std::string& name) {
        return ModelFiles{name, {}};
      },
      "v");
  const std::uint64_t step = std::max<std::uint64_t>(1, space.size() / kPointsPerSweep);
  for (std::uint64_t c = 0; c < space.size(); c += step) {
    const std::optional<Point> point = space.point(c);
    if (!point) continue;
    EXPECT_EQ(resolver.resolve(*point).hash.size(), 64U);
  }
}

TEST(SweepFuzz, DamagedFilesGiveAnErrorOrASweep) {
  std::mt19937 random(20240607);
  Configurations configurations([](const std::string& name) {
    return name.ends_with(".yaml") ? name : kConfigs + "/npu/" + name + ".yaml";
  });
  int tried = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs + "/sweep")) {
    const std::string path = entry.path().string();
    const std::string good = read_file(path, 1 << 20);
    read(good, path, configurations);
    for (int i = 0; i < kMutantsPerFile; ++i, ++tried) {
      try {
        read(test::yaml_mutant(good, random), path, configurations);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GE(tried, 4 * kMutantsPerFile);
  EXPECT_GT(refused, tried / 4);
  EXPECT_LT(refused, tried);
}

TEST(SweepFuzz, DamagedExpressionsGiveAnErrorOrAValue) {
  std::mt19937 random(20240608);
  const std::vector<std::string> good = {
      "2 * a.b + min(a.b, 3) / 4 % 5", "a.b == 'text' and not (a.b < 3 or a.b >= 1e3)",
      "floor(sqrt(abs(-a.b))) != log2(8) - round(0.5)", "((((1 + a.b))))"};
  const std::string alphabet = "()'., abn0123456789e+-*/%<>=!ordmix\n\t\xff";
  int refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string text = good[random() % good.size()];
    for (std::size_t edits = 1 + random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % (text.size() + 1);
      const char c = alphabet[random() % alphabet.size()];
      if (random() % 3 == 0) {
        text.resize(at);
      } else if (at < text.size() && random() % 2 == 0) {
        text[at] = c;
      } else {
        text.insert(at, 1, c);
      }
    }
    try {
      const Expression e = Expression::parse(text, "p");
      EXPECT_FALSE(e.value_text([](const std::string&) { return std::string("7"); }).empty() &&
                   text.find('\'') == std::string::npos);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 2'500);
  EXPECT_LT(refused, 9'500);
}

TEST(SweepFuzz, DamagedDatabasesGiveAnErrorOrATable) {
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("npusim_sweep_fuzz" + std::to_string(::getpid()) + ".db"))
                               .string();
  std::filesystem::remove(path);
  {
    const SweepFile sweep =
        parse_sweep("sweep: s\nmodels: m\nparameters: {a.b: [1, 2, 3]}\n", "s.yaml");
    Store store(path, Database::Mode::kWrite);
    store.begin_sweep(header_of(sweep));
    for (int i = 0; i < 3; ++i) {
      Job job;
      job.hash = fmt::format("hash{}", i);
      job.request = "{}";
      Result result;
      result.metrics[0] = i;
      store.put(job, result, {});
      store.list("s", {{job.hash, "m", {fmt::format("{}", i)}}});
    }
  }
  const std::string good = read_file(path, 1 << 24);
  EXPECT_EQ(open_table(path, "").rows.size(), 3U);
  std::mt19937 random(20240609);
  int refused = 0;
  for (int i = 0; i < kDatabases; ++i) {
    std::string bad = good;
    // Most of a small database is empty space: damage is where bytes are.
    for (std::size_t edits = 1 + random() % 8; edits > 0;) {
      const std::size_t at = random() % bad.size();
      if (good[at] == '\0' && random() % 50 != 0) continue;
      bad[at] = static_cast<char>(random() % 256);
      --edits;
    }
    if (i % 10 == 0) bad.resize(random() % bad.size());
    write_file(path, bad);
    try {
      (void)table_csv(open_table(path, ""));
    } catch (const Error& error) {
      ++refused;
      EXPECT_NE(std::string(error.what()).find("npusim_sweep_fuzz"), std::string::npos)
          << error.what();
    }
  }
  std::filesystem::remove(path);
  EXPECT_GT(refused, kDatabases / 4);
}

}  // namespace
}  // namespace npu::sweep

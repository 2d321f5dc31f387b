#include <gtest/gtest.h>

#include <random>

#include "isa/container.h"
#include "isa/unroll.h"
#include "sim/base/error.h"
#include "sim/base/sha256.h"
#include "tests/unit/isa/sample_program.h"

namespace npu::isa {
namespace {

constexpr int kMutants = 3000;

/// One to four changes: a flipped bit, a random byte, a cut, a doubled piece, a 32-bit integer at
/// the edge of its range.
std::string mutant_of(std::string bytes, std::mt19937& rng) {
  for (auto changes = 1 + rng() % 4; changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = rng() % bytes.size();
    switch (rng() % 6) {
      case 0:
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng() % 8));
        break;
      case 2:
        bytes[at] = static_cast<char>(rng());
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, rng() % 64));
        break;
      default:
        for (std::size_t i = at; i < std::min(at + 4, bytes.size()); ++i)
          bytes[i] = rng() % 2 == 0 ? '\xff' : '\x7f';
        break;
    }
  }
  return bytes;
}

TEST(ProgramFuzz, EveryTruncationIsAnError) {
  const std::string good = serialize(test::sample_program());
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_THROW((void)parse(std::string_view(good).substr(0, size), "p.npu"), Error) << size;
  }
}

TEST(ProgramFuzz, EveryBitFlipIsAnError) {
  const std::string good = serialize(test::sample_program());
  std::mt19937 rng(1);
  for (int i = 0; i < kMutants; ++i) {
    std::string bytes = good;
    const std::size_t at = rng() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng() % 8));
    ASSERT_THROW((void)parse(bytes, "p.npu"), Error) << at;
  }
}

TEST(ProgramFuzz, MutantsAreAnErrorOrTheSameProgram) {
  const std::string good = serialize(test::sample_program());
  std::mt19937 rng(2);
  for (int i = 0; i < kMutants; ++i) {
    try {
      ASSERT_EQ(serialize(parse(mutant_of(good, rng), "p.npu")), good);
    } catch (const Error& e) {
      ASSERT_TRUE(std::string_view(e.what()).starts_with("p.npu: offset ")) << e.what();
    }
  }
}

/// Behind a correct checksum and file size every other check must hold by itself.
TEST(ProgramFuzz, SealedMutantsAreAnErrorOrAWholeProgram) {
  const std::string good = serialize(test::sample_program());
  std::mt19937 rng(3);
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 3 * kMutants; ++i) {
    std::string bytes = mutant_of(good, rng);
    if (bytes.size() < container::kHeaderBytes + container::kDigestBytes) continue;
    for (std::size_t b = 0; b < 8; ++b) bytes[16 + b] = static_cast<char>(bytes.size() >> (8 * b));
    const std::size_t end = bytes.size() - container::kDigestBytes;
    bytes.replace(end, container::kDigestBytes, sha256_hex(std::string_view(bytes).substr(0, end)));
    try {
      const Program program = parse(bytes, "p.npu");
      ASSERT_EQ(serialize(program), bytes) << "two files for one program";
      ++accepted;
      Unroller unroller(program.code);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace npu::isa

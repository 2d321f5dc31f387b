#include "isa/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "isa/container.h"
#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/sha256.h"
#include "tests/unit/isa/sample_program.h"

namespace npu::isa {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

/// The bytes with the checksum that belongs to them.
std::string sealed(std::string bytes) {
  const std::size_t end = bytes.size() - container::kDigestBytes;
  return bytes.substr(0, end) + sha256_hex(std::string_view(bytes).substr(0, end));
}

void put(std::string& bytes, std::size_t at, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i)
    bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i));
}

std::size_t row_of(container::Section section) {
  return container::kFixedHeaderBytes +
         (static_cast<std::size_t>(section) - 1) * container::kTableRowBytes;
}
/// Offset of a section's content.
std::size_t begin_of(const std::string& bytes, container::Section section) {
  std::uint64_t at = 0;
  for (int i = 7; i >= 0; --i) {
    at = at << 8 |
         static_cast<std::uint8_t>(bytes[row_of(section) + 8 + static_cast<std::size_t>(i)]);
  }
  return at;
}

void expect_error(const std::string& bytes, const std::string& message) {
  EXPECT_THAT([&] { (void)parse(bytes, "p.npu"); },
              ThrowsMessage<Error>(AllOf(StartsWith("p.npu: offset "), HasSubstr(message))));
}

TEST(ProgramFile, RoundTripsEveryField) {
  const Program in = test::sample_program();
  const Program out = parse(serialize(in), "p.npu");
  EXPECT_EQ(out.code, in.code);
  EXPECT_EQ(out.layer_of, in.layer_of);
  EXPECT_EQ(out.comments, in.comments);
  ASSERT_EQ(out.layers.size(), 2U);
  EXPECT_EQ(out.layers[0].name, "CONV_2D #0");
  EXPECT_EQ(out.layers[0].macs, 123456789);
  EXPECT_EQ(out.layers[1].source_index, 1);
  ASSERT_EQ(out.image.size(), 3U);
  EXPECT_EQ(out.image[0].bytes, in.image[0].bytes);
  EXPECT_EQ(out.image[1].size, 4096);
  EXPECT_TRUE(out.image[1].bytes.empty());
  ASSERT_EQ(out.tensors.size(), 2U);
  EXPECT_EQ(out.tensors[0].shape, (Shape{1, 8, 8, 3}));
  EXPECT_EQ(out.tensors[0].type, DType::kUint8);
  EXPECT_EQ(out.tensors[1].id, -3);
  EXPECT_EQ(out.tensors[1].name, in.tensors[1].name);
  EXPECT_EQ(out.tensors[1].memory, Memory::kScratchpad);
  EXPECT_EQ(out.tensors[1].role, TensorRole::kVariable);
  EXPECT_EQ(out.tensors[1].reset_byte, 0x80);
  EXPECT_EQ(out.tensors[1].ready_after, in.tensors[1].ready_after);
  EXPECT_EQ(out.code_address, 0x8000);
  EXPECT_EQ(out.dram_bytes, 0x10000);
  EXPECT_EQ(out.provenance, in.provenance);
  EXPECT_EQ(serialize(out), serialize(in));
}

TEST(ProgramFile, EmptyProgramRoundTrips) {
  const Program out = parse(serialize(Program{}), "p.npu");
  EXPECT_TRUE(out.code.empty());
  EXPECT_EQ(serialize(out), serialize(Program{}));
}

TEST(ProgramFile, SaveAndLoad) {
  const auto folder =
      std::filesystem::path(testing::TempDir()) / fmt::format("npusim_program_{}", ::getpid());
  std::filesystem::create_directory(folder);
  const std::string path = folder / "p.npu";
  const Program program = test::sample_program();
  save(Program{}, path);
  save(program, path);
  EXPECT_EQ(serialize(load(path)), serialize(program));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1)
      << "nothing else is left behind";
  std::filesystem::remove_all(folder);
  EXPECT_THAT([&] { (void)load(path); }, ThrowsMessage<Error>(HasSubstr("p.npu: no such file")));
  EXPECT_THAT([&] { save(program, path); }, ThrowsMessage<Error>(HasSubstr("p.npu: cannot write")));
}

TEST(ProgramFile, RefusesWhatIsNotAProgram) {
  expect_error("", "not an npusim program");
  expect_error("TFL3 something else entirely, and long enough to hold a header",
               "offset 0: not an npusim program");
  const std::string good = serialize(test::sample_program());
  expect_error(good.substr(0, 12), "offset 12: 4 bytes needed, 0 left");
  expect_error(good.substr(0, good.size() - 1), "offset 16: file of");
  expect_error(good + "x", "offset 16: file of");
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  expect_error(flipped, "checksum does not match the content");
}

TEST(ProgramFile, RefusesABadHeader) {
  const std::string good = serialize(test::sample_program());
  const auto with = [&](std::size_t at, std::uint64_t value, int size) {
    std::string bytes = good;
    put(bytes, at, value, size);
    return sealed(bytes);
  };
  using container::Section;
  expect_error(with(8, 4, 4), "offset 8: program format version must be 3, got 4");
  expect_error(with(12, 8, 4), "offset 12: expected 7 sections, got 8");
  expect_error(with(row_of(Section::kCode), 3, 4), "expected section 2, got 3");
  expect_error(with(row_of(Section::kCode) + 4, 1, 4), "expected 0, got 1");
  expect_error(with(row_of(Section::kCode) + 8, begin_of(good, Section::kCode) - 8, 8),
               "section 2 must begin at");
  expect_error(with(row_of(Section::kCode) + 16, ~std::uint64_t{0}, 8),
               "section 2 of 18446744073709551615 bytes goes beyond the file");
  expect_error(with(row_of(Section::kProvenance) + 16, 1, 8),
               "bytes between the last section and the checksum");
  std::string tiny(good.substr(0, container::kFixedHeaderBytes));
  put(tiny, 16, tiny.size(), 8);
  expect_error(tiny, "truncated section table");
}

TEST(ProgramFile, RefusesBadContentThatTheChecksumCovers) {
  using container::Section;
  const std::string good = serialize(test::sample_program());
  const auto with = [&](Section section, std::size_t offset, std::uint64_t value, int size) {
    std::string bytes = good;
    put(bytes, begin_of(good, section) + offset, value, size);
    return sealed(bytes);
  };
  expect_error(with(Section::kMemory, 0, ~std::uint64_t{0}, 8),
               "code_address must be 0 to 1099511627776, got -1");
  expect_error(with(Section::kMemory, 8, std::uint64_t{1} << 41, 8), "dram_bytes must be 0 to");
  expect_error(with(Section::kCode, 0, 0xff, 1), "instruction 0: unknown opcode 0xff");
  expect_error(with(Section::kCode, 63, 1, 1), "instruction 0: halt: bit 504 is set");
  expect_error(with(Section::kNotes, 0, 1, 4),
               fmt::format("1 layers for {} instructions", kOpcodeCount));
  expect_error(with(Section::kNotes, 0, 0xffffffff, 4),
               "4294967295 items of at least 4 bytes do not fit");
  expect_error(with(Section::kNotes, 4, 2, 4), "layer of instruction must be -1 to 1, got 2");
  expect_error(with(Section::kNotes, 4 + kOpcodeCount * 4, 2, 4),
               fmt::format("2 comments for {} instructions", kOpcodeCount));
  expect_error(with(Section::kLayers, 4, 4000, 4), "4000 items of at least 1 bytes do not fit");
  expect_error(with(Section::kLayers, 4 + 4 + 10 + 4, 1ULL << 63, 8), "macs must be 0 to");
  const std::size_t segment = 4 + 4 + 18;  // The name "weights CONV_2D #0" is before it.
  expect_error(with(Section::kImage, segment, 1ULL << 63, 8), "image address must be 0 to");
  expect_error(with(Section::kImage, segment + 8, 1ULL << 62, 8), "image size must be 0 to");
  expect_error(with(Section::kImage, segment + 8, 1ULL << 40, 8), "1099511627776 bytes needed,");
  expect_error(with(Section::kImage, segment + 8, 0, 8),
               "has_bytes must be 0 for an empty segment, got 1");
  expect_error(with(Section::kImage, segment + 16, 2, 1), "has_bytes must be 0 or 1, got 2");
  const std::size_t tensor = 4 + 4 + 4 + 5;  // After the id and the name "input".
  expect_error(with(Section::kTensors, tensor, 9, 1), "tensor type must be 0 to 8, got 9");
  expect_error(with(Section::kTensors, tensor + 1, 4, 1), "tensor role must be 0 to 3, got 4");
  expect_error(with(Section::kTensors, tensor + 2, 3, 1), "tensor memory must be 0 to 2, got 3");
  expect_error(with(Section::kTensors, tensor + 4, 9, 4),
               "a tensor has at most 8 dimensions, got 9");
  expect_error(with(Section::kTensors, tensor + 8, 1ULL << 63, 8), "dimension must be 0 to");
  expect_error(with(Section::kTensors, tensor + 8, 1ULL << 40, 8),
               "tensor of more than 1099511627776 bytes");
  expect_error(with(Section::kTensors, tensor + 40, 1ULL << 63, 8), "tensor address must be 0 to");
  expect_error(with(Section::kTensors, tensor + 48, kOpcodeCount, 4),
               fmt::format("ready_after must be -1 to {}, got {}", kOpcodeCount - 1, kOpcodeCount));
  expect_error(with(Section::kTensors, 0, 1, 4), "bytes left over in the section");
  expect_error(with(Section::kProvenance, 8, 'z', 1),
               "provenance keys must ascend, got 'npusim' after 'zodel'");
}

TEST(ProgramFile, CodeIsWholeInstructions) {
  Program program;
  std::string bytes = serialize(program);
  bytes.insert(begin_of(bytes, container::Section::kNotes), 32, '\0');
  put(bytes, 16, bytes.size(), 8);
  put(bytes, row_of(container::Section::kCode) + 16, 32, 8);
  for (auto s = static_cast<std::uint32_t>(container::Section::kNotes);
       s <= container::kSectionCount; ++s) {
    const auto section = static_cast<container::Section>(s);
    put(bytes, row_of(section) + 8, begin_of(bytes, section) + 32, 8);
  }
  expect_error(sealed(bytes), "code of 32 bytes is not a whole number of 64-byte instructions");
}

TEST(ProgramFile, RefusesInstructionsThatDoNotEncode) {
  Program program;
  program.code.resize(1);
  program.code[0].opcode = Opcode::kSync;
  program.code[0].set(Opd::kEngine, 16);
  EXPECT_THAT([&] { (void)serialize(program); },
              ThrowsMessage<Error>(HasSubstr("sync: engine = 16 does not fit")));
}

}  // namespace
}  // namespace npu::isa

#include "isa/encoding.h"

#include <bit>

#include "sim/base/error.h"

namespace npu::isa {
namespace {

constexpr std::size_t kFirstFieldBit = 32;

std::uint64_t mask_of(std::uint32_t width) {
  return width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

void put_bits(Word& word, std::size_t at, std::uint32_t width, std::uint64_t bits) {
  const std::size_t index = at / 64;
  const std::size_t shift = at % 64;
  word[index] |= bits << shift;
  if (shift + width > 64) word[index + 1] |= bits >> (64 - shift);
}

std::uint64_t get_bits(const Word& word, std::size_t at, std::uint32_t width) {
  const std::size_t index = at / 64;
  const std::size_t shift = at % 64;
  std::uint64_t bits = word[index] >> shift;
  if (shift + width > 64) bits |= word[index + 1] << (64 - shift);
  return bits & mask_of(width);
}

}  // namespace

std::int64_t min_of(const Field& field) {
  return field.is_signed ? -(std::int64_t{1} << (field.width - 1)) : 0;
}

std::int64_t max_of(const Field& field) {
  return (std::int64_t{1} << (field.is_signed ? field.width - 1 : field.width)) - 1;
}

std::vector<Word> encode(const std::vector<Instruction>& code) {
  std::vector<Word> words;
  words.reserve(code.size());
  for (const Instruction& instruction : code) words.push_back(encode(instruction));
  return words;
}

Word encode(const Instruction& instruction) {
  const auto opcode = static_cast<std::uint64_t>(instruction.opcode);
  if (opcode >= kOpcodeCount) fail("opcode {} does not exist", opcode);
  const InstrSpec& spec = spec_of(instruction.opcode);
  if (spec.unit == Unit::kControl && (instruction.wait != 0 || instruction.signal != 0)) {
    fail("{}: control instructions take and give no tokens", spec.mnemonic);
  }
  Word word{};
  word[0] = opcode | std::uint64_t{instruction.wait} << 8 | std::uint64_t{instruction.signal} << 16;
  std::size_t at = kFirstFieldBit;
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    const Field& field = spec.fields[f];
    const std::int64_t value = instruction.values[f];
    if (value < min_of(field) || value > max_of(field)) {
      fail("{}: {} = {} does not fit its {} bits ({} to {})", spec.mnemonic, name_of(field.opd),
           value, field.width, min_of(field), max_of(field));
    }
    put_bits(word, at, field.width, static_cast<std::uint64_t>(value) & mask_of(field.width));
    at += field.width;
  }
  for (std::size_t f = spec.field_count; f < kMaxFields; ++f) {
    NPU_CHECK(instruction.values[f] == 0, "a value beyond the row's fields");
  }
  return word;
}

Instruction decode(const Word& word) {
  const std::uint64_t opcode = word[0] & 0xff;
  if (opcode >= kOpcodeCount) fail("unknown opcode {:#04x}", opcode);
  Instruction instruction;
  instruction.opcode = static_cast<Opcode>(opcode);
  const InstrSpec& spec = spec_of(instruction.opcode);
  instruction.wait = static_cast<std::uint8_t>(word[0] >> 8);
  instruction.signal = static_cast<std::uint8_t>(word[0] >> 16);
  if (spec.unit == Unit::kControl && (instruction.wait != 0 || instruction.signal != 0)) {
    fail("{}: control instructions take and give no tokens", spec.mnemonic);
  }
  std::size_t at = kFirstFieldBit;
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    const Field& field = spec.fields[f];
    std::uint64_t bits = get_bits(word, at, field.width);
    if (field.is_signed && (bits >> (field.width - 1)) != 0) bits |= ~mask_of(field.width);
    instruction.values[f] = static_cast<std::int64_t>(bits);
    at += field.width;
  }
  const auto refuse = [&spec](std::size_t bit) {
    fail("{}: bit {} is set but the instruction does not use it", spec.mnemonic, bit);
  };
  if (const std::uint64_t bits = get_bits(word, 24, 8); bits != 0) {
    refuse(24 + static_cast<std::size_t>(std::countr_zero(bits)));
  }
  while (at < 512) {
    const auto width = static_cast<std::uint32_t>(64 - at % 64);
    if (const std::uint64_t bits = get_bits(word, at, width); bits != 0) {
      refuse(at + static_cast<std::size_t>(std::countr_zero(bits)));
    }
    at += width;
  }
  return instruction;
}

}  // namespace npu::isa

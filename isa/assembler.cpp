#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "isa/encoding.h"
#include "sim/base/error.h"

namespace npu::isa {
namespace {

constexpr std::string_view kBlank = " \t\r";

bool is_address(Opd opd) { return opd <= Opd::kTable; }
bool is_patch(Opd opd) { return opd >= Opd::kPatch0Slot && opd <= Opd::kPatch6Step; }

std::string engine_list(std::uint8_t mask) {
  std::string out;
  for (int e = 0; e < kEngineCount; ++e) {
    if ((mask >> e & 1) == 0) continue;
    if (!out.empty()) out += ',';
    out += name_of(static_cast<Engine>(e));
  }
  return out;
}

std::optional<Engine> engine_named(std::string_view name) {
  for (int e = 0; e < kEngineCount; ++e) {
    if (name_of(static_cast<Engine>(e)) == name) return static_cast<Engine>(e);
  }
  return std::nullopt;
}

const InstrSpec* spec_named(std::string_view mnemonic) {
  for (const InstrSpec& spec : instruction_table()) {
    if (spec.mnemonic == mnemonic) return &spec;
  }
  return nullptr;
}

/// Decimal or 0x hexadecimal, with an optional minus; the whole of `text`.
std::optional<std::int64_t> integer_in(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (magnitude >= std::uint64_t{1} << 63) return std::nullopt;
  const auto value = static_cast<std::int64_t>(magnitude);
  return negative ? -value : value;
}

/// One line of assembler text.
class LineParser {
 public:
  LineParser(std::string_view text, std::string_view file, std::size_t line)
      : text_(text.substr(0, text.find('#'))), file_(file), line_(line) {}

  /// @return nullopt for a line without an instruction.
  std::optional<Instruction> parse() {
    const std::string_view mnemonic = next_word();
    if (mnemonic.empty()) return std::nullopt;
    spec_ = spec_named(mnemonic);
    if (spec_ == nullptr) error("unknown instruction '{}'", mnemonic);
    instruction_.opcode = spec_->opcode;
    const std::size_t mnemonic_at = word_at_;
    for (std::string_view word = next_word(); !word.empty(); word = next_word()) assign(word);
    word_at_ = mnemonic_at;
    for (std::size_t f = 0; f < spec_->field_count; ++f) {
      const Opd opd = spec_->fields[f].opd;
      if (!seen_[f] && !is_patch(opd)) error("{}: operand {} is missing", mnemonic, name_of(opd));
    }
    return instruction_;
  }

 private:
  template <typename... Args>
  [[noreturn]] void error(fmt::format_string<Args...> format, Args&&... args) const {
    fail("{}:{}:{}: {}", file_, line_, word_at_ + 1,
         fmt::format(format, std::forward<Args>(args)...));
  }

  std::string_view next_word() {
    word_at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size());
    at_ = std::min(text_.find_first_of(kBlank, word_at_), text_.size());
    return text_.substr(word_at_, at_ - word_at_);
  }

  void assign(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) error("expected operand=value, got '{}'", word);
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (name == "wait") return assign_mask(name, value, instruction_.wait);
    if (name == "signal") return assign_mask(name, value, instruction_.signal);
    for (std::size_t f = 0; f < spec_->field_count; ++f) {
      const Field& field = spec_->fields[f];
      if (name_of(field.opd) != name) continue;
      if (seen_[f]) error("{}: operand {} is given twice", spec_->mnemonic, name);
      seen_[f] = true;
      instruction_.values[f] = value_of(field, value);
      return;
    }
    error("{}: unknown operand '{}'", spec_->mnemonic, name);
  }

  std::int64_t value_of(const Field& field, std::string_view text) const {
    if (field.opd == Opd::kEngine) {
      if (const auto engine = engine_named(text)) return static_cast<std::int64_t>(*engine);
    }
    const auto value = integer_in(text);
    if (!value) {
      error("{}: {}: expected a decimal or 0x hexadecimal integer, got '{}'", spec_->mnemonic,
            name_of(field.opd), text);
    }
    if (*value < min_of(field) || *value > max_of(field)) {
      error("{}: {} must be {} to {}, got {}", spec_->mnemonic, name_of(field.opd), min_of(field),
            max_of(field), *value);
    }
    return *value;
  }

  void assign_mask(std::string_view name, std::string_view list, std::uint8_t& mask) {
    if (spec_->unit == Unit::kControl)
      error("{}: control instructions take and give no tokens", spec_->mnemonic);
    if (mask != 0) error("{}: operand {} is given twice", spec_->mnemonic, name);
    for (;;) {
      const std::size_t comma = list.find(',');
      const std::string_view item = list.substr(0, comma);
      const auto engine = engine_named(item);
      if (!engine) error("{}: {}: unknown engine '{}'", spec_->mnemonic, name, item);
      const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(*engine));
      if ((mask & bit) != 0) error("{}: {}: engine {} is given twice", spec_->mnemonic, name, item);
      mask |= bit;
      if (comma == std::string_view::npos) return;
      list.remove_prefix(comma + 1);
    }
  }

  std::string_view text_, file_;
  std::size_t line_;
  std::size_t at_ = 0, word_at_ = 0;
  const InstrSpec* spec_ = nullptr;
  Instruction instruction_;
  std::array<bool, kMaxFields> seen_{};
};

}  // namespace

std::string disassemble(const Instruction& instruction) {
  const InstrSpec& spec = spec_of(instruction.opcode);
  std::string line(spec.mnemonic);
  const auto out = std::back_inserter(line);
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    const Opd opd = spec.fields[f].opd;
    const std::int64_t value = instruction.values[f];
    if (is_patch(opd) && value == 0) continue;
    if (is_address(opd)) {
      fmt::format_to(out, " {}={:#x}", name_of(opd), value);
    } else if (opd == Opd::kEngine && value < kEngineCount) {
      fmt::format_to(out, " {}={}", name_of(opd), name_of(static_cast<Engine>(value)));
    } else {
      fmt::format_to(out, " {}={}", name_of(opd), value);
    }
  }
  if (instruction.wait != 0) fmt::format_to(out, " wait={}", engine_list(instruction.wait));
  if (instruction.signal != 0) fmt::format_to(out, " signal={}", engine_list(instruction.signal));
  return line;
}

std::vector<Instruction> assemble(std::string_view text, std::string_view file) {
  std::vector<Instruction> code;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (const auto instruction = LineParser(text.substr(0, end), file, line).parse()) {
      code.push_back(*instruction);
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return code;
}

}  // namespace npu::isa

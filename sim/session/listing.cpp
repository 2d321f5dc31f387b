#include "sim/session/listing.h"

#include <algorithm>
#include <iterator>

#include "isa/encoding.h"
#include "sim/base/error.h"

namespace npu::session {
namespace {

/// Names come from the model file: a line end in one would end the comment.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

}  // namespace

std::string listing(const isa::Program& program) {
  std::string out;
  for (const auto& [key, value] : program.provenance) {
    fmt::format_to(std::back_inserter(out), "# {}: {}\n", printable(key), printable(value));
  }
  fmt::format_to(std::back_inserter(out),
                 "# {} instructions at DRAM {:#x}, {} bytes of DRAM in use\n", program.code.size(),
                 program.code_address, program.dram_bytes);
  std::int32_t layer = -2;
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const std::int32_t now = i < program.layer_of.size() ? program.layer_of[i] : -1;
    if (now != layer) {
      layer = now;
      const std::string name =
          now < 0 ? "no layer" : program.layers.at(static_cast<std::size_t>(now)).name;
      fmt::format_to(std::back_inserter(out), "\n# --- {}\n", printable(name));
    }
    const std::string comment = i < program.comments.size() ? program.comments[i] : "";
    fmt::format_to(std::back_inserter(out), "{}  # {}{}{}\n", isa::disassemble(program.code[i]), i,
                   comment.empty() ? "" : ": ", printable(comment));
  }
  return out;
}

}  // namespace npu::session

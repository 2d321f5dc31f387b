#pragma once

#include <random>
#include <span>
#include <string>

namespace npu::test {

/// The text with one to three edits of one kind: cut off, a bit flipped, a byte replaced, one of
/// `inserts` put in, a line lost, a line moved, some bytes lost, some bytes repeated elsewhere.
[[nodiscard]] std::string text_mutant(std::string text, std::span<const std::string> inserts,
                                      std::mt19937& random);
/// With what YAML knows.
[[nodiscard]] std::string yaml_mutant(std::string text, std::mt19937& random);

}  // namespace npu::test

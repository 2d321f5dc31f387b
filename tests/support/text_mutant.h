#pragma once

#include <random>
#include <string>

namespace npu::test {

/// The text with one to three edits of one kind: cut off, a bit flipped, a byte replaced, something
/// that YAML knows put in, a line lost, a line moved.
[[nodiscard]] std::string text_mutant(std::string text, std::mt19937& random);

}  // namespace npu::test

#include "isa/markdown.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <span>

#include "sim/base/file.h"

namespace npu::isa {
namespace {

TEST(Markdown, ManualIsUpToDate) {
  const std::string path = NPUSIM_SOURCE_DIR "/isa/ISA.md";
  const std::string text = isa_markdown();
  if (std::getenv("NPUSIM_UPDATE") != nullptr) write_file(path, std::as_bytes(std::span(text)));
  EXPECT_EQ(read_file(path, 1 << 20), text) << "regenerate with NPUSIM_UPDATE=1";
}

}  // namespace
}  // namespace npu::isa

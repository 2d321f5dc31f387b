#include "sim/base/file.h"

#include <array>
#include <filesystem>
#include <span>
#include <string>

#include "tests/unit/base/expect_error.h"

namespace npu {
namespace {

using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("npusim_file_" +
               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  static std::span<const std::byte> bytes(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  }
  std::filesystem::path folder_;
};

TEST_F(FileTest, WritesAndReplacesWithoutLeftovers) {
  write_file(path("a"), bytes("first"));
  write_file(path("a"), bytes("second"));
  EXPECT_EQ(read_file(path("a"), 6), "second");
  write_file(path("a"), std::string("as\0text", 7));
  EXPECT_EQ(read_file(path("a"), 7), std::string("as\0text", 7));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, RefusesLongFiles) {
  write_file(path("a"), bytes("second"));
  EXPECT_THAT(error_of([&] { (void)read_file(path("a"), 5); }),
              HasSubstr("a: at most 5 bytes are read, got 6"));
}

TEST_F(FileTest, RefusesWhatIsNoFile) {
  EXPECT_THAT(error_of([&] { (void)read_file(path("none"), 5); }), HasSubstr("none: no such file"));
  EXPECT_THAT(error_of([&] { (void)read_file(folder_.string(), 5); }),
              HasSubstr(": not a regular file"));
  EXPECT_THAT(error_of([&] { (void)read_file("/dev/zero", 5); }), HasSubstr("not a regular file"));
}

TEST_F(FileTest, SaysWhereItCannotWrite) {
  EXPECT_THAT(error_of([&] { write_file(path("no/such/folder"), bytes("x")); }),
              HasSubstr("folder: cannot write"));
  std::filesystem::create_directories(path("taken/inside"));
  EXPECT_THAT(error_of([&] { write_file(path("taken"), bytes("x")); }),
              HasSubstr("cannot write: "));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace npu

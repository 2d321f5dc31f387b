#include "sim/report/output_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/base/error.h"

namespace npu::report {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class OutputFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(root_), {}));
  }

  fs::path root_;
};

TEST_F(OutputFilesTest, MakesTheFolderWithItsParents) {
  OutputFiles files((root_ / "a" / "b").string() + "/");
  files.add("x.txt", "one");
  files.add("y.bin", std::string("\x07"));
  EXPECT_EQ(entries(), 0U) << "nothing is written before commit";
  files.commit();
  EXPECT_EQ(content(root_ / "a" / "b" / "x.txt"), "one");
  EXPECT_EQ(content(root_ / "a" / "b" / "y.bin"), "\x07");
}

TEST_F(OutputFilesTest, KeepsFilesOfOtherNames) {
  fs::create_directory(root_ / "out");
  std::ofstream(root_ / "out" / "mine.txt") << "keep";
  std::ofstream(root_ / "out" / "x.txt") << "old";
  OutputFiles files((root_ / "out").string());
  files.add("x.txt", "new");
  files.commit();
  EXPECT_EQ(content(root_ / "out" / "x.txt"), "new");
  EXPECT_EQ(content(root_ / "out" / "mine.txt"), "keep");
  EXPECT_EQ(entries(), 1U) << "no temporary folder stays";
}

TEST_F(OutputFilesTest, RefusesAFileAsFolder) {
  std::ofstream(root_ / "out") << "a file";
  OutputFiles files((root_ / "out").string());
  files.add("x.txt", "new");
  try {
    files.commit();
    FAIL() << "replaced a file by a folder";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot write the output: is not a folder"));
  }
  EXPECT_EQ(content(root_ / "out"), "a file");
}

TEST_F(OutputFilesTest, ReportsAFailedWriteAndLeavesNothing) {
  OutputFiles files((root_ / "out").string());
  files.add("x.txt", "first");
  files.add("no/such/folder.txt", "second");
  try {
    files.commit();
    FAIL() << "wrote into a folder that does not exist";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("folder.txt: cannot write"));
  }
  EXPECT_EQ(entries(), 0U);
}

TEST_F(OutputFilesTest, ReportsAParentThatIsAFile) {
  std::ofstream(root_ / "file") << "a file";
  OutputFiles files((root_ / "file" / "out").string());
  files.add("x.txt", "new");
  EXPECT_THROW(files.commit(), Error);
}

}  // namespace
}  // namespace npu::report

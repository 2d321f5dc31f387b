#include "sim/base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/base/expect_error.h"

namespace npu {
namespace {

std::string file_with(const std::string& content) {
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("mapped_{}.bin", ::getpid())).string();
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(MappedFile, HasTheBytesOfTheFile) {
  const std::string path = file_with("weights");
  const MappedFile file(path, 7);
  ASSERT_EQ(file.bytes().size(), 7U);
  EXPECT_EQ(file.bytes()[0], std::byte{'w'});
  EXPECT_EQ(file.bytes()[6], std::byte{'s'});
  std::filesystem::remove(path);
  EXPECT_EQ(file.bytes()[6], std::byte{'s'}) << "the mapping outlives the name";
}

TEST(MappedFile, Errors) {
  const std::string path = file_with("weights");
  EXPECT_EQ(error_of([&] { (void)MappedFile(path, 6); }),
            path + ": at most 6 bytes are read, got 7");
  std::filesystem::remove(path);
  EXPECT_EQ(error_of([&] { (void)MappedFile(path, 6); }), path + ": no such file");
  const std::string empty = file_with("");
  EXPECT_EQ(error_of([&] { (void)MappedFile(empty, 6); }), empty + ": the file is empty");
  std::filesystem::remove(empty);
  EXPECT_EQ(error_of([&] { (void)MappedFile("/", 6); }), "/: not a regular file");
  EXPECT_EQ(error_of([&] { (void)MappedFile("/dev/null/x", 6); }),
            "/dev/null/x: cannot open for reading: Not a directory");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { (void)MappedFile(path, 6); }), path + ": not a regular file");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace npu

#include "tests/support/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/shared.h"

namespace npu::test {
namespace {

/// A file that lives as long as the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content)
      : path_(testing::TempDir() + "npusim_npz_test") {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Npz, CompressedArrays) {
  NPUSIM_REQUIRE_SHARED();
  const auto layers =
      read_npz(shared_path("models/golden/tflm_micro_speech_int8/layers_sample0.npz"));
  ASSERT_EQ(layers.size(), 5U);
  const TensorData& first = layers.at("t002");
  EXPECT_EQ(first.type, DType::kInt8);
  EXPECT_EQ(first.shape, (Shape{1, 25, 20, 8}));
  EXPECT_EQ(first.bytes.size(), 4000U);
}

TEST(Npz, EveryKernelVectorOpens) {
  NPUSIM_REQUIRE_SHARED();
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(shared_path("models/kernel_vectors/cmsis_nn"))) {
    if (entry.path().extension() != ".npz") continue;
    const auto arrays = read_npz(entry.path().string());
    EXPECT_GE(arrays.size(), 2U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 109);
}

TEST(Npz, DamagedFilesAreErrors) {
  const TemporaryFile text("hello, this is not an archive at all");
  EXPECT_THAT([&] { (void)read_npz(text.path()); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("not a ZIP archive")));
  const TemporaryFile end(std::string("PK\x05\x06\0\0\0\0\1\0\1\0\0\0\0\0\xff\0\0\0\0\0", 22));
  EXPECT_THAT([&] { (void)read_npz(end.path()); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("offset 255: cut off")));
}

TEST(Csv, ValuesMustFit) {
  const TemporaryFile file("1,-2\n 300");
  const TensorData t = read_integer_csv(file.path(), DType::kInt16, {3});
  EXPECT_EQ(t.as<std::int16_t>()[1], -2);
  EXPECT_EQ(t.as<std::int16_t>()[2], 300);
  const auto refused = [&](DType type, const Shape& shape, const std::string& part) {
    EXPECT_THAT([&] { (void)read_integer_csv(file.path(), type, shape); },
                testing::ThrowsMessage<Error>(testing::HasSubstr(part)));
  };
  refused(DType::kInt8, {3}, "value 2 does not fit");
  refused(DType::kInt16, {2}, "value 2 does not fit");
  refused(DType::kInt32, {4}, "3 values, needs 4");
  refused(DType::kFloat32, {3}, "float32 is not supported");
}

}  // namespace
}  // namespace npu::test

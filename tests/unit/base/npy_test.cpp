#include "sim/base/npy.h"

#include <array>
#include <bit>
#include <filesystem>
#include <random>
#include <string>

#include "tests/unit/base/expect_error.h"

namespace npu {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string npy(const std::string& header, const std::string& data, int major = 1) {
  std::string out = "\x93NUMPY";
  out += static_cast<char>(major);
  out += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) {
    out += static_cast<char>((header.size() >> (8 * i)) & 0xff);
  }
  return out + header + data;
}
std::string dictionary(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}
std::string parse_error(const std::string& content) {
  return error_of([&] { (void)parse_npy(content, "x.npy"); });
}

TEST(Npy, RoundTripsEveryTypeAndShape) {
  std::mt19937 random(1);
  for (const DType type : {DType::kInt8, DType::kUint8, DType::kInt16, DType::kInt32, DType::kInt64,
                           DType::kFloat32, DType::kBool}) {
    for (const Shape& shape :
         {Shape{}, Shape{3}, Shape{2, 3}, Shape{0}, Shape{1, 4, 0}, Shape{2, 1, 3, 5}}) {
      TensorData tensor = TensorData::zeros(type, shape);
      for (std::byte& b : tensor.bytes) {
        b = static_cast<std::byte>(random() & (type == DType::kBool ? 1U : 255U));
      }
      const std::string content = format_npy(tensor);
      EXPECT_EQ(content.find('\n') % 64, 63U);
      const TensorData again = parse_npy(content, "x.npy");
      EXPECT_EQ(again.type, type);
      EXPECT_EQ(again.shape, shape);
      EXPECT_EQ(again.bytes, tensor.bytes);
    }
  }
}

TEST(Npy, WritesWhatNumpyWrites) {
  TensorData tensor = TensorData::zeros(DType::kInt16, {2});
  tensor.as<std::int16_t>()[1] = -2;
  const std::string header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }";
  std::string expected = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header;
  expected.append(128 - 10 - header.size() - 1, ' ');
  expected += std::string("\n\x00\x00\xfe\xff", 5);
  EXPECT_EQ(format_npy(tensor), expected);
}

TEST(Npy, ReadsVersionTwoAndOtherSpellings) {
  const TensorData two =
      parse_npy(npy(dictionary("<f4", "(1,)"), std::string("\0\0\x80\x3f", 4), 2), "x.npy");
  EXPECT_EQ(two.as<float>()[0], 1.0F);
  const TensorData one =
      parse_npy(npy("{\"shape\":(2,1),\"fortran_order\":False,\"descr\":\"<u1\"}", "ab"), "x.npy");
  EXPECT_EQ(one.type, DType::kUint8);
  EXPECT_EQ(one.shape, (Shape{2, 1}));
}

TEST(Npy, WritesAndReadsFiles) {
  const std::string path = testing::TempDir() + "/npusim_npy_test.npy";
  TensorData tensor = TensorData::zeros(DType::kInt8, {2, 2});
  tensor.as<std::int8_t>()[3] = -5;
  write_npy(path, tensor);
  EXPECT_EQ(read_npy(path).bytes, tensor.bytes);
  std::filesystem::remove(path);
  EXPECT_THAT(error_of([&] { (void)read_npy(path); }), HasSubstr("no such file"));
}

TEST(Npy, RefusesBadPreambles) {
  EXPECT_THAT(parse_error(""), StartsWith("x.npy: offset 0: must start with NumPy's magic"));
  EXPECT_THAT(parse_error("PK\x03\x04 an archive"), HasSubstr("offset 0: must start with NumPy's"));
  EXPECT_THAT(parse_error("\x93NUMPY"), HasSubstr("offset 6: file must hold a version"));
  EXPECT_THAT(parse_error(npy("{}", "", 3)), HasSubstr("version must be 1.0 or 2.0, got 3.0"));
  EXPECT_THAT(parse_error(std::string("\x93NUMPY\x01\x00\x05", 9)),
              HasSubstr("offset 8: file must hold the header's length"));
  EXPECT_THAT(parse_error(std::string("\x93NUMPY\x01\x00\x05\x00{}", 12)),
              HasSubstr("offset 8: header must lie within the file and 65536 bytes, got 5 bytes"));
  EXPECT_THAT(parse_error(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14)),
              HasSubstr("got 4294967295 bytes"));
}

TEST(Npy, RefusesBadHeaders) {
  const auto header_error = [](const std::string& header) { return parse_error(npy(header, "")); };
  EXPECT_THAT(header_error(""), HasSubstr("offset 10: header must have '{' here, got its end"));
  EXPECT_THAT(header_error("{descr"), HasSubstr("must have a quoted word here, got 'd'"));
  EXPECT_THAT(header_error("{'descr"), HasSubstr("must have a quoted word here"));
  EXPECT_THAT(header_error("{'descr' '<i2'}"), HasSubstr("must have ':' here, got '''"));
  EXPECT_THAT(
      header_error("{'colour': 1}"),
      HasSubstr("header key must be descr, fortran_order or shape, once each, got 'colour'"));
  EXPECT_THAT(header_error("{'descr': '<i2', 'descr': '<i2'}"),
              HasSubstr("once each, got 'descr'"));
  EXPECT_THAT(header_error("{'descr': '<i2'}"),
              HasSubstr("must give descr, fortran_order and shape"));
  EXPECT_THAT(header_error(dictionary("<i2", "(1,)") + "x"),
              HasSubstr("header must end after its dictionary, got more"));
  EXPECT_THAT(header_error("{'fortran_order': 0}"),
              HasSubstr("fortran_order must be True or False, got '0'"));
}

TEST(Npy, RefusesBadTypesAndShapes) {
  const auto of = [](const std::string& descr, const std::string& shape, const std::string& data) {
    return parse_error(npy(dictionary(descr, shape), data));
  };
  for (const char* const descr : {">f4", "<f8", "<c8", "|O", "<i3", "<u2", ""}) {
    EXPECT_THAT(of(descr, "(1,)", "1234"),
                HasSubstr("element type must be little-endian int8, uint8, int16, int32, int64, "
                          "float32 or bool, got '" +
                          std::string(descr) + "'"));
  }
  EXPECT_THAT(of("|i1", "(-1,)", ""),
              HasSubstr("dimensions must be integers of 0 or more, got '-'"));
  EXPECT_THAT(of("|i1", "(99999999999999999999,)", ""), HasSubstr("dimensions must be integers"));
  EXPECT_THAT(of("|i1", "(1 2)", ""), HasSubstr("must have ')' here, got '2'"));
  EXPECT_THAT(of("|i1", "3", ""), HasSubstr("must have '(' here, got '3'"));
  std::string many = "(";
  for (int i = 0; i < 33; ++i) many += "1,";
  EXPECT_THAT(of("|i1", many + ")", "a"), HasSubstr("at most 32 dimensions are read, got more"));
  EXPECT_THAT(of("<i4", "(65536, 65536)", ""),
              HasSubstr("shape must need at most 2147483648 bytes, got [65536,65536] of int32"));
  EXPECT_THAT(of("|i1", "(9223372036854775807, 9223372036854775807)", ""),
              HasSubstr("shape must need at most"));
}

TEST(Npy, DataMustMatchTheShape) {
  EXPECT_EQ(parse_npy(npy(dictionary("<i2", "(2,)"), "abcd"), "x.npy").size(), 2);
  EXPECT_THAT(parse_error(npy(dictionary("<i2", "(2,)"), "abc")),
              HasSubstr("data of shape [2] and type int16 must have 4 bytes, got 3"));
  EXPECT_THAT(parse_error(npy(dictionary("<i2", "(2,)"), "abcde")), HasSubstr("4 bytes, got 5"));
  EXPECT_THAT(parse_error(npy(dictionary("|b1", "(2,)"), std::string("\x01\x02", 2))),
              HasSubstr("bool must be 0 or 1, got 2"));
}

TEST(Npy, DamagedFilesGiveErrorsOnly) {
  TensorData tensor = TensorData::zeros(DType::kInt32, {2, 3});
  const std::string good = format_npy(tensor);
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    if (i % 3 == 0) bad.resize(random() % good.size());
    if (i % 3 != 0) bad[random() % bad.size()] = static_cast<char>(random() & 255U);
    if (i % 3 == 2) bad[random() % 70 % bad.size()] = static_cast<char>(random() & 255U);
    try {
      const TensorData read = parse_npy(bad, "x.npy");
      EXPECT_EQ(read.bytes.size(),
                static_cast<std::size_t>(element_count(read.shape) * size_of(read.type)));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Npy, BfloatsAreWrittenAsFloats) {
  TensorData t = TensorData::zeros(DType::kBfloat16, {2});
  t.as<std::uint16_t>()[0] = 0x3fc0;  // 1.5
  t.as<std::uint16_t>()[1] = 0xc000;  // −2
  const TensorData back = parse_npy(format_npy(t), "x.npy");
  EXPECT_EQ(back.type, DType::kFloat32);
  EXPECT_EQ(back.as<float>()[0], 1.5F);
  EXPECT_EQ(back.as<float>()[1], -2.0F);
}

TEST(Npy, FortranOrderBecomesRowMajor) {
  const TensorData t = parse_npy(
      npy("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }\n", "adbecf"), "x.npy");
  EXPECT_EQ(t.shape, (Shape{2, 3}));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(t.bytes.data()), t.bytes.size()), "abcdef");
}

}  // namespace
}  // namespace npu

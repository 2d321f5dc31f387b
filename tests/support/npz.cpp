#include "tests/support/npz.h"

#include <zlib.h>

#include <charconv>
#include <string_view>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/npy.h"

namespace npu::test {
namespace {

constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 30;

/// Little-endian number at `offset`.
std::uint32_t number(std::string_view bytes, std::size_t offset, std::size_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) fail("offset {}: cut off", offset);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
  }
  return value;
}

std::string_view part(std::string_view bytes, std::size_t offset, std::size_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) fail("offset {}: cut off", offset);
  return bytes.substr(offset, size);
}

std::string inflate_raw(std::string_view packed, std::size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("zlib does not start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) fail("damaged deflate stream");
  return out;
}

std::map<std::string, TensorData> parse(std::string_view zip) {
  constexpr std::uint32_t kEndMark = 0x06054b50;
  constexpr std::uint32_t kEntryMark = 0x02014b50;
  std::size_t end = zip.size() < 22 ? std::string_view::npos : zip.size() - 22;
  while (end != std::string_view::npos && number(zip, end, 4) != kEndMark) {
    end = end == 0 ? std::string_view::npos : end - 1;
  }
  if (end == std::string_view::npos) fail("not a ZIP archive");
  std::map<std::string, TensorData> arrays;
  std::size_t at = number(zip, end + 16, 4);
  for (std::uint32_t left = number(zip, end + 10, 2); left > 0; --left) {
    if (number(zip, at, 4) != kEntryMark) fail("offset {}: damaged directory", at);
    const std::uint32_t method = number(zip, at + 10, 2);
    const std::uint32_t packed_size = number(zip, at + 20, 4);
    const std::uint32_t size = number(zip, at + 24, 4);
    const std::uint32_t name_size = number(zip, at + 28, 2);
    const std::uint32_t header = number(zip, at + 42, 4);
    std::string name(part(zip, at + 46, name_size));
    const std::size_t data =
        header + 30 + number(zip, header + 26, 2) + number(zip, header + 28, 2);
    const std::string_view packed = part(zip, data, packed_size);
    if (method != 0 && method != 8) fail("{}: compression {} is not supported", name, method);
    if (std::int64_t{size} > kMaxFileBytes) fail("{}: {} bytes are too many", name, size);
    const std::string content = method == 0 ? std::string(packed) : inflate_raw(packed, size);
    at += 46 + name_size + number(zip, at + 30, 2) + number(zip, at + 32, 2);
    TensorData tensor = parse_npy(content, name);
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays[name] = std::move(tensor);
  }
  return arrays;
}

template <typename T>
void parse_integers(std::string_view text, std::span<T> values) {
  const char* next = text.data();
  const char* end = text.data() + text.size();
  std::size_t count = 0;
  while (next != end) {
    if (*next == ',' || *next == '\n' || *next == '\r' || *next == ' ') {
      ++next;
      continue;
    }
    T value{};
    const auto [rest, error] = std::from_chars(next, end, value);
    if (error != std::errc() || count == values.size()) fail("value {} does not fit", count);
    values[count++] = value;
    next = rest;
  }
  if (count != values.size()) fail("{} values, needs {}", count, values.size());
}

}  // namespace

std::map<std::string, TensorData> read_npz(const std::string& path) {
  try {
    return parse(read_file(path, kMaxFileBytes));
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
}

TensorData read_integer_csv(const std::string& path, DType type, const Shape& shape) {
  TensorData tensor = TensorData::zeros(type, shape);
  const std::string text = read_file(path, kMaxFileBytes);
  try {
    if (type == DType::kInt8) {
      parse_integers(text, tensor.as<std::int8_t>());
    } else if (type == DType::kInt16) {
      parse_integers(text, tensor.as<std::int16_t>());
    } else if (type == DType::kInt32) {
      parse_integers(text, tensor.as<std::int32_t>());
    } else {
      fail("{} is not supported", name_of(type));
    }
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
  return tensor;
}

}  // namespace npu::test

#include "sim/base/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "sim/base/file.h"
#include "sim/base/half.h"

namespace npu {
namespace {

static_assert(std::endian::native == std::endian::little, "npy data is copied as it is");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxDimensions = 32;
constexpr std::size_t kMaxHeaderBytes = 65'536;
constexpr std::size_t kAlignment = 64;

constexpr std::array<std::pair<std::string_view, DType>, 8> kDescriptions = {
    {{"|i1", DType::kInt8},
     {"|u1", DType::kUint8},
     {"<i2", DType::kInt16},
     {"<i4", DType::kInt32},
     {"<i8", DType::kInt64},
     {"<f4", DType::kFloat32},
     {"<f2", DType::kFloat16},
     {"|b1", DType::kBool}}};

/// Reads the header's dictionary: three known keys, once each, with literal values.
class HeaderReader {
 public:
  HeaderReader(std::string_view content, std::size_t begin, std::size_t end,
               const std::string& file)
      : content_(content.substr(0, end)), at_(begin), file_(file) {}

  /// Type and shape, and whether the first dimension is the innermost (Fortran's order).
  std::pair<TensorData, bool> read() {
    std::optional<DType> type;
    std::optional<Shape> shape;
    std::optional<bool> fortran;
    expect('{');
    while (!accept('}')) {
      const std::size_t place = skip_space();
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !type) {
        type = element_type();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else if (key == "fortran_order" && !fortran) {
        fortran = truth();
      } else {
        refuse(place, fmt::format("header key must be descr, fortran_order or shape, once each, "
                                  "got '{}'",
                                  printable(key)));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != content_.size()) refuse(at_, "header must end after its dictionary, got more");
    if (!type || !shape || !fortran) {
      refuse(at_, "header must give descr, fortran_order and shape, got fewer");
    }
    return {TensorData{*type, std::move(*shape), {}}, *fortran};
  }

 private:
  [[noreturn]] void refuse(std::size_t offset, std::string_view message) const {
    fail("{}: offset {}: {}", file_, offset, message);
  }
  static std::string printable(std::string_view text) {
    std::string out(text.substr(0, 40));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
  }
  std::size_t skip_space() {
    while (at_ < content_.size() && (content_[at_] == ' ' || content_[at_] == '\n')) ++at_;
    return at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= content_.size() || content_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) {
      refuse(at_, fmt::format("header must have '{}' here, got {}", c, here()));
    }
  }
  [[nodiscard]] std::string here() const {
    return at_ < content_.size() ? fmt::format("'{}'", printable(content_.substr(at_, 1)))
                                 : std::string("its end");
  }
  std::string_view quoted() {
    skip_space();
    const char quote = at_ < content_.size() ? content_[at_] : '\0';
    const std::size_t close =
        quote == '\'' || quote == '"' ? content_.find(quote, at_ + 1) : std::string_view::npos;
    if (close == std::string_view::npos) {
      refuse(at_, fmt::format("header must have a quoted word here, got {}", here()));
    }
    const std::string_view word = content_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    return word;
  }
  DType element_type() {
    const std::size_t place = skip_space();
    std::string word(quoted());
    if (word == "<i1" || word == "<u1" || word == "<b1") word[0] = '|';
    for (const auto& [description, type] : kDescriptions) {
      if (word == description) return type;
    }
    refuse(place, fmt::format("element type must be little-endian int8, uint8, int16, int32, "
                              "int64, float32 or bool, got '{}'",
                              printable(word)));
  }
  bool truth() {
    const std::size_t place = skip_space();
    for (const std::string_view word : {"False", "True"}) {
      if (content_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return word == "True";
      }
    }
    refuse(place, fmt::format("fortran_order must be True or False, got {}", here()));
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      const std::size_t place = skip_space();
      std::int64_t size = -1;
      const char* const end = content_.data() + content_.size();
      const auto [stop, error] = std::from_chars(content_.data() + at_, end, size);
      if (error != std::errc() || size < 0) {
        refuse(place, fmt::format("dimensions must be integers of 0 or more, got {}", here()));
      }
      at_ = static_cast<std::size_t>(stop - content_.data());
      shape.push_back(size);
      if (shape.size() > kMaxDimensions) {
        refuse(place, fmt::format("at most {} dimensions are read, got more", kMaxDimensions));
      }
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view content_;
  std::size_t at_;
  const std::string& file_;
};

/// Bytes of the data, or nothing if they are more than may be read.
std::optional<std::int64_t> data_bytes(const TensorData& tensor) {
  std::int64_t bytes = size_of(tensor.type);
  // Zero first: [2^40, 0] is an empty tensor, and no product of the others may overflow.
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return 0;
  for (const std::int64_t size : tensor.shape) {
    if (size > kMaxNpyBytes / bytes) return std::nullopt;
    bytes *= size;
  }
  return bytes;
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

/// A bfloat16 tensor as float32: NumPy has no bfloat16.
TensorData widened(const TensorData& tensor) {
  TensorData wide = TensorData::zeros(DType::kFloat32, tensor.shape);
  const auto from = tensor.as<std::uint16_t>();
  std::transform(from.begin(), from.end(), wide.as<float>().begin(), bfloat_to_float);
  return wide;
}

/// The elements of a tensor whose first dimension is the innermost, the last one innermost.
std::vector<std::byte> row_major(const TensorData& tensor) {
  const auto size = static_cast<std::size_t>(size_of(tensor.type));
  std::vector<std::byte> out(tensor.bytes.size());
  Shape index(tensor.shape.size(), 0);
  for (std::size_t at = 0; at < out.size(); at += size) {
    std::int64_t from = 0;
    for (std::size_t d = index.size(); d-- > 0;) from = from * tensor.shape[d] + index[d];
    std::copy_n(tensor.bytes.begin() + from * static_cast<std::int64_t>(size), size,
                out.begin() + static_cast<std::ptrdiff_t>(at));
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < tensor.shape[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace

TensorData parse_npy(std::string_view content, const std::string& file) {
  if (!content.starts_with(kMagic)) {
    fail("{}: offset 0: must start with NumPy's magic \\x93NUMPY, got something else", file);
  }
  if (content.size() < kMagic.size() + 2) {
    fail("{}: offset {}: file must hold a version, got its end", file, content.size());
  }
  const int major = static_cast<unsigned char>(content[6]);
  const int minor = static_cast<unsigned char>(content[7]);
  if ((major != 1 && major != 2) || minor != 0) {
    fail("{}: offset 6: version must be 1.0 or 2.0, got {}.{}", file, major, minor);
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t begin = 8 + length_bytes;
  if (content.size() < begin) {
    fail("{}: offset 8: file must hold the header's length, got its end", file);
  }
  const std::size_t length = little_endian(content.substr(8, length_bytes));
  if (length > kMaxHeaderBytes || length > content.size() - begin) {
    fail("{}: offset 8: header must lie within the file and {} bytes, got {} bytes", file,
         kMaxHeaderBytes, length);
  }
  auto [tensor, fortran] = HeaderReader(content, begin, begin + length, file).read();
  const std::optional<std::int64_t> bytes = data_bytes(tensor);
  if (!bytes) {
    fail("{}: offset {}: shape must need at most {} bytes, got {} of {}", file, begin, kMaxNpyBytes,
         to_string(tensor.shape), name_of(tensor.type));
  }
  const std::string_view data = content.substr(begin + length);
  if (data.size() != static_cast<std::size_t>(*bytes)) {
    fail("{}: offset {}: data of shape {} and type {} must have {} bytes, got {}", file,
         begin + length, to_string(tensor.shape), name_of(tensor.type), *bytes, data.size());
  }
  if (tensor.type == DType::kBool) {
    const auto wrong = std::find_if(data.begin(), data.end(), [](char c) { return c & ~1; });
    if (wrong != data.end()) {
      fail("{}: offset {}: bool must be 0 or 1, got {}", file,
           begin + length + static_cast<std::size_t>(wrong - data.begin()),
           static_cast<unsigned char>(*wrong));
    }
  }
  const auto source = std::as_bytes(std::span(data.data(), data.size()));
  tensor.bytes.assign(source.begin(), source.end());
  if (fortran) tensor.bytes = row_major(tensor);
  return tensor;
}

TensorData read_npy(const std::string& path) {
  const std::int64_t longest =
      kMaxNpyBytes + static_cast<std::int64_t>(kMaxHeaderBytes) + std::int64_t{12};
  return parse_npy(read_file(path, longest), path);
}

std::string format_npy(const TensorData& tensor) {
  if (tensor.type == DType::kBfloat16) return format_npy(widened(tensor));
  const auto found = std::find_if(kDescriptions.begin(), kDescriptions.end(),
                                  [&](const auto& d) { return d.second == tensor.type; });
  NPU_CHECK(found != kDescriptions.end(), "every element type has a description");
  NPU_CHECK(data_bytes(tensor) == static_cast<std::int64_t>(tensor.bytes.size()),
            "tensor's bytes match its shape");
  std::string shape = "(";
  for (const std::int64_t size : tensor.shape) shape += fmt::format("{}, ", size);
  if (tensor.shape.size() > 1) shape.resize(shape.size() - 2);
  if (tensor.shape.size() == 1) shape.resize(shape.size() - 1);
  shape += ')';
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", found->first, shape);
  const std::size_t unpadded = kMagic.size() + 4 + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';

  std::string out(kMagic);
  out += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
          static_cast<char>(header.size() >> 8)};
  out += header;
  out.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return out;
}

void write_npy(const std::string& path, const TensorData& tensor) {
  const std::string content = format_npy(tensor);
  write_file(path, std::as_bytes(std::span(content.data(), content.size())));
}

}  // namespace npu

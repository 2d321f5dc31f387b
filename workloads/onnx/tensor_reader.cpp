#include "workloads/onnx/tensor_reader.h"

#include <onnx/onnx_pb.h>

#include <charconv>
#include <filesystem>
#include <fstream>

#include "workloads/onnx/reader.h"

namespace npu::onnx {
namespace {

namespace fs = std::filesystem;

/// Bytes that `count` elements take as ONNX packs them: types below 8 bits share bytes.
std::int64_t packed_bytes(ElementType type, std::int64_t count) {
  return (count * bits_of(type) + 7) / 8;
}

/// Spreads packed elements of fewer than 8 bits over one byte each, lowest bits first.
void unpack(Value& value, std::string_view packed) {
  const int bits = bits_of(value.type);
  const int per_byte = 8 / bits;
  const unsigned mask = (1U << bits) - 1;
  const bool extends = is_integer(value.type) && is_signed(value.type);
  for (std::size_t i = 0; i < value.bytes.size(); ++i) {
    const auto at = i / static_cast<std::size_t>(per_byte);
    const unsigned shift =
        static_cast<unsigned>(i % static_cast<std::size_t>(per_byte)) * static_cast<unsigned>(bits);
    unsigned element = static_cast<unsigned char>(packed[at]) >> shift & mask;
    if (extends && (element >> (bits - 1)) != 0) element |= ~mask;
    value.bytes[i] = static_cast<std::byte>(element & 255U);
  }
}

void take_raw(Value& value, std::string_view raw, const std::string& place) {
  const std::int64_t expected = packed_bytes(value.type, value.size());
  if (static_cast<std::int64_t>(raw.size()) != expected) {
    fail("{}: expected {} bytes of data for {} {}, got {}", place, expected, to_string(value.shape),
         name_of(value.type), raw.size());
  }
  if (bits_of(value.type) < 8) {
    unpack(value, raw);
  } else if (!raw.empty()) {
    std::memcpy(value.bytes.data(), raw.data(), raw.size());
  }
}

template <typename T, typename Field>
void take_field(Value& value, const Field& field, const std::string& place) {
  if (field.size() != value.size()) {
    fail("{}: expected {} elements, got {}", place, value.size(), field.size());
  }
  const auto elements = value.as<T>();
  for (int i = 0; i < field.size(); ++i) {
    elements[static_cast<std::size_t>(i)] = static_cast<T>(field.Get(i));
  }
}

/// int32_data holds the smaller types one per entry; those below 8 bits a packed byte per entry.
void take_int32_data(Value& value, const ::onnx::TensorProto& proto, const std::string& place) {
  if (bits_of(value.type) < 8) {
    std::string packed;
    for (const std::int32_t entry : proto.int32_data()) packed += static_cast<char>(entry & 255);
    take_raw(value, packed, place);
    return;
  }
  switch (bytes_of(value.type)) {
    case 1:
      return take_field<std::uint8_t>(value, proto.int32_data(), place);
    case 2:
      return take_field<std::uint16_t>(value, proto.int32_data(), place);
    default:
      return take_field<std::int32_t>(value, proto.int32_data(), place);
  }
}

std::int64_t external_number(const std::string& text, const std::string& place,
                             std::string_view key) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number < 0) {
    fail("{}: external data: {} is no size: \"{}\"", place, key, text);
  }
  return number;
}

void take_external(Value& value, const ::onnx::TensorProto& proto, const std::string& place,
                   const std::string& folder) {
  const std::string location = external_location(proto);
  std::int64_t offset = 0;
  const std::int64_t expected = packed_bytes(value.type, value.size());
  std::int64_t length = expected;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "offset") {
      offset = external_number(entry.value(), place, "offset");
    } else if (entry.key() == "length") {
      length = external_number(entry.value(), place, "length");
    } else if (entry.key() != "location" && entry.key() != "checksum") {
      fail("{}: external data: unknown key \"{}\"", place, entry.key());
    }
  }
  const std::optional<std::string> found = external_path(location, folder);
  if (!found) {
    fail("{}: external data: \"{}\" is no file below the model's folder", place, location);
  }
  const std::string& path = *found;
  if (length != expected) {
    fail("{}: external data: expected {} bytes, got {}", place, expected, length);
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("{}: external data: cannot open {}", place, path);
  std::string raw;
  in.seekg(offset);
  const bool is_packed = bits_of(value.type) < 8;
  if (is_packed) raw.resize(static_cast<std::size_t>(expected));
  char* target = is_packed ? raw.data() : reinterpret_cast<char*>(value.bytes.data());
  in.read(target, static_cast<std::streamsize>(expected));
  if (in.gcount() != static_cast<std::streamsize>(expected)) {
    fail("{}: external data: {} ends before offset {} + {}", place, path, offset, expected);
  }
  if (is_packed) unpack(value, raw);
}

}  // namespace

std::optional<std::string> external_path(const std::string& location, const std::string& folder) {
  const fs::path relative = fs::path(location).lexically_normal();
  if (folder.empty() || location.empty() || relative.is_absolute() || *relative.begin() == "..") {
    return std::nullopt;
  }
  return (fs::path(folder) / relative).string();
}

std::string external_location(const ::onnx::TensorProto& proto) {
  if (proto.data_location() != ::onnx::TensorProto::EXTERNAL) return {};
  std::string location;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
  }
  return location;
}

Value read_tensor(const ::onnx::TensorProto& proto, const std::string& place,
                  const std::string& folder) {
  const int number = proto.data_type();
  if (number <= 0 || number >= kElementTypes) fail("{}: unknown element type {}", place, number);
  const auto type = static_cast<ElementType>(number);
  if (!is_supported(type)) fail("{}: {} tensors are not supported", place, name_of(type));
  if (proto.has_segment()) fail("{}: tensors in segments are not supported", place);
  if (static_cast<std::size_t>(proto.dims_size()) > kMaxRank) {
    fail("{}: rank {} is above {}", place, proto.dims_size(), kMaxRank);
  }
  Shape shape;
  std::int64_t count = 1;
  for (const std::int64_t dim : proto.dims()) {
    if (dim < 0 || (dim > 0 && count > kMaxTensorBytes / dim)) {
      fail("{}: dimension {} is out of range", place, dim);
    }
    count *= dim;
    shape.push_back(dim);
  }
  if (count > kMaxTensorBytes / bytes_of(type)) fail("{}: above {} bytes", place, kMaxTensorBytes);

  const bool is_external = proto.data_location() == ::onnx::TensorProto::EXTERNAL;
  // A payload that is in the message bounds what is allocated for it.
  const std::int64_t payload =
      static_cast<std::int64_t>(proto.raw_data().size()) +
      std::int64_t{8} *
          (proto.float_data_size() + proto.double_data_size() + proto.int32_data_size() +
           proto.int64_data_size() + proto.uint64_data_size());
  if (!is_external && payload < packed_bytes(type, count)) {
    fail("{}: expected {} elements of {}, got {} bytes", place, count, name_of(type), payload);
  }
  Value value = Value::zeros(type, std::move(shape));
  if (is_external) {
    take_external(value, proto, place, folder);
  } else if (proto.has_raw_data()) {
    take_raw(value, proto.raw_data(), place);
  } else if (type == ElementType::kFloat) {
    take_field<float>(value, proto.float_data(), place);
  } else if (type == ElementType::kDouble) {
    take_field<double>(value, proto.double_data(), place);
  } else if (type == ElementType::kInt64) {
    take_field<std::int64_t>(value, proto.int64_data(), place);
  } else if (type == ElementType::kUint64) {
    take_field<std::uint64_t>(value, proto.uint64_data(), place);
  } else if (type == ElementType::kUint32) {
    take_field<std::uint32_t>(value, proto.uint64_data(), place);
  } else {
    take_int32_data(value, proto, place);
  }
  return value;
}

}  // namespace npu::onnx

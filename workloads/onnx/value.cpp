#include "workloads/onnx/value.h"

#include <array>
#include <cmath>
#include <limits>

namespace npu::onnx {
namespace {

enum class Kind : std::uint8_t { kNone, kFloat, kInteger };

struct TypeRow {
  std::string_view name;
  Kind kind;
  bool is_signed;
  int bits;
};

constexpr std::array<TypeRow, kElementTypes> kTypes = {{
    {"undefined", Kind::kNone, false, 0},      {"float32", Kind::kFloat, true, 32},
    {"uint8", Kind::kInteger, false, 8},       {"int8", Kind::kInteger, true, 8},
    {"uint16", Kind::kInteger, false, 16},     {"int16", Kind::kInteger, true, 16},
    {"int32", Kind::kInteger, true, 32},       {"int64", Kind::kInteger, true, 64},
    {"string", Kind::kNone, false, 0},         {"bool", Kind::kInteger, false, 8},
    {"float16", Kind::kFloat, true, 16},       {"float64", Kind::kFloat, true, 64},
    {"uint32", Kind::kInteger, false, 32},     {"uint64", Kind::kInteger, false, 64},
    {"complex64", Kind::kNone, false, 0},      {"complex128", Kind::kNone, false, 0},
    {"bfloat16", Kind::kFloat, true, 16},      {"float8e4m3fn", Kind::kFloat, true, 8},
    {"float8e4m3fnuz", Kind::kFloat, true, 8}, {"float8e5m2", Kind::kFloat, true, 8},
    {"float8e5m2fnuz", Kind::kFloat, true, 8}, {"uint4", Kind::kInteger, false, 4},
    {"int4", Kind::kInteger, true, 4},         {"float4e2m1", Kind::kFloat, true, 4},
    {"float8e8m0", Kind::kFloat, false, 8},    {"uint2", Kind::kInteger, false, 2},
    {"int2", Kind::kInteger, true, 2},
}};

const TypeRow& row_of(ElementType type) { return kTypes.at(static_cast<std::size_t>(type)); }

/// Keeps the low bits of an integer and extends them as the type says.
std::int64_t wrap(ElementType type, std::int64_t value) {
  const int bits = bits_of(type);
  if (type == ElementType::kBool) return value != 0 ? 1 : 0;
  if (bits == 64) return value;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  const std::uint64_t low = static_cast<std::uint64_t>(value) & mask;
  const bool is_negative = is_signed(type) && (low >> (bits - 1)) != 0;
  return static_cast<std::int64_t>(is_negative ? low | ~mask : low);
}

std::int64_t truncate(double value) {
  constexpr double kTwo63 = 0x1p63;
  if (std::isnan(value)) return 0;
  if (value >= kTwo63) {
    // Beyond int64: unsigned values up to 2^64 keep their bits.
    return value < 2 * kTwo63 ? static_cast<std::int64_t>(static_cast<std::uint64_t>(value))
                              : std::numeric_limits<std::int64_t>::max();
  }
  if (value < -kTwo63) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

template <typename T>
void load(const Value& value, std::vector<double>& out) {
  const auto elements = value.as<T>();
  for (std::size_t i = 0; i < elements.size(); ++i) out[i] = static_cast<double>(elements[i]);
}

template <typename T>
void load(const Value& value, std::vector<std::int64_t>& out) {
  const auto elements = value.as<T>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if constexpr (sizeof(T) == sizeof(std::int64_t)) {
      out[i] = static_cast<std::int64_t>(elements[i]);
    } else {
      out[i] = std::int64_t{elements[i]};
    }
  }
}

template <typename Out>
void load_integer_type(const Value& value, Out& out) {
  switch (bytes_of(value.type)) {
    case 1:
      is_signed(value.type) ? load<std::int8_t>(value, out) : load<std::uint8_t>(value, out);
      return;
    case 2:
      is_signed(value.type) ? load<std::int16_t>(value, out) : load<std::uint16_t>(value, out);
      return;
    case 4:
      is_signed(value.type) ? load<std::int32_t>(value, out) : load<std::uint32_t>(value, out);
      return;
    default:
      is_signed(value.type) ? load<std::int64_t>(value, out) : load<std::uint64_t>(value, out);
  }
}

void store_integer(Value& value, std::size_t index, std::int64_t element) {
  const std::int64_t wrapped = wrap(value.type, element);
  const auto bytes = static_cast<std::size_t>(bytes_of(value.type));
  std::memcpy(value.bytes.data() + index * bytes, &wrapped, bytes);  // little-endian
}

}  // namespace

std::string_view name_of(ElementType type) { return row_of(type).name; }
bool is_supported(ElementType type) { return row_of(type).kind != Kind::kNone; }
bool is_float(ElementType type) { return row_of(type).kind == Kind::kFloat; }
bool is_integer(ElementType type) { return row_of(type).kind == Kind::kInteger; }
bool is_signed(ElementType type) { return row_of(type).is_signed; }
int bits_of(ElementType type) { return row_of(type).bits; }
std::int64_t bytes_of(ElementType type) { return (row_of(type).bits + 7) / 8; }

std::int64_t lowest_of(ElementType type) {
  if (!is_signed(type)) return 0;
  if (bits_of(type) == 64) return std::numeric_limits<std::int64_t>::min();
  return -(std::int64_t{1} << (bits_of(type) - 1));
}

std::int64_t highest_of(ElementType type) {
  if (type == ElementType::kBool) return 1;
  if (bits_of(type) == 64) return std::numeric_limits<std::int64_t>::max();
  return (std::int64_t{1} << (bits_of(type) - (is_signed(type) ? 1 : 0))) - 1;
}

Value Value::zeros(ElementType type, Shape shape) {
  Value value{type, std::move(shape), {}};
  value.bytes.resize(static_cast<std::size_t>(value.size() * bytes_of(type)));
  return value;
}

std::vector<double> to_doubles(const Value& value) {
  std::vector<double> out(static_cast<std::size_t>(value.size()));
  if (value.type == ElementType::kFloat) {
    load<float>(value, out);
  } else if (value.type == ElementType::kDouble) {
    load<double>(value, out);
  } else if (!is_float(value.type)) {
    load_integer_type(value, out);
  } else if (bytes_of(value.type) == 2) {
    const auto bits = value.as<std::uint16_t>();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = decode_small_float(value.type, bits[i]);
  } else {
    const auto bits = value.as<std::uint8_t>();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = decode_small_float(value.type, bits[i]);
  }
  return out;
}

std::vector<std::int64_t> to_integers(const Value& value) {
  if (!is_integer(value.type)) fail("expected integers, got {}", name_of(value.type));
  std::vector<std::int64_t> out(static_cast<std::size_t>(value.size()));
  load_integer_type(value, out);
  return out;
}

Value from_doubles(ElementType type, Shape shape, std::span<const double> elements, bool saturate) {
  Value value = Value::zeros(type, std::move(shape));
  NPU_CHECK(value.size() == static_cast<std::int64_t>(elements.size()), "element count");
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (type == ElementType::kFloat) {
      value.as<float>()[i] = static_cast<float>(elements[i]);
    } else if (type == ElementType::kDouble) {
      value.as<double>()[i] = elements[i];
    } else if (type == ElementType::kBool) {
      value.as<std::uint8_t>()[i] = elements[i] != 0 ? 1 : 0;
    } else if (!is_float(type)) {
      store_integer(value, i, truncate(elements[i]));
    } else {
      const std::uint16_t bits = encode_small_float(type, elements[i], saturate);
      if (bytes_of(type) == 2) {
        value.as<std::uint16_t>()[i] = bits;
      } else {
        value.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(bits);
      }
    }
  }
  return value;
}

Value from_integers(ElementType type, Shape shape, std::span<const std::int64_t> elements) {
  if (is_float(type)) {
    const std::vector<double> converted(elements.begin(), elements.end());
    return from_doubles(type, std::move(shape), converted);
  }
  Value value = Value::zeros(type, std::move(shape));
  NPU_CHECK(value.size() == static_cast<std::int64_t>(elements.size()), "element count");
  for (std::size_t i = 0; i < elements.size(); ++i) store_integer(value, i, elements[i]);
  return value;
}

}  // namespace npu::onnx

#include <cstring>
#include <limits>
#include <span>

#include "workloads/importers/tflite_reader.h"

namespace npu::importers {
namespace {

using graph::Quantization;
using graph::Tensor;

/// Reads the tensors of one subgraph.
class TensorReader {
 public:
  TensorReader(const schema::Model& model, std::string_view file_bytes, Budget& budget)
      : model_(model), file_bytes_(file_bytes), budget_(budget) {}

  Tensor read(const schema::Tensor& source, std::uint32_t index) {
    Tensor t;
    t.name = clean_name(source.name());
    where_ = fmt::format("tensor #{} `{}`", index, t.name);
    const bool packed = source.type() == schema::TensorType::INT4;
    t.type = type_of(source.type());
    t.shape = shape_of(source, size_of(t.type));
    budget_.spend(64 + static_cast<std::int64_t>(t.name.size()));
    if (source.sparsity() != nullptr) reject("sparse tensors are not supported");
    if (source.external_buffer() != 0) reject("data in an external file is not supported");
    t.quantization = quantization_of(source, t.shape);
    t.is_variable = source.is_variable();
    const std::span<const std::uint8_t> payload = payload_of(source.buffer());
    if (!payload.empty()) {
      t.is_constant = true;
      t.data = packed ? unpack(payload, element_count(t.shape)) : copy(payload, t.bytes());
    } else if (packed) {
      reject("int4 is supported for constants only");
    }
    return t;
  }

 private:
  template <typename... Args>
  [[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(where_ + ": " + fmt::format(format, std::forward<Args>(args)...));
  }

  DType type_of(schema::TensorType type) const {
    switch (type) {
      case schema::TensorType::FLOAT32:
        return DType::kFloat32;
      case schema::TensorType::INT32:
        return DType::kInt32;
      case schema::TensorType::UINT8:
        return DType::kUint8;
      case schema::TensorType::INT64:
        return DType::kInt64;
      case schema::TensorType::BOOL:
        return DType::kBool;
      case schema::TensorType::INT16:
        return DType::kInt16;
      case schema::TensorType::INT8:
      case schema::TensorType::INT4:
        return DType::kInt8;
      default:
        reject("type {} ({}) is not supported", static_cast<int>(type),
               schema::EnumNameTensorType(type));
    }
  }

  Shape shape_of(const schema::Tensor& source, std::int64_t element_bytes) const {
    const std::uint32_t rank = size_of_vector(source.shape());
    if (rank > graph::kMaxRank) reject("rank must be at most {}, got {}", graph::kMaxRank, rank);
    Shape shape;
    std::int64_t bytes = element_bytes;
    for (std::uint32_t i = 0; i < rank; ++i) {
      const std::int64_t d = source.shape()->Get(i);
      if (d < 0) reject("sizes must not be negative, got {}", d);
      if (d != 0 && bytes > graph::kMaxTensorBytes / d) reject("more than 2^31 bytes");
      bytes *= d;
      shape.push_back(d);
    }
    // The signature marks dynamic dimensions; the network runs with its static shape.
    const std::uint32_t signature = size_of_vector(source.shape_signature());
    if (signature != 0 && signature != rank) {
      reject("shape of rank {} with a signature of rank {}", rank, signature);
    }
    for (std::uint32_t i = 0; i < signature; ++i) {
      const std::int32_t d = source.shape_signature()->Get(i);
      if (d != -1 && d != shape[i]) {
        reject("shape {} does not fit its signature, which has {} at {}", to_string(shape), d, i);
      }
    }
    return shape;
  }

  std::optional<Quantization> quantization_of(const schema::Tensor& source, const Shape& shape) {
    const schema::Quantization* q = source.quantization();
    if (q == nullptr) return std::nullopt;
    if (q->details_type() != schema::QuantizationDetails::NONE) {
      reject("custom, blockwise or multi-axis quantization is not supported");
    }
    const std::uint32_t scales = size_of_vector(q->scale());
    const std::uint32_t zero_points = size_of_vector(q->zero_point());
    if (scales == 0) return std::nullopt;
    if (zero_points > 1 && zero_points != scales) {
      reject("{} zero points for {} scales", zero_points, scales);
    }
    budget_.spend(std::int64_t{scales} * 8);
    Quantization result;
    result.scale.assign(q->scale()->begin(), q->scale()->end());
    result.zero_point.assign(scales, 0);
    for (std::uint32_t i = 0; i < scales && zero_points != 0; ++i) {
      // The verifier checks a vector's 4-byte alignment only: copy what needs 8.
      std::int64_t z = 0;
      std::memcpy(&z, q->zero_point()->Data() + 8 * std::size_t{zero_points == 1 ? 0 : i}, 8);
      if (!std::in_range<std::int32_t>(z)) reject("zero point {} is out of range", z);
      result.zero_point[i] = static_cast<std::int32_t>(z);
    }
    // Writers leave the weights' axis on biases, which have one dimension.
    if (scales > 1 && shape.size() != 1) result.axis = q->quantized_dimension();
    return result;
  }

  /// Bytes of a buffer inside the FlatBuffer or behind it; empty where it holds none.
  std::span<const std::uint8_t> payload_of(std::uint32_t index) const {
    if (index == 0) return {};
    const std::uint32_t buffers = size_of_vector(model_.buffers());
    if (index >= buffers) {
      reject("buffer {} is out of range, the model has {}", index, buffers);
    }
    const schema::Buffer& buffer = *model_.buffers()->Get(index);
    if (size_of_vector(buffer.data()) != 0) return {buffer.data()->data(), buffer.data()->size()};
    if (buffer.offset() <= 1) return {};
    if (buffer.offset() > file_bytes_.size() ||
        buffer.size() > file_bytes_.size() - buffer.offset()) {
      reject("its {} bytes at offset {} leave the file of {} bytes", buffer.size(), buffer.offset(),
             file_bytes_.size());
    }
    return {reinterpret_cast<const std::uint8_t*>(file_bytes_.data()) + buffer.offset(),
            buffer.size()};
  }

  std::vector<std::byte> copy(std::span<const std::uint8_t> payload, std::int64_t expected) {
    if (static_cast<std::int64_t>(payload.size()) != expected) {
      reject("{} bytes of data, its shape needs {}", payload.size(), expected);
    }
    budget_.spend(expected);
    std::vector<std::byte> data(payload.size());
    std::memcpy(data.data(), payload.data(), payload.size());
    return data;
  }

  /// Two int4 values in a byte, the even one in the low half.
  std::vector<std::byte> unpack(std::span<const std::uint8_t> payload, std::int64_t count) {
    if (static_cast<std::int64_t>(payload.size()) != (count + 1) / 2) {
      reject("{} bytes of data, its shape needs {}", payload.size(), (count + 1) / 2);
    }
    budget_.spend(count);
    std::vector<std::byte> data(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < data.size(); ++i) {
      const int nibble = (payload[i / 2] >> (i % 2 == 0 ? 0 : 4)) & 15;
      data[i] = static_cast<std::byte>(nibble < 8 ? nibble : nibble - 16);
    }
    return data;
  }

  const schema::Model& model_;
  std::string_view file_bytes_;
  Budget& budget_;
  std::string where_;
};

}  // namespace

std::string clean_name(const flatbuffers::String* text) {
  constexpr std::size_t kLongest = 200;
  if (text == nullptr) return {};
  std::string name(text->data(), std::min<std::size_t>(text->size(), kLongest));
  for (char& c : name) {
    if (c < ' ' || c > '~') c = '?';
  }
  return name;
}

void read_tensors(const schema::Model& model, const schema::SubGraph& subgraph,
                  std::string_view file_bytes, Budget& budget, graph::Graph& graph) {
  if (size_of_vector(model.buffers()) != 0 &&
      size_of_vector(model.buffers()->Get(0)->data()) != 0) {
    fail("buffer 0 must be empty, got {} bytes", model.buffers()->Get(0)->data()->size());
  }
  TensorReader reader(model, file_bytes, budget);
  for (std::uint32_t i = 0; i < size_of_vector(subgraph.tensors()); ++i) {
    graph.tensors.push_back(reader.read(*subgraph.tensors()->Get(i), i));
  }
}

}  // namespace npu::importers

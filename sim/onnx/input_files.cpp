#include "sim/onnx/input_files.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <utility>

#include "kernels/onnx_import/bound_inputs.h"
#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/npy.h"
#include "workloads/onnx/reader.h"

namespace npu::onnx_run {
namespace {

using onnx::ElementType;
using onnx::Value;
using onnx_import::Network;

constexpr onnx_import::Range kInt8 = {-128, 127};
constexpr onnx_import::Range kUint8 = {0, 255};

std::vector<InputArray> read_npz(const std::string& path) {
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_zip(reader.get());
  constexpr std::size_t kBlock = 65536;
  const auto refuse = [&] { fail("{}: {}", path, archive_error_string(reader.get())); };
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK) refuse();
  std::vector<InputArray> values;
  std::int64_t total = 0;
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return values;
    if (status != ARCHIVE_OK) refuse();
    std::string name = archive_entry_pathname(entry);
    std::string content;
    char buffer[kBlock];
    la_ssize_t got = 0;
    while ((got = archive_read_data(reader.get(), buffer, sizeof buffer)) > 0) {
      content.append(buffer, static_cast<std::size_t>(got));
      total += got;
      if (total > kMaxNpyBytes) fail("{}: above {} bytes", path, kMaxNpyBytes);
    }
    if (got < 0) refuse();
    Value value = value_of(parse_npy(content, fmt::format("{}: {}", path, name)));
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    values.push_back({std::move(name), std::move(value)});
  }
}

Value read_one(const std::string& path) {
  if (!path.ends_with(".pb")) return value_of(read_npy(path));
  return onnx::parse_tensor(read_file(path, onnx::kMaxModelBytes - 1), path);
}

/// The value in the input's type, if no element changes.
Value converted(Value value, ElementType type, const std::string& place) {
  if (value.type == type) return value;
  const std::vector<double> elements = to_doubles(value);
  Value other = onnx::from_doubles(type, value.shape, elements);
  if (to_doubles(other) != elements) {
    fail("{}: expected {}, got {} that it does not hold", place, name_of(type),
         name_of(value.type));
  }
  return other;
}

}  // namespace

Value value_of(const TensorData& tensor) {
  static const std::pair<DType, ElementType> kTypes[] = {
      {DType::kInt8, ElementType::kInt8},        {DType::kUint8, ElementType::kUint8},
      {DType::kInt16, ElementType::kInt16},      {DType::kInt32, ElementType::kInt32},
      {DType::kInt64, ElementType::kInt64},      {DType::kFloat32, ElementType::kFloat},
      {DType::kBool, ElementType::kBool},        {DType::kFloat16, ElementType::kFloat16},
      {DType::kBfloat16, ElementType::kBfloat16}};
  for (const auto& [type, element] : kTypes) {
    if (type == tensor.type) return {element, tensor.shape, tensor.bytes};
  }
  NPU_CHECK(false, "a type of tensors");
  return {};
}

TensorData tensor_of(const Value& value) {
  switch (value.type) {
    case ElementType::kInt8:
      return {DType::kInt8, value.shape, value.bytes};
    case ElementType::kUint8:
      return {DType::kUint8, value.shape, value.bytes};
    case ElementType::kInt16:
      return {DType::kInt16, value.shape, value.bytes};
    case ElementType::kInt32:
      return {DType::kInt32, value.shape, value.bytes};
    case ElementType::kInt64:
      return {DType::kInt64, value.shape, value.bytes};
    case ElementType::kBool:
      return {DType::kBool, value.shape, value.bytes};
    case ElementType::kFloat16:
      return {DType::kFloat16, value.shape, value.bytes};
    default:
      break;
  }
  const bool floats = onnx::is_float(value.type);
  const ElementType wide = floats ? ElementType::kFloat : ElementType::kInt64;
  Value other = floats ? onnx::from_doubles(wide, value.shape, to_doubles(value))
                       : onnx::from_integers(wide, value.shape, to_integers(value));
  return {floats ? DType::kFloat32 : DType::kInt64, value.shape, std::move(other.bytes)};
}

std::vector<InputArray> read_arrays(const std::vector<std::string>& paths, const onnx::Model& model,
                                    std::string_view option) {
  const std::vector<onnx::ValueInfo>& inputs = model.graph.inputs;
  std::vector<InputArray> ordered;
  if (paths.size() == 1 && paths[0].ends_with(".npz")) {
    std::vector<InputArray> all = read_npz(paths[0]);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      auto found = std::find_if(all.begin(), all.end(),
                                [&](const InputArray& v) { return v.place == inputs[i].name; });
      if (found == all.end() && i < all.size()) {
        found = all.begin() + static_cast<std::ptrdiff_t>(i);
      }
      if (found == all.end()) fail("{}: no array for input \"{}\"", paths[0], inputs[i].name);
      ordered.push_back({paths[0] + ": " + found->place, found->value});
    }
    return ordered;
  }
  if (paths.size() != inputs.size()) {
    fail("{}: {} inputs needed, got {} files", option, inputs.size(), paths.size());
  }
  for (const std::string& path : paths) ordered.push_back({path, read_one(path)});
  return ordered;
}

onnx::Values take_bound(std::vector<InputArray>& arrays, const onnx::Model& model) {
  const auto names = bindable_inputs(model, onnx_import::Bound::kShapes);
  onnx::Values bound;
  std::vector<InputArray> others;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const onnx::ValueInfo& input = model.graph.inputs.at(i);
    const bool is_whole = input.has_shape && input.shape.size() == arrays[i].value.shape.size();
    if (names.contains(input.name) && is_whole) {
      bound.emplace(input.name, converted(std::move(arrays[i].value), input.type, arrays[i].place));
    } else {
      others.push_back(std::move(arrays[i]));
    }
  }
  arrays = std::move(others);
  return bound;
}

onnx_import::Ranges ranges_of(const std::vector<InputArray>& arrays, const onnx::Model& model) {
  constexpr double kMost = 0x1p53;  // Whole numbers up to here are exact.
  onnx_import::Ranges ranges;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const std::vector<double> elements = to_doubles(arrays[i].value);
    const bool whole = std::all_of(elements.begin(), elements.end(), [](double e) {
      return std::abs(e) <= kMost && e == std::floor(e);
    });
    if (!whole || elements.empty()) continue;
    const auto [low, high] = std::minmax_element(elements.begin(), elements.end());
    const onnx_import::Range own = {static_cast<std::int64_t>(*low),
                                    static_cast<std::int64_t>(*high)};
    ranges[model.graph.inputs.at(i).name] = own.low >= -128 && own.high <= 127 ? kInt8
                                            : own.low >= 0 && own.high <= 255  ? kUint8
                                                                               : own;
  }
  return ranges;
}

InputSamples samples_of(std::vector<InputArray> files, const Network& network,
                        std::optional<std::int64_t> limit) {
  const std::vector<onnx::ValueInfo>& inputs = network.model.graph.inputs;
  InputSamples out;
  std::int64_t count = 1;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& type = network.type(inputs[i].name);
    Value& value = files[i].value;
    value = converted(std::move(value), type.type, files[i].place);
    Shape stacked = type.shape;
    stacked.insert(stacked.begin(), value.shape.empty() ? 0 : value.shape[0]);
    const bool is_stacked = value.shape != type.shape && value.shape == stacked && stacked[0] > 0;
    if (value.shape != type.shape && !is_stacked) {
      fail("{}: input \"{}\" has shape {}, got {}", files[i].place, inputs[i].name,
           to_string(type.shape), to_string(value.shape));
    }
    const std::int64_t here = is_stacked ? stacked[0] : 1;
    if (i > 0 && (here != count || is_stacked != out.has_sample_dimension)) {
      fail("{}: every input needs the same number of samples", files[i].place);
    }
    count = here;
    out.has_sample_dimension = is_stacked;
  }
  if (limit && *limit > count) fail("--samples: {} asked for, the input has {}", *limit, count);
  out.samples.resize(static_cast<std::size_t>(limit.value_or(count)));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Shape& shape = network.type(inputs[i].name).shape;
    const std::vector<std::byte>& all = files[i].value.bytes;
    const std::size_t size = all.size() / static_cast<std::size_t>(count);
    for (std::size_t s = 0; s < out.samples.size(); ++s) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(s * size);
      out.samples[s][inputs[i].name] = {
          files[i].value.type, shape, {begin, begin + static_cast<std::ptrdiff_t>(size)}};
    }
  }
  return out;
}

InputSamples random_inputs(const Network& network, std::int64_t samples) {
  InputSamples out;
  out.has_sample_dimension = samples > 1;
  std::mt19937_64 random(1);
  for (std::int64_t s = 0; s < samples; ++s) {
    onnx::Values values;
    for (const onnx::ValueInfo& input : network.model.graph.inputs) {
      const auto& type = network.type(input.name);
      std::vector<double> elements(static_cast<std::size_t>(element_count(type.shape)));
      for (double& e : elements) {
        const std::uint64_t bits = random();
        e = onnx::is_float(type.type) && network.ranges.empty()
                ? static_cast<double>(bits >> 40) * 0x1p-23 - 1.0
                : static_cast<double>(bits >> 61);
      }
      if (type.type == ElementType::kBool) {
        for (double& e : elements) e = e < 4 ? 0 : 1;
      }
      values[input.name] = onnx::from_doubles(type.type, type.shape, elements);
    }
    out.samples.push_back(std::move(values));
  }
  return out;
}

}  // namespace npu::onnx_run

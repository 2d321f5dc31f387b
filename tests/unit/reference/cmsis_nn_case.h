#pragma once

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/base/error.h"
#include "tests/support/npz.h"
#include "tests/support/shared.h"

namespace npu::reference::test {

/// One case of the CMSIS-NN kernel vectors: configuration values and flat arrays, both without the
/// case's prefix.
class CmsisCase {
 public:
  CmsisCase(std::string name, const nlohmann::json& description) : name_(std::move(name)) {
    std::string upper = name_;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const auto& [key, value] : description.at("config").items()) {
      config_[key.starts_with(upper + "_") ? key.substr(upper.size() + 1) : key] = value;
    }
    const std::string path =
        npu::test::shared_path("models/kernel_vectors/cmsis_nn/" + name_ + ".npz");
    for (auto& [key, array] : npu::test::read_npz(path)) {
      arrays_[key.substr(name_.size() + 1)] = std::move(array);
    }
  }

  /// Every case of the index.
  [[nodiscard]] static std::vector<CmsisCase> all() {
    std::ifstream file(npu::test::shared_path("models/kernel_vectors/cmsis_nn/index.json"));
    const auto index = nlohmann::json::parse(file);
    std::vector<CmsisCase> cases;
    for (const auto& [name, description] : index.items()) {
      cases.emplace_back(name, description);
    }
    return cases;
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has(const std::string& key) const { return config_.contains(key); }
  [[nodiscard]] int value(const std::string& key) const { return config_.at(key).get<int>(); }
  [[nodiscard]] int value(const std::string& key, int otherwise) const {
    return has(key) ? value(key) : otherwise;
  }
  [[nodiscard]] std::string text(const std::string& key) const {
    return config_.at(key).get<std::string>();
  }
  [[nodiscard]] std::vector<std::int64_t> list(const std::string& key) const {
    return config_.at(key).get<std::vector<std::int64_t>>();
  }

  /// The first of these arrays that the case has, or null: two generations of names mean the same.
  [[nodiscard]] const TensorData* find(const std::vector<std::string>& names) const {
    for (const std::string& array : names) {
      if (const auto it = arrays_.find(array); it != arrays_.end()) return &it->second;
    }
    return nullptr;
  }
  /// The same with a shape given to its elements. @throws Error if there is none or the size does
  /// not fit.
  [[nodiscard]] TensorData array(const std::vector<std::string>& names, const Shape& shape) const {
    const TensorData* found = find(names);
    if (found == nullptr) fail("{}: no array {}", name_, names.at(0));
    TensorData shaped = *found;
    shaped.shape = shape;
    if (shaped.size() * size_of(shaped.type) != std::ssize(shaped.bytes)) {
      fail("{}: {} does not have shape {}", name_, names.at(0), to_string(shape));
    }
    return shaped;
  }
  /// Weights of `shape`; int4 ones are two to a byte, the even flat index in the low nibble.
  [[nodiscard]] TensorData weights(const Shape& shape) const {
    const TensorData* stored = find({"weights", "input_weights"});
    if (stored == nullptr) fail("{}: no weights", name_);
    if (std::ssize(stored->bytes) == element_count(shape))
      return {stored->type, shape, stored->bytes};
    if (std::ssize(stored->bytes) != (element_count(shape) + 1) / 2)
      fail("{}: weights do not have shape {}", name_, to_string(shape));
    TensorData unpacked = TensorData::zeros(DType::kInt8, shape);
    const auto values = unpacked.as<std::int8_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int nibble = (std::to_integer<int>(stored->bytes[i / 2]) >> (i % 2 == 0 ? 0 : 4)) & 15;
      values[i] = static_cast<std::int8_t>(nibble < 8 ? nibble : nibble - 16);
    }
    return unpacked;
  }
  [[nodiscard]] const TensorData& expected() const {
    const TensorData* output = find({"output_ref", "output"});
    if (output == nullptr) fail("{}: no output", name_);
    return *output;
  }

 private:
  std::string name_;
  std::map<std::string, nlohmann::json> config_;
  std::map<std::string, TensorData> arrays_;
};

}  // namespace npu::reference::test

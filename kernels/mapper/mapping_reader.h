#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping_error.h"
#include "sim/base/yaml_map.h"

namespace npu::mapper {

/// A mapping as a file says it, whole or in part: the keys that to_yaml() writes. Keys that only
/// inform (docs/mapping.md) are checked and not used.
class MappingFile {
 public:
  /// @throws Error with file, line and key: what YamlMap refuses, values out of range, layers,
  /// buffers or tensors that occur twice.
  [[nodiscard]] static MappingFile load(const std::string& path);
  [[nodiscard]] static MappingFile parse(std::string_view text, const std::string& file);

  [[nodiscard]] const Decisions& decisions() const { return decisions_; }
  /// @throws Error if the file is of a network of another name.
  void require_network(const std::string& name) const;
  /// The NPU that the file says it was made for, or nothing.
  [[nodiscard]] std::string npu_name() const;
  /// Throws the error of a decision with its place in the file.
  [[noreturn]] void fail_at(const MappingError& error) const;

 private:
  explicit MappingFile(YamlMap root) : root_(std::move(root)) {}
  void read();
  void read_layer(const YamlMap& in);
  void read_tensor(const YamlMap& in);
  void read_attention(const YamlMap& in);

  YamlMap root_;
  Decisions decisions_;
  std::map<std::string, YamlMap> layers_;
  std::map<graph::TensorId, YamlMap> tensors_, attention_;
};

}  // namespace npu::mapper

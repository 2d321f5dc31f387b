#pragma once

#include <vector>

#include "sim/base/yaml_document.h"
#include "sim/base/yaml_map.h"
#include "sim/sweep/sweep_file.h"

namespace npu::sweep {

/// The parameters of a sweep file's section; every one is a mapping here (lists were made
/// `{values: […]}`). @throws Error `file:line:column: key: …`.
/// @param node  the section itself, for the places of its keys.
[[nodiscard]] std::vector<Parameter> read_parameters(const YamlMap& section,
                                                     const yaml::Node& node);

}  // namespace npu::sweep

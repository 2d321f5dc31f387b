#include "workloads/importers/tflite.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "sim/base/file.h"
#include "workloads/importers/tflite_reader.h"

namespace npu::importers {
namespace {

/// FlatBuffers' own limit, which its verifier takes for granted.
constexpr std::int64_t kMaxFileBytes = std::numeric_limits<std::int32_t>::max() - 1;
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
constexpr flatbuffers::uoffset_t kMaxTables = 300'000;
constexpr std::int32_t kCustom = 32;
constexpr std::int32_t kSeeWideField = 127;  ///< In the byte, for numbers that it cannot hold.

const schema::Model& check_container(std::string_view bytes) {
  if (static_cast<std::int64_t>(bytes.size()) > kMaxFileBytes) {
    fail("offset 0: a model must be smaller than 2 GiB, got {} bytes", bytes.size());
  }
  if (bytes.size() < 8) fail("offset 0: too short for a TFLite model, got {} bytes", bytes.size());
  if (bytes.substr(4, 4) != "TFL3") fail("offset 4: not a TFLite model, `TFL3` is missing");
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), kMaxDepth, kMaxTables);
  if (!schema::VerifyModelBuffer(verifier)) {
    fail("offset 0: damaged FlatBuffer: an offset or length leaves the file");
  }
  const schema::Model& model = *schema::GetModel(data);
  if (model.version() != 3) fail("schema version must be 3, got {}", model.version());
  if (size_of_vector(model.subgraphs()) == 0) fail("the model has no subgraph");
  return model;
}

/// Old files have the operator's number in a byte, new ones in a wide field as well.
std::int32_t resolve_code(const schema::OperatorCode& code, std::uint32_t index) {
  if (code.legacy_code() < 0) {
    fail("operator code #{}: must not be negative, got {}", index, code.legacy_code());
  }
  const std::int32_t number = std::max<std::int32_t>(code.legacy_code(), code.code());
  if (number == kSeeWideField || builtin_name(number).empty()) {
    fail("operator code #{}: no operator has the number {}", index, number);
  }
  return number;
}

std::int32_t code_of(const schema::Model& model, const schema::Operator& op, std::uint32_t index) {
  const std::uint32_t codes = size_of_vector(model.operator_codes());
  if (op.opcode_index() >= codes) {
    fail("operator #{}: operator code {} is out of range, the model has {}", index,
         op.opcode_index(), codes);
  }
  return resolve_code(*model.operator_codes()->Get(op.opcode_index()), op.opcode_index());
}

/// Refuses unsupported operators before anything else, so that the message names the operator.
void check_operators(const schema::Model& model, const schema::SubGraph& subgraph) {
  for (std::uint32_t i = 0; i < size_of_vector(subgraph.operators()); ++i) {
    const schema::Operator& op = *subgraph.operators()->Get(i);
    const std::int32_t code = code_of(model, op, i);
    if (find_reader(code) != nullptr) continue;
    std::string name(builtin_name(code));
    if (code == kCustom) {
      const auto* custom = model.operator_codes()->Get(op.opcode_index())->custom_code();
      name += " `" + clean_name(custom) + "`";
    }
    fail("operator #{} {}", i, describe_unsupported(subgraph, op, name));
  }
}

std::vector<graph::TensorId> read_ids(const flatbuffers::Vector<std::int32_t>* ids,
                                      Budget& budget) {
  if (ids == nullptr) return {};
  budget.spend(4 * std::int64_t{ids->size()});
  return {ids->begin(), ids->end()};
}

graph::Graph parse(std::string_view bytes) {
  const schema::Model& model = check_container(bytes);
  const schema::SubGraph& subgraph = *model.subgraphs()->Get(0);
  check_operators(model, subgraph);

  Budget budget(bytes.size());
  graph::Graph graph;
  graph.name = clean_name(subgraph.name());
  if (graph.name.empty()) graph.name = "main";
  read_tensors(model, subgraph, bytes, budget, graph);
  graph.inputs = read_ids(subgraph.inputs(), budget);
  graph.outputs = read_ids(subgraph.outputs(), budget);
  for (std::uint32_t i = 0; i < size_of_vector(subgraph.operators()); ++i) {
    const schema::Operator& op = *subgraph.operators()->Get(i);
    const std::int32_t code = code_of(model, op, i);
    OperatorReader reader(graph, op, static_cast<int>(i), builtin_name(code), budget);
    find_reader(code)(reader);
  }
  graph::verify(graph);
  return graph;
}

}  // namespace

graph::Graph parse_tflite(std::string_view bytes, const std::string& file) {
  try {
    // FlatBuffers reads numbers in place: they need their natural alignment in memory.
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) == 0) {
      return parse(bytes);
    }
    std::vector<std::uint64_t> aligned(bytes.size() / sizeof(std::uint64_t) + 1);
    std::memcpy(aligned.data(), bytes.data(), bytes.size());
    return parse({reinterpret_cast<const char*>(aligned.data()), bytes.size()});
  } catch (const Error& error) {
    throw Error(file + ": " + error.what());
  }
}

graph::Graph load_tflite(const std::string& path) {
  return parse_tflite(read_file(path, kMaxFileBytes), path);
}

}  // namespace npu::importers

#include "workloads/onnx/reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "workloads/onnx/mapped_file.h"
#include "workloads/onnx/tensor_reader.h"
#include "workloads/onnx/upgrade.h"

namespace npu::onnx {
namespace {

constexpr int kMaxNesting = 16;
constexpr std::string_view kOnnxDomain = "ai.onnx";

std::string domain_of(const std::string& domain) {
  return domain == kOnnxDomain ? std::string() : domain;
}

/// Parses a message; protobuf's own complaints stay silent.
template <typename Message>
void parse(Message& message, std::string_view content, const std::string& path) {
  const google::protobuf::LogSilencer silence;
  google::protobuf::io::ArrayInputStream array(content.data(), static_cast<int>(content.size()));
  google::protobuf::io::CodedInputStream stream(&array);
  stream.SetRecursionLimit(6 * kMaxNesting);
  if (!message.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    fail("{}: offset {}: no valid protobuf message of ONNX", path, stream.CurrentPosition());
  }
}

/// Frees what a tensor's message holds, its value being taken.
void release_payload(::onnx::TensorProto& tensor) {
  const std::unique_ptr<std::string> raw(tensor.release_raw_data());
  google::protobuf::RepeatedField<float>().Swap(tensor.mutable_float_data());
  google::protobuf::RepeatedField<double>().Swap(tensor.mutable_double_data());
  google::protobuf::RepeatedField<std::int32_t>().Swap(tensor.mutable_int32_data());
  google::protobuf::RepeatedField<std::int64_t>().Swap(tensor.mutable_int64_data());
}

std::string folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), folder_(folder_of(path)) {}

  /// Payloads are taken out of the message one by one: tensors are not in memory twice.
  Graph graph(::onnx::GraphProto& proto, int depth) const {
    if (depth > kMaxNesting) fail("{}: graphs are nested deeper than {}", path_, kMaxNesting);
    Graph g;
    g.name = proto.name();
    if (proto.sparse_initializer_size() > 0) {
      fail("{}: graph \"{}\": sparse initializers are not supported", path_, g.name);
    }
    for (auto& tensor : *proto.mutable_initializer()) {
      const std::string place = fmt::format("{}: initializer \"{}\"", path_, tensor.name());
      if (tensor.name().empty()) fail("{}: it has no name", place);
      if (!g.initializers.emplace(tensor.name(), read_tensor(tensor, place, folder_)).second) {
        fail("{}: it is there twice", place);
      }
      release_payload(tensor);
    }
    for (const auto& input : proto.input()) {
      if (!g.initializers.contains(input.name())) g.inputs.push_back(value_info(input));
    }
    for (const auto& output : proto.output()) g.outputs.push_back(value_info(output));
    for (auto& node : *proto.mutable_node())
      g.nodes.push_back(read_node(node, g.nodes.size(), depth));
    return g;
  }

 private:
  Node read_node(::onnx::NodeProto& proto, std::size_t index, int depth) const {
    Node node;
    node.op_type = proto.op_type();
    node.domain = domain_of(proto.domain());
    node.name = proto.name();
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    const std::string place = fmt::format("{}: {}", path_, describe(node, index));
    for (auto& attribute : *proto.mutable_attribute()) {
      const std::string at = fmt::format("{}: attribute \"{}\"", place, attribute.name());
      if (!node.attributes.emplace(attribute.name(), read_attribute(attribute, at, depth)).second) {
        fail("{}: it is there twice", at);
      }
    }
    return node;
  }

  /// Files of IR version 1 do not say the type: it is that of the one field that is there.
  /// UNDEFINED for none or several.
  static ::onnx::AttributeProto::AttributeType type_by_fields(const ::onnx::AttributeProto& a) {
    using Proto = ::onnx::AttributeProto;
    const std::pair<bool, Proto::AttributeType> fields[] = {{a.has_f(), Proto::FLOAT},
                                                            {a.has_i(), Proto::INT},
                                                            {a.has_s(), Proto::STRING},
                                                            {a.has_t(), Proto::TENSOR},
                                                            {a.has_g(), Proto::GRAPH},
                                                            {a.floats_size() > 0, Proto::FLOATS},
                                                            {a.ints_size() > 0, Proto::INTS},
                                                            {a.strings_size() > 0, Proto::STRINGS},
                                                            {a.tensors_size() > 0, Proto::TENSORS},
                                                            {a.graphs_size() > 0, Proto::GRAPHS}};
    Proto::AttributeType found = Proto::UNDEFINED;
    for (const auto& [is_there, type] : fields) {
      if (!is_there) continue;
      if (found != Proto::UNDEFINED) return Proto::UNDEFINED;
      found = type;
    }
    return found;
  }

  Attribute read_attribute(::onnx::AttributeProto& a, const std::string& place, int depth) const {
    using Proto = ::onnx::AttributeProto;
    switch (a.has_type() ? a.type() : type_by_fields(a)) {
      case Proto::INT:
        return a.i();
      case Proto::FLOAT:
        return a.f();
      case Proto::STRING:
        return a.s();
      case Proto::TENSOR:
        return read_tensor(a.t(), place, folder_);
      case Proto::GRAPH:
        return std::make_shared<const Graph>(graph(*a.mutable_g(), depth + 1));
      case Proto::INTS:
        return std::vector<std::int64_t>(a.ints().begin(), a.ints().end());
      case Proto::FLOATS:
        return std::vector<float>(a.floats().begin(), a.floats().end());
      case Proto::STRINGS:
        return std::vector<std::string>(a.strings().begin(), a.strings().end());
      default:
        break;
    }
    fail("{}: attributes of type {} are not supported", place,
         ::onnx::AttributeProto_AttributeType_Name(a.type()));
  }

  ValueInfo value_info(const ::onnx::ValueInfoProto& proto) const {
    ValueInfo info;
    info.name = proto.name();
    const auto& type = proto.type();
    if (!type.has_tensor_type()) {
      info.other = type.has_sequence_type()   ? "sequence"
                   : type.has_optional_type() ? "optional"
                   : type.has_map_type()      ? "map"
                                              : "value of unknown kind";
      return info;
    }
    const int number = type.tensor_type().elem_type();
    if (number < 0 || number >= kElementTypes) {
      fail("{}: value \"{}\": unknown element type {}", path_, info.name, number);
    }
    info.type = static_cast<ElementType>(number);
    info.has_shape = type.tensor_type().has_shape();
    if (static_cast<std::size_t>(type.tensor_type().shape().dim_size()) > kMaxRank) {
      fail("{}: value \"{}\": rank above {}", path_, info.name, kMaxRank);
    }
    for (const auto& dim : type.tensor_type().shape().dim()) {
      Dimension d;
      if (dim.has_dim_value()) d.size = dim.dim_value();
      if (dim.has_dim_param()) d.symbol = dim.dim_param();
      info.shape.push_back(d);
    }
    return info;
  }

  const std::string& path_;
  std::string folder_;
};

/// Collects where external data are; protobuf's limit bounds how deep graphs are nested.
void add_external_files(const ::onnx::GraphProto& graph, const std::string& folder,
                        std::set<std::string>& files) {
  const auto add = [&](const ::onnx::TensorProto& tensor) {
    if (auto file = external_path(external_location(tensor), folder)) files.insert(*file);
  };
  for (const auto& tensor : graph.initializer()) add(tensor);
  for (const auto& node : graph.node()) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_t()) add(attribute.t());
      if (attribute.has_g()) add_external_files(attribute.g(), folder, files);
    }
  }
}

}  // namespace

std::string describe(const Node& node, std::size_t index) {
  const std::string domain = node.domain.empty() ? "" : node.domain + ".";
  return node.name.empty()
             ? fmt::format("node #{} {}{}", index, domain, node.op_type)
             : fmt::format("node #{} {}{} \"{}\"", index, domain, node.op_type, node.name);
}

Model parse_model(std::string_view content, const std::string& path) {
  if (static_cast<std::int64_t>(content.size()) >= kMaxModelBytes) {
    fail("{}: at most {} bytes are read, got {}", path, kMaxModelBytes - 1, content.size());
  }
  ::onnx::ModelProto proto;
  parse(proto, content, path);
  if (!proto.has_graph()) fail("{}: no ONNX model: it has no graph", path);
  Model model;
  model.file = path;
  model.ir_version = proto.ir_version();
  for (const auto& opset : proto.opset_import()) {
    if (!model.opsets.emplace(domain_of(opset.domain()), opset.version()).second) {
      fail("{}: operator set \"{}\" is imported twice", path, opset.domain());
    }
  }
  if (proto.functions_size() > 0) {
    fail("{}: functions defined by the model are not supported (\"{}\")", path,
         proto.functions(0).name());
  }
  model.graph = Reader(path).graph(*proto.mutable_graph(), 0);
  upgrade(model);
  return model;
}

Model read_model(const std::string& path) {
  const MappedFile file(path, kMaxModelBytes - 1);
  return parse_model(file.content(), path);
}

std::vector<std::string> external_files(const std::string& path) {
  const MappedFile file(path, kMaxModelBytes - 1);
  ::onnx::ModelProto proto;
  parse(proto, file.content(), path);
  std::set<std::string> files;
  add_external_files(proto.graph(), folder_of(path), files);
  return {files.begin(), files.end()};
}

Value parse_tensor(std::string_view content, const std::string& path) {
  if (static_cast<std::int64_t>(content.size()) >= kMaxModelBytes) {
    fail("{}: at most {} bytes are read, got {}", path, kMaxModelBytes - 1, content.size());
  }
  ::onnx::TensorProto proto;
  parse(proto, content, path);
  return read_tensor(proto, path, "");
}

}  // namespace npu::onnx

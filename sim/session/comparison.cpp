#include "sim/session/comparison.h"

#include <algorithm>
#include <utility>

#include "kernels/reference/reference.h"
#include "sim/base/half.h"
#include "sim/base/npy.h"

namespace npu::session {
namespace {

report::RealScale scale_of(const graph::Tensor& t) {
  if (is_float(t.type) || !t.quantization || t.quantization->scale.size() != 1) return {};
  return {static_cast<double>(t.quantization->scale[0]), t.quantization->zero_point[0]};
}

std::int64_t integer_at(const TensorData& t, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  switch (t.type) {
    case DType::kInt8:
      return t.as<std::int8_t>()[i];
    case DType::kUint8:
    case DType::kBool:
      return t.as<std::uint8_t>()[i];
    case DType::kInt16:
      return t.as<std::int16_t>()[i];
    case DType::kInt32:
      return t.as<std::int32_t>()[i];
    case DType::kInt64:
      return t.as<std::int64_t>()[i];
    case DType::kFloat32:
    case DType::kFloat16:
    case DType::kBfloat16:
      break;
  }
  NPU_CHECK(false, "an integer tensor");
  return 0;
}

std::string element_text(const TensorData& t, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  if (t.type == DType::kFloat32) return fmt::format("{}", t.as<float>()[i]);
  if (t.type == DType::kFloat16) return fmt::format("{}", half_to_float(t.as<std::uint16_t>()[i]));
  if (t.type == DType::kBfloat16) {
    return fmt::format("{}", bfloat_to_float(t.as<std::uint16_t>()[i]));
  }
  return fmt::format("{}", integer_at(t, index));
}

/// "[0,3,4,5]"
std::string coordinates(const Shape& shape, std::int64_t index) {
  Shape at(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    at[d] = index % shape[d];
    index /= shape[d];
  }
  return to_string(at);
}

bool same_layout(const TensorData& a, const TensorData& b) {
  return a.type == b.type && a.bytes.size() == b.bytes.size();
}

std::optional<std::int64_t> first_difference(const TensorData& a, const TensorData& b) {
  const auto at = std::ranges::mismatch(a.bytes, b.bytes).in1;
  if (at == a.bytes.end()) return std::nullopt;
  return (at - a.bytes.begin()) / size_of(a.type);
}

}  // namespace

Comparison::Comparison(const graph::Graph* network, const isa::Program& program,
                       std::vector<graph::TensorId> outputs, References references)
    : network_(network),
      program_(program),
      outputs_(std::move(outputs)),
      references_(network == nullptr ? References::kNone : references) {}

std::vector<std::int64_t> read_labels(const std::string& path, std::int64_t samples) {
  const TensorData t = read_npy(path);
  if (t.type == DType::kFloat32 || t.type == DType::kBool) {
    fail("{}: labels are integers, got {}", path, name_of(t.type));
  }
  if (t.size() < samples) fail("{}: {} labels for {} samples", path, t.size(), samples);
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < samples; ++i) labels.push_back(integer_at(t, i));
  return labels;
}

void Comparison::load_labels(const std::string& path, std::int64_t samples) {
  labels_ = read_labels(path, samples);
}

Comparison::Meters& Comparison::meters(std::map<graph::TensorId, Meters>& all,
                                       graph::TensorId id) const {
  return all.try_emplace(id, Meters(scale_of(network_->tensor(id)))).first->second;
}

void Comparison::add(std::int64_t sample, const std::vector<TensorData>& inputs,
                     const TensorMap& outputs, const TensorMap& captured) {
  ++samples_;
  std::optional<reference::Values> integer, real;
  if (references_ != References::kNone) integer = reference::run_integer(*network_, inputs);
  if (references_ == References::kAll) real = reference::run_float(*network_, inputs);

  const auto compare = [&](std::map<graph::TensorId, Meters>& all, graph::TensorId id,
                           const TensorData& value) -> std::optional<std::int64_t> {
    const TensorData& expected = integer->tensors.at(static_cast<std::size_t>(id));
    if (!same_layout(value, expected)) return std::nullopt;
    Meters& m = meters(all, id);
    const std::optional<std::int64_t> first = m.integer.add_exact(value, expected);
    if (real && real->tensors.at(static_cast<std::size_t>(id)).size() == value.size()) {
      m.real.add_float(value, real->tensors[static_cast<std::size_t>(id)]);
      m.has_real = true;
    }
    return first;
  };

  for (const graph::TensorId id : outputs_) {
    const TensorData& value = outputs.at(id);
    const TensorData* expected = nullptr;
    if (integer) {
      expected = &integer->tensors.at(static_cast<std::size_t>(id));
      NPU_CHECK(same_layout(value, *expected), "outputs have the reference's type and size");
      const std::optional<std::int64_t> first = compare(output_meters_, id, value);
      if (first && !mismatching_sample_) {
        mismatching_sample_ = sample;
        output_mismatch_ = place(id, value, *expected, *first);
      }
    }
    if (id != outputs_.front()) continue;
    add_classes(value, expected, real ? &real->tensors.at(static_cast<std::size_t>(id)) : nullptr,
                sample);
  }
  if (!integer) return;
  for (const auto& [id, value] : captured) {
    if (!std::cmp_less(id, integer->tensors.size())) continue;
    if (compare(tensor_meters_, id, value) && !mismatching_sample_) mismatching_sample_ = sample;
  }
}

void Comparison::add_classes(const TensorData& value, const TensorData* integer,
                             const TensorData* real, std::int64_t sample) {
  if (!report::is_class_vector(value.shape)) {
    if (!labels_.empty()) {
      fail("--labels: the output has shape {}, not one score per class", to_string(value.shape));
    }
    return;
  }
  const std::vector<double> scores = report::real_values(value, {});
  if (integer != nullptr) integer_classes_.add(scores, report::real_values(*integer, {}));
  if (real != nullptr) float_classes_.add(scores, report::real_values(*real, {}));
  if (!labels_.empty()) {
    label_classes_.add_label(scores, labels_.at(static_cast<std::size_t>(sample)));
  }
}

std::int32_t Comparison::ready_after(graph::TensorId id) const {
  for (const isa::TensorRecord& t : program_.tensors) {
    if (t.id == id && t.ready_after >= 0) return t.ready_after;
  }
  return -1;
}

std::string Comparison::layer_of(graph::TensorId id) const {
  const std::int32_t index = ready_after(id);
  if (index < 0) return "";
  const auto at = static_cast<std::size_t>(index);
  if (at >= program_.layer_of.size() || program_.layer_of[at] < 0) return "";
  return program_.layers.at(static_cast<std::size_t>(program_.layer_of[at])).name;
}

std::string Comparison::place(graph::TensorId id, const TensorData& value,
                              const TensorData& expected, std::int64_t element) const {
  const std::string layer = layer_of(id);
  const std::int32_t last = ready_after(id);
  std::string made;
  if (last >= 0) {
    const isa::Opcode opcode = program_.code.at(static_cast<std::size_t>(last)).opcode;
    made = fmt::format(" (completed by instruction {} {})", last, spec_of(opcode).mnemonic);
  }
  return fmt::format("tensor {} '{}'{}{} element {}: NPU {}, integer reference {}", id,
                     network_->tensor(id).name, layer.empty() ? "" : fmt::format(" of {}", layer),
                     made, coordinates(value.shape, element), element_text(value, element),
                     element_text(expected, element));
}

std::string Comparison::describe_mismatch(const std::vector<TensorData>& inputs,
                                          const TensorMap& captured) const {
  NPU_CHECK(mismatching_sample_.has_value(), "no mismatch to describe");
  const reference::Values integer = reference::run_integer(*network_, inputs);
  std::vector<const isa::TensorRecord*> order;
  for (const isa::TensorRecord& t : program_.tensors) order.push_back(&t);
  std::ranges::stable_sort(order, {}, &isa::TensorRecord::ready_after);
  for (const isa::TensorRecord* t : order) {
    const auto at = captured.find(t->id);
    if (at == captured.end() || std::cmp_greater_equal(t->id, integer.tensors.size())) continue;
    const TensorData& expected = integer.tensors[static_cast<std::size_t>(t->id)];
    if (!same_layout(at->second, expected)) continue;
    const std::optional<std::int64_t> first = first_difference(at->second, expected);
    if (!first) continue;
    return fmt::format("sample {}: first difference in {}", *mismatching_sample_,
                       place(t->id, at->second, expected, *first));
  }
  return fmt::format("sample {}: {}", *mismatching_sample_, output_mismatch_);
}

report::TensorAccuracy Comparison::row(graph::TensorId id, const Meters& m) const {
  report::TensorAccuracy out;
  out.id = id;
  out.name = network_->tensor(id).name;
  out.type = network_->tensor(id).type;
  out.layer = layer_of(id);
  out.integer = m.integer.result();
  if (m.has_real) out.float_error = m.real.result();
  return out;
}

report::Accuracy Comparison::result() const {
  report::Accuracy a;
  a.samples = samples_;
  for (const graph::TensorId id : outputs_) {
    const auto at = output_meters_.find(id);
    if (at != output_meters_.end()) a.outputs.push_back(row(id, at->second));
  }
  for (const auto& [id, m] : tensor_meters_) a.tensors.push_back(row(id, m));
  const auto agreement = [](const report::ClassMeter& m) -> std::optional<report::ClassAgreement> {
    if (m.samples() == 0) return std::nullopt;
    return report::ClassAgreement{.top1 = m.top1(), .top5 = m.top5()};
  };
  a.integer_classes = agreement(integer_classes_);
  a.float_classes = agreement(float_classes_);
  a.labels = agreement(label_classes_);
  return a;
}

}  // namespace npu::session

#include "sim/session/input_set.h"

#include <algorithm>
#include <random>

#include "sim/base/npy.h"
#include "workloads/graph/drawn_values.h"

namespace npu::session {
namespace {

std::string name_list(const std::vector<InputSpec>& specs) {
  std::string out;
  for (const InputSpec& s : specs) {
    out += fmt::format("{}'{}' {}{}", out.empty() ? "" : ", ", s.name, name_of(s.type),
                       to_string(s.shape));
  }
  return out;
}

void fill_random(TensorData& t, std::mt19937_64& random) {
  if (t.type == DType::kFloat32) {
    for (float& v : t.as<float>()) {
      v = static_cast<float>(static_cast<double>(random() >> 40) * 0x1p-23 - 1.0);
    }
    return;
  }
  if (is_float(t.type)) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < t.size(); ++i) {
      values.push_back(static_cast<double>(random() >> 40) * 0x1p-23 - 1.0);
    }
    t.bytes = graph::store_floats(t.type, values);
    return;
  }
  for (std::byte& b : t.bytes) b = static_cast<std::byte>(random() >> 56);
}

/// Samples in the file: its leading dimension, or −1 if it has the input's own shape.
std::int64_t leading_dimension(const TensorData& file, const InputSpec& spec,
                               const std::string& path) {
  if (file.type != spec.type) {
    fail("{}: input '{}' is {}, got {}", path, spec.name, name_of(spec.type), name_of(file.type));
  }
  if (file.shape == spec.shape) return -1;
  if (file.shape.size() == spec.shape.size() + 1 &&
      std::equal(spec.shape.begin(), spec.shape.end(), file.shape.begin() + 1)) {
    if (file.shape[0] == 0) fail("{}: no samples, shape {}", path, to_string(file.shape));
    return file.shape[0];
  }
  fail("{}: input '{}' has shape {}, with samples [N,{}, got {}", path, spec.name,
       to_string(spec.shape), to_string(spec.shape).substr(1), to_string(file.shape));
}

}  // namespace

InputSet InputSet::load(const std::vector<std::string>& paths, const std::vector<InputSpec>& specs,
                        std::optional<std::int64_t> limit) {
  if (paths.size() != specs.size()) {
    fail("--input: {} inputs needed ({}), got {}", specs.size(), name_list(specs), paths.size());
  }
  InputSet set;
  set.specs_ = specs;
  std::vector<std::int64_t> leading;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    set.files_.push_back(read_npy(paths[i]));
    leading.push_back(leading_dimension(set.files_[i], specs[i], paths[i]));
    if (leading[i] != leading[0]) {
      fail("{}: every input needs the same number of samples, {} has another", paths[i], paths[0]);
    }
  }
  set.has_sample_dimension_ = !leading.empty() && leading[0] >= 0;
  if (set.has_sample_dimension_) set.samples_ = leading[0];
  if (limit && *limit > set.samples_) {
    fail("--samples: {} asked for, the input has {}", *limit, set.samples_);
  }
  if (limit) set.samples_ = *limit;
  return set;
}

InputSet InputSet::random(const std::vector<InputSpec>& specs, std::int64_t samples) {
  InputSet set;
  set.specs_ = specs;
  set.samples_ = samples;
  set.has_sample_dimension_ = samples > 1;
  std::mt19937_64 random(1);
  for (const InputSpec& spec : specs) {
    if (spec.type != DType::kInt8 && spec.type != DType::kUint8 && spec.type != DType::kInt16 &&
        !is_float(spec.type)) {
      fail("input '{}' is {}: random values make no sense for it, give it with --input", spec.name,
           name_of(spec.type));
    }
    const std::int64_t bytes = element_count(spec.shape) * size_of(spec.type);
    if (samples > kMaxNpyBytes / std::max<std::int64_t>(bytes, 1)) {
      fail("--samples: {} samples of input '{}' need more than {} bytes", samples, spec.name,
           kMaxNpyBytes);
    }
    Shape shape = spec.shape;
    shape.insert(shape.begin(), samples);
    TensorData t = TensorData::zeros(spec.type, std::move(shape));
    fill_random(t, random);
    set.files_.push_back(std::move(t));
  }
  return set;
}

std::vector<TensorData> InputSet::sample(std::int64_t index) const {
  NPU_CHECK(index >= 0 && index < samples_, "sample index");
  std::vector<TensorData> out;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    TensorData t = TensorData::zeros(specs_[i].type, specs_[i].shape);
    const auto size = static_cast<std::ptrdiff_t>(t.bytes.size());
    const auto begin = files_[i].bytes.begin() + index * size;
    std::copy(begin, begin + size, t.bytes.begin());
    out.push_back(std::move(t));
  }
  return out;
}

TensorData stack(const std::vector<TensorData>& samples, bool has_sample_dimension) {
  NPU_CHECK(!samples.empty(), "nothing to stack");
  TensorData out{samples[0].type, samples[0].shape, {}};
  if (has_sample_dimension) {
    out.shape.insert(out.shape.begin(), static_cast<std::int64_t>(samples.size()));
  } else {
    NPU_CHECK(samples.size() == 1, "samples need their dimension");
  }
  for (const TensorData& s : samples) {
    out.bytes.insert(out.bytes.end(), s.bytes.begin(), s.bytes.end());
  }
  return out;
}

}  // namespace npu::session

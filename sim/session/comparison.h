#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "isa/program.h"
#include "sim/base/tensor.h"
#include "sim/report/report.h"
#include "sim/session/inference.h"
#include "workloads/graph/graph.h"

namespace npu::session {

/// Which CPU references the simulated outputs are compared with.
enum class References : std::uint8_t { kNone, kInteger, kAll };

/// Class labels: one integer per sample. @throws Error `file: …` for another type or fewer than
/// `samples`.
[[nodiscard]] std::vector<std::int64_t> read_labels(const std::string& path, std::int64_t samples);

/// Compares the simulated inferences with the CPU references and with labels.
///
/// The references run the network as it was imported: fusion is under test, too.
class Comparison {
 public:
  /// @param network  as imported; nullptr: only labels.
  /// @param outputs  tensor indices of the outputs, in order.
  Comparison(const graph::Graph* network, const isa::Program& program,
             std::vector<graph::TensorId> outputs, References references);

  /// See read_labels().
  void load_labels(const std::string& path, std::int64_t samples);

  /// Takes one sample. `captured` may be empty; what it holds is compared tensor by tensor.
  void add(std::int64_t sample, const std::vector<TensorData>& inputs, const TensorMap& outputs,
           const TensorMap& captured);

  /// First sample of which an output or captured tensor differed from the integer reference.
  [[nodiscard]] std::optional<std::int64_t> mismatching_sample() const {
    return mismatching_sample_;
  }
  /// The first tensor in the program's order that differs from the integer reference, for that
  /// sample with its captured tensors; the output that differs if none of them does. Names the
  /// instruction that completes it.
  [[nodiscard]] std::string describe_mismatch(const std::vector<TensorData>& inputs,
                                              const TensorMap& captured) const;

  [[nodiscard]] report::Accuracy result() const;

 private:
  struct Meters {
    explicit Meters(report::RealScale real_scale)
        : scale(real_scale), integer(real_scale), real(real_scale) {}
    report::RealScale scale;
    report::ErrorMeter integer, real;
    bool has_real = false;
  };

  Meters& meters(std::map<graph::TensorId, Meters>& all, graph::TensorId id) const;
  [[nodiscard]] report::TensorAccuracy row(graph::TensorId id, const Meters& m) const;
  void add_classes(const TensorData& value, const TensorData* integer, const TensorData* real,
                   std::int64_t sample);
  /// Static index of the instruction that completes the tensor; −1: none.
  [[nodiscard]] std::int32_t ready_after(graph::TensorId id) const;
  [[nodiscard]] std::string layer_of(graph::TensorId id) const;
  [[nodiscard]] std::string place(graph::TensorId id, const TensorData& value,
                                  const TensorData& expected, std::int64_t element) const;

  const graph::Graph* network_;
  const isa::Program& program_;
  std::vector<graph::TensorId> outputs_;
  References references_;
  std::vector<std::int64_t> labels_;
  std::int64_t samples_ = 0;
  std::map<graph::TensorId, Meters> output_meters_, tensor_meters_;
  report::ClassMeter integer_classes_, float_classes_, label_classes_;
  std::optional<std::int64_t> mismatching_sample_;
  std::string output_mismatch_;
};

}  // namespace npu::session

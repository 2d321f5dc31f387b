#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "workloads/importers/tflite_reader.h"

namespace npu::importers {
namespace {

using graph::OpKind;

/// One input, one output, options without fields or none.
template <OpKind kind, typename Options = void>
void read_unary(OperatorReader& r) {
  r.expect(1, 1);
  if constexpr (std::is_void_v<Options>) {
    r.expect_no_options();
  } else {
    (void)r.options<Options>();
  }
  r.add(kind, r.inputs(), r.outputs());
}

/// pot_scale_int16 is not read: like the micro kernels, all int16 scales take the general rule.
template <OpKind kind, typename Options>
void read_binary(OperatorReader& r) {
  r.expect(2, 2);
  const auto* o = r.options<Options>();
  graph::ActivationAttrs a;
  if (o != nullptr) a.activation = r.activation(o->activation());
  r.add(kind, r.inputs(), r.outputs(), a);
}

template <OpKind kind>
void read_extremum(OperatorReader& r) {
  r.expect(2, 2);
  (void)r.options<schema::MaximumMinimumOptions>();
  r.add(kind, r.inputs(), r.outputs());
}

template <OpKind kind>
void read_reduction(OperatorReader& r) {
  r.expect(2, 2);
  const auto& o = r.require_options<schema::ReducerOptions>();
  graph::ReduceAttrs a;
  for (const std::int64_t axis : r.integers(1, 2 * graph::kMaxRank, "axes")) {
    a.axes.push_back(r.axis(axis, r.in(0).shape.size()));
  }
  std::sort(a.axes.begin(), a.axes.end());
  a.axes.erase(std::unique(a.axes.begin(), a.axes.end()), a.axes.end());
  a.keep_dims = o.keep_dims();
  r.add(kind, {r.inputs()[0]}, r.outputs(), a);
}

void read_softmax(OperatorReader& r) {
  r.expect(1, 1);
  const auto& o = r.require_options<schema::SoftmaxOptions>();
  r.add(OpKind::kSoftmax, r.inputs(), r.outputs(), graph::SoftmaxAttrs{o.beta()});
}

void read_leaky_relu(OperatorReader& r) {
  r.expect(1, 1);
  const auto& o = r.require_options<schema::LeakyReluOptions>();
  r.add(OpKind::kLeakyRelu, r.inputs(), r.outputs(), graph::LeakyReluAttrs{o.alpha()});
}

constexpr auto kReaders = std::to_array<std::pair<std::int32_t, ReadOperator>>({
    {0, read_binary<OpKind::kAdd, schema::AddOptions>},
    {1, read_average_pool},
    {2, read_concatenation},
    {3, read_conv},
    {4, read_depthwise},
    {6, read_unary<OpKind::kDequantize, schema::DequantizeOptions>},
    {9, read_fully_connected},
    {14, read_unary<OpKind::kLogistic>},
    {17, read_max_pool},
    {18, read_binary<OpKind::kMul, schema::MulOptions>},
    {19, read_unary<OpKind::kRelu>},
    {20, read_unary<OpKind::kReluN1To1>},
    {21, read_unary<OpKind::kRelu6>},
    {22, read_reshape},
    {25, read_softmax},
    {27, read_svdf},
    {28, read_unary<OpKind::kTanh>},
    {34, read_pad},
    {39, read_transpose},
    {40, read_reduction<OpKind::kMean>},
    {41, read_binary<OpKind::kSub, schema::SubOptions>},
    {43, read_squeeze},
    {45, read_strided_slice},
    {49, read_split},
    {50, read_unary<OpKind::kLogSoftmax, schema::LogSoftmaxOptions>},
    {55, read_extremum<OpKind::kMaximum>},
    {57, read_extremum<OpKind::kMinimum>},
    {60, read_pad_v2},
    {65, read_slice},
    {67, read_transpose_conv},
    {70, read_expand_dims},
    {74, read_reduction<OpKind::kSum>},
    {83, read_pack},
    {98, read_leaky_relu},
    {102, read_split_v},
    {114, read_unary<OpKind::kQuantize, schema::QuantizeOptions>},
    {117, read_unary<OpKind::kHardSwish, schema::HardSwishOptions>},
});

}  // namespace

ReadOperator find_reader(std::int32_t code) {
  const auto* row = std::find_if(kReaders.begin(), kReaders.end(),
                                 [&](const auto& entry) { return entry.first == code; });
  return row == kReaders.end() ? nullptr : row->second;
}

}  // namespace npu::importers

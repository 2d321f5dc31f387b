#include "kernels/lowering/window_weights.h"

#include <algorithm>
#include <cstring>

#include "sim/base/math.h"

namespace npu::kernels {
namespace {

using graph::OpKind;
using mapper::WindowKind;
using std::int64_t;

std::vector<int64_t> biases(const LayerContext& c, int64_t channels) {
  std::vector<int64_t> result(static_cast<std::size_t>(channels), 0);
  if (!c.has_input(2)) return result;
  const graph::Tensor& bias = c.input(2);
  const int64_t size = size_of(bias.type);
  for (std::size_t i = 0; i < result.size(); ++i) {
    int64_t wide = 0;
    std::int32_t narrow = 0;
    const std::byte* at = bias.data.data() + static_cast<int64_t>(i) * size;
    if (size == 8) {
      std::memcpy(&wide, at, 8);
    } else {
      std::memcpy(&narrow, at, 4);
      wide = narrow;
    }
    result[i] = wide;
  }
  return result;
}

class Packer {
 public:
  explicit Packer(LayerContext& c)
      : c_(c), p_(*c.plan.window), t_(c.plan.tile), weights_(c.input(1).data.data()) {}

  WeightBlocks run() {
    WeightBlocks blocks;
    const bool depthwise = p_.kind == WindowKind::kDepthwise;
    const int64_t reduction = depthwise ? 1 : p_.in_c;
    const int64_t step = depthwise ? 1 : t_.in_c;
    for (int64_t group = 0; group < p_.groups; ++group) {
      for (int64_t oc = 0; oc < p_.out_c; oc += t_.out_c) {
        const int64_t channels = std::min(t_.out_c, p_.out_c - oc);
        for (int64_t ic = 0; ic < reduction; ic += step) {
          const int64_t depth = std::min(step, reduction - ic);
          const bool last = ic + step >= reduction;
          WeightBlock block;
          block.params_offset = round_up(channels * p_.taps() * depth * p_.w_size, 16);
          const bool has_records = last && t_.params_bytes == 0;
          block.bytes = has_records ? block.params_offset + channels * p_.param_bytes
                                    : channels * p_.taps() * depth * p_.w_size;
          block.address = c_.out.constant(
              fmt::format("weights {} [{},{},{}]", c_.plan.name, group, oc, ic), block.bytes,
              [&](std::vector<std::byte>& bytes) {
                if (depthwise) {
                  pack_depthwise(bytes.data(), oc, channels);
                } else {
                  pack_rows(bytes.data(), group * p_.out_c + oc, channels, ic, depth);
                }
                if (has_records) {
                  pack_records(bytes.data() + block.params_offset, group * p_.out_c + oc, channels);
                }
              });
          blocks[{group, oc, ic}] = block;
        }
      }
    }
    return blocks;
  }

 private:
  /// [channel][tap][input channel] of the tile; a transposed convolution turns its kernel by 180
  /// degrees.
  void pack_rows(std::byte* to, int64_t first, int64_t channels, int64_t ic, int64_t depth) const {
    const int64_t taps = p_.taps();
    const bool flip = c_.node.kind == OpKind::kTransposeConv;
    const auto run = static_cast<std::size_t>(depth * p_.w_size);
    for (int64_t o = first; o < first + channels; ++o) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t source = flip ? taps - 1 - tap : tap;
        std::memcpy(to, weights_ + ((o * taps + source) * p_.in_c + ic) * p_.w_size, run);
        to += run;
      }
    }
  }
  /// [tap][channel] of the tile.
  void pack_depthwise(std::byte* to, int64_t first, int64_t channels) const {
    const auto run = static_cast<std::size_t>(channels * p_.w_size);
    for (int64_t tap = 0; tap < p_.taps(); ++tap) {
      std::memcpy(to, weights_ + (tap * p_.out_c + first) * p_.w_size, run);
      to += run;
    }
  }
  void pack_records(std::byte* to, int64_t first, int64_t channels) {
    if (multipliers_.empty()) {
      const int64_t total = p_.out_c * p_.groups;
      multipliers_ = channel_multipliers(c_.graph, c_.node, total);
      bias_ = biases(c_, total);
    }
    WordWriter writer(to);
    for (int64_t o = first; o < first + channels; ++o) {
      writer.word(bias_[static_cast<std::size_t>(o)], p_.wide ? 8 : 4);
      writer.multiplier(multipliers_[static_cast<std::size_t>(o)]);
    }
  }

  LayerContext& c_;
  const mapper::WindowProblem& p_;
  const mapper::WindowTile& t_;
  const std::byte* weights_;
  std::vector<FixedMultiplier> multipliers_;
  std::vector<int64_t> bias_;
};

}  // namespace

bool has_wide_bias(const LayerContext& c) {
  return c.input(0).type == DType::kInt16 && (!c.has_input(2) || c.input(2).type == DType::kInt64);
}

WeightBlocks pack_weights(LayerContext& c) { return Packer(c).run(); }

WeightBlock pack_uniform_record(LayerContext& c) {
  const bool wide = c.plan.window->wide;
  WeightBlock block;
  block.bytes = mapper::record_bytes(wide);
  block.address = c.out.constant(fmt::format("requantization {}", c.plan.name), block.bytes,
                                 [&](std::vector<std::byte>& bytes) {
                                   WordWriter writer(bytes.data());
                                   writer.word(0, wide ? 8 : 4);
                                   writer.multiplier(channel_multipliers(c.graph, c.node, 1)[0]);
                                 });
  return block;
}

}  // namespace npu::kernels

#include "kernels/lowering/window_weights.h"

#include <algorithm>
#include <cstring>

#include "kernels/lowering/output_stage.h"
#include "sim/base/math.h"

namespace npu::kernels {
namespace {

using graph::OpKind;
using mapper::WindowKind;
using std::int64_t;

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
                } else if (has_columns()) {
                  pack_columns(bytes.data(), oc, channels, ic, depth);
                } else {
                  pack_rows(bytes.data(), group * p_.out_c + oc, channels, ic, depth);
                }
                if (has_records) {
                  write_params(c_, bytes.data() + block.params_offset, group * p_.out_c + oc,
                               channels);
                }
              });
          blocks[{group, oc, ic}] = block;
        }
      }
    }
    return blocks;
  }

 private:
  /// Whether the weights lie as [input channel][channel].
  [[nodiscard]] bool has_columns() const {
    const auto* matmul = std::get_if<graph::MatMulAttrs>(&c_.node.attrs);
    return matmul != nullptr && !matmul->transpose_b;
  }
  void pack_columns(std::byte* to, int64_t first, int64_t channels, int64_t ic,
                    int64_t depth) const {
    const auto size = static_cast<std::size_t>(p_.w_size);
    for (int64_t o = first; o < first + channels; ++o) {
      for (int64_t k = ic; k < ic + depth; ++k, to += size)
        std::memcpy(to, weights_ + (k * p_.out_c + o) * p_.w_size, size);
    }
  }
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
  LayerContext& c_;
  const mapper::WindowProblem& p_;
  const mapper::WindowTile& t_;
  const std::byte* weights_;
};

}  // namespace

WeightBlocks pack_weights(LayerContext& c) { return Packer(c).run(); }

WeightBlock pack_uniform_record(LayerContext& c) {
  const bool wide = c.plan.window->wide;
  WeightBlock block;
  block.bytes = mapper::record_bytes(wide);
  block.address = c.out.constant(fmt::format("requantization {}", c.plan.name), block.bytes,
                                 [&](std::vector<std::byte>& bytes) {
                                   WordWriter writer(bytes.data());
                                   writer.word(0, wide ? 8 : 4);
                                   writer.multiplier(channel_multiplier(c.graph, c.node, 0));
                                 });
  return block;
}

}  // namespace npu::kernels

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "workloads/graph/graph.h"

namespace npu::graph {
namespace {

std::string_view text_of(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "NONE";
    case Activation::kRelu:
      return "RELU";
    case Activation::kReluN1To1:
      return "RELU_N1_TO_1";
    case Activation::kRelu6:
      return "RELU6";
  }
  return "?";
}

struct Printer {
  std::string operator()(const std::monostate&) const { return ""; }
  std::string operator()(const WindowAttrs& a) const {
    const Window& w = a.window;
    return fmt::format(
        "kernel {}x{}, stride {}x{}, dilation {}x{}, padding {},{},{},{}, groups {}, "
        "depth_multiplier "
        "{}, activation {}{}",
        w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top,
        w.pad_bottom, w.pad_left, w.pad_right, a.groups, a.depth_multiplier, text_of(a.activation),
        a.rescale == Rescale::kFloat ? ", rescale in fp32" : "");
  }
  std::string operator()(const ActivationAttrs& a) const {
    return fmt::format("activation {}, axis {}", text_of(a.activation), a.axis);
  }
  std::string operator()(const ReduceAttrs& a) const {
    return fmt::format("axes [{}], keep_dims {}", fmt::join(a.axes, ","), a.keep_dims);
  }
  std::string operator()(const PadAttrs& a) const {
    return fmt::format("before [{}], after [{}], value {}", fmt::join(a.before, ","),
                       fmt::join(a.after, ","), a.value);
  }
  std::string operator()(const TransposeAttrs& a) const {
    return fmt::format("permutation [{}]", fmt::join(a.permutation, ","));
  }
  std::string operator()(const SliceAttrs& a) const {
    return fmt::format("begin [{}], stride [{}], sizes [{}]", fmt::join(a.begin, ","),
                       fmt::join(a.stride, ","), fmt::join(a.sizes, ","));
  }
  std::string operator()(const SoftmaxAttrs& a) const {
    return fmt::format("beta {}, block {}", a.beta, a.block);
  }
  std::string operator()(const LeakyReluAttrs& a) const { return fmt::format("alpha {}", a.alpha); }
  std::string operator()(const SvdfAttrs& a) const {
    return fmt::format("rank {}, activation {}", a.rank, text_of(a.activation));
  }
  std::string operator()(const MapAttrs& a) const {
    const int immediates = info_of(a.function).immediates;
    if (immediates == 0 && a.imm0 == 0) return std::string(name_of(a.function));
    return immediates < 2 ? fmt::format("{} {}", name_of(a.function), a.imm0)
                          : fmt::format("{} {} {}", name_of(a.function), a.imm0, a.imm1);
  }
  std::string operator()(const ReduceMapAttrs& a) const {
    return fmt::format("{}, axes [{}], keep_dims {}", name_of(a.function), fmt::join(a.axes, ","),
                       a.keep_dims);
  }
  std::string operator()(const MatMulAttrs& a) const {
    return fmt::format("transpose_b {}, activation {}, scale {}", a.transpose_b,
                       text_of(a.activation), a.scale);
  }
  std::string operator()(const NormAttrs& a) const {
    return fmt::format("axis {}, epsilon {}", a.axis, a.epsilon);
  }
  std::string operator()(const RopeAttrs& a) const {
    return fmt::format("interleaved {}", a.interleaved);
  }
  std::string operator()(const AttentionAttrs& a) const {
    return fmt::format("scale {}, causal {}, key_block {}, softmax_block {}", a.scale, a.causal,
                       a.key_block, a.softmax_block);
  }
};

}  // namespace

std::string describe_attributes(const Node& node) { return std::visit(Printer{}, node.attrs); }

}  // namespace npu::graph

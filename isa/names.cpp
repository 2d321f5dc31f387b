#include <array>

#include "isa/instructions.h"
#include "sim/base/error.h"

namespace npu::isa {
namespace {

constexpr std::array<std::string_view, kEngineCount> kEngineNames = {
    "mac", "vec", "dma0", "dma1", "dma2", "dma3", "dma4", "dma5"};

// clang-format off
constexpr auto kOpdNames = std::to_array<std::string_view>({
    "src", "dst", "a", "b", "x", "w", "acc", "params", "table", "engine", "channel", "count",
    "length", "patch0_slot", "patch0_opd", "patch0_step", "patch1_slot", "patch1_opd",
    "patch1_step", "patch2_slot", "patch2_opd", "patch2_step", "patch3_slot", "patch3_opd",
    "patch3_step", "patch4_slot", "patch4_opd", "patch4_step", "patch5_slot", "patch5_opd",
    "patch5_step", "patch6_slot", "patch6_opd", "patch6_step", "n0", "n1", "n2", "n3",
    "src_stride1", "src_stride2", "src_stride3", "dst_stride1", "dst_stride2", "dst_stride3",
    "a_stride1", "a_stride2", "b_stride1", "b_stride2", "a_broadcast", "b_broadcast", "src_step0",
    "value", "element_bytes", "m", "n", "k", "acc_pitch", "row_stride", "pixel_stride", "w_stride",
    "w_tap_stride", "in_h", "in_w", "y0", "x0", "kernel_h", "kernel_w", "stride_h", "stride_w",
    "dilation_h", "dilation_w", "up_h", "up_w", "out_h", "out_w", "in_c", "out_c", "multiplier",
    "dst_row_stride", "dst_pixel_stride", "x_zero", "w_zero", "x_type", "w_type", "accumulate",
    "wide", "weights_loaded", "stream", "in_type", "out_type", "per_channel", "reduced", "out_zero",
    "clamp_min", "clamp_max", "r1", "r2", "r_stride1", "r_stride2", "rows", "a_zero", "b_zero",
    "a_type", "b_type", "a_step0", "b_step0", "dst_step0", "function", "b_immediate", "imm0", "imm1",
    "rows_at", "scale_rows", "raw", "w_transposed"
});
// clang-format on
static_assert(kOpdNames.size() == kOpdCount, "one name per operand, in the order of Opd");

}  // namespace

std::string_view name_of(Engine engine) {
  const auto i = static_cast<std::size_t>(engine);
  NPU_CHECK(i < kEngineNames.size(), "no such engine");
  return kEngineNames[i];
}

std::string_view name_of(Opd opd) {
  const auto i = static_cast<std::size_t>(opd);
  NPU_CHECK(i < kOpdNames.size(), "no such operand");
  return kOpdNames[i];
}

}  // namespace npu::isa

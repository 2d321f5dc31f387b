#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/compute/float_matmul.h"
#include "sim/compute/mac_operation.h"

namespace npu::compute {

/// What mac.load_weights brought: w[o][k] row by row, and where it came from.
struct ShadowWeights {
  bool valid = false;
  std::int64_t address = 0, stride = 0, n = 0, k = 0;
  Element type = Element::kInt8;
  bool transposed = false;       ///< It stood in memory as w[k][o].
  std::vector<std::byte> bytes;  ///< [n][k]; empty when timing-only.
};

/// The arithmetic of the MAC array on the bytes of the memories. Sums of integers are exact modulo
/// 2^32 (2^64 when wide); those of floats are float32, acc = acc + x·w with the product and the sum
/// each rounded to nearest even, in the order of the instruction's definition, padding left out.
///
/// Fast path of integers: operands less their zero points as int16, patches gathered row by row,
/// block kernels of matmul.h. Operands that leave int16 (a zero point far outside the type's range)
/// and int16 × int16 products of which not even two fit 32 bits go element by element. Floats: 16
/// output channels side by side.
class MatrixExecutor {
 public:
  /// `op`'s extents must lie within the memories (check_extent).
  /// @param shadow  the first fold's weights; null: from the scratchpad.
  void run(const MacOperation& op, const ShadowWeights* shadow,
           std::span<const std::byte> scratchpad, std::span<std::byte> accumulator);

 private:
  void convolve(const MacOperation& op, const ShadowWeights* shadow,
                std::span<const std::byte> scratchpad, std::span<std::byte> accumulator,
                std::int64_t exact_products);
  void depthwise(const MacOperation& op, std::span<const std::byte> scratchpad,
                 std::span<std::byte> accumulator);
  void pack_weights(const MacOperation& op, const ShadowWeights* shadow,
                    std::span<const std::byte> scratchpad);

  void convolve_floats(const MacOperation& op, const ShadowWeights* shadow,
                       std::span<const std::byte> scratchpad, std::span<std::byte> accumulator);
  void depthwise_floats(const MacOperation& op, std::span<const std::byte> scratchpad,
                        std::span<std::byte> accumulator);
  void pack_float_weights(const MacOperation& op, const ShadowWeights* shadow,
                          std::span<const std::byte> scratchpad);
  static void pack_panel(const MacOperation& op, const std::byte* first_row, std::int64_t columns,
                         float* panel);
  void multiply_positions(const MacOperation& op, std::int64_t first, std::int64_t count,
                          const float* inputs, std::span<const Segment> segments,
                          std::span<std::byte> accumulator) const;
  void pack_transposed_weights(const MacOperation& op, const ShadowWeights* shadow,
                               std::span<const std::byte> scratchpad);

  std::vector<std::int16_t> weights_, inputs_, row_;
  std::vector<float> float_weights_, float_inputs_, float_row_;
};

/// Where weight w[o][k = tap·in_c + c] (depthwise: w[tap][o]) is: in the shadow registers or the
/// scratchpad.
[[nodiscard]] const std::byte* weight_at(const MacOperation& op, const ShadowWeights* shadow,
                                         std::span<const std::byte> scratchpad, std::int64_t tap,
                                         std::int64_t c, std::int64_t o);

/// Element by element, for every operand that an instruction can hold. Slow.
void run_plain(const MacOperation& op, const ShadowWeights* shadow,
               std::span<const std::byte> scratchpad, std::span<std::byte> accumulator);
void run_plain_floats(const MacOperation& op, const ShadowWeights* shadow,
                      std::span<const std::byte> scratchpad, std::span<std::byte> accumulator);

/// out[i] = element i at `source` less `zero`; the differences must fit int16.
void convert_to_int16(const std::byte* source, Element type, std::int64_t count, std::int32_t zero,
                      std::int16_t* out);

}  // namespace npu::compute

#pragma once

#include <string>

#include "isa/encoding.h"
#include "isa/program.h"
#include "sim/config/npu_config.h"

namespace npu::test {

/// 4 KiB of scratchpad, 1 KiB of accumulators, two DMA channels, ≥ 64 KiB of DRAM.
inline NpuConfig small_config() {
  NpuConfig config;
  config.scratchpad.capacity_bytes = 4096;
  config.accumulator.capacity_bytes = 1024;
  config.dma.channels = 2;
  config.sequencer.queue_depth = 4;
  config.dram.device = "tiny";
  config.dram.channels = config.dram.ranks = config.dram.bank_groups = config.dram.banks_per_group =
      1;
  config.dram.rows = 64;
  config.dram.columns = 1024;
  config.dram.bus_width_bits = 8;
  config.dram.burst_length = 8;
  return config;
}

/// `text` at DRAM 0x8000, an image of 0x400 bytes at 0, an input of 0x400 at 0x1000 and an output
/// of 0x400 at 0x2000.
inline isa::Program program_of(const std::string& text) {
  isa::Program p;
  p.code = isa::assemble(text, "p.s");
  p.code_address = 0x8000;
  p.dram_bytes = 0x10000;
  p.image = {{"weights", 0, 0x400, {}}};
  isa::TensorRecord in;
  in.id = 1;
  in.name = "in";
  in.shape = {0x400};
  in.role = isa::TensorRole::kInput;
  in.address = 0x1000;
  isa::TensorRecord out = in;
  out.id = 2;
  out.name = "out";
  out.role = isa::TensorRole::kIntermediate;
  out.address = 0x2000;
  p.tensors = {in, out};
  return p;
}

inline std::string tokens(const std::string& wait, const std::string& signal) {
  return (wait.empty() ? "" : " wait=" + wait) + (signal.empty() ? "" : " signal=" + signal) + "\n";
}
/// `bytes` bytes, contiguous.
inline std::string load(int channel, int src, int dst, int bytes, const std::string& wait = "",
                        const std::string& signal = "") {
  return fmt::format(
      "dma.load channel={} src={} dst={} n0={} n1=1 n2=1 n3=1 src_stride1=0 src_stride2=0 "
      "src_stride3=0 dst_stride1=0 dst_stride2=0 dst_stride3=0{}",
      channel, src, dst, bytes, tokens(wait, signal));
}
inline std::string store(int channel, int src, int dst, int bytes, const std::string& wait = "",
                         const std::string& signal = "") {
  return fmt::format(
      "dma.store channel={} src={} dst={} n0={} n1=1 n2=1 n3=1 src_stride1=0 src_stride2=0 "
      "src_stride3=0 dst_stride1=0 dst_stride2=0 dst_stride3=0{}",
      channel, src, dst, bytes, tokens(wait, signal));
}
/// acc[m,n] = x[m,k] · w[n,k], dense int8.
inline std::string gemm(int x, int w, int acc, int m, int n, int k, const std::string& wait = "",
                        const std::string& signal = "", bool accumulate = false) {
  return fmt::format(
      "mac.gemm x={} w={} acc={} row_stride={} w_stride={} acc_pitch={} m={} n={} k={} x_zero=0 "
      "w_zero=0 x_type=0 w_type=0 accumulate={} wide=0 weights_loaded=0 stream=0 w_transposed=0{}",
      x, w, acc, k, k, n, m, n, k, accumulate ? 1 : 0, tokens(wait, signal));
}
/// [m,n] dense int8 from acc, one record of parameters.
inline std::string requantize(int acc, int dst, int params, int m, int n,
                              const std::string& wait = "", const std::string& signal = "") {
  return fmt::format(
      "vec.requantize acc={} dst={} params={} acc_pitch={} out_h=1 out_w={} out_c={} "
      "dst_row_stride=0 dst_pixel_stride={} out_type=0 per_channel=0 wide=0 reduced=0 out_zero=0 "
      "clamp_min=-128 clamp_max=127 stream=0{}",
      acc, dst, params, n, m, n, n, tokens(wait, signal));
}
/// dst[i] = max(a[i], b[i]) over `bytes` int8.
inline std::string max(int a, int b, int dst, int bytes, const std::string& wait = "",
                       const std::string& signal = "") {
  return fmt::format(
      "vec.max a={} b={} dst={} params=0 n0={} n1=1 n2=1 a_stride1=0 a_stride2=0 b_stride1=0 "
      "b_stride2=0 dst_stride1=0 dst_stride2=0 a_broadcast=0 b_broadcast=0 in_type=0{}",
      a, b, dst, bytes, tokens(wait, signal));
}
inline std::string sync(const std::string& engine, const std::string& wait = "",
                        const std::string& signal = "") {
  return "sync engine=" + engine + tokens(wait, signal);
}

}  // namespace npu::test

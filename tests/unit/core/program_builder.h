#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "isa/encoding.h"
#include "isa/program.h"
#include "sim/config/npu_config.h"

namespace npu::machine_test {

inline constexpr std::uint8_t kMac = 1, kVec = 2, kDma0 = 4, kDma1 = 8;  ///< Token mask bits.

/// The edge preset with two DMA channels, one DRAM channel without refresh, and small windows.
inline NpuConfig small_config() {
  NpuConfig config = load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/edge.yaml");
  config.dma.channels = 2;
  config.dram.channels = 1;
  config.dram.refresh = RefreshPolicy::kNone;
  config.energy.window_cycles = 100;
  return config;
}

using Operands = std::initializer_list<std::pair<isa::Opd, std::int64_t>>;

/// An instruction with the named operands; the others are 1 where a count must not be 0, else 0.
inline isa::Instruction make(isa::Opcode opcode, Operands operands, std::uint8_t wait = 0,
                             std::uint8_t signal = 0) {
  isa::Instruction in;
  in.opcode = opcode;
  in.wait = wait;
  in.signal = signal;
  const isa::InstrSpec& spec = isa::spec_of(opcode);
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    switch (spec.fields[f].opd) {
      case isa::Opd::kN0:
      case isa::Opd::kN1:
      case isa::Opd::kN2:
      case isa::Opd::kN3:
      case isa::Opd::kOutH:
      case isa::Opd::kOutW:
        in.values[f] = 1;
        break;
      default:
        break;
    }
  }
  for (const auto& [opd, value] : operands) in.set(opd, value);
  return in;
}

inline isa::Instruction load(int channel, std::int64_t src, std::int64_t dst, std::int64_t bytes,
                             std::uint8_t wait = 0, std::uint8_t signal = 0) {
  using enum isa::Opd;
  return make(isa::Opcode::kDmaLoad, {{kChannel, channel}, {kSrc, src}, {kDst, dst}, {kN0, bytes}},
              wait, signal);
}
inline isa::Instruction store(int channel, std::int64_t src, std::int64_t dst, std::int64_t bytes,
                              std::uint8_t wait = 0, std::uint8_t signal = 0) {
  using enum isa::Opd;
  return make(isa::Opcode::kDmaStore, {{kChannel, channel}, {kSrc, src}, {kDst, dst}, {kN0, bytes}},
              wait, signal);
}
/// acc[m,n] = x[m,k] · w[n,k]ᵀ, int8, dense.
inline isa::Instruction gemm(std::int64_t x, std::int64_t w, std::int64_t acc, std::int64_t m,
                             std::int64_t n, std::int64_t k, std::uint8_t wait = 0,
                             std::uint8_t signal = 0) {
  using enum isa::Opd;
  return make(isa::Opcode::kGemm,
              {{kX, x},
               {kW, w},
               {kAcc, acc},
               {kRowStride, k},
               {kWStride, k},
               {kAccPitch, n},
               {kM, m},
               {kN, n},
               {kK, k}},
              wait, signal);
}
/// dst[n] = max(a[n], b[n]), int8.
inline isa::Instruction vec_max(std::int64_t a, std::int64_t b, std::int64_t dst, std::int64_t n,
                                std::uint8_t wait = 0, std::uint8_t signal = 0) {
  using enum isa::Opd;
  return make(isa::Opcode::kMax, {{kA, a}, {kB, b}, {kDst, dst}, {kN0, n}}, wait, signal);
}
inline isa::Instruction sync(isa::Engine engine, std::uint8_t wait, std::uint8_t signal) {
  return make(isa::Opcode::kSync, {{isa::Opd::kEngine, static_cast<std::int64_t>(engine)}}, wait,
              signal);
}
inline isa::Instruction loop(std::int64_t count, std::int64_t length) {
  return make(isa::Opcode::kLoop, {{isa::Opd::kCount, count}, {isa::Opd::kLength, length}});
}
inline isa::Instruction halt() { return make(isa::Opcode::kHalt, {}); }

inline constexpr std::int64_t kCodeAddress = 0x10000;
inline constexpr std::int64_t kImageBytes = 0x8000;  ///< Image "data" at [0, kImageBytes).
inline constexpr std::int64_t kOutputAddress = 0x40000;
inline constexpr std::int64_t kDramBytes = 0x80000;

/// Image byte i.
inline std::byte pattern(std::int64_t i) {
  return static_cast<std::byte>((i * 7 + i / 256) & 0xff);
}

/// `code` and a halt, all of layer 0, with a patterned image at DRAM address 0.
inline isa::Program program_of(std::vector<isa::Instruction> code) {
  isa::Program program;
  program.code = std::move(code);
  program.code.push_back(halt());
  program.layers = {{.name = "CONV_2D #0", .source_index = 0, .macs = 0}};
  program.layer_of.assign(program.code.size(), 0);
  isa::ImageSegment data{.name = "data", .address = 0, .size = kImageBytes, .bytes = {}};
  for (std::int64_t i = 0; i < kImageBytes; ++i) data.bytes.push_back(pattern(i));
  program.image.push_back(std::move(data));
  program.code_address = kCodeAddress;
  program.dram_bytes = kDramBytes;
  return program;
}

}  // namespace npu::machine_test

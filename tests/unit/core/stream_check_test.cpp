// Rules of streamed tiles in a program.

#include "sim/core/stream_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/core/program_validation.h"
#include "tests/unit/core/program_builder.h"

namespace npu {
namespace {

using isa::Opcode;
using enum isa::Opd;
using machine_test::make;
using machine_test::program_of;

NpuConfig nvdla() {
  return load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/nvdla_small.yaml");
}

isa::Instruction tile(std::int64_t positions, std::int64_t channels) {
  return make(Opcode::kGemm, {{kM, positions},
                              {kN, channels},
                              {kK, 8},
                              {kX, 0},
                              {kW, 1024},
                              {kRowStride, 8},
                              {kWStride, 8},
                              {kStream, 1}});
}
isa::Instruction take(std::int64_t rows, std::int64_t columns, std::int64_t channels) {
  return make(Opcode::kRequantize, {{kOutH, rows},
                                    {kOutW, columns},
                                    {kOutC, channels},
                                    {kDst, 4096},
                                    {kDstPixelStride, channels},
                                    {kDstRowStride, columns * channels},
                                    {kParams, 8192},
                                    {kStream, 1}});
}

std::string error_of(std::initializer_list<isa::Instruction> code, const NpuConfig& config) {
  try {
    validate_program(program_of(code), config, {.timing_only = true});
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

TEST(StreamCheck, TakesTilesInPieces) {
  EXPECT_EQ(
      error_of({tile(6, 8), take(1, 4, 8), take(1, 2, 8), tile(2, 3), take(2, 1, 3)}, nvdla()),
      "none");
}

TEST(StreamCheck, NamesWhatDoesNotAddUp) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of({take(1, 1, 8)}, nvdla()),
              HasSubstr("instruction 0 (vec.requantize): stream: no streamed tile before it has "
                        "results left"));
  EXPECT_THAT(error_of({tile(6, 8), take(1, 7, 8)}, nvdla()),
              HasSubstr("stream: takes 7 positions, but instruction 0 has 6 left"));
  EXPECT_THAT(
      error_of({tile(6, 8), take(1, 6, 4)}, nvdla()),
      HasSubstr("stream: takes 4 narrow channels, but instruction 0 streams 8 narrow ones"));
  EXPECT_THAT(error_of({tile(6, 8), take(1, 5, 8)}, nvdla()),
              HasSubstr("instruction 0 (mac.gemm): stream: nobody takes all of its results"));
}

TEST(StreamCheck, ATileMustFitTheStream) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of({tile(6, 9), take(1, 6, 9)}, nvdla()),
              HasSubstr("stream: at most the array's 8 columns, got 9 channels"));
  isa::Instruction accumulating = tile(6, 8);
  accumulating.set(kAccumulate, 1);
  EXPECT_THAT(error_of({accumulating, take(1, 6, 8)}, nvdla()),
              HasSubstr("stream: a streamed tile cannot accumulate"));
  EXPECT_THAT(error_of({tile(6, 8), take(1, 6, 8)}, machine_test::small_config()),
              HasSubstr("stream: the configuration has no result stream"));
}

}  // namespace
}  // namespace npu

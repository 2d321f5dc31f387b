#include "sim/core/program_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/unit/core/program_builder.h"

namespace npu {
namespace {

using isa::Opd;
using machine_test::gemm;
using machine_test::kMac;
using machine_test::load;
using machine_test::program_of;
using machine_test::small_config;

void expect_error(const isa::Program& program, const std::string& text,
                  const ValidationScope& scope = {}) {
  try {
    validate_program(program, small_config(), scope);
    FAIL() << "no error: " << text;
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(text));
  }
}

const isa::Program kGood = program_of({load(0, 0, 0, 64), load(1, 64, 64, 64)});

TEST(ProgramValidation, AcceptsAGoodProgram) {
  EXPECT_NO_THROW(validate_program(kGood, small_config(), {}));
}

TEST(ProgramValidation, LayerIndices) {
  isa::Program p = kGood;
  p.layer_of.pop_back();
  expect_error(p, "program: 2 layer indices for 3 instructions");
  p = kGood;
  p.layer_of[1] = 1;
  expect_error(p, "instruction 1: layer 1 does not exist: the program has 1");
  p.layer_of[1] = -2;
  expect_error(p, "instruction 1: layer -2 does not exist");
}

TEST(ProgramValidation, CodeAlignment) {
  isa::Program p = kGood;
  p.code_address += 32;
  expect_error(p, "code address 0x10020 is not a multiple of 64");
}

TEST(ProgramValidation, ImageWithoutBytesRunsTimingOnly) {
  isa::Program p = kGood;
  p.image[0].bytes.clear();
  expect_error(p, "image 'data': has no bytes: the program can run timing-only");
  EXPECT_NO_THROW(validate_program(p, small_config(), {.timing_only = true}));
}

TEST(ProgramValidation, TensorsBecomeReadyAfterAnInstructionThatExists) {
  isa::Program p = kGood;
  p.tensors.push_back(
      {.id = 4, .name = "y", .shape = {8}, .address = machine_test::kOutputAddress});
  p.tensors[0].ready_after = 3;
  expect_error(p, "tensor 4 'y': ready after instruction 3: the program has 3");
  p.tensors[0].ready_after = -2;
  expect_error(p, "tensor 4 'y': ready after instruction -2");
  p.tensors[0].ready_after = 2;
  EXPECT_NO_THROW(validate_program(p, small_config(), {}));
}

TEST(ProgramValidation, LayoutAndLoopsAreChecked) {
  isa::Program p = kGood;
  p.code_address = 0;
  expect_error(p, "overlaps");
  p = program_of({machine_test::loop(2, 5), load(0, 0, 0, 64)});
  expect_error(p, "goes beyond the code");
}

TEST(ProgramValidation, EnginesThatTheConfigurationDoesNotHave) {
  expect_error(program_of({load(2, 0, 0, 64)}), "channel: the configuration has 2 DMA channels");
  expect_error(program_of({load(1, 0, 0, 64, 0, 16)}), "no engine dma2");
}

TEST(ProgramValidation, BoundsOfEveryIteration) {
  const NpuConfig config = small_config();
  const std::int64_t spm = config.scratchpad.capacity_bytes;
  isa::Program p = program_of({load(0, 0, spm - 64, 64)});
  EXPECT_NO_THROW(validate_program(p, config, {}));
  p.code[0].set(Opd::kDst, spm - 63);
  expect_error(p, "instruction 0 (dma.load): writes scratchpad");
  EXPECT_NO_THROW(validate_program(p, config, {.check_bounds = false}));
  expect_error(program_of({load(0, machine_test::kDramBytes - 63, 0, 64)}),
               "instruction 0 (dma.load): reads DRAM");
  expect_error(program_of({gemm(0, 64, config.accumulator.capacity_bytes, 1, 1, 1)}),
               "writes accumulator");

  isa::Instruction twice = machine_test::loop(2, 1);
  twice.set(Opd::kPatch0Opd, static_cast<std::int64_t>(Opd::kDst));
  twice.set(Opd::kPatch0Step, 64);
  p = program_of({twice, load(0, 0, spm - 64, 64)});
  expect_error(p, "instruction 1 (dma.load): writes scratchpad");
}

TEST(ProgramValidation, InstructionsThatWouldRunForHours) {
  isa::Instruction in = load(0, 0, 0, 1024);
  in.set(Opd::kN1, 1024);
  in.set(Opd::kN2, 256);  // 2^28 bytes
  EXPECT_NO_THROW(validate_program(program_of({in}), small_config(), {}));
  in.set(Opd::kN2, 257);
  expect_error(program_of({in}), "bytes are more than one instruction may have");
  expect_error(program_of({gemm(0, 0, 0, 1 << 20, 256, 1 << 10)}),
               "steps are more than one instruction may have");
}

TEST(ProgramValidation, ProgramsThatWouldRunForDays) {
  const isa::Instruction big = gemm(0, 0, 0, 1 << 20, 256, 1 << 8);  // 2^36 steps
  const ValidationScope unbounded{.check_bounds = false};
  EXPECT_NO_THROW(
      validate_program(program_of({machine_test::loop(4096, 1), big}), small_config(), unbounded));
  expect_error(program_of({machine_test::loop(4097, 1), big}),
               "instruction 1 (mac.gemm): the program has more than", unbounded);
}

}  // namespace
}  // namespace npu

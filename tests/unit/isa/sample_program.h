#pragma once

#include "isa/encoding.h"
#include "isa/program.h"
#include "tests/unit/isa/random_instruction.h"

namespace npu::isa::test {

/// A program with something in every field of the container. It need not run.
inline Program sample_program() {
  Program p;
  std::mt19937 rng(11);
  for (const InstrSpec& spec : instruction_table()) {
    p.code.push_back(random_instruction(spec.opcode, rng));
    p.layer_of.push_back(static_cast<std::int32_t>(rng() % 3) - 1);
    p.comments.push_back(rng() % 2 == 0 ? "" : "tile " + std::to_string(rng() % 100));
  }
  p.layers = {{"CONV_2D #0", 0, 123456789}, {"SOFTMAX #1", 1, 0}};
  ImageSegment weights{"weights CONV_2D #0", 0x1000, 300, {}};
  for (int i = 0; i < 300; ++i) weights.bytes.push_back(static_cast<std::byte>(rng()));
  p.image = {weights, {"timing only", 0x2000, 4096, {}}, {"empty", 0x2000, 0, {}}};
  TensorRecord in;
  in.id = 7;
  in.name = "input";
  in.type = DType::kUint8;
  in.shape = {1, 8, 8, 3};
  in.role = TensorRole::kInput;
  in.address = 0x4000;
  TensorRecord state;
  state.id = -3;
  state.name = "st\xc3\xa4te\n";
  state.type = DType::kInt16;
  state.shape = {};
  state.role = TensorRole::kVariable;
  state.memory = Memory::kScratchpad;
  state.ready_after = static_cast<std::int32_t>(p.code.size()) - 1;
  state.reset_byte = 0x80;
  p.tensors = {in, state};
  p.code_address = 0x8000;
  p.dram_bytes = 0x10000;
  p.provenance = {{"npusim", "0.1.0"}, {"model", "x.tflite"}, {"options", ""}};
  return p;
}

}  // namespace npu::isa::test

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "isa/instructions.h"
#include "sim/base/tensor.h"

namespace npu::isa {

enum class TensorRole : std::uint8_t { kInput, kOutput, kIntermediate, kVariable };

/// Where a tensor of the network lives, dense row-major (NHWC).
struct TensorRecord {
  std::int32_t id = 0;  ///< Tensor index in the network.
  std::string name;
  DType type = DType::kInt8;
  Shape shape;
  TensorRole role = TensorRole::kIntermediate;
  Memory memory = Memory::kDram;
  std::int64_t address = 0;
  /// Static index of the instruction after whose completion the tensor is whole; −1: before the
  /// program starts.
  std::int32_t ready_after = -1;
  /// Variables: byte that fills the tensor at the start of each sample.
  std::uint8_t reset_byte = 0;

  [[nodiscard]] std::int64_t bytes() const { return element_count(shape) * size_of(type); }
};

/// A layer of the network as the report shows it.
struct LayerRecord {
  std::string name;               ///< "CONV_2D #3"
  std::int32_t source_index = 0;  ///< Operator index in the model file.
  std::int64_t macs = 0;
  /// How many equal layers it stands for, itself included: a timing-only run counts its cycles and
  /// events so many times.
  std::int64_t repeats = 1;
  /// A further part of the layer before it: tiles of a layer repeat each as often as its part says,
  /// those left out are as good as run.
  bool continues = false;
};

/// Bytes that DRAM holds before the program starts. Timing-only programs may leave `bytes` empty.
struct ImageSegment {
  std::string name;  ///< "weights CONV_2D #3"
  std::int64_t address = 0;
  std::int64_t size = 0;
  std::vector<std::byte> bytes;
};

/// Everything that passes from `kernels` to `sim`: code, DRAM image, tensor map, provenance.
struct Program {
  std::vector<Instruction> code;
  std::vector<std::int32_t> layer_of;  ///< Per instruction: index into layers, −1 for none.
  std::vector<std::string> comments;   ///< Per instruction, may be empty as a whole.
  std::vector<LayerRecord> layers;
  std::vector<ImageSegment> image;
  std::vector<TensorRecord> tensors;
  std::int64_t code_address = 0;  ///< Where the code lies in DRAM.
  std::int64_t dram_bytes = 0;    ///< One past the last DRAM byte in use.
  /// "npusim", "model", "model_sha256", "config", "config_fingerprint", "options".
  std::map<std::string, std::string> provenance;
};

/// The bytes of the container: magic, version, sections with lengths and a checksum over all of it
/// (isa/container.h).
/// @throws Error if an instruction cannot be encoded.
[[nodiscard]] std::string serialize(const Program& program);
/// Writes them; the file appears whole or not at all. @throws Error also if it cannot be written.
void save(const Program& program, const std::string& path);

/// @throws Error `file: offset N: …` on anything malformed: bad magic, truncated or overlapping
/// sections, checksum, sizes beyond the file, unknown enumerators, instructions that do not decode.
[[nodiscard]] Program load(const std::string& path);
/// The same from memory; `file` is used in messages.
[[nodiscard]] Program parse(std::string_view bytes, std::string_view file);

}  // namespace npu::isa

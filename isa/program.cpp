#include "isa/program.h"

#include <span>

#include "isa/container.h"
#include "isa/encoding.h"
#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/base/sha256.h"

namespace npu::isa {
namespace {

using namespace container;

/// Appends little-endian values.
class Writer {
 public:
  void u8(std::uint8_t v) { out_ += static_cast<char>(v); }
  void u32(std::uint64_t v) { little_endian(v, 4); }
  void u64(std::uint64_t v) { little_endian(v, 8); }
  void i32(std::int32_t v) { little_endian(static_cast<std::uint32_t>(v), 4); }
  void i64(std::int64_t v) { little_endian(static_cast<std::uint64_t>(v), 8); }
  void count(std::size_t n) {
    NPU_CHECK(n <= UINT32_MAX, "list too long for a program file");
    u32(n);
  }
  void bytes(std::string_view text) { out_ += text; }
  void string(std::string_view text) {
    count(text.size());
    bytes(text);
  }
  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  void little_endian(std::uint64_t v, int size) {
    for (int i = 0; i < size; ++i) u8(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  std::string out_;
};

void write_code(const Program& program, Writer& out) {
  for (const Instruction& instruction : program.code) {
    for (const std::uint64_t part : encode(instruction)) out.u64(part);
  }
}

void write_notes(const Program& program, Writer& out) {
  out.count(program.layer_of.size());
  for (const std::int32_t layer : program.layer_of) out.i32(layer);
  out.count(program.comments.size());
  for (const std::string& comment : program.comments) out.string(comment);
}

void write_layers(const Program& program, Writer& out) {
  out.count(program.layers.size());
  for (const LayerRecord& layer : program.layers) {
    out.string(layer.name);
    out.i32(layer.source_index);
    out.i64(layer.macs);
    out.i64(layer.repeats);
    out.u8(layer.continues ? 1 : 0);
  }
}

void write_image(const Program& program, Writer& out) {
  out.count(program.image.size());
  for (const ImageSegment& segment : program.image) {
    const bool has_bytes = !segment.bytes.empty();
    NPU_CHECK(!has_bytes || std::ssize(segment.bytes) == segment.size, "image segment size");
    out.string(segment.name);
    out.i64(segment.address);
    out.i64(segment.size);
    out.u8(has_bytes ? 1 : 0);
    out.bytes({reinterpret_cast<const char*>(segment.bytes.data()), segment.bytes.size()});
  }
}

void write_tensors(const Program& program, Writer& out) {
  out.count(program.tensors.size());
  for (const TensorRecord& tensor : program.tensors) {
    out.i32(tensor.id);
    out.string(tensor.name);
    out.u8(static_cast<std::uint8_t>(tensor.type));
    out.u8(static_cast<std::uint8_t>(tensor.role));
    out.u8(static_cast<std::uint8_t>(tensor.memory));
    out.u8(tensor.reset_byte);
    out.count(tensor.shape.size());
    for (const std::int64_t d : tensor.shape) out.i64(d);
    out.i64(tensor.address);
    out.i32(tensor.ready_after);
  }
}

void write_provenance(const Program& program, Writer& out) {
  out.count(program.provenance.size());
  for (const auto& [key, value] : program.provenance) {
    out.string(key);
    out.string(value);
  }
}

}  // namespace

std::string serialize(const Program& program) {
  NPU_CHECK(program.layer_of.empty() || program.layer_of.size() == program.code.size(),
            "one layer per instruction");
  NPU_CHECK(program.comments.empty() || program.comments.size() == program.code.size(),
            "one comment per instruction");
  std::array<Writer, kSectionCount> sections;
  sections[0].i64(program.code_address);
  sections[0].i64(program.dram_bytes);
  write_code(program, sections[1]);
  write_notes(program, sections[2]);
  write_layers(program, sections[3]);
  write_image(program, sections[4]);
  write_tensors(program, sections[5]);
  write_provenance(program, sections[6]);

  std::uint64_t size = kHeaderBytes + kDigestBytes;
  for (const Writer& section : sections) size += section.text().size();
  Writer file;
  file.bytes(kMagic);
  file.u32(kVersion);
  file.u32(kSectionCount);
  file.u64(size);
  std::uint64_t offset = kHeaderBytes;
  for (std::uint32_t i = 0; i < kSectionCount; ++i) {
    file.u32(i + 1);
    file.u32(0);
    file.u64(offset);
    file.u64(sections[i].text().size());
    offset += sections[i].text().size();
  }
  for (const Writer& section : sections) file.bytes(section.text());
  file.bytes(sha256_hex(file.text()));
  return file.text();
}

void save(const Program& program, const std::string& path) {
  const std::string bytes = serialize(program);
  write_file(path, std::as_bytes(std::span(bytes)));
}

Program load(const std::string& path) { return parse(read_file(path, kMaxFileBytes), path); }

}  // namespace npu::isa

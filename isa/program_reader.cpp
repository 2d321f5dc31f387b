#include <limits>

#include "isa/container.h"
#include "isa/encoding.h"
#include "isa/program.h"
#include "sim/base/error.h"
#include "sim/base/sha256.h"

namespace npu::isa {
namespace {

using namespace container;

/// Takes little-endian values from a part of the file; every error names the file and the offset.
class Reader {
 public:
  Reader(std::string_view file_bytes, std::size_t begin, std::size_t end, std::string_view file)
      : bytes_(file_bytes), at_(begin), end_(end), file_(file) {}

  template <typename... Args>
  [[noreturn]] void error(fmt::format_string<Args...> format, Args&&... args) const {
    fail("{}: offset {}: {}", file_, item_at_, fmt::format(format, std::forward<Args>(args)...));
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(little_endian(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t u64() { return little_endian(8); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  std::int64_t i64_in(std::int64_t low, std::int64_t high, std::string_view what) {
    return checked(i64(), low, high, what);
  }
  std::int32_t i32_in(std::int64_t low, std::int64_t high, std::string_view what) {
    return static_cast<std::int32_t>(checked(i32(), low, high, what));
  }
  template <typename Enum>
  Enum enumerator(Enum last, std::string_view what) {
    return static_cast<Enum>(checked(u8(), 0, static_cast<std::int64_t>(last), what));
  }
  /// Items of at least `item_bytes` each that follow.
  std::size_t count(std::size_t item_bytes) {
    const std::uint32_t n = u32();
    if (n > remaining() / item_bytes) {
      error("{} items of at least {} bytes do not fit in the {} bytes left", n, item_bytes,
            remaining());
    }
    return n;
  }
  std::string_view take(std::size_t size) {
    item_at_ = at_;
    if (size > remaining()) error("{} bytes needed, {} left", size, remaining());
    at_ += size;
    return bytes_.substr(item_at_, size);
  }
  std::string string() { return std::string(take(count(1))); }
  [[nodiscard]] std::size_t remaining() const { return end_ - at_; }
  void finish() {
    item_at_ = at_;
    if (remaining() != 0) error("{} bytes left over in the section", remaining());
  }

 private:
  std::uint64_t little_endian(std::size_t size) {
    std::uint64_t v = 0;
    const std::string_view in = take(size);
    for (std::size_t i = 0; i < size; ++i) {
      v |= std::uint64_t{static_cast<std::uint8_t>(in[i])} << (8 * i);
    }
    return v;
  }
  std::int64_t checked(std::int64_t v, std::int64_t low, std::int64_t high,
                       std::string_view what) const {
    if (v < low || v > high) error("{} must be {} to {}, got {}", what, low, high, v);
    return v;
  }

  std::string_view bytes_;
  std::size_t at_, end_;
  std::size_t item_at_ = 0;  ///< Where the value last taken began.
  std::string_view file_;
};

void read_memory(Reader in, Program& program) {
  program.code_address = in.i64_in(0, kMaxAddress, "code_address");
  program.dram_bytes = in.i64_in(0, kMaxAddress, "dram_bytes");
  in.finish();
}

void read_code(Reader in, Program& program) {
  const std::size_t size = in.remaining();
  if (size % static_cast<std::size_t>(kWordBytes) != 0) {
    (void)in.take(0);
    in.error("code of {} bytes is not a whole number of {}-byte instructions", size, kWordBytes);
  }
  program.code.reserve(size / static_cast<std::size_t>(kWordBytes));
  while (in.remaining() > 0) {
    Reader word_in = in;
    (void)in.take(static_cast<std::size_t>(kWordBytes));
    Word word{};
    for (std::uint64_t& part : word) part = word_in.u64();
    try {
      program.code.push_back(decode(word));
    } catch (const Error& e) {
      in.error("instruction {}: {}", program.code.size(), e.what());
    }
  }
}

void read_notes(Reader in, Program& program) {
  const auto one_per_instruction = [&](std::size_t n, std::string_view what) {
    if (n != 0 && n != program.code.size()) {
      in.error("{} {} for {} instructions", n, what, program.code.size());
    }
    return n;
  };
  program.layer_of.resize(one_per_instruction(in.count(4), "layers"));
  for (std::int32_t& layer : program.layer_of) {
    layer = in.i32_in(-1, std::ssize(program.layers) - 1, "layer of instruction");
  }
  program.comments.resize(one_per_instruction(in.count(4), "comments"));
  for (std::string& comment : program.comments) comment = in.string();
  in.finish();
}

void read_layers(Reader in, Program& program) {
  program.layers.resize(in.count(25));
  for (LayerRecord& layer : program.layers) {
    layer.name = in.string();
    layer.source_index = in.i32();
    layer.macs = in.i64_in(0, std::numeric_limits<std::int64_t>::max(), "macs");
    layer.repeats = in.i64_in(1, kMaxRepeats, "repeats");
    const std::uint8_t continues = in.u8();
    if (continues > (&layer == program.layers.data() ? 0 : 1)) {
      in.error("continues must be 0 or 1, 0 for the first layer, got {}", continues);
    }
    layer.continues = continues == 1;
  }
  in.finish();
}

void read_image(Reader in, Program& program) {
  program.image.resize(in.count(21));
  for (ImageSegment& segment : program.image) {
    segment.name = in.string();
    segment.address = in.i64_in(0, kMaxAddress, "image address");
    segment.size = in.i64_in(0, kMaxAddress, "image size");
    const std::uint8_t has_bytes = in.u8();
    if (has_bytes > 1) in.error("has_bytes must be 0 or 1, got {}", has_bytes);
    if (has_bytes == 0) continue;
    if (segment.size == 0) in.error("has_bytes must be 0 for an empty segment, got 1");
    const std::string_view bytes = in.take(static_cast<std::size_t>(segment.size));
    const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
    segment.bytes.assign(first, first + bytes.size());
  }
  in.finish();
}

Shape read_shape(Reader& in, DType type) {
  const std::size_t rank = in.count(8);
  if (rank > kMaxRank) in.error("a tensor has at most {} dimensions, got {}", kMaxRank, rank);
  Shape shape(rank);
  std::int64_t bytes = size_of(type);
  for (std::int64_t& d : shape) {
    d = in.i64_in(0, kMaxAddress, "dimension");
    if (d != 0 && bytes > kMaxAddress / d) in.error("tensor of more than {} bytes", kMaxAddress);
    bytes *= d;
  }
  return shape;
}

void read_tensors(Reader in, Program& program) {
  program.tensors.resize(in.count(28));
  for (TensorRecord& tensor : program.tensors) {
    tensor.id = in.i32();
    tensor.name = in.string();
    tensor.type = in.enumerator(DType::kBfloat16, "tensor type");
    tensor.role = in.enumerator(TensorRole::kVariable, "tensor role");
    tensor.memory = in.enumerator(Memory::kAccumulator, "tensor memory");
    tensor.reset_byte = in.u8();
    tensor.shape = read_shape(in, tensor.type);
    tensor.address = in.i64_in(0, kMaxAddress, "tensor address");
    tensor.ready_after = in.i32_in(-1, std::ssize(program.code) - 1, "ready_after");
  }
  in.finish();
}

void read_provenance(Reader in, Program& program) {
  for (std::size_t left = in.count(8); left > 0; --left) {
    std::string key = in.string();
    if (!program.provenance.empty() && key <= program.provenance.rbegin()->first) {
      in.error("provenance keys must ascend, got '{}' after '{}'", key,
               program.provenance.rbegin()->first);
    }
    program.provenance.emplace_hint(program.provenance.end(), std::move(key), in.string());
  }
  in.finish();
}

/// Header and section table. @return one reader per section.
std::vector<Reader> open_sections(std::string_view bytes, std::string_view file) {
  Reader in(bytes, 0, bytes.size(), file);
  if (bytes.size() < kMagic.size() || in.take(kMagic.size()) != kMagic) {
    fail("{}: offset 0: not an npusim program", file);
  }
  const std::uint32_t version = in.u32();
  if (version != kVersion) in.error("program format version must be {}, got {}", kVersion, version);
  const std::uint32_t count = in.u32();
  if (count != kSectionCount) in.error("expected {} sections, got {}", kSectionCount, count);
  const std::uint64_t size = in.u64();
  if (size != bytes.size()) in.error("file of {} bytes says it has {}", bytes.size(), size);
  if (bytes.size() < kHeaderBytes + kDigestBytes) in.error("truncated section table");
  const std::size_t digest_at = bytes.size() - kDigestBytes;

  std::vector<Reader> sections;
  std::uint64_t next = kHeaderBytes;
  for (std::uint32_t id = 1; id <= kSectionCount; ++id) {
    const std::uint32_t found = in.u32();
    if (found != id) in.error("expected section {}, got {}", id, found);
    if (const std::uint32_t zero = in.u32(); zero != 0) in.error("expected 0, got {}", zero);
    const std::uint64_t offset = in.u64();
    if (offset != next) in.error("section {} must begin at {}, got {}", id, next, offset);
    const std::uint64_t length = in.u64();
    if (length > digest_at - next) {
      in.error("section {} of {} bytes goes beyond the file", id, length);
    }
    next += length;
    sections.emplace_back(bytes, static_cast<std::size_t>(offset), static_cast<std::size_t>(next),
                          file);
  }
  if (next != digest_at)
    in.error("{} bytes between the last section and the checksum", digest_at - next);
  if (sha256_hex(bytes.substr(0, digest_at)) != bytes.substr(digest_at)) {
    fail("{}: offset {}: checksum does not match the content", file, digest_at);
  }
  return sections;
}

}  // namespace

Program parse(std::string_view bytes, std::string_view file) {
  const std::vector<Reader> sections = open_sections(bytes, file);
  const auto section = [&](Section s) { return sections[static_cast<std::size_t>(s) - 1]; };
  Program program;
  read_memory(section(Section::kMemory), program);
  read_code(section(Section::kCode), program);
  read_layers(section(Section::kLayers), program);
  read_notes(section(Section::kNotes), program);
  read_image(section(Section::kImage), program);
  read_tensors(section(Section::kTensors), program);
  read_provenance(section(Section::kProvenance), program);
  return program;
}

}  // namespace npu::isa

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The program file, version 3. All integers little-endian.
///
///     magic[8]  version u32  section count u32  file size u64
///     per section: id u32, 0 u32, offset u64, length u64      ids 1 to 7, ascending; contiguous
///     from the end of this table sections SHA-256 of everything before, 64 hexadecimal digits
///
/// Strings and lists are a u32 count and the items. Sections:
///   1 memory      code_address i64, dram_bytes i64
///   2 code        one 64-byte word per instruction
///   3 notes       list of layer_of i32; list of comment strings
///   4 layers      list of {name, source_index i32, macs i64, repeats i64, continues u8}
///   5 image       list of {name, address i64, size i64, has_bytes u8, size bytes if has_bytes}
///   6 tensors     list of {id i32, name, type u8, role u8, memory u8, reset_byte u8, list of
///   dimensions i64, address i64, ready_after i32} 7 provenance  list of {key, value}, keys
///   ascending
namespace npu::isa::container {

inline constexpr std::string_view kMagic = "\x89NPU\r\n\x1a\n";
inline constexpr std::uint32_t kVersion = 3;
enum class Section : std::uint32_t {
  kMemory = 1,
  kCode,
  kNotes,
  kLayers,
  kImage,
  kTensors,
  kProvenance
};
inline constexpr std::uint32_t kSectionCount = 7;
inline constexpr std::size_t kFixedHeaderBytes = 24;
inline constexpr std::size_t kTableRowBytes = 24;
inline constexpr std::size_t kHeaderBytes = kFixedHeaderBytes + kSectionCount * kTableRowBytes;
inline constexpr std::size_t kDigestBytes = 64;
inline constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 32;
/// Addresses and sizes in a program stay at or below this, so that their sums cannot overflow.
inline constexpr std::int64_t kMaxAddress = std::int64_t{1} << 40;
inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::int64_t kMaxRepeats = std::int64_t{1} << 20;

}  // namespace npu::isa::container

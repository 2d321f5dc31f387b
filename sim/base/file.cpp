#include "sim/base/file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>

#include "sim/base/error.h"

namespace npu {
namespace fs = std::filesystem;

std::string read_file(const std::string& path, std::int64_t max_bytes) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) fail("{}: no such file", path);
  if (!fs::is_regular_file(status)) fail("{}: not a regular file", path);
  const std::uintmax_t size = fs::file_size(path, code);
  if (code) fail("{}: cannot read: {}", path, code.message());
  if (size > static_cast<std::uintmax_t>(max_bytes)) {
    fail("{}: at most {} bytes are read, got {}", path, max_bytes, size);
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("{}: cannot open for reading", path);
  std::string content(static_cast<std::size_t>(size), '\0');
  in.read(content.data(), static_cast<std::streamsize>(size));
  if (in.gcount() != static_cast<std::streamsize>(size)) {
    fail("{}: offset {}: cannot read on, expected {} bytes", path, in.gcount(), size);
  }
  return content;
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  const std::string temporary = fmt::format("{}.tmp{}", path, ::getpid());
  bool written = false;
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    out.close();
    written = out.good();
  }
  std::error_code code;
  if (written) fs::rename(temporary, path, code);
  if (!written || code) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    fail("{}: cannot write{}{}", path, code ? ": " : "", code ? code.message() : "");
  }
}

void write_file(const std::string& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace npu

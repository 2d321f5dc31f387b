#include "sim/publish/picture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/error.h"
#include "sim/base/file.h"

namespace npu::publish {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kBrowsers = {"chromium", "chromium-browser",
                                                       "google-chrome"};
constexpr int kWidth = 1280, kFirstHeight = 1000;
constexpr int kMaxHeight = 16'000;  ///< Of a surface that Chromium paints.
constexpr std::int64_t kMaxBytes = std::int64_t{256} << 20;

/// A folder that is gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "npusim-report-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail("{}: cannot make a temporary folder", name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string find_browser() {
  const char* path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "" : path;
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    for (const std::string_view name : kBrowsers) {
      std::string file = (fs::path(folders.substr(0, end)) / name).string();
      if (access(file.c_str(), X_OK) == 0) return file;
    }
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  fail("--format png: needs a browser, and none of {} is in the PATH (Debian's package: chromium)",
       fmt::join(kBrowsers, ", "));
}

/// Runs the command to its end. @return what it wrote. @throws Error if it fails or takes too long.
std::string run(const std::vector<std::string>& command) {
  ProcessOutput output;
  try {
    output = run_program(command, {.bytes = kMaxBytes, .whole_group = true});
  } catch (const Error& error) {
    fail("--format png: {}", error.what());
  }
  if (output.exit_code != 0) fail("--format png: {} failed", command.front());
  return std::move(output.out);
}

std::vector<std::string> command_of(const std::string& browser, const TemporaryFolder& folder,
                                    int height) {
  std::vector<std::string> out = {browser,
                                  "--headless",
                                  "--disable-gpu",
                                  "--hide-scrollbars",
                                  "--no-first-run",
                                  "--disable-extensions",
                                  "--disable-background-networking",
                                  "--disable-dev-shm-usage",
                                  "--force-device-scale-factor=1",
                                  "--virtual-time-budget=10000",
                                  "--user-data-dir=" + folder.file("profile"),
                                  fmt::format("--window-size={},{}", kWidth, height)};
  // Chromium refuses to start as root with its sandbox; the page itself may load nothing.
  if (geteuid() == 0) out.emplace_back("--no-sandbox");
  return out;
}

/// What the page says of itself: <html … data-height="1234">.
std::optional<int> height_in(std::string_view dom) {
  constexpr std::string_view kMark = "data-height=\"";
  const std::size_t tag = dom.find("<html");
  if (tag == std::string_view::npos) return std::nullopt;
  const std::string_view html = dom.substr(tag, dom.find('>', tag) - tag);
  const std::size_t at = html.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  int height = 0;
  const char* begin = html.data() + at + kMark.size();
  if (std::from_chars(begin, html.data() + html.size(), height).ec != std::errc()) {
    return std::nullopt;
  }
  return height;
}

}  // namespace

std::string picture(const std::string& page) {
  const std::string browser = find_browser();
  const TemporaryFolder folder;
  const std::string html = folder.file("page.html"), png = folder.file("picture.png");
  write_file(html, page);
  const std::string address = "file://" + html + "#picture";

  std::vector<std::string> command = command_of(browser, folder, kFirstHeight);
  command.insert(command.end(), {"--dump-dom", address});
  const std::optional<int> height = height_in(run(command));
  if (!height) fail("--format png: {} did not draw the page", browser);

  command = command_of(browser, folder, std::clamp(*height, 1, kMaxHeight));
  command.insert(command.end(), {"--screenshot=" + png, address});
  (void)run(command);
  std::error_code error;
  if (!fs::exists(png, error)) fail("--format png: {} made no picture", browser);
  return read_file(png, kMaxBytes);
}

}  // namespace npu::publish

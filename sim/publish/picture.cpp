#include "sim/publish/picture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"

namespace npu::publish {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kBrowsers = {"chromium", "chromium-browser",
                                                       "google-chrome"};
constexpr int kWidth = 1280, kFirstHeight = 1000;
constexpr int kMaxHeight = 16'000;  ///< Of a surface that Chromium paints.
constexpr std::chrono::seconds kTimeLimit{120};
constexpr std::chrono::milliseconds kPause{20};
constexpr std::int64_t kMaxBytes = std::int64_t{256} << 20;
constexpr int kNotStarted = 127;

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

/// The child's side: its output goes to a file, nothing to the terminal.
[[noreturn]] void become(const std::vector<std::string>& command, const std::string& output) {
  setpgid(0, 0);
  const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int null = open("/dev/null", O_RDWR);
  if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0) {
    _exit(kNotStarted);
  }
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments.front(), arguments.data());
  _exit(kNotStarted);
}

/// Runs the command to its end. @throws Error if it fails or takes too long.
void run(const std::vector<std::string>& command, const std::string& output) {
  const pid_t child = fork();
  if (child < 0) fail("--format png: the system refuses a process for {}", command.front());
  if (child == 0) become(command, output);
  const auto deadline = std::chrono::steady_clock::now() + kTimeLimit;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      kill(-child, SIGKILL);
      waitpid(child, &status, 0);
      fail("--format png: {} took longer than {} s", command.front(), kTimeLimit.count());
    }
    std::this_thread::sleep_for(kPause);
  }
  kill(-child, SIGKILL);  // What it may have left running.
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fail("--format png: {} failed", command.front());
  }
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
  const std::string html = folder.file("page.html"), dom = folder.file("dom"),
                    png = folder.file("picture.png");
  write_file(html, std::as_bytes(std::span(page)));
  const std::string address = "file://" + html + "#picture";

  std::vector<std::string> command = command_of(browser, folder, kFirstHeight);
  command.insert(command.end(), {"--dump-dom", address});
  run(command, dom);
  const std::optional<int> height = height_in(read_file(dom, kMaxBytes));
  if (!height) fail("--format png: {} did not draw the page", browser);

  command = command_of(browser, folder, std::clamp(*height, 1, kMaxHeight));
  command.insert(command.end(), {"--screenshot=" + png, address});
  run(command, dom);
  std::error_code error;
  if (!fs::exists(png, error)) fail("--format png: {} made no picture", browser);
  return read_file(png, kMaxBytes);
}

}  // namespace npu::publish

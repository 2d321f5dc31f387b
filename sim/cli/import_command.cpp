// npusim import: a configuration of another simulator as one of npusim.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/cli/commands.h"
#include "sim/config/config_document.h"
#include "sim/interchange/import_config.h"
#include "sim/session/config_path.h"

namespace npu::cli {
namespace {

struct ImportOptions {
  std::string file, out;
};

int import(const ImportOptions& options) {
  const interchange::ImportedConfig imported = interchange::import_config(options.file);
  ConfigDocument document = [&] {
    // Where the presets are, so that what it names is found.
    const std::string beside = session::find_configs_folder() + "/npu/imported.yaml";
    try {
      ConfigDocument made = ConfigDocument::from_text(imported.yaml, beside);
      (void)made.parse();
      return made;
    } catch (const Error& error) {
      fail("{}: the NPU that it describes is refused: {}", options.file, error.what());
    }
  }();
  document.move_to(options.out);
  write_file(options.out, document.text());
  std::string lines;
  for (const std::string& note : imported.notes) lines += note + "\n";
  if (std::fwrite(lines.data(), 1, lines.size(), stdout) != lines.size()) {
    fail("stdout: cannot write");
  }
  return kSuccess;
}

}  // namespace

void add_import(CLI::App& app, Action& action) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      app.add_subcommand("import", "write a SCALE-Sim or ONNXim configuration as one of npusim");
  command->add_option("file", options->file, "SCALE-Sim's .cfg or ONNXim's .json")->required();
  command->add_option("-o,--out", options->out, "the YAML file to write")->required();
  command->callback([options, &action] { action = [options] { return import(*options); }; });
}

}  // namespace npu::cli

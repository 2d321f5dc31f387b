// compile, disasm, asm: programs as files.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "isa/encoding.h"
#include "isa/program.h"
#include "sim/base/file.h"
#include "sim/cli/commands.h"
#include "sim/cli/model_arguments.h"
#include "sim/core/hazard_checker.h"
#include "sim/session/config_path.h"
#include "sim/session/listing.h"
#include "sim/session/network.h"
#include "sim/session/version.h"

namespace npu::cli {
namespace {

constexpr std::int64_t kMaxAssemblerBytes = std::int64_t{1} << 28;

struct CompileArguments {
  std::string npu = session::kDefaultConfig, output, mapping, write_mapping;
  session::ModelOptions model;
};

int compile(const CompileArguments& a) {
  const NpuConfig config = load_npu_config(session::find_config(a.npu));
  const session::Network network = session::load_network(a.model, false);
  const kernels::Compiled compiled = session::compile_mapped(network, config, {}, a.mapping);
  if (!a.mapping.empty()) check_program(compiled.program, config);
  isa::save(compiled.program, a.output);
  if (!a.write_mapping.empty()) {
    write_file(a.write_mapping, std::as_bytes(std::span(compiled.mapping_yaml)));
  }
  for (const std::string& line : network.fusions) fmt::print("fused: {}\n", line);
  for (const std::string& line : session::attention_notes(network.mapped, compiled.attention))
    fmt::print("{}\n", line);
  fmt::print("{} layers, {} instructions, {} bytes of DRAM\n", compiled.program.layers.size(),
             compiled.program.code.size(), compiled.program.dram_bytes);
  return kSuccess;
}

struct AssembleArguments {
  std::string text, data, output;
};

/// A program of code alone, or with everything else from another program.
int assemble(const AssembleArguments& a) {
  isa::Program program;
  if (!a.data.empty()) program = isa::load(a.data);
  const std::size_t before = program.code.size();
  program.code = isa::assemble(read_file(a.text, kMaxAssemblerBytes), a.text);
  if (a.data.empty()) {
    program.dram_bytes = static_cast<std::int64_t>(program.code.size()) * isa::kWordBytes;
    program.provenance["npusim"] = session::kVersion;
    program.provenance["model"] = std::filesystem::path(a.text).filename().string();
  } else if (program.code.size() != before) {
    fail("{}: {} instructions, but {} has {}: its layers and tensors name instructions", a.text,
         program.code.size(), a.data, before);
  }
  isa::save(program, a.output);
  return kSuccess;
}

}  // namespace

void add_compile(CLI::App& app, Action& action) {
  auto a = std::make_shared<CompileArguments>();
  CLI::App* command = app.add_subcommand("compile", "map a network and write the program");
  command->add_option("--npu", a->npu, "configuration: a YAML file or the name of a preset")
      ->capture_default_str();
  command
      ->add_option("--model", a->model.path,
                   "network: a .tflite file, a description (.yaml) or its name, or a SCALE-Sim "
                   "topology (.csv)")
      ->required();
  add_model_options(*command, a->model);
  command->add_option("-o,--output", a->output, "program file to write")->required();
  command->add_option("--mapping", a->mapping,
                      "mapping to take, whole or in part, as `--write-mapping` writes it");
  command->add_option("--write-mapping", a->write_mapping, "also write the mapping as YAML");
  command->callback([a, &action] { action = [a] { return compile(*a); }; });
}

void add_disasm(CLI::App& app, Action& action) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("disasm", "print a program as text");
  command->add_option("program", *path, "program file")->required();
  command->callback([path, &action] {
    action = [path] {
      fmt::print("{}", session::listing(isa::load(*path)));
      return kSuccess;
    };
  });
}

void add_asm(CLI::App& app, Action& action) {
  auto a = std::make_shared<AssembleArguments>();
  CLI::App* command = app.add_subcommand("asm", "assemble a program");
  command->add_option("text", a->text, "instructions as npusim disasm prints them")->required();
  command->add_option("--data", a->data,
                      "program whose data, tensors and layers to keep; only its code is replaced");
  command->add_option("-o,--output", a->output, "program file to write")->required();
  command->callback([a, &action] { action = [a] { return assemble(*a); }; });
}

}  // namespace npu::cli

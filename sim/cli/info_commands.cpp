// describe and ops: what a configuration and the compiler offer.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "kernels/lowering/compile.h"
#include "kernels/onnx_reference/operators.h"
#include "sim/cli/commands.h"
#include "sim/config/npu_config.h"
#include "sim/session/config_path.h"

namespace npu::cli {
namespace {

/// Names in lines of at most 100 columns.
void print_onnx_operators() {
  fmt::print("\nONNX operators of the CPU reference (npusim conformance onnx); run on the host:\n");
  constexpr std::size_t kColumns = 100;
  std::string line = " ";
  for (const onnx::Operator* op : onnx::all_operators()) {
    if (line.size() + 1 + op->name.size() > kColumns) {
      fmt::print("{}\n", line);
      line = " ";
    }
    line += fmt::format(" {}", op->name);
  }
  fmt::print("{}\n", line);
}

}  // namespace

void add_describe(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>(session::kDefaultConfig);
  CLI::App* command = app.add_subcommand("describe", "print a configuration and its peak figures");
  command->add_option("config", *name, "a YAML file or the name of a preset")
      ->capture_default_str();
  command->callback([name, &action] {
    action = [name] {
      fmt::print("{}", describe(load_npu_config(session::find_config(*name))));
      return kSuccess;
    };
  });
}

void add_ops(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("ops", "list the operators and where they run");
  command->callback([&action] {
    action = [] {
      std::size_t op = 8, types = 5;
      for (const kernels::OpSupport& row : kernels::supported_ops()) {
        op = std::max(op, row.op.size());
        types = std::max(types, row.types.size());
      }
      fmt::print("{:<{}}  {:<{}}  {}\n", "operator", op, "types", types, "runs on");
      for (const kernels::OpSupport& row : kernels::supported_ops()) {
        fmt::print("{:<{}}  {:<{}}  {}\n", row.op, op, row.types, types, row.place);
      }
      print_onnx_operators();
      return kSuccess;
    };
  });
}

}  // namespace npu::cli

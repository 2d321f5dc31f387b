// npusim models: the shipped networks and what one of them is made of.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "sim/base/error.h"
#include "sim/cli/commands.h"
#include "sim/cli/model_arguments.h"
#include "sim/session/model_options.h"
#include "workloads/importers/scalesim.h"

namespace npu::cli {
namespace {

using importers::DescribedNetwork;

DescribedNetwork load(const session::ModelOptions& options) {
  const importers::DescriptionOptions described = session::description_options(options, true);
  const std::string path = session::find_model(options.path);
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".csv") return importers::load_scalesim(path, described).network;
  if (extension == ".yaml") return importers::load_network_description(path, described);
  fail("{}: no network description (.yaml, .csv)", options.path);
}

std::string parameters_text(const DescribedNetwork& network) {
  std::string text;
  for (const DescribedNetwork::Parameter& p : network.parameters) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", p.name, p.value);
  }
  return text;
}

int list_networks() {
  fmt::print("{:<20} {:>14} {:>16}  {:<9} {}\n", "network", "parameters", "macs", "precision",
             "dimensions (--dim)");
  for (const std::string& file : session::shipped_models()) {
    const DescribedNetwork network = importers::load_network_description(file, {});
    fmt::print("{:<20} {:>14} {:>16}  {:<9} {}\n", std::filesystem::path(file).stem().string(),
               network.parameter_count(), network.mac_count(), name_of(network.precision),
               parameters_text(network));
  }
  return kSuccess;
}

int show_network(const session::ModelOptions& options) {
  const DescribedNetwork network = load(options);
  std::int64_t constant_bytes = 0;
  for (const graph::Tensor& t : network.graph.tensors) {
    if (t.is_constant) constant_bytes += t.bytes();
  }
  fmt::print("{}, {}\nsource: {}\n", network.graph.name, name_of(network.precision),
             network.source);
  for (const DescribedNetwork::Parameter& p : network.parameters) {
    fmt::print("--dim {}={}  ({} to {})\n", p.name, p.value, p.low, p.high);
  }
  std::size_t name = 5, op = 8, shape = 6;
  for (const importers::DescribedLayer& layer : network.layers) {
    name = std::max(name, layer.name.size());
    op = std::max(op, layer.op.size());
    shape = std::max(shape, to_string(layer.shape).size());
  }
  fmt::print("\n{:<{}}  {:<{}}  {:<{}}  {:>12} {:>16}\n", "layer", name, "operator", op, "output",
             shape, "parameters", "macs");
  for (const importers::DescribedLayer& layer : network.layers) {
    fmt::print("{:<{}}  {:<{}}  {:<{}}  {:>12} {:>16}\n", layer.name, name, layer.op, op,
               to_string(layer.shape), shape, layer.parameters, layer.macs);
  }
  fmt::print("\nparameters  {}\nmacs        {}\nconstants   {} bytes\n", network.parameter_count(),
             network.mac_count(), constant_bytes);
  return kSuccess;
}

}  // namespace

void add_models(CLI::App& app, Action& action) {
  auto options = std::make_shared<session::ModelOptions>();
  CLI::App* command = app.add_subcommand(
      "models", "list the shipped networks, or the layers of one, with parameters and MACs");
  command->add_option("network", options->path,
                      "a shipped network, a description (.yaml) or a SCALE-Sim topology (.csv)");
  add_dimension_options(*command, *options);
  command->callback([options, &action] {
    action = [options] {
      if (!options->path.empty()) return show_network(*options);
      if (!options->dims.empty() || !options->precision.empty()) {
        fail("models: --dim and --precision are of one network");
      }
      return list_networks();
    };
  });
}

}  // namespace npu::cli

// Processor time and memory of compiling and running a network of known shapes.
// usage: network_bench NPU.yaml NETWORK [timing|all|functional]
// NETWORK: a table (workloads/graph/network_table.h), or blocks:N:TOKENS:HIDDEN:INNER, N blocks in
// the manner of a transformer.

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "sim/base/error.h"
#include "sim/core/machine.h"
#include "workloads/graph/network_builder.h"
#include "workloads/graph/network_table.h"
#include "workloads/passes/passes.h"

namespace {

using npu::graph::Graph;
using npu::graph::NetworkBuilder;
using npu::graph::OpKind;
using npu::graph::TensorId;

double processor_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Charges processor time to phases.
class Phases {
 public:
  void charge(const char* phase) {
    const double now = processor_seconds();
    fmt::print("{:10} {:8.3f} s\n", phase, now - last_);
    last_ = now;
  }

 private:
  double last_ = processor_seconds();
};

std::vector<std::int64_t> numbers_of(const std::string& text) {
  std::vector<std::int64_t> numbers;
  for (std::size_t at = text.find(':'); at != std::string::npos; at = text.find(':', at + 1)) {
    numbers.push_back(std::strtoll(text.c_str() + at + 1, nullptr, 10));
  }
  if (numbers.size() != 4) npu::fail("{}: expected blocks:N:TOKENS:HIDDEN:INNER", text);
  return numbers;
}

/// Attention without heads and a feed-forward part, each with its residual.
Graph blocks(const std::string& text) {
  const std::vector<std::int64_t> n = numbers_of(text);
  NetworkBuilder net(text);
  TensorId x = net.input({n[1], n[2]});
  for (std::int64_t i = 0; i < n[0]; ++i) {
    TensorId a = net.fully_connected(x, n[2]);
    for (int p = 0; p < 2; ++p) a = net.fully_connected(a, n[2]);
    a = net.softmax(a);
    x = net.binary(OpKind::kAdd, x, net.fully_connected(a, n[2]));
    const TensorId f = net.fully_connected(x, n[3], npu::graph::Activation::kRelu);
    x = net.binary(OpKind::kAdd, x, net.fully_connected(f, n[2]));
  }
  return net.finish({x});
}

/// Values for the weights, the same every time.
void fill(Graph& graph) {
  std::uint32_t state = 1;
  for (npu::graph::Tensor& tensor : graph.tensors) {
    if (!tensor.is_constant) continue;
    tensor.data.resize(static_cast<std::size_t>(tensor.bytes()));
    for (std::byte& value : tensor.data) {
      state = state * 1664525U + 1013904223U;
      value = static_cast<std::byte>(state >> 24U);
    }
  }
}

int measure(const std::string& npu_file, const std::string& network, const std::string& mode) {
  Phases phases;
  const npu::NpuConfig config = npu::load_npu_config(npu_file);
  Graph graph =
      network.starts_with("blocks:") ? blocks(network) : npu::graph::load_network_table(network, 1);
  const bool functional = mode == "functional";
  if (functional) fill(graph);
  (void)npu::passes::fuse(graph);
  phases.charge("load");
  npu::kernels::Compiled compiled = npu::kernels::compile(
      graph, config, {.timing_only = !functional, .repeat_effort = mode == "timing" ? 1 : 0});
  const npu::kernels::RepeatPlan repeats = compiled.repeats;
  phases.charge("compile");
  const std::size_t words = compiled.program.code.size();
  npu::Machine machine(config, std::move(compiled.program), {.timing_only = !functional});
  phases.charge("elaborate");
  machine.run();
  const npu::RunStats stats = machine.stats();
  phases.charge("simulate");
  std::uint64_t bytes = 0;
  for (const npu::LayerStats& layer : stats.layers) {
    bytes += layer.dram_read_bytes + layer.dram_write_bytes;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("total      {:8.3f} s user, {:.3f} s system, {:.1f} MB\n",
             static_cast<double>(usage.ru_utime.tv_sec) +
                 static_cast<double>(usage.ru_utime.tv_usec) * 1e-6,
             static_cast<double>(usage.ru_stime.tv_sec) +
                 static_cast<double>(usage.ru_stime.tv_usec) * 1e-6,
             static_cast<double>(usage.ru_maxrss) / 1024);
  fmt::print("{} of {} layers, {} of {} cycles, uncertain {:.0f}\n", repeats.kept.size(),
             repeats.stands_in.size(), stats.simulated_cycles, stats.total_cycles,
             repeats.uncertain_cycles(stats.span_cycles()));
  fmt::print("{} words, {} cycles, {} DRAM bytes, {} kernel events\n", words, stats.total_cycles,
             bytes, stats.kernel_events);
  return 0;
}

}  // namespace

extern "C" int sc_main(int argc, char* argv[]) {
  if (argc < 3) {
    fmt::print(stderr, "usage: network_bench NPU.yaml NETWORK [timing|all|functional]\n");
    return 2;
  }
  try {
    return measure(argv[1], argv[2], argc > 3 ? argv[3] : "timing");
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}

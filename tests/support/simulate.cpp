#include "tests/support/simulate.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "sim/core/machine.h"
#include "sim/power/ledger.h"

namespace npu::test {
namespace {

class Writer {
 public:
  template <typename T>
  void value(const T& v) {
    bytes.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void block(const void* data, std::size_t size) {
    value(size);
    bytes.append(static_cast<const char*>(data), size);
  }
  std::string bytes;
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  template <typename T>
  T value() {
    T v{};
    if (at_ + sizeof v <= bytes_.size()) std::memcpy(&v, bytes_.data() + at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  std::string block() {
    const auto size = value<std::size_t>();
    if (at_ > bytes_.size() || size > bytes_.size() - at_) return {};
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

std::string pack(const Simulation& s) {
  Writer w;
  w.value(s.outcome);
  w.block(s.message.data(), s.message.size());
  w.value(s.total_cycles);
  w.value(s.dram_bytes);
  w.value(s.macs);
  w.value(s.buckets_close);
  w.value(s.buckets.size());
  for (const auto& [name, cycles] : s.buckets) {
    w.block(name.data(), name.size());
    w.value(cycles);
  }
  w.value(s.ledger_pj);
  w.value(s.power_pj);
  for (const auto* tensors : {&s.tensors, &s.outputs}) {
    w.value(tensors->size());
    for (const auto& [id, bytes] : *tensors) {
      w.value(id);
      w.block(bytes.data(), bytes.size());
    }
  }
  return w.bytes;
}

Simulation unpack(const std::string& bytes) {
  Simulation s;
  Reader r(bytes);
  s.outcome = r.value<Outcome>();
  s.message = r.block();
  s.total_cycles = r.value<std::uint64_t>();
  s.dram_bytes = r.value<std::uint64_t>();
  s.macs = r.value<std::uint64_t>();
  s.buckets_close = r.value<bool>();
  const auto units = r.value<std::size_t>();
  for (std::size_t i = 0; i < units; ++i) {
    const std::string name = r.block();
    s.buckets[name] = r.value<std::array<std::uint64_t, kBucketCount>>();
  }
  s.ledger_pj = r.value<double>();
  s.power_pj = r.value<double>();
  for (auto* tensors : {&s.tensors, &s.outputs}) {
    const auto count = r.value<std::size_t>();
    for (std::size_t i = 0; i < count; ++i) {
      const auto id = r.value<std::int32_t>();
      const std::string block = r.block();
      const auto* data = reinterpret_cast<const std::byte*>(block.data());
      (*tensors)[id].assign(data, data + block.size());
    }
  }
  return s;
}

Simulation run_here(const NpuConfig& config, const isa::Program& program,
                    const std::map<std::int32_t, TensorData>& inputs,
                    const SimulateOptions& options) {
  Simulation result;
  MachineOptions machine_options;
  machine_options.timing_only = options.timing_only;
  machine_options.check_hazards = options.check_hazards;
  machine_options.allow_other_config = options.allow_other_config;
  machine_options.capture_tensors = !options.timing_only;
  Machine machine(config, program, machine_options);
  if (!options.timing_only) {
    for (const isa::TensorRecord& t : program.tensors) {
      if (t.role == isa::TensorRole::kInput) machine.write_dram(t.address, inputs.at(t.id).bytes);
    }
  }
  for (int i = 0; i < options.runs; ++i) machine.run();

  const RunStats stats = machine.stats();
  result.total_cycles = stats.total_cycles;
  result.buckets_close = !stats.units.empty();
  for (const UnitStats& u : stats.units) {
    std::uint64_t sum = 0;
    for (const std::uint64_t c : u.timeline.all()) sum += c;
    result.buckets_close &= sum == stats.total_cycles;
    result.buckets[u.name] = u.timeline.all();
  }
  for (const LayerStats& l : stats.layers)
    result.dram_bytes += l.dram_read_bytes + l.dram_write_bytes;
  result.macs = stats.events[static_cast<std::size_t>(Event::kMacInt8)] +
                stats.events[static_cast<std::size_t>(Event::kMacInt16)] +
                stats.events[static_cast<std::size_t>(Event::kMacFloat16)] +
                stats.events[static_cast<std::size_t>(Event::kMacBfloat16)] +
                stats.events[static_cast<std::size_t>(Event::kMacFloat32)];
  result.ledger_pj =
      make_ledger(config.energy, config.clock, stats.events, stats.total_cycles).total_pj();
  for (const PowerSample& p : stats.power) {
    for (const double watts : p.watts) {
      result.power_pj += watts * static_cast<double>((p.end_cycle - p.begin_cycle) * p.repeats) *
                         static_cast<double>(config.clock.period_ps());
    }
  }
  if (!options.timing_only) {
    for (std::size_t i = 0; i < program.tensors.size(); ++i)
      result.tensors[program.tensors[i].id] = machine.captured().at(i);
    for (const isa::TensorRecord& t : program.tensors) {
      if (t.role != isa::TensorRole::kOutput || t.memory != isa::Memory::kDram) continue;
      auto& bytes = result.outputs[t.id];
      bytes.resize(static_cast<std::size_t>(t.bytes()));
      machine.read_dram(t.address, bytes);
    }
  }
  result.outcome = Outcome::kDone;
  return result;
}

}  // namespace

Simulation in_child(const std::function<Simulation()>& body, unsigned seconds) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child < 0) return {};
  if (child == 0) {
    close(ends[0]);
    alarm(seconds);
    Simulation s;
    try {
      s = body();
    } catch (const Error& e) {
      s.outcome = Outcome::kError;
      s.message = e.what();
    } catch (const RunFault& e) {
      s.outcome = Outcome::kRunFault;
      s.message = e.what();
    } catch (const std::exception& e) {
      s.outcome = Outcome::kInternal;
      s.message = e.what();
    }
    const std::string bytes = pack(s);
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t n = write(ends[1], bytes.data() + at, bytes.size() - at);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string bytes;
  std::array<char, 65536> buffer{};
  for (ssize_t n = 0; (n = read(ends[0], buffer.data(), buffer.size())) > 0;)
    bytes.append(buffer.data(), static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || bytes.empty()) {
    Simulation crashed;
    crashed.message =
        WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status)) : "child failed";
    return crashed;
  }
  return unpack(bytes);
}

Simulation simulate(const NpuConfig& config, const isa::Program& program,
                    const std::map<std::int32_t, TensorData>& inputs,
                    const SimulateOptions& options) {
  return in_child([&] { return run_here(config, program, inputs, options); }, 60);
}

}  // namespace npu::test

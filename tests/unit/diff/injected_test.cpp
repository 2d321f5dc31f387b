// One changed parameter among others that matter little: it is named first, and all terms sum.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <set>

#include "sim/base/error.h"
#include "sim/base/process_pool.h"
#include "sim/config/config_document.h"
#include "sim/diff/difference.h"
#include "sim/report/output_files.h"
#include "sim/session/run.h"

namespace npu::diff {
namespace {

namespace fs = std::filesystem;

struct Setting {
  std::string key;
  std::vector<std::string> values;
};

/// Parameters that a network of convolutions, products and a softmax depends on.
const std::vector<Setting> kInjected = {{"clock.frequency_mhz", {"333", "1500"}},
                                        {"mac_array.rows", {"8", "12"}},
                                        {"mac_array.cols", {"8", "12"}},
                                        {"mac_array.pipeline_latency_cycles", {"25", "90"}},
                                        {"mac_array.weight_load_bytes_per_cycle", {"1", "2"}},
                                        {"scratchpad.latency_cycles", {"20", "50"}},
                                        {"vector_unit.lanes", {"1", "3"}},
                                        {"vector_unit.latency_cycles", {"40", "120"}},
                                        {"vector_unit.requantize_cycles", {"9", "30"}},
                                        {"dma.setup_cycles", {"150", "400"}},
                                        {"dma.bus_width_bytes", {"1", "2"}},
                                        {"dma.max_outstanding", {"1"}},
                                        {"interconnect.latency_cycles", {"70", "200"}},
                                        {"interconnect.bytes_per_cycle", {"1", "2"}},
                                        {"sequencer.dispatch_cycles", {"30", "80"}},
                                        {"dram.controller_latency_ns", {"150", "400"}},
                                        {"dram.clock_mhz", {"300", "500"}},
                                        {"dram.timing_cycles.tCL", {"90", "150"}}};
/// Some that it hardly depends on.
const std::vector<Setting> kNoise = {{"mac_array.int16_cycles", {"3", "5"}},
                                     {"mac_array.float32_cycles", {"11", "13"}},
                                     {"vector_unit.lut_cycles", {"3", "5"}},
                                     {"vector_unit.function_cycles", {"7", "9"}},
                                     {"vector_unit.elementwise_cycles", {"1.0625", "1.125"}},
                                     {"sequencer.queue_depth", {"60", "61"}},
                                     {"interconnect.max_outstanding_reads", {"500", "600"}},
                                     {"dram.starvation_cap", {"14", "19"}},
                                     {"name", {"other", "another"}},
                                     {"description", {"something", "anything"}},
                                     {"energy.window_cycles", {"900", "1100"}}};

/// Whether the greatest cause in the results is one of the unit that the parameter belongs to.
bool names_unit(const Difference& d, const std::string& key) {
  const std::vector<LatencyTerm> causes = latency_by_cause(d.latency);
  if (causes.empty()) return false;
  const std::string section = key.substr(0, key.find('.'));
  return causes.front().unit.starts_with(section);
}

class Injected : public ::testing::Test {
 protected:
  Injected() : folder_(fs::path(::testing::TempDir()) / fmt::format("injected.{}", getpid())) {
    fs::create_directories(folder_);
    const auto write = [&](const char* name, const char* text) {
      std::ofstream(folder_ / name) << text;
      networks_.push_back((folder_ / name).string());
    };
    write("products.csv", "Layer, M, N, K,\na, 16, 24, 40,\nb, 40, 16, 64,\n");
    write("windows.csv",
          "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num "
          "Filter, Strides,\na, 10, 10, 3, 3, 8, 16, 1,\nb, 8, 8, 1, 1, 16, 24, 1,\n");
    networks_.push_back(std::string(NPUSIM_SOURCE_DIR) +
                        "/workloads/models/digits/digits_int8.tflite");
  }
  ~Injected() override { fs::remove_all(folder_); }

  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[random_() % from.size()];
  }

  /// The preset with these keys set, as a file; none if that is no NPU.
  std::optional<std::string> config(const std::string& preset,
                                    const std::vector<std::pair<std::string, std::string>>& keys) {
    ConfigDocument document =
        ConfigDocument::load(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + preset + ".yaml");
    const std::string path = (folder_ / fmt::format("npu{}.yaml", files_++)).string();
    document.move_to(path);
    try {
      for (const auto& [key, value] : keys) document.set(key, value);
      (void)document.parse();
    } catch (const Error&) {
      return std::nullopt;
    }
    std::ofstream(path) << document.text();
    return path;
  }

  struct Trial {
    std::string injected, network, a, b;  ///< Configurations; the folders have ".out" behind.
  };

  /// Runs every configuration with its network, each once. @return those that ran.
  std::set<std::string> run_all(const std::vector<Trial>& trials) {
    std::vector<std::pair<std::string, std::string>> jobs;
    for (const Trial& trial : trials) {
      jobs.emplace_back(trial.a, trial.network);
      jobs.emplace_back(trial.b, trial.network);
    }
    std::set<std::string> ran;
    run_in_processes(
        jobs.size(), {.workers = 0},
        [&](std::size_t i) {
          session::RunRequest request;
          request.config = load_npu_config(jobs[i].first);
          request.model.path = jobs[i].second;
          request.timing_only = request.simulate_all = request.keeps_files = true;
          report::OutputFiles(jobs[i].first + ".out", session::run(request, {}).files).commit();
          return std::string();
        },
        [&](std::size_t i, const TaskResult& result) {
          if (result.status == TaskStatus::kDone) ran.insert(jobs[i].first);
        });
    return ran;
  }

  static void expect_sums(const Difference& d) {
    std::int64_t latency = 0;
    for (const LatencyTerm& t : d.latency) latency += t.delta_ps;
    EXPECT_EQ(latency, d.delta_ps());
    double energy = 0;
    for (const EnergyTerm& t : d.energy) energy += t.delta_pj();
    EXPECT_NEAR(energy, d.delta_energy_pj(), 1e-9 * (d.a.energy_pj() + d.b.energy_pj()));
    if (!d.simulated) return;
    const Simulated& s = *d.simulated;
    double time = 0, pj = 0;
    for (const Parameter& p : s.parameters) {
      time += p.time_ps;
      pj += p.energy_pj;
    }
    EXPECT_NEAR(time, s.b_time_ps - s.a_time_ps, 1e-9 * (s.a_time_ps + s.b_time_ps));
    EXPECT_NEAR(pj, s.b_energy_pj - s.a_energy_pj, 1e-9 * (s.a_energy_pj + s.b_energy_pj));
    // One sample from a cold start: the same as what ran.
    EXPECT_NEAR(s.b_time_ps - s.a_time_ps, static_cast<double>(d.delta_ps()), 1e-6 * s.a_time_ps);
    EXPECT_NEAR(s.b_energy_pj, d.b.energy_pj(), 1e-9 * s.b_energy_pj);
  }

  std::mt19937_64 random_{20};
  fs::path folder_;
  std::vector<std::string> networks_;
  int files_ = 0;
};

TEST_F(Injected, IsNamedFirst) {
  constexpr std::size_t kTrials = 110, kMostDraws = 1000;
  const std::vector<std::string> presets = {"edge", "gemmini_16x16", "ethos_u55_128", "davinci"};
  std::vector<Trial> trials;
  for (std::size_t draw = 0; draw < kMostDraws && trials.size() < kTrials; ++draw) {
    const Setting& injected = pick(kInjected);
    const std::string& preset = pick(presets);
    std::vector<std::pair<std::string, std::string>> keys = {{injected.key, pick(injected.values)}};
    const std::size_t noise = 3 + random_() % 3;
    std::set<std::string> seen;
    while (seen.size() < noise) {
      const Setting& other = pick(kNoise);
      if (seen.insert(other.key).second) keys.emplace_back(other.key, pick(other.values));
    }
    std::shuffle(keys.begin(), keys.end(), random_);
    const auto a = config(preset, {});
    const auto b = config(preset, keys);
    if (a && b) trials.push_back({injected.key, pick(networks_), *a, *b});
  }
  ASSERT_EQ(trials.size(), kTrials);

  const std::set<std::string> ran = run_all(trials);
  int counted = 0, first = 0, named_by_results = 0;
  for (const Trial& trial : trials) {
    if (!ran.contains(trial.a) || !ran.contains(trial.b)) continue;
    const Difference d = compare(trial.a + ".out", trial.b + ".out",
                                 {.a_model = trial.network, .b_model = trial.network},
                                 [](std::size_t, std::size_t) {});
    expect_sums(d);
    if (d.delta_ps() == 0 && std::abs(d.delta_energy_pj()) < 1) continue;  // It has no effect.
    ASSERT_TRUE(d.simulated) << (d.notes.empty() ? "" : d.notes.front());
    ++counted;
    named_by_results += names_unit(d, trial.injected) ? 1 : 0;
    const bool is_first = d.simulated->parameters.front().key == trial.injected;
    first += is_first ? 1 : 0;
    if (!is_first) {
      std::cout << trial.injected << " behind " << d.simulated->parameters.front().key << ", "
                << trial.network << "\n";
    }
  }
  std::cout << "named first in " << first << " of " << counted << "\n";
  std::cout << "results alone name the unit in " << named_by_results << " of " << counted << "\n";
  EXPECT_GE(counted, 100);
  EXPECT_GE(first, 0.95 * counted);
  EXPECT_GE(named_by_results, 0.75 * counted);
}

TEST_F(Injected, TermsOfRandomPairsSum) {
  const std::vector<std::string> presets = {"edge", "gemmini_16x16", "tpu_v1", "nvdla_small"};
  std::vector<Trial> trials;
  for (int i = 0; i < 5; ++i) {
    std::vector<std::string> pair;
    while (pair.size() < 2) {
      const Setting& one = pick(kInjected);
      const Setting& two = pick(kNoise);
      const auto made =
          config(pick(presets), {{one.key, pick(one.values)}, {two.key, pick(two.values)}});
      if (made) pair.push_back(*made);
    }
    trials.push_back({"", pick(networks_), pair[0], pair[1]});
  }
  const std::set<std::string> ran = run_all(trials);
  int compared = 0;
  for (const Trial& trial : trials) {
    if (!ran.contains(trial.a) || !ran.contains(trial.b)) continue;
    const Difference d = compare(trial.a + ".out", trial.b + ".out",
                                 {.a_model = trial.network, .b_model = trial.network},
                                 [](std::size_t, std::size_t) {});
    expect_sums(d);
    const Difference same = compare(trial.a + ".out", trial.a + ".out", {}, {});
    EXPECT_TRUE(same.is_empty());
    // All of B's keys in A's file are B.
    const NpuConfig a = load_npu_config(trial.a);
    const NpuConfig b = load_npu_config(trial.b);
    const Mixer mixer(a, b);
    const auto all = mixer.mix(std::vector<bool>(mixer.changes().size(), true));
    ASSERT_TRUE(all);
    EXPECT_EQ(all->fingerprint(), b.fingerprint());
    const auto none = mixer.mix(std::vector<bool>(mixer.changes().size(), false));
    EXPECT_EQ(none->fingerprint(), a.fingerprint());
    ++compared;
  }
  EXPECT_GE(compared, 3);
}

}  // namespace
}  // namespace npu::diff

// sample_pages FOLDER: pages of made-up results for test_pages.py. SystemC, on which the
// suites depend, wants its own main.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <string>
#include <systemc>
#include <vector>

#include "sim/base/file.h"
#include "sim/publish/page_data.h"
#include "sim/report/page.h"
#include "sim/validation/page_data.h"
#include "tests/browser/sample_runs.h"

namespace npu {
namespace {

using validation::Suite;
using validation::SuiteResult;

Suite suite_of(std::string name, std::string quantity, std::string unit) {
  Suite suite;
  suite.name = std::move(name);
  suite.quantity = std::move(quantity);
  suite.unit = std::move(unit);
  suite.reference = "made-up figures of no device, spread at random over some decades";
  return suite;
}

/// `rows` references from 10^low to 10^high, predictions with a relative error of `spread`.
SuiteResult result_of(const Suite& suite, int rows, double low, double high, double spread) {
  std::mt19937 random(static_cast<unsigned>(rows));
  const auto uniform = [&] { return static_cast<double>(random()) / std::mt19937::max(); };
  SuiteResult result;
  result.suite = &suite;
  result.rows_file = "configs/validation/" + suite.name + ".csv";
  for (int i = 0; i < rows; ++i) {
    const double reference = std::round(std::pow(10, low + (high - low) * uniform()));
    const double error = spread * (uniform() + uniform() - 0.9);
    result.rows.push_back({"net" + std::to_string(i % 7) + "/conv_" + std::to_string(i) + " 3x3",
                           reference, std::round(reference * (1 + error)), ""});
  }
  validation::summarize(result);
  return result;
}

void write(const std::string& path, const nlohmann::json& data) {
  const std::string html = report::page("npusim: sample & test", data);
  write_file(path, std::as_bytes(std::span(html)));
}

void write_runs(const std::string& folder) {
  const std::string hostile = "</script><img src=x onerror='window.hostile = 1'>";
  write(folder + "/run.html", publish::page_data({test::sample_run("out", 9, 60)}));
  write(folder + "/large.html", publish::page_data({test::sample_run("large", 120, 40'000)}));
  write(folder + "/bare.html", publish::page_data({test::sample_run("bare", 3, 6, false)}));
  write(folder + "/none.html", publish::page_data({test::sample_run("none", 0, 0, false)}));
  write(folder + "/runs.html",
        publish::page_data({test::sample_run("first", 9, 60), test::sample_run("second", 4, 30),
                            test::sample_run("third", 3, 6, false)}));
  write(folder + "/hostile_run.html", publish::page_data({test::hostile_run(hostile)}));
  write(folder + "/hostile_runs.html",
        publish::page_data({test::hostile_run(hostile), test::hostile_run(hostile)}));
  write(folder + "/sweep.html", test::sample_sweep());
  write(folder + "/hostile_sweep.html", test::hostile_sweep(hostile));
}

void write_all(const std::string& folder) {
  write_runs(folder);
  Suite cycles = suite_of("accelerator-rtl-cycles", "cycles", "cycles");
  cycles.bound = {.mean_error_percent = 10, .max_error_percent = 30, .rank_correlation = 0.99};
  cycles.differs = "The reference overlaps the reading of weights with the layer before.";
  Suite bytes = suite_of("accelerator-dram-bytes", "DRAM bytes", "bytes");
  bytes.bound = {.mean_error_percent = 1};
  Suite power = suite_of("published-power", "power", "mW");
  Suite many = suite_of("dram-latency", "latency", "ns");

  std::vector<SuiteResult> results = {
      result_of(cycles, 60, 2.5, 7.2, 0.2), result_of(bytes, 33, 4, 8, 0.1),
      result_of(power, 4, 1.9, 2.4, 0.6), result_of(many, 2100, 1.5, 4, 0.3)};
  results[1].rows[5].predicted = 0;
  results[1].rows[7].failure = "configs/npu/example.yaml:4:3: sram: too small for the network";
  validation::summarize(results[1]);
  write(folder + "/validation.html", validation::page_data(results));

  const std::string script = "</script><script>window.hostile = 1</script>";
  const std::string image = "<img src=x onerror='window.hostile = 1'>";
  Suite hostile = suite_of(script, image, "<b>unit</b>");
  hostile.reference = "<!-- <script> \u2028 @DATA@ @TITLE@";
  hostile.differs = script;
  SuiteResult result = result_of(hostile, 5, 1, 3, 0.1);
  result.rows[0].row = script;
  result.rows[1].row = image;
  result.rows[2].row = "\xff\xfe \"quoted\" \\u003c & &amp; '@DATA@'";
  result.rows[3].failure = image;
  validation::summarize(result);
  write(folder + "/hostile.html", validation::page_data({result}));

  write(folder + "/empty.html", validation::page_data({}));
  write(folder + "/unknown.html", {{"kind", "toString"}});
}

}  // namespace
}  // namespace npu

extern "C" int sc_main(int argc, char* argv[]) {
  if (argc != 2) {
    std::fputs("usage: sample_pages FOLDER\n", stderr);
    return 2;
  }
  npu::write_all(argv[1]);
  return 0;
}

int main(int argc, char* argv[]) { return sc_core::sc_elab_and_sim(argc, argv); }

#include <algorithm>
#include <cmath>
#include <iterator>

#include "sim/report/writers.h"

namespace npu::report {
namespace {

class TextWriter {
 public:
  explicit TextWriter(const Report& report) : report_(report), figures_(figures_of(report)) {}

  std::string write() {
    line("{} on {}, {} inference{}{}", report_.model_name, report_.config_name,
         report_.stats.run_cycles.size(), report_.stats.run_cycles.size() == 1 ? "" : "s",
         report_.timing_only ? ", timing only" : "");
    line("");
    layers();
    line("");
    totals();
    if (report_.critical_path) {
      line("");
      out_ += path_text(summarize(*report_.critical_path));
    }
    if (report_.accuracy) accuracy(*report_.accuracy);
    host();
    energy();
    for (const std::string& note : report_.notes) line("note: {}", note);
    return out_;
  }

 private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  void layers() {
    std::size_t width = 12;
    for (const LayerRow& l : report_.layers) width = std::max(width, l.name.size());
    const bool repeats = has_repeats(report_);
    line("{:<{}} {:>10} {:>7} {:>11} {:>11} {:>11}{}", "layer", width, "cycles", "util_%",
         "bound_by", "dram_bytes", "energy_nj", repeats ? "  repeats" : "");
    for (const LayerRow& l : report_.layers) {
      line("{:<{}} {:>10} {:>7.1f} {:>11} {:>11} {:>11.3f}{}", l.name, width, l.cycles(),
           100.0 * utilization(report_, l), bound_by(report_, l), l.dram_bytes(),
           l.energy_pj * 1e-3, repeats ? fmt::format(" {:>8}", l.stats.repeats) : "");
    }
    if (report_.stats.run_cycles.size() > 1) line("(the last inference)");
  }

  void totals() {
    line("{:<24} {}", "total_cycles", report_.stats.total_cycles);
    if (has_repeats(report_)) line("{:<24} {}", "simulated_cycles", report_.stats.simulated_cycles);
    if (report_.stats.run_cycles.size() > 1) {
      line("{:<24} {:.6g}", "cycles_per_inference",
           static_cast<double>(report_.stats.total_cycles) /
               static_cast<double>(report_.stats.run_cycles.size()));
    }
    line("{:<24} {:.6g}", "latency_ms", figures_.latency_ms);
    line("{:<24} {}", "latency_interval_ms", confidence());
    line("{:<24} {:.6g}", "inferences_per_s", figures_.inferences_per_s);
    line("{:<24} {:.6g}", "energy_per_inference_uj", figures_.energy_per_inference_pj * 1e-6);
    line("{:<24} {:.6g}", "average_power_mw", figures_.average_power_mw);
    line("{:<24} {:.6g}", "pj_per_mac", figures_.pj_per_mac);
    line("{:<24} {:.6g}", "tops_per_w", figures_.tops_per_w);
    line("{:<24} {:.6g}", "mac_utilization_%", 100.0 * figures_.mac_utilization);
  }

  [[nodiscard]] std::string confidence() const {
    if (!report_.calibrated) return "uncalibrated";
    const Interval& i = *report_.calibrated;
    return fmt::format("{:.6g} to {:.6g} at {:g} %",
                       figures_.latency_ms * (1 + i.low_percent / 100),
                       figures_.latency_ms * (1 + i.high_percent / 100), i.level_percent);
  }

  void output(const TensorAccuracy& t) {
    line("output {} ({}, {} elements)", t.name, name_of(t.type), t.integer.elements);
    if (t.integer.differing == 0) {
      line("  integer reference: equal in every bit");
    } else {
      line("  integer reference: DIFFERS in {} elements ({:.4f} %), by up to {} LSB",
           t.integer.differing, 100.0 * t.integer.differing_share(), t.integer.max_lsb_difference);
    }
    if (!t.float_error) return;
    const TensorError& e = *t.float_error;
    line(
        "  float reference: max_abs_error {:.6g}, mse {:.6g}, sqnr_db {:.2f}, cosine {:.6f}, "
        "differing_% {:.2f}, max_lsb {}",
        e.max_abs_error, e.mean_squared_error, e.sqnr_db, e.cosine_similarity,
        100.0 * e.differing_share(), e.max_lsb_difference);
  }

  void agreement(std::string_view name, const std::optional<ClassAgreement>& c) {
    if (c) line("{}: top1_% {:.2f}, top5_% {:.2f}", name, 100.0 * c->top1, 100.0 * c->top5);
  }

  void accuracy(const Accuracy& a) {
    line("");
    line("accuracy over {} sample{}", a.samples, a.samples == 1 ? "" : "s");
    for (const TensorAccuracy& t : a.outputs) output(t);
    agreement("agreement with the integer reference", a.integer_classes);
    agreement("agreement with the float reference", a.float_classes);
    agreement("accuracy against the labels", a.labels);
  }

  void host() {
    if (report_.host_ops.empty()) return;
    line("");
    for (const HostOp& op : report_.host_ops) {
      line("host: {}, bytes {}{}", op.name, op.bytes,
           report_.host_power_mw ? fmt::format(", time_us {:.6g}", op.seconds * 1e6) : "");
    }
    if (!report_.host_power_mw) {
      line("host: its time and energy are not modelled (the NPU has no `host` section)");
      return;
    }
    line("{:<24} {:.6g}", "host_ms", figures_.host_ms);
    line("{:<24} {:.6g}", "npu_and_host_ms", figures_.latency_ms + figures_.host_ms);
    line("{:<24} {:.6g}", "host_energy_uj", figures_.host_energy_pj * 1e-6);
  }

  void energy() {
    line("");
    line("energy by component, all inferences");
    for (const std::string& component : components_of(report_.ledger)) {
      const double energy_pj = report_.ledger.component_pj(component);
      line("  energy_uj {:<18} {:>12.6g} {:>6.1f} %", component, energy_pj * 1e-6,
           figures_.total_energy_pj == 0 ? 0.0 : 100.0 * energy_pj / figures_.total_energy_pj);
    }
    std::string shares;
    for (const SourceClass c : kSourceClasses) {
      const double share = report_.ledger.class_share(c);
      if (share == 0) continue;
      fmt::format_to(std::back_inserter(shares), "{}{} {:.1f} %", shares.empty() ? "" : ", ",
                     name_of(c), 100.0 * share);
    }
    line("energy by source: {}; uncalibrated: no energy was fitted to this chip's silicon",
         shares.empty() ? "none" : shares);
  }

  const Report& report_;
  Figures figures_;
  std::string out_;
};

}  // namespace

std::string text_report(const Report& report) { return TextWriter(report).write(); }

}  // namespace npu::report

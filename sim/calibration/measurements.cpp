#include "sim/calibration/measurements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <random>

#include "sim/base/error.h"
#include "workloads/graph/network_builder.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::calibration {
namespace {

constexpr std::int64_t kMaxExtent = 1 << 16;
constexpr std::int64_t kMaxCycles = std::int64_t{1} << 50;

class Row {
 public:
  Row(const CsvTable& table, std::size_t row) : table_(table), row_(row) {}
  [[nodiscard]] std::int64_t operator()(std::string_view column, std::int64_t low = 1) const {
    return table_.integer(row_, column, low, kMaxExtent);
  }
  [[nodiscard]] graph::Window window() const {
    const auto small = [&](std::string_view column, std::int64_t low) {
      return static_cast<int>((*this)(column, low));
    };
    graph::Window w = graph::square_window(1, small("stride", 1), small("pad", 0));
    w.kernel_h = small("kernel_h", 1);
    w.kernel_w = small("kernel_w", 1);
    return w;
  }

 private:
  const CsvTable& table_;
  std::size_t row_;
};

graph::Graph layer_of(const CsvTable& table, std::size_t row) {
  const Row value(table, row);
  const std::string& type = table.text(row, "type");
  graph::NetworkBuilder builder(table.place(row));
  if (type == "fully_connected") {
    const graph::TensorId x = builder.input({1, value("in_c")});
    return builder.finish({builder.fully_connected(x, value("out_c"))});
  }
  if (type != "conv" && type != "depthwise") {
    fail("{}: type: must be one of conv, depthwise, fully_connected, got \"{}\"", table.place(row),
         type);
  }
  const std::int64_t in_c = value("in_c");
  const std::int64_t out_c = value("out_c");
  const graph::TensorId x = builder.input({1, value("in_h"), value("in_w"), in_c});
  if (type == "conv") return builder.finish({builder.conv(x, out_c, value.window())});
  if (out_c % in_c != 0) {
    fail("{}: out_c: must be a multiple of in_c = {} for a depthwise layer, got {}",
         table.place(row), in_c, out_c);
  }
  return builder.finish({builder.depthwise(x, value.window(), graph::Activation::kNone,
                                           static_cast<int>(out_c / in_c))});
}

}  // namespace

std::vector<Measurement> read_measurements(const CsvTable& table, const std::string& path) {
  std::vector<Measurement> all;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Measurement m;
    m.place = table.place(row);
    m.cycles = static_cast<std::uint64_t>(table.integer(row, "cycles", 1, kMaxCycles));
    const bool is_model = table.has("model") && !table.text(row, "model").empty();
    if (is_model) {
      const std::filesystem::path model =
          std::filesystem::path(path).parent_path() / table.text(row, "model");
      m.network = importers::load_tflite(model.lexically_normal().string());
      (void)passes::fuse(m.network);
    } else {
      try {
        m.network = layer_of(table, row);
      } catch (const Error& error) {
        const std::string_view message = error.what();
        if (message.starts_with(m.place)) throw;
        fail("{}: {}", m.place, message);
      }
    }
    all.push_back(std::move(m));
  }
  return all;
}

Split split_rows(std::size_t rows, double held_out_share, std::uint64_t seed) {
  const auto held =
      static_cast<std::size_t>(std::llround(held_out_share * static_cast<double>(rows)));
  if (held < 2 || held > rows || rows - held < 2) {
    fail(
        "at least two rows to fit and two to hold out are needed, got {} rows of which {} are "
        "held out",
        rows, held);
  }
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Fisher and Yates' shuffle with a generator whose values the standard fixes.
  std::mt19937_64 random(seed);
  for (std::size_t i = rows - 1; i > 0; --i) std::swap(order[i], order[random() % (i + 1)]);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(held);
  Split split{.fitted = {middle, order.end()}, .held_out = {order.begin(), middle}};
  std::ranges::sort(split.fitted);
  std::ranges::sort(split.held_out);
  return split;
}

}  // namespace npu::calibration

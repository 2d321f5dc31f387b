#include "workloads/graph/network_table.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "workloads/graph/network_builder.h"

namespace npu::graph {
namespace {

constexpr std::int64_t kMaxExtent = std::int64_t{1} << 20;
constexpr std::int64_t kMaxKernel = 1024;
constexpr std::size_t kMaxOperands = 1024;

enum class Op : std::uint8_t {
  kInput,
  kConv,
  kDepthwise,
  kFullyConnected,
  kPool,
  kMean,
  kBinary,
  kConcatenation,
  kUnary,
};

struct OpRow {
  Op op;
  OpKind kind = OpKind::kConv2d;  ///< Of pooling, binary and unary operators.
};

const std::map<std::string, OpRow, std::less<>>& op_rows() {
  static const std::map<std::string, OpRow, std::less<>> kRows = {
      {"input", {Op::kInput}},
      {"conv", {Op::kConv}},
      {"depthwise", {Op::kDepthwise}},
      {"fully_connected", {Op::kFullyConnected}},
      {"max_pool", {Op::kPool, OpKind::kMaxPool2d}},
      {"average_pool", {Op::kPool, OpKind::kAveragePool2d}},
      {"mean", {Op::kMean}},
      {"add", {Op::kBinary, OpKind::kAdd}},
      {"mul", {Op::kBinary, OpKind::kMul}},
      {"concatenation", {Op::kConcatenation}},
      {"softmax", {Op::kUnary, OpKind::kSoftmax}},
      {"leaky_relu", {Op::kUnary, OpKind::kLeakyRelu}},
      {"logistic", {Op::kUnary, OpKind::kLogistic}},
      {"tanh", {Op::kUnary, OpKind::kTanh}},
  };
  return kRows;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0 || separator != ' ') parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

class TableReader {
 public:
  TableReader(const CsvTable& table, const std::string& name, std::int64_t batch)
      : table_(table), builder_(name), batch_(batch) {
    if (table.rows() == 0) fail("{}: a network needs rows", name);
    if (batch < 1) fail("{}: the batch must be 1 or more, got {}", name, batch);
  }

  Graph read() {
    for (row_ = 0; row_ < table_.rows(); ++row_) add_row();
    return builder_.finish({last_});
  }

 private:
  [[nodiscard]] const std::string& text(std::string_view column) const {
    return table_.text(row_, column);
  }
  [[nodiscard]] std::string key(std::string_view column) const {
    return fmt::format("{}: {}", table_.place(row_), column);
  }
  void refuse(std::string_view column) const {
    if (!text(column).empty()) {
      fail("{}: {} has none, got {}", key(column), text("op"), text(column));
    }
  }

  /// "3", "1x48", "224x224x3": numbers in [low, high].
  [[nodiscard]] std::vector<std::int64_t> extents(std::string_view column, std::int64_t low,
                                                  std::int64_t high) const {
    std::vector<std::int64_t> values;
    for (const std::string& part : split(text(column), 'x')) {
      std::int64_t value = -1;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
      if (error != std::errc{} || end != part.data() + part.size() || value < low || value > high) {
        fail("{}: expected numbers from {} to {} with x between them, got {}", key(column), low,
             high, text(column));
      }
      values.push_back(value);
    }
    return values;
  }

  /// One or two numbers: rows and columns.
  [[nodiscard]] std::pair<int, int> pair(std::string_view column, std::int64_t low,
                                         std::optional<int> fallback) const {
    if (text(column).empty() && fallback) return {*fallback, *fallback};
    const std::vector<std::int64_t> v = extents(column, low, kMaxKernel);
    if (v.empty() || v.size() > 2) {
      fail("{}: expected one or two numbers, got \"{}\"", key(column), text(column));
    }
    return {static_cast<int>(v.front()), static_cast<int>(v.back())};
  }

  [[nodiscard]] TensorId named(const std::string& name) const {
    const auto found = layers_.find(name);
    if (found != layers_.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [layer, id] : layers_) known.push_back(layer);
    fail("{}: no layer {} above this row{}", key("from"), name, did_you_mean(name, known));
  }

  [[nodiscard]] std::vector<TensorId> operands(std::size_t low, std::size_t high) const {
    std::vector<TensorId> ids;
    for (const std::string& name : split(text("from"), ' ')) ids.push_back(named(name));
    if (ids.empty() && last_ != kAbsent) ids.push_back(last_);
    if (ids.size() < low || ids.size() > high) {
      fail("{}: {} needs {}{} layers, got \"{}\"", key("from"), text("op"), low,
           high > low ? " or more" : "", text("from"));
    }
    return ids;
  }
  [[nodiscard]] TensorId operand() const { return operands(1, 1)[0]; }

  [[nodiscard]] std::int64_t channels() const {
    return table_.integer(row_, "channels", 1, kMaxExtent);
  }

  [[nodiscard]] Activation activation() const {
    const std::string& a = text("activation");
    if (a.empty()) return Activation::kNone;
    if (a == "relu") return Activation::kRelu;
    if (a == "relu6") return Activation::kRelu6;
    fail("{}: expected relu, relu6 or nothing, got {}", key("activation"), a);
  }

  [[nodiscard]] Window window(TensorId x) const {
    const Shape& shape = builder_.shape(x);
    if (shape.size() != 4) fail("{}: {} needs an image", key("op"), text("op"));
    Window w;
    std::tie(w.kernel_h, w.kernel_w) = pair("size", 1, std::nullopt);
    std::tie(w.stride_h, w.stride_w) = pair("stride", 1, 1);
    if (text("pad") == "same") {
      same(shape[1], w.kernel_h, w.stride_h, w.pad_top, w.pad_bottom);
      same(shape[2], w.kernel_w, w.stride_w, w.pad_left, w.pad_right);
    } else {
      std::tie(w.pad_top, w.pad_left) = pair("pad", 0, 0);
      w.pad_bottom = w.pad_top;
      w.pad_right = w.pad_left;
    }
    return w;
  }

  static void same(std::int64_t in, int kernel, int stride, int& before, int& after) {
    const std::int64_t out = (in + stride - 1) / stride;
    const auto all = static_cast<int>(std::max<std::int64_t>(0, (out - 1) * stride + kernel - in));
    before = all / 2;
    after = all - before;
  }

  TensorId input() {
    Shape shape = {batch_};
    const std::vector<std::int64_t> plane = extents("size", 1, kMaxExtent);
    if (plane.size() == 3) {
      refuse("channels");
      shape.insert(shape.end(), plane.begin(), plane.end());
    } else if (plane.empty()) {
      shape.push_back(channels());
    } else {
      fail("{}: expected rows, columns and channels (224x224x3), got {}", key("size"),
           text("size"));
    }
    return builder_.input(std::move(shape));
  }

  TensorId conv() {
    const TensorId x = operand();
    const std::int64_t in = builder_.shape(x).back();
    const bool grouped = table_.has("groups") && !text("groups").empty();
    const std::int64_t groups = grouped ? table_.integer(row_, "groups", 1, in) : 1;
    if (in % groups != 0) fail("{}: {} channels into {} groups", key("groups"), in, groups);
    const Window w = window(x);
    return builder_.conv(x, channels(), w, activation(), static_cast<int>(groups));
  }

  TensorId operation(const OpRow& row) {
    if (row.op == Op::kInput) return input();
    if (row.op == Op::kConv) return conv();
    if (row.op == Op::kFullyConnected) {
      refuse("size");
      return builder_.fully_connected(operand(), channels(), activation());
    }
    refuse("channels");
    if (row.op == Op::kDepthwise) {
      const TensorId x = operand();
      return builder_.depthwise(x, window(x), activation());
    }
    if (row.op == Op::kPool) {
      const TensorId x = operand();
      return builder_.pool(x, row.kind, window(x));
    }
    refuse("size");
    if (row.op == Op::kMean) return builder_.global_mean(operand());
    if (row.op == Op::kUnary) return builder_.unary(row.kind, operand());
    if (row.op == Op::kBinary) {
      const std::vector<TensorId> x = operands(2, 2);
      return builder_.binary(row.kind, x[0], x[1], activation());
    }
    const std::vector<TensorId> parts = operands(2, kMaxOperands);
    return builder_.concatenation(parts, static_cast<int>(builder_.shape(parts[0]).size()) - 1);
  }

  void add_row() {
    const auto row = op_rows().find(text("op"));
    if (row == op_rows().end()) {
      std::vector<std::string> known;
      for (const auto& [name, op] : op_rows()) known.push_back(name);
      fail("{}: no operator {}{}", key("op"), text("op"), did_you_mean(text("op"), known));
    }
    const std::string& layer = text("layer");
    if (layer.empty() || layer.find(' ') != std::string::npos) {
      fail("{}: expected a name without blanks, got \"{}\"", key("layer"), layer);
    }
    last_ = operation(row->second);
    if (!layers_.emplace(layer, last_).second) fail("{}: {} is there twice", key("layer"), layer);
  }

  const CsvTable& table_;
  NetworkBuilder builder_;
  std::int64_t batch_;
  std::size_t row_ = 0;
  TensorId last_ = kAbsent;
  std::map<std::string, TensorId, std::less<>> layers_;
};

}  // namespace

Graph network_from_table(const CsvTable& table, const std::string& name, std::int64_t batch) {
  return TableReader(table, name, batch).read();
}

Graph load_network_table(const std::string& path, std::int64_t batch) {
  return network_from_table(CsvTable::load(path), path, batch);
}

}  // namespace npu::graph

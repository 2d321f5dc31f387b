// GATHER: rows of a table; bytes only.
#include <algorithm>

#include "kernels/reference/numbers.h"
#include "kernels/reference/operators.h"

namespace npu::reference {
namespace {

bool always(const graph::Graph& /*graph*/, const graph::Node& /*node*/) { return true; }

void run(Invocation& call) {
  const View table = call.input(0);
  TensorData& y = call.output();
  const std::int64_t rows = table.dim(0);
  const auto row = rows == 0 ? 0 : table.bytes.size() / static_cast<std::size_t>(rows);
  auto to = y.bytes.begin();
  const Numbers indices = load_numbers(call, 1, Quantized::kRaw);
  for (const std::int64_t index : std::get<Integers>(indices)) {
    if (index < 0 || index >= rows) {
      fail("{}: index {} is out of range for {} rows", graph::describe(call.node()), index, rows);
    }
    const auto from = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(index) * row);
    to = std::copy_n(table.bytes.begin() + from, row, to);
  }
}

}  // namespace

const Operator kGather = {always, run, run};

}  // namespace npu::reference

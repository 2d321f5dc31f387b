#include "kernels/llm/areas.h"

#include <algorithm>

#include "kernels/llm/step.h"
#include "kernels/mapper/memory_plan.h"
#include "sim/base/math.h"

namespace npu::llm_kernels {
namespace {

using std::int64_t;

constexpr int64_t kAlignment = 64;

class Taker {
 public:
  int64_t operator()(int64_t bytes) {
    const int64_t at = end_;
    end_ = round_up(end_ + bytes, kAlignment);
    return at;
  }
  [[nodiscard]] int64_t end() const { return end_; }

 private:
  int64_t end_ = 0;
};

int64_t most_groups(const ModelLayout& layout) {
  int64_t most = layout.classifier.groups();
  for (const PlacedLayer& layer : layout.layers) {
    most = std::max({most, layer.qkv.groups(), layer.output.groups(), layer.gate_up.groups(),
                     layer.down.groups()});
  }
  return most;
}

}  // namespace

int64_t tile_row_bytes(const PlacedMatrix& m) {
  const int64_t unpacked = m.format == llm::WeightFormat::kQ4 ? 2 * m.row_bytes : 0;
  return m.row_bytes + unpacked + m.groups() * m.scale_bytes();
}

Areas place_activations(const ModelLayout& layout, int64_t rows, int64_t logit_rows) {
  const llm::LlamaConfig& c = layout.model;
  const int64_t wide = std::max(c.dim, c.hidden_dim);
  const int64_t input = bytes_of(input_code(layout));
  const bool grouped = layout.classifier.is_grouped();
  Taker take;
  Areas a;
  a.rows = rows;
  a.logit_rows = logit_rows;
  a.stream = take(4 * rows * c.dim);
  a.normed = take(input * rows * c.dim);
  a.qkv = take(4 * rows * (c.dim + 2 * c.kv_dim()));
  a.query = layout.attention_code() == Code::kFloat32 ? a.qkv : take(2 * rows * c.dim);
  a.mixed = take(input * rows * c.dim);
  a.projected = take(grouped ? 4 * rows * c.dim : 0);
  a.gate_up = take(8 * rows * c.hidden_dim);
  a.hidden = take(input * rows * c.hidden_dim);
  a.work = take(4 * rows * std::max(wide, c.dim + 2 * c.kv_dim()));
  a.stats = take(4 * rows);
  a.quantized = take(grouped ? rows * wide : 0);
  a.row_scales = take(grouped ? 4 * rows * most_groups(layout) : 0);
  a.cache_rows = take(2 * rows * c.kv_dim() * bytes_of(layout.cache_code()));
  a.cache_scales = take(8 * rows * c.kv_heads);
  a.cosines = take(2 * rows * c.head_dim());
  a.sines = take(2 * rows * c.head_dim());
  a.mask = take(4 * layout.options.mask_rows * layout.options.mask_rows);
  a.constants = take(16);
  a.norm_weights = take(8 * c.dim);
  a.rows_raw = take(rows * (round_up(layout.embedding.row_bytes, 4) +
                            layout.embedding.groups() * layout.embedding.scale_bytes()));
  a.last = take(4 * logit_rows * c.dim);
  a.end = take.end();
  return a;
}

Areas place_areas(const ModelLayout& layout, const NpuConfig& config, int64_t rows,
                  int64_t logit_rows) {
  Areas a = place_activations(layout, rows, logit_rows);
  const int64_t capacity = mapper::scratchpad_capacity(config);
  const int64_t half = (capacity - a.end) / 2;
  if (half < Areas::kSlots * 2 * kAlignment) {
    fail("scratchpad: activations of {} rows need {} bytes and tiles some more, {} are there", rows,
         a.end, config.scratchpad.capacity_bytes);
  }
  // A grouped tile has 8 bytes of record per scale: at most as much as its values.
  const int64_t slot = half / Areas::kSlots;
  if (layout.classifier.is_grouped()) {
    int64_t share = 0;  // Record bytes per byte of a slot, in 1/256.
    for (const PlacedMatrix* m : {&layout.classifier, &layout.layers.front().down}) {
      const int64_t row = tile_row_bytes(*m);
      share = std::max(share, ceil_div(256 * 8 * m->groups(), row + 8 * m->groups()));
    }
    a.record_bytes = slot * share / 256 / kAlignment * kAlignment;
  }
  a.slot_bytes = (slot - a.record_bytes) / kAlignment * kAlignment;
  a.records = a.end;
  a.weights = a.records + Areas::kSlots * a.record_bytes;
  a.attention = a.weights + Areas::kSlots * a.slot_bytes;
  a.attention_bytes = capacity - a.attention;
  return a;
}

int64_t most_rows(const ModelLayout& layout, const NpuConfig& config) {
  const int64_t budget = config.scratchpad.capacity_bytes / 4;
  const int64_t columns = config.mac_array.cols;
  int64_t most =
      std::min(layout.options.mask_rows, config.accumulator.capacity_bytes / 2 / (4 * columns));
  while (most > 1 && place_activations(layout, most, 1).end > budget) most /= 2;
  return std::max<int64_t>(most, 1);
}

}  // namespace npu::llm_kernels

#include "kernels/mapper/decisions.h"

#include <algorithm>

namespace npu::mapper {

const LayerDecision* Decisions::layer(std::string_view name) const {
  const auto it = std::find_if(layers.begin(), layers.end(),
                               [&](const LayerDecision& d) { return d.layer == name; });
  return it == layers.end() ? nullptr : &*it;
}

const AttentionDecision* Decisions::attention_of(graph::TensorId output) const {
  const auto it = std::find_if(attention.begin(), attention.end(),
                               [&](const AttentionDecision& d) { return d.output == output; });
  return it == attention.end() ? nullptr : &*it;
}

WindowDecision window_decision(const LayerDecision& decision) {
  WindowDecision d{.out_h = decision.out_h,
                   .out_w = decision.out_w,
                   .out_c = decision.out_c,
                   .in_c = decision.in_c,
                   .images = decision.images,
                   .order = decision.loop_order,
                   .streamed = decision.streamed,
                   .acc_slots = decision.acc_slots};
  const auto take = [&](const char* name, std::optional<int>& slots,
                        std::optional<std::int64_t>& bytes) {
    if (const BufferDecision* b = find_decision(decision.buffers, name)) {
      slots = b->slots;
      bytes = b->slot_bytes;
    }
  };
  take("x", d.x_slots, d.x_bytes);
  take("w", d.w_slots, d.w_bytes);
  take("y", d.y_slots, d.y_bytes);
  return d;
}

ChunkDecision chunk_decision(const LayerDecision& decision) {
  return {decision.cut_level, decision.cut_units, decision.buffers};
}

AttentionTileDecision attention_decision(const LayerDecision& decision) {
  return {decision.heads, decision.rows, decision.keys, decision.buffers};
}

}  // namespace npu::mapper

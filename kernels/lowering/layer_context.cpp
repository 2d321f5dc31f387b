#include "kernels/lowering/layer_context.h"

#include <algorithm>

#include "sim/base/error.h"

namespace npu::kernels {

std::pair<std::int64_t, bool> Slots::get(const std::vector<std::int64_t>& key) {
  NPU_CHECK(buffer_ != nullptr, "the layer has no such buffer");
  const auto address = [&](std::size_t slot) {
    return buffer_->address + static_cast<std::int64_t>(slot) * buffer_->slot_bytes;
  };
  const auto use = [&](std::size_t slot) {
    std::erase(order_, slot);
    order_.push_back(slot);
  };
  const auto held = std::find(keys_.begin(), keys_.end(), key);
  if (held != keys_.end()) {
    const auto slot = static_cast<std::size_t>(held - keys_.begin());
    use(slot);
    return {address(slot), true};
  }
  const std::size_t slot = order_.size() < keys_.size() ? order_.size() : order_.front();
  keys_[slot] = key;
  use(slot);
  return {address(slot), false};
}

std::int64_t load_constant(LayerContext& c, std::string_view buffer, std::int64_t dram_address,
                           std::int64_t bytes) {
  const mapper::Buffer* b = c.plan.buffer(buffer);
  NPU_CHECK(b != nullptr && bytes <= b->slot_bytes, "constant block fits its buffer");
  c.out.load_weights({dram_address, b->address, bytes, {}, {}, {}}, "load constants");
  return b->address;
}

}  // namespace npu::kernels

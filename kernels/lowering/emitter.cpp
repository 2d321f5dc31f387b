#include "kernels/lowering/emitter.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::kernels {
namespace {

using isa::Instruction;
using isa::Opcode;
using isa::Opd;
using std::int64_t;

constexpr int64_t kDramAlignment = 64;
constexpr int64_t kMaxCount = (1 << 20) - 1;  // n1, n2, n3 have 20 bits

/// Drops unit dimensions and merges neighbours that continue each other.
void merge(Transfer& t) {
  Transfer out{t.src, t.dst, t.run, {}, {}, {}};
  for (std::size_t i = t.count.size(); i-- > 0;) {
    if (t.count[i] == 1) continue;
    if (out.count.empty() && t.src_stride[i] == out.run && t.dst_stride[i] == out.run) {
      out.run *= t.count[i];
      continue;
    }
    if (!out.count.empty() && t.src_stride[i] == out.src_stride[0] * out.count[0] &&
        t.dst_stride[i] == out.dst_stride[0] * out.count[0] &&
        out.count[0] * t.count[i] <= kMaxCount) {
      out.count[0] *= t.count[i];
      continue;
    }
    out.count.insert(out.count.begin(), t.count[i]);
    out.src_stride.insert(out.src_stride.begin(), t.src_stride[i]);
    out.dst_stride.insert(out.dst_stride.begin(), t.dst_stride[i]);
  }
  t = std::move(out);
}

constexpr std::array<Opd, 3> kCounts = {Opd::kN1, Opd::kN2, Opd::kN3};
constexpr std::array<Opd, 3> kSrcStrides = {Opd::kSrcStride1, Opd::kSrcStride2, Opd::kSrcStride3};
constexpr std::array<Opd, 3> kDstStrides = {Opd::kDstStride1, Opd::kDstStride2, Opd::kDstStride3};

/// The dimension to unroll where there are more than the descriptor has: the shortest.
std::size_t shortest(const std::vector<int64_t>& count) {
  return static_cast<std::size_t>(std::min_element(count.begin(), count.end()) - count.begin());
}

}  // namespace

bool conflict(const Access& a, const Access& b) {
  return (a.write || b.write) && a.memory == b.memory && a.low < b.high && b.low < a.high;
}

void Emitter::begin_layer(isa::LayerRecord record) {
  layers_.push_back(std::move(record));
  lookahead_ = 0;
}

void Emitter::begin_dram(int64_t address) {
  NPU_CHECK(dram_end_ == 0, "nothing is allocated yet");
  dram_end_ = round_up(address, kDramAlignment);
}

int64_t Emitter::allocate(int64_t size) {
  const int64_t address = dram_end_;
  dram_end_ = round_up(dram_end_ + size, kDramAlignment);
  if (dram_end_ > config_.dram.capacity_bytes()) {
    fail("DRAM: the network needs more than {} bytes, {} are there", dram_end_,
         config_.dram.capacity_bytes());
  }
  return address;
}

void Emitter::push(const Instruction& instruction, std::string_view comment, bool is_load) {
  Item item{instruction, layer(), comment, {}};
  const isa::Footprint f = isa::footprint(instruction);
  item.accesses.reserve(f.reads.size() + f.writes.size());
  for (const isa::Region& r : f.reads)
    item.accesses.push_back({r.memory, r.low(), r.high(), false});
  for (const isa::Region& r : f.writes)
    item.accesses.push_back({r.memory, r.low(), r.high(), true});
  NPU_CHECK(!steps_.empty(), "instruction outside a step");
  item.lookahead = lookahead_;
  (is_load ? steps_.back().loads : steps_.back().work).push_back(std::move(item));
}

void Emitter::work(const Instruction& instruction, std::string_view comment) {
  push(instruction, comment, false);
}

void Emitter::transfer(Opcode opcode, int channel, Transfer t, std::string_view comment) {
  if (!t.keeps_run || t.count.size() > 3) merge(t);
  if (t.count.size() > 3 ||
      std::any_of(t.count.begin(), t.count.end(), [](int64_t n) { return n > kMaxCount; })) {
    const auto largest = static_cast<std::size_t>(std::max_element(t.count.begin(), t.count.end()) -
                                                  t.count.begin());
    const bool too_long = t.count[largest] > kMaxCount;
    const std::size_t d = too_long ? largest : shortest(t.count);
    const int64_t pieces = too_long ? ceil_div(t.count[d], kMaxCount) : t.count[d];
    const int64_t per_piece = ceil_div(t.count[d], pieces);
    for (int64_t first = 0; first < t.count[d]; first += per_piece) {
      Transfer piece = t;
      piece.count[d] = std::min(per_piece, t.count[d] - first);
      piece.src += first * t.src_stride[d];
      piece.dst += first * t.dst_stride[d];
      transfer(opcode, channel, std::move(piece), comment);
    }
    return;
  }
  Instruction i;
  i.opcode = opcode;
  i.set(Opd::kChannel, channel);
  i.set(Opd::kSrc, t.src);
  i.set(Opd::kDst, t.dst);
  i.set(Opd::kN0, t.run);
  for (std::size_t d = 0; d < 3; ++d) {
    const bool there = d < t.count.size();
    const std::size_t from = t.count.size() - 1 - d;
    i.set(kCounts[d], there ? t.count[from] : 1);
    i.set(kSrcStrides[d], there ? t.src_stride[from] : 0);
    i.set(kDstStrides[d], there ? t.dst_stride[from] : 0);
  }
  push(i, comment, opcode == Opcode::kDmaLoad && channel != kStoreChannel);
}

void Emitter::fill(const mapper::Fill& f, int64_t base, std::int32_t value, int64_t element_bytes) {
  if (f.count.size() > 3) {
    const std::size_t d = shortest(f.count);
    for (int64_t i = 0; i < f.count[d]; ++i) {
      mapper::Fill piece = f;
      piece.dst_offset += i * f.dst_stride[d];
      piece.count.erase(piece.count.begin() + static_cast<std::ptrdiff_t>(d));
      piece.dst_stride.erase(piece.dst_stride.begin() + static_cast<std::ptrdiff_t>(d));
      fill(piece, base, value, element_bytes);
    }
    return;
  }
  Instruction i;
  i.opcode = Opcode::kDmaFill;
  i.set(Opd::kChannel, kStoreChannel);
  i.set(Opd::kDst, base + f.dst_offset);
  i.set(Opd::kValue, value);
  i.set(Opd::kElementBytes, element_bytes);
  i.set(Opd::kN0, f.run / element_bytes);
  for (std::size_t d = 0; d < 3; ++d) {
    const bool there = d < f.count.size();
    const std::size_t from = f.count.size() - 1 - d;
    i.set(kCounts[d], there ? f.count[from] : 1);
    i.set(kDstStrides[d], there ? f.dst_stride[from] : 0);
  }
  push(i, "fill", false);
}

}  // namespace npu::kernels

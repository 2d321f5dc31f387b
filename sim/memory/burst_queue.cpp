#include "sim/memory/burst_queue.h"

#include "sim/base/error.h"

namespace npu {

BurstQueue::BurstQueue(std::size_t depth, std::size_t bank_count, int cap)
    : entries_(depth + bank_count),
      banks_(bank_count),
      hits_(bank_count),
      misses_(bank_count),
      opened_(bank_count),
      next_order_(bank_count),
      depth_(depth),
      cap_(cap),
      free_(0) {
  NPU_CHECK(depth > 0, "a DRAM queue needs an entry");
  for (std::size_t i = 0; i + 1 < entries_.size(); ++i)
    entries_[i].younger = static_cast<Slot>(i + 1);
}

bool BurstQueue::push(const DramBurst& burst) {
  NPU_CHECK(free_ != kNone, "a DRAM queue overflows");
  const Slot slot = free_;
  Entry& entry = entries_[slot];
  free_ = entry.younger;
  Bank& bank = banks_[burst.bank];
  entry = {.burst = burst, .order = pushed_++, .older = youngest_, .bank_older = bank.youngest};
  (youngest_ == kNone ? oldest_ : entries_[youngest_].younger) = slot;
  youngest_ = slot;
  (bank.youngest == kNone ? bank.oldest : entries_[bank.youngest].bank_younger) = slot;
  bank.youngest = slot;
  ++size_;
  // The first hit of an open row goes before older misses.
  const bool is_next = bank.next == kNone ||
                       (bank.open_row == burst.row && !is_hit(bank.next) && bank.overtaken < cap_);
  if (is_next) set_next(burst.bank, slot);
  return is_next;
}

void BurstQueue::erase(Slot slot) {
  const Entry& entry = entries_[slot];
  const std::uint32_t bank_index = entry.burst.bank;
  Bank& bank = banks_[bank_index];
  const Slot bank_younger = entry.bank_younger;
  bank.overtaken = bank.oldest == slot ? 0 : bank.overtaken + 1;
  (entry.older == kNone ? oldest_ : entries_[entry.older].younger) = entry.younger;
  (entry.younger == kNone ? youngest_ : entries_[entry.younger].older) = entry.older;
  (entry.bank_older == kNone ? bank.oldest : entries_[entry.bank_older].bank_younger) =
      bank_younger;
  (bank_younger == kNone ? bank.youngest : entries_[bank_younger].bank_older) = entry.bank_older;
  if (bank.opening == slot) {
    bank.opening = kNone;
    --opening_;
  }
  if (bank.next == slot) search(bank_index, is_hit(slot) ? bank_younger : bank.oldest);
  entries_[slot].younger = free_;
  free_ = slot;
  --size_;
}

void BurstQueue::set_open_row(std::uint32_t bank, std::int64_t row) {
  Bank& b = banks_[bank];
  b.open_row = row;
  if (b.oldest == kNone) return;
  if (b.opening != kNone) {
    b.opening = kNone;
    --opening_;
  }
  search(bank, b.oldest);
}

void BurstQueue::open_row_for(Slot slot) {
  const DramBurst& burst = entries_[slot].burst;
  Bank& bank = banks_[burst.bank];
  if (bank.opening == kNone) ++opening_;
  bank.opening = slot;
  bank.open_row = burst.row;
  set_next(burst.bank, slot);
}

void BurstQueue::search(std::uint32_t bank, Slot from) {
  const Bank& b = banks_[bank];
  Slot next = b.oldest;
  if (b.open_row < 0 || b.overtaken >= cap_) from = kNone;
  for (Slot slot = from; slot != kNone; slot = entries_[slot].bank_younger) {
    if (entries_[slot].burst.row == b.open_row) {
      next = slot;
      break;
    }
  }
  set_next(bank, next);
}

void BurstQueue::set_next(std::uint32_t bank_index, Slot slot) {
  Bank& bank = banks_[bank_index];
  bank.next = slot;
  const bool waits = slot != kNone;
  const bool hits = waits && is_hit(slot);
  if (waits) next_order_[bank_index] = entries_[slot].order;
  hits_.set(bank_index, hits);
  misses_.set(bank_index, waits && !hits);
  opened_.set(bank_index, waits && slot == bank.opening);
}

int BurstQueue::count_on_row(std::uint32_t bank, std::uint32_t row) const {
  int count = 0;
  for (Slot slot = banks_[bank].oldest; slot != kNone; slot = entries_[slot].bank_younger) {
    if (entries_[slot].burst.row == row) ++count;
  }
  return count;
}

BurstQueue::Slot BurstQueue::find(std::uint32_t bank, std::uint32_t row,
                                  std::uint32_t column) const {
  Slot found = kNone;
  for (Slot slot = banks_[bank].oldest; slot != kNone; slot = entries_[slot].bank_younger) {
    const DramBurst& b = entries_[slot].burst;
    if (b.row == row && b.column == column) found = slot;
  }
  return found;
}

}  // namespace npu

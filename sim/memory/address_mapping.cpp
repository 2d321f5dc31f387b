#include "sim/memory/address_mapping.h"

#include <bit>
#include <string_view>

#include "sim/base/error.h"

namespace npu {
namespace {

int bits_of(std::int64_t size) {
  NPU_CHECK(size > 0 && std::has_single_bit(static_cast<std::uint64_t>(size)),
            "a DRAM dimension must be a power of two");
  return std::countr_zero(static_cast<std::uint64_t>(size));
}

}  // namespace

AddressMapping::AddressMapping(const DramConfig& config) {
  int shift = bits_of(config.burst_bytes());
  int seen = 0;
  const auto place = [&](Field& field, std::int64_t size) {
    NPU_CHECK(field.mask == 0, "an address field is named twice");
    const int bits = bits_of(size);
    field.shift = shift;
    field.mask = (std::uint64_t{1} << bits) - 1;
    shift += bits;
    ++seen;
  };
  std::string_view rest = config.address_mapping;
  while (!rest.empty()) {
    NPU_CHECK(rest.size() >= 2, "an address field has two letters");
    const std::string_view name = rest.substr(rest.size() - 2);
    if (name == "ch") {
      place(channel_, config.channels);
    } else if (name == "ra") {
      place(rank_, config.ranks);
    } else if (name == "bg") {
      place(bank_group_, config.bank_groups);
    } else if (name == "ba") {
      place(bank_, config.banks_per_group);
    } else if (name == "ro") {
      place(row_, config.rows);
    } else if (name == "co") {
      place(column_, config.columns / config.burst_length);
    } else {
      NPU_CHECK(false, "an address field is none of ro ra bg ba co ch");
    }
    rest.remove_suffix(rest.size() > 2 ? 3 : 2);
  }
  NPU_CHECK(seen == 6, "an address mapping has six fields");
  NPU_CHECK(shift < 63, "a DRAM has less than 2^63 bytes");
  capacity_bytes_ = std::int64_t{1} << shift;
}

DramLocation AddressMapping::decode(std::int64_t address) const {
  const auto a = static_cast<std::uint64_t>(address);
  return {.channel = channel_.of(a),
          .rank = rank_.of(a),
          .bank_group = bank_group_.of(a),
          .bank = bank_.of(a),
          .row = row_.of(a),
          .column = column_.of(a)};
}

std::int64_t AddressMapping::encode(const DramLocation& l) const {
  return static_cast<std::int64_t>(channel_.at(l.channel) | rank_.at(l.rank) |
                                   bank_group_.at(l.bank_group) | bank_.at(l.bank) |
                                   row_.at(l.row) | column_.at(l.column));
}

}  // namespace npu

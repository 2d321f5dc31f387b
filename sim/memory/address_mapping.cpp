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

AddressMapping::AddressMapping(const DramConfig& config) : bank_hash_(config.bank_hash) {
  int shift = bits_of(config.burst_bytes());
  int seen = 0;
  const auto place = [&](Field& field, int bits) {
    NPU_CHECK(field.mask == 0 && field.bits == 0, "an address field is named twice");
    field.shift = shift;
    field.bits = bits;
    field.mask = (std::uint64_t{1} << bits) - 1;
    shift += bits;
  };
  const auto place_whole = [&](Field& field, std::int64_t size) {
    place(field, bits_of(size));
    ++seen;
  };
  const int column_bits = bits_of(config.columns / config.burst_length);
  std::string_view rest = config.address_mapping;
  while (!rest.empty()) {
    const std::size_t dash = rest.rfind('-');
    const std::string_view name = dash == rest.npos ? rest : rest.substr(dash + 1);
    rest = dash == rest.npos ? std::string_view{} : rest.substr(0, dash);
    if (name == "ch") {
      place_whole(channel_, config.channels);
    } else if (name == "ra") {
      place_whole(rank_, config.ranks);
    } else if (name == "bg") {
      place_whole(bank_group_, config.bank_groups);
    } else if (name == "ba") {
      place_whole(bank_, config.banks_per_group);
    } else if (name == "ro") {
      place_whole(row_, config.rows);
    } else if (name == "co") {
      place(column_, column_bits - low_column_.bits);
      ++seen;
    } else {
      NPU_CHECK(name.size() == 4 && name.starts_with("co:"),
                "an address field is none of ro ra bg ba co ch");
      place(low_column_, name[3] - '0');
    }
  }
  NPU_CHECK(seen == 6, "an address mapping has six fields");
  NPU_CHECK(shift < 63, "a DRAM has less than 2^63 bytes");
  capacity_bytes_ = std::int64_t{1} << shift;
}

void AddressMapping::hash(DramLocation& l) const {
  if (bank_hash_ == BankHash::kNone) return;
  std::uint64_t bits = bank_hash_ == BankHash::kColumn ? l.column : l.row;
  const auto mix = [&bits](std::uint32_t& value, const Field& field) {
    value ^= static_cast<std::uint32_t>(bits & field.mask);
    bits >>= field.bits;
  };
  mix(l.rank, rank_);
  mix(l.bank_group, bank_group_);
  mix(l.bank, bank_);
  if (bank_hash_ == BankHash::kColumn) mix(l.row, row_);
}

DramLocation AddressMapping::decode(std::int64_t address) const {
  const auto a = static_cast<std::uint64_t>(address);
  DramLocation location{.channel = channel_.of(a),
                        .rank = rank_.of(a),
                        .bank_group = bank_group_.of(a),
                        .bank = bank_.of(a),
                        .row = row_.of(a),
                        .column = column_.of(a) << low_column_.bits | low_column_.of(a)};
  hash(location);
  return location;
}

std::int64_t AddressMapping::encode(const DramLocation& location) const {
  DramLocation l = location;
  hash(l);
  return static_cast<std::int64_t>(
      channel_.at(l.channel) | rank_.at(l.rank) | bank_group_.at(l.bank_group) | bank_.at(l.bank) |
      row_.at(l.row) | column_.at(l.column >> low_column_.bits) |
      low_column_.at(static_cast<std::uint32_t>(l.column & low_column_.mask)));
}

}  // namespace npu

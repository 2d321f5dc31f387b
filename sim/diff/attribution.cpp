#include "sim/diff/attribution.h"

#include <algorithm>

#include "sim/base/error.h"

namespace npu::diff {
namespace {

/// Weight of a set of `size` others, of `count` in all, before a change: size! (count-1-size)! /
/// count!.
double shapley_weight(std::size_t size, std::size_t count) {
  double weight = 1.0 / static_cast<double>(count);
  for (std::size_t i = 1; i <= size; ++i) {
    weight *= static_cast<double>(i) / static_cast<double>(count - i);
  }
  return weight;
}

Choice bits_of(std::size_t mask, std::size_t count) {
  Choice bits(count);
  for (std::size_t i = 0; i < count; ++i) bits[i] = (mask >> i & 1U) != 0;
  return bits;
}

void add(std::vector<double>& to, const std::vector<double>& after,
         const std::vector<double>& before, double weight) {
  to.resize(after.size());
  for (std::size_t v = 0; v < after.size(); ++v) to[v] += weight * (after[v] - before[v]);
}

}  // namespace

std::vector<Choice> Attribution::needed(std::size_t groups) {
  std::vector<Choice> out;
  if (groups <= kExact) {
    for (std::size_t mask = 0; mask < std::size_t{1} << groups; ++mask) {
      out.push_back(bits_of(mask, groups));
    }
    return out;
  }
  for (std::size_t made = 0; made <= groups; ++made) {
    Choice first(groups), last(groups);
    for (std::size_t i = 0; i < made; ++i) first[i] = last[groups - 1 - i] = true;
    out.push_back(first);
    if (first != last) out.push_back(last);
  }
  return out;
}

Choice Attribution::choice_of(const Groups& groups, const Choice& group_bits) const {
  Choice choice(count_);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const std::size_t member : groups[g]) choice[member] = group_bits[g];
  }
  return choice;
}

void Attribution::evaluate(const std::vector<Choice>& choices) {
  std::vector<Choice> unknown;
  for (const Choice& choice : choices) {
    if (!known_.contains(choice)) unknown.push_back(choice);
  }
  if (unknown.empty()) return;
  const std::vector<Values> values = evaluate_(unknown);
  for (std::size_t i = 0; i < unknown.size(); ++i) known_.emplace(unknown[i], values.at(i));
}

void Attribution::merge(Groups& groups, const Choice& group_bits) const {
  std::size_t first = 0, second = 0;
  bool is_found = false, is_kin = false;
  for (std::size_t i = 0; i < groups.size() && !is_kin; ++i) {
    for (std::size_t j = 0; j < groups.size() && !is_kin; ++j) {
      if (!group_bits[i] || group_bits[j]) continue;
      const bool kin = is_related_(groups[i].front(), groups[j].front());
      if (is_found && !kin) continue;
      first = std::min(i, j);
      second = std::max(i, j);
      is_found = true;
      is_kin = kin;
    }
  }
  NPU_CHECK(is_found, "a mixture of A and B");
  groups[first].insert(groups[first].end(), groups[second].begin(), groups[second].end());
  std::ranges::sort(groups[first]);
  groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(second));
}

std::vector<Share> Attribution::shares_of(const Groups& groups) const {
  const std::size_t count = groups.size();
  std::vector<Share> shares;
  for (std::size_t g = 0; g < count; ++g) {
    Share share{.members = groups[g], .values = {}};
    if (count <= kExact) {
      for (std::size_t mask = 0; mask < std::size_t{1} << count; ++mask) {
        Choice bits = bits_of(mask, count);
        if (bits[g]) continue;
        const auto size = static_cast<std::size_t>(std::ranges::count(bits, true));
        const std::vector<double>& before = value(groups, bits);
        bits[g] = true;
        add(share.values, value(groups, bits), before, shapley_weight(size, count));
      }
    } else {
      Choice up_to(count), from(count);
      for (std::size_t i = 0; i < g; ++i) up_to[i] = true;
      for (std::size_t i = g + 1; i < count; ++i) from[i] = true;
      for (Choice bits : {up_to, from}) {
        const std::vector<double>& before = value(groups, bits);
        bits[g] = true;
        add(share.values, value(groups, bits), before, 1.0 / 2);
      }
    }
    shares.push_back(std::move(share));
  }
  return shares;
}

void Attribution::find_possible(Groups& groups) {
  const auto is_possible = [&](const Choice& choice) {
    const auto at = possible_.find(choice);
    if (at != possible_.end()) return at->second;
    return possible_[choice] = is_possible_(choice);
  };
  while (true) {
    const std::vector<Choice> bits = needed(groups.size());
    const auto bad = std::ranges::find_if(
        bits, [&](const Choice& b) { return !is_possible(choice_of(groups, b)); });
    if (bad == bits.end()) return;
    merge(groups, *bad);
  }
}

void Attribution::evaluate_ends() {
  evaluate({Choice(count_, false), Choice(count_, true)});
  for (const bool side : {false, true}) {
    if (!known_.at(Choice(count_, side))) {
      fail("{} cannot be simulated again", side ? "B" : "A");
    }
  }
}

std::vector<Share> Attribution::run() {
  Groups groups;
  for (std::size_t i = 0; i < count_; ++i) groups.push_back({i});
  evaluate_ends();
  while (true) {
    find_possible(groups);
    const std::vector<Choice> bits = needed(groups.size());
    std::vector<Choice> choices;
    for (const Choice& b : bits) choices.push_back(choice_of(groups, b));
    evaluate(choices);
    const auto bad = std::ranges::find_if(choices, [&](const Choice& c) { return !known_.at(c); });
    if (bad == choices.end()) return shares_of(groups);
    merge(groups, bits[static_cast<std::size_t>(bad - choices.begin())]);
  }
}

}  // namespace npu::diff

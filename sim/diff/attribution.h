#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace npu::diff {

/// Which of the changes are B's; the others are A's.
using Choice = std::vector<bool>;
/// Figures of a simulation; none where the choice makes no NPU, or one that cannot run.
using Values = std::optional<std::vector<double>>;

/// Simulates choices, as many at a time as it likes; results in their order.
using Evaluate = std::function<std::vector<Values>(const std::vector<Choice>&)>;

/// Changes that are made together, and what they add to each figure.
struct Share {
  std::vector<std::size_t> members;  ///< Ascending.
  std::vector<double> values;
};

/// Divides the difference between all of B and all of A among `count` changes.
///
/// Up to kExact changes: Shapley values, the mean of a change's effect over all orders in which the
/// changes can be made. More: the mean of two orders, first to last and last to first. Either way
/// the shares sum to the difference. Where a mixture makes no NPU, changes are put together (those
/// for which `is_related` first) until none that is needed does. Source: Shapley, A value for
/// n-person games, 1953.
class Attribution {
 public:
  static constexpr std::size_t kExact = 4;

  /// @param is_possible  whether a choice is worth a simulation; cheap.
  Attribution(
      std::size_t count, Evaluate evaluate,
      std::function<bool(std::size_t, std::size_t)> is_related,
      std::function<bool(const Choice&)> is_possible = [](const Choice&) { return true; })
      : count_(count),
        evaluate_(std::move(evaluate)),
        is_related_(std::move(is_related)),
        is_possible_(std::move(is_possible)) {}

  /// Evaluates all of A and all of B, for of_a() and of_b(). @throws Error if one cannot be.
  void evaluate_ends();
  /// Evaluates what is left. @throws Error if A or B itself cannot be evaluated.
  [[nodiscard]] std::vector<Share> run();

  [[nodiscard]] const std::vector<double>& of_a() const {
    return *known_.at(Choice(count_, false));
  }
  [[nodiscard]] const std::vector<double>& of_b() const { return *known_.at(Choice(count_, true)); }
  [[nodiscard]] std::size_t simulations() const { return known_.size(); }

 private:
  using Groups = std::vector<std::vector<std::size_t>>;

  /// Choices that the shares of so many groups need, as bits per group.
  [[nodiscard]] static std::vector<Choice> needed(std::size_t groups);
  [[nodiscard]] Choice choice_of(const Groups& groups, const Choice& group_bits) const;
  void evaluate(const std::vector<Choice>& choices);
  /// Puts groups together until every choice that they need is possible.
  void find_possible(Groups& groups);
  /// Puts two groups together of which the choice has one without the other.
  void merge(Groups& groups, const Choice& group_bits) const;
  [[nodiscard]] std::vector<Share> shares_of(const Groups& groups) const;
  [[nodiscard]] const std::vector<double>& value(const Groups& groups, const Choice& bits) const {
    return *known_.at(choice_of(groups, bits));
  }

  std::size_t count_;
  Evaluate evaluate_;
  std::function<bool(std::size_t, std::size_t)> is_related_;
  std::function<bool(const Choice&)> is_possible_;
  std::map<Choice, bool> possible_;
  std::map<Choice, Values> known_;
};

}  // namespace npu::diff

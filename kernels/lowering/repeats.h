#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace npu::kernels {

/// A layer that is simulated, and how many equal layers it stands for.
struct KeptLayer {
  int layer = 0;             ///< Index into the list of all layers.
  std::int64_t repeats = 1;  ///< Itself included.
};

/// The steady periods of a repeated block that were kept, in two halves: a machine that has come to
/// a steady state takes the same time for both.
struct SteadyPeriods {
  /// A kept layer (index into RepeatPlan::kept) and how often one period holds it.
  struct Part {
    std::size_t kept = 0;
    std::int64_t times = 1;
  };
  std::vector<Part> early, late;
  std::int64_t early_periods = 1, late_periods = 1;  ///< Kept ones of each half.
  std::int64_t stands_for = 1;  ///< Periods that both halves together stand for.
};

/// Which layers of a network are simulated where equal layers repeat.
struct RepeatPlan {
  std::vector<KeptLayer> kept;         ///< Ascending; the repeats sum to the number of layers.
  std::vector<int> stands_in;          ///< Per layer: the kept one in its place; itself if kept.
  std::vector<SteadyPeriods> periods;  ///< One entry per repeated block.

  /// How far off the sum of all cycles may be: half of the difference between the halves of the
  /// steady periods, times what they stand for, summed over the blocks [cycles].
  /// @param kept_cycles  of each kept layer, once.
  [[nodiscard]] double uncertain_cycles(std::span<const std::uint64_t> kept_cycles) const;
  /// Whether that is at most kSteadyShare of the run's cycles; otherwise the network is compiled
  /// and run again with next_effort(), and in the end (0) with every layer.
  [[nodiscard]] bool is_steady(std::span<const std::uint64_t> kept_cycles,
                               std::uint64_t run_cycles) const;
};

/// Finds blocks of layers that follow one another several times.
///
/// A block is a period of p layers whose keys are those of the p layers before. Of all blocks the
/// one that saves most predicted cycles is taken first, of equals the shorter and earlier one; then
/// the layers beside it and inside of it are searched the same way, so that repeats may be nested.
/// Of a block of n periods the first and the last one are kept (the machine comes from and goes to
/// something else), and k in the middle as steady periods, k the least even number for which they
/// take `steady_cycles`, or one more for an even number of layers to be left out (the mapper places
/// layers alternately at both ends of the scratchpad). The steady periods stand for all n − 2 in
/// the middle, each for as many as another, the last ones for one more where that does not divide.
/// Nothing is left out where that saves less than kLeastSaving of the predicted cycles.
///
/// @param keys    equal for layers that are equal in everything that timing depends on.
/// @param cycles  predicted, per layer.
[[nodiscard]] RepeatPlan find_repeats(std::span<const std::uint32_t> keys,
                                      std::span<const double> cycles, double steady_cycles);
inline constexpr double kLeastSaving = 0.2;
inline constexpr std::size_t kLongestPeriod = 2048;

inline constexpr double kSteadyShare = 0.002;
[[nodiscard]] constexpr int next_effort(int effort) { return effort < 16 ? effort * 4 : 0; }

/// The plan that keeps every layer.
[[nodiscard]] RepeatPlan keep_all(std::size_t layers);

}  // namespace npu::kernels

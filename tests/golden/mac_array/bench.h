#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <random>
#include <systemc>
#include <utility>
#include <vector>

#include "sim/config/npu_config.h"
#include "tests/support/pe_array/pe_array.h"

namespace npu::test {

/// Runs a function as a thread of the simulation.
class Script : public sc_core::sc_module {
 public:
  Script(const sc_core::sc_module_name& name, std::function<void()> body)
      : sc_module(name), body_(std::move(body)) {
    SC_HAS_PROCESS(Script);
    SC_THREAD(run);
  }
  std::exception_ptr failure;

 private:
  void run() {
    try {
      body_();
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
  }
  std::function<void()> body_;
};

/// Runs `body` inside a simulation and rethrows what it threw.
inline void simulate_script(std::function<void()> body) {
  Script script("script", std::move(body));
  sc_core::sc_start();
  if (script.failure) std::rethrow_exception(script.failure);
}

/// Draws arrays, tiles and operands from a fixed seed.
class TileMaker {
 public:
  explicit TileMaker(unsigned seed);

  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  /// Rows, columns and, in a dot-product array, positions of 1 (but `least`) to 16 (4 positions).
  MacArrayConfig array(int least);
  /// Port width and output latency.
  void draw_port(MacArrayConfig& config);
  /// A matrix product on operands of the pool.
  PeTile gemm(int m, int n, int k, bool wide = false, bool wide_weights = false);
  /// A convolution or depthwise convolution with strides, dilation and padding, or a matrix
  /// product: up to three times the array in m, n and k (dot product: in input channels).
  PeTile any(const MacArrayConfig& config);
  /// The pools as a memory holds them: int8, then int16.
  [[nodiscard]] std::vector<std::byte> memory() const;
  /// Where an operand of the pools lies there.
  [[nodiscard]] std::int64_t address_of(const std::int32_t* operand, bool wide) const;

 private:
  std::mt19937 random_;
  std::vector<std::int32_t> narrow_, wide_;  ///< Operands: int8, and 13 bits of int16.
};

/// What `tile` must leave in the accumulators, from the definition of a convolution.
[[nodiscard]] std::vector<std::int32_t> product_of(const PeTile& tile);

}  // namespace npu::test

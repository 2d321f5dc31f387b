#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::test {

/// A network and an NPU to map it onto.
struct MappingCase {
  std::string what;
  graph::Graph graph;
  NpuConfig config;
  kernels::AttentionVariant attention = kernels::AttentionVariant::kAuto;
};
/// Random networks, single operators of every family, MATMUL and ATTENTION on random NPUs that
/// multiply floats.
[[nodiscard]] MappingCase random_case(std::uint64_t seed);

/// The graph that compile() maps, and the mapping it makes of it.
struct Mapped {
  graph::Graph graph;
  mapper::Mapping mapping;
};
[[nodiscard]] Mapped map_case(const MappingCase& c, const mapper::Decisions* decisions = nullptr);

/// Everything that a mapping decides.
[[nodiscard]] mapper::Decisions decisions_of(const kernels::Compiled& compiled);

/// Runs the case with the decisions: no hazards, outputs equal to the reference, bit for bit.
void expect_exact(const MappingCase& c, const mapper::Decisions& decisions, std::uint64_t seed);

/// Decisions that may be legal: random tiles, orders, slots, cuts and residency.
[[nodiscard]] mapper::Decisions random_decisions(std::mt19937_64& rng, const Mapped& mapped);

}  // namespace npu::test

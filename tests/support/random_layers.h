#pragma once

#include "tests/support/graph_maker.h"

namespace npu::test {

/// NHWC with a batch of 1, sometimes 2.
[[nodiscard]] Shape random_image(Draw& draw, int size);
/// A shape of `low` to `high` dimensions.
[[nodiscard]] Shape random_shape(Draw& draw, int low, int high, int size);

/// random_layer by family: MAC array, pooling and SVDF; DMA only; everything else.
[[nodiscard]] graph::Graph random_window_layer(Draw& draw, graph::OpKind kind, DType type,
                                               int size);
[[nodiscard]] graph::Graph random_move_layer(Draw& draw, graph::OpKind kind, DType type, int size);
[[nodiscard]] graph::Graph random_vector_layer(Draw& draw, graph::OpKind kind, DType type,
                                               int size);

}  // namespace npu::test

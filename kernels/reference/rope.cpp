// ROPE: pairs of elements turned by an angle.
#include "kernels/reference/broadcast.h"
#include "kernels/reference/numbers.h"
#include "kernels/reference/operators.h"

namespace npu::reference {
namespace {

using graph::RopeAttrs;

bool always(const graph::Graph& /*graph*/, const graph::Node& /*node*/) { return true; }

void run(Invocation& call) {
  const Shape& shape = call.input_tensor(0).shape;
  const Shape& angles = call.input_tensor(1).shape;
  const auto row = static_cast<std::size_t>(shape.back());
  const auto pairs = static_cast<std::size_t>(angles.back());
  Shape lead = shape;
  lead.back() = angles.back();
  const Floats cosine = broadcast(load_reals(call, 1), angles, lead);
  const Floats sine = broadcast(load_reals(call, 2), angles, lead);
  const bool interleaved = call.attrs<RopeAttrs>().interleaved;
  Floats x = load_reals(call, 0);
  for (std::size_t r = 0; r < x.size() / row; ++r) {
    for (std::size_t i = 0; i < pairs; ++i) {
      float& first = x[r * row + (interleaved ? 2 * i : i)];
      float& second = x[r * row + (interleaved ? 2 * i + 1 : i + pairs)];
      const float c = cosine[r * pairs + i];
      const float s = sine[r * pairs + i];
      const float turned = first * c - second * s;
      second = first * s + second * c;
      first = turned;
    }
  }
  store_numbers(call, x);
}

}  // namespace

const Operator kRope = {always, run, run};

}  // namespace npu::reference

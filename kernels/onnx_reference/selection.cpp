// Operators whose output depends on an order or a choice among elements.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

void run_top_k(Call& call) {
  const Value& x = call.in(0);
  const std::size_t axis = resolve_axis(call.integer("axis", -1), x.rank());
  const std::vector<std::int64_t> ks = call.opset() < 10
                                           ? std::vector<std::int64_t>{call.integer("k", 0)}
                                           : integer_list(call.in(1));
  if (ks.size() != 1 || ks[0] < 0 || ks[0] > x.shape[axis])
    fail("k is not within {}", x.shape[axis]);
  const bool largest = call.integer("largest", 1) != 0;
  const std::int64_t count = x.shape[axis];
  const std::int64_t inner = product(x.shape, axis + 1, x.shape.size());
  const std::int64_t outer = product(x.shape, 0, axis);
  Shape shape = x.shape;
  shape[axis] = ks[0];
  const std::vector<double> elements = to_doubles(x);
  std::vector<std::int64_t> from(static_cast<std::size_t>(element_count(shape)));
  std::vector<std::int64_t> which(from.size());
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const auto flat = [&](std::int64_t k) { return (o * count + k) * inner + i; };
      std::iota(order.begin(), order.end(), 0);
      // Of equal elements the lower index wins.
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        const double va = elements[static_cast<std::size_t>(flat(a))];
        const double vb = elements[static_cast<std::size_t>(flat(b))];
        return largest ? va > vb : va < vb;
      });
      for (std::int64_t k = 0; k < ks[0]; ++k) {
        const auto at = static_cast<std::size_t>((o * ks[0] + k) * inner + i);
        which[at] = order[static_cast<std::size_t>(k)];
        from[at] = flat(which[at]);
      }
    }
  }
  call.set(0, gather_elements(x, shape, from));
  call.set(1, from_integers(ElementType::kInt64, shape, which));
}

void run_non_zero(Call& call) {
  const Value& x = call.in(0);
  const std::vector<double> elements = to_doubles(x);
  const std::vector<std::int64_t> strides = strides_of(x.shape);
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (elements[i] != 0) found.push_back(static_cast<std::int64_t>(i));
  }
  std::vector<std::int64_t> out;
  for (std::size_t d = 0; d < x.shape.size(); ++d) {
    for (const std::int64_t at : found) out.push_back(at / strides[d] % x.shape[d]);
  }
  call.set(0, from_integers(ElementType::kInt64,
                            {x.rank(), static_cast<std::int64_t>(found.size())}, out));
}

void run_compress(Call& call) {
  const Value& x = call.in(0);
  const std::vector<std::int64_t> keeps = integer_list(call.in(1));
  Value view = x;
  if (!call.has_attribute("axis")) view.shape = {x.size()};
  const std::size_t axis = resolve_axis(call.integer("axis", 0), view.rank());
  std::vector<std::int64_t> picks;
  for (std::size_t k = 0; k < keeps.size(); ++k) {
    if (keeps[k] == 0) continue;
    if (static_cast<std::int64_t>(k) >= view.shape[axis])
      fail("condition {} is not within {}", k, view.shape[axis]);
    picks.push_back(static_cast<std::int64_t>(k));
  }
  Shape shape = view.shape;
  shape[axis] = static_cast<std::int64_t>(picks.size());
  const std::int64_t inner = product(view.shape, axis + 1, view.shape.size());
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < product(view.shape, 0, axis); ++o) {
    for (const std::int64_t k : picks) {
      for (std::int64_t i = 0; i < inner; ++i)
        from.push_back((o * view.shape[axis] + k) * inner + i);
    }
  }
  call.set(0, gather_elements(view, std::move(shape), from));
}

void run_unique(Call& call) {
  const Value& x = call.in(0);
  const bool sorts = call.integer("sorted", 1) != 0;
  Value view = x;
  const bool is_flat = !call.has_attribute("axis");
  if (is_flat) view.shape = {x.size()};
  const std::size_t axis = resolve_axis(call.integer("axis", 0), view.rank());
  const std::int64_t count = view.shape[axis];
  const std::int64_t inner = product(view.shape, axis + 1, view.shape.size());
  const std::int64_t outer = product(view.shape, 0, axis);
  const std::vector<double> elements = to_doubles(view);
  std::vector<std::vector<double>> slices(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t i = 0; i < inner; ++i) {
        slices[static_cast<std::size_t>(k)].push_back(
            elements[static_cast<std::size_t>((o * count + k) * inner + i)]);
      }
    }
  }
  std::vector<std::int64_t> firsts, inverse(slices.size()), counts;
  for (std::size_t k = 0; k < slices.size(); ++k) {
    const auto same = std::find_if(firsts.begin(), firsts.end(), [&](std::int64_t f) {
      return slices[static_cast<std::size_t>(f)] == slices[k];
    });
    if (same == firsts.end()) firsts.push_back(static_cast<std::int64_t>(k));
  }
  if (sorts) {
    std::sort(firsts.begin(), firsts.end(), [&](std::int64_t a, std::int64_t b) {
      return slices[static_cast<std::size_t>(a)] < slices[static_cast<std::size_t>(b)];
    });
  }
  counts.assign(firsts.size(), 0);
  for (std::size_t k = 0; k < slices.size(); ++k) {
    for (std::size_t f = 0; f < firsts.size(); ++f) {
      if (slices[static_cast<std::size_t>(firsts[f])] != slices[k]) continue;
      inverse[k] = static_cast<std::int64_t>(f);
      ++counts[f];
      break;
    }
  }
  Shape shape = view.shape;
  shape[axis] = static_cast<std::int64_t>(firsts.size());
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t k : firsts) {
      for (std::int64_t i = 0; i < inner; ++i) from.push_back((o * count + k) * inner + i);
    }
  }
  call.set(0, gather_elements(view, std::move(shape), from));
  call.set(1, int64_list(firsts));
  call.set(2, int64_list(inverse));
  call.set(3, int64_list(counts));
}

struct Box {
  double y0, x0, y1, x1;
};

double overlap(const Box& a, const Box& b) {
  const double h = std::max(0.0, std::min(a.y1, b.y1) - std::max(a.y0, b.y0));
  const double w = std::max(0.0, std::min(a.x1, b.x1) - std::max(a.x0, b.x0));
  const double both = (a.y1 - a.y0) * (a.x1 - a.x0) + (b.y1 - b.y0) * (b.x1 - b.x0) - h * w;
  return both > 0 ? h * w / both : 0;
}

void run_non_max_suppression(Call& call) {
  const Value& boxes = call.in(0);
  const Value& scores = call.in(1);
  if (boxes.rank() != 3 || scores.rank() != 3 || boxes.shape[2] != 4 ||
      boxes.shape[0] != scores.shape[0] || boxes.shape[1] != scores.shape[2]) {
    fail("boxes {} and scores {} do not fit", to_string(boxes.shape), to_string(scores.shape));
  }
  const auto scalar = [&](std::size_t i, double none) {
    if (!call.has(i)) return none;
    const std::vector<double> v = to_doubles(call.in(i));
    if (v.size() != 1) fail("operand {} is no scalar", i);
    return v[0];
  };
  const double most = scalar(2, 0), limit = scalar(3, 0), least = scalar(4, -INFINITY);
  const bool is_centred = call.integer("center_point_box", 0) != 0;
  const std::vector<double> corners = to_doubles(boxes), score = to_doubles(scores);
  const std::int64_t count = boxes.shape[1];
  std::vector<std::int64_t> out;
  for (std::int64_t n = 0; n < scores.shape[0]; ++n) {
    std::vector<Box> all;
    for (std::int64_t b = 0; b < count; ++b) {
      const double* c = corners.data() + (n * count + b) * 4;
      if (is_centred) {
        all.push_back({c[1] - c[3] / 2, c[0] - c[2] / 2, c[1] + c[3] / 2, c[0] + c[2] / 2});
      } else {
        all.push_back({std::min(c[0], c[2]), std::min(c[1], c[3]), std::max(c[0], c[2]),
                       std::max(c[1], c[3])});
      }
    }
    for (std::int64_t k = 0; k < scores.shape[1]; ++k) {
      const double* s = score.data() + (n * scores.shape[1] + k) * count;
      std::vector<std::int64_t> order(static_cast<std::size_t>(count)), kept;
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](std::int64_t a, std::int64_t b) { return s[a] > s[b]; });
      for (const std::int64_t b : order) {
        if (static_cast<double>(kept.size()) >= most) break;
        if (call.has(4) && !(s[b] > least)) continue;
        const bool is_free = std::none_of(kept.begin(), kept.end(), [&](std::int64_t o) {
          return overlap(all[static_cast<std::size_t>(b)], all[static_cast<std::size_t>(o)]) >
                 limit;
        });
        if (is_free) kept.push_back(b);
      }
      for (const std::int64_t b : kept) out.insert(out.end(), {n, k, b});
    }
  }
  const auto rows = static_cast<std::int64_t>(out.size() / 3);
  call.set(0, from_integers(ElementType::kInt64, {rows, 3}, out));
}

// sorted = 0 leaves TopK's order open; it is sorted all the same.
constexpr Operator kOperators[] = {
    {"Compress", 2, 2, "axis", run_compress},
    {"NonMaxSuppression", 2, 5, "center_point_box", run_non_max_suppression},
    {"NonZero", 1, 1, "", run_non_zero},
    {"TopK", 1, 2, "axis k largest sorted", run_top_k},
    {"Unique", 1, 1, "axis sorted", run_unique},
};

}  // namespace

std::span<const Operator> selection_operators() { return kOperators; }

}  // namespace npu::onnx

#include <algorithm>

#include "workloads/importers/tflite_reader.h"

namespace npu::importers {
namespace {

/// Elements taken along one dimension.
struct Range {
  std::int64_t begin = 0, stride = 1, size = 0;
};

/// Python's slice of a dimension of `size` elements; absent bounds take the full extent.
Range resolve_range(std::int64_t size, const std::int64_t* begin, const std::int64_t* end,
                    std::int64_t stride) {
  const std::int64_t low = stride > 0 ? 0 : -1;
  const std::int64_t high = stride > 0 ? size : size - 1;
  const auto place = [&](std::int64_t at) {
    return std::clamp(at < 0 ? at + size : at, low, high);
  };
  Range range;
  range.stride = stride;
  range.begin = begin != nullptr ? place(*begin) : (stride > 0 ? low : high);
  const std::int64_t stop = end != nullptr ? place(*end) : (stride > 0 ? high : low);
  const std::int64_t way = stride > 0 ? stop - range.begin : range.begin - stop;
  const std::int64_t step = stride > 0 ? stride : -stride;
  range.size = way <= 0 ? 0 : (way + step - 1) / step;
  return range;
}

void append(graph::SliceAttrs& a, const Range& range) {
  a.begin.push_back(range.begin);
  a.stride.push_back(range.stride);
  a.sizes.push_back(range.size);
}

}  // namespace

void read_slice(OperatorReader& r) {
  r.expect(3, 3);
  (void)r.options<schema::SliceOptions>();
  const Shape& x = r.in(0).shape;
  const std::vector<std::int64_t> begin = r.integers(1, graph::kMaxRank, "begin");
  const std::vector<std::int64_t> size = r.integers(2, graph::kMaxRank, "size");
  if (begin.size() != x.size() || size.size() != x.size()) {
    r.reject("needs {} begins and sizes, got {} and {}", x.size(), begin.size(), size.size());
  }
  graph::SliceAttrs a;
  for (std::size_t i = 0; i < x.size(); ++i) {
    append(a, {begin[i], 1, size[i] == -1 ? x[i] - begin[i] : size[i]});
  }
  r.add(graph::OpKind::kStridedSlice, {r.inputs()[0]}, r.outputs(), a);
}

void read_strided_slice(OperatorReader& r) {
  r.expect(4, 4);
  const auto& o = r.require_options<schema::StridedSliceOptions>();
  if (o.ellipsis_mask() != 0) r.reject("ellipsis_mask {} is not supported", o.ellipsis_mask());
  if (o.new_axis_mask() != 0) r.reject("new_axis_mask {} is not supported", o.new_axis_mask());
  if (o.offset()) r.reject("an end relative to begin (offset) is not supported");
  const Shape& x = r.in(0).shape;
  const std::vector<std::int64_t> begin = r.integers(1, graph::kMaxRank, "begin");
  const std::vector<std::int64_t> end = r.integers(2, graph::kMaxRank, "end");
  const std::vector<std::int64_t> stride = r.integers(3, graph::kMaxRank, "strides");
  if (begin.size() > x.size() || end.size() != begin.size() || stride.size() != begin.size()) {
    r.reject("{} begins, {} ends and {} strides for input {}", begin.size(), end.size(),
             stride.size(), to_string(x));
  }
  const auto bit = [](std::int32_t mask, std::size_t i) {
    return ((static_cast<std::uint32_t>(mask) >> i) & 1U) != 0;
  };
  graph::SliceAttrs a;
  Shape y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i >= begin.size()) {  // Dimensions without bounds are taken whole.
      append(a, {0, 1, x[i]});
      y.push_back(x[i]);
      continue;
    }
    const bool shrink = bit(o.shrink_axis_mask(), i);
    if (stride[i] == 0) r.reject("stride {} is 0", i);
    if (shrink && stride[i] < 0) r.reject("dimension {} shrinks with a negative stride", i);
    Range range = resolve_range(x[i], bit(o.begin_mask(), i) ? nullptr : &begin[i],
                                bit(o.end_mask(), i) || shrink ? nullptr : &end[i], stride[i]);
    if (range.size == 0) r.reject("dimension {} of input {} is cut to nothing", i, to_string(x));
    if (shrink) range = {range.begin, 1, 1};
    append(a, range);
    if (!shrink) y.push_back(range.size);
  }
  if (y != r.out().shape) {
    r.reject("output shape must be {}, got {}", to_string(y), to_string(r.out().shape));
  }
  r.add(graph::OpKind::kStridedSlice, {r.inputs()[0]}, r.outputs(), a);
}

}  // namespace npu::importers

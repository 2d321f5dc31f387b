#include "kernels/llm/step_builder.h"

#include <algorithm>

#include "sim/base/math.h"

namespace npu::llm_kernels {
namespace {

using llm::WeightFormat;
using std::int64_t;

}  // namespace

StepBuilder::StepBuilder(const ModelLayout& layout, const NpuConfig& config, const Step& step)
    : layout_(layout),
      config_(config),
      step_(step),
      model_(layout.model),
      rows_(step.rows()),
      areas_(place_areas(layout, config, rows_, step.logit_rows())),
      input_(input_code(layout)),
      out_(config, false),
      code_(out_) {
  out_.begin_dram(layout.end);
}

void StepBuilder::build() {
  embed();
  for (std::size_t i = 0; i < layout_.layers.size(); ++i) {
    const PlacedLayer& layer = layout_.layers[i];
    const int index = static_cast<int>(i);
    project(layer, index);
    attention(layer, index);
    project_output(layer, index);
    feed_forward(layer, index);
  }
  if (step_.logit_rows() > 0) head();
}

void StepBuilder::begin(Stage stage, int layer, int64_t macs) {
  out_.begin_layer({.name = layer < 0 ? std::string(name_of(stage))
                                      : fmt::format("layer {} {}", layer, name_of(stage)),
                    .source_index = static_cast<std::int32_t>(stage),
                    .macs = macs});
  out_.begin_step();
}

/// What every layer needs: records, mask, angles of the rows.
void StepBuilder::load_tables() {
  const auto load = [&](int64_t from, int64_t to, int64_t bytes) {
    out_.load(
        {.src = from, .dst = to, .run = bytes, .count = {}, .src_stride = {}, .dst_stride = {}},
        "table");
  };
  load(layout_.constants, areas_.constants, 16);
  const int64_t mask = layout_.options.mask_rows;
  if (rows_ > 1) load(layout_.mask, areas_.mask, 4 * mask * mask);
  const int64_t angles = 2 * model_.head_dim();
  int64_t row = 0;
  for (const SequencePart& part : step_.parts) {
    const auto count = static_cast<int64_t>(part.tokens.size());
    load(layout_.cosines + part.position * angles, areas_.cosines + row * angles, count * angles);
    load(layout_.sines + part.position * angles, areas_.sines + row * angles, count * angles);
    row += count;
  }
  if (areas_.record_bytes > 0) {
    out_.fill({.dst_offset = 0,
               .run = Areas::kSlots * areas_.record_bytes,
               .count = {},
               .dst_stride = {}},
              areas_.records, 0, 4);
  }
}

void StepBuilder::embed() {
  begin(Stage::kEmbedding, -1, 0);
  load_tables();
  const PlacedMatrix& m = layout_.embedding;
  const bool direct = !m.is_grouped() && m.row_bytes == 4 * m.columns;
  const int64_t stride = direct ? 4 * m.columns : round_up(m.row_bytes, 4);
  const int64_t to = direct ? areas_.stream : areas_.rows_raw;
  const int64_t scales = areas_.rows_raw + rows_ * stride;
  int64_t row = 0;
  for (const SequencePart& part : step_.parts) {
    for (const llm::Token token : part.tokens) {
      out_.load({.src = m.address + token * m.row_bytes,
                 .dst = to + row * stride,
                 .run = m.row_bytes,
                 .count = {},
                 .src_stride = {},
                 .dst_stride = {}},
                "embedding");
      if (m.is_grouped()) {
        out_.load({.src = m.scales_address + token * m.scale_bytes(),
                   .dst = scales + row * m.groups() * m.scale_bytes(),
                   .run = m.scale_bytes(),
                   .count = {m.groups()},
                   .src_stride = {m.rows * m.scale_bytes()},
                   .dst_stride = {m.scale_bytes()}},
                  "embedding scales");
      }
      ++row;
    }
  }
  if (m.is_grouped()) return dequantize_rows();
  if (direct) return;
  code_.map(MapFunction::kCopy, elements(areas_.rows_raw, input_, stride),
            floats(areas_.stream, 4 * m.columns), {m.columns, rows_});
}

/// Rows of the embedding from groups to floats.
void StepBuilder::dequantize_rows() {
  const PlacedMatrix& m = layout_.embedding;
  const int64_t stride = round_up(m.row_bytes, 4);
  const int64_t scales = areas_.rows_raw + rows_ * stride;
  int64_t values = areas_.rows_raw;
  int64_t values_stride = stride;
  if (m.format == WeightFormat::kQ4) {
    const Walk packed = elements(values, Code::kInt8, stride);
    values = areas_.work;
    values_stride = 2 * m.row_bytes;
    const Walk low{values, Code::kInt8, 2, values_stride};
    const Walk high{values + 1, Code::kInt8, 2, values_stride};
    const Extent all{m.row_bytes, rows_};
    code_.map(MapFunction::kShiftLeft, packed, 4, low, all);
    code_.map(MapFunction::kShiftRight, low, 4, low, all);
    code_.map(MapFunction::kShiftRight, packed, 4, high, all);
  }
  const auto groups = [&](int64_t first, int64_t count, int64_t size) {
    const int64_t at = first * m.group_size;
    const int64_t step = m.scale_bytes();
    code_.map(MapFunction::kMul, elements(values + at, Code::kInt8, m.group_size, values_stride),
              {scales + first * step, m.scale_code, 0, step, m.groups() * step},
              floats(areas_.stream + 4 * at, 4 * m.group_size, 4 * m.columns),
              {size, count, rows_});
  };
  const int64_t whole = m.columns / m.group_size;
  if (whole > 0) groups(0, whole, m.group_size);
  if (whole < m.groups()) groups(whole, 1, m.columns - whole * m.group_size);
}

/// to = weights · (x / √(mean(x²) + 1e-5)); `to` says where and in which type, densely.
void StepBuilder::normalize(int64_t from, int64_t rows, int64_t weights_address, Walk to) {
  const int64_t dim = model_.dim;
  const int64_t weights = areas_.norm_weights + norms_++ % 2 * 4 * dim;
  out_.begin_step();
  out_.load({.src = weights_address,
             .dst = weights,
             .run = 4 * dim,
             .count = {},
             .src_stride = {},
             .dst_stride = {}},
            "norm");
  const Walk x = floats(from, 4 * dim);
  const Walk work = floats(areas_.work, 4 * dim);
  const Walk stats = floats(areas_.stats);
  to.stride1 = dim * bytes_of(to.code);
  code_.reduce(ReduceFunction::kSumSquares, x, {areas_.stats, Code::kFloat32, 4, 4, 0},
               {dim, rows});
  code_.map(MapFunction::kDiv, stats, static_cast<double>(dim), stats, {rows});
  code_.map(MapFunction::kAdd, stats, 1e-5, stats, {rows});
  code_.map(MapFunction::kSqrt, stats, stats, {rows});
  code_.map(MapFunction::kReciprocal, stats, stats, {rows});
  code_.map(MapFunction::kMul, x, repeated(areas_.stats, 4), work, {dim, rows});
  code_.map(MapFunction::kMul, work, floats(weights), to, {dim, rows});
}

/// The residual stream plus a product. Floats are added where the sums leave the accumulators;
/// grouped products are summed apart first.
void StepBuilder::add_product(const PlacedMatrix& m, int64_t input) {
  const int64_t row = 4 * model_.dim;
  if (!m.is_grouped()) {
    return multiply(m, {input, rows_},
                    {.address = areas_.stream, .row_stride = row, .accumulate = true});
  }
  multiply(m, {input, rows_}, {.address = areas_.projected, .row_stride = row});
  code_.map(MapFunction::kAdd, floats(areas_.stream), floats(areas_.projected),
            floats(areas_.stream), {rows_ * model_.dim});
}

void StepBuilder::feed_forward(const PlacedLayer& layer, int index) {
  const int64_t hidden = model_.hidden_dim;
  begin(Stage::kFeedForward, index, rows_ * 3 * hidden * model_.dim);
  normalize(areas_.stream, rows_, layer.ffn_norm, elements(areas_.normed, input_));
  multiply(layer.gate_up, {areas_.normed, rows_},
           {.address = areas_.gate_up, .row_stride = 8 * hidden});
  out_.begin_step();
  const Walk gate = floats(areas_.gate_up, 8 * hidden);
  const Walk up = floats(areas_.gate_up + 4 * hidden, 8 * hidden);
  code_.map(MapFunction::kSilu, gate, gate, {hidden, rows_});
  code_.map(MapFunction::kMul, gate, up, elements(areas_.hidden, input_, hidden * bytes_of(input_)),
            {hidden, rows_});
  add_product(layer.down, areas_.hidden);
}

/// Logits of the last rows of the parts that want them.
void StepBuilder::head() {
  const int64_t wanted = areas_.logit_rows;
  const int64_t row = 4 * model_.dim;
  begin(Stage::kHead, -1, wanted * layout_.classifier.rows * layout_.classifier.columns);
  int64_t from = areas_.stream;
  if (wanted != rows_) {
    int64_t end = 0;
    int64_t to = areas_.last;
    for (const SequencePart& part : step_.parts) {
      end += static_cast<int64_t>(part.tokens.size());
      if (!part.wants_logits) continue;
      code_.map(MapFunction::kCopy, floats(areas_.stream + (end - 1) * row), floats(to),
                {model_.dim});
      to += row;
    }
    from = areas_.last;
  }
  normalize(from, wanted, layout_.final_norm, elements(areas_.normed, input_));
  multiply(layout_.classifier, {areas_.normed, wanted}, {.dram = layout_.logits});
}

}  // namespace npu::llm_kernels

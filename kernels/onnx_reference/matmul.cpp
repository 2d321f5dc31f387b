// Matrix products.
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <map>

#include "kernels/onnx_reference/gemm.h"
#include "kernels/onnx_reference/operators.h"
#include "kernels/onnx_reference/requantize.h"

namespace npu::onnx {

void multiply(std::span<const double> a, std::span<const double> b, std::span<double> c,
              std::int64_t m, std::int64_t n, std::int64_t k) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<Matrix>(c.data(), m, n).noalias() =
      Eigen::Map<const Matrix>(a.data(), m, k) * Eigen::Map<const Matrix>(b.data(), k, n);
}

namespace {

/// Elements of x minus a zero point: none, one, or one per slice of `axis`.
std::vector<double> centred(const Value& x, const Value* zero_point, std::size_t axis) {
  std::vector<double> elements = to_doubles(x);
  if (zero_point == nullptr) return elements;
  const std::vector<double> zero = to_doubles(*zero_point);
  const bool is_single = zero.size() == 1;
  if (!is_single &&
      (axis >= x.shape.size() || static_cast<std::int64_t>(zero.size()) != x.shape[axis])) {
    fail("{} zero points for {}", zero.size(), to_string(x.shape));
  }
  const std::int64_t inner = is_single ? 1 : product(x.shape, axis + 1, x.shape.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::size_t slice =
        is_single ? 0
                  : static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner) % zero.size();
    elements[i] -= zero[slice];
  }
  return elements;
}

/// NumPy's matmul on elements as doubles; int32 sums stay exact below 2^53.
struct Product {
  Shape shape;
  std::vector<double> elements;
};

Product matmul(const std::vector<double>& a, Shape a_shape, const std::vector<double>& b,
               Shape b_shape) {
  if (a_shape.empty() || b_shape.empty()) fail("a scalar has no matrix product");
  const bool row = a_shape.size() == 1;
  const bool column = b_shape.size() == 1;
  if (row) a_shape.insert(a_shape.begin(), 1);
  if (column) b_shape.push_back(1);
  const std::int64_t m = a_shape[a_shape.size() - 2];
  const std::int64_t k = a_shape.back();
  const std::int64_t n = b_shape.back();
  if (b_shape[b_shape.size() - 2] != k) {
    fail("{} and {} do not multiply", to_string(a_shape), to_string(b_shape));
  }
  const Shape a_batch(a_shape.begin(), a_shape.end() - 2);
  const Shape b_batch(b_shape.begin(), b_shape.end() - 2);
  Product p;
  p.shape = broadcast({&a_batch, &b_batch});
  const auto at_a = broadcast_indices(a_batch, p.shape);
  const auto at_b = broadcast_indices(b_batch, p.shape);
  if (!row) p.shape.push_back(m);
  if (!column) p.shape.push_back(n);
  p.elements.resize(static_cast<std::size_t>(checked_count(p.shape)));
  for (std::size_t i = 0; i < at_a.size(); ++i) {
    multiply(std::span(a).subspan(static_cast<std::size_t>(at_a[i] * m * k)),
             std::span(b).subspan(static_cast<std::size_t>(at_b[i] * k * n)),
             std::span(p.elements).subspan(i * static_cast<std::size_t>(m * n)), m, n, k);
  }
  return p;
}

void run_matmul(Call& call) {
  const Value& a = call.in(0);
  same_type(a, call.in(1));
  const Product p = matmul(to_doubles(a), a.shape, to_doubles(call.in(1)), call.in(1).shape);
  call.set(0, from_doubles(a.type, p.shape, p.elements));
}

const Value* optional(const Call& call, std::size_t index) {
  return call.has(index) ? &call.in(index) : nullptr;
}

void run_matmul_integer(Call& call) {
  const Value& a = call.in(0);
  const Value& b = call.in(1);
  const std::size_t rows = a.shape.size() < 2 ? 0 : a.shape.size() - 2;
  const std::size_t columns = b.shape.empty() ? 0 : b.shape.size() - 1;
  const Product p = matmul(centred(a, optional(call, 2), rows), a.shape,
                           centred(b, optional(call, 3), columns), b.shape);
  call.set(0, from_doubles(ElementType::kInt32, p.shape, p.elements));
}

void run_qlinear_matmul(Call& call) {
  const Value& a = call.in(0);
  const Value& b = call.in(3);
  const Value& zero = call.in(7);
  Product p = matmul(centred(a, &call.in(2), a.shape.size() - 2), a.shape,
                     centred(b, &call.in(5), b.shape.size() - 1), b.shape);
  for (const std::size_t scale : {std::size_t{1}, std::size_t{4}, std::size_t{6}}) {
    if (call.in(scale).size() != 1) fail("only per-tensor scales are supported");
  }
  if (zero.size() != 1) fail("only per-tensor zero points are supported");
  const Requantization to_output(call.in(6), zero);
  const double a_scale = to_doubles(call.in(1))[0];
  const double b_scale = to_doubles(call.in(4))[0];
  for (double& e : p.elements) e = to_output(e, a_scale, b_scale);
  call.set(0, from_doubles(zero.type, p.shape, p.elements));
}

std::vector<double> transposed(const Value& x, bool transpose, Shape& shape) {
  std::vector<double> elements = to_doubles(x);
  if (x.rank() != 2) fail("expected a matrix, got {}", to_string(x.shape));
  shape = x.shape;
  if (!transpose) return elements;
  std::vector<double> out(elements.size());
  const auto rows = static_cast<std::size_t>(x.shape[0]);
  const auto columns = static_cast<std::size_t>(x.shape[1]);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = elements[r * columns + c];
  }
  std::swap(shape[0], shape[1]);
  return out;
}

void run_gemm(Call& call) {
  const Value& a = call.in(0);
  const double alpha = call.real("alpha", 1);
  const double beta = call.real("beta", 1);
  Shape a_shape, b_shape;
  const auto left = transposed(a, call.integer("transA", 0) != 0, a_shape);
  const auto right = transposed(call.in(1), call.integer("transB", 0) != 0, b_shape);
  Product p = matmul(left, a_shape, right, b_shape);
  for (double& e : p.elements) e *= alpha;
  if (call.has(2)) {
    const Value& c = call.in(2);
    if (broadcast({&p.shape, &c.shape}) != p.shape) fail("C {} does not fit", to_string(c.shape));
    const auto at = broadcast_indices(c.shape, p.shape);
    const std::vector<double> bias = to_doubles(c);
    for (std::size_t i = 0; i < at.size(); ++i) {
      p.elements[i] += beta * bias[static_cast<std::size_t>(at[i])];
    }
  }
  call.set(0, from_doubles(a.type, p.shape, p.elements));
}

/// Terms of an einsum equation, blanks removed; "..." is spelled out as upper-case letters from 'A'
/// down the ellipsis' dimensions, aligned at the end.
class Einsum {
 public:
  Einsum(std::string equation, const Call& call) {
    std::erase(equation, ' ');
    const std::size_t arrow = equation.find("->");
    const std::string left = equation.substr(0, arrow);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < call.input_count(); ++i) {
      if (begin > left.size()) fail("equation: {} operands are too many", call.input_count());
      const std::size_t end = std::min(left.find(',', begin), left.size());
      terms_.push_back(spell_out(left.substr(begin, end - begin), call.in(i).shape));
      begin = end + 1;
    }
    if (begin <= left.size()) fail("equation: {} operands are too few", call.input_count());
    out_ = arrow == std::string::npos ? implicit_output() : output(equation.substr(arrow + 2));
  }

  [[nodiscard]] Value run(const Call& call) const {
    std::string order = out_;
    for (const auto& [letter, size] : sizes_) {
      if (order.find(letter) == std::string::npos) order += letter;
    }
    Shape full, out_shape;
    for (const char letter : order) full.push_back(sizes_.at(letter));
    for (const char letter : out_) out_shape.push_back(sizes_.at(letter));
    const std::int64_t total = checked_count(full);
    const std::int64_t outputs = checked_count(out_shape);
    const std::int64_t terms = std::max<std::int64_t>(1, outputs > 0 ? total / outputs : 0);
    std::vector<std::vector<double>> elements;
    std::vector<std::vector<std::int64_t>> steps;
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      elements.push_back(to_doubles(call.in(i)));
      steps.push_back(steps_of(terms_[i], call.in(i).shape, order));
    }
    const std::vector<std::int64_t> strides = strides_of(full);
    std::vector<double> out(static_cast<std::size_t>(outputs), 0.0);
    for (std::int64_t i = 0; i < total; ++i) {
      double value = 1;
      for (std::size_t t = 0; t < terms_.size(); ++t) {
        std::int64_t at = 0;
        for (std::size_t d = 0; d < full.size(); ++d) at += i / strides[d] % full[d] * steps[t][d];
        value *= elements[t][static_cast<std::size_t>(at)];
      }
      out[static_cast<std::size_t>(i / terms)] += value;
    }
    return from_doubles(call.in(0).type, std::move(out_shape), out);
  }

 private:
  static constexpr std::string_view kEllipsis = "...";

  std::string spell_out(std::string term, const Shape& shape) {
    const std::size_t dots = term.find(kEllipsis);
    if (dots != std::string::npos) {
      const std::size_t named = term.size() - kEllipsis.size();
      if (named > shape.size()) fail("equation: {} names more than {}", term, to_string(shape));
      std::string letters;
      for (std::size_t d = shape.size() - named; d > 0; --d)
        letters += static_cast<char>('A' + d - 1);
      ellipsis_ = std::max(ellipsis_, letters.size());
      term.replace(dots, kEllipsis.size(), letters);
    }
    if (term.size() != shape.size()) fail("equation: {} does not name {}", term, to_string(shape));
    for (std::size_t d = 0; d < term.size(); ++d) {
      if (std::isalpha(static_cast<unsigned char>(term[d])) == 0) fail("equation: \"{}\"", term);
      std::int64_t& size = sizes_.emplace(term[d], 1).first->second;
      if (size != 1 && shape[d] != 1 && size != shape[d])
        fail("equation: sizes of {} differ", term[d]);
      if (size == 1) size = shape[d];
    }
    return term;
  }

  [[nodiscard]] std::string ellipsis_letters() const {
    std::string letters;
    for (std::size_t d = ellipsis_; d > 0; --d) letters += static_cast<char>('A' + d - 1);
    return letters;
  }

  [[nodiscard]] std::string implicit_output() const {
    std::string out = ellipsis_letters();
    for (const auto& [letter, size] : sizes_) {
      std::size_t count = 0;
      for (const std::string& term : terms_) {
        count += static_cast<std::size_t>(std::count(term.begin(), term.end(), letter));
      }
      if (count == 1 && out.find(letter) == std::string::npos) out += letter;
    }
    return out;
  }

  [[nodiscard]] std::string output(std::string term) const {
    const std::size_t dots = term.find(kEllipsis);
    if (dots != std::string::npos) term.replace(dots, kEllipsis.size(), ellipsis_letters());
    for (const char letter : term) {
      if (!sizes_.contains(letter)) fail("equation: {} is only in the result", letter);
    }
    return term;
  }

  /// Step in the operand for each letter of `order`; repeated letters walk the diagonal.
  static std::vector<std::int64_t> steps_of(const std::string& term, const Shape& shape,
                                            const std::string& order) {
    const std::vector<std::int64_t> strides = strides_of(shape);
    std::vector<std::int64_t> steps(order.size(), 0);
    for (std::size_t d = 0; d < term.size(); ++d) {
      if (shape[d] != 1) steps[order.find(term[d])] += strides[d];
    }
    return steps;
  }

  std::vector<std::string> terms_;
  std::string out_;
  std::map<char, std::int64_t> sizes_;
  std::size_t ellipsis_ = 0;
};

void run_einsum(Call& call) { call.set(0, Einsum(call.text("equation", ""), call).run(call)); }

void run_det(Call& call) {
  const Value& x = call.in(0);
  if (x.rank() < 2 || x.shape.back() != x.shape[x.shape.size() - 2])
    fail("expected square matrices");
  const std::int64_t n = x.shape.back();
  std::vector<double> elements = to_doubles(x);
  std::vector<double> out;
  const Shape batch(x.shape.begin(), x.shape.end() - 2);
  for (std::int64_t b = 0; b < element_count(batch); ++b) {
    const auto m = std::span(elements).subspan(static_cast<std::size_t>(b * n * n));
    const auto at = [&](std::int64_t r, std::int64_t c) -> double& {
      return m[static_cast<std::size_t>(r * n + c)];
    };
    double det = 1;
    for (std::int64_t c = 0; c < n; ++c) {  // Gaussian elimination with row pivoting.
      std::int64_t pivot = c;
      for (std::int64_t r = c + 1; r < n; ++r) {
        if (std::fabs(at(r, c)) > std::fabs(at(pivot, c))) pivot = r;
      }
      if (at(pivot, c) == 0) {
        det = 0;
        break;
      }
      if (pivot != c) {
        det = -det;
        for (std::int64_t k = 0; k < n; ++k) std::swap(at(c, k), at(pivot, k));
      }
      det *= at(c, c);
      for (std::int64_t r = c + 1; r < n; ++r) {
        const double factor = at(r, c) / at(c, c);
        for (std::int64_t k = c; k < n; ++k) at(r, k) -= factor * at(c, k);
      }
    }
    out.push_back(det);
  }
  call.set(0, from_doubles(x.type, batch, out));
}

constexpr Operator kOperators[] = {
    {"Det", 1, 1, "", run_det},
    {"Einsum", 1, kMany, "equation", run_einsum},
    {"Gemm", 2, 3, "alpha beta transA transB", run_gemm},
    {"MatMul", 2, 2, "", run_matmul},
    {"MatMulInteger", 2, 4, "", run_matmul_integer},
    {"QLinearMatMul", 8, 8, "", run_qlinear_matmul},
};

}  // namespace

std::span<const Operator> matmul_operators() { return kOperators; }

}  // namespace npu::onnx

// Matrices over trailing axes: cholesky and triangular_solve. Leading axes are examples.
#include <algorithm>

#include "weft/ops/block_solve.h"
#include "weft/ops/wide.h"

namespace weft {

using namespace ops;

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void check_inexact(std::string_view op, std::span<const Aval> in) {
  for (const Aval a : in)
    if (!is_inexact(a.dtype())) throw_dtype(op, "float or complex", in);
}

/// The number of rows; ShapeError unless `a` is square in its last two axes.
std::int64_t check_square(std::string_view op, Aval a) {
  const auto rank = a.shape().size();
  if (rank < 2 || a.shape(rank - 1) != a.shape(rank - 2))
    throw ShapeError(std::string(op) + ": the matrices must be square in the last two axes; got " + a.str() + ".");
  return a.shape(rank - 1);
}

template <class W>
W conjugate(W v) {
  if constexpr (std::is_same_v<W, std::complex<double>>)
    return std::conj(v);
  else
    return v;
}
template <class W>
double real_part(W v) {
  if constexpr (std::is_same_v<W, std::complex<double>>)
    return v.real();
  else
    return v;
}

// Calls `f(TypeTag<W>{})` with the wide type of a float or complex dtype.
template <class F>
void visit_inexact(DType t, F&& f) {
  if (is_complex(t))
    f(TypeTag<std::complex<double>>{});
  else
    f(TypeTag<double>{});
}

// ---- arrays of matrices ----

Array swapped(const Array& x) {
  Dims permutation;
  for (int i = 0; i < x.ndim(); ++i) permutation.push_back(i);
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return lax::transpose(x, permutation);
}
Array conjugated(const Array& x) { return is_complex(x.dtype()) ? lax::conj(x) : x; }
Array adjoint(const Array& x) { return conjugated(swapped(x)); }

// x y for each pair of matrices.
Array matmul(const Array& x, const Array& y) {
  DotDimensionNumbers d;
  for (std::int64_t i = 0; i + 2 < x.ndim(); ++i) d.lhs_batch.push_back(i);
  d.rhs_batch = d.lhs_batch;
  d.lhs_contracting = {x.ndim() - 1};
  d.rhs_contracting = {x.ndim() - 2};
  return lax::dot_general(x, y, d);
}

// x where row <direction> column, else 0.
Array where_rows(const Array& x, ComparisonDirection direction) {
  const Array rows = lax::iota(i32, x.shape(), x.ndim() - 2), columns = lax::iota(i32, x.shape(), x.ndim() - 1);
  return lax::select(lax::compare(rows, columns, direction), x, zeros_of(x.aval()));
}
Array strict_lower(const Array& x) { return where_rows(x, ComparisonDirection::kGt); }
Array diagonal_part(const Array& x) { return where_rows(x, ComparisonDirection::kEq); }

// Examples pass through, the axes of matrices are needed whole.
FactorTable factors_matrices(std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  FactorTable::Axes examples;
  const std::size_t rank = in[0].shape().size();
  for (std::size_t i = 0; i + 2 < rank; ++i) examples.push_back({table.add(in[0].shape(i))});
  const auto matrices = [&](Aval a) {
    FactorTable::Axes axes = examples;
    for (std::size_t i = rank - 2; i < rank; ++i)
      axes.push_back({table.add(a.shape(i), FactorTable::Kind::kNeedReplication)});
    return axes;
  };
  for (const Aval a : in) table.operands.push_back(matrices(a));
  for (const Aval a : out) table.results.push_back(matrices(a));
  return table;
}

// ---- cholesky: a = L L^H ----

void infer_cholesky(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  check_inexact("cholesky", in);
  check_square("cholesky", in[0]);
  out.push_back(in[0]);
}

// Column by column: L[i,j] = (a[i,j] - sum_{k < j} L[i,k] conj(L[j,k])) / L[j,j]. The upper factor is the adjoint of
// the lower one of the matrix whose lower triangle is the adjoint of a's upper one.
void eval_cholesky(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const bool lower = ir::params_as<CholeskyParams>(params).lower;
  const std::int64_t n = in[0].shape().back();
  if (in[0].size() == 0) return;
  visit_inexact(in[0].dtype(), [&]<class W>(TypeTag<W>) {
    const std::vector<W> a = widened<W>(in[0]);
    std::vector<W> result(a.size()), l(at(n * n));
    for (std::int64_t matrix = 0; matrix < in[0].size() / (n * n); ++matrix) {
      const W* x = a.data() + matrix * n * n;
      W* y = result.data() + matrix * n * n;
      const auto element = [&](std::int64_t i, std::int64_t j) {
        return lower ? x[i * n + j] : conjugate(x[j * n + i]);
      };
      bool positive = true;
      for (std::int64_t i = 0; i < n && positive; ++i)
        for (std::int64_t j = 0; j <= i; ++j) {
          W sum = element(i, j);
          for (std::int64_t k = 0; k < j; ++k) sum -= wide_product(l[at(i * n + k)], conjugate(l[at(j * n + k)]));
          if (i > j) {
            l[at(i * n + j)] = sum / real_part(l[at(j * n + j)]);
            continue;
          }
          const double pivot = real_part(sum);
          positive = pivot > 0;
          l[at(i * n + i)] = std::sqrt(pivot);
        }
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j <= i; ++j) {
          const W v = positive ? l[at(i * n + j)] : W(std::numeric_limits<double>::quiet_NaN());
          y[lower ? i * n + j : j * n + i] = lower ? v : conjugate(v);
        }
    }
    narrow(result, out[0]);
  });
}

// dL = L phi(L^-1 da L^-H), where phi keeps the lower triangle and halves the diagonal, and da is the Hermitian matrix
// of which the tangent is a triangle.
// I. Murray: Differentiation of the Cholesky decomposition, arXiv:1602.07527 (2016), section 3.1.
void jvp_cholesky(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const bool lower = call.params_as<CholeskyParams>().lower;
  bind(call.op, call.params, call.args, outs);
  const Array l = lower ? outs[0] : adjoint(outs[0]), t = lower ? tangents[0] : adjoint(tangents[0]);
  const Array below = strict_lower(t);
  Array diagonal = diagonal_part(t);
  if (is_complex(t.dtype())) diagonal = lax::convert(lax::real(diagonal), t.dtype());
  const Array da = lax::add(diagonal, lax::add(below, adjoint(below)));
  const Array right = lax::triangular_solve(l, da, {.left_side = false, .transpose_a = TransposeA::kAdjoint});
  const Array middle = lax::triangular_solve(l, right, {});
  const Array phi = lax::add(strict_lower(middle), lax::multiply(diagonal_part(middle), 0.5));
  const Array dl = matmul(l, phi);
  out_tangents.push_back(lower ? dl : adjoint(dl));
}

void batch_cholesky(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                    Bdims& out_bdims) {
  bind(call.op, call.params, Arrays{bdim_to_front(call.args[0], bdims[0], axis.size)}, outs);
  out_bdims.push_back(0);
}

FactorTable factors_cholesky(const ParamsBase*, std::span<const Aval> in, std::span<const Aval>) {
  FactorTable table = factors_matrices(in, {});
  table.results = {table.operands[0]};
  return table;
}

// ---- triangular_solve: op(a) x = b, or x op(a) = b ----

void infer_solve(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<TriangularSolveParams>(params);
  check_inexact("triangular_solve", in);
  const std::int64_t n = check_square("triangular_solve", in[0]);
  if (in[0].dtype() != in[1].dtype())
    throw DTypeError("triangular_solve: operands must have equal dtypes; got " + operand_text(in) + ".",
                     "convert one of them with astype.");
  const std::size_t rank = in[0].shape().size();
  if (in[1].shape().size() != rank || !same_dims(in[0].shape().first(rank - 2), in[1].shape().first(rank - 2)))
    throw ShapeError("triangular_solve: operands must have equal axes before the last two; got " + operand_text(in) +
                     ".");
  const std::size_t axis = rank - (p.left_side ? 2 : 1);
  if (in[1].shape(axis) != n)
    throw ShapeError("triangular_solve: b must have as many " + std::string(p.left_side ? "rows" : "columns") +
                     " as a; got " + operand_text(in) + ".");
  out.push_back(Aval(in[1].dtype(), in[1].shape(), in[0].vary() | in[1].vary()));
}

// x op(a) = b is op(a)^T x^T = b^T, so one loop of substitution over rows does for both sides: `step` is the distance
// of unknowns in x, `next` that of right-hand sides.
void eval_solve(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<TriangularSolveParams>(params);
  const std::int64_t n = in[0].shape().back();
  if (out[0].size() == 0) return;
  const std::int64_t columns = in[1].shape()[at(in[1].ndim() - (p.left_side ? 1 : 2))];
  if (in[0].dtype() == f32) {
    std::vector<float> x = widened<float>(in[1]);
    const std::vector<float> a = widened<float>(in[0]);
    for (std::int64_t matrix = 0; matrix < out[0].size() / (n * columns); ++matrix)
      ops::block_solve(p, n, columns, a.data() + matrix * n * n, x.data() + matrix * n * columns);
    narrow(x, out[0]);
    return;
  }
  const std::int64_t step = p.left_side ? columns : 1, next = p.left_side ? 1 : n;
  const bool transposes = (p.transpose_a != TransposeA::kNoTranspose) == p.left_side;
  const bool forwards = p.lower != transposes;
  visit_inexact(in[0].dtype(), [&]<class W>(TypeTag<W>) {
    const std::vector<W> a = widened<W>(in[0]);
    std::vector<W> x = widened<W>(in[1]), sums(at(columns));
    for (std::int64_t matrix = 0; matrix < out[0].size() / (n * columns); ++matrix) {
      const W* m = a.data() + matrix * n * n;
      W* y = x.data() + matrix * n * columns;
      const auto coefficient = [&](std::int64_t i, std::int64_t j) {
        const W v = transposes ? m[j * n + i] : m[i * n + j];
        return p.transpose_a == TransposeA::kAdjoint ? conjugate(v) : v;
      };
      for (std::int64_t done = 0; done < n; ++done) {
        const std::int64_t i = forwards ? done : n - 1 - done;
        for (std::int64_t c = 0; c < columns; ++c) sums[at(c)] = y[i * step + c * next];
        for (std::int64_t k = 0; k < done; ++k) {
          const std::int64_t j = forwards ? k : n - 1 - k;
          const W v = coefficient(i, j);
          for (std::int64_t c = 0; c < columns; ++c) sums[at(c)] -= wide_product(v, y[j * step + c * next]);
        }
        for (std::int64_t c = 0; c < columns; ++c)
          y[i * step + c * next] = p.unit_diagonal ? sums[at(c)] : sums[at(c)] / coefficient(i, i);
      }
    }
    narrow(x, out[0]);
  });
}

// dx = op(a)^-1 (db - op(da) x), or (db - x op(da)) op(a)^-1; of da only what is read of a.
void jvp_solve(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<TriangularSolveParams>();
  const Array& a = call.args[0];
  bind(call.op, call.params, call.args, outs);
  Array change = tangents[1];
  if (tangents[0].defined()) {
    using enum ComparisonDirection;
    Array da = where_rows(tangents[0], p.lower ? (p.unit_diagonal ? kGt : kGe) : (p.unit_diagonal ? kLt : kLe));
    if (p.transpose_a != TransposeA::kNoTranspose) da = swapped(da);
    if (p.transpose_a == TransposeA::kAdjoint) da = conjugated(da);
    const Array moved = lax::negate(p.left_side ? matmul(da, outs[0]) : matmul(outs[0], da));
    change = change.defined() ? lax::add(change, moved) : moved;
  }
  out_tangents.push_back(lax::triangular_solve(a, change, p));
}

// x = op(a)^-1 b, so ct_b = op(a)^-T ct; the other side is the mirror image.
void transpose_solve(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  internal_check(!accums[0], "triangular_solve: linear in b only");
  TriangularSolveParams p = call.params_as<TriangularSolveParams>();
  Array a = call.args[0];
  switch (p.transpose_a) {
    case TransposeA::kNoTranspose: p.transpose_a = TransposeA::kTranspose; break;
    case TransposeA::kTranspose: p.transpose_a = TransposeA::kNoTranspose; break;
    case TransposeA::kAdjoint:
      p.transpose_a = TransposeA::kNoTranspose;
      a = conjugated(a);
      break;
  }
  accums[1]->add(lax::triangular_solve(a, cts[0], p));
}

// Examples of b alone are more right-hand sides.
void batch_solve(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                 Bdims& out_bdims) {
  const auto& p = call.params_as<TriangularSolveParams>();
  const Array& a = call.args[0];
  if (bdims[0] != kUnmapped) {
    bind(call.op, call.params,
         Arrays{bdim_to_front(a, bdims[0], mapped_axis.size), bdim_to_front(call.args[1], bdims[1], mapped_axis.size)},
         outs);
    out_bdims.push_back(0);
    return;
  }
  const int axis = a.ndim() - (p.left_side ? 1 : 2);
  const Array b = bdim_to(call.args[1], bdims[1], axis, mapped_axis.size);
  Dims folded(b.shape());
  folded[at(axis) + 1] *= mapped_axis.size;
  folded.erase(folded.begin() + axis);
  outs.push_back(lax::reshape(lax::triangular_solve(a, lax::reshape(b, folded), p), b.shape()));
  out_bdims.push_back(axis);
}

// Right-hand sides are independent of each other too.
FactorTable factors_solve(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval>) {
  const bool left = ir::params_as<TriangularSolveParams>(params).left_side;
  FactorTable table = factors_matrices(in, {});
  FactorTable::Axes& b = table.operands[1];
  const std::size_t axis = b.size() - (left ? 1 : 2);
  table.factors[at(b[axis][0])].kind = FactorTable::Kind::kPassThrough;
  table.results.push_back(b);
  return table;
}

}  // namespace

Array lax::cholesky(const Arg& a, bool lower) {
  const LocationScope scope(a.location(), "cholesky");
  return bind1(OpCode::kCholesky, ir::make_params(CholeskyParams{lower}), {a.array()});
}
Array lax::triangular_solve(const Arg& a, const Arg& b, const TriangularSolveParams& params) {
  const LocationScope scope(a.location(), "triangular_solve");
  return bind1(OpCode::kTriangularSolve, ir::make_params(params), {a.array(), b.array()});
}

const ir::OpInfo op_infos::cholesky{
    .parse = ir::parse_params<CholeskyParams>, .infer = infer_cholesky, .eval = eval_cholesky};
const OpRules op_rule_table::cholesky{
    .jvp = jvp_cholesky, .transpose = rules::not_linear, .batch = batch_cholesky, .factors = factors_cholesky};

const ir::OpInfo op_infos::triangular_solve{.operands = ir::takes(2),
                                            .parse = ir::parse_params<TriangularSolveParams>,
                                            .infer = infer_solve,
                                            .eval = eval_solve};
const OpRules op_rule_table::triangular_solve{
    .jvp = jvp_solve, .transpose = transpose_solve, .batch = batch_solve, .factors = factors_solve};

}  // namespace weft

// Factorizations that LAPACK names and Weft has no operation for, as loops of those it has: one step per column, each
// over the whole matrix with masks, so that they are batched and differentiated as any loop that counts. What they give
// is what LAPACK gives: factors packed in one matrix, pivots from 1, reflectors without their first 1.
#include <algorithm>

#include "weft/control/programs.h"
#include "weft/core/rules.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

Array index(std::int64_t i) { return Array::full({}, i32, Scalar(i)); }

Array spread(const Array& scalar, DimSpan shape) { return lax::broadcast_in_dim(scalar, shape, {}); }

// x[..., i, ...] of a matrix, and the matrix with another vector there; i is of the run.
Arrays start_at(int axis, const Array& i) { return axis == 0 ? Arrays{i, index(0)} : Arrays{index(0), i}; }
Array vector_at(const Array& x, int axis, const Array& i) {
  Dims sizes(x.shape());
  sizes[static_cast<std::size_t>(axis)] = 1;
  return lax::reshape(lax::dynamic_slice(x, start_at(axis, i), sizes), Dims{x.shape()[axis == 0 ? 1 : 0]});
}
Array with_vector(const Array& x, int axis, const Array& i, const Array& v) {
  Dims sizes(x.shape());
  sizes[static_cast<std::size_t>(axis)] = 1;
  return lax::dynamic_update_slice(x, lax::reshape(v, sizes), start_at(axis, i));
}
Array element_at(const Array& v, const Array& i) {
  return lax::reshape(lax::dynamic_slice(v, Arrays{i}, Dims{1}), Dims{});
}

Array outer(const Array& v, const Array& w) { return lax::dot_general(v, w, {}); }

// The places of a matrix or vector that are after i along an axis.
Array after(const Array& i, DimSpan shape, int axis) { return lax::gt(lax::iota(i32, shape, axis), spread(i, shape)); }
Array at(const Array& i, std::int64_t size) { return lax::eq(lax::iota(i32, Dims{size}, 0), spread(i, Dims{size})); }
Array where(const Array& mask, const Array& x) { return lax::select(mask, x, zeros_of(x.aval())); }

std::int64_t steps_of(const Array& a) { return std::min(a.shape()[0], a.shape()[1]); }

// One step per column: (matrix, outputs...) = step(matrix, xs...).
Arrays column_loop(const FlatFunction& step, const Array& matrix, Arrays xs, bool reverse, const char* name) {
  const std::int64_t steps = xs[0].shape()[0];
  ir::Avals types{matrix.aval()};
  for (const Array& x : xs) types.push_back(x.aval().with_shape(x.aval().shape().subspan(1)));
  const Staged body = stage(step, types, name);
  return lax::scan_(body.jaxpr, body.captured, Arrays{matrix}, xs, steps, reverse);
}

// ---- getrf: a = P L U with the rows swapped that pivots[k], from 1, names at each step k ----

// Of complex numbers LAPACK compares this.
Array size_of(const Array& x) {
  return is_complex(x.dtype()) ? lax::add(lax::abs(lax::real(x)), lax::abs(lax::imag(x))) : lax::abs(x);
}

void lu_step(std::span<const Array> in, Arrays& outs) {
  Array x = in[0];
  const Array& k = in[1];
  const std::int64_t m = x.shape()[0], n = x.shape()[1];
  const Array sizes = size_of(vector_at(x, 1, k));
  const Array done = lax::lt(lax::iota(i32, Dims{m}, 0), spread(k, Dims{m}));
  const Array p = lax::argmax(lax::select(done, Array::full(Dims{m}, sizes.dtype(), Scalar(-1)), sizes), 0);
  const Array row = vector_at(x, 0, p);
  x = with_vector(with_vector(x, 0, p, vector_at(x, 0, k)), 0, k, row);
  const Array column = vector_at(x, 1, k), pivot = element_at(row, k);
  const Array singular = lax::eq(pivot, zeros_of(pivot.aval()));
  // All below a pivot of 0 is 0.
  const Array divisor = lax::select(singular, Array::full({}, x.dtype(), Scalar(1)), pivot);
  const Array below = after(k, Dims{m}, 0);
  const Array factors = where(below, lax::divide(column, spread(divisor, Dims{m})));
  x = lax::subtract(x, outer(factors, where(after(k, Dims{n}, 0), row)));
  outs.push_back(with_vector(x, 1, k, lax::select(below, factors, column)));
  outs.push_back(lax::add(p, 1));
  outs.push_back(lax::convert(singular, i32));
}

// (factors, pivots, the first step whose pivot is 0, from 1, or 0).
void lu(std::span<const Array> args, Arrays& outs) {
  const std::int64_t steps = steps_of(args[0]);
  if (steps == 0) {
    outs.push_back(args[0]);
    outs.push_back(Array::full(Dims{0}, i32, Scalar(0)));
    outs.push_back(index(0));
    return;
  }
  const Arrays y = column_loop(lu_step, args[0], {lax::iota(i32, Dims{steps}, 0)}, false, "getrf");
  outs.push_back(y[0]);
  outs.push_back(y[1]);
  const Array any = lax::ne(lax::reduce_max(y[2], Dims{0}), 0);
  outs.push_back(lax::select(any, lax::add(lax::argmax(y[2], 0), 1), index(0)));
}

// ---- geqrf and orgqr: Q = H_0 H_1 ..., H_k = I - tau_k v v^H, v = (0, ..., 0, 1, a[k + 1:, k]) ----

Array squared(const Array& x) {
  return is_complex(x.dtype()) ? lax::add(lax::square(lax::real(x)), lax::square(lax::imag(x))) : lax::square(x);
}
Array as_dtype(const Array& real, DType t) { return is_complex(t) ? lax::complex(real, zeros_of(real.aval())) : real; }
Array conjugate(const Array& x) { return is_complex(x.dtype()) ? lax::conj(x) : x; }

// v (v^H x)
Array reflected_part(const Array& v, const Array& x) {
  DotDimensionNumbers d;
  d.lhs_contracting = d.rhs_contracting = {0};
  return outer(v, lax::dot_general(conjugate(v), x, d));
}

void qr_step(std::span<const Array> in, Arrays& outs) {
  const Array &x = in[0], &k = in[1];
  const std::int64_t m = x.shape()[0];
  const DType t = x.dtype();
  const Array column = vector_at(x, 1, k), alpha = element_at(column, k);
  const Array below = after(k, Dims{m}, 0), here = at(k, m), tail = where(below, column);
  // Squares of numbers of at most 1 neither overflow nor vanish together. The scale cancels.
  const Array largest = lax::maximum(size_of(alpha), lax::reduce_max(size_of(tail), Dims{0}));
  const Array none = lax::eq(largest, zeros_of(largest.aval()));
  const Array scale = lax::stop_gradient(lax::select(none, Array::full({}, largest.dtype(), Scalar(1)), largest));
  const auto scaled = [&](const Array& v) { return lax::divide(v, spread(as_dtype(scale, t), v.shape())); };
  const Array tail2 = lax::reduce_sum(squared(scaled(tail)), Dims{0});
  // Nothing to reflect: the reflection is the identity.
  Array trivial = lax::eq(lax::reduce_max(size_of(tail), Dims{0}), zeros_of(scale.aval()));
  if (is_complex(t)) trivial = lax::and_(trivial, lax::eq(lax::imag(alpha), zeros_of(scale.aval())));
  const Array one = Array::full({}, t, Scalar(1));
  const Array square = lax::add(squared(scaled(alpha)), tail2);
  const Array norm =
      lax::multiply(scale, lax::sqrt(lax::select(trivial, Array::full({}, scale.dtype(), Scalar(1)), square)));
  const Array head = is_complex(t) ? lax::real(alpha) : alpha;
  const Array beta = as_dtype(lax::select(lax::lt(head, zeros_of(head.aval())), norm, lax::negate(norm)), t);
  const Array tau = where(lax::not_(trivial), lax::divide(lax::subtract(beta, alpha), beta));
  const Array divisor = lax::select(trivial, one, lax::subtract(alpha, beta));
  const Array rest = lax::divide(tail, spread(divisor, Dims{m}));
  const Array v = lax::select(here, spread(one, Dims{m}), rest);
  const Array part = lax::multiply(spread(conjugate(tau), x.shape()), reflected_part(v, x));
  const Array y = lax::subtract(x, where(after(k, x.shape(), 1), part));
  const Array diagonal = spread(lax::select(trivial, alpha, beta), Dims{m});
  outs.push_back(with_vector(y, 1, k, lax::select(below, rest, lax::select(here, diagonal, column))));
  outs.push_back(tau);
}

void qr(std::span<const Array> args, Arrays& outs) {
  const std::int64_t steps = steps_of(args[0]);
  if (steps == 0) {
    outs.push_back(args[0]);
    outs.push_back(Array::full(Dims{0}, args[0].dtype(), Scalar(0)));
    return;
  }
  for (const Array& y : column_loop(qr_step, args[0], {lax::iota(i32, Dims{steps}, 0)}, false, "geqrf"))
    outs.push_back(y);
}

// The first columns of Q, as many as a has.
void orthogonal(std::span<const Array> args, Arrays& outs) {
  const Array &a = args[0], &taus = args[1];
  const std::int64_t m = a.shape()[0], steps = taus.shape()[0];
  const Array one = lax::convert(lax::eq(lax::iota(i32, a.shape(), 0), lax::iota(i32, a.shape(), 1)), a.dtype());
  if (steps == 0 || a.size() == 0) {
    outs.push_back(one);
    return;
  }
  const FlatFunction step = [&](std::span<const Array> in, Arrays& o) {
    const Array &q = in[0], &k = in[1], &tau = in[2];
    const Array unit = lax::convert(at(k, m), a.dtype());
    const Array v = lax::select(after(k, Dims{m}, 0), vector_at(a, 1, k), unit);
    o.push_back(lax::subtract(q, lax::multiply(spread(tau, q.shape()), reflected_part(v, q))));
  };
  outs.push_back(column_loop(step, one, {lax::iota(i32, Dims{steps}, 0), taus}, true, "orgqr")[0]);
}

// Which rows end up where when row i is exchanged with row pivots[i], for i = 0, 1, ...
Array permutation(const Array& pivots, std::int64_t rows) {
  Array start = lax::iota(i32, Dims{rows}, 0);
  const Array steps = lax::iota(i32, pivots.shape(), 0);
  if (steps.size() == 0) return start;
  const Aval number(i32, {});
  const Staged exchange = stage(
      [&](std::span<const Array> in, Arrays& outs) {
        const Array &order = in[0], &i = in[1], &j = in[2];
        const auto is = [&](const Array& at) { return lax::eq(lax::iota(i32, Dims{rows}, 0), spread(at, Dims{rows})); };
        const auto row = [&](const Array& at) { return spread(element_at(order, at), Dims{rows}); };
        outs.push_back(lax::select(is(i), row(j), lax::select(is(j), row(i), order)));
      },
      ir::Avals{start.aval(), number, number}, "permutation");
  return lax::scan_(exchange.jaxpr, {}, Arrays{start}, Arrays{steps, pivots}, steps.size())[0];
}

// ---- batches ----

// `f` for each matrix: the axes before the last `ranks[i]` of operand i are the batch, of all operands the same.
Arrays for_each_matrix(FlatFunction f, Arrays args, const Dims& ranks, const char* name) {
  const auto batch_rank = static_cast<std::size_t>(args[0].ndim() - ranks[0]);
  const Dims batch(args[0].shape().first(batch_rank));
  std::int64_t size = 1;
  for (const std::int64_t n : batch) size *= n;
  Arrays outs;
  if (batch.empty()) {
    f(args, outs);
    return outs;
  }
  for (Array& x : args) {
    Dims shape{size};
    for (const std::int64_t n : Dims(x.shape().subspan(batch_rank))) shape.push_back(n);
    x = lax::reshape(x, shape);
  }
  mapped_over_first(std::move(f), size, name)(args, outs);
  for (Array& y : outs) {
    Dims shape(batch);
    for (const std::int64_t n : Dims(y.shape().subspan(1))) shape.push_back(n);
    y = lax::reshape(y, shape);
  }
  return outs;
}

}  // namespace

// The operands are the matrices alone (or their sizes before them, in calls of older jaxlibs).
void Importer::getrf(const Op& op, Operands operands, Results& results) {
  if (operands.size() != 1) need_operands(op, 4);  // batch size, m, n, a
  const Array a = matrices(op, operands, operands.size() - 1);
  give(op, for_each_matrix(lu, {a}, {2}, "getrf"), results);
}

// (factors, pivots from 0 on, permutation).
void Importer::lu_decomposition(const Op& op, Operands operands, Results& results) {
  need_operands(op, 1);
  const Array a = matrices(op, operands, 0);
  const std::int64_t rows = a.shape(a.ndim() - 2);
  const FlatFunction f = [&](std::span<const Array> in, Arrays& outs) {
    lu(in, outs);
    outs[1] = lax::subtract(outs[1], 1);
    outs[2] = permutation(outs[1], rows);
  };
  give(op, for_each_matrix(f, {a}, {2}, "lu"), results);
}

// The permutation that pivots from 0 on stand for; how many rows there are says the result's type.
void Importer::lu_pivots(const Op& op, Operands operands, Results& results) {
  need_operands(op, 1);
  const Array pivots = single(op, operands, 0);
  const Aval declared = result(op);
  const std::int64_t rows = declared.ndim() > 0 ? declared.shape().back() : -1;
  if (pivots.dtype() != i32 || pivots.ndim() < 1 || rows < pivots.shape(pivots.ndim() - 1))
    fail(op, "pivots must be i32, one for each of the first rows; got " + pivots.aval().str() + " for " +
                 declared.str() + ".");
  const FlatFunction f = [&](std::span<const Array> in, Arrays& outs) { outs.push_back(permutation(in[0], rows)); };
  give(op, for_each_matrix(f, {pivots}, {1}, "lu_pivots_to_permutation"), results);
}

// (reflectors and R, taus); older calls give status and work space, too.
void Importer::geqrf(const Op& op, Operands operands, Results& results) {
  if (operands.size() != 1) need_operands(op, 5);  // batch size, m, n, size of the work space, a
  const Array a = matrices(op, operands, operands.size() - 1);
  give_with_work(op, for_each_matrix(qr, {a}, {2}, "geqrf"), results);
}

void Importer::orgqr(const Op& op, Operands operands, Results& results) {
  if (operands.size() != 2) need_operands(op, 7);  // batch size, m, n, k, size of the work space, a, taus
  const Array a = matrices(op, operands, operands.size() - 2), taus = single(op, operands, operands.size() - 1);
  const DimSpan shape = a.shape(), batch = shape.first(shape.size() - 2);
  if (taus.dtype() != a.dtype() || taus.ndim() != a.ndim() - 1 || !same_dims(taus.shape().first(batch.size()), batch) ||
      taus.shape().back() > std::min(shape[batch.size()], shape.back()))
    fail(op, "there must be at most one reflector per row and column; got " + taus.aval().str() + " for " +
                 a.aval().str() + ".");
  give_with_work(op, for_each_matrix(orthogonal, {a, taus}, {2, 1}, "orgqr"), results);
}

Array Importer::matrices(const Op& op, Operands operands, std::size_t i) const {
  const Array a = single(op, operands, i);
  if (a.ndim() < 2 || !is_inexact(a.dtype()) || is_storage(a.dtype()))
    fail(op, "the operand must be matrices of floats or complex numbers; got " + a.aval().str() + ".");
  return a;
}

// All went well, and nothing is left in the work space.
void Importer::give_with_work(const Op& op, Arrays values, Results& results) {
  const ir::Avals declared = avals(op.results);
  for (std::size_t i = values.size(); i < declared.size(); ++i) values.push_back(zeros_of(declared[i]));
  give(op, values, results);
}

}  // namespace weft::stablehlo

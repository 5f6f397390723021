#include "weft/api/sparse.h"

#include <algorithm>
#include <cmath>

#include "weft/base/hash.h"
#include "weft/core/concretization.h"
#include "weft/ops/common.h"
#include "weft/transforms/coloring.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/sparsity.h"
#include "weft/transforms/vmap.h"

namespace weft {

SparseMatrix::SparseMatrix(SparsityPattern pattern, Array values, SourceLocation loc)
    : pattern_{std::move(pattern)}, values_(std::move(values)) {
  const LocationScope scope(loc, "SparseMatrix");
  if (const Aval type = values_.aval(loc); type.ndim() != 1 || type.size() != nnz())
    throw ShapeError("SparseMatrix: there must be one value for each entry of the pattern; got " + type.str() +
                     " for " + std::to_string(nnz()) + ".");
}

Array SparseMatrix::to_dense(SourceLocation loc) const {
  const LocationScope scope(loc, "to_dense");
  const Aval type = values_.aval(loc);
  if (type.ndim() == 0 || type.shape().back() != nnz())
    throw ShapeError("to_dense: the last axis of the values must have an element for each entry of the pattern; got " +
                     type.str() + " for " + std::to_string(nnz()) + ".");
  // The axes that vmap added, as one.
  const DimSpan batch = type.shape().first(type.shape().size() - 1);
  const std::int64_t size = rows() * cols(), examples = product(batch);
  std::vector<std::int64_t> places;
  places.reserve(static_cast<std::size_t>(nnz()));
  for (std::int64_t i = 0; i < rows(); ++i)
    for (const std::int64_t j : pattern().row(i)) places.push_back(i * cols() + j);
  const Array zeros = zeros_of(Aval(type.dtype(), Dims{examples, size}));
  const Array dense =
      lax::scatter(zeros, Array::from_vector(places, {nnz(), 1}), lax::reshape(values_, Dims{examples, nnz()}),
                   {.update_window_dims = {0}, .inserted_window_dims = {1}, .scatter_dims_to_operand_dims = {1}},
                   ScatterKind::kSet, IndexMode::kPromise, true);
  Dims shape(batch);
  shape.push_back(rows());
  shape.push_back(cols());
  return lax::reshape(dense, shape);
}

namespace api {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::int64_t total_size(std::span<const Array> arrays) {
  std::int64_t n = 0;
  for (const Array& a : arrays) n += a.size();
  return n;
}

std::string size_str(std::int64_t rows, std::int64_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

// The gradient of a scalar result by the chosen leaves, as a function that can be differentiated again.
FlatFunction gradient_of(const SparseProblem& p) {
  return [p](std::span<const Array> args, Arrays& outs) {
    transforms::Linearized lin = transforms::linearize(
        [&](std::span<const Array> a, Arrays& o) {
          p.f(a, o);
          check_grad_output(p.what, o.empty() ? Array() : o[0]);
        },
        args, p.which, p.name);
    const Array one = Array::full({}, lin.outs[0].dtype(), Scalar(1.0));
    const Arrays gradient = pull_back(std::move(lin), p.which, {&one, 1});
    for (std::size_t i = 0; i < args.size(); ++i)
      if (p.which[i]) outs.push_back(gradient[i].defined() ? gradient[i] : zeros_of(args[i].aval()));
  };
}

// A derivative that is to be computed entry by entry.
struct Derivative {
  const SparseProblem& problem;
  transforms::Linearized lin;
  Arrays inputs;
  SparsityPattern pattern;

  std::int64_t rows() const { return total_size(lin.outs); }
  std::int64_t cols() const { return total_size(inputs); }
  DType dtype() const { return lin.outs[0].dtype(); }
};

// The function as a program, with what is known of its inputs.
struct Program {
  Staged staged;
  std::vector<bool> differentiated;
  Arrays inputs;

  Program(const SparseProblem& p, const FlatFunction& f) {
    const ir::Avals types = avals_of(p.leaves);
    staged = stage(f, types, p.name);
    differentiated.assign(staged.captured.size(), false);
    differentiated.insert(differentiated.end(), p.which.begin(), p.which.end());
    inputs = staged.captured;
    inputs.append(p.leaves.begin(), p.leaves.end());
  }
  SparsityPattern pattern() const { return transforms::jacobian_sparsity(staged.jaxpr, differentiated, inputs); }
  transforms::Linearized linearized() const {
    const auto lin = transforms::linearize_jaxpr(staged.jaxpr, differentiated);
    transforms::Linearized r;
    eval_jaxpr(lin->primal, inputs, r.outs);
    const std::size_t num_outs = lin->has_tangent.size();
    r.residuals = Arrays(std::span<const Array>(r.outs).subspan(num_outs));
    r.outs.resize(num_outs);
    r.tangent = lin->tangent;
    r.has_tangent = lin->has_tangent;
    return r;
  }
};

// `symmetric`: f is a gradient.
Derivative derivative_of(const SparseProblem& p, const FlatFunction& f, const SparseOptions& options, bool symmetric) {
  Derivative d{p, {}, {}, {}};
  for (std::size_t i = 0; i < p.leaves.size(); ++i)
    if (p.which[i]) d.inputs.push_back(p.leaves[i]);
  if (options.pattern) {
    d.lin = transforms::linearize(f, p.leaves, p.which, p.name);
    d.pattern = *options.pattern;
  } else {
    const Program program(p, f);
    d.pattern = symmetric ? transforms::symmetric_part(program.pattern()) : program.pattern();
    d.lin = program.linearized();
  }
  return d;
}

// ---- checks ----

void check_derivative(const Derivative& d, const SparseOptions& options, bool symmetric) {
  const std::string op(d.problem.what);
  if (d.lin.outs.empty())
    throw ShapeError(op + ": the function must return an array; got no arrays (a default-constructed one is none).");
  check_jacobian(true, d.problem.what, d.inputs, d.lin.outs, false);
  for (const Array& y : d.lin.outs)
    if (y.dtype() != d.dtype())
      throw DTypeError(op + ": " + (symmetric ? "differentiated leaves" : "results") + " must have one dtype; got " +
                           d.lin.outs[0].aval().str() + " and " + y.aval().str() + ".",
                       "convert them with astype.");
  if (d.pattern.rows() != d.rows() || d.pattern.cols() != d.cols())
    throw ShapeError(op + ": the pattern must have " +
                     (symmetric ? "a row and a column for each element of the argument"
                                : "a row for each element of the result and a column for each of the argument") +
                     "; got " + size_str(d.pattern.rows(), d.pattern.cols()) + " for " + size_str(d.rows(), d.cols()) +
                     ".");
  if (!symmetric) return;
  if (options.mode != JacobianMode::kAutomatic)
    throw ValueError(op + ": there is one mode, forward over reverse; got another.", "leave the mode out.");
  if (!options.pattern) return;
  for (std::int64_t i = 0; i < d.pattern.rows(); ++i)
    for (const std::int64_t j : d.pattern.row(i))
      if (!d.pattern.contains(j, i))
        throw ValueError(op + ": the pattern must be symmetric; got (" + std::to_string(i) + ", " + std::to_string(j) +
                         ") without (" + std::to_string(j) + ", " + std::to_string(i) + ").");
}

// ---- products of the derivative, or its transpose, with vectors ----

// Tangents of the inputs to those of the results: J v.
void push(const Derivative& d, std::span<const Array> tangents, Arrays& outs) {
  Arrays args = d.lin.residuals, results;
  args.append(tangents.begin(), tangents.end());
  eval_jaxpr(d.lin.tangent, args, results);
  std::size_t next = 0;
  for (std::size_t i = 0; i < d.lin.outs.size(); ++i)
    outs.push_back(d.lin.has_tangent[i] ? results[next++] : zeros_of(d.lin.outs[i].aval()));
}

// Cotangents of the results to those of the inputs: J^T u.
void pull(const Derivative& d, std::span<const Array> cts, Arrays& outs) {
  const Arrays results = pull_back(d.lin, std::vector<bool>(d.inputs.size(), true), cts);
  for (std::size_t i = 0; i < d.inputs.size(); ++i)
    outs.push_back(results[i].defined() ? results[i] : zeros_of(d.inputs[i].aval()));
}

// For each array of `like` the part of [colors, elements...] that marks the elements of each colour.
Arrays indicators(const Coloring& coloring, std::span<const Array> like) {
  Arrays r;
  std::int64_t begin = 0;
  for (const Array& x : like) {
    const Dims matrix{coloring.num_colors, x.size()};
    const Array colors =
        Array::from_span(std::span<const std::int32_t>(coloring.colors).subspan(at(begin), at(x.size())), {x.size()});
    const Array marks = lax::eq(lax::iota(i32, matrix, 0), lax::broadcast_in_dim(colors, matrix, Dims{1}));
    Dims shape(x.shape());
    shape.insert(shape.begin(), coloring.num_colors);
    r.push_back(lax::reshape(lax::convert(marks, x.dtype()), shape));
    begin += x.size();
  }
  return r;
}

// All products with indicators, [colors, elements of the other side] in one array, of the derivative's dtype.
Array products(const Derivative& d, bool forward, const Coloring& coloring) {
  const Arrays &from = forward ? d.inputs : d.lin.outs, &to = forward ? d.lin.outs : d.inputs;
  const Arrays seeds = indicators(coloring, from);
  const Bdims front(seeds.size(), 0);
  Arrays results, blocks;
  Bdims bdims;
  transforms::vmap([&](std::span<const Array> v, Arrays& outs) { forward ? push(d, v, outs) : pull(d, v, outs); },
                   seeds, front, MappedAxis{coloring.num_colors}, d.problem.name, results, bdims);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Array block = ops::bdim_to_front(results[i], bdims[i], coloring.num_colors);
    blocks.push_back(lax::convert(lax::reshape(block, Dims{coloring.num_colors, to[i].size()}), d.dtype()));
  }
  return lax::concatenate(blocks, 1);
}

// Elements `positions` of a matrix.
Array elements_at(const Array& matrix, const std::vector<std::int64_t>& positions) {
  return lax::gather(lax::reshape(matrix, Dims{matrix.size()}),
                     Array::from_vector(positions, {static_cast<std::int64_t>(positions.size()), 1}),
                     {.collapsed_slice_dims = {0}, .start_index_map = {0}}, Dims{1}, IndexMode::kPromise);
}

// ---- a random product, compared ----

// Numbers of either sign, none near zero, the same ones always.
std::vector<double> random_direction(std::int64_t n) {
  std::vector<double> r;
  std::uint64_t state = 0x9e3779b97f4a7c15u;
  for (std::int64_t i = 0; i < n; ++i) {
    state = hash_mix(state, static_cast<std::uint64_t>(i));
    const double magnitude = 0.5 + static_cast<double>(state >> 12) / static_cast<double>(std::uint64_t{1} << 52);
    r.push_back(state & 1 ? magnitude : -magnitude);
  }
  return r;
}

// Reals as they are; of a complex number one that is zero when it is.
std::vector<double> as_doubles(const Array& x) {
  Array y = x;
  if (is_complex(x.dtype())) {
    const Array im = lax::imag(x);
    y = lax::add(lax::real(x), lax::multiply(im, 0.61803398874989485));
  }
  return lax::convert(y, f64).to_vector<double>();
}

std::vector<double> apply(const Derivative& d, bool forward, const std::vector<double>& direction) {
  Arrays parts, results;
  std::int64_t begin = 0;
  for (const Array& x : forward ? d.inputs : d.lin.outs) {
    const auto part = std::span<const double>(direction).subspan(at(begin), at(x.size()));
    parts.push_back(lax::convert(Array::from_span(part, x.shape()), x.dtype()));
    begin += x.size();
  }
  forward ? push(d, parts, results) : pull(d, parts, results);
  std::vector<double> r;
  for (const Array& y : results) {
    const std::vector<double> more = as_doubles(y);
    r.insert(r.end(), more.begin(), more.end());
  }
  return r;
}

// Throws ValueError naming an entry of the derivative that the pattern lacks, if a product shows that there is one.
void check_pattern(const Derivative& d, bool forward, const Array& entries) {
  if (const Tracer* t = unknown_tracer(entries, d.problem.what))
    throw concretization_error(*t,
                               std::string(d.problem.what) +
                                   ": `check` looks at the entries, which must be known; got " + unknown_str(*t) + ".",
                               "check once outside of the transformation, and leave `check` out inside.");
  const std::vector<double> values = as_doubles(entries);
  const std::vector<std::int64_t> rows = d.pattern.row_indices();
  const std::int64_t n = forward ? d.cols() : d.rows();
  const std::vector<double> direction = random_direction(n), product = apply(d, forward, direction);
  std::vector<double> expected(product.size(), 0), scale(product.size(), 0);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const std::int64_t i = rows[k], j = d.pattern.columns()[k];
    const double term = values[k] * direction[at(forward ? j : i)];
    expected[at(forward ? i : j)] += term;
    scale[at(forward ? i : j)] += std::abs(term);
  }
  const bool narrow = d.dtype() == f32 || d.dtype() == c64, wide = d.dtype() == f64 || d.dtype() == c128;
  const double tolerance = wide ? 1e-8 : narrow ? 1e-4 : 0.1;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(product.size()); ++i) {
    if (!(std::abs(product[at(i)] - expected[at(i)]) > tolerance * scale[at(i)])) continue;
    // Line i has something where the pattern has nothing; halves of what is left lead there.
    std::vector<std::int64_t> left;
    for (std::int64_t j = 0; j < n; ++j)
      if (!d.pattern.contains(forward ? i : j, forward ? j : i)) left.push_back(j);
    const auto along = [&](std::size_t begin, std::size_t end) {
      std::vector<double> some(at(n), 0);
      for (std::size_t k = begin; k < end; ++k) some[at(left[k])] = direction[at(left[k])];
      return apply(d, forward, some)[at(i)];
    };
    std::size_t begin = 0, end = left.size();
    if (end == 0 || along(begin, end) == 0) continue;  // rounding, or NaN
    while (end - begin > 1) {
      const std::size_t middle = begin + (end - begin) / 2;
      along(begin, middle) != 0 ? end = middle : begin = middle;
    }
    const std::int64_t j = left[begin], row = forward ? i : j, col = forward ? j : i;
    throw ValueError(std::string(d.problem.what) +
                         ": the pattern must have every entry that is not zero; got none at (" + std::to_string(row) +
                         ", " + std::to_string(col) + ").",
                     "leave the pattern out, and it is found from the program.");
  }
}

std::int64_t longest_row(const SparsityPattern& p) {
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < p.rows(); ++i) n = std::max(n, static_cast<std::int64_t>(p.row(i).size()));
  return n;
}
std::int64_t longest_column(const SparsityPattern& p) {
  std::vector<std::int64_t> lengths(at(p.cols()), 0);
  for (const std::int64_t j : p.columns()) ++lengths[at(j)];
  return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
}

// Whether forward mode takes no more passes than reverse mode, or is the only one.
bool forward_is_better(const Derivative& d) {
  if (transforms::only_transposes(d.lin.tangent)) return false;
  if (is_complex(d.dtype()) || transforms::only_runs_forward(d.lin.tangent)) return true;
  // Columns need as many colours as the longest row has entries, and finding them costs the square of that; so the
  // side that needs fewer comes first, and the other only if it could still win.
  const SparsityPattern& p = d.pattern;
  const std::int64_t row = longest_row(p), column = longest_column(p);
  if (row <= column && p.column_coloring().num_colors <= column) return true;
  if (column < row && p.row_coloring().num_colors < row) return false;
  return p.column_coloring().num_colors <= p.row_coloring().num_colors;
}

}  // namespace

SparseMatrix sparse_jacobian(const SparseProblem& p, const SparseOptions& options) {
  const Derivative d = derivative_of(p, p.f, options, false);
  check_derivative(d, options, false);
  const bool forward =
      options.mode == JacobianMode::kAutomatic ? forward_is_better(d) : options.mode == JacobianMode::kForward;
  if (!forward) check_jacobian(false, p.what, d.inputs, d.lin.outs, false);
  const Coloring& coloring = forward ? d.pattern.column_coloring() : d.pattern.row_coloring();
  Array values = zeros_of(Aval(d.dtype(), Dims{0}));
  if (d.pattern.nnz() > 0) {
    std::vector<std::int64_t> positions;
    positions.reserve(at(d.pattern.nnz()));
    for (std::int64_t i = 0; i < d.rows(); ++i)
      for (const std::int64_t j : d.pattern.row(i))
        positions.push_back(forward ? coloring.colors[at(j)] * d.rows() + i : coloring.colors[at(i)] * d.cols() + j);
    values = elements_at(products(d, forward, coloring), positions);
  }
  if (options.check) check_pattern(d, forward, values);
  return SparseMatrix(d.pattern, values);
}

SparseMatrix sparse_hessian(const SparseProblem& p, const SparseOptions& options) {
  const Derivative d = derivative_of(p, gradient_of(p), options, true);
  check_derivative(d, options, true);
  const Coloring& coloring = d.pattern.symmetric_coloring();
  Array values = zeros_of(Aval(d.dtype(), Dims{0}));
  if (d.pattern.nnz() > 0)
    values = elements_at(products(d, true, coloring), transforms::symmetric_positions(d.pattern, coloring));
  if (options.check) check_pattern(d, true, values);
  return SparseMatrix(d.pattern, values);
}

SparsityPattern pattern_of_jacobian(const SparseProblem& p) { return Program(p, p.f).pattern(); }

SparsityPattern pattern_of_hessian(const SparseProblem& p) {
  return transforms::symmetric_part(Program(p, gradient_of(p)).pattern());
}

Arrays hessian_product(const SparseProblem& p, std::span<const Array> tangents) {
  Arrays gradient, products, r;
  transforms::jvp(gradient_of(p), p.leaves, tangents, p.name, gradient, products);
  std::size_t next = 0;
  for (const bool chosen : p.which) r.push_back(chosen ? products[next++] : Array());
  return r;
}

}  // namespace api
}  // namespace weft

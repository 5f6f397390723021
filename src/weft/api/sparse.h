// jacobian_sparse, hessian_sparse: all derivatives that are not zero, in few passes; hvp: the Hessian times a vector.
//
// The pattern comes from the program (transforms/sparsity.h) or from the user, a colouring of it
// (transforms/coloring.h) says which columns one pass can compute together, and vmap runs the passes.
// Rows and columns count elements: those of each array in row-major order, the leaves of a tree in their order.
#pragma once

#include "weft/api/grad.h"
#include "weft/transforms/sparsity_pattern.h"

namespace weft {

/// A matrix of which only the entries of a pattern are kept. The pattern is data; the values are an array, traced,
/// differentiated and batched like any other, so that a SparseMatrix is a tree with one leaf.
class SparseMatrix {
 public:
  /// 0 x 0.
  SparseMatrix() = default;
  /// `values`, [nnz], are those of the pattern's entries, by row and then by column. ShapeError when their number
  /// differs.
  SparseMatrix(SparsityPattern pattern, Array values, SourceLocation loc = std::source_location::current());

  const SparsityPattern& pattern() const { return pattern_.value; }
  /// [nnz], and in front of it the axes that vmap added.
  const Array& values() const { return values_; }
  std::int64_t rows() const { return pattern().rows(); }
  std::int64_t cols() const { return pattern().cols(); }
  Dims shape() const { return {rows(), cols()}; }
  std::int64_t nnz() const { return pattern().nnz(); }
  /// Row and column of each value: coordinate form (scipy.sparse.coo_matrix).
  std::vector<std::int64_t> row_indices() const { return pattern().row_indices(); }
  std::span<const std::int64_t> col_indices() const { return pattern().columns(); }
  /// Where each row begins, and the end: with col_indices and values, compressed rows (scipy.sparse.csr_matrix).
  std::span<const std::int64_t> offsets() const { return pattern().offsets(); }

  /// [rows, cols], zero where there is no entry.
  Array to_dense(SourceLocation loc = std::source_location::current()) const;

  WEFT_TREE(pattern_, values_)

 private:
  StaticArg<SparsityPattern> pattern_;
  Array values_;
};

/// How jacobian_sparse computes its products: columns together (forward), rows together (reverse), or as needs fewer
/// passes.
enum class JacobianMode : std::uint8_t { kAutomatic, kForward, kReverse };

struct SparseOptions {
  /// Where the derivative may be other than zero. Left out, it is found from the program, which is traced for that as
  /// jit does it. An entry that the pattern lacks makes others wrong: see `check`.
  std::optional<SparsityPattern> pattern = {};
  /// hessian_sparse takes kAutomatic only.
  JacobianMode mode = JacobianMode::kAutomatic;
  /// Compares one product with a random vector, and throws ValueError naming an entry that the pattern lacks. Needs
  /// values: ConcretizationError inside of jit.
  bool check = false;
};

namespace api {

/// A function to differentiate by some of its leaves.
struct SparseProblem {
  const char* what;
  const std::string& name;
  const FlatFunction& f;
  std::span<const Array> leaves;
  const std::vector<bool>& which;
};
SparseMatrix sparse_jacobian(const SparseProblem& problem, const SparseOptions& options);
SparseMatrix sparse_hessian(const SparseProblem& problem, const SparseOptions& options);
SparsityPattern pattern_of_jacobian(const SparseProblem& problem);
SparsityPattern pattern_of_hessian(const SparseProblem& problem);
/// One for each leaf: none for those that are not differentiated.
Arrays hessian_product(const SparseProblem& problem, std::span<const Array> tangents);

template <std::size_t kArg, bool kScalar, class Use, class F, class... A>
auto with_problem(const char* what, const std::string& name, Use&& use, F& f, A&&... args) {
  auto pack = prepare<F>(std::forward<A>(args)...);
  static_assert(kArg < sizeof...(A), "the argument number is out of range");
  check_differentiable(std::get<kArg>(pack));
  const Arrays leaves = tree::leaves(pack);
  const std::vector<bool> which = argument_leaves<kArg>(pack);
  Callable<F, decltype(pack)> call(f, pack);
  if constexpr (kScalar)
    static_assert(std::is_same_v<typename decltype(call)::Result, Array>,
                  "hessian_sparse: the function must return its scalar result as an Array");
  const FlatFunction flat = call.flat();
  return with_note(name, [&] {
    check_grad_inputs(what, path_leaves(pack, "args"), which);
    return use(SparseProblem{what, name, flat, leaves, which});
  });
}

}  // namespace api

/// The Jacobian of f's result by argument kArg as a sparse matrix: J[i, j] = d result[i] / d argument[j], of the dtype
/// of the result. It takes as many forward (reverse) passes as the columns (rows) need colours, a number that for
/// banded and stencil-like functions does not depend on their size.
///
///   const SparseMatrix j = jacobian_sparse(f)(x);
///   const auto j_of = jit(jacobian_sparse(f));           // finds pattern and colours once
///   jacobian_sparse(f, {.pattern = j.pattern()})(x2);    // uses them again
///
/// Argument and result may be trees. The argument must be real; results are real, or complex in forward mode, and of
/// one dtype (DTypeError). ShapeError when the pattern has not the size of the Jacobian.
template <std::size_t kArg = 0, class F>
auto jacobian_sparse(F&& f, SparseOptions options = {}, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), options = std::move(options),
          name = api::transform_name("jacobian_sparse(f)", loc)](auto&&... args) {
    return api::with_problem<kArg, false>(
        "jacobian_sparse", name, [&](const api::SparseProblem& p) { return api::sparse_jacobian(p, options); }, f,
        std::forward<decltype(args)>(args)...);
  };
}

/// The Hessian of f's scalar result by argument kArg, H[i, j] = d2 f / dx[i] dx[j], from as many products with vectors
/// (forward over reverse) as a star colouring needs. The pattern must be symmetric (ValueError), and H is taken to be:
/// where custom rules make a gradient that is none, use jacobian_sparse(grad(f)).
template <std::size_t kArg = 0, class F>
auto hessian_sparse(F&& f, SparseOptions options = {}, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), options = std::move(options),
          name = api::transform_name("hessian_sparse(f)", loc)](auto&&... args) {
    return api::with_problem<kArg, true>(
        "hessian_sparse", name, [&](const api::SparseProblem& p) { return api::sparse_hessian(p, options); }, f,
        std::forward<decltype(args)>(args)...);
  };
}

/// The pattern that jacobian_sparse would find. It holds for all values of the differentiated argument, and for the
/// given values of the others (of those that are abstract() or traced, for all). Errors: ConcretizationError for a
/// function that looks at values; ValueError for a derivative with more than 2^28 entries.
template <std::size_t kArg = 0, class F>
auto jacobian_sparsity(F&& f, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)),
          name = api::transform_name("jacobian_sparsity(f)", loc)](auto&&... args) {
    return api::with_problem<kArg, false>("jacobian_sparsity", name, api::pattern_of_jacobian, f,
                                          std::forward<decltype(args)>(args)...);
  };
}

/// The pattern that hessian_sparse would find.
template <std::size_t kArg = 0, class F>
auto hessian_sparsity(F&& f, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)),
          name = api::transform_name("hessian_sparsity(f)", loc)](auto&&... args) {
    return api::with_problem<kArg, true>("hessian_sparsity", name, api::pattern_of_hessian, f,
                                         std::forward<decltype(args)>(args)...);
  };
}

/// The Hessian of f's scalar result times a vector, forward over reverse, at the cost of a few gradients:
/// sum_j d2 f / dx[i] dx[j] v[j] over all float and complex leaves of all arguments, in their structure. `primals` and
/// `tangents` are tuples of arguments, or one argument, and so is the result. Integer leaves have none. Errors as of
/// jvp and grad.
template <class F, class P, class T>
auto hvp(F&& f, P&& primals, T&& tangents, SourceLocation loc = std::source_location::current()) {
  auto pack = std::apply([&](auto&&... a) { return api::prepare<F>(a...); }, api::as_tuple(primals));
  auto tangent_pack =
      std::apply([&](auto&&... a) { return api::prepare<F>(a...); }, api::as_tuple(std::forward<T>(tangents)));
  static_assert(std::is_same_v<decltype(pack), decltype(tangent_pack)>,
                "hvp: tangents must have the types of the primals");
  const std::string name = api::transform_name("hvp(f)", loc);
  const Arrays leaves = tree::leaves(pack);
  Arrays tangent_leaves;
  {
    const LocationScope scope(loc, "hvp");
    tangent_leaves =
        api::match_tangents("hvp", api::path_leaves(pack, "primals"), api::path_leaves(tangent_pack, "tangents"));
  }
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  static_assert(std::is_same_v<typename decltype(call)::Result, Array>,
                "hvp: the function must return its scalar result as an Array");
  const FlatFunction flat = call.flat();
  const std::vector<bool> which = api::inexact_leaves(leaves);
  const Arrays products = api::with_note(
      name, [&] { return api::hessian_product(api::SparseProblem{"hvp", name, flat, leaves, which}, tangent_leaves); });
  auto result = api::cotangent_tree(pack, products);
  if constexpr (api::is_tuple_v<std::decay_t<P>>)
    return result;
  else
    return std::get<0>(std::move(result));
}

}  // namespace weft

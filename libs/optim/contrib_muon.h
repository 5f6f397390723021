// Muon: momentum made orthogonal (Jordan, 2024; Bernstein and Newhouse, "Old Optimizer, New Norm", 2024).
#pragma once

#include <array>

#include "optim/optimizers.h"

namespace weft::optim::contrib {

/// Which axes of an array make the rows and the columns of the matrix that it is; other axes number matrices.
struct MuonDimensionNumbers {
  std::vector<int> reduction_axes = {0};
  std::vector<int> output_axes = {1};
};
/// For each leaf the axes, or none when it is no matrix.
using MuonDimensions = PerLeaf<std::optional<MuonDimensionNumbers>>;

/// Coefficients (a, b, c) of X <- a X + (b A + c A A) X, A = X X^T.
using NewtonSchulzCoefficients = std::vector<std::array<double, 3>>;

struct NewtonSchulzOptions {
  /// One triple for all steps, or one for each, and then `steps` does not count.
  NewtonSchulzCoefficients coefficients = {{3.4445, -4.7750, 2.0315}};
  int steps = 5;
  Hyperparam eps = 1e-8;
  MuonDimensionNumbers dimensions = {};
  /// What the steps compute in; without, what x has. Jordan (2024) has bf16, which is faster.
  std::optional<DType> dtype = {};
};
/// About U V^T, when x = U S V^T for the matrices of x: singular values come near to 1, between 0.5 and 1.5. x is
/// divided by its norm (plus eps) and goes through the steps, transposed where it has more rows than columns.
/// ShapeError for less than two axes, IndexError for axes out of range, ValueError for axes that are used twice, and
/// for a dtype beside complex x; DTypeError for a dtype that is not floating-point.
Array orthogonalize_via_newton_schulz(const Array& x, NewtonSchulzOptions options = {},
                                      SourceLocation loc = std::source_location::current());

template <class P>
struct MuonState {
  Array count;  ///< steps taken, i32[]
  P mu;
};
struct ScaleByMuonOptions {
  NewtonSchulzCoefficients ns_coeffs = {{3.4445, -4.7750, 2.0315}};
  int ns_steps = 5;
  Hyperparam beta = 0.95;
  Hyperparam eps = 1e-8;
  std::optional<DType> mu_dtype = {};
  std::optional<DType> ns_dtype = {};  ///< of the Newton-Schulz steps: NewtonSchulzOptions::dtype
  bool nesterov = true;
  bool adaptive = false;  ///< times the dual norm <m, u> of what was made orthogonal
  MuonDimensions dimensions = MuonDimensions(MuonDimensionNumbers());
};
/// m = beta m + (1 - beta) u with Adam's correction (and Nesterov's look ahead), made orthogonal. Errors of update:
/// those of OnTrees, and of orthogonalize_via_newton_schulz.
struct ScaleByMuon {
  ScaleByMuonOptions options;

  template <class P>
  MuonState<P> init(const P& params, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "scale_by_muon");
    return {zero_count(), tree::with_leaves(params, detail::zeros_like(detail::leaves_of(params), options.mu_dtype))};
  }
  template <class P>
  std::pair<P, MuonState<P>> update(P updates, MuonState<P> state, const P& params,
                                    SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "scale_by_muon");
    tree::check_same_structure("scale_by_muon", updates, params);
    tree::check_same_structure("scale_by_muon", updates, state.mu);
    Leaves u = detail::leaves_of(updates), mu = detail::leaves_of(state.mu);
    const auto path = [&](std::size_t i) { return detail::leaf_path(updates, i); };
    detail::check_inexact("scale_by_muon", "updates", u, path);
    detail::check_shapes("scale_by_muon", "updates", u, "parameters", detail::leaves_of(params), path);
    detail::check_shapes("scale_by_muon", "updates", u, "state", mu, path);
    state.count = safe_increment(state.count);
    step(u, mu, state.count, options.dimensions.of("scale_by_muon", params));
    state.mu = tree::with_leaves(std::move(state.mu), mu);
    return {tree::with_leaves(std::move(updates), u), std::move(state)};
  }

 private:
  void step(Leaves& u, Leaves& mu, const Array& count,
            const std::vector<std::optional<MuonDimensionNumbers>>& dimensions) const;
};
/// ValueError unless there are coefficients, ns_steps is positive, beta in [0, 1) and eps 0 or more.
ScaleByMuon scale_by_muon(ScaleByMuonOptions options = {}, SourceLocation loc = std::source_location::current());

/// u = sqrt(max(1, out / in)) u for each matrix, whose axes have `in` and `out` elements; with consistent_rms
/// consistent_rms sqrt(max(in, out)) u (Liu et al., "Muon is Scalable for LLM Training", 2025).
struct ScaleByShape {
  MuonDimensions dimensions = MuonDimensions(MuonDimensionNumbers());
  std::optional<Hyperparam> consistent_rms = {};

  template <class P>
  EmptyState init(const P&) const {
    return {};
  }
  template <class P>
  std::pair<P, EmptyState> update(P updates, EmptyState, const P& params,
                                  SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "scale_by_shape");
    tree::check_same_structure("scale_by_shape", updates, params);
    Leaves u = detail::leaves_of(updates);
    step(u, dimensions.of("scale_by_shape", params));
    return {tree::with_leaves(std::move(updates), u), {}};
  }

 private:
  void step(Leaves& u, const std::vector<std::optional<MuonDimensionNumbers>>& dimensions) const;
};
/// ValueError when consistent_rms is negative.
ScaleByShape scale_by_shape(ScaleByShape options = {}, SourceLocation loc = std::source_location::current());

/// What leaves muon takes when nothing else is said: those with two axes.
std::optional<MuonDimensionNumbers> two_axes(const std::string& path, const Array& leaf);

struct MuonOptions {
  NewtonSchulzCoefficients ns_coeffs = {{3.4445, -4.7750, 2.0315}};
  int ns_steps = 5;
  Hyperparam beta = 0.95;
  Hyperparam eps = 1e-8;
  Hyperparam weight_decay = 0;
  Mask weight_decay_mask = true;
  std::optional<DType> mu_dtype = {};
  std::optional<DType> ns_dtype = {};
  bool nesterov = true;
  bool adaptive = false;
  Hyperparam adam_b1 = 0.9;
  Hyperparam adam_b2 = 0.999;
  Hyperparam adam_eps_root = 0;
  Hyperparam adam_weight_decay = 0;
  MuonDimensions muon_weight_dimension_numbers = two_axes;  ///< none for leaves that are adam's
  std::optional<Hyperparam> consistent_rms = {};
};
using Muon =
    Partition<Chain<ScaleByMuon, ScaleByShape, Masked<OnTrees<AddDecayedWeights>>, OnTrees<ScaleByLearningRate>>,
              DecayedDescent<ScaleByAdam>>;
/// Matrices by scale_by_muon, other parameters by adamw (Jordan, 2024). ValueError for hyperparameters out of range.
Muon muon(ScalarOrSchedule learning_rate, MuonOptions options = {},
          SourceLocation loc = std::source_location::current());

}  // namespace weft::optim::contrib

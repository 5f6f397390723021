// Updates kept within bounds: elementwise, by norms, for each example. u are the updates.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

/// u = min(max(u, -max_delta), max_delta).
struct Clip {
  static constexpr const char* kName = "clip";
  Hyperparam max_delta = 1;
  void update(Leaves& u, const Leaves& params) const;
};
/// ValueError for a negative bound. DTypeError, when it runs, for complex updates.
OnTrees<Clip> clip(Hyperparam max_delta, SourceLocation loc = std::source_location::current());

/// u = u max_norm / |u| unless |u| < max_norm, with the norm over all leaves (Pascanu et al., 2012).
struct ClipByGlobalNorm {
  static constexpr const char* kName = "clip_by_global_norm";
  Hyperparam max_norm = 1;
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<ClipByGlobalNorm> clip_by_global_norm(Hyperparam max_norm,
                                              SourceLocation loc = std::source_location::current());

/// u = u / max(1, sqrt(mean |u|^2) / threshold) for each leaf.
struct ClipByBlockRms {
  static constexpr const char* kName = "clip_by_block_rms";
  Hyperparam threshold = 1;
  void update(Leaves& u, const Leaves& params) const;
};
/// ValueError unless the threshold is positive.
OnTrees<ClipByBlockRms> clip_by_block_rms(Hyperparam threshold, SourceLocation loc = std::source_location::current());

/// For each unit u = u m / |u| unless |u| < m, where m = clipping max(|p|, eps) of its parameters p (Brock et al.,
/// 2021). A unit is what `axes` run over: all of a vector, axis 0 of matrices and of three axes, axes 0 to 2 of four.
struct AdaptiveGradClip {
  static constexpr const char* kName = "adaptive_grad_clip";
  Hyperparam clipping = 0.01;
  Hyperparam eps = 1e-3;
  std::vector<int> axes = {};  ///< others than those, for all leaves
  void update(Leaves& u, const Leaves& params) const;
};
struct AdaptiveGradClipOptions {
  Hyperparam eps = 1e-3;
  std::vector<int> axes = {};
};
/// ShapeError, when it runs, for leaves of more than four axes, unless axes are given; IndexError for axes out of
/// range.
OnTrees<AdaptiveGradClip> adaptive_grad_clip(Hyperparam clipping, AdaptiveGradClipOptions options = {},
                                             SourceLocation loc = std::source_location::current());

/// sqrt(sum |x|^2) over each unit as above, repeated to x's shape; f32, or f64 of 64-bit numbers.
Array unitwise_norm(const Array& x, const std::vector<int>& axes = {},
                    SourceLocation loc = std::source_location::current());

// ---- gradients of examples, along the first axes of all leaves ----

namespace detail {
/// ShapeError unless all leaves have one first axis.
std::int64_t check_examples(const char* what, const Leaves& grads);
/// The sums over the examples, in place, of g min(1, bound / |g|), and the number of examples with |g| > bound.
/// Computed and given in the bound's dtype: rounded to 16 bits, factors would let norms exceed the bound.
Array clip_examples(Leaves& grads, const Array& bound);
/// The same for each leaf, with a share of the bound: by 1 / sqrt(leaves), or by the share of the elements.
Leaves clip_examples_by_leaf(Leaves& grads, const Hyperparam& bound, bool uniform);
/// The sums in the dtypes of the gradients; of integers as they are.
Leaves sums_in_dtypes_of(const Leaves& grads, const Leaves& sums);
}  // namespace detail

/// The sum over the examples b of g[b] min(1, l2_norm_clip / |g[b]|), with the norm over all leaves, and the number of
/// those that were clipped, i32[] (Abadi et al., 2016). ShapeError unless the leaves have one first axis.
template <class P>
std::pair<P, Array> per_example_global_norm_clip(const P& grads, const Hyperparam& l2_norm_clip,
                                                 SourceLocation loc = std::source_location::current()) {
  const detail::Require check("per_example_global_norm_clip", loc);
  check.not_negative("l2_norm_clip", l2_norm_clip);
  const Leaves g = detail::leaves_of(grads);
  detail::check_examples("per_example_global_norm_clip", g);
  Leaves sums = g;
  Array clipped = detail::clip_examples(sums, l2_norm_clip.in(detail::precision(g)));
  return {tree::with_leaves(grads, detail::sums_in_dtypes_of(g, sums)), std::move(clipped)};
}

/// The same for each leaf by itself, with bounds C / sqrt(K) for K leaves, or C sqrt(D_i / D) unless `uniform`, where
/// D_i of the D parameters are in the leaf; the numbers are a tree (McMahan et al., 2017).
template <class P>
std::pair<P, P> per_example_layer_norm_clip(const P& grads, const Hyperparam& global_l2_norm_clip, bool uniform = true,
                                            SourceLocation loc = std::source_location::current()) {
  const detail::Require check("per_example_layer_norm_clip", loc);
  check.not_negative("global_l2_norm_clip", global_l2_norm_clip);
  const Leaves g = detail::leaves_of(grads);
  detail::check_examples("per_example_layer_norm_clip", g);
  Leaves sums = g;
  const Leaves clipped = detail::clip_examples_by_leaf(sums, global_l2_norm_clip, uniform);
  return {tree::with_leaves(grads, detail::sums_in_dtypes_of(g, sums)), tree::with_leaves(grads, clipped)};
}

}  // namespace weft::optim

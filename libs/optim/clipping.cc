#include "optim/clipping.h"

#include <cmath>

#include "weft/weft.h"

namespace weft::optim {

using detail::abs_squared;
using detail::cast_like;
using detail::Require;
using detail::scaled;
using detail::times;

OnTrees<Clip> clip(Hyperparam max_delta, SourceLocation loc) {
  const Require check("clip", loc);
  check.not_negative("max_delta", max_delta);
  return {{std::move(max_delta)}};
}

void Clip::update(Leaves& u, const Leaves&) const {
  for (Array& x : u) {
    if (is_complex(x.dtype())) throw DTypeError("clip: updates must be real; got " + x.aval().str() + ".");
    const Array bound = max_delta.in(x.dtype());
    x = np::clip(x, -bound, bound);
  }
}

OnTrees<ClipByGlobalNorm> clip_by_global_norm(Hyperparam max_norm, SourceLocation loc) {
  const Require check("clip_by_global_norm", loc);
  check.not_negative("max_norm", max_norm);
  return {{std::move(max_norm)}};
}

void ClipByGlobalNorm::update(Leaves& u, const Leaves&) const {
  const Array size = detail::norm(u);
  const Array most = max_norm.in(size.dtype()), within = size < most;
  const Array factor = most / np::where(size > 0, size, 1.0);
  // Selected, so that updates within the bound stay bit for bit.
  for (Array& x : u) x = detail::choose(within, x, times(x, factor));
}

OnTrees<ClipByBlockRms> clip_by_block_rms(Hyperparam threshold, SourceLocation loc) {
  const Require check("clip_by_block_rms", loc);
  check.positive("threshold", threshold);
  return {{std::move(threshold)}};
}

void ClipByBlockRms::update(Leaves& u, const Leaves&) const {
  for (Array& x : u) {
    const Array rms = detail::safe_rms(x, 0);
    x = times(x, 1.0 / np::maximum(1.0, rms / threshold.in(rms.dtype())));
  }
}

OnTrees<AdaptiveGradClip> adaptive_grad_clip(Hyperparam clipping, AdaptiveGradClipOptions options, SourceLocation loc) {
  const Require check("adaptive_grad_clip", loc);
  check.not_negative("clipping", clipping).not_negative("eps", options.eps);
  return {{std::move(clipping), std::move(options.eps), std::move(options.axes)}};
}

Array unitwise_norm(const Array& x, const std::vector<int>& axes, SourceLocation loc) {
  const LocationScope scope(loc, "unitwise_norm");
  std::vector<int> over = axes;
  // A matrix with one row or column is a vector.
  std::int64_t longest = 1;
  for (const std::int64_t n : x.shape()) longest = std::max(longest, n);
  if (over.empty() && longest != x.size()) {
    if (x.ndim() > 4)
      throw ShapeError("adaptive_grad_clip: parameters must have four axes at most unless axes are given; got " +
                       x.aval().str() + ".");
    over = x.ndim() == 4 ? std::vector<int>{0, 1, 2} : std::vector<int>{0};
  }
  const Array square = over.empty() ? np::sum(abs_squared(x), {}, true) : np::sum(abs_squared(x), over, true);
  return np::broadcast_to(np::sqrt(square), x.shape());
}

void AdaptiveGradClip::update(Leaves& u, const Leaves& params) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array size = unitwise_norm(u[i], axes), p = cast_like(unitwise_norm(params[i], axes), size);
    const Array most = scaled(np::maximum(p, eps.in(p.dtype())), clipping);
    // The smallest divisor only keeps what is not selected from being NaN.
    const Array factor = most / np::maximum(size, 1e-6);
    u[i] = np::where(size < most, u[i], times(u[i], factor));
  }
}

// ---- examples ----

namespace detail {

std::int64_t check_examples(const char* what, const Leaves& grads) {
  if (grads.empty()) throw ValueError(std::string(what) + ": there must be gradients; got none.");
  for (const Array& g : grads)
    if (g.ndim() == 0 || grads[0].ndim() == 0 || g.shape(0) != grads[0].shape(0))
      throw ShapeError(std::string(what) + ": all gradients must have the examples along their first axes; got " +
                       grads[0].aval().str() + " and " + g.aval().str() + ".");
  return grads[0].shape(0);
}

Array clip_examples(Leaves& grads, const Array& bound) {
  const DType t = bound.dtype();
  Array square;
  for (Array& g : grads) {
    g = widened(g, t);
    std::vector<int> axes;
    for (int axis = 1; axis < g.ndim(); ++axis) axes.push_back(axis);
    const Array own = axes.empty() ? abs_squared(g) : np::sum(abs_squared(g), axes);
    square = square.defined() ? square + own : own;
  }
  // An example of norm 0 stays as it is, also under a bound of 0.
  const Array size = np::sqrt(square), some = size > 0;
  const Array factor = np::where(some, np::minimum(bound / np::where(some, size, 1.0), 1.0), 1.0);
  for (Array& g : grads) g = np::tensordot(factor.astype(g.dtype()), g, 1);
  return np::count_nonzero(factor < 1);
}

Leaves clip_examples_by_leaf(Leaves& grads, const Hyperparam& bound, bool uniform) {
  double all = 0;
  for (const Array& g : grads) all += static_cast<double>(g.size());
  Leaves clipped;
  for (Array& g : grads) {
    const double share = uniform ? 1.0 / static_cast<double>(grads.size()) : static_cast<double>(g.size()) / all;
    Leaves one{g};
    clipped.push_back(clip_examples(one, bound.in(precision(one))*std::sqrt(share)));
    g = one[0];
  }
  return clipped;
}

Leaves sums_in_dtypes_of(const Leaves& grads, const Leaves& sums) {
  Leaves r;
  for (std::size_t i = 0; i < sums.size(); ++i)
    r.push_back(is_inexact(grads[i].dtype()) ? cast_like(sums[i], grads[i]) : sums[i]);
  return r;
}

}  // namespace detail

}  // namespace weft::optim

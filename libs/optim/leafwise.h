// Inside the library: trees as flat lists of their arrays, and the arithmetic on these that the update rules share.
// Rules are written on lists, in .cc files: a tree adds nothing to them, and would compile for every model anew. What
// is computed from all leaves together (norms, bias corrections) is f32, or f64 where a leaf is.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "optim/hyperparam.h"
#include "weft/base/function_ref.h"
#include "weft/core/tree.h"

namespace weft::optim {

/// The arrays of a tree that are not none, in order. A vector, so that it is a tree for loops and branches itself.
using Leaves = std::vector<Array>;

namespace detail {

template <class T>
Leaves leaves_of(const T& t) {
  const Arrays all = tree::leaves(t);
  return Leaves(all.begin(), all.end());
}

/// The path of leaf `i`, for errors: ".w", or "the root".
using PathOf = FunctionRef<std::string(std::size_t i)>;
template <class T>
std::string leaf_path(const T& t, std::size_t i) {
  const std::string path = tree::structure(t).paths()[i];
  return path.empty() ? "the root" : path;
}

/// DTypeError unless every leaf is float or complex: in integers all decays would be 0. `noun` says what they are.
void check_inexact(const char* what, const char* noun, const Leaves& leaves, PathOf path);
/// ShapeError unless corresponding leaves have equal shapes: they would broadcast.
void check_shapes(const char* what, const char* noun, const Leaves& leaves, const char* other_noun,
                  const Leaves& others, PathOf path);
bool same_shapes(const Leaves& x, const Leaves& y);
/// TreeError unless a state `fits`: another init made it, or this one's with other options.
void check_state(const char* what, bool fits);

/// A tree whose leaves are f(leaf).
template <class T, class F>
T map_leaves(T t, F&& f) {
  tree::for_each(t, [&](Array& a) { a = f(std::as_const(a)); });
  return t;
}

// ---- one leaf ----

/// f32 for smaller floats, others as they are: what squares, and quotients with a small eps, are computed in. f16 does
/// not hold squares from 256 on, nor those of what is below 2e-4, nor an eps of 1e-8.
DType wide_dtype(DType t);
/// What the state keeps of squares is: real, and f32 for f16, whose range is too small for them.
DType squares_dtype(DType t);
/// In `dtype`, or the complex numbers of it.
Array widened(const Array& x, DType dtype);
/// |x|^2, real and wide.
Array abs_squared(const Array& x);
/// x * factor, rounded once, in x's dtype. The factor is wider, and may be out of the range of x.
Array times(const Array& x, const Array& factor);
/// decay * average + (1 - decay) * x, in the dtype that both promote to.
Array averaged(const Array& average, const Array& x, const Hyperparam& decay);
/// scale * x, in x's dtype.
Array scaled(const Array& x, const Hyperparam& scale);
/// x + y, in x's dtype.
Array plus(const Array& x, const Hyperparam& y);
/// sqrt(sum |x|^2), or `least` where it is not larger; then its derivative is 0, not NaN. f32, or f64 of 64-bit
/// numbers.
Array safe_norm(const Array& x, const Hyperparam& least);
/// sqrt(mean |x|^2), likewise.
Array safe_rms(const Array& x, const Hyperparam& least);
/// x in the dtype that `like` has.
Array cast_like(const Array& x, const Array& like);
/// pred ? x : y, for a bool[] predicate, in y's dtype.
Array choose(const Array& pred, const Array& x, const Array& y);
/// The t[..., 1] that makes the sum of max(x - t, 0) along the last axis 1: those are the point of the probability
/// simplex that is nearest to x (Duchi et al., 2008). x is f32 or f64, at most 0, so that sums lose no digits.
Array simplex_threshold(const Array& x);

/// An average from zero without its bias, m / (1 - b^t), or what Nesterov's momentum puts in its place: average and
/// update one step ahead, b m / (1 - b^(t+1)) + (1 - b) u / (1 - b^t) (Dozat, 2016).
class Numerator {
 public:
  Numerator(const Hyperparam& decay, bool nesterov, const Array& count, DType dtype);
  Array operator()(const Array& m, const Array& u) const;

 private:
  const Hyperparam& decay_;
  Array bias_, next_bias_;  // none: without Nesterov
};

// ---- all leaves: results have the dtypes of the first list unless said ----

Leaves zeros_like(const Leaves& x, std::optional<DType> dtype = {});
/// Zeros for what is made of |x|^2, see squares_dtype.
Leaves zeros_for_squares(const Leaves& x);
Leaves full_like(const Leaves& x, const Hyperparam& value);
Leaves full_for_squares(const Leaves& x, const Hyperparam& value);
/// f64 when a leaf has 64 bits per real number, else f32.
DType precision(const Leaves& leaves);
/// 1 - decay^count in `dtype`, without cancellation; count > 0. What averages from zero lack (Kingma and Ba, section
/// 3).
Array bias_correction(const Hyperparam& decay, const Array& count, DType dtype);
/// sum |x|^2 over all elements of all leaves; its root, with derivative 0 at 0; Re sum conj(x) y; sum x. 0-d, of the
/// precision.
Array squared_norm(const Leaves& x);
Array norm(const Leaves& x);
Array inner_product(const Leaves& x, const Leaves& y);
Array total(const Leaves& x);
/// x + scale * y; `scale` is 0-d.
Leaves add_scaled(const Leaves& x, const Array& scale, const Leaves& y);
/// scale * x.
Leaves scale_all(const Leaves& x, const Array& scale);
/// x + y, rounded once.
Leaves sums_like(const Leaves& x, const Leaves& y);
/// decay * x + (1 - decay) * y.
Leaves averages_like(const Leaves& x, const Leaves& y, const Hyperparam& decay);
/// x - y.
Leaves subtract(const Leaves& x, const Leaves& y);
/// pred ? x : y, in y's dtypes.
Leaves choose(const Array& pred, const Leaves& x, const Leaves& y);
/// x in the dtypes of `like`.
Leaves cast_like(const Leaves& x, const Leaves& like);
/// In their wide dtypes.
Leaves widened(const Leaves& x);
/// x in the dtypes that corresponding leaves of y and z promote to.
Leaves cast_to_promoted(const Leaves& x, const Leaves& y, const Leaves& z);
/// In memory of their own, for what is kept beside the caller's arrays: both may be donated.
Leaves copies(const Leaves& x);
template <class T>
T copy_tree(const T& t) {
  return tree::with_leaves(t, copies(leaves_of(t)));
}
/// (count + 1) mod period.
Array next_of_period(const Array& count, const Hyperparam& period);
/// bool[]: whether a count is a multiple of `period`.
Array is_multiple(const Array& count, std::int64_t period);

/// pred ? x : y, for trees of one structure, in y's dtypes.
template <class T>
T choose_tree(const Array& pred, const T& x, const T& y) {
  return tree::with_leaves(y, choose(pred, leaves_of(x), leaves_of(y)));
}

}  // namespace detail

}  // namespace weft::optim

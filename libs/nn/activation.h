// Activations and the functions around them, with jax.nn's names, formulas and derivatives at kinks.
//
// Elementwise unless said: y[i...] = f(x[i...]). Floats, and complex where a formula has no order; integers become f32
// but where a formula leaves them whole. NaN gives NaN. Functions with parameters stand twice, without them too, so
// that nn::elu is a function of one array. Errors: DTypeError for dtypes that a formula does not take, IndexError for
// axes out of range.
#pragma once

#include "nn/layer.h"
#include "nn/module.h"
#include "weft/core/arg.h"
#include "weft/np/params.h"
#include "weft/np/reductions.h"
#include "weft/np/ufuncs.h"

namespace weft::nn {

using np::tanh;
/// x.
Array identity(const Arg& x);

// ---- kinked ----

/// max(x, 0), with slope 0 at 0 (Bertoin et al., 2021).
Array relu(const Arg& x);
/// min(max(x, 0), 6), with slope 0 at 0 and 6.
Array relu6(const Arg& x);
/// x where x >= 0, else slope x; `slope` is 0.01 unless given.
Array leaky_relu(const Arg& x);
Array leaky_relu(const Arg& x, const Arg& slope);
/// min(max(x, -1), 1), with slope 1 at both ends.
Array hard_tanh(const Arg& x);
/// relu6(x + 3) / 6.
Array hard_sigmoid(const Arg& x);
/// x hard_sigmoid(x). Two names.
Array hard_silu(const Arg& x);
Array hard_swish(const Arg& x);
/// 0 up to -1, (x + 1)^2 / 4 up to 1, then x.
Array sparse_plus(const Arg& x);
/// Its derivative: 0 up to -1, (x + 1) / 2 up to 1, then 1.
Array sparse_sigmoid(const Arg& x);

// ---- exponential ----

/// 1 / (1 + e^-x).
Array sigmoid(const Arg& x);
/// log(sigmoid(x)) = -log(1 + e^-x).
Array log_sigmoid(const Arg& x);
/// log(1 + e^x).
Array softplus(const Arg& x);
/// x sigmoid(x). Two names.
Array silu(const Arg& x);
Array swish(const Arg& x);
/// x tanh(softplus(x)) (Misra, 2019).
Array mish(const Arg& x);
/// x / 2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) when `approximate`, as it is unless told; else x / 2 (1 + erf(x /
/// sqrt(2))) (Hendrycks and Gimpel, 2016).
Array gelu(const Arg& x);
Array gelu(const Arg& x, np::Flag approximate);
/// x where x > 0, else alpha (e^x - 1); `alpha` is 1 unless given.
Array elu(const Arg& x);
Array elu(const Arg& x, const Arg& alpha);
/// x where x > 0, else alpha (e^(x/alpha) - 1): its slope is continuous (Barron, 2017).
Array celu(const Arg& x);
Array celu(const Arg& x, const Arg& alpha);
/// 1.0507... elu(x, 1.6733...): mean 0 and variance 1 are a fixed point (Klambauer et al., 2017).
Array selu(const Arg& x);
/// log(1 - e^-x) for x > 0, accurate near 0 and far out (Maechler, 2012).
Array log1mexp(const Arg& x);

// ---- algebraic ----

/// x / (|x| + 1).
Array soft_sign(const Arg& x);
/// (x + sqrt(x^2 + b)) / 2; `b` is 4 unless given (Barron, 2021).
Array squareplus(const Arg& x);
Array squareplus(const Arg& x, const Arg& b);

// ---- along axes ----

/// a sigmoid(b), where a and b are the halves of x along an axis, the last unless given (Dauphin et al., 2017).
/// ShapeError for an odd size.
Array glu(const Arg& x);
Array glu(const Arg& x, np::Axis axis);

/// What normalising functions may be told beside the axes: nn::softmax(x, -1, {.where = mask}).
struct Masked {
  /// bool (or "not zero"), broadcast to x's shape: which elements count.
  std::optional<Arg> where = {};
};
/// e^x / sum(e^x) along the axes, the last unless given; 0 where `where` does not hold.
Array softmax(const Arg& x);
Array softmax(const Arg& x, const np::AxisArg& axis, const Masked& how = {});
/// log(softmax(x)), -inf where `where` does not hold.
Array log_softmax(const Arg& x);
Array log_softmax(const Arg& x, const np::AxisArg& axis, const Masked& how = {});
using np::logsumexp;
/// log(mean(e^x)) over the axes, all unless given.
Array logmeanexp(const Arg& x, const np::AxisArg& axis = {}, np::Flag keepdims = false);

/// How standardize is told its numbers, else the mean and variance of x, E x^2 - (E x)^2, of what `where` says.
struct Standardization {
  std::optional<Arg> mean = {}, variance = {};
  double epsilon = 1e-5;
  std::optional<Arg> where = {};
};
/// (x - mean) / sqrt(variance + epsilon), along the axes, the last unless given.
Array standardize(const Arg& x);
Array standardize(const Arg& x, const np::AxisArg& axis, const Standardization& how = {});

struct OneHot {
  DType dtype = f32;
  int axis = -1;  // of the result
};
/// y[..., c] = x[...] == c for 0 <= c < num_classes: zeros for other x.
Array one_hot(const Arg& x, np::Integer num_classes, const OneHot& how = {});

// ---- with parameters ----

/// x where x >= 0, else a x, with one parameter "negative_slope" a for all (He et al., 2015).
struct PReLU : Module<PReLU> {
  DType param_dtype = f32;
  double negative_slope_init = 0.01;
  std::string name = {};
  Array call(const Array& x) const;
};

}  // namespace weft::nn

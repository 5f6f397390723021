#include "nn/activation.h"

#include <cmath>
#include <numbers>

#include "weft/weft.h"

namespace weft::nn {

namespace {

// x in floats or complex numbers.
Array inexact(const Arg& x) {
  const Array a = x.array();
  return a.astype(np::inexact_dtype(a.dtype()));
}

}  // namespace

Array identity(const Arg& x) { return x.array(); }

// ---- kinked: by choice, which has the slope of the side that is chosen, and lets NaN go on ----

Array relu(const Arg& x) {
  const LocationScope scope(x.location(), "relu");
  const Array a = x.array();
  return np::where(a <= 0, 0, a);
}
Array relu6(const Arg& x) {
  const LocationScope scope(x.location(), "relu6");
  const Array a = x.array();
  return np::where(a <= 0, 0, np::where(a >= 6, 6, a));
}
Array leaky_relu(const Arg& x) { return leaky_relu(x, 0.01); }
Array leaky_relu(const Arg& x, const Arg& slope) {
  const LocationScope scope(x.location(), "leaky_relu");
  const Array a = inexact(x);
  return np::where(a >= 0, a, slope * a);
}
Array hard_tanh(const Arg& x) {
  const LocationScope scope(x.location(), "hard_tanh");
  const Array a = x.array();
  return np::where(a > 1, 1, np::where(a < -1, -1, a));
}
Array hard_sigmoid(const Arg& x) {
  const LocationScope scope(x.location(), "hard_sigmoid");
  return relu6(inexact(x) + 3) / 6;
}
Array hard_silu(const Arg& x) {
  const LocationScope scope(x.location(), "hard_silu");
  const Array a = inexact(x);
  return a * hard_sigmoid(a);
}
Array hard_swish(const Arg& x) { return hard_silu(x); }
Array sparse_plus(const Arg& x) {
  const LocationScope scope(x.location(), "sparse_plus");
  const Array a = inexact(x);
  return np::where(a <= -1, 0, np::where(a >= 1, a, np::square(a + 1) / 4));
}
Array sparse_sigmoid(const Arg& x) {
  const LocationScope scope(x.location(), "sparse_sigmoid");
  return np::clip(inexact(x) + 1, 0, 2) * 0.5;
}

// ---- exponential ----

Array sigmoid(const Arg& x) {
  const LocationScope scope(x.location(), "sigmoid");
  return lax::logistic(inexact(x));
}
Array log_sigmoid(const Arg& x) {
  const LocationScope scope(x.location(), "log_sigmoid");
  return -softplus(-inexact(x));
}
Array softplus(const Arg& x) {
  const LocationScope scope(x.location(), "softplus");
  return np::logaddexp(inexact(x), 0);
}
Array silu(const Arg& x) {
  const LocationScope scope(x.location(), "silu");
  const Array a = inexact(x);
  return a * lax::logistic(a);
}
Array swish(const Arg& x) { return silu(x); }
Array mish(const Arg& x) {
  const LocationScope scope(x.location(), "mish");
  const Array a = inexact(x);
  return a * np::tanh(softplus(a));
}
Array gelu(const Arg& x) { return gelu(x, true); }
Array gelu(const Arg& x, np::Flag approximate) {
  const LocationScope scope(x.location(), "gelu");
  const Array a = inexact(x);
  if (!approximate) return a * (lax::erf(a / std::numbers::sqrt2) + 1) / 2;
  const double scale = std::sqrt(2 / std::numbers::pi);
  return a * (0.5 * (1 + np::tanh(scale * (a + 0.044715 * (a * a * a)))));
}
// What is not chosen is computed too, and must not overflow: inf times a slope of 0 is NaN.
Array elu(const Arg& x) { return elu(x, 1.0); }
Array elu(const Arg& x, const Arg& alpha) {
  const LocationScope scope(x.location(), "elu");
  const Array a = inexact(x), above = a > 0;
  return np::where(above, a, alpha * np::expm1(np::where(above, 0, a)));
}
Array celu(const Arg& x) { return celu(x, 1.0); }
Array celu(const Arg& x, const Arg& alpha) {
  const LocationScope scope(x.location(), "celu");
  const Array a = inexact(x), above = a > 0;
  return np::where(above, a, alpha * np::expm1(np::where(above, 0, a) / alpha));
}
Array selu(const Arg& x) {
  const LocationScope scope(x.location(), "selu");
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
}
Array log1mexp(const Arg& x) {
  const LocationScope scope(x.location(), "log1mexp");
  const Array a = inexact(x);
  return np::where(a < std::numbers::ln2, np::log(-np::expm1(-a)), np::log1p(-np::exp(-a)));
}

// ---- algebraic ----

Array soft_sign(const Arg& x) {
  const LocationScope scope(x.location(), "soft_sign");
  const Array a = inexact(x);
  return a / (np::abs(a) + 1);
}
Array squareplus(const Arg& x) { return squareplus(x, 4.0); }
Array squareplus(const Arg& x, const Arg& b) {
  const LocationScope scope(x.location(), "squareplus");
  const Array a = inexact(x);
  return (a + np::sqrt(np::square(a) + b)) / 2;
}

// ---- along axes ----

Array glu(const Arg& x) { return glu(x, -1); }
Array glu(const Arg& x, np::Axis axis) {
  const LocationScope scope(x.location(), "glu");
  const Array a = inexact(x);
  const auto at = static_cast<std::size_t>(np::AxisArg(axis).resolve("glu", a.aval())[0]);
  if (a.shape()[at] % 2 != 0)
    throw ShapeError("glu: the size of the axis must be even; got axis " + std::to_string(at) + " of " +
                     a.aval().str() + ".");
  const std::vector<Array> halves = np::split(a, 2, axis);
  return halves[0] * sigmoid(halves[1]);
}

namespace {

// The largest that counts, as a constant: it cancels, so its derivative would be work for nothing.
Array largest(const Array& x, const np::AxisArg& axes, const std::optional<Arg>& where) {
  const Array m = np::max(x, axes, {.keepdims = true, .where = where, .initial = -np::inf});
  return lax::stop_gradient(m);
}

Array softmax_of(const Array& x, const np::AxisArg& axes) {
  const Array e = np::exp(x - largest(x, axes, {}));
  return e / np::sum(e, axes, true);
}

}  // namespace

Array softmax(const Arg& x) { return softmax(x, -1); }
Array softmax(const Arg& x, const np::AxisArg& axis, const Masked& how) {
  const LocationScope scope(x.location(), "softmax");
  const Array a = inexact(x);
  axis.resolve("softmax", a.aval());
  if (!how.where) {
    // dy = y (dx - sum(y dx)): of what is computed only y is kept.
    const auto f = custom_jvp([axis](const Array& v) { return softmax_of(v, axis); },
                              [axis](const Array& v, const Array& dv) {
                                const Array y = softmax_of(v, axis);
                                return std::pair(y, y * (dv - np::sum(y * dv, axis, true)));
                              },
                              {.name = "softmax"});
    return f(a);
  }
  const Array safe = np::where(*how.where, a, -np::inf);
  const Array e = np::exp(safe - largest(a, axis, how.where));
  return np::where(*how.where, e / np::sum(e, axis, {.keepdims = true, .where = how.where}), 0);
}

Array log_softmax(const Arg& x) { return log_softmax(x, -1); }
Array log_softmax(const Arg& x, const np::AxisArg& axis, const Masked& how) {
  const LocationScope scope(x.location(), "log_softmax");
  const Array a = inexact(x);
  axis.resolve("log_softmax", a.aval());
  const Array safe = how.where ? np::where(*how.where, a, -np::inf) : a;
  const Array shifted = safe - largest(a, axis, how.where);
  const Array y = shifted - np::log(np::sum(np::exp(shifted), axis, {.keepdims = true, .where = how.where}));
  return how.where ? np::where(*how.where, y, -np::inf) : y;
}

Array logmeanexp(const Arg& x, const np::AxisArg& axis, np::Flag keepdims) {
  const LocationScope scope(x.location(), "logmeanexp");
  const Array a = inexact(x);
  double n = 1;
  for (const std::int64_t i : axis.resolve("logmeanexp", a.aval()))
    n *= static_cast<double>(a.shape()[static_cast<std::size_t>(i)]);
  return np::logsumexp(a, axis, keepdims) - std::log(n);
}

Array standardize(const Arg& x) { return standardize(x, -1); }
Array standardize(const Arg& x, const np::AxisArg& axis, const Standardization& how) {
  const LocationScope scope(x.location(), "standardize");
  const Array a = inexact(x);
  const np::Reduction over{.keepdims = true, .where = how.where};
  const Array mean = how.mean ? how.mean->filled(a.dtype(), {}) : np::mean(a, axis, over);
  const Array variance =
      how.variance ? how.variance->filled(a.dtype(), {}) : np::mean(np::square(a), axis, over) - np::square(mean);
  return (a - mean) * lax::rsqrt(variance + how.epsilon);
}

Array one_hot(const Arg& x, np::Integer num_classes, const OneHot& how) {
  const LocationScope scope(x.location(), "one_hot");
  const Array a = x.array();
  const std::int64_t n = num_classes;
  if (n < 0) throw ValueError("one_hot: the number of classes must not be negative; got " + std::to_string(n) + ".");
  const int ndim = a.ndim() + 1, axis = how.axis < 0 ? how.axis + ndim : how.axis;
  if (axis < 0 || axis >= ndim)
    throw IndexError("one_hot: the axis must be one of the result's " + std::to_string(ndim) + "; got " +
                     std::to_string(how.axis) + ".");
  Dims classes(static_cast<std::size_t>(ndim), 1);
  classes[static_cast<std::size_t>(axis)] = n;
  const DType t = a.dtype() == boolean ? i32 : a.dtype();
  return (np::expand_dims(a.astype(t), axis) == lax::iota(t, classes, axis)).astype(how.dtype);
}

// ---- with parameters ----

Array PReLU::call(const Array& x) const {
  const Array slope = param("negative_slope", initializers::constant(negative_slope_init), {}, param_dtype);
  return np::where(x >= 0, x, slope.astype(x.dtype()) * x);
}

}  // namespace weft::nn

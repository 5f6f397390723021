#include "optim/leafwise.h"

#include <algorithm>
#include <cmath>

#include "weft/weft.h"

namespace weft::optim::detail {

void check_inexact(const char* what, const char* noun, const Leaves& leaves, PathOf path) {
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (!is_inexact(leaves[i].dtype()))
      throw DTypeError(std::string(what) + ": " + noun + " must be float or complex; got " + leaves[i].aval().str() +
                       " at " + path(i) + ".");
}

void check_shapes(const char* what, const char* noun, const Leaves& leaves, const char* other_noun,
                  const Leaves& others, PathOf path) {
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (leaves[i].shape() != others[i].shape())
      throw ShapeError(std::string(what) + ": " + noun + " and " + other_noun + " must have equal shapes; got " +
                       leaves[i].aval().str() + " and " + others[i].aval().str() + " at " + path(i) + ".");
}

bool same_shapes(const Leaves& x, const Leaves& y) {
  return std::ranges::equal(x, y, [](const Array& a, const Array& b) { return a.shape() == b.shape(); });
}

void check_state(const char* what, bool fits) {
  if (!fits)
    throw TreeError(std::string(what) +
                    ": the state must come from this transformation's init; got one of other options or parameters.");
}

DType wide_dtype(DType t) { return is_float(t) && bit_width(t) < 32 ? f32 : t; }

DType squares_dtype(DType t) { return t == f16 ? f32 : real_dtype(t); }

Array widened(const Array& x, DType dtype) { return x.astype(is_complex(x.dtype()) ? complex_dtype(dtype) : dtype); }

Array abs_squared(const Array& x) {
  if (!is_complex(x.dtype())) return np::square(x.astype(wide_dtype(x.dtype())));
  return np::square(np::real(x)) + np::square(np::imag(x));
}

Array times(const Array& x, const Array& factor) { return cast_like(x * factor, x); }

Array averaged(const Array& average, const Array& x, const Hyperparam& decay) {
  const DType t = np::promote_types(average.dtype(), x.dtype());
  return decay.complement().in(t)*x.astype(t) + decay.in(t)*average.astype(t);
}

Array scaled(const Array& x, const Hyperparam& scale) { return scale.in(x.dtype()) * x; }

Array plus(const Array& x, const Hyperparam& y) { return y.is(0) ? x : x + y.in(x.dtype()); }

namespace {

// sqrt(of) where it is above `least`; elsewhere the root is taken of 1, for its derivative's sake.
Array safe_root(const Array& of, const Hyperparam& least) {
  const Array bound = least.in(of.dtype());
  const Array small = np::sqrt(of) <= bound;
  return np::where(small, bound, np::sqrt(np::where(small, np::ones_like(of), of)));
}

}  // namespace

Array safe_norm(const Array& x, const Hyperparam& least) {
  return safe_root(np::sum(abs_squared(widened(x, precision({x})))), least);
}
Array safe_rms(const Array& x, const Hyperparam& least) {
  return safe_root(np::mean(abs_squared(widened(x, precision({x})))), least);
}

Array cast_like(const Array& x, const Array& like) { return x.astype(like.dtype()); }

Array choose(const Array& pred, const Array& x, const Array& y) { return lax::select(pred, cast_like(x, y), y); }

Array simplex_threshold(const Array& x) {
  // The k largest stay above 0, as many as leave a positive rest with the threshold that they make.
  const Array down = np::sort(x, -1, true), sums = np::cumsum(down, -1);
  const Array counts = np::arange(1, x.shape(-1) + 1).astype(x.dtype());
  const Array k = np::count_nonzero(1.0 + counts * down > sums, -1, true).astype(i32);
  return (np::take_along_axis(sums, k - 1, -1) - 1.0) / k.astype(x.dtype());
}

Numerator::Numerator(const Hyperparam& decay, bool nesterov, const Array& count, DType dtype)
    : decay_(decay), bias_(bias_correction(decay, count, dtype)) {
  if (nesterov) next_bias_ = bias_correction(decay, safe_increment(count), dtype);
}

Array Numerator::operator()(const Array& m, const Array& u) const {
  if (!next_bias_.defined()) return m / cast_like(bias_, m);
  return scaled(m / cast_like(next_bias_, m), decay_) + scaled(u / cast_like(bias_, u), decay_.complement());
}

namespace {

template <class F>
Leaves each(const Leaves& x, F&& f) {
  Leaves r;
  r.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) r.push_back(f(i));
  return r;
}

// The sum of f(i, t) over all leaves, t being the precision that they have together.
template <class F>
Array sum_over(const Leaves& x, F&& f) {
  const DType t = precision(x);
  if (x.empty()) return np::zeros({}, t);
  Array sum = np::sum(f(0, t));
  for (std::size_t i = 1; i < x.size(); ++i) sum = sum + np::sum(f(i, t));
  return sum;
}

}  // namespace

Leaves zeros_like(const Leaves& x, std::optional<DType> dtype) {
  return each(x, [&](std::size_t i) { return np::zeros_like(x[i], dtype); });
}
Leaves zeros_for_squares(const Leaves& x) {
  return each(x, [&](std::size_t i) { return np::zeros_like(x[i], squares_dtype(x[i].dtype())); });
}
Leaves full_like(const Leaves& x, const Hyperparam& value) {
  // A 0-d leaf would be the caller's array itself.
  return each(x, [&](std::size_t i) { return np::copy(np::broadcast_to(value.in(x[i].dtype()), x[i].shape())); });
}
Leaves full_for_squares(const Leaves& x, const Hyperparam& value) {
  return each(x, [&](std::size_t i) {
    return np::copy(np::broadcast_to(value.in(squares_dtype(x[i].dtype())), x[i].shape()));
  });
}

DType precision(const Leaves& leaves) {
  for (const Array& x : leaves)
    if (real_dtype(x.dtype()) == f64) return f64;
  return f32;
}

Array bias_correction(const Hyperparam& decay, const Array& count, DType dtype) {
  if (decay.is(0)) return np::ones({}, dtype);
  // In f32, 1 - 0.999^1 would be wrong in its fifth digit.
  const Hyperparam log_decay = decay.map([](const auto& x) {
    using np::log;
    using std::log;
    return log(x);
  });
  return -np::expm1(count.astype(dtype) * log_decay.in(dtype));
}

Array squared_norm(const Leaves& x) {
  return sum_over(x, [&](std::size_t i, DType t) { return abs_squared(widened(x[i], t)); });
}

Array norm(const Leaves& x) { return safe_root(squared_norm(x), 0); }

Array inner_product(const Leaves& x, const Leaves& y) {
  return sum_over(x, [&](std::size_t i, DType t) { return np::real(np::conj(widened(x[i], t)) * widened(y[i], t)); });
}

Array total(const Leaves& x) {
  return sum_over(x, [&](std::size_t i, DType t) { return x[i].astype(t); });
}

Leaves add_scaled(const Leaves& x, const Array& scale, const Leaves& y) {
  return each(x, [&](std::size_t i) { return x[i] + times(cast_like(y[i], x[i]), scale); });
}

Leaves scale_all(const Leaves& x, const Array& scale) {
  return each(x, [&](std::size_t i) { return times(x[i], scale); });
}

Leaves sums_like(const Leaves& x, const Leaves& y) {
  return each(x, [&](std::size_t i) { return cast_like(x[i] + y[i], x[i]); });
}

Leaves averages_like(const Leaves& x, const Leaves& y, const Hyperparam& decay) {
  return each(x, [&](std::size_t i) { return cast_like(averaged(x[i], y[i], decay), x[i]); });
}

Leaves subtract(const Leaves& x, const Leaves& y) {
  return each(x, [&](std::size_t i) { return x[i] - cast_like(y[i], x[i]); });
}

Leaves choose(const Array& pred, const Leaves& x, const Leaves& y) {
  return each(x, [&](std::size_t i) { return choose(pred, x[i], y[i]); });
}

Leaves cast_like(const Leaves& x, const Leaves& like) {
  return each(x, [&](std::size_t i) { return cast_like(x[i], like[i]); });
}

Leaves widened(const Leaves& x) {
  return each(x, [&](std::size_t i) { return x[i].astype(wide_dtype(x[i].dtype())); });
}

Leaves cast_to_promoted(const Leaves& x, const Leaves& y, const Leaves& z) {
  return each(x, [&](std::size_t i) { return x[i].astype(np::promote_types(y[i].dtype(), z[i].dtype())); });
}

Leaves copies(const Leaves& x) {
  return each(x, [&](std::size_t i) { return np::copy(x[i]); });
}

Array next_of_period(const Array& count, const Hyperparam& period) {
  return np::mod(safe_increment(count), period.in(i32));
}

Array is_multiple(const Array& count, std::int64_t period) { return np::mod(count, period) == 0; }

}  // namespace weft::optim::detail

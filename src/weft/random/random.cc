#include "weft/random/random.h"

#include <cmath>
#include <limits>

#include "weft/np/dtypes.h"
#include "weft/np/promotion.h"
#include "weft/np/reductions.h"
#include "weft/np/shape.h"
#include "weft/ops/common.h"

namespace weft::random {

namespace {

// The two words of a key, 0-d.
std::pair<Array, Array> words(std::string_view op, const Array& key) {
  if (key.dtype() != u32)
    throw DTypeError(std::string(op) + ": a key must be u32[2], two words; got " + key.aval().str() + ".",
                     "make one with random::key(seed).");
  if (key.ndim() != 1 || key.shape(0) != 2)
    throw ShapeError(std::string(op) + ": a key must be u32[2], two words; got " + key.aval().str() + ".",
                     key.ndim() == 2 ? "use one key at a time: vmap over the rows, or index them."
                                     : "make one with random::key(seed).");
  const auto word = [&](std::int64_t i) { return lax::reshape(lax::slice(key, Dims{i}, Dims{i + 1}), {}); };
  return {word(0), word(1)};
}

Array counter(std::int64_t n) { return lax::iota(u32, Dims{n}, 0); }

// One word per counter 0 ... n-1 in the original layout: the first half of the counters in the
// first word of the blocks, the second half in the second. Odd counts are padded with a 0.
Array original_words(const std::pair<Array, Array>& key, std::int64_t n) {
  if (n >= (std::int64_t{1} << 32))
    throw ValueError("random: the original layout gives at most 2^32 - 1 words; got " + std::to_string(n) + ".");
  if (n == 0) return np::zeros({0}, u32);
  const std::int64_t half = (n + 1) / 2;
  const Array all = counter(n);
  const Array first = lax::slice(all, Dims{0}, Dims{half});
  Array second = lax::slice(all, Dims{half}, Dims{n});
  if (n % 2) second = lax::concatenate({second, np::zeros({1}, u32)}, 0);
  const auto [a, b] = lax::threefry2x32(key.first, key.second, first, second);
  const Array joined = lax::concatenate({a, b}, 0);
  return n % 2 ? lax::slice(joined, Dims{0}, Dims{n}) : joined;
}

Array original_bits(const std::pair<Array, Array>& key, std::int64_t size, DType dtype) {
  const std::int64_t width = 8 * byte_size(dtype);
  const Array drawn = original_words(key, (width * size + 31) / 32);
  if (dtype == u32) return drawn;
  if (dtype == u64) {
    const Array high = lax::convert(lax::slice(drawn, Dims{0}, Dims{size}), u64),
                low = lax::convert(lax::slice(drawn, Dims{size}, Dims{2 * size}), u64);
    return lax::or_(lax::shift_left(high, 32), low);
  }
  // The sub-words in memory order.
  const Array parts = lax::bitcast_convert(drawn, dtype);
  return lax::slice(lax::reshape(parts, Dims{parts.size()}), Dims{0}, Dims{size});
}

Array partitionable_bits(const std::pair<Array, Array>& key, std::int64_t size, DType dtype) {
  if (size == 0) return np::zeros({0}, dtype);
  Array high = np::zeros({size}, u32), low;
  if (size <= (std::int64_t{1} << 32)) {
    low = counter(size);
  } else {
    const Array index = lax::iota(u64, Dims{size}, 0);
    high = lax::convert(lax::shift_right_logical(index, 32), u32);
    low = lax::convert(lax::and_(index, 0xffffffffll), u32);
  }
  const auto [a, b] = lax::threefry2x32(key.first, key.second, high, low);
  if (dtype == u64) return lax::or_(lax::shift_left(lax::convert(a, u64), 32), lax::convert(b, u64));
  return lax::convert(lax::xor_(a, b), dtype);
}

void check_float(std::string_view op, DType t) {
  if (!is_float(t))
    throw DTypeError(std::string(op) + ": the dtype must be a float; got " + std::string(name(t)) + ".");
  if (is_storage(t))
    throw DTypeError(std::string(op) + ": the dtype must be f16, bf16, f32 or f64; got " + std::string(name(t)) + ".",
                     "draw in f32 and convert with astype(" + std::string(name(t)) + ").");
}

struct FloatFormat {
  DType bits;   // same width
  DType drawn;  // random words; narrower where the mantissa is short
  int mantissa;
  std::uint64_t one;
  double tiny, eps, epsneg;
};
FloatFormat format(DType t) {
  switch (t) {
    case DType::kF16: return {u16, u16, 10, 0x3c00, 0x1p-14, 0x1p-10, 0x1p-11};
    case DType::kBF16: return {u16, u8, 7, 0x3f80, 0x1p-126, 0x1p-7, 0x1p-8};
    case DType::kF64: return {u64, u64, 52, 0x3ff0000000000000ull, 0x1p-1022, 0x1p-52, 0x1p-53};
    default: return {u32, u32, 23, 0x3f800000, 0x1p-126, 0x1p-23, 0x1p-24};
  }
}

// An operand in the sampler's dtype and shape.
Array parameter(const Arg& x, DType t, DimSpan shape) {
  return x.is_scalar() ? x.filled(t, shape) : np::broadcast_to(lax::convert(x, t), shape);
}

// A bound of a range of integers, clamped into dtype `t`; `above` (bool) marks bounds beyond the largest `t`, and is
// none when it is known that there are none.
struct Bound {
  Array value, above;
};
Bound integer_bound(const Arg& x, DType t, DimSpan shape) {
  if (!is_integer(x.dtype()))
    throw DTypeError("randint: the bounds must be integers; got " + x.array().aval().str() + ".");
  const np::IntegerInfo limits = np::iinfo(t);
  if (x.is_scalar()) {
    const std::int64_t v = x.scalar().integer;
    const bool huge = x.dtype() == u64 && v < 0;  // 2^63 and more
    const bool above = (huge || v > 0) && static_cast<std::uint64_t>(v) > limits.max;
    const bool below = !huge && v < limits.min;
    const Scalar clamped = above ? Scalar(limits.max) : below ? Scalar(limits.min) : x.scalar();
    return {lax::full(shape, clamped, t), above ? lax::full(shape, true, boolean) : Array()};
  }
  Array a = np::broadcast_to(x, shape);
  if (a.dtype() == t) return {a, Array()};
  if (a.dtype() == u64) {
    const Array above = lax::gt(a, limits.max);
    return {lax::convert(lax::minimum(a, limits.max), t), above};
  }
  a = lax::convert(a, i64);
  const auto most = static_cast<std::int64_t>(std::min<std::uint64_t>(limits.max, INT64_MAX));
  const Array above = limits.max > INT64_MAX ? Array() : lax::gt(a, most);
  return {lax::convert(lax::clamp(limits.min, a, most), t), above};
}

}  // namespace

Array key(np::Integer seed) {
  const std::uint32_t w[2] = {static_cast<std::uint32_t>(static_cast<std::uint64_t>(seed) >> 32),
                              static_cast<std::uint32_t>(seed)};
  return Array::from_span(std::span<const std::uint32_t>(w), Dims{2});
}

Array split(const Arg& key, np::Integer count, Layout layout) {
  const LocationScope scope(key.location(), "split");
  const std::int64_t n = count;
  const auto k = words("split", key.array());
  if (n < 0) throw ValueError("split: the number of keys must not be negative; got " + std::to_string(n) + ".");
  if (layout == Layout::kOriginal) return lax::reshape(original_words(k, 2 * n), Dims{n, 2});
  const auto [a, b] = lax::threefry2x32(k.first, k.second, np::zeros({n}, u32), counter(n));
  return np::stack({a, b}, 1);
}

Array fold_in(const Arg& key, const Arg& data) {
  const LocationScope scope(key.location(), "fold_in");
  const auto k = words("fold_in", key.array());
  if (!is_integer(data.dtype()))
    throw DTypeError("fold_in: the data must be an integer; got " + data.array().aval().str() + ".");
  if (data.is_scalar()) data.scalar().check_fits("fold_in", u32);
  const Array d = lax::convert(data, u32);
  if (d.ndim() != 0) throw ShapeError("fold_in: the data must be one integer; got " + data.array().aval().str() + ".");
  const auto [a, b] = lax::threefry2x32(k.first, k.second, np::zeros({}, u32), d);
  return np::stack({a, b}, 0);
}

Array bits(const Arg& key, const np::Shape& shape, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "bits");
  if (is_storage(dtype))
    throw DTypeError("bits: the dtype must be u8, u16, u32 or u64; got " + std::string(name(dtype)) + ".",
                     "draw u8 and convert with astype(" + std::string(name(dtype)) + ").");
  if (!is_unsigned(dtype)) throw DTypeError("bits: the dtype must be unsigned; got " + std::string(name(dtype)) + ".");
  const auto k = words("bits", key.array());
  const std::int64_t size = Aval(dtype, shape).size();
  const Array flat = layout == Layout::kOriginal ? original_bits(k, size, dtype) : partitionable_bits(k, size, dtype);
  return lax::reshape(flat, shape);
}

Array uniform(const Arg& key, const np::Shape& shape, DType dtype, const Arg& low, const Arg& high, Layout layout) {
  const LocationScope scope(key.location(), "uniform");
  check_float("uniform", dtype);
  const FloatFormat f = format(dtype);
  // The top bits as the mantissa of a number in [1, 2).
  Array drawn = bits(key, shape, f.drawn, layout);
  const int width = static_cast<int>(8 * byte_size(f.drawn));
  drawn = lax::convert(lax::shift_right_logical(drawn, width - f.mantissa), f.bits);
  const Array pattern = lax::or_(drawn, lax::full(shape, Scalar(f.one), f.bits));
  const Array unit = lax::subtract(lax::bitcast_convert(pattern, dtype), 1.0);
  const Array lo = parameter(low, dtype, shape), hi = parameter(high, dtype, shape);
  return lax::maximum(lo, lax::add(lax::multiply(unit, lax::subtract(hi, lo)), lo));
}

Array randint(const Arg& key, const np::Shape& shape, const Arg& low, const Arg& high, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "randint");
  if (!is_integer(dtype))
    throw DTypeError("randint: the dtype must be an integer; got " + std::string(name(dtype)) + ".");
  // From narrow words, as JAX's original layout has them, wide ranges come out uneven: products of two wrap round. Else
  // narrow integers are drawn as 32-bit ones, which hold the exclusive upper bound one beyond their largest, too.
  const bool widened = is_storage(dtype) || (byte_size(dtype) < 4 && layout != Layout::kOriginal);
  const DType drawn = !widened ? dtype : is_unsigned(dtype) ? u32 : i32;
  const std::int64_t size = byte_size(drawn);
  const DType word = size == 1 ? u8 : size == 2 ? u16 : size == 4 ? u32 : u64;
  Array lo = integer_bound(low, drawn, shape).value;
  auto [hi, above] = integer_bound(high, drawn, shape);
  if (widened) {
    const np::IntegerInfo limits = np::iinfo(dtype);
    lo = lax::clamp(limits.min, lo, limits.max);
    hi = lax::clamp(limits.min, hi, limits.max + 1);
    above = Array();
  }
  const Array keys = split(key, 2, layout);
  const auto row = [&](std::int64_t i) { return lax::reshape(lax::slice(keys, Dims{i, 0}, Dims{i + 1, 2}), Dims{2}); };
  const Array upper = bits(row(0), shape, word, layout), lower = bits(row(1), shape, word, layout);
  // Two words make the bias of the remainder negligible. An empty range gives `low`.
  Array span = lax::convert(lax::subtract(hi, lo), word);
  span = lax::select(lax::le(hi, lo), lax::full(shape, Scalar(1), word), span);
  // The largest integer itself is in the range. A span of all integers wraps to 0, and the remainder by 0 is the word.
  if (above.defined()) span = lax::select(lax::and_(above, lax::gt(hi, lo)), lax::add(span, 1), span);
  Array multiplier = lax::remainder(lax::full(shape, Scalar(std::uint64_t{1} << (4 * byte_size(word))), word), span);
  multiplier = lax::remainder(lax::multiply(multiplier, multiplier), span);
  Array offset = lax::add(lax::multiply(lax::remainder(upper, span), multiplier), lax::remainder(lower, span));
  offset = lax::remainder(offset, span);
  return lax::convert(lax::add(lo, lax::convert(offset, drawn)), dtype);
}

namespace {

// erf_inv as XLA computes it in single precision, and JAX with it: p(w) x with w = -log(1 - x^2) and one of Giles' two
// polynomials ("Approximating the erfinv function", 2010). Up to 65 units in the last place off near 1, where it rounds
// x^2, so lax::erf_inv is better; but the normals of JAX depend on its last bit.
Array erf_inv_of_xla(const Array& u) {
  if (u.dtype() == f64) return lax::erf_inv(u);
  constexpr double kCentral[] = {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                                 -0.00125372503, -0.00417768164, 0.246640727,    1.50140941};
  constexpr double kTail[] = {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                              -0.0076224613,   0.00943887047,  1.00167406,    2.83297682};
  const Array x = lax::convert(u, f32);
  const auto full = [&](double v) { return lax::full(x.shape(), Scalar(v), f32); };
  const Array w = lax::negate(lax::log_plus_one(lax::negate(lax::multiply(x, x))));
  const Array central = lax::lt(w, full(5));
  // A square root has no derivative at 0, where it is not used.
  const Array root = lax::subtract(lax::sqrt(lax::select(central, full(9), w)), 3.0);
  const Array v = lax::select(central, lax::subtract(w, 2.5), root);
  const auto coefficient = [&](std::size_t i) { return lax::select(central, full(kCentral[i]), full(kTail[i])); };
  Array p = coefficient(0);
  for (std::size_t i = 1; i < std::size(kCentral); ++i) p = lax::add(coefficient(i), lax::multiply(p, v));
  // Where w is infinite p is no number.
  const Array end = lax::eq(lax::abs(x), 1.0);
  const Array infinite = lax::select(lax::lt(x, 0.0), full(-HUGE_VAL), full(HUGE_VAL));
  return lax::convert(lax::select(end, infinite, lax::multiply(p, x)), u.dtype());
}

}  // namespace

Array normal(const Arg& key, const np::Shape& shape, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "normal");
  if (is_complex(dtype)) {
    const Array keys = split(key, 2, layout);
    const auto part = [&](std::int64_t i) {
      return normal(lax::reshape(lax::slice(keys, Dims{i, 0}, Dims{i + 1, 2}), Dims{2}), shape, real_dtype(dtype),
                    layout);
    };
    const Array re = part(0), im = part(1);
    return lax::complex(lax::divide(re, std::sqrt(2.0)), lax::divide(im, std::sqrt(2.0)));
  }
  check_float("normal", dtype);
  const FloatFormat f = format(dtype);
  // From the float after -1: erf_inv(-1) is infinite.
  const Array u = uniform(key, shape, dtype, -1.0 + f.epsneg, 1.0, layout);
  return lax::multiply(erf_inv_of_xla(u), std::sqrt(2.0));
}

Array truncated_normal(const Arg& key, const Arg& low, const Arg& high, const np::Shape& shape, DType dtype,
                       Layout layout) {
  const LocationScope scope(key.location(), "truncated_normal");
  check_float("truncated_normal", dtype);
  const Array lo = parameter(low, dtype, shape), hi = parameter(high, dtype, shape);
  const double root = std::sqrt(2.0);
  const Array u = uniform(key, shape, dtype, lax::erf(lax::divide(lo, root)), lax::erf(lax::divide(hi, root)), layout);
  const Array x = lax::multiply(erf_inv_of_xla(u), root);
  // Rounding may have reached the ends, which are outside.
  const Array inside_lo = lax::next_after(lo, lax::full(shape, Scalar(HUGE_VAL), dtype));
  const Array inside_hi = lax::next_after(hi, lax::full(shape, Scalar(-HUGE_VAL), dtype));
  return lax::clamp(inside_lo, x, inside_hi);
}

Array bernoulli(const Arg& key, const Arg& p, const np::OptionalShape& shape, Layout layout) {
  const LocationScope scope(key.location(), "bernoulli");
  const DType t = p.is_scalar() || !is_float(p.dtype()) ? f32 : p.dtype();
  const np::Shape sizes = shape ? *shape : np::Shape(p.shape());
  return lax::lt(uniform(key, sizes, t, 0.0, 1.0, layout), parameter(p, t, sizes));
}

Array exponential(const Arg& key, const np::Shape& shape, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "exponential");
  return lax::negate(lax::log_plus_one(lax::negate(uniform(key, shape, dtype, 0.0, 1.0, layout))));
}

Array gumbel(const Arg& key, const np::Shape& shape, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "gumbel");
  check_float("gumbel", dtype);
  const Array u = uniform(key, shape, dtype, format(dtype).tiny, 1.0, layout);
  return lax::negate(lax::log(lax::negate(lax::log(u))));
}

Array logistic(const Arg& key, const np::Shape& shape, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "logistic");
  check_float("logistic", dtype);
  const Array u = uniform(key, shape, dtype, format(dtype).tiny, 1.0, layout);
  return lax::subtract(lax::log(u), lax::log_plus_one(lax::negate(u)));
}

Array laplace(const Arg& key, const np::Shape& shape, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "laplace");
  check_float("laplace", dtype);
  const Array u = uniform(key, shape, dtype, -1.0 + format(dtype).epsneg, 1.0, layout);
  return lax::multiply(lax::sign(u), lax::log_plus_one(lax::negate(lax::abs(u))));
}

Array cauchy(const Arg& key, const np::Shape& shape, DType dtype, Layout layout) {
  const LocationScope scope(key.location(), "cauchy");
  check_float("cauchy", dtype);
  const Array u = uniform(key, shape, dtype, format(dtype).eps, 1.0, layout);
  return lax::tan(lax::multiply(lax::subtract(u, 0.5), np::pi));
}

Array weibull_min(const Arg& key, double scale, double concentration, const np::Shape& shape, DType dtype,
                  Layout layout) {
  const LocationScope scope(key.location(), "weibull_min");
  const Array e = exponential(key, shape, dtype, layout);
  return lax::multiply(lax::power(e, 1 / concentration), scale);
}

Array categorical(const Arg& key, const Arg& logits, np::Axis axis, const np::OptionalShape& shape, Layout layout) {
  const LocationScope scope(key.location(), "categorical");
  const Array x = logits.array();
  if (!is_float(x.dtype())) throw DTypeError("categorical: logits must be floats; got " + x.aval().str() + ".");
  const int at = ops::normal_axis("categorical", axis, x.aval());
  Dims batch(x.shape());
  batch.erase(batch.begin() + at);
  const Dims wanted = shape ? shape->dims() : batch;
  const std::size_t prefix = wanted.size() - std::min(wanted.size(), batch.size());
  if (!same_dims(DimSpan(wanted).subspan(prefix), batch) || wanted.size() < batch.size())
    throw ShapeError("categorical: the shape must end with that of the logits without the axis; got " +
                     shape_str(wanted) + " for " + x.aval().str() + ", axis " + std::to_string(axis) + ".");
  Dims full(DimSpan(wanted).first(prefix));
  full.append(x.shape().begin(), x.shape().end());
  const Array noisy = lax::add(gumbel(key, full, x.dtype(), layout), np::broadcast_to(x, full));
  return lax::argmax(noisy, static_cast<int>(prefix) + at);
}

namespace {

// Sorted by fresh random keys as often as makes ties between keys harmless.
Array shuffle(Array key, Array x, Layout layout) {
  const double n = static_cast<double>(std::max<std::int64_t>(x.size(), 1));
  const int rounds = static_cast<int>(std::ceil(3 * std::log(n) / std::log(4294967295.0)));
  for (int i = 0; i < rounds; ++i) {
    const Array keys = split(key, 2, layout);
    key = lax::reshape(lax::slice(keys, Dims{0, 0}, Dims{1, 2}), Dims{2});
    const Array order = bits(lax::reshape(lax::slice(keys, Dims{1, 0}, Dims{2, 2}), Dims{2}), {x.size()}, u32, layout);
    x = lax::sort(std::initializer_list<Array>{order, x}, 0)[1];
  }
  return x;
}

}  // namespace

Array detail::permutation(const Arg& key, np::Integer n, Layout layout) {
  const LocationScope scope(key.location(), "permutation");
  if (n < 0) throw ValueError("permutation: the size must not be negative; got " + std::to_string(n) + ".");
  words("permutation", key.array());
  return shuffle(key.array(), lax::iota(i32, Dims{n}, 0), layout);
}

Array permutation(const Arg& key, const Array& x, np::Axis axis, Layout layout) {
  const LocationScope scope(key.location(), "permutation");
  const int d = ops::normal_axis("permutation", axis, x.aval());
  words("permutation", key.array());
  if (x.ndim() == 1) return shuffle(key.array(), x, layout);
  const Array order = permutation(key, x.shape(d), layout);
  // Rows picked by one index vector each; every index is in range.
  GatherDimensionNumbers numbers;
  Dims sizes(x.shape());
  sizes[static_cast<std::size_t>(d)] = std::min<std::int64_t>(1, x.shape(d));
  for (int i = 0; i < x.ndim(); ++i)
    if (i != d) numbers.offset_dims.push_back(i);
  numbers.collapsed_slice_dims = {d};
  numbers.start_index_map = {d};
  return lax::gather(x, lax::reshape(order, Dims{x.shape(d), 1}), numbers, sizes, IndexMode::kPromise);
}

}  // namespace weft::random

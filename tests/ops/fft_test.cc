// What samples do not show of fft: accuracy at length, several axes against the definition, and the texts of errors.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "harness/errors.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::error_of;
using Complex = std::complex<double>;

std::vector<Complex> some_line(std::size_t n) {
  std::uint32_t state = 2463534242u;
  const auto next = [&] {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return static_cast<double>(state) * 0x1p-31 - 1;
  };
  std::vector<Complex> x(n);
  for (Complex& v : x) {
    const double re = next();
    v = {re, next()};
  }
  return x;
}

// By definition, in long double.
std::vector<Complex> slow_transform(const std::vector<Complex>& x) {
  using Wide = std::complex<long double>;
  const std::size_t n = x.size();
  std::vector<Wide> roots(n);
  for (std::size_t k = 0; k < n; ++k)
    roots[k] = std::polar(
        1.0L, -2 * std::numbers::pi_v<long double> * static_cast<long double>(k) / static_cast<long double>(n));
  std::vector<Complex> y;
  for (std::size_t k = 0; k < n; ++k) {
    Wide sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += Wide(x[j]) * roots[j * k % n];
    y.emplace_back(static_cast<double>(sum.real()), static_cast<double>(sum.imag()));
  }
  return y;
}

double norm(const std::vector<Complex>& x) {
  double s = 0;
  for (const Complex v : x) s += std::norm(v);
  return std::sqrt(s);
}
std::vector<Complex> minus(std::vector<Complex> x, const std::vector<Complex>& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= y[i];
  return x;
}

TEST(fft, is_accurate_at_every_kind_of_length) {
  // Powers of two, small factors, the largest radix, primes beyond it, and products with them.
  for (const std::int64_t n : {256, 1024, 360, 1000, 961, 29 * 31, 37, 127, 509, 2 * 499, 1009}) {
    const std::vector<Complex> x = some_line(static_cast<std::size_t>(n));
    const Array a = Array::from_vector(x, Dims{n});
    const std::vector<Complex> want = slow_transform(x), got = lax::fft(a, FftType::kFft, Dims{n}).to_vector<Complex>();
    EXPECT_LE(norm(minus(got, want)), 1e-15 * norm(want)) << n;
    const auto back = lax::fft(Array::from_vector(got, Dims{n}), FftType::kIfft, Dims{n}).to_vector<Complex>();
    EXPECT_LE(norm(minus(back, x)), 1.5e-15 * norm(x)) << n;
  }
}

TEST(fft, a_long_prime_length_is_fast_and_inverts) {
  const std::int64_t n = 100003;
  const std::vector<Complex> x = some_line(static_cast<std::size_t>(n));
  const Array y = lax::fft(Array::from_vector(x, Dims{n}), FftType::kFft, Dims{n});
  EXPECT_LE(norm(minus(lax::fft(y, FftType::kIfft, Dims{n}).to_vector<Complex>(), x)), 3e-15 * norm(x));
}

TEST(fft, of_several_axes_is_one_of_each) {
  const Dims shape{3, 4, 5};
  const Array x = Array::from_vector(some_line(60), shape);
  Array y = x;
  for (int axis = 0; axis < 3; ++axis) {
    Dims order{0, 1, 2};
    std::swap(order[static_cast<std::size_t>(axis)], order[2]);
    const Array turned = lax::transpose(y, order);
    y = lax::transpose(lax::fft(turned, FftType::kFft, turned.shape().last(1)), order);
  }
  const auto want = y.to_vector<Complex>(), got = lax::fft(x, FftType::kFft, shape).to_vector<Complex>();
  EXPECT_LE(norm(minus(got, want)), 1e-15 * norm(want));
}

TEST(fft, half_spectra_are_the_first_half_and_invert) {
  for (const Dims& shape : {Dims{6}, Dims{7}, Dims{11}, Dims{17}, Dims{3, 47}, Dims{3, 4}, Dims{2, 3, 5}}) {
    const Array x = lax::real(Array::from_vector(some_line(static_cast<std::size_t>(product(shape))), shape));
    Dims half(shape), start(shape.size(), 0);
    half.back() = half.back() / 2 + 1;
    const Array y = lax::fft(x, FftType::kRfft, shape);
    const auto want =
        lax::slice(lax::fft(lax::convert(x, c128), FftType::kFft, shape), start, half).to_vector<Complex>();
    EXPECT_LE(norm(minus(y.to_vector<Complex>(), want)), 1e-15 * norm(want));
    const auto back = lax::convert(lax::fft(y, FftType::kIrfft, shape), c128).to_vector<Complex>();
    EXPECT_LE(norm(minus(back, lax::convert(x, c128).to_vector<Complex>())), 1e-14);
  }
}

TEST(fft, mistakes_have_texts) {
  const Array x = Array::full(Dims{2, 6}, f32, 0.0), z = Array::full(Dims{2, 6}, c64, 0.0);
  const auto error = [](const Array& a, FftType type, Dims lengths) {
    return error_of([&] { lax::fft(a, type, lengths); });
  };
  EXPECT_EQ(error(x, FftType::kFft, {6}), "DTypeError: fft of type FFT: the operand must be complex; got f32[2,6].");
  EXPECT_EQ(error(z, FftType::kRfft, {6}),
            "DTypeError: fft of type RFFT: the operand must be f32 or f64; got c64[2,6].");
  EXPECT_EQ(error(z, FftType::kFft, {}), "ShapeError: fft: fft_length must have 1 to 3 entries; got [].");
  EXPECT_EQ(error(z, FftType::kFft, {1, 2, 6}),
            "ShapeError: fft: the operand must have an axis for each entry of fft_length; got [1,2,6] for c64[2,6].");
  EXPECT_EQ(error(z, FftType::kFft, {5}),
            "ShapeError: fft: the last axes must have the sizes of fft_length; got fft_length [5] for c64[2,6].");
  EXPECT_EQ(
      error(z, FftType::kIrfft, {6}),
      "ShapeError: fft: the last axes must have the sizes of fft_length, the last one n / 2 + 1; got fft_length [6] "
      "for c64[2,6].");
  EXPECT_EQ(error(z, FftType::kIrfft, {std::numeric_limits<std::int64_t>::max()}),
            "ShapeError: fft: the last axes must have the sizes of fft_length, the last one n / 2 + 1; got fft_length "
            "[9223372036854775807] for c64[2,6].");
  EXPECT_EQ(error(z, FftType::kFft, {-1}),
            "ShapeError: fft: the last axes must have the sizes of fft_length; got fft_length [-1] for c64[2,6].");
}

}  // namespace
}  // namespace weft

#include "weft/np/ufuncs.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::expect_near;
using testing::message_of;
using testing::throws;

constexpr double NaN = np::nan, Inf = np::inf;  // NOLINT: read better in tables

// What NumPy 1.24 gives for x of kLeft and each y of kRight, in f32.
constexpr double kLeft[] = {7, -7.5, 0, 1, Inf, -Inf, NaN}, kRight[] = {2, -2, 0.1, 0, Inf, -Inf, NaN};
struct BinaryCase {
  const char* name;
  Array (*f)(const Arg&, const Arg&);
  double expected[7][7];
};
const BinaryCase kBinaryCases[] = {
    {"floor_divide",
     np::floor_divide,
     {{3, -4, 0, 0, NaN, NaN, NaN},
      {-4, 3, -0, -1, NaN, NaN, NaN},
      {69, -75, 0, 9, NaN, NaN, NaN},
      {Inf, -Inf, NaN, Inf, Inf, -Inf, NaN},
      {0, -1, 0, 0, NaN, NaN, NaN},
      {-1, 0, -0, -1, NaN, NaN, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN}}},
    {"mod",
     np::mod,
     {{1, 0.5, 0, 1, NaN, NaN, NaN},
      {-1, -1.5, -0, -1, NaN, NaN, NaN},
      {0.0999998972, 1.11758709e-07, 0, 0.0999999866, NaN, NaN, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN},
      {7, Inf, 0, 1, NaN, NaN, NaN},
      {-Inf, -7.5, -0, -Inf, NaN, NaN, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN}}},
    {"fmod",
     np::fmod,
     {{1, -1.5, 0, 1, NaN, NaN, NaN},
      {1, -1.5, 0, 1, NaN, NaN, NaN},
      {0.0999998972, -0.0999998897, 0, 0.0999999866, NaN, NaN, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN},
      {7, -7.5, 0, 1, NaN, NaN, NaN},
      {7, -7.5, 0, 1, NaN, NaN, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN}}},
    {"hypot",
     np::hypot,
     {{7.28010988, 7.76208735, 2, 2.23606801, Inf, Inf, NaN},
      {7.28010988, 7.76208735, 2, 2.23606801, Inf, Inf, NaN},
      {7.0007143, 7.50066662, 0.100000001, 1.0049876, Inf, Inf, NaN},
      {7, 7.5, 0, 1, Inf, Inf, NaN},
      {Inf, Inf, Inf, Inf, Inf, Inf, Inf},
      {Inf, Inf, Inf, Inf, Inf, Inf, Inf},
      {NaN, NaN, NaN, NaN, Inf, Inf, NaN}}},
    {"logaddexp",
     np::logaddexp,
     {{7.0067153, 2.00007486, 2.12692809, 2.31326175, Inf, 2, NaN},
      {7.0001235, -1.99592161, 0.126928002, 1.04858732, Inf, -2, NaN},
      {7.00100708, 0.10050033, 0.744396687, 1.34115386, Inf, 0.100000001, NaN},
      {7.00091124, 0.000552931451, 0.693147182, 1.31326175, Inf, 0, NaN},
      {Inf, Inf, Inf, Inf, Inf, Inf, NaN},
      {7, -7.5, 0, 1, Inf, -Inf, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN}}},
    {"fmax",
     np::fmax,
     {{7, 2, 2, 2, Inf, 2, 2},
      {7, -2, 0, 1, Inf, -2, -2},
      {7, 0.100000001, 0.100000001, 1, Inf, 0.100000001, 0.100000001},
      {7, 0, 0, 1, Inf, 0, 0},
      {Inf, Inf, Inf, Inf, Inf, Inf, Inf},
      {7, -7.5, 0, 1, Inf, -Inf, -Inf},
      {7, -7.5, 0, 1, Inf, -Inf, NaN}}},
    {"fmin",
     np::fmin,
     {{2, -7.5, 0, 1, 2, -Inf, 2},
      {-2, -7.5, -2, -2, -2, -Inf, -2},
      {0.100000001, -7.5, 0, 0.100000001, 0.100000001, -Inf, 0.100000001},
      {0, -7.5, 0, 0, 0, -Inf, 0},
      {7, -7.5, 0, 1, Inf, -Inf, Inf},
      {-Inf, -Inf, -Inf, -Inf, -Inf, -Inf, -Inf},
      {7, -7.5, 0, 1, Inf, -Inf, NaN}}},
    {"maximum",
     np::maximum,
     {{7, 2, 2, 2, Inf, 2, NaN},
      {7, -2, 0, 1, Inf, -2, NaN},
      {7, 0.100000001, 0.100000001, 1, Inf, 0.100000001, NaN},
      {7, 0, 0, 1, Inf, 0, NaN},
      {Inf, Inf, Inf, Inf, Inf, Inf, NaN},
      {7, -7.5, 0, 1, Inf, -Inf, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN}}},
    {"minimum",
     np::minimum,
     {{2, -7.5, 0, 1, 2, -Inf, NaN},
      {-2, -7.5, -2, -2, -2, -Inf, NaN},
      {0.100000001, -7.5, 0, 0.100000001, 0.100000001, -Inf, NaN},
      {0, -7.5, 0, 0, 0, -Inf, NaN},
      {7, -7.5, 0, 1, Inf, -Inf, NaN},
      {-Inf, -Inf, -Inf, -Inf, -Inf, -Inf, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN}}},
    {"arctan2",
     np::arctan2,
     {{1.29249668, -1.31019402, 0, 0.463647634, 1.57079637, -1.57079637, NaN},
      {1.84909606, -1.83139873, 3.14159274, 2.67794514, 1.57079637, -1.57079637, NaN},
      {1.55651164, -1.55746388, 0, 1.47112775, 1.57079637, -1.57079637, NaN},
      {1.57079637, -1.57079637, 0, 1.57079637, 1.57079637, -1.57079637, NaN},
      {0, -0, 0, 0, 0.785398185, -0.785398185, NaN},
      {3.14159274, -3.14159274, 3.14159274, 3.14159274, 2.3561945, -2.3561945, NaN},
      {NaN, NaN, NaN, NaN, NaN, NaN, NaN}}},
    {"power",
     np::power,
     {{49, 56.25, 0, 1, Inf, Inf, NaN},
      {0.0204081647, 0.0177777782, Inf, 1, 0, 0, NaN},
      {1.21481407, NaN, 0, 1, Inf, Inf, NaN},
      {1, 1, 1, 1, 1, 1, 1},
      {Inf, Inf, 0, 1, Inf, Inf, NaN},
      {0, 0, Inf, 1, 0, 0, NaN},
      {NaN, NaN, NaN, 1, NaN, NaN, NaN}}},
};

TEST(ufuncs, two_operands_of_every_kind_of_float_agree_with_numpy) {
  const Array x = Array::from_vector(std::vector<double>(std::begin(kLeft), std::end(kLeft)), Dims{7}).astype(f32);
  for (const BinaryCase& c : kBinaryCases)
    for (std::size_t i = 0; i < 7; ++i) {
      SCOPED_TRACE(std::string(c.name) + " by " + std::to_string(kRight[i]));
      const std::vector<double> row(std::begin(c.expected[i]), std::end(c.expected[i]));
      expect_near(c.f(x, kRight[i]), Array::from_vector(row, Dims{7}).astype(f32), 1e-6);
    }
}

TEST(ufuncs, integers_divide_as_in_python) {
  const Array x = np::array({7, -7, 7, -7, 6, 0}), y = np::array({2, 2, -2, -2, 3, 5});
  expect_equal(np::floor_divide(x, y), np::array({3, -4, -4, 3, 2, 0}));
  expect_equal(x % y, np::array({1, 1, -1, -1, 0, 0}));
  expect_equal(np::fmod(x, y), np::array({1, -1, 1, -1, 0, 0}));
  expect_equal(np::divmod(x, y).first, np::floor_divide(x, y));
  expect_equal(np::divmod(x, y).second, np::remainder(x, y));
  expect_near(x / y, np::array({3.5f, -3.5f, -3.5f, 3.5f, 2.f, 0.f}), 0);
  expect_equal(np::floor_divide(np::array({7, 9}, u8), 2), np::array({3, 4}, u8));
  expect_equal(np::array({7, 9}, u8) % 4, np::array({3, 1}, u8));
}

TEST(ufuncs, functions_of_reals_make_floats_of_integers) {
  for (Array (*f)(const Arg&) :
       {np::sin, np::exp, np::sqrt, np::log2, np::exp2, np::sinc, np::deg2rad, np::fabs, np::reciprocal}) {
    EXPECT_EQ(f(np::ones({2}, i32)).dtype(), f32);
    EXPECT_EQ(f(np::ones({2}, boolean)).dtype(), f32);
    EXPECT_EQ(f(np::ones({2}, f16)).dtype(), f16);
    EXPECT_EQ(f(np::ones({2}, f64)).dtype(), f64);
    EXPECT_EQ(f(1.0f).dtype(), f32);
  }
}

TEST(ufuncs, values_of_one_operand) {
  const Array x = np::array({0.5, 1.0, 8.0});
  expect_near(np::exp(x), np::array({1.6487212707001282, 2.718281828459045, 2980.9579870417283}), 1e-15);
  expect_near(np::log(x), np::array({-0.6931471805599453, 0.0, 2.0794415416798357}), 1e-15);
  expect_near(np::log2(x), np::array({-1.0, 0.0, 3.0}), 1e-15);
  expect_near(np::log10(np::array({1.0, 1000.0})), np::array({0.0, 3.0}), 1e-15);
  expect_equal(np::exp2(np::array({-1.f, 0.f, 10.f})), np::array({0.5f, 1.f, 1024.f}));
  expect_near(np::tan(np::array({0.25})), np::array({0.25534192122103627}), 1e-15);
  expect_near(np::arcsin(np::array({0.5})), np::array({0.5235987755982989}), 1e-15);
  expect_near(np::arccosh(np::array({2.0})), np::array({1.3169578969248166}), 1e-15);
  expect_near(np::sinc(np::array({0.0, 0.5, 1.0})), np::array({1.0, 0.6366197723675814, 0.0}), 1e-15);
  expect_near(np::deg2rad(180.0), Array(np::pi), 1e-15);
  expect_near(np::rad2deg(np::pi), Array(180.0), 1e-15);
  expect_near(np::cbrt(np::array({-27.0})), np::array({-3.0}), 1e-15);
  expect_near(np::expm1(1e-10), Array(1.00000000005e-10), 1e-24);
}

// Every b^k that T holds exactly, from its smallest subnormal number up.
template <class T>
void expect_whole_logarithms(double base, Array (*log)(const Arg&), int lowest, int highest) {
  std::vector<T> powers;
  std::vector<double> exponents;
  for (int k = lowest; k <= highest; ++k) {
    powers.push_back(static_cast<T>(static_cast<float>(std::pow(base, k))));
    if constexpr (std::is_same_v<T, double>) powers.back() = std::pow(base, k);
    ASSERT_EQ(static_cast<double>(powers.back()), std::pow(base, k));
    exponents.push_back(k);
  }
  const Dims shape{static_cast<std::int64_t>(powers.size())};
  const Array x = Array::from_vector(powers, shape), want = Array::from_vector(exponents, shape).astype(x.dtype());
  expect_equal(log(x), want);
  expect_equal(jit([&](Array y) { return log(y); })(x), want);
}

TEST(ufuncs, logarithms_of_exact_powers_are_whole_numbers) {
  expect_whole_logarithms<float16>(2, np::log2, -24, 15);
  expect_whole_logarithms<bfloat16>(2, np::log2, -133, 127);
  expect_whole_logarithms<float>(2, np::log2, -149, 127);
  expect_whole_logarithms<double>(2, np::log2, -1074, 1023);
  expect_whole_logarithms<float16>(10, np::log10, 0, 4);
  expect_whole_logarithms<bfloat16>(10, np::log10, 0, 3);
  expect_whole_logarithms<float>(10, np::log10, 0, 10);
  expect_whole_logarithms<double>(10, np::log10, 0, 22);
  EXPECT_EQ(np::log10(1000).item<float>(), 3.0f);
  // The nearest numbers to the others, too.
  expect_equal(np::log10(np::array({1e-1, 1e-3, 1e-20, 1e-307, 1e300})), np::array({-1.0, -3.0, -20.0, -307.0, 300.0}));
}

TEST(ufuncs, logarithms_anywhere) {
  expect_near(np::log2(np::array({3.0, 0.3, 1e-310, 1e308, 5e-324})),
              np::array({1.584962500721156, -1.7369655941662063, -1029.7977094150824, 1023.1538532253076, -1074.0}),
              1e-15);
  expect_near(np::log10(np::array({3.0, 0.3, 1e-310, 1.7e308})),
              np::array({0.47712125471966244, -0.5228787452803376, -310.0, 308.2304489213783}), 1e-15);
  for (const DType t : {f16, bf16, f32, f64}) {
    const Array edges = np::array({0.0, -0.0, np::inf, np::nan, -1.0, -np::inf}, t);
    const Array want = np::array({-np::inf, -np::inf, np::inf, np::nan, np::nan, np::nan}, t);
    expect_equal(np::log2(edges), want);
    expect_equal(np::log10(edges), want);
    const double largest = np::finfo(t).max;
    EXPECT_NEAR(np::log2(np::array({largest}, t)).item<double>(), std::log2(largest), 128 * np::finfo(t).eps);
  }
  // Next to 1 nothing cancels.
  const double e = std::numeric_limits<double>::epsilon();
  expect_near(np::log2(np::array({1 + e, 1 - e / 2})) / e, np::array({1.4426950408889634, -0.7213475204444817}), 1e-15);
  expect_near(np::log10(np::array({1 + e, 1 - e / 2})) / e, np::array({0.4342944819032518, -0.2171472409516259}),
              1e-15);
  expect_near(np::log2(np::array({std::complex<double>(0, 2)})),
              np::array({std::complex<double>(1, np::pi / 2 / std::log(2.0))}), 1e-15);
}

TEST(ufuncs, logarithms_of_negative_numbers_are_nan) {
  // Of any bits: subnormal and huge numbers, infinities and NaN too.
  const auto all_nan = [](DType t, DType word, std::uint64_t sign) {
    const Array bits = random::bits(random::key(0), {4096}, word);
    const Array x = lax::bitcast_convert(lax::or_(bits, lax::full(bits.shape(), Scalar(sign), word)), t);
    const Array negative = np::where(x == 0, np::array(-1.0, t), x);
    for (Array (*f)(const Arg&) : {np::log2, np::log10})
      EXPECT_TRUE(bool(np::all(np::isnan(f(negative))))) << t << f(negative);
  };
  all_nan(f16, u16, 0x8000);
  all_nan(bf16, u16, 0x8000);
  all_nan(f32, u32, 0x80000000);
  all_nan(f64, u64, 0x8000000000000000);
  expect_equal(np::log2(np::array({-5e-324, -1e-310, -1e-300, -0.7})), np::array({NaN, NaN, NaN, NaN}));
  // Their derivative is that of the formula, 1 / (x ln base), as of log.
  const auto log2 = [](Array x) { return np::log2(x); };
  const auto log10 = [](Array x) { return np::log10(x); };
  for (const double x : {-1.0, -0.3, -1e-300, -1e300}) {
    const Array binary(1 / (x * std::log(2.0))), decimal(1 / (x * std::log(10.0)));
    expect_near(grad(log2)(x) * x, binary * x, 1e-15);
    expect_near(jit(grad(log2))(x) * x, binary * x, 1e-15);
    expect_near(jvp(log2, x, 1.0).second * x, binary * x, 1e-15);
    expect_near(jit([&](Array v) { return jvp(log2, v, Array(1.0)).second; })(x) * x, binary * x, 1e-15);
    expect_near(grad(log10)(x) * x, decimal * x, 1e-15);
  }
}

TEST(ufuncs, derivatives_of_logarithms_of_any_base) {
  const Array x = np::array({1e-310, 1e-300, 0.3, 1.0, 8.0, 1e3, 1e308});
  const Array slope = 1.0 / x;
  const auto by_reverse = [](Array (*f)(const Arg&), const Array& at) {
    return grad([f](Array y) { return np::sum(f(y)); })(at);
  };
  const auto by_forward = [](Array (*f)(const Arg&), const Array& at) {
    return jvp([f](Array y) { return f(y); }, at, np::ones_like(at)).second;
  };
  for (const auto& d : {by_reverse(np::log2, x), by_forward(np::log2, x)})
    expect_near(d / slope * std::log(2.0), np::array({np::nan, 1., 1., 1., 1., 1., 1.}), 1e-15);
  for (const auto& d : {by_reverse(np::log10, x), by_forward(np::log10, x)})
    expect_near(d / slope * std::log(10.0), np::array({np::nan, 1., 1., 1., 1., 1., 1.}), 1e-15);
  // The slope of 1e-310 is beyond any f64, that of a larger subnormal number is not.
  const double subnormal = 2e-308;
  EXPECT_NEAR(grad([](Array y) { return np::log2(y); })(subnormal).item<double>() * subnormal, 1 / std::log(2.0),
              1e-12);
  EXPECT_EQ(grad([](Array y) { return np::log2(y); })(0.0).item<double>(), np::inf);
  EXPECT_EQ(grad([](Array y) { return np::log2(y); })(np::inf).item<double>(), 0.0);
  EXPECT_TRUE(std::isnan(grad([](Array y) { return np::log2(y); })(np::nan).item<double>()));
  EXPECT_NEAR(grad(grad([](Array y) { return np::log2(y); }))(8.0).item<double>(), -1 / (64 * std::log(2.0)), 1e-16);
  EXPECT_NEAR(grad(grad([](Array y) { return np::log10(y); }))(1000.0).item<double>(), -1e-6 / std::log(10.0), 1e-20);
  EXPECT_EQ(grad([](Array y) { return np::log2(y); })(np::array(2.0, f16)).dtype(), f16);
}

TEST(ufuncs, sinc_has_derivatives_at_zero) {
  EXPECT_EQ(grad([](Array x) { return np::sinc(x); })(0.0).item<double>(), 0.0);
  EXPECT_NEAR(grad(grad([](Array x) { return np::sinc(x); }))(0.0).item<double>(), -np::pi * np::pi / 3, 1e-12);
}

TEST(ufuncs, small_whole_powers_are_chains_of_products) {
  const Array x = np::array({-2.f, 0.5f});
  expect_equal(np::power(x, 2), np::array({4.f, 0.25f}));
  expect_equal(np::power(x, 3), np::array({-8.f, 0.125f}));
  expect_equal(np::power(x, -2), np::array({0.25f, 4.f}));
  expect_equal(np::power(x, 0), np::array({1.f, 1.f}));
  expect_equal(np::power(np::array({3, -2}), 5), np::array({243, -32}));
  expect_equal(np::pow(2.0, np::array({3.0, -1.0})), np::array({8.0, 0.5}));
  // The third power has a derivative at 0 and below.
  expect_equal(grad([](Array y) { return np::sum(np::power(y, 3)); })(np::array({-1.f, 0.f})), np::array({3.f, 0.f}));
  EXPECT_EQ(make_jaxpr([](Array y) { return np::power(y, 4); })(1.0f).eqns().size(), 2u);
}

TEST(ufuncs, arrays_of_negative_powers_truncate_integers) {
  expect_equal(np::power(np::array({2, 1, -1, -1, 0}), np::array({-1, -3, -3, -2, -1})), np::array({0, 1, -1, 1, 0}));
  expect_equal(np::power(2.f, -1), Array(0.5f));
  expect_equal(np::power(np::array({2}), -1.f), np::array({0.5f}));
  expect_equal(np::power(np::array({2u}), 3u), np::array({8u}));
}

TEST(ufuncs, floor_divide_keeps_the_sign_of_zero) {
  for (const DType t : {f16, bf16, f32, f64}) {
    const Array y = np::floor_divide(np::array({-0.0, -0.0, 0.0, 0.0, 1.0, -3.0, -1.0, 1.0, -1.0}, t),
                                     np::array({1.0, -1.0, 2.0, -2.0, 2.0, -4.0, np::inf, np::inf, -np::inf}, t));
    expect_equal(y, np::array({0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0}, t));
    expect_equal(np::signbit(y), np::array({true, false, false, true, false, false, true, false, false}));
  }
  // The derivative is 0 where the quotient's own is beyond all numbers.
  EXPECT_EQ(grad([](Array x) { return np::floor_divide(1.f, x); })(1e-30f).item<float>(), 0.f);
}

TEST(ufuncs, a_zero_remainder_has_the_sign_of_the_divisor) {
  for (const DType t : {f16, bf16, f32, f64}) {
    const Array x = np::array({-8.0, 4.0, 0.0, -0.0, 0.0, -0.0, 7.0, -7.0, 0.0, -0.0}, t),
                y = np::array({2.0, -1.0, -2.0, 2.0, 2.0, -2.0, 2.0, 2.0, -np::inf, np::inf}, t);
    const Array sign = np::array({false, true, true, false, false, true, false, false, true, false});
    for (const Array& r : {np::mod(x, y), np::divmod(x, y).second, jit([](Array a, Array b) { return a % b; })(x, y)}) {
      expect_equal(r, np::array({0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0}, t));
      expect_equal(np::signbit(r), sign);
    }
  }
  // The slopes are those next to it: 1 by x, -floor(x / y) by y.
  const auto mod = [](Array x, Array y) { return np::mod(x, y); };
  for (const auto& [x, y] : {std::pair(-8.0, 2.0), std::pair(4.0, -1.0), std::pair(6.0, 3.0), std::pair(-7.0, 2.0)}) {
    EXPECT_EQ(grad(mod)(x, y).item<double>(), 1.0);
    EXPECT_EQ(grad<1>(mod)(x, y).item<double>(), -std::floor(x / y));
  }
}

TEST(ufuncs, rounding_takes_halves_to_even) {
  expect_equal(np::round(np::array({0.5f, 1.5f, -2.5f, 2.6f})), np::array({0.f, 2.f, -2.f, 3.f}));
  expect_near(np::round(np::array({1.2345, -1.2355}), 3), np::array({1.234, -1.236}), 1e-12);
  expect_equal(np::round(np::array({149.0, 250.0}), -2), np::array({100.0, 200.0}));
  expect_equal(np::round(np::array({149, 150, 250, -150, -149}), -2), np::array({100, 200, 200, -200, -100}));
  expect_equal(np::round(np::array({7, 8}), 3), np::array({7, 8}));
  EXPECT_EQ(message_of<ValueError>([] { return np::round(np::array({1}, i8), -2); }),
            "round: decimals must leave a digit of i8; got -2.");
  expect_equal(np::round(np::array({std::complex<float>(0.5f, 1.5f)})), np::array({std::complex<float>(0, 2)}));
  expect_equal(np::rint(np::array({1000.5f}, f16)), np::array({1000.f}, f16));
  expect_near(np::around(np::array({0.123f}, f16), 1), np::array({0.1f}, f16), 0);
  expect_equal(np::trunc(np::array({-1.7f, 1.7f})), np::array({-1.f, 1.f}));
  expect_equal(np::floor(np::array({-1.5f})), np::array({-2.f}));
  expect_equal(np::ceil(np::array({3})), np::array({3}));
}

TEST(ufuncs, signs_and_bits_of_floats) {
  const Array x = np::array({-2.f, -0.f, 0.f, 3.f});
  expect_equal(np::sign(x), np::array({-1.f, 0.f, 0.f, 1.f}));
  expect_equal(np::signbit(x), np::array({true, true, false, false}));
  expect_equal(np::signbit(np::array({-1, 1})), np::array({true, false}));
  expect_equal(np::copysign(np::array({1.f, 2.f}), np::array({-0.f, 5.f})), np::array({-1.f, 2.f}));
  expect_equal(np::copysign(np::array({1.0, -2.0}, f16), -1.0), np::array({-1.0, -2.0}, f16));
  expect_equal(np::abs(np::array({-3, 3})), np::array({3, 3}));
  expect_equal(np::abs(np::array({std::complex<float>(3, 4)})), np::array({5.f}));
  expect_equal(np::abs(np::array({true})), np::array({true}));
}

TEST(ufuncs, nan_to_num_makes_numbers) {
  const Array x = np::array({np::nan, np::inf, -np::inf, 1.f});
  constexpr float largest = std::numeric_limits<float>::max();
  expect_equal(np::nan_to_num(x), np::array({0.f, largest, -largest, 1.f}));
  expect_equal(np::nan_to_num(x, 2, 3, 4), np::array({2.f, 3.f, 4.f, 1.f}));
  expect_equal(np::nan_to_num(x.astype(f16)), np::array({0.f, 65504.f, -65504.f, 1.f}, f16));
  expect_equal(np::nan_to_num(np::array({1, 2})), np::array({1, 2}));
}

TEST(ufuncs, clip_bounds_either_side) {
  const Array x = np::array({-2, 0, 5});
  expect_equal(np::clip(x, -1, 3), np::array({-1, 0, 3}));
  expect_equal(np::clip(x, std::nullopt, 3), np::array({-2, 0, 3}));
  expect_equal(np::clip(x, 0), np::array({0, 0, 5}));
  expect_equal(np::clip(x, np::array({0, 1, 2}), np::array({9, 9, 3})), np::array({0, 1, 3}));
}

TEST(ufuncs, comparisons_give_bool) {
  const Array x = np::array({1.f, 2.f, np::nan});
  expect_equal(x == 2, np::array({false, true, false}));
  expect_equal(x != x, np::array({false, false, true}));
  expect_equal(1.5f < x, np::array({false, true, false}));
  expect_equal(x >= 2.0, np::array({false, true, false}));
  expect_equal(np::less_equal(x, 1), np::array({true, false, false}));
  expect_equal(np::greater(np::array({1, 2}), np::array({1.5f, 1.5f})), np::array({false, true}));
}

TEST(ufuncs, complex_numbers_go_by_real_then_imaginary_part) {
  const auto z = [](float re, float im) { return std::complex<float>(re, im); };
  const float nan = np::nan;
  const Array x = np::array({z(1, 9), z(1, 2), z(1, 2), z(1, 3), z(2, 0), z(nan, 0), z(1, nan)});
  const Array y = np::array({z(2, 0), z(1, 3), z(1, 2), z(1, 2), z(1, 9), z(0, 0), z(1, 0)});
  expect_equal(x < y, np::array({true, true, false, false, false, false, false}));
  expect_equal(x <= y, np::array({true, true, true, false, false, false, false}));
  expect_equal(x > y, np::array({false, false, false, true, true, false, false}));
  expect_equal(x >= y, np::array({false, false, true, true, true, false, false}));
  expect_equal(x < 1.5f, np::array({true, true, true, true, false, false, false}));
  expect_equal(x.astype(c128) < y.astype(c128), x < y);
  // So do maximum, max, argmax and sort.
  const Array last = np::sort(y)(-1);
  expect_equal(np::max(y), last);
  expect_equal(y(np::argmax(y)), last);
  expect_equal(np::maximum(y, last), np::broadcast_to(last, y.shape()));
}

TEST(ufuncs, a_complex_number_with_a_part_that_is_nan_has_no_order) {
  // As NumPy 1.24, for every pair of these.
  std::vector<std::complex<double>> numbers;
  for (const double re : {1.0, 2.0, NaN})
    for (const double im : {1.0, NaN}) numbers.emplace_back(re, im);
  for (const auto a : numbers)
    for (const auto b : numbers) {
      const bool ordered = a == a && b == b;
      const auto check = [&](const Array& got, bool want) { EXPECT_EQ(bool(got), ordered && want) << a << " " << b; };
      check(np::less(Array(a), Array(b)), a.real() < b.real());
      check(np::greater(Array(a), Array(b)), a.real() > b.real());
      check(np::less_equal(Array(a), Array(b)), a.real() <= b.real());
      check(np::greater_equal(Array(a), Array(b)), a.real() >= b.real());
    }
}

TEST(ufuncs, scaled_complex_functions_keep_infinities) {
  const auto z = [](double re, double im) { return std::complex<double>(re, im); };
  const Array x = np::array({z(0, 0), z(Inf, 1), z(0, -Inf)});
  const double quarter = np::pi / 2;
  expect_near(np::log2(x), np::array({z(-Inf, 0), z(Inf, 0), z(Inf, -quarter / std::log(2.0))}), 1e-15);
  expect_near(np::log10(x), np::array({z(-Inf, 0), z(Inf, 0), z(Inf, -quarter / std::log(10.0))}), 1e-15);
  expect_near(np::exp2(np::array({z(-Inf, 1), z(Inf, 0), z(1, 2), z(3, 0)})),
              np::array({z(0, 0), z(Inf, 0), z(0.36691394948660344, 1.9660554808224875), z(8, 0)}), 1e-15);
  // Derivatives are those of the functions.
  const auto slope = [](const auto& f, std::complex<double> at) {
    return jvp(f, Array(at), Array(std::complex<double>(1, 0))).second;
  };
  expect_near(slope([](Array v) { return np::log2(v); }, z(1, 2)), Array(1.0 / (z(1, 2) * std::log(2.0))), 1e-15);
  expect_near(slope([](Array v) { return np::exp2(v); }, z(1, 2)),
              Array(z(0.36691394948660344, 1.9660554808224875) * std::log(2.0)), 1e-14);
}

TEST(ufuncs, logaddexp_of_complex_numbers) {
  const auto z = [](double re, double im) { return std::complex<double>(re, im); };
  const Array x = np::array({z(1, 2), z(-3, 0.5), z(0, 3), z(5, -1), z(-Inf, 0), z(-Inf, 0), z(1, 4)});
  const Array y = np::array({z(2, -1), z(-3.5, 2), z(1000, 0), z(4, 6), z(2, 3), z(-Inf, 0), z(1, 4)});
  std::vector<std::complex<double>> want;
  for (int i = 0; i < 7; ++i) {
    const auto a = x(i).item<std::complex<double>>(), b = y(i).item<std::complex<double>>();
    want.push_back(std::log(std::exp(a) + std::exp(b)));
  }
  want[2] = 1000;  // whose exponential overflows
  want[5] = z(-Inf, 0);
  expect_near(np::logaddexp(x, y), np::array(want), 1e-14);
  expect_near(np::logaddexp(y, x), np::array(want), 1e-14);
  expect_near(np::logaddexp(x, y)(0), Array(z(1.5504546447353226, -0.9185277384573157)), 1e-8);  // NumPy's
  expect_near(np::logaddexp(x.astype(c64), y.astype(c64)), np::array(want).astype(c64), 1e-5);
  const double ln2 = std::log(2.0);
  std::vector<std::complex<double>> base2;
  for (const auto w : want) base2.push_back(z(w.real() / ln2, w.imag() / ln2));
  const auto by_ln2 = [&](const Array& v) {
    return lax::complex(np::multiply(np::real(v), 1 / ln2), np::multiply(np::imag(v), 1 / ln2));
  };
  expect_near(np::logaddexp2(by_ln2(x), by_ln2(y)), np::array(base2), 1e-13);
  const Array slope = jvp([&](Array v) { return np::logaddexp(v, y(0)); }, x(0), Array(z(1, 0))).second;
  expect_near(slope, Array(std::exp(z(1, 2) - want[0])), 1e-14);
  EXPECT_TRUE(np::isnan(np::logaddexp(Array(z(NaN, 0)), y(0))).item<bool>());
  EXPECT_TRUE(np::isnan(np::logaddexp(y(0), Array(z(NaN, 0)))).item<bool>());
}

TEST(ufuncs, integer_division_refuses_other_dtypes_in_one_way) {
  for (const DType t : {boolean, c64}) {
    const std::string got = t == boolean ? "bool[1] and bool[1]." : "c64[1] and c64[1].";
    const Array x = np::ones({1}, t);
    const auto text = [&](Array (*f)(const Arg&, const Arg&)) {
      return message_of<DTypeError>([&] { return f(x, x); });
    };
    EXPECT_EQ(text(np::floor_divide), "floor_divide: operands must be integer or float; got " + got);
    EXPECT_EQ(text(np::mod), "mod: operands must be integer or float; got " + got);
    EXPECT_EQ(text(np::fmod), "fmod: operands must be integer or float; got " + got);
  }
}

TEST(ufuncs, angles_in_degrees_are_real) {
  const Array z = np::ones({2}, c64);
  EXPECT_EQ(message_of<DTypeError>([&] { return np::deg2rad(z); }), "deg2rad: the operand must be real; got c64[2].");
  EXPECT_EQ(message_of<DTypeError>([&] { return np::rad2deg(z); }), "rad2deg: the operand must be real; got c64[2].");
}

TEST(ufuncs, logic_takes_truth_bits_take_bits) {
  const Array x = np::array({0, 2, 3}), y = np::array({1, 1, 0});
  expect_equal(np::logical_and(x, y), np::array({false, true, false}));
  expect_equal(np::logical_or(x, y), np::array({true, true, true}));
  expect_equal(np::logical_xor(x, y), np::array({true, false, true}));
  expect_equal(!x, np::array({true, false, false}));
  expect_equal(x & y, np::array({0, 0, 0}));
  expect_equal(x | y, np::array({1, 3, 3}));
  expect_equal(x ^ 1, np::array({1, 3, 2}));
  expect_equal(~x, np::array({-1, -3, -4}));
  expect_equal(~np::array({true, false}), np::array({false, true}));
  expect_equal(np::bitwise_count(np::array({7, -7, 0})), np::array({3, 3, 0}));
  EXPECT_TRUE(throws<DTypeError>([] { return np::ones({1}) & 1; }));
}

TEST(ufuncs, shifts_by_the_width_or_more_leave_nothing_but_the_sign) {
  expect_equal(np::array({1, 3}, i8) << np::array({3, 9}, i8), np::array({8, 0}, i8));
  expect_equal(np::array({-128, 64}, i8) >> np::array({2, 9}, i8), np::array({-32, 0}, i8));
  expect_equal(np::array({-1}, i32) >> 40, np::array({-1}));
  expect_equal(np::array({128}, u8) >> 7, np::array({1}, u8));
  expect_equal(np::array({1, -1}) << -1, np::array({0, 0}));
  expect_equal(np::array({1, -1}) >> -1, np::array({0, -1}));
}

TEST(ufuncs, edges_are_as_documented) {
  const double pi = np::pi;
  expect_equal(np::log(np::array({0.0, -1.0, Inf})), np::array({-Inf, NaN, Inf}));
  expect_equal(np::log1p(np::array({-1.0, -2.0})), np::array({-Inf, NaN}));
  expect_equal(np::sqrt(np::array({-1.0, -0.0})), np::array({NaN, 0.0}));
  EXPECT_TRUE(np::signbit(np::sqrt(-0.0)).item<bool>());
  for (Array (*f)(const Arg&) : {np::sin, np::cos, np::tan})
    expect_equal(f(np::array({Inf, -Inf})), np::array({NaN, NaN}));
  expect_equal(np::arcsin(np::array({1.5, -1.5})), np::array({NaN, NaN}));
  expect_equal(np::arccos(np::array({1.5, -1.5})), np::array({NaN, NaN}));
  expect_near(np::arctan(np::array({Inf, -Inf})), np::array({pi / 2, -pi / 2}), 1e-15);
  expect_equal(np::arccosh(np::array({1.0, 0.5})), np::array({0.0, NaN}));
  expect_equal(np::arctanh(np::array({1.0, -1.0, 2.0})), np::array({Inf, -Inf, NaN}));
  expect_near(np::arctan2(np::array({0.0, -0.0}), -1.0), np::array({pi, -pi}), 1e-15);
  expect_equal(np::divide(np::array({1, -1, 0}), 0), np::array({Inf, -Inf, NaN}, f32));
  expect_equal(np::reciprocal(np::array({0.0, -0.0})), np::array({Inf, -Inf}));
  expect_equal(np::power(np::array({-8.0, 0.0, NaN}), np::array({1. / 3, 0.0, 0.0})), np::array({NaN, 1.0, 1.0}));
  expect_equal(np::floor_divide(np::array({5, 0, -5}), 0), np::array({-2, -1, -2}));
  expect_equal(np::floor_divide(np::array({5, 0}, u8), 0), np::array({255, 255}, u8));
  expect_equal(np::mod(np::array({5, -5}), 0), np::array({5, -5}));
  expect_equal(np::logical_and(np::nan, 1.f), Array(true));
  EXPECT_EQ(message_of<DTypeError>([] { return np::negative(np::array({true})); }),
            "negative: the operand must be integer, float or complex; got bool[1].");
  for (const auto& call : std::vector<std::function<void()>>{
           [] { np::floor(np::ones({1}, c64)); }, [] { np::trunc(np::ones({1}, c64)); },
           [] { np::ceil(np::ones({1}, c64)); }, [] { np::bitwise_or(1.f, 2); }, [] { np::left_shift(1.f, 1); }})
    EXPECT_TRUE(throws<DTypeError>(call));
}

TEST(ufuncs, complex_parts) {
  const Array z = np::array({std::complex<float>(1, -2), std::complex<float>(0, 0)});
  expect_equal(np::real(z), np::array({1.f, 0.f}));
  expect_equal(np::imag(z), np::array({-2.f, 0.f}));
  expect_equal(np::conj(z), np::array({std::complex<float>(1, 2), std::complex<float>(0, -0.f)}));
  expect_near(np::angle(z), np::array({-1.1071487f, 0.f}), 1e-6);
  expect_equal(np::imag(np::array({1, 2})), np::array({0, 0}));
  expect_equal(np::iscomplex(z), np::array({true, false}));
  for (const DType t : {boolean, u8, i32, f16, f32}) {
    const Array x = np::array({0, 1}).astype(t);
    expect_equal(np::isreal(x), np::array({true, true}));
    expect_equal(np::iscomplex(x), np::array({false, false}));
    expect_equal(np::signbit(x), np::array({false, false}));
  }
}

TEST(ufuncs, tests_for_special_values) {
  const Array x = np::array({np::nan, np::inf, -np::inf, 0.f});
  expect_equal(np::isnan(x), np::array({true, false, false, false}));
  expect_equal(np::isinf(x), np::array({false, true, true, false}));
  expect_equal(np::isposinf(x), np::array({false, true, false, false}));
  expect_equal(np::isneginf(x), np::array({false, false, true, false}));
  expect_equal(np::isfinite(x), np::array({false, false, false, true}));
  expect_equal(np::isfinite(np::array({1, 2})), np::array({true, true}));
  expect_equal(np::isinf(np::array({std::complex<float>(0, np::inf)})), np::array({true}));
}

TEST(ufuncs, closeness) {
  const Array x = np::array({1.0, np::inf, np::nan}), y = np::array({1.0 + 1e-6, np::inf, np::nan});
  expect_equal(np::isclose(x, y), np::array({true, true, false}));
  expect_equal(np::isclose(x, y, 1e-5, 1e-8, true), np::array({true, true, true}));
  expect_equal(np::isclose(np::array({1.0, 1.0}), np::array({1.1, np::inf})), np::array({false, false}));
  EXPECT_TRUE(np::allclose(np::array({1, 2}), np::array({1, 2})));
  EXPECT_FALSE(np::allclose(np::array({1, 2}), np::array({1, 3})));
  EXPECT_TRUE(np::array_equal(np::array({1, 2}), np::array({1.f, 2.f})));
  EXPECT_FALSE(np::array_equal(np::array({1, 1}), np::array({1})));
  EXPECT_FALSE(np::array_equal(x, x));
  EXPECT_TRUE(np::array_equal(x, x, true));
  EXPECT_TRUE(np::array_equiv(np::array({1, 1}), np::array({1})));
  EXPECT_FALSE(np::array_equiv(np::array({1, 1}), np::array({1, 1, 1})));
}

TEST(ufuncs, where_chooses_and_broadcasts) {
  const Array c = np::array({true, false});
  expect_equal(np::where(c, 1.f, np::array({2.f, 3.f})), np::array({1.f, 3.f}));
  expect_equal(np::where(c, 1, 0), np::array({1, 0}));
  expect_equal(np::where(c, np::array({{1.f}, {2.f}}), np::nan), np::array({{1.f, np::nan}, {2.f, np::nan}}));
  expect_equal(np::where(np::array({5, 0}), 1, 2), np::array({1, 2}));
  expect_equal(np::where(true, np::array({1, 2}), 0), np::array({1, 2}));
}

TEST(ufuncs, derivatives_at_the_edges) {
  // Equal infinities must not give NaN, and ties share.
  const auto f = [](Array x, Array y) { return np::logaddexp(x, y); };
  EXPECT_EQ(grad(f)(-np::inf, 0.f).item<float>(), 0.f);
  EXPECT_FALSE(std::isnan(grad(f)(-np::inf, -np::inf).item<float>()));
  EXPECT_EQ(grad(f)(1.f, 1.f).item<float>(), 0.5f);
  EXPECT_EQ(grad(f)(np::inf, np::inf).item<float>(), 0.5f);
  EXPECT_TRUE(std::isnan(grad(f)(NAN, 0.f).item<float>()));
  EXPECT_TRUE(std::isnan(grad(f)(0.f, NAN).item<float>()));
  expect_near(grad([](Array x, Array y) { return np::hypot(x, y); })(3.f, 4.f), Array(0.6f), 1e-6);
  EXPECT_EQ(grad([](Array x) { return np::floor_divide(x, 3.f); })(7.f).item<float>(), 0.f);
  EXPECT_EQ(grad([](Array x) { return np::mod(x, 3.f); })(7.f).item<float>(), 1.f);
}

TEST(operators, assignments_replace_the_handle) {
  Array x = np::array({7, 9});
  const Array before = x;
  x += 1;
  x -= np::array({0, 2});
  x *= 2;
  expect_equal(x, np::array({16, 16}));
  x %= 10;
  x &= 5;
  x |= 8;
  x ^= 1;
  expect_equal(x, np::array({13, 13}));
  Array y = x.astype(f32);
  y /= 2;
  expect_equal(y, np::array({6.5f, 6.5f}));
  expect_equal(before, np::array({7, 9}));
}

TEST(operators, every_operation_records_the_users_line) {
  std::uint32_t first = 0;
  const auto f = [&](Array x, Array y) {
    first = __LINE__ + 1;
    Array z = 2 * x;
    z = z * 2.0;
    z = np::log2(z);
    z = np::where(np::logical_and(z, y), z, y);
    z += y;
    return -z;
  };
  const Jaxpr jaxpr = make_jaxpr(f)(np::ones({3}), np::ones({3}));
  for (const auto& eqn : jaxpr.eqns()) {
    EXPECT_NE(std::string(eqn.location.file).find("ufuncs_test.cc"), std::string::npos) << jaxpr.str();
    EXPECT_GE(eqn.location.line, first);
    EXPECT_LE(eqn.location.line, first + 5);
  }
  EXPECT_EQ(jaxpr.eqns().front().location.line, first);
  EXPECT_EQ(jaxpr.eqns().back().location.line, first + 5);
}

TEST(ufuncs, a_bool_to_a_whole_power_is_an_integer) {
  expect_equal(np::power(np::array({true, false}), 2), np::array({1, 0}));
  expect_equal(np::power(np::array({true, false}), 0), np::array({1, 1}));
  expect_equal(np::power(np::array({3, 4}, u8), 2), np::array({9, 16}, u8));
}

TEST(ufuncs, second_derivatives_where_operands_are_equal) {
  const Array one = np::array({1.0, 1.0});
  const auto hessian_of = [&](auto f) { return hessian([f](Array v) { return f(v(0), v(1)); })(one); };
  const double r = 1 / (2 * std::sqrt(2.0));
  expect_near(hessian_of([](Array a, Array b) { return np::hypot(a, b); }), np::array({{r, -r}, {-r, r}}), 1e-12);
  expect_near(hessian_of([](Array a, Array b) { return np::logaddexp(a, b); }),
              np::array({{0.25, -0.25}, {-0.25, 0.25}}), 1e-12);
}

}  // namespace
}  // namespace weft

// What samples do not show of the elementwise operations: the ends of ranges, NaN and signed zeros,
// ties, branch cuts, wrapping, and the texts of errors and programs.
#include <cmath>
#include <complex>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/core/stage.h"
#include "weft/ops/lax.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"

namespace weft {
namespace {

using testing::message_of;
using C = std::complex<double>;
using Function = std::function<Array(const Array&)>;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

template <class T>
Array vec(std::vector<T> v) {
  return Array(v);
}

transforms::Linearized linear_part(const Function& f, const Array& x) {
  return transforms::linearize([&](std::span<const Array> a, Arrays& outs) { outs.push_back(f(a[0])); },
                               std::span(&x, 1), {true}, "f");
}
// The cotangent of x for a cotangent of ones.
Array pulled_back(const Function& f, const Array& x) {
  auto lin = linear_part(f, x);
  Arrays args(lin.residuals);
  args.push_back(Array());
  return transforms::backward_pass(lin.tangent, args,
                                   Arrays{Array::full(lin.outs[0].shape(), lin.outs[0].dtype(), 1.0)})
      .back();
}
// The tangent of f at x along ones; undefined when it is zero.
Array tangent(const Function& f, const Array& x) {
  Arrays outs, tangents;
  const Array ones = Array::full(x.shape(), x.dtype(), 1.0);
  transforms::jvp([&](std::span<const Array> a, Arrays& o) { o.push_back(f(a[0])); }, std::span(&x, 1),
                  std::span(&ones, 1), "f", outs, tangents);
  return tangents[0];
}
std::string program(const Function& f, Aval aval) {
  return stage([&](std::span<const Array> a, Arrays& outs) { outs.push_back(f(a[0])); }, std::span(&aval, 1), "f")
      .jaxpr.str();
}

// ---- integers ----

TEST(divide, integer_division_truncates_and_by_zero_sets_all_bits) {
  EXPECT_EQ(lax::divide(vec<int>({7, -7, 7, -7, 5}), vec<int>({2, 2, -2, -2, 0})).to_vector<int>(),
            (std::vector<int>{3, -3, -3, 3, -1}));
  EXPECT_EQ(lax::divide(vec<std::uint8_t>({200, 5}), vec<std::uint8_t>({3, 0})).to_vector<std::uint8_t>(),
            (std::vector<std::uint8_t>{66, 255}));
}

TEST(divide, the_lowest_integer_by_minus_one_is_itself) {
  constexpr auto k64 = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(lax::divide(Array(k64), Array(std::int64_t{-1})).item<std::int64_t>(), k64);
  EXPECT_EQ(lax::divide(vec<std::int8_t>({-128}), vec<std::int8_t>({-1})).item<std::int8_t>(), -128);
  EXPECT_EQ(lax::remainder(Array(k64), Array(std::int64_t{-1})).item<std::int64_t>(), 0);
}

TEST(remainder, takes_the_sign_of_the_dividend_and_keeps_it_when_dividing_by_zero) {
  EXPECT_EQ(lax::remainder(vec<int>({7, -7, 7, -7, 5}), vec<int>({3, 3, -3, -3, 0})).to_vector<int>(),
            (std::vector<int>{1, -1, 1, -1, 5}));
  EXPECT_EQ(lax::remainder(vec<float>({5.5f, -5.5f, 3.0f}), vec<float>({2, 2, kInf})).to_vector<float>(),
            (std::vector<float>{1.5f, -1.5f, 3.0f}));
  EXPECT_TRUE(std::isnan(lax::remainder(Array(1.0f), Array(0.0f)).item<float>()));
}

TEST(arithmetic, integers_wrap_at_their_width) {
  EXPECT_EQ(lax::add(vec<std::int8_t>({127}), vec<std::int8_t>({1})).item<std::int8_t>(), -128);
  EXPECT_EQ(lax::subtract(vec<std::uint16_t>({0}), vec<std::uint16_t>({1})).item<std::uint16_t>(), 65535);
  EXPECT_EQ(lax::multiply(Array(1 << 30), Array(4)).item<int>(), 0);
  constexpr int kMin = std::numeric_limits<int>::min();
  EXPECT_EQ(lax::negate(Array(kMin)).item<int>(), kMin);
  EXPECT_EQ(lax::abs(Array(kMin)).item<int>(), kMin);
  EXPECT_EQ(lax::square(Array(1 << 16)).item<int>(), 0);
}

TEST(power, negative_integer_exponents_give_zero_but_for_units) {
  EXPECT_EQ(lax::power(vec<int>({2, 1, -1, -1, 0, 3, -2}), vec<int>({-1, -5, -3, -2, 0, 4, 3})).to_vector<int>(),
            (std::vector<int>{0, 1, -1, 1, 1, 81, -8}));
}

TEST(shift, by_the_width_or_more_leaves_nothing_but_the_sign) {
  const Array x = vec<std::int8_t>({-128, 64, -1}), y = vec<std::int8_t>({8, 8, -1});
  EXPECT_EQ(lax::shift_left(x, y).to_vector<std::int8_t>(), (std::vector<std::int8_t>{0, 0, 0}));
  EXPECT_EQ(lax::shift_right_logical(x, y).to_vector<std::int8_t>(), (std::vector<std::int8_t>{0, 0, 0}));
  EXPECT_EQ(lax::shift_right_arithmetic(x, y).to_vector<std::int8_t>(), (std::vector<std::int8_t>{-1, 0, -1}));
}

TEST(shift, right_logical_fills_with_zeros_and_arithmetic_with_the_top_bit) {
  const Array x = vec<std::int8_t>({-128}), one = vec<std::int8_t>({1});
  EXPECT_EQ(lax::shift_right_logical(x, one).item<std::int8_t>(), 64);
  EXPECT_EQ(lax::shift_right_arithmetic(x, one).item<std::int8_t>(), -64);
  EXPECT_EQ(lax::shift_right_arithmetic(vec<std::uint8_t>({128}), vec<std::uint8_t>({1})).item<std::uint8_t>(), 192);
  EXPECT_EQ(lax::shift_left(vec<std::int8_t>({3}), vec<std::int8_t>({6})).item<std::int8_t>(), -64);
}

TEST(bits, are_counted_at_the_width_of_the_type) {
  EXPECT_EQ(lax::count_leading_zeros(vec<std::int8_t>({0, 1, -1})).to_vector<std::int8_t>(),
            (std::vector<std::int8_t>{8, 7, 0}));
  EXPECT_EQ(lax::count_leading_zeros(vec<std::uint64_t>({0, 1})).to_vector<std::uint64_t>(),
            (std::vector<std::uint64_t>{64, 63}));
  EXPECT_EQ(lax::popcnt(vec<std::int16_t>({-1, 5})).to_vector<std::int16_t>(), (std::vector<std::int16_t>{16, 2}));
  EXPECT_EQ(lax::not_(vec<std::uint8_t>({0, 15})).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{255, 240}));
}

TEST(logic, of_bool_is_that_of_truth_values) {
  const Array p = vec<bool>({false, false, true, true}), q = vec<bool>({false, true, false, true});
  using B = std::vector<bool>;
  EXPECT_EQ(lax::add(p, q).to_vector<bool>(), (B{false, true, true, true}));
  EXPECT_EQ(lax::multiply(p, q).to_vector<bool>(), (B{false, false, false, true}));
  EXPECT_EQ(lax::maximum(p, q).to_vector<bool>(), (B{false, true, true, true}));
  EXPECT_EQ(lax::minimum(p, q).to_vector<bool>(), (B{false, false, false, true}));
  EXPECT_EQ(lax::xor_(p, q).to_vector<bool>(), (B{false, true, true, false}));
  EXPECT_EQ(lax::not_(p).to_vector<bool>(), (B{true, true, false, false}));
}

// ---- floats ----

TEST(maximum, is_nan_when_either_operand_is) {
  const auto top = lax::maximum(vec<float>({kNaN, 1, kNaN}), vec<float>({1, kNaN, kNaN})).to_vector<float>();
  const auto bottom = lax::minimum(vec<float>({kNaN, 1, kNaN}), vec<float>({1, kNaN, kNaN})).to_vector<float>();
  for (const float v : top) EXPECT_TRUE(std::isnan(v));
  for (const float v : bottom) EXPECT_TRUE(std::isnan(v));
}

TEST(maximum, orders_negative_zero_below_positive_zero) {
  EXPECT_FALSE(std::signbit(lax::maximum(Array(-0.0f), Array(0.0f)).item<float>()));
  EXPECT_FALSE(std::signbit(lax::maximum(Array(0.0f), Array(-0.0f)).item<float>()));
  EXPECT_TRUE(std::signbit(lax::minimum(Array(-0.0f), Array(0.0f)).item<float>()));
  EXPECT_TRUE(std::signbit(lax::minimum(Array(0.0f), Array(-0.0f)).item<float>()));
}

TEST(maximum, orders_complex_numbers_by_real_then_imaginary_part) {
  EXPECT_EQ(lax::maximum(Array(C(1, 5)), Array(C(2, -5))).item<C>(), C(2, -5));
  EXPECT_EQ(lax::maximum(Array(C(1, 5)), Array(C(1, -5))).item<C>(), C(1, 5));
  EXPECT_EQ(lax::minimum(Array(C(1, 5)), Array(C(1, -5))).item<C>(), C(1, -5));
}

TEST(compare, holds_for_nan_only_as_unequal) {
  const Array x = vec<float>({kNaN, kNaN}), y = vec<float>({kNaN, 1});
  using B = std::vector<bool>;
  EXPECT_EQ(lax::ne(x, y).to_vector<bool>(), (B{true, true}));
  for (const Array& r : {lax::eq(x, y), lax::ge(x, y), lax::gt(x, y), lax::le(x, y), lax::lt(x, y)})
    EXPECT_EQ(r.to_vector<bool>(), (B{false, false}));
}

TEST(compare, sees_no_difference_between_zeros_and_all_bits_of_large_integers) {
  EXPECT_TRUE(lax::eq(Array(-0.0f), Array(0.0f)).item<bool>());
  constexpr auto kBig = std::int64_t{1} << 60;
  EXPECT_TRUE(lax::lt(Array(kBig), Array(kBig + 1)).item<bool>());
  EXPECT_TRUE(lax::gt(vec<std::uint64_t>({~std::uint64_t{0}}), vec<std::uint64_t>({1})).item<bool>());
}

TEST(sign, keeps_the_sign_of_zero_and_nan) {
  EXPECT_TRUE(std::signbit(lax::sign(Array(-0.0f)).item<float>()));
  EXPECT_TRUE(std::isnan(lax::sign(Array(kNaN)).item<float>()));
  EXPECT_EQ(lax::sign(Array(-kInf)).item<float>(), -1);
  EXPECT_EQ(lax::sign(Array(C(0, 0))).item<C>(), C(0, 0));
  EXPECT_EQ(lax::sign(vec<std::uint8_t>({0, 200})).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 1}));
}

TEST(rounding, of_halves_goes_away_from_zero_or_to_even) {
  const Array x = vec<float>({-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 8388609.0f});
  EXPECT_EQ(lax::round_nearest_afz(x).to_vector<float>(), (std::vector<float>{-3, -2, -1, 1, 2, 3, 8388609.0f}));
  EXPECT_EQ(lax::round_nearest_even(x).to_vector<float>(), (std::vector<float>{-2, -2, 0, 0, 2, 2, 8388609.0f}));
  EXPECT_TRUE(std::signbit(lax::round_nearest_even(Array(-0.25f)).item<float>()));
  EXPECT_EQ(lax::round_nearest_even(Array(0.49999997f)).item<float>(), 0);
  EXPECT_EQ(lax::round_nearest_even(Array(kInf)).item<float>(), kInf);
}

TEST(predicates, tell_infinities_and_nan_apart) {
  const Array x = vec<float>({1, kInf, -kInf, kNaN});
  using B = std::vector<bool>;
  EXPECT_EQ(lax::is_finite(x).to_vector<bool>(), (B{true, false, false, false}));
  EXPECT_EQ(lax::is_inf(x).to_vector<bool>(), (B{false, true, true, false}));
  EXPECT_EQ(lax::is_pos_inf(x).to_vector<bool>(), (B{false, true, false, false}));
  EXPECT_EQ(lax::is_neg_inf(x).to_vector<bool>(), (B{false, false, true, false}));
  EXPECT_FALSE(lax::is_finite(Array(C(1, std::numeric_limits<double>::infinity()))).item<bool>());
}

TEST(half_precision, is_computed_in_float_and_rounded_once) {
  const Array x = lax::convert(vec<float>({300, 1}), f16), y = lax::convert(vec<float>({300, 0.00048828125f}), f16);
  // 90000 is above the largest f16; 1 + 2^-11 is a tie that goes to the even neighbour 1.
  const auto products = lax::convert(lax::multiply(x, x), f32).to_vector<float>();
  EXPECT_EQ(products[0], kInf);
  EXPECT_EQ(lax::convert(lax::add(x, y), f32).to_vector<float>()[1], 1.0f);
}

TEST(logistic, does_not_overflow_in_the_tails) {
  EXPECT_EQ(lax::logistic(Array(1000.0f)).item<float>(), 1);
  EXPECT_EQ(lax::logistic(Array(-1000.0f)).item<float>(), 0);
  EXPECT_NEAR(lax::logistic(Array(-80.0f)).item<float>() / std::exp(-80.0f), 1, 1e-6);
}

// ---- complex ----

TEST(branch_cuts, are_continuous_from_the_side_of_the_zeros_sign) {
  EXPECT_EQ(lax::sqrt(Array(C(-4, 0.0))).item<C>(), C(0, 2));
  EXPECT_EQ(lax::sqrt(Array(C(-4, -0.0))).item<C>(), C(0, -2));
  EXPECT_DOUBLE_EQ(lax::log(Array(C(-1, 0.0))).item<C>().imag(), M_PI);
  EXPECT_DOUBLE_EQ(lax::log(Array(C(-1, -0.0))).item<C>().imag(), -M_PI);
  EXPECT_GT(lax::asin(Array(C(2, 0.0))).item<C>().imag(), 0);
  EXPECT_LT(lax::asin(Array(C(2, -0.0))).item<C>().imag(), 0);
  EXPECT_GT(lax::atanh(Array(C(2, 0.0))).item<C>().imag(), 0);
  EXPECT_LT(lax::atanh(Array(C(2, -0.0))).item<C>().imag(), 0);
  EXPECT_DOUBLE_EQ(lax::log_plus_one(Array(C(-3, -0.0))).item<C>().imag(), -M_PI);
}

TEST(power, of_complex_zero_is_zero_or_one) {
  EXPECT_EQ(lax::power(Array(C(0, 0)), Array(C(0, 0))).item<C>(), C(1, 0));
  EXPECT_EQ(lax::power(Array(C(0, 0)), Array(C(2, 1))).item<C>(), C(0, 0));
}

TEST(complex_functions, keep_their_digits_near_zero) {
  const C tiny(1e-12, 1e-12);
  EXPECT_NEAR(lax::exponential_minus_one(Array(tiny)).item<C>().real(), 1e-12, 1e-27);
  EXPECT_NEAR(lax::log_plus_one(Array(tiny)).item<C>().real(), 1e-12, 1e-27);
}

TEST(complex_parts, of_floats_are_the_float_and_zero) {
  EXPECT_EQ(lax::real(Array(2.0f)).item<float>(), 2);
  EXPECT_EQ(lax::imag(Array(2.0f)).item<float>(), 0);
  EXPECT_EQ(lax::conj(Array(2.0f)).item<float>(), 2);
  EXPECT_EQ(lax::complex(Array(1.0f), Array(2.0f)).dtype(), c64);
}

// ---- types ----

TEST(convert, of_floats_to_integers_truncates_saturates_and_maps_nan_to_zero) {
  const Array x = vec<float>({-1.9f, 1.9f, 1e10f, -1e10f, kNaN, kInf, -kInf});
  constexpr int kMin = std::numeric_limits<int>::min(), kMax = std::numeric_limits<int>::max();
  EXPECT_EQ(lax::convert(x, i32).to_vector<int>(), (std::vector<int>{-1, 1, kMax, kMin, 0, kMax, kMin}));
  EXPECT_EQ(lax::convert(x, u8).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 1, 255, 0, 0, 255, 0}));
  EXPECT_EQ(lax::convert(x, boolean).to_vector<bool>(), (std::vector<bool>{true, true, true, true, true, true, true}));
}

TEST(convert, between_integers_keeps_the_low_bits) {
  EXPECT_EQ(lax::convert(vec<int>({300, -1}), u8).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{44, 255}));
  EXPECT_EQ(lax::convert(vec<std::uint8_t>({255}), i8).item<std::int8_t>(), -1);
}

TEST(convert, of_a_number_or_to_the_same_dtype_costs_no_equation) {
  EXPECT_EQ(program([](const Array& x) { return lax::add(lax::convert(x, f32), lax::convert(2, f32)); }, Aval(f32, {})),
            "{ lambda ; a:f32[]. let b:f32[] = add a 2.0:f32[] in (b,) }");
}

TEST(bitcast_convert, splits_into_a_new_axis_and_joins_the_last_one) {
  const Array one = vec<float>({1.0f, -2.0f});
  EXPECT_EQ(lax::bitcast_convert(one, u32).to_vector<std::uint32_t>(),
            (std::vector<std::uint32_t>{0x3f800000u, 0xc0000000u}));
  const Array bytes = lax::bitcast_convert(one, u8);
  ASSERT_EQ(bytes.aval(), Aval(u8, Dims{2, 4}));
  EXPECT_EQ(bytes.to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}));
  const Array back = lax::bitcast_convert(bytes, f32);
  ASSERT_EQ(back.aval(), one.aval());
  EXPECT_EQ(back.to_vector<float>(), one.to_vector<float>());
}

TEST(bitcast_convert, says_what_does_not_fit) {
  EXPECT_EQ(message_of<ShapeError>([] { lax::bitcast_convert(vec<std::uint8_t>({1, 2, 3}), u32); }),
            "bitcast_convert: the last axis must have the size 4, the parts of one u32; got u8[3] to u32.");
  EXPECT_EQ(message_of<ShapeError>([] { lax::bitcast_convert(Array(true), u8); }),
            "bitcast_convert: the last axis must have the size 8, the parts of one u8; got bool[] to u8.");
  EXPECT_EQ(message_of<DTypeError>([] { lax::bitcast_convert(lax::convert(vec<float>({1, 2}), f6e2m3fn), u8); }),
            "bitcast_convert: one type must have a multiple of the other's bits; got 6 and 8 (f6e2m3fn[2] to u8).");
  EXPECT_EQ(message_of<DTypeError>([] { lax::bitcast_convert(Array(std::complex<float>(1)), f32); }),
            "bitcast_convert: complex types exchange bits with complex types only; got c64[] to f32.");
}

TEST(reduce_precision, rounds_half_to_even_overflows_and_flushes_the_too_small) {
  // Both lie halfway between neighbours of bf16.
  EXPECT_EQ(lax::reduce_precision(vec<float>({1.00390625f, 1.01171875f}), 8, 7).to_vector<float>(),
            (std::vector<float>{1.0f, 1.015625f}));
  EXPECT_EQ(lax::reduce_precision(Array(70000.0f), 5, 10).item<float>(), kInf);
  EXPECT_EQ(lax::reduce_precision(Array(65504.0f), 5, 10).item<float>(), 65504.0f);
  EXPECT_EQ(lax::reduce_precision(Array(1e-5f), 5, 10).item<float>(), 0.0f);
  EXPECT_TRUE(std::signbit(lax::reduce_precision(Array(-1e-5f), 5, 10).item<float>()));
  EXPECT_TRUE(std::isnan(lax::reduce_precision(Array(kNaN), 5, 1).item<float>()));
  // Without a mantissa nothing tells NaN from infinity.
  EXPECT_EQ(lax::reduce_precision(Array(kNaN), 5, 0).item<float>(), kInf);
  EXPECT_EQ(lax::reduce_precision(Array(kInf), 5, 10).item<float>(), kInf);
}

// ---- select and clamp ----

TEST(select, takes_one_predicate_for_all_elements) {
  const Array x = vec<int>({1, 2}), y = vec<int>({3, 4});
  EXPECT_EQ(lax::select(Array(true), x, y).to_vector<int>(), (std::vector<int>{1, 2}));
  EXPECT_EQ(lax::select(Array(false), x, y).to_vector<int>(), (std::vector<int>{3, 4}));
  EXPECT_EQ(lax::select(vec<bool>({true, false}), 1, 0).to_vector<int>(), (std::vector<int>{1, 0}));
}

TEST(select, does_not_let_nan_of_the_other_branch_through) {
  const auto safe_log = [](const Array& x) {
    return lax::select(lax::gt(x, 0.0), lax::log(lax::select(lax::gt(x, 0.0), x, 1.0)), 0.0);
  };
  EXPECT_EQ(pulled_back(safe_log, vec<float>({-1, 2})).to_vector<float>(), (std::vector<float>{0, 0.5f}));
}

TEST(clamp, keeps_nan_and_lets_the_upper_bound_win) {
  EXPECT_TRUE(std::isnan(lax::clamp(0.0, Array(kNaN), 1.0).item<float>()));
  EXPECT_EQ(lax::clamp(3.0, Array(0.0f), 1.0).item<float>(), 1.0f);
  EXPECT_EQ(lax::clamp(0, vec<int>({-5, 1, 9}), 2).to_vector<int>(), (std::vector<int>{0, 1, 2}));
}

TEST(clamp, tells_zeros_apart_as_the_maximum_and_minimum_that_it_is) {
  for (const auto& [lo, x, hi] : {std::tuple(0.0, -0.0, 1.0), std::tuple(-1.0, 0.0, -0.0), std::tuple(-0.0, 0.0, 1.0),
                                  std::tuple(-1.0, -0.0, 0.0), std::tuple(0.0, -0.0, -0.0)}) {
    const double want = lax::minimum(lax::maximum(Array(x), Array(lo)), Array(hi)).item<double>();
    const double got = lax::clamp(Array(lo), Array(x), Array(hi)).item<double>();
    EXPECT_EQ(got, 0);
    EXPECT_EQ(std::signbit(got), std::signbit(want)) << lo << " " << x << " " << hi;
  }
}

TEST(clamp, has_a_slope_strictly_inside_only) {
  EXPECT_EQ(pulled_back([](const Array& x) { return lax::clamp(0.0, x, 1.0); }, vec<float>({-1, 0, 0.5f, 1, 2}))
                .to_vector<float>(),
            (std::vector<float>{0, 0, 1, 0, 0}));
}

// ---- derivatives where they are a matter of convention ----

TEST(maximum, gives_half_the_cotangent_to_each_of_equal_operands) {
  const Array y = vec<float>({1, 2, 3});
  EXPECT_EQ(pulled_back([&](const Array& x) { return lax::maximum(x, y); }, vec<float>({2, 2, 2})).to_vector<float>(),
            (std::vector<float>{1, 0.5f, 0}));
  EXPECT_EQ(pulled_back([&](const Array& x) { return lax::minimum(y, x); }, vec<float>({2, 2, 2})).to_vector<float>(),
            (std::vector<float>{0, 0.5f, 1}));
}

TEST(power, has_finite_derivatives_at_zero) {
  const auto slopes = [](double exponent) {
    const Function f = [=](const Array& x) { return lax::power(x, exponent); };
    const Function df = [=](const Array& x) { return pulled_back(f, x); };
    return std::pair(df(Array(0.0)).item<double>(), pulled_back(df, Array(0.0)).item<double>());
  };
  EXPECT_EQ(slopes(0), std::pair(0.0, 0.0));
  EXPECT_EQ(slopes(1), std::pair(1.0, 0.0));
  EXPECT_EQ(slopes(2), std::pair(0.0, 2.0));
  EXPECT_EQ(pulled_back([](const Array& y) { return lax::power(0.0, y); }, Array(2.0)).item<double>(), 0.0);
}

TEST(abs, has_slope_zero_at_zero) {
  EXPECT_EQ(pulled_back([](const Array& x) { return lax::abs(x); }, vec<float>({-2, 0, 3})).to_vector<float>(),
            (std::vector<float>{-1, 0, 1}));
  EXPECT_EQ(pulled_back([](const Array& x) { return lax::abs(x); }, Array(C(0, 0))).item<C>(), C(0, 0));
}

TEST(steps, have_no_tangent) {
  const Array x = vec<float>({0.5f, 1.5f});
  EXPECT_FALSE(tangent([](const Array& a) { return lax::floor(a); }, x).defined());
  EXPECT_FALSE(tangent([](const Array& a) { return lax::round_nearest_even(a); }, x).defined());
  EXPECT_FALSE(tangent([](const Array& a) { return lax::sign(a); }, x).defined());
  EXPECT_FALSE(tangent([](const Array& a) { return lax::is_finite(a); }, x).defined());
  EXPECT_FALSE(tangent([](const Array& a) { return lax::convert(a, i32); }, x).defined());
}

TEST(polygamma, refuses_a_derivative_by_its_order) {
  EXPECT_EQ(message_of<NotDifferentiableError>(
                [] { pulled_back([](const Array& n) { return lax::polygamma(n, 2.0); }, Array(3.0)); }),
            "polygamma: there is no derivative by the order, a whole number; got a tangent for operand 0.");
}

TEST(special_functions, of_hugely_negative_arguments_end) {
  // psi'(x) + psi'(1 - x) = pi^2 / sin^2(pi x), and psi'(1 - x) is negligible far out.
  EXPECT_NEAR(lax::polygamma(1.0, Array(-1e9 - 0.5)).item<double>(), M_PI * M_PI, 1e-8);
  EXPECT_NEAR(lax::polygamma(1.0, Array(-2.5)).item<double>(),
              M_PI * M_PI - lax::polygamma(1.0, Array(3.5)).item<double>(), 1e-12);
  EXPECT_NEAR(lax::zeta(3.0, Array(-1.5)).item<double>(),
              std::pow(-1.5, -3) + std::pow(-0.5, -3) + lax::zeta(3.0, Array(0.5)).item<double>(), 1e-12);
}

// The gradient convention of complex numbers is JAX's (autodiff cookbook).
TEST(complex_gradients, of_a_real_loss_are_conjugates_of_the_steepest_direction) {
  const Function norm2 = [](const Array& z) { return lax::add(lax::square(lax::real(z)), lax::square(lax::imag(z))); };
  EXPECT_EQ(pulled_back(norm2, Array(C(3, 4))).item<C>(), C(6, -8));
  const C g = pulled_back([](const Array& z) { return lax::sine(z); }, Array(C(1, 2))).item<C>();
  EXPECT_NEAR(g.real(), 2.0327230070196656, 1e-14);
  EXPECT_NEAR(g.imag(), -3.0518977991518, 1e-13);
}

TEST(tanh, has_its_known_derivatives_at_two) {
  const Function f = [](const Array& x) { return lax::tanh(x); };
  const Function d1 = [&](const Array& x) { return pulled_back(f, x); };
  const Function d2 = [&](const Array& x) { return pulled_back(d1, x); };
  EXPECT_NEAR(d1(Array(2.0f)).item<float>(), 0.070650935f, 3e-7);
  EXPECT_NEAR(d2(Array(2.0f)).item<float>(), -0.13621889f, 1e-6);
  EXPECT_NEAR(pulled_back(d2, Array(2.0f)).item<float>(), 0.2526544f, 2e-6);
}

// ---- programs and errors ----

TEST(programs, of_the_gradient_of_sin_cos_print_as_in_jax) {
  const Function f = [](const Array& x) { return lax::sine(lax::cosine(x)); };
  EXPECT_EQ(program([&](const Array& x) { return pulled_back(f, x); }, Aval(f32, {})),
            "{ lambda ; a:f32[]. let\n"
            "    b:f32[] = cos a\n"
            "    c:f32[] = sin a\n"
            "    _:f32[] = sin b\n"
            "    d:f32[] = cos b\n"
            "    e:f32[] = mul 1.0:f32[] d\n"
            "    f:f32[] = neg e\n"
            "    g:f32[] = mul f c\n"
            "  in (g,) }");
}

TEST(programs, show_the_parameters_of_comparisons_and_conversions) {
  EXPECT_EQ(program([](const Array& x) { return lax::convert(lax::lt(x, 1.0), i32); }, Aval(f32, {})),
            "{ lambda ; a:f32[]. let\n"
            "    b:bool[] = lt a 1.0:f32[]\n"
            "    c:i32[] = convert_element_type[new_dtype=int32] b\n"
            "  in (c,) }");
}

TEST(errors, name_the_operation_and_the_types) {
  const Array x = vec<float>({1, 2}), n = vec<int>({1, 2}), longer = vec<float>({1, 2, 3});
  EXPECT_EQ(message_of<DTypeError>([&] { lax::add(x, n); }),
            "add: operands must have equal dtypes; got f32[2] and i32[2].");
  EXPECT_EQ(message_of<ShapeError>([&] { lax::add(x, longer); }),
            "add: operands must have equal shapes; got f32[2] and f32[3].");
  EXPECT_EQ(message_of<DTypeError>([&] { lax::sine(n); }), "sine: the operand must be float or complex; got i32[2].");
  EXPECT_EQ(message_of<DTypeError>([&] { lax::compare(Array(C(1)), Array(C(2)), ComparisonDirection::kLt); }),
            "compare: complex numbers have no order; got c128[] and c128[].");
  EXPECT_EQ(message_of<DTypeError>([&] { lax::select(n, x, x); }),
            "select: the predicate must be bool; got i32[2], f32[2] and f32[2].");
  EXPECT_EQ(
      message_of<ShapeError>([&] { lax::select(vec<bool>({true}), x, x); }),
      "select: the predicate must have the shape of on_true and on_false or be 0-d; got bool[1], f32[2] and f32[2].");
  EXPECT_EQ(message_of<ShapeError>([&] { lax::clamp(longer, x, 1.0); }),
            "clamp: lo and hi must have the shape of x or be 0-d; got f32[3], f32[2] and f32[].");
  EXPECT_EQ(message_of<DTypeError>([&] { lax::complex(lax::convert(x, f16), lax::convert(x, f16)); }),
            "complex: operands must be f32 or f64; got f16[2] and f16[2].");
  EXPECT_EQ(message_of<ValueError>([&] { lax::reduce_precision(x, 0, 3); }),
            "reduce_precision: exponent_bits must be at least 1 and mantissa_bits at least 0; got 0 and 3.");
}

TEST(errors, blame_the_line_of_the_call) {
  const Array x = vec<float>({1, 2}), n = vec<int>({1, 2});
  try {
    lax::multiply(x, n);
    FAIL() << "nothing was thrown";
  } catch (const DTypeError& e) {
    EXPECT_EQ(e.location().line, static_cast<std::uint32_t>(__LINE__ - 3));
  }
}

TEST(scalars, take_the_dtype_and_shape_of_the_array_beside_them) {
  EXPECT_EQ(lax::add(vec<std::uint8_t>({250, 1}), 7).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{1, 8}));
  EXPECT_EQ(lax::multiply(2, Array(1.5f)).dtype(), f32);
  EXPECT_EQ(message_of<DTypeError>([] { lax::add(Array(1), 0.5); }),
            "add: operands must have equal dtypes; got i32[] and f64[].");
}

}  // namespace
}  // namespace weft

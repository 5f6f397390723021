#include "weft/np/reductions.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::expect_near;
using testing::message_of;
using testing::throws;

Array grid() { return np::array({{1.f, 2.f, 3.f}, {4.f, 5.f, 9.f}}); }

TEST(reductions, over_all_axes_one_or_several) {
  const Array x = grid();
  expect_equal(np::sum(x), Array(24.f));
  expect_equal(np::sum(x, 0), np::array({5.f, 7.f, 12.f}));
  expect_equal(np::sum(x, -1), np::array({6.f, 18.f}));
  expect_equal(np::sum(x, {0, 1}), Array(24.f));
  expect_equal(np::sum(x, {1}, true), np::array({{6.f}, {18.f}}));
  expect_equal(np::sum(x, {}, true), np::array({{24.f}}));
  expect_equal(np::sum(x, std::vector<int>{}), x);
  expect_equal(np::sum(3), Array(3));
  EXPECT_EQ(message_of<IndexError>([&] { return np::sum(x, 2); }), "sum: axis must be in [-2, 2); got 2 for f32[2,3].");
  EXPECT_EQ(message_of<IndexError>([&] { return np::max(x, {0, -2}); }),
            "max: axes must be distinct; got [0,-2] for f32[2,3].");
}

TEST(reductions, sums_have_room_for_their_terms) {
  expect_equal(np::sum(np::full({200}, 127, i8)), Array(25400));
  expect_equal(np::sum(np::full({300}, 255, u8)), np::array({76500}, u32)(0));
  expect_equal(np::sum(np::array({true, true})), Array(2));
  expect_equal(np::prod(np::array({100, 100}, i16)), Array(10000));
  EXPECT_EQ(np::sum(np::ones({2}, i64)).dtype(), i64);
  EXPECT_EQ(np::sum(np::ones({2}, u64)).dtype(), u64);
  // One by one in f16, 4096 ones would stop at 2048.
  expect_equal(np::sum(np::ones({4096}, f16)), np::array({4096.f}, f16)(0));
  expect_equal(np::mean(np::full({4096}, 100.f, f16)), np::array({100.f}, f16)(0));
  expect_equal(np::cumsum(np::ones({4096}, bf16))(4095), np::array({4096.f}, bf16)(0));
}

TEST(reductions, a_dtype_may_be_asked_for) {
  EXPECT_EQ(np::sum(np::ones({2}, i32), {}, false, f64).dtype(), f64);
  expect_equal(np::sum(np::full({200}, 1, i8), {}, false, i8), np::array({-56}, i8)(0));
  EXPECT_EQ(np::mean(np::ones({2}, i32), {}, false, f16).dtype(), f16);
  EXPECT_EQ(np::cumsum(np::ones({2}, i8), 0, i64).dtype(), i64);
  EXPECT_EQ(message_of<DTypeError>([] { return np::mean(np::ones({2}), {}, false, i32); }),
            "mean: the dtype must be float or complex; got i32.");
}

TEST(reductions, averages_and_spreads) {
  const Array x = grid();
  expect_equal(np::mean(x), Array(4.f));
  expect_equal(np::mean(np::array({1, 2})), Array(1.5f));
  expect_near(np::var(x), Array(40.f / 6), 1e-6);
  expect_near(np::var(x, 1, false, 1), np::array({1.f, 7.f}), 1e-6);
  expect_near(np::std(x, 0), np::array({1.5f, 1.5f, 3.f}), 1e-6);
  expect_near(np::std(x, {}, true), np::array({{2.5819889f}}), 1e-6);
  expect_near(np::var(np::array({std::complex<double>(1, 1), std::complex<double>(-1, -1)})), Array(2.0), 1e-12);
  expect_near(np::var(np::array({1, 2, 3, 4})), Array(1.25f), 1e-6);
  expect_near(np::average(np::array({1.f, 2.f}), {}, np::array({3, 1})), Array(1.25f), 1e-6);
  expect_near(np::average(x, 1, np::array({1.f, 0.f, 1.f})), np::array({2.f, 6.5f}), 1e-6);
  EXPECT_TRUE(throws<ShapeError>([&] { return np::average(x, 0, np::ones({3})); }));
  EXPECT_TRUE(std::isnan(np::mean(np::zeros({0})).item<float>()));
}

TEST(reductions, extremes_keep_nan_and_need_elements) {
  const Array x = np::array({{3, -1}, {0, 7}});
  expect_equal(np::max(x), Array(7));
  expect_equal(np::min(x, 0), np::array({0, -1}));
  expect_equal(np::amax(x, 1, true), np::array({{3}, {7}}));
  expect_equal(np::amin(np::array({true, false})), Array(false));
  expect_equal(np::max(np::array({1.f, np::nan})), Array(np::nan));
  expect_equal(np::ptp(x, 0), np::array({3, 8}));
  expect_equal(np::max(np::zeros({2, 0}), 0), np::zeros({0}));
  EXPECT_EQ(message_of<ShapeError>([] { return np::max(np::zeros({2, 0}), 1); }),
            "max: there must be at least one element; got axes [1] of f32[2,0].");
  expect_equal(np::sum(np::zeros({2, 0}), 1), np::zeros({2}));
  expect_equal(np::prod(np::zeros({2, 0}), 1), np::ones({2}));
}

TEST(reductions, truth) {
  const Array x = np::array({{1, 0}, {2, 3}});
  expect_equal(np::all(x, 1), np::array({false, true}));
  expect_equal(np::any(x == 0, 0), np::array({false, true}));
  expect_equal(np::all(np::zeros({0})), Array(true));
  expect_equal(np::any(np::zeros({0})), Array(false));
  expect_equal(np::any(np::array({np::nan})), Array(true));
  expect_equal(np::count_nonzero(x), Array(3));
  expect_equal(np::count_nonzero(x, 0), np::array({2, 1}));
}

TEST(reductions, positions_of_extremes) {
  const Array x = np::array({{3.f, 1.f, 3.f}, {0.f, np::nan, 7.f}});
  expect_equal(np::argmax(x, 1), np::array({0, 1}));
  expect_equal(np::argmin(x, 0), np::array({1, 1, 0}));
  expect_equal(np::argmax(x), Array(4));
  expect_equal(np::argmin(np::array({2, 1, 1})), Array(1));
  expect_equal(np::argmax(x, 1, true), np::array({{0}, {1}}));
  expect_equal(np::argmax(x, std::nullopt, true), np::array({{4}}));
  EXPECT_TRUE(throws<ShapeError>([] { return np::argmax(np::zeros({0})); }));
}

TEST(reductions, running_sums_and_differences) {
  const Array x = np::array({{1, 2}, {3, 4}});
  expect_equal(np::cumsum(x), np::array({1, 3, 6, 10}));
  expect_equal(np::cumsum(x, 0), np::array({{1, 2}, {4, 6}}));
  expect_equal(np::cumsum(x, -1), np::array({{1, 3}, {3, 7}}));
  expect_equal(np::cumsum(np::array({true, true})), np::array({1, 2}));
  expect_equal(np::diff(np::array({1, 4, 9, 16})), np::array({3, 5, 7}));
  expect_equal(np::diff(np::array({1, 4, 9, 16}), 2), np::array({2, 2}));
  expect_equal(np::diff(x, 1, 0), np::array({{2, 2}}));
  expect_equal(np::diff(np::array({true, false, false})), np::array({true, false}));
  expect_equal(np::diff(np::array({1}), 3), np::zeros({0}, i32));
}

TEST(reductions, a_spread_over_too_few_numbers_is_a_division_by_zero) {
  const Array x = np::array({1.0, 2.0, 4.0}), same = np::array({1.0, 1.0});
  const double inf = np::inf, nan = np::nan;
  for (const int ddof : {3, 4, 7}) {
    expect_equal(np::var(x, {}, {.ddof = ddof}), Array(inf));
    expect_equal(np::std(x, {}, {.ddof = ddof}), Array(inf));
    expect_equal(np::var(same, {}, {.ddof = ddof}), Array(nan));
    expect_equal(np::var(x, {}, {.ddof = ddof, .where = np::array({true, false, true})}), Array(inf));
    expect_equal(np::nanvar(x, {}, false, ddof), Array(nan));
  }
  expect_equal(np::var(x, {}, {.ddof = 2, .where = np::array({true, false, true})}), Array(inf));
}

TEST(reductions, infinities_are_not_left_out_with_nan) {
  const double inf = np::inf, nan = np::nan;
  expect_equal(np::nanvar(np::array({1.0, inf, nan, 2.0})), Array(nan));
  expect_equal(np::nanstd(np::array({1.0, 2.0, inf})), Array(nan));
  expect_equal(np::nanvar(np::array({{1.0, nan, 3.0}, {1.0, -inf, 3.0}}), 1), np::array({1.0, nan}));
  const Array z = np::array({std::complex<double>(1, 1), std::complex<double>(nan, 1), std::complex<double>(3, 1)});
  expect_equal(np::nanvar(z), Array(1.0));
  expect_equal(grad([](Array v) { return np::nanvar(v); })(np::array({1.0, nan, 3.0})), np::array({-1.0, 0.0, 1.0}));
}

TEST(reductions, nan_is_left_out) {
  const Array x = np::array({{1.f, np::nan, 3.f}, {np::nan, np::nan, np::nan}});
  expect_equal(np::nansum(x, 1), np::array({4.f, 0.f}));
  expect_equal(np::nanprod(x, 1), np::array({3.f, 1.f}));
  expect_equal(np::nanmean(x, 1), np::array({2.f, np::nan}));
  expect_equal(np::nanmax(x, 1), np::array({3.f, np::nan}));
  expect_equal(np::nanmin(x, 1), np::array({1.f, np::nan}));
  expect_equal(np::nanvar(x, 1), np::array({1.f, np::nan}));
  expect_equal(np::nanstd(x, 1, false, 1), np::array({std::sqrt(2.f), np::nan}));
  expect_equal(np::nanmax(np::array({-np::inf, np::nan})), Array(-np::inf));
  expect_equal(np::nansum(np::array({1, 2})), Array(3));
  expect_equal(np::nanmean(np::ones({4096}, f16)), np::array({1.f}, f16)(0));
}

TEST(reductions, log_of_a_sum_of_exponentials_does_not_overflow) {
  const Array x = np::array({{1000.f, 1000.f}, {-np::inf, -np::inf}, {0.f, np::inf}});
  expect_near(np::logsumexp(x, 1), np::array({1000.f + std::log(2.f), -np::inf, np::inf}), 1e-6);
  expect_near(np::logsumexp(np::zeros({4})), Array(std::log(4.f)), 1e-6);
  EXPECT_EQ(shape_str(np::logsumexp(x, 0, true).shape()), "[1,2]");
  expect_equal(np::logsumexp(np::zeros({0})), Array(-np::inf).astype(f32));
  expect_equal(np::logsumexp(np::zeros({2, 0}), 1), np::full({2}, -np::inf, f32));
  expect_equal(np::logsumexp(np::zeros({0}, f16)), np::array(-np::inf, f16));
  EXPECT_EQ(grad([](Array y) { return np::logsumexp(y); })(np::zeros({0})).aval().str(), "f32[0]");
  expect_near(grad([](Array y) { return np::logsumexp(y); })(np::array({0.f, 0.f})), np::array({0.5f, 0.5f}), 1e-6);
}

TEST(reductions, gradients_reach_every_element) {
  expect_equal(grad([](Array x) { return np::mean(x); })(np::ones({2, 2})), np::full({2, 2}, 0.25f));
  expect_near(grad([](Array x) { return np::var(x); })(np::array({1.f, 2.f, 6.f})),
              np::array({-4.f / 3, -2.f / 3, 2.f}), 1e-6);
  // Ties share the gradient of a maximum.
  expect_near(grad([](Array x) { return np::max(x); })(np::array({1.f, 2.f, 2.f})), np::array({0.f, 0.5f, 0.5f}), 1e-6);
}

template <class A>
concept SumsOver = requires(Array x, A a) { np::sum(x, a); };
template <class A>
concept PositionAlong = requires(Array x, A a) { np::argmax(x, a); };
template <class A>
concept StacksAlong = requires(std::vector<Array> xs, A a) { np::stack(xs, a); };
template <class K>
concept VarianceKeeping = requires(Array x, K k) { np::var(x, -1, k); };

TEST(reductions, a_bool_is_no_axis_and_a_number_no_flag) {
  EXPECT_TRUE(SumsOver<int> && SumsOver<long> && SumsOver<std::vector<int>> && SumsOver<np::Axis>);
  EXPECT_FALSE(SumsOver<bool>);
  EXPECT_TRUE(PositionAlong<int> && PositionAlong<std::optional<int>>);
  EXPECT_FALSE(PositionAlong<bool>);
  EXPECT_TRUE(StacksAlong<int>);
  EXPECT_FALSE(StacksAlong<bool>);
  EXPECT_TRUE(VarianceKeeping<bool>);
  EXPECT_FALSE(VarianceKeeping<int>);  // NumPy's var(x, -1, ddof)
  EXPECT_EQ(np::var(grid(), -1, true).aval().str(), "f32[2,1]");
  EXPECT_EQ(np::std(grid(), -1, {.keepdims = true}).aval().str(), "f32[2,1]");
  EXPECT_EQ(np::nanvar(grid(), 0, true).aval().str(), "f32[1,3]");
}

TEST(reductions, a_mask_says_which_elements_count) {
  const Array x = grid();  // [[1 2 3] [4 5 9]]
  const Array odd = np::array({{true, false, true}, {false, true, true}});
  expect_equal(np::sum(x, {}, {.where = odd}), Array(18.f));
  expect_equal(np::sum(x, 0, {.keepdims = true, .where = odd}), np::array({{1.f, 5.f, 12.f}}));
  expect_equal(np::prod(x, 1, {.where = odd}), np::array({3.f, 45.f}));
  expect_equal(np::mean(x, 1, {.where = odd}), np::array({2.f, 7.f}));
  expect_equal(np::max(x, 1, {.where = x < 4, .initial = -1}), np::array({3.f, -1.f}));
  expect_equal(np::min(x, 0, {.where = odd, .initial = np::inf}), np::array({1.f, 5.f, 3.f}));
  expect_equal(np::all(x < 4, 1, {.where = np::array({true, true, false})}), np::array({true, false}));
  expect_equal(np::any(x > 4, {}, {.where = np::array({true, false, false})}), Array(false));
  expect_equal(np::var(x, 1, {.where = odd}), np::array({1.f, 4.f}));
  expect_equal(np::var(x, 1, {.ddof = 1, .where = odd}), np::array({2.f, 8.f}));
  expect_equal(np::sum(x, 0, {.where = true}), np::sum(x, 0));
  EXPECT_EQ(np::sum(np::ones({2, 2}, bf16), {}, {.where = true}).dtype(), bf16);
  // A complex mask counts by whether it is zero.
  const Array complex_mask =
      np::array({std::complex<float>(0, 1), std::complex<float>(0, 0), std::complex<float>(2, 0)});
  expect_equal(np::sum(x, {}, {.where = complex_mask}), Array(17.f));
  // What a mask hides has no derivative.
  expect_equal(grad([&](Array v) { return np::sum(v * v, {}, {.where = odd}); })(x),
               np::array({{2.f, 0.f, 6.f}, {0.f, 10.f, 18.f}}));
  EXPECT_EQ(message_of<ShapeError>([&] { return np::sum(x, 0, {.where = np::array({true, false})}); }),
            "sum: `where` must broadcast to the array's shape; got bool[2] for f32[2,3].");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::sum(x(0), 0, {.where = odd}); }),
            "sum: `where` must broadcast to the array's shape; got bool[2,3] for f32[3].");
  EXPECT_EQ(message_of<ValueError>([&] { return np::max(x, 0, {.where = odd}); }),
            "max: `where` needs an initial value, for it may leave no element; got none.");
}

TEST(reductions, an_initial_value_is_taken_in) {
  const Array x = grid();
  expect_equal(np::sum(x, 1, {.initial = 10}), np::array({16.f, 28.f}));
  expect_equal(np::prod(x, 0, {.initial = Array(2.f)}), np::array({8.f, 20.f, 54.f}));
  expect_equal(np::max(x, 0, {.initial = 4.5}), np::array({4.5f, 5.f, 9.f}));
  expect_equal(np::max(np::zeros({2, 0}), 1, {.initial = 7}), np::array({7.f, 7.f}));
  expect_equal(np::min(np::zeros({0}, i32), {}, {.initial = 7}), Array(7));
  expect_equal(jit([](Array v, Array first) { return np::sum(v, {}, {.initial = first}); })(x, Array(1.f)),
               Array(25.f));
  EXPECT_EQ(message_of<ShapeError>([&] { return np::sum(x, 0, {.initial = np::ones({3})}); }),
            "sum: the initial value must be 0-d; got f32[3].");
  EXPECT_EQ(message_of<ValueError>([&] { return np::mean(x, 0, {.initial = 1}); }),
            "mean: there must be no initial value; got one.");
  EXPECT_EQ(message_of<ValueError>([&] { return np::max(x, 0, {.dtype = f64}); }),
            "max: there must be no dtype; got one.");
  EXPECT_EQ(message_of<ValueError>([&] { return np::max(np::ones({2}, u8), 0, {.initial = 300}); }),
            "max: a number must fit the dtype that it takes; got 300 for u8.");
}

TEST(reductions, spreads_are_computed_in_the_dtype_asked_for) {
  const Array x = np::array({1, 2, 3, 4});
  EXPECT_EQ(np::var(x, {}, false, 0, f64).dtype(), f64);
  expect_equal(np::var(x, {}, {.dtype = f64}), Array(1.25));
  EXPECT_EQ(np::std(x, {}, {.ddof = 1, .dtype = f16}).dtype(), f16);
  EXPECT_EQ(message_of<DTypeError>([&] { return np::var(x, {}, {.dtype = i32}); }),
            "var: the dtype must be float or complex; got i32.");
  EXPECT_EQ(message_of<DTypeError>([&] { return np::var(np::ones({2}, c64), {}, {.dtype = f32}); }),
            "var: the dtype of complex numbers must be complex; got f32 for c64[2].");
}

TEST(reductions, positions_of_complex_extrema) {
  const auto z = [](double re, double im) { return std::complex<double>(re, im); };
  const Array x =
      np::array({{z(1, 2), z(1, 3), z(1, 3)}, {z(2, -1), z(0, 9), z(2, -1)}, {z(-1, 0), z(-1, -5), z(0, 0)}});
  expect_equal(np::argmax(x, 1), np::array({1, 0, 2}));
  expect_equal(np::argmin(x, 1), np::array({0, 1, 1}));
  expect_equal(np::argmax(x), Array(3));
  expect_equal(np::argmin(x, 0, true), np::array({{2, 2, 2}}));
  expect_equal(np::argmax(np::array({z(5, 0), z(1, np::nan), z(np::nan, 1), z(9, 9)})), Array(1));
  EXPECT_TRUE(throws<ShapeError>([] { return np::argmax(np::zeros({0}, c64)); }));
}

}  // namespace
}  // namespace weft

#include "weft/np/creation.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::expect_near;
using testing::message_of;
using testing::throws;

template <class T>
Array from(const std::vector<T>& values, const Dims& shape) {
  return Array::from_vector(values, shape);
}

TEST(creation, nested_lists_make_arrays) {
  expect_equal(np::array({1, 2, 3}), from<int>({1, 2, 3}, {3}));
  expect_equal(np::array({{1.f, 2.f}, {3.f, 4.f}}), from<float>({1, 2, 3, 4}, {2, 2}));
  expect_equal(np::array({{{1.0}}, {{2.0}}}), from<double>({1, 2}, {2, 1, 1}));
  expect_equal(np::array({{1.f}}), from<float>({1}, {1, 1}));
  expect_equal(np::array({true, false}), from<bool>({true, false}, {2}));
  expect_equal(np::array({}), from<float>({}, {0}));
  expect_equal(np::array({{}, {}}), from<float>({}, {2, 0}));
  expect_equal(np::array(2.5f), Array(2.5f));
}

TEST(creation, numbers_in_a_list_promote) {
  expect_equal(np::array({1, 2.5f}), from<float>({1, 2.5f}, {2}));
  EXPECT_EQ(np::array({1, 2.5}).dtype(), f64);
  EXPECT_EQ(np::array({1.f, 2.f}, f16).dtype(), f16);
  expect_equal(np::array({1.75f, -1.75f}, i32), from<int>({1, -1}, {2}));
  expect_equal(np::array({std::complex<float>(1, 2), 3.f}), from<std::complex<float>>({{1, 2}, {3, 0}}, {2}));
}

TEST(creation, ragged_lists_are_refused) {
  const std::string text = "array: rows must have equal lengths and depths; got a ragged list at depth ";
  EXPECT_EQ(message_of<ShapeError>([] { return np::array({{1, 2}, {3}}); }), text + "1.");
  EXPECT_EQ(message_of<ShapeError>([] { return np::array({{1, 2}, 3}); }).substr(0, text.size()), text);
  EXPECT_EQ(message_of<ShapeError>([] { return np::array({1, {2, 3}}); }).substr(0, text.size()), text);
  EXPECT_EQ(message_of<ShapeError>([] { return np::array({{}, 1}); }).substr(0, text.size()), text);
  EXPECT_EQ(message_of<ShapeError>([] { return np::array({{{1}}, {1}}); }).substr(0, text.size()), text);
}

TEST(creation, vectors_and_spans_are_copied) {
  std::vector<float> v{1, 2};
  const Array a = np::array(v), b = np::array(std::span(v));
  v[0] = 9;
  expect_equal(a, np::array({1.f, 2.f}));
  expect_equal(b, np::array({1.f, 2.f}));
}

TEST(creation, defaults_are_f32_and_zeros_are_zero) {
  expect_equal(np::zeros({2, 2}), from<float>({0, 0, 0, 0}, {2, 2}));
  expect_equal(np::ones(2, i8), np::array({1, 1}, i8));
  expect_equal(np::full({2}, 3), np::array({3, 3}));
  expect_equal(np::full({2}, 3, f64), np::array({3.0, 3.0}));
  expect_equal(np::empty({1}), np::zeros({1}));
  EXPECT_EQ(np::zeros({}).ndim(), 0);
  const Array x = np::ones({2}, i16);
  expect_equal(np::zeros_like(x), np::array({0, 0}, i16));
  expect_equal(np::ones_like(x, f32), np::array({1.f, 1.f}));
  expect_equal(np::full_like(x, 7), np::array({7, 7}, i16));
  EXPECT_TRUE(throws<ShapeError>([] { return np::zeros({-1}); }));
}

TEST(creation, asarray_converts_only_when_asked) {
  const Array x = np::array({1.5f});
  EXPECT_TRUE(np::asarray(x).identical(x));
  EXPECT_TRUE(np::asarray(x, f32).identical(x));
  expect_equal(np::asarray(x, i32), np::array({1}));
  expect_equal(np::asarray(3), Array(3));
}

TEST(creation, arange_counts_like_numpy) {
  expect_equal(np::arange(4), np::array({0, 1, 2, 3}));
  expect_equal(np::arange(2, 11, 3), np::array({2, 5, 8}));
  expect_equal(np::arange(5, 0, -2), np::array({5, 3, 1}));
  expect_equal(np::arange(3, 3), np::zeros({0}, i32));
  expect_equal(np::arange(3.0f), np::array({0.f, 1.f, 2.f}));
  expect_near(np::arange(0.0, 1.0, 0.25), np::array({0.0, 0.25, 0.5, 0.75}), 1e-15);
  expect_equal(np::arange(1, 2.5), np::array({1.0, 2.0}));
  EXPECT_EQ(np::arange(std::int64_t{3}).dtype(), i64);
  expect_equal(np::arange(3, f16), np::array({0, 1, 2}, f16));
  expect_equal(np::arange(0, 3, 1, u8), np::array({0, 1, 2}, u8));
  // 16-bit floats cannot count to 4000 one by one, but can hold each rounded value.
  EXPECT_EQ(np::arange(4000, f16)(3999).astype(f32).item<float>(), 4000.f);
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(np::arange(-far, far, far).size(), 2);
}

TEST(creation, arange_of_u64_counts_beyond_the_other_integers) {
  const std::uint64_t half = std::uint64_t{1} << 63, top = UINT64_MAX;
  const auto values = [](const Array& x) { return x.to_vector<std::uint64_t>(); };
  using U = std::vector<std::uint64_t>;
  EXPECT_EQ(values(np::arange(half - 1, half + 2)), (U{half - 1, half, half + 1}));
  EXPECT_EQ(values(np::arange(top - 2, top)), (U{top - 2, top - 1}));
  EXPECT_EQ(values(np::arange(std::uint64_t{0}, top, half)), (U{0, half}));
  EXPECT_EQ(values(np::arange(std::uint64_t{5}, std::uint64_t{1}, -2)), (U{5, 3}));
  EXPECT_EQ(values(np::arange(half + 1, half - 2, -1)), (U{half + 1, half, half - 1}));
  EXPECT_EQ(np::arange(std::uint64_t{5}, std::uint64_t{1}).size(), 0);
  EXPECT_EQ(np::arange(std::uint64_t{5}, std::uint64_t{1}, top).size(), 0);
  EXPECT_EQ(message_of<ValueError>([&] { return np::arange(half, half + 2, 1, i64); }),
            "arange: a number must fit the dtype that it takes; got 9223372036854775808 for i64.");
  EXPECT_EQ(message_of<ValueError>([&] { return np::arange(-1, std::uint64_t{2}); }),
            "arange: a number must fit the dtype that it takes; got -1 for u64.");
  EXPECT_EQ(message_of<ValueError>([&] { return np::arange(std::uint64_t{1}, -3, -1); }),
            "arange: a number must fit the dtype that it takes; got -2 for u64.");
  EXPECT_EQ(np::arange(-1, std::uint64_t{2}, 1, i64).to_vector<std::int64_t>(), (std::vector<std::int64_t>{-1, 0, 1}));
}

TEST(creation, arange_refuses_more_numbers_than_there_can_be) {
  EXPECT_EQ(
      message_of<ValueError>([] { return np::arange(INT64_MIN, INT64_MAX); }),
      "arange: a range must have fewer than 2^63 numbers; got -9223372036854775808 to 9223372036854775807 in steps "
      "of 1.");
  EXPECT_EQ(message_of<ValueError>([] { return np::arange(UINT64_MAX); }),
            "arange: a range must have fewer than 2^63 numbers; got 0 to 18446744073709551615 in steps of 1.");
  EXPECT_EQ(message_of<ValueError>([] { return np::arange(-5, UINT64_MAX, 1); }),
            "arange: a range must have fewer than 2^63 numbers; got -5 to 18446744073709551615 in steps of 1.");
  EXPECT_EQ(np::arange(INT64_MIN, INT64_MAX, INT64_MAX).size(), 3);
  EXPECT_EQ(np::arange(INT64_MAX, INT64_MIN, INT64_MIN).size(), 2);
}

TEST(creation, arange_refuses_steps_that_lead_nowhere) {
  EXPECT_EQ(message_of<ValueError>([] { return np::arange(0, 3, 0); }), "arange: the step must not be zero; got 0.");
  EXPECT_TRUE(throws<ValueError>([] { return np::arange(0.0, 1.0, 0.0); }));
  EXPECT_TRUE(throws<ValueError>([] { return np::arange(0.0, static_cast<double>(np::inf)); }));
}

TEST(creation, linspace_hits_both_ends) {
  expect_equal(np::linspace(0, 1, 5), np::array({0.f, 0.25f, 0.5f, 0.75f, 1.f}));
  expect_equal(np::linspace(0, 1, 4, false), np::array({0.f, 0.25f, 0.5f, 0.75f}));
  expect_equal(np::linspace(2, 3, 1), np::array({2.f}));
  expect_equal(np::linspace(2, 3, 0), np::zeros({0}));
  expect_equal(np::linspace(0, 9, 4, true, i32), np::array({0, 3, 6, 9}));
  const Array x = np::linspace(0.1, 0.7, 1000);
  EXPECT_EQ(x(0).item<float>(), 0.1f);
  EXPECT_EQ(x(-1).item<float>(), 0.7f);
  EXPECT_TRUE(throws<ValueError>([] { return np::linspace(0, 1, -1); }));
  expect_near(np::logspace(0, 3, 4), np::array({1.f, 10.f, 100.f, 1000.f}), 1e-6);
}

TEST(creation, bands_of_matrices) {
  expect_equal(np::eye(2, 3, 1), np::array({{0.f, 1.f, 0.f}, {0.f, 0.f, 1.f}}));
  expect_equal(np::eye(2, 2, -1, i32), np::array({{0, 0}, {1, 0}}));
  expect_equal(np::identity(2), np::eye(2));
  expect_equal(np::eye(2, 2, std::int64_t{1} << 40), np::zeros({2, 2}));
  expect_equal(np::tri(2, 3, 1, i32), np::array({{1, 1, 0}, {1, 1, 1}}));
  const Array x = np::reshape(np::arange(1, 10), {3, 3});
  expect_equal(np::tril(x), np::array({{1, 0, 0}, {4, 5, 0}, {7, 8, 9}}));
  expect_equal(np::triu(x, 1), np::array({{0, 2, 3}, {0, 0, 6}, {0, 0, 0}}));
  EXPECT_EQ(message_of<ShapeError>([] { return np::tril(np::ones({3})); }),
            "tril: the array must have at least two axes; got f32[3].");
}

TEST(creation, diagonals_are_taken_and_made) {
  const Array x = np::reshape(np::arange(12), {3, 4});
  expect_equal(np::diagonal(x), np::array({0, 5, 10}));
  expect_equal(np::diagonal(x, 1), np::array({1, 6, 11}));
  expect_equal(np::diagonal(x, 2), np::array({2, 7}));
  expect_equal(np::diagonal(x, -1), np::array({4, 9}));
  expect_equal(np::diagonal(x, 4), np::zeros({0}, i32));
  expect_equal(np::diagonal(x, -9), np::zeros({0}, i32));
  expect_equal(np::diagonal(np::reshape(np::arange(8), {2, 2, 2})), np::array({{0, 6}, {1, 7}}));
  expect_equal(np::diagonal(np::reshape(np::arange(8), {2, 2, 2}), 0, 1, -1), np::array({{0, 3}, {4, 7}}));
  expect_equal(np::diag(x, -2), np::array({8}));
  expect_equal(np::diag(np::array({1, 2})), np::array({{1, 0}, {0, 2}}));
  expect_equal(np::diag(np::array({1, 2}), 1), np::array({{0, 1, 0}, {0, 0, 2}, {0, 0, 0}}));
  expect_equal(np::diag(np::array({1, 2}), -1), np::array({{0, 0, 0}, {1, 0, 0}, {0, 2, 0}}));
  expect_equal(np::diagflat(np::array({{1}, {2}})), np::array({{1, 0}, {0, 2}}));
  // What stands beside the diagonal does not matter, and the sign of zero stays.
  const Array y = np::array({{-0.f, np::nan}, {np::inf, 1.f}});
  EXPECT_TRUE(std::signbit(np::diagonal(y)(0).item<float>()));
  EXPECT_EQ(message_of<IndexError>([&] { return np::diagonal(x, 0, 1, -1); }),
            "diagonal: axes must be distinct; got 1 and -1.");
}

TEST(creation, the_gradient_of_a_diagonal_is_a_diagonal) {
  const Array x = np::reshape(np::arange(6.f), {2, 3});
  expect_equal(grad([](Array m) { return np::sum(np::diagonal(m, 1) * np::array({2.f, 3.f})); })(x),
               np::array({{0.f, 2.f, 0.f}, {0.f, 0.f, 3.f}}));
}

TEST(creation, grids_of_coordinates) {
  const Array x = np::array({1, 2, 3}), y = np::array({10.f, 20.f});
  const std::vector<Array> xy = np::meshgrid({x, y}), ij = np::meshgrid({x, y}, "ij");
  expect_equal(xy[0], np::array({{1, 2, 3}, {1, 2, 3}}));
  expect_equal(xy[1], np::array({{10.f, 10.f, 10.f}, {20.f, 20.f, 20.f}}));
  expect_equal(ij[0], np::array({{1, 1}, {2, 2}, {3, 3}}));
  expect_equal(ij[1], np::array({{10.f, 20.f}, {10.f, 20.f}, {10.f, 20.f}}));
  expect_equal(np::indices({2, 2}), np::array({{{0, 0}, {1, 1}}, {{0, 1}, {0, 1}}}));
  EXPECT_EQ(message_of<ValueError>([&] { return np::meshgrid({x, y}, "zz"); }),
            "meshgrid: indexing must be \"xy\" or \"ij\"; got \"zz\".");
}

TEST(creation, traced_creation_names_the_users_line) {
  std::uint32_t line = 0;
  const auto f = [&](Array x) {
    line = __LINE__ + 1;
    return x + np::arange(3.f);
  };
  const Jaxpr jaxpr = make_jaxpr(f)(np::ones({3}));
  EXPECT_EQ(jaxpr.eqns()[0].location.line, line) << jaxpr.str();
}

TEST(creation, arrays_of_any_container) {
  const std::vector<float> v{1, 2, 3};
  expect_equal(np::array(v), np::array({1.f, 2.f, 3.f}));
  expect_equal(np::array(v, f64), np::array({1.0, 2.0, 3.0}));
  expect_equal(np::array(std::array{1, 2}), np::array({1, 2}));
  const int grid[2][2] = {{1, 2}, {3, 4}};
  expect_equal(np::array(grid), np::array({{1, 2}, {3, 4}}));
  expect_equal(np::array(std::vector<std::vector<double>>{{1, 2}, {3, 4}}, f32), np::array({{1.f, 2.f}, {3.f, 4.f}}));
  expect_equal(np::array(std::vector<std::vector<bool>>{{true}, {false}}), np::array({{true}, {false}}));
  expect_equal(np::array(std::vector<bool>{true, false}, i32), np::array({1, 0}));
  const std::array<float, 2> fixed{1, 2};
  expect_equal(np::array(std::span(fixed)), np::array({1.f, 2.f}));
  expect_equal(np::array(Dims{2, 3}), np::array({2, 3}, i64));
  EXPECT_EQ(np::array(std::vector<std::vector<float>>{}).aval().str(), "f32[0]");
  EXPECT_EQ(np::array(std::vector<std::vector<float>>(2)).aval().str(), "f32[2,0]");
  EXPECT_EQ(message_of<ShapeError>([] { np::array(std::vector<std::vector<int>>{{1, 2}, {3}}); }),
            "array: rows must have equal lengths; got rows that differ from the first ones.");
}

TEST(creation, arrays_of_arrays_and_numbers) {
  const Array x = np::array({1.f, 2.f});
  EXPECT_TRUE(np::array(x).identical(x));
  expect_equal(np::array(x, f64), np::array({1.0, 2.0}));
  EXPECT_EQ(np::array(2.5, f32).aval().str(), "f32[]");
  expect_equal(np::array(2.5), Array(2.5));
  EXPECT_TRUE(np::asarray(x).identical(x));
  expect_equal(np::asarray(std::vector<int>{1, 2}), np::array({1, 2}));
  expect_equal(np::asarray({1, 2}, f32), x);
  expect_equal(np::asarray(7), Array(7));
  // An array converts as astype does.
  expect_equal(np::asarray(np::array({300, -1}), u8), np::array({44, 255}, u8));
}

TEST(creation, numbers_must_fit_the_dtype) {
  const auto refused = [](auto&& f) { return throws<ValueError>(f); };
  EXPECT_TRUE(refused([] { np::array({300}, u8); }));
  EXPECT_TRUE(refused([] { np::array(std::vector<int>{1, 300}, u8); }));
  EXPECT_TRUE(refused([] { np::array(300, u8); }));
  EXPECT_TRUE(refused([] { np::asarray(-1, u64); }));
  EXPECT_TRUE(refused([] { np::array({np::nan}, i32); }));
  EXPECT_TRUE(refused([] { np::array({1.0, 2147483648.0}, i32); }));
  EXPECT_TRUE(refused([] { np::array(std::vector<double>{-2147483649.0}, i32); }));
  EXPECT_TRUE(refused([] { np::array({np::inf}, i64); }));
  EXPECT_TRUE(refused([] { np::array({9223372036854775808.0}, i64); }));
  EXPECT_TRUE(refused([] { np::array({18446744073709551615u}, i64); }));
  EXPECT_TRUE(refused([] { np::full({2}, 300, u8); }));
  EXPECT_TRUE(refused([] { np::full_like(np::ones({2}, u8), -1); }));
  EXPECT_TRUE(refused([] { np::array({std::complex<float>(0, 1)}, f32); }));
  EXPECT_TRUE(refused([] { np::arange(300, u8); }));
  EXPECT_TRUE(refused([] { np::arange(-3, 3, 1, u32); }));
  EXPECT_TRUE(refused([] { np::arange(0.0, 300.0, 1.0, u8); }));
  // What fits, to the last number.
  expect_equal(np::array({255, 0}, u8), np::array({255.9, -0.5}, u8));
  expect_equal(np::array({2147483647.5, -2147483648.5}, i32), np::array({2147483647, -2147483647 - 1}));
  EXPECT_EQ(np::array({-9223372036854775808.0}, i64).to_vector<std::int64_t>()[0], INT64_MIN);
  EXPECT_EQ(np::array({18446744073709551615u}, u64).to_vector<std::uint64_t>()[0], UINT64_MAX);
  expect_equal(np::array({300, 0}, boolean), np::array({true, false}));
  expect_equal(np::array({std::complex<float>(2, 0)}, f32), np::array({2.f}));
  EXPECT_TRUE(std::isinf(np::array({1e30}, f16).astype(f32).to_vector<float>()[0]));
  expect_equal(np::arange(256, u8)(255), Array(255).astype(u8));
  expect_equal(np::arange(5, 0, -2, u8), np::array({5, 3, 1}, u8));
}

TEST(creation, an_imaginary_part_is_never_lost) {
  using Z = std::complex<double>;
  const std::vector<Z> row{{0, 2}}, whole{{3, 0}};
  const std::string text = "array: a number must fit the dtype that it takes; got 0.0+2.0j for f32.";
  EXPECT_EQ(message_of<ValueError>([&] { return np::array(row, f32); }), text);
  EXPECT_EQ(message_of<ValueError>([&] { return np::asarray(row, f32); }), text);
  EXPECT_EQ(message_of<ValueError>([&] { return np::array(std::vector{whole, row}, f32); }), text);
  EXPECT_EQ(message_of<ValueError>([&] { return np::array({Z(0, 2)}, f32); }), text);
  EXPECT_TRUE(throws<ValueError>([&] { return np::array(row, i32); }));
  expect_equal(np::array(whole, f32), np::array({3.f}));
  expect_equal(np::array(row, c64), np::array({std::complex<float>(0, 2)}));
}

TEST(creation, a_complex_number_is_true_unless_it_is_zero) {
  using Z = std::complex<double>;
  const std::vector<Z> values{{0, 1}, {0, 0}, {1, 0}};
  const Array z = np::array(values), want = np::array({true, false, true});
  expect_equal(z.astype(boolean), want);
  expect_equal(np::astype(z, boolean), want);
  expect_equal(np::array(z, boolean), want);
  expect_equal(np::array(values, boolean), want);
  expect_equal(np::array({Z(0, 1), Z(0, 0), Z(1, 0)}, boolean), want);
  expect_equal(np::array(Z(0, 1), boolean), Array(true));
  expect_equal(np::astype(Z(0, 1), boolean), Array(true));
  expect_equal(np::full({2}, Z(0, 1), boolean), np::array({true, true}));
  expect_equal(np::full({3}, z, boolean), want);
  expect_equal(np::full_like(want, z), want);
  expect_equal(np::where(z, 1, 0), np::array({1, 0, 1}));
  // lax converts as StableHLO does, by the real part.
  expect_equal(lax::convert(z, boolean), np::array({false, false, true}));
}

TEST(creation, full_takes_arrays_and_traced_values) {
  expect_equal(np::full({2, 3}, np::array({1, 2, 3})), np::array({{1, 2, 3}, {1, 2, 3}}));
  expect_equal(np::full({2}, Array(3), f32), np::array({3.f, 3.f}));
  expect_equal(np::full_like(np::zeros({2}), Array(3)), np::array({3.f, 3.f}));
  expect_equal(jit([](Array v) { return np::full({2}, v); })(2.5f), np::array({2.5f, 2.5f}));
  expect_equal(grad([](Array v) { return np::sum(np::full({2, 3}, v * v)); })(2.f), Array(24.f));
  EXPECT_TRUE(throws<ShapeError>([] { np::full({2}, np::ones({3})); }));
}

TEST(creation, linspace_between_arrays) {
  expect_equal(np::linspace(0, 1, 3, f64), np::array({0.0, 0.5, 1.0}));
  expect_equal(np::linspace(np::array({0.f, 1.f}), np::array({2.f, 3.f}), 3),
               np::array({{0.f, 1.f}, {1.f, 2.f}, {2.f, 3.f}}));
  expect_equal(np::linspace(np::array({0, 4}), 8, 2), np::array({{0.f, 4.f}, {8.f, 8.f}}));
  expect_equal(np::linspace(Array(1.0), 2, 2), np::array({1.0, 2.0}));
  expect_equal(np::linspace(0, 10, 4, i32), np::array({0, 3, 6, 10}));
  expect_equal(np::linspace(np::array({1.f, 2.f}), 5, 1), np::array({{1.f, 2.f}}));
  expect_equal(grad([](Array stop) { return np::sum(np::linspace(0, stop, 3)); })(2.f), Array(1.5f));
  expect_near(np::logspace(0, 2, 3, f64), np::array({1.0, 10.0, 100.0}), 1e-12);
  EXPECT_TRUE(throws<ShapeError>([] { np::linspace(np::ones({2}), np::ones({3})); }));
}

}  // namespace
}  // namespace weft

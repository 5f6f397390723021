#include "weft/np/sorting.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;

TEST(sorting, along_an_axis_or_flattened) {
  const Array x = np::array({{3.f, 1.f, 2.f}, {0.f, 5.f, -1.f}});
  expect_equal(np::sort(x), np::array({{1.f, 2.f, 3.f}, {-1.f, 0.f, 5.f}}));
  expect_equal(np::sort(x, 0), np::array({{0.f, 1.f, -1.f}, {3.f, 5.f, 2.f}}));
  expect_equal(np::sort(x, std::nullopt), np::array({-1.f, 0.f, 1.f, 2.f, 3.f, 5.f}));
  expect_equal(np::argsort(x), np::array({{1, 2, 0}, {2, 0, 1}}));
  expect_equal(np::argsort(x, std::nullopt), np::array({5, 3, 1, 2, 0, 4}));
}

TEST(sorting, equal_elements_keep_their_order_and_nan_is_last) {
  expect_equal(np::argsort(np::array({2, 1, 2, 1, 2})), np::array({1, 3, 0, 2, 4}));
  expect_equal(np::argsort(np::array({NAN, 1.f, -INFINITY, NAN, INFINITY})), np::array({2, 1, 4, 0, 3}));
  expect_equal(np::argsort(np::array({0.f, -0.f})), np::array({0, 1}));
}

TEST(sorting, complex_numbers_with_a_part_that_is_nan_come_last) {
  using Z = std::complex<double>;
  const double nan = np::nan;
  // In NumPy's order: R + Rj, R + nanj, nan + Rj, nan + nanj.
  const std::vector<Z> sorted{{-np::inf, 2}, {-1, 1},   {2, -1},  {2, np::inf}, {-5, nan},
                              {1, nan},      {nan, -3}, {nan, 4}, {nan, nan}};
  const std::vector<std::int32_t> order{7, 2, 5, 0, 8, 4, 1, 3, 6};
  std::vector<Z> mixed;
  for (const std::int32_t i : order) mixed.push_back(sorted[static_cast<std::size_t>(i)]);
  const Array x = np::array(mixed);
  for (const DType t : {c64, c128}) {
    expect_equal(np::sort(x.astype(t)), np::array(sorted, t));
    expect_equal(np::argsort(x.astype(t)), np::argsort(np::array(order)));
    expect_equal(np::sort(x.astype(t), -1, true), np::flip(np::array(sorted, t)));
    expect_equal(np::argsort(x.astype(t), -1, true), np::flip(np::argsort(np::array(order))));
  }
  const Array g = grad([](const Array& a) { return np::dot(np::real(np::sort(a)), np::array({1.0, 10.0})); })(
      np::array({Z(3, 0), Z(1, 2)}));
  expect_equal(g, np::array({Z(10, 0), Z(1, 0)}));
}

TEST(sorting, tangents_move_with_their_values) {
  const Array x = np::array({3.f, 1.f, 2.f});
  const Array g = grad([](const Array& a) { return np::dot(np::sort(a), np::array({1.f, 10.f, 100.f})); })(x);
  expect_equal(g, np::array({100.f, 1.f, 10.f}));
  expect_equal(vmap([](const Array& a) { return np::sort(a); })(np::array({{2, 1}, {3, 4}})),
               np::array({{1, 2}, {3, 4}}));
}

TEST(sorting, empty_arrays_and_wrong_axes) {
  EXPECT_EQ(np::sort(np::zeros({0, 3}), 0).shape().size(), 2u);
  EXPECT_THROW(np::sort(np::zeros({2}), 1), IndexError);
  EXPECT_THROW(np::argsort(np::zeros({2}), -2), IndexError);
}

TEST(sorting, descending_keeps_the_order_of_equals) {
  const Array x = np::array({2.f, 1.f, np::nan, 2.f, 3.f});
  expect_equal(np::sort(x, -1, true), np::array({np::nan, 3.f, 2.f, 2.f, 1.f}));
  expect_equal(np::argsort(x, -1, true), np::array({2, 4, 0, 3, 1}));
  expect_equal(np::argsort(x), np::array({1, 0, 3, 4, 2}));
  expect_equal(np::sort(np::array({{1, 3}, {2, 0}}), 0, true), np::array({{2, 3}, {1, 0}}));
  expect_equal(np::sort(np::array({{1, 3}, {2, 0}}), {}, true), np::array({3, 2, 1, 0}));
}

}  // namespace
}  // namespace weft

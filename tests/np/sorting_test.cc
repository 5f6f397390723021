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

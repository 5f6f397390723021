#include "weft/np/vectorize.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::message_of;

// Of scalars only: relu(a - b) by a choice that vmap can map.
Array clipped(Array a, Array b) {
  EXPECT_EQ(a.ndim(), 0);
  EXPECT_EQ(b.ndim(), 0);
  return np::where(a > b, a - b, 0.f);
}

TEST(vectorize, a_function_of_scalars_runs_over_broadcast_arrays) {
  const auto f = np::vectorize(clipped);
  const Array x = np::array({{1.f}, {5.f}}), y = np::array({0.f, 2.f, 4.f});
  expect_equal(f(x, y), np::array({{1.f, 0.f, 0.f}, {5.f, 3.f, 1.f}}));
  expect_equal(f(y, 1), np::array({0.f, 1.f, 3.f}));
  expect_equal(f(3.f, 1.f), Array(2.f));
  EXPECT_EQ(f(np::zeros({0, 3}), y).aval().str(), "f32[0,3]");
  expect_equal(jit(grad([&](Array v) { return np::sum(f(v, y)); }))(x), np::array({{1.f}, {3.f}}));
}

TEST(vectorize, results_may_be_several) {
  const auto f = np::vectorize([](Array a) { return std::pair{a + 1, a * a}; });
  const auto [next, square] = f(np::array({{1, 2}, {3, 4}}));
  expect_equal(next, np::array({{2, 3}, {4, 5}}));
  expect_equal(square, np::array({{1, 4}, {9, 16}}));
}

TEST(vectorize, what_does_not_fit_is_an_error) {
  const auto f = np::vectorize([](Array a, Array b) { return a + b; });
  EXPECT_EQ(message_of<ShapeError>([&] { f(np::ones({2}), np::ones({3})); }),
            "vectorize: shapes must broadcast; got [2] and [3].");
  const auto g = np::vectorize([](Array a) { return np::stack({a, a}); });
  EXPECT_EQ(message_of<ShapeError>([&] { g(np::ones({3})); }),
            "vectorize: the function must return 0-d arrays; got one of shape [2].");
}

}  // namespace
}  // namespace weft

#include "optim/adding.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/plain.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

TEST(noise, has_the_annealed_variance_and_other_numbers_in_each_step_and_leaf) {
  const auto opt = add_noise(4.0, 1.0, random::key(3));
  using Pair = std::pair<Array, Array>;
  const Pair zeros(np::zeros({20000}), np::zeros({20000}));
  const auto [first, s1] = opt.update(zeros, opt.init(zeros), zeros);
  const auto [second, s2] = opt.update(zeros, s1, zeros);
  EXPECT_NEAR(np::std(first.first).item<float>(), 2, 0.05);
  EXPECT_NEAR(np::std(second.first).item<float>(), std::sqrt(2.0), 0.05);
  EXPECT_NEAR(np::mean(first.first).item<float>(), 0, 0.05);
  const auto correlation = [](const Array& x, const Array& y) {
    return np::mean(x * y).item<float>() / np::std(x).item<float>() / np::std(y).item<float>();
  };
  EXPECT_NEAR(correlation(first.first, first.second), 0, 0.03);
  EXPECT_NEAR(correlation(first.first, second.first), 0, 0.03);
}
TEST(noise, is_added_to_all_leaves_of_a_tree) {
  plain::expect_follows(noisy_sgd(0.1, random::key(0), {.eta = 0}),
                        plain::each<1>([](double g, double, double*, int) { return -0.1 * g; }));
  const auto opt = noisy_sgd(1.0, random::key(0), {.eta = 0.25, .gamma = 0});
  const plain::Params p = plain::to_params(plain::random_tree(1), f32);
  const Arrays g = tree::leaves(p), u = tree::leaves(opt.update(p, opt.init(p), p).first);
  double square = 0, count = 0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    const Array noise = u[i] + g[i];
    EXPECT_TRUE(np::all(noise != 0).item<bool>()) << i;
    square += np::sum(np::square(noise)).item<double>();
    count += static_cast<double>(noise.size());
  }
  EXPECT_NEAR(std::sqrt(square / count), 0.5, 0.15);
}
TEST(noise, comes_from_the_key_alone) {
  const auto opt = noisy_sgd(0.1, random::key(7)), other = noisy_sgd(0.1, random::key(8));
  const Array g = np::ones({4});
  const Array u = opt.update(g, opt.init(g), g).first;
  EXPECT_TRUE(np::array_equal(u, opt.update(g, opt.init(g), g).first).item<bool>());
  EXPECT_FALSE(np::array_equal(u, other.update(g, other.init(g), g).first).item<bool>());
}

TEST(add_decayed_weights, takes_a_schedule_and_counts) {
  const auto opt = add_decayed_weights([](const Array& count) { return 0.5f * count.astype(f32); });
  const Array p = np::array({2.f}), g = np::array({1.f});
  auto state = opt.init(p);
  for (int t = 0; t < 3; ++t) {
    auto [u, next] = opt.update(g, state, p);
    EXPECT_EQ(u.item<float>(), 1 + 0.5f * static_cast<float>(t) * 2);
    state = next;
  }
  EXPECT_EQ(state.inner_state.count.item<int>(), 3);
}
TEST(add_decayed_weights, of_a_number_has_nothing_to_count) {
  EXPECT_FALSE(add_decayed_weights(0.1).init(np::ones({2})).inner_state.count.defined());
}
TEST(add_decayed_weights, keeps_the_dtype_of_the_updates) {
  const Array p = np::ones({2}), g = np::ones({2}).astype(bf16);
  const auto opt = add_decayed_weights(0.1);
  EXPECT_EQ(opt.update(g, opt.init(p), p).first.dtype(), bf16);
}
TEST(noise, refuses_what_is_no_key) {
  EXPECT_EQ(error_of([] { noisy_sgd(0.1, Array()); }), "ValueError: noisy_sgd: there must be a key; got none.");
  EXPECT_EQ(error_of([] { add_noise(1, 1, np::zeros({2})); }),
            "DTypeError: add_noise: a key must be u32[2]; got f32[2].");
  EXPECT_EQ(error_of([] { add_noise(1, 1, np::zeros({3}, u32)); }),
            "ShapeError: add_noise: a key must be u32[2]; got u32[3].");
  EXPECT_EQ(error_of([] { add_noise(-1, 1, random::key(0)); }),
            "ValueError: add_noise: eta must be 0 or more; got -1.0.");
}

}  // namespace
}  // namespace weft::optim

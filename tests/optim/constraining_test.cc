#include "optim/constraining.h"

#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft::optim {
namespace {

TEST(keep_params_nonnegative, moves_parameters_to_0_at_most) {
  const auto opt = keep_params_nonnegative();
  const Array p = np::array({1.f, 2.f, 0.f, -1.f}), u = np::array({-3.f, -1.f, -1.f, 0.5f});
  const Array next = apply_updates(p, opt.update(u, {}, p).first);
  EXPECT_EQ(next.to_vector<float>(), (std::vector<float>{0, 1, 0, 0}));
}
TEST(zero_nans, replaces_nan_and_tells_where_it_was) {
  const auto opt = zero_nans();
  const std::pair<Array, Array> g(np::array({np::nan, 2.f}), np::array({np::inf, 1.f}));
  const auto [u, state] = opt.update(g, opt.init(g), g);
  EXPECT_EQ(u.first.to_vector<float>(), (std::vector<float>{0, 2}));
  EXPECT_EQ(u.second.to_vector<float>(), (std::vector<float>{INFINITY, 1}));
  EXPECT_TRUE(state.found_nan.first.item<bool>());
  EXPECT_FALSE(state.found_nan.second.item<bool>());
  EXPECT_FALSE(opt.update(u, state, g).second.found_nan.first.item<bool>());
}

}  // namespace
}  // namespace weft::optim

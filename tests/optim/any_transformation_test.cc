#include "optim/any_transformation.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/accumulation.h"
#include "optim/optimizers.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

struct Dense {
  Array w, b;
  std::string name;
};
using Any = AnyTransformation<Dense>;

Dense model() { return {np::array({{1.f, -2.f}}), np::array({3.f}), "dense"}; }
Any chosen(const std::string& name) {
  if (name == "adam") return adam(0.1);
  if (name == "masked") return masked(adamw(0.1), [](const std::string& path) { return path == ".w"; });
  if (name == "multi_steps") return multi_steps(sgd(0.1, {.momentum = 0.9}), 2);
  return sgd(0.1);
}
template <class T>
Dense trained(const T& opt) {
  Dense p = model();
  auto state = opt.init(p);
  const auto step = jit([&opt](Dense p, decltype(state) s) {
    const auto [u, next] = opt.update(p, s, p);
    return std::pair(apply_updates(p, u), next);
  });
  for (int i = 0; i < 5; ++i) std::tie(p, state) = step(p, state);
  EXPECT_EQ(step.cache_size(), 1u);
  return p;
}

TEST(any_transformation, does_what_the_transformation_does) {
  const auto expect_same = [](const char* name, const auto& opt) {
    const Dense a = trained(chosen(name)), b = trained(opt);
    EXPECT_TRUE(np::array_equal(a.w, b.w).template item<bool>()) << name;
    EXPECT_TRUE(np::array_equal(a.b, b.b).template item<bool>()) << name;
    EXPECT_EQ(a.name, "dense");
  };
  expect_same("sgd", sgd(0.1));
  expect_same("adam", adam(0.1));
  expect_same("masked", masked(adamw(0.1), [](const std::string& path) { return path == ".w"; }));
  expect_same("multi_steps", multi_steps(sgd(0.1, {.momentum = 0.9}), 2));
}
TEST(any_transformation, has_the_paths_of_the_state) {
  const AnyState state = chosen("adam").init(model());
  std::vector<std::string> paths;
  for (const auto& [path, leaf] : state.leaves) paths.push_back(path);
  EXPECT_EQ(paths, (std::vector<std::string>{"[0].count", "[0].mu.b", "[0].mu.w", "[0].nu.b", "[0].nu.w"}));
}
TEST(any_transformation, is_a_transformation_for_others) {
  const auto opt = multi_steps(chain(clip_by_global_norm(1.0), chosen("adam")), 2);
  Dense p = model();
  auto state = opt.init(p);
  for (int i = 0; i < 2; ++i) state = opt.update(p, state, p).second;
  EXPECT_EQ(std::get<1>(state.inner_opt_state).leaves.at("[0].count").item<int>(), 1);
}
TEST(any_transformation, hands_extras_on) {
  const AnyTransformation<Array> opt = polyak_sgd();
  const Array p = np::array({1.f, 2.f, 3.f});
  EXPECT_TRUE(np::allclose(opt.update(2 * p, opt.init(p), p, {.value = 14.f}).first, -p / 2).item<bool>());
}
TEST(any_transformation, refuses_states_of_others) {
  const Dense p = model();
  const std::string text =
      "TreeError: update: the state must come from this transformation's init; got one of other options or parameters.";
  EXPECT_EQ(error_of([&] { chosen("adam").update(p, chosen("sgd").init(p), p); }), text);
  EXPECT_EQ(error_of([&] { chosen("sgd").update(p, chosen("adam").init(p), p); }), text);
  Dense q = p;
  q.b = np::ones({2});
  EXPECT_EQ(error_of([&] { chosen("adam").update(p, chosen("adam").init(q), p); }), text);
}

}  // namespace
}  // namespace weft::optim

#include "optim/contrib_reduce_on_plateau.h"

#include "harness/errors.h"
#include "optim/plain.h"

namespace weft::optim::contrib {
namespace {

using testing::error_of;

template <class T>
std::vector<float> scales(const T& opt, const std::vector<float>& values) {
  const Array p = np::ones({1});
  auto state = opt.init(p);
  const auto step =
      jit([&opt](Array p, decltype(state) s, Array value) { return opt.update(p, s, p, {.value = value}); });
  std::vector<float> r;
  for (const float v : values) {
    Array u;
    std::tie(u, state) = step(p, state, v);
    r.push_back(u.item<float>());
  }
  EXPECT_EQ(step.cache_size(), 1u);
  return r;
}

TEST(reduce_on_plateau, reduces_after_so_many_values_without_improvement) {
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 2}), {5, 4, 4, 4, 4, 4, 3, 3, 3}),
            (std::vector<float>{1, 1, 1, 0.5f, 0.5f, 0.25f, 0.25f, 0.25f, 0.125f}));
}
TEST(reduce_on_plateau, counts_only_what_is_better_by_the_tolerances) {
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 1, .rtol = 0.1}), {10, 9.5f, 8.9f}),
            (std::vector<float>{1, 0.5f, 0.5f}));
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 1, .rtol = 0, .atol = 1}), {10, 9.5f, 8.9f}),
            (std::vector<float>{1, 0.5f, 0.5f}));
}
TEST(reduce_on_plateau, waits_after_a_reduction) {
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 1, .cooldown = 2}), {1, 1, 1, 1, 1, 1}),
            (std::vector<float>{1, 0.5f, 0.5f, 0.5f, 0.25f, 0.25f}));
}
TEST(reduce_on_plateau, looks_at_means) {
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 1, .accumulation_size = 2}), {4, 2, 1, 5, 0, 5}),
            (std::vector<float>{1, 1, 1, 0.5f, 0.5f, 0.5f}));
}
TEST(reduce_on_plateau, stops_at_the_smallest_scale) {
  // One above 1 raises nothing.
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 1, .min_scale = 2}), {1, 1, 1}),
            (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 1, .min_scale = 0.3}), {1, 1, 1, 1}),
            (std::vector<float>{1, 0.5f, 0.3f, 0.3f}));
}
TEST(reduce_on_plateau, without_patience_reduces_at_the_first_value_that_is_not_better) {
  EXPECT_EQ(scales(reduce_on_plateau({.factor = 0.5, .patience = 0}), {3, 2, 2, 1}),
            (std::vector<float>{1, 1, 0.5f, 0.5f}));
}
TEST(reduce_on_plateau, scales_all_leaves_of_a_tree) {
  // The losses 1 + 1 / t fall by less than half: each reduces but the first.
  const plain::Rule rule = [](plain::Tree& u, const plain::Tree&, int t, double) {
    u = plain::times(std::pow(0.5, t - 1), u);
  };
  plain::expect_follows(reduce_on_plateau({.factor = 0.5, .patience = 1, .rtol = 0.5}), rule);
}
TEST(reduce_on_plateau, refuses_hyperparameters_out_of_range) {
  EXPECT_EQ(error_of([] { reduce_on_plateau({.factor = 1}); }),
            "ValueError: reduce_on_plateau: factor must be in (0, 1); got 1.0.");
  EXPECT_EQ(error_of([] { reduce_on_plateau({.rtol = 0}); }),
            "ValueError: reduce_on_plateau: rtol or atol must be positive; got 0.0 and 0.0.");
  EXPECT_EQ(error_of([] { reduce_on_plateau({.rtol = 2}); }),
            "ValueError: reduce_on_plateau: rtol must be in [0, 1]; got 2.0.");
  EXPECT_EQ(error_of([] { reduce_on_plateau({.accumulation_size = 0}); }),
            "ValueError: reduce_on_plateau: accumulation_size must be 1 or more; got 0.");
  const Array p = np::ones({1});
  const auto opt = reduce_on_plateau();
  EXPECT_EQ(error_of([&] { opt.update(p, opt.init(p), p); }),
            "ValueError: reduce_on_plateau: extra.value must be the loss, which reduce_on_plateau reads; got none.");
}

}  // namespace
}  // namespace weft::optim::contrib

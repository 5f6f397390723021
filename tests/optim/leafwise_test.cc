#include "optim/leafwise.h"

#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft::optim::detail {
namespace {

TEST(bias_correction, has_all_digits_in_f32) {
  for (const double decay : {0.5, 0.9, 0.999, 0.99999})
    for (const int t : {1, 2, 10, 1000, 1000000}) {
      const double want = -std::expm1(t * std::log(decay));
      EXPECT_NEAR(bias_correction(decay, Array(t), f32).item<double>(), want, 3e-7 * want) << decay << ", " << t;
    }
  EXPECT_EQ(bias_correction(0, Array(1), f32).item<float>(), 1);
}
TEST(bias_correction, takes_traced_decays) {
  const auto f = [](Array decay) { return bias_correction(decay, Array(2), f32); };
  EXPECT_FLOAT_EQ(f(0.5f).item<float>(), 0.75f);
  EXPECT_FLOAT_EQ(grad(f)(0.5f).item<float>(), -1);
}
TEST(norms, are_of_f32_at_least) {
  const Leaves halves{np::full({4}, 300.0f).astype(f16)};
  EXPECT_EQ(norm(halves).item<float>(), 600);
  EXPECT_EQ(squared_norm(halves).dtype(), f32);
  EXPECT_EQ(norm({np::ones({4}, f64), np::ones({5})}).dtype(), f64);
  EXPECT_EQ(safe_rms(halves[0], 0).item<float>(), 300);
  const Leaves complex{np::array(std::vector<std::complex<float>>{{3, 4}})};
  EXPECT_EQ(norm(complex).item<float>(), 5);
}
TEST(norms, have_derivatives_at_0) {
  EXPECT_EQ(grad([](Array x) { return norm({x}); })(np::zeros({2})).to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(grad([](Array x) { return safe_norm(x, 0.5); })(np::zeros({2})).to_vector<float>(),
            (std::vector<float>{0, 0}));
  EXPECT_EQ(safe_norm(np::array({3.f, 4.f}), 10).item<float>(), 10);
}
TEST(inner_product, conjugates_the_first) {
  const Array x = np::array(std::vector<std::complex<float>>{{0, 1}}),
              y = np::array(std::vector<std::complex<float>>{{0, 2}});
  EXPECT_EQ(inner_product({x}, {y}).item<float>(), 2);
}
TEST(averages, of_two_dtypes_are_in_what_both_promote_to) {
  const Array m = np::ones({1}).astype(bf16), g = np::full({1}, 1.01f);
  EXPECT_EQ(averaged(m, g, 0.5).dtype(), f32);
  EXPECT_FLOAT_EQ(averaged(m, g, 0.5).item<float>(), 1.005f);
}

}  // namespace
}  // namespace weft::optim::detail

#include "optim/polyak.h"

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/plain.h"

namespace weft::optim {
namespace {

using plain::expect_follows;
using plain::Tree;
using testing::error_of;

TEST(polyak_sgd, takes_its_step_from_the_loss) {
  const auto rule = [](double f_min, double most, double eps) {
    return [=](Tree& u, const Tree&, int, double value) {
      u = plain::times(-2, u);  // scaling
      u = plain::times(std::min((value - f_min) / (plain::squared_norm(u) + eps), most), u);
    };
  };
  expect_follows(polyak_sgd({.scaling = 2, .f_min = 0.5, .eps = 0.1}), rule(0.5, 1, 0.1));
  expect_follows(polyak_sgd({.max_learning_rate = 1e-3, .scaling = 2}), rule(0, 1e-3, 0));
}
TEST(polyak_sgd, does_not_move_where_the_gradient_is_0_nor_below_the_bound) {
  const auto opt = polyak_sgd({.f_min = 5, .variant = PolyakVariant::kSpsPlus});
  const Array p = np::ones({2}), zero = np::zeros({2});
  EXPECT_EQ(opt.update(zero, opt.init(p), p, {.value = 7.f}).first.to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(opt.update(p, opt.init(p), p, {.value = 1.f}).first.to_vector<float>(), (std::vector<float>{0, 0}));
}
TEST(polyak_sgd, wants_the_loss) {
  const auto opt = polyak_sgd();
  const Array p = np::ones({2});
  EXPECT_EQ(error_of([&] { opt.update(p, opt.init(p), p); }),
            "ValueError: update: extra.value must be the loss, which scale_by_polyak reads; got none.");
  EXPECT_EQ(error_of([&] { opt.update(p, opt.init(p), p, {.value = p}); }),
            "ShapeError: update: extra.value must be one number; got f32[2].");
}

}  // namespace
}  // namespace weft::optim

#include "optim/scaling.h"

#include "optim/optimizers.h"
#include "optim/plain.h"
#include "optim/schedule.h"

namespace weft::optim {
namespace {

using plain::each;
using plain::expect_follows;
using plain::Rule;
using plain::Tree;

TEST(lars, scales_each_leaf_by_its_trust_ratio) {
  const auto rule = [](bool nesterov) {
    return [=, trace = Tree()](Tree& u, const Tree& p, int t, double) mutable {
      if (t == 1) trace = plain::times(0, u);
      u = plain::add(u, 0.1, p);
      for (std::size_t i = 0; i < u.size(); ++i) {
        plain::scale_leaf(u[i], -0.5 * 0.001 * plain::norm(p[i]) / (plain::norm(u[i]) + 0.2));
        for (std::size_t j = 0; j < u[i].size(); ++j) {
          trace[i].x[j] = u[i].x[j] + 0.9 * trace[i].x[j];
          u[i].x[j] = nesterov ? u[i].x[j] + 0.9 * trace[i].x[j] : trace[i].x[j];
        }
      }
    };
  };
  expect_follows(lars(0.5, {.weight_decay = 0.1, .eps = 0.2}), rule(false));
  expect_follows(lars(0.5, {.weight_decay = 0.1, .eps = 0.2, .nesterov = true}), rule(true));
}
TEST(lars, leaves_out_what_the_mask_does) {
  const auto opt = lars(1.0, {.trust_ratio_mask = [](const std::string& path) { return path == ".first"; }});
  const std::pair<Array, Array> p(np::array({3.f, 4.f}), np::array({3.f, 4.f}));
  const auto [u, state] = opt.update(p, opt.init(p), p);
  EXPECT_NEAR(u.second(0).item<float>(), -3, 1e-6);
}
TEST(lamb, scales_adams_updates_by_trust_ratios) {
  Rule rule = [inner = each<2>([](double g, double p, double* s, int t) {
                 s[0] = 0.9 * s[0] + 0.1 * g;
                 s[1] = 0.999 * s[1] + 0.001 * g * g;
                 return s[0] / (1 - std::pow(0.9, t)) / (std::sqrt(s[1] / (1 - std::pow(0.999, t))) + 1e-6) + 0.2 * p;
               })](Tree& u, const Tree& p, int t, double v) mutable {
    inner(u, p, t, v);
    for (std::size_t i = 0; i < u.size(); ++i) plain::scale_leaf(u[i], -0.1 * plain::norm(p[i]) / plain::norm(u[i]));
  };
  expect_follows(lamb(0.1, {.weight_decay = 0.2}), rule);
}
TEST(fromage, shrinks_parameters_after_a_step_of_fixed_relative_size) {
  const Rule rule = [](Tree& u, const Tree& p, int, double) {
    const double shrink = 1 / std::sqrt(1 + 0.3 * 0.3);
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double ratio = std::max(plain::norm(p[i]), 1e-6) / std::max(plain::norm(u[i]), 1e-6);
      for (std::size_t j = 0; j < u[i].size(); ++j)
        u[i].x[j] = -0.3 * shrink * ratio * u[i].x[j] + (shrink - 1) * p[i].x[j];
    }
  };
  expect_follows(fromage(0.3), rule);
  expect_follows(fromage(constant_schedule(0.3)), rule, {.f64_tolerance = 1e-6});
}
TEST(trust_ratio, is_1_for_zeros) {
  const auto opt = scale_by_trust_ratio();
  const std::pair<Array, Array> p(np::zeros({2}), np::array({1.f, 2.f})), g(np::array({1.f, 2.f}), np::zeros({2}));
  const auto [u, state] = opt.update(g, opt.init(p), p);
  EXPECT_EQ(u.first.to_vector<float>(), (std::vector<float>{1, 2}));
  EXPECT_EQ(u.second.to_vector<float>(), (std::vector<float>{0, 0}));
  const auto size = [&](Array x) { return np::sum(opt.update(x, {}, p.first).first); };
  EXPECT_EQ(grad(size)(np::array({1.f, 2.f})).to_vector<float>(), (std::vector<float>{1, 1}));
}
TEST(param_blocks, scale_by_the_size_of_the_parameters) {
  const auto rule = [](auto size) {
    return [=](Tree& u, const Tree& p, int, double) {
      for (std::size_t i = 0; i < u.size(); ++i) plain::scale_leaf(u[i], std::max(size(p[i]), 1.0));
    };
  };
  expect_follows(scale_by_param_block_norm(1), rule(plain::norm));
  expect_follows(scale_by_param_block_rms(1), rule(plain::rms));
}
TEST(normalize_by_update_norm, gives_updates_one_size) {
  expect_follows(normalize_by_update_norm({.scale_factor = 3, .eps = 0.1}), [](Tree& u, const Tree&, int, double) {
    u = plain::times(3 / (std::sqrt(plain::squared_norm(u)) + 0.1), u);
  });
}
TEST(centralize, takes_the_mean_of_each_slice_away) {
  const auto opt = centralize();
  const Array g = np::array({{1.f, 2.f, 3.f}, {4.f, 5.f, 9.f}}), v = np::array({1.f, 2.f});
  EXPECT_EQ(opt.update(g, {}, g).first.to_vector<float>(), (std::vector<float>{-1, 0, 1, -2, -1, 3}));
  EXPECT_EQ(opt.update(v, {}, v).first.to_vector<float>(), (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace weft::optim

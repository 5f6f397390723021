#include "optim/adaptive.h"

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/plain.h"

namespace weft::optim {
namespace {

using plain::each;
using plain::expect_follows;
using plain::Leaf;
using plain::Rule;
using plain::Tree;
using testing::error_of;

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

TEST(adagrad, divides_by_the_root_of_all_squares) {
  const auto rule = [](double first, double eps) {
    return each<1>(
        [=](double g, double, double* s, int) {
          s[0] += g * g;
          return s[0] > 0 ? -0.1 * g / std::sqrt(s[0] + eps) : 0;
        },
        {first});
  };
  expect_follows(adagrad(0.1), rule(0.1, 1e-7));
  expect_follows(adagrad(0.1, {.initial_accumulator_value = 0, .eps = 0.5}), rule(0, 0.5));
}
TEST(adagrad, of_gradients_that_are_0_from_the_first_step_on_does_not_move) {
  const auto opt = adagrad(0.1, {.initial_accumulator_value = 0, .eps = 0});
  const Array p = np::zeros({3});
  EXPECT_EQ(opt.update(p, opt.init(p), p).first.to_vector<float>(), (std::vector<float>{0, 0, 0}));
}

TEST(rmsprop, divides_by_the_root_of_the_average_square) {
  const auto rule = [](bool eps_in_sqrt, bool correct) {
    return each<1>(
        [=](double g, double, double* s, int t) {
          s[0] = 0.9 * s[0] + 0.1 * g * g;
          const double v = correct ? s[0] / (1 - std::pow(0.9, t)) : s[0];
          return -0.1 * g / (eps_in_sqrt ? std::sqrt(v + 0.01) : std::sqrt(v) + 0.01);
        },
        {0.25});
  };
  const auto options = [](bool eps_in_sqrt, bool correct) {
    return RmspropOptions{.eps = 0.01, .initial_scale = 0.25, .eps_in_sqrt = eps_in_sqrt, .bias_correction = correct};
  };
  expect_follows(rmsprop(0.1, options(true, false)), rule(true, false));
  expect_follows(rmsprop(0.1, options(false, true)), rule(false, true));
}
TEST(rmsprop, centered_divides_by_the_standard_deviation) {
  const auto rule = [](bool correct) {
    return each<2>([=](double g, double, double* s, int t) {
      s[0] = 0.9 * s[0] + 0.1 * g;
      s[1] = 0.9 * s[1] + 0.1 * g * g;
      const double b = correct ? 1 - std::pow(0.9, t) : 1;
      return -0.1 * g / std::sqrt(s[1] / b - std::pow(s[0] / b, 2) + 0.01);
    });
  };
  expect_follows(rmsprop(0.1, {.eps = 0.01, .centered = true}), rule(false));
  expect_follows(rmsprop(0.1, {.eps = 0.01, .centered = true, .bias_correction = true}), rule(true));
}
TEST(rmsprop, has_momentum_after_the_learning_rate) {
  const auto rule = [](bool nesterov) {
    return each<2>([=](double g, double, double* s, int) {
      s[0] = 0.9 * s[0] + 0.1 * g * g;
      const double u = -0.1 * g / std::sqrt(s[0] + 1e-8);
      s[1] = u + 0.5 * s[1];
      return nesterov ? u + 0.5 * s[1] : s[1];
    });
  };
  expect_follows(rmsprop(0.1, {.momentum = 0.5}), rule(false));
  expect_follows(rmsprop(0.1, {.momentum = 0.5, .nesterov = true}), rule(true));
}

TEST(adadelta, measures_gradients_and_updates) {
  expect_follows(adadelta(2.0, {.weight_decay = 0.1}), each<2>([](double g, double p, double* s, int) {
                   g += 0.1 * p;
                   s[0] = 0.9 * s[0] + 0.1 * g * g;
                   const double u = std::sqrt(s[1] + 1e-6) / std::sqrt(s[0] + 1e-6) * g;
                   s[1] = 0.9 * s[1] + 0.1 * u * u;
                   return -2 * u;
                 }));
}
TEST(adadelta, without_a_learning_rate_only_rescales) {
  expect_follows(adadelta(), each<2>([](double g, double, double* s, int) {
                   s[0] = 0.9 * s[0] + 0.1 * g * g;
                   const double u = std::sqrt(s[1] + 1e-6) / std::sqrt(s[0] + 1e-6) * g;
                   s[1] = 0.9 * s[1] + 0.1 * u * u;
                   return u;
                 }));
}

TEST(rprop, changes_step_sizes_by_signs_and_moves_one_step_later) {
  expect_follows(rprop(0.1, {.max_step_size = 0.13}),
                 each<2>(
                     [](double g, double, double* s, int) {
                       const double product = g * s[1], last = s[1];
                       if (product > 0) s[0] = std::min(s[0] * 1.2, 0.13);
                       if (product < 0) s[0] = std::max(s[0] * 0.5, 1e-6);
                       s[1] = product < 0 ? 0 : s[0] * sign(g);
                       return product < 0 ? 0 : -last;
                     },
                     {0.1, 0}),
                 {.count = 8});
}

// The index of an element along each axis.
std::vector<std::int64_t> position(const Leaf& leaf, std::size_t j) {
  std::vector<std::int64_t> r(leaf.shape.size());
  auto rest = static_cast<std::int64_t>(j);
  for (std::size_t a = leaf.shape.size(); a-- > 0; rest /= leaf.shape[a]) r[a] = rest % leaf.shape[a];
  return r;
}

TEST(sm3, keeps_one_number_for_each_slice_along_each_axis) {
  const auto rule = [](double b2) {
    return [=, mu = std::vector<std::vector<std::vector<double>>>(), nu = Tree()](Tree& u, const Tree&, int t,
                                                                                  double) mutable {
      if (t == 1) {
        nu = plain::times(0, u);
        mu.clear();
        for (const Leaf& leaf : u) {
          mu.emplace_back();
          for (const std::int64_t n : leaf.shape) mu.back().emplace_back(n, 0.0);
          if (leaf.shape.empty()) mu.back().emplace_back(1, 0.0);
        }
      }
      for (std::size_t i = 0; i < u.size(); ++i) {
        auto next = mu[i];
        for (auto& axis : next) std::fill(axis.begin(), axis.end(), 0);
        for (std::size_t j = 0; j < u[i].size(); ++j) {
          std::vector<std::int64_t> at = position(u[i], j);
          if (at.empty()) at = {0};
          double least = INFINITY;
          for (std::size_t a = 0; a < at.size(); ++a)
            least = std::min(least, mu[i][a][static_cast<std::size_t>(at[a])]);
          const double g = u[i].x[j], s = (b2 == 1 ? 1 : 1 - b2) * g * g + b2 * least;
          for (std::size_t a = 0; a < at.size(); ++a) {
            double& m = next[a][static_cast<std::size_t>(at[a])];
            m = std::max(m, s);
          }
          nu[i].x[j] = 0.9 * nu[i].x[j] + 0.1 * g / std::sqrt(s + 1e-8);
          u[i].x[j] = -0.1 * nu[i].x[j];
        }
        mu[i] = next;
      }
    };
  };
  expect_follows(sm3(0.1), rule(1));
  expect_follows(chain(scale_by_sm3({.b2 = 0.7}), scale(-0.1)), rule(0.7));
}

// Adafactor's second moment of leaves, of which the matrices are factored.
Rule factored_rms(bool factored) {
  return [=, v = std::vector<std::vector<double>>(), rows = std::vector<double>(), columns = std::vector<double>()](
             Tree& u, const Tree&, int t, double) mutable {
    const double d = 1 - std::pow(t, -0.8);
    if (t == 1) {
      v.clear();
      for (const Leaf& leaf : u) v.emplace_back(leaf.size(), 0.0);
      rows.assign(3, 0);
      columns.assign(4, 0);
    }
    for (std::size_t i = 0; i < u.size(); ++i) {
      if (i == 0 && factored) {  // [3, 4]
        std::vector<double> r(3, 0), c(4, 0);
        for (std::size_t a = 0; a < 3; ++a)
          for (std::size_t b = 0; b < 4; ++b) {
            const double s = u[0].x[4 * a + b] * u[0].x[4 * a + b] + 1e-30;
            r[a] += s / 4;
            c[b] += s / 3;
          }
        double mean = 0;
        for (std::size_t a = 0; a < 3; ++a) mean += (rows[a] = d * rows[a] + (1 - d) * r[a]) / 3;
        for (std::size_t b = 0; b < 4; ++b) columns[b] = d * columns[b] + (1 - d) * c[b];
        for (std::size_t a = 0; a < 3; ++a)
          for (std::size_t b = 0; b < 4; ++b) u[0].x[4 * a + b] /= std::sqrt(rows[a] / mean * columns[b]);
        continue;
      }
      for (std::size_t j = 0; j < u[i].size(); ++j) {
        v[i][j] = d * v[i][j] + (1 - d) * (u[i].x[j] * u[i].x[j] + 1e-30);
        u[i].x[j] /= std::sqrt(v[i][j]);
      }
    }
  };
}

TEST(adafactor, factors_the_second_moment_of_large_matrices) {
  // With 3, the smallest size to factor, [3, 4] is, and [2, 3, 2], whose second largest axis has 2, is not. What
  // depends on the step alone is computed in f32.
  expect_follows(scale_by_factored_rms({.min_dim_size_to_factor = 3}), factored_rms(true), {.f64_tolerance = 1e-6});
  expect_follows(scale_by_factored_rms(), factored_rms(false), {.f64_tolerance = 1e-6});
  expect_follows(scale_by_factored_rms({.factored = false, .min_dim_size_to_factor = 3}), factored_rms(false),
                 {.f64_tolerance = 1e-6});
}
TEST(adafactor, keeps_rows_and_columns_of_the_two_largest_axes) {
  const auto opt = scale_by_factored_rms({.min_dim_size_to_factor = 3});
  const auto state = opt.init(np::zeros({5, 2, 3}));
  EXPECT_EQ(state.v_row.shape(), (Shape{2, 3}));
  EXPECT_EQ(state.v_col.shape(), (Shape{5, 2}));
  EXPECT_EQ(state.v.shape(), (Shape{1}));
}
TEST(adafactor, clips_scales_by_parameters_averages_and_decays) {
  const auto rule = [](double threshold, bool by_parameters, double momentum, double decay) {
    return [=, second = factored_rms(false), ema = Tree()](Tree& u, const Tree& p, int t, double v) mutable {
      second(u, p, t, v);
      if (t == 1) ema = plain::times(0, u);
      for (std::size_t i = 0; i < u.size(); ++i) {
        plain::scale_leaf(u[i], 1 / std::max(1.0, plain::rms(u[i]) / threshold));
        plain::scale_leaf(u[i], 0.1 * (by_parameters ? std::max(plain::rms(p[i]), 1e-3) : 1));
        for (std::size_t j = 0; j < u[i].size(); ++j) {
          ema[i].x[j] = momentum * ema[i].x[j] + (1 - momentum) * u[i].x[j];
          u[i].x[j] = -(ema[i].x[j] + decay * p[i].x[j]);
        }
      }
    };
  };
  expect_follows(adafactor(0.1), rule(1, true, 0, 0), {.f64_tolerance = 1e-6});
  // The buffers of the momentum are f32.
  expect_follows(adafactor(0.1, {.multiply_by_parameter_scale = false,
                                 .clipping_threshold = 0.5,
                                 .momentum = 0.9,
                                 .weight_decay_rate = 0.01}),
                 rule(0.5, false, 0.9, 0.01), {.f64_tolerance = 1e-6});
}
TEST(adafactor, takes_another_schedule_of_decay) {
  const auto opt = scale_by_factored_rms(
      {.decay_rate_fn = [](const Array&, const Hyperparam& rate) { return rate.in(f32) * 0.5f; }});
  const Array g = np::array({2.f});
  const auto [u, state] = opt.update(g, opt.init(g), g);
  EXPECT_NEAR(state.v.item<float>(), 0.6 * 4, 1e-6);
}

TEST(distance_over_gradients, scales_by_the_way_gone) {
  Rule rule = [first = Tree(), d = std::vector<double>(), s = std::vector<double>()](Tree& u, const Tree& p, int t,
                                                                                     double) mutable {
    if (t == 1) {
      first = p;
      d.clear();
      for (const Leaf& leaf : p) d.push_back(1e-2 * (1 + plain::norm(leaf)));
      s.assign(u.size(), 0);
    }
    const Tree gone = plain::add(p, -1, first);
    for (std::size_t i = 0; i < u.size(); ++i) {
      d[i] = std::max(d[i], plain::norm(gone[i]));
      s[i] += std::pow(plain::norm(u[i]), 2);
      plain::scale_leaf(u[i], -d[i] / std::sqrt(s[i] + 1e-8));
    }
  };
  expect_follows(scale_by_distance_over_gradients({.reps_rel = 1e-2, .global_scale = -1}), rule);
}

TEST(rprop, sees_signs_whose_product_is_too_small_for_the_dtype) {
  const auto opt = rprop(1e-4);
  const Array g = np::array({1e-4f, -1e-4f}).astype(f16);  // times the last update, 1e-8
  auto state = opt.init(g);
  for (int t = 0; t < 2; ++t) state = opt.update(g, state, g).second;
  EXPECT_NEAR(std::get<0>(state).step_sizes(0).item<double>(), 1.2e-4, 1e-6);
}
TEST(adaptive, rules_without_a_sense_for_complex_numbers_refuse_them) {
  const Array z = np::array(std::vector<std::complex<float>>{{1, 2}});
  EXPECT_EQ(error_of([&] { sm3(0.1).init(z); }), "DTypeError: scale_by_sm3: parameters must be real; got c64[1].");
  EXPECT_EQ(error_of([&] { rprop(0.1).init(z); }), "DTypeError: scale_by_rprop: parameters must be real; got c64[1].");
}
TEST(adaptive, hyperparameters_out_of_range_are_refused) {
  EXPECT_EQ(error_of([] { rmsprop(0.1, {.decay = 1.5}); }), "ValueError: rmsprop: decay must be in [0, 1); got 1.5.");
  EXPECT_EQ(error_of([] { adagrad(0.1, {.eps = -1}); }), "ValueError: adagrad: eps must be 0 or more; got -1.0.");
  EXPECT_EQ(error_of([] { adafactor(0.1, {.min_dim_size_to_factor = 0}); }),
            "ValueError: adafactor: min_dim_size_to_factor must be 1 or more; got 0.");
  EXPECT_EQ(error_of([] { adafactor(0.1, {.clipping_threshold = 0}); }),
            "ValueError: adafactor: clipping_threshold must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { sm3(0.1, {.momentum = 1}); }), "ValueError: sm3: momentum must be in [0, 1); got 1.0.");
}

}  // namespace
}  // namespace weft::optim

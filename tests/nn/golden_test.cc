// Numbers that Flax's documentation prints, for layers together with the keys that they take.
//
// Not here: those of 2021, which have other keys and another layout of counters.
#include "nn/activation.h"
#include "nn/checks.h"
#include "nn/lift.h"
#include "nn/linear.h"
#include "nn/orthogonal.h"
#include "nn/stochastic.h"

namespace weft::nn {
namespace {

using namespace testing;

Initializer plain_normal() { return initializers::normal(1); }

// The guide of random streams, "Using self.param and self.variable".
struct TwoDense : Module<TwoDense> {
  Array call(Array x) const {
    x = Dense{.features = 2, .use_bias = false, .kernel_init = plain_normal()}(x);
    const Dims shape(x.shape());
    param("model_param", plain_normal(), shape);
    variable("other_collection", "model_variable1", [&] { return random::normal(make_rng("params"), shape); });
    variable("other_collection", "model_variable2", [&] { return random::normal(make_rng("other"), shape); });
    return Dense{.features = 2, .kernel_init = plain_normal(), .bias_init = plain_normal()}(x);
  }
};
TEST(golden, parameters_and_variables_begin_as_the_guide_prints) {
  const Variables v = TwoDense{}.init({{"params", random::key(0)}, {"other", random::key(1)}}, np::ones({2, 2}));
  const Collection &p = v.at("params"), &other = v.at("other_collection");
  EXPECT_TRUE(near(p.at("Dense_0/kernel"), Doubles{-1.6185919, 0.700908, -1.3146383, -0.79342234}, 1e-7));
  EXPECT_TRUE(near(p.at("model_param"), Doubles{0.0761425, -1.6157459, -1.6857724, 0.7126891}, 1e-7));
  EXPECT_TRUE(near(other.at("model_variable1"), Doubles{0.60175574, 0.2553228, 0.27367848, -2.1975214}, 1e-7));
  EXPECT_TRUE(near(other.at("model_variable2"), Doubles{1.6249592, 0.30813068, 1.6613585, 1.0404155}, 1e-7));
  EXPECT_TRUE(near(p.at("Dense_1/kernel"), Doubles{0.0030665, 0.29551846, 0.16670242, -0.78252524}, 1e-7));
  EXPECT_TRUE(near(p.at("Dense_1/bias"), Doubles{1.582462, 0.15216611}, 1e-7));
}

// The same guide, "Managing RNG streams inside a training loop".
struct SubModule : Module<SubModule> {
  Array call(Array x, bool train) const {
    x = x + param("submodule_kernel", plain_normal(), x.shape());
    x = Dropout{.rate = 0.2}(x, !train);
    return Dense{.features = 3}(x);
  }
};
struct Toy : Module<Toy> {
  Array call(Array x, bool train) const {
    const Dims shape(x.shape());
    const Variable kernel =
        variable("other_collection", "module_kernel", [&] { return random::normal(make_rng("other"), shape); });
    x = SubModule{}(x + kernel.value(), train);
    x = Dropout{.rate = 0.2}(x, !train);
    return Dense{.features = 2}(x);
  }
};
TEST(golden, training_with_dropout_loses_what_the_guide_prints) {
  const Array keys = random::split(random::key(0), 3), x = np::ones({1, 3}), y = np::ones({1, 2});
  Variables v = Toy{}.init({{"params", keys(0)}, {"other", keys(1)}}, x, false);
  Array key = keys(2);
  for (const double want :
       {2.518454, 2.4859657, 2.4171872, 2.412684, 2.3435805, 2.2773488, 2.2592616, 2.2009292, 2.1839895, 2.1707344}) {
    const Array pair = random::split(key);
    key = pair(1);
    const auto loss = [&](const Collection& params) {
      Variables all = v;
      all["params"] = params;
      return np::mean(np::square(y - Toy{}.apply(all, {.rngs = {{"dropout", pair(0)}}}, x, true)));
    };
    const Collection g = grad(loss)(v.at("params"));
    v["params"] = tree::map([](const Array& p, const Array& d) { return p - 1e-3 * d; }, v.at("params"), g);
    EXPECT_NEAR(np::mean(np::square(y - Toy{}.apply(v, x, false))).item<double>(), want, 2e-6);
  }
}

// The documentation of TrainState: the mean of (y - 1)^2 / 2 before and after a step of Adam of 1e-3.
TEST(golden, a_step_of_adam_gains_what_train_state_prints) {
  const Dense model{.features = 2};
  const Array x = np::ones({1, 2}), y = np::ones({1, 2});
  const Variables v = model.init(random::key(0), x);
  const auto loss = [&](const Collection& p) { return np::mean(np::square(model.apply({{"params", p}}, x) - y)) / 2; };
  EXPECT_NEAR(loss(v.at("params")).item<double>(), 1.8136346, 1e-6);
  // The first step of Adam is one of the gradient's sign.
  const Collection g = grad(loss)(v.at("params"));
  const auto step = [](const Array& p, const Array& d) { return p - 1e-3 * d / (np::abs(d) + 1e-8); };
  EXPECT_NEAR(loss(tree::map(step, v.at("params"), g)).item<double>(), 1.8079796, 1e-6);
}

// ---- the guide, "Lifted transforms", whose names are kept apart ----

const Rngs kSeparated = Rngs::separated(random::key(0));
const Array kThreeRows = np::ones({3, 2});

Collection mapped_dense(std::optional<int> axis, bool split) {
  const auto model =
      vmap(Dense{.features = 2}, {.variable_axes = {{"params", axis}}, .split_rngs = {{"params", split}}});
  return model.init(kSeparated, kThreeRows).at("params");
}
TEST(golden, mapped_layers_begin_as_the_guide_prints) {
  const Doubles one{-1.2488099, -0.6127134, -0.07084481, 0.60130936};
  EXPECT_TRUE(near(mapped_dense(unmapped, false).at("kernel"), one, 1e-6));
  const Array equal = mapped_dense(0, false).at("kernel");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(near(equal(i), one, 1e-6));
  EXPECT_TRUE(near(mapped_dense(0, true).at("kernel"),
                   Doubles{-0.2526208, -0.15088455, -1.1987205, -0.40843305, -0.7064888, -1.108805, -0.938775,
                           1.4812315, -0.59468937, -0.2502723, -1.33515, 0.5067442},
                   1e-6));
}

struct WithNoise : Module<WithNoise> {
  Array call(Array x) const {
    x = Dense{.features = 2}(x);
    const Dims shape(x.shape());
    return x + variable("other_collection", "kernel", [&] { return random::normal(make_rng("other"), shape); }).value();
  }
};
TEST(golden, mapped_variables_begin_as_the_guide_prints) {
  const auto made = [&](std::optional<int> axis, bool split) {
    const auto model = vmap(WithNoise{}, {.variable_axes = {{"params", 0}, {"other_collection", axis}},
                                          .split_rngs = {{"params", true}, {"other", split}}});
    return model.init(Rngs::separated({{"params", random::key(0)}, {"other", random::key(1)}}), kThreeRows);
  };
  const Variables each = made(0, true);
  EXPECT_TRUE(near(each.at("params").at("Dense_0/kernel"),
                   Doubles{-0.9079084, 0.76390624, -0.01285526, 0.4320353, 0.12398645, 0.7884565, 1.5344163, 1.3186085,
                           -0.44171348, 0.43430036, -0.40732604, 0.29774475},
                   1e-6));
  EXPECT_TRUE(near(each.at("other_collection").at("kernel"),
                   Doubles{-0.8193048, 0.711106, -0.37802765, -0.66705877, -0.44808003, 0.93031347}, 1e-6));
  const Doubles one{0.44956833, -1.1854612};
  const Array equal = made(0, false).at("other_collection").at("kernel");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(near(equal(i), one, 1e-6));
  EXPECT_TRUE(near(made(unmapped, false).at("other_collection").at("kernel"), one, 1e-6));
}

struct ResidualMlpBlock : Module<ResidualMlpBlock> {
  std::pair<Array, std::tuple<>> call(const Array& x) const { return {x + relu(Dense{.features = 2}(x)), {}}; }
};
TEST(golden, scanned_layers_begin_as_the_guide_prints) {
  const auto kernels = [](bool split) {
    const auto model =
        scan(ResidualMlpBlock{}, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", split}}, .length = 3});
    return model.init(kSeparated, kThreeRows).at("params").at("Dense_0/kernel");
  };
  EXPECT_TRUE(near(kernels(true),
                   Doubles{-0.07838312, -0.7422982, 0.87488323, 0.13773395, 0.97309333, 0.9087693, -0.12564984,
                           -1.0920651, -0.99055105, 1.1499453, -0.15721127, -0.62520015},
                   1e-6));
  const Doubles one{-0.66715515, -0.0484313, 0.9867164, 0.75408363};
  const Array equal = kernels(false);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(near(equal(i), one, 1e-6));
}

// ---- initialisers: the formulas of the published rows, which were made by the original layout of counters ----

constexpr auto kOriginal = random::Layout::kOriginal;
const Array kKey = random::key(42);

TEST(golden, initialisers_are_the_published_formulas_of_normal_and_uniform_numbers) {
  const auto published = [](const Array& draws, double scale, const Doubles& want) {
    EXPECT_TRUE(near(draws * scale, want, 1e-6));
  };
  const Array normal = random::normal(kKey, {2, 3}, f32, kOriginal);
  published(normal, 5, {3.0613258, 5.6129413, 5.6866574, -4.063663, -4.4520254, .63115686});
  const Array truncated = random::truncated_normal(kKey, -2.0, 2.0, {2, 3}, f32, kOriginal);
  published(truncated, 5, {2.9047365, 5.2338114, 5.29852, -3.836303, -4.192359, .6022964});
  const double stddev = .87962566103423978;
  published(truncated, std::sqrt(1 / 2.5) / stddev, {.41770416, .75262755, .7619329, -.5516644, -.6028657, .08661086});
  published(truncated, std::sqrt(1 / 2.0) / stddev, {.46700746, .8414632, .8518669, -.61677957, -.67402434, .09683388});
  const Array uniform = random::uniform(kKey, {2, 3}, f32, -1.0, 1.0, kOriginal);
  published(uniform, std::sqrt(3 / 2.0), {.56293887, .90433645, .9119454, -.71479625, -.7676109, .12302713});
}

TEST(golden, initialisers_have_the_same_formulas_in_the_layout_of_today) {
  using namespace initializers;
  const auto made = [](const Initializer& init) { return init(kKey, {2, 3}, f32); };
  const Array draws = random::normal(kKey, {2, 3});
  const Array truncated = random::truncated_normal(kKey, -2.0, 2.0, {2, 3});
  const Array symmetric = random::uniform(kKey, {2, 3}, f32, -1.0, 1.0);
  const double stddev = .87962566103423978;
  EXPECT_TRUE(near(made(initializers::normal(5)), draws * 5, 1e-7));
  EXPECT_TRUE(near(made(initializers::truncated_normal(5)), truncated * 5, 1e-7));
  EXPECT_TRUE(near(made(initializers::uniform(5)), random::uniform(kKey, {2, 3}) * 5, 1e-7));
  EXPECT_TRUE(near(made(glorot_normal()), truncated * (std::sqrt(1 / 2.5) / stddev), 1e-6));
  EXPECT_TRUE(near(made(glorot_uniform()), symmetric * std::sqrt(3 / 2.5), 1e-6));
  EXPECT_TRUE(near(made(lecun_normal()), truncated * (std::sqrt(1 / 2.0) / stddev), 1e-6));
  EXPECT_TRUE(near(made(lecun_uniform()), symmetric * std::sqrt(3 / 2.0), 1e-6));
  EXPECT_TRUE(near(made(he_normal()), truncated * (std::sqrt(2 / 2.0) / stddev), 1e-6));
  EXPECT_TRUE(near(made(he_uniform()), symmetric * std::sqrt(6 / 2.0), 1e-6));
  EXPECT_TRUE(near(made(variance_scaling(3, Fan::kOut, Distribution::kNormal)), draws * std::sqrt(3 / 3.0), 1e-6));
  EXPECT_TRUE(near(made(variance_scaling(3, Fan::kGeometricAverage, Distribution::kNormal)),
                   draws * std::sqrt(3 / std::sqrt(6.0)), 1e-6));
}

TEST(golden, initialisers_have_the_variance_that_they_promise) {
  using namespace initializers;
  const auto variance = [](const Initializer& init, const Dims& shape) {
    const Array w = init(kKey, shape, f32);
    EXPECT_NEAR(np::mean(w).item<double>() / std::sqrt(np::var(w).item<double>()), 0, 0.02);
    return np::var(w).item<double>();
  };
  EXPECT_NEAR(variance(lecun_normal(), {200, 300}) * 200, 1, 0.02);
  EXPECT_NEAR(variance(lecun_uniform(), {200, 300}) * 200, 1, 0.02);
  EXPECT_NEAR(variance(he_normal(), {200, 300}) * 200, 2, 0.04);
  EXPECT_NEAR(variance(glorot_uniform(), {200, 300}) * 250, 1, 0.02);
  EXPECT_NEAR(variance(lecun_normal(), {3, 3, 40, 50}) * 360, 1, 0.03);  // a convolution's field counts
  EXPECT_NEAR(variance(initializers::truncated_normal(2), {300, 300}), 4 * .87962566 * .87962566, 0.03);
}

TEST(golden, delta_orthogonal_kernels_are_orthogonal_in_the_middle) {
  const Array w = initializers::delta_orthogonal(2)(kKey, {3, 5, 2, 4}, f64);
  const Array middle = w(1, 2);
  EXPECT_TRUE(near(np::matmul(middle, np::transpose(middle)), 4 * np::eye(2, {}, 0, f64), 1e-12));
  EXPECT_NEAR(np::sum(np::abs(w)).item<double>(), np::sum(np::abs(middle)).item<double>(), 1e-12);
  EXPECT_EQ(error_of([] { initializers::delta_orthogonal()(kKey, {3, 3, 4, 2}, f32); }).substr(0, 11), "ValueError:");
}

TEST(golden, orthogonal_kernels_are_orthogonal) {
  using namespace initializers;
  for (const Dims& shape : {Dims{5, 3}, Dims{3, 5}, Dims{4, 4}}) {
    const Array q = orthogonal(2)(kKey, shape, f64);
    const bool wide = shape[0] < shape[1];
    const Array product = wide ? np::matmul(q, np::transpose(q)) : np::matmul(np::transpose(q), q);
    EXPECT_TRUE(near(product, 4 * np::eye(std::min(shape[0], shape[1]), {}, 0, f64), 1e-12));
  }
  // The published row, of the original layout.
  const Array q = np::transpose(orthonormal_columns(random::normal(kKey, {3, 2}, f32, kOriginal)));
  EXPECT_TRUE(near(q, Doubles{.39026976, .72495741, -.56756169, .88047469, -.47409311, -.00013157725}, 1e-6));
}

}  // namespace
}  // namespace weft::nn

// Normalised parameters: what a layer sees, what is learned, and where that is.
#include "nn/weight_normalization.h"

#include "nn/checks.h"
#include "nn/convolution.h"
#include "nn/linear.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(0);

// ---- WeightNorm ----

TEST(weight_norm, runs_a_layer_with_kernels_of_norm_1) {
  const WeightNorm<Dense> layer{.layer_instance = {.features = 3, .param_dtype = f64}, .param_dtype = f64};
  const Array x = draw({4, 2}, 1);
  const Variables made = layer.init(kKey, x);
  EXPECT_EQ(types(made), (Texts{"params/kernel/scale f64[3]", "params/layer_instance/bias f64[3]",
                                "params/layer_instance/kernel f64[2,3]"}));
  EXPECT_TRUE(near(made.at("params").at("kernel/scale"), Doubles(3, 1), 0));
  const Variables v = drawn(made);
  const Collection& p = v.at("params");
  const Array w = p.at("layer_instance/kernel");
  const Array unit = w / np::sqrt(np::sum(w * w, 0, true)) * p.at("kernel/scale");
  EXPECT_TRUE(near(layer.apply(v, x), np::matmul(x, unit) + p.at("layer_instance/bias")));
  expect_layer(layer, v, x);
}

struct Block : Module<Block> {
  Array call(Array x) const {
    x = Dense{.features = 2}(x);
    return Conv{.features = 2, .kernel_size = {3}}(x);
  }
};
TEST(weight_norm, chooses_parameters_by_their_paths) {
  const Array x = np::ones({1, 4, 2});
  const auto own = [&](const WeightNorm<Block>& layer) {
    Texts r;
    for (const std::string& t : types(layer.init(kKey, x)))
      if (t.find("/scale") != std::string::npos) r.push_back(t);
    return r;
  };
  EXPECT_EQ(own({}), (Texts{"params/Conv_0/kernel/scale f32[2]", "params/Dense_0/kernel/scale f32[2]"}));
  EXPECT_EQ(own({.variable_filter = {"Dense"}}),
            (Texts{"params/Dense_0/bias/scale f32[2]", "params/Dense_0/kernel/scale f32[2]"}));
  EXPECT_EQ(own({.variable_filter = {}}).size(), 4u);
  EXPECT_EQ(own({.use_scale = false}), Texts{});
  EXPECT_EQ(own({.feature_axes = {}}),
            (Texts{"params/Conv_0/kernel/scale f32[]", "params/Dense_0/kernel/scale f32[]"}));
  EXPECT_EQ(own({.feature_axes = {0, -1}, .variable_filter = {"Conv_0/kernel"}}),
            (Texts{"params/Conv_0/kernel/scale f32[3,2]"}));
}

struct Wraps : Module<Wraps> {
  Array call(Array x) const {
    x = Dense{.features = 2}(x);
    return WeightNorm<Dense>{.layer_instance = {.features = 2}}(x);
  }
};
TEST(weight_norm, has_a_place_as_any_module) {
  const Texts t = types(Wraps{}.init(kKey, np::ones({2})));
  EXPECT_EQ(t[2], "params/WeightNorm_0/kernel/scale f32[2]");
  EXPECT_EQ(t[4], "params/WeightNorm_0/layer_instance/kernel f32[2,2]");
}

TEST(weight_norm, makes_parameters_in_its_dtype) {
  const WeightNorm<Dense> layer{.layer_instance = {.features = 2, .param_dtype = bf16}, .dtype = f32};
  const Array x = np::ones({2}, bf16);
  EXPECT_EQ(layer.apply(layer.init(kKey, x), x).dtype(), f32);
}

// ---- SpectralNorm ----

TEST(spectral_norm, divides_by_the_largest_singular_value) {
  const SpectralNorm<Dense> layer{
      .layer_instance = {.features = 3, .param_dtype = f64}, .n_steps = 200, .param_dtype = f64};
  const Array x = draw({4, 2}, 1);
  const Variables made = layer.init(kKey, x, false);
  EXPECT_EQ(types(made), (Texts{"batch_stats/kernel/sigma f64[]", "batch_stats/kernel/u f64[1,3]",
                                "params/layer_instance/bias f64[3]", "params/layer_instance/kernel f64[2,3]"}));
  // The first key of the layer's own place.
  const Array key = random::fold_in(kKey, detail::path_hash("", 1));
  EXPECT_TRUE(near(made.at("batch_stats").at("kernel/u"), random::normal(key, {1, 3}, f64), 0));
  const Array w = made.at("params").at("layer_instance/kernel");
  // Of a 2 x 3 matrix: the eigenvalues of w w^T.
  const Doubles m = values(np::matmul(w, np::transpose(w)));
  const double mean = (m[0] + m[3]) / 2,
               sigma = std::sqrt(mean + std::sqrt(std::pow((m[0] - m[3]) / 2, 2) + m[1] * m[1]));
  EXPECT_TRUE(near(layer.apply(made, x, false), np::matmul(x, w / sigma), 1e-10));
}

TEST(spectral_norm, follows_the_parameters_when_told) {
  const SpectralNorm<Dense> layer{.layer_instance = {.features = 3, .param_dtype = f64}, .param_dtype = f64};
  const Array x = draw({4, 2}, 1);
  Variables v = layer.init(kKey, x, false);
  const Array w = v.at("params").at("layer_instance/kernel");
  Array u = v.at("batch_stats").at("kernel/u");
  const auto unit = [](const Array& a) { return a / np::sqrt(np::sum(a * a)); };
  for (int i = 0; i < 3; ++i) {
    const auto [y, now] = layer.apply_mutable(v, {.mutable_collections = "batch_stats"}, x, true);
    const Array left = unit(np::matmul(u, np::transpose(w)));
    u = unit(np::matmul(left, w));
    const Array sigma = np::sum(np::matmul(left, w) * u);
    EXPECT_TRUE(near(y, np::matmul(x, w / sigma), 1e-10));
    EXPECT_TRUE(near(now.at("batch_stats").at("kernel/u"), u, 1e-10));
    EXPECT_NEAR(now.at("batch_stats").at("kernel/sigma").item<double>(), sigma.item<double>(), 1e-10);
    v["batch_stats"] = now.at("batch_stats");
  }
  // Without an update nothing changes.
  const Variables same = layer.apply_mutable(v, {.mutable_collections = "batch_stats"}, x, false).second;
  EXPECT_TRUE(near(same.at("batch_stats").at("kernel/u"), u, 1e-10));
}

TEST(spectral_norm, has_the_gradient_with_constant_vectors) {
  const SpectralNorm<Dense> layer{.layer_instance = {.features = 3, .param_dtype = f64}, .param_dtype = f64};
  const Array x = draw({4, 2}, 1);
  const Variables v = layer.init(kKey, x, false);
  const Array w0 = v.at("params").at("layer_instance/kernel");
  const auto unit = [](const Array& a) { return a / np::sqrt(np::sum(a * a)); };
  const Array left = unit(np::matmul(v.at("batch_stats").at("kernel/u"), np::transpose(w0)));
  const Array right = unit(np::matmul(left, w0));
  const auto loss = [&](const Array& w) {
    Variables all = v;
    all["params"]["layer_instance/kernel"] = w;
    return loss_of(layer.apply(all, x, false));
  };
  const auto by_hand = [&](const Array& w) { return loss_of(np::matmul(x, w / np::sum(np::matmul(left, w) * right))); };
  EXPECT_TRUE(near(grad(loss)(w0), grad(by_hand)(w0), 1e-10));
}

TEST(spectral_norm, takes_kernels_of_more_axes_as_matrices_or_not_at_all) {
  const SpectralNorm<Conv> layer{.layer_instance = {.features = 2, .kernel_size = {3}}};
  const Array x = np::ones({1, 4, 2});
  EXPECT_EQ(types(layer.init(kKey, x, false))[1], "batch_stats/kernel/u f32[1,2]");
  const SpectralNorm<Conv> strict{.layer_instance = {.features = 2, .kernel_size = {3}}, .error_on_non_matrix = true};
  EXPECT_EQ(error_of([&] { strict.init(kKey, x, false); }),
            "ValueError: spectral_norm: parameters must have at most two axes; got f32[3,2,2] for \"kernel\".");
}

}  // namespace
}  // namespace weft::nn

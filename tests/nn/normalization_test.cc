// Normalisation layers against loops over doubles: elements are put into groups by their place, and each group has its
// mean and variance.
#include "nn/normalization.h"

#include "nn/checks.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(0);

using Place = std::vector<std::int64_t>;
// What a place in the array belongs to: places with equal values of this are one group, or have one scale.
using Part = std::function<Place(const Place&)>;
Part part(std::vector<std::size_t> axes) {
  return [axes](const Place& p) {
    Place r;
    for (const std::size_t a : axes) r.push_back(p[a]);
    return r;
  };
}

struct How {
  Part group, feature;
  double epsilon = 1e-6;
  bool centred = true;
  Array mask = {};  // of x's shape
};
// Scales and biases are of the features in order.
Array normalised(const Array& x, const How& how, const Array& scale, const Array& bias) {
  const Doubles v = values(x), counts = how.mask.defined() ? values(how.mask) : Doubles(v.size(), 1);
  const Doubles s = values(scale), b = bias.defined() ? values(bias) : Doubles(s.size(), 0);
  const Dims strides = row_major_strides(x.shape());
  std::vector<Place> places;
  for (std::size_t i = 0; i < v.size(); ++i) {
    Place p;
    auto rest = static_cast<std::int64_t>(i);
    for (const std::int64_t stride : strides) {
      p.push_back(rest / stride);
      rest %= stride;
    }
    places.push_back(p);
  }
  std::map<Place, double> n, mean, var;
  std::map<Place, std::size_t> features;
  for (std::size_t i = 0; i < v.size(); ++i) {
    n[how.group(places[i])] += counts[i];
    if (how.centred) mean[how.group(places[i])] += counts[i] * v[i];
    features[how.feature(places[i])];
  }
  for (auto& [g, m] : mean) m /= n[g];
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double d = v[i] - mean[how.group(places[i])];
    var[how.group(places[i])] += counts[i] * d * d;
  }
  std::size_t number = 0;
  for (auto& [f, at] : features) at = number++;
  Doubles y;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Place g = how.group(places[i]);
    const std::size_t f = features[how.feature(places[i])];
    y.push_back((v[i] - mean[g]) / std::sqrt(var[g] / n[g] + how.epsilon) * s[f] + b[f]);
  }
  return Array::from_vector(y, x.shape());
}
Array normalised(const Array& x, const How& how, const Variables& v) {
  const Collection& p = v.at("params");
  return normalised(x, how, p.at("scale"), p.contains("bias") ? p.at("bias") : Array());
}

// ---- LayerNorm, RMSNorm ----

TEST(layer_norm, normalises_each_example) {
  const Array x = draw({3, 4, 5}, 1, f64, 0, 3);
  const LayerNorm layer{.param_dtype = f64};
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/bias f64[5]", "params/scale f64[5]"}));
  EXPECT_TRUE(near(layer.apply(v, x), normalised(x, {part({0, 1}), part({2})}, v)));
  const LayerNorm slow{.epsilon = 0.1, .param_dtype = f64, .use_fast_variance = false};
  EXPECT_TRUE(near(slow.apply(v, x), normalised(x, {part({0, 1}), part({2}), 0.1}, v)));
}

TEST(layer_norm, has_axes_of_its_own_for_moments_and_parameters) {
  const Array x = draw({3, 4, 5}, 1);
  const LayerNorm layer{.param_dtype = f64, .reduction_axes = {1, 2}, .feature_axes = {-1, 0}};
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/bias f64[3,5]", "params/scale f64[3,5]"}));
  EXPECT_TRUE(near(layer.apply(v, x), normalised(x, {part({0}), part({0, 2})}, v)));
}

TEST(layer_norm, counts_what_a_mask_says) {
  const Array x = draw({2, 4}, 1), mask = np::array({{true, false, true, true}, {false, true, true, false}});
  const LayerNorm layer{.param_dtype = f64};
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_TRUE(near(layer.apply(v, x, mask), normalised(x, {part({0}), part({1}), 1e-6, true, mask}, v)));
}

TEST(layer_norm, may_be_without_scale_and_bias) {
  const Array x = draw({2, 4}, 1);
  const auto made = [&](const LayerNorm& layer) { return types(layer.init(kKey, x)); };
  EXPECT_EQ(made({.use_bias = false}), (Texts{"params/scale f32[4]"}));
  EXPECT_EQ(made({.use_scale = false}), (Texts{"params/bias f32[4]"}));
  EXPECT_EQ(made({.use_bias = false, .use_scale = false}), Texts{});
}

TEST(layer_norm, computes_moments_in_f32_at_least) {
  // In bf16, 1 + 1/64 and the squares would be rounded.
  const Array x = np::array({{1.0f, 1.0f, 1.0f, 1.0078125f}}).astype(bf16);
  const LayerNorm layer{.dtype = bf16};
  const Variables v = layer.init(kKey, x);
  EXPECT_EQ(types(v)[0], "params/bias f32[4]");
  const Array y = layer.apply(v, x);
  EXPECT_EQ(y.dtype(), bf16);
  const Array want = LayerNorm{}.apply(v, x.astype(f32));
  EXPECT_TRUE(near(y, want, 1e-2));
  EXPECT_EQ(LayerNorm{}.apply(v, x).dtype(), f32);
}

TEST(layer_norm, takes_no_root_of_a_variance_that_rounding_made_negative) {
  // Variances far below the rounding of the squares.
  const Array x = 12345.678f + 1e-3f * draw({200, 3}, 1, f32);
  const LayerNorm layer{.use_bias = false, .use_scale = false};
  EXPECT_TRUE(np::all(np::isfinite(layer.apply({}, x))).item<bool>());
  EXPECT_TRUE(np::all(np::isfinite(grad([&](const Array& a) { return loss_of(layer.apply({}, a)); })(x))).item<bool>());
}

TEST(layer_norm, has_right_gradients) {
  const Array x = draw({2, 3, 2}, 1);
  for (const bool fast : {false, true}) {
    const LayerNorm layer{.param_dtype = f64, .reduction_axes = {1, 2}, .use_fast_variance = fast};
    expect_layer(layer, drawn(layer.init(kKey, x)), x);
  }
  expect_same_bits(LayerNorm{.scale_init = initializers::normal(1)}, x);
}

TEST(rms_norm, leaves_the_mean) {
  const Array x = draw({3, 4, 5}, 1, f64, 0, 3);
  const RMSNorm layer{.param_dtype = f64};
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/scale f64[5]"}));
  EXPECT_TRUE(near(layer.apply(v, x), normalised(x, {part({0, 1}), part({2}), 1e-6, false}, v)));
  const Array mask = draw({3, 4, 5}, 2) > 0;
  EXPECT_TRUE(near(layer.apply(v, x, mask), normalised(x, {part({0, 1}), part({2}), 1e-6, false, mask}, v)));
  const Array few = draw({2, 3}, 1);
  expect_layer(layer, drawn(layer.init(kKey, few)), few);
}

// ---- GroupNorm, InstanceNorm ----

TEST(group_norm, normalises_groups_of_features) {
  const Array x = draw({3, 4, 2, 6}, 1, f64, 0, 3);
  const GroupNorm layer{.num_groups = 3, .param_dtype = f64};
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/bias f64[6]", "params/scale f64[6]"}));
  const Part pairs = [](const Place& p) { return Place{p[0], p[3] / 2}; };
  EXPECT_TRUE(near(layer.apply(v, x), normalised(x, {pairs, part({3})}, v)));
  EXPECT_TRUE(near(GroupNorm{.group_size = 2, .param_dtype = f64}.apply(v, x), layer.apply(v, x), 0));
  const Array mask = draw({3, 4, 2, 6}, 2) > -0.5;
  EXPECT_TRUE(near(layer.apply(v, x, mask), normalised(x, {pairs, part({3}), 1e-6, true, mask}, v)));
  const Array column = draw({3, 4, 2, 1}, 2) > 0;
  EXPECT_TRUE(near(layer.apply(v, x, column), layer.apply(v, x, np::broadcast_to(column, x.shape()))));
}

TEST(group_norm, reduces_the_axes_that_it_is_told) {
  const Array x = draw({3, 4, 6}, 1);
  const GroupNorm layer{.num_groups = 2, .param_dtype = f64, .reduction_axes = np::AxisArg(-1)};
  const Variables v = drawn(layer.init(kKey, x));
  const Part threes = [](const Place& p) { return Place{p[0], p[1], p[2] / 3}; };
  EXPECT_TRUE(near(layer.apply(v, x), normalised(x, {threes, part({2})}, v)));
  const Array one = draw({6}, 1);
  const GroupNorm flat{.num_groups = 2, .param_dtype = f64};
  EXPECT_TRUE(
      near(flat.apply(v, one), normalised(one, {[](const Place& p) { return Place{p[0] / 3}; }, part({0})}, v)));
}

TEST(group_norm, has_32_groups_unless_told) {
  const Array x = draw({2, 3, 64}, 1, f32);
  const Variables v = GroupNorm{}.init(kKey, x);
  EXPECT_TRUE(near(GroupNorm{}.apply(v, x), GroupNorm{.num_groups = 32}.apply(v, x), 0));
}

TEST(group_norm, has_right_gradients) {
  const Array x = draw({2, 2, 4}, 1);
  const GroupNorm layer{.num_groups = 2, .param_dtype = f64};
  expect_layer(layer, drawn(layer.init(kKey, x)), x);
}

TEST(group_norm, and_its_kin_agree_where_they_are_the_same) {
  // The equalities of Flax's documentation.
  const Array x = draw({2, 3, 4, 6}, 1);
  const Variables v = drawn(LayerNorm{.param_dtype = f64}.init(kKey, x));
  EXPECT_TRUE(near(GroupNorm{.num_groups = 1}.apply(v, x), LayerNorm{.reduction_axes = {1, 2, 3}}.apply(v, x)));
  EXPECT_TRUE(near(GroupNorm{.group_size = 1}.apply(v, x), InstanceNorm{}.apply(v, x)));
  EXPECT_TRUE(near(InstanceNorm{}.apply(v, x), LayerNorm{.reduction_axes = {1, 2}}.apply(v, x)));
}

TEST(instance_norm, normalises_each_channel_of_each_example) {
  const Array x = draw({2, 3, 4, 5}, 1);
  const InstanceNorm layer{.param_dtype = f64};
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_TRUE(near(layer.apply(v, x), normalised(x, {part({0, 3}), part({3})}, v)));
  const InstanceNorm two{.param_dtype = f64, .feature_axes = {1, 3}};
  const Variables w = drawn(two.init(kKey, x));
  EXPECT_EQ(types(w)[0], "params/bias f64[3,5]");
  EXPECT_TRUE(near(two.apply(w, x), normalised(x, {part({0, 1, 3}), part({1, 3})}, w)));
  const Array few = draw({2, 3, 2}, 1);
  expect_layer(layer, drawn(layer.init(kKey, few)), few);
}

// ---- BatchNorm ----

std::pair<Array, Variables> trained(const BatchNorm& layer, const Variables& v, const Array& x,
                                    const Array& mask = {}) {
  return layer.apply_mutable(v, {.mutable_collections = "batch_stats"}, x, false, mask);
}

TEST(batch_norm, normalises_each_feature_of_the_batch) {
  const Array x = draw({4, 3, 5}, 1, f64, 0, 3);
  const BatchNorm layer{.param_dtype = f64};
  const Variables v = drawn(layer.init(kKey, x, false));
  EXPECT_EQ(types(v),
            (Texts{"batch_stats/mean f32[5]", "batch_stats/var f32[5]", "params/bias f64[5]", "params/scale f64[5]"}));
  EXPECT_TRUE(near(trained(layer, v, x).first, normalised(x, {part({2}), part({2}), 1e-5}, v)));
  const BatchNorm middle{.axis = 1, .param_dtype = f64, .use_fast_variance = false};
  const Variables w = drawn(middle.init(kKey, x, false));
  EXPECT_EQ(types(w)[3], "params/scale f64[3]");
  EXPECT_TRUE(near(trained(middle, w, x).first, normalised(x, {part({1}), part({1}), 1e-5}, w)));
  const BatchNorm both{.axis = {0, 2}, .param_dtype = f64};
  const Variables u = drawn(both.init(kKey, x, false));
  EXPECT_TRUE(near(trained(both, u, x).first, normalised(x, {part({0, 2}), part({0, 2}), 1e-5}, u)));
  const Array mask = draw({4, 3, 5}, 2) > -0.5;
  EXPECT_TRUE(near(trained(layer, v, x, mask).first, normalised(x, {part({2}), part({2}), 1e-5, true, mask}, v)));
}

TEST(batch_norm, averages_run_after_each_call_but_not_at_init) {
  const Array x = draw({50, 2}, 1, f32, 1, 4);
  const BatchNorm layer{.momentum = 0.9};
  Variables v = layer.init(kKey, x, false);
  EXPECT_TRUE(near(v.at("batch_stats").at("mean"), Doubles{0, 0}, 0));
  EXPECT_TRUE(near(v.at("batch_stats").at("var"), Doubles{1, 1}, 0));
  Array mean = np::zeros({2}, f64), var = np::ones({2}, f64);
  for (int i = 0; i < 3; ++i) {
    const Variables now = trained(layer, v, x).second;
    EXPECT_EQ(types(now), (Texts{"batch_stats/mean f32[2]", "batch_stats/var f32[2]"}));
    v["batch_stats"] = now.at("batch_stats");
    mean = 0.9 * mean + 0.1 * np::mean(x.astype(f64), 0);
    var = 0.9 * var + 0.1 * np::var(x.astype(f64), 0);
  }
  EXPECT_TRUE(near(v.at("batch_stats").at("mean"), mean, 1e-6));
  EXPECT_TRUE(near(v.at("batch_stats").at("var"), var, 1e-6));
  // They are what is used afterwards, and stay.
  const Array want = (x - mean) / np::sqrt(var + 1e-5);
  EXPECT_TRUE(near(BatchNorm{.use_running_average = true}.apply(v, x), want, 1e-5));
  const auto [y, same] = layer.apply_mutable(v, {.mutable_collections = "batch_stats"}, x, true);
  EXPECT_TRUE(near(same.at("batch_stats").at("mean"), v.at("batch_stats").at("mean"), 0));
}

// The documentation's table of a running mean with decay .99: of batches of ones, and of ones, twos and threes.
TEST(batch_norm, follows_the_published_averages) {
  using Step = std::pair<double, double>;  // the batch, the mean after it
  const BatchNorm layer{.use_running_average = false};
  for (const auto& steps :
       {std::vector<Step>{{1, .01}, {1, .0199}, {1, .029701}}, std::vector<Step>{{1, .01}, {2, .0299}, {3, .059601}}}) {
    Variables v = layer.init(kKey, np::ones({10, 1}));
    for (const auto& [batch, want] : steps) {
      const Array x = np::full({10, 1}, static_cast<float>(batch));
      v["batch_stats"] = layer.apply_mutable(v, {.mutable_collections = "batch_stats"}, x).second.at("batch_stats");
      EXPECT_NEAR(v.at("batch_stats").at("mean").item<double>(), want, 1e-7);
    }
  }
}

TEST(batch_norm, has_right_gradients) {
  const Array x = draw({3, 2, 2}, 1);
  for (const bool fast : {false, true}) {
    const BatchNorm layer{.param_dtype = f64, .use_fast_variance = fast};
    const Variables v = drawn(layer.init(kKey, x, false), 1, 0.5, 2);
    const auto f = [&](const std::pair<Collection, Array>& at) {
      Variables all = v;
      all["params"] = at.first;
      return loss_of(trained(layer, all, at.second).first);
    };
    expect_gradient(f, std::pair(v.at("params"), x));
    const auto program = weft::jit([&](const Variables& w, const Array& a) { return trained(layer, w, a); });
    EXPECT_TRUE(near(program(v, x).first, trained(layer, v, x).first));
    EXPECT_TRUE(near(program(v, x).second.at("batch_stats").at("var"),
                     trained(layer, v, x).second.at("batch_stats").at("var"), 1e-6));
    expect_layer(BatchNorm{.use_running_average = true, .param_dtype = f64}, v, x);
  }
}

TEST(batch_norm, of_a_named_axis_is_that_of_the_whole_batch) {
  const Array x = draw({4, 3, 5}, 1);
  for (const bool fast : {false, true}) {
    const BatchNorm part{.param_dtype = f64, .axis_name = "i", .use_fast_variance = fast};
    const BatchNorm whole{.param_dtype = f64, .use_fast_variance = fast};
    // At init there is no such axis.
    const Variables v = drawn(part.init(kKey, x(0), false));
    const auto f = [&](const Array& a) { return trained(part, v, a); };
    const auto [y, now] = weft::vmap(f, {.axis_name = "i"})(x);
    EXPECT_TRUE(near(y, trained(whole, v, x).first));
    const Array mean = trained(whole, v, x).second.at("batch_stats").at("mean");
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(near(now.at("batch_stats").at("mean")(i), mean, 1e-6));
  }
  const BatchNorm pairs{.param_dtype = f64, .axis_name = "i", .axis_index_groups = {{0, 1}, {2, 3}}};
  const Variables v = drawn(pairs.init(kKey, x(0), false));
  const Array y = weft::vmap([&](const Array& a) { return trained(pairs, v, a).first; }, {.axis_name = "i"})(x);
  for (const int first : {0, 2}) {
    const Array half = x(slice(first, first + 2));
    EXPECT_TRUE(near(y(slice(first, first + 2)), trained(BatchNorm{.param_dtype = f64}, v, half).first));
  }
}

TEST(batch_norm, has_results_of_its_dtype_and_averages_in_f32) {
  const Array x = np::ones({4, 2}, bf16);
  const BatchNorm layer{.dtype = bf16};
  const Variables v = layer.init(kKey, x, false);
  EXPECT_EQ(types(v)[0], "batch_stats/mean f32[2]");
  const auto [y, now] = trained(layer, v, x);
  EXPECT_EQ(y.dtype(), bf16);
  EXPECT_EQ(now.at("batch_stats").at("mean").dtype(), f32);
}

TEST(batch_norm, of_complex_numbers_has_real_variances) {
  const Array x = lax::complex(draw({6, 2}, 1), draw({6, 2}, 2));
  const BatchNorm layer{.param_dtype = f64};
  const Variables v = layer.init(kKey, np::real(x), false);
  const Array centred = x - np::mean(x, 0);
  const Array var = np::mean(np::square(np::abs(centred)), 0);
  const Array y = layer.apply_mutable(v, {.mutable_collections = "batch_stats"}, np::real(x), false).first;
  EXPECT_EQ(y.dtype(), f64);
  for (const bool fast : {false, true}) {
    const Array z =
        LayerNorm{
            .epsilon = 1e-5, .param_dtype = f64, .reduction_axes = 0, .feature_axes = 1, .use_fast_variance = fast}
            .apply(v, x);
    EXPECT_TRUE(near(np::real(z), np::real(centred / np::sqrt(var + 1e-5))));
    EXPECT_TRUE(near(np::imag(z), np::imag(centred / np::sqrt(var + 1e-5))));
  }
}

TEST(normalization, refuses_what_it_cannot_do) {
  const Array x = np::ones({2, 3, 4});
  EXPECT_EQ(
      error_of([&] { BatchNorm{}.init(kKey, x); }),
      "ValueError: batch_norm: use_running_average must be given once, as a member or as an argument of the call; "
      "got neither.");
  EXPECT_EQ(
      error_of([&] { BatchNorm{.use_running_average = true}.init(kKey, x, true); }),
      "ValueError: batch_norm: use_running_average must be given once, as a member or as an argument of the call; "
      "got both.");
  EXPECT_EQ(error_of([&] { BatchNorm{.axis = 3}.init(kKey, x, true); }),
            "IndexError: batch_norm: axis must be in [-3, 3); got 3 for f32[2,3,4].");
  EXPECT_EQ(error_of([&] { LayerNorm{.reduction_axes = {1, 1}}.init(kKey, x); }).substr(0, 22),
            "IndexError: layer_norm");
  EXPECT_EQ(error_of([&] { GroupNorm{.num_groups = 3}.init(kKey, x); }),
            "ValueError: group_norm: the number of groups must divide the number of features; got 3 for 4.");
  EXPECT_EQ(error_of([&] { GroupNorm{.group_size = 3}.init(kKey, x); }),
            "ValueError: group_norm: the size of groups must divide the number of features; got 3 for 4.");
  EXPECT_EQ(error_of([&] { GroupNorm{.num_groups = 2, .group_size = 2}.init(kKey, x); }),
            "ValueError: group_norm: there must be a number of groups or their size; got both, 2 and 2.");
  EXPECT_EQ(error_of([&] { GroupNorm{.num_groups = 2, .reduction_axes = np::AxisArg(1)}.init(kKey, x); }),
            "ValueError: group_norm: the reduction axes must have the last, that of features; got [1] of f32[2,3,4].");
  EXPECT_EQ(error_of([&] { InstanceNorm{.feature_axes = {0, 2}}.init(kKey, x); }),
            "ValueError: instance_norm: the first axis must be that of the batch; got it among the features of "
            "f32[2,3,4].");
  // Training without somewhere to put the averages.
  const Variables v = BatchNorm{}.init(kKey, x, false);
  EXPECT_EQ(error_of([&] { BatchNorm{}.apply(v, x, false); }).substr(0, 23), "nn::ModifyVariableError");
}

}  // namespace
}  // namespace weft::nn

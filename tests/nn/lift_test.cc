// Modules under transformations: variables with axes, keys split or not. What they make is compared with what the
// modules make alone, with the keys that the rule says: a stream's own key, split or not, and then path and count.
#include "nn/lift.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "nn/checks.h"
#include "nn/linear.h"
#include "nn/normalization.h"
#include "nn/stochastic.h"
#include "weft/weft.h"

namespace weft::nn {
namespace {

const Array kOnes = np::ones({3, 2});

using weft::testing::error_of;
using Paths = std::vector<std::string>;

Paths paths_of(const Variables& v, const std::string& collection = "params") {
  Paths r;
  if (v.contains(collection))
    for (const auto& [path, value] : v.at(collection)) r.push_back(path);
  return r;
}

bool same(const Array& a, const Array& b) { return np::array_equal(a, b).item<bool>(); }

// A Dense where a mapped or scanned one would be.
struct At : Module<At> {
  std::string inner;
  Dense dense;
  Array call(const Array& x) const {
    Dense d = dense;
    d.name = inner;
    return d(x);
  }
};
Collection alone(const std::string& at, const Array& key, const Array& x) {
  return below(At{.inner = at, .dense = {.features = 2}}.init(key, x).at("params"), at);
}

struct Mapped : Module<Mapped> {
  std::optional<int> axis;
  bool split = false;
  Array call(const Array& x) const {
    return vmap(Dense{.features = 2}, {.variable_axes = {{"params", axis}}, .split_rngs = {{"params", split}}})(x);
  }
};
Collection mapped(std::optional<int> axis, bool split) {
  return Mapped{.axis = axis, .split = split}.init(random::key(0), kOnes).at("params");
}

TEST(lift, vmap_shares_what_has_no_axis) {
  const Collection one = alone("VmapDense_0", random::key(0), np::ones({2})), got = mapped(unmapped, false);
  EXPECT_TRUE(same(got.at("VmapDense_0/kernel"), one.at("kernel")));
  EXPECT_EQ(got.at("VmapDense_0/bias").shape(), Dims({2}));
}

TEST(lift, vmap_without_split_keys_makes_equal_parameters) {
  const Collection one = alone("VmapDense_0", random::key(0), np::ones({2})), got = mapped(0, false);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(same(got.at("VmapDense_0/kernel")(i), one.at("kernel")));
}

TEST(lift, vmap_with_split_keys_makes_other_parameters_for_each) {
  const Collection got = mapped(0, true);
  for (int i = 0; i < 3; ++i) {
    const Collection one = alone("VmapDense_0", random::split(random::key(0), 3)(i), np::ones({2}));
    EXPECT_TRUE(same(got.at("VmapDense_0/kernel")(i), one.at("kernel")));
  }
}

TEST(lift, mapped_axes_of_variables_may_be_any) {
  const auto first = vmap(Dense{.features = 4}, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}});
  const auto last = vmap(Dense{.features = 4}, {.variable_axes = {{"params", -1}}, .split_rngs = {{"params", true}}});
  const Variables a = first.init(random::key(3), kOnes), b = last.init(random::key(3), kOnes);
  EXPECT_EQ(b.at("params").at("kernel").shape(), Dims({2, 4, 3}));
  EXPECT_TRUE(same(np::moveaxis(b.at("params").at("kernel"), -1, 0), a.at("params").at("kernel")));
  EXPECT_TRUE(same(first.apply(a, kOnes), last.apply(b, kOnes)));
}

TEST(lift, vmap_applies_each_example_to_its_own_parameters) {
  const auto model = vmap(Dense{.features = 4}, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}});
  const Array x = random::normal(random::key(1), {3, 2});
  const Variables v = model.init(random::key(3), x);
  const Array y = model.apply(v, x);
  for (int i = 0; i < 3; ++i) {
    const Variables own = tree::map([&](const Array& a) { return a(i); }, v);
    EXPECT_TRUE(np::allclose(y(i), Dense{.features = 4}.apply(own, x(i))).item<bool>());
  }
}

struct WithNoise : Module<WithNoise> {
  Array call(Array x) const {
    x = Dense{.features = 2}(x);
    const Dims shape(x.shape());
    const Variable noise = variable("noise", "value", [&] { return random::normal(make_rng("other"), shape); });
    return x + noise.value();
  }
};
Collection noise_of(std::optional<int> axis, bool split) {
  const auto model = vmap(WithNoise{}, {.variable_axes = {{"params", 0}, {"noise", axis}},
                                        .split_rngs = {{"params", true}, {"other", split}}});
  return model.init({{"params", random::key(0)}, {"other", random::key(1)}}, kOnes).at("noise");
}

TEST(lift, each_collection_and_each_stream_goes_its_own_way) {
  const Array one = random::normal(random::fold_in(random::key(1), detail::path_hash("", 1)), {2});
  EXPECT_TRUE(same(noise_of(unmapped, false).at("value"), one));
  const Array equal = noise_of(0, false).at("value"), other = noise_of(0, true).at("value");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(same(equal(i), one));
    const Array key = random::split(random::key(1), 3)(i);
    EXPECT_TRUE(same(other(i), random::normal(random::fold_in(key, detail::path_hash("", 1)), {2})));
  }
}

TEST(lift, what_is_shared_cannot_be_made_of_what_is_mapped) { EXPECT_THROW(noise_of(unmapped, true), ValueError); }

struct Weighs : Module<Weighs> {
  Array call(const Array& x, const Array& by) const {
    sow("intermediates", "x", x);
    const Array y = Dense{.features = 2, .use_bias = false}(x);
    return (y - lax::pmean(y, "rows")) * by;
  }
};
TEST(lift, vmap_takes_axes_of_arguments_and_results_and_a_name) {
  const auto model = vmap(Weighs{}, {.variable_axes = {{"params", unmapped}, {"intermediates", 0}},
                                     .split_rngs = {{"params", false}},
                                     .in_axes = {1, unmapped},
                                     .out_axes = 1,
                                     .axis_name = "rows"});
  const Array x = random::normal(random::key(1), {2, 3}), by = np::array({2.0f, 3.0f});
  const Variables v = model.init(random::key(0), x, by);
  const auto [y, sown] = model.apply_mutable(v, {.mutable_collections = "intermediates"}, x, by);
  const Array all = np::matmul(np::transpose(x), v.at("params").at("Dense_0/kernel"));
  EXPECT_TRUE(np::allclose(y, np::transpose((all - np::mean(all, 0)) * by), 1e-5, 1e-6).item<bool>());
  EXPECT_TRUE(same(sown.at("intermediates").at("x/0"), np::transpose(x)));
}

struct Constant : Module<Constant> {
  Array call() const { return param("c", initializers::normal(1), {2}); }
};
TEST(lift, vmap_is_told_a_size_where_no_argument_says_it) {
  const VmapOptions options{
      .variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}, .axis_size = std::int64_t{4}};
  const auto model = vmap(Constant{}, options);
  const Variables v = model.init(random::key(0));
  EXPECT_EQ(v.at("params").at("c").shape(), Dims({4, 2}));
  EXPECT_TRUE(same(model.apply(v), v.at("params").at("c")));
}

// ---- scan ----

// Keys of steps are those after a trace of the body: kernel and bias take keys 1 and 2 there.
struct ResidualBlock : Module<ResidualBlock> {
  std::pair<Array, std::tuple<>> call(const Array& x) const {
    return {x + np::maximum(Dense{.features = 2}(x), 0), {}};
  }
};

TEST(lift, scan_stacks_layers) {
  const auto layers = [](bool split) {
    return scan(ResidualBlock{}, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", split}}, .length = 3});
  };
  for (const bool split : {false, true}) {
    const Variables v = layers(split).init(random::key(0), kOnes);
    Array x = kOnes;
    for (int i = 0; i < 3; ++i) {
      const Array key = split ? random::split(random::key(0), 3)(i) : random::key(0);
      const Array third = random::fold_in(key, detail::path_hash("Dense_0", 3));
      EXPECT_TRUE(same(v.at("params").at("Dense_0/kernel")(i), initializers::lecun_normal()(third, {2, 2}, f32)));
      x = ResidualBlock{}.apply(tree::map([&](const Array& a) { return a(i); }, v), x).first;
    }
    EXPECT_TRUE(np::allclose(layers(split).apply(v, kOnes).first, x).item<bool>());
  }
}

struct Counter : Module<Counter> {
  std::pair<Array, Array> call(const Array& c, const Array& x) const {
    const Array w = param("w", initializers::normal(1), {2});
    const Variable seen = variable("counts", "seen", [] { return Array(0); });
    seen.set(seen.value() + 1);
    sow("intermediates", "x", x);
    const Array next = c * w + x;
    return {next, next + seen.value()};
  }
};

TEST(lift, scan_shares_some_collections_hands_on_others_and_stacks_the_rest) {
  const auto model = scan(Counter{}, {.variable_axes = {{"intermediates", 0}},
                                      .variable_broadcast = "params",
                                      .variable_carry = "counts",
                                      .split_rngs = {{"params", false}}});
  const Array xs = np::reshape(np::arange(8.0f), {4, 2});
  const Variables v = model.init(random::key(0), np::zeros({2}), xs);
  EXPECT_EQ(v.at("params").at("w").shape(), Dims({2}));
  EXPECT_FALSE(v.contains("intermediates"));
  Variables start = v;
  start["counts"]["seen"] = Array(10);
  const auto [out, now] =
      model.apply_mutable(start, {.mutable_collections = {"counts", "intermediates"}}, np::zeros({2}), xs);
  EXPECT_EQ(now.at("counts").at("seen").item<int>(), 14);
  EXPECT_TRUE(same(now.at("intermediates").at("x/0"), xs));
  Array c = np::zeros({2});
  for (int i = 0; i < 4; ++i) {
    c = c * v.at("params").at("w") + xs(i);
    EXPECT_TRUE(np::allclose(out.second(i), c + (11 + i)).item<bool>());
  }
  EXPECT_TRUE(np::allclose(out.first, c).item<bool>());
}

struct Noises : Module<Noises> {
  std::pair<Array, Array> call(const Array& c, const Array& x) const {
    sow("unseen", "x", x);
    return {c, x + random::normal(make_rng("noise"), x.shape())};
  }
};
struct ScansNoises : Module<ScansNoises> {
  Array call(const Array& xs) const {
    const auto layer = scan(Noises{}, {.split_rngs = {{"noise", false}}});
    const Array c(0.0f), first = layer(c, xs).second;
    return np::stack({first, layer(c, xs).second, random::normal(make_rng("noise"), {4, 2})});
  }
};
TEST(lift, a_trace_before_the_scan_takes_keys) {
  const auto noise = [](std::int64_t count) {
    return random::normal(random::fold_in(random::key(1), detail::path_hash("ScanNoises_0", count)), {2});
  };
  const auto run = [&] {
    return ScansNoises{}.apply_mutable({}, {.rngs = {{"noise", random::key(1)}}, .mutable_collections = "unseen"},
                                       np::zeros({4, 2}));
  };
  const auto [y, now] = run();
  EXPECT_FALSE(now.contains("unseen"));  // which the scan does not list
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(same(y(0, i), noise(2)));
    EXPECT_TRUE(same(y(1, i), noise(4)));
  }
  const DisableJit alone;  // step by step
  EXPECT_TRUE(same(run().first, y));
}

// Layers of which each has a mask, and all the same bias.
struct Masked : Module<Masked> {
  std::pair<Array, Array> call(const Array& x, const Array& mask, const std::pair<Array, int>& bias) const {
    const Array y = Dense{.features = 2}(x)*mask + bias.first * static_cast<float>(bias.second);
    return {y, y};
  }
};
TEST(lift, scan_takes_axes_of_arguments_and_results) {
  const Array x = random::normal(random::key(1), {2}), masks = random::normal(random::key(2), {2, 3}),
              bias = np::array({1.0f, 2.0f});
  const auto layers = [](bool reverse, std::int64_t unroll) {
    return scan(Masked{}, {.variable_axes = {{"params", 1}},
                           .split_rngs = {{"params", true}},
                           .in_axes = {1, unmapped},
                           .out_axes = -1,
                           .reverse = reverse,
                           .unroll = unroll});
  };
  const std::pair<Array, int> told(bias, 2);
  const Variables v = layers(false, 1).init(random::key(0), x, masks, told);
  EXPECT_EQ(v.at("params").at("Dense_0/kernel").shape(), Dims({2, 3, 2}));
  for (const bool reverse : {false, true}) {
    Array c = x;
    std::vector<Array> ys(3);
    for (int step = 0; step < 3; ++step) {
      const int i = reverse ? 2 - step : step;
      const Variables own = tree::map([&](const Array& a) { return np::take(a, i, 1); }, v);
      c = Masked{}.apply(own, c, masks(slice(), i), told).first;
      ys[static_cast<std::size_t>(i)] = c;
    }
    for (const std::int64_t unroll : {1, 2}) {
      const auto [last, out] = layers(reverse, unroll).apply(v, x, masks, told);
      EXPECT_TRUE(np::allclose(last, c, 1e-5, 1e-6).item<bool>());
      EXPECT_TRUE(np::allclose(out, np::stack(ys, -1), 1e-5, 1e-6).item<bool>());
    }
  }
  EXPECT_EQ(error_of([&] {
              scan(Noises{}, {.split_rngs = {{"noise", false}}, .out_axes = unmapped})
                  .apply({}, {.rngs = {{"noise", random::key(0)}}}, x, masks);
            }),
            "ValueError: nn::scan: results must be stacked along an axis; got out_axes with none for result.");
}

// Normalises, and counts the steps.
struct Normalised : Module<Normalised> {
  std::pair<Array, std::tuple<>> call(const Array& x) const {
    return {BatchNorm{.use_running_average = !is_mutable_collection("batch_stats")}(x), {}};
  }
};
TEST(lift, what_is_handed_on_may_stay_as_it_is) {
  const auto model = scan(Normalised{}, {.variable_broadcast = "params",
                                         .variable_carry = "batch_stats",
                                         .split_rngs = {{"params", false}},
                                         .length = 3});
  const Array x = random::normal(random::key(1), {4, 2});
  const Variables v = model.init(random::key(0), x);
  Array want = x;
  for (int i = 0; i < 3; ++i) want = Normalised{}.apply(v, want).first;
  EXPECT_TRUE(np::allclose(model.apply(v, x).first, want, 1e-5, 1e-6).item<bool>());
  const auto now = model.apply_mutable(v, {.mutable_collections = "batch_stats"}, x).second;
  EXPECT_FALSE(same(now.at("batch_stats").at("BatchNorm_0/mean"), v.at("batch_stats").at("BatchNorm_0/mean")));
}

TEST(lift, scan_refuses_to_change_what_steps_share) {
  const auto model = scan(Counter{}, {.variable_broadcast = {"params", "counts"}, .split_rngs = {{"params", false}}});
  EXPECT_THROW(model.init(random::key(0), np::zeros({2}), np::ones({4, 2})), ModifyVariableError);
}

TEST(lift, scan_needs_a_number_of_steps) {
  const auto model = scan(ResidualBlock{}, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}});
  EXPECT_THROW(model.init(random::key(0), kOnes), ValueError);
}

// ---- remat, jit ----

struct Wrapped : Module<Wrapped> {
  int how = 0;
  Array call(Array x) const {
    const Dense dense{.features = 3, .name = "dense"};
    if (how == 1) return remat(dense, {}, "dense")(x);
    if (how == 2) return jit(dense, "dense")(x);
    return dense(x);
  }
};

TEST(lift, remat_and_jit_change_no_value) {
  const Array x = random::normal(random::key(1), {4, 2});
  const Variables plain = Wrapped{.how = 0}.init(random::key(0), x);
  EXPECT_TRUE(same(Wrapped{.how = 1}.init(random::key(0), x).at("params").at("dense/kernel"),
                   plain.at("params").at("dense/kernel")));
  const auto gradient = [&](int how) {
    return grad([&](const Variables& v) { return np::sum(np::tanh(Wrapped{.how = how}.apply(v, x))); })(plain);
  };
  const Variables want = gradient(0);
  for (const int how : {1, 2}) {
    EXPECT_TRUE(np::allclose(Wrapped{.how = how}.apply(plain, x), Wrapped{}.apply(plain, x)).item<bool>());
    const Variables got = gradient(how);
    EXPECT_TRUE(np::allclose(got.at("params").at("dense/kernel"), want.at("params").at("dense/kernel")).item<bool>());
  }
}

struct Sines : Module<Sines> {
  Array call(Array x) const {
    const Variable calls = variable("counts", "calls", [] { return Array(0); });
    if (is_mutable_collection("counts") && !is_initializing()) calls.set(calls.value() + 1);
    sow("intermediates", "x", x);
    x = np::matmul(x, param("w", initializers::normal(1), {2, 2}));
    return np::sin(np::sin(x));
  }
};
TEST(lift, remat_computes_again_what_its_policy_does_not_keep) {
  const Array x = random::normal(random::key(1), {3, 2});
  const Variables v = Sines{}.init(random::key(0), x);
  const auto sines = [&](const auto& model) {
    const std::string program = ir::print(make_jaxpr(grad([&](const Collection& p) {
      return np::sum(model.apply({{"params", p}, {"counts", v.at("counts")}}, x));
    }))(v.at("params")));
    const auto count = [&](const std::string& op) {
      std::size_t n = 0;
      for (std::size_t at = program.find(op); at != std::string::npos; at = program.find(op, at + 1)) ++n;
      return n;
    };
    return std::pair(count("= sin "), count("= dot_general"));
  };
  const auto plain = sines(Sines{}), nothing = sines(remat(Sines{})),
             dots = sines(remat(Sines{}, checkpoint_policies::dots_saveable));
  EXPECT_GT(nothing.first, plain.first);
  EXPECT_GT(nothing.second, plain.second);
  EXPECT_GT(dots.first, plain.first);
  EXPECT_LT(dots.second, nothing.second);
}

TEST(lift, remat_and_jit_change_variables_and_sow) {
  const Array x = random::normal(random::key(1), {3, 2});
  const Variables v = Sines{}.init(random::key(0), x);
  const ApplyOptions options{.mutable_collections = {"counts", "intermediates"}};
  for (const auto& now :
       {remat(Sines{}).apply_mutable(v, options, x).second, jit(Sines{}).apply_mutable(v, options, x).second}) {
    EXPECT_EQ(now.at("counts").at("calls").item<int>(), 1);
    EXPECT_TRUE(same(now.at("intermediates").at("x/0"), x));
  }
}

// ---- sharing ----

struct Body : Module<Body> {
  Dense shared;
  Array call(const Array& x) const { return shared(x); }
};
struct SharesInto : Module<SharesInto> {
  int how = 0;
  Array call(Array x) const {
    const Dense dense{.features = 2};
    x = dense(x);
    const VmapOptions options{.variable_axes = {{"params", unmapped}}, .split_rngs = {{"params", false}}};
    if (how == 0) return vmap(Body{.shared = dense}, options)(x);
    if (how == 1) return remat(Body{.shared = dense})(x);
    if (how == 2) return vmap(dense, options)(x);
    return jit(dense)(remat(dense)(x));
  }
};
TEST(lift, what_is_shared_stays_shared_or_is_refused) {
  for (const int how : {0, 1})
    EXPECT_EQ(error_of([&] { SharesInto{.how = how}.init(random::key(0), kOnes); }),
              std::string("nn::TransformError: call: a module whose variables are outside of a transformation must not "
                          "be called inside of it; got Dense_0 inside of ") +
                  (how == 0 ? "VmapBody_0." : "CheckpointBody_0."));
  for (const int how : {2, 3}) {
    const Variables v = SharesInto{.how = how}.init(random::key(0), kOnes);
    EXPECT_EQ(paths_of(v), (Paths{"Dense_0/bias", "Dense_0/kernel"}));
    Array want = kOnes;
    for (int i = 0; i < how; ++i) want = Dense{.features = 2}.apply(below(v, "Dense_0"), want);
    EXPECT_TRUE(np::allclose(SharesInto{.how = how}.apply(v, kOnes), want, 1e-5, 1e-6).item<bool>());
  }
}
struct OfMember : Module<OfMember> {
  Dense layer{.features = 2};
  Array call(const Array& x) const { return remat(layer)(layer(x)); }
};
TEST(lift, a_member_under_a_transformation_is_that_member) {
  EXPECT_EQ(paths_of(OfMember{}.init(random::key(0), kOnes)), (Paths{"layer/bias", "layer/kernel"}));
  // Outermost, too.
  EXPECT_EQ(paths_of(remat(Body{.shared = {.features = 2}}).init(random::key(0), kOnes)),
            (Paths{"shared/bias", "shared/kernel"}));
}

TEST(lift, keys_inside_of_jit_begin_at_its_place) {
  const Array x = np::ones({4, 2});
  const Collection got = Wrapped{.how = 2}.init(random::key(0), x).at("params");
  const Array base = random::fold_in(random::key(0), detail::path_hash("dense", 0));
  EXPECT_TRUE(same(got.at("dense/kernel"), Dense{.features = 3}.init(base, x).at("params").at("kernel")));
}

// ---- cond, while_loop ----

struct Chooses : Module<Chooses> {
  Array call(const Array& yes, const Array& x) const {
    const auto branch = [](const std::string& name) {
      return [name](const Chooses& m, const Array& a) {
        m.sow("counts", name, Array(1), [] { return Array(0); }, [](const Array& p, const Array& q) { return p + q; });
        return Dense{.features = 2, .name = name}(a);
      };
    };
    return nn::cond(yes, branch("left"), branch("right"), *this, x);
  }
};

TEST(lift, cond_initialises_both_branches_and_runs_one) {
  const Array x = np::ones({2});
  const Variables v = Chooses{}.init(random::key(0), Array(true), x);
  for (const bool yes : {true, false}) {
    const std::string taken = yes ? "left" : "right", other = yes ? "right" : "left";
    const Array want = np::matmul(x, v.at("params").at(taken + "/kernel"));
    EXPECT_TRUE(np::allclose(Chooses{}.apply(v, Array(yes), x), want).item<bool>());
    const auto run = weft::jit([](const Variables& w, const Array& p, const Array& a) {
      return Chooses{}.apply_mutable(w, {.mutable_collections = "counts"}, p, a);
    });
    const auto [y, now] = run(v, Array(yes), x);
    EXPECT_TRUE(np::allclose(y, want).item<bool>());
    EXPECT_EQ(now.at("counts").at(taken).item<int>(), 2);
    EXPECT_EQ(now.at("counts").at(other).item<int>(), 1);
  }
}

// Layers without names: those of both branches are one, and the numbers go on from what was there before.
struct Unnamed : Module<Unnamed> {
  Array call(const Array& yes, Array x) const {
    x = Dense{.features = 2}(x);
    x = nn::cond(
        yes, [](const Unnamed&, const Array& a) { return Dense{.features = 2}(a); },
        [](const Unnamed&, const Array& a) { return -Dense{.features = 2}(a); }, *this, x);
    return Dense{.features = 2}(x);
  }
};
TEST(lift, branches_name_their_layers_alike_whenever_they_run) {
  const Array x = random::normal(random::key(1), {2});
  const Variables v = Unnamed{}.init(random::key(0), Array(true), x);
  EXPECT_EQ(paths_of(v), (Paths{"Dense_0/bias", "Dense_0/kernel", "Dense_1/bias", "Dense_1/kernel", "Dense_2/bias",
                                "Dense_2/kernel"}));
  const auto dense = [&](int i, const Array& a) {
    return np::matmul(a, v.at("params").at("Dense_" + std::to_string(i) + "/kernel"));
  };
  for (const bool yes : {true, false}) {
    const Array want = dense(2, dense(1, dense(0, x)) * (yes ? 1 : -1));
    EXPECT_TRUE(np::allclose(Unnamed{}.apply(v, Array(yes), x), want, 1e-5, 1e-6).item<bool>());
    const DisableJit one_alone;
    EXPECT_TRUE(np::allclose(Unnamed{}.apply(v, Array(yes), x), want, 1e-5, 1e-6).item<bool>());
  }
}

// The examples of Flax's documentation.
struct CondExample : Module<CondExample> {
  Array call(const Array& x, const Array& pred) const {
    const auto zero = [] { return Array(0); };
    variable("state", "true_count", zero);
    variable("state", "false_count", zero);
    const auto true_fn = [&](const CondExample& mdl, const Array& a) {
      const Variable n = mdl.variable("state", "true_count", zero);
      n.set(n.value() + 1);
      return Dense{.features = 2, .name = "dense"}(a);
    };
    const auto false_fn = [&](const CondExample& mdl, const Array& a) {
      const Variable n = mdl.variable("state", "false_count", zero);
      n.set(n.value() + 1);
      return -Dense{.features = 2, .name = "dense"}(a);
    };
    return nn::cond(pred, true_fn, false_fn, *this, x);
  }
};
TEST(lift, branches_share_what_bears_one_name) {
  const Array x = random::normal(random::key(1), {2});
  const auto counts = [](const Variables& v) {
    const Collection& state = v.at("state");
    return std::pair(state.at("true_count").item<int>(), state.at("false_count").item<int>());
  };
  for (const bool yes : {true, false}) {
    const Variables v = CondExample{}.init(random::key(0), x, Array(yes));
    EXPECT_EQ(paths_of(v), (Paths{"dense/bias", "dense/kernel"}));
    EXPECT_EQ(counts(v), yes ? std::pair(1, 0) : std::pair(0, 1));
    // The false branch takes the third key, behind kernel and bias of the true one.
    const Array key = random::fold_in(random::key(0), detail::path_hash("dense", yes ? 1 : 3));
    EXPECT_TRUE(same(v.at("params").at("dense/kernel"), initializers::lecun_normal()(key, {2, 2}, f32)));
    const auto [y, now] = CondExample{}.apply_mutable(v, {.mutable_collections = "state"}, x, Array(!yes));
    EXPECT_EQ(counts(now), std::pair(1, 1));
    EXPECT_TRUE(np::allclose(y, np::matmul(x, v.at("params").at("dense/kernel")) * (yes ? -1 : 1)).item<bool>());
  }
}

struct SwitchExample : Module<SwitchExample> {
  Array call(const Array& x, const Array& index) const {
    const auto branch = [](const std::string& name, int features) {
      return [=](const SwitchExample& mdl, const Array& a) {
        const Variable n = mdl.variable("state", name + "_count", [] { return Array(0); });
        n.set(n.value() + 1);
        return np::sum(Dense{.features = features, .name = name}(Dense{.features = 2}(a)));
      };
    };
    const Array y = nn::switch_(index, std::vector{branch("a", 2), branch("b", 3), branch("c", 4)}, *this, x);
    return y + np::sum(Dense{.features = 1}(x));
  }
};
TEST(lift, switch_runs_one_of_many_branches) {
  const Array x = random::normal(random::key(1), {2});
  const Variables v = SwitchExample{}.init(random::key(0), x, Array(1));
  EXPECT_EQ(paths_of(v), (Paths{"Dense_0/bias", "Dense_0/kernel", "Dense_1/bias", "Dense_1/kernel", "a/bias",
                                "a/kernel", "b/bias", "b/kernel", "c/bias", "c/kernel"}));
  const auto product = [&](const std::string& name, const Array& a) {
    return np::matmul(a, v.at("params").at(name + "/kernel"));
  };
  const auto run = weft::jit([](const Variables& w, const Array& a, const Array& i) {
    return SwitchExample{}.apply_mutable(w, {.mutable_collections = "state"}, a, i);
  });
  for (int i = -1; i < 4; ++i) {
    const std::string taken(1, static_cast<char>('a' + std::clamp(i, 0, 2)));
    const Array want = np::sum(product(taken, product("Dense_0", x))) + np::sum(product("Dense_1", x));
    const auto [y, now] = run(v, x, Array(i));
    EXPECT_TRUE(np::allclose(y, want, 1e-5, 1e-6).item<bool>()) << i;
    for (const char* name : {"a", "b", "c"})
      EXPECT_EQ(now.at("state").at(name + std::string("_count")).item<int>(), 1 + (taken == name)) << i;
    const DisableJit one_alone;
    const auto [z, later] = SwitchExample{}.apply_mutable(v, {.mutable_collections = "state"}, x, Array(i));
    EXPECT_TRUE(np::allclose(z, want, 1e-5, 1e-6).item<bool>()) << i;
  }
}

// Keys: those of one branch after those of the branches before it, whichever is taken.
struct DrawsInBranches : Module<DrawsInBranches> {
  Array call(const Array& yes) const {
    const auto draw = [](const DrawsInBranches& m, const Array&) { return m.make_rng("noise"); };
    const Array key = nn::cond(yes, draw, draw, *this, Array(0));
    return np::stack({key, make_rng("noise")});
  }
};
TEST(lift, keys_go_on_from_branch_to_branch) {
  const auto key = [](std::int64_t count) { return random::fold_in(random::key(1), detail::path_hash("", count)); };
  for (const bool yes : {true, false}) {
    const auto run = [&] { return DrawsInBranches{}.apply({}, {.rngs = {{"noise", random::key(1)}}}, Array(yes)); };
    EXPECT_TRUE(same(run(), np::stack({key(yes ? 1 : 2), key(3)})));
    const DisableJit one_alone;
    EXPECT_TRUE(same(run(), np::stack({key(yes ? 1 : 2), key(3)})));
  }
}

struct Captures : Module<Captures> {
  int how = 0;
  Array call(const Array& yes, const Array& x) const {
    const Dense dense{.features = 2}, named{.features = 2, .name = "named"};
    const Array y = how == 0 ? x : dense(x);
    return nn::cond(
        yes, [&](const Captures&, const Array& a) { return named(dense(a)); },
        [&](const Captures&, const Array& a) { return dense(named(a)); }, *this, y);
  }
};
TEST(lift, branches_may_call_what_has_a_name_outside) {
  const Array x = random::normal(random::key(1), {2});
  EXPECT_EQ(
      error_of([&] { Captures{.how = 0}.init(random::key(0), Array(true), x); }),
      "nn::TransformError: call: a module that was made outside of a transformation must have a name before it is "
      "called inside of it; got a Dense without one.");
  const Captures model{.how = 1};
  const Variables v = model.init(random::key(0), Array(true), x);
  EXPECT_EQ(paths_of(v), (Paths{"Dense_0/bias", "Dense_0/kernel", "named/bias", "named/kernel"}));
  const Array d = v.at("params").at("Dense_0/kernel"), n = v.at("params").at("named/kernel");
  EXPECT_TRUE(np::allclose(model.apply(v, Array(false), x), np::matmul(np::matmul(np::matmul(x, d), n), d), 1e-5, 1e-6)
                  .item<bool>());
}

struct Loops : Module<Loops> {
  Array call(const Array& x) const {
    return nn::while_loop([](const Loops&, const Array& a) { return np::sum(a * a) < 100; },
                          [](const Loops& m, const Array& a) {
                            const Variable steps = m.variable("counts", "steps", [] { return Array(0); });
                            if (m.is_mutable_collection("counts") && !m.is_initializing()) steps.set(steps.value() + 1);
                            return Dense{.features = 2, .name = "step"}(a) + a * 2 + 1;
                          },
                          *this, x, {.carry_variables = "counts"});
  }
};

TEST(lift, while_loop_hands_variables_on) {
  const Array x = np::ones({2});
  const Variables v = Loops{}.init(random::key(0), x);
  Array a = x;
  int steps = 0;
  while (np::sum(a * a).item<float>() < 100) {
    a = np::matmul(a, v.at("params").at("step/kernel")) + a * 2 + 1;
    ++steps;
  }
  const auto [y, now] = Loops{}.apply_mutable(v, {.mutable_collections = "counts"}, x);
  EXPECT_TRUE(np::allclose(y, a).item<bool>());
  EXPECT_EQ(now.at("counts").at("steps").item<int>(), steps);
  // Or reads them alone.
  EXPECT_TRUE(np::allclose(Loops{}.apply(v, x), a).item<bool>());
}

// The example of Flax's documentation.
struct WhileLoopExample : Module<WhileLoopExample> {
  Array call(const Array& x) const {
    const auto cond_fn = [](const WhileLoopExample& mdl, const Array&) {
      return mdl.get_variable("state", "acc") < 10;
    };
    const auto body_fn = [](const WhileLoopExample& mdl, const Array& c) {
      const Variable acc = mdl.variable("state", "acc", [] { return Array(0); });
      acc.set(acc.value() + 1);
      return Dense{.features = static_cast<int>(c.shape(-1))}(c);
    };
    if (is_mutable_collection("params")) return body_fn(*this, x);
    return nn::while_loop(cond_fn, body_fn, *this, x, {.carry_variables = "state"});
  }
};
// Left to while_loop.
struct WhileLoopAlone : Module<WhileLoopAlone> {
  Array call(const Array& x) const {
    return nn::while_loop([](const WhileLoopAlone& m, const Array&) { return m.get_variable("state", "acc") < 10; },
                          [](const WhileLoopAlone& m, const Array& c) {
                            const Variable acc = m.variable("state", "acc", [] { return Array(0); });
                            acc.set(acc.value() + 1);
                            return Dense{.features = 2}(c);
                          },
                          *this, x, {.carry_variables = "state"});
  }
};
TEST(lift, conditions_read_what_bodies_change) {
  const Array x = random::normal(random::key(1), {2});
  const auto check = [&](const auto& model) {
    const Variables v = model.init(random::key(0), x);
    EXPECT_EQ(paths_of(v), (Paths{"Dense_0/bias", "Dense_0/kernel"}));
    EXPECT_EQ(v.at("state").at("acc").item<int>(), 1);
    Array want = x;
    for (int i = 1; i < 10; ++i) want = np::matmul(want, v.at("params").at("Dense_0/kernel"));
    const std::pair<Array, Variables> out = model.apply_mutable(v, {.mutable_collections = "state"}, x);
    EXPECT_TRUE(np::allclose(out.first, want, 1e-4, 1e-6).item<bool>());
    EXPECT_EQ(out.second.at("state").at("acc").item<int>(), 10);
  };
  check(WhileLoopExample{});
  check(WhileLoopAlone{});
}

// The body keeps the keys of each step, and the condition's last one goes unseen but for its sum.
struct LoopKeys : Module<LoopKeys> {
  bool split = false;
  using State = std::tuple<Array, Array, Array>;  // step, keys
  State call() const {
    return nn::while_loop(
        [](const LoopKeys& m, const State& s) {
          m.make_rng("noise");
          return std::get<0>(s) < 3;
        },
        [](const LoopKeys& m, const State& s) {
          const auto& [i, keys, unused] = s;
          const Array now = np::reshape(np::arange(3), {3, 1}) == i;
          return State(i + 1, np::where(now, m.make_rng("noise"), keys), unused);
        },
        *this, State(Array(0), np::zeros({3, 2}, u32), Array(0)), {.split_rngs = {{"noise", split}}});
  }
};
struct CondKey : Module<CondKey> {
  Array call() const {
    // Goes on until the condition's key is even, which it tells by when it stops.
    return nn::while_loop([](const CondKey& m, const Array&) { return m.make_rng("noise")(1) % 2u == 1u; },
                          [](const CondKey&, const Array& n) { return n + 1; }, *this, Array(0),
                          {.split_rngs = {{"noise", true}}});
  }
};
TEST(lift, keys_of_a_loop_are_those_of_the_number_of_the_step) {
  const auto taken = [](const Array& key, std::int64_t count) {
    return random::fold_in(key, detail::path_hash("", count));
  };
  for (const bool split : {false, true}) {
    const Array keys =
        std::get<1>(LoopKeys{.split = split}.apply({}, ApplyOptions{.rngs = {{"noise", random::key(1)}}}));
    for (int i = 0; i < 3; ++i)  // the condition takes the first
      EXPECT_TRUE(same(keys(i), taken(split ? random::fold_in(random::key(1), i) : random::key(1), 2))) << split << i;
  }
  for (int seed = 0; seed < 8; ++seed) {
    int n = 0;
    while (taken(random::fold_in(random::key(seed), Array(-n)), 1).to_vector<std::uint32_t>()[1] % 2 == 1) ++n;
    EXPECT_EQ(CondKey{}.apply({}, ApplyOptions{.rngs = {{"noise", random::key(seed)}}}).item<int>(), n);
  }
}

// ---- map_variables ----

struct Doubled : Module<Doubled> {
  Array call(const Array& x) const {
    const auto twice = [](Variables v) { return tree::map([](const Array& a) { return a * 2; }, v); };
    return map_variables(Dense{.features = 2, .name = "dense"}, {.trans_in_fn = twice}, x);
  }
};

TEST(lift, map_variables_shows_a_module_others) {
  const Array x = random::normal(random::key(1), {4, 2});
  const Variables v = Doubled{}.init(random::key(0), x);
  EXPECT_TRUE(np::allclose(Doubled{}.apply(v, x), 2 * np::matmul(x, v.at("params").at("dense/kernel"))).item<bool>());
}

struct SetsMapped : Module<SetsMapped> {
  std::string name = {};
  Array call(const Array& x) const {
    const Variable w = variable("weights", "w", [] { return np::ones({2}); });
    sow("intermediates", "w", w.value());
    if (!is_initializing()) w.set(w.value() + x);
    return x * w.value();
  }
};
struct Mapping : Module<Mapping> {
  bool back = false;
  Array call(const Array& x) const {
    const auto times = [](float by) {
      return [by](Variables v) { return tree::map([&](const Array& a) { return a * by; }, v); };
    };
    MapVariablesOptions options{.collections = "weights", .trans_in_fn = times(10)};
    if (back) options.trans_out_fn = times(0.1f);
    return map_variables(SetsMapped{.name = "inner"}, options, x);
  }
};
TEST(lift, mapped_variables_change_only_where_there_is_a_way_back) {
  const Array x = np::array({1.0f, 2.0f});
  const InitOptions all{.rngs = random::key(0), .mutable_collections = true};
  for (const bool back : {false, true}) {
    const auto made = Mapping{.back = back}.init_method(Module<Mapping>::Call(), all, x);
    EXPECT_TRUE(np::allclose(made.second.at("weights").at("inner/w"), np::full({2}, back ? 0.1f : 1.0f)).item<bool>());
    EXPECT_EQ(paths_of(made.second, "intermediates"), (Paths{"inner/w/0"}));  // once
  }
  const Variables v{{"weights", {{"inner/w", np::ones({2})}}}};
  const ApplyOptions options{.mutable_collections = "weights"};
  EXPECT_THROW((Mapping{.back = false}.apply_mutable(v, options, x)), ModifyVariableError);
  const auto [y, now] = Mapping{.back = true}.apply_mutable(v, options, x);
  EXPECT_TRUE(np::allclose(y, x * (10 + x)).item<bool>());
  EXPECT_TRUE(np::allclose(now.at("weights").at("inner/w"), (10 + x) / 10).item<bool>());
}

// ---- gradients ----

struct Smooth : Module<Smooth> {
  std::string name = {};
  Array call(const Array& x) const { return x + np::tanh(Dense{.features = 2, .param_dtype = f64}(x)); }
};
struct SmoothStep : Module<SmoothStep> {
  std::pair<Array, Array> call(const Array& x) const {
    const Array y = Smooth{.name = "smooth"}(x);
    return {y, np::sum(y)};
  }
};
constexpr int kLayers = 3;
auto scanned(const auto& step) {
  return scan(step,
              {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}, .length = std::int64_t{kLayers}});
}
auto mapped_with_own_parameters(const auto& module) {
  return vmap(module, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}});
}
void expect_right_gradients(const auto& module) {
  const Array x = testing::draw({2, 2}, 1);
  testing::expect_layer(module, testing::drawn(module.init(random::key(0), x)), x);
}
struct ChoosesSmoothly : Module<ChoosesSmoothly> {
  Array call(const Array& x) const {
    return nn::cond(
        np::sum(x) > 0, [](const ChoosesSmoothly&, const Array& a) { return Smooth{.name = "yes"}(a); },
        [](const ChoosesSmoothly&, const Array& a) { return np::sin(Smooth{.name = "no"}(a)); }, *this, x);
  }
};
struct LoopsSmoothly : Module<LoopsSmoothly> {
  Array call(const Array& x) const {
    using State = std::pair<Array, Array>;
    return nn::while_loop([](const LoopsSmoothly&, const State& s) { return s.first < kLayers; },
                          [](const LoopsSmoothly&, const State& s) {
                            return State(s.first + 1, Smooth{.name = "step"}(s.second));
                          },
                          *this, State(Array(0), x), {.loop = {.max_steps = kLayers}})
        .second;
  }
};
TEST(lift, gradients_are_right_under_every_transformation) {
  expect_right_gradients(mapped_with_own_parameters(Smooth{}));
  expect_right_gradients(scanned(SmoothStep{}));
  expect_right_gradients(scanned(remat(SmoothStep{})));
  expect_right_gradients(mapped_with_own_parameters(scanned(SmoothStep{})));
  expect_right_gradients(remat(jit(Smooth{})));
  expect_right_gradients(ChoosesSmoothly{});
  expect_right_gradients(LoopsSmoothly{});
}

// ---- what a transformation was not told of ----

TEST(lift, what_a_transformation_was_not_told_of_is_named) {
  const BatchNorm norm{.use_running_average = false};
  const Dense dense{.features = 2};
  const Array x = np::ones({3, 4, 2});
  const std::string told =
      "a transformation shows only collections that it is told of: name it in variable_axes, "
      "variable_broadcast or variable_carry";
  const auto hint_of = [&](const auto& f) {
    std::string hint;
    EXPECT_NE(error_of(f, &hint), "no error");
    return hint;
  };
  EXPECT_EQ(hint_of([&] {
              vmap(norm, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}}).init(random::key(0), x);
            }),
            told);
  EXPECT_EQ(hint_of([&] { vmap(dense, {.split_rngs = {{"params", true}}}).init(random::key(0), x); }), told);
  EXPECT_EQ(hint_of([&] { vmap(dense, {.variable_axes = {{"params", 0}}}).init(random::key(0), x); }),
            "a transformation hands only those streams on that it is told of: name \"params\" in its split_rngs");
  const Variables v{{"weights", {{"inner/w", np::ones({2})}}}};
  EXPECT_EQ(
      hint_of([&] { Mapping{.back = false}.apply_mutable(v, {.mutable_collections = "weights"}, np::ones({2})); }),
      "a transformation lets only those change that it is told of: name the collection in its variable_axes, "
      "variable_carry or carry_variables, or give map_variables a trans_out_fn");
}

}  // namespace
}  // namespace weft::nn

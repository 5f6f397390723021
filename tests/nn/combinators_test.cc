// Chains: order, names, sharing, and what is refused. Several axes of batch as one.
#include "nn/combinators.h"

#include "nn/activation.h"
#include "nn/checks.h"
#include "nn/convolution.h"
#include "nn/linear.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(0);

Sequential perceptron() {
  return {.layers = {Dense{.features = 3, .param_dtype = f64}, relu, Dense{.features = 2, .param_dtype = f64},
                     [](const Array& x) { return log_softmax(x); }}};
}

TEST(sequential, applies_one_layer_after_the_other) {
  const Sequential model = perceptron();
  const Array x = draw({4, 2}, 1);
  const Variables v = drawn(model.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/layers_0/bias f64[3]", "params/layers_0/kernel f64[2,3]",
                             "params/layers_2/bias f64[2]", "params/layers_2/kernel f64[3,2]"}));
  const Collection& p = v.at("params");
  const Array hidden = np::maximum(np::matmul(x, p.at("layers_0/kernel")) + p.at("layers_0/bias"), 0);
  const Array y = np::matmul(hidden, p.at("layers_2/kernel")) + p.at("layers_2/bias");
  EXPECT_TRUE(near(model.apply(v, x), y - np::logsumexp(y, -1, true)));
  expect_layer(model, v, x);
  expect_same_bits(model, x);
}

TEST(sequential, keys_are_those_of_the_names) {
  const Collection p =
      Sequential{.layers = {Dense{.features = 3}, Dense{.features = 2}}}.init(kKey, np::ones({2})).at("params");
  const Array key = random::fold_in(kKey, detail::path_hash("layers_1", 1));
  EXPECT_TRUE(near(p.at("layers_1/kernel"), initializers::lecun_normal()(key, {3, 2}, f32), 0));
}

TEST(sequential, finds_functions_of_one_array_among_those_of_a_name) {
  const Sequential model{.layers = {gelu, elu, softmax, log_softmax, leaky_relu, tanh, silu}};
  const Array x = draw({3, 4}, 1);
  EXPECT_TRUE(near(model.apply({}, x), silu(np::tanh(leaky_relu(log_softmax(softmax(elu(gelu(x)))))))));
}

struct Outer : Module<Outer> {
  Sequential encoder{.layers = {Dense{.features = 3, .name = "first"}, Dense{.features = 2}}};
  Array call(Array x) const {
    x = encoder(x);
    x = Sequential{.layers = {Dense{.features = 4}, tanh}}(x);
    return Sequential{.layers = {Sequential{.layers = {Dense{.features = 1}}}}, .name = "head"}(x);
  }
};
TEST(sequential, has_a_place_as_any_module) {
  EXPECT_EQ(types(Outer{}.init(kKey, np::ones({2}))),
            (Texts{"params/Sequential_0/layers_0/bias f32[4]", "params/Sequential_0/layers_0/kernel f32[2,4]",
                   "params/encoder/first/bias f32[3]", "params/encoder/first/kernel f32[2,3]",
                   "params/encoder/layers_1/bias f32[2]", "params/encoder/layers_1/kernel f32[3,2]",
                   "params/head/layers_0/layers_0/bias f32[1]", "params/head/layers_0/layers_0/kernel f32[4,1]"}));
}

struct Shares : Module<Shares> {
  bool called_before = false;
  Array call(Array x) const {
    const Dense shared{.features = 2};
    if (called_before) x = shared(x);
    const Sequential twice{.layers = {shared, tanh, shared}};
    x = twice(x);
    return twice(x);
  }
};
TEST(sequential, shares_a_layer_that_has_a_place_before) {
  const Array x = draw({2}, 1, f32);
  const Variables v = drawn(Shares{.called_before = true}.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/Dense_0/bias f32[2]", "params/Dense_0/kernel f32[2,2]"}));
  const Collection& p = v.at("params");
  const auto dense = [&](const Array& a) { return np::matmul(a, p.at("Dense_0/kernel")) + p.at("Dense_0/bias"); };
  const auto twice = [&](const Array& a) { return dense(np::tanh(dense(a))); };
  EXPECT_TRUE(near(Shares{.called_before = true}.apply(v, x), twice(twice(dense(x))), 1e-6));
}
TEST(sequential, has_layers_of_its_own_where_they_have_no_place_before) {
  EXPECT_EQ(types(Shares{}.init(kKey, np::ones({2}))),
            (Texts{"params/Sequential_0/layers_0/bias f32[2]", "params/Sequential_0/layers_0/kernel f32[2,2]",
                   "params/Sequential_0/layers_2/bias f32[2]", "params/Sequential_0/layers_2/kernel f32[2,2]"}));
}

TEST(sequential, gives_the_same_when_copied) {
  const Array x = draw({2, 2}, 1);
  const Sequential model = perceptron();
  const Sequential copy = model;
  const Variables v = model.init(kKey, x);
  EXPECT_TRUE(near(copy.apply(v, x), model.apply(v, x), 0));
}

TEST(sequential, refuses_an_empty_chain) {
  EXPECT_EQ(error_of([] { Sequential{}.init(kKey, np::ones({2})); }),
            "ValueError: sequential: a chain must have at least one layer; got none.");
}

// ---- BatchApply ----

struct Videos : Module<Videos> {
  Conv encoder{.features = 2, .kernel_size = {3, 3}, .padding = Padding::kValid, .param_dtype = f64};
  Array call(Array x) const {  // [time, n, height, width, channels]
    x = BatchApply{encoder}(x);
    return BatchApply{Dense{.features = 3, .param_dtype = f64}, 4}(x);
  }
};
TEST(batch_apply, is_what_it_applies_to_each_step) {
  const Array x = draw({4, 2, 5, 6, 1}, 1);
  const Variables v = drawn(Videos{}.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/Dense_0/bias f64[3]", "params/Dense_0/kernel f64[2,3]",
                             "params/encoder/bias f64[2]", "params/encoder/kernel f64[3,3,1,2]"}));
  const Conv conv = Videos{}.encoder;
  const Dense dense{.features = 3};
  const auto step = [&](const Array& frames) {
    return dense.apply(below(v, "Dense_0"), conv.apply(below(v, "encoder"), frames));
  };
  EXPECT_TRUE(near(Videos{}.apply(v, x), np::stack({step(x(0)), step(x(1)), step(x(2)), step(x(3))})));
  expect_layer(Videos{}, v, x);
  expect_same_bits(Videos{}, x);
}

TEST(batch_apply, takes_and_gives_trees_and_leaves_small_arrays_alone) {
  struct Pair {
    Array a, b;
  };
  const Array x = draw({2, 3, 4}, 1), y = draw({2, 3}, 2), w = draw({4}, 3);
  const auto f = [&](const Pair& p, const Array& weights, bool negate) {
    EXPECT_EQ(p.a.shape(), (np::Shape{6, 4}));
    EXPECT_EQ(p.b.shape(), (np::Shape{6}));
    EXPECT_EQ(weights.shape(), (np::Shape{4}));
    const Array sum = np::matmul(p.a, weights) + p.b;
    return Pair{negate ? -sum : sum, p.a};
  };
  const Pair out = BatchApply{f}(Pair{x, y}, w, true);
  EXPECT_TRUE(near(out.a, -(np::matmul(x, w) + y), 0));
  EXPECT_TRUE(near(out.b, x, 0));
}

TEST(batch_apply, merges_as_many_axes_as_it_is_told) {
  const Array x = draw({2, 3, 4, 5}, 1);
  const auto shapes = [&](int num_dims) {
    Dims seen;
    const Array y = BatchApply{[&](const Array& a) {
                                 seen = Dims(a.shape());
                                 return np::sum(a, -1);
                               },
                               num_dims}(x);
    EXPECT_TRUE(near(y, np::sum(x, -1), 0)) << num_dims;
    return seen;
  };
  EXPECT_EQ(shapes(1), (Dims{2, 3, 4, 5}));
  EXPECT_EQ(shapes(2), (Dims{6, 4, 5}));
  EXPECT_EQ(shapes(3), (Dims{24, 5}));
}

TEST(batch_apply, works_on_no_examples) {
  const Array y = BatchApply{[](const Array& a) { return np::sum(a, -1); }}(np::ones({0, 3, 4}));
  EXPECT_EQ(y.shape(), (np::Shape{0, 3}));
}

TEST(batch_apply, is_a_layer_of_a_chain) {
  const Sequential model{
      .layers = {[](const Array& x) { return x + 1; }, BatchApply{[](const Array& x) { return 2 * x; }}}};
  const Array x = draw({2, 3}, 1);
  EXPECT_TRUE(near(model.apply({}, x), 2 * (x + 1), 0));
}

TEST(batch_apply, refuses_what_it_cannot_merge_or_split) {
  const auto same = [](const Array& x) { return x; };
  EXPECT_EQ(error_of([&] { BatchApply{same, 0}(np::ones({2, 3})); }),
            "ValueError: batch_apply: num_dims must be positive; got 0.");
  EXPECT_EQ(error_of([&] { BatchApply{same, 3}(np::ones({2, 3})); }),
            "ValueError: batch_apply: an array among the arguments must have 3 axes or more; got none.");
  EXPECT_EQ(
      error_of([&] {
        BatchApply{[](const Array& x, const Array& y) { return x + y; }}(np::ones({2, 3}), np::ones({3, 2}));
      }),
      "ShapeError: batch_apply: the axes that are merged must have the same sizes in all arguments; got [2,3] and "
      "[3,2] of f32[3,2].");
  EXPECT_EQ(error_of([&] { BatchApply{[](const Array& x) { return np::sum(x); }}(np::ones({2, 3})); }),
            "ShapeError: batch_apply: the result's first axis must be the one that the arguments' became, of size 6; "
            "got f32[].");
  EXPECT_EQ(error_of([&] { BatchApply{[](const Array& x) { return x(slice(0, 4)); }}(np::ones({2, 3})); }),
            "ShapeError: batch_apply: the result's first axis must be the one that the arguments' became, of size 6; "
            "got f32[4].");
}

}  // namespace
}  // namespace weft::nn

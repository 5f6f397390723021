// Dense, DenseGeneral, Einsum and Embed against loops over doubles.
#include "nn/linear.h"

#include "nn/checks.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(0);

// ---- Dense ----

TEST(dense, is_a_product_and_a_bias) {
  for (const np::Shape& shape : {np::Shape{3}, np::Shape{5, 3}, np::Shape{2, 1, 3}, np::Shape{0, 3}}) {
    const Dense layer{.features = 4, .param_dtype = f64};
    const Array x = draw(shape, 1);
    const Variables v = drawn(layer.init(kKey, x));
    EXPECT_EQ(types(v), (Texts{"params/bias f64[4]", "params/kernel f64[3,4]"}));
    const Doubles a = values(x), k = values(v.at("params").at("kernel")), b = values(v.at("params").at("bias"));
    Doubles want;
    for (std::size_t i = 0; i < a.size() / 3; ++i)
      for (std::size_t f = 0; f < 4; ++f) {
        double sum = b[f];
        for (std::size_t c = 0; c < 3; ++c) sum += a[3 * i + c] * k[4 * c + f];
        want.push_back(sum);
      }
    EXPECT_TRUE(near(layer.apply(v, x), want));
    expect_layer(layer, v, x);
  }
}

TEST(dense, may_be_without_a_bias) {
  const Dense layer{.features = 2, .use_bias = false};
  EXPECT_EQ(types(layer.init(kKey, np::ones({1, 3}))), (Texts{"params/kernel f32[3,2]"}));
}

TEST(dense, computes_in_its_dtype_and_keeps_parameters_in_theirs) {
  const Array x = np::ones({1, 3}, bf16);
  const auto type = [&](const Dense& layer, const Array& a) { return layer.apply(layer.init(kKey, a), a).dtype(); };
  EXPECT_EQ(type({.features = 2}, x), f32);
  EXPECT_EQ(type({.features = 2, .param_dtype = bf16}, x), bf16);
  EXPECT_EQ(type({.features = 2, .dtype = bf16}, np::ones({1, 3})), bf16);
  EXPECT_EQ(type({.features = 2}, np::ones({1, 3}, i32)), f32);
  EXPECT_EQ(type({.features = 2, .dtype = c64}, x), c64);
  EXPECT_EQ(types(Dense{.features = 2, .dtype = bf16}.init(kKey, x))[1], "params/kernel f32[3,2]");
}

TEST(dense, begins_with_the_same_bits) { expect_same_bits(Dense{.features = 3}, np::ones({2, 5})); }

TEST(dense, refuses_what_it_cannot_do) {
  const auto error = [](const Dense& layer, const Array& x) { return error_of([&] { layer.init(kKey, x); }); };
  EXPECT_EQ(error({}, np::ones({2})), "ValueError: dense: features must be positive; got 0.");
  EXPECT_EQ(error({.features = 2}, Array(1.0f)),
            "ShapeError: dense: the input must have an axis of features; got f32[].");
  EXPECT_EQ(error({.features = 2, .dtype = i32}, np::ones({2})),
            "DTypeError: layer: dtype must be float or complex; got i32.");
}

// ---- DenseGeneral ----

TEST(dense_general, of_one_axis_is_dense) {
  const Array x = draw({2, 3}, 1, f32);
  const Variables v = Dense{.features = 4}.init(kKey, x);
  const DenseGeneral layer{.features = 4};
  EXPECT_TRUE(near(layer.init(kKey, x).at("params").at("kernel"), v.at("params").at("kernel"), 0));
  EXPECT_TRUE(near(layer.apply(v, x), Dense{.features = 4}.apply(v, x), 1e-6));
}

TEST(dense_general, sums_over_several_axes) {
  // As in Flax's documentation: axes (1, -1) of (1, 3, 6, 7).
  const DenseGeneral layer{.features = {4, 5}, .axis = {1, -1}, .param_dtype = f64};
  const Array x = draw({2, 3, 2, 3}, 1);
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/bias f64[4,5]", "params/kernel f64[3,3,4,5]"}));
  const auto& p = v.at("params");
  EXPECT_TRUE(near(layer.apply(v, x), np::einsum("bcid,cdfg->bifg", x, p.at("kernel")) + p.at("bias")));
  const DenseGeneral turned{.features = {4, 5}, .axis = {-1, 1}, .param_dtype = f64};
  EXPECT_TRUE(near(turned.apply(v, x), layer.apply(v, x), 0));
  expect_layer(DenseGeneral{.features = {1, 2}, .axis = {1, -1}, .param_dtype = f64},
               drawn(DenseGeneral{.features = {1, 2}, .axis = {1, -1}, .param_dtype = f64}.init(kKey, x)), x);
}

TEST(dense_general, has_a_kernel_for_each_place_of_the_batch) {
  const DenseGeneral layer{.features = 2, .axis = {-1}, .batch_dims = {0, 1}, .param_dtype = f64};
  const Array x = draw({2, 3, 4, 5}, 1);
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/bias f64[2,3,2]", "params/kernel f64[2,3,5,2]"}));
  const auto& p = v.at("params");
  const Array want = np::einsum("abid,abdf->abif", x, p.at("kernel")) + np::expand_dims(p.at("bias"), 2);
  EXPECT_TRUE(near(layer.apply(v, x), want));
}

TEST(dense_general, begins_as_one_matrix) {
  const Array x = np::ones({2, 3, 5});
  const DenseGeneral layer{.features = {4, 2}, .axis = {-2, -1}, .bias_init = initializers::normal(1)};
  const auto p = layer.init(kKey, x).at("params");
  const auto key = [&](int n) { return random::fold_in(kKey, detail::path_hash("", n)); };
  const Array matrix = initializers::lecun_normal()(key(1), {15, 8}, f32);
  EXPECT_TRUE(near(p.at("kernel"), np::reshape(matrix, {3, 5, 4, 2}), 0));
  EXPECT_TRUE(near(p.at("bias"), np::reshape(random::normal(key(2), {8}), {4, 2}), 0));
}

TEST(dense_general, refuses_what_it_cannot_do) {
  const auto error = [](const DenseGeneral& layer) { return error_of([&] { layer.init(kKey, np::ones({2, 3, 4})); }); };
  EXPECT_EQ(error({}), "ValueError: dense_general: there must be at least one number of features; got none.");
  EXPECT_EQ(error({.features = {2, 0}}), "ValueError: dense_general: features must be positive; got 0.");
  EXPECT_EQ(error({.features = 2, .axis = 3}),
            "IndexError: dense_general: axis must be in [-3, 3); got 3 for f32[2,3,4].");
  EXPECT_EQ(error({.features = 2, .batch_dims = 1}),
            "ValueError: dense_general: batch_dims must be the first axes of the input; got [1] of f32[2,3,4].");
  EXPECT_EQ(error({.features = 2, .axis = {0, 2}, .batch_dims = 0}),
            "ValueError: dense_general: axis and batch_dims must differ; got axis 0 in both.");
}

// ---- Einsum ----

TEST(einsum, multiplies_as_it_says) {
  // As in Flax's documentation.
  const Einsum layer{.shape = {5, 6, 7}, .einsum_str = "abc,cde->abde", .param_dtype = f64};
  const Array x = draw({3, 4, 5}, 1);
  const Variables v = drawn(layer.init(kKey, x));
  EXPECT_EQ(types(v), (Texts{"params/bias f64[6,7]", "params/kernel f64[5,6,7]"}));
  const auto& p = v.at("params");
  EXPECT_TRUE(near(layer.apply(v, x), np::einsum("abc,cde->abde", x, p.at("kernel")) + p.at("bias")));
}

TEST(einsum, has_a_bias_of_the_axes_that_kernel_and_result_share) {
  const auto bias = [](const np::Shape& shape, const std::string& text, const np::Shape& x) {
    const Einsum layer{.shape = shape, .einsum_str = text};
    const Variables v = drawn(layer.init(kKey, np::ones(x)));
    const Array without = Einsum{.shape = shape, .einsum_str = text, .use_bias = false}.apply(v, np::ones(x));
    const Array added = layer.apply(v, np::ones(x)) - without;
    return types(v)[0] + " " + std::to_string(np::sum(np::abs(added)).item<double>() > 0);
  };
  EXPECT_EQ(bias({5, 6}, "ab,bc->ca", {4, 5}), "params/bias f32[6] 1");
  EXPECT_EQ(bias({4, 5, 6}, "nta,hab -> nthb", {2, 3, 5}), "params/bias f32[4,6] 1");
  EXPECT_EQ(bias({5, 6}, "...b,bc->...c", {2, 4, 5}), "params/bias f32[6] 1");
  EXPECT_EQ(bias({4, 5, 6}, "...b,...bc->...c", {2, 4, 5}), "params/bias f32[4,6] 1");
}

TEST(einsum, has_right_gradients) {
  const Einsum layer{.shape = {2, 3, 2}, .einsum_str = "...ab,bcd->...dca", .param_dtype = f64};
  const Array x = draw({2, 2, 2}, 1);
  expect_layer(layer, drawn(layer.init(kKey, x)), x);
  expect_same_bits(layer, x);
}

TEST(einsum, takes_the_specification_from_the_call_too) {
  const Einsum layer{.shape = {2, 3}};
  const Array x = np::ones({4, 2});
  EXPECT_EQ(layer.init_with_output(kKey, x, std::string("ab,bc->ac")).first.shape(), Dims({4, 3}));
}

TEST(einsum, refuses_what_it_cannot_do) {
  const auto error = [](const Einsum& layer) { return error_of([&] { layer.init(kKey, np::ones({2, 3})); }); };
  EXPECT_EQ(error({.shape = {3, 4}}),
            "ValueError: einsum: the specification must be given once, as a member or as an argument of the call; got "
            "neither.");
  EXPECT_EQ(error({.shape = {3, 4}, .einsum_str = "ab,bc"}),
            "ValueError: einsum: the specification must have two operands and a result, as \"ab,bc->ac\"; got "
            "\"ab,bc\".");
  EXPECT_EQ(error({.shape = {3, 4}, .einsum_str = "ab,bcd->ad"}),
            "ValueError: einsum: the kernel must have the axes of the specification's second operand; got the shape "
            "[3,4] and \"ab,bcd->ad\".");
  EXPECT_EQ(error({.shape = {3, 3}, .einsum_str = "ab,bb->ab"}),
            "ValueError: einsum: a letter must name one axis of the kernel; got \"ab,bb->ab\".");
}

// ---- Embed ----

TEST(embed, gives_the_rows_that_flax_prints) {
  const Embed layer{.num_embeddings = 5, .features = 3};
  const Array i = np::array({{0, 1, 2}, {-1, -2, -3}});
  const Variables v = layer.init(kKey, i);
  EXPECT_EQ(types(v), (Texts{"params/embedding f32[5,3]"}));
  EXPECT_TRUE(
      near(layer.apply(v, i),
           Doubles{.04396089, -.9328513, -.97328115, .41147125, .66334754, .49469155, .09719624, .49861377, .49519277,
                   -.5039532, .287319, 1.4369922, -.13316602, .6697022, .3710195, .09719624, .49861377, .49519277},
           1e-7));
}

TEST(embed, gives_nan_out_of_range_and_one_row_for_all) {
  const Embed layer{.num_embeddings = 2, .features = 2};
  const Variables v = layer.init(kKey, np::array({0}));
  EXPECT_TRUE(std::isnan(values(layer.apply(v, np::array({7})))[0]));
  const Embed one{.num_embeddings = 1, .features = 2};
  const Variables w = one.init(kKey, np::array({0}));
  const Array y = one.apply(w, np::array({{0, 3}, {9, 1}}));
  EXPECT_EQ(y.shape(), Dims({2, 2, 2}));
  EXPECT_TRUE(near(y(1, 0), w.at("params").at("embedding")(0), 0));
}

TEST(embed, has_the_gradient_of_a_sum_over_occurrences) {
  const Embed layer{.num_embeddings = 3, .features = 2, .param_dtype = f64};
  const Array i = np::array({0, 2, 2});
  const Variables v = layer.init(kKey, i);
  expect_gradient([&](const Collection& p) { return loss_of(layer.apply({{"params", p}}, i)); }, v.at("params"));
}

struct Tied : Module<Tied> {
  Embed embed{.num_embeddings = 4, .features = 2};
  Array call(const Array& i) const { return embed.attend(embed(i)); }
};
TEST(embed, attends_with_the_same_table) {
  const Array i = np::array({3, 1});
  const Variables v = Tied{}.init(kKey, i);
  EXPECT_EQ(types(v), (Texts{"params/embed/embedding f32[4,2]"}));
  const Array table = v.at("params").at("embed/embedding");
  EXPECT_TRUE(near(Tied{}.apply(v, i), np::matmul(table({3, 1}), np::transpose(table)), 1e-6));
}

TEST(embed, has_results_of_its_dtype) {
  const Array i = np::array({1});
  const Embed half{.num_embeddings = 4, .features = 2, .dtype = bf16};
  EXPECT_EQ(half.apply(half.init(kKey, i), i).dtype(), bf16);
}

TEST(embed, refuses_what_it_cannot_do) {
  const auto error = [](const Embed& layer, const Array& i) { return error_of([&] { layer.init(kKey, i); }); };
  EXPECT_EQ(error({.features = 2}, np::array({0})), "ValueError: embed: num_embeddings must be positive; got 0.");
  EXPECT_EQ(error({.num_embeddings = 2}, np::array({0})), "ValueError: embed: features must be positive; got 0.");
  EXPECT_EQ(error({.num_embeddings = 2, .features = 2}, np::array({0.0f})),
            "DTypeError: embed: what is embedded must be integers; got f32[1].");
  EXPECT_EQ(error_of([&] { Embed{.num_embeddings = 3, .features = 2, .dtype = i32}.init(kKey, np::array({1})); }),
            "DTypeError: layer: dtype must be float or complex; got i32.");
}

}  // namespace
}  // namespace weft::nn

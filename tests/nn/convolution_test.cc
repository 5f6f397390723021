// Convolutions against loops over doubles, of one to three spatial axes, and a transposed one against the transpose.
#include "nn/convolution.h"

#include "nn/checks.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(0);

// ---- loops ----

using Sizes = std::vector<std::int64_t>;

// All places of a box in row-major order.
std::vector<Sizes> places(const Sizes& box) {
  std::vector<Sizes> r{{}};
  for (const std::int64_t n : box) {
    std::vector<Sizes> longer;
    for (const Sizes& p : r)
      for (std::int64_t i = 0; i < n; ++i) {
        longer.push_back(p);
        longer.back().push_back(i);
      }
    r = longer;
  }
  return r;
}
std::size_t at(const Sizes& shape, const Sizes& i) {
  std::int64_t r = 0;
  for (std::size_t k = 0; k < shape.size(); ++k) r = r * shape[k] + i[k];
  return static_cast<std::size_t>(r);
}
Sizes sizes(const Array& a) { return Sizes(a.shape().begin(), a.shape().end()); }
Sizes joined(Sizes a, const Sizes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
std::int64_t round_and_round(std::int64_t i, std::int64_t n) { return ((i % n) + n) % n; }

// Where place i of a padded axis of n elements is in the input; -1 where there is a zero.
using Beyond = std::int64_t (*)(std::int64_t i, std::int64_t n);
std::int64_t zero(std::int64_t i, std::int64_t n) { return i >= 0 && i < n ? i : -1; }
std::int64_t mirrored(std::int64_t i, std::int64_t n) {
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
  return i;
}

struct Spec {
  Sizes strides, low, high, input_dilation, kernel_dilation;
  std::int64_t groups = 1;
  Beyond beyond = zero;
};
// x[b, s..., c], k[k..., c / groups, f] -> y[b, o..., f].
Array correlated(const Array& x, const Array& kernel, const Spec& s) {
  const Sizes in = sizes(x), k = sizes(kernel);
  const std::size_t n = k.size() - 2;
  const std::int64_t features = k[n + 1], own = k[n], made = features / s.groups;
  Sizes out{in[0]}, window(k.begin(), k.begin() + static_cast<std::ptrdiff_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t all = (in[i + 1] - 1) * s.input_dilation[i] + 1 + s.low[i] + s.high[i];
    out.push_back((all - ((k[i] - 1) * s.kernel_dilation[i] + 1)) / s.strides[i] + 1);
  }
  out.push_back(features);
  const Doubles xv = values(x), kv = values(kernel);
  Doubles y;
  for (const Sizes& o : places(out)) {
    double sum = 0;
    for (const Sizes& w : places(window)) {
      Sizes from{o[0]};
      for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t p = o[i + 1] * s.strides[i] + w[i] * s.kernel_dilation[i] - s.low[i];
        // Between neighbours of the dilated input are zeros.
        const std::int64_t d = s.input_dilation[i];
        from.push_back(p % d != 0 ? -1 : s.beyond(p / d, in[i + 1]));
      }
      if (std::find(from.begin(), from.end(), -1) != from.end()) continue;
      for (std::int64_t c = 0; c < own; ++c)
        sum += xv[at(in, joined(from, {o[n + 1] / made * own + c}))] * kv[at(k, joined(w, {c, o[n + 1]}))];
    }
    y.push_back(sum);
  }
  return Array::from_vector(y, out);
}

struct Made {
  Variables variables;
  Array kernel, bias;
};
template <class M>
Made made(const M& layer, const Array& x) {
  const Variables v = drawn(layer.init(kKey, x));
  return {v, v.at("params").at("kernel"), v.at("params").at("bias")};
}

// ---- Conv ----

TEST(conv, is_a_sum_over_the_window) {
  const Conv layer{.features = 4, .kernel_size = {3}, .padding = Padding::kValid, .param_dtype = f64};
  const Array x = draw({2, 8, 3}, 1);
  const Made m = made(layer, x);
  EXPECT_EQ(types(m.variables), (Texts{"params/bias f64[4]", "params/kernel f64[3,3,4]"}));
  EXPECT_TRUE(near(layer.apply(m.variables, x), correlated(x, m.kernel, {{1}, {0}, {0}, {1}, {1}}) + m.bias));
}

TEST(conv, pads_as_it_is_told) {
  struct Case {
    Padding padding;
    Spec spec;
  };
  // Of 7 x 4 by a kernel 3 x 2 and strides 2 x 3.
  const Case cases[] = {
      {Padding::kSame, {{2, 3}, {1, 0}, {1, 1}, {1, 1}, {1, 1}}},
      {Padding::kValid, {{2, 3}, {0, 0}, {0, 0}, {1, 1}, {1, 1}}},
      {1, {{2, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}},
      {{2, 0}, {{2, 3}, {2, 0}, {2, 0}, {1, 1}, {1, 1}}},
      {{{0, 2}, {3, 1}}, {{2, 3}, {0, 3}, {2, 1}, {1, 1}, {1, 1}}},
      {Padding::kCircular, {{2, 3}, {1, 0}, {1, 1}, {1, 1}, {1, 1}, 1, round_and_round}},
      {Padding::kReflect, {{2, 3}, {1, 0}, {1, 1}, {1, 1}, {1, 1}, 1, mirrored}},
  };
  const Array x = draw({2, 7, 4, 2}, 1);
  for (const Case& c : cases) {
    const Conv layer{.features = 3, .kernel_size = {3, 2}, .strides = {2, 3}, .padding = c.padding, .param_dtype = f64};
    const Made m = made(layer, x);
    EXPECT_TRUE(near(layer.apply(m.variables, x), correlated(x, m.kernel, c.spec) + m.bias))
        << Padding::mode_name(c.padding.mode());
  }
}

TEST(conv, goes_round_and_is_mirrored_more_than_once) {
  // A window that is much larger than the input.
  const Array x = draw({1, 3, 1}, 1);
  for (const bool circular : {true, false}) {
    const Conv layer{.features = 1,
                     .kernel_size = {5},
                     .padding = circular ? Padding::kCircular : Padding::kReflect,
                     .kernel_dilation = 3,
                     .param_dtype = f64};
    const Made m = made(layer, x);
    const Spec spec{{1}, {6}, {6}, {1}, {3}, 1, circular ? round_and_round : mirrored};
    EXPECT_TRUE(near(layer.apply(m.variables, x), correlated(x, m.kernel, spec) + m.bias));
  }
}

TEST(conv, sees_nothing_that_comes_later_when_causal) {
  const Conv layer{
      .features = 2, .kernel_size = {3}, .padding = Padding::kCausal, .kernel_dilation = 2, .param_dtype = f64};
  const Array x = draw({1, 6, 2}, 1);
  const Made m = made(layer, x);
  EXPECT_TRUE(near(layer.apply(m.variables, x), correlated(x, m.kernel, {{1}, {4}, {0}, {1}, {2}}) + m.bias));
}

TEST(conv, dilates_input_and_kernel) {
  const Conv layer{.features = 2,
                   .kernel_size = {2, 3},
                   .strides = {1, 2},
                   .padding = {{1, 0}, {2, 2}},
                   .input_dilation = {2, 3},
                   .kernel_dilation = {3, 2},
                   .param_dtype = f64};
  const Array x = draw({2, 4, 3, 2}, 1);
  const Made m = made(layer, x);
  const Spec spec{{1, 2}, {1, 2}, {0, 2}, {2, 3}, {3, 2}};
  EXPECT_TRUE(near(layer.apply(m.variables, x), correlated(x, m.kernel, spec) + m.bias));
}

TEST(conv, works_in_groups_of_features) {
  const Conv layer{
      .features = 6, .kernel_size = {2}, .padding = Padding::kValid, .feature_group_count = 2, .param_dtype = f64};
  const Array x = draw({2, 4, 4}, 1);
  const Made m = made(layer, x);
  EXPECT_EQ(types(m.variables)[1], "params/kernel f64[2,2,6]");
  EXPECT_TRUE(near(layer.apply(m.variables, x), correlated(x, m.kernel, {{1}, {0}, {0}, {1}, {1}, 2}) + m.bias));
}

TEST(conv, works_in_three_dimensions) {
  const Conv layer{.features = 2, .kernel_size = {2, 1, 3}, .strides = 2, .param_dtype = f64};
  const Array x = draw({1, 3, 2, 5, 2}, 1);
  const Made m = made(layer, x);
  const Spec spec{{2, 2, 2}, {0, 0, 1}, {1, 0, 1}, {1, 1, 1}, {1, 1, 1}};
  EXPECT_TRUE(near(layer.apply(m.variables, x), correlated(x, m.kernel, spec) + m.bias));
}

TEST(conv, takes_any_number_of_axes_of_batch) {
  const Conv layer{.features = 2, .kernel_size = {3, 3}, .param_dtype = f64};
  const Array x = draw({2, 3, 4, 5, 2}, 1);
  const Variables v = drawn(layer.init(kKey, x));
  const Array y = layer.apply(v, x);
  EXPECT_EQ(y.shape(), Dims({2, 3, 4, 5, 2}));
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) EXPECT_TRUE(near(y(i, j), layer.apply(v, x(i, j))));
  EXPECT_EQ(layer.apply(v, np::zeros({0, 4, 5, 2}, f64)).shape(), Dims({0, 4, 5, 2}));
}

TEST(conv, multiplies_its_kernel_by_a_mask) {
  const Array mask = np::tril(np::ones({3, 3, 4}));
  const Conv layer{.features = 4, .kernel_size = {3}, .mask = mask, .param_dtype = f64};
  const Array x = draw({1, 8, 3}, 1);
  const Made m = made(layer, x);
  const Array want = correlated(x, m.kernel * mask, {{1}, {1}, {1}, {1}, {1}}) + m.bias;
  EXPECT_TRUE(near(layer.apply(m.variables, x), want));
}

TEST(conv, has_right_gradients) {
  const Array x = draw({2, 4, 3, 2}, 1);
  for (const Padding& padding : {Padding(Padding::kSame), Padding(Padding::kCircular), Padding(Padding::kReflect)}) {
    const Conv layer{.features = 2,
                     .kernel_size = {3, 2},
                     .strides = {1, 2},
                     .padding = padding,
                     .feature_group_count = 2,
                     .param_dtype = f64};
    expect_layer(layer, drawn(layer.init(kKey, x)), x);
  }
}

TEST(conv, has_right_gradients_however_it_is_padded_and_dilated) {
  const Array x = draw({1, 7, 2}, 1);
  const auto expect = [&](const Padding& padding, int input_dilation) {
    const Conv layer{.features = 2,
                     .kernel_size = 3,
                     .padding = padding,
                     .input_dilation = input_dilation,
                     .kernel_dilation = 2,
                     .param_dtype = f64};
    expect_layer(layer, drawn(layer.init(kKey, x)), x);
  };
  expect(Padding::kSame, 1);
  expect(Padding::kCausal, 1);
  expect(Padding::kValid, 1);
  expect(Padding::kValid, 2);
  const Conv three{.features = 2, .kernel_size = {2, 1, 2}, .strides = {1, 1, 2}, .param_dtype = f64};
  const Array volume = draw({1, 2, 2, 3, 2}, 1);
  expect_layer(three, drawn(three.init(kKey, volume)), volume);
}

TEST(conv, computes_in_its_dtype) {
  const Array x = np::ones({1, 4, 2}, bf16);
  const auto type = [&](const Conv& layer) { return layer.apply(layer.init(kKey, x), x).dtype(); };
  EXPECT_EQ(type({.features = 2, .kernel_size = 3}), f32);
  EXPECT_EQ(type({.features = 2, .kernel_size = 3, .dtype = bf16}), bf16);
  EXPECT_EQ(type({.features = 2, .kernel_size = 3, .param_dtype = bf16}), bf16);
  EXPECT_EQ(type({.features = 2, .kernel_size = 3, .padding = Padding::kCircular, .dtype = bf16}), bf16);
}

TEST(conv, begins_with_the_same_bits) {
  expect_same_bits(Conv{.features = 3, .kernel_size = {3, 3}}, np::ones({1, 4, 4, 2}));
}

TEST(conv, refuses_what_it_cannot_do) {
  const auto error = [](const Conv& layer, const Array& x = np::ones({1, 4, 4, 3})) {
    return error_of([&] { layer.init(kKey, x); });
  };
  EXPECT_EQ(error({.kernel_size = 3}), "ValueError: conv: features must be positive; got 0.");
  EXPECT_EQ(error({.features = 2}),
            "ValueError: conv: kernel_size must have a number for each spatial axis; got none.");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 0}}),
            "ValueError: conv: kernel_size must be positive; got [3,0].");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 3}, .strides = {1, 2, 1}}),
            "ShapeError: conv: there must be one number of strides, or one for every axis of the window, 2; got "
            "[1,2,1].");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 3}, .padding = {1, 2, 3}}),
            "ShapeError: conv: padding must be given for every axis of the window, 2; got 3.");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 3}}, np::ones({4, 3})),
            "ShapeError: conv: the input must have 2 spatial axes and one of features; got f32[4,3].");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 3}, .feature_group_count = 2}),
            "ValueError: conv: feature_group_count must divide the features of input and result; got 2 for 3 and 2.");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 3}, .padding = Padding::kCausal}),
            "ValueError: conv: padding kCausal must be along one spatial axis; got 2.");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 3}, .input_dilation = 2}),
            "ValueError: conv: padding of a dilated input must be kValid or numbers; got kSame.");
  EXPECT_EQ(error({.features = 2, .kernel_size = {3, 3}, .mask = np::ones({2})}),
            "ShapeError: conv: the mask must have the kernel's shape, [3,3,3,2]; got f32[2].");
  EXPECT_EQ(error({.features = 2, .kernel_size = 3, .padding = Padding::kReflect}, np::ones({1, 0, 2})),
            "ShapeError: conv: an input that goes on with itself must not be empty; got f32[1,0,2].");
}

// ---- ConvLocal ----

TEST(conv_local, has_a_kernel_at_every_place) {
  // As in Flax's documentation: kernel [6, 9, 4], bias [6, 4].
  const ConvLocal layer{.features = 4, .kernel_size = {3}, .padding = Padding::kValid, .param_dtype = f64};
  const Array x = draw({2, 8, 3}, 1);
  const Made m = made(layer, x);
  EXPECT_EQ(types(m.variables), (Texts{"params/bias f64[6,4]", "params/kernel f64[6,9,4]"}));
  const Doubles xv = values(x), k = values(m.kernel), b = values(m.bias);
  Doubles want;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t o = 0; o < 6; ++o)
      for (std::size_t f = 0; f < 4; ++f) {
        double sum = b[4 * o + f];
        for (std::size_t c = 0; c < 3; ++c)
          for (std::size_t w = 0; w < 3; ++w) sum += xv[24 * i + 3 * (o + w) + c] * k[36 * o + 4 * (3 * c + w) + f];
        want.push_back(sum);
      }
  EXPECT_TRUE(near(layer.apply(m.variables, x), want));
}

TEST(conv_local, with_equal_kernels_is_conv) {
  const Conv shared{.features = 2, .kernel_size = {3, 2}, .strides = {1, 2}, .param_dtype = f64};
  const ConvLocal layer{.features = 2, .kernel_size = {3, 2}, .strides = {1, 2}, .param_dtype = f64};
  const Array x = draw({2, 4, 3, 2}, 1);
  const Made m = made(shared, x);
  Variables v = layer.init(kKey, x);
  EXPECT_EQ(types(v), (Texts{"params/bias f64[4,2,2]", "params/kernel f64[4,2,12,2]"}));
  auto& p = v.at("params");
  const Array flat = np::reshape(np::moveaxis(m.kernel, 2, 0), {12, 2});  // features, then places
  p["kernel"] = np::broadcast_to(flat, {4, 2, 12, 2});
  p["bias"] = np::broadcast_to(m.bias, {4, 2, 2});
  EXPECT_TRUE(near(layer.apply(v, x), shared.apply(m.variables, x)));
  EXPECT_TRUE(near(layer.apply(v, x(0)), shared.apply(m.variables, x(0))));
}

TEST(conv_local, has_right_gradients) {
  const ConvLocal layer{.features = 2, .kernel_size = {2}, .padding = Padding::kCircular, .param_dtype = f64};
  const Array x = draw({2, 3, 2}, 1);
  expect_layer(layer, drawn(layer.init(kKey, x)), x);
  expect_same_bits(layer, x);
}

// ---- ConvTranspose ----

// The convolution of the dilated input; `reversed` reads kernel[k..., f, in] backwards.
Array transposed(const Array& x, Array kernel, const Sizes& strides, const Sizes& low, const Sizes& high,
                 const Sizes& kernel_dilation, bool reversed) {
  if (reversed) {
    const Sizes k = sizes(kernel);
    const std::size_t n = k.size() - 2;
    Sizes swapped = k;
    std::swap(swapped[n], swapped[n + 1]);
    const Doubles v = values(kernel);
    Doubles other;
    for (const Sizes& p : places(swapped)) {
      Sizes from = p;
      for (std::size_t i = 0; i < n; ++i) from[i] = k[i] - 1 - p[i];
      std::swap(from[n], from[n + 1]);
      other.push_back(v[at(k, from)]);
    }
    kernel = Array::from_vector(other, swapped);
  }
  return correlated(x, kernel, {Sizes(strides.size(), 1), low, high, strides, kernel_dilation});
}

TEST(conv_transpose, is_a_convolution_of_the_dilated_input) {
  const Array x = draw({2, 4, 3, 2}, 1);
  struct Case {
    Padding padding;
    Sizes low, high;
  };
  // By a kernel 3 x 2 and strides 2 x 3: pads are k - 1 and what is left of k + s - 2, or the larger half of it.
  const Case cases[] = {
      {Padding::kSame, {2, 1}, {1, 2}}, {Padding::kValid, {2, 1}, {2, 2}}, {{{1, 0}, {2, 3}}, {1, 2}, {0, 3}}};
  for (const Case& c : cases)
    for (const bool reversed : {false, true}) {
      const ConvTranspose layer{.features = 3,
                                .kernel_size = {3, 2},
                                .strides = {2, 3},
                                .padding = c.padding,
                                .param_dtype = f64,
                                .transpose_kernel = reversed};
      const Made m = made(layer, x);
      EXPECT_EQ(types(m.variables)[1], reversed ? "params/kernel f64[3,2,3,2]" : "params/kernel f64[3,2,2,3]");
      EXPECT_TRUE(
          near(layer.apply(m.variables, x), transposed(x, m.kernel, {2, 3}, c.low, c.high, {1, 1}, reversed) + m.bias))
          << Padding::mode_name(c.padding.mode()) << reversed;
    }
}

TEST(conv_transpose, of_dilated_kernels_pads_by_their_extent) {
  const ConvTranspose layer{.features = 2, .kernel_size = {3}, .strides = 2, .kernel_dilation = 2, .param_dtype = f64};
  const Array x = draw({1, 4, 2}, 1);
  const Made m = made(layer, x);  // extent 5: 5 zeros, of which 3 are before
  EXPECT_TRUE(near(layer.apply(m.variables, x), transposed(x, m.kernel, {2}, {3}, {2}, {2}, false) + m.bias));
}

TEST(conv_transpose, gives_what_flax_documents) {
  const auto shape = [](const ConvTranspose& layer, const np::Shape& x) {
    return Dims(layer.init_with_output(kKey, np::ones(x)).first.shape());
  };
  EXPECT_EQ(shape({.features = 4, .kernel_size = {3}, .padding = Padding::kValid}, {1, 8, 3}), Dims({1, 10, 4}));
  EXPECT_EQ(shape({.features = 4,
                   .kernel_size = {6, 6},
                   .strides = {2, 2},
                   .padding = Padding::kCircular,
                   .transpose_kernel = true},
                  {1, 15, 15, 3}),
            Dims({1, 30, 30, 4}));
  EXPECT_EQ(shape({.features = 2, .kernel_size = {3, 3}, .strides = 2}, {5, 4, 3}), Dims({10, 8, 2}));
}

TEST(conv_transpose, is_the_transpose_of_conv) {
  // <conv(x), y> = <x, conv_transpose(y)>, with the same kernel and without biases.
  for (const Padding::Mode mode : {Padding::kSame, Padding::kValid, Padding::kCircular})
    for (const std::int64_t k : {1, 2, 3, 4, 5})
      for (const std::int64_t stride : {1, 2, 3}) {
        const Conv forward{
            .features = 2, .kernel_size = k, .strides = stride, .padding = mode, .use_bias = false, .param_dtype = f64};
        const ConvTranspose back{.features = 3,
                                 .kernel_size = k,
                                 .strides = stride,
                                 .padding = mode,
                                 .use_bias = false,
                                 .param_dtype = f64,
                                 .transpose_kernel = true};
        // Going round, Flax puts the result where the transpose has it for these alone.
        if (mode == Padding::kCircular && (std::max<std::int64_t>(k - stride, 0) + 1) / 2 != (k - 1) / 2) continue;
        // Inputs that the windows fill.
        const std::int64_t n = mode == Padding::kValid ? 2 * stride + std::max(k, stride) : 3 * stride;
        const Array x = draw({1, n, 3}, 1);
        const Variables v = forward.init(kKey, x);
        const Array y = draw({1, forward.apply(v, x).shape(1), 2}, 2);
        const Array z = back.apply(v, y);
        ASSERT_EQ(z.shape(), x.shape()) << Padding::mode_name(mode) << k << stride;
        EXPECT_NEAR(np::sum(forward.apply(v, x) * y).item<double>(), np::sum(x * z).item<double>(), 1e-12)
            << Padding::mode_name(mode) << " kernel " << k << " stride " << stride;
      }
}

TEST(conv_transpose, that_goes_round_adds_what_lies_beyond) {
  const Array x = draw({1, 4, 2}, 1);
  for (const std::int64_t k : {2, 3, 4, 7, 12})
    for (const std::int64_t stride : {1, 2, 3})
      for (const bool reversed : {false, true}) {
        const ConvTranspose layer{.features = 1,
                                  .kernel_size = k,
                                  .strides = stride,
                                  .padding = Padding::kCircular,
                                  .use_bias = false,
                                  .param_dtype = f64,
                                  .transpose_kernel = reversed};
        const Variables v = layer.init(kKey, x);
        const std::int64_t beyond = std::max<std::int64_t>(k - stride, 0), period = 4 * stride;
        const Array whole =
            transposed(x, v.at("params").at("kernel"), {stride}, {k - 1}, {stride - 1 + beyond}, {1}, reversed);
        // Half of it is before the beginning; of an odd number, the last is there when the kernel is reversed.
        const std::int64_t before = reversed ? (beyond + 1) / 2 : beyond / 2;
        const Doubles y = values(whole);
        Doubles want(static_cast<std::size_t>(period), 0);
        for (std::size_t i = 0; i < y.size(); ++i)
          want[static_cast<std::size_t>(round_and_round(static_cast<std::int64_t>(i) - before, period))] += y[i];
        EXPECT_TRUE(near(layer.apply(v, x), want)) << k << " " << stride << reversed;
      }
}

TEST(conv_transpose, that_goes_round_knows_no_places) {
  // Turning the input by one turns the result by the stride.
  for (const bool reversed : {false, true}) {
    const ConvTranspose layer{.features = 2,
                              .kernel_size = {5},
                              .strides = 2,
                              .padding = Padding::kCircular,
                              .param_dtype = f64,
                              .transpose_kernel = reversed};
    const Array x = draw({1, 4, 2}, 1);
    const Variables v = drawn(layer.init(kKey, x));
    EXPECT_TRUE(near(layer.apply(v, np::roll(x, 1, 1)), np::roll(layer.apply(v, x), 2, 1)));
    expect_layer(layer, v, x);
  }
}

TEST(conv_transpose, has_right_gradients) {
  const Array x = draw({1, 3, 2, 2}, 1);
  for (const Padding& padding : {Padding(Padding::kSame), Padding(Padding::kValid)}) {
    const ConvTranspose layer{
        .features = 2, .kernel_size = {3, 2}, .strides = {2, 1}, .padding = padding, .param_dtype = f64};
    expect_layer(layer, drawn(layer.init(kKey, x)), x);
  }
}

TEST(conv_transpose, refuses_what_it_cannot_do) {
  const auto error = [](const ConvTranspose& layer) {
    return error_of([&] { layer.init(kKey, np::ones({1, 4, 3})); });
  };
  EXPECT_EQ(error({.features = 2, .kernel_size = 3, .padding = Padding::kReflect}),
            "ValueError: conv_transpose: padding must be kSame, kValid, kCircular or numbers; got kReflect.");
  EXPECT_EQ(error({.features = 2, .kernel_size = 3, .strides = 0}),
            "ValueError: conv_transpose: strides must be positive; got [0].");
}

}  // namespace
}  // namespace weft::nn

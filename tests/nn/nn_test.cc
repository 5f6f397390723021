// Layers together, by the one include: the model of the README, trained for a few steps.
#include "nn/nn.h"

#include <gtest/gtest.h>

#include "weft/weft.h"

namespace nn = weft::nn;
using weft::Array;

namespace {

struct Cnn : nn::Module<Cnn> {
  Array call(Array x) const {
    x = nn::relu(nn::Conv{.features = 32, .kernel_size = {3, 3}}(x));
    x = nn::avg_pool(x, {2, 2}, {.strides = 2});
    x = weft::np::reshape(x, {x.shape(0), -1});
    return nn::Dense{.features = 10}(x);
  }
};

TEST(nn, makes_a_model_that_learns) {
  const Cnn model;
  const Array images = weft::random::normal(weft::random::key(1), {8, 28, 28, 1});
  const Array labels = nn::one_hot(weft::np::arange(8), 10);
  nn::Variables variables = model.init(weft::random::key(0), weft::np::ones({1, 28, 28, 1}));
  EXPECT_EQ(variables.at("params").at("Conv_0/kernel").shape(), weft::Dims({3, 3, 1, 32}));
  EXPECT_EQ(variables.at("params").at("Dense_0/kernel").shape(), weft::Dims({6272, 10}));
  EXPECT_EQ(model.apply(variables, images).shape(), weft::Dims({8, 10}));

  const auto loss = [&](const nn::Variables& v) {
    return -weft::np::mean(weft::np::sum(labels * nn::log_softmax(model.apply(v, images)), -1));
  };
  const auto step = weft::jit([&](const nn::Variables& v) {
    const nn::Variables g = weft::grad(loss)(v);
    return weft::tree::map([](const Array& p, const Array& d) { return p - 0.05f * d; }, v, g);
  });
  const double before = loss(variables).item<double>();
  for (int i = 0; i < 5; ++i) variables = step(variables);
  EXPECT_LT(loss(variables).item<double>(), before / 2);
}

}  // namespace

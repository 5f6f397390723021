// A convolutional network on a batch of 128 digits of 28x28: two layers of 3x3 with averages of 2x2, two dense ones.
#include "models.h"

namespace workloads {

namespace {

struct Conv {
  Array kernel, b;
  Array operator()(const Array& x) const { return convolution_3x3(x, kernel) + b; }
};

struct Cnn {
  Conv a, b;
  Dense c, d;
};

Cnn make_cnn() {
  const auto conv = [](int seed, std::int64_t in, std::int64_t out) {
    return Conv{normal(seed, {3, 3, in, out}) * std::sqrt(1.0f / static_cast<float>(9 * in)), np::zeros({out})};
  };
  return {conv(0, 1, 32), conv(1, 32, 64), make_dense(2, 3136, 256), make_dense(3, 256, 10)};
}

Array logits(const Cnn& p, Array x) {
  x = average_pool_2x2(relu(p.a(x)));
  x = average_pool_2x2(relu(p.b(x)));
  return p.d(relu(p.c(np::reshape(x, {x.shape(0), 3136}))));
}

struct Momentum {
  Cnn params, velocity;
};

Momentum momentum_step(Momentum s, Array x, Array y) {
  const Cnn g = weft::grad([&](Cnn p) { return cross_entropy(logits(p, x), y); })(s.params);
  s.velocity = weft::tree::map([](const Array& v, const Array& d) { return 0.9f * v + d; }, s.velocity, g);
  s.params = sgd(s.params, s.velocity);
  return s;
}

}  // namespace

void add_cnn(Cases& cases) {
  constexpr double kInner = 196.0 * 9 * 32 * 64 + 3136 * 256 + 2560, kFirst = 784.0 * 9 * 32;
  const auto x = [] { return normal(4, {128, 28, 28, 1}); };
  cases.push_back(weft_case("train_mnist_cnn", "b128 sgdm", {.flops = 128 * (4 * kFirst + 6 * kInner)}, [=] {
    const Cnn p = make_cnn();
    const Cnn still = weft::tree::map([](const Array& a) { return np::zeros_like(a); }, p);
    return stepping(momentum_step, Momentum{p, still}, x(), labels(5, {128}, 10));
  }));
  cases.push_back(weft_case("infer_mnist_cnn", "b128", {.flops = 128 * 2 * (kFirst + kInner)}, [=] {
    return compiled([](Cnn p, Array images) { return logits(p, images); }, make_cnn(), x());
  }));
}

}  // namespace workloads

#include "optim/contrib_momo.h"

#include "harness/errors.h"
#include "optim/plain.h"

namespace weft::optim::contrib {
namespace {

using plain::dot;
using plain::expect_follows;
using plain::Rule;
using plain::Tree;
using testing::error_of;

// Optax's documentation assigns what update gives to the parameters themselves, without adding it; its numbers are
// those of that session.
template <class T>
std::vector<double> published_session(const T& opt) {
  const auto f = [](const Array& x) { return np::sum(np::square(x)); };
  Array x = np::array({1.f, 2.f, 3.f});
  auto state = opt.init(x);
  std::vector<double> values;
  for (int i = 0; i < 5; ++i) {
    const auto [value, g] = value_and_grad(f)(x);
    std::tie(x, state) = opt.update(g, state, x, {.value = value});
    values.push_back(f(x).template item<double>());
  }
  return values;
}
TEST(momo, gives_the_published_values) { EXPECT_EQ(published_session(momo()), (std::vector<double>{3.5, 0, 0, 0, 0})); }
TEST(momo_adam, gives_the_published_values) {
  // 3e-4 in exact arithmetic, for the first step is the learning rate times the sign; Optax prints 0.00029999594, for
  // it rounds 1 - 0.999 to f32.
  const std::vector<double> values = published_session(momo_adam());
  EXPECT_NEAR(values[0], 3e-4, 1e-10);
  EXPECT_EQ(std::vector<double>(values.begin() + 1, values.end()), (std::vector<double>{0, 0, 0, 0}));
}

struct Setting {
  double rate, lowest, decay;
  bool adapt;
};

Rule momo_rule(Setting o) {
  return [=, d = Tree(), loss = 0.0, gamma = 0.0, bound = 0.0](Tree& u, const Tree& p, int t, double value) mutable {
    if (t == 1) {
      d = plain::times(0, u);
      loss = gamma = 0;
      bound = o.lowest;
    }
    const double b = t == 1 ? 0 : 0.9, w = 1 + o.rate * o.decay;
    loss = b * loss + (1 - b) * value;
    gamma = b * gamma + (1 - b) * dot(u, p);
    d = plain::add(plain::times(b, d), 1 - b, u);
    const double square = dot(d, d), inner = dot(d, p);
    if (o.adapt) {
      const double cap = w * (loss - gamma) + inner;
      if (cap < w * bound) bound = std::max(cap / (2 * w), o.lowest);
    }
    const double step = std::min(o.rate, std::max(w * (loss - bound - gamma) + inner, 0.0) / square);
    u = plain::add(plain::times(-step, d), -o.rate * o.decay / w, p);
    if (o.adapt) bound = std::max(loss + inner - gamma - 0.5 * step * square, o.lowest);
  };
}
TEST(momo, follows_its_formula) {
  for (const Setting o : {Setting{1, 0, 0, false}, Setting{1e-3, 0, 0, false}, Setting{0.5, 0.2, 0.1, false}})
    expect_follows(momo(o.rate, {.lower_bound = o.lowest, .weight_decay = o.decay}), momo_rule(o), {.count = 6});
}
TEST(momo, estimates_the_lower_bound_when_asked) {
  for (const Setting o : {Setting{1, 0, 0, true}, Setting{0.5, -3, 0.1, true}})
    expect_follows(momo(o.rate, {.lower_bound = o.lowest, .weight_decay = o.decay, .adapt_lower_bound = true}),
                   momo_rule(o), {.count = 6});
}

Rule momo_adam_rule(Setting o) {
  return [=, d = Tree(), v = Tree(), loss = 0.0, gamma = 0.0, bound = 0.0](Tree& u, const Tree& p, int t,
                                                                           double value) mutable {
    if (t == 1) {
      d = v = plain::times(0, u);
      loss = gamma = 0;
      bound = o.lowest;
    }
    const double w = 1 + o.rate * o.decay, bias1 = 1 - std::pow(0.9, t), bias2 = 1 - std::pow(0.999, t);
    loss = 0.9 * loss + 0.1 * value;
    gamma = 0.9 * gamma + 0.1 * dot(u, p);
    d = plain::add(plain::times(0.9, d), 0.1, u);
    Tree direction = d;
    for (std::size_t i = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < u[i].size(); ++j) {
        v[i].x[j] = 0.999 * v[i].x[j] + 0.001 * u[i].x[j] * u[i].x[j];
        direction[i].x[j] /= 1e-8 + std::sqrt(v[i].x[j] / bias2);
      }
    const double square = dot(d, direction), inner = dot(d, p);
    if (o.adapt) {
      const double cap = w * (loss - gamma) + inner;
      if (cap < w * bias1 * bound) bound = std::max(cap / (2 * bias1 * w), o.lowest);
    }
    const double step = std::min(o.rate / bias1, std::max(w * (loss - bias1 * bound - gamma) + inner, 0.0) / square);
    u = plain::add(plain::times(-step, direction), -o.rate * o.decay / w, p);
    if (o.adapt) bound = std::max((loss + inner - gamma - 0.5 * step * square) / bias1, o.lowest);
  };
}
TEST(momo_adam, follows_its_formula) {
  for (const Setting o : {Setting{1e-2, 0, 0, false}, Setting{1, 0.2, 0.1, false}, Setting{1, -3, 0.1, true}})
    expect_follows(momo_adam(o.rate, {.lower_bound = o.lowest, .weight_decay = o.decay, .adapt_lower_bound = o.adapt}),
                   momo_adam_rule(o), {.count = 6});
}
TEST(momo, wants_the_loss) {
  const Array p = np::ones({2});
  EXPECT_EQ(error_of([&] { momo().update(p, momo().init(p), p); }),
            "ValueError: momo: extra.value must be the loss, which momo reads; got none.");
}
TEST(momo, refuses_hyperparameters_out_of_range) {
  EXPECT_EQ(error_of([] { momo(1.0, {.beta = 1}); }), "ValueError: momo: beta must be in [0, 1); got 1.0.");
  EXPECT_EQ(error_of([] { momo_adam(1.0, {.weight_decay = -1}); }),
            "ValueError: momo_adam: weight_decay must be 0 or more; got -1.0.");
}

}  // namespace
}  // namespace weft::optim::contrib

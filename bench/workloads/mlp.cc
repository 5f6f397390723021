// A perceptron 784-512-512-10 on a batch of 128: whole training steps.
#include "models.h"

namespace workloads {

namespace {

struct Mlp {
  Dense a, b, c;
};

Mlp make_mlp() { return {make_dense(0, 784, 512), make_dense(1, 512, 512), make_dense(2, 512, 10)}; }

Array loss(const Mlp& p, const Array& x, const Array& y) { return cross_entropy(p.c(relu(p.b(relu(p.a(x))))), y); }

Mlp gradient(const Mlp& params, const Array& x, const Array& y) {
  return weft::grad([&](Mlp p) { return loss(p, x, y); })(params);
}

Mlp sgd_step(Mlp p, Array x, Array y) { return sgd(p, gradient(p, x, y)); }

Adam<Mlp> adam_step(Adam<Mlp> s, Array x, Array y) {
  const Mlp g = gradient(s.params, x, y);
  return adam(std::move(s), g);
}

}  // namespace

void add_mlp(Cases& cases) {
  // The gradient of the images is not needed.
  constexpr double kFlops = 128.0 * (6.0 * (784 * 512 + 512 * 512 + 5120) - 2.0 * 784 * 512);
  const auto x = [] { return normal(3, {128, 784}); };
  const auto y = [] { return labels(4, {128}, 10); };
  cases.push_back(weft_case("train_mlp_sgd", "784-512-512-10 b128", {.flops = kFlops},
                            [=] { return stepping(sgd_step, make_mlp(), x(), y()); }));
  cases.push_back(weft_case("train_mlp_adam", "784-512-512-10 b128", {.flops = kFlops},
                            [=] { return stepping(adam_step, make_adam(make_mlp()), x(), y()); }));
}

}  // namespace workloads

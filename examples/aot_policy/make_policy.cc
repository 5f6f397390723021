// Trains a policy that balances a pole on a cart, and compiles it to policy.o and policy.h: an object file that a C
// program (balance.c) links with nothing else. The policy is trained by the gradient of what a simulation costs.
#include <cmath>
#include <cstdio>

#include "weft/weft.h"

namespace np = weft::np;
using weft::Array;

// Position, speed, angle and turning speed after a fiftieth of a second under `force`; every row is a cart of its own.
Array step(const Array& state, const Array& force) {
  const auto column = [&](int i) { return state(weft::ellipsis, i); };
  const Array speed = column(1), angle = column(2), turning = column(3);
  const Array s = np::sin(angle), c = np::cos(angle);
  const Array push = (10.0f * force + 0.05f * np::square(turning) * s) / 1.1f;
  const Array turns = (9.8f * s - c * push) / (0.5f * (4.0f / 3 - 0.1f * np::square(c) / 1.1f));
  const Array moves = push - 0.05f * turns * c / 1.1f;
  return state + 0.02f * np::stack({speed, moves, turning, turns}, -1);
}

struct Policy {
  Array w1, b1, w2, b2, w3, b3;
};
Array act(const Policy& p, const Array& state) {
  const Array h1 = np::tanh(np::matmul(state, p.w1) + p.b1);
  const Array h2 = np::tanh(np::matmul(h1, p.w2) + p.b2);
  return np::tanh(np::matmul(h2, p.w3) + p.b3)(weft::ellipsis, 0);
}

// The mean over two seconds of how far carts are from the middle and poles from upright.
Array cost(const Policy& p, const Array& start) {
  const auto next = [&](Array state) {
    Array now = step(state, act(p, state));
    const Array far = np::square(now) * np::array({0.1f, 0.01f, 1.0f, 0.01f});
    return std::pair(now, np::mean(np::sum(far, -1)));
  };
  return np::mean(weft::scan(next, start, weft::no_xs, {.length = 100}).second);
}

int main() {
  const auto keys = weft::random::split(weft::random::key(0), 4);
  const auto layer = [&](int k, std::int64_t in, std::int64_t out) {
    return weft::random::normal(keys(k), {in, out}) / std::sqrt(static_cast<float>(in));
  };
  Policy policy{layer(0, 4, 32), np::zeros({32}), layer(1, 32, 24), np::zeros({24}), layer(2, 24, 1), np::zeros({1})};
  Policy speed = weft::tree::map([](const Array& x) { return np::zeros_like(x); }, policy);

  const auto slope = weft::jit(weft::value_and_grad(cost));
  for (int i = 0; i < 400; ++i) {
    const Array start = 0.4f * weft::random::normal(weft::random::fold_in(keys(3), i), {32, 4});
    const auto [loss, gradient] = slope(policy, start);
    // Momentum, with gradients whose weights' part is of bounded length: poles that fall have steep ones.
    const Array length = np::sqrt(np::sum(np::stack(
        {np::sum(np::square(gradient.w1)), np::sum(np::square(gradient.w2)), np::sum(np::square(gradient.w3))})));
    const Array rate = 0.02f / np::maximum(length, 1.0f);
    speed = weft::tree::map([&](const Array& v, const Array& g) { return 0.9f * v + rate * g; }, speed, gradient);
    policy = weft::tree::map([](const Array& p, const Array& v) { return p - v; }, policy, speed);
    if (i % 100 == 99) std::printf("after %d steps the cost is %.4f\n", i + 1, loss.item<double>());
  }

  // The weights are captured, so they become part of the object file.
  const auto compiled = weft::compile([&](Array state) { return act(policy, state); }, weft::abstract(weft::f32, {4}));
  compiled.save_object("policy.o", "policy.h", {.name = "policy"});
  std::printf("policy.o and policy.h are written\n");
}

// A recurrent layer, LSTM of width 256, over 64 steps of a batch of 32.
#include "models.h"

namespace workloads {

namespace {

constexpr std::int64_t kWidth = 256, kSteps = 64, kBatch = 32;

struct Lstm {
  Dense input, state;  // to the four gates: input, forget, candidate, output
};
Lstm make_lstm() { return {make_dense(0, kWidth, 4 * kWidth), make_dense(1, kWidth, 4 * kWidth)}; }

struct Carry {
  Array h, c;
};

// The hidden states h[step, batch, width] of x[step, batch, width].
Array lstm(const Lstm& p, const Array& x) {
  const auto step = [&](Carry s, Array from_input) {
    const Array gates = from_input + p.state(s.h);
    const auto gate = [&](std::int64_t i) { return gates(weft::slice(), weft::slice(i * kWidth, (i + 1) * kWidth)); };
    s.c = lax::logistic(gate(1)) * s.c + lax::logistic(gate(0)) * np::tanh(gate(2));
    s.h = lax::logistic(gate(3)) * np::tanh(s.c);
    return std::pair(s, s.h);
  };
  // The inputs of all steps are known, so theirs is one product.
  const Array zero = np::zeros({kBatch, kWidth});
  return weft::scan(step, Carry{zero, zero}, p.input(x)).second;
}

Lstm sgd_step(Lstm params, Array x) {
  const Lstm g = weft::grad([&](Lstm p) {
    const Array h = lstm(p, x);
    return np::mean(h * h);
  })(params);
  return sgd(params, g);
}

}  // namespace

void add_lstm(Cases& cases) {
  constexpr double kFlops = 2.0 * kSteps * kBatch * 4 * kWidth * 2 * kWidth;
  const auto x = [] { return normal(2, {kSteps, kBatch, kWidth}); };
  cases.push_back(weft_case("train_lstm", "h256 s64 b32 sgd", {.flops = 3 * kFlops},
                            [=] { return stepping(sgd_step, make_lstm(), x()); }));
  cases.push_back(weft_case("infer_lstm", "h256 s64 b32", {.flops = kFlops},
                            [=] { return compiled([](Lstm p, Array xs) { return lstm(p, xs); }, make_lstm(), x()); }));
}

}  // namespace workloads

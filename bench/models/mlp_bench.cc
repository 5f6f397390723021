// The training step of a 784-512-512-10 perceptron on a batch of 128: loss, gradient, SGD with
// momentum. mlp_numpy.py is the same step in NumPy. The argument is the number of threads.
#include <benchmark/benchmark.h>

#include "weft/weft.h"

namespace {

using weft::Array;
namespace np = weft::np;

struct Dense {
  Array w, b;
};
struct Mlp {
  Dense a, b, c;
};
struct State {
  Mlp params, velocity;
};

Array loss(const Mlp& p, const Array& x, const Array& one_hot) {
  const Array h1 = np::maximum(np::matmul(x, p.a.w) + p.a.b, 0.0), h2 = np::maximum(np::matmul(h1, p.b.w) + p.b.b, 0.0);
  const Array logits = np::matmul(h2, p.c.w) + p.c.b;
  return -np::mean(np::sum((logits - np::logsumexp(logits, -1, true)) * one_hot, -1));
}

State step(State s, Array x, Array one_hot) {
  const Mlp g = weft::grad([&](Mlp p) { return loss(p, x, one_hot); })(s.params);
  s.velocity = weft::tree::map([](const Array& v, const Array& d) { return 0.9 * v + d; }, s.velocity, g);
  s.params = weft::tree::map([](const Array& p, const Array& v) { return p - 0.05 * v; }, s.params, s.velocity);
  return s;
}

State initial() {
  const Array key = weft::random::key(0);
  const auto dense = [&](int i, int in, int out) {
    return Dense{weft::random::normal(weft::random::fold_in(key, i), {in, out}) * std::sqrt(2.0 / in),
                 np::zeros({out})};
  };
  const Mlp p{dense(0, 784, 512), dense(1, 512, 512), dense(2, 512, 10)};
  return {p, weft::tree::map([](const Array& a) { return np::zeros_like(a); }, p)};
}

template <class F>
void run(benchmark::State& state, const F& f) {
  weft::set_num_threads(static_cast<int>(state.range(0)));
  State s = initial();
  const Array x = weft::random::uniform(weft::random::key(1), {128, 784});
  const Array one_hot =
      (weft::random::randint(weft::random::key(2), {128, 1}, 0, 10) == np::arange(10)).astype(weft::f32);
  s = f(s, x, one_hot);
  for (auto _ : state) s = f(std::move(s), x, one_hot);
}

void train_mlp_sgd_jit(benchmark::State& state) { run(state, weft::jit(step)); }
BENCHMARK(train_mlp_sgd_jit)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

void train_mlp_sgd_eager(benchmark::State& state) { run(state, step); }
BENCHMARK(train_mlp_sgd_eager)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

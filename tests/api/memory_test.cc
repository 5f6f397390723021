// What memory compiled programs say they take, and that training steps need little more than what is alive at once.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/compiler.h"
#include "harness/convolutions.h"
#include "weft/api/compile.h"
#include "weft/weft.h"

namespace weft {
namespace {

TEST(memory, of_a_program_is_told_in_bytes) {
  const Array w = np::arange(1000).astype(f32);
  const auto f = compile(
      {.donate = {0, 1}}, [&](Array x, Array, Array z) { return std::pair(x + z * w, np::sum(np::sort(z))); },
      abstract(f32, {1000}), abstract(f32, {7}), abstract(f32, {1000}));
  const ProgramMemory m = f.memory();
  EXPECT_EQ(m.arguments, 4000 + 28 + 4000);
  EXPECT_EQ(m.captured, 4000);
  EXPECT_EQ(m.outputs, 4004);
  EXPECT_GE(m.workspace, 4000);
  EXPECT_GE(m.workspace, m.workspace_at_least);
  EXPECT_GE(m.workspace_at_least, 4000);
  if (!testing::has_compiler()) return;
  EXPECT_EQ(m.in_place, 4000);
  EXPECT_EQ(m.unused, 28);
  EXPECT_LE(m.workspace, 8192);
  EXPECT_GT(m.code, 100);
  EXPECT_EQ(static_cast<std::size_t>(m.workspace), f.workspace_bytes());
  EXPECT_NE(m.str().find("workspace"), std::string::npos);
}

TEST(memory, of_a_loop_counts_what_its_body_needs) {
  if (!testing::has_compiler()) GTEST_SKIP() << "step by step, programs inside are not looked at";
  const auto f = compile(
      [](Array x) { return fori_loop(0, 3, [](Array, Array v) { return np::sort(v * 2.0f) + np::flip(v); }, x); },
      abstract(f32, {1 << 12}));
  EXPECT_GE(f.memory().workspace_at_least, 4 << 12);
}

// ---- training steps: gradient and momentum ----

template <class Params>
struct State {
  Params params, velocity;
};

template <class Params, class Loss>
auto train_step(Loss loss) {
  return [=](State<Params> s, Array x, Array y) {
    const Params g = grad([&](Params p) { return loss(p, x, y); })(s.params);
    s.velocity = tree::map([](const Array& v, const Array& d) { return 0.9f * v + d; }, s.velocity, g);
    s.params = tree::map([](const Array& p, const Array& v) { return p - 0.05f * v; }, s.params, s.velocity);
    return s;
  };
}

Array cross_entropy(const Array& logits, const Array& one_hot) {
  return -np::mean(np::sum((logits - np::logsumexp(logits, -1, true)) * one_hot, -1));
}

// What is planned needs at most a tenth more than what is alive at once, and, `measured`, so do the step's arguments,
// values and all that operations take inside.
template <class Params, class Loss>
void expect_small_peak(Loss loss, Params params, const Array& x, const Array& y, bool measured) {
  State<Params> state{params, tree::map([](const Array& a) { return np::zeros_like(a); }, params)};
  const auto step = compile({.donate = {0}}, train_step<Params>(loss), state, x, y);
  const ProgramMemory m = step.memory();
  SCOPED_TRACE(m.str());
  std::int64_t of_state = 0;
  tree::for_each(state, [&](const Array& a) { of_state += a.nbytes(); });
  EXPECT_EQ(m.outputs, of_state);
  ASSERT_GT(m.workspace_at_least, 0);
  EXPECT_LE(static_cast<double>(m.workspace), 1.1 * static_cast<double>(m.workspace_at_least));
  if (!testing::has_compiler()) return;
  EXPECT_EQ(m.in_place, of_state);
  EXPECT_EQ(m.unused, 0);
  if (!measured) return;
  state = step(state, x, y);
  for (int i = 0; i < 2; ++i) state = step(state, x, y);  // libraries have made what they keep
  reset_peak_memory();
  const std::int64_t before = memory_stats().live_bytes;
  state = step(state, x, y);
  const auto peak = static_cast<double>(memory_stats().peak_bytes - before);
  const auto held = static_cast<double>(m.arguments + m.captured);
  EXPECT_LE(peak + held, 1.1 * (static_cast<double>(m.workspace_at_least) + held));
}

Array normal(int i, const Shape& shape, double fan_in) {
  return random::normal(random::fold_in(random::key(0), i), shape) * static_cast<float>(std::sqrt(2.0 / fan_in));
}
Array classes(std::int64_t n) { return (random::randint(random::key(2), {n, 1}, 0, 10) == np::arange(10)).astype(f32); }

struct Dense {
  Array w, b;
};
Dense dense(int i, int in, int out) {
  return {normal(i, {in, out}, in), np::copy(np::zeros({out}) + normal(i, {out}, 1e6))};
}

TEST(memory, a_training_step_of_a_perceptron_needs_what_is_alive_at_once) {
  struct Mlp {
    Dense a, b, c;
  };
  const auto loss = [](const Mlp& p, const Array& x, const Array& y) {
    const Array h1 = np::maximum(np::matmul(x, p.a.w) + p.a.b, 0.0f);
    const Array h2 = np::maximum(np::matmul(h1, p.b.w) + p.b.b, 0.0f);
    return cross_entropy(np::matmul(h2, p.c.w) + p.c.b, y);
  };
  expect_small_peak(loss, Mlp{dense(0, 784, 512), dense(1, 512, 512), dense(2, 512, 10)},
                    random::uniform(random::key(1), {128, 784}), classes(128), true);
}

TEST(memory, a_training_step_of_a_convolutional_network_needs_what_is_alive_at_once) {
  struct Cnn {
    Array k1, k2;
    Dense out;
  };
  const auto conv = [](const Array& x, const Array& k) {
    return np::maximum(lax::convolution(x, k, testing::same_3x3()), 0.0f);
  };
  const auto pool = [](const Array& x) {
    return lax::reduce_window(x, ReduceKind::kMax,
                              {.dimensions = {1, 2, 2, 1},
                               .strides = {1, 2, 2, 1},
                               .base_dilations = {1, 1, 1, 1},
                               .window_dilations = {1, 1, 1, 1},
                               .padding_low = {0, 0, 0, 0},
                               .padding_high = {0, 0, 0, 0}});
  };
  const auto loss = [=](const Cnn& p, const Array& x, const Array& y) {
    const Array h = pool(conv(pool(conv(x, p.k1)), p.k2));
    return cross_entropy(np::matmul(np::reshape(h, {x.shape(0), -1}), p.out.w) + p.out.b, y);
  };
  expect_small_peak(loss, Cnn{normal(0, {3, 3, 1, 16}, 9), normal(1, {3, 3, 16, 32}, 144), dense(2, 7 * 7 * 32, 10)},
                    random::uniform(random::key(1), {32, 28, 28, 1}), classes(32),
                    /*measured=*/false);  // the library reorders images and kernels into memory of its own
}

TEST(memory, a_training_step_of_a_transformer_needs_what_is_alive_at_once) {
  struct Layer {
    Array qkv, out;
    Dense up, down;
  };
  struct Transformer {
    std::vector<Layer> layers;
    Dense head;
  };
  const auto norm = [](const Array& x) {
    const Array centred = x - np::mean(x, -1, true);
    return centred * lax::rsqrt(np::mean(centred * centred, -1, true) + 1e-5f);
  };
  const auto loss = [=](const Transformer& p, Array x, const Array& y) {
    const std::int64_t batch = x.shape(0), length = x.shape(1), width = x.shape(2), heads = 4;
    for (const Layer& l : p.layers) {
      const Array qkv = np::reshape(np::matmul(norm(x), l.qkv), {batch, length, 3, heads, width / heads});
      const Array q = qkv(slice(), slice(), 0), k = qkv(slice(), slice(), 1), v = qkv(slice(), slice(), 2);
      const Array scores = np::einsum("bqhd,bkhd->bhqk", q, k) * 0.25f;
      const Array weights = np::exp(scores - np::logsumexp(scores, -1, true));
      const Array mixed = np::reshape(np::einsum("bhqk,bkhd->bqhd", weights, v), {batch, length, width});
      x = x + np::matmul(mixed, l.out);
      const Array hidden = np::matmul(norm(x), l.up.w) + l.up.b;
      x = x + np::matmul(hidden * (np::tanh(hidden) + 1.0f), l.down.w) + l.down.b;
    }
    return cross_entropy(np::matmul(np::mean(x, 1), p.head.w) + p.head.b, y);
  };
  Transformer params;
  for (int i = 0; i < 3; ++i)
    params.layers.push_back({normal(10 * i, {64, 192}, 64), normal(10 * i + 1, {64, 64}, 64),
                             dense(10 * i + 2, 64, 256), dense(10 * i + 3, 256, 64)});
  params.head = dense(99, 64, 10);
  expect_small_peak(loss, params, random::uniform(random::key(1), {16, 32, 64}), classes(16), true);
}

}  // namespace
}  // namespace weft

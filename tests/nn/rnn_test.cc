// Cells over time, beside the same cells called step by step.
#include "nn/rnn.h"

#include <gtest/gtest.h>

#include "nn/checks.h"
#include "nn/recurrent.h"
#include "weft/weft.h"

namespace weft::nn {
namespace {

const Array kKey = random::key(0);

// Step by step; `order` are the steps.
template <class Cell, class Carry>
std::pair<Carry, std::vector<Array>> by_hand(const Cell& cell, const Variables& rnn, Carry carry, const Array& x,
                                             const std::vector<int>& order) {
  const Variables own = below(rnn, "cell");
  std::vector<Array> ys(order.size());
  for (const int t : order) std::tie(carry, ys[static_cast<std::size_t>(t)]) = cell.apply(own, carry, x(slice(), t));
  return {carry, ys};
}
std::vector<int> steps(int n) {
  std::vector<int> r(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) r[static_cast<std::size_t>(i)] = i;
  return r;
}
bool close(const Array& a, const Array& b) { return np::allclose(a, b, 1e-5, 1e-6).item<bool>(); }

TEST(rnn, runs_a_cell_over_time) {
  const LSTMCell cell{.features = 3};
  const RNN<LSTMCell> rnn{.cell = cell};
  const Array x = random::normal(random::key(1), {2, 5, 4});
  const Variables v = rnn.init(kKey, x);
  EXPECT_EQ(v.at("params").size(), 12u);
  EXPECT_TRUE(v.at("params").contains("cell/hf/bias"));
  const auto [carry, ys] = by_hand(cell, v, cell.initialize_carry(kKey, {2, 4}), x, steps(5));
  EXPECT_TRUE(close(rnn.apply(v, x), np::stack(ys, 1)));
  const auto [last, y] = rnn.apply_method([](const auto& m, const Array& a) { return m.with_carry(a); }, v, {}, x);
  EXPECT_TRUE(close(last.first, carry.first));
  EXPECT_TRUE(close(last.second, carry.second));
  EXPECT_TRUE(close(y, np::stack(ys, 1)));
  // Time first; several steps a round.
  EXPECT_TRUE(close(RNN<LSTMCell>{.cell = cell, .time_major = true, .unroll = 2}.apply(v, np::swapaxes(x, 0, 1)),
                    np::stack(ys, 0)));
}

TEST(rnn, goes_on_from_a_carry) {
  const GRUCell cell{.features = 3};
  const RNN<GRUCell> rnn{.cell = cell};
  const Array x = random::normal(random::key(1), {2, 6, 4});
  const Variables v = rnn.init(kKey, x);
  const auto run = [&](const Array& part, const Sequences<Array>& how) {
    return rnn.apply_method([&](const auto& m, const Array& a) { return m.with_carry(a, how); }, v, {}, part);
  };
  const auto [half, first] = run(x(slice(), slice(0, 4)), {});
  const auto [end, second] = run(x(slice(), slice(4, 6)), {.initial_carry = half});
  EXPECT_TRUE(close(np::concatenate(std::vector{first, second}, 1), rnn.apply(v, x)));
}

TEST(rnn, runs_backwards) {
  const SimpleCell cell{.features = 3};
  const Array x = random::normal(random::key(1), {2, 5, 4});
  const Variables v = RNN<SimpleCell>{.cell = cell}.init(kKey, x);
  std::vector<int> order = steps(5);
  std::reverse(order.begin(), order.end());
  const auto [carry, ys] = by_hand(cell, v, cell.initialize_carry(kKey, {2, 4}), x, order);
  const Array kept = np::stack(ys, 1);
  EXPECT_TRUE(close(RNN<SimpleCell>{.cell = cell, .reverse = true, .keep_order = true}.apply(v, x), kept));
  EXPECT_TRUE(close(RNN<SimpleCell>{.cell = cell, .reverse = true}.apply(v, x), np::flip(kept, 1)));
}

TEST(rnn, sequences_have_lengths) {
  const LSTMCell cell{.features = 3};
  const RNN<LSTMCell> rnn{.cell = cell};
  const Array x = random::normal(random::key(1), {3, 5, 4});
  const std::vector<int> lengths{5, 2, 3};
  const Variables v = rnn.init(kKey, x);
  for (const bool reverse : {false, true}) {
    const auto [carry, y] = rnn.apply_method(
        [&](const auto& m, const Array& a) {
          return m.with_carry(a, {.seq_lengths = Array(lengths), .reverse = reverse, .keep_order = true});
        },
        v, {}, x);
    for (int i = 0; i < 3; ++i) {
      const int n = lengths[static_cast<std::size_t>(i)];
      std::vector<int> order = steps(n);
      if (reverse) std::reverse(order.begin(), order.end());
      const auto [own, ys] = by_hand(cell, v, cell.initialize_carry(kKey, {1, 4}), x(slice(i, i + 1)), order);
      EXPECT_TRUE(close(carry.first(slice(i, i + 1)), own.first)) << i << reverse;
      EXPECT_TRUE(close(carry.second(slice(i, i + 1)), own.second)) << i << reverse;
      EXPECT_TRUE(close(y(i, slice(0, n)), np::stack(ys, 1)(0))) << i << reverse;
    }
  }
}

TEST(rnn, convolutional_cells_have_more_axes_of_features) {
  const ConvLSTMCell cell{.features = 2, .kernel_size = {3, 3}};
  const RNN<ConvLSTMCell> rnn{.cell = cell};
  const Array x = random::normal(random::key(1), {2, 3, 4, 5, 1});
  const Variables v = rnn.init(kKey, x);
  const auto [carry, ys] = by_hand(cell, v, cell.initialize_carry(kKey, {2, 4, 5, 1}), x, steps(3));
  EXPECT_TRUE(close(rnn.apply(v, x), np::stack(ys, 1)));
}

TEST(rnn, both_directions_are_one_behind_the_other) {
  const Array x = random::normal(random::key(1), {2, 5, 4});
  using Layer = RNN<SimpleCell>;
  const Bidirectional<Layer, Layer> both{.forward_rnn = {.cell = {.features = 3}},
                                         .backward_rnn = {.cell = {.features = 2}}};
  const Variables v = both.init(kKey, x);
  EXPECT_EQ(v.at("params").size(), 6u);
  const Array y = both.apply(v, x);
  EXPECT_TRUE(close(y(ellipsis, slice(0, 3)), Layer{.cell = {.features = 3}}.apply(below(v, "forward_rnn"), x)));
  EXPECT_TRUE(close(y(ellipsis, slice(3, 5)), Layer{.cell = {.features = 2}, .reverse = true, .keep_order = true}.apply(
                                                  below(v, "backward_rnn"), x)));
}

TEST(rnn, its_members_hold_where_a_call_says_nothing) {
  const GRUCell cell{.features = 3};
  const RNN<GRUCell> back{.cell = cell, .reverse = true, .keep_order = true};
  const Array x = random::normal(random::key(1), {2, 5, 4}), start = random::normal(random::key(2), {2, 3});
  const Variables v = back.init(kKey, x);
  const Sequences<Array> told{
      .initial_carry = start, .seq_lengths = np::array({5, 3}), .reverse = true, .keep_order = true};
  const auto with_carry = [](const auto& m, const Array& a, const Sequences<Array>& how) {
    return m.with_carry(a, how);
  };
  const auto [carry, y] = RNN<GRUCell>{.cell = cell}.apply_method(with_carry, v, {}, x, told);
  const auto [own_carry, own_y] = back.apply_method(
      with_carry, v, {}, x, Sequences<Array>{.initial_carry = start, .seq_lengths = np::array({5, 3})});
  EXPECT_TRUE(close(own_carry, carry));
  EXPECT_TRUE(close(own_y, y));
  EXPECT_TRUE(close(
      back.apply(v, ApplyOptions(), x, Sequences<Array>{.initial_carry = start, .seq_lengths = np::array({5, 3})}), y));
  // And what a call says holds against them.
  EXPECT_TRUE(close(back.apply(v, ApplyOptions(), x, Sequences<Array>{.reverse = false, .keep_order = false}),
                    RNN<GRUCell>{.cell = cell}.apply(v, x)));
  EXPECT_TRUE(close(back.apply(v, ApplyOptions(), np::swapaxes(x, 0, 1), Sequences<Array>{.time_major = true}),
                    np::swapaxes(back.apply(v, x), 0, 1)));
}

TEST(rnn, a_carry_may_begin_at_random) {
  const GRUCell cell{.features = 3, .carry_init = initializers::normal(1)};
  const RNN<GRUCell> rnn{.cell = cell};
  const Array x = random::normal(random::key(1), {2, 5, 4}), key = random::key(7);
  const Variables v = rnn.init(kKey, x);
  const auto run = [&](const Sequences<Array>& how) { return rnn.apply(v, ApplyOptions(), x, how); };
  EXPECT_TRUE(close(run({.init_key = key}), run({.initial_carry = cell.initialize_carry(key, {2, 4})})));
  EXPECT_TRUE(close(run({}), run({.initial_carry = cell.initialize_carry(random::key(0), {2, 4})})));
  EXPECT_FALSE(close(run({.init_key = key}), run({})));
}

// Keys of steps are those after a trace of the cell: see nn::scan.
struct Noisy : Module<Noisy> {
  std::pair<Array, Array> call(const Array& carry, const Array& x) const {
    const Array y = x + random::normal(make_rng("noise"), x.shape());
    return {carry, y};
  }
  Array initialize_carry(const Array&, const np::Shape&) const { return Array(0.0f); }
  int num_feature_axes() const { return 1; }
};
TEST(rnn, steps_have_keys_of_their_own_where_they_are_split) {
  const Array x = np::zeros({3, 2}), key = random::key(5);
  const auto run = [&](bool split) {
    return RNN<Noisy>{.split_rngs = {{"noise", split}}}.apply({}, ApplyOptions{.rngs = {{"noise", key}}}, x);
  };
  const Array same = run(false), other = run(true);
  for (int t = 0; t < 3; ++t) {
    const auto noise = [&](const Array& k) {
      return random::normal(random::fold_in(k, detail::path_hash("cell", 2)), {2});
    };
    EXPECT_TRUE(close(same(t), noise(key)));
    EXPECT_TRUE(close(other(t), noise(random::split(key, 3)(t))));
  }
}

TEST(rnn, both_directions_have_carries_and_merge_as_told) {
  const Array x = random::normal(random::key(1), {2, 5, 4}), key = random::key(7);
  using Layer = RNN<GRUCell>;
  const GRUCell cell{.features = 3, .carry_init = initializers::normal(1)};
  using Both = Bidirectional<Layer, Layer>;
  const Both both{.forward_rnn = {.cell = cell}, .backward_rnn = {.cell = cell}};
  const Both sum{.forward_rnn = {.cell = cell},
                 .backward_rnn = {.cell = cell},
                 .merge_fn = [](const Array& a, const Array& b) { return a + b; },
                 .time_major = true};
  const Variables v = both.init(kKey, x);
  const auto with_carry = [](const auto& m, const Array& a, const auto& how) { return m.with_carry(a, how); };
  const auto [carry, y] = both.apply_method(with_carry, v, {}, x, Sequences<Both::Carry>{.init_key = key});
  const Array keys = random::split(key);
  const auto [last, ahead] = Layer{.cell = cell}.apply_method(with_carry, below(v, "forward_rnn"), {}, x,
                                                              Sequences<Array>{.init_key = keys(0)});
  const auto [first, back] =
      Layer{.cell = cell}.apply_method(with_carry, below(v, "backward_rnn"), {}, x,
                                       Sequences<Array>{.reverse = true, .keep_order = true, .init_key = keys(1)});
  EXPECT_TRUE(close(carry.first, last));
  EXPECT_TRUE(close(carry.second, first));
  EXPECT_TRUE(close(y, np::concatenate(std::vector{ahead, back}, -1)));
  // From these carries, merged otherwise, time first.
  const Sequences<Both::Carry> again{
      .initial_carry = Both::Carry(cell.initialize_carry(keys(0), {2, 4}), cell.initialize_carry(keys(1), {2, 4}))};
  EXPECT_TRUE(close(sum.apply(v, ApplyOptions(), np::swapaxes(x, 0, 1), again), np::swapaxes(ahead + back, 0, 1)));
  EXPECT_THROW(both.apply(v, ApplyOptions(), x, Sequences<Both::Carry>{.reverse = true}), ValueError);
}

TEST(rnn, gradients_of_both_directions_are_right) {
  using Layer = RNN<SimpleCell>;
  const SimpleCell cell{.features = 2, .param_dtype = f64};
  const Bidirectional<Layer, Layer> both{.forward_rnn = {.cell = cell}, .backward_rnn = {.cell = cell}};
  const Array x = testing::draw({2, 3, 2}, 1), lengths = np::array({3, 2});
  const Variables v = testing::drawn(both.init(kKey, x));
  testing::expect_layer(both, v, x);
  testing::expect_gradient(
      [&](const Collection& p) { return np::sum(np::sin(both.apply({{"params", p}}, x, lengths))); }, v.at("params"));
}

struct Stacked : Module<Stacked> {
  Array call(const Array& x) const {
    return RNN<GRUCell>{.cell = {.features = 2}}(RNN<GRUCell>{.cell = {.features = 3}}(x));
  }
};
TEST(rnn, layers_made_where_they_are_used_have_cells_of_their_own) {
  const Variables v = Stacked{}.init(kKey, np::ones({2, 5, 4}));
  EXPECT_TRUE(v.at("params").contains("RNN_0/cell/in/kernel"));
  EXPECT_EQ(v.at("params").at("RNN_1/cell/in/kernel").shape(), Dims({3, 2}));
}

TEST(rnn, gradients_are_those_of_the_steps) {
  const LSTMCell cell{.features = 3};
  const RNN<LSTMCell> rnn{.cell = cell};
  const Array x = random::normal(random::key(1), {2, 4, 3});
  const Variables v = rnn.init(kKey, x);
  const Variables fast = weft::jit(grad([&](const Variables& w) { return np::sum(np::sin(rnn.apply(w, x))); }))(v);
  const Variables slow = grad([&](const Variables& w) {
    const auto ys = by_hand(cell, w, cell.initialize_carry(kKey, {2, 3}), x, steps(4)).second;
    return np::sum(np::sin(np::stack(ys, 1)));
  })(v);
  for (const auto& [path, g] : slow.at("params")) EXPECT_TRUE(close(fast.at("params").at(path), g)) << path;
}

TEST(rnn, refuses_lengths_that_are_none) {
  const RNN<GRUCell> rnn{.cell = {.features = 3}};
  const Array x = np::ones({2, 5, 4});
  const Variables v = rnn.init(kKey, x);
  const auto run = [&](const Array& lengths) {
    return rnn.apply(v, ApplyOptions(), x, Sequences<Array>{.seq_lengths = lengths});
  };
  EXPECT_THROW(run(np::array({5, 5, 5})), ShapeError);
  EXPECT_THROW(run(np::array({5.0f, 5.0f})), ShapeError);
  EXPECT_THROW(rnn.apply(v, np::ones({4})), ShapeError);
}

}  // namespace
}  // namespace weft::nn

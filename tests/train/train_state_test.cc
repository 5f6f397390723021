#include "train/train_state.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optim.h"
#include "train/common_utils.h"
#include "train/early_stopping.h"
#include "train/msgpack.h"
#include "weft/base/error.h"
#include "weft/weft.h"

namespace weft::train {
namespace {

using testing::message_of;

// Gradient descent with momentum, in the form that optimiser libraries have.
struct Momentum {
  double rate, decay;
  template <class P>
  struct State {
    Array count;
    P trace;
  };
  template <class P>
  State<P> init(const P& params) const {
    return {Array(std::int32_t{0}), tree::map([](const Array& p) { return np::zeros_like(p); }, params)};
  }
  template <class P>
  std::pair<P, State<P>> update(const P& grads, const State<P>& state, const P&) const {
    const P trace = tree::map([&](const Array& g, const Array& t) { return g + t * decay; }, grads, state.trace);
    return {tree::map([&](const Array& t) { return t * -rate; }, trace), {state.count + 1, trace}};
  }
};

using Params = std::map<std::string, Array>;

TEST(train_state, optimisers_get_what_they_ask_for_beside_gradients) {
  const auto tx = optim::polyak_sgd({.max_learning_rate = 1});
  const Array w = np::array({3.0f, 4.0f});
  const auto state = create_train_state(w, tx);
  const auto [loss, grads] = value_and_grad([](Array p) { return np::sum(p * p); })(w);
  const auto next = state.apply_gradients(tx, grads, optim::Extra<Array>{.value = loss});
  const auto [updates, opt_state] = tx.update(grads, state.opt_state, w, {.value = loss});
  EXPECT_EQ(to_bytes(next.params), to_bytes(w + updates));
  EXPECT_EQ(next.step.item<std::int32_t>(), 1);
  EXPECT_THROW(state.apply_gradients(tx, grads), ValueError);  // without
}

TEST(train_state, gradients_move_parameters_and_count_steps) {
  const Momentum tx{0.5, 0.5};
  auto state = create_train_state(Params{{"w", np::ones({2})}, {"h", np::ones({1}).astype(bf16)}}, tx);
  const Params grads{{"w", np::full({2}, 1.0f)}, {"h", np::full({1}, 1.0f)}};
  const auto step = jit([=](const auto& s) { return s.apply_gradients(tx, grads); });
  state = step(step(state));
  EXPECT_EQ(state.step.item<std::int32_t>(), 2);
  EXPECT_EQ(state.params.at("w").to_vector<float>(), std::vector<float>(2, 1 - 0.5f - 0.75f));
  EXPECT_EQ(state.params.at("h").dtype(), bf16);
  EXPECT_EQ(state.opt_state.count.item<std::int32_t>(), 2);
  EXPECT_EQ(message_of<TreeError>([&] { state.apply_gradients(tx, Params{{"w", np::ones({2})}}); }),
            "apply_gradients: trees must have equal structure; got 2 entries and 1 entry at the root.");
}

// With the optimisers that there are: a chain with a schedule, clipping and momenta, stopped in the middle.
TEST(train_state, goes_through_jit_and_checkpoints_with_weft_optim) {
  const auto tx = optim::chain(
      optim::clip_by_global_norm(1.0),
      optim::adamw(optim::warmup_cosine_decay_schedule({.peak_value = 0.1, .warmup_steps = 2, .decay_steps = 30}),
                   {.weight_decay = 1e-3}));
  const Params params{{"Dense_0/kernel", np::zeros({3})}, {"Dense_0/bias", np::zeros({})}};
  const Array x = random::normal(random::key(1), {16, 3}), y = np::sum(x * np::array({1.0f, -2.0f, 0.5f}), 1) + 1;
  const auto loss = [=](const Params& p) {
    const Array error = np::sum(x * p.at("Dense_0/kernel"), 1) + p.at("Dense_0/bias") - y;
    return np::mean(error * error);
  };
  const auto step = jit([=](const auto& state) { return state.apply_gradients(tx, grad(loss)(state.params)); });
  auto whole = create_train_state(params, tx), stopped = whole;
  const TrainStateOf<Params, decltype(tx)> fresh = whole;
  for (int i = 0; i < 30; ++i) whole = step(whole);
  for (int i = 0; i < 11; ++i) stopped = step(stopped);
  auto resumed = from_bytes(fresh, to_bytes(stopped));
  while (resumed.step.template item<std::int32_t>() < 30) resumed = step(resumed);
  EXPECT_EQ(to_bytes(resumed), to_bytes(whole));
  EXPECT_LT(loss(whole.params).template item<float>(), 0.5f * loss(params).template item<float>());
}

TEST(train_state, files_have_flaxs_members) {
  const auto state = create_train_state(Params{{"w", np::ones({2})}}, Momentum{});
  const StateValue dict = to_state_dict(state);
  std::vector<std::string> keys;
  for (const StateEntry& e : *dict.get_if<StateDict>()) keys.push_back(e.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"step", "params", "opt_state"}));
  EXPECT_EQ(to_bytes(from_bytes(state, to_bytes(state))), to_bytes(state));
}

// As flax.training.early_stopping: tests/early_stopping_test.py.
TEST(early_stopping, stops_after_more_updates_without_improvement_than_patience) {
  EarlyStopping stop{.patience = 0};
  int updates = 0;
  for (const double loss : {10.0, 9.0, 9.0, 8.0}) {
    stop = stop.update(loss);
    if (stop.should_stop) break;
    ++updates;
  }
  EXPECT_EQ(updates, 2);
  EXPECT_EQ(stop.best_metric, 9);
  stop = EarlyStopping{.patience = 3};
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(stop.should_stop);
    stop = stop.update(1);
    EXPECT_EQ(stop.has_improved, i == 0);
  }
  EXPECT_FALSE(stop.should_stop);
  EXPECT_TRUE(stop.update(1).should_stop);
  EXPECT_TRUE(stop.update(1).update(0.5).should_stop);  // it stays
}

TEST(early_stopping, small_changes_and_nan_are_no_improvement) {
  EarlyStopping stop{.min_delta = 0.5, .patience = 0};
  stop = stop.update(1);
  EXPECT_TRUE(stop.update(0.6).should_stop);
  EXPECT_FALSE(stop.update(0.4).should_stop);
  EXPECT_TRUE(stop.update(std::nan("")).should_stop);
  EXPECT_EQ(EarlyStopping().update(std::nan("")).update(3).best_metric, 3);
  EXPECT_EQ(from_bytes(EarlyStopping(), to_bytes(stop)).best_metric, 1);
}

TEST(common_utils, batches_are_split_for_devices_and_joined) {
  const std::pair<Array, Array> batch{np::reshape(np::arange(12), {6, 2}), np::arange(6)};
  const auto parts = shard(batch, 3);
  EXPECT_EQ(parts.first.aval().str(), "i32[3,2,2]");
  EXPECT_EQ(parts.second.to_vector<std::int32_t>(), np::arange(6).to_vector<std::int32_t>());
  EXPECT_EQ(unshard(parts).first.to_vector<std::int32_t>(), batch.first.to_vector<std::int32_t>());
  EXPECT_EQ(message_of<ShapeError>([&] { shard(batch, 4); }),
            "shard: the first size must be a multiple of the positive number of shards; got i32[6,2] for 4.");
  EXPECT_EQ(message_of<ShapeError>([&] { unshard(batch); }), "unshard: arrays must have two axes or more; got i32[6].");
}

TEST(common_utils, equal_trees_are_stacked) {
  const std::vector<Params> forest{{{"a", np::ones({2})}}, {{"a", np::zeros({2})}}};
  EXPECT_EQ(stack_forest(forest).at("a").to_vector<float>(), (std::vector<float>{1, 1, 0, 0}));
  EXPECT_EQ(get_metrics(forest).at("a").to_vector<float>(), (std::vector<float>{1, 0}));
  EXPECT_THROW(stack_forest(std::vector<Params>()), ValueError);
  EXPECT_THROW(stack_forest(std::vector<Params>{forest[0], {{"b", np::ones({2})}}}), TreeError);
}

TEST(common_utils, labels_become_rows) {
  const Array rows = onehot(Array(std::vector<std::uint8_t>{2, 0, 255}), 3, 5, -1);
  EXPECT_EQ(rows.aval().str(), "f32[3,3]");
  EXPECT_EQ(rows.to_vector<float>(), (std::vector<float>{-1, -1, 5, 5, -1, -1, -1, -1, -1}));
  EXPECT_EQ(onehot(Array(std::uint8_t{3}), 300).to_vector<float>()[3], 1);
  EXPECT_THROW(onehot(np::zeros({2}), 3), DTypeError);
}

}  // namespace
}  // namespace weft::train

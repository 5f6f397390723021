// A run that is stopped anywhere and resumed from its checkpoint ends as if it had never stopped, bit for bit.
#include <gtest/gtest.h>

#include "temporary_folder.h"
#include "train/checkpoint.h"
#include "train/data.h"
#include "train/early_stopping.h"
#include "train/metrics.h"
#include "train/msgpack.h"
#include "train/train_state.h"
#include "weft/weft.h"

namespace weft::train {
namespace {

using Weights = std::map<std::string, Array>;

struct Descent {
  template <class P>
  Array init(const P&) const {
    return Array(1.0f);
  }
  // The rate shrinks, so that a lost state shows.
  template <class P>
  std::pair<P, Array> update(const P& grads, const Array& scale, const P&) const {
    return {tree::map([&](const Array& g) { return g * scale * -0.05; }, grads), scale * 0.97};
  }
};

struct RunState {
  TrainState<Weights, Array> state;
  Array key;
  metrics::FromOutput<metrics::Average, "loss"> loss;
  DataPosition position;
  EarlyStopping stopping;
};

struct Points {
  Array x, y;
};

Points points() {
  const Array x = random::normal(random::key(1), {40, 3});
  return {x, np::sum(x * np::array({1.0f, -2.0f, 0.5f}), 1)};
}

RunState fresh_run() {
  return {.state = create_train_state(Weights{{"Dense_0/kernel", np::zeros({3})}, {"Dense_0/bias", np::zeros({})}},
                                      Descent()),
          .key = random::key(7),
          .loss = decltype(RunState::loss)::empty(),
          .position = {},
          .stopping = {.patience = 100}};
}

// Takes steps until `last`, saving each; the state after them.
RunState run(const std::string& folder, std::int64_t last, CheckpointFormat format) {
  RunState s = restore_checkpoint(folder, fresh_run());
  Pipeline data(points(), {.batch_size = 6, .seed = 2, .remainder = Remainder::kPad, .prefetch = 2});
  data.seek(s.position);
  const auto loss = [](const Weights& w, const Points& batch, const Array& mask, const Array& noise) {
    const Array error = np::sum(batch.x * w.at("Dense_0/kernel"), 1) + w.at("Dense_0/bias") - batch.y + noise * 0.01;
    return np::sum(np::where(mask, error * error, 0.0f));
  };
  const auto step =
      jit([&](const TrainState<Weights, Array>& state, const Points& batch, const Array& mask, const Array& key) {
        const auto [value, grads] = value_and_grad(loss)(state.params, batch, mask, random::normal(key, {6}));
        return std::pair(state.apply_gradients(Descent(), grads), value);
      });
  for (std::int64_t n = s.state.step.item<std::int32_t>() + 1; n <= last; ++n) {
    const auto batch = data.next();
    const Array keys = random::split(s.key);
    s.key = keys(0);
    auto [state, value] = step(s.state, batch->examples, batch->mask, keys(1));
    s.state = state;
    s.loss = metrics::merge(s.loss, metrics::from_model_output<decltype(s.loss)>({{"loss", value}}));
    s.stopping = s.stopping.update(value.item<float>());
    s.position = data.position();
    save_checkpoint(folder, s, n, {.format = format});
  }
  return s;
}

TEST(resume, a_run_that_stops_anywhere_ends_as_if_it_had_not) {
  for (const CheckpointFormat format : {CheckpointFormat::kMsgpack, CheckpointFormat::kSafetensors}) {
    const TemporaryFolder whole;
    const auto expected = to_bytes(run(whole.path(), 16, format));
    for (const std::int64_t stop : {1, 6, 7, 11, 15}) {
      const TemporaryFolder parts;
      run(parts.path(), stop, format);
      EXPECT_EQ(to_bytes(run(parts.path(), 16, format)), expected) << stop;
    }
  }
}

}  // namespace
}  // namespace weft::train

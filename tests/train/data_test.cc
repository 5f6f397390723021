#include "train/data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "harness/errors.h"
#include "train/msgpack.h"
#include "train/shuffle.h"
#include "weft/base/error.h"
#include "weft/np/np.h"

namespace weft::train {
namespace {

using testing::message_of;

struct Numbered {
  Array x, y;
};
// Example i is {x: [i, i + 0.5], y: i}.
Numbered numbered(std::int64_t n) {
  std::vector<float> x;
  std::vector<std::int64_t> y;
  for (std::int64_t i = 0; i < n; ++i) {
    x.push_back(static_cast<float>(i));
    x.push_back(static_cast<float>(i) + 0.5f);
    y.push_back(i);
  }
  return {Array::from_vector(x, {n, 2}), Array(y)};
}

template <class P>
std::vector<std::vector<std::int64_t>> all_batches(P& pipeline, std::size_t most = 1000) {
  std::vector<std::vector<std::int64_t>> out;
  while (out.size() < most) {
    const auto batch = pipeline.next();
    if (!batch) break;
    out.push_back(batch->examples.y.template to_vector<std::int64_t>());
  }
  return out;
}

using Batches = std::vector<std::vector<std::int64_t>>;

auto pipeline_of(std::int64_t n, DataOptions options) { return Pipeline(numbered(n), std::move(options)); }

TEST(data, batches_hold_the_rows_of_their_examples) {
  auto data = pipeline_of(7, {.batch_size = 3, .shuffle = false, .num_epochs = 1});
  EXPECT_EQ(data.batches_per_epoch(), 2);
  const auto batch = data.next();
  EXPECT_EQ(batch->examples.x.to_vector<float>(), (std::vector<float>{0, 0.5f, 1, 1.5f, 2, 2.5f}));
  EXPECT_EQ(batch->examples.y.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(batch->size, 3);
  EXPECT_EQ(batch->mask.to_vector<bool>(), std::vector<bool>(3, true));
  EXPECT_EQ(all_batches(data), (Batches{{3, 4, 5}}));
  EXPECT_FALSE(data.next().has_value());
}

TEST(data, what_fills_no_batch_is_dropped_padded_or_kept) {
  const auto last = [](Remainder remainder) {
    auto data = pipeline_of(7, {.batch_size = 3, .shuffle = false, .remainder = remainder, .num_epochs = 1});
    std::optional<Batch<Numbered>> out;
    while (auto batch = data.next()) out = batch;
    return *out;
  };
  EXPECT_EQ(last(Remainder::kDrop).examples.y.to_vector<std::int64_t>(), (std::vector<std::int64_t>{3, 4, 5}));
  const auto padded = last(Remainder::kPad);
  EXPECT_EQ(padded.examples.y.to_vector<std::int64_t>(), (std::vector<std::int64_t>{6, 0, 0}));
  EXPECT_EQ(padded.examples.x.to_vector<float>(), (std::vector<float>{6, 6.5f, 0, 0, 0, 0}));
  EXPECT_EQ(padded.mask.to_vector<bool>(), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(padded.size, 1);
  const auto kept = last(Remainder::kKeep);
  EXPECT_EQ(kept.examples.y.to_vector<std::int64_t>(), std::vector<std::int64_t>{6});
  EXPECT_EQ(kept.mask.to_vector<bool>(), std::vector<bool>{true});
}

TEST(data, each_epoch_has_all_examples_in_an_order_of_its_own) {
  auto data = pipeline_of(12, {.batch_size = 4, .seed = 5, .num_epochs = 3});
  const Batches all = all_batches(data);
  ASSERT_EQ(all.size(), 9u);
  std::set<std::vector<std::int64_t>> orders;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::int64_t> order;
    for (std::size_t b = 0; b < 3; ++b) order.insert(order.end(), all[3 * epoch + b].begin(), all[3 * epoch + b].end());
    orders.insert(order);
    std::ranges::sort(order);
    for (std::int64_t i = 0; i < 12; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
  EXPECT_EQ(orders.size(), 3u);
  auto again = pipeline_of(12, {.batch_size = 4, .seed = 5, .num_epochs = 3});
  EXPECT_EQ(all_batches(again), all);
  auto other = pipeline_of(12, {.batch_size = 4, .seed = 6, .num_epochs = 3});
  EXPECT_NE(all_batches(other), all);
}

// Runs that were started with these numbers must find the same examples for ever.
TEST(shuffle, orders_are_the_same_for_ever) {
  EXPECT_EQ(shuffled(10, 0, 0), (std::vector<std::int64_t>{1, 4, 5, 0, 7, 6, 9, 8, 2, 3}));
  EXPECT_EQ(shuffled(10, 0, 1), (std::vector<std::int64_t>{7, 5, 9, 8, 6, 2, 4, 3, 1, 0}));
  EXPECT_EQ(shuffled(10, -1, 0), (std::vector<std::int64_t>{6, 5, 9, 2, 3, 7, 8, 0, 1, 4}));
  EXPECT_EQ(shuffled(1, 3, 3), std::vector<std::int64_t>{0});
  EXPECT_EQ(shuffled(0, 3, 3), std::vector<std::int64_t>{});
  EXPECT_EQ(message_of<ValueError>([] { shuffled(-1, 0, 0); }), "shuffled: n must not be negative; got -1.");
}

TEST(shuffle, all_orders_come_about_equally_often) {
  std::map<std::vector<std::int64_t>, int> counts;
  for (std::int64_t epoch = 0; epoch < 24000; ++epoch) ++counts[shuffled(4, 9, epoch)];
  ASSERT_EQ(counts.size(), 24u);
  double chi = 0;
  for (const auto& [order, n] : counts) chi += (n - 1000.0) * (n - 1000.0) / 1000;
  EXPECT_LT(chi, 60);  // 23 degrees of freedom: more than that once in 30000 tries
  // Each element is anywhere equally often, over seeds as over epochs.
  std::array<std::array<int, 10>, 10> places{};
  for (std::int64_t seed = 0; seed < 10000; ++seed) {
    const auto order = shuffled(10, seed, 0);
    for (std::size_t i = 0; i < 10; ++i) ++places[static_cast<std::size_t>(order[i])][i];
  }
  for (const auto& row : places)
    for (const int n : row) EXPECT_NEAR(n, 1000, 150);
}

TEST(data, shards_share_an_epoch_without_overlap) {
  for (const Remainder remainder : {Remainder::kDrop, Remainder::kPad, Remainder::kKeep}) {
    std::vector<std::int64_t> seen_examples;
    for (std::int64_t shard = 0; shard < 3; ++shard) {
      auto data = pipeline_of(
          20, {.batch_size = 2, .seed = 1, .remainder = remainder, .num_epochs = 1, .shard = shard, .num_shards = 3});
      std::int64_t batches = 0;
      for (; const auto batch = data.next(); ++batches) {
        const auto y = batch->examples.y.to_vector<std::int64_t>();
        seen_examples.insert(seen_examples.end(), y.begin(), y.begin() + batch->size);
      }
      EXPECT_EQ(batches, data.batches_per_epoch());
      if (remainder != Remainder::kKeep) {
        EXPECT_EQ(batches, remainder == Remainder::kDrop ? 3 : 4);
      }
    }
    std::ranges::sort(seen_examples);
    EXPECT_TRUE(std::ranges::adjacent_find(seen_examples) == seen_examples.end());
    EXPECT_EQ(seen_examples.size(), remainder == Remainder::kDrop ? 18u : 20u);
  }
}

TEST(data, a_shard_with_nothing_left_gets_padding_alone) {
  // 9 examples for 2 shards: 5 and 4, in batches of 4.
  auto data =
      pipeline_of(9, {.batch_size = 4, .remainder = Remainder::kPad, .num_epochs = 1, .shard = 1, .num_shards = 2});
  EXPECT_EQ(data.next()->size, 4);
  const auto padding = data.next();
  EXPECT_EQ(padding->size, 0);
  EXPECT_EQ(padding->mask.to_vector<bool>(), std::vector<bool>(4, false));
  EXPECT_EQ(padding->examples.x.aval().str(), "f32[4,2]");
  EXPECT_FALSE(data.next().has_value());
  const auto example = [](std::int64_t i) { return Array(i); };
  Pipeline made(FunctionSource(9, example),
                {.batch_size = 4, .remainder = Remainder::kPad, .num_epochs = 1, .shard = 1, .num_shards = 2});
  (void)made.next();
  EXPECT_EQ(made.next()->examples.to_vector<std::int64_t>(), std::vector<std::int64_t>(4, 0));
}

TEST(data, a_run_goes_on_exactly_where_it_was_stopped) {
  for (const int prefetch : {0, 1, 3}) {
    for (const Remainder remainder : {Remainder::kDrop, Remainder::kPad, Remainder::kKeep}) {
      const DataOptions options{
          .batch_size = 4, .seed = 3, .remainder = remainder, .num_epochs = 3, .prefetch = prefetch};
      auto whole = pipeline_of(18, options);
      const Batches all = all_batches(whole);
      for (std::size_t stop = 0; stop <= all.size(); ++stop) {
        auto first = pipeline_of(18, options);
        Batches joined = all_batches(first, stop);
        // Through a checkpoint's bytes.
        const DataPosition position = from_bytes(DataPosition(), to_bytes(first.position()));
        EXPECT_EQ(position, first.position());
        auto second = pipeline_of(18, options);
        second.seek(position);
        const Batches rest = all_batches(second);
        joined.insert(joined.end(), rest.begin(), rest.end());
        EXPECT_EQ(joined, all) << stop;
      }
    }
  }
}

TEST(data, positions_count_what_was_taken_not_what_was_made) {
  auto data = pipeline_of(100, {.batch_size = 10, .prefetch = 5});
  (void)data.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(data.position().batch, 1);
  const auto batch = data.next();
  EXPECT_EQ(batch->next.batch, 2);
  EXPECT_EQ(data.position(), batch->next);
  data.seek({});
  EXPECT_EQ(data.position().batch, 0);
}

TEST(data, positions_of_other_pipelines_are_refused) {
  auto data = pipeline_of(20, {.batch_size = 4, .seed = 1});
  const DataPosition position = data.position();
  for (const auto& [n, options] :
       std::vector<std::pair<std::int64_t, DataOptions>>{{21, {.batch_size = 4, .seed = 1}},
                                                         {20, {.batch_size = 5, .seed = 1}},
                                                         {20, {.batch_size = 4, .seed = 2}},
                                                         {20, {.batch_size = 4, .shuffle = false, .seed = 1}},
                                                         {20, {.batch_size = 4, .seed = 1, .num_shards = 2}}}) {
    auto other = pipeline_of(n, options);
    EXPECT_EQ(
        message_of<ValueError>([&] { other.seek(position); }),
        "seek: the position must be of a pipeline with the same options and number of examples; got one of another.");
  }
  auto same = pipeline_of(20, {.batch_size = 4, .seed = 1, .num_epochs = 7, .prefetch = 2});
  same.seek(position);
  EXPECT_EQ(message_of<ValueError>([&] { data.seek({.epoch = 1, .batch = 5}); }),
            "seek: the position must be an epoch from 0 and one of its 5 batches; got epoch 1, batch 5.");
  EXPECT_THROW(data.seek({.epoch = -1}), ValueError);
}

TEST(data, functions_make_examples_of_an_index_and_the_epoch) {
  const auto example = [](std::int64_t index, std::int64_t epoch) {
    return Numbered{Array(static_cast<float>(epoch)), Array(index)};
  };
  Pipeline data(FunctionSource(5, example), {.batch_size = 2, .shuffle = false, .num_epochs = 2, .prefetch = 2});
  Batches epochs;
  std::vector<float> xs;
  while (auto batch = data.next()) {
    epochs.push_back(batch->examples.y.to_vector<std::int64_t>());
    xs.push_back(batch->examples.x.to_vector<float>()[1]);
  }
  EXPECT_EQ(epochs, (Batches{{0, 1}, {2, 3}, {0, 1}, {2, 3}}));
  EXPECT_EQ(xs, (std::vector<float>{0, 0, 1, 1}));
}

TEST(data, examples_of_different_types_are_refused_by_name) {
  const auto uneven = [](std::int64_t i) { return np::zeros({i < 3 ? 2 : 3}); };
  Pipeline data(FunctionSource(6, uneven), {.batch_size = 2, .shuffle = false, .num_epochs = 1, .prefetch = 1});
  EXPECT_TRUE(data.next().has_value());
  for (int i = 0; i < 2; ++i)  // the error stays
    EXPECT_EQ(message_of<ShapeError>([&] { data.next(); }),
              "function_source: all examples must have the types of the first; got f32[3] for f32[2] of example 3.");
  data.seek({});
  EXPECT_TRUE(data.next().has_value());
}

TEST(data, bad_options_and_sources_are_refused) {
  const auto message = [](DataOptions options) { return message_of<ValueError>([&] { pipeline_of(4, options); }); };
  EXPECT_EQ(message({.batch_size = 0}), "pipeline: batch_size must be positive; got 0.");
  EXPECT_EQ(message({.shard = 2, .num_shards = 2}), "pipeline: shard must be from 0 and below num_shards; got 2.");
  EXPECT_EQ(message({.num_shards = 0}), "pipeline: num_shards must be positive; got 0.");
  EXPECT_EQ(message({.prefetch = -1}), "pipeline: prefetch must not be negative; got -1.");
  EXPECT_EQ(message({.num_epochs = -1}), "pipeline: num_epochs must not be negative; got -1.");
  EXPECT_EQ(message_of<ShapeError>([] { ArraySource<Numbered>(Numbered{np::zeros({3, 2}), np::zeros({4})}); }),
            "array_source: all arrays must have the same first size; got f32[4] at .y for f32[3,2] at .x.");
  EXPECT_THROW(ArraySource<Array>{Array(1.0f)}, ShapeError);
  EXPECT_THROW(ArraySource<std::vector<Array>>(std::vector<Array>()), ShapeError);
}

TEST(data, too_few_examples_give_no_batch_at_all) {
  for (const int prefetch : {0, 2}) {
    auto data = pipeline_of(3, {.batch_size = 4, .prefetch = prefetch});
    EXPECT_EQ(data.batches_per_epoch(), 0);
    EXPECT_FALSE(data.next().has_value());
    auto none = pipeline_of(0, {.batch_size = 4, .remainder = Remainder::kPad, .prefetch = prefetch});
    EXPECT_FALSE(none.next().has_value());
  }
}

TEST(data, every_dtype_is_gathered) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    const Array a = (np::arange(6) % 2).astype(compute_dtype(dtype)).astype(dtype);
    Pipeline data(a, {.batch_size = 6, .shuffle = false});
    const Array batch = data.next()->examples;
    EXPECT_EQ(batch.aval(), a.aval());
    EXPECT_EQ(to_bytes(batch), to_bytes(a));
  }
}

TEST(prefetch, runs_ahead_by_its_depth_and_no_more) {
  std::atomic<int> made = 0;
  Prefetcher<int> numbers([&]() -> std::optional<int> { return made++; }, 3);
  while (made < 4) std::this_thread::yield();
  // Three are ready, one waits for room; if there came more, they would come soon.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(made, 4);
  EXPECT_EQ(numbers.next(), 0);
  EXPECT_EQ(numbers.next(), 1);
}

TEST(prefetch, ends_and_errors_come_in_their_places) {
  int n = 0;
  Prefetcher<int> three([&]() -> std::optional<int> { return n < 3 ? std::optional<int>(n++) : std::nullopt; }, 5);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(three.next(), i);
  EXPECT_EQ(three.next(), std::nullopt);
  EXPECT_EQ(three.next(), std::nullopt);
  int m = 0;
  Prefetcher<int> failing(
      [&]() -> std::optional<int> {
        if (m == 2) throw ValueError("test: there must be more; got none.");
        return m++;
      },
      5);
  EXPECT_EQ(failing.next(), 0);
  EXPECT_EQ(failing.next(), 1);
  EXPECT_THROW(failing.next(), ValueError);
  EXPECT_THROW(failing.next(), ValueError);
  EXPECT_EQ(message_of<ValueError>([] { Prefetcher<int>([] { return std::optional<int>(); }, 0); }),
            "prefetcher: the depth must be positive; got 0.");
  EXPECT_EQ(message_of<ValueError>([] { Prefetcher<int>({}, 1); }),
            "prefetcher: there must be a function that makes the values; got none.");
}

}  // namespace
}  // namespace weft::train

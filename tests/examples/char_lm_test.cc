// What examples/char_lm is made of, its main program aside.
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "char_lm/corpus.h"
#include "char_lm/sample.h"
#include "char_lm/step.h"
#include "harness/errors.h"

namespace {

using namespace char_lm;
using weft::testing::error_of;

// ---- the text ----

TEST(corpus, characters_are_their_places_in_the_alphabet) {
  const std::string alphabet = alphabet_of("banana");
  EXPECT_EQ(alphabet, "abn");
  EXPECT_EQ(tokens_of("nab", alphabet), (Tokens{2, 0, 1}));
  const std::string known =
      "ValueError: char_lm: the model knows the characters of the text that it learned from alone";
  EXPECT_EQ(error_of([&] { tokens_of("bar", alphabet); }), known + "; got 'r'.");
  EXPECT_EQ(error_of([&] { tokens_of("ban\n", alphabet); }), known + "; got byte 10.");
}

// A text in which each token is its place.
Windows windows(std::int64_t size, std::int64_t length, std::optional<std::int64_t> seed) {
  Tokens tokens(static_cast<std::size_t>(size));
  std::iota(tokens.begin(), tokens.end(), std::uint8_t{0});
  return {std::move(tokens), length, seed};
}
Tokens all_rows(const Windows& windows, std::int64_t epoch) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(windows.size()));
  std::iota(all.begin(), all.end(), 0);
  return windows.batch(all, windows.size(), epoch).to_vector<std::uint8_t>();
}

TEST(corpus, each_character_is_predicted_once_in_an_epoch_wherever_its_windows_begin) {
  constexpr std::int64_t kLength = 7;
  for (const std::int64_t size : {22, 28, 29, 30, 200}) {
    const Windows cut = windows(size, kLength, 5);
    std::set<int> firsts;
    for (std::int64_t epoch = 0; epoch < 60; ++epoch) {
      const Tokens rows = all_rows(cut, epoch);
      ASSERT_EQ(std::ssize(rows), cut.size() * (kLength + 1));
      const int first = rows[0];
      firsts.insert(first);
      // One window goes on where the one before ended.
      for (std::int64_t i = 0; i < cut.size(); ++i)
        for (std::int64_t k = 0; k <= kLength; ++k)
          ASSERT_EQ(rows[static_cast<std::size_t>(i * (kLength + 1) + k)], first + i * kLength + k);
      ASSERT_LT(first + cut.size() * kLength, size);
    }
    EXPECT_EQ(firsts.size(), 7U);
    EXPECT_EQ(*firsts.rbegin(), 6);
  }
}

TEST(corpus, the_seed_decides_where_windows_begin_and_without_one_they_are_all_that_fit) {
  std::vector<int> some, others;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    some.push_back(all_rows(windows(40, 8, 1), epoch)[0]);
    others.push_back(all_rows(windows(40, 8, 2), epoch)[0]);
    EXPECT_EQ(all_rows(windows(41, 8, {}), epoch)[0], 0);
  }
  EXPECT_NE(some, others);
  EXPECT_EQ(windows(41, 8, {}).size(), 5);
  EXPECT_EQ(windows(40, 8, {}).size(), 4);
  EXPECT_EQ(windows(8, 8, {}).size(), 0);
  EXPECT_EQ(windows(8, 8, 1).size(), 0);
}

// ---- the model ----

constexpr int kCharacters = 11, kLayers = 2, kContext = 8;
const Transformer kModel{.sizes = {.characters = kCharacters, .layers = kLayers, .width = 16, .heads = 2}};
const nn::Collection& first() {
  static const nn::Collection params = first_params(kModel, kContext, weft::random::key(0));
  return params;
}

TEST(step, kernels_of_blocks_are_trained_by_muon) {
  int matrices = 0;
  for (const auto& [path, leaf] : weft::tree::leaves_with_path(first())) {
    const auto axes = matrix_axes(path, leaf);
    if (!axes) continue;
    ++matrices;
    std::int64_t in = 1, out = 1;
    for (const auto a : axes->reduction_axes) in *= leaf.shape(static_cast<int>(a));
    for (const auto a : axes->output_axes) out *= leaf.shape(static_cast<int>(a));
    EXPECT_EQ(in * out, leaf.size()) << path;
    EXPECT_EQ(in, path.ends_with("Dense_1/kernel']") ? 64 : 16) << path;
    EXPECT_EQ(out, path.ends_with("Dense_0/kernel']") ? 64 : 16) << path;
  }
  // Query, key, value, out and two of the feed-forward network in each block. The others are scales of normalised
  // queries and keys, the embedding and the last layer.
  EXPECT_EQ(matrices, 6 * kLayers);
  EXPECT_EQ(first().size(), 6U * kLayers + 2 * kLayers + 2);
}

// Parameters that are not zero, as those are that blocks and the last layer begin with.
nn::Collection some_params(int seed) {
  nn::Collection params = first();
  const Array key = weft::random::key(seed);
  int i = 0;
  for (auto& [path, leaf] : params) leaf = weft::random::normal(weft::random::fold_in(key, ++i), leaf.shape()) * 0.5;
  return params;
}

TEST(sample, a_prompt_that_fits_is_read_whole) {
  for (int seed = 0; seed < 5; ++seed) {
    const nn::Collection params = some_params(seed);
    Tokens tokens;
    for (int i = 0; i < kContext - 1; ++i) tokens.push_back(static_cast<std::uint8_t>((3 * i + seed) % kCharacters));
    const Array prompt = Array::from_vector(tokens, weft::Dims{1, kContext - 1}).astype(weft::i32);
    const Array logits = kModel.apply({{"params", params}}, prompt, np::arange(kContext - 1), true);
    const weft::Index last = -1;
    sample(kModel.sizes, params, tokens, 1, {.context = kContext, .temperature = 0}, [](std::uint8_t) {});
    EXPECT_EQ(tokens.back(), np::argmax(logits(0, last)).item<int>()) << seed;
  }
}

TEST(sample, text_may_be_longer_than_the_context) {
  const nn::Collection params = some_params(0);
  for (const int length : {1, kContext, 3 * kContext}) {
    Tokens tokens(static_cast<std::size_t>(length), std::uint8_t{1}), seen;
    sample(kModel.sizes, params, tokens, 20, {.context = kContext}, [&](std::uint8_t t) { seen.push_back(t); });
    EXPECT_EQ(std::ssize(tokens), length + 20);
    EXPECT_EQ(seen, Tokens(tokens.end() - 20, tokens.end()));
  }
}

TEST(sample, with_a_cache_logits_are_those_of_one_pass) {
  EXPECT_LT(cache_error(kModel.sizes, some_params(1), {1, 4, 9, 10, 0, 2, 2}), 1e-4f);
}

}  // namespace

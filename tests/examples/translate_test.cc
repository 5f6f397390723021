// What examples/translate is made of, its main program aside.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "harness/errors.h"
#include "train/file.h"
#include "translate/beam.h"
#include "translate/bleu.h"
#include "translate/bpe.h"
#include "translate/corpus.h"
#include "translate/transformer.h"
#include "translate/translator.h"

namespace translate {
namespace {

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
using Texts = std::vector<std::string>;
using Tokens = std::vector<std::int32_t>;

Tokens bytes(const std::string& text) {
  Tokens tokens;
  for (const char c : text) tokens.push_back(BytePairEncoding::kBytes + static_cast<unsigned char>(c));
  return tokens;
}

// ---- byte-pair encoding ----

TEST(bpe, words_have_the_space_before_them_and_end_where_the_kind_of_character_changes) {
  EXPECT_EQ(words_of("A dog's ball, 25!"), (Texts{" A", " dog", "'", "s", " ball", ",", " 25", "!"}));
  EXPECT_EQ(words_of("\t grün--  x1\n"), (Texts{" grün", "-", "-", " x", "1"}));
  EXPECT_EQ(words_of(" "), Texts{});
}

TEST(bpe, the_most_frequent_pair_is_joined_first_and_of_several_the_first) {
  // " a" and "ab" are there four times each, " a" is the first; then " ab" four times; "b" and "c" are together once.
  const Texts texts{"ab ab", "ab abc"};
  const BytePairEncoding encoding = BytePairEncoding::learn(texts, 1000);
  const std::int32_t first = BytePairEncoding::kBytes + 256;
  EXPECT_EQ(encoding.size(), first + 2);
  Tokens expected{first + 1, first + 1};
  for (const std::int32_t c : bytes("c b")) expected.push_back(c);
  EXPECT_EQ(encoding.encode("ab abc b"), expected);
  EXPECT_EQ(BytePairEncoding::learn(texts, first + 1).size(), first + 1);
}

TEST(bpe, a_byte_belongs_to_one_pair_at_a_time) {
  // "aa" is twice in each of two words, as the pairs overlap: it is joined from the left. Then come " aa", " aaa".
  const BytePairEncoding encoding = BytePairEncoding::learn(Texts{"aaa aaa"}, 1000);
  const std::int32_t first = BytePairEncoding::kBytes + 256;
  EXPECT_EQ(encoding.size(), first + 3);
  EXPECT_EQ(encoding.encode("aaa aa"), (Tokens{first + 2, first + 1}));
}

TEST(bpe, every_text_comes_back) {
  const BytePairEncoding encoding = BytePairEncoding::learn(Texts{"Zwei Männer, zwei Frauen.", "Zwei Männer"}, 300);
  for (const char* text : {"Zwei Männer, zwei Frauen.", "", "A „quote“ – of 1,000 things", "日本語 \U0001f600"})
    EXPECT_EQ(encoding.decode(encoding.encode(text)), text);
  EXPECT_EQ(encoding.decode(encoding.encode("  two   spaces ")), "two spaces");
}

TEST(bpe, decoding_ends_at_the_end_and_gives_characters) {
  const BytePairEncoding encoding = BytePairEncoding::learn(Texts{"ab ab"}, 260);
  Tokens tokens{BytePairEncoding::kBegin};
  for (const std::int32_t t : bytes("é")) tokens.push_back(t);
  tokens.push_back(BytePairEncoding::kEnd);
  tokens.push_back(bytes("x")[0]);
  EXPECT_EQ(encoding.decode(tokens), "é");
  tokens.erase(tokens.begin() + 2);  // the second byte
  EXPECT_EQ(encoding.decode(tokens), "\ufffd");
}

TEST(bpe, its_merges_give_the_same_encoding) {
  const Texts texts{"Zwei Männer, zwei Frauen.", "Zwei Männer"};
  const BytePairEncoding learned = BytePairEncoding::learn(texts, 300);
  const BytePairEncoding again = BytePairEncoding::of_merges(learned.merges());
  EXPECT_EQ(again.size(), learned.size());
  EXPECT_EQ(again.encode(texts[0]), learned.encode(texts[0]));
  EXPECT_EQ(again.merges(), learned.merges());
}

TEST(bpe, damaged_merges_are_refused) {
  for (const std::string line : {"300 35", "0 35", "35", ""})
    EXPECT_EQ(
        weft::testing::message_of<weft::ParseError>([&] { BytePairEncoding::of_merges(line + "\n"); }),
        "byte-pair encoding: each line of merges must name two tokens that are there already; got '" + line + "'.");
  EXPECT_THROW(BytePairEncoding::learn(Texts{"a"}, 259), weft::ValueError);
}

// ---- BLEU: the numbers are those of a transcription of the rules of sacrebleu 2 ----

TEST(bleu, tokens_are_those_of_13a) {
  EXPECT_EQ(tokenize_13a("A man's 1,000.5 dogs, e.g. \"big\" ones (10-12) cost $5/day!"),
            (Texts{"A",    "man's", "1,000.5", "dogs", ",",  "e", ".",    "g", ".", "\"", "big", "\"",
                   "ones", "(",     "10",      "-",    "12", ")", "cost", "$", "5", "/",  "day", "!"}));
  EXPECT_EQ(tokenize_13a("2-3 well-known, U.S. sites: a&amp;b &lt;x&gt; ... 3. 4,"),
            (Texts{"2", "-", "3", "well-known", ",", "U", ".", "S", ".", "sites", ":", "a",
                   "&", "b", "<", "x",          ">", ".", ".", ".", "3", ".",     "4", ","}));
  EXPECT_EQ(tokenize_13a("Männer – „ja“.,"), (Texts{"Männer", "–", "„ja“", ".", ","}));
  EXPECT_EQ(tokenize_13a(" \u00a0 "), Texts{});
}

TEST(bleu, the_same_sentence_has_100) {
  const Texts texts{"A man is sleeping on a couch.", "Two dogs run."};
  EXPECT_DOUBLE_EQ(corpus_bleu(texts, texts).score, 100);
}

TEST(bleu, is_the_geometric_mean_of_the_precisions) {
  // Of 7, 6, 5 and 4 n-grams all but the last are right: 6/7 5/6 4/5 3/4 = 3/7.
  const Bleu bleu = corpus_bleu(Texts{"a cat sat on the mat today"}, Texts{"a cat sat on the mat"});
  EXPECT_NEAR(bleu.precision[0], 600 / 7.0, 1e-9);
  EXPECT_NEAR(bleu.score, 100 * std::pow(3 / 7.0, 0.25), 1e-9);
  EXPECT_EQ(bleu.brevity_penalty, 1);
}

TEST(bleu, a_word_counts_as_often_as_the_reference_has_it) {
  const Bleu bleu = corpus_bleu(Texts{"the the the the the the the"}, Texts{"the cat is on the mat"});
  EXPECT_NEAR(bleu.precision[0], 200 / 7.0, 1e-9);
  EXPECT_NEAR(bleu.score, 7.809849842300637, 1e-9);
}

TEST(bleu, a_short_translation_is_penalized_over_the_whole_corpus) {
  const Bleu bleu = corpus_bleu(Texts{"A man is sleeping on a couch.", "Two dogs run."},
                                Texts{"A man sleeps on a green couch.", "Two dogs are running in the snow."});
  EXPECT_EQ(bleu.length, 12);
  EXPECT_EQ(bleu.reference_length, 16);
  EXPECT_NEAR(bleu.brevity_penalty, std::exp(1 - 16 / 12.0), 1e-9);
  EXPECT_NEAR(bleu.score, 11.979334178956782, 1e-9);
}

TEST(bleu, nothing_right_is_0_and_sizes_must_be_equal) {
  EXPECT_EQ(corpus_bleu(Texts{"x y z w v"}, Texts{"a b c d e"}).score, 0);
  EXPECT_EQ(corpus_bleu(Texts{""}, Texts{"a b c d e"}).score, 0);
  EXPECT_THROW(corpus_bleu(Texts{"a"}, Texts{}), weft::ShapeError);
}

// ---- batches ----

TEST(corpus, each_pair_is_in_one_batch_of_an_epoch_and_beside_others_in_the_next) {
  ParallelText text;
  for (int i = 0; i < 40; ++i) {
    text.source.push_back(std::string(static_cast<std::size_t>(i % 20), 'x') + std::to_string(i));
    text.target.push_back(std::to_string(i));
  }
  text.source.emplace_back(100, 'x');  // too long
  text.target.emplace_back("1");
  const BytePairEncoding encoding = BytePairEncoding::learn(Texts{"a"}, 1000);  // no two tokens are together twice
  const BatchesByLength batches(encoding, text, 100, 7);
  EXPECT_EQ(batches.num_pairs(), 40);
  std::vector<std::vector<std::string>> orders;
  for (const std::int64_t epoch : {0, 1}) {
    std::vector<std::string> order;
    for (std::int64_t i = 0; i < batches.size(); ++i) {
      const Sentences s = batches.batch({&i, 1}, 1, epoch);
      const std::int64_t length = s.source.shape(1);
      EXPECT_EQ(s.target.shape(1), length + 1);
      EXPECT_EQ(s.source.shape(0), 100 / length);
      for (std::int64_t row = 0; row < s.source.shape(0); ++row) {
        const std::string target = encoding.decode(s.target(row).to_vector<std::int32_t>());
        if (!target.empty()) order.push_back(target);
      }
    }
    EXPECT_EQ(std::set(order.begin(), order.end()).size(), 40U);
    EXPECT_EQ(order.size(), 40U);
    orders.push_back(order);
  }
  EXPECT_NE(orders[0], orders[1]);
}

// ---- beam search ----

// Log probabilities of a chain: what follows depends on the last token and the place.
struct Chain {
  std::vector<float> table;  // [longest, vocabulary, vocabulary]
  std::int64_t longest, vocabulary;
  float log_p(std::int64_t at, std::int64_t last, std::int64_t next) const {
    return table[static_cast<std::size_t>((at * vocabulary + last) * vocabulary + next)];
  }
  Tokens search(std::int64_t beams, double penalty) const {
    const Array p = Array::from_vector(table, weft::Dims{longest, vocabulary, vocabulary});
    // The cache counts the steps of each row, and so must follow its beam.
    const auto step = [&](const Array& last, const Array& position, const Array& count) {
      const Array wrong = np::where(count == position, 0.0f, -100.0f);
      return std::pair(p(position, last) + np::expand_dims(wrong, 1), count + 1);
    };
    const BeamSearch options{.beams = beams, .longest = longest, .penalty = penalty};
    const auto run = weft::jit([&](const Array& count) { return beam_search(options, 1, count, step); });
    return run(np::zeros({beams}, weft::i32)).to_vector<std::int32_t>();
  }
};

TEST(beam_search, two_beams_find_what_one_misses) {
  // Tokens: pad, begin, end, a, b. a is more probable than b, but nothing probable follows it.
  constexpr float kNo = -50;
  Chain chain{std::vector<float>(2 * 5 * 5, kNo), 2, 5};
  const auto set = [&](int at, int last, int next, double p) {
    chain.table[static_cast<std::size_t>((at * 5 + last) * 5 + next)] = static_cast<float>(std::log(p));
  };
  set(0, 1, 3, 0.6), set(0, 1, 4, 0.4);
  set(1, 3, 2, 0.4), set(1, 3, 3, 0.3), set(1, 3, 4, 0.3), set(1, 4, 2, 0.9);
  EXPECT_EQ(chain.search(1, 0), (Tokens{3, 2}));
  EXPECT_EQ(chain.search(2, 0), (Tokens{4, 2}));
}

TEST(beam_search, with_enough_beams_the_best_of_all_sentences_is_found) {
  constexpr std::int64_t kLongest = 4, kVocabulary = 5;
  std::set<Tokens> seen;
  for (int seed = 0; seed < 8; ++seed) {
    const Array logits = 2 * weft::random::normal(weft::random::key(seed), {kLongest, kVocabulary, kVocabulary});
    // Pad and begin are never said, and the end seldom.
    const Array rare = np::array({-50.0f, -50.0f, -2.0f, 0.0f, 0.0f});
    const Chain chain{nn::log_softmax(logits + rare).to_vector<float>(), kLongest, kVocabulary};
    for (const double penalty : {0.0, 1.0}) {
      double best = -1e9;
      Tokens found;
      const std::function<void(Tokens, double)> extend = [&](const Tokens& tokens, double log_p) {
        const auto n = static_cast<std::int64_t>(tokens.size());
        if (n > 0 && (tokens.back() == 2 || n == kLongest)) {
          const double score = log_p / std::pow((5 + static_cast<double>(n)) / 6, penalty);
          if (score > best) best = score, found = tokens;
          return;
        }
        for (std::int32_t next = 2; next < kVocabulary; ++next) {
          Tokens longer = tokens;
          longer.push_back(next);
          extend(longer, log_p + chain.log_p(n, n == 0 ? 1 : tokens.back(), next));
        }
      };
      extend({}, 0);
      found.resize(kLongest, 0);
      EXPECT_EQ(chain.search(40, penalty), found) << seed << " " << penalty;
      seen.insert(found);
    }
  }
  EXPECT_GT(seen.size(), 3U);
}

// ---- the model ----

const TransformerSizes kSizes{.vocabulary = 20, .layers = 2, .features = 16, .heads = 2, .hidden = 24};
const Transformer kModel{.sizes = kSizes};
const nn::Collection& params() {
  static const nn::Collection params = [] {
    const Array token = np::ones({1, 1}, weft::i32);
    return kModel.init(weft::random::key(3), token, token, false).at("params");
  }();
  return params;
}
Array tokens(std::int64_t seed, std::int64_t rows, std::int64_t length) {
  return weft::random::randint(weft::random::key(seed), {rows, length}, 3, kSizes.vocabulary);
}
Array logits(const Array& source, const Array& target) {
  return kModel.apply({{"params", params()}}, source, target, false);
}

TEST(transformer, what_comes_later_changes_nothing_before) {
  const Array source = tokens(1, 3, 7), target = tokens(2, 3, 6);
  const Array other = target.at(weft::ellipsis, weft::slice(4, 6)).set(5);
  const weft::Index before = weft::slice(0, 4);
  EXPECT_TRUE(np::allclose(logits(source, target)(weft::slice(), before), logits(source, other)(weft::slice(), before),
                           1e-5, 1e-5)
                  .item<bool>());
  EXPECT_FALSE(np::allclose(logits(source, target), logits(source, other), 1e-2, 1e-2).item<bool>());
}

TEST(transformer, padding_of_the_source_changes_nothing) {
  const Array source = tokens(1, 3, 7), target = tokens(2, 3, 6);
  const Array padded = np::pad(source, {{0, 0}, {0, 5}}, BytePairEncoding::kPad);
  EXPECT_TRUE(np::allclose(logits(source, target), logits(padded, target), 1e-5, 1e-5).item<bool>());
}

TEST(transformer, token_by_token_with_a_cache_gives_the_logits_of_the_whole) {
  // Two translations of each source.
  const Array source = tokens(1, 3, 7), target = tokens(2, 6, 5);
  const Array whole = logits(np::repeat(source, 2, 0), target);
  const Array memory = kModel.apply_method(&Transformer::encode, {{"params", params()}}, {}, source, false);
  nn::Collection cache = kModel
                             .init_method(&Transformer::decode, {.rngs = weft::random::key(0)}, memory, source,
                                          np::zeros({6, 5}, weft::i32), Decoding{.cached = true})
                             .second.at("cache");
  const auto step = weft::jit([&](const nn::Collection& cache, const Array& token, const Array& position) {
    auto [y, changed] = kModel.apply_mutable_method(&Transformer::decode, {{"params", params()}, {"cache", cache}},
                                                    {.mutable_collections = "cache"}, memory, source, token,
                                                    Decoding{.cached = true, .first = position});
    return std::pair(y, changed.at("cache"));
  });
  for (int t = 0; t < 5; ++t) {
    const auto [y, next] = step(cache, target(weft::slice(), weft::slice(t, t + 1)), Array(t));
    EXPECT_TRUE(np::allclose(y, whole(weft::slice(), weft::slice(t, t + 1)), 1e-4, 1e-4).item<bool>()) << t;
    cache = next;
  }
}

TEST(translate, one_beam_is_the_greedy_translation) {
  const Array source = tokens(1, 3, 7);
  const nn::Collection& known = params();  // made here: what is made while tracing is no value
  const auto greedy =
      weft::jit([&](const Array& source) { return search(kModel, known, source, {.beams = 1}); })(source);
  // The same from the whole decoder, again and again.
  Array target = np::full({3, 1}, BytePairEncoding::kBegin, weft::i32), finished = np::zeros({3}, weft::boolean);
  const weft::Index last = -1;
  for (std::int64_t t = 0; t < 6; ++t) {
    const Array next = np::argmax(logits(source, target)(weft::slice(), last), -1).astype(weft::i32);
    const Array said = np::where(finished, BytePairEncoding::kPad, next);
    EXPECT_TRUE(np::array_equal(said, greedy(weft::slice(), t)).item<bool>()) << t;
    finished = finished | (next == BytePairEncoding::kEnd);
    target = np::concatenate({target, np::expand_dims(next, 1)}, 1);
  }
}

TEST(translate, sentences_come_back_in_their_order_whatever_their_lengths) {
  const BytePairEncoding encoding = BytePairEncoding::learn(Texts{"a"}, 1000);
  Texts texts;
  for (int i = 0; i < 40; ++i)
    texts.emplace_back(static_cast<std::size_t>(1 + i * 7 % 20), static_cast<char>('a' + i % 26));
  // The "translation" repeats the source.
  const Texts same = translate(encoding, texts, [](const Array& source) { return source; });
  EXPECT_EQ(same, texts);
}

}  // namespace
}  // namespace translate

// What examples/seq2seq is made of, its main program aside.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/errors.h"
#include "seq2seq/sums.h"

namespace {

using seq2seq::all_sums, seq2seq::Sums;
using Texts = std::vector<std::string>;

Texts rows_of(const weft::Array& table) {
  Texts rows;
  for (std::int64_t i = 0; i < table.shape(0); ++i) {
    rows.emplace_back();
    for (const std::uint8_t c : table(i).to_vector<std::uint8_t>()) rows.back() += seq2seq::kAlphabet[c];
  }
  return rows;
}

TEST(sums, rows_are_a_question_or_its_answer_then_the_end_and_padding) {
  const auto [test, train] = all_sums(2, 100, 0);
  EXPECT_EQ(test.questions.shape(), (weft::Shape{test.size(), 6}));
  EXPECT_EQ(test.answers.shape(), (weft::Shape{test.size(), 5}));
  std::set<std::string> seen;
  for (const Sums& sums : {test, train}) {
    const Texts questions = rows_of(sums.questions), answers = rows_of(sums.answers);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const std::string question = questions[i].substr(0, questions[i].find('.'));
      const std::size_t plus = question.find('+');
      const int a = std::stoi(question.substr(0, plus)), b = std::stoi(question.substr(plus + 1));
      std::string asked = std::to_string(a) + "+" + std::to_string(b) + ".", answer = "=" + std::to_string(a + b) + ".";
      asked.resize(6, '_');
      answer.resize(5, '_');
      ASSERT_EQ(questions[i], asked);
      ASSERT_EQ(answers[i], answer);
      seen.insert(question);
    }
  }
  // Each is there once.
  EXPECT_EQ(seen.size(), 10000U);
  EXPECT_EQ(test.size() + train.size(), 10000);
}

TEST(sums, no_held_out_sum_has_its_mirror_in_training) {
  const auto [test, train] = all_sums(2, 100, 3);
  EXPECT_GE(test.size(), 100);
  EXPECT_LE(test.size(), 101);
  const auto pairs = [](const Sums& sums) {
    std::set<std::set<std::string>> out;
    for (const std::string& row : rows_of(sums.questions)) {
      const std::size_t plus = row.find('+'), end = row.find('.');
      out.insert({row.substr(0, plus), row.substr(plus + 1, end - plus - 1)});
    }
    return out;
  };
  const auto trained = pairs(train);
  for (const auto& pair : pairs(test)) EXPECT_FALSE(trained.contains(pair)) << *pair.begin();
}

TEST(sums, short_ones_are_repeated_until_they_are_a_twentieth_of_the_most_frequent) {
  const Sums all = all_sums(2, 100, 3).second, repeated = seq2seq::with_short_ones_repeated(all);
  const auto lengths = [](const std::string& row) {
    return std::pair(row.find('+'), row.find('.') - row.find('+') - 1);
  };
  std::map<std::string, int> times;
  std::map<std::pair<std::size_t, std::size_t>, int> rows;
  for (const std::string& row : rows_of(repeated.questions)) {
    ++times[row];
    ++rows[lengths(row)];
  }
  // About 8,000 sums have two digits on both sides, 900 on one side each, 100 on none: those are a twentieth of the
  // first when they are there five times.
  EXPECT_EQ(times.size(), static_cast<std::size_t>(all.size()));
  for (const auto& [row, n] : times) EXPECT_EQ(n, row.find("+") == 1 && row.find(".") == 3 ? 5 : 1) << row;
  for (const auto& [kind, n] : rows) EXPECT_GE(20 * n, rows.at({2, 2}));
  // Answers go along.
  const Texts questions = rows_of(repeated.questions), answers = rows_of(repeated.answers);
  for (std::size_t i = 0; i < questions.size(); i += 97) {
    const int a = std::stoi(questions[i]), b = std::stoi(questions[i].substr(questions[i].find('+') + 1));
    EXPECT_EQ(answers[i].substr(0, answers[i].find('.')), "=" + std::to_string(a + b));
  }
}

TEST(sums, the_seed_decides_which_are_held_out) {
  const auto held_out = [](std::int64_t seed) { return rows_of(all_sums(2, 100, seed).first.questions); };
  EXPECT_EQ(held_out(1), held_out(1));
  EXPECT_NE(held_out(1), held_out(2));
}

TEST(sums, some_of_them_end_with_the_last) {
  const Sums test = all_sums(1, 50, 0).first;
  EXPECT_EQ(rows_of(test.some(3, 5).answers), (Texts{rows_of(test.answers)[3], rows_of(test.answers)[4]}));
  EXPECT_EQ(test.some(48, 60).size(), test.size() - 48);
}

TEST(sums, none_or_most_cannot_be_held_out) {
  for (const int n : {0, 51})
    EXPECT_EQ(weft::testing::error_of([&] { all_sums(1, n, 0); }),
              "ValueError: seq2seq: one sum to half of them must be held out; got " + std::to_string(n) + " of 100.");
}

TEST(sums, text_ends_at_its_end) {
  EXPECT_EQ(seq2seq::text_of(std::vector<std::uint8_t>{13, 5, 2, 1, 2, 0}), "=30");
  EXPECT_EQ(seq2seq::text_of(std::vector<std::uint8_t>{}), "");
}

}  // namespace

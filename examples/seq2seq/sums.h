// Sums as text: all questions "a+b" of numbers with up to so many digits, and their answers. Characters are numbers,
// places in kAlphabet. Knows nothing about models.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/shuffle.h"
#include "weft/weft.h"

namespace seq2seq {

/// Padding, the end of a text, and what numbers and sums are written with.
inline constexpr std::string_view kAlphabet = "_.0123456789+=";
inline constexpr int kPadding = 0, kEnd = 1;

struct Sums {
  weft::Array questions;  // u8[n, 2 digits + 2]: "12+345." and padding
  weft::Array answers;    // u8[n, digits + 3]: "=357." and padding
  std::int64_t size() const { return questions.shape(0); }
  /// Those from `begin` to before `end`, or the last.
  Sums some(std::int64_t begin, std::int64_t end) const {
    const weft::Index part = weft::slice(begin, std::min(end, size()));
    return {questions(part), answers(part)};
  }
};

/// The characters of rows of such a table, up to the end.
inline std::string text_of(std::span<const std::uint8_t> characters) {
  std::string text;
  for (const std::uint8_t c : characters) {
    if (c == kEnd) break;
    text += kAlphabet[c];
  }
  return text;
}

/// How many sums of two numbers with up to so many digits there are.
inline std::int64_t num_sums(int digits) {
  std::int64_t n = 1;
  for (int i = 0; i < digits; ++i) n *= 100;
  return n;
}

/// All of them in an order that the seed decides: those that are held out, as many or one more, and the rest. a+b and
/// b+a are on the same side: who knows one knows the other. ValueError when none, or more than half, are to be held
/// out.
inline std::pair<Sums, Sums> all_sums(int digits, std::int64_t held_out, std::int64_t seed) {
  const std::int64_t all = num_sums(digits);
  if (held_out < 1 || held_out > all / 2)
    throw weft::ValueError("seq2seq: one sum to half of them must be held out; got " + std::to_string(held_out) +
                           " of " + std::to_string(all) + ".");
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;  // of which the first is no greater
  for (std::int64_t a = 0; a * a < all; ++a)
    for (std::int64_t b = a; b * b < all; ++b) pairs.emplace_back(a, b);
  const auto order = weft::train::shuffled(static_cast<std::int64_t>(pairs.size()), seed, 0);

  std::size_t next = 0;
  const auto table = [&](std::int64_t least) {
    const auto append = [](std::vector<std::uint8_t>& to, const std::string& text, std::size_t length) {
      for (const char c : text) to.push_back(static_cast<std::uint8_t>(kAlphabet.find(c)));
      to.insert(to.end(), length - text.size(), kPadding);
    };
    const auto d = static_cast<std::size_t>(digits);
    std::vector<std::uint8_t> questions, answers;
    std::int64_t n = 0;
    const auto add = [&](std::int64_t a, std::int64_t b) {
      append(questions, std::to_string(a) + "+" + std::to_string(b) + ".", 2 * d + 2);
      append(answers, "=" + std::to_string(a + b) + ".", d + 3);
      ++n;
    };
    for (; n < least && next < order.size(); ++next) {
      const auto [a, b] = pairs[static_cast<std::size_t>(order[next])];
      add(a, b);
      if (a != b) add(b, a);
    }
    return Sums{weft::Array::from_vector(questions, weft::Dims{n, 2 * digits + 2}),
                weft::Array::from_vector(answers, weft::Dims{n, digits + 3})};
  };
  Sums first = table(held_out);
  return {std::move(first), table(all)};
}

/// The rows, and again those of lengths that are rare, until each pair of lengths ("1+3") has at least a twentieth of
/// the rows of the most frequent one. Of all sums of up to three digits four in five have three on both sides, and one
/// in a hundred has two: at that rate short sums would be right long after all others.
inline Sums with_short_ones_repeated(const Sums& sums) {
  const std::vector<std::uint8_t> characters = sums.questions.to_vector<std::uint8_t>();
  const auto width = static_cast<std::size_t>(sums.questions.shape(1));
  using Lengths = std::pair<std::size_t, std::size_t>;
  std::map<Lengths, std::vector<std::int64_t>> rows;
  for (std::int64_t i = 0; i < sums.size(); ++i) {
    const std::string text = text_of(std::span(characters).subspan(static_cast<std::size_t>(i) * width, width));
    const std::size_t plus = text.find('+');
    rows[{plus, text.size() - plus - 1}].push_back(i);
  }
  std::size_t most = 0;
  for (const auto& [lengths, places] : rows) most = std::max(most, places.size());
  std::vector<std::int64_t> chosen;
  for (const auto& [lengths, places] : rows)
    for (std::size_t n = 0; n == 0 || n * 20 < most; n += places.size())
      chosen.insert(chosen.end(), places.begin(), places.end());
  return {weft::np::take(sums.questions, chosen, 0), weft::np::take(sums.answers, chosen, 0)};
}

}  // namespace seq2seq

// Sums as text: all questions "a+b" of numbers with up to so many digits, and their answers. Characters are numbers,
// places in kAlphabet. Knows nothing about models.
#pragma once

#include <algorithm>
#include <cstdint>
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

/// All 10^(2 digits) sums in an order that the seed decides: those of them that are held out, as many or one more but
/// at most a tenth, and the rest. a+b and b+a are on the same side: who knows one knows the other.
inline std::pair<Sums, Sums> all_sums(int digits, std::int64_t held_out, std::int64_t seed) {
  std::int64_t numbers = 1;
  for (int i = 0; i < digits; ++i) numbers *= 10;
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;  // of which the first is no greater
  for (std::int64_t a = 0; a < numbers; ++a)
    for (std::int64_t b = a; b < numbers; ++b) pairs.emplace_back(a, b);
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
  const std::int64_t all = numbers * numbers;
  Sums first = table(std::min(held_out, all / 10 - 1));
  return {std::move(first), table(all)};
}

}  // namespace seq2seq

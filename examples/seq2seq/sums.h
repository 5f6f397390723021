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

/// All 10^(2 digits) sums in an order that the seed decides: the first of them, `held_out` but at most a tenth, and the
/// rest.
inline std::pair<Sums, Sums> all_sums(int digits, std::int64_t held_out, std::int64_t seed) {
  std::int64_t numbers = 1;
  for (int i = 0; i < digits; ++i) numbers *= 10;
  const auto order = weft::train::shuffled(numbers * numbers, seed, 0);
  const auto table = [&](std::span<const std::int64_t> pairs) {
    const auto append = [](std::vector<std::uint8_t>& to, const std::string& text, std::size_t length) {
      for (const char c : text) to.push_back(static_cast<std::uint8_t>(kAlphabet.find(c)));
      to.insert(to.end(), length - text.size(), kPadding);
    };
    const auto d = static_cast<std::size_t>(digits);
    std::vector<std::uint8_t> questions, answers;
    for (const std::int64_t pair : pairs) {
      const std::int64_t a = pair / numbers, b = pair % numbers;
      append(questions, std::to_string(a) + "+" + std::to_string(b) + ".", 2 * d + 2);
      append(answers, "=" + std::to_string(a + b) + ".", d + 3);
    }
    const auto n = static_cast<std::int64_t>(pairs.size());
    return Sums{weft::Array::from_vector(questions, weft::Dims{n, 2 * digits + 2}),
                weft::Array::from_vector(answers, weft::Dims{n, digits + 3})};
  };
  const auto all = std::span(order);
  const std::size_t first = std::min(static_cast<std::size_t>(held_out), all.size() / 10);
  return {table(all.first(first)), table(all.subspan(first))};
}

#include "bleu.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "weft/base/error.h"

namespace translate {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }
// ASCII marks but for . , - and the apostrophe.
bool is_mark(char c) {
  const auto in = [c](char first, char last) { return c >= first && c <= last; };
  return in('!', '&') || in('(', '+') || c == '/' || in(':', '@') || in('[', '`') || in('{', '~');
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// Wherever `first` and `second` hold of neighbours, a space before, between or behind them. Matches do not overlap, as
// in the script's regular expressions.
template <class A, class B>
std::string spaced(const std::string& text, A first, B second, std::array<bool, 3> spaces) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool match = i + 1 < text.size() && first(text[i]) && second(text[i + 1]);
    if (match && spaces[0]) out += ' ';
    out += text[i];
    if (!match) continue;
    if (spaces[1]) out += ' ';
    out += text[++i];
    if (spaces[2]) out += ' ';
  }
  return out;
}

using NGram = std::span<const std::string>;
struct Less {
  bool operator()(NGram a, NGram b) const { return std::ranges::lexicographical_compare(a, b); }
};
std::map<NGram, std::int64_t, Less> ngrams_of(const std::vector<std::string>& tokens, std::size_t n) {
  std::map<NGram, std::int64_t, Less> counts;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) ++counts[NGram(tokens).subspan(i, n)];
  return counts;
}

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view text) {
  std::string line(text);
  for (const auto& [from, to] : {std::pair{"<skipped>", ""},
                                 {"-\n", ""},
                                 {"&quot;", "\""},
                                 {"&amp;", "&"},
                                 {"&lt;", "<"},
                                 {"&gt;", ">"},
                                 {"\u00a0", " "}})
    replace_all(line, from, to);
  std::string marked = " ";
  for (const char c : line) marked += is_mark(c) ? std::string{' ', c, ' '} : std::string{c};
  marked += ' ';
  // A point or comma is a token unless it is between digits, and a hyphen behind a digit is one.
  const auto no_digit = [](char c) { return !is_digit(c); };
  marked = spaced(marked, no_digit, is_point, {false, true, true});
  marked = spaced(marked, is_point, no_digit, {true, true, false});
  marked = spaced(marked, is_digit, [](char c) { return c == '-'; }, {false, true, true});

  std::vector<std::string> tokens;
  bool inside = false;
  for (const char c : marked) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space && !inside) tokens.emplace_back();
    if (!space) tokens.back() += c;
    inside = !space;
  }
  return tokens;
}

Bleu corpus_bleu(std::span<const std::string> translations, std::span<const std::string> references) {
  if (translations.size() != references.size())
    throw weft::ShapeError("corpus_bleu: each translation must have a reference; got " +
                           std::to_string(translations.size()) + " and " + std::to_string(references.size()) + ".");
  Bleu bleu{};
  std::array<std::int64_t, 4> matched{}, all{};
  for (std::size_t i = 0; i < translations.size(); ++i) {
    const std::vector<std::string> tokens = tokenize_13a(translations[i]), reference = tokenize_13a(references[i]);
    bleu.length += static_cast<std::int64_t>(tokens.size());
    bleu.reference_length += static_cast<std::int64_t>(reference.size());
    for (std::size_t n = 0; n < 4; ++n) {
      const auto there = ngrams_of(reference, n + 1);
      for (const auto& [ngram, count] : ngrams_of(tokens, n + 1)) {
        const auto at = there.find(ngram);
        all[n] += count;
        // A word that is said again and again counts as often as the reference has it.
        if (at != there.end()) matched[n] += std::min(count, at->second);
      }
    }
  }
  double log_mean = 0, smooth = 1;
  for (std::size_t n = 0; n < 4; ++n) {
    if (all[n] == 0) return bleu;
    // No match counts as a half, then a quarter, ... (Chen and Cherry, 2014).
    const double count = matched[n] > 0 ? static_cast<double>(matched[n]) : 1 / (smooth *= 2);
    bleu.precision[n] = 100 * count / static_cast<double>(all[n]);
    log_mean += std::log(bleu.precision[n]) / 4;
  }
  const double ratio = static_cast<double>(bleu.reference_length) / static_cast<double>(bleu.length);
  bleu.brevity_penalty = std::exp(std::min(0.0, 1 - ratio));
  bleu.score = matched[0] == 0 ? 0 : bleu.brevity_penalty * std::exp(log_mean);
  return bleu;
}

}  // namespace translate

// Characters to tokens for MLIR text: a cursor that skips blanks and comments. Knows nothing of what tokens mean.
// Invariant: every function leaves the cursor at the start of a token or at the end, and work is linear in the text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {

/// How deep attributes, types and regions may nest: far above any program, far below the stack's end.
inline constexpr int kMaxNesting = 128;

/// Where the lines of a text start.
using LineStarts = std::shared_ptr<const std::vector<std::size_t>>;
LineStarts line_starts(std::string_view text);

/// The integer that the whole text spells as MLIR spells one, "-12" or "0x1F"; nullopt for anything else and for what
/// does not fit.
std::optional<std::int64_t> integer_of(std::string_view spelled);

class Lexer {
 public:
  /// Reads text[begin, end); places count from the start of `text`, which must outlive the lexer. Without `lines`, for
  /// a part of a text whose place is known to the caller, errors have no place.
  Lexer(std::string_view text, std::size_t begin, std::size_t end, std::string_view source, LineStarts lines);

  bool at_end() const { return at_ == end_; }
  /// The next character; '\0' at the end.
  char peek() const { return at_ < end_ ? text_[at_] : '\0'; }
  /// Whether exactly these characters come next.
  bool looking_at(std::string_view token) const { return text_.substr(at_, token.size()) == token && fits(token); }
  /// Steps over punctuation.
  bool accept(std::string_view punctuation);
  void expect(std::string_view punctuation);
  /// The bare identifier that comes next ([A-Za-z_][A-Za-z0-9_$.]*), or "".
  std::string_view peek_word() const;
  /// Steps over the word if it is exactly this one.
  bool accept_word(std::string_view word);
  void expect_word(std::string_view word);
  std::string_view word(std::string_view what);
  /// What follows '%', '^', '#', '!' or '@': letters, digits and '$._-'. The sigil comes next.
  std::string_view sigil_name(char sigil, std::string_view what);
  /// A string in double quotes, with its escapes replaced.
  std::string quoted();
  /// The same, as it is spelled between the quotes: for strings that may be megabytes.
  std::string_view raw_quoted();
  /// "@name" or "@\"any name\"", nested ("@a::@b") joined by "::@".
  std::string symbol();
  /// In decimal or hexadecimal.
  std::int64_t integer(std::string_view what);
  /// "-1.5e3", "0x7F", "12": the text of a number.
  std::string_view number(std::string_view what);
  /// Decimal digits alone: "2" of "2x3xf32".
  std::string_view digits(std::string_view what);
  bool at_number() const;
  /// The text from `<` to the `>` that closes it, without the two, blanks and comments inside reduced: one blank
  /// where there was any, none beside brackets.
  std::string angle_body();
  /// The same, exactly as spelled: for literals, which may be megabytes.
  std::string_view raw_angle_body();
  /// Text of a balanced bracket of any kind, as angle_body reduces it, with its brackets.
  std::string bracket_text();

  /// What is left of an operation of unknown form: it ends where a line ends outside all brackets, and its types follow
  /// the last ':' outside them, if there is one.
  struct Remainder {
    std::size_t end;
    std::optional<std::size_t> types;
  };
  Remainder rest_of_operation() const;

  std::size_t offset() const { return at_; }
  /// To an offset where a token starts; to any with skip_blanks().
  void seek(std::size_t offset) { at_ = offset; }
  void skip_blanks() { skip(); }
  std::string_view text() const { return text_; }
  TextPosition place() const { return place_of(at_); }
  TextPosition place_of(std::size_t offset) const;
  [[noreturn]] void fail(std::string_view expected) const { fail_at(at_, expected); }
  /// Throws ParseError "source:line:column: expected <expected>; got <what stands there>."
  [[noreturn]] void fail_at(std::size_t offset, std::string_view expected) const;
  /// Throws ParseError with a text of its own.
  [[noreturn]] void refuse(TextPosition place, const std::string& message) const;
  /// "source:line:column: message", as far as they are known.
  std::string located(TextPosition place, const std::string& message) const;

 private:
  bool fits(std::string_view token) const { return at_ + token.size() <= end_; }
  void skip();
  void skip_string();
  std::size_t balanced_end(std::size_t begin) const;
  std::string reduced(std::size_t begin, std::size_t end) const;

  std::string_view text_;
  std::size_t at_;
  std::size_t end_;
  std::string source_;
  LineStarts lines_;
};

}  // namespace weft::stablehlo

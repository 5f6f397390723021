// Numbers as text and text as numbers, joining, and a cursor for small parsers.
// Knows nothing about arrays or files. Invariant: for every number x that is not NaN,
// parsing number_str(x) in x's own type gives x back, bit for bit, and no shorter decimal does.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weft/base/float16.h"
#include "weft/base/float8.h"

namespace weft {

/// "1 axis", "2 axes".
inline std::string count_str(std::int64_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

/// The items' texts with `separator` between them; items are strings, string views or numbers.
template <class Range>
std::string join(const Range& items, std::string_view separator);

/// A finite number in decimal: (-1)^negative * d.ddd * 10^exponent, where d.ddd are the digits.
/// No leading zero unless the number is zero ("0", exponent 0), and no trailing zeros.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};

/// The floating-point types that decimals can be shortest in.
enum class FloatFormat : std::uint8_t { kF16, kBF16, kF32, kF64 };

/// The shortest decimal that rounds to `value` in the format, the closest one when there are several.
/// `value` must be finite and a number of that format.
Decimal shortest_decimal(double value, FloatFormat format);

/// Text that reads back as the same number: Python's repr ("1.0", "0.1", "1e-05", "1e+16", "nan", "inf", "-0.0"),
/// with the digits needed by the argument's own type. Exponents for magnitudes below 1e-4 and from 1e16.
std::string number_str(float16 value);
std::string number_str(bfloat16 value);
std::string number_str(float value);
std::string number_str(double value);
template <class T>
  requires std::integral<T>
std::string number_str(T value) {
  if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else {
    char buffer[24];
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
  }
}
/// "65,138,688" of "65138688": a whole number with commas between groups of three digits.
std::string with_commas(std::string number);

/// The integer that the whole text spells in base 10 ("-12"; no '+', no spaces); nullopt for anything else and
/// for values that T does not hold.
template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>)
std::optional<T> parse_integer(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The number that the whole text spells: decimal digits with optional sign, point and exponent, or "nan", "inf",
/// "-inf". nullopt for anything else and for decimals that overflow T or underflow to zero.
/// T is float16, bfloat16, float or double; the value is rounded to T once.
template <class T>
std::optional<T> parse_number(std::string_view text);

/// The same for a small float, as its code. It has no text of its own: number_str of its value as a float reads back.
std::optional<std::uint8_t> parse_small_float(const SmallFloatFormat& format, std::string_view text);

/// A place in a text, both counted from 1; columns count bytes.
struct TextPosition {
  int line = 1;
  int column = 1;
  std::string str() const { return std::to_string(line) + ":" + std::to_string(column); }
};

/// Reads a text token by token. Every function first skips blanks and comments; the text must outlive the cursor.
/// Errors are ParseErrors "<source:>line:column: expected X; got Y."
class TextCursor {
 public:
  enum class Newlines : std::uint8_t {
    kSkip,  ///< line ends are blanks
    kKeep,  ///< line ends are tokens, matched by accept("\n")
  };
  struct Options {
    Newlines newlines = Newlines::kSkip;
    std::string_view comment = {};  ///< starts a comment that runs to the line's end; none when empty
    std::string_view source = {};   ///< put before the position in errors
  };

  explicit TextCursor(std::string_view text) : text_(text) {}
  TextCursor(std::string_view text, Options options) : text_(text), options_(options) {}

  bool at_end();
  /// The next character, or '\0' at the end of the text.
  char peek();
  /// Whether `token` comes next; a token that ends in a word character must not run on into a longer word.
  bool looking_at(std::string_view token);
  /// Steps over `token` if it comes next and says whether it did.
  bool accept(std::string_view token);
  /// Steps over `token`, or throws ParseError.
  void expect(std::string_view token);
  /// A letter or '_' followed by letters, digits and '_'.
  std::string_view identifier();
  /// A decimal integer with optional '-'.
  std::int64_t integer();
  /// What parse_number<double> accepts.
  double number();
  /// The longest run of characters that a number could consist of, unread as a number; for callers that parse it
  /// in another type.
  std::string_view number_text();
  /// A double-quoted string; \" \\ \n \t \r and \xHH stand for the characters they name.
  std::string quoted();

  /// Where the next token starts.
  TextPosition position();
  /// Byte offset of the next token; seek(offset()) goes back to it.
  std::size_t offset();
  void seek(std::size_t offset) { at_ = offset < text_.size() ? offset : text_.size(); }
  std::string_view text() const { return text_; }
  /// Throws ParseError at the next token: "expected <expected>; got <that token>."
  [[noreturn]] void fail(std::string_view expected);
  /// Throws ParseError at `offset`: "expected <expected>; got <got>."
  [[noreturn]] void fail_at(std::size_t offset, std::string_view expected, std::string_view got) const;

 private:
  void skip_blanks();
  std::string next_token() const;

  std::string_view text_;
  Options options_;
  std::size_t at_ = 0;
};

template <class Range>
std::string join(const Range& items, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += separator;
    first = false;
    if constexpr (requires { out += item; } && !std::is_arithmetic_v<std::remove_cvref_t<decltype(item)>>)
      out += item;
    else
      out += number_str(item);
  }
  return out;
}

}  // namespace weft

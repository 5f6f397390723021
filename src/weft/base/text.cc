#include "weft/base/text.h"

#include <cctype>
#include <cmath>

#include "weft/base/error.h"

namespace weft {

namespace {

// Longest text of to_chars in scientific notation with the precisions used here.
constexpr std::size_t kDecimalChars = 64;

// "d.ddde-XX" to digits and exponent.
Decimal from_scientific(std::string_view text) {
  Decimal out;
  const std::size_t e = text.find('e');
  for (const char c : text.substr(0, e))
    if (c != '.') out.digits += c;
  while (out.digits.size() > 1 && out.digits.back() == '0') out.digits.pop_back();
  std::string_view exponent = text.substr(e + 1);
  if (exponent.front() == '+') exponent.remove_prefix(1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), out.exponent);
  return out;
}

template <class T>
Decimal shortest_by_to_chars(T magnitude) {
  char buffer[kDecimalChars];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::scientific).ptr;
  return from_scientific({buffer, end});
}

double to_double(const Decimal& d) {
  const std::string text = d.digits.substr(0, 1) + "." + d.digits.substr(1) + "e" + std::to_string(d.exponent);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The next larger decimal with as many digits.
Decimal next_up(Decimal d) {
  std::size_t i = d.digits.size();
  while (i > 0 && d.digits[i - 1] == '9') d.digits[--i] = '0';
  if (i > 0) {
    ++d.digits[i - 1];
  } else {
    d.digits.insert(d.digits.begin(), '1');
    ++d.exponent;
  }
  return d;
}

// The 16-bit formats: the first length at which the nearest decimal reads back. Below a power of two
// numbers are twice as dense, so there the decimal just above may read back although it is not the nearest.
template <class T>
Decimal shortest_small(double magnitude) {
  for (int digits = 1;; ++digits) {
    char buffer[kDecimalChars];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::scientific, digits - 1).ptr;
    Decimal d = from_scientific({buffer, end});
    if (static_cast<double>(static_cast<float>(T(to_double(d)))) == magnitude) return d;
    d.digits.resize(static_cast<std::size_t>(digits), '0');
    d = next_up(std::move(d));
    if (static_cast<double>(static_cast<float>(T(to_double(d)))) == magnitude) return d;
  }
}

std::string repr(double value, FloatFormat format) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const Decimal d = shortest_decimal(value, format);
  std::string out = d.negative ? "-" : "";
  const int n = static_cast<int>(d.digits.size());
  // The value decides, not its digits: float's 0.0001 is just below 1e-4 and prints as in NumPy, "1e-04".
  const double magnitude = std::fabs(value);
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    out += d.digits[0];
    if (n > 1) out += "." + d.digits.substr(1);
    const int e = std::abs(d.exponent);
    out += d.exponent < 0 ? "e-" : "e+";
    if (e < 10) out += '0';
    return out + std::to_string(e);
  }
  if (d.exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-d.exponent - 1), '0') + d.digits;
  if (n <= d.exponent + 1)
    return out + d.digits + std::string(static_cast<std::size_t>(d.exponent + 1 - n), '0') + ".0";
  const auto whole = static_cast<std::size_t>(d.exponent + 1);
  return out + d.digits.substr(0, whole) + "." + d.digits.substr(whole);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }

// [-] digits [. digits] [e [+-] digits], with a digit on at least one side of the point.
bool is_decimal(std::string_view s) {
  std::size_t i = !s.empty() && s[0] == '-' ? 1 : 0;
  std::size_t digits = 0;
  for (; i < s.size() && is_digit(s[i]); ++i) ++digits;
  if (i < s.size() && s[i] == '.')
    for (++i; i < s.size() && is_digit(s[i]); ++i) ++digits;
  if (digits == 0) return false;
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (i == s.size()) return false;
    while (i < s.size() && is_digit(s[i])) ++i;
  }
  return i == s.size();
}

bool has_nonzero_digit(std::string_view s) {
  for (const char c : s) {
    if (c == 'e' || c == 'E') return false;
    if (c >= '1' && c <= '9') return true;
  }
  return false;
}

// A decimal as it was written, normalised like Decimal; the text satisfies is_decimal.
Decimal written_decimal(std::string_view text) {
  Decimal out;
  int exponent = 0;
  bool after_point = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      after_point = true;
    } else if (c == 'e' || c == 'E') {
      const std::string_view e = text.substr(i + (text[i + 1] == '+' ? 2 : 1));
      std::from_chars(e.data(), e.data() + e.size(), exponent);
      break;
    } else if (is_digit(c)) {
      const bool leading_zero = out.digits.empty() && c == '0';
      if (after_point && out.digits.empty()) --out.exponent;
      if (!after_point && !out.digits.empty()) ++out.exponent;
      if (!leading_zero) out.digits += c;
    }
  }
  out.exponent += exponent;
  while (out.digits.size() > 1 && out.digits.back() == '0') out.digits.pop_back();
  return out;
}

// Rounds the decimal `text`, whose nearest double is `value`, by `round`, which gives the bits of a double rounded to a
// smaller format. Rounding to double first may land exactly on the midpoint of two of them, and then only the decimal
// itself knows the side.
template <class Round>
auto round_decimal(std::string_view text, double value, const Round& round) {
  const double down = std::nextafter(value, -INFINITY);
  const double up = std::nextafter(value, INFINITY);
  // Also where `value` is exact: both its neighbours round to it.
  if (value == 0 || round(down) == round(up)) return round(value);
  char buffer[1100];  // every double's exact value in scientific notation fits
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value), std::chars_format::scientific, 1074).ptr;
  const Decimal midpoint = from_scientific({buffer, end});
  const Decimal given = written_decimal(text);
  // Both are normalised, so digits compare as text once the exponents agree.
  const int order = given.exponent != midpoint.exponent ? (given.exponent > midpoint.exponent ? 1 : -1)
                                                        : given.digits.compare(midpoint.digits);
  if (order == 0) return round(value);
  return round((order > 0) == (value > 0) ? up : down);
}

}  // namespace

Decimal shortest_decimal(double value, FloatFormat format) {
  const double magnitude = std::fabs(value);
  Decimal out;
  if (magnitude == 0) {
    out.digits = "0";
  } else {
    switch (format) {
      case FloatFormat::kF16: out = shortest_small<float16>(magnitude); break;
      case FloatFormat::kBF16: out = shortest_small<bfloat16>(magnitude); break;
      case FloatFormat::kF32: out = shortest_by_to_chars(static_cast<float>(magnitude)); break;
      case FloatFormat::kF64: out = shortest_by_to_chars(magnitude); break;
    }
  }
  out.negative = std::signbit(value);
  return out;
}

std::string number_str(float16 value) { return repr(static_cast<float>(value), FloatFormat::kF16); }
std::string number_str(bfloat16 value) { return repr(static_cast<float>(value), FloatFormat::kBF16); }
std::string number_str(float value) { return repr(value, FloatFormat::kF32); }
std::string number_str(double value) { return repr(value, FloatFormat::kF64); }

std::string with_commas(std::string number) {
  const std::size_t begin = number.starts_with('-') ? 1 : 0;
  for (std::size_t at = number.size(); at > begin + 3;) number.insert(at -= 3, 1, ',');
  return number;
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  if (text == "nan") return std::numeric_limits<T>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<T>::infinity();
  if (text == "-inf") return T(-static_cast<float>(std::numeric_limits<T>::infinity()));
  if (!is_decimal(text)) return std::nullopt;
  constexpr bool kSmall = !std::is_floating_point_v<T>;
  std::conditional_t<kSmall, double, T> value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  const auto zero_for_nonzero = [&](auto v) { return v == 0 && has_nonzero_digit(text); };
  if constexpr (kSmall) {
    const T rounded = T::from_bits(round_decimal(text, value, [](double v) { return T(v).bits; }));
    if (std::isinf(static_cast<float>(rounded)) || zero_for_nonzero(static_cast<float>(rounded))) return std::nullopt;
    return rounded;
  } else {
    if (zero_for_nonzero(value)) return std::nullopt;
    return value;
  }
}

std::optional<std::uint8_t> parse_small_float(const SmallFloatFormat& f, std::string_view text) {
  if (text == "nan") return f.has_nan() ? std::optional(static_cast<std::uint8_t>(f.nan_code())) : std::nullopt;
  if (text == "inf" || text == "-inf") {
    if (f.infinity_code() == 0) return std::nullopt;
    return static_cast<std::uint8_t>(f.infinity_code() | (text[0] == '-' ? f.sign_bit() : 0));
  }
  const auto value = parse_number<double>(text);
  if (!value) return std::nullopt;
  const std::uint8_t code = round_decimal(text, *value, [&](double v) { return encode_small_float(f, v); });
  const double rounded = decode_small_float(f, code);
  if (rounded - rounded != 0 || (rounded == 0 && *value != 0)) return std::nullopt;
  // Saturated rather than rounded.
  if (detail::round_magnitude(f, std::fabs(*value)) > f.max_code()) return std::nullopt;
  return code;
}

template std::optional<float16> parse_number<float16>(std::string_view);
template std::optional<bfloat16> parse_number<bfloat16>(std::string_view);
template std::optional<float> parse_number<float>(std::string_view);
template std::optional<double> parse_number<double>(std::string_view);

void TextCursor::skip_blanks() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && options_.newlines == Newlines::kSkip)) {
      ++at_;
    } else if (!options_.comment.empty() && text_.substr(at_).starts_with(options_.comment)) {
      const std::size_t end = text_.find('\n', at_);
      at_ = end == std::string_view::npos ? text_.size() : end;
    } else {
      return;
    }
  }
}

bool TextCursor::at_end() {
  skip_blanks();
  return at_ == text_.size();
}

char TextCursor::peek() {
  skip_blanks();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool TextCursor::looking_at(std::string_view token) {
  skip_blanks();
  const std::string_view rest = text_.substr(at_);
  if (!rest.starts_with(token)) return false;
  const bool runs_on =
      !token.empty() && is_word(token.back()) && rest.size() > token.size() && is_word(rest[token.size()]);
  return !runs_on;
}

bool TextCursor::accept(std::string_view token) {
  if (!looking_at(token)) return false;
  at_ += token.size();
  return true;
}

void TextCursor::expect(std::string_view token) {
  if (!accept(token)) fail(token == "\n" ? "end of line" : "'" + std::string(token) + "'");
}

std::string_view TextCursor::identifier() {
  if (!is_letter(peek())) fail("a name");
  const std::size_t start = at_;
  while (at_ < text_.size() && is_word(text_[at_])) ++at_;
  return text_.substr(start, at_ - start);
}

std::int64_t TextCursor::integer() {
  skip_blanks();
  std::size_t end = at_;
  if (end < text_.size() && text_[end] == '-') ++end;
  while (end < text_.size() && is_digit(text_[end])) ++end;
  const std::string_view token = text_.substr(at_, end - at_);
  if (token.empty() || token == "-" || (end < text_.size() && is_word(text_[end]))) fail("an integer");
  const auto value = parse_integer<std::int64_t>(token);
  if (!value) fail_at(at_, "an integer of 64 bits", token);
  at_ = end;
  return *value;
}

std::string_view TextCursor::number_text() {
  skip_blanks();
  std::size_t end = at_;
  if (end < text_.size() && text_[end] == '-') ++end;
  while (end < text_.size()) {
    const char c = text_[end];
    const bool exponent_sign =
        (c == '+' || c == '-') && (text_[end - (end > at_)] == 'e' || text_[end - (end > at_)] == 'E');
    if (!is_word(c) && c != '.' && !exponent_sign) break;
    ++end;
  }
  const std::string_view token = text_.substr(at_, end - at_);
  if (!is_decimal(token) && token != "nan" && token != "inf" && token != "-inf") fail("a number");
  at_ = end;
  return token;
}

double TextCursor::number() {
  skip_blanks();
  const std::size_t start = at_;
  const std::string_view token = number_text();
  const auto value = parse_number<double>(token);
  if (!value) {
    at_ = start;
    fail_at(start, "a number that a double holds", token);
  }
  return *value;
}

std::string TextCursor::quoted() {
  if (peek() != '"') fail("a quoted string");
  std::size_t i = at_ + 1;
  std::string out;
  const auto hex = [&](std::size_t k) {
    const char c = k < text_.size() ? text_[k] : '\0';
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  for (;; ++i) {
    if (i >= text_.size()) fail_at(i, "'\"'", "end of text");
    char c = text_[i];
    if (c == '"') break;
    if (c == '\n') fail_at(i, "'\"'", "end of line");
    if (c == '\\') {
      c = ++i < text_.size() ? text_[i] : '\0';
      if (c == 'n')
        out += '\n';
      else if (c == 't')
        out += '\t';
      else if (c == 'r')
        out += '\r';
      else if (c == '"' || c == '\\')
        out += c;
      else if (c == 'x' && hex(i + 1) >= 0 && hex(i + 2) >= 0) {
        out += static_cast<char>(hex(i + 1) * 16 + hex(i + 2));
        i += 2;
      } else {
        fail_at(i - 1, "an escape \\\" \\\\ \\n \\t \\r or \\xHH", text_.substr(i - 1, 2));
      }
    } else {
      out += c;
    }
  }
  at_ = i + 1;
  return out;
}

std::size_t TextCursor::offset() {
  skip_blanks();
  return at_;
}

TextPosition TextCursor::position() {
  skip_blanks();
  TextPosition p;
  for (const char c : text_.substr(0, at_)) {
    p.column = c == '\n' ? 1 : p.column + 1;
    p.line += c == '\n';
  }
  return p;
}

std::string TextCursor::next_token() const {
  if (at_ >= text_.size()) return "end of text";
  if (text_[at_] == '\n') return "end of line";
  std::size_t end = at_ + 1;
  if (is_word(text_[at_]))
    while (end < text_.size() && is_word(text_[end]) && end - at_ < 40) ++end;
  std::string out = "'";
  for (const char c : text_.substr(at_, end - at_)) {
    if (std::isprint(static_cast<unsigned char>(c))) {
      out += c;
    } else {
      constexpr char kHex[] = "0123456789abcdef";
      const auto b = static_cast<unsigned char>(c);
      out += {'\\', 'x', kHex[b >> 4], kHex[b & 15]};
    }
  }
  return out + "'";
}

void TextCursor::fail(std::string_view expected) {
  skip_blanks();
  fail_at(at_, expected, next_token());
}

void TextCursor::fail_at(std::size_t offset, std::string_view expected, std::string_view got) const {
  TextCursor at = *this;
  at.options_.newlines = Newlines::kKeep;  // the position itself may be a line end
  at.options_.comment = {};
  at.seek(offset);
  std::string message(options_.source);
  if (!message.empty()) message += ':';
  message += at.position().str();
  message += ": expected ";
  message += expected;
  message += "; got ";
  message += got;
  throw ParseError(message + ".");
}

}  // namespace weft

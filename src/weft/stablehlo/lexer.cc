#include "weft/stablehlo/lexer.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <limits>

#include "weft/base/error.h"

namespace weft::stablehlo {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '$' || c == '.'; }
bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

char closing(char open) {
  switch (open) {
    case '<': return '>';
    case '(': return ')';
    case '[': return ']';
    case '{': return '}';
    default: return '\0';
  }
}

// What an error quotes: one line of moderate length.
std::string shown(std::string_view text) {
  const std::size_t line = text.find('\n');
  const std::size_t n = std::min({text.size(), line, std::size_t{24}});
  std::string out;
  for (const char c : text.substr(0, n)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return "'" + out + "'";
}

}  // namespace

LineStarts line_starts(std::string_view text) {
  auto lines = std::make_shared<std::vector<std::size_t>>(1, 0);
  for (std::size_t i = 0; i < text.size();) {
    const void* newline = std::memchr(text.data() + i, '\n', text.size() - i);
    if (!newline) break;
    i = static_cast<std::size_t>(static_cast<const char*>(newline) - text.data()) + 1;
    lines->push_back(i);
  }
  return lines;
}

std::optional<std::int64_t> integer_of(std::string_view spelled) {
  const bool negative = spelled.starts_with('-');
  const std::string_view digits = spelled.substr(negative);
  if (!digits.starts_with("0x")) return parse_integer<std::int64_t>(spelled);
  std::uint64_t v = 0;
  const char* const end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data() + 2, end, v, 16);
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (error != std::errc{} || last != end || v > most + negative) return std::nullopt;
  return static_cast<std::int64_t>(negative ? -v : v);
}

Lexer::Lexer(std::string_view text, std::size_t begin, std::size_t end, std::string_view source, LineStarts lines)
    : text_(text), at_(begin), end_(end), source_(source), lines_(std::move(lines)) {
  // What some editors put before a text.
  if (begin == 0 && lines_ && text.substr(0, end).starts_with("\xEF\xBB\xBF")) at_ = 3;
  skip();
}

void Lexer::skip() {
  while (at_ < end_) {
    if (is_blank(text_[at_])) {
      ++at_;
    } else if (text_[at_] == '/' && at_ + 1 < end_ && text_[at_ + 1] == '/') {
      while (at_ < end_ && text_[at_] != '\n') ++at_;
    } else {
      return;
    }
  }
}

bool Lexer::accept(std::string_view punctuation) {
  if (!looking_at(punctuation)) return false;
  at_ += punctuation.size();
  skip();
  return true;
}

void Lexer::expect(std::string_view punctuation) {
  if (!accept(punctuation)) fail("'" + std::string(punctuation) + "'");
}

std::string_view Lexer::peek_word() const {
  if (at_ >= end_ || !is_letter(text_[at_])) return {};
  std::size_t i = at_;
  while (i < end_ && is_word(text_[i])) ++i;
  return text_.substr(at_, i - at_);
}

bool Lexer::accept_word(std::string_view word) {
  if (peek_word() != word) return false;
  at_ += word.size();
  skip();
  return true;
}

void Lexer::expect_word(std::string_view word) {
  if (!accept_word(word)) fail("'" + std::string(word) + "'");
}

std::string_view Lexer::word(std::string_view what) {
  const std::string_view w = peek_word();
  if (w.empty()) fail(what);
  at_ += w.size();
  skip();
  return w;
}

std::string_view Lexer::sigil_name(char sigil, std::string_view what) {
  if (peek() != sigil) fail(what);
  std::size_t i = at_ + 1;
  while (i < end_ && (is_word(text_[i]) || text_[i] == '-')) {
    // "->" ends a name that stands right before it.
    if (text_[i] == '-' && i + 1 < end_ && text_[i + 1] == '>') break;
    ++i;
  }
  if (i == at_ + 1) fail(what);
  const std::string_view name = text_.substr(at_ + 1, i - at_ - 1);
  at_ = i;
  skip();
  return name;
}

std::string Lexer::quoted() {
  const std::size_t begin = at_;
  if (peek() != '"') fail("a string");
  std::string out;
  std::size_t i = at_ + 1;
  const auto hex = [](char c) { return is_digit(c) ? c - '0' : (c | 32) - 'a' + 10; };
  for (;; ++i) {
    if (i >= end_ || text_[i] == '\n') fail_at(begin, "a string that ends on its line");
    const char c = text_[i];
    if (c == '"') break;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (i + 1 >= end_) fail_at(begin, "a string that ends on its line");
    const char e = text_[i + 1];
    if (e == '"' || e == '\\') {
      out += e;
      ++i;
    } else if (e == 'n' || e == 't') {
      out += e == 'n' ? '\n' : '\t';
      ++i;
    } else if (i + 2 < end_ && std::isxdigit(static_cast<unsigned char>(e)) &&
               std::isxdigit(static_cast<unsigned char>(text_[i + 2]))) {
      out += static_cast<char>(hex(e) * 16 + hex(text_[i + 2]));
      i += 2;
    } else {
      fail_at(i, "an escape \\\\, \\\", \\n, \\t or two hexadecimal digits");
    }
  }
  at_ = i + 1;
  skip();
  return out;
}

std::string_view Lexer::raw_quoted() {
  const std::size_t begin = at_;
  if (peek() != '"') fail("a string");
  std::size_t i = at_ + 1;
  while (i < end_ && text_[i] != '"' && text_[i] != '\n') i += text_[i] == '\\' ? 2 : 1;
  if (i >= end_ || text_[i] != '"') fail_at(begin, "a string that ends on its line");
  at_ = i + 1;
  skip();
  return text_.substr(begin + 1, i - begin - 1);
}

std::string Lexer::symbol() {
  std::string name;
  for (;;) {
    if (peek() != '@') fail("a symbol ('@name')");
    if (at_ + 1 < end_ && text_[at_ + 1] == '"') {
      ++at_;
      name += quoted();
    } else {
      name += sigil_name('@', "a symbol ('@name')");
    }
    if (!looking_at("::@")) return name;
    at_ += 2;
    name += "::@";
  }
}

bool Lexer::at_number() const {
  const char c = peek();
  return is_digit(c) || (c == '-' && at_ + 1 < end_ && is_digit(text_[at_ + 1]));
}

std::string_view Lexer::number(std::string_view what) {
  if (!at_number()) fail(what);
  std::size_t i = at_;
  if (text_[i] == '-') ++i;
  if (text_[i] == '0' && i + 2 < end_ && text_[i + 1] == 'x' &&
      std::isxdigit(static_cast<unsigned char>(text_[i + 2]))) {
    i += 2;
    while (i < end_ && std::isxdigit(static_cast<unsigned char>(text_[i]))) ++i;
  } else {
    while (i < end_ && is_digit(text_[i])) ++i;
    if (i < end_ && text_[i] == '.') {
      ++i;
      while (i < end_ && is_digit(text_[i])) ++i;
    }
    if (i < end_ && (text_[i] == 'e' || text_[i] == 'E')) {
      std::size_t j = i + 1;
      if (j < end_ && (text_[j] == '+' || text_[j] == '-')) ++j;
      if (j < end_ && is_digit(text_[j])) {
        while (j < end_ && is_digit(text_[j])) ++j;
        i = j;
      }
    }
  }
  const std::string_view n = text_.substr(at_, i - at_);
  at_ = i;
  skip();
  return n;
}

std::string_view Lexer::digits(std::string_view what) {
  std::size_t i = at_;
  while (i < end_ && is_digit(text_[i])) ++i;
  if (i == at_) fail(what);
  const std::string_view n = text_.substr(at_, i - at_);
  at_ = i;
  skip();
  return n;
}

std::int64_t Lexer::integer(std::string_view what) {
  const std::size_t begin = at_;
  const std::optional<std::int64_t> v = integer_of(number(what));
  if (!v) fail_at(begin, what);
  return *v;
}

// The offset just past the bracket that closes the one at `begin`.
std::size_t Lexer::balanced_end(std::size_t begin) const {
  std::string open;
  std::size_t i = begin;
  while (i < end_) {
    const char c = text_[i];
    if (c == '"') {
      for (++i; i < end_ && text_[i] != '"'; ++i)
        if (text_[i] == '\\') ++i;
      if (i >= end_) break;
    } else if (c == '/' && i + 1 < end_ && text_[i + 1] == '/') {
      while (i < end_ && text_[i] != '\n') ++i;
      continue;
    } else if (const char close = closing(c)) {
      if (c != '<' || i + 1 >= end_ || text_[i + 1] != '=') open += close;
    } else if (c == '>' && ((i > begin && text_[i - 1] == '-') || (i + 1 < end_ && text_[i + 1] == '='))) {
      // An arrow and a comparison close nothing.
    } else if (c == '>' || c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c)
        fail_at(i, open.empty() ? "a bracket" : std::string("'") + open.back() + "'");
      open.pop_back();
      if (open.empty()) return i + 1;
    }
    ++i;
  }
  fail_at(begin, "a bracket that is closed");
}

Lexer::Remainder Lexer::rest_of_operation() const {
  Remainder rest{at_, std::nullopt};
  std::size_t& i = rest.end;
  while (i < end_ && text_[i] != '\n' && text_[i] != '}') {
    const char c = text_[i];
    if (c == '"') {
      for (++i; i < end_ && text_[i] != '"' && text_[i] != '\n'; ++i)
        if (text_[i] == '\\') ++i;
      i = std::min(i + 1, end_);
    } else if (c == '/' && i + 1 < end_ && text_[i + 1] == '/') {
      while (i < end_ && text_[i] != '\n') ++i;
    } else if (closing(c)) {
      i = balanced_end(i);
    } else {
      if (c == ':') rest.types = i + 1;
      ++i;
    }
  }
  return rest;
}

std::string Lexer::reduced(std::size_t begin, std::size_t end) const {
  std::string out;
  bool blank = false;
  for (std::size_t i = begin; i < end; ++i) {
    const char c = text_[i];
    if (is_blank(c)) {
      blank = true;
      continue;
    }
    if (c == '/' && i + 1 < end && text_[i + 1] == '/') {
      while (i < end && text_[i] != '\n') ++i;
      blank = true;
      continue;
    }
    const bool closes = c == '>' || c == ')' || c == ']' || c == '}' || c == ',';
    const bool after_open = out.empty() || closing(out.back()) != '\0';
    // Without its blank, "- >" would be an arrow and "< =" a comparison.
    if (blank && (after_open ? !out.empty() && out.back() == '<' && c == '=' : !closes || out.back() == '-'))
      out += ' ';
    blank = false;
    if (c == '"') {
      const std::size_t from = i;
      for (++i; i < end && text_[i] != '"'; ++i)
        if (text_[i] == '\\') ++i;
      out += text_.substr(from, std::min(i + 1, end) - from);
      continue;
    }
    out += c;
    if (c == ',') blank = true;
  }
  return out;
}

std::string Lexer::bracket_text() {
  if (closing(peek()) == '\0') fail("a bracket");
  const std::size_t begin = at_;
  const std::size_t end = balanced_end(at_);
  at_ = end;
  skip();
  return reduced(begin, end);
}

std::string Lexer::angle_body() {
  if (peek() != '<') fail("'<'");
  const std::string all = bracket_text();
  return all.substr(1, all.size() - 2);
}

std::string_view Lexer::raw_angle_body() {
  if (peek() != '<') fail("'<'");
  const std::size_t begin = at_ + 1;
  at_ = balanced_end(at_);
  const std::string_view body = text_.substr(begin, at_ - 1 - begin);
  skip();
  return body;
}

TextPosition Lexer::place_of(std::size_t offset) const {
  const auto line = std::upper_bound(lines_->begin(), lines_->end(), offset) - 1;
  return {static_cast<int>(line - lines_->begin()) + 1, static_cast<int>(offset - *line) + 1};
}

void Lexer::fail_at(std::size_t offset, std::string_view expected) const {
  std::string got = "the end of the text";
  if (offset < end_) {
    std::size_t n = 1;
    if (is_word(text_[offset]) || std::strchr("%@#!^", text_[offset]))
      while (offset + n < end_ && (is_word(text_[offset + n]) || text_[offset + n] == '#')) ++n;
    else  // all bytes of a character
      while (n < 4 && offset + n < end_ && (static_cast<unsigned char>(text_[offset + n]) & 0xC0) == 0x80) ++n;
    got = shown(text_.substr(offset, n));
  }
  refuse(lines_ ? place_of(offset) : TextPosition(), "expected " + std::string(expected) + "; got " + got + ".");
}

void Lexer::refuse(TextPosition place, const std::string& message) const {
  const ForcedLocation nowhere{SourceLocation()};
  throw ParseError(located(place, message));
}

std::string Lexer::located(TextPosition place, const std::string& message) const {
  if (!lines_) return message;
  return (source_.empty() ? std::string() : source_ + ":") + place.str() + ": " + message;
}

}  // namespace weft::stablehlo

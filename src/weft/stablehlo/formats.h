// The published short forms of operations, as one table that the parser and the printer both follow, so that they
// cannot drift apart.
//
// A format is a row of tokens with blanks between:
//   %0 %1        one operand          %*   all further operands, comma separated
//   %*,          all further operands, each followed by a comma
//   $name:kind   an attribute; kinds: i64, i32, bool, dims ([0, 1] for array<i64: 0, 1>), string, symbol, number,
//                float (type f64), dense (a literal with its type), any, Shardy's sharding, axes, axis_lists,
//                axis_moves and direction, or the mnemonic of a StableHLO enum
//   {}           all other attributes as a dictionary, absent when there are none
//   ?( ... )?    a part that is absent when its first attribute is
//   @name        a form of its own (pretty_parse.cc and print.cc)
//   T:rule       the types; rules are listed at format_types
//   anything else stands for itself
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weft::stablehlo {

struct Format {
  std::string_view op;
  std::string_view text;
};

/// Null when the operation has no short form in the table. stablehlo.while, stablehlo.reduce, chlo.scan, func.func,
/// builtin.module and sdy.named_computation, which hold regions, have functions of their own.
const Format* find_format(std::string_view op);
std::span<const Format> all_formats();

/// The operations of the dialects that are written in quotes only.
std::span<const std::string_view> generic_only();

/// The words of kind "direction", which stand for the numbers 0 to 3.
inline constexpr std::string_view kPropagationDirections[] = {"NONE", "FORWARD", "BACKWARD", "BOTH"};

/// What the attribute of a kind of Shardy's lists of axes starts with, before the bracket; "" for other kinds.
std::string_view axes_prefix(std::string_view kind);

/// CHLO's operations that bring their operands to one shape first: "chlo.broadcast_add", ...
std::span<const std::string_view> broadcasting_operations();

/// Today's name of an operation: an operation "mhlo.x" is StableHLO's or CHLO's x where they have one, since they came
/// from MHLO. Other names are what they are.
std::string current_name(std::string name);
/// Today's spelling of an attribute of these dialects: "#mhlo.gather<...>" and "#mhlo<precision HIGH>" are StableHLO's,
/// and the quotes of 2022, #mhlo<"precision HIGH">, go. Attributes that StableHLO does not have are what they are.
std::string current_attribute(std::string text);

/// Steps through the tokens of a format.
class FormatTokens {
 public:
  explicit FormatTokens(std::string_view text) : rest_(text) {}
  /// "" at the end.
  std::string_view next() {
    const std::size_t n = rest_.find(' ');
    const std::string_view token = rest_.substr(0, n);
    rest_ = n == std::string_view::npos ? std::string_view() : rest_.substr(n + 1);
    return token;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace weft::stablehlo

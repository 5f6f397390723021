// What a program has that Weft does not read or run: collected, so that one error names it all, each with its place
// and the reason.
#pragma once

#include "weft/base/error.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {

/// Of a program that is valid, or may be, but that Weft does not run: to users of import a ParseError like others.
class Unsupported : public ParseError {
  using ParseError::ParseError;
};

struct Refusal {
  TextPosition place;
  /// "<op>: <reason>", without a full stop.
  std::string message;
  /// Whether the program is wrong, and not Weft lacking something.
  bool invalid = false;
};
using Refusals = std::vector<Refusal>;

/// Throws Unsupported with one line per refusal, in the order of the text (ParseError when any is of something
/// invalid); returns when there is none.
void throw_refusals(std::string_view source, Refusals refusals);

/// Why an operation that Weft does not have is refused.
std::string_view reason_of_unknown(std::string_view op);

/// `parse`, but adds to `refusals` what it can step over: operations whose short form is not known, and data that is
/// not in the text. Their results have the types that the text gives them.
Module parse_refusing(std::string_view text, std::string_view source, Refusals& refusals);

/// One of the programs of a text, as far as it could be read.
struct ProgramText {
  Module module;
  Refusals refusals;
  /// Why it could not be read to its end, and `module` is empty; or "".
  std::string error;
  /// Of an error: whether the text may be right, but is nothing that Weft reads.
  bool unsupported = false;
};
/// `parse_refusing` of each program of a text in which lines "// -----" separate them: what is wrong with one says
/// nothing of the others. Never throws for what a text says.
std::vector<ProgramText> parse_each(std::string_view text, std::string_view source = {});

}  // namespace weft::stablehlo

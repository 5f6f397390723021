// Reads the text of print.h: parse(print(j)) == j, unless the programs in j nest more than 512 deep. `#` starts a
// comment, which ends with the line; the name scopes that print may write are comments, so they are not read back.
#pragma once

#include <string_view>

#include "weft/base/location.h"
#include "weft/ir/jaxpr.h"

namespace weft::ir {

/// Throws ParseError "parse: line:column: ..." for text that is not a program, names an unknown operation
/// or variable, or declares a result type other than the operation's.
Jaxpr parse(std::string_view text, SourceLocation loc = std::source_location::current());

}  // namespace weft::ir

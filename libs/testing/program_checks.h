// How assertions about values are made where values are not known: as checks of checkify. Private to the library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weft/core/array.h"

namespace weft::testing::detail {

/// Fails with "<op>: <must>; got <got>." unless `pred`, bool[], is true; `got` has places {} for up to two values.
/// Where `pred` is not known, a check of the program says so when it runs.
void check_value(std::string_view op, const std::string& must, const Array& pred, const std::string& got,
                 const std::vector<Array>& values, const SourceLocation& loc);

/// Text that checkify's messages show as it is.
std::string escaped(const std::string& text);

}  // namespace weft::testing::detail

// Tables of scalars as text: rows "step,name,value" (RFC 4180), which CsvWriter writes and read_series reads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::train {

/// The first row, without its end.
inline constexpr std::string_view kCsvTitle = "step,name,value";

/// The end of the row that begins at `from`: its line break, which is not inside of quotes; npos when it is cut off.
std::size_t csv_row_end(std::string_view text, std::size_t from);

/// A text as a field, in quotes where it needs them, and back.
std::string csv_field(std::string_view text);
std::string csv_text(std::string_view field);

}  // namespace weft::train

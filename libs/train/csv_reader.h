// The numbers of a table that CsvWriter wrote, as curves: whole ones, also of a run that was stopped and went on.
#pragma once

#include <string>
#include <vector>

#include "train/plot.h"

namespace weft::train {

/// The series of these names, in this order, with steps as x; empty ones where the table, or the file, has none. Where
/// a step stands twice, because a run went on from before it, the later row counts. A last row that was cut off is left
/// out. ParseError, naming the row, when the file is no such table, BackendError when it cannot be read.
std::vector<Series> read_series(const std::string& path, const std::vector<std::string>& names,
                                SourceLocation loc = std::source_location::current());

}  // namespace weft::train

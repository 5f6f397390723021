// Where data sets are: in folders of the folder that the environment variable WEFT_DATA_DIR names. Knows no data set.
#pragma once

#include <optional>
#include <string>

#include "weft/base/location.h"

namespace weft::train {

/// $WEFT_DATA_DIR/<name>, whether it is there or not; nullopt when the variable is not set or empty.
std::optional<std::string> find_data_folder(const std::string& name);

/// The same for programs that need it: ValueError when the variable is not set, BackendError when there is no such
/// folder.
std::string data_folder(const std::string& name, SourceLocation loc = std::source_location::current());

}  // namespace weft::train

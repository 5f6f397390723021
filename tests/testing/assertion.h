// How errors of assertions begin in what error_of gives.
#pragma once

#include <string>

#include "harness/errors.h"

namespace weft::testing {

inline const std::string kError = "testing::AssertionError: ";

}  // namespace weft::testing

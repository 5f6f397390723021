// What the build under test can do.
#pragma once

#include "weft/runtime/client.h"

namespace weft::testing {

/// False of a build without LLVM, which runs programs equation by equation.
inline bool has_compiler() { return default_client().compiles_to_code(); }

}  // namespace weft::testing

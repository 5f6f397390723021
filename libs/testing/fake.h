// Compiled functions run step by step, for debuggers and for tests that look at values.
#pragma once

#include "weft/core/trace.h"

namespace weft::testing {

/// While what it returns lives, functions made by jit are the functions themselves on this thread (see DisableJit):
///   const auto fake = testing::fake_jit();
/// Source: chex.fake_jit.
[[nodiscard]] inline DisableJit fake_jit() { return DisableJit(); }

}  // namespace weft::testing

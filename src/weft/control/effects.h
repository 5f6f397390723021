// Programs with other effects: without those that only watch, or with effects, and checks of check modes, that happen
// only where a mask holds.
// Private to control/.
#pragma once

#include <string>

#include "weft/core/array.h"
#include "weft/ir/callback.h"

namespace weft::control {

/// Whether the operation only watches: it is a print, a debug callback or a check.
bool watches(OpCode op, const ir::ParamsBase* params);
/// The program without what only watches. For a program that runs again.
ir::Jaxpr without_watchers(const ir::Jaxpr& jaxpr);

/// Whether all effects of the program can be masked: those that only watch, outside of functions with rules of their
/// own and not ordered.
bool can_mask(const ir::Jaxpr& jaxpr);
/// Whether there is something to mask: effects, or checks of check modes (ir/checks.h).
bool to_mask(const ir::Jaxpr& jaxpr);
/// The program with one more constant in front, bool[]: where it is false, effects do not happen, checks do not look,
/// and the results are what they would be. Of a program that can_mask. Of functions with rules of their own the results
/// are checked, in place of what is inside.
ir::Jaxpr masked(const ir::Jaxpr& jaxpr);

/// Throws the error of a check that failed: IndexError for kIndex, else ValueError, at `location`. `example`: of which
/// example of vmap, or "".
[[noreturn]] void throw_failed(CheckKind kind, const ir::FormatText& message, std::span<const Array> values,
                               const SourceLocation& location, const std::string& example);
/// "3", "(1, 0)": which of the examples along these axes, counted in row-major order.
std::string example_text(DimSpan examples, std::int64_t at);

}  // namespace weft::control

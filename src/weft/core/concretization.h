// The error of asking for elements that are not known: what hides them, where that comes from, and the remedies.
#pragma once

#include "weft/core/trace.h"

namespace weft {

/// What C++ wanted elements for, on which remedies depend.
enum class ElementUse : std::uint8_t {
  kChoice,    // `if`, `while`
  kInteger,   // one integer: a size, an index of a container
  kElements,  // any others
};

/// The traced value that hides the elements of `a`: `a`, or what jvp and grad hold as its primal. Null when they are
/// known. LeakError, which begins with `what`, when its transformation has ended or runs on another thread.
const Tracer* unknown_tracer(const Array& a, const char* what);

/// "a traced f32[3]", "a mapped f32[]", "an abstract f32[]".
std::string unknown_str(const Tracer& t);

/// The error with what is known of where `t` comes from: the call that made it, the arguments it depends on, and
/// where no line is known, as of `if (x)`, what was called last.
ConcretizationError concretization_error(const Tracer& t, std::string message, std::string hint);

/// The error of `what` ("item"), which wanted elements for `use`.
[[noreturn]] void throw_unknown(const Tracer& t, const char* what, ElementUse use);

}  // namespace weft

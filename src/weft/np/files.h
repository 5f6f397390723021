// Arrays in NumPy's .npy files, by name. npy.h has the format itself, and its rarer options.
#pragma once

#include <string>

#include "weft/core/array.h"

namespace weft::np {

/// Replaces or creates `path`, which appears under its name only when complete; numpy.load reads it. bf16 is stored
/// as two bytes of unnamed type. BackendError when the system refuses, ConcretizationError when x is only traced.
void save(const std::string& path, const Array& x, SourceLocation loc = std::source_location::current());

/// The array in a file that save or numpy.save wrote. BackendError when the file cannot be read, ParseError when it
/// is not a .npy file, is damaged, or has elements of a type that Weft does not have.
Array load(const std::string& path, SourceLocation loc = std::source_location::current());

}  // namespace weft::np

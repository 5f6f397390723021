// Arrays in NumPy's .npy files. npy.h has the same for host data without arrays.
#pragma once

#include <span>
#include <string>

#include "weft/core/array.h"

namespace weft::np {

struct NpyOptions {
  /// Reads '<V2' (and '|V2'), two bytes of unnamed type, as bfloat16. NumPy has no name for bfloat16, so numpy.save of
  /// an ml_dtypes.bfloat16 array, and save, store it that way; the file alone cannot tell.
  bool v2_is_bfloat16 = false;
};

/// Replaces or creates `path`, which appears under its name only when complete; numpy.load reads it. A symbolic link
/// stays one, and the file that it names is replaced; the new file has the permissions of the old one; a pipe or a
/// device is written to, never replaced. bf16 is stored as two bytes of unnamed type. BackendError when the system
/// refuses, ConcretizationError when x is only traced.
void save(const std::string& path, const Array& x, SourceLocation loc = std::source_location::current());

/// The array in a file that save or numpy.save wrote: `load("w.npy", {.v2_is_bfloat16 = true})` for one of bf16.
/// BackendError when the file cannot be read or there is no memory for it, ParseError when it is not a .npy file, is
/// damaged, or has elements of a type that Weft does not have.
Array load(const std::string& path, NpyOptions options = {}, SourceLocation loc = std::source_location::current());

}  // namespace weft::np

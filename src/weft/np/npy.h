// NumPy's .npy files (numpy.lib.format, versions 1.0 to 3.0): one array with its type and shape.
// Works on host data only. Invariants: a written file equals np.save's byte for byte, and appears under its
// name only when complete; a file that is read is either understood entirely or refused.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "weft/ir/tensor.h"
#include "weft/np/files.h"

namespace weft::np {

/// A dense row-major array on the host that owns its bytes.
struct NpyData {
  Aval aval;
  std::vector<std::byte> bytes;
  TensorView view() const { return {aval, bytes.data()}; }
};

/// The array in a file: bool, integers, floats and complex numbers of Weft's dtypes, of either byte order, in
/// C or Fortran order. Bool bytes other than 0 become true. Throws BackendError when the file cannot be read or there
/// is no memory for it and ParseError, naming the file, when it is not a .npy file, has bytes missing or left over, or
/// has another type. Reads the header first and then what it promises, so that pipes and endless devices do, too.
NpyData read_npy(const std::filesystem::path& path, NpyOptions options = {},
                 SourceLocation loc = std::source_location::current());

/// The array in the bytes of a .npy file; `name` stands for it in errors.
NpyData read_npy(std::span<const std::byte> file, std::string_view name = "<memory>", NpyOptions options = {},
                 SourceLocation loc = std::source_location::current());

/// Replaces or creates `path`; bfloat16 is stored as '<V2'. Throws BackendError when the system refuses,
/// and leaves what was there.
void write_npy(const std::filesystem::path& path, TensorView array,
               SourceLocation loc = std::source_location::current());

/// What stands before the array's bytes in its .npy file.
std::vector<std::byte> npy_header(Aval aval);

}  // namespace weft::np

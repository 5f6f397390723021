// The IDX format of the MNIST files: two zero bytes, an element type, a rank, big-endian sizes,
// big-endian elements. Plain or packed by gzip, told apart by content, never by name.
// Invariant: an IdxFile's data holds exactly the elements of its shape, in the host's byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/base/location.h"
#include "weft/ir/dtype.h"

namespace weft::train {

struct IdxFile {
  std::vector<std::int64_t> shape;
  DType dtype = u8;
  std::vector<std::byte> data;  ///< row-major
};

/// The contents of an IDX file (u8, i8, i16, i32, f32 or f64). BackendError when the file cannot be read,
/// ParseError naming it when it is foreign, truncated, too large or has trailing data.
IdxFile read_idx(const std::string& path, SourceLocation loc = std::source_location::current());

/// The same from memory; `source` names the bytes in errors.
IdxFile parse_idx(std::span<const std::byte> bytes, const std::string& source,
                  SourceLocation loc = std::source_location::current());

/// Writes an uncompressed IDX file (DTypeError for element types that IDX lacks, ShapeError when the data does
/// not fill the shape).
void write_idx(const std::string& path, const IdxFile& file, SourceLocation loc = std::source_location::current());

}  // namespace weft::train

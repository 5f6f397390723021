// Element types and literals between MLIR's text and Weft's arrays. The one place that knows how element types and
// their elements are spelled.
#pragma once

#include "weft/core/array.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {

/// "f32" -> f32, "i1" -> bool, "ui8" -> u8, "complex<f32>" -> c64, "f8E4M3FN" -> f8e4m3fn; nullopt for a type that
/// Weft does not have.
std::optional<DType> element_dtype(std::string_view mlir);
/// The other way.
std::string element_name(DType t);

TypeRef type_of(Aval aval);

/// !quant.uniform<storage:expressed[:axis], scale[:zero point] or {one per slice}>.
struct Quantization {
  DType storage = i8;
  DType expressed = f32;
  std::int64_t storage_min = 0, storage_max = 0;
  /// -1: one scale for all.
  std::int64_t axis = -1;
  std::vector<double> scales;
  std::vector<std::int64_t> zero_points;
};
/// nullopt when the text is no quantised type that can be run on its storage integers.
std::optional<Quantization> quantization(std::string_view element);

/// The elements of dense<...>. A splat takes the memory of one element whatever its shape; otherwise memory is
/// proportional to the text. Throws ParseError (what and where) when the text does not fit its type.
Array dense_array(const Module& module, const Attribute& dense);
/// The same for integers and booleans, as a list; at most `limit` elements.
std::vector<std::int64_t> dense_integers(const Module& module, const Attribute& dense, std::size_t limit = 65536);

/// dense<...> with the array's elements, bit for bit: splats as one element, many elements as hexadecimal bytes.
Attribute dense_attribute(const Array& array);
/// [[1, 2], [3, 4]] of pairs, "" of none: StableHLO's padding and lists of processes.
Attribute dense_matrix(std::span<const Dims> rows, std::int64_t columns);

}  // namespace weft::stablehlo

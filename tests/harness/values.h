// Arrays as plain numbers, without any operation of the library under test: reading elements,
// taking and joining parts, drawing directions, and comparing with a sentence for the first element that differs.
#pragma once

#include <complex>
#include <string>
#include <vector>

#include "weft/core/array.h"

namespace weft::testing {

using Complex = std::complex<double>;

/// The elements in row-major order. 64-bit integers lose digits above 2^53.
std::vector<Complex> elements(const Array& x);
/// An array of `like`'s type with these elements, rounded to its dtype.
Array array_of(Aval like, const std::vector<Complex>& elements);
/// Elements spread over (-1, 1), both parts of complex; of integers, small numbers.
Array draw(Aval like, int salt);
/// x + h t, computed in double.
Array moved(const Array& x, const Array& t, double h);
/// Re sum_i x[i] y[i], the pairing of cotangents with tangents.
double pairing(const Array& x, const Array& y);

/// The relative precision expected of results in dtype `t`; 0 for exact ones.
double precision(DType t);
/// The largest of those of the arrays' dtypes.
double tolerance_of(std::span<const Array> results);
/// f64, c128.
bool is_double(DType t);

/// Empty when `got` has want's type and every element is within tolerance * (1 + |want|), or both are
/// NaN; otherwise "element [1,2] must be 3.5; got 4.". Exact dtypes compare by bits.
std::string difference(const Array& got, const Array& want, double tolerance);
/// The same for lists; says which result differs.
std::string difference(std::span<const Array> got, std::span<const Array> want, double tolerance);
/// Bits, except that NaN equals NaN.
std::string bit_difference(std::span<const Array> got, std::span<const Array> want);

/// The arrays of both lists.
Arrays joined(std::span<const Array> a, std::span<const Array> b);
/// The arrays along a new axis.
Array stacked(std::span<const Array> parts, int axis);
/// Example `i` of each result list, stacked in front: lists by example -> one list.
Arrays stacked_results(std::span<const Arrays> examples);
/// Axis `axis` seen as [major, size, minor]: positions [begin, end) of the middle one.
Array part(const Array& x, int axis, std::int64_t size, std::int64_t minor, std::int64_t begin, std::int64_t end);

/// "f64[2,3], i32[4]".
std::string types(std::span<const Array> xs);

}  // namespace weft::testing

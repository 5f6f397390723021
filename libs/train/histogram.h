// Histograms of the elements of an array, in buckets of equal width as TensorBoard has them.
#pragma once

#include <string>
#include <vector>

#include "weft/core/array.h"

namespace weft::train {

/// How many elements x have left <= x < right; the last bucket's right end belongs to it.
struct Bucket {
  double left = 0, right = 0, count = 0;
};

/// `num_buckets` buckets from the smallest element to the largest; one, from x - 0.5 to x + 0.5, when all equal x; none
/// when there are none. Elements that are not finite are left out. ValueError when `num_buckets` is below 1, DTypeError
/// for complex arrays, ConcretizationError when only traced.
std::vector<Bucket> histogram(const Array& x, int num_buckets = 30,
                              SourceLocation loc = std::source_location::current());

}  // namespace weft::train

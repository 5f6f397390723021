// Short sequences of sizes, axes and strides.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>

#include "weft/base/small_vector.h"

namespace weft {

using Dims = SmallVector<std::int64_t, 6>;
using DimSpan = std::span<const std::int64_t>;

/// Product of the sizes; 1 for a scalar.
inline std::int64_t product(DimSpan dims) {
  std::int64_t n = 1;
  for (const std::int64_t d : dims) n *= d;
  return n;
}

/// Row-major strides, in elements.
inline Dims row_major_strides(DimSpan dims) {
  Dims strides(dims.size());
  std::int64_t step = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[i] = step;
    step *= dims[i];
  }
  return strides;
}

inline bool same_dims(DimSpan a, DimSpan b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) return false;
  return true;
}

/// A span of sizes that compares by value and prints as a tuple: what Array::shape() returns. Types live for ever, and
/// so does the shape of an array.
class ShapeView : public DimSpan {
 public:
  ShapeView() = default;
  ShapeView(DimSpan dims) : DimSpan(dims) {}  // implicit by design
  friend bool operator==(ShapeView a, ShapeView b) { return same_dims(a, b); }
};
/// "(2, 3)", "(3,)" or "()".
std::ostream& operator<<(std::ostream& out, ShapeView shape);

}  // namespace weft

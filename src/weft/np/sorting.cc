#include "weft/np/sorting.h"

#include <array>

#include "weft/np/shape.h"
#include "weft/ops/common.h"
#include "weft/ops/lax.h"

namespace weft::np {

Array sort(const Arg& x, std::optional<int> axis) {
  const LocationScope scope(x.location(), "sort");
  const Array a = axis ? x.array() : ravel(x);
  return lax::sort(std::array{a}, ops::normal_axis("sort", axis.value_or(0), a.aval()))[0];
}

Array argsort(const Arg& x, std::optional<int> axis) {
  const LocationScope scope(x.location(), "argsort");
  const Array a = axis ? x.array() : ravel(x);
  const int d = ops::normal_axis("argsort", axis.value_or(0), a.aval());
  return lax::sort(std::array{a, lax::iota(i32, a.shape(), d)}, d)[1];
}

}  // namespace weft::np

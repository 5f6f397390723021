#include "weft/np/sorting.h"

#include "weft/np/shape.h"
#include "weft/ops/common.h"
#include "weft/ops/lax.h"

namespace weft::np {

namespace {

// The sorted elements, or the positions they come from. Descending is ascending read backwards; equal elements then
// keep their order if they stood backwards before.
Array ordered(const char* op, const Arg& x, OptionalAxis axis, bool positions, bool descending) {
  const LocationScope scope(x.location(), op);
  const Array a = axis ? x.array() : ravel(x);
  const int d = ops::normal_axis(op, axis.value_or(0), a.aval());
  const Dims along{d};
  const auto turned = [&](const Array& y) { return descending ? lax::reverse(y, along) : y; };
  // A complex number with a NaN in one part comes after all that have none, whatever its other part.
  Arrays keys;
  if (is_complex(a.dtype())) keys.push_back(lax::ne(a, a));
  keys.push_back(a);
  const int num_keys = static_cast<int>(keys.size());
  if (!positions) return turned(lax::sort(keys, d, num_keys).back());
  for (Array& key : keys) key = turned(key);
  keys.push_back(turned(lax::iota(i32, a.shape(), d)));
  return turned(lax::sort(keys, d, num_keys).back());
}

}  // namespace

Array sort(const Arg& x, OptionalAxis axis, Flag descending) { return ordered("sort", x, axis, false, descending); }
Array argsort(const Arg& x, OptionalAxis axis, Flag descending) {
  return ordered("argsort", x, axis, true, descending);
}

}  // namespace weft::np

#include "weft/api/ravel.h"

#include "weft/base/text.h"
#include "weft/ops/lax.h"

namespace weft::api {

Array ravel_leaves(std::span<const Array> leaves) {
  if (leaves.empty()) return Array::full(Dims{0}, f32, Scalar(0));
  Arrays flat;
  for (const Array& a : leaves) {
    if (a.dtype() != leaves[0].dtype())
      throw DTypeError(
          "ravel: all leaves must have one dtype; got " + leaves[0].aval().str() + " and " + a.aval().str() + ".",
          "convert them with tree::map and astype.");
    flat.push_back(lax::reshape(a, Dims{a.size()}));
  }
  return lax::concatenate(flat, 0);
}

Arrays unravel_leaves(const Array& flat, std::span<const Aval> types) {
  std::int64_t total = 0;
  for (const Aval t : types) total += t.size();
  if (flat.ndim() != 1 || flat.size() != total)
    throw ShapeError("unravel: the vector must have as many elements as the tree; got " + flat.aval().str() + " for " +
                     count_str(total, "element", "elements") + ".");
  if (types.empty()) return {};
  Dims sizes;
  for (const Aval t : types) sizes.push_back(t.size());
  Arrays r = lax::split(flat, sizes, 0);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = lax::reshape(r[i], types[i].shape());
  return r;
}

}  // namespace weft::api

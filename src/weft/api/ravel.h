// A tree of arrays as one vector, and back.
#pragma once

#include "weft/core/trace.h"
#include "weft/core/tree.h"

namespace weft {

namespace api {
/// All leaves, flattened and joined; DTypeError when their dtypes differ (none at all gives f32[0]).
Array ravel_leaves(std::span<const Array> leaves);
/// The vector cut into arrays of these types; ShapeError when its length is not theirs together.
Arrays unravel_leaves(const Array& flat, std::span<const Aval> types);
}  // namespace api

/// The elements of all leaves in one 1-d array, and a function that puts such an array (or its
/// gradient, or a changed copy) back into a tree like `t`.
template <class T>
auto ravel(const T& t, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "ravel");
  const Arrays leaves = tree::leaves(t);
  const ir::Avals types = avals_of(leaves);
  // The structure alone is kept, not the values.
  T prototype = t;
  tree::for_each(prototype, [](Array& a) { a = Array(false); });
  auto unravel = [prototype = std::move(prototype), types](const Array& flat,
                                                           SourceLocation loc = std::source_location::current()) {
    const LocationScope scope(loc, "unravel");
    return tree::with_leaves(prototype, api::unravel_leaves(flat, types));
  };
  return std::pair(api::ravel_leaves(leaves), std::move(unravel));
}

}  // namespace weft

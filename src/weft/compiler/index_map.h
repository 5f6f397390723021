// Where the elements of a value are, seen from the loops of a kernel: for each dimension of the value an index that is
// affine in the loops. Operations that only move elements about (broadcast, transpose, slice, ...) change index maps
// and cost nothing else.
#pragma once

#include <optional>

#include "weft/ir/jaxpr.h"

namespace weft::compiler {

/// offset + sum_l coeff[l] * loop[l] + sum_d scale[d] * dynamic[d], where the dynamic indices are numbers that a kernel
/// reads when it runs (starts of dynamic slices).
struct Affine {
  struct Dynamic {
    std::uint32_t index;
    std::int64_t scale;
    friend bool operator==(const Dynamic&, const Dynamic&) = default;
  };

  std::int64_t offset = 0;
  Dims coeff;  // one per loop
  SmallVector<Dynamic, 1> dynamic;

  Affine() = default;
  Affine(std::size_t loops, std::int64_t constant) : offset(constant), coeff(loops, 0) {}
  static Affine loop(std::size_t loops, std::size_t l) {
    Affine a(loops, 0);
    a.coeff[l] = 1;
    return a;
  }
  void add(const Affine& other, std::int64_t scale = 1);
  friend bool operator==(const Affine&, const Affine&) = default;
};
std::uint64_t hash(const Affine& a);

/// One index per dimension of a value.
using IndexMap = SmallVector<Affine, 3>;
std::uint64_t hash(const IndexMap& map);

/// The map of a value with dimensions of the sizes `extents` of the loops.
IndexMap identity_map(DimSpan extents);

/// The place in dense row-major memory of shape `shape`.
Affine flatten(const IndexMap& map, DimSpan shape, std::size_t loops);

/// The map of `reshape`'s operand from that of its result; none when an index would not be affine. `extents` are the
/// loops' sizes. Sizes match as in ops/shape.cc.
std::optional<IndexMap> reshape_map(const IndexMap& map, DimSpan result, DimSpan operand, DimSpan extents);

/// Of an operation that moves elements: the operand's map from the result's; none when it is not affine.
/// broadcast_in_dim, transpose, reverse, slice, reshape; `part` is the number of the result of a split.
std::optional<IndexMap> operand_map(OpCode op, const ir::ParamsBase* params, const IndexMap& map, Aval operand,
                                    Aval result, DimSpan extents, std::size_t part = 0);

}  // namespace weft::compiler

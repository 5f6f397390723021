// Operations on shapes as rules write them. What changes nothing is not written: the rules see to that.
#pragma once

#include "weft/compiler/simplify_rewriter.h"
#include "weft/compiler/simplify_window.h"

namespace weft::compiler::simplifying {

inline DimSpan shape(const Rewriter& to, Atom x) { return to.aval(x).shape(); }

inline Atom reshape(Rewriter& to, Atom x, DimSpan sizes) {
  return to.make(OpCode::kReshape, ir::make_params(ReshapeParams{Dims(sizes)}), {x});
}
inline Atom broadcast(Rewriter& to, Atom x, DimSpan sizes, DimSpan dims) {
  return to.make(OpCode::kBroadcastInDim, ir::make_params(BroadcastInDimParams{Dims(dims), Dims(sizes)}), {x});
}
inline Atom transpose(Rewriter& to, Atom x, DimSpan permutation) {
  return to.make(OpCode::kTranspose, ir::make_params(TransposeParams{Dims(permutation)}), {x});
}
inline Atom reverse(Rewriter& to, Atom x, DimSpan dimensions) {
  return to.make(OpCode::kReverse, ir::make_params(ReverseParams{Dims(dimensions)}), {x});
}
inline Atom slice(Rewriter& to, Atom x, const Window& w) {
  return to.make(OpCode::kSlice, ir::make_params(slice_params(w)), {x});
}

}  // namespace weft::compiler::simplifying

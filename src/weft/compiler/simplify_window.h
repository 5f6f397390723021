// Windows: parts of arrays as slices take them, and how a window of an operation's result is made of windows of its
// operands. Says what is equal, not what is worth doing. Invariant: ranges of no more than one element have stride 1,
// so that equal windows are equal objects.
#pragma once

#include <optional>

#include "weft/ir/op.h"
#include "weft/ir/shape.h"

namespace weft::compiler::simplifying {

/// Positions start, start + stride, ... along one axis.
struct Range {
  std::int64_t start = 0, size = 0, stride = 1;
  friend bool operator==(const Range&, const Range&) = default;
};
/// One range per axis.
using Window = SmallVector<Range, 4>;

Window whole(DimSpan shape);
bool is_whole(const Window& w, DimSpan shape);
Dims sizes(const Window& w);
Window window_of(const SliceParams& p);
SliceParams slice_params(const Window& w);
/// The part `inner` of the part `outer` of an array.
Window within(const Window& outer, const Window& inner);
/// Part `i` of the parts that split makes of an array of this shape.
Window window_of(const SplitParams& p, std::size_t i, DimSpan shape);

/// A window of an operation's result as an operation on windows of its operands.
struct Narrowed {
  struct Part {
    std::size_t operand;
    Window window;
  };
  OpCode op;
  ir::Params params;
  SmallVector<Part, 3> parts;
  bool moves_only = false;  ///< The window is that of the one part, and there is nothing to compute.
};

/// Null when the window cannot be had without the rest, to the bit. The window is not empty. `in` and `out` are the
/// types of operands and result. `columns_apart`: sums over columns keep their order when there are fewer columns, as
/// they do in kernels (reduction_tree.h).
std::optional<Narrowed> narrowed(OpCode op, const ir::Params& params, std::span<const Aval> in, Aval out,
                                 const Window& w, bool columns_apart = false);

}  // namespace weft::compiler::simplifying

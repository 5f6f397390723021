// Operations that carry programs, on programs that are already staged (jit, cond, while_loop, ... take functions).
//
// A program's leading constants (Jaxpr::num_consts) are what it captures from around it: their values are the leading
// operands, first those of each program in order, then the operation's own. "Scalar" means 0-d.
// Errors: ShapeError and DTypeError when programs and operands do not fit, IndexError for axes out of range.
#pragma once

#include "weft/core/arg.h"
#include "weft/ir/callback.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/programs.h"

namespace weft::lax {

/// branches[index](xs...): `index` is i32[], and out of range means the last branch, or bool[] with two branches for
/// false and true. Branches have no captures, take xs and agree in their result types. StableHLO's `case` and `if`.
/// Derivatives: those of the branch that is taken; values and derivatives of others never matter, not even when NaN.
/// But a branch in which examples of a vmap meet (lax::psum) runs on all of them once any takes it, and what is NaN in
/// another's part of it reaches that one's derivative.
Arrays case_(const Array& index, std::span<const ir::Jaxpr> branches, std::span<const Array> xs,
             SourceLocation loc = std::source_location::current());

/// state = init; while (cond(state)) state = body(state); the last state. `captures` are those of cond, then of body.
/// `cond` gives bool[], `body` the types it takes. StableHLO's `while`. Derivatives: forward mode; with `max_steps`
/// all, in memory for about 2 sqrt(max_steps) states (control/while_transpose.cc says how). ValueError, when it runs,
/// if the condition still holds after max_steps.
Arrays while_(const ir::Jaxpr& cond, const ir::Jaxpr& body, std::span<const Array> captures,
              std::span<const Array> init, std::optional<std::int64_t> max_steps = {},
              SourceLocation loc = std::source_location::current());

/// (carry, y) = body(consts, carry, x) for each of the `length` slices x of `xs` along their first axis, from the last
/// to the first when `reverse`. Results: the last carry, and the ys stacked along a new first axis, each where its x
/// is. All derivatives; memory for reverse mode is that of the residuals of every step.
Arrays scan_(const ir::Jaxpr& body, std::span<const Array> consts, std::span<const Array> carry,
             std::span<const Array> xs, std::int64_t length, bool reverse = false,
             SourceLocation loc = std::source_location::current());

/// program(xs...), whose derivative keeps xs and the values that `policy` keeps, and computes the others again when the
/// backward pass needs them. The program has no captures. All derivatives, each of which keeps as little.
Arrays checkpoint_(const ir::Jaxpr& program, const CheckpointPolicy& policy, std::span<const Array> xs,
                   SourceLocation loc = std::source_location::current());

/// decomposition(xs...), under a name that other systems know; `attributes` is text in MLIR's form. StableHLO's
/// `composite`. Transformations see the decomposition.
Arrays composite(std::span<const Array> xs, const std::string& name, const ir::Jaxpr& decomposition,
                 const std::string& attributes = {}, std::int64_t version = 0,
                 SourceLocation loc = std::source_location::current());

/// The function that is registered as `params.call_target_name` (core/custom_call.h) applied to xs. BackendError when
/// none is. StableHLO's `custom_call`. Derivatives: the ones registered with it, else NotDifferentiableError.
Arrays custom_call(std::span<const Array> xs, const CustomCallParams& params,
                   SourceLocation loc = std::source_location::current());

/// `params.function` at xs, which have no axes of examples yet (api/callback.h takes functions of arrays and trees).
/// Pure and io callbacks have no derivatives: NotDifferentiableError; those that only watch are given primal values.
/// ValueError for an ordered one under vmap.
Arrays host_callback(std::span<const Array> xs, const CallbackParams& params,
                     SourceLocation loc = std::source_location::current());

/// ValueError with the message, filled with `values`, unless `pred`, bool[], is true; IndexError when `kind` says that
/// it is about an index. In a program that is compiled it must have become a value first: checkify does that.
void check(const Array& pred, const ir::FormatText& message, std::span<const Array> values,
           CheckKind kind = CheckKind::kUser, SourceLocation loc = std::source_location::current());

/// y_k[kept...] = computation(... computation(init, x[kept..., a0]), x[kept..., a1] ...)_k over the positions of `axes`
/// in row-major order, of n arrays of one shape together. `computation` takes n scalars so far and n elements, and
/// gives n scalars, whose dtypes are those of the results; narrower xs and inits are converted. StableHLO's `reduce`.
/// All derivatives, and vmap over inits and captures, in the same order: by a scan over those positions.
Arrays generic_reduce(std::span<const Array> xs, std::span<const Array> inits, const ir::Jaxpr& computation,
                      DimSpan axes, std::span<const Array> captures = {},
                      SourceLocation loc = std::source_location::current());

/// The same over windows: y[i...] combines x_padded[i * stride + w * dilation ...] over w in the window, where x is
/// dilated and padded with its init. StableHLO's `reduce_window`.
Arrays generic_reduce_window(std::span<const Array> xs, std::span<const Array> inits, const ir::Jaxpr& computation,
                             const Window& window, std::span<const Array> captures = {},
                             SourceLocation loc = std::source_location::current());

/// n arrays of one shape, reordered together along `dimension` so that no element comes before one that is less.
/// `comparator` takes scalars (x0 of left, x0 of right, x1 of left, ...) and gives bool[]: left is less. Always stable.
/// StableHLO's `sort`. An order that is no order gives some permutation.
Arrays generic_sort(std::span<const Array> xs, const ir::Jaxpr& comparator, int dimension, bool is_stable = true,
                    std::span<const Array> captures = {}, SourceLocation loc = std::source_location::current());

/// n arrays of one shape with updates combined in, in row-major order of the updates: each element that update u meets
/// becomes computation(xs..., us...). Windows that are not inside as a whole are dropped, as in lax::scatter.
/// `computation` takes n current values and n updates, and gives n values. StableHLO's `scatter`. All derivatives: with
/// `unique_indices`, which promises that no two updates meet, at once; else by a scan over the updates.
Arrays generic_scatter(std::span<const Array> xs, const Array& indices, std::span<const Array> updates,
                       const ir::Jaxpr& computation, const ScatterDimensionNumbers& dims, bool unique_indices = false,
                       std::span<const Array> captures = {}, SourceLocation loc = std::source_location::current());

/// Every window of x selects one of its elements: a candidate replaces the current one when
/// select(current, candidate) is false; padding is never selected. The result is `init` everywhere, with
/// scatter(value there, source[i]) where window i selects, in row-major order. `captures` are those of select, then of
/// scatter. StableHLO's `select_and_scatter`. All derivatives: where no two windows meet at once, else by a scan over
/// the windows.
Array generic_select_and_scatter(const Array& x, const Array& source, const Array& init, const ir::Jaxpr& select,
                                 const ir::Jaxpr& scatter, const Window& window, std::span<const Array> captures = {},
                                 SourceLocation loc = std::source_location::current());

}  // namespace weft::lax

// Transformations of functions that are functions again, so that checks can nest them in any order. These call the
// engines of transforms/ directly, without the public api.
#pragma once

#include "weft/core/rules.h"
#include "weft/core/stage.h"

namespace weft::testing {

/// The results as a list.
Arrays call(const FlatFunction& f, std::span<const Array> args);

/// f staged on every call and bound as a call of the program.
FlatFunction jitted(FlatFunction f);

/// f over axis `bdims[i]` of each argument, results mapped in front (repeated there when not mapped).
FlatFunction vmapped(FlatFunction f, std::vector<int> bdims, std::int64_t size);

/// (args..., one tangent per argument in `by`) -> tangents of f's inexact results, zeros where none.
/// Takes `n` args.
FlatFunction pushforward(FlatFunction f, std::size_t n, std::vector<int> by);

/// (args..., one cotangent per inexact result) -> cotangents of the arguments in `by`, zeros where none.
FlatFunction pullback(FlatFunction f, std::size_t n, std::vector<int> by);

/// Those whose dtype has derivatives.
Arrays inexact(std::span<const Array> xs);

/// Directional derivative of f's inexact results by central differences: arguments `by` move along `ts`.
Arrays difference_quotient(const FlatFunction& f, std::span<const Array> args, std::span<const int> by,
                           std::span<const Array> ts);
/// The precision that quotient has, for arguments and results of dtype `t`.
double quotient_precision(DType t);

}  // namespace weft::testing

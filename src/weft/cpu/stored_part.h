// Operations that move elements, on operands that repeat along axes: they run on what is stored, and their result
// repeats too. Without this, one row of np::zeros({n, d}) would cost n * d writes.
#pragma once

#include <optional>

#include "weft/core/rules.h"

namespace weft::cpu {

/// An operation on the stored part of its first operand.
struct StoredPart {
  ir::Params params;       // null: as they are
  Aval operand;            // as stored
  Aval result;             // of the smaller operation; the whole result has the axes of `repeated` at full size
  std::uint32_t repeated;  // axes of the result
};

/// `op` with `params` on operands of types `in`, the first of which repeats along `repeated` and is stored as `stored`,
/// giving `out`. None for operations that look at positions along repeated axes, or write.
std::optional<StoredPart> stored_part(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, Aval stored,
                                      std::uint32_t repeated, Aval out);

}  // namespace weft::cpu

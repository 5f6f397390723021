// What may be wrong with the values of a single operation, computed from them in the current trace: NaN among its
// results, a divisor that is zero, an index that is out of range. Knows nothing of what becomes of the answer.
#pragma once

#include "weft/core/trace.h"
#include "weft/ir/callback.h"

namespace weft::control {

/// Whether something is wrong, and the values that the message shows.
struct OpCheck {
  Array bad;  // bool[]
  Arrays values;
};

/// Whether a check of this kind, not kUser, says anything about the operation. Operations that only move elements make
/// no NaN, and those with programs are looked into instead.
bool check_applies(CheckKind kind, OpCode op, const ir::ParamsBase* params, std::span<const Aval> in,
                   std::span<const Aval> out);

/// What to say when it fails, in the form "divide: the divisor must not be zero; ...", and the types of its values.
struct OpCheckText {
  ir::FormatText message;
  std::vector<Aval> values;
};
OpCheckText check_text(CheckKind kind, OpCode op, std::span<const Aval> in, std::span<const Aval> out);

/// The check itself, of one that applies.
OpCheck run_check(CheckKind kind, const Call& call, std::span<const Array> results);

}  // namespace weft::control

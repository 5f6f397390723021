// What an operation means, apart from its derivatives: the table every layer may read.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "weft/ir/opcode.h"
#include "weft/ir/params.h"
#include "weft/ir/tensor.h"

namespace weft {

namespace ir {

using Avals = SmallVector<Aval, 4>;

/// Appends the types of the results, or throws ShapeError / DTypeError / IndexError.
using InferRule = void (*)(const ParamsBase* params, std::span<const Aval> in, Avals& out);
/// Reference evaluation on dense host data: the meaning of the op. `out` has the inferred types
/// and never overlaps `in`.
using EvalRule = void (*)(const ParamsBase* params, std::span<const TensorView> in,
                          std::span<const MutableTensorView> out);

/// How many operands an op takes: `least` to `most`, which is kAny when there is no end.
struct Arity {
  static constexpr int kAny = -1;
  int least = 1;
  int most = 1;
};
/// Exactly `n`.
constexpr Arity takes(int n) { return {n, n}; }
constexpr Arity takes_at_least(int n) { return {n, Arity::kAny}; }

struct OpInfo {
  /// `infer` and `eval` are called with that many operands only. One that is not declared shows at
  /// once: the op refuses its own samples.
  Arity operands = {};
  /// Texts that stand for op plus first (enum) parameter, in the order of the enumerators:
  /// reduce prints as reduce_sum, reduce_max, ... Empty when the op has no variants.
  std::span<const std::string_view> variants = {};
  /// Reads the parameters from jaxpr text; null for an op without parameters.
  Params (*parse)(TextCursor& in, int variant) = nullptr;
  /// Called through ir::infer, which has counted the operands; what the parameters say is unchecked.
  InferRule infer = nullptr;
  /// Called through ir::evaluate. Operations that carry programs evaluate them by ir/interpret.h.
  EvalRule eval = nullptr;
  /// Results have the shape of the operands and element i depends on elements i only.
  bool elementwise = false;
  /// Result i is operand i: it may share its memory.
  bool identity = false;
  /// Whether `eval` takes storage types (f8, i4, ...) as they are, because it moves elements without reading them or
  /// reads them with care. Otherwise it sees elements of compute_dtype, and its results are rounded or wrapped.
  bool storage_types = false;
  /// Whether it does more than compute results (sends, prints, talks to other processes): then it is
  /// never removed and keeps its order among others that do. Null: it never does.
  bool (*has_effects)(const ParamsBase* params) = nullptr;
};

/// The name in error messages and StableHLO text.
std::string_view op_name(OpCode op);
/// The name in jaxpr text, without a variant.
std::string_view op_text(OpCode op);
const OpInfo& op_info(OpCode op);
inline bool has_effects(OpCode op, const ParamsBase* params) {
  const OpInfo& info = op_info(op);
  return info.has_effects && info.has_effects(params);
}

/// Appends the types of the results of `op` applied to operands of types `in`. Throws ShapeError,
/// DTypeError, IndexError or ValueError when the operands (their number too) or parameters do not fit.
void infer(OpCode op, const ParamsBase* params, std::span<const Aval> in, Avals& out);

/// Runs the reference evaluation of `op`, for operands and results of all dtypes.
void evaluate(OpCode op, const ParamsBase* params, std::span<const TensorView> in,
              std::span<const MutableTensorView> out);
/// Runs `eval` with every operand and result of a storage type replaced by one of its compute_dtype.
void evaluate_computed(EvalRule eval, const ParamsBase* params, std::span<const TensorView> in,
                       std::span<const MutableTensorView> out);

/// Finds the op (and variant, or -1) for a jaxpr name or mnemonic; false when there is none.
bool find_op(std::string_view text, OpCode& op, int& variant);

}  // namespace ir

/// One `const OpInfo` per op, defined in ops/ and control/.
namespace op_infos {
#define WEFT_OP(code, mnemonic, text) extern const ir::OpInfo mnemonic;
#include "weft/ir/ops.def"
#undef WEFT_OP
}  // namespace op_infos

}  // namespace weft

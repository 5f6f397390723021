// What transformations need to know of an operation: the second table beside OpInfo.
// The engines in transforms/ reach rules only through here.
#pragma once

#include "weft/core/trace.h"
#include "weft/ir/mapped_axis.h"

namespace weft {

/// Sums the cotangents of one linear operand.
class GradAccum {
 public:
  GradAccum() = default;
  explicit GradAccum(Aval aval) : aval_(aval) {}
  /// The type a cotangent must have.
  Aval aval() const { return aval_; }
  /// Adds a cotangent. `none` is zero and adds nothing.
  void add(Array ct);
  const Array& value() const { return value_; }
  Array take() { return std::exchange(value_, Array()); }
  /// What there is so far, zeros if nothing, and begins anew: for a rule that adds to a few elements of it.
  Array take_or_zeros();

 private:
  Aval aval_;
  Array value_;
};

using Bdims = SmallVector<int, 4>;
/// The axis of an operand or result that vmap does not map.
inline constexpr int kUnmapped = -1;

/// Tangents of the results from primals and tangents of the operands. A `none` tangent is zero.
/// At least one tangent is not zero. Appends both the results and their tangents.
using JvpRule = void (*)(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);

/// The op seen as a linear map of some operands, run backwards: adds into `accums[i]`, which is
/// null for operands that are known. `call.args[i]` is the known value, or none. `cts` are the
/// cotangents of the results, none for zero; at least one is not.
using TransposeRule = void (*)(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums);

/// The op over operands with one more axis, of axis.size positions, at `bdims[i]` (or kUnmapped). At least one operand
/// is mapped, or a program inside the op names the axis. Appends the results and where their mapped axis is.
using BatchRule = void (*)(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                           Bdims& out_bdims);

/// Higher-order ops only: results in the current trace, tangents staged in `tangent_trace`.
using LinearizeRule = void (*)(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                               Arrays& out_tangents);

/// How an axis of an array relates to the axes of the others: the sharding rule of an op.
/// Every axis of every operand and result is a product of factors, major to minor.
struct FactorTable {
  enum class Kind : std::uint8_t {
    kPassThrough,      // may be split: every shard computes its own part
    kReduction,        // absent from the result: shards hold partial results
    kNeedReplication,  // every shard needs all of it
    kPermutation,      // may be split, but shards need elements of their neighbours
  };
  struct Factor {
    std::int64_t size;
    Kind kind;
  };
  using Axes = SmallVector<SmallVector<int, 2>, 4>;  // factor numbers, by axis
  SmallVector<Factor, 6> factors;
  SmallVector<Axes, 3> operands;
  SmallVector<Axes, 1> results;

  int add(std::int64_t size, Kind kind = Kind::kPassThrough) {
    factors.push_back({size, kind});
    return static_cast<int>(factors.size()) - 1;
  }
};
using FactorsRule = FactorTable (*)(const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out);

struct OpRules {
  JvpRule jvp = nullptr;
  /// rules::not_linear when the op is linear in no operand.
  TransposeRule transpose = nullptr;
  BatchRule batch = nullptr;
  /// In place of `batch` when the op's parameters name the axis that is mapped; no operand need be.
  BatchRule collective = nullptr;
  FactorsRule factors = nullptr;
  LinearizeRule linearize = nullptr;
};

const OpRules& op_rules(OpCode op);

/// One `const OpRules` per op, defined beside its OpInfo.
namespace op_rule_table {
#define WEFT_OP(code, mnemonic, text) extern const OpRules mnemonic;
#include "weft/ir/ops.def"
#undef WEFT_OP
}  // namespace op_rule_table

namespace rules {
/// JvpRule of ops whose results do not vary smoothly with any operand: every tangent is zero.
void zero_tangent(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);
/// TransposeRule of ops that are linear in no operand; reaching it is a bug in a jvp rule.
void not_linear(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums);
}  // namespace rules

/// An array of zeros (a splat) of the given type.
Array zeros_of(Aval aval);

}  // namespace weft

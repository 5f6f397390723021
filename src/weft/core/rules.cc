#include "weft/core/rules.h"

namespace weft {

namespace {
constexpr const OpRules* kRules[] = {
#define WEFT_OP(code, mnemonic, text) &op_rule_table::mnemonic,
#include "weft/ir/ops.def"
#undef WEFT_OP
};
}  // namespace

const OpRules& op_rules(OpCode op) { return *kRules[static_cast<int>(op)]; }

void GradAccum::add(Array ct) {
  if (!ct.defined()) return;
  if (ct.aval() != aval_)
    throw InternalError("transpose: a cotangent must have its primal's type " + aval_.str() + "; got " +
                        ct.aval().str());
  value_ = value_.defined() ? bind1(OpCode::kAdd, {value_, ct}) : std::move(ct);
}

Array GradAccum::take_or_zeros() { return value_.defined() ? take() : zeros_of(aval_); }

namespace rules {

void zero_tangent(const Call& call, std::span<const Array>, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  for (std::size_t i = 0; i < outs.size(); ++i) out_tangents.push_back(Array());
}

void not_linear(const Call& call, std::span<const Array>, std::span<GradAccum* const>) {
  // Our own rules are linear in tangents (tests see to that), so this is one of the user's.
  throw NotDifferentiableError(std::string(ir::op_name(call.op)) +
                                   ": what a jvp rule makes of tangents must be linear in them; got " +
                                   std::string(ir::op_name(call.op)) + " in a way that is not.",
                               "a rule may scale tangents by values and add them; everything else is made of the "
                               "arguments.");
}

}  // namespace rules

Array zeros_of(Aval aval) {
  static constexpr std::byte kZero[16] = {};
  return detail::make_splat(aval, kZero);
}

}  // namespace weft

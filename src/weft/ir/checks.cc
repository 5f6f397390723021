#include "weft/ir/checks.h"

#include "weft/ir/nested.h"

namespace weft::ir {

namespace {

bool is_check(OpCode op) { return op == OpCode::kCheckFinite || op == OpCode::kCheckIndex; }

ChecksInside operator|(ChecksInside a, ChecksInside b) { return {a.any || b.any, a.nans || b.nans, a.infs || b.infs}; }

}  // namespace

bool only_moves(OpCode op) {
  switch (op) {
    case OpCode::kConvert:
    case OpCode::kBitcastConvert:
    case OpCode::kReducePrecision:
    case OpCode::kSelect:
    case OpCode::kReshape:
    case OpCode::kBroadcastInDim:
    case OpCode::kTranspose:
    case OpCode::kReverse:
    case OpCode::kSlice:
    case OpCode::kDynamicSlice:
    case OpCode::kDynamicUpdateSlice:
    case OpCode::kConcatenate:
    case OpCode::kSplit:
    case OpCode::kPad:
    case OpCode::kGather:
    case OpCode::kSort:
    case OpCode::kGenericSort:
    case OpCode::kTopK:
    case OpCode::kReal:
    case OpCode::kImag:
    case OpCode::kComplex:
    case OpCode::kConj:
    case OpCode::kNegate:
    case OpCode::kAbs:
    case OpCode::kNextAfter:
    case OpCode::kOptimizationBarrier:
    case OpCode::kStopGradient:
    case OpCode::kCheckpointName: return true;
    default: return false;
  }
}

ChecksInside checks_inside(const Jaxpr& jaxpr) {
  return *jaxpr.memo<ChecksInside>("checks", [&] {
    ChecksInside all;
    for (const Eqn& e : jaxpr.eqns()) {
      if (e.op == OpCode::kCheckFinite) {
        const auto& p = params_as<CheckFiniteParams>(e.params);
        all = all | ChecksInside{true, p.nans, p.infs};
      } else if (e.op == OpCode::kCheckIndex) {
        all = all | ChecksInside{true, false, false};
      } else if (e.params) {
        all = all | checks_inside(*e.params);
      }
    }
    return std::make_shared<const ChecksInside>(all);
  });
}

ChecksInside checks_inside(const ParamsBase& params) {
  ChecksInside all;
  for_each_program(params, Programs::kAll, [&](const Jaxpr& program) { all = all | checks_inside(program); });
  return all;
}

Jaxpr without_checks(const Jaxpr& jaxpr) {
  return without_eqns(jaxpr, "without checks", [](const Eqn& e) { return is_check(e.op); });
}

}  // namespace weft::ir

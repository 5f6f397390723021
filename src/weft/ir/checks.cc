#include "weft/ir/checks.h"

#include "weft/ir/nested.h"

namespace weft::ir {

namespace {

bool is_check(OpCode op) { return op == OpCode::kCheckFinite || op == OpCode::kCheckIndex; }

ChecksInside operator|(ChecksInside a, ChecksInside b) { return {a.any || b.any, a.nans || b.nans, a.infs || b.infs}; }

}  // namespace

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

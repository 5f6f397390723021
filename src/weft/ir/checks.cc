#include "weft/ir/checks.h"

#include "weft/ir/nested.h"

namespace weft::ir {

namespace {

bool is_check(OpCode op) { return op == OpCode::kCheckFinite || op == OpCode::kCheckIndex; }

const ChecksInside& checks_of(const Jaxpr& jaxpr) {
  return *jaxpr.memo<ChecksInside>("checks", [&] {
    auto all = std::make_shared<ChecksInside>();
    const auto add = [&](ChecksInside more) {
      all->any |= more.any;
      all->nans |= more.nans;
      all->infs |= more.infs;
    };
    for (const Eqn& e : jaxpr.eqns()) {
      if (e.op == OpCode::kCheckFinite) {
        const auto& p = params_as<CheckFiniteParams>(e.params);
        add({true, p.nans, p.infs});
      } else if (e.op == OpCode::kCheckIndex) {
        add({true, false, false});
      } else if (e.params) {
        add(checks_inside(*e.params));
      }
    }
    return all;
  });
}

}  // namespace

ChecksInside checks_inside(const ParamsBase& params) {
  ChecksInside all;
  for_each_program(params, Programs::kAll, [&](const Jaxpr& program) {
    const ChecksInside& c = checks_of(program);
    all.any |= c.any;
    all.nans |= c.nans;
    all.infs |= c.infs;
  });
  return all;
}

Jaxpr without_checks(const Jaxpr& jaxpr) {
  return without_eqns(jaxpr, "without checks", [](const Eqn& e) { return is_check(e.op); });
}

}  // namespace weft::ir

#include "weft/ir/callback.h"

#include "weft/base/text.h"
#include "weft/ir/nested.h"

namespace weft::ir {

void print_param(ParamWriter& w, const HostFunctionRef&) { w.text += "Function"; }

void parse_param(TextCursor& in, HostFunctionRef&) {
  in.fail("no callback: the C++ function that one calls is not in the text, so programs with callbacks cannot be read");
}

// Equality is identity, but hashes must not depend on where objects lie: printed programs show them.
std::uint64_t hash_param(const HostFunctionRef&) { return hash_bytes("Function"); }

bool has_checks(const Jaxpr& jaxpr) {
  return has_effects(jaxpr) &&
         any_eqn(jaxpr, Programs::kRun, "has checks", [](const Eqn& e) { return e.op == OpCode::kCheck; });
}

void refuse_check(const Eqn& check) {
  const ForcedLocation line(check.location);
  throw ValueError(
      "check: in a program that is compiled, a check must have been made a value by checkify; got one that was not.",
      "checkify::checkify(f) gives a function of {error, result}; transform and jit that, and call error.throw_() "
      "outside.");
}

void refuse_checks(const Jaxpr& jaxpr) {
  if (!has_checks(jaxpr)) return;
  for (const Eqn& e : jaxpr.eqns()) {
    if (e.op == OpCode::kCheck) refuse_check(e);
    if (e.params) for_each_program(*e.params, Programs::kRun, [](const Jaxpr& p) { refuse_checks(p); });
  }
}

}  // namespace weft::ir

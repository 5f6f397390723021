#include "weft/ir/checkpoint.h"

#include <algorithm>

#include "weft/base/text.h"
#include "weft/ir/contraction.h"

namespace weft {

namespace {

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const std::string* name_of(const ir::Eqn& e) {
  return e.op == OpCode::kCheckpointName ? &ir::params_as<CheckpointNameParams>(e.params).name : nullptr;
}

// Whether the rule keeps the results of `e`; `excluded`: it bears or is given a name of the rule.
bool keeps(const SaveRule& rule, const ir::Eqn& e, bool excluded) {
  const std::string* name = name_of(e);
  switch (rule.kind) {
    case SaveRuleKind::kNothingSaveable: return false;
    case SaveRuleKind::kEverythingSaveable: return true;
    case SaveRuleKind::kDotsSaveable: return e.op == OpCode::kDotGeneral;
    case SaveRuleKind::kDotsWithNoBatchDimsSaveable:
      return e.op == OpCode::kDotGeneral &&
             ir::params_as<DotGeneralParams>(e.params).dimension_numbers.lhs_batch.empty();
    case SaveRuleKind::kSaveOnlyTheseNames: return name && among(rule.names, *name);
    case SaveRuleKind::kSaveAnyNamesButThese: return name && !among(rule.names, *name);
    case SaveRuleKind::kSaveAnythingExceptTheseNames: return !excluded;
  }
  throw InternalError("checkpoint: unknown rule");
}

}  // namespace

std::vector<bool> saveable_eqns(const CheckpointPolicy& policy, const ir::Jaxpr& jaxpr) {
  const auto& eqns = jaxpr.eqns();
  std::vector<bool> saveable(eqns.size(), false);
  for (std::size_t i = 0; i < eqns.size(); ++i) saveable[i] = ir::has_effects(eqns[i].op, eqns[i].params.get());
  for (const SaveRule& rule : policy.rules()) {
    std::vector<bool> excluded(jaxpr.num_vars(), false);
    if (rule.kind == SaveRuleKind::kSaveAnythingExceptTheseNames)
      for (const ir::Eqn& e : eqns) {
        const std::string* name = name_of(e);
        if (!name || !among(rule.names, *name)) continue;
        excluded[e.out_begin] = true;
        if (const ir::Atom x = jaxpr.operands(e)[0]; !x.is_literal()) excluded[x.index()] = true;
      }
    for (std::size_t i = 0; i < eqns.size(); ++i) {
      bool any = false;
      for (ir::Var v = eqns[i].out_begin; v < eqns[i].out_end; ++v) any = any || excluded[v];
      if (keeps(rule, eqns[i], any)) saveable[i] = true;
    }
  }
  return saveable;
}

// ---- text ----

void print_param(ir::ParamWriter& w, const CheckpointPolicy& v) {
  bool first = true;
  for (const SaveRule& rule : v.rules()) {
    if (!first) w.text += " | ";
    first = false;
    ir::print_param(w, rule.kind);
    if (!has_names(rule.kind)) continue;
    w.text += "(";
    for (std::size_t i = 0; i < rule.names.size(); ++i) {
      if (i) w.text += ", ";
      ir::print_param(w, rule.names[i]);
    }
    w.text += ")";
  }
}

void parse_param(TextCursor& in, CheckpointPolicy& v) {
  bool first = true;
  do {
    SaveRule rule;
    ir::parse_param(in, rule.kind);
    if (has_names(rule.kind)) {
      in.expect("(");
      while (!in.accept(")")) {
        ir::parse_param(in, rule.names.emplace_back());
        if (in.accept(",")) continue;
        in.expect(")");
        break;
      }
    }
    const CheckpointPolicy one(rule.kind, std::move(rule.names));
    v = first ? one : v | one;
    first = false;
  } while (in.accept("|"));
}

std::uint64_t hash_param(const CheckpointPolicy& v) {
  std::uint64_t h = v.rules().size();
  for (const SaveRule& rule : v.rules())
    h = hash_mix(hash_mix(h, ir::hash_param(rule.kind)), ir::hash_param(rule.names));
  return h;
}

}  // namespace weft

#include "weft/compiler/strict.h"

#include <algorithm>
#include <set>
#include <string>

#include "weft/base/error.h"
#include "weft/compiler/decompose.h"
#include "weft/compiler/jaxpr_edit.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/nested.h"

namespace weft::compiler {

namespace {

bool any(std::span<const DType> types, bool (*is)(DType)) { return std::any_of(types.begin(), types.end(), is); }

// Those of an elementwise operation. What rounds nothing has one result; so has what the target has code for, in the
// type itself or in f32 (with_small_floats_widened).
bool same_elementwise(OpCode op, const ir::ParamsBase* params, std::span<const DType> in, DType out,
                      const Target& target) {
  switch (op) {
    case OpCode::kClamp:
    case OpCode::kCompare:
    case OpCode::kComplex:
    case OpCode::kConj:
    case OpCode::kConvert:
    case OpCode::kImag:
    case OpCode::kNegate:
    case OpCode::kNextAfter:
    case OpCode::kReal:
    case OpCode::kReducePrecision:
    case OpCode::kSelect:
    case OpCode::kAdd:
    case OpCode::kSubtract: return true;
    // By the formula, each operation rounded on its own.
    case OpCode::kMultiply: return true;
    default: break;
  }
  if (!any(in, is_inexact) && !is_inexact(out)) return true;
  if (target.applies(op, params, in, out)) return true;
  if (in[0] != f16 && in[0] != bf16) return false;
  const SmallVector<DType, 3> wide(in.size(), f32);
  return target.applies(op, params, wide, out == in[0] ? f32 : out);
}

// Whether the operation gives the same bits everywhere, once sums are ordered.
bool same_everywhere(const ir::Jaxpr& jaxpr, const ir::Eqn& e, const Target& target) {
  if (ir::runs_programs(e.op)) return true;  // those are looked at themselves
  SmallVector<DType, 3> in;
  for (const ir::Atom a : jaxpr.operands(e)) in.push_back(jaxpr.aval(a).dtype());
  const DType out = e.out_begin < e.out_end ? jaxpr.aval(e.out_begin).dtype() : boolean;
  if (ir::op_info(e.op).elementwise) return same_elementwise(e.op, e.params.get(), in, out, target);
  switch (e.op) {
    // Elements are moved, counted or compared.
    case OpCode::kArgmax:
    case OpCode::kArgmin:
    case OpCode::kBitcastConvert:
    case OpCode::kBroadcastInDim:
    case OpCode::kCheckFinite:
    case OpCode::kCheckIndex:
    case OpCode::kCheckpointName:
    case OpCode::kConcatenate:
    case OpCode::kDynamicSlice:
    case OpCode::kDynamicUpdateSlice:
    case OpCode::kGather:
    case OpCode::kIota:
    case OpCode::kOptimizationBarrier:
    case OpCode::kPad:
    case OpCode::kReshape:
    case OpCode::kReverse:
    case OpCode::kRngBitGenerator:
    case OpCode::kSlice:
    case OpCode::kSort:
    case OpCode::kSplit:
    case OpCode::kStopGradient:
    case OpCode::kThreefry2x32:
    case OpCode::kTopK:
    case OpCode::kTranspose: return true;
    // Sums in an order that the shapes alone decide; of products, see decompose.h.
    case OpCode::kConvolution:
    case OpCode::kCumsum:
    case OpCode::kDotGeneral:
    case OpCode::kReduce:
    case OpCode::kReduceWindow:
    case OpCode::kScatter:
    case OpCode::kSelectAndGatherAdd:
    case OpCode::kSelectAndScatter: return !any(in, is_complex) && !any(in, is_storage) && !is_storage(out);
    default: return false;
  }
}

void collect(const ir::Jaxpr& jaxpr, const Target& target, std::set<std::string>& others) {
  for (const ir::Eqn& e : jaxpr.eqns()) {
    if (!same_everywhere(jaxpr, e, target)) {
      std::string text(ir::op_name(e.op));
      if (e.in_begin < e.in_end) text += " of " + std::string(name(jaxpr.aval(jaxpr.operands(e)[0]).dtype()));
      others.insert(text);
    }
    if (e.params)
      ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& p) { collect(p, target, others); });
  }
}

// Operations of small floats that the target has code for in f32 only.
ir::Jaxpr with_small_floats_widened(const ir::Jaxpr& jaxpr, const Target& target);

ir::Jaxpr widened(const ir::Jaxpr& jaxpr, const Target& target) {
  // Whether the target has code for the operation in f32 alone.
  const auto widens = [&](const ir::Eqn& e) {
    if (!ir::op_info(e.op).elementwise || e.in_begin == e.in_end || e.out_end - e.out_begin != 1) return false;
    SmallVector<DType, 3> in;
    for (const ir::Atom a : jaxpr.operands(e)) in.push_back(jaxpr.aval(a).dtype());
    if ((in[0] != f16 && in[0] != bf16) || jaxpr.aval(e.out_begin).dtype() != in[0]) return false;
    const SmallVector<DType, 3> wide(in.size(), f32);
    return !target.applies(e.op, e.params.get(), in, in[0]) && target.applies(e.op, e.params.get(), wide, f32);
  };
  const auto inside = [&](const ir::Jaxpr& p) { return with_small_floats_widened(p, target); };
  JaxprEdit edit(jaxpr);
  for (const ir::Eqn& e : jaxpr.eqns()) {
    edit.at(e);
    if (!widens(e)) {
      edit.keep(e.params ? ir::with_programs(e.params, inside) : e.params);
      continue;
    }
    SmallVector<ir::Atom, 3> operands;
    for (const ir::Atom a : jaxpr.operands(e)) operands.push_back(edit.convert(edit.now(a), f32));
    edit.replace(edit.convert(edit.make(e.op, e.params, operands), jaxpr.aval(e.out_begin).dtype()));
  }
  return edit.finish();
}

ir::Jaxpr with_small_floats_widened(const ir::Jaxpr& jaxpr, const Target& target) {
  return *jaxpr.memo<ir::Jaxpr>("small floats widened",
                                [&] { return std::make_shared<const ir::Jaxpr>(widened(jaxpr, target)); });
}

}  // namespace

ir::Jaxpr strict(const ir::Jaxpr& jaxpr, const Target& target) {
  const ir::Jaxpr whole = ir::dce(ir::inline_calls(jaxpr));
  std::set<std::string> others;
  collect(whole, target, others);
  if (!others.empty()) {
    std::string names;
    for (const std::string& o : others) names += (names.empty() ? "" : ", ") + o;
    throw BackendError("compile: under Fp::kStrict operations must give the same bits on every machine; got " + names +
                       ".");
  }
  return decompose(with_small_floats_widened(whole, target), /*ordered=*/true);
}

}  // namespace weft::compiler

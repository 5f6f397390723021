#include "weft/compiler/strict.h"

#include <algorithm>
#include <set>
#include <string>

#include "weft/base/error.h"
#include "weft/compiler/decompose.h"
#include "weft/ir/builder.h"
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
  ir::JaxprBuilder b;
  std::vector<ir::Var> inputs;
  std::vector<ir::Atom> now;
  for (const Aval a : jaxpr.input_avals()) {
    inputs.push_back(b.add_var(a));
    now.push_back(ir::Atom::var(inputs.back()));
  }
  const auto use = [&](ir::Atom a) { return a.is_literal() ? b.add_literal(jaxpr.literal(a)) : now[a.index()]; };
  for (const ir::Eqn& e : jaxpr.eqns()) {
    std::vector<ir::Atom> operands;
    std::vector<Aval> results;
    SmallVector<DType, 3> in;
    for (const ir::Atom a : jaxpr.operands(e)) {
      operands.push_back(use(a));
      in.push_back(jaxpr.aval(a).dtype());
    }
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) results.push_back(jaxpr.aval(v));
    const auto inside = [&](const ir::Jaxpr& p) { return with_small_floats_widened(p, target); };
    const ir::Params params = e.params ? ir::with_programs(e.params, inside) : e.params;
    const bool small = !in.empty() && (in[0] == f16 || in[0] == bf16) && results.size() == 1 &&
                       results[0].dtype() == in[0] && ir::op_info(e.op).elementwise;
    const auto convert = [&](ir::Atom a, Aval from, DType to) {
      const Aval result[] = {from.with_dtype(to)};
      return ir::Atom::var(b.add_eqn(OpCode::kConvert, ir::make_params(ConvertParams{to}), std::span(&a, 1), result,
                                     e.location, e.scope));
    };
    const SmallVector<DType, 3> wide(in.size(), f32);
    if (small && !target.applies(e.op, e.params.get(), in, in[0]) && target.applies(e.op, e.params.get(), wide, f32)) {
      for (std::size_t i = 0; i < operands.size(); ++i)
        operands[i] = convert(operands[i], jaxpr.aval(jaxpr.operands(e)[i]), f32);
      const Aval result[] = {results[0].with_dtype(f32)};
      const ir::Atom y = ir::Atom::var(b.add_eqn(e.op, params, operands, result, e.location, e.scope));
      now.push_back(convert(y, result[0], results[0].dtype()));
      continue;
    }
    const ir::Var first = b.add_eqn(e.op, params, operands, results, e.location, e.scope);
    for (std::size_t i = 0; i < results.size(); ++i) now.push_back(ir::Atom::var(first + static_cast<ir::Var>(i)));
  }
  std::vector<ir::Atom> outputs;
  for (const ir::Atom a : jaxpr.outputs()) outputs.push_back(use(a));
  return ir::with_num_consts(b.build({}, inputs, outputs), jaxpr.num_consts());
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

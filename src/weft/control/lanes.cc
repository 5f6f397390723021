#include "weft/control/lanes.h"

#include <algorithm>
#include <limits>

#include "weft/control/handed_down.h"
#include "weft/core/named_axes.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/collectives.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/nested.h"

namespace weft::control {

namespace {

Array along_front(const Array& mask, DimSpan shape) { return lax::broadcast_in_dim(mask, shape, Dims{0}); }

bool is_empty(const Array& on) { return on.shape()[0] == 0; }

}  // namespace

Lanes::Lanes(Array on) : on_(std::move(on)) {
  if (is_empty(on_)) return;
  const std::int64_t size = on_.shape()[0];
  const DType t = size <= std::numeric_limits<std::int32_t>::max() ? i32 : i64;
  first_ = lax::reduce_min(
      lax::select(on_, lax::iota(t, on_.shape(), 0), Array::full(on_.shape(), t, Scalar(size - 1))), Dims{0});
}

Array Lanes::operator()(const Array& x) const {
  if (is_empty(on_)) return x;
  Array first = example_of(x, first_);
  if (is_inexact(x.dtype())) first = lax::stop_gradient(first);
  Dims axes;
  for (int axis = 1; axis < x.ndim(); ++axis) axes.push_back(axis);
  return choose(x, lax::broadcast_in_dim(first, x.shape(), axes));
}

Array Lanes::shared(const Array& x) const {
  return is_inexact(x.dtype()) ? lax::select(any(), x, lax::stop_gradient(x)) : x;
}

Array Lanes::choose(const Array& yes, const Array& no) const {
  return lax::select(along_front(on_, yes.shape()), yes, no);
}

Array Lanes::places() const { return (*this)(lax::iota(i32, on_.shape(), 0)); }

Array Lanes::any() const { return lax::reduce_or(on_, Dims{0}); }

bool may_fail(const ir::Jaxpr& program) {
  return *program.memo<bool>("may fail", [&] {
    const auto fails = [](const ir::Eqn& e) {
      switch (e.op) {
        case OpCode::kWhile:
        case OpCode::kCustomCall:
        case OpCode::kHostCallback: return true;
        case OpCode::kCall: return may_fail(ir::params_as<CallParams>(e.params).jaxpr);
        case OpCode::kComposite: return may_fail(ir::params_as<CompositeParams>(e.params).decomposition);
        case OpCode::kCheckpoint: return may_fail(ir::params_as<CheckpointParams>(e.params).jaxpr);
        case OpCode::kScan: return may_fail(ir::params_as<ScanParams>(e.params).jaxpr);
        case OpCode::kCase: return std::ranges::any_of(ir::params_as<CaseParams>(e.params).branches, may_fail);
        default: {
          const ir::Jaxpr* custom = ir::custom_program(e.op, e.params.get());
          return custom && may_fail(*custom);
        }
      }
    };
    return std::make_shared<const bool>(std::ranges::any_of(program.eqns(), fails));
  });
}

namespace {

// Whether an operation, also in programs within, is a collective whose axes satisfy the condition.
bool has_collective(const ir::Jaxpr& program, const std::string& key, FunctionRef<bool(const ir::AxisNames&)> along) {
  return !ir::named_axes(program).empty() && ir::any_eqn(program, ir::Programs::kRun, key, [&](const ir::Eqn& e) {
    if (!e.params || e.op == OpCode::kAxisIndex) return false;
    bool carries_programs = false;
    ir::for_each_program(*e.params, ir::Programs::kAll, [&](const ir::Jaxpr&) { carries_programs = true; });
    ir::AxisNames names;
    e.params->add_axes(names);
    return !carries_programs && along(names);
  });
}

bool contains(const ir::AxisNames& names, const MappedAxis& axis) {
  return axis && std::ranges::find(names, axis.name) != names.end();
}

}  // namespace

bool examples_meet(const ir::Jaxpr& program) {
  return has_collective(program, "examples meet", [](const ir::AxisNames& names) { return !names.empty(); });
}

bool examples_meet_along(const ir::Jaxpr& program, const MappedAxis& axis) {
  return contains(ir::named_axes(program), axis) &&
         has_collective(program, "examples meet:" + axis.key(),
                        [&](const ir::AxisNames& names) { return contains(names, axis); });
}

bool asks_place(const ir::Jaxpr& program, const MappedAxis& axis) { return contains(ir::named_axes(program), axis); }

ir::Jaxpr told_place(const ir::Jaxpr& program, const MappedAxis& axis) {
  Avals inputs{scalar_of(i32)};
  for (const Aval a : program.input_avals()) inputs.push_back(a);
  return derive(program, "told place:" + axis.key(), inputs, program.num_consts() + 1,
                [&](std::span<const Array> args, Arrays& outs) {
                  const auto asks = [&](const ir::Jaxpr& p) { return asks_place(p, axis); };
                  const auto told = [&](const ir::Jaxpr& p) { return told_place(p, axis); };
                  eval_jaxpr_by(program, args.subspan(1), outs,
                                [&](const ir::Eqn& e, std::span<const Array> operands, Arrays& results) {
                                  ir::AxisNames names;
                                  if (e.params) e.params->add_axes(names);
                                  if (!contains(names, axis)) return bind(e.op, e.params, operands, results);
                                  if (e.op == OpCode::kAxisIndex) return results.push_back(args[0]);
                                  if (!run_handed_down(e, args[0], operands, {asks, told}, results))
                                    bind(e.op, e.params, operands, results);
                                });
                });
}

Array any_example(const Array& on, const ir::AxisNames& axes) {
  Array any = lax::convert(on, i32);
  for (const std::string& name : axes) {
    AllReduceParams p{ReduceKind::kMax, {}, {}};
    p.groups.axis = named_axis("any_example", name);
    any = bind1(OpCode::kAllReduce, ir::make_params(std::move(p)), {any});
  }
  return lax::ne(any, 0);
}

ir::Jaxpr zeros_instead(const ir::Jaxpr& program) {
  return derive(program, "zeros", program.input_avals(), program.num_consts(),
                [&](std::span<const Array>, Arrays& outs) {
                  for (const Aval a : program.output_avals()) outs.push_back(zeros_of(a));
                });
}

}  // namespace weft::control

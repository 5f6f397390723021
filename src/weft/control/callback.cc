// host_callback[kind, function, ...](xs...): a C++ function of the host, called with concrete values when the program
// runs. vmap calls it for each example in the operation itself, so that programs do not grow with their number.
#include <algorithm>
#include <bit>

#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/ir/callback.h"

namespace weft {

using namespace control;

namespace {

const CallbackParams& params_of(const ParamsBase* params) { return ir::params_as<CallbackParams>(params); }

Dims with_front(DimSpan front, DimSpan shape) {
  Dims r(front);
  r.append(shape.begin(), shape.end());
  return r;
}

// How many of the axes of examples an operand has.
int axes_of(const CallbackParams& p, std::size_t operand) {
  return std::popcount(static_cast<std::uint64_t>(p.mapped[operand]));
}

void infer_callback(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const CallbackParams& p = params_of(params);
  internal_check(p.function.function != nullptr, "host_callback: there is no function");
  internal_check(p.mapped.size() == in.size(), "host_callback: there must be a mask of examples for each operand");
  for (std::size_t i = 0; i < in.size(); ++i) {
    Dims front;
    for (std::size_t k = 0; k < p.examples.size(); ++k)
      if (p.mapped[i] >> k & 1) front.push_back(p.examples[k]);
    const DimSpan shape = in[i].shape();
    internal_check(shape.size() >= front.size() && std::equal(front.begin(), front.end(), shape.begin()),
                   "host_callback: an operand lacks an axis of examples");
  }
  internal_check(!p.masked || (in[0].dtype() == boolean && in[0].ndim() == axes_of(p, 0) && p.result_types.empty()),
                 "host_callback: the mask must be a bool for each example");
  for (const Aval a : p.result_types) out.push_back(a.with_shape(with_front(p.examples, a.shape())));
}

// Calls the function for each example: its operands and results are parts of the whole ones.
void eval_callback(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const CallbackParams& p = params_of(params);
  std::vector<TensorView> operands;
  std::vector<MutableTensorView> results;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Aval type = in[i].aval.with_shape(in[i].shape().subspan(static_cast<std::size_t>(axes_of(p, i))));
    operands.push_back({type, in[i].data});
  }
  results.reserve(out.size());
  for (std::size_t i = 0; i < out.size(); ++i) results.push_back({p.result_types[i], out[i].data});
  std::int64_t example = 0;
  ops::for_each_index(p.examples, [&](const Dims& index) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      std::int64_t position = 0;
      for (std::size_t k = 0; k < p.examples.size(); ++k)
        if (p.mapped[i] >> k & 1) position = position * p.examples[k] + index[k];
      operands[i].data = static_cast<const std::byte*>(in[i].data) + position * operands[i].aval.bytes();
    }
    for (std::size_t i = 0; i < out.size(); ++i)
      results[i].data = static_cast<std::byte*>(out[i].data) + example * results[i].aval.bytes();
    ++example;
    const std::span<const TensorView> all(operands);
    if (p.masked && !*all[0].as<bool>()) return;
    p.function.function->call(all.subspan(p.masked ? 1 : 0), results);
  });
}

bool has_effects_callback(const ParamsBase* params) { return params_of(params).kind != CallbackKind::kPure; }

void jvp_callback(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CallbackParams>();
  if (only_watches(p.kind)) return rules::zero_tangent(call, tangents, outs, out_tangents);
  const bool inexact =
      std::any_of(p.result_types.begin(), p.result_types.end(), [](Aval a) { return is_inexact(a.dtype()); });
  if (!inexact) return rules::zero_tangent(call, tangents, outs, out_tangents);
  throw NotDifferentiableError(
      std::string(kCallbackKindNames[static_cast<int>(p.kind)]) +
          ": a function of the host has no derivatives that could be told from it; got a derivative through " + p.name +
          ".",
      "wrap it in a function with custom_jvp or custom_vjp, whose rule may call the host again, or, if its result "
      "counts as a constant, give it stop_gradient of its arguments.");
}

void batch_callback(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                    Bdims& out_bdims) {
  CallbackParams p = call.params_as<CallbackParams>();
  if (p.ordered)
    throw ValueError(std::string(kCallbackKindNames[static_cast<int>(p.kind)]) +
                         ": an ordered callback must not be mapped; got vmap over " + std::to_string(axis.size) +
                         " examples.",
                     "vmap runs the examples side by side, so the calls of one cannot all come before those of the "
                     "next: leave `ordered` out, or run the examples one after the other with map or scan.");
  Arrays operands;
  if (p.vmap_method == VmapMethod::kSequential) {
    if (p.examples.size() >= 62) throw ValueError("host_callback: vmap must be nested less than 62 times; got more.");
    // The new axis comes first, so those that are there already move up by one.
    p.examples.insert(p.examples.begin(), axis.size);
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      const bool mapped = bdims[i] != kUnmapped;
      p.mapped[i] = p.mapped[i] << 1 | static_cast<std::int64_t>(mapped);
      operands.push_back(mapped ? ops::bdim_to(call.args[i], bdims[i], 0, axis.size) : call.args[i]);
    }
  } else {
    for (std::size_t i = 0; i < call.args.size(); ++i) {
      const bool shared = bdims[i] == kUnmapped && p.vmap_method == VmapMethod::kExpandDims;
      operands.push_back(ops::bdim_to(call.args[i], bdims[i], 0, shared ? 1 : axis.size));
    }
    for (Aval& a : p.result_types) a = a.with_shape(with_front(Dims{axis.size}, a.shape()));
  }
  bind(call.op, ir::make_params(std::move(p)), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

}  // namespace

Arrays lax::host_callback(std::span<const Array> xs, const CallbackParams& params, SourceLocation loc) {
  const LocationScope scope(loc, kCallbackKindNames[static_cast<int>(params.kind)]);
  CallbackParams p = params;
  p.examples.clear();
  p.mapped.assign(xs.size(), 0);
  p.masked = false;
  Arrays outs;
  bind(OpCode::kHostCallback, ir::make_params(std::move(p)), xs, outs);
  return outs;
}

const ir::OpInfo op_infos::host_callback{.operands = ir::takes_at_least(0),
                                         .variants = kCallbackKindNames,
                                         .parse = ir::parse_params<CallbackParams>,
                                         .infer = infer_callback,
                                         .eval = eval_callback,
                                         .storage_types = true,
                                         .has_effects = has_effects_callback};
const OpRules op_rule_table::host_callback{
    .jvp = jvp_callback, .transpose = rules::not_linear, .batch = batch_callback, .factors = factors_replicated};

}  // namespace weft

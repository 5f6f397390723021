// check[message, examples](pred, values...): ValueError unless pred holds, for each example. It is run where operations
// run one by one; in a program that is compiled, checkify has turned it into a value, or it is refused.
#include <algorithm>

#include "weft/control/effects.h"
#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/core/format.h"
#include "weft/ir/callback.h"

namespace weft {

using namespace control;

namespace {

bool begins_with(DimSpan shape, DimSpan front) {
  return shape.size() >= front.size() && std::equal(front.begin(), front.end(), shape.begin());
}

void infer_check(const ParamsBase* params, std::span<const Aval> in, Avals&) {
  const auto& p = ir::params_as<CheckParams>(params);
  if (in[0].dtype() != boolean) throw DTypeError("check: the condition must be bool; got " + in[0].str() + ".");
  if (Dims(in[0].shape()) != p.examples)
    throw ShapeError("check: the condition must be 0-d; got " + in[0].str() + ".", "np::all(x) is one bool for many.");
  for (const Aval a : in.subspan(1))
    if (!begins_with(a.shape(), p.examples))
      throw ShapeError("check: values must have the axes of the condition; got " + a.str() + ".");
  const std::size_t holes = p.message.values.size();
  if (p.message.pieces.size() != holes + 1 || p.message.specs.size() != holes)
    throw ValueError("check: a message must have a piece of text around each value; got " +
                     std::to_string(p.message.pieces.size()) + " for " + std::to_string(holes) + ".");
  for (const std::int64_t v : p.message.values)
    if (v < 0 || static_cast<std::size_t>(v) + 1 >= in.size())
      throw ValueError("check: a message must show operands; got number " + std::to_string(v) + ".");
}

// Example `at` of an operand.
Array example(const TensorView& x, std::size_t axes, std::int64_t at) {
  const Aval type = x.aval.with_shape(x.shape().subspan(axes));
  return Array::copy(type.dtype(), Dims(type.shape()), static_cast<const std::byte*>(x.data) + at * type.bytes(),
                     static_cast<std::size_t>(type.size()));
}

void eval_check(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView>) {
  const auto& p = ir::params_as<CheckParams>(params);
  for (std::int64_t at = 0; at < in[0].size(); ++at) {
    if (in[0].as<bool>()[at]) continue;
    Arrays values;
    for (const TensorView& x : in.subspan(1)) values.push_back(example(x, p.examples.size(), at));
    throw_failed(p.kind, p.message, values, current_location(),
                 p.examples.empty() ? std::string() : example_text(p.examples, at));
  }
}

void batch_check(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  CheckParams p = call.params_as<CheckParams>();
  p.examples.insert(p.examples.begin(), axis.size);
  Arrays operands;
  for (std::size_t i = 0; i < call.args.size(); ++i)
    operands.push_back(ops::bdim_to(call.args[i], bdims[i], 0, axis.size));
  bind(call.op, ir::make_params(std::move(p)), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

}  // namespace

void control::throw_failed(CheckKind kind, const ir::FormatText& message, std::span<const Array> values,
                           const SourceLocation& location, const std::string& example) {
  // The text is complete: it does not begin with the name of an operation that the user called by another one.
  const ForcedLocation line(location);
  const auto raise = [&](auto error) {
    if (!example.empty()) error.add_note("for example " + example + " of vmap");
    throw error;
  };
  if (kind == CheckKind::kIndex) raise(IndexError(render(message, values)));
  raise(ValueError(render(message, values)));
  throw InternalError("throw_failed: nothing was thrown");
}

std::string control::example_text(DimSpan examples, std::int64_t at) {
  if (examples.size() == 1) return std::to_string(at);
  std::string s;
  for (std::size_t i = examples.size(); i-- > 0; at /= examples[i])
    s = std::to_string(at % examples[i]) + (s.empty() ? "" : ", ") + s;
  return "(" + s + ")";
}

void lax::check(const Array& pred, const ir::FormatText& message, std::span<const Array> values, CheckKind kind,
                SourceLocation loc) {
  const LocationScope scope(loc, "check");
  Arrays operands{pred}, outs;
  operands.append(values.begin(), values.end());
  bind(OpCode::kCheck, ir::make_params(CheckParams{message, {}, kind}), operands, outs);
}

const ir::OpInfo op_infos::check{.operands = ir::takes_at_least(1),
                                 .parse = ir::parse_params<CheckParams>,
                                 .infer = infer_check,
                                 .eval = eval_check,
                                 .storage_types = true,
                                 .has_effects = [](const ParamsBase*) { return true; }};
const OpRules op_rule_table::check{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_check, .factors = factors_replicated};

}  // namespace weft

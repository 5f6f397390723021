#include "weft/compiler/jaxpr_edit.h"

#include "weft/compiler/simplify_axes.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/op.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

using ir::Atom;

ir::Var JaxprWriter::make_all(OpCode op, ir::Params params, std::span<const Atom> operands) {
  ir::Avals in, out;
  for (const Atom a : operands) in.push_back(aval(a));
  ir::infer(op, params.get(), in, out);
  return builder_.add_eqn(op, std::move(params), operands, out, location_, scope_);
}

Atom JaxprWriter::broadcast(Atom x, const Dims& dimensions, const Dims& to) {
  return make(OpCode::kBroadcastInDim, ir::make_params(BroadcastInDimParams{dimensions, to}), {x});
}

Atom JaxprWriter::reshape(Atom x, const Dims& to) {
  return Dims(shape(x)) == to ? x : make(OpCode::kReshape, ir::make_params(ReshapeParams{to}), {x});
}

Atom JaxprWriter::transpose(Atom x, const Dims& permutation) {
  return simplifying::is_increasing(permutation)
             ? x
             : make(OpCode::kTranspose, ir::make_params(TransposeParams{permutation}), {x});
}

Atom JaxprWriter::convert(Atom x, DType to) {
  return aval(x).dtype() == to ? x : make(OpCode::kConvert, ir::make_params(ConvertParams{to}), {x});
}

Atom JaxprWriter::concatenate(std::span<const Atom> parts, std::size_t axis) {
  if (parts.size() == 1) return parts[0];
  return make(OpCode::kConcatenate, ir::make_params(ConcatenateParams{static_cast<std::int64_t>(axis)}), parts);
}

Atom JaxprWriter::slice(Atom x, std::size_t axis, std::int64_t start, std::int64_t limit, std::int64_t stride) {
  if (start == 0 && limit == shape(x)[axis] && stride == 1) return x;
  SliceParams p{Dims(shape(x)), Dims(rank(x), 0), Dims(rank(x), 1)};
  p.start_indices[axis] = start, p.limit_indices[axis] = limit, p.strides[axis] = stride;
  return make(OpCode::kSlice, ir::make_params(std::move(p)), {x});
}

std::vector<Atom> JaxprWriter::append(const ir::Jaxpr& program, std::span<const Atom> inputs) {
  std::vector<Atom> values(inputs.begin(), inputs.end()), outputs;
  const auto use = [&](Atom a) { return a.is_literal() ? literal(program.literal(a)) : values[a.index()]; };
  SmallVector<Atom, 6> operands;
  ir::Avals results;
  for (const ir::Eqn& e : program.eqns()) {
    operands.clear();
    results.clear();
    for (const Atom a : program.operands(e)) operands.push_back(use(a));
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) results.push_back(program.aval(v));
    const ir::Var first = builder_.add_eqn(e.op, e.params, operands, results, e.location, e.scope);
    for (std::size_t i = 0; i < results.size(); ++i) values.push_back(Atom::var(first + static_cast<ir::Var>(i)));
  }
  for (const Atom a : program.outputs()) outputs.push_back(use(a));
  return outputs;
}

Atom NewJaxpr::declared(Aval a, std::vector<ir::Var>& list) {
  list.push_back(builder_.add_var(a));
  return Atom::var(list.back());
}

JaxprEdit::JaxprEdit(const ir::Jaxpr& from) : from_(from) {
  for (const Aval a : from.input_avals()) {
    inputs_.push_back(builder_.add_var(a));
    now_.push_back(Atom::var(inputs_.back()));
  }
}

void JaxprEdit::keep(std::span<const Atom> operands, ir::Params params) {
  ir::Avals results;
  for (ir::Var v = eqn_->out_begin; v < eqn_->out_end; ++v) results.push_back(from_.aval(v));
  const ir::Var first = builder_.add_eqn(eqn_->op, std::move(params), operands, results, eqn_->location, eqn_->scope);
  for (std::size_t i = 0; i < results.size(); ++i) now_.push_back(Atom::var(first + static_cast<ir::Var>(i)));
}

void JaxprEdit::replace(Atom value) {
  internal_check(eqn_->out_end == eqn_->out_begin + 1 && aval(value) == from_.aval(eqn_->out_begin),
                 "JaxprEdit: one value takes the place of one result, and has its type");
  now_.push_back(value);
}

SmallVector<Atom, 6> JaxprEdit::operands_now() {
  SmallVector<Atom, 6> operands;
  for (const Atom a : from_.operands(*eqn_)) operands.push_back(now(a));
  return operands;
}

ir::Jaxpr JaxprEdit::finish() {
  std::vector<Atom> outputs;
  for (const Atom a : from_.outputs()) outputs.push_back(now(a));
  const std::span<const ir::Var> all = inputs_;
  return builder_.build(all.first(from_.num_consts()), all.subspan(from_.num_consts()), outputs);
}

}  // namespace weft::compiler

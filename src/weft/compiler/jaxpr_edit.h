// A jaxpr written again, equation by equation, with some equations replaced.
#pragma once

#include <initializer_list>
#include <vector>

#include "weft/ir/builder.h"

namespace weft::compiler {

/// For each equation of the old program, in order: at(e), new equations as they are needed, then keep or replace.
class JaxprEdit {
 public:
  explicit JaxprEdit(const ir::Jaxpr& from);

  /// Says which equation of the old program is next. New ones have its place in the source.
  void at(const ir::Eqn& e) { eqn_ = &e; }

  /// What an atom of the old program is in the new one.
  ir::Atom now(ir::Atom a) { return a.is_literal() ? builder_.add_literal(from_.literal(a)) : now_[a.index()]; }
  ir::Atom literal(const ir::Literal& l) { return builder_.add_literal(l); }
  /// Of an atom of the new program.
  Aval aval(ir::Atom a) const { return builder_.aval(a); }
  DimSpan shape(ir::Atom a) const { return aval(a).shape(); }
  std::size_t rank(ir::Atom a) const { return shape(a).size(); }

  /// Where the old equation stands in the source.
  const SourceLocation& location() const { return eqn_->location; }

  /// The first result of a new equation; the others follow it.
  ir::Var make_all(OpCode op, ir::Params params, std::span<const ir::Atom> operands);
  /// The only result of a new equation.
  ir::Atom make(OpCode op, ir::Params params, std::span<const ir::Atom> operands) {
    return ir::Atom::var(make_all(op, std::move(params), operands));
  }
  ir::Atom make(OpCode op, ir::Params params, std::initializer_list<ir::Atom> operands) {
    return make(op, std::move(params), std::span(operands.begin(), operands.size()));
  }
  // These are `x` itself where they would change nothing.
  ir::Atom reshape(ir::Atom x, const Dims& to);
  ir::Atom transpose(ir::Atom x, const Dims& permutation);
  ir::Atom convert(ir::Atom x, DType to);
  ir::Atom concatenate(std::span<const ir::Atom> parts, std::size_t axis);
  /// Elements start, start + stride, ... below `limit` along one axis.
  ir::Atom slice(ir::Atom x, std::size_t axis, std::int64_t start, std::int64_t limit, std::int64_t stride = 1);

  /// Writes the equation with other operands or parameters, which keep the types of its results.
  void keep(std::span<const ir::Atom> operands, ir::Params params);
  void keep(std::span<const ir::Atom> operands) { keep(operands, eqn_->params); }
  void keep(ir::Params params) { keep(operands_now(), std::move(params)); }
  void keep() { keep(eqn_->params); }
  /// Says that `value` is the only result of the equation.
  void replace(ir::Atom value);

  /// The new program; the edit is over.
  ir::Jaxpr finish();

 private:
  SmallVector<ir::Atom, 6> operands_now();

  const ir::Jaxpr& from_;
  const ir::Eqn* eqn_ = nullptr;
  ir::JaxprBuilder builder_;
  std::vector<ir::Var> inputs_;
  std::vector<ir::Atom> now_;  // by variable of the old program, as far as it is written
};

}  // namespace weft::compiler

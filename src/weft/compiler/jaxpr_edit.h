// Jaxprs written equation by equation: new ones, and old ones with some equations replaced.
#pragma once

#include <initializer_list>
#include <vector>

#include "weft/ir/builder.h"

namespace weft::compiler {

/// Equations as passes write them; their results have the types that are inferred.
class JaxprWriter {
 public:
  /// Where the equations that are written now have their place in the source.
  const SourceLocation& location() const { return location_; }
  const std::string* scope() const { return scope_; }

  ir::Atom literal(const ir::Literal& l) { return builder_.add_literal(l); }
  Aval aval(ir::Atom a) const { return builder_.aval(a); }
  DimSpan shape(ir::Atom a) const { return aval(a).shape(); }
  std::size_t rank(ir::Atom a) const { return shape(a).size(); }

  /// The first result of a new equation; the others follow it.
  ir::Var make_all(OpCode op, ir::Params params, std::span<const ir::Atom> operands);
  /// The only result of a new equation.
  ir::Atom make(OpCode op, ir::Params params, std::span<const ir::Atom> operands) {
    return ir::Atom::var(make_all(op, std::move(params), operands));
  }
  ir::Atom make(OpCode op, ir::Params params, std::initializer_list<ir::Atom> operands) {
    return make(op, std::move(params), std::span(operands.begin(), operands.size()));
  }
  ir::Atom broadcast(ir::Atom x, const Dims& dimensions, const Dims& to);
  // These are `x` itself where they would change nothing.
  ir::Atom reshape(ir::Atom x, const Dims& to);
  ir::Atom transpose(ir::Atom x, const Dims& permutation);
  ir::Atom convert(ir::Atom x, DType to);
  ir::Atom concatenate(std::span<const ir::Atom> parts, std::size_t axis);
  /// Elements start, start + stride, ... below `limit` along one axis.
  ir::Atom slice(ir::Atom x, std::size_t axis, std::int64_t start, std::int64_t limit, std::int64_t stride = 1);
  /// The equations of `program`, which keep their places in the source, applied to `inputs`; gives its outputs.
  std::vector<ir::Atom> append(const ir::Jaxpr& program, std::span<const ir::Atom> inputs);

 protected:
  void at(const SourceLocation& location, const std::string* scope) { location_ = location, scope_ = scope; }

  ir::JaxprBuilder builder_;

 private:
  SourceLocation location_;
  const std::string* scope_ = nullptr;
};

/// A new program, such as the body of a loop, for an equation of another.
class NewJaxpr : public JaxprWriter {
 public:
  NewJaxpr() = default;
  explicit NewJaxpr(const JaxprWriter& of) { at(of.location(), of.scope()); }
  using JaxprWriter::at;

  ir::Atom constant(Aval a) { return declared(a, consts_); }
  ir::Atom input(Aval a) { return declared(a, inputs_); }
  /// The program; the writing is over.
  ir::Jaxpr finish(std::span<const ir::Atom> outputs) { return builder_.build(consts_, inputs_, outputs); }

 private:
  ir::Atom declared(Aval a, std::vector<ir::Var>& list);

  std::vector<ir::Var> consts_, inputs_;
};

/// For each equation of the old program, in order: at(e), new equations as they are needed, then keep or replace.
class JaxprEdit : public JaxprWriter {
 public:
  explicit JaxprEdit(const ir::Jaxpr& from);

  /// Says which equation of the old program is next. New ones have its place in the source.
  void at(const ir::Eqn& e) {
    eqn_ = &e;
    JaxprWriter::at(e.location, e.scope);
  }

  /// What an atom of the old program is in the new one.
  ir::Atom now(ir::Atom a) { return a.is_literal() ? literal(from_.literal(a)) : now_[a.index()]; }

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
  std::vector<ir::Var> inputs_;
  std::vector<ir::Atom> now_;  // by variable of the old program, as far as it is written
};

}  // namespace weft::compiler

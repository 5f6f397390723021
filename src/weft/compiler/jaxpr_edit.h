// A jaxpr written again, equation by equation, with some equations replaced.
#pragma once

#include <vector>

#include "weft/ir/builder.h"

namespace weft::compiler {

class JaxprEdit {
 public:
  explicit JaxprEdit(const ir::Jaxpr& from) : from_(from) {
    for (std::size_t v = 0; v < from.num_inputs(); ++v) {
      inputs_.push_back(builder_.add_var(from.aval(static_cast<ir::Var>(v))));
      now_.push_back(ir::Atom::var(inputs_.back()));
    }
  }

  /// What an atom of the old program is in the new one.
  ir::Atom now(ir::Atom a) { return a.is_literal() ? builder_.add_literal(from_.literal(a)) : now_[a.index()]; }
  ir::Atom literal(const ir::Literal& l) { return builder_.add_literal(l); }

  /// The result of a new equation that comes from the old equation `e`.
  ir::Atom add(const ir::Eqn& e, OpCode op, ir::Params params, std::initializer_list<ir::Atom> operands, Aval result) {
    const Aval results[] = {result};
    return ir::Atom::var(
        builder_.add_eqn(op, std::move(params), {operands.begin(), operands.size()}, results, e.location, e.scope));
  }
  /// Writes `e` as it is, on other operands.
  void keep(const ir::Eqn& e, std::span<const ir::Atom> operands) {
    std::vector<Aval> results;
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) results.push_back(from_.aval(v));
    const ir::Var first = builder_.add_eqn(e.op, e.params, operands, results, e.location, e.scope);
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) now_.push_back(ir::Atom::var(first + (v - e.out_begin)));
  }
  void keep(const ir::Eqn& e) {
    SmallVector<ir::Atom, 6> operands;
    for (const ir::Atom a : from_.operands(e)) operands.push_back(now(a));
    keep(e, operands);
  }
  /// Says that the only result of the next equation of the old program is `value`.
  void replace(ir::Atom value) { now_.push_back(value); }

  ir::Jaxpr finish() {
    std::vector<ir::Atom> outputs;
    for (const ir::Atom a : from_.outputs()) outputs.push_back(now(a));
    const std::span<const ir::Var> all = inputs_;
    return builder_.build(all.first(from_.num_consts()), all.subspan(from_.num_consts()), outputs);
  }

 private:
  const ir::Jaxpr& from_;
  ir::JaxprBuilder builder_;
  std::vector<ir::Var> inputs_;
  std::vector<ir::Atom> now_;  // by variable of the old program, as far as it is written
};

}  // namespace weft::compiler

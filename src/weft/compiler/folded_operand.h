// What a reduction of few columns is of, where several rows count as one (ir/reduction_order.h). A row that repeats
// (the mean that is taken from every row, say) has places then that are not affine in the loops, and all its
// repetitions would be written to memory: the folded operand repeats a row of several such rows instead, which is
// small.
#pragma once

#include <optional>
#include <vector>

#include "weft/compiler/jaxpr_edit.h"

namespace weft::compiler {

class FoldedOperand {
 public:
  /// By variable of the old program: the equation that makes it, or null, and by how many others it is used.
  struct Definition {
    const ir::Eqn* eqn = nullptr;
    std::uint32_t uses = 0;
  };
  using Definitions = std::vector<Definition>;
  static Definitions definitions_in(const ir::Jaxpr& jaxpr);

  /// For operands of n rows of `width`, of which `fold` count as one; n is a multiple.
  FoldedOperand(JaxprEdit& to, const ir::Jaxpr& of, const Definitions& definitions, std::int64_t n, std::int64_t width,
                std::int64_t fold)
      : to_(to), of_(of), definitions_(definitions), width_(width), fold_(fold), shape_{n / fold, fold * width} {}

  /// `x` of the old program as [n / fold, fold * width]; nothing when no row repeats beneath it, as far as cheap
  /// elementwise operations reach, so that a reshape does as well.
  std::optional<ir::Atom> make(ir::Atom x);

 private:
  struct Seen {
    ir::Var var;
    bool has_repeated_row;
    std::optional<ir::Atom> folded;
  };

  const ir::Eqn* eqn_of(ir::Atom x) const { return x.is_literal() ? nullptr : definitions_[x.index()].eqn; }
  // The equations, of these two kinds, that are looked into.
  bool repeats_row(const ir::Eqn& e) const;
  bool is_passed(const ir::Eqn& e) const;

  bool has_repeated_row(ir::Atom x);
  Seen* find(ir::Atom x);
  ir::Atom folded(ir::Atom x);

  JaxprEdit& to_;
  const ir::Jaxpr& of_;
  const Definitions& definitions_;
  const std::int64_t width_, fold_;
  const Dims shape_;
  std::vector<Seen> seen_;
};

}  // namespace weft::compiler

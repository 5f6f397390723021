// Builds a jaxpr equation by equation. Variables may be declared in any order; `build`
// numbers them as Jaxpr promises.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft::ir {

class JaxprBuilder {
 public:
  /// A variable that is not yet defined: an input or a captured constant.
  Var add_var(Aval aval) {
    avals_.push_back(aval);
    return static_cast<Var>(avals_.size() - 1);
  }
  Aval aval(Var v) const { return avals_[v]; }
  Aval aval(Atom a) const { return a.is_literal() ? literals_[a.index()].aval : avals_[a.index()]; }
  std::size_t num_eqns() const { return eqns_.size(); }
  Atom add_literal(const Literal& literal);
  /// Appends an equation and returns its first result; the others follow it.
  Var add_eqn(OpCode op, Params params, std::span<const Atom> operands, std::span<const Aval> results,
              const SourceLocation& location, const std::string* scope = nullptr);
  /// Which variables so far `v` is computed from, itself included.
  std::vector<bool> needed_for(Var v) const;
  /// Finishes. The builder is empty afterwards.
  Jaxpr build(std::span<const Var> consts, std::span<const Var> inputs, std::span<const Atom> outputs);

 private:
  std::vector<Aval> avals_;
  std::vector<Literal> literals_;
  std::vector<Atom> operands_;
  std::vector<Eqn> eqns_;
};

/// The program without equations whose results are not needed by `used` outputs (all when empty)
/// and have no effects. Captured constants and inputs stay as they are.
Jaxpr dce(const Jaxpr& jaxpr, const std::vector<bool>& used = {});

/// Like dce for all outputs, but also drops captured constants that are not needed; `kept[i]`
/// tells whether constant i stays. Inputs stay as they are.
Jaxpr dce_consts(const Jaxpr& jaxpr, std::vector<bool>& kept);

/// The equations that `outputs` need when `inputs`, any variables of the program, are given. Effects are left out.
/// An output that is given is itself.
Jaxpr part_of(const Jaxpr& jaxpr, std::span<const Var> inputs, std::span<const Atom> outputs);

/// The program with each `call`, `composite`, `checkpoint` and custom_..._call replaced by the equations of what it
/// stands for, where those are at most kMostInlined; larger programs stay calls. Custom rules are lost: this is for
/// running programs. So the result is linear in the text of a program whose functions each call the one before twice,
/// which stands for exponentially many equations. With `custom` false, custom_..._call stay, and so do their rules.
Jaxpr inline_calls(const Jaxpr& jaxpr, bool custom = true);
inline constexpr std::size_t kMostInlined = 4096;

/// The equations of a program and of all that it calls, each called program counted once.
std::size_t count_distinct_eqns(const Jaxpr& jaxpr);

/// Throws InternalError unless variables are defined before use, defined once, and every
/// equation's result types are what its op infers.
void check(const Jaxpr& jaxpr);

}  // namespace weft::ir

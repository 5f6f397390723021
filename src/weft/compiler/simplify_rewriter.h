// The engine of simplify: writes a program anew, equation by equation in order, and looks at each as it comes. Knows
// how equal equations become one, how literals fold and how rules are applied; no rule itself.
//
// A rule sees one equation that is to be written, in terms of the new program, and may give a value that equals its
// only result instead. What it writes for that goes through the rules again, so that they compose.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "weft/compiler/simplify.h"

namespace weft::compiler::simplifying {

using ir::Atom;
using ir::Avals;
using ir::Jaxpr;
using ir::Literal;
using ir::Params;
using ir::Var;
using Atoms = SmallVector<Atom, 3>;

/// An equation of the new program, or one that is to be written.
struct Equation {
  OpCode op;
  Params params;
  Atoms operands;
  Avals types;  // of the results
  SourceLocation location = SourceLocation();
  const std::string* scope = nullptr;
  Var first = 0;  // its first result; the others follow
  std::uint64_t hash = 0;

  template <class P>
  const P& params_as() const {
    return ir::params_as<P>(params);
  }
};

class Rewriter {
 public:
  /// `nested` gives what a program inside an equation becomes.
  Rewriter(EvaluateOp evaluate, FunctionRef<Jaxpr(const Jaxpr&)> nested) : evaluate_(evaluate), nested_(nested) {}
  /// The whole program, rewritten. Once per object. The same program when nothing changed.
  Jaxpr rewrite(const Jaxpr& program);

  // ---- the new program, as rules read it ----

  Aval aval(Atom a) const { return a.is_literal() ? literals_[a.index()].aval : avals_[a.index()]; }
  /// Null for a variable.
  const Literal* literal(Atom a) const { return a.is_literal() ? &literals_[a.index()] : nullptr; }
  /// The equation that `a` is a result of; null for a literal and for an input.
  const Equation* producer(Atom a) const;
  /// The same when it is of this operation and has no other results, else null.
  const Equation* definition(Atom a, OpCode op) const;
  /// Whether the old program used what became this value once.
  bool used_once(Atom a) const { return !a.is_literal() && uses_[a.index()] == 1; }

  // ---- what rules write ----

  Atom literal(const Literal& l);
  /// The one result of an operation; its place is that of the equation being rewritten.
  Atom make(OpCode op, Params params, const Atoms& operands);
  /// The results of an equation, simplified. Not of one with programs, which simplify_programs.h writes.
  Atoms write(Equation e);
  /// The same without rules: found among the equations there are, or appended.
  Atoms write_as_is(Equation e);
  /// The equations of `program`, applied to `args`; gives its outputs.
  Atoms append(const Jaxpr& program, std::span<const Atom> args);
  Jaxpr simplified(const Jaxpr& program) const { return nested_(program); }

 private:
  struct ByContent {
    std::size_t operator()(const Equation* e) const { return e->hash; }
    bool operator()(const Equation* a, const Equation* b) const;
  };
  struct LiteralHash {
    std::size_t operator()(const Literal& l) const;
  };

  Var define(Aval type, std::uint32_t equation);
  bool folded(const Equation& e, Atoms& results);
  std::optional<Atom> by_rule(const Equation& e);
  Jaxpr finish(std::size_t num_consts, std::size_t num_inputs, std::span<const Atom> outputs);

  EvaluateOp evaluate_;
  FunctionRef<Jaxpr(const Jaxpr&)> nested_;
  std::vector<Aval> avals_;                // by variable, inputs first
  std::vector<std::uint32_t> defined_by_;  // by variable: its equation
  std::vector<std::uint32_t> uses_;        // by variable
  std::deque<Equation> equations_;         // they stay where they are while more come
  std::unordered_set<const Equation*, ByContent, ByContent> by_content_;
  std::deque<Literal> literals_;
  std::unordered_map<Literal, std::uint32_t, LiteralHash> by_literal_;
  SourceLocation location_;
  const std::string* scope_ = nullptr;
  int depth_ = 0;  // of rules that write what goes through rules
};

/// What an equation's only result equals, if the rule applies. A value of another type is not taken.
using Rule = std::optional<Atom> (*)(Rewriter& to, const Equation& e);
struct RuleOf {
  OpCode op;
  Rule rule;
};

/// About numbers (simplify_arithmetic.cc). Not for storage types: what holds of numbers need not hold of them rounded.
std::span<const RuleOf> arithmetic_rules();
/// About where elements are (simplify_shape.cc, simplify_parts.cc, simplify_contraction.cc). For all types.
std::span<const RuleOf> shape_rules();
std::span<const RuleOf> part_rules();
std::span<const RuleOf> contraction_rules();

}  // namespace weft::compiler::simplifying

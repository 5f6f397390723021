// Functions that bring rules of their own: the parameters of custom_jvp_call and its kin.
//
// A rule is a program, whose leading inputs are the operation's captures. It is a C++ function where no program can be
// made beforehand: a rule that calls the function it belongs to, or depends on what vmap maps.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft {

namespace ir {

/// A C++ function as a rule. Only the layers that call it know its form.
class RuleFunction {
 public:
  virtual ~RuleFunction() = default;
};

/// A program, a function, or no rule at all. Functions are equal when they are the same object. As text a program is
/// itself, and a function the word `Function`: what is read from that has a rule that nobody can call.
class Rule {
 public:
  Rule() = default;
  explicit Rule(Jaxpr program) : kind_(Kind::kProgram), program_(std::move(program)) {}
  explicit Rule(std::shared_ptr<const RuleFunction> function)
      : kind_(Kind::kFunction), function_(std::move(function)) {}

  explicit operator bool() const { return kind_ != Kind::kNone; }
  bool is_program() const { return kind_ == Kind::kProgram; }
  const Jaxpr& program() const { return program_; }
  /// Null for a program, and for a function that was lost in text.
  const RuleFunction* function() const { return function_.get(); }
  friend bool operator==(const Rule& a, const Rule& b) {
    return a.kind_ == b.kind_ && a.function_ == b.function_ && (!a.is_program() || a.program_ == b.program_);
  }

 private:
  enum class Kind : std::uint8_t { kNone, kProgram, kFunction };
  Kind kind_ = Kind::kNone;
  Jaxpr program_;
  std::shared_ptr<const RuleFunction> function_;
};

void print_param(ParamWriter& w, const Rule& v);
void parse_param(TextCursor& in, Rule& v);
std::uint64_t hash_param(const Rule& v);
/// Those of a program. What a function does is not known.
inline void add_param_axes(const Rule& v, AxisNames& names) {
  if (v.is_program()) add_param_axes(v.program(), names);
}
inline void map_param_programs(Rule& v, ProgramMap f) {
  if (f.in_rules && v.is_program()) v = Rule(f.map(v.program()));
}

}  // namespace ir

// Below, "tangents of xs" are one tangent for each x that is float or complex, in order.

/// custom_jvp_call: operands are captures and arguments.
struct CustomJvpCallParams {
  std::string name;
  ir::Jaxpr call_jaxpr;  // captures, args -> results
  ir::Rule jvp;          // captures, args, tangents of args -> results, tangents of results
  static constexpr auto fields(auto&& visit) {
    using C = CustomJvpCallParams;
    return visit(ir::field("name", &C::name), ir::field("call_jaxpr", &C::call_jaxpr), ir::field("jvp", &C::jvp));
  }
};

/// custom_vjp_call: operands are captures and arguments. `fwd` and `bwd` are both programs or both functions.
struct CustomVjpCallParams {
  std::string name;
  ir::Jaxpr call_jaxpr;  // captures, args -> results
  ir::Rule fwd;          // captures, args -> results, residuals
  ir::Rule bwd;          // captures, residuals, cotangents of results -> cotangents of args
  ir::Rule jvp;          // as of custom_jvp_call, or none
  static constexpr auto fields(auto&& visit) {
    using C = CustomVjpCallParams;
    return visit(ir::field("name", &C::name), ir::field("call_jaxpr", &C::call_jaxpr), ir::field("fwd", &C::fwd),
                 ir::field("bwd", &C::bwd), ir::field("jvp", &C::jvp));
  }
};

/// custom_vjp_tangent: the derivative of a custom_vjp_call, linear in tangents, before anybody asks for its transpose.
/// Operands are captures, residuals, arguments (when there is `jvp`) and tangents of the arguments.
struct CustomVjpTangentParams {
  std::string name;
  std::int64_t num_captures = 0, num_residuals = 0, num_args = 0;
  std::vector<Aval> result_types;
  ir::Rule bwd;  // captures, residuals, cotangents of results -> cotangents of args
  ir::Rule jvp;  // a program: captures, args, tangents of args -> tangents of results; or none
  static constexpr auto fields(auto&& visit) {
    using C = CustomVjpTangentParams;
    return visit(ir::field("name", &C::name), ir::field("num_captures", &C::num_captures),
                 ir::field("num_residuals", &C::num_residuals), ir::field("num_args", &C::num_args),
                 ir::field("result_types", &C::result_types), ir::field("bwd", &C::bwd), ir::field("jvp", &C::jvp));
  }
};

/// custom_vmap_call: operands are captures and arguments.
struct CustomVmapCallParams {
  std::string name;
  ir::Jaxpr call_jaxpr;  // captures, args -> results
  ir::Rule rule;         // a function; without one, vmap is that of the program
  static constexpr auto fields(auto&& visit) {
    using C = CustomVmapCallParams;
    return visit(ir::field("name", &C::name), ir::field("call_jaxpr", &C::call_jaxpr), ir::field("rule", &C::rule));
  }
};

/// custom_linear_solve: operands are captures, which every program takes, and b.
struct CustomLinearSolveParams {
  ir::Jaxpr matvec;          // captures, x -> A x
  ir::Jaxpr solve;           // captures, b -> x with A x = b
  ir::Rule transpose_solve;  // a program: captures, c -> z with A^T z = c; or none
  static constexpr auto fields(auto&& visit) {
    using C = CustomLinearSolveParams;
    return visit(ir::field("matvec", &C::matvec), ir::field("solve", &C::solve),
                 ir::field("transpose_solve", &C::transpose_solve));
  }
};

namespace ir {
/// The program that an operation of this file runs as, on all its operands; null for every other operation.
const Jaxpr* custom_program(OpCode op, const ParamsBase* params);
/// What that program is called.
std::string custom_name(OpCode op, const ParamsBase* params);
}  // namespace ir

}  // namespace weft

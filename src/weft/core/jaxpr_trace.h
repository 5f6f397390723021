// Staging: operations become equations instead of running.
#pragma once

#include <functional>
#include <unordered_map>

#include "weft/core/trace.h"
#include "weft/ir/builder.h"

namespace weft {

/// A function of flat arrays, as the engines see users' functions.
using FlatFunction = std::function<void(std::span<const Array> args, Arrays& outs)>;

/// A program and the arrays it captured, which are its leading inputs.
struct Staged {
  ir::Jaxpr jaxpr;
  Arrays captured;
};

class JaxprTrace final : public Trace {
 public:
  explicit JaxprTrace(std::string name) : Trace(Kind::kJaxpr, std::move(name)) {}

  void process(const Call& call, Arrays& outs) override;
  /// A new input of the program.
  Array input(Aval aval);
  /// The program so far with these outputs. Ends the trace's usefulness.
  Staged build(std::span<const Array> outputs);
  std::size_t num_eqns() const { return builder_.num_eqns(); }

 private:
  ir::Atom atom(const Array& a);
  Array tracer(ir::Var v, Aval aval, int argument = -1);

  ir::JaxprBuilder builder_;
  std::vector<ir::Var> inputs_;
  std::vector<ir::Var> consts_;
  Arrays captured_;
  std::unordered_map<const Value*, ir::Var> const_vars_;
};

/// Traces `f` on inputs of the given types. Every operation inside is staged; arrays and outer
/// tracers that `f` closes over are captured.
Staged stage(const FlatFunction& f, std::span<const Aval> inputs, const std::string& name);

/// Runs a program operation by operation in the current trace. Values are released after their
/// last use. `args` holds constants and inputs.
void eval_jaxpr(const ir::Jaxpr& jaxpr, std::span<const Array> args, Arrays& outs);

/// The literal as an array.
Array literal_array(const ir::Literal& literal);

}  // namespace weft

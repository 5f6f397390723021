// The trace of staging: operations become equations instead of running.
#pragma once

#include <unordered_map>

#include "weft/core/stage.h"
#include "weft/ir/builder.h"

namespace weft {

class JaxprTrace final : public Trace {
 public:
  explicit JaxprTrace(std::string name) : Trace(Kind::kJaxpr, std::move(name)) {}

  void process(const Call& call, Arrays& outs) override;
  /// A new input of the program.
  Array input(Aval aval);
  /// A new constant of the program, which `a` stands for.
  void capture(const Array& a);
  /// The program so far with these outputs. Ends the trace's usefulness.
  Staged build(std::span<const Array> outputs);
  std::size_t num_eqns() const { return builder_.num_eqns(); }
  /// By going through the program backwards.
  std::optional<Sources> sources(const Tracer& t) const override;

 private:
  ir::Atom atom(const Array& a);
  Array tracer(ir::Var v, Aval aval, int argument = -1);

  ir::JaxprBuilder builder_;
  std::vector<ir::Var> inputs_;
  std::vector<ir::Var> consts_;
  Arrays captured_;
  std::unordered_map<const Value*, ir::Var> const_vars_;
};

}  // namespace weft

// How Weft runs a workload: compiled, by the call that users write.
#pragma once

#include "case.h"
#include "weft/weft.h"

namespace workloads {

using weft::Array;
namespace np = weft::np;
namespace lax = weft::lax;

/// f compiled for these arguments; a run calls it with them and drops the results.
template <class F, class... A>
Runnable compiled(F f, A... args) {
  const auto program = weft::compile(f, args...);
  return {[=] { program(args...); }, [=] { return program.text(weft::ProgramStage::kKernels); }};
}

/// A step that makes a new state of the state and a batch; every run goes on from the state of the one before.
template <class F, class S, class... A>
Runnable stepping(F step, S state, A... batch) {
  const auto program = weft::compile(step, state, batch...);
  return {[=, s = std::move(state)]() mutable { s = program(std::move(s), batch...); },
          [=] { return program.text(weft::ProgramStage::kKernels); }};
}

/// Weft's case of a workload: `make` gives what `compiled` and `stepping` do.
inline Case weft_case(std::string workload, std::string params, Amount amount, std::function<Runnable()> make) {
  return {"weft", std::move(workload), std::move(params), amount, [make = std::move(make)](int) { return make(); }};
}

/// Standard normal numbers; another seed gives others.
inline Array normal(int seed, const weft::Dims& shape) { return weft::random::normal(weft::random::key(seed), shape); }

}  // namespace workloads

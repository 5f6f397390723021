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

/// A compiled step that makes a new state of the state and a batch, alone or first of a pair; every run goes on from
/// the state of the one before.
template <class P, class S, class... A>
Runnable going_on(P program, S state, A... batch) {
  const auto kernels = [=] { return program.text(weft::ProgramStage::kKernels); };
  return {[=, s = std::move(state)]() mutable {
            auto made = program(std::move(s), batch...);
            if constexpr (std::is_same_v<decltype(made), S>)
              s = std::move(made);
            else
              s = std::move(made.first);
          },
          kernels};
}
template <class F, class S, class... A>
Runnable stepping(F step, S state, A... batch) {
  return going_on(weft::compile(step, state, batch...), state, batch...);
}
/// The old state's memory becomes the new one's.
template <class F, class S, class... A>
Runnable stepping_in_place(F step, S state, A... batch) {
  return going_on(weft::compile({.donate = {0}}, step, state, batch...), state, batch...);
}

/// Weft's case of a workload: `make` gives what `compiled` and `stepping` do.
inline Case weft_case(std::string workload, std::string params, Amount amount, std::function<Runnable()> make) {
  return {"weft", std::move(workload), std::move(params), amount, [make = std::move(make)](int) { return make(); }};
}

/// Standard normal numbers; another seed gives others.
inline Array normal(int seed, const weft::Dims& shape) { return weft::random::normal(weft::random::key(seed), shape); }

}  // namespace workloads

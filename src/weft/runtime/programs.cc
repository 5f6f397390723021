#include "weft/runtime/programs.h"

#include "weft/ir/call.h"
#include "weft/ir/programs.h"

namespace weft {

namespace {

void run_case(const CaseParams& p, std::span<const Array> args, Arrays& outs) {
  const std::size_t last = p.branches.size() - 1;
  std::size_t chosen;
  if (args[0].dtype() == boolean) {
    chosen = args[0].item<bool>() ? 1 : 0;
  } else {
    const auto i = args[0].item<std::int32_t>();
    chosen = i < 0 || static_cast<std::size_t>(i) > last ? last : static_cast<std::size_t>(i);
  }
  executable(p.branches[chosen])->run(args.subspan(1), outs);
}

void run_while(const WhileParams& p, std::span<const Array> args, Arrays& outs) {
  const std::size_t num_cond = p.cond_jaxpr.num_consts(), num_body = p.body_jaxpr.num_consts();
  const auto cond = executable(p.cond_jaxpr), body = executable(p.body_jaxpr);
  Arrays state(args.subspan(num_cond + num_body)), operands, results;
  const auto run = [&](const Executable& program, std::span<const Array> captures) {
    operands = Arrays(captures);
    operands.append(state.begin(), state.end());
    results.clear();
    program.run(operands, results);
  };
  for (;;) {
    run(*cond, args.first(num_cond));
    if (!results[0].item<bool>()) break;
    run(*body, args.subspan(num_cond, num_body));
    std::swap(state, results);
  }
  outs.append(state.begin(), state.end());
}

}  // namespace

bool carries_programs(OpCode op) {
  return op == OpCode::kCall || op == OpCode::kCase || op == OpCode::kWhile || op == OpCode::kComposite;
}

void run_programs(const Call& call, Arrays& outs) {
  switch (call.op) {
    case OpCode::kCall: return executable(call.params_as<CallParams>().jaxpr)->run(call.args, outs);
    case OpCode::kComposite: return executable(call.params_as<CompositeParams>().decomposition)->run(call.args, outs);
    case OpCode::kCase: return run_case(call.params_as<CaseParams>(), call.args, outs);
    case OpCode::kWhile: return run_while(call.params_as<WhileParams>(), call.args, outs);
    default: throw InternalError("run_programs: an operation without programs");
  }
}

}  // namespace weft

#include "weft/runtime/programs.h"

#include <cstring>

#include "weft/ir/call.h"
#include "weft/ir/custom_rules.h"
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

// The slice of `x` along its first axis, in the same memory.
Array slice_of(const Array& x, std::int64_t i) {
  const Aval type = x.aval().with_shape(x.shape().subspan(1));
  const auto bytes = static_cast<std::size_t>(type.bytes());
  const auto& storage = x.buffer()->storage();
  auto view = Storage::external(static_cast<std::byte*>(storage->data()) + static_cast<std::size_t>(i) * bytes, bytes,
                                [storage] {});
  return Array(Ref<const Value>::adopt(new BufferValue(type, std::move(view))));
}

void run_scan(const ScanParams& p, std::span<const Array> args, Arrays& outs) {
  const std::size_t num_consts = p.jaxpr.num_consts(), num_carry = static_cast<std::size_t>(p.num_carry);
  const auto body = executable(p.jaxpr);
  const ir::Avals types = p.jaxpr.output_avals();
  Arrays state(args.subspan(num_consts, num_carry)), xs, operands, results;
  for (const Array& x : args.subspan(num_consts + num_carry))
    xs.push_back(x.buffer()->dense() ? x : Array(Ref<const Value>(detail::materialize(*x.buffer()))));
  std::vector<Ref<BufferValue>> ys;
  for (const Aval type : std::span<const Aval>(types).subspan(num_carry)) {
    Dims shape(type.shape());
    shape.insert(shape.begin(), p.length);
    ys.push_back(detail::new_buffer(type.with_shape(shape)));
  }
  for (std::int64_t step = 0; step < p.length; ++step) {
    const std::int64_t at = p.reverse ? p.length - 1 - step : step;
    operands = Arrays(args.first(num_consts));
    operands.append(state.begin(), state.end());
    for (const Array& x : xs) operands.push_back(slice_of(x, at));
    results.clear();
    body->run(operands, results);
    for (std::size_t i = 0; i < ys.size(); ++i) {
      const Array& y = results[num_carry + i];
      const Ref<const BufferValue> dense =
          y.buffer()->dense() ? Ref<const BufferValue>::share(y.buffer()) : detail::materialize(*y.buffer());
      const auto bytes = static_cast<std::size_t>(y.aval().bytes());
      if (bytes > 0)
        std::memcpy(static_cast<std::byte*>(ys[i]->storage()->data()) + static_cast<std::size_t>(at) * bytes,
                    dense->data(), bytes);
    }
    state.clear();
    state.append(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(num_carry));
  }
  outs.append(state.begin(), state.end());
  for (Ref<BufferValue>& y : ys) outs.push_back(Array(Ref<const Value>(std::move(y))));
}

}  // namespace

bool carries_programs(OpCode op) {
  return op == OpCode::kCall || op == OpCode::kCase || op == OpCode::kWhile || op == OpCode::kScan ||
         op == OpCode::kComposite || op == OpCode::kCustomJvpCall || op == OpCode::kCustomVjpCall ||
         op == OpCode::kCustomVmapCall || op == OpCode::kCustomLinearSolve;
}

void run_programs(const Call& call, Arrays& outs) {
  switch (call.op) {
    case OpCode::kCall: return executable(call.params_as<CallParams>().jaxpr)->run(call.args, outs);
    case OpCode::kComposite: return executable(call.params_as<CompositeParams>().decomposition)->run(call.args, outs);
    case OpCode::kCase: return run_case(call.params_as<CaseParams>(), call.args, outs);
    case OpCode::kScan: return run_scan(call.params_as<ScanParams>(), call.args, outs);
    case OpCode::kWhile: return run_while(call.params_as<WhileParams>(), call.args, outs);
    default: break;
  }
  const ir::Jaxpr* program = ir::custom_program(call.op, call.params.get());
  internal_check(program != nullptr, "run_programs: an operation without programs");
  executable(*program)->run(call.args, outs);
}

}  // namespace weft

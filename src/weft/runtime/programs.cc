#include "weft/runtime/programs.h"

#include <algorithm>
#include <cstring>

#include "weft/base/loop_trail.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/programs.h"

namespace weft {

namespace {

void run_case(const CaseParams& p, std::span<const Array> args, Arrays& outs, Effort effort) {
  const std::size_t last = p.branches.size() - 1;
  std::size_t chosen;
  if (args[0].dtype() == boolean) {
    chosen = args[0].item<bool>() ? 1 : 0;
  } else {
    const auto i = args[0].item<std::int32_t>();
    chosen = i < 0 || static_cast<std::size_t>(i) > last ? last : static_cast<std::size_t>(i);
  }
  executable(p.branches[chosen], {.effort = effort})->run(args.subspan(1), outs);
}

void run_while(const WhileParams& p, std::span<const Array> args, Arrays& outs, Effort effort) {
  const std::size_t num_cond = p.cond_jaxpr.num_consts(), num_body = p.body_jaxpr.num_consts();
  const auto cond = executable(p.cond_jaxpr, {.effort = effort}), body = executable(p.body_jaxpr, {.effort = effort});
  Arrays state(args.subspan(num_cond + num_body)), operands, results;
  const auto run = [&](const Executable& program, std::span<const Array> captures) {
    operands = Arrays(captures);
    operands.append(state.begin(), state.end());
    results.clear();
    program.run(operands, results);
  };
  LoopFrame frame("while_loop");
  const auto number = [&](std::int64_t step) {
    if (p.number == IterationNumber::kCounted || state.empty()) return frame.at(iteration_number(p, step, nullptr));
    const detail::HostView first = state[0].host("while");
    frame.at(iteration_number(p, step, &first.view));
  };
  for (std::int64_t step = 0;; ++step) {
    number(step);
    run(*cond, args.first(num_cond));
    if (!results[0].item<bool>()) break;
    if (p.max_steps && step >= *p.max_steps) throw_too_many_steps();
    run(*body, args.subspan(num_cond, num_body));
    std::swap(state, results);
  }
  outs.append(state.begin(), state.end());
}

// The memory of one slice after the other.
class SliceStorage final : public Storage {
 public:
  SliceStorage(Ref<Storage> whole, std::size_t bytes)
      : Storage(
            whole->data(), bytes, [](Storage* s) { delete static_cast<SliceStorage*>(s); }, /*writable=*/false),
        whole_(std::move(whole)) {}
  void go_to(std::int64_t i) {
    move_to(static_cast<std::byte*>(whole_->data()) + static_cast<std::size_t>(i) * bytes());
  }

 private:
  Ref<Storage> whole_;
};

// The slices of an array along its first axis, in its own memory: one view that moves along, and a new one only when
// somebody has kept the last.
class Slices {
 public:
  explicit Slices(const Array& x)
      : whole_(x.buffer()->dense() ? x : Array(Ref<const Value>(detail::materialize(*x.buffer())))),
        type_(x.aval().with_shape(x.shape().subspan(1))) {}

  const Array& at(std::int64_t i) {
    if (!view_.defined() || !view_.buffer()->unique() || !view_.buffer()->storage()->unique()) {
      storage_ = new SliceStorage(whole_.buffer()->storage(), static_cast<std::size_t>(type_.bytes()));
      view_ = Array(Ref<const Value>::adopt(new BufferValue(type_, Ref<Storage>::adopt(storage_))));
    }
    storage_->go_to(i);
    return view_;
  }
  /// Whether the array is a slice, memory of somebody else's that goes on to the next one.
  bool is_slice(const Array& x) const { return view_.defined() && x.buffer()->storage().get() == storage_; }

 private:
  Array whole_;
  Aval type_;
  Array view_;
  SliceStorage* storage_ = nullptr;  // view_'s
};

// Writes `y` where the stacked result has slice `i`.
void put_slice(const Array& y, std::int64_t i, BufferValue& stacked) {
  const auto bytes = static_cast<std::size_t>(y.aval().bytes());
  if (bytes == 0) return;
  const Ref<const BufferValue> dense =
      y.buffer()->dense() ? Ref<const BufferValue>::share(y.buffer()) : detail::materialize(*y.buffer());
  std::memcpy(static_cast<std::byte*>(stacked.storage()->data()) + static_cast<std::size_t>(i) * bytes, dense->data(),
              bytes);
}

// A step allocates what its body computes and nothing else: slices are read, and results written, where they are.
void run_scan(const ScanParams& p, std::span<const Array> args, Arrays& outs, Effort effort) {
  const std::size_t num_consts = p.jaxpr.num_consts(), num_carry = static_cast<std::size_t>(p.num_carry);
  const std::size_t first_x = num_consts + num_carry;
  const auto body = executable(p.jaxpr, {.effort = effort});
  const ir::Avals types = p.jaxpr.output_avals();
  std::vector<Slices> xs;
  for (const Array& x : args.subspan(first_x)) xs.emplace_back(x);
  std::vector<Ref<BufferValue>> ys;
  for (const Aval type : std::span<const Aval>(types).subspan(num_carry)) {
    Dims shape(type.shape());
    shape.insert(shape.begin(), p.length);
    ys.push_back(detail::new_buffer(type.with_shape(shape)));
  }
  Arrays operands(args), results;
  LoopFrame frame("scan");
  for (std::int64_t step = 0; step < p.length; ++step) {
    const std::int64_t at = p.reverse ? p.length - 1 - step : step;
    frame.at(at);
    for (std::size_t i = 0; i < xs.size(); ++i) {
      operands[first_x + i] = Array();
      operands[first_x + i] = xs[i].at(at);
    }
    results.clear();
    body->run(operands, results);
    for (std::size_t i = 0; i < ys.size(); ++i) put_slice(results[num_carry + i], at, *ys[i]);
    for (std::size_t i = 0; i < num_carry; ++i) {
      Array& next = results[i];
      if (std::any_of(xs.begin(), xs.end(), [&](const Slices& x) { return x.is_slice(next); }))
        next = detail::own_copy(next);
      operands[num_consts + i] = std::move(next);
    }
  }
  outs.append(operands.begin() + static_cast<std::ptrdiff_t>(num_consts),
              operands.begin() + static_cast<std::ptrdiff_t>(first_x));
  for (Ref<BufferValue>& y : ys) outs.push_back(Array(Ref<const Value>(std::move(y))));
}

}  // namespace

void run_programs(const Call& call, Arrays& outs, Effort effort) {
  switch (call.op) {
    case OpCode::kCall: return executable(call.params_as<CallParams>().jaxpr, {.effort = effort})->run(call.args, outs);
    case OpCode::kCheckpoint:
      return executable(call.params_as<CheckpointParams>().jaxpr, {.effort = effort})->run(call.args, outs);
    case OpCode::kComposite:
      return executable(call.params_as<CompositeParams>().decomposition, {.effort = effort})->run(call.args, outs);
    case OpCode::kCase: return run_case(call.params_as<CaseParams>(), call.args, outs, effort);
    case OpCode::kScan: return run_scan(call.params_as<ScanParams>(), call.args, outs, effort);
    case OpCode::kWhile: return run_while(call.params_as<WhileParams>(), call.args, outs, effort);
    default: break;
  }
  const ir::Jaxpr* program = ir::custom_program(call.op, call.params.get());
  internal_check(program != nullptr, "run_programs: an operation without programs");
  executable(*program, {.effort = effort})->run(call.args, outs);
}

}  // namespace weft

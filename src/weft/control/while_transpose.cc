// The transpose of a while with max_steps. Of the carried values of such a loop some are linear (tangents), the others
// known; cotangents go back through the steps in reverse, and each step needs the known values as they were before it.
//
// They are not kept but found again. The known part of the loop runs once more and leaves its state at the beginning of
// each chunk of about sqrt(max_steps) steps; then the chunks are gone through from the last to the first, each run
// again with its states kept, and the steps of it transposed. So with n = max_steps and k steps taken, memory is for 2
// sqrt(n) states, and time is that of 2 k steps, k transposed steps, and sqrt(n) empty ones. All is made of scan, case
// and while with max_steps, so that it has derivatives of its own.
#include <algorithm>
#include <cmath>

#include "weft/control/rules.h"
#include "weft/control/while.h"
#include "weft/ir/prune.h"
#include "weft/ops/common.h"
#include "weft/transforms/transpose.h"

namespace weft::control {

namespace {

// ---- loops of functions, which may close over any values ----

Arrays bounded_loop(const FlatFunction& cond, const FlatFunction& body, const Arrays& init, std::int64_t max_steps,
                    IterationNumber number) {
  const Avals types = avals_of(init);
  const Staged c = stage(cond, types, "while"), b = stage(body, types, "while");
  Arrays operands(c.captured), outs;
  append(operands, b.captured);
  append(operands, init);
  bind(OpCode::kWhile,
       ir::make_params(WhileParams{ir::with_num_consts(c.jaxpr, c.captured.size()),
                                   ir::with_num_consts(b.jaxpr, b.captured.size()), max_steps, number}),
       operands, outs);
  return outs;
}

// A scan over nothing.
Arrays counted_scan(const FlatFunction& body, const Arrays& init, std::int64_t length) {
  const Staged b = stage(body, avals_of(init), "while");
  Arrays operands(b.captured), outs;
  append(operands, init);
  bind(OpCode::kScan,
       ir::make_params(ScanParams{ir::with_num_consts(b.jaxpr, b.captured.size()), length,
                                  static_cast<std::int64_t>(init.size()), false}),
       operands, outs);
  return outs;
}

// f(args) when `pred` holds, else args.
Arrays apply_if(const Array& pred, const FlatFunction& f, const Arrays& args) {
  const Staged yes = stage(f, avals_of(args), "while");
  Arrays operands(yes.captured), all{pred}, outs;
  append(operands, args);
  const Staged no =
      stage([&](std::span<const Array> in, Arrays& same) { append(same, in.subspan(yes.captured.size())); },
            avals_of(operands), "while");
  append(all, operands);
  bind(OpCode::kCase, ir::make_params(CaseParams{{no.jaxpr, ir::with_num_consts(yes.jaxpr, 0)}}), all, outs);
  return outs;
}

// ---- one step ----

// The loop's step, forwards on its state, which is the part of the known carry that cotangents or the condition depend
// on, and backwards on cotangents: sums for the linear captures of the body, then those of the linear carry.
class Step {
 public:
  Step(const Loop& loop, std::span<const Array> args, std::span<GradAccum* const> accums)
      : loop_(loop), args_(args), types_(loop.body.input_avals()) {
    for (GradAccum* a : accums.subspan(loop.num_cond)) linear_.push_back(a != nullptr);
    const std::size_t n = loop.num_carried();
    linear_ = ir::dependent_carry(loop.body, linear_, loop.num_body, n);
    kept_ = ir::needed_inputs(loop.cond, {true});
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(loop.num_cond));
    std::vector<bool> wanted(kept_);
    for (std::size_t i = 0; i < n; ++i) wanted[i] = wanted[i] || carry_linear(i);
    wanted = ir::needed_carry(loop.body, wanted, loop.num_body, n);
    for (std::size_t i = 0; i < n; ++i) kept_[i] = kept_[i] || (wanted[i] && !carry_linear(i));
    std::vector<bool> nonzero(n);
    for (std::size_t i = 0; i < n; ++i) nonzero[i] = carry_linear(i);
    // The sums of captures go along, so that what adds to a few elements of one does so in place.
    std::vector<bool> summed(linear_);
    std::fill(summed.begin() + static_cast<std::ptrdiff_t>(loop.num_body), summed.end(), false);
    transposed_ = transforms::transpose_jaxpr(loop.body, linear_, nonzero, summed);
  }

  bool capture_linear(std::size_t i) const { return linear_[i]; }
  bool carry_linear(std::size_t i) const { return linear_[loop_.num_body + i]; }

  Arrays initial_state() const {
    Arrays r;
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (kept_[i]) r.push_back(loop_.carried(args_)[i]);
    return r;
  }

  Array goes_on(std::span<const Array> state) const {
    Arrays in(loop_.of_cond(args_)), outs;
    append(in, carry_of(state));
    eval_jaxpr(loop_.cond, in, outs);
    return outs[0];
  }

  Arrays next(std::span<const Array> state) const {
    Arrays in, outs;
    for (std::size_t i = 0; i < loop_.num_body; ++i)
      in.push_back(linear_[i] ? zeros_of(types_[i]) : loop_.of_body(args_)[i]);
    append(in, carry_of(state));
    eval_jaxpr(ir::prune(loop_.body, kept_), in, outs);
    return outs;
  }

  // Cotangents before the step from those behind it.
  Arrays back(std::span<const Array> state, std::span<const Array> cts) const {
    Arrays in, outs, r;
    for (std::size_t i = 0; i < loop_.num_body; ++i)
      if (!linear_[i]) in.push_back(loop_.of_body(args_)[i]);
    const Arrays carry = carry_of(state);
    for (std::size_t i = 0; i < carry.size(); ++i)
      if (!carry_linear(i)) in.push_back(carry[i]);
    const auto num_sums = static_cast<std::size_t>(
        std::count(linear_.begin(), linear_.begin() + static_cast<std::ptrdiff_t>(loop_.num_body), true));
    append(in, cts.subspan(num_sums));
    append(in, cts.first(num_sums));
    eval_jaxpr(transposed_->jaxpr, in, outs);
    std::size_t next = 0, target = 0;
    for (std::size_t i = 0; i < linear_.size(); ++i) {
      if (!linear_[i]) continue;
      const bool has = transposed_->out_nonzero[target];
      r.push_back(has ? outs[next] : zeros_of(types_[i]));
      next += has;
      ++target;
    }
    return r;
  }

  // Zero sums, and the cotangents of the loop's results.
  Arrays initial_cotangents(std::span<const Array> cts) const {
    Arrays r;
    for (std::size_t i = 0; i < linear_.size(); ++i) {
      if (!linear_[i]) continue;
      const bool given = i >= loop_.num_body && cts[i - loop_.num_body].defined();
      r.push_back(given ? cts[i - loop_.num_body] : zeros_of(types_[i]));
    }
    return r;
  }

 private:
  // What is neither kept nor linear makes no difference.
  Arrays carry_of(std::span<const Array> state) const {
    Arrays r;
    for (std::size_t i = 0; i < kept_.size(); ++i)
      r.push_back(kept_[i] ? take(state, 1)[0] : zeros_of(types_[loop_.num_body + i]));
    return r;
  }

  const Loop& loop_;
  std::span<const Array> args_;
  Avals types_;               // of the body's inputs
  std::vector<bool> linear_;  // by input of the body
  std::vector<bool> kept_;    // by carried value
  std::shared_ptr<const transforms::TransposedJaxpr> transposed_;
};

// ---- all steps ----

// The number of steps that a loop may take, in chunks.
struct Chunks {
  std::int64_t steps, size, count;
  DType counter;

  explicit Chunks(std::int64_t n)
      : steps(n),
        size(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::sqrt(static_cast<double>(n))))),
        count(n / size + (n % size != 0)),
        counter(n <= std::int64_t{1} << 30 ? i32 : i64) {}  // it counts to count * size
  Array number(std::int64_t v) const { return Array::full({}, counter, Scalar(v)); }
  Array plus(const Array& x, std::int64_t v) const { return lax::add(x, number(v)); }
  Array less(const Array& x, std::int64_t v) const { return lax::lt(x, number(v)); }
  Array positive(const Array& x) const { return lax::gt(x, number(0)); }
  Array first_step(const Array& chunk) const { return lax::multiply(chunk, number(size)); }
  /// Whether step `i` of `chunk` is one of the loop's.
  Array has_step(const Array& chunk, const Array& i) const { return less(lax::add(first_step(chunk), i), steps); }
};

// `values`, by a loop that may not take a step, so that it throws when the condition holds in `state`.
Arrays check_ended(const Step& step, std::span<const Array> state, std::span<const Array> values) {
  Arrays init(state);
  append(init, values);
  const Arrays r =
      bounded_loop([&](std::span<const Array> s, Arrays& o) { o.push_back(step.goes_on(s.first(state.size()))); },
                   [&](std::span<const Array> s, Arrays& o) { append(o, s); }, init, 0, IterationNumber::kUntold);
  return Arrays(std::span<const Array>(r).subspan(state.size()));
}

// The states at the beginning of each chunk, stacked, and how many chunks there are in which the loop goes on. Throws
// as the loop itself does when its condition still holds after all.
struct Starts {
  Arrays states;
  Array num_chunks;
};

Starts run_forwards(const Step& step, const Chunks& chunks) {
  Arrays init = step.initial_state();
  const std::size_t n = init.size();
  init.push_back(chunks.number(0));  // the chunk
  init.push_back(chunks.number(0));  // how many go on
  const Arrays ran = counted_scan(
      [&](std::span<const Array> in, Arrays& outs) {
        const auto start = in.first(n);
        const Array& chunk = in[n];
        const Array going = lax::convert(step.goes_on(start), chunks.counter);
        Arrays state{chunks.number(0)};
        append(state, start);
        state = bounded_loop(
            [&](std::span<const Array> s, Arrays& o) {
              const Array inside = lax::and_(chunks.less(s[0], chunks.size), chunks.has_step(chunk, s[0]));
              o.push_back(lax::and_(inside, step.goes_on(s.subspan(1))));
            },
            [&](std::span<const Array> s, Arrays& o) {
              o.push_back(chunks.plus(s[0], 1));
              append(o, step.next(s.subspan(1)));
            },
            state, chunks.size, IterationNumber::kUntold);
        append(outs, std::span<const Array>(state).subspan(1));
        outs.push_back(chunks.plus(chunk, 1));
        outs.push_back(lax::add(in[n + 1], going));
        append(outs, start);
      },
      init, chunks.count);
  const std::span<const Array> all(ran);
  return {Arrays(all.subspan(n + 2)), check_ended(step, all.first(n), all.subspan(n + 1, 1))[0]};
}

// The states before each step of a chunk, stacked, then how many steps it has.
Arrays run_chunk(const Step& step, const Chunks& chunks, std::span<const Array> start, const Array& chunk) {
  Arrays init(start);
  const std::size_t n = init.size();
  init.push_back(chunks.number(0));
  const Arrays ran = counted_scan(
      [&](std::span<const Array> in, Arrays& outs) {
        const auto state = in.first(n);
        const Array on = lax::and_(chunks.has_step(chunk, in[n]), step.goes_on(state));
        append(outs, apply_if(on, [&](std::span<const Array> s, Arrays& o) { o = step.next(s); }, Arrays(state)));
        outs.push_back(lax::add(in[n], lax::convert(on, chunks.counter)));
        append(outs, state);
      },
      init, chunks.size);
  Arrays r(std::span<const Array>(ran).subspan(n + 1));
  r.push_back(ran[n]);
  return r;
}

Arrays examples_at(std::span<const Array> stacked, const Array& i) {
  Arrays r;
  for (const Array& x : stacked) r.push_back(example_of(x, i));
  return r;
}

}  // namespace

void transpose_bounded_while(const Loop& loop, const Call& call, std::span<const Array> cts,
                             std::span<GradAccum* const> accums) {
  const Step step(loop, call.args, accums);
  Arrays results = step.initial_cotangents(cts);
  if (*loop.max_steps == 0) {
    results = check_ended(step, step.initial_state(), results);
  } else {
    const Chunks chunks(*loop.max_steps);
    const Starts starts = run_forwards(step, chunks);
    Arrays state{starts.num_chunks};
    append(state, results);
    state = bounded_loop(
        [&](std::span<const Array> in, Arrays& outs) { outs.push_back(chunks.positive(in[0])); },
        [&](std::span<const Array> in, Arrays& outs) {
          const Array chunk = chunks.plus(in[0], -1);
          const Arrays states = run_chunk(step, chunks, examples_at(starts.states, chunk), chunk);
          // The number of the step before which the cotangents are, which errors tell.
          const Array first = chunks.first_step(chunk);
          Arrays inner{lax::add(first, states.back())};
          append(inner, in.subspan(1));
          inner = bounded_loop(
              [&](std::span<const Array> s, Arrays& o) { o.push_back(lax::gt(s[0], first)); },
              [&](std::span<const Array> s, Arrays& o) {
                const Array at = chunks.plus(s[0], -1);
                o.push_back(at);
                const std::span<const Array> stacked(states);
                append(o, step.back(examples_at(stacked.first(stacked.size() - 1), lax::subtract(at, first)),
                                    s.subspan(1)));
              },
              inner, chunks.size, IterationNumber::kCarried);
          outs.push_back(chunk);
          append(outs, std::span<const Array>(inner).subspan(1));
        },
        state, chunks.count, IterationNumber::kUntold);
    results = Arrays(std::span<const Array>(state).subspan(1));
  }
  std::span<const Array> rest(results);
  const std::span<GradAccum* const> of_body = loop.of_body(accums), carried = loop.carried(accums);
  for (std::size_t i = 0; i < loop.num_body; ++i)
    if (step.capture_linear(i)) of_body[i]->add(take(rest, 1)[0]);
  for (std::size_t i = 0; i < loop.num_carried(); ++i) {
    if (!step.carry_linear(i)) continue;
    const Array& ct = take(rest, 1)[0];
    if (carried[i]) carried[i]->add(ct);  // null: the carry begins with a known value
  }
}

}  // namespace weft::control

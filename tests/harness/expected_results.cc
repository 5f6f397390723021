#include "harness/expected_results.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "harness/error_rules.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"

namespace weft::testing {

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Whether two forms of compilation give the same bits for whatever is in the operands.
bool same_bits(const ir::Jaxpr& jaxpr) {
  return !ir::any_eqn(jaxpr, ir::Programs::kRun, "differs between forms of compilation", [](const ir::Eqn& e) {
    return is_library_call(e.op) || e.op == OpCode::kBitcastConvert || e.op == OpCode::kTopK ||
           e.op == OpCode::kReducePrecision || reads_nan(e, f32);
  });
}

// ---- evaluation ----

class Evaluation {
 public:
  std::vector<Held> run(const ir::Jaxpr& jaxpr, std::vector<Held> values) {
    const auto use = [&](ir::Atom a) { return a.is_literal() ? filled(jaxpr.literal(a)) : values[a.index()]; };
    for (const ir::Eqn& e : jaxpr.eqns()) {
      std::vector<Held> in;
      for (const ir::Atom a : jaxpr.operands(e)) in.push_back(use(a));
      std::vector<Aval> types;
      for (ir::Var v = e.out_begin; v < e.out_end; ++v) types.push_back(jaxpr.aval(v));
      for (Held& r : run_eqn(e, in, types)) values.push_back(std::move(r));
    }
    std::vector<Held> outputs;
    for (const ir::Atom a : jaxpr.outputs()) outputs.push_back(use(a));
    return outputs;
  }

 private:
  static Held filled(const ir::Literal& literal) {
    Held h(literal.aval);
    const auto size = static_cast<std::size_t>(byte_size(literal.aval.dtype()));
    for (std::size_t i = 0; i < h.size(); ++i) std::memcpy(h.bytes->data() + i * size, literal.value.data(), size);
    return h;
  }

  std::vector<Held> run_eqn(const ir::Eqn& e, const std::vector<Held>& in, std::span<const Aval> types) {
    switch (e.op) {
      case OpCode::kCall: return run(ir::params_as<CallParams>(e.params).jaxpr, in);
      case OpCode::kComposite: return run(ir::params_as<CompositeParams>(e.params).decomposition, in);
      case OpCode::kCheckpoint: return run(ir::params_as<CheckpointParams>(e.params).jaxpr, in);
      case OpCode::kCase: return run_case(e, in);
      case OpCode::kWhile: return run_while(ir::params_as<WhileParams>(e.params), in);
      case OpCode::kScan: return run_scan(ir::params_as<ScanParams>(e.params), in, types);
      default: break;
    }
    if (const ir::Jaxpr* program = ir::custom_program(e.op, e.params.get())) return run(*program, in);
    return run_operation(e, in, types);
  }

  static std::vector<Held> run_operation(const ir::Eqn& e, const std::vector<Held>& in, std::span<const Aval> types) {
    std::vector<Held> out;
    std::vector<TensorView> operands;
    std::vector<MutableTensorView> results;
    for (const Aval a : types) {
      out.emplace_back(a);
      results.push_back({a, out.back().bytes->data()});
    }
    for (const Held& h : in) operands.push_back({h.aval, h.data()});
    ir::evaluate(e.op, e.params.get(), operands, results);
    set_errors(e, in, out);
    return out;
  }

  // Results of a program of which nobody knows whether, or how often, it runs.
  static void make_unknown(std::vector<Held>& results, bool same) {
    for (Held& h : results) {
      h.error.assign(h.size(), kInfinite);
      h.mismatch = same ? Numbers() : h.error;
    }
  }

  static bool without_mismatch(std::span<const Held> values) {
    return std::all_of(values.begin(), values.end(), [](const Held& h) { return h.mismatch.empty(); });
  }

  std::vector<Held> run_case(const ir::Eqn& e, const std::vector<Held>& in) {
    const std::vector<ir::Jaxpr>& branches = ir::params_as<CaseParams>(e.params).branches;
    std::size_t chosen;
    if (in[0].aval.dtype() == boolean) {
      chosen = *static_cast<const bool*>(in[0].data()) ? 1 : 0;
    } else {
      const auto i = *static_cast<const std::int32_t*>(in[0].data());
      chosen =
          i < 0 || static_cast<std::size_t>(i) >= branches.size() ? branches.size() - 1 : static_cast<std::size_t>(i);
    }
    std::vector<Held> results = run(branches[chosen], {in.begin() + 1, in.end()});
    if (!in[0].error.empty())
      make_unknown(results, without_mismatch(in) && std::all_of(branches.begin(), branches.end(), same_bits));
    return results;
  }

  std::vector<Held> run_while(const WhileParams& p, const std::vector<Held>& in) {
    const auto num_cond = static_cast<std::ptrdiff_t>(p.cond_jaxpr.num_consts()),
               num_body = static_cast<std::ptrdiff_t>(p.body_jaxpr.num_consts());
    std::vector<Held> state(in.begin() + num_cond + num_body, in.end());
    const auto operands = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      std::vector<Held> r(in.begin() + begin, in.begin() + end);
      r.insert(r.end(), state.begin(), state.end());
      return r;
    };
    bool known = true;
    for (std::int64_t step = 0;; ++step) {
      const std::vector<Held> holds = run(p.cond_jaxpr, operands(0, num_cond));
      known &= holds[0].error.empty();
      if (!*static_cast<const bool*>(holds[0].data())) break;
      if (p.max_steps && step >= *p.max_steps) throw_too_many_steps();
      state = run(p.body_jaxpr, operands(num_cond, num_cond + num_body));
    }
    if (!known) make_unknown(state, without_mismatch(in) && same_bits(p.cond_jaxpr) && same_bits(p.body_jaxpr));
    return state;
  }

  std::vector<Held> run_scan(const ScanParams& p, const std::vector<Held>& in, std::span<const Aval> types) {
    const auto num_consts = static_cast<std::ptrdiff_t>(p.jaxpr.num_consts()),
               first_x = num_consts + static_cast<std::ptrdiff_t>(p.num_carry);
    std::vector<Held> operands(in), results(in.begin() + num_consts, in.begin() + first_x);
    for (const Aval a : types.subspan(results.size())) results.emplace_back(a);
    const auto num_carry = static_cast<std::size_t>(p.num_carry);
    for (std::int64_t step = 0; step < p.length; ++step) {
      const std::int64_t at = p.reverse ? p.length - 1 - step : step;
      for (auto i = static_cast<std::size_t>(first_x); i < in.size(); ++i) operands[i] = slice(in[i], at);
      std::vector<Held> next = run(p.jaxpr, operands);
      for (std::size_t i = 0; i < next.size(); ++i) {
        if (i < num_carry)
          operands[static_cast<std::size_t>(num_consts) + i] = results[i] = std::move(next[i]);
        else
          put(next[i], at, results[i]);
      }
    }
    return results;
  }

  static Held slice(const Held& x, std::int64_t at) {
    Held h(x.aval.with_shape(x.aval.shape().subspan(1)));
    const std::size_t bytes = h.bytes->size(), begin = static_cast<std::size_t>(at) * h.size();
    if (bytes > 0) std::memcpy(h.bytes->data(), x.bytes->data() + static_cast<std::size_t>(at) * bytes, bytes);
    for (const bool m : {false, true})
      if (!x.of(m).empty())
        h.of(m).assign(x.of(m).begin() + static_cast<std::ptrdiff_t>(begin),
                       x.of(m).begin() + static_cast<std::ptrdiff_t>(begin + h.size()));
    return h;
  }

  static void put(const Held& y, std::int64_t at, Held& stacked) {
    const std::size_t bytes = y.bytes->size(), begin = static_cast<std::size_t>(at) * y.size();
    if (bytes > 0) std::memcpy(stacked.bytes->data() + static_cast<std::size_t>(at) * bytes, y.bytes->data(), bytes);
    for (const bool m : {false, true}) {
      if (y.of(m).empty()) continue;
      stacked.of(m).resize(stacked.size(), 0.0);
      std::copy(y.of(m).begin(), y.of(m).end(), stacked.of(m).begin() + static_cast<std::ptrdiff_t>(begin));
    }
  }
};

}  // namespace

std::vector<Expected> expected_results(const ir::Jaxpr& jaxpr, std::span<const Array> inputs) {
  std::vector<Held> values;
  for (const Array& x : inputs) {
    values.emplace_back(x.aval());
    const auto host = x.host("test");
    if (x.size() > 0) std::memcpy(values.back().bytes->data(), host.view.data, values.back().bytes->size());
  }
  std::vector<Expected> results;
  for (Held& h : Evaluation().run(jaxpr, std::move(values)))
    results.push_back(
        {Array::copy(h.aval.dtype(), h.aval.shape(), h.data(), h.size()), std::move(h.error), std::move(h.mismatch)});
  return results;
}

}  // namespace weft::testing

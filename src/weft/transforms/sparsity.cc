#include "weft/transforms/sparsity.h"

#include <algorithm>

#include "weft/core/rules.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"
#include "weft/transforms/dependences.h"
#include "weft/transforms/transpose.h"

namespace weft::transforms {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// The program that an operation stands for, on all its operands; null for others.
const ir::Jaxpr* program_of(const ir::Eqn& e) {
  switch (e.op) {
    case OpCode::kCall: return &ir::params_as<CallParams>(e.params).jaxpr;
    case OpCode::kComposite: return &ir::params_as<CompositeParams>(e.params).decomposition;
    case OpCode::kCheckpoint: return &ir::params_as<CheckpointParams>(e.params).jaxpr;
    default: return ir::custom_program(e.op, e.params.get());
  }
}

// Step by step while that is cheap enough.
constexpr std::int64_t kMostEquations = std::int64_t{1} << 20, kMostElements = std::int64_t{1} << 28;
// The rounds in which a stencil may spread. It needs as many as there are elements; after these, each array depends on
// something as a whole.
constexpr int kExactRounds = 16;

// How many equations a walk through the program looks at, its loops step by step where that is cheap enough.
std::int64_t equations_seen(const ir::Jaxpr& jaxpr) {
  return *jaxpr.memo<std::int64_t>("equations seen", [&] {
    std::int64_t n = 1;
    for (const ir::Eqn& e : jaxpr.eqns()) {
      std::int64_t inside = 1;
      if (e.params)
        ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& p) { inside += equations_seen(p); });
      if (e.op == OpCode::kScan) {
        const std::int64_t length = ir::params_as<ScanParams>(e.params).length;
        inside *= length <= kMostEquations / inside ? std::max<std::int64_t>(length, 1) : kExactRounds;
      }
      n = std::min(n + inside, std::int64_t{1} << 40);
    }
    return std::make_shared<const std::int64_t>(n);
  });
}

using Findings = std::vector<Finding>;

class Walk {
 public:
  Walk(IndexSets& sets, KnownValues& known) : sets_(sets), known_(known), rules_(sets, known) {}

  Findings run(const ir::Jaxpr& jaxpr, std::span<const Finding> inputs);

 private:
  Findings of(const ir::Jaxpr& jaxpr, const ir::Eqn& e, std::span<const Finding> args);
  Findings of_case(const ir::Eqn& e, std::span<const Finding> args);
  Findings of_while(const ir::Eqn& e, std::span<const Finding> args);
  Findings of_scan(const ir::Eqn& e, std::span<const Finding> args);
  Findings unrolled(const ScanParams& p, std::span<const Finding> args);
  Findings any_steps(const ScanParams& p, std::span<const Finding> args);
  Findings known_scan(const ScanParams& p, std::span<const Finding> args);
  Finding literal(const ir::Literal& literal) { return {nullptr, known_.add(literal_array(literal))}; }
  /// What the carry depends on after any number of steps, from none on. `step` gives it after one more.
  void settle(std::vector<Deps>& carry, FunctionRef<std::vector<Deps>(const std::vector<Deps>&)> step);

  IndexSets& sets_;
  KnownValues& known_;
  Dependences rules_;
};

Findings Walk::run(const ir::Jaxpr& jaxpr, std::span<const Finding> inputs) {
  Findings values(jaxpr.num_vars());
  std::copy(inputs.begin(), inputs.end(), values.begin());
  const auto read = [&](ir::Atom a) { return a.is_literal() ? literal(jaxpr.literal(a)) : values[a.index()]; };
  const auto& uses = jaxpr.last_uses();
  Findings args;
  for (std::size_t i = 0; i < jaxpr.eqns().size(); ++i) {
    const ir::Eqn& e = jaxpr.eqns()[i];
    args.clear();
    for (const ir::Atom a : jaxpr.operands(e)) args.push_back(read(a));
    Findings results = of(jaxpr, e, args);
    for (std::size_t k = 0; k < results.size(); ++k) {
      if (!is_inexact(jaxpr.aval(e.out_begin + static_cast<ir::Var>(k)).dtype())) results[k].deps = nullptr;
      values[e.out_begin + k] = std::move(results[k]);
    }
    for (std::uint32_t u = uses.begin[i]; u < uses.begin[i + 1]; ++u) values[uses.vars[u]] = {};
  }
  Findings outs;
  for (const ir::Atom a : jaxpr.outputs()) outs.push_back(read(a));
  return outs;
}

Findings Walk::of(const ir::Jaxpr& jaxpr, const ir::Eqn& e, std::span<const Finding> args) {
  const std::size_t num_results = e.out_end - e.out_begin;
  if (ir::op_info(e.op).identity) return Findings(args.begin(), args.end());
  const bool depends = std::any_of(args.begin(), args.end(), [](const Finding& f) { return f.deps != nullptr; });
  Findings results(num_results);
  const bool known = !depends && std::all_of(args.begin(), args.end(),
                                             [](const Finding& f) { return f.known != KnownValues::kUnknown; });
  if (known && !ir::has_effects(e.op, e.params.get())) {
    std::vector<KnownValues::Id> ids;
    for (const Finding& f : args) ids.push_back(f.known);
    KnownValues::Id id = known_.add(e.op, e.params, ids, num_results);
    for (Finding& r : results) r.known = id++;
    return results;
  }
  if (const ir::Jaxpr* program = program_of(e)) return run(*program, args);
  switch (e.op) {
    case OpCode::kCase: return of_case(e, args);
    case OpCode::kWhile: return of_while(e, args);
    case OpCode::kScan: return of_scan(e, args);
    case OpCode::kCustomVjpTangent: {
      // Its operands are captures, residuals, arguments and tangents; the jvp rule takes all but the residuals.
      const auto& p = ir::params_as<CustomVjpTangentParams>(e.params);
      if (!p.jvp.is_program()) break;
      Findings inputs(args.begin(), args.begin() + p.num_captures);
      inputs.insert(inputs.end(), args.begin() + p.num_captures + p.num_residuals, args.end());
      return run(p.jvp.program(), inputs);
    }
    default: break;
  }
  if (!depends) return results;
  ir::Avals in, out;
  for (const ir::Atom a : jaxpr.operands(e)) in.push_back(jaxpr.aval(a));
  for (ir::Var v = e.out_begin; v < e.out_end; ++v) out.push_back(jaxpr.aval(v));
  std::vector<Deps> deps = rules_.of({e.op, e.params.get(), in, out, args});
  for (std::size_t i = 0; i < num_results; ++i) results[i].deps = std::move(deps[i]);
  return results;
}

Findings Walk::of_case(const ir::Eqn& e, std::span<const Finding> args) {
  const auto& branches = ir::params_as<CaseParams>(e.params).branches;
  const auto operands = args.subspan(1);
  if (const Array* index = known_.get(args[0].known)) {
    const auto i = index->item<std::int64_t>(), last = static_cast<std::int64_t>(branches.size()) - 1;
    return run(branches[at(i < 0 || i > last ? last : i)], operands);
  }
  Findings all(branches[0].outputs().size());
  for (const ir::Jaxpr& b : branches) {
    const Findings some = run(b, operands);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].deps = rules_.unite(all[i].deps, some[i].deps);
  }
  return all;
}

// ---- loops ----

void Walk::settle(std::vector<Deps>& carry, FunctionRef<std::vector<Deps>(const std::vector<Deps>&)> step) {
  const auto same = [](const Deps& a, const Deps& b) { return a == b || (a && b && *a == *b); };
  for (int round = 0;; ++round) {
    const std::vector<Deps> next = step(carry);
    bool grown = false;
    for (std::size_t i = 0; i < carry.size(); ++i) {
      Deps both = rules_.unite(carry[i], next[i]);
      if (same(both, carry[i])) continue;
      grown = true;
      carry[i] = round < kExactRounds ? std::move(both) : rules_.leveled(both);
    }
    if (!grown) return;
  }
}

Findings Walk::of_while(const ir::Eqn& e, std::span<const Finding> args) {
  const auto& p = ir::params_as<WhileParams>(e.params);
  const auto operands = args.subspan(p.cond_jaxpr.num_consts());
  const std::size_t num_captures = p.body_jaxpr.num_consts();
  std::vector<Deps> carry;
  for (const Finding& f : operands.subspan(num_captures)) carry.push_back(f.deps);
  if (std::any_of(operands.begin(), operands.end(), [](const Finding& f) { return f.deps != nullptr; }))
    settle(carry, [&](const std::vector<Deps>& now) {
      Findings in(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(num_captures));
      for (const Deps& d : now) in.push_back({d});
      std::vector<Deps> next;
      for (Finding& f : run(p.body_jaxpr, in)) next.push_back(std::move(f.deps));
      return next;
    });
  Findings results;
  for (Deps& d : carry) results.push_back({std::move(d)});
  return results;
}

Findings Walk::of_scan(const ir::Eqn& e, std::span<const Finding> args) {
  const auto& p = ir::params_as<ScanParams>(e.params);
  if (std::none_of(args.begin(), args.end(), [](const Finding& f) { return f.deps != nullptr; }))
    return known_scan(p, args);
  std::int64_t elements = 1;
  for (ir::Var v = 0; v < p.jaxpr.num_vars(); ++v) elements += p.jaxpr.aval(v).size();
  return p.length <= kMostEquations / equations_seen(p.jaxpr) && p.length <= kMostElements / elements
             ? unrolled(p, args)
             : any_steps(p, args);
}

Findings Walk::unrolled(const ScanParams& p, std::span<const Finding> args) {
  const ir::Jaxpr& body = p.jaxpr;
  const std::size_t num_consts = body.num_consts(), num_carry = at(p.num_carry), first_x = num_consts + num_carry,
                    num_ys = body.outputs().size() - num_carry;
  Findings carry(args.begin() + static_cast<std::ptrdiff_t>(num_consts),
                 args.begin() + static_cast<std::ptrdiff_t>(first_x));
  std::vector<std::shared_ptr<Ids>> ys(num_ys);
  for (std::int64_t step = 0; step < p.length; ++step) {
    const std::int64_t i = p.reverse ? p.length - 1 - step : step;
    Findings in(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(num_consts));
    in.insert(in.end(), carry.begin(), carry.end());
    for (std::size_t x = first_x; x < args.size(); ++x) {
      const Aval slice = body.aval(static_cast<ir::Var>(x));
      Finding f;
      if (args[x].deps) {
        const auto begin = args[x].deps->begin() + i * slice.size();
        f.deps = std::make_shared<const Ids>(begin, begin + slice.size());
      } else if (args[x].known != KnownValues::kUnknown) {
        Dims start(slice.shape()), limit(slice.shape()), strides(slice.shape().size() + 1, 1);
        std::fill(start.begin(), start.end(), 0);
        start.insert(start.begin(), i);
        limit.insert(limit.begin(), i + 1);
        const KnownValues::Id cut =
            known_.add(OpCode::kSlice, ir::make_params(SliceParams{limit, start, strides}), {&args[x].known, 1}, 1);
        f.known = known_.add(OpCode::kReshape, ir::make_params(ReshapeParams{Dims(slice.shape())}), {&cut, 1}, 1);
      }
      in.push_back(std::move(f));
    }
    Findings out = run(body, in);
    std::copy(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(num_carry), carry.begin());
    for (std::size_t y = 0; y < num_ys; ++y) {
      const Deps& d = out[num_carry + y].deps;
      if (!d) continue;
      const std::int64_t size = static_cast<std::int64_t>(d->size());
      if (!ys[y]) ys[y] = std::make_shared<Ids>(at(size * p.length), IndexSets::kEmpty);
      std::copy(d->begin(), d->end(), ys[y]->begin() + i * size);
    }
  }
  Findings results = std::move(carry);
  for (auto& y : ys) results.push_back({std::move(y)});
  return results;
}

// Too many steps to look at each: what holds for all of them.
Findings Walk::any_steps(const ScanParams& p, std::span<const Finding> args) {
  const ir::Jaxpr& body = p.jaxpr;
  const std::size_t num_consts = body.num_consts(), num_carry = at(p.num_carry), first_x = num_consts + num_carry;
  Findings same(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(num_consts)), slices;
  for (std::size_t x = first_x; x < args.size(); ++x) {
    Finding& f = slices.emplace_back();
    if (!args[x].deps) continue;
    // A slice that stands for all.
    const auto size = at(body.aval(static_cast<ir::Var>(x)).size());
    Ids all(size), terms;
    for (std::size_t k = 0; k < size; ++k) {
      terms.clear();
      for (std::size_t i = k; i < args[x].deps->size(); i += size) terms.push_back((*args[x].deps)[i]);
      all[k] = sets_.unite(terms);
    }
    f.deps = std::make_shared<const Ids>(std::move(all));
  }
  std::vector<Deps> carry;
  for (std::size_t i = num_consts; i < first_x; ++i) carry.push_back(args[i].deps);
  Findings out;
  settle(carry, [&](const std::vector<Deps>& now) {
    Findings in = same;
    for (const Deps& d : now) in.push_back({d});
    in.insert(in.end(), slices.begin(), slices.end());
    out = run(body, in);
    std::vector<Deps> next;
    next.reserve(num_carry);
    for (std::size_t i = 0; i < num_carry; ++i) next.push_back(out[i].deps);
    return next;
  });
  Findings results;
  for (Deps& d : carry) results.push_back({std::move(d)});
  for (std::size_t y = num_carry; y < out.size(); ++y) {
    Finding& f = results.emplace_back();
    if (!out[y].deps) continue;
    Ids all;
    for (std::int64_t i = 0; i < p.length; ++i) all.insert(all.end(), out[y].deps->begin(), out[y].deps->end());
    f.deps = std::make_shared<const Ids>(std::move(all));
  }
  return results;
}

// A scan over values of which some are known: those results that come from them alone (counters, indices) are known,
// too, as the results of a smaller scan.
Findings Walk::known_scan(const ScanParams& p, std::span<const Finding> args) {
  const ir::Jaxpr& body = p.jaxpr;
  const std::size_t num_consts = body.num_consts(), num_carry = at(p.num_carry), num_outs = body.outputs().size();
  Findings results(num_outs);
  if (ir::has_effects(body)) return results;
  std::vector<bool> known;
  for (const Finding& f : args) known.push_back(f.known != KnownValues::kUnknown);
  std::vector<bool> outs(num_outs);
  for (bool changed = true; changed;) {
    std::vector<bool> vars = known;
    vars.resize(body.num_vars());
    for (const ir::Eqn& e : body.eqns()) {
      const auto operands = body.operands(e);
      const bool all =
          std::all_of(operands.begin(), operands.end(), [&](ir::Atom a) { return a.is_literal() || vars[a.index()]; });
      for (ir::Var v = e.out_begin; v < e.out_end; ++v) vars[v] = all;
    }
    for (std::size_t i = 0; i < num_outs; ++i) {
      const ir::Atom a = body.outputs()[i];
      outs[i] = a.is_literal() || vars[a.index()];
    }
    changed = false;
    for (std::size_t i = 0; i < num_carry; ++i) {
      if (!known[num_consts + i] || outs[i]) continue;
      known[num_consts + i] = false;
      changed = true;
    }
  }
  // A carry that began unknown stays so, though it may become known later.
  for (std::size_t i = 0; i < num_carry; ++i) outs[i] = known[num_consts + i];
  std::vector<ir::Var> inputs;
  std::vector<ir::Atom> outputs;
  std::vector<KnownValues::Id> operands;
  ScanParams smaller{.jaxpr = {}, .length = p.length, .num_carry = 0, .reverse = p.reverse};
  std::size_t consts = 0;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!known[i]) continue;
    inputs.push_back(static_cast<ir::Var>(i));
    operands.push_back(args[i].known);
    if (i < num_consts) ++consts;
    if (i >= num_consts && i < num_consts + num_carry) ++smaller.num_carry;
  }
  for (std::size_t i = 0; i < num_outs; ++i)
    if (outs[i]) outputs.push_back(body.outputs()[i]);
  if (outputs.empty()) return results;
  smaller.jaxpr = ir::with_num_consts(ir::part_of(body, inputs, outputs), consts);
  const std::size_t num_known = outputs.size();
  KnownValues::Id id = known_.add(OpCode::kScan, ir::make_params(std::move(smaller)), operands, num_known);
  for (std::size_t i = 0; i < num_outs; ++i)
    if (outs[i]) results[i].known = id++;
  return results;
}

// The elements of arrays one after the other, each depending on itself.
Finding single_elements(Aval aval, std::int64_t& next) {
  Ids ids;
  for (std::int64_t i = 0; i < aval.size(); ++i) ids.push_back(IndexSets::single(next++));
  return {ids.empty() ? nullptr : std::make_shared<const Ids>(std::move(ids))};
}

// One row per element.
class Rows {
 public:
  explicit Rows(const IndexSets& sets) : sets_(sets) {}
  void add(const Deps& deps, std::int64_t size) {
    std::size_t total = columns_.size();
    if (deps)
      for (const IndexSets::Id id : *deps) total += sets_.elements(id).size();
    if (total >= IndexSets::kMostElements)
      throw ValueError("sparsity: the derivative must have fewer than 2^28 entries; got " + std::to_string(total) + ".",
                       "it is close to dense, or very large: use jacfwd, jacrev or hessian for a part of it.");
    columns_.reserve(total);
    for (std::int64_t i = 0; i < size; ++i) {
      if (deps)
        for (const std::int32_t j : sets_.elements((*deps)[at(i)])) columns_.push_back(j);
      offsets_.push_back(static_cast<std::int64_t>(columns_.size()));
    }
  }
  SparsityPattern take(std::int64_t cols) const {
    return SparsityPattern::from_csr(static_cast<std::int64_t>(offsets_.size()) - 1, cols, offsets_, columns_);
  }

 private:
  const IndexSets& sets_;
  std::vector<std::int64_t> offsets_{0}, columns_;
};

}  // namespace

SparsityPattern jacobian_sparsity(const ir::Jaxpr& jaxpr, const std::vector<bool>& differentiated,
                                  std::span<const Array> inputs, std::int64_t* work) {
  const auto lin = linearize_jaxpr(jaxpr, differentiated);
  const ir::Avals in = jaxpr.input_avals(), out = jaxpr.output_avals();
  std::int64_t num_in = 0, num_out = 0;
  for (std::size_t i = 0; i < in.size(); ++i)
    if (differentiated[i]) num_in += in[i].size();
  for (std::size_t i = 0; i < out.size(); ++i)
    if (lin->has_tangent[i]) num_out += out[i].size();
  const bool backwards = only_transposes(lin->tangent);
  IndexSets sets(backwards ? num_out : num_in);
  KnownValues known;
  Walk walk(sets, known);

  // The residuals, as far as they are known.
  Findings primals;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const bool is_known = !differentiated[i] && inputs[i].defined() && inputs[i].buffer();
    primals.push_back({nullptr, is_known ? known.add(inputs[i]) : KnownValues::kUnknown});
  }
  const Findings values = walk.run(lin->primal, primals);
  Findings args(values.begin() + static_cast<std::ptrdiff_t>(out.size()), values.end());
  const std::size_t num_residuals = args.size();

  Rows rows(sets);
  std::int64_t next = 0;
  if (!backwards) {
    for (std::size_t i = 0; i < in.size(); ++i)
      if (differentiated[i]) args.push_back(single_elements(in[i], next));
    const Findings tangents = walk.run(lin->tangent, args);
    if (work) *work = sets.work();
    std::size_t t = 0;
    for (std::size_t i = 0; i < out.size(); ++i)
      rows.add(lin->has_tangent[i] ? tangents[t++].deps : nullptr, out[i].size());
    return rows.take(num_in);
  }
  std::vector<bool> linear(num_residuals, false);
  linear.resize(lin->tangent.num_inputs(), true);
  const auto transposed = transpose_jaxpr(lin->tangent, linear, std::vector<bool>(lin->tangent.outputs().size(), true));
  for (std::size_t i = 0; i < out.size(); ++i)
    if (lin->has_tangent[i]) args.push_back(single_elements(out[i], next));
  const Findings cts = walk.run(transposed->jaxpr, args);
  if (work) *work = sets.work();
  std::size_t t = 0, k = 0;
  for (std::size_t i = 0; i < in.size(); ++i)
    if (differentiated[i]) rows.add(transposed->out_nonzero[k++] ? cts[t++].deps : nullptr, in[i].size());
  // Rows of results without a tangent are missing among its columns.
  std::vector<std::int64_t> row_of;
  for (std::size_t i = 0, row = 0; i < out.size(); ++i)
    for (std::int64_t j = 0; j < out[i].size(); ++j, ++row)
      if (lin->has_tangent[i]) row_of.push_back(static_cast<std::int64_t>(row));
  const SparsityPattern by_input = rows.take(num_out);
  std::vector<SparsityPattern::Entry> entries;
  for (std::int64_t j = 0; j < by_input.rows(); ++j)
    for (const std::int64_t i : by_input.row(j)) entries.emplace_back(row_of[at(i)], j);
  std::int64_t all = 0;
  for (const Aval a : out) all += a.size();
  return SparsityPattern(all, num_in, std::move(entries));
}

bool only_transposes(const ir::Jaxpr& tangent) {
  return ir::any_eqn(tangent, ir::Programs::kRun, "only transposes", [](const ir::Eqn& e) {
    return e.op == OpCode::kCustomVjpTangent && !ir::params_as<CustomVjpTangentParams>(e.params).jvp;
  });
}

bool only_runs_forward(const ir::Jaxpr& tangent) {
  return ir::any_eqn(tangent, ir::Programs::kRun, "only runs forward", [](const ir::Eqn& e) {
    return e.op == OpCode::kWhile && !ir::params_as<WhileParams>(e.params).max_steps;
  });
}

SparsityPattern symmetric_part(const SparsityPattern& pattern) {
  const SparsityPattern transposed = pattern.transposed();
  std::vector<std::int64_t> offsets{0}, columns;
  for (std::int64_t i = 0; i < pattern.rows(); ++i) {
    const auto a = pattern.row(i), b = transposed.row(i);
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(columns));
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return SparsityPattern::from_csr(pattern.rows(), pattern.cols(), offsets, columns);
}

}  // namespace weft::transforms

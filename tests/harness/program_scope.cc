#include "harness/program_scope.h"

#include <algorithm>
#include <cmath>

#include "harness/error_rules.h"
#include "weft/base/error.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/nested.h"
#include "weft/ir/shape.h"
#include "weft/ir/window.h"

namespace weft::testing {

namespace {

// About how long reference evaluation takes, counted in additions of two elements. Programs inside were counted when
// they were made.
double work_of(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  double operands = 0, results = 0;
  for (const Aval a : in) operands += static_cast<double>(a.size());
  for (const Aval a : out) results += static_cast<double>(a.size());
  const auto size_along = [&](const Dims& axes) {
    double n = 1;
    for (const std::int64_t a : axes) n *= static_cast<double>(in[0].shape(static_cast<std::size_t>(a)));
    return n;
  };
  double per_result = 1;
  switch (op) {
    case OpCode::kDotGeneral:
      per_result = 1 + size_along(ir::params_as<DotGeneralParams>(params).dimension_numbers.lhs_contracting);
      break;
    case OpCode::kConvolution: per_result = 3 * static_cast<double>(in[1].size()); break;
    case OpCode::kReduceWindow:
      per_result = 4 * static_cast<double>(product(ir::params_as<ReduceWindowParams>(params).window.dimensions));
      break;
    case OpCode::kSelectAndScatter: per_result = 60; break;
    case OpCode::kSort:
    case OpCode::kTopK: operands *= 4 * std::log2(2 + operands); break;
    case OpCode::kScatter:
    case OpCode::kGather: per_result = 4, operands *= 4; break;
    case OpCode::kReduce:
    case OpCode::kArgmax:
    case OpCode::kArgmin: operands *= 6; break;
    case OpCode::kCumsum: per_result = 3; break;
    case OpCode::kThreefry2x32: per_result = 20; break;
    default:
      if (!in.empty() && ir::op_info(op).elementwise) {
        const Rounding r = rounding_of(op, in[0].dtype());
        per_result = r == Rounding::kFewUlps         ? 6
                     : r == Rounding::kUnknown       ? 100
                     : byte_size(in[0].dtype()) == 2 ? 3
                                                     : 1;
      }
      break;
  }
  return 20 + 0.3 * operands + per_result * results;
}

}  // namespace

Operand Scope::add_input(Aval type, Fill fill) {
  const ir::Var v = builder_.add_var(type);
  inputs_.push_back(v);
  if (!outer_) g_.fills.push_back(fill);
  known_.push_back({{ir::Atom::var(v), type}});
  return known_.back().operand;
}

std::optional<Operand> Scope::find_here(Predicate fits, double unused_first) {
  std::vector<std::size_t> fitting, unused;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (!fits(known_[i].operand.aval)) continue;
    fitting.push_back(i);
    if (known_[i].uses == 0) unused.push_back(i);
  }
  if (fitting.empty()) return std::nullopt;
  if (!unused.empty() && random().chance(unused_first)) fitting = unused;
  const auto n = static_cast<std::int64_t>(fitting.size());
  const std::int64_t last = random().chance(0.6) ? std::min<std::int64_t>(n, 4) : n;
  return known_[fitting[static_cast<std::size_t>(n - 1 - random().below(last))]].operand;
}

std::optional<Operand> Scope::capture(Predicate fits) {
  if (!captures_) return std::nullopt;
  const std::optional<Operand> value = outer_->find(fits);
  return value ? std::optional(captured_as(*value)) : std::nullopt;
}

Operand Scope::captured_as(const Operand& outer) {
  for (std::size_t i = 0; i < captured_.size(); ++i)
    if (captured_[i].atom == outer.atom) return {ir::Atom::var(consts_[i]), outer.aval};
  consts_.push_back(builder_.add_var(outer.aval));
  captured_.push_back(outer);
  known_.push_back({{ir::Atom::var(consts_.back()), outer.aval}, 1});
  return known_.back().operand;
}

std::optional<Operand> Scope::find(Predicate fits, double unused_first) {
  if (random().chance(0.15))
    if (const auto value = capture(fits)) return value;
  if (const auto value = find_here(fits, unused_first)) return value;
  return capture(fits);
}

std::optional<Operand> Scope::adapted(Aval type) {
  const auto same_type = [&](Aval a) { return a.dtype() == type.dtype(); };
  const auto broadcast = [&](const Operand& x) {
    Dims axes;
    for (int i = type.ndim() - x.aval.ndim(); i < type.ndim(); ++i) axes.push_back(i);
    return apply1(OpCode::kBroadcastInDim, BroadcastInDimParams{axes, Dims(type.shape())}, {x});
  };
  // The last axes of `type`, sizes 1 for any.
  const auto suffix = [&](Aval a) {
    if (!same_type(a) || a.ndim() >= type.ndim()) return false;
    for (int i = 0; i < a.ndim(); ++i) {
      const std::int64_t n = a.shape(static_cast<std::size_t>(i));
      if (n != 1 && n != type.shape(static_cast<std::size_t>(type.ndim() - a.ndim() + i))) return false;
    }
    return true;
  };
  const auto larger = [&](Aval a) {
    if (!same_type(a) || a.ndim() != type.ndim() || a.ndim() == 0) return false;
    for (std::size_t i = 0; i < a.shape().size(); ++i)
      if (a.shape(i) < type.shape(i)) return false;
    return true;
  };
  const std::int64_t first = random().below(4);
  for (std::int64_t k = first; k < first + 4; ++k) {
    std::optional<Operand> x;
    switch (k % 4) {
      case 0:
        x = find([&](Aval a) { return same_dims(a.shape(), type.shape()) && !same_type(a); });
        if (x) x = apply1(OpCode::kConvert, ConvertParams{type.dtype()}, {*x});
        break;
      case 1:
        x = find(suffix);
        if (x) x = broadcast(*x);
        break;
      case 2:
        x = find([&](Aval a) { return same_type(a) && a.size() == type.size(); });
        if (x) x = apply1(OpCode::kReshape, ReshapeParams{Dims(type.shape())}, {*x});
        break;
      default:
        x = find(larger);
        if (x) {
          const Dims ones(type.shape().size(), 1), zeros(type.shape().size(), 0);
          x = apply1(OpCode::kSlice, SliceParams{Dims(type.shape()), zeros, ones}, {*x});
        }
        break;
    }
    if (x) return x;
  }
  return std::nullopt;
}

Operand Scope::of_type(Aval type) {
  const double kind = random().uniform();
  if (kind < 0.14) return literal(random_literal(type, random()));
  if (wants_inputs() && kind < 0.3) return add_input(type);
  if (kind < 0.4)
    if (const auto value = adapted(type)) return *value;
  return recent_of_type(type);
}

Operand Scope::recent_of_type(Aval type) {
  if (const auto value = find([&](Aval a) { return a == type; }, 0.8)) return *value;
  if (const auto value = adapted(type)) return *value;
  if (wants_inputs()) return add_input(type);
  return literal(random_literal(type, random()));
}

std::optional<Operands> Scope::apply(OpCode op, ir::Params params, std::span<const Operand> operands) {
  std::vector<ir::Atom> atoms;
  ir::Avals in, out;
  for (const Operand& o : operands) {
    atoms.push_back(o.atom);
    in.push_back(o.aval);
  }
  if (g_.exact && !in.empty()) {
    const Rounding r = rounding_of(op, in[0].dtype());
    if (r == Rounding::kFewUlps || r == Rounding::kUnknown || (r == Rounding::kSum && !random().chance(0.4)))
      return std::nullopt;
  }
  try {
    ir::infer(op, params.get(), in, out);
  } catch (const InternalError&) {
    throw;
  } catch (const Error&) {
    return std::nullopt;  // it does not fit
  }
  const double work = work_of(op, params.get(), in, out);
  if (!affords(work)) return std::nullopt;
  for (const Aval a : out)
    if (a.size() > g_.most_elements || a.ndim() > 6) return std::nullopt;
  g_.work_left -= work * repeats_;
  const ir::Var first = builder_.add_eqn(op, params, atoms, out, SourceLocation());
  for (Known& k : known_)
    if (std::find(atoms.begin(), atoms.end(), k.operand.atom) != atoms.end()) ++k.uses;
  Operands results;
  for (std::size_t i = 0; i < out.size(); ++i) {
    results.push_back({ir::Atom::var(first + static_cast<ir::Var>(i)), out[i]});
    known_.push_back({results.back(), 0, true});
  }
  made_.push_back({op, std::move(params), {operands.begin(), operands.end()}});
  return results;
}

bool Scope::repeat_equation() {
  if (made_.empty()) return false;
  const Made again = random().of(made_);
  bool carries = false;
  if (again.params) ir::for_each_program(*again.params, ir::Programs::kAll, [&](const ir::Jaxpr&) { carries = true; });
  // What a loop takes is not known any more.
  if (carries && (depth_ > 0 || !random().chance(0.3))) return false;
  return apply(again.op, again.params, again.operands).has_value();
}

Operands Scope::some_outputs(std::size_t most) {
  Operands outputs;
  const auto room = [&] { return outputs.size() < most; };
  for (std::size_t i = known_.size(); i-- > 0 && room();)
    if (known_[i].result && known_[i].uses == 0 && random().chance(0.85)) outputs.push_back(known_[i].operand);
  for (int tries = 0; tries < 2 && room(); ++tries)
    if (random().chance(0.35))
      if (const auto value = any()) outputs.push_back(*value);
  if (outputs.empty()) {
    if (const auto value = any())
      outputs.push_back(*value);
    else
      outputs.push_back(literal(random_literal(Aval(random_dtype(random()), random_shape(random(), 100)), random())));
  }
  if (room() && random().chance(0.06)) outputs.push_back(outputs[0]);
  if (room() && random().chance(0.06)) outputs.push_back(literal(random_literal(outputs[0].aval, random())));
  std::reverse(outputs.begin(), outputs.end());
  return outputs;
}

ir::Jaxpr Scope::finish(std::span<const Operand> outputs) {
  std::vector<ir::Atom> atoms;
  for (const Operand& o : outputs) atoms.push_back(o.atom);
  return builder_.build(consts_, inputs_, atoms);
}

void fill_scope(Scope& scope, int count) {
  RandomSource& random = scope.random();
  const auto choose = [&](std::span<const WeightedMaker> makers) {
    std::vector<double> weights;
    for (const WeightedMaker& m : makers) weights.push_back(m.weight);
    return makers[random.weighted(weights)].make(scope);
  };
  const std::size_t end = scope.num_eqns() + static_cast<std::size_t>(std::max(count, 0));
  for (int tries = 0; scope.num_eqns() < end && tries < 6 * count && scope.affords(100); ++tries) {
    const double control = scope.depth() < 3 ? 9 : 0;
    const double groups[] = {64, 16, control, 9, 3};
    switch (random.weighted(groups)) {
      case 0: choose(equation_makers()); break;
      case 1: choose(indexing_makers()); break;
      case 2: choose(control_makers()); break;
      case 3: choose(pattern_makers()); break;
      default: scope.repeat_equation(); break;
    }
  }
}

}  // namespace weft::testing

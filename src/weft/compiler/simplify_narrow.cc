// Backwards it is asked what each value is needed for: nothing, one window, or all of it. A value of which one window
// is needed is computed as this window, when its operation can (simplify_window.h); what it needs of its operands is
// then a window, too. Forwards the program is written anew. Values that are used for different windows stay whole, so
// nothing is computed twice.
#include "weft/compiler/simplify_narrow.h"

#include <algorithm>
#include <unordered_map>
#include <variant>

#include "weft/compiler/simplify_literal.h"
#include "weft/compiler/simplify_window.h"
#include "weft/ir/builder.h"
#include "weft/ir/prune.h"

namespace weft::compiler::simplifying {

namespace {

using ir::Atom;
using ir::Avals;
using ir::Jaxpr;
using ir::Var;

// What is needed of a value.
class Need {
 public:
  bool any() const { return kind_ != Kind::kNothing; }
  /// Null when nothing or all is needed.
  const Window* window() const { return kind_ == Kind::kWindow ? &window_ : nullptr; }
  void add_all() {
    kind_ = Kind::kAll;
    window_.clear();
  }
  void add(const Window& w) {
    if (kind_ == Kind::kNothing) {
      kind_ = Kind::kWindow;
      window_ = w;
    } else if (kind_ == Kind::kWindow && window_ != w) {
      add_all();
    }
  }

 private:
  enum class Kind : std::uint8_t { kNothing, kWindow, kAll } kind_ = Kind::kNothing;
  Window window_;
};

// What becomes of an equation.
struct Gone {};
struct Whole {};
struct Parts {  // some of an optimization_barrier's values
  std::vector<bool> kept;
};
using Fate = std::variant<Gone, Whole, Narrowed, ir::PrunedOp, Parts>;

class Narrowing {
 public:
  Narrowing(const Jaxpr& program, bool columns_apart)
      : program_(program), columns_apart_(columns_apart), needs_(program.num_vars()), fates_(program.eqns().size()) {}

  void look_back() {
    for (const Atom a : program_.outputs()) need_all(a);
    for (std::size_t i = fates_.size(); i-- > 0;) fates_[i] = fate_of(program_.eqns()[i]);
  }
  Jaxpr write();

 private:
  void need_all(Atom a) {
    if (!a.is_literal()) needs_[a.index()].add_all();
  }
  void need(Atom a, const Window& w) {
    if (a.is_literal()) return;
    if (is_whole(w, program_.aval(a).shape()))
      needs_[a.index()].add_all();
    else
      needs_[a.index()].add(w);
  }

  Fate fate_of(const ir::Eqn& e);
  std::optional<Narrowed> window_fate(const ir::Eqn& e, std::span<const Atom> operands);
  Atom whole_or_sliced(Atom a, const Window& w, const ir::Eqn& user);
  Atom use(Atom a) { return a.is_literal() ? builder_.add_literal(program_.literal(a)) : *values_[a.index()]; }

  void write(const ir::Eqn& e, const Narrowed& fate);
  void write(const ir::Eqn& e, const ir::PrunedOp& fate);
  void write_values(const ir::Eqn& e, const std::vector<bool>* kept);

  const Jaxpr& program_;
  bool columns_apart_;
  std::vector<Need> needs_;  // by variable
  std::vector<Fate> fates_;  // by equation

  struct Sliced {
    Var of;
    Window window;
    friend bool operator==(const Sliced&, const Sliced&) = default;
  };
  struct SlicedHash {
    std::size_t operator()(const Sliced& s) const {
      std::uint64_t h = s.of;
      for (const Range& r : s.window) {
        h = hash_mix(h, static_cast<std::uint64_t>(r.start));
        h = hash_mix(h, static_cast<std::uint64_t>(r.size));
        h = hash_mix(h, static_cast<std::uint64_t>(r.stride));
      }
      return h;
    }
  };
  ir::JaxprBuilder builder_;
  std::vector<std::optional<Atom>> values_;  // by variable: all of it, or the one window that is needed
  std::unordered_map<Sliced, Atom, SlicedHash> slices_;
};

// How the only result of an equation, or the only one of a split that is needed, comes about from windows.
std::optional<Narrowed> Narrowing::window_fate(const ir::Eqn& e, std::span<const Atom> operands) {
  Var result = e.out_begin;
  if (e.op == OpCode::kSplit)
    while (!needs_[result].any()) ++result;
  const Window* window = needs_[result].window();
  const Window needed = window ? *window : whole(program_.aval(result).shape());
  if (e.op == OpCode::kSplit) {
    const auto& p = ir::params_as<SplitParams>(e.params);
    const Window part = window_of(p, result - e.out_begin, program_.aval(operands[0]).shape());
    return Narrowed{OpCode::kSlice, {}, {{0, within(part, needed)}}, true};
  }
  if (!window && e.op != OpCode::kSlice) return std::nullopt;
  Avals in;
  for (const Atom a : operands) in.push_back(program_.aval(a));
  return narrowed(e.op, e.params, in, program_.aval(result), needed, columns_apart_);
}

Fate Narrowing::fate_of(const ir::Eqn& e) {
  const auto operands = program_.operands(e);
  const std::size_t n = e.out_end - e.out_begin;
  std::vector<bool> used(n);
  std::size_t num_used = 0;
  for (std::size_t k = 0; k < n; ++k) {
    used[k] = needs_[e.out_begin + k].any();
    num_used += used[k];
  }
  const bool effects = ir::has_effects(e.op, e.params.get());
  if (num_used == 0 && !effects) return Gone{};

  if (!effects && (n == 1 || (e.op == OpCode::kSplit && num_used == 1))) {
    if (auto fate = window_fate(e, operands)) {
      for (const Narrowed::Part& p : fate->parts) need(operands[p.operand], p.window);
      return *std::move(fate);
    }
  }
  // It is computed whole, and whoever needs a window takes it from there.
  for (Var v = e.out_begin; v < e.out_end; ++v)
    if (needs_[v].any()) needs_[v].add_all();
  if (e.op == OpCode::kOptimizationBarrier && num_used < n) {
    for (std::size_t k = 0; k < n; ++k)
      if (used[k]) need_all(operands[k]);
    return Parts{used};
  }
  if (ir::has_parts(e.op) && !effects) {
    ir::PrunedOp pruned = ir::prune(e.op, e.params, operands.size(), used);
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (pruned.operands[k]) need_all(operands[k]);
    return pruned;
  }
  for (const Atom a : operands) need_all(a);
  return Whole{};
}

Atom Narrowing::whole_or_sliced(Atom a, const Window& w, const ir::Eqn& user) {
  const Aval type = program_.aval(a);
  if (a.is_literal()) return builder_.add_literal(reshaped(program_.literal(a), type.with_shape(sizes(w))));
  if (needs_[a.index()].window() || is_whole(w, type.shape())) return use(a);
  const auto found = slices_.find({a.index(), w});
  if (found != slices_.end()) return found->second;
  const Atom from = use(a);
  const Aval types[] = {type.with_shape(sizes(w))};
  const Var out =
      builder_.add_eqn(OpCode::kSlice, ir::make_params(slice_params(w)), {&from, 1}, types, user.location, user.scope);
  return slices_.emplace(Sliced{a.index(), w}, Atom::var(out)).first->second;
}

void Narrowing::write(const ir::Eqn& e, const Narrowed& fate) {
  const auto from = program_.operands(e);
  Var result = e.out_begin;
  while (!needs_[result].any()) ++result;
  SmallVector<Atom, 3> operands;
  for (const Narrowed::Part& p : fate.parts) operands.push_back(whole_or_sliced(from[p.operand], p.window, e));
  if (fate.moves_only) {
    values_[result] = operands[0];
    return;
  }
  Avals in, out;
  for (std::size_t k = 0; k < operands.size(); ++k)
    in.push_back(program_.aval(from[fate.parts[k].operand]).with_shape(sizes(fate.parts[k].window)));
  ir::infer(fate.op, fate.params.get(), in, out);
  values_[result] = Atom::var(builder_.add_eqn(fate.op, fate.params, operands, out, e.location, e.scope));
}

void Narrowing::write(const ir::Eqn& e, const ir::PrunedOp& fate) {
  const auto from = program_.operands(e);
  SmallVector<Atom, 3> operands;
  Avals types;
  for (std::size_t k = 0; k < from.size(); ++k)
    if (fate.operands[k]) operands.push_back(use(from[k]));
  for (std::size_t k = 0; k < fate.results.size(); ++k)
    if (fate.results[k]) types.push_back(program_.aval(e.out_begin + static_cast<Var>(k)));
  Var next = builder_.add_eqn(fate.op, fate.params, operands, types, e.location, e.scope);
  for (std::size_t k = 0; k < fate.results.size(); ++k)
    if (fate.results[k]) values_[e.out_begin + k] = Atom::var(next++);
}

// `kept` says which values of a barrier stay.
void Narrowing::write_values(const ir::Eqn& e, const std::vector<bool>* kept) {
  const auto from = program_.operands(e);
  SmallVector<Atom, 3> operands;
  Avals types;
  for (std::size_t k = 0; k < from.size(); ++k)
    if (!kept || (*kept)[k]) operands.push_back(use(from[k]));
  for (std::size_t k = 0; k < e.out_end - e.out_begin; ++k)
    if (!kept || (*kept)[k]) types.push_back(program_.aval(e.out_begin + static_cast<Var>(k)));
  Var next = builder_.add_eqn(e.op, e.params, operands, types, e.location, e.scope);
  for (std::size_t k = 0; k < e.out_end - e.out_begin; ++k)
    if (!kept || (*kept)[k]) values_[e.out_begin + k] = Atom::var(next++);
}

Jaxpr Narrowing::write() {
  values_.resize(program_.num_vars());
  std::vector<Var> consts, inputs;
  for (Var v = 0; v < program_.num_inputs(); ++v) {
    const Var input = builder_.add_var(program_.aval(v));
    (v < program_.num_consts() ? consts : inputs).push_back(input);
    values_[v] = Atom::var(input);
    if (needs_[v].any()) needs_[v].add_all();
  }
  for (std::size_t i = 0; i < fates_.size(); ++i) {
    const ir::Eqn& e = program_.eqns()[i];
    if (std::holds_alternative<Whole>(fates_[i])) write_values(e, nullptr);
    if (const auto* parts = std::get_if<Parts>(&fates_[i])) write_values(e, &parts->kept);
    if (const auto* narrow = std::get_if<Narrowed>(&fates_[i])) write(e, *narrow);
    if (const auto* pruned = std::get_if<ir::PrunedOp>(&fates_[i])) write(e, *pruned);
  }
  std::vector<Atom> outputs;
  for (const Atom a : program_.outputs()) outputs.push_back(use(a));
  return builder_.build(consts, inputs, outputs);
}

}  // namespace

Jaxpr narrow(const Jaxpr& program, bool columns_apart) {
  Narrowing narrowing(program, columns_apart);
  narrowing.look_back();
  const Jaxpr made = narrowing.write();
  return made == program ? program : made;
}

}  // namespace weft::compiler::simplifying

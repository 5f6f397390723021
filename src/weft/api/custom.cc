#include "weft/api/custom.h"

#include <algorithm>
#include <unordered_map>

#include "weft/api/control_flow.h"
#include "weft/api/jit.h"

namespace weft::api {

namespace {

bool traced_by(std::initializer_list<Trace::Kind> kinds) {
  for (const Trace* t = detail::current_trace; t; t = t->parent())
    if (std::find(kinds.begin(), kinds.end(), t->kind()) != kinds.end()) return true;
  return false;
}

}  // namespace

bool derivatives_matter() { return traced_by({Trace::Kind::kJvp, Trace::Kind::kLinearize, Trace::Kind::kJaxpr}); }
bool vmap_matters() { return traced_by({Trace::Kind::kBatch, Trace::Kind::kJaxpr}); }

Staged stage_custom(const CustomInfo& info, const FlatFunction& f, std::span<const Array> args) {
  const std::string name = info.str();
  return with_note(name, [&] { return stage(f, avals_of(args), name); });
}

SharedCaptures share_captures(std::initializer_list<const Staged*> staged) {
  SharedCaptures r;
  std::unordered_map<const Value*, std::size_t> places;
  std::vector<std::vector<std::size_t>> captured;
  for (const Staged* s : staged) {
    std::vector<std::size_t>& at = captured.emplace_back();
    for (const Array& a : s->captured) {
      const auto [it, added] = places.try_emplace(a.id(), r.captures.size());
      if (added) r.captures.push_back(a);
      at.push_back(it->second);
    }
  }
  const std::size_t n = r.captures.size();
  std::size_t k = 0;
  for (const Staged* s : staged) {
    const std::vector<std::size_t>& at = captured[k++];
    const std::size_t own = at.size();
    bool same = own == n;
    for (std::size_t i = 0; same && i < n; ++i) same = at[i] == i;
    if (same) {
      r.programs.push_back(ir::with_num_consts(s->jaxpr, n));
      continue;
    }
    ir::Avals inputs = avals_of(r.captures);
    const ir::Avals all = s->jaxpr.input_avals();
    inputs.append(all.begin() + static_cast<std::ptrdiff_t>(own), all.end());
    const Staged wide = stage(
        [&](std::span<const Array> in, Arrays& outs) {
          Arrays args;
          for (const std::size_t i : at) args.push_back(in[i]);
          args.append(in.begin() + static_cast<std::ptrdiff_t>(n), in.end());
          eval_jaxpr(s->jaxpr, args, outs);
        },
        inputs, "captures");
    r.programs.push_back(ir::with_num_consts(wide.jaxpr, n));
  }
  return r;
}

// ---- rules: staged, so that what they capture becomes operands ----

namespace {

thread_local SmallVector<const void*, 4> rules_being_staged;

// While rules of a kind are staged, the same kind, which they may call, is not: that would have no end. Nor is a rule
// many levels inside others, for which it would be work in vain.
class Staging {
 public:
  explicit Staging(const void* tag)
      : allowed_(rules_being_staged.size() < kMostLevels &&
                 std::find(rules_being_staged.begin(), rules_being_staged.end(), tag) == rules_being_staged.end()) {
    rules_being_staged.push_back(tag);
  }
  ~Staging() { rules_being_staged.pop_back(); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  bool allowed() const { return allowed_; }

 private:
  static constexpr std::size_t kMostLevels = 4;
  bool allowed_;
};

// Whether rules could be staged. Those that throw are left as they are: whoever needs one will run it, and see.
template <class Stage>
bool try_to_stage(const void* tag, Stage&& stage_rules) {
  const Staging staging(tag);
  if (!staging.allowed()) return false;
  try {
    stage_rules();
    return true;
  } catch (...) {
    return false;
  }
}

// A rule as it is, for an operation with captures of which the rule knows nothing.
ir::Rule past_captures(FlatFunction rule, std::size_t captures) {
  return control::function_rule([rule = std::move(rule), captures](std::span<const Array> in, Arrays& outs) {
    rule(in.subspan(captures), outs);
  });
}

ir::Avals with_inexact(ir::Avals types, std::span<const Aval> of) {
  for (const Aval a : of)
    if (is_inexact(a.dtype())) types.push_back(a);
  return types;
}

}  // namespace

Arrays call_custom_jvp(const CustomInfo& info, const Staged& f, FlatFunction rule, const void* tag,
                       std::span<const Array> args) {
  const ir::Avals types = avals_of(args);
  Staged jvp;
  const bool staged = try_to_stage(tag, [&] { jvp = stage(rule, with_inexact(types, types), info.str()); });
  if (!staged)
    return lax::custom_jvp_call(info.name, f.jaxpr, past_captures(std::move(rule), f.captured.size()), f.captured, args,
                                info.loc);
  const SharedCaptures s = share_captures({&f, &jvp});
  return lax::custom_jvp_call(info.name, s.programs[0], ir::Rule(s.programs[1]), s.captures, args, info.loc);
}

Arrays call_custom_vjp(const CustomInfo& info, const Staged& f, VjpRules rules, const void* tag,
                       std::span<const Array> args) {
  const ir::Avals types = avals_of(args), results = f.jaxpr.output_avals();
  Staged fwd, bwd, jvp;
  const bool staged = try_to_stage(tag, [&] {
    fwd = stage(rules.fwd, types, info.str());
    const ir::Avals forward = fwd.jaxpr.output_avals();
    const ir::Avals residuals(std::span<const Aval>(forward).subspan(results.size()));
    bwd = stage(rules.bwd, with_inexact(residuals, results), info.str());
    if (rules.jvp) jvp = stage(rules.jvp, with_inexact(types, types), info.str());
  });
  if (!staged) {
    const std::size_t n = f.captured.size();
    return lax::custom_vjp_call(
        info.name, f.jaxpr, past_captures(std::move(rules.fwd), n), past_captures(std::move(rules.bwd), n),
        rules.jvp ? past_captures(std::move(rules.jvp), n) : ir::Rule(), f.captured, args, info.loc);
  }
  const SharedCaptures s = rules.jvp ? share_captures({&f, &fwd, &bwd, &jvp}) : share_captures({&f, &fwd, &bwd});
  return lax::custom_vjp_call(info.name, s.programs[0], ir::Rule(s.programs[1]), ir::Rule(s.programs[2]),
                              rules.jvp ? ir::Rule(s.programs[3]) : ir::Rule(), s.captures, args, info.loc);
}

Arrays call_custom_vmap(const CustomInfo& info, const Staged& f, control::VmapFunction rule,
                        std::span<const Array> args) {
  return lax::custom_vmap_call(info.name, f.jaxpr, control::vmap_rule(std::move(rule)), f.captured, args, info.loc);
}

// ---- what rules return ----

namespace {

// Runs a check, whose errors say where the custom function was made.
template <class Check>
void in_rule(const CustomInfo& info, const char* rule, Check&& check) {
  const ForcedLocation nothing{SourceLocation()};
  const LocationScope scope(info.loc, info.what);
  try {
    check();
  } catch (Error& e) {
    e.add_note("in the " + std::string(rule) + " rule of " + info.name);
    throw;
  }
}

// The leaves with their types, as arrays without values.
void set_types(PathLeaves& leaves, std::span<const Aval> types) {
  std::size_t next = 0;
  for (Array& a : leaves.arrays)
    if (a.defined()) {
      a = abstract(types[next].dtype(), types[next].shape());
      ++next;
    }
}

}  // namespace

void append_results(const CustomInfo& info, const char* rule, const PathLeaves& expected, std::span<const Aval> types,
                    const PathLeaves& got, std::int64_t size, Arrays& to) {
  const std::string op = std::string(info.what) + ": ";
  in_rule(info, rule, [&] {
    check_same_paths(info.what, expected, got);
    std::size_t next = 0;
    for (std::size_t i = 0; i < got.arrays.size(); ++i) {
      const Array& a = got.arrays[i];
      if (!expected.arrays[i].defined()) {
        if (a.defined())
          throw TreeError(op + got.paths[i] + " must be none because " + expected.paths[i] + " is; got " +
                          a.aval().str() + ".");
        continue;
      }
      Aval type = types[next++];
      if (size >= 0) {
        Dims shape(type.shape());
        shape.insert(shape.begin(), size);
        type = type.with_shape(shape);
      }
      const std::string must = op + got.paths[i] + " must have the type of " + expected.paths[i] +
                               (size >= 0 ? " with all examples in front" : "");
      if (!a.defined()) throw TreeError(must + ", " + type.str() + "; got none.");
      if (a.dtype() != type.dtype()) throw DTypeError(must + "; got " + a.aval().str() + " for " + type.str() + ".");
      if (a.aval() != type) throw ShapeError(must + "; got " + a.aval().str() + " for " + type.str() + ".");
      to.push_back(a);
    }
  });
}

void append_tangents(const CustomInfo& info, const char* rule, PathLeaves expected, std::span<const Aval> types,
                     const PathLeaves& got, Arrays& to) {
  set_types(expected, types);
  Arrays matched;
  in_rule(info, rule, [&] { matched = match_tangents(info.what, expected, got); });
  for (std::size_t i = 0; i < types.size(); ++i)
    if (is_inexact(types[i].dtype())) to.push_back(matched[i].defined() ? matched[i] : zeros_of(types[i]));
}

}  // namespace weft::api

#include "weft/api/custom.h"

#include <algorithm>

#include "weft/api/captures.h"
#include "weft/api/jit.h"
#include "weft/core/checks.h"

namespace weft::api {

namespace {

bool traced_by(std::initializer_list<Trace::Kind> kinds) {
  for (const Trace* t = detail::current_trace; t; t = t->parent())
    if (std::find(kinds.begin(), kinds.end(), t->kind()) != kinds.end()) return true;
  return false;
}

// While a function is traced for nothing but the types of its results.
constinit thread_local bool only_types = false;

}  // namespace

bool derivatives_matter() {
  return !only_types && traced_by({Trace::Kind::kJvp, Trace::Kind::kLinearize, Trace::Kind::kJaxpr});
}
bool vmap_matters() { return !only_types && traced_by({Trace::Kind::kBatch, Trace::Kind::kJaxpr}); }

std::optional<ir::Avals> result_types(const FlatFunction& f, std::span<const Aval> args, const std::string& name) {
  struct Scope {
    bool saved = std::exchange(only_types, true);
    ~Scope() { only_types = saved; }
  } scope;
  try {
    return stage(f, args, name).jaxpr.output_avals();
  } catch (...) {
    // It looks at values, or says what is wrong when it runs.
    return std::nullopt;
  }
}

std::shared_ptr<const void> LastTraced::find(const tree::TreeDef& args, std::span<const Aval> types,
                                             const void* pack_type) const {
  const std::lock_guard lock(mutex_);
  if (!traced_ || pack_type != pack_type_ || !std::ranges::equal(types, types_) || !(args == args_)) return nullptr;
  return traced_;
}

void LastTraced::set(tree::TreeDef args, std::span<const Aval> types, const void* pack_type,
                     std::shared_ptr<const void> traced) {
  const std::lock_guard lock(mutex_);
  args_ = std::move(args);
  types_ = ir::Avals(types);
  pack_type_ = pack_type;
  traced_ = std::move(traced);
}

Staged stage_custom(const CustomInfo& info, const FlatFunction& f, std::span<const Array> args) {
  const std::string name = info.str();
  return with_note(name, [&] { return stage(f, avals_of(args), name); });
}

// ---- rules: staged, so that what they capture becomes operands ----

namespace {

// Rules that are being staged, the outermost first.
struct Level {
  RuleId id;
  Arrays captures;      // what these rules capture, once that is known
  bool called = false;  // whether one inside was left as it is, which may capture the same
};
thread_local std::vector<Level*> levels;

// Rules are not staged inside of themselves, for that would have no end; nor more than once inside of others of their
// type (a function that is made anew in each call); nor many levels inside of any, where it would be work in vain.
bool may_stage(RuleId id) {
  constexpr std::size_t kMostLevels = 4;
  const auto of_type = [&](const Level* l) { return l->id.type == id.type; };
  const auto of_object = [&](const Level* l) { return l->id.object == id.object; };
  return levels.size() < kMostLevels && std::ranges::count_if(levels, of_type) < 2 &&
         std::ranges::none_of(levels, of_object);
}

// Whether rules could be staged by stage_all, which gives what they capture. Those that throw are left as they are:
// whoever needs one will run it, and see.
bool try_to_stage(RuleId id, FunctionRef<Arrays()> stage_all) {
  if (!may_stage(id)) {
    for (Level* l : levels) l->called = true;
    return false;
  }
  Level level{id, {}, false};
  levels.push_back(&level);
  struct Pop {
    ~Pop() { levels.pop_back(); }
  } pop;
  try {
    level.captures = stage_all();
    // Rules inside that were left as they are can be run where what they capture is an operand: once more, now that it
    // is known.
    if (level.called && !level.captures.empty()) stage_all();
    return true;
  } catch (...) {
    return false;
  }
}

// f, with operands for all that a rule may capture that is left as it is.
SharedCaptures with_captures_of_levels(const Staged& f) {
  Arrays more;
  for (const Level* l : levels) more.append(l->captures.begin(), l->captures.end());
  return share_captures({&f}, more);
}

// Runs `rule`, which closes over `captures`, where these are `given`: the same, or what a transformation has made of
// them. Then their own traces may have ended.
void run_closed(const FlatFunction& rule, const std::string& name, std::span<const Array> captures,
                std::span<const Array> given, std::span<const Array> args, Arrays& outs) {
  if (std::ranges::equal(captures, given, {}, &Array::id, &Array::id)) return rule(args, outs);
  const Staged staged = stage(rule, avals_of(args), name, captures);
  Arrays operands(given);
  operands.append(staged.captured.begin() + static_cast<std::ptrdiff_t>(captures.size()), staged.captured.end());
  operands.append(args.begin(), args.end());
  eval_jaxpr(staged.jaxpr, operands, outs);
}

// A rule that is left as it is, whose operands are captures and arguments.
ir::Rule closed_rule(FlatFunction rule, const CustomInfo& info, const Arrays& captures) {
  return control::function_rule(
      [rule = std::move(rule), name = info.str(), captures](std::span<const Array> in, Arrays& outs) {
        run_closed(rule, name, captures, in.first(captures.size()), in.subspan(captures.size()), outs);
      });
}

ir::Avals with_inexact(ir::Avals types, std::span<const Aval> of) {
  for (const Aval a : of)
    if (is_inexact(a.dtype())) types.push_back(a);
  return types;
}

Arrays all_captured(std::initializer_list<const Staged*> staged) {
  Arrays r;
  for (const Staged* s : staged) r.append(s->captured.begin(), s->captured.end());
  return r;
}

}  // namespace

Arrays call_custom_jvp(const CustomInfo& info, const Staged& f, FlatFunction rule, RuleId id,
                       std::span<const Array> args) {
  const ir::Avals types = avals_of(args);
  Staged jvp;
  const bool staged = try_to_stage(id, [&] {
    jvp = stage(rule, with_inexact(types, types), info.str());
    return jvp.captured;
  });
  if (!staged) {
    const SharedCaptures s = with_captures_of_levels(f);
    return lax::custom_jvp_call(info.name, s.programs[0], closed_rule(std::move(rule), info, s.captures), s.captures,
                                args, info.loc);
  }
  const SharedCaptures s = share_captures({&f, &jvp});
  return lax::custom_jvp_call(info.name, s.programs[0], ir::Rule(s.programs[1]), s.captures, args, info.loc);
}

Arrays call_custom_vjp(const CustomInfo& info, const Staged& f, VjpRules rules, RuleId id,
                       std::span<const Array> args) {
  const ir::Avals types = avals_of(args), results = f.jaxpr.output_avals();
  Staged fwd, bwd, jvp;
  const bool staged = try_to_stage(id, [&] {
    fwd = stage(rules.fwd, types, info.str());
    const ir::Avals forward = fwd.jaxpr.output_avals();
    const ir::Avals residuals(std::span<const Aval>(forward).subspan(results.size()));
    {
      // So that its checks say in which pass they are.
      const detail::UserRule backward(detail::UserRule::Pass::kBackward);
      bwd = stage(rules.bwd, with_inexact(residuals, results), info.str());
    }
    if (rules.jvp) jvp = stage(rules.jvp, with_inexact(types, types), info.str());
    return all_captured({&fwd, &bwd, &jvp});
  });
  if (!staged) {
    const SharedCaptures s = with_captures_of_levels(f);
    const auto closed = [&](FlatFunction& rule) { return closed_rule(std::move(rule), info, s.captures); };
    return lax::custom_vjp_call(info.name, s.programs[0], closed(rules.fwd), closed(rules.bwd),
                                rules.jvp ? closed(rules.jvp) : ir::Rule(), s.captures, args, info.loc);
  }
  const SharedCaptures s = rules.jvp ? share_captures({&f, &fwd, &bwd, &jvp}) : share_captures({&f, &fwd, &bwd});
  return lax::custom_vjp_call(info.name, s.programs[0], ir::Rule(s.programs[1]), ir::Rule(s.programs[2]),
                              rules.jvp ? ir::Rule(s.programs[3]) : ir::Rule(), s.captures, args, info.loc);
}

Arrays call_custom_vmap(const CustomInfo& info, const Staged& f, control::VmapFunction rule, RuleId id,
                        std::span<const Array> args) {
  // What is mapped is not known yet, but what the rule captures shows in any case. Outside of programs it runs where it
  // may close over anything.
  Staged example;
  if (traced_by({Trace::Kind::kJaxpr}))
    try_to_stage(id, [&] {
      constexpr std::int64_t kSize = 2;
      ir::Avals types;
      for (const Array& x : args) {
        Dims shape(x.shape());
        shape.insert(shape.begin(), kSize);
        types.push_back(x.aval().with_shape(shape));
      }
      example = stage(
          [&](std::span<const Array> in, Arrays& outs) { rule(kSize, std::vector<bool>(args.size(), true), in, outs); },
          types, info.str());
      return example.captured;
    });
  Arrays more = example.captured;
  for (const Level* l : levels) more.append(l->captures.begin(), l->captures.end());
  const SharedCaptures s = share_captures({&f}, more);
  const auto closed = [rule = std::move(rule), name = info.str(), captures = s.captures](
                          std::int64_t size, const std::vector<bool>& mapped, std::span<const Array> in, Arrays& outs) {
    const std::size_t n = captures.size();
    run_closed([&](std::span<const Array> xs, Arrays& results) { rule(size, mapped, xs, results); }, name, captures,
               in.first(n), in.subspan(n), outs);
  };
  return lax::custom_vmap_call(info.name, s.programs[0], control::vmap_rule(closed), s.captures, args, info.loc);
}

// ---- what rules return ----

namespace {

// Runs a check of what `function` gave, whose errors say where the custom function was made.
template <class Check>
void check_what(const CustomInfo& info, const std::string& function, Check&& check) {
  const ForcedLocation nothing{SourceLocation()};
  const LocationScope scope(info.loc, info.what);
  try {
    check();
  } catch (Error& e) {
    e.add_note("in " + function);
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

void append_like(const CustomInfo& info, const std::string& function, const PathLeaves& expected,
                 std::span<const Aval> types, const PathLeaves& got, std::int64_t size, Arrays& to) {
  const std::string op = std::string(info.what) + ": ";
  check_what(info, function, [&] {
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
  check_what(info, "the " + std::string(rule) + " rule of " + info.name,
             [&] { matched = match_tangents(info.what, expected, got); });
  for (std::size_t i = 0; i < types.size(); ++i)
    if (is_inexact(types[i].dtype())) to.push_back(matched[i].defined() ? matched[i] : zeros_of(types[i]));
}

}  // namespace weft::api

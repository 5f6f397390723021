// Transformations that know of variables: what they transform may make, read and change them. Each takes a module and
// gives one, named by both: nn::vmap(Dense{...}, ...) is VmapDense_0. A stream of random keys is either split, so that
// each example, step or layer has its own keys, or not, so that all have the same.
//
// What is transformed sees the variables at its own place alone: it may not call modules that belong to others
// (TransformError). A module that has a place of its own before, as one that was called, stays there under a
// transformation too.
#pragma once

#include "nn/module.h"
#include "weft/api/checkpoint.h"
#include "weft/api/control_flow.h"
#include "weft/api/vmap.h"
#include "weft/np/indexing.h"
#include "weft/np/shape.h"
#include "weft/random/random.h"

namespace weft::nn {

/// How modules are mapped over an axis.
struct VmapOptions {
  /// The collections that are seen inside, each with the axis of its arrays that is mapped, or unmapped: shared by all.
  std::map<std::string, std::optional<int>> variable_axes = {};
  /// The streams whose keys are seen inside, and whether each example has its own.
  std::map<std::string, bool> split_rngs = {};
  Axes in_axes = 0, out_axes = 0;  // of arguments and results, as weft::vmap takes them
  std::string axis_name = {};
  std::optional<std::int64_t> axis_size = {};
};

/// How modules are run step by step.
struct ScanOptions {
  /// Collections with values of each step, stacked along an axis; the same for all steps; and handed on from step to
  /// step. Others are not seen inside.
  std::map<std::string, int> variable_axes = {};
  Filter variable_broadcast = false;
  Filter variable_carry = false;
  std::map<std::string, bool> split_rngs = {};
  /// The axes that are scanned over: one for all arguments, or a list with one entry per argument, as weft::vmap takes
  /// them. Steps see all of what is unmapped: {0, unmapped} scans over xs and hands a mask to every step.
  Axes in_axes = 0;
  /// The axes along which results are stacked, likewise; none may be unmapped.
  Axes out_axes = 0;
  std::optional<std::int64_t> length = {};
  bool reverse = false;
  std::int64_t unroll = 1;
};

namespace detail {

using Keys = std::map<std::string, Array>;

/// Streams by whether they are split; a split one has `n` keys.
struct SplitKeys {
  Keys each, shared;
};
SplitKeys split_keys(const Store& store, const std::map<std::string, bool>& split, std::int64_t n);
Keys joined(const Keys& a, const Keys& b);

/// The variables of one collection below a path, as they are now.
Collection current(const Store& store, const std::string& collection, const std::string& path);
Variables current(const Store& store, const Filter& collections, const std::string& path);
/// Every array with axis `from` moved to `to`.
Collection with_axis_moved(const Collection& c, int from, int to);
/// Adds to variables, or overwrites, others.
void put_all(Variables& all, const Variables& others);
/// Sets all of collections that may change, whose paths are whole.
void set_all(Store& store, const Variables& changed);
/// For each of several branches what the variables are that any of them made or changed: what the branch itself made
/// of them, else what they were before, else what another made.
std::vector<Variables> of_each_branch(const Store& before, const std::vector<Variables>& changed);

/// A run of a module at its place `path`, in a store of its own.
struct Apart {
  Store& outer;
  const std::string& path;
  const Variables& given;
  const Keys& keys;
  Filter may_change = true;  // of what may change outside
  Frame* branch_of = nullptr;
  bool heard = true;  // by the listener
};
/// The result and what was changed. Keys go on where they were.
template <class M, class F, class... A>
auto run_apart(const Apart& how, const M& module, F&& f, A&&... args) {
  Store& outer = how.outer;
  Rngs rngs;
  rngs.insert(how.keys.begin(), how.keys.end());
  rngs.separate_names = outer.rngs.separate_names;
  Store store{.given = &how.given,
              .rngs = std::move(rngs),
              .may_change = outer.may_change & how.may_change,
              .initializing = outer.initializing,
              .listener = how.heard ? outer.listener : Listener(),
              .outer = &outer,
              .root = how.path,
              .counts = outer.counts,
              .keys_from = outer.keys_from};
  Running running(store, static_cast<const Module<M>*>(&module), module_type<M>(), how.path, how.branch_of);
  const ForcedLocation own_lines{running.frame().type.ours ? current_location() : SourceLocation()};
  auto result = std::invoke(std::forward<F>(f), module, std::forward<A>(args)...);
  outer.counts = store.counts;
  return std::pair(std::move(result), std::move(store.changed));
}
struct CallModule {
  template <class M, class... A>
  auto operator()(const M& m, A&&... args) const {
    return m.call(std::forward<A>(args)...);
  }
};

/// The store and path of a module that runs, or could.
template <class D>
Place here(const char* what, const D& module) {
  return place_of(what, static_cast<const Module<D>*>(&module), module_type<D>());
}

/// The module at its place, mapped.
template <class M, class... A>
auto vmap_at(const Place& p, const M& module, const VmapOptions& o, const A&... args) {
  Store& store = *p.store;
  std::map<std::string, int> axes;
  std::set<std::string> seen;
  Variables mapped, shared;
  for (const auto& [name, axis] : o.variable_axes) {
    seen.insert(name);
    Collection c = current(store, name, p.path);
    if (axis) axes[name] = *axis;
    if (!c.empty()) (axis ? mapped : shared)[name] = axis ? with_axis_moved(c, *axis, 0) : std::move(c);
  }
  const std::tuple<A...> pack(args...);
  std::optional<std::int64_t> size = o.axis_size;
  for (const auto& [name, c] : mapped)
    if (!size) size = c.begin()->second.shape()[0];
  if (!size || sizeof...(A) > 0) api::mapped_axes(api::match_axes("nn::vmap: in_axes", o.in_axes, pack, "args"), size);
  const SplitKeys keys = split_keys(store, o.split_rngs, *size);

  const auto one = [&](const Variables& own, const Variables& common, const Keys& own_keys, const Keys& common_keys,
                       const std::tuple<A...>& a) {
    Variables given = own;
    given.insert(common.begin(), common.end());
    const Keys now = joined(own_keys, common_keys);
    auto [result, changed] = std::apply(
        [&](const A&... x) {
          return run_apart({.outer = store, .path = p.path, .given = given, .keys = now, .may_change = Filter(seen)},
                           module, CallModule(), x...);
        },
        a);
    Variables of_each, of_all;
    for (auto& [name, c] : changed) (axes.contains(name) ? of_each : of_all)[name] = std::move(c);
    return std::tuple(std::move(result), std::move(of_each), std::move(of_all));
  };
  auto [result, of_each, of_all] = weft::vmap(one,
                                              weft::VmapOptions{.in_axes = {0, unmapped, 0, unmapped, o.in_axes},
                                                                .out_axes = {o.out_axes, 0, unmapped},
                                                                .axis_name = o.axis_name,
                                                                .axis_size = size},
                                              current_location())(mapped, shared, keys.each, keys.shared, pack);
  for (const auto& [name, c] : of_each) set_all(store, {{name, with_axis_moved(c, 0, axes.at(name))}});
  set_all(store, of_all);
  return result;
}

/// What a step of a scan has of its own.
struct OfStep {
  Variables variables;
  Keys keys;
  std::vector<Array> slices;
};
/// What a scan goes over, of its arguments: the arrays, each with its axis in front, and how many steps there are.
struct Slices {
  std::vector<Array> arrays;
  std::int64_t length;
};
Slices slices_of(const std::vector<api::AxesVisitor::Leaf>& args, const ScanOptions& o, const Variables& stacked);
/// Results, stacked in front, with their axes where they are asked for. ValueError for those that are not stacked.
Arrays with_out_axes(const std::vector<api::AxesVisitor::Leaf>& results);

/// The module at its place, which takes a carry and slices and gives the next carry and a result, step by step.
template <class M, class F, class C, class... X>
auto scan_at(const Place& p, const M& module, const ScanOptions& o, F&& f, const C& carry, const X&... xs) {
  Store& store = *p.store;
  std::set<std::string> stacked;
  Variables of_each;
  for (const auto& [name, axis] : o.variable_axes) {
    stacked.insert(name);
    Collection c = current(store, name, p.path);
    if (!c.empty()) of_each[name] = with_axis_moved(c, axis, 0);
  }
  const std::tuple<X...> pack(xs...);
  const auto leaves = api::match_axes("nn::scan: in_axes", o.in_axes, pack, "args");
  const Slices slices = slices_of(leaves, o, of_each);
  const SplitKeys keys = split_keys(store, o.split_rngs, slices.length);
  const Filter seen = Filter(stacked) | o.variable_broadcast | o.variable_carry;
  // What is handed on but may not change is the same for all steps.
  const Filter carried = o.variable_carry & store.may_change;

  const auto run = [&](Variables given, const C& c, const OfStep& own, bool heard) {
    put_all(given, own.variables);
    Arrays args;
    std::size_t next = 0;
    for (const auto& leaf : leaves) args.push_back(leaf.axis ? own.slices[next++] : leaf.array);
    const Keys now = joined(own.keys, keys.shared);
    return std::apply(
        [&](const X&... x) {
          return run_apart(
              {.outer = store, .path = p.path, .given = given, .keys = now, .may_change = seen, .heard = heard}, module,
              f, c, x...);
        },
        tree::with_leaves(std::tuple<X...>(pack), args));
  };
  // The body is traced once, without its results, before it is scanned: that takes keys, as in Flax, so that the keys
  // of the steps are those that come next. While variables are made, it makes what steps share or hand on.
  const auto first_step = [&](const Keys& each, const std::vector<Array>& arrays) {
    const auto first = [](const auto& t) { return tree::map([](const Array& a) { return a(0); }, t); };
    return run(current(store, o.variable_broadcast | o.variable_carry, p.path), carry,
               {store.initializing ? Variables() : first(of_each), first(each), first(arrays)}, false);
  };
  if (store.initializing) {
    auto made = first_step(keys.each, slices.arrays).second;
    for (const auto& [name, c] : made)
      if (o.variable_broadcast(name) || o.variable_carry(name)) set_all(store, {{name, c}});
  } else if (slices.length > 0 && !(keys.each.empty() && keys.shared.empty())) {
    eval_shape([&](const Keys& each, const std::vector<Array>& a) { return first_step(each, a).first; }, keys.each,
               slices.arrays);
  }
  const auto counts = store.counts;
  Variables same = current(store, o.variable_broadcast, p.path);
  put_all(same, current(store, o.variable_carry & !store.may_change, p.path));

  using State = std::pair<C, Variables>;
  const auto step = [&](State s, OfStep own) {
    store.counts = counts;
    Variables given = same;
    put_all(given, s.second);
    auto [result, changed] = run(std::move(given), s.first, own, true);
    Variables stacks;
    for (auto& [name, c] : changed) {
      if (stacked.contains(name))
        stacks[name] = c;
      else if (carried(name))
        put_all(s.second, {{name, c}});
      else
        throw ModifyVariableError("nn::scan: variables that all steps share must not change; got a new value of \"" +
                                      c.begin()->first + "\" of \"" + name + "\".",
                                  "list the collection in variable_carry, or in variable_axes");
    }
    return std::pair(State(std::move(result.first), std::move(s.second)),
                     std::pair(std::move(result.second), std::move(stacks)));
  };
  auto [last, outs] = weft::scan(
      step, State(carry, current(store, carried, p.path)), OfStep{of_each, keys.each, slices.arrays},
      weft::ScanOptions{.length = slices.length, .reverse = o.reverse, .unroll = o.unroll}, current_location());
  set_all(store, last.second);
  for (const auto& [name, c] : outs.second) set_all(store, {{name, with_axis_moved(c, 0, o.variable_axes.at(name))}});
  const Arrays results = with_out_axes(api::match_axes("nn::scan: out_axes", o.out_axes, outs.first, "result"));
  return std::pair(std::move(last.first), tree::with_leaves(std::move(outs.first), results));
}

/// While it lives, the keys of the store are those of the module at `path`, hashed so far: inside of a module that is
/// compiled they begin there, as in Flax.
class KeysFrom {
 public:
  KeysFrom(Store& store, const std::string& path);
  ~KeysFrom();
  KeysFrom(const KeysFrom&) = delete;
  KeysFrom& operator=(const KeysFrom&) = delete;

 private:
  Store& store_;
  Rngs rngs_;
  std::string from_;
};

/// All variables and keys of the place go through `transform`, which gets a function of them and the arguments.
template <class M, class Transform, class... A>
auto whole_at(const Place& p, const M& module, Transform&& transform, const A&... args) {
  const auto f = [&](const Variables& given, const Keys& keys, const A&... x) {
    return run_apart({.outer = *p.store, .path = p.path, .given = given, .keys = keys}, module, CallModule(), x...);
  };
  auto [result, changed] = transform(f)(current(*p.store, true, p.path), Keys(p.store->rngs), args...);
  set_all(*p.store, changed);
  return std::move(result);
}

/// Functions of one module, of which one runs, or which run in turn: each in a frame of its own, where names begin
/// anew, and may be those of other branches, but for the numbers of names by type, which go on from what was there
/// before. Keys go on from one to the next.
class Branches {
 public:
  Branches(const Place& place, std::size_t n)
      : place_(place), before_(place.store->counts), after_(n, place.store->counts) {}

  /// The function `i` with these variables: its result and what it changed.
  template <class D, class F, class... A>
  auto run(std::size_t i, const D& module, const Variables& given, const Keys& keys, const Filter& may_change, F&& f,
           A&&... args) {
    place_.store->counts = i > 0 ? after_[i - 1] : before_;
    auto r = run_apart({.outer = *place_.store,
                        .path = place_.path,
                        .given = given,
                        .keys = keys,
                        .may_change = may_change,
                        .branch_of = place_.frame,
                        .heard = heard_},
                       module, f, args...);
    after_[i] = place_.store->counts;
    return r;
  }
  /// The function as a program from the variables and keys of its place, which gives those that may change as they are
  /// afterwards.
  template <class D, class F>
  auto program(std::size_t i, const D& module, const F& f) {
    return [this, i, &module, &f](const Variables& given, const Keys& keys, const auto&... x) {
      auto [result, changed] = run(i, module, given, keys, true, f, x...);
      Variables now;
      for (const auto& [name, c] : given)
        if (place_.store->may_change(name)) now[name] = c;
      put_all(now, changed);
      return std::pair(std::move(result), std::move(now));
    };
  }
  /// Takes the names and keys that a program takes, without what it computes.
  template <class Program, class... A>
  void pass(const Program& program, const A&... args) {
    heard_ = false;
    eval_shape(program, args...);
    heard_ = true;
  }
  /// What comes next goes on behind the branch that took most.
  void end();

 private:
  Place place_;
  std::map<std::string, std::int64_t> before_;  // counts of keys
  std::vector<std::map<std::string, std::int64_t>> after_;
  bool heard_ = true;
};

}  // namespace detail

/// A module mapped over an axis of its arguments: `module` for one example becomes one for many, with own or shared
/// variables and keys. Errors: those of weft::vmap.
template <class M>
struct Vmap : Module<Vmap<M>> {
  static_assert(detail::IsModule<M>, "nn::vmap takes a module; weft::vmap takes functions");
  M module;
  VmapOptions options = {};
  std::string name = {};
  static constexpr bool kWrapsModule = true;
  static std::string class_name() { return "Vmap" + std::string(detail::class_name<M>()); }
  template <class... A>
  auto call(const A&... args) const {
    return detail::vmap_at(detail::here("nn::vmap", module), module, options, args...);
  }
};
template <class M>
Vmap<M> vmap(const M& module, const VmapOptions& options, const std::string& name = {}) {
  return {.module = module, .options = options, .name = name};
}

/// A module (carry, x...) -> (carry, y) run for each slice of xs: (carry, xs...) -> (carry, ys). Each call traces the
/// module twice, as Flax does: keys are those of the second time.
template <class M>
struct Scan : Module<Scan<M>> {
  static_assert(detail::IsModule<M>, "nn::scan takes a module; weft::scan takes functions");
  M module;
  ScanOptions options = {};
  std::string name = {};
  static constexpr bool kWrapsModule = true;
  static std::string class_name() { return "Scan" + std::string(detail::class_name<M>()); }
  template <class C, class... X>
  auto call(const C& carry, const X&... xs) const {
    return detail::scan_at(detail::here("nn::scan", module), module, options, detail::CallModule(), carry, xs...);
  }
};
template <class M>
Scan<M> scan(const M& module, const ScanOptions& options, const std::string& name = {}) {
  return {.module = module, .options = options, .name = name};
}

/// A module whose derivative keeps little and computes the rest again: weft::checkpoint.
template <class M>
struct Remat : Module<Remat<M>> {
  static_assert(detail::IsModule<M>, "nn::remat takes a module; weft::checkpoint takes functions");
  M module;
  CheckpointPolicy policy = {};
  std::string name = {};
  static constexpr bool kWrapsModule = true;
  static std::string class_name() { return "Checkpoint" + std::string(detail::class_name<M>()); }
  template <class... A>
  auto call(const A&... args) const {
    const auto transform = [&](const auto& f) { return weft::checkpoint(f, policy, current_location()); };
    return detail::whole_at(detail::here("nn::remat", module), module, transform, args...);
  }
};
template <class M>
Remat<M> remat(const M& module, const CheckpointPolicy& policy = {}, const std::string& name = {}) {
  return {.module = module, .policy = policy, .name = name};
}

/// A module that is one call in programs, which are smaller where it is called often. An eager apply compiles it anew
/// at each call: compile the function that applies the model. Its random keys are others than without: as in Flax they
/// begin anew at its place.
template <class M>
struct Jit : Module<Jit<M>> {
  static_assert(detail::IsModule<M>, "nn::jit takes a module; weft::jit takes functions");
  M module;
  std::string name = {};
  static constexpr bool kWrapsModule = true;
  static std::string class_name() { return "Jit" + std::string(detail::class_name<M>()); }
  template <class... A>
  auto call(const A&... args) const {
    const auto transform = [&](const auto& f) {
      return weft::jit(f, {.name = std::string(detail::class_name<M>())}, current_location());
    };
    const detail::Place p = detail::here("nn::jit", module);
    const detail::KeysFrom keys(*p.store, p.path);
    return detail::whole_at(p, module, transform, args...);
  }
};
template <class M>
Jit<M> jit(const M& module, const std::string& name = {}) {
  return {.module = module, .name = name};
}

/// true_f(module, args...) when `pred` holds, else false_f(module, args...), inside of a method of the module. Both may
/// make and change variables, and share those of equal names; while the model is initialised both run, and of a
/// variable that both make, that of the branch that is taken stays. Errors: those of weft::cond.
template <class D, class T, class F, class... A>
auto cond(const Arg& pred, T&& true_f, F&& false_f, const D& module, const A&... args) {
  const detail::Place p = detail::here("nn::cond", module);
  const Variables given = detail::current(*p.store, true, p.path);
  const detail::Keys keys(p.store->rngs);
  detail::Branches branches(p, 2);
  if (p.store->initializing) {
    const auto a = branches.run(0, module, given, keys, true, true_f, args...);
    const auto b = branches.run(1, module, given, keys, true, false_f, args...);
    branches.end();
    const std::vector<Variables> made = detail::of_each_branch(*p.store, {a.second, b.second});
    auto [result, now] = weft::cond(
        pred, [&](const Array&) { return std::pair(a.first, made[0]); },
        [&](const Array&) { return std::pair(b.first, made[1]); }, Array(0));
    detail::set_all(*p.store, now);
    return std::move(result);
  }
  const auto when_true = branches.program(0, module, true_f);
  const auto when_false = branches.program(1, module, false_f);
  // weft::cond stages false_f first, whose keys are those after true_f's; and with jit disabled only one of them runs.
  if (jit_disabled() || !keys.empty()) branches.pass(when_true, given, keys, args...);
  if (jit_disabled()) branches.pass(when_false, given, keys, args...);
  auto [result, now] = weft::cond(pred, when_true, when_false, given, keys, args...);
  branches.end();
  detail::set_all(*p.store, now);
  return std::move(result);
}
/// branches[index](module, args...), an index out of range clamped; otherwise as cond.
template <class D, class F, class... A>
auto switch_(const Arg& index, const std::vector<F>& functions, const D& module, const A&... args) {
  const detail::Place p = detail::here("nn::switch_", module);
  const Variables given = detail::current(*p.store, true, p.path);
  const detail::Keys keys(p.store->rngs);
  detail::Branches branches(p, functions.size());
  using Result = decltype(std::invoke(functions[0], module, args...));
  if (p.store->initializing) {
    std::vector<Result> results;
    std::vector<Variables> changed;
    for (std::size_t i = 0; i < functions.size(); ++i) {
      auto r = branches.run(i, module, given, keys, true, functions[i], args...);
      results.push_back(std::move(r.first));
      changed.push_back(std::move(r.second));
    }
    branches.end();
    const std::vector<Variables> made = detail::of_each_branch(*p.store, changed);
    std::vector<std::function<std::pair<Result, Variables>(const Array&)>> constants;
    for (std::size_t i = 0; i < functions.size(); ++i)
      constants.push_back([r = std::pair(results[i], made[i])](const Array&) { return r; });
    auto [result, now] = weft::switch_(index, constants, Array(0));
    detail::set_all(*p.store, now);
    return std::move(result);
  }
  std::vector<decltype(branches.program(0, module, functions[0]))> programs;
  for (std::size_t i = 0; i < functions.size(); ++i) programs.push_back(branches.program(i, module, functions[i]));
  if (jit_disabled())  // only one of them runs
    for (const auto& program : programs) branches.pass(program, given, keys, args...);
  auto [result, now] = weft::switch_(index, programs, given, keys, args...);
  branches.end();
  detail::set_all(*p.store, now);
  return std::move(result);
}

/// Which variables a loop changes, and whose keys differ from step to step.
struct WhileOptions {
  Filter carry_variables = false;  // others are read alone
  /// The streams whose keys are seen inside: others at each step, or the same at all.
  std::map<std::string, bool> split_rngs = {};
  LoopOptions loop = {};
};
/// body_f(module, carry) again and again while cond_f(module, carry), a bool[], holds. While the model is initialised
/// the body runs once, to make its variables, and the condition after it. Errors: those of weft::while_loop.
template <class D, class C, class B, class S>
auto while_loop(C&& cond_f, B&& body_f, const D& module, const S& init, const WhileOptions& o = {},
                SourceLocation loc = std::source_location::current()) {
  const detail::Place p = detail::here("nn::while_loop", module);
  detail::Store& store = *p.store;
  detail::Branches branches(p, 2);
  if (store.initializing) {
    const detail::Keys keys(store.rngs);
    auto [result, made] = branches.run(1, module, detail::current(store, true, p.path), keys, true, body_f, init);
    detail::set_all(store, made);
    auto [more, more_made] = branches.run(0, module, detail::current(store, true, p.path), keys, true, cond_f, init);
    detail::set_all(store, more_made);
    branches.end();
    return std::move(result);
  }
  const Variables all = detail::current(store, true, p.path);
  // The number of the step, the carry, and the variables that change.
  using State = std::tuple<Array, S, Variables>;
  const auto given = [&](const State& s) {
    Variables v = all;
    detail::put_all(v, std::get<2>(s));
    return v;
  };
  const auto keys = [&](const Array& step) {
    detail::Keys now;
    for (const auto& [name, split] : o.split_rngs)
      if (const auto key = store.rngs.find(name); key != store.rngs.end())
        now[name] = split ? random::fold_in(key->second, step) : key->second;
    return now;
  };
  const auto condition = [&](State s) -> Array {
    return branches.run(0, module, given(s), keys(0 - std::get<0>(s)), false, cond_f, std::get<1>(s)).first;
  };
  const auto body = [&](State s) {
    auto [next, changed] =
        branches.run(1, module, given(s), keys(std::get<0>(s)), o.carry_variables, body_f, std::get<1>(s));
    detail::put_all(std::get<2>(s), changed);
    return State(std::get<0>(s) + 1, std::move(next), std::move(std::get<2>(s)));
  };
  const Variables carried = detail::current(store, o.carry_variables & store.may_change, p.path);
  auto last = weft::while_loop(condition, body, State(Array(0), init, carried), o.loop, loc);
  branches.end();
  detail::set_all(store, std::get<2>(last));
  return std::move(std::get<1>(last));
}

/// Which variables a module sees changed, and how.
struct MapVariablesOptions {
  Filter collections = "params";
  /// What the module sees in place of the variables of these collections, whose paths are below it.
  std::function<Variables(Variables)> trans_in_fn = {};
  /// The way back: what is to be kept of what it sees, when it has run. Without this it cannot change them.
  std::function<Variables(Variables)> trans_out_fn = {};
};
/// The module called with variables that were changed first. While the model is initialised, it makes its variables in
/// a run before. ModifyVariableError when it sets one of `collections` and there is no trans_out_fn.
template <class M, class... A>
auto map_variables(const M& module, const MapVariablesOptions& o, const A&... args) {
  detail::Running running(static_cast<const Module<M>*>(&module), detail::module_type<M>());
  detail::Store& store = running.frame().store;
  const std::string path = running.frame().path;
  const detail::Keys keys(store.rngs);
  const auto call = [&](const Variables& given, const Filter& may_change, bool heard) {
    return detail::run_apart(
        {.outer = store, .path = path, .given = given, .keys = keys, .may_change = may_change, .heard = heard}, module,
        detail::CallModule(), args...);
  };
  // What was mapped, `seen`, with its changes.
  const auto keep = [&](Variables seen, const Variables& changed) {
    for (const auto& [name, c] : changed)
      if (o.collections(name)) detail::put_all(seen, {{name, below(c, path)}});
    if (o.trans_out_fn) seen = o.trans_out_fn(std::move(seen));
    detail::set_all(store, at_path(seen, path));
  };
  const auto mapped = [&] { return below(detail::current(store, o.collections, path), path); };
  if (store.initializing) {
    const auto made = call(detail::current(store, true, path), true, false).second;
    keep(mapped(), made);
  }
  Variables given = detail::current(store, true, path), seen = mapped();
  if (o.trans_in_fn) seen = o.trans_in_fn(std::move(seen));
  for (auto& [name, c] : at_path(seen, path)) given[name] = std::move(c);
  auto [result, changed] = call(given, o.trans_out_fn ? Filter(true) : !o.collections, true);
  if (o.trans_out_fn) keep(std::move(seen), changed);
  std::erase_if(changed, [&](const auto& c) { return o.collections(c.first); });
  detail::set_all(store, changed);
  return std::move(result);
}

}  // namespace weft::nn

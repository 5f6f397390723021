// Control flow that is part of programs: cond, switch_, while_loop, fori_loop, scan, map, associative_scan.
//
// Functions take and return trees. They are staged once, whatever the number of steps; arrays and traced values that
// they capture become inputs. Each is one equation under jit, and differentiates, batches and nests like any other.
// Plain C++ `if` and `for` work too, on values that are known: under grad, and outside of transformations. While a
// DisableJit lives, these functions are such `if`s and `for`s themselves, where values are known.
#pragma once

#include "weft/api/callable.h"
#include "weft/api/stepwise.h"

namespace weft {

/// A loop whose number of steps depends on values.
struct LoopOptions {
  /// The most steps it may take. Then it has reverse-mode derivatives, too: they run the loop again, in memory for
  /// about 2 sqrt(max_steps) states. ValueError, when it runs, if the condition still holds after so many.
  std::optional<std::int64_t> max_steps = {};
};

/// What a scan goes over, and how.
struct ScanOptions {
  /// The number of steps; may be left out when there are xs to count.
  std::optional<std::int64_t> length = {};
  /// From the last slice to the first; results stay where their slices are.
  bool reverse = false;
  /// Steps per round of the loop: larger programs that run a little faster. Results are the same.
  std::int64_t unroll = 1;
};

/// For scans over nothing: `scan(f, init, no_xs, {.length = 10})`, where f takes the carry alone.
struct NoXs {};
inline constexpr NoXs no_xs;

namespace api {

/// A branch staged for the arguments, with the paths of its results.
struct Branch {
  Staged staged;
  std::vector<std::string> paths;
};
/// Binds one `case`. Every branch gets what any captures. DTypeError or ShapeError naming the leaf when results differ.
/// `what`: "cond" or "switch_".
Arrays bind_branches(const char* what, const SourceLocation& loc, const Array& index, std::span<const Branch> branches,
                     std::span<const Array> xs);
/// A bool[] or integer scalar as the index of a `case`: DTypeError or ShapeError. `function` is cond or while_loop,
/// `what` it is: "the predicate".
Array predicate(const char* function, const char* what, const Array& x, const SourceLocation& loc);
Array branch_index(const Array& x, const SourceLocation& loc);
/// ValueError unless there are some.
void check_branches(std::size_t n, const SourceLocation& loc);

/// What the user called in place of scan or while_loop, and what he calls the carried values.
struct LoopNames {
  const char* function;
  const char* carried = "carry";
  const char* inside = "";  // where among the carried values of the loop those of the user are
  const char* xs = "xs";
};

/// Throws DTypeError or ShapeError naming the leaf unless the carried values come out with the types they went in.
void check_carry(const LoopNames& names, const std::vector<std::string>& paths, std::span<const Array> in,
                 std::span<const Aval> out, const SourceLocation& loc);

/// The number of steps, from options and the leaves of xs; ShapeError naming the leaf that differs, ValueError when
/// nothing says it.
std::int64_t scan_length(const LoopNames& names, std::span<const Array> xs, const std::vector<std::string>& paths,
                         const ScanOptions& options, const SourceLocation& loc);
ir::Avals slices_of(std::span<const Array> xs);
/// The last carry, then the stacked ys. `body` is staged for carry and slices.
Arrays run_scan(const Staged& body, std::span<const Array> carry, std::span<const Array> xs, std::int64_t length,
                const ScanOptions& options, const SourceLocation& loc);
Arrays run_while(const char* function, const Staged& cond, const Staged& body, std::span<const Array> init,
                 const LoopOptions& options, const SourceLocation& loc);
/// The trip count of a loop over [lower, upper) as scan counts it, and the counter's type.
std::int64_t trip_count(std::int64_t lower, std::int64_t upper, const SourceLocation& loc);
DType counter_dtype(std::int64_t lower, std::int64_t upper);
/// Bounds that are arrays, in the smallest type that holds both of theirs: DTypeError or ShapeError unless they are
/// integer scalars, DTypeError when there is no such type (of u64 and a signed one).
std::pair<Array, Array> loop_bounds(const Array& lower, const Array& upper, const SourceLocation& loc);

/// All prefixes of `elements` along `axis`, combined in a tree of depth log n.
using Combine = FunctionRef<void(std::span<const Array> a, std::span<const Array> b, Arrays& outs)>;
Arrays associative_scan(Combine combine, std::span<const Array> elements, const std::vector<std::string>& paths,
                        bool reverse, int axis, const SourceLocation& loc);

template <class F, class Pack>
Branch stage_branch(const std::string& name, Callable<F, Pack>& call, std::span<const Aval> inputs) {
  Branch branch;
  branch.staged = with_note(name, [&] { return stage(call.flat(), inputs, name); });
  branch.paths = tree::structure(call.prototype()).paths();
  return branch;
}

}  // namespace api

/// true_f(args...) when `pred` (bool[], true or false) holds, else false_f(args...). Only the branch that is taken
/// runs; under vmap with a mapped predicate both do, and derivatives of the other one still never matter, not even NaN
/// (unless examples meet in it, by lax::psum: lax::case_ says more).
/// Both results have the same structure and types: TreeError, DTypeError or ShapeError name the leaf that differs.
template <class T, class F, class... A>
auto cond(const Arg& pred, T&& true_f, F&& false_f, A&&... args) {
  const SourceLocation loc = pred.location();
  const std::string name = api::transform_name("cond", loc);
  auto pack = api::prepare<T>(std::forward<A>(args)...);
  const Arrays leaves = tree::leaves(pack);
  const ir::Avals inputs = avals_of(leaves);
  api::Callable<std::remove_reference_t<T>, decltype(pack)> when_true(true_f, pack);
  api::Callable<std::remove_reference_t<F>, decltype(pack)> when_false(false_f, pack);
  constexpr bool kSame = std::is_same_v<typename decltype(when_true)::Result, typename decltype(when_false)::Result>;
  static_assert(kSame, "cond: both branches must return the same type");
  const Array index = api::predicate("cond", "the predicate", pred.array(), loc);
  if constexpr (kSame)
    if (const auto taken = api::branch_to_run(index, 2))
      return *taken ? when_true.run(true_f, std::move(pack)) : when_false.run(false_f, std::move(pack));
  // false is 0.
  api::Branch branches[2] = {api::stage_branch("the false branch of " + name, when_false, inputs),
                             api::stage_branch("the true branch of " + name, when_true, inputs)};
  tree::check_same_structure("cond: the true and the false branch", when_true.prototype(), when_false.prototype(), loc);
  return when_true.result(api::bind_branches("cond", loc, index, branches, leaves));
}

namespace api {

/// One branch of a switch_: `visit` calls its argument with each of them.
template <class First, class Visit, class... A>
auto run_switch(const Arg& index, std::size_t count, Visit&& visit, A&&... args) {
  const SourceLocation loc = index.location();
  const std::string name = transform_name("switch_", loc);
  auto pack = prepare<First>(std::forward<A>(args)...);
  using Pack = std::decay_t<decltype(pack)>;  // g++ 12 sees a reference in the lambdas below without decay
  using Result = typename Callable<const First, Pack>::Result;
  check_branches(count, loc);
  const Array chosen = branch_index(index.array(), loc);
  if (const auto taken = branch_to_run(chosen, count)) {
    std::optional<Result> result;
    std::size_t i = 0;
    visit([&]<class F>(const F& branch) {
      if constexpr (std::is_same_v<Result, typename Callable<const F, Pack>::Result>)
        if (i++ == *taken) result.emplace(Callable<const F, Pack>::run(branch, pack));
    });
    return std::move(*result);
  }
  const Arrays leaves = tree::leaves(pack);
  const ir::Avals inputs = avals_of(leaves);
  std::vector<Branch> staged;
  std::optional<Result> prototype;
  visit([&]<class F>(const F& branch) {
    Callable<const F, Pack> call(branch, pack);
    constexpr bool kSame = std::is_same_v<Result, typename decltype(call)::Result>;
    static_assert(kSame, "switch_: all branches must return the same type");
    staged.push_back(stage_branch("branch " + std::to_string(staged.size()) + " of " + name, call, inputs));
    if (prototype) tree::check_same_structure("switch_: branches", *prototype, call.prototype(), loc);
    prototype = call.prototype();
  });
  return tree::with_leaves(std::move(*prototype), bind_branches("switch_", loc, chosen, staged, leaves));
}

}  // namespace api

/// branches[index](args...); an index out of range is clamped to the first or last branch. `branches` is a tuple of
/// functions, or a std::vector of them. What cond says of results and derivatives holds here. ValueError when there are
/// no branches.
template <class... F, class... A>
auto switch_(const Arg& index, const std::tuple<F...>& branches, A&&... args) {
  static_assert(sizeof...(F) > 0, "switch_: there must be a branch");
  const auto visit = [&](auto&& one) { std::apply([&](const auto&... f) { (one(f), ...); }, branches); };
  return api::run_switch<std::tuple_element_t<0, std::tuple<F...>>>(index, sizeof...(F), visit,
                                                                    std::forward<A>(args)...);
}
template <class F, class... A>
auto switch_(const Arg& index, const std::vector<F>& branches, A&&... args) {
  const auto visit = [&](auto&& one) {
    for (const F& f : branches) one(f);
  };
  return api::run_switch<F>(index, branches.size(), visit, std::forward<A>(args)...);
}

namespace api {

template <class C, class B, class S>
auto run_while_loop(const LoopNames& names, C&& cond, B&& body, S&& init, LoopOptions options,
                    const SourceLocation& loc) {
  const std::string name = transform_name(names.function, loc);
  auto pack = prepare<B>(std::forward<S>(init));
  using State = std::tuple_element_t<0, decltype(pack)>;
  Callable<std::remove_reference_t<C>, decltype(pack)> go_on(cond, pack);
  Callable<std::remove_reference_t<B>, decltype(pack)> step(body, pack);
  static_assert(std::is_same_v<typename decltype(go_on)::Result, Array>,
                "while_loop: the condition must return an Array");
  static_assert(std::is_same_v<typename decltype(step)::Result, State>,
                "while_loop: the body must return what it takes");
  const auto check_state = [&](const State& next, std::span<const Aval> types) {
    with_note(name, [&] {
      tree::check_same_structure(std::string(names.function) + ": " + names.carried, std::get<0>(pack), next, loc);
      check_carry(names, tree::structure(next).paths(), tree::leaves(std::get<0>(pack)), types, loc);
    });
  };
  if (jit_disabled() && options.max_steps.value_or(0) >= 0) {
    for (std::int64_t i = 0;; ++i) {
      const Array more = predicate(names.function, "the condition", go_on.run(cond, pack), loc);
      if (!more.known()) {  // the rest is one operation
        if (options.max_steps) *options.max_steps -= i;
        break;
      }
      if (!more.item<bool>()) return std::get<0>(std::move(pack));
      check_step(names.function, i, options.max_steps, loc);
      State next = step.run(body, pack);
      check_state(next, avals_of(tree::leaves(next)));
      std::get<0>(pack) = std::move(next);
    }
  }
  const Arrays leaves = tree::leaves(pack);
  const ir::Avals types = avals_of(leaves);
  const std::string test_name = "the condition of " + name, body_name = "the body of " + name;
  const Staged test = with_note(test_name, [&] {
    return stage(
        [&](std::span<const Array> a, Arrays& outs) {
          go_on.flat()(a, outs);
          outs = Arrays{predicate(names.function, "the condition", outs.empty() ? Array() : outs[0], loc)};
        },
        types, test_name);
  });
  const Staged staged = with_note(body_name, [&] { return stage(step.flat(), types, body_name); });
  check_state(step.prototype(), staged.jaxpr.output_avals());
  return step.result(run_while(names.function, test, staged, leaves, options, loc));
}

}  // namespace api

/// state = init; while (cond(state)) state = body(state); returns the last state. `cond` gives bool[], `body` a state
/// of init's structure and types. Derivatives: forward mode; with a bound, `{.max_steps = n}`, all (see LoopOptions).
template <class C, class B, class S>
auto while_loop(C&& cond, B&& body, S&& init, LoopOptions options = {},
                SourceLocation loc = std::source_location::current()) {
  return api::run_while_loop({"while_loop", "state"}, cond, body, std::forward<S>(init), options, loc);
}

namespace api {

template <class F, class C, class X>
auto run_scan_loop(const LoopNames& names, F&& f, C&& init, X&& xs, const ScanOptions& options,
                   const SourceLocation& loc) {
  const std::string name = transform_name(names.function, loc);
  constexpr bool kNoXs = std::is_same_v<std::decay_t<X>, NoXs>;
  auto pack = [&] {
    if constexpr (kNoXs)
      return prepare<F>(std::forward<C>(init));
    else
      return prepare<F>(std::forward<C>(init), std::forward<X>(xs));
  }();
  using Call = Callable<std::remove_reference_t<F>, decltype(pack)>;
  using Carry = std::tuple_element_t<0, decltype(pack)>;
  static_assert(tree::detail::is_a<typename Call::Result, std::pair>,
                "scan: the function must return a std::pair of carry and y");
  static_assert(std::is_same_v<typename Call::Result::first_type, Carry>,
                "scan: the function must return the carry in the type it takes it");
  const Arrays carry = tree::leaves(std::get<0>(pack));
  Arrays slices;
  std::vector<std::string> paths;
  if constexpr (!kNoXs) {
    slices = tree::leaves(std::get<1>(pack));
    paths = tree::structure(std::get<1>(pack)).paths();
  }
  const std::int64_t length = with_note(name, [&] { return scan_length(names, slices, paths, options, loc); });
  const auto check_next = [&](const Carry& next, std::span<const Aval> types) {
    with_note(name, [&] {
      tree::check_same_structure(std::string(names.function) + ": " + names.carried, std::get<0>(pack), next, loc);
      check_carry(names, tree::structure(next).paths(), carry, types, loc);
    });
  };
  if (jit_disabled() && length > 0) {  // what no steps give only the body's program tells
    auto state = pack;
    std::optional<typename Call::Result> result;
    StackedSteps stacked(loc);
    for (std::int64_t i = 0; i < length; ++i) {
      if constexpr (!kNoXs)
        std::get<1>(state) =
            tree::with_leaves(std::get<1>(pack), slices_at(slices, options.reverse ? length - 1 - i : i, loc));
      typename Call::Result next = Call::run(f, state);
      check_next(next.first, avals_of(tree::leaves(next.first)));
      if (result) tree::check_same_structure(std::string(names.function) + ": ys", result->second, next.second, loc);
      stacked.add(tree::leaves(next.second), tree::structure(next.second).paths());
      std::get<0>(state) = next.first;
      result.emplace(std::move(next));
    }
    result->second = tree::with_leaves(std::move(result->second), stacked.take(options.reverse));
    return std::move(*result);
  }
  ir::Avals inputs = avals_of(carry);
  for (const Aval a : slices_of(slices)) inputs.push_back(a);
  Call call(f, pack);
  const std::string body_name = "the body of " + name;
  const Staged body = with_note(body_name, [&] { return stage(call.flat(), inputs, body_name); });
  check_next(call.prototype().first, body.jaxpr.output_avals());
  return call.result(run_scan(body, carry, slices, length, options, loc));
}

}  // namespace api

/// (carry, y) = f(carry, x) for each slice x of the arrays in `xs` along their first axes, in order; returns the last
/// carry, and the ys stacked along a new first axis. The carry keeps its structure and types. With no_xs f takes the
/// carry alone, and `options.length` counts the steps; for no ys return std::tuple<>() in their place.
///   auto [total, sums] = scan([](Array c, Array x) { return std::pair(c + x, c + x); }, 0.0f, xs);
/// All derivatives. Reverse mode keeps what each step's derivative needs: memory grows with the length.
/// Errors: ShapeError when lengths differ, TreeError, DTypeError or ShapeError naming the leaf of a carry that changes.
template <class F, class C, class X>
auto scan(F&& f, C&& init, X&& xs, ScanOptions options = {}, SourceLocation loc = std::source_location::current()) {
  return api::run_scan_loop({"scan"}, f, std::forward<C>(init), std::forward<X>(xs), options, loc);
}

/// value = init; for (i = lower; i < upper; ++i) value = body(i, value). `i` is i32[], or i64[] when the bounds need
/// it. Plain integers as bounds make a scan, with all derivatives; arrays make a while loop, which needs max_steps for
/// reverse mode.
template <class B, class S>
auto fori_loop(std::int64_t lower, std::int64_t upper, B&& body, S&& init,
               SourceLocation loc = std::source_location::current()) {
  using Value = std::tuple_element_t<1, decltype(api::prepare<B>(Array(), std::forward<S>(init)))>;
  const DType dtype = api::counter_dtype(lower, upper);
  const auto step = [&](std::pair<Array, Value> c) {
    Value next = body(c.first, std::move(c.second));
    return std::pair(std::pair<Array, Value>(c.first + 1, std::move(next)), std::tuple<>());
  };
  auto pack = api::prepare<B>(Array::full({}, dtype, Scalar(lower)), std::forward<S>(init));
  ScanOptions options;
  options.length = api::trip_count(lower, upper, loc);
  auto result = api::run_scan_loop({"fori_loop", "value", "[1]"}, step,
                                   std::pair<Array, Value>(std::get<0>(pack), std::get<1>(pack)), no_xs, options, loc);
  return std::move(result.first.second);
}
template <class B, class S>
auto fori_loop(const Array& lower, const Array& upper, B&& body, S&& init, LoopOptions options = {},
               SourceLocation loc = std::source_location::current()) {
  using Value = std::tuple_element_t<1, decltype(api::prepare<B>(Array(), std::forward<S>(init)))>;
  using State = std::pair<Array, Value>;
  const std::pair<Array, Array> bounds = api::loop_bounds(lower, upper, loc);
  auto pack = api::prepare<B>(bounds.first, std::forward<S>(init));
  const auto step = [&](State s) {
    Value next = body(s.first, std::move(s.second));
    return State(s.first + 1, std::move(next));
  };
  auto result = api::run_while_loop(
      {"fori_loop", "value", "[1]"}, [&](State s) { return s.first < bounds.second; }, step,
      State(std::get<0>(pack), std::get<1>(pack)), options, loc);
  return std::move(result.second);
}

/// f(x) for each slice x of the arrays in `xs` along their first axes, one after the other, stacked.
template <class F, class X>
auto map(F&& f, X&& xs, SourceLocation loc = std::source_location::current()) {
  auto pack = api::prepare<F>(std::forward<X>(xs));
  using In = std::tuple_element_t<0, decltype(pack)>;
  const auto step = [&](std::tuple<> none, In x) { return std::pair(none, f(std::move(x))); };
  return api::run_scan_loop({"map"}, step, std::tuple<>(), std::get<0>(pack), ScanOptions(), loc).second;
}

/// All prefixes combined by an associative function: [x0, f(x0, x1), f(f(x0, x1), x2), ...] along `axis` of every
/// array, or from the end when `reverse`. f takes two trees of arrays of any length along the axis and combines them
/// position by position. O(n) work in O(log n) steps.
template <class F, class T>
T associative_scan(F&& f, const T& elements, bool reverse = false, int axis = 0,
                   SourceLocation loc = std::source_location::current()) {
  const auto combine = [&](std::span<const Array> a, std::span<const Array> b, Arrays& outs) {
    const T r = f(tree::with_leaves(T(elements), a), tree::with_leaves(T(elements), b));
    tree::check_same_structure("associative_scan: what the function takes and returns", elements, r, loc);
    outs = tree::leaves(r);
  };
  return tree::with_leaves(T(elements), api::associative_scan(combine, tree::leaves(elements),
                                                              tree::structure(elements).paths(), reverse, axis, loc));
}

}  // namespace weft

// Functions of the host that give results to programs: pure_callback and io_callback.
//
//   const auto lookup = pure_callback([&](Array key) { return table.at(key.item<int>()); }, abstract(f32, {3}));
//   const auto f = jit([&](Array key) { return 2 * lookup(key); });
//
// The function runs when the program runs, with concrete arrays, and may do there what C++ can do. Its results have the
// types that were promised, which is checked each time: TreeError, ShapeError and DTypeError name the leaf. What it
// throws comes out of the program's call; an Error gets a note that names the line of the callback. Functions are
// called as const, from any thread and from several at once.
#pragma once

#include "weft/api/callable.h"
#include "weft/ir/callback.h"

namespace weft {

struct PureCallbackOptions {
  /// Shown in programs and error messages.
  std::string name = "f";
  /// How vmap calls the function. With kExpandDims and kBroadcastAll it is called once, and its arguments and results
  /// have one more first axis for each vmap.
  VmapMethod vmap_method = VmapMethod::kSequential;
};

struct IoCallbackOptions {
  /// Shown in programs and error messages.
  std::string name = "f";
  /// Whether calls keep their order among all that is ordered. Then vmap refuses: it runs examples side by side.
  bool ordered = false;
};

namespace api {

/// A callback in programs and errors.
struct HostCall {
  CallbackKind kind;
  std::string name;
  bool ordered;
  VmapMethod vmap_method;
  SourceLocation loc;
};

/// Binds a call of `f`, whose results are arrays of `types` at `paths`.
Arrays call_host(const HostCall& call, FlatFunction f, std::span<const Array> leaves, std::span<const Aval> types,
                 std::vector<std::string> paths);

/// The flat form of a function that returns nothing of interest.
template <class F, class Pack>
FlatFunction host_function(const F& f, const Pack& pack) {
  static_assert(CallOf<const F, Pack>::kPossible,
                "the function cannot be called with these arguments: it must take them by value or by const reference, "
                "all of them, and be callable as const (a lambda that is not mutable); an error inside it, if one is "
                "reported too, comes first");
  return [f, pack = skeleton(pack)](std::span<const Array> args, Arrays&) {
    if constexpr (CallOf<const F, Pack>::kPossible) std::apply(f, tree::with_leaves(Pack(pack), args));
  };
}
/// The same for one whose result is a tree like `expected`.
template <class F, class Pack, class T>
FlatFunction host_function(const F& f, const Pack& pack, const T& expected, const HostCall& call) {
  using Returned = typename Callable<const F, Pack>::Result;
  static_assert(std::is_convertible_v<Returned, T>,
                "a callback must return what was promised: a value of the type of result_types");
  return [f, pack = skeleton(pack), expected = skeleton(expected), call](std::span<const Array> args, Arrays& outs) {
    const T result = std::apply(f, tree::with_leaves(Pack(pack), args));
    tree::check_same_structure(std::string(kCallbackKindNames[static_cast<int>(call.kind)]) +
                                   ": what was promised and what " + call.name + " returned",
                               expected, result, call.loc.line == 0 ? SourceLocation() : call.loc);
    outs = tree::leaves(result);
  };
}

template <class F, class T>
auto with_results(F f, T result_types, HostCall call) {
  return [f = std::move(f), result_types = std::move(result_types), call = std::move(call)](auto&&... args) -> T {
    auto pack = prepare<F>(std::forward<decltype(args)>(args)...);
    return tree::with_leaves(T(result_types),
                             call_host(call, host_function(f, pack, result_types, call), tree::leaves(pack),
                                       avals_of(tree::leaves(result_types)), tree::structure(result_types).paths()));
  };
}

}  // namespace api

/// A function of the program that calls `f` on the host with trees of concrete arrays, for results like `result_types`,
/// a tree of arrays of which the types matter (from `abstract` or eval_shape): pure_callback(f, types)(x, y). f must
/// give equal results for equal arguments and do nothing else: calls may be left out, repeated, moved. It has no
/// derivatives (NotDifferentiableError): give it some by custom_jvp or custom_vjp. Source: jax.pure_callback.
template <class F, class T>
auto pure_callback(F&& f, T result_types, PureCallbackOptions options = {},
                   SourceLocation loc = std::source_location::current()) {
  return api::with_results(
      std::decay_t<F>(std::forward<F>(f)), std::move(result_types),
      api::HostCall{CallbackKind::kPure, std::move(options.name), false, options.vmap_method, loc});
}

/// The same for a function that does something, too: it is called exactly as often as the program comes by, for each
/// example of vmap in order, or once where all examples share the arguments. Source: jax.experimental.io_callback.
template <class F, class T>
auto io_callback(F&& f, T result_types, IoCallbackOptions options = {},
                 SourceLocation loc = std::source_location::current()) {
  return api::with_results(
      std::decay_t<F>(std::forward<F>(f)), std::move(result_types),
      api::HostCall{CallbackKind::kIo, std::move(options.name), options.ordered, VmapMethod::kSequential, loc});
}

}  // namespace weft

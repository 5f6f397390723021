// How transformations call the user's function: arguments made ready, flattened to arrays, and
// put back. Shared by every header of api/.
#pragma once

#include <exception>
#include <limits>
#include <utility>

#include "weft/base/text.h"
#include "weft/core/arg.h"
#include "weft/core/stage.h"
#include "weft/core/tree.h"

namespace weft {

/// Marks that the function returns a pair: the result to transform, and an auxiliary tree that is
/// passed through.
struct HasAux {};
inline constexpr HasAux has_aux{};

namespace api {

// ---- parameter types of a callable, when they can be known (not for generic lambdas) ----

template <class... P>
struct Parameters {};
struct UnknownParameters {};
/// What is kept for a parameter: the value; for an Arg, which only refers to one, the Array.
template <class P>
using Kept = std::conditional_t<std::is_same_v<std::decay_t<P>, Arg>, Array, std::decay_t<P>>;

template <class F>
struct parameters_of {
  using type = UnknownParameters;
};
template <class R, bool kNoexcept, class... P>
struct parameters_of<R (*)(P...) noexcept(kNoexcept)> {
  using type = Parameters<Kept<P>...>;
};
// What is left of the kinds of methods (volatile, C's `...`) is as unknown as a template.
template <class T>
struct method_parameters {
  using type = UnknownParameters;
};
template <class C, class R, bool kNoexcept, class... P>
struct method_parameters<R (C::*)(P...) noexcept(kNoexcept)> {
  using type = Parameters<Kept<P>...>;
};
template <class C, class R, bool kNoexcept, class... P>
struct method_parameters<R (C::*)(P...) const noexcept(kNoexcept)> {
  using type = Parameters<Kept<P>...>;
};
template <class C, class R, bool kNoexcept, class... P>
struct method_parameters<R (C::*)(P...) & noexcept(kNoexcept)> {
  using type = Parameters<Kept<P>...>;
};
template <class C, class R, bool kNoexcept, class... P>
struct method_parameters<R (C::*)(P...) const & noexcept(kNoexcept)> {
  using type = Parameters<Kept<P>...>;
};
template <class C, class R, bool kNoexcept, class... P>
struct method_parameters<R (C::*)(P...) && noexcept(kNoexcept)> {
  using type = Parameters<Kept<P>...>;
};
template <class C, class R, bool kNoexcept, class... P>
struct method_parameters<R (C::*)(P...) const && noexcept(kNoexcept)> {
  using type = Parameters<Kept<P>...>;
};
template <class F>
  requires requires { &F::operator(); }
struct parameters_of<F> {
  using type = typename method_parameters<decltype(&F::operator())>::type;
};

// ---- arguments as the function will see them ----

template <class A>
auto prepare_argument(UnknownParameters, A&& a) {
  using U = std::decay_t<A>;
  // A floating-point number beside arrays is a value, not part of the program.
  if constexpr (std::is_floating_point_v<U> || std::is_same_v<U, float16> || std::is_same_v<U, bfloat16> ||
                std::is_same_v<U, std::complex<float>> || std::is_same_v<U, std::complex<double>>)
    return Array(a);
  else if constexpr (std::is_convertible_v<U, const char*>)
    return std::string(a);
  else
    return U(std::forward<A>(a));
}
// What a parameter holds that takes an integer: `int` of int and of std::optional<int>.
template <class P>
struct held {
  using type = P;
};
template <class T>
struct held<std::optional<T>> {
  using type = T;
};
template <class T>
concept Integral = std::is_integral_v<T> && !std::is_same_v<T, bool>;
// Any integer as text: 64 bits of it and its sign.
template <Integral T>
std::string integer_text(T v) {
  if constexpr (std::is_signed_v<T>)
    return number_str(static_cast<std::int64_t>(v));
  else
    return number_str(static_cast<std::uint64_t>(v));
}
[[noreturn]] void throw_integer_does_not_fit(std::size_t index, const std::string& lowest, const std::string& highest,
                                             const std::string& got);
/// ValueError unless T holds the integer that is passed for the parameter of this index.
template <Integral T, Integral A>
void check_integer_fits(std::size_t index, A a) {
  const T kept = static_cast<T>(a);
  if (static_cast<A>(kept) == a && (kept < T(0)) == (a < A(0))) [[likely]]
    return;
  throw_integer_does_not_fit(index, integer_text(std::numeric_limits<T>::min()),
                             integer_text(std::numeric_limits<T>::max()), integer_text(a));
}
template <class P, class A>
P convert_argument(std::size_t index, A&& a) {
  constexpr bool kConverts = std::is_convertible_v<A&&, P>;
  static_assert(kConverts, "an argument does not convert to the function's parameter");
  static_assert(!std::is_integral_v<P> || !std::is_floating_point_v<std::decay_t<A>>,
                "a floating-point number would lose its fraction as an integer parameter");
  if constexpr (Integral<typename held<P>::type> && Integral<std::decay_t<A>>)
    check_integer_fits<typename held<P>::type>(index, a);
  // Where it does not convert, no second error shall follow from the one above.
  if constexpr (kConverts)
    return P(std::forward<A>(a));
  else
    std::terminate();
}
template <class F, class... A>
auto prepare(A&&... args) {
  using Known = typename parameters_of<std::decay_t<F>>::type;
  if constexpr (std::is_same_v<Known, UnknownParameters>) {
    // Spelled out: deduction would take a single tuple or pair for the list of arguments itself.
    return std::tuple<decltype(prepare_argument(UnknownParameters(), std::forward<A>(args)))...>(
        prepare_argument(UnknownParameters(), std::forward<A>(args))...);
  } else {
    return []<class... P, std::size_t... I>(Parameters<P...>, std::index_sequence<I...>,
                                            auto&&... a) -> std::tuple<P...> {
      constexpr bool kAsMany = sizeof...(P) == sizeof...(a);
      static_assert(kAsMany,
                    "wrong number of arguments for the function: pass one for each of its parameters, also for those "
                    "with a default, or wrap the function in a lambda with fewer parameters");
      if constexpr (kAsMany) {
        return std::tuple<P...>{convert_argument<P>(I, std::forward<decltype(a)>(a))...};
      } else {
        std::terminate();
      }
    }(Known(), std::index_sequence_for<A...>(), std::forward<A>(args)...);
  }
}

/// "args[0].w" for the leaf `index` of a tuple of arguments.
template <class Pack>
std::string leaf_path(const Pack& pack, std::size_t index) {
  return "args" + tree::structure(pack).paths()[index];
}

/// The tree with a placeholder for each array.
template <class T>
T skeleton(T t) {
  tree::for_each(t, [](Array& a) { a = Array(false); });
  return t;
}

template <class F, class Pack>
struct CallOf;
template <class F, class... P>
struct CallOf<F, std::tuple<P...>> {
  static constexpr bool kPossible = std::is_invocable_v<F&, P...>;
};
template <class F, class Pack, bool kPossible = CallOf<F, std::remove_const_t<Pack>>::kPossible>
struct ResultOf {
  using type = std::decay_t<decltype(std::apply(std::declval<F&>(), std::declval<Pack&&>()))>;
};
template <class F, class Pack>
struct ResultOf<F, Pack, false> {
  using type = Array;  // after Callable's complaint, so that no other follows from it
};

/// What one call of a user's function needs: it is called with `pack` whose arrays are replaced,
/// and its result is kept as a prototype whose arrays the engine's outputs replace.
template <class F, class Pack>
class Callable {
 public:
  static constexpr bool kPossible = CallOf<F, Pack>::kPossible;
  static_assert(kPossible,
                "the function cannot be called with these arguments: it must take them by value or by const reference, "
                "all of them, and be callable as const (a lambda that is not mutable); an error inside it, if one is "
                "reported too, comes first");
  using Returned = typename ResultOf<F, Pack>::type;
  static constexpr bool kReturns = !std::is_void_v<Returned>;
  static_assert(kReturns, "the function must return its results: a tree of arrays");
  using Result = std::conditional_t<kReturns, Returned, Array>;

  Callable(F& f, const Pack& pack) : f_(f), pack_(pack) {}

  /// The call itself, for when jit is disabled.
  static Result run(F& f, Pack pack) {
    if constexpr (kPossible && kReturns)
      return std::apply(f, std::move(pack));
    else
      return Result();
  }

  /// For the engines: calls the function and appends the arrays of its result.
  FlatFunction flat() {
    return [this](std::span<const Array> args, Arrays& outs) {
      const Trace::ArgumentPaths paths(detail::current_trace, [this](std::size_t i) { return leaf_path(pack_, i); });
      Pack pack = tree::with_leaves(pack_, args);
      if constexpr (kPossible && kReturns) result_.emplace(std::apply(f_, std::move(pack)));
      // Only the structure stays: keeping traced values would be a leak.
      tree::for_each(*result_, [&](Array& a) { outs.push_back(std::exchange(a, Array(false))); });
    };
  }
  /// The function's result with its arrays replaced by the engine's outputs.
  Result result(std::span<const Array> outs) { return tree::with_leaves(std::move(*result_), outs); }
  /// The result's structure, with a placeholder for each array.
  const Result& prototype() const { return *result_; }

 private:
  F& f_;
  const Pack& pack_;
  std::optional<Result> result_;
};

/// "grad(f) at train.cc:18".
inline std::string transform_name(std::string_view transform, const SourceLocation& loc) {
  return std::string(transform) + (loc ? " at " + loc.str() : std::string());
}

/// Runs `body`, adding "while tracing <name>" to errors that pass through.
template <class Body>
decltype(auto) with_note(const std::string& name, Body&& body) {
  try {
    return body();
  } catch (Error& e) {
    e.add_note("while tracing " + name);
    throw;
  }
}

template <class T>
inline constexpr bool is_tuple_v = tree::detail::is_a<T, std::tuple>;
template <class T>
auto as_tuple(T&& t) {
  if constexpr (is_tuple_v<std::decay_t<T>>)
    return std::decay_t<T>(std::forward<T>(t));
  else
    return std::tuple<std::decay_t<T>>(std::forward<T>(t));
}

}  // namespace api
}  // namespace weft

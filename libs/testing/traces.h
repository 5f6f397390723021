// Functions that must not be traced too often.
//
//   const auto step = jit(testing::assert_max_traces(train_step, 1));
#pragma once

#include <memory>
#include <typeinfo>

#include "testing/errors.h"
#include "weft/api/jit.h"
#include "weft/core/tree.h"

namespace weft::testing {

namespace detail {

/// How often the functions that one line wraps have been traced.
struct TraceCounter;
TraceCounter& trace_counter(const SourceLocation& loc, const std::type_info& function);
/// Counts a trace with arguments of these types; AssertionError for more than `most`.
void count_trace(TraceCounter& counter, std::int64_t most, const std::string& arguments, const SourceLocation& loc);
/// ValueError for a negative number.
void check_most_traces(std::int64_t most, const SourceLocation& loc);

template <class F>
inline constexpr bool is_jitted = false;
template <class F>
inline constexpr bool is_jitted<Jit<F>> = true;

}  // namespace detail

/// A function that counts its traces; see assert_max_traces.
template <class F>
class MaxTraces {
 public:
  MaxTraces(F f, std::int64_t n, SourceLocation loc)
      : f_(std::move(f)), n_(n), loc_(loc), counter_(&detail::trace_counter(loc, typeid(F))) {}

  template <class... A>
  auto operator()(A&&... args) const {
    bool traced = false;
    std::string types;
    const auto look_at = [&](const Array& x) {
      traced = traced || x.is_tracer();
      types += (types.empty() ? "" : ", ") + x.aval().str();
    };
    (tree::for_each(std::as_const(args), look_at), ...);
    if (traced) detail::count_trace(*counter_, n_, types, loc_);
    return f_(std::forward<A>(args)...);
  }

 private:
  F f_;
  std::int64_t n_;
  SourceLocation loc_;
  detail::TraceCounter* counter_;
};

/// `f`, which throws AssertionError when it is traced more than `n` times: called with traced arrays, by jit for each
/// new signature, by grad or vmap. Calls with plain arrays do not count. All functions that this line wraps count
/// together, so that one which is made anew in each call is found; clear_trace_counter starts again. ValueError for a
/// negative n. Source: chex.assert_max_traces.
template <class F>
MaxTraces<std::decay_t<F>> assert_max_traces(F&& f, std::int64_t n,
                                             SourceLocation loc = std::source_location::current()) {
  static_assert(!detail::is_jitted<std::decay_t<F>>,
                "assert_max_traces goes inside of jit, which calls the function once per trace: "
                "jit(assert_max_traces(f, 1))");
  detail::check_most_traces(n, loc);
  return MaxTraces<std::decay_t<F>>(std::forward<F>(f), n, loc);
}

/// Forgets all traces that assert_max_traces has counted, in the whole process. For the beginning of a test.
void clear_trace_counter();

}  // namespace weft::testing

// Transformations see the parameters of the function itself.
template <class F>
struct weft::api::parameters_of<weft::testing::MaxTraces<F>> : weft::api::parameters_of<F> {};

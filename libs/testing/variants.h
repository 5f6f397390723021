// One test body for several ways to call a function: as it is, compiled, and mapped.
//
//   TEST(softplus, is_positive) {
//     testing::for_each_variant([](auto variant) {
//       SCOPED_TRACE(variant.name());
//       const auto f = variant([](Array x) { return np::log1p(np::exp(x)); });
//       EXPECT_GT(f(-1.0f).template item<float>(), 0);
//     });
//   }
#pragma once

#include <string_view>

#include "testing/errors.h"
#include "weft/api/jit.h"
#include "weft/api/vmap.h"
#include "weft/np/indexing.h"

namespace weft::testing {

/// The function compiled.
struct WithJit {
  static constexpr std::string_view name = "with_jit";
  template <class F>
  static auto apply(F f, const SourceLocation& loc) {
    return jit(std::move(f), {.name = "variant"}, loc);
  }
};
/// The function as it is. What it compiles itself is compiled.
struct WithoutJit {
  static constexpr std::string_view name = "without_jit";
  template <class F>
  static auto apply(F f, const SourceLocation&) {
    return f;
  }
};
/// The function mapped over a batch of the one example that it is called with, whose result is returned.
struct WithVmap {
  static constexpr std::string_view name = "with_vmap";
  template <class F>
  static auto apply(F f, const SourceLocation& loc) {
    return [mapped = vmap(std::move(f), VmapOptions{.axis_size = 1}, loc)](auto&&... args) {
      auto batch = api::prepare<F>(std::forward<decltype(args)>(args)...);
      tree::for_each(batch, [](Array& x) { x = x(newaxis); });
      auto results = std::apply(mapped, std::move(batch));
      tree::for_each(results, [](Array& y) { y = y(0); });
      return results;
    };
  }
};

/// What the body of for_each_variant is given: variant(f) is f in the way of this variant.
template <class Kind>
class Variant {
 public:
  explicit Variant(bool& used) : used_(&used) {}
  /// "with_jit".
  static constexpr std::string_view name() { return Kind::name; }
  template <class F>
  auto operator()(F&& f, SourceLocation loc = std::source_location::current()) const {
    *used_ = true;
    return Kind::apply(std::decay_t<F>(std::forward<F>(f)), loc);
  }

 private:
  bool* used_;
};

namespace detail {
[[noreturn]] void throw_variant_unused(std::string_view name, const SourceLocation& loc);

template <class Kind, class Body>
void run_variant(Body& body, const SourceLocation& loc) {
  bool used = false;
  try {
    body(Variant<Kind>(used));
  } catch (Error& e) {
    e.add_note("in the variant " + std::string(Kind::name));
    throw;
  }
  if (!used) throw_variant_unused(Kind::name, loc);
}
}  // namespace detail

/// Calls `body` with each variant: those that are given, or all. Errors that come out of it get a note with its name.
/// ValueError when the body makes no function with its variant, so that all would be the same. Source: chex.variants.
///   for_each_variant<WithJit, WithoutJit>([](auto variant) { ... });
template <class... Kinds, class Body>
void for_each_variant(Body&& body, SourceLocation loc = std::source_location::current()) {
  if constexpr (sizeof...(Kinds) == 0)
    for_each_variant<WithoutJit, WithJit, WithVmap>(body, loc);
  else
    (detail::run_variant<Kinds>(body, loc), ...);
}

}  // namespace weft::testing

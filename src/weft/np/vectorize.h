// np::vectorize: a function of scalars as an elementwise function of arrays, by vmap.
#pragma once

#include "weft/api/vmap.h"
#include "weft/np/promotion.h"

namespace weft::np {

namespace detail {
/// The arguments, broadcast together and flattened; numbers take the arrays' dtype, as beside an operator.
struct Flattened {
  Dims shape;
  std::vector<Array> arrays;
};
Flattened flatten_arguments(std::span<const Arg> args, const SourceLocation& loc);
/// A result of the mapped function, one element per example, in the arguments' shape.
Array unflatten_result(const Array& y, const Dims& shape, const SourceLocation& loc);
}  // namespace detail

/// A function of broadcast arrays that applies f, a function of 0-d arrays, to their elements:
/// out[i...] = f(x[i...], y[i...], ...). What f returns is a tree of 0-d arrays (ShapeError otherwise). ShapeError when
/// the arguments do not broadcast.
template <class F>
auto vectorize(F&& f, SourceLocation loc = std::source_location::current()) {
  return [mapped = vmap(std::forward<F>(f), 0, 0, loc), loc]<class... A>(const A&... args) {
    static_assert(sizeof...(A) > 0, "a vectorized function needs an argument to run over");
    const Arg list[] = {Arg(args, loc)...};
    const detail::Flattened flat = detail::flatten_arguments(list, loc);
    const auto results = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return mapped(flat.arrays[I]...);
    }(std::index_sequence_for<A...>{});
    return tree::map([&](const Array& y) { return detail::unflatten_result(y, flat.shape, loc); }, results);
  };
}

}  // namespace weft::np

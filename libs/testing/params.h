// All combinations of parameters, for tests that run over each. Source: chex.params_product.
#pragma once

#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace weft::testing {

/// Parameters of a test with the name they go by.
template <class... T>
using Named = std::pair<std::string, std::tuple<T...>>;

namespace detail {
template <class T>
auto as_params(const T& t) {
  return std::tuple<T>(t);
}
template <class... T>
auto as_params(const std::tuple<T...>& t) {
  return t;
}
template <class... T>
Named<T...> joined_params(const Named<T...>& a) {
  return a;
}
template <class... T, class... U, class... Rest>
auto joined_params(const Named<T...>& a, const Named<U...>& b, const Rest&... rest) {
  return joined_params(Named<T..., U...>(a.first + "_" + b.first, std::tuple_cat(a.second, b.second)), rest...);
}
template <class Join>
void each_combination(const Join& join) {
  join();
}
// join(x, y, ...) for each x of the first list, y of the second, and so on, the last list the fastest.
template <class Join, class T, class... Lists>
void each_combination(const Join& join, const std::vector<T>& first, const Lists&... rest) {
  for (const T& x : first) each_combination([&](const auto&... others) { join(x, others...); }, rest...);
}
}  // namespace detail

/// One tuple for each way to take an element from each list, in order, the last list the fastest: an element is a
/// parameter, or a std::tuple of several.
///   for (const auto& [n, dtype, order] : params_product(std::vector{1, 2}, std::vector{std::tuple(f32, 1)})) ...
template <class... T>
auto params_product(const std::vector<T>&... lists) {
  std::vector<decltype(std::tuple_cat(detail::as_params(std::declval<T>())...))> r;
  detail::each_combination([&](const auto&... one) { r.push_back(std::tuple_cat(detail::as_params(one)...)); },
                           lists...);
  return r;
}
/// The same with names, joined by "_": {"small_f32", (3, f32)}.
template <class... T>
auto named_params_product(const std::vector<T>&... lists) {
  std::vector<decltype(detail::joined_params(std::declval<T>()...))> r;
  detail::each_combination([&](const auto&... one) { r.push_back(detail::joined_params(one...)); }, lists...);
  return r;
}

}  // namespace weft::testing

// A table of a model: its modules, what goes in and out, what they know, and what they cost.
#pragma once

#include "nn/module.h"
#include "weft/api/grad.h"
#include "weft/np/reductions.h"
#include "weft/np/ufuncs.h"

namespace weft::nn {

struct TabulateOptions {
  /// How deep modules are listed: 1 is the model alone. None given: all.
  std::optional<int> depth = {};
  /// Whether calls of a module after the first have rows, too.
  bool show_repeated = false;
  /// Multiplications, additions and other elementwise operations of a call, and of that call with its derivatives by
  /// parameters and floating-point arguments. Those of modules inside are counted in, as often as they are called.
  bool compute_flops = false;
  bool compute_vjp_flops = false;
};

namespace detail {

/// What tabulate has seen of a model.
struct Inventory {
  std::vector<ModuleCall> calls;  // inner ones first
  std::map<std::string, std::map<std::string, Aval>> variables;
  std::optional<Jaxpr> forward, backward;
};
std::map<std::string, std::map<std::string, Aval>> types_of(const Variables& v);
/// The operations under each name scope.
std::map<std::string, double> flops_by_scope(const Jaxpr& program);
std::string table_of(const Inventory& seen, const TabulateOptions& options);

}  // namespace detail

/// A table of the model as it is initialised with these arguments, of which types alone matter: nothing is computed.
/// One row for each module, with the types of what it takes and gives, and of its own variables by collection.
///   std::puts(nn::tabulate(cnn, random::key(0), {.compute_flops = true}, np::zeros({1, 28, 28, 1})).c_str());
template <class D, class... A>
std::string tabulate(const D& model, const Rngs& rngs, const TabulateOptions& options, const A&... args) {
  detail::Inventory seen;
  const auto init = [&](const std::map<std::string, Array>& keys, const A&... a) {
    seen.calls.clear();
    InitOptions o{.rngs = rngs, .listener = [&](const ModuleCall& c) { seen.calls.push_back(c); }};
    for (const auto& [name, key] : keys) o.rngs[name] = key;
    auto made = model.init_method(typename Module<D>::Call(), o, a...);
    seen.variables = detail::types_of(made.second);
    return made;
  };
  const std::map<std::string, Array> keys(rngs.begin(), rngs.end());
  const Variables variables = eval_shape(init, keys, args...).second;
  if (!options.compute_flops && !options.compute_vjp_flops) return detail::table_of(seen, options);

  // With a listener, name scopes tell one call of a module from the next.
  const ApplyOptions apply{.rngs = rngs, .mutable_collections = true, .listener = [](const ModuleCall&) {}};
  const auto forward = [&](const Variables& v, const A&... a) { return model.apply_mutable(v, apply, a...).first; };
  if (options.compute_flops) seen.forward = make_jaxpr(forward)(variables, args...);
  if (options.compute_vjp_flops) {
    // By what has derivatives: parameters, and arguments of floating-point numbers.
    const auto varies = [](const Array& x) { return is_inexact(x.dtype()); };
    std::vector<Array> by;
    const std::tuple<A...> pack(args...);
    tree::for_each(pack, [&](const Array& x) {
      if (varies(x)) by.push_back(x);
    });
    const auto total = [&](const std::vector<Array>& xs, const Collection& params, const Variables& v,
                           const std::tuple<A...>& a) {
      std::size_t next = 0;
      const std::tuple<A...> whole = tree::map([&](const Array& x) { return varies(x) ? xs[next++] : x; }, a);
      Variables all = v;
      if (!params.empty()) all["params"] = params;
      const auto out = std::apply([&](const A&... x) { return forward(all, x...); }, whole);
      Array sum = Array(0.0f);
      tree::for_each(out, [&](const Array& y) {
        if (varies(y)) sum = sum + np::sum(np::real(y)).astype(f32);
      });
      return sum;
    };
    Variables rest = variables;
    const Collection params = rest.contains("params") ? rest.at("params") : Collection();
    rest.erase("params");
    seen.backward = make_jaxpr(
        [&](const std::vector<Array>& xs, const Collection& p, const Variables& v, const std::tuple<A...>& a) {
          return grad<0, 1>([&](const std::vector<Array>& x, const Collection& q) { return total(x, q, v, a); })(xs, p);
        })(by, params, rest, pack);
  }
  return detail::table_of(seen, options);
}

}  // namespace weft::nn

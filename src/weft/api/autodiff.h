// jvp, linearize, vjp: the directional derivatives that grad and the Jacobians are made of.
// Functions take and return trees; tangents and cotangents are trees of the same structure, in
// which an integer or bool leaf is `none`, and `none` stands for zero.
#pragma once

#include "weft/api/callable.h"
#include "weft/core/rules.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"

namespace weft {

namespace api {

/// Every array of a tree with its path, the none included.
struct PathLeaves {
  std::string root;
  Arrays arrays;
  std::vector<std::string> paths;
};
template <class T>
PathLeaves path_leaves(const T& t, const std::string& root) {
  struct Visitor : tree::PathVisitor {
    using PathVisitor::PathVisitor;
    PathLeaves out;
    void array(const Array& a) {
      out.arrays.push_back(a);
      out.paths.push_back(path());
    }
  } v(root);
  v.out.root = std::move(root);
  tree::visit(t, v);
  return std::move(v.out);
}

/// TreeError naming the first path that only one of them has, unless they have the same ones.
void check_same_paths(const std::string& op, const PathLeaves& primals, const PathLeaves& tangents);

/// The tangents (cotangents) for the primals that are not none, in order; none stands for zero.
/// Throws TreeError naming the path when the leaves do not correspond, ShapeError or DTypeError for a leaf whose
/// type is not its primal's, and DTypeError for a tangent of an integer or bool.
Arrays match_tangents(const char* what, const PathLeaves& primals, const PathLeaves& tangents);

/// Cotangents of the leaves that were linearized at, none for zeros and leaves without tangent.
/// `cts` are those of all outputs. Consumes the residuals.
Arrays pull_back(transforms::Linearized lin, const std::vector<bool>& differentiated, std::span<const Array> cts);
/// Tangents of all outputs from those of the leaves.
Arrays push_forward(const transforms::Linearized& lin, std::span<const Array> primals,
                    const std::vector<bool>& differentiated, std::span<const Array> tangents);

/// Which leaves can have tangents: floats and complex.
std::vector<bool> inexact_leaves(std::span<const Array> leaves);

/// A copy of `t` whose arrays are replaced by their (co)tangents: zeros where a float or complex
/// leaf has none, none for the others.
template <class T>
T cotangent_tree(const T& t, std::span<const Array> values) {
  T copy = t;
  std::size_t i = 0;
  tree::for_each(copy, [&](Array& a) {
    const Array& v = values[i++];
    a = v.defined() || !is_inexact(a.dtype()) ? v : zeros_of(a.aval());
  });
  return copy;
}

/// Linearization of a function that is linear, at no particular point: `outs` have the types of the results only.
/// NotDifferentiableError, naming the argument by `paths`, when it is not linear.
transforms::Linearized linearize_linear(const FlatFunction& f, std::span<const Array> args, const PathLeaves& paths);

/// What vjp and linear_transpose return.
template <class Pack, class Result>
auto pullback(const char* what, transforms::Linearized lin, Pack pack, Result result) {
  return [what, lin = std::make_shared<const transforms::Linearized>(std::move(lin)), pack = std::move(pack),
          result = std::move(result)](const Result& ct, SourceLocation loc = std::source_location::current()) {
    Arrays cts;
    {
      const LocationScope scope(loc, what);
      cts = match_tangents(what, path_leaves(result, "result"), path_leaves(ct, "cotangent"));
    }
    return cotangent_tree(pack, pull_back(*lin, inexact_leaves(tree::leaves(pack)), cts));
  };
}

/// What linearize returns. A class, so that a call can record its line after the tangents.
template <class F, class Pack, class Result>
class Pushforward;
template <class F, class... P, class Result>
class Pushforward<F, std::tuple<P...>, Result> {
 public:
  Pushforward(std::shared_ptr<const transforms::Linearized> lin, std::tuple<P...> primals, Result result)
      : lin_(std::move(lin)), primals_(std::move(primals)), result_(std::move(result)) {}
  Result operator()(const P&... tangents, SourceLocation loc = std::source_location::current()) const {
    const Arrays primals = tree::leaves(primals_);
    Arrays matched;
    {
      const LocationScope scope(loc, "linearize");
      matched = match_tangents("linearize", path_leaves(primals_, "args"),
                               path_leaves(std::tuple<P...>(tangents...), "tangents"));
    }
    return cotangent_tree(result_, push_forward(*lin_, primals, inexact_leaves(primals), matched));
  }

 private:
  std::shared_ptr<const transforms::Linearized> lin_;
  std::tuple<P...> primals_;
  Result result_;
};

}  // namespace api

/// f(primals...) and its derivative along `tangents`: the pair (y, dy/dx . tangents). `primals` and
/// `tangents` are tuples of arguments, or one argument.
/// Errors: TreeError when the trees differ, ShapeError and DTypeError when a tangent has not its
/// primal's type, each naming the leaf.
template <class F, class P, class T>
auto jvp(F&& f, P&& primals, T&& tangents, SourceLocation loc = std::source_location::current()) {
  auto pack = std::apply([&](auto&&... a) { return api::prepare<F>(a...); }, api::as_tuple(std::forward<P>(primals)));
  auto tangent_pack =
      std::apply([&](auto&&... a) { return api::prepare<F>(a...); }, api::as_tuple(std::forward<T>(tangents)));
  static_assert(std::is_same_v<decltype(pack), decltype(tangent_pack)>,
                "jvp: tangents must have the types of the primals");
  const std::string name = api::transform_name("jvp(f)", loc);
  const Arrays leaves = tree::leaves(pack);
  Arrays tangent_leaves;
  {
    const LocationScope scope(loc, "jvp");
    tangent_leaves =
        api::match_tangents("jvp", api::path_leaves(pack, "primals"), api::path_leaves(tangent_pack, "tangents"));
  }
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  Arrays outs, out_tangents;
  api::with_note(name, [&] { transforms::jvp(call.flat(), leaves, tangent_leaves, name, outs, out_tangents); });
  auto result = call.result(outs);
  auto result_tangent = api::cotangent_tree(result, out_tangents);
  return std::pair(std::move(result), std::move(result_tangent));
}

/// (y, pullback): pullback(ct) is the tuple of cotangents of all arguments, ct having y's structure.
/// The function runs once; the pullback may be called any number of times.
template <class F, class... A>
auto vjp(F&& f, A&&... args) {
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  const Arrays leaves = tree::leaves(pack);
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  transforms::Linearized lin = api::with_note(
      "vjp(f)", [&] { return transforms::linearize(call.flat(), leaves, api::inexact_leaves(leaves), "vjp(f)"); });
  auto result = call.result(lin.outs);
  return std::pair(result, api::pullback("vjp", std::move(lin), pack, result));
}

/// The transpose of a linear function: ct -> the tuple of cotangents of all arguments, ct having the structure of f's
/// result: dot(f(x), ct) = dot(x, transposed(ct)). f is traced once, for arguments with the types of `args`, whose
/// float and complex leaves may be abstract(); its integers and bools count as constants. Throws NotDifferentiableError
/// when the derivative of f depends on the arguments: f is not linear.
template <class F, class... A>
auto linear_transpose(F&& f, A&&... args) {
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  const Arrays leaves = tree::leaves(pack);
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  transforms::Linearized lin = api::with_note("linear_transpose(f)", [&] {
    return api::linearize_linear(call.flat(), leaves, api::path_leaves(pack, "args"));
  });
  return api::pullback("linear_transpose", std::move(lin), pack, call.result(lin.outs));
}

/// (y, pushforward): pushforward(tangents...) is the derivative of f at `args` along the tangents.
/// The function runs once; the linear part is staged and may be run any number of times.
template <class F, class... A>
auto linearize(F&& f, A&&... args) {
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  const Arrays leaves = tree::leaves(pack);
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  transforms::Linearized lin = api::with_note("linearize(f)", [&] {
    return transforms::linearize(call.flat(), leaves, api::inexact_leaves(leaves), "linearize(f)");
  });
  auto result = call.result(lin.outs);
  api::Pushforward<F, decltype(pack), std::decay_t<decltype(result)>> pushforward{
      std::make_shared<const transforms::Linearized>(std::move(lin)), pack, result};
  return std::pair(std::move(result), std::move(pushforward));
}

}  // namespace weft

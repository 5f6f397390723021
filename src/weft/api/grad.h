// grad, value_and_grad, jacfwd, jacrev, hessian.
#pragma once

#include "weft/api/autodiff.h"
#include "weft/api/vmap.h"

namespace weft {

namespace api {

/// The arguments to differentiate, checked: every leaf float or complex.
/// `which[i]` says whether leaf i belongs to one of them. Throws NotDifferentiableError naming the leaf.
void check_grad_inputs(const char* what, const PathLeaves& leaves, const std::vector<bool>& which);
/// Throws ShapeError or DTypeError unless the loss is a real scalar.
void check_grad_output(const char* what, const Array& loss);

template <std::size_t... kArgs>
constexpr bool is_among(std::size_t i) {
  return ((i == kArgs) || ...);
}

/// Marks the leaves of the arguments numbered kArgs... in a tuple of arguments.
template <std::size_t... kArgs, class Pack>
std::vector<bool> argument_leaves(const Pack& pack) {
  std::vector<bool> which;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto one = [&](bool chosen, const auto& arg) {
      tree::for_each(arg, [&](const Array&) { which.push_back(chosen); });
    };
    (one(is_among<kArgs...>(I), std::get<I>(pack)), ...);
  }(std::make_index_sequence<std::tuple_size_v<Pack>>());
  return which;
}

/// What the chosen arguments become: the one tree, or a tuple of trees when several are chosen.
template <std::size_t... kArgs, class Pack>
auto chosen(const Pack& pack) {
  if constexpr (sizeof...(kArgs) == 1)
    return (std::get<kArgs>(pack), ...);
  else
    return std::tuple(std::get<kArgs>(pack)...);
}

/// Refuses, when instantiated, what has derivatives in mathematics but is no array.
struct NoNumbers : tree::NullVisitor {
  template <class U>
  void value(const U&) {
    static_assert(
        !std::is_floating_point_v<U> && !tree::detail::is_a<U, std::complex>,
        "grad: a floating-point number in a differentiated argument would be a constant: declare it Array, or "
        "static_arg(x) when that is meant");
  }
};
template <class T>
void check_differentiable(const T& argument) {
  static_assert(!std::is_floating_point_v<T>, "grad: declare the differentiated parameter Array");
  static_assert(!tree::detail::is_static<T> || std::is_floating_point_v<T>,
                "grad: the differentiated argument holds no Array; choose another: grad<1>(f)");
  if constexpr (!tree::detail::is_static<T>) {
    NoNumbers none;
    tree::visit(argument, none);
  }
}

template <bool kAux, std::size_t... kArgs, class F, class... A>
auto value_and_grad_of(const char* what, const std::string& name, F& f, A&&... args) {
  auto pack = prepare<F>(std::forward<A>(args)...);
  static_assert(((kArgs < sizeof...(A)) && ...), "grad: an argument number is out of range");
  (check_differentiable(std::get<kArgs>(pack)), ...);
  const Arrays leaves = tree::leaves(pack);
  const std::vector<bool> which = argument_leaves<kArgs...>(pack);
  with_note(name, [&] { check_grad_inputs(what, path_leaves(pack, "args"), which); });
  Callable<F, decltype(pack)> call(f, pack);
  using Result = typename decltype(call)::Result;
  if constexpr (kAux) {
    static_assert(tree::detail::is_a<Result, std::pair>,
                  "grad: with has_aux the function must return a std::pair of loss and auxiliary tree");
    static_assert(std::is_same_v<typename Result::first_type, Array>, "grad: the loss must be an Array");
  } else {
    static_assert(std::is_same_v<Result, Array>,
                  "grad: the function must return the loss as an Array; use has_aux for more results");
  }
  transforms::Linearized lin = with_note(name, [&] {
    return transforms::linearize(
        [&](std::span<const Array> a, Arrays& outs) {
          call.flat()(a, outs);
          const Array* loss;  // a placeholder, or none
          if constexpr (kAux)
            loss = &call.prototype().first;
          else
            loss = &call.prototype();
          check_grad_output(what, loss->defined() ? outs[0] : Array());
        },
        leaves, which, name);
  });
  auto result = call.result(lin.outs);
  Arrays cts(lin.outs.size());
  cts[0] = Array::full({}, lin.outs[0].dtype(), Scalar(1.0));
  const Arrays gradients = with_note(name, [&] { return pull_back(std::move(lin), which, cts); });
  // A leaf that the result does not depend on has gradient zero.
  return std::pair(std::move(result), chosen<kArgs...>(cotangent_tree(pack, gradients)));
}
/// By argument 0 when no arguments are chosen.
template <bool kAux, std::size_t... kArgs, class F, class... A>
auto value_and_grad_or_first(const char* what, const std::string& name, F& f, A&&... args) {
  if constexpr (sizeof...(kArgs) == 0)
    return value_and_grad_of<kAux, 0>(what, name, f, std::forward<A>(args)...);
  else
    return value_and_grad_of<kAux, kArgs...>(what, name, f, std::forward<A>(args)...);
}

}  // namespace api

/// A function with f's arguments that returns (f(args...), gradient): the gradient of the scalar
/// result with respect to argument 0, or to the arguments whose numbers are given as template
/// arguments (a tuple when there are several), in trees of their structure.
///
///   auto [loss, g] = value_and_grad(f)(params, batch);
///   auto [loss, gs] = value_and_grad<0, 2>(f)(x, y, z);
///
/// With `has_aux` f returns a pair (loss, aux), and so does the value.
/// For complex arguments the result is JAX's: the conjugate of the steepest direction.
/// Errors: NotDifferentiableError for an integer or bool leaf, ShapeError unless the result is a
/// scalar, DTypeError unless it is real.
template <std::size_t... kArgs, class F>
auto value_and_grad(F&& f, SourceLocation loc = std::source_location::current()) {
  return
      [f = std::decay_t<F>(std::forward<F>(f)), name = api::transform_name("value_and_grad(f)", loc)](auto&&... args) {
        return api::value_and_grad_or_first<false, kArgs...>("value_and_grad", name, f,
                                                             std::forward<decltype(args)>(args)...);
      };
}
template <std::size_t... kArgs, class F>
auto value_and_grad(F&& f, HasAux, SourceLocation loc = std::source_location::current()) {
  return
      [f = std::decay_t<F>(std::forward<F>(f)), name = api::transform_name("value_and_grad(f)", loc)](auto&&... args) {
        return api::value_and_grad_or_first<true, kArgs...>("value_and_grad", name, f,
                                                            std::forward<decltype(args)>(args)...);
      };
}

/// The gradient of f's scalar result; see value_and_grad. With `has_aux` a pair (gradient, aux).
template <std::size_t... kArgs, class F>
auto grad(F&& f, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), name = api::transform_name("grad(f)", loc)](auto&&... args) {
    return api::value_and_grad_or_first<false, kArgs...>("grad", name, f, std::forward<decltype(args)>(args)...).second;
  };
}
template <std::size_t... kArgs, class F>
auto grad(F&& f, HasAux, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), name = api::transform_name("grad(f)", loc)](auto&&... args) {
    auto [value, gradient] =
        api::value_and_grad_or_first<true, kArgs...>("grad", name, f, std::forward<decltype(args)>(args)...);
    return std::pair(std::move(gradient), std::move(value.second));
  };
}

namespace api {

/// Throws unless a Jacobian of these outputs by these inputs exists: DTypeError for integer outputs, and where forward
/// (backward) mode cannot tell the parts of a complex input (output); ShapeError for a result that is none.
void check_jacobian(bool forward, const char* what, std::span<const Array> inputs, std::span<const Array> outs,
                    bool none_result);
/// Blocks by output, then by input, from forward (backward) mode over the standard basis.
Arrays jacobian_columns(const transforms::Linearized& lin, std::span<const Array> inputs, const std::string& name);
Arrays jacobian_rows(const transforms::Linearized& lin, std::span<const Array> inputs, const std::string& name);

template <std::size_t kArg, class F, class... A>
auto jacobian(bool forward, const char* what, const std::string& name, F& f, A&&... args) {
  auto pack = prepare<F>(std::forward<A>(args)...);
  static_assert(kArg < sizeof...(A), "jacobian: the argument number is out of range");
  using Input = std::tuple_element_t<kArg, decltype(pack)>;
  const Arrays leaves = tree::leaves(pack);
  const std::vector<bool> which = argument_leaves<kArg>(pack);
  with_note(name, [&] { check_grad_inputs(what, path_leaves(pack, "args"), which); });
  Callable<F, decltype(pack)> call(f, pack);
  using Result = typename decltype(call)::Result;
  static_assert(
      std::is_same_v<Input, Array> || std::is_same_v<Result, Array>,
      "jacobian, hessian: the argument or the result must be an Array (for hessian, the argument); weft::ravel "
      "makes one array of a tree");
  Arrays inputs;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (which[i]) inputs.push_back(leaves[i]);
  const transforms::Linearized lin = with_note(name, [&] {
    return transforms::linearize(
        [&](std::span<const Array> a, Arrays& outs) {
          call.flat()(a, outs);
          bool none_result = false;
          if constexpr (std::is_same_v<Result, Array>) none_result = !call.prototype().defined();
          check_jacobian(forward, what, inputs, outs, none_result);
        },
        leaves, which, name);
  });
  const Arrays blocks =
      with_note(name, [&] { return forward ? jacobian_columns(lin, inputs, name) : jacobian_rows(lin, inputs, name); });
  // One output or one input: the blocks are a tree like the other.
  if constexpr (std::is_same_v<Result, Array>)
    return cotangent_tree(std::get<kArg>(pack), blocks);
  else
    return call.result(blocks);
}

}  // namespace api

/// J[out..., in...] = df(x)[out...] / dx[in...] by forward mode, one column per element of argument
/// kArg: for functions with few inputs. Argument or result may be a tree, and then so is J. The argument must be real
/// (DTypeError), for one column cannot hold the derivatives by both parts of a complex number; results are real or
/// complex.
template <std::size_t kArg = 0, class F>
auto jacfwd(F&& f, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), name = api::transform_name("jacfwd(f)", loc)](auto&&... args) {
    return api::jacobian<kArg>(true, "jacfwd", name, f, std::forward<decltype(args)>(args)...);
  };
}

/// The same Jacobian by reverse mode, one row per element of the result: for functions with few outputs. Results must
/// be real (DTypeError); for a complex argument each row is a gradient as of `grad`.
template <std::size_t kArg = 0, class F>
auto jacrev(F&& f, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), name = api::transform_name("jacrev(f)", loc)](auto&&... args) {
    return api::jacobian<kArg>(false, "jacrev", name, f, std::forward<decltype(args)>(args)...);
  };
}

/// H[i..., j...] = d2 f(x) / dx[i...] dx[j...], forward over reverse, of a real array x. For a tree of parameters make
/// one array of it first: `auto [x, unravel] = ravel(params); hessian([&](Array x) { return f(unravel(x)); })(x)`.
template <std::size_t kArg = 0, class F>
auto hessian(F&& f, SourceLocation loc = std::source_location::current()) {
  return
      [inner = jacrev<kArg>(std::forward<F>(f), loc), name = api::transform_name("hessian(f)", loc)](auto&&... args) {
        return api::jacobian<kArg>(true, "hessian", name, inner, std::forward<decltype(args)>(args)...);
      };
}

}  // namespace weft

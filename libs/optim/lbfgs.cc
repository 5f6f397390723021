#include "optim/lbfgs.h"

#include "weft/weft.h"

namespace weft::optim {

using detail::cast_like;
using detail::inner_product;

OnTrees<ScaleByLbfgs> scale_by_lbfgs(ScaleByLbfgs options, SourceLocation loc) {
  const detail::Require check("scale_by_lbfgs", loc);
  check.at_least("memory_size", options.memory_size, 1);
  return {std::move(options)};
}

ScaleByLbfgsState<Leaves> ScaleByLbfgs::init(const Leaves& params) const {
  const auto memory = [&] {
    Leaves r;
    for (const Array& p : params) {
      Dims shape(p.shape());
      shape.insert(shape.begin(), memory_size);
      r.push_back(np::zeros(shape, p.dtype()));
    }
    return r;
  };
  return {zero_count(),
          detail::zeros_like(params),
          detail::zeros_like(params),
          memory(),
          memory(),
          np::zeros({memory_size}, detail::precision(params))};
}

namespace {

Leaves at(const Leaves& memory, const Array& i) {
  Leaves r;
  for (const Array& x : memory) r.push_back(x(i));
  return r;
}

Leaves put(const Leaves& memory, const Array& i, const Leaves& x) {
  Leaves r;
  for (std::size_t k = 0; k < memory.size(); ++k) r.push_back(memory[k].at(i).set(cast_like(x[k], memory[k])));
  return r;
}

// H u by two loops over the memory, from the newest pair to the oldest and back.
Leaves precondition(const Leaves& u, const ScaleByLbfgsState<Leaves>& memory, const Array& gamma, const Array& oldest,
                    std::int64_t size) {
  const Array order = np::mod(oldest + np::arange(static_cast<std::int32_t>(size)), size);
  using Step = std::pair<Array, Array>;  // a position, and its alpha
  const auto backward = [&](Leaves q, Array i) {
    const Array alpha = memory.weights_memory(i) * inner_product(at(memory.diff_params_memory, i), q);
    return std::pair(detail::add_scaled(q, -alpha, at(memory.diff_updates_memory, i)), alpha);
  };
  const auto [q, alphas] = scan(backward, u, order, {.reverse = true});
  const auto forward = [&](Leaves r, Step step) {
    const auto& [i, alpha] = step;
    const Array beta = memory.weights_memory(i) * inner_product(at(memory.diff_updates_memory, i), r);
    return std::pair(detail::add_scaled(r, alpha - beta, at(memory.diff_params_memory, i)), std::tuple<>());
  };
  return scan(forward, detail::scale_all(q, gamma), Step(order, alphas)).first;
}

}  // namespace

void ScaleByLbfgs::update(Leaves& u, ScaleByLbfgsState<Leaves>& state, const Leaves& params) const {
  detail::check_state(kName, state.weights_memory.shape() == Shape{memory_size} &&
                                 detail::same_shapes(state.params, params) &&
                                 detail::same_shapes(state.updates, params));
  const Array some = state.count > 0;
  const Array oldest = np::mod(state.count, memory_size), newest = np::mod(state.count - 1, memory_size);

  // The pair of the step that led here; nothing before the first.
  const Leaves none = detail::zeros_like(params);
  const Leaves s = detail::choose(some, detail::subtract(params, state.params), none);
  const Leaves y = detail::choose(some, detail::subtract(u, state.updates), detail::zeros_like(u));
  const Array curvature = inner_product(y, s), zero = np::zeros_like(curvature), one = np::ones_like(curvature);
  const Array weight = np::where(curvature == 0, zero, one / np::where(curvature == 0, one, curvature));
  state.diff_params_memory = put(state.diff_params_memory, newest, s);
  state.diff_updates_memory = put(state.diff_updates_memory, newest, y);
  state.weights_memory = state.weights_memory.at(newest).set(cast_like(weight, state.weights_memory));

  Array gamma = one;
  if (scale_init_precond) {
    const Array square = detail::squared_norm(y);
    const Array secant = np::where(square > 0, curvature / np::where(square > 0, square, one), one);
    // So that the first step is no longer than 1; the sources leave it open.
    const Array size = lax::stop_gradient(detail::norm(u));
    gamma = np::where(some, secant, np::minimum(one, one / np::where(size > 0, size, one)));
  }
  state.count = safe_increment(state.count);
  state.params = params;
  state.updates = detail::cast_like(u, state.updates);
  u = precondition(u, state, gamma, oldest, memory_size);
}

}  // namespace weft::optim

#include "optim/linesearch.h"

#include <limits>

#include "optim/polyak.h"
#include "weft/base/text.h"
#include "weft/weft.h"

namespace weft::optim {

using detail::cast_like;
using detail::inner_product;
using detail::Require;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What both searches are given, checked: the loss and its gradient at the parameters, and the loss.
struct Problem {
  Problem(const char* what, const Leaves& direction, const Leaves& params, const Extra<Leaves>& extra)
      : direction(direction), params(params), loss(extra.value_fn), type(detail::precision(params)) {
    value = detail::loss_of(what, extra.value, type);
    const auto missing = [&](const char* member, const char* meaning) {
      throw ValueError(
          "update: extra." + std::string(member) + " must be " + meaning + ", which " + what + " reads; got none.",
          "opt.update(g, state, params, {.value = loss, .grad = g, .value_fn = f})");
    };
    if (!extra.grad) missing("grad", "the gradient");
    if (!extra.value_fn) missing("value_fn", "the loss as a function");
    grad = *extra.grad;
    slope = inner_product(direction, grad).astype(type);
  }
  Leaves at(const Array& rate) const { return detail::add_scaled(params, rate, direction); }
  Array number(const Hyperparam& x) const { return x.in(type); }

  const Leaves& direction;
  const Leaves& params;
  const std::function<Array(const Leaves&)>& loss;
  DType type;
  Array value, slope;
  Leaves grad;
};

// Only violations count, and NaN is the worst.
Array violation(const Array& error) { return np::where(np::isnan(error), kInfinity, np::maximum(error, 0)); }

}  // namespace

namespace detail {

std::pair<Array, Leaves> loss_and_gradient(const std::function<Array(const Leaves&)>& loss, const Leaves& params) {
  return value_and_grad([&](Leaves p) { return loss(p); })(params);
}

std::vector<std::pair<Array, Leaves>> linesearches_in(const std::vector<std::pair<std::string, Array>>& state) {
  // Known by their info, wherever they are.
  constexpr std::string_view kInfo = ".info.num_linesearch_steps";
  std::vector<std::pair<Array, Leaves>> found;
  for (const auto& [info_path, unused] : state) {
    if (!info_path.ends_with(kInfo)) continue;
    const std::string own = info_path.substr(0, info_path.size() - kInfo.size());
    const std::string value_path = own + ".value", grad_path = own + ".grad";
    auto& [value, grad] = found.emplace_back();
    for (const auto& [path, leaf] : state) {
      if (path == value_path) value = leaf;
      if (path == grad_path || path.starts_with(grad_path + ".") || path.starts_with(grad_path + "["))
        grad.push_back(leaf);
    }
  }
  return found;
}

std::pair<Array, Leaves> stored_or_computed(const Array& value, const Leaves& grad, const Leaves& params,
                                            const std::function<Array(const Leaves&)>& loss) {
  const auto compute = [&] {
    auto [v, g] = loss_and_gradient(loss, params);
    return std::pair(cast_like(v, value), cast_like(g, grad));
  };
  const Array is_stored = np::isfinite(value);
  // A loss is not even traced where it is known not to be needed.
  if (!is_stored.is_tracer()) return is_stored.item<bool>() ? std::pair(value, grad) : compute();
  return cond(is_stored, [&] { return std::pair(value, grad); }, compute);
}

}  // namespace detail

// ---- backtracking ----

OnTrees<ScaleByBacktrackingLinesearch> scale_by_backtracking_linesearch(ScaleByBacktrackingLinesearch options,
                                                                        SourceLocation loc) {
  const Require check("scale_by_backtracking_linesearch", loc);
  check.at_least("max_backtracking_steps", options.max_backtracking_steps, 1);
  check.not_negative("slope_rtol", options.slope_rtol).positive("decrease_factor", options.decrease_factor);
  check.positive("increase_factor", options.increase_factor).positive("max_learning_rate", options.max_learning_rate);
  check.not_negative("atol", options.atol).not_negative("rtol", options.rtol);
  return {std::move(options)};
}

ScaleByBacktrackingLinesearchState<Leaves> ScaleByBacktrackingLinesearch::init(const Leaves& params) const {
  const DType t = detail::precision(params);
  std::optional<Leaves> grad;
  if (store_grad) grad = detail::zeros_like(params);
  return {np::ones({}, t), np::full({}, kInfinity, t), std::move(grad), {zero_count(), np::full({}, kInfinity, t)}};
}

namespace {

struct Search {
  Array rate, value, error, steps;
};

}  // namespace

void ScaleByBacktrackingLinesearch::update(Leaves& u, ScaleByBacktrackingLinesearchState<Leaves>& state,
                                           const Leaves& params, const Extra<Leaves>& extra) const {
  detail::check_state(kName, state.grad.has_value() == store_grad);
  const Problem problem(kName, u, params, extra);
  const auto go_on = [&](Search s) { return ~(s.error <= problem.number(atol)) & (s.steps <= max_backtracking_steps); };
  const auto step = [&](Search s) {
    s.rate = np::where(s.steps > 0, detail::scaled(s.rate, decrease_factor), s.rate);
    s.value = problem.loss(problem.at(s.rate)).astype(problem.type);
    s.error = violation(s.value - (1 + problem.number(rtol)) * problem.value -
                        s.rate * problem.number(slope_rtol) * problem.slope);
    s.steps = s.steps + 1;
    return s;
  };
  // An infinite increase_factor begins at the largest rate, also after a step of 0.
  const Array first =
      np::fmin(problem.number(increase_factor) * state.learning_rate, problem.number(max_learning_rate));
  Search found =
      while_loop(go_on, step, Search{first, problem.value, np::full({}, kInfinity, problem.type), zero_count()});

  state.learning_rate = np::where(np::isinf(found.error), 0, found.rate);
  state.value = found.value;
  if (store_grad) {
    const auto [value, grad] = detail::loss_and_gradient(problem.loss, problem.at(state.learning_rate));
    state.value = cast_like(value, state.value);
    state.grad = cast_like(grad, *state.grad);
  }
  state.info = {found.steps, found.error};
  u = detail::scale_all(u, state.learning_rate);
}

// ---- zoom ----

OnTrees<ScaleByZoomLinesearch> scale_by_zoom_linesearch(ScaleByZoomLinesearch options, SourceLocation loc) {
  const Require check("scale_by_zoom_linesearch", loc);
  check.at_least("max_linesearch_steps", options.max_linesearch_steps, 1);
  if (options.max_learning_rate) check.positive("max_learning_rate", *options.max_learning_rate);
  if (options.increase_factor.is_number() && !(options.increase_factor.number() > 1))
    check.fail("increase_factor must be above 1", number_str(options.increase_factor.number()));
  check.not_negative("tol", options.tol).not_negative("slope_rtol", options.slope_rtol);
  check.not_negative("curv_rtol", options.curv_rtol);
  if (options.approx_dec_rtol) check.not_negative("approx_dec_rtol", *options.approx_dec_rtol);
  check.not_negative("stepsize_precision", options.stepsize_precision);
  return {std::move(options)};
}

ScaleByZoomLinesearchState<Leaves> ScaleByZoomLinesearch::init(const Leaves& params) const {
  const DType t = detail::precision(params);
  return {np::ones({}, t),
          np::full({}, kInfinity, t),
          detail::zeros_like(params),
          {zero_count(), np::full({}, kInfinity, t), np::full({}, kInfinity, t)}};
}

namespace {

// A rate with value and slope of the loss along the direction there.
struct Point {
  Array rate, value, slope;
};
Point pick(const Array& pred, const Point& x, const Point& y) {
  return {np::where(pred, x.rate, y.rate), np::where(pred, x.value, y.value), np::where(pred, x.slope, y.slope)};
}

struct Zoom {
  Array steps;
  Point at;     // the last rate that was tried
  Leaves grad;  // the gradient there
  Array decrease_error, curvature_error;
  Array interval_found, done, failed;
  Point low, high;  // ends of the interval, by value: low may be the larger rate
  Point reference;  // a third point for the cubic, an end of the interval before
  Point safe;       // the best one with sufficient decrease; the start before there is one
  Leaves safe_grad;
};

// Where the cubic through three values with the slope at a is stationary; NaN where it is not (scipy's _cubicmin).
Array cubic_minimum(const Point& a, const Point& b, const Point& c) {
  const Array db = b.rate - a.rate, dc = c.rate - a.rate;
  const Array fb = b.value - a.value - a.slope * db, fc = c.value - a.value - a.slope * dc;
  const Array divisor = np::square(db * dc) * (db - dc);
  const Array cubic = (np::square(dc) * fb - np::square(db) * fc) / divisor;
  const Array square = (db * db * db * fc - dc * dc * dc * fb) / divisor;
  return a.rate + (np::sqrt(np::square(square) - 3 * cubic * a.slope) - square) / (3 * cubic);
}
// The same of the parabola through two values.
Array quadratic_minimum(const Point& a, const Point& b) {
  const Array db = b.rate - a.rate;
  const Array square = (b.value - a.value - a.slope * db) / np::square(db);
  return a.rate - a.slope / (2 * square);
}

// A rate inside of the interval and not too near to its ends: by the cubic, else the parabola, else the middle.
Array interpolate(const Zoom& z) {
  const Array size = np::abs(z.high.rate - z.low.rate);
  const Array left = np::minimum(z.high.rate, z.low.rate), right = np::maximum(z.high.rate, z.low.rate);
  const auto inside = [&](const Array& x, double margin) {
    return (x > left + margin * size) & (x < right - margin * size);
  };
  const Array cubic = cubic_minimum(z.low, z.high, z.reference), parabola = quadratic_minimum(z.low, z.high);
  return np::where(inside(cubic, 0.2), cubic,
                   np::where(inside(parabola, 0.1), parabola, (z.low.rate + z.high.rate) / 2));
}

}  // namespace

void ScaleByZoomLinesearch::update(Leaves& u, ScaleByZoomLinesearchState<Leaves>& state, const Leaves& params,
                                   const Extra<Leaves>& extra) const {
  const Problem problem(kName, u, params, extra);
  const Array bound = problem.number(tol), c1 = problem.number(slope_rtol);
  // A rate of 0, after a failure, would never grow again.
  const Array one = np::ones({}, problem.type);
  const Array guess =
      initial_guess_strategy == InitialGuess::kOne ? one : np::where(state.learning_rate > 0, state.learning_rate, one);

  const auto decrease = [&](const Point& p) {
    Array error = p.value - problem.value - c1 * p.rate * problem.slope;
    if (approx_dec_rtol) {
      const Array approximate = p.slope - (2 * c1 - 1) * problem.slope;
      const Array near = p.value - problem.value - problem.number(*approx_dec_rtol) * np::abs(problem.value);
      error = np::minimum(np::maximum(approximate, near), error);
    }
    return violation(error);
  };

  const auto step = [&](Zoom z) {
    Array grown = np::where(z.steps == 0, guess, problem.number(increase_factor) * z.at.rate), at_most(false);
    if (max_learning_rate) {
      at_most = grown >= problem.number(*max_learning_rate);
      grown = np::minimum(grown, problem.number(*max_learning_rate));
    }
    const Array zooming = z.interval_found;
    const Array rate = np::where(zooming, interpolate(z), grown);
    const auto [value, grad] = detail::loss_and_gradient(problem.loss, problem.at(rate));
    const Point now{rate, value.astype(problem.type), inner_product(grad, u).astype(problem.type)};
    const Array decrease_error = decrease(now);
    const Array curvature_error = violation(np::abs(now.slope) - problem.number(curv_rtol) * np::abs(problem.slope));
    const Array good = np::maximum(decrease_error, curvature_error) <= bound;
    const Array better = (decrease_error <= bound) & (~zooming | (now.value < z.safe.value));

    Zoom next;
    next.steps = z.steps + 1;
    next.at = now;
    next.grad = cast_like(grad, z.grad);
    next.decrease_error = decrease_error;
    next.curvature_error = curvature_error;
    next.safe = pick(better, now, z.safe);
    next.safe_grad = detail::choose(better, grad, z.safe_grad);
    const Array last = next.steps >= max_linesearch_steps;

    // While it grows: the interval ends at the first rate that is too far, by value or by slope.
    const Array too_high = (decrease_error > 0) | ((now.value >= z.at.value) & (z.steps > 0));
    const Array turned = (now.slope >= 0) & ~too_high;
    const Array found = too_high | turned | good;
    const Array grow_done = good | (at_most & ~found);

    // While it narrows: the new rate replaces an end.
    const Array from_high = (decrease_error > 0) | (now.value >= z.low.value);
    const Array other_side = (now.slope * (z.high.rate - z.low.rate) >= 0) & ~from_high;
    const Array too_small =
        (np::abs(z.high.rate - z.low.rate) <= problem.number(stepsize_precision)) & (next.safe.rate > 0);

    next.low = pick(zooming, pick(from_high, z.low, now), pick(turned, now, z.at));
    next.high = pick(zooming, pick(from_high, now, pick(other_side, z.low, z.high)), pick(turned, z.at, now));
    next.reference = pick(zooming, pick(from_high | other_side, z.high, z.low), next.low);
    next.interval_found = zooming | found;
    next.done = np::where(zooming, good, grow_done);
    next.failed = (last | (zooming & too_small)) & ~next.done;
    return next;
  };

  const Array infinite = np::full({}, kInfinity, problem.type), zero = np::zeros({}, problem.type);
  const Point start{zero, problem.value, problem.slope};
  const Leaves first = cast_like(problem.grad, params);
  const Zoom begin{zero_count(), start, first, infinite, infinite, Array(false), Array(false),
                   Array(false), start, start, start,    start,    first};
  const Zoom end = while_loop([](Zoom z) { return ~(z.done | z.failed); }, step, begin);

  // Out of the domain of the loss there is nothing better than not to move.
  const Array retreat = end.failed & ((end.safe.rate > 0) | np::isinf(end.decrease_error));
  const Point result = pick(retreat, end.safe, end.at);
  state.learning_rate = result.rate;
  state.value = result.value;
  state.grad = detail::choose(retreat, end.safe_grad, cast_like(end.grad, state.grad));
  state.info = {end.steps, end.decrease_error, end.curvature_error};
  u = detail::scale_all(u, result.rate);
}

}  // namespace weft::optim

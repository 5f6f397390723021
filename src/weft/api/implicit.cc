#include "weft/api/implicit.h"

#include "weft/api/captures.h"
#include "weft/control/programs.h"
#include "weft/ops/lax.h"

namespace weft::api {

void check_unknowns(const CustomInfo& info, const char* what, std::span<const Array> xs) {
  for (const Array& x : xs)
    if (!is_inexact(x.dtype())) {
      const LocationScope scope(info.loc, info.what);
      throw DTypeError(std::string(info.what) + ": " + what + " must be float or complex; got " + x.aval().str() + ".");
    }
}

void check_traced(const CustomInfo& info, const FlatFunction& f, std::span<const Aval> types) {
  try {
    with_note(info.str(), [&] { stage(f, types, info.str()); });
  } catch (const ConcretizationError&) {
    return;  // it looks at values
  }
}

// ---- linear equations ----

void apply_transposed(const Staged& map, std::span<const Array> cts, Arrays& outs) {
  const ir::Jaxpr program = control::transposed_map(ir::with_num_consts(map.jaxpr, map.captured.size()));
  Arrays args = map.captured;
  args.append(cts.begin(), cts.end());
  eval_jaxpr(program, args, outs);
}

Arrays call_linear_solve(const CustomInfo& info, const Staged& matvec, const Staged& solve, const Staged* transposed,
                         std::span<const Array> b) {
  const SharedCaptures s =
      transposed ? share_captures({&matvec, &solve, transposed}) : share_captures({&matvec, &solve});
  return lax::custom_linear_solve(s.programs[0], s.programs[1], transposed ? ir::Rule(s.programs[2]) : ir::Rule(),
                                  s.captures, b, info.loc);
}

// ---- roots ----

namespace {

// F(m, x) = 0 with programs that close over nothing: f: (m, x) -> F, solve: (m, guess) -> x,
// tangent_solve: (m, x, y) -> v with dF/dx v = y.
struct Root {
  CustomInfo info;
  std::size_t num_params;
  ir::Jaxpr f, solve, tangent_solve;
};

constexpr char kRootTag = 0;  // the type of its rules

Arrays call_root(const std::shared_ptr<const Root>& root, std::span<const Array> args);

// dx = -(dF/dx)^-1 dF/dm dm; the guess does not matter.
void root_rule(const std::shared_ptr<const Root>& root, std::span<const Array> in, Arrays& outs) {
  const std::size_t n = root->f.num_inputs(), m = root->num_params;
  const Arrays args(in.first(n));
  std::span<const Array> tangents = in.subspan(n);
  outs = call_root(root, args);
  Arrays at(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(m));
  at.append(outs.begin(), outs.end());
  Arrays directions(n);
  for (std::size_t i = 0; i < m; ++i) {
    if (!is_inexact(args[i].dtype())) continue;
    directions[i] = tangents[0];
    tangents = tangents.subspan(1);
  }
  const std::size_t num_x = n - m;
  const Arrays moved = transforms::linear_part(root->f, at, directions);
  Arrays solve_args = at, solved;
  bool any = false;
  for (std::size_t i = 0; i < num_x; ++i) {
    any |= moved[i].defined();
    solve_args.push_back(moved[i].defined() ? moved[i] : zeros_of(outs[i].aval()));
  }
  if (any) eval_jaxpr(root->tangent_solve, solve_args, solved);
  for (std::size_t i = 0; i < num_x; ++i)
    if (is_inexact(outs[i].dtype())) outs.push_back(any ? lax::negate(solved[i]) : zeros_of(outs[i].aval()));
}

Arrays call_root(const std::shared_ptr<const Root>& root, std::span<const Array> args) {
  if (!derivatives_matter()) {
    Arrays outs;
    eval_jaxpr(root->solve, args, outs);
    return outs;
  }
  const Staged staged{root->solve, {}};
  return call_custom_jvp(
      root->info, staged,
      [root](std::span<const Array> in, Arrays& outs) {
        Arrays results;
        root_rule(root, in, results);
        outs.append(results.begin(), results.end());
      },
      RuleId{root.get(), &kRootTag}, args);
}

}  // namespace

Arrays call_custom_root(const CustomInfo& info, const Staged& f, const Staged& solve,
                        const FlatTangentSolve& tangent_solve, std::span<const Array> guess) {
  if (!derivatives_matter()) {
    Arrays args = solve.captured, outs;
    args.append(guess.begin(), guess.end());
    eval_jaxpr(solve.jaxpr, args, outs);
    return outs;
  }
  // (x, y) -> v, for the captures that f has here.
  const std::size_t n = guess.size();
  ir::Avals types = avals_of(guess);
  for (const Array& x : guess) types.push_back(x.aval());
  const std::string name = info.str();
  const Staged tangent = with_note(name, [&] {
    return stage(
        [&](std::span<const Array> in, Arrays& outs) {
          const transforms::Linearized lin = transforms::linearize(
              [&](std::span<const Array> x, Arrays& results) {
                Arrays args = f.captured;
                args.append(x.begin(), x.end());
                eval_jaxpr(f.jaxpr, args, results);
              },
              in.first(n), std::vector<bool>(n, true), name);
          const FlatLinear g = [&](std::span<const Array> v, Arrays& results) {
            const Arrays r = push_forward(lin, in.first(n), std::vector<bool>(n, true), v);
            for (std::size_t i = 0; i < n; ++i) results.push_back(r[i].defined() ? r[i] : zeros_of(in[i].aval()));
          };
          tangent_solve(g, in.subspan(n), outs);
        },
        types, name);
  });
  const SharedCaptures s = share_captures({&f, &solve, &tangent});
  const auto without_captures = [](const ir::Jaxpr& program) { return ir::with_num_consts(program, 0); };
  const auto root =
      std::make_shared<const Root>(Root{info, s.captures.size(), without_captures(s.programs[0]),
                                        without_captures(s.programs[1]), without_captures(s.programs[2])});
  Arrays args = s.captures;
  args.append(guess.begin(), guess.end());
  return call_root(root, args);
}

// ---- fixed points ----

namespace {

// Whether any element of one step's result is further from the one before than the tolerance allows.
Array moved(std::span<const Array> now, std::span<const Array> before, double tolerance) {
  Array any;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const Array distance = lax::abs(lax::subtract(now[i], before[i])), size = lax::abs(now[i]);
    const Array allowed = lax::multiply(lax::add(size, 1), tolerance);
    Dims axes;
    for (int axis = 0; axis < now[i].ndim(); ++axis) axes.push_back(axis);
    // What has become NaN or infinite has not arrived.
    const Array here = lax::reduce_or(lax::not_(lax::and_(lax::le(distance, allowed), lax::is_finite(now[i]))), axes);
    any = any.defined() ? lax::or_(any, here) : here;
  }
  return any;
}

// x = step(x) until nothing moves, in a while loop that raises an error when that takes too long.
Arrays iterate(const FlatFunction& step, std::span<const Array> init, const FixedPointOptions& options,
               const std::string& name, const SourceLocation& loc) {
  const std::size_t n = init.size();
  // This step's result, and the one before.
  Arrays state;
  step(init, state);
  if (n == 0) return state;
  state.append(init.begin(), init.end());
  const ir::Avals types = avals_of(state);
  const Staged cond =
      stage([&](std::span<const Array> in,
                Arrays& outs) { outs.push_back(moved(in.first(n), in.subspan(n, n), options.tolerance)); },
            types, name);
  const Staged body = stage(
      [&](std::span<const Array> in, Arrays& outs) {
        step(in.first(n), outs);
        outs.append(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(n));
      },
      types, name);
  const Arrays last = run_while("custom_fixed_point", cond, body, state, {options.max_steps - 1}, loc);
  return Arrays(std::span<const Array>(last).first(n));
}

}  // namespace

void check_fixed_point(const CustomInfo& info, std::span<const Array> guess, const FixedPointOptions& options) {
  const LocationScope scope(info.loc, info.what);
  if (!(options.tolerance >= 0))
    throw ValueError("custom_fixed_point: the tolerance must not be negative; got " +
                     std::to_string(options.tolerance) + ".");
  if (options.max_steps < 1)
    throw ValueError("custom_fixed_point: there must be at least one step; got " + std::to_string(options.max_steps) +
                     ".");
  for (const Array& x : guess)
    if (!is_float(x.dtype()))
      throw DTypeError("custom_fixed_point: the guess must be float; got " + x.aval().str() + ".",
                       is_complex(x.dtype()) ? "custom_root takes complex unknowns."
                                             : "convert it with astype, or capture what is no unknown.");
}

Arrays call_fixed_point(const CustomInfo& info, const Staged& f, std::span<const Array> guess,
                        const FixedPointOptions& options) {
  const std::string name = info.str();
  const FlatFunction step = [&](std::span<const Array> x, Arrays& outs) {
    Arrays args = f.captured;
    args.append(x.begin(), x.end());
    eval_jaxpr(f.jaxpr, args, outs);
  };
  const auto minus = [](std::span<const Array> a, std::span<const Array> b) {
    Arrays r;
    for (std::size_t i = 0; i < a.size(); ++i) r.push_back(lax::subtract(a[i], b[i]));
    return r;
  };
  const ir::Avals types = avals_of(guess);
  const Staged difference = stage(
      [&](std::span<const Array> x, Arrays& outs) {
        Arrays y;
        step(x, y);
        outs = minus(y, x);
      },
      types, name);
  const Staged solve = stage(
      [&](std::span<const Array> x, Arrays& outs) { outs = iterate(step, x, options, name, info.loc); }, types, name);
  // g(v) = y for g = df/dx - 1: v = df/dx v - y, once more a fixed point.
  const auto solve_linear = [&](const FlatLinear& g, std::span<const Array> y) {
    return iterate(
        [&](std::span<const Array> v, Arrays& outs) {
          Arrays w, sum;
          g(v, w);
          for (std::size_t i = 0; i < w.size(); ++i) sum.push_back(lax::add(w[i], v[i]));
          const Arrays next = minus(sum, y);
          outs.append(next.begin(), next.end());
        },
        y, options, name, info.loc);
  };
  const FlatTangentSolve tangent_solve = [&](const FlatLinear& g, std::span<const Array> y, Arrays& outs) {
    const Staged map = stage(g, types, name);
    const Staged direct = stage([&](std::span<const Array> b, Arrays& r) { r = solve_linear(g, b); }, types, name);
    const FlatLinear back = [&](std::span<const Array> c, Arrays& r) { apply_transposed(map, c, r); };
    const Staged transposed =
        stage([&](std::span<const Array> c, Arrays& r) { r = solve_linear(back, c); }, types, name);
    outs = call_linear_solve({"custom_linear_solve", "f", info.loc}, map, direct, &transposed, y);
  };
  return call_custom_root(info, difference, solve, tangent_solve, guess);
}

}  // namespace weft::api

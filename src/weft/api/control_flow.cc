#include "weft/api/control_flow.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "weft/api/captures.h"
#include "weft/control/programs.h"
#include "weft/ops/lax.h"
#include "weft/ops/prefixes.h"

namespace weft::api {

using ops::in_groups;
using ops::out_of_groups;
using ops::prefixes;
using ops::rows;

namespace {

std::string with_path(const char* root, const std::vector<std::string>& paths, std::size_t i) {
  return root + (i < paths.size() ? paths[i] : std::string());
}

// Throws unless `b` has the type of `a`; the texts say what each is.
void check_same_type(Aval a, Aval b, const std::string& what, const std::string& of_a, const std::string& of_b) {
  if (a == b) return;
  const std::string message = what + "; got " + of_a + " " + a.str() + " and " + of_b + " " + b.str() + ".";
  if (a.dtype() != b.dtype())
    throw DTypeError(message,
                     "convert one with astype; a number takes the dtype of its C++ type: 0.0f is f32, 0.0 f64.");
  throw ShapeError(message);
}

}  // namespace

// ---- cond, switch_ ----

Array predicate(const char* function, const char* what, const Array& x, const SourceLocation& loc) {
  const LocationScope scope(loc, function);
  const std::string text = std::string(function) + ": " + what;
  if (!x.defined()) throw DTypeError(text + " must be true or false; got none.");
  if (x.ndim() != 0) throw ShapeError(text + " must be a scalar; got " + x.aval().str() + ".");
  if (x.dtype() != boolean)
    throw DTypeError(text + " must be true or false; got " + x.aval().str() + ".",
                     "compare it with something, for instance x != 0.");
  return x;
}

Array branch_index(const Array& x, const SourceLocation& loc) {
  const LocationScope scope(loc, "switch_");
  if (!x.defined()) throw DTypeError("switch_: the index must be an integer; got none.");
  if (x.ndim() != 0) throw ShapeError("switch_: the index must be a scalar; got " + x.aval().str() + ".");
  if (category(x.dtype()) != Category::kInteger)
    throw DTypeError("switch_: the index must be an integer; got " + x.aval().str() + ".");
  return x;
}

void check_branches(std::size_t n, const SourceLocation& loc) {
  const LocationScope scope(loc, "switch_");
  if (n == 0) throw ValueError("switch_: there must be a branch; got none.");
}

Arrays bind_branches(const char* what, const SourceLocation& loc, const Array& index, std::span<const Branch> branches,
                     std::span<const Array> xs) {
  const std::string name = transform_name(what, loc);
  const auto which = [&](std::size_t b) -> std::string {
    if (index.dtype() == boolean) return b ? "of the true branch," : "of the false branch,";
    return "of branch " + std::to_string(b) + ",";
  };
  const ir::Avals types = branches[0].staged.jaxpr.output_avals();
  std::vector<const Staged*> staged;
  for (std::size_t b = 0; b < branches.size(); ++b) {
    staged.push_back(&branches[b].staged);
    const ir::Avals own = branches[b].staged.jaxpr.output_avals();
    for (std::size_t i = 0; i < types.size(); ++i)
      with_note(name, [&] {
        check_same_type(types[i], own[i], std::string(what) + ": branches must return the same types",
                        with_path("result", branches[0].paths, i) + " " + which(0), which(b));
      });
  }
  // Every branch takes what any captures.
  SharedCaptures shared = share_captures(staged);
  Arrays operands = std::move(shared.captures);
  operands.append(xs.begin(), xs.end());
  std::vector<ir::Jaxpr> programs;
  programs.reserve(shared.programs.size());
  for (const ir::Jaxpr& p : shared.programs) programs.push_back(ir::with_num_consts(p, 0));
  const LocationScope scope(loc, what);
  // Any integer, within the branches.
  Array chosen = index;
  if (index.dtype() != boolean) {
    // A narrow type may not reach the last branch.
    const int bits = bit_width(index.dtype()) - (is_signed_integer(index.dtype()) ? 1 : 0);
    const auto all = static_cast<std::int64_t>(branches.size() - 1);
    const Scalar last(bits >= 32 ? all : std::min(all, (std::int64_t{1} << bits) - 1));
    chosen = lax::convert(
        lax::clamp(Array::full({}, index.dtype(), Scalar(0)), index, Array::full({}, index.dtype(), last)), i32);
  }
  return lax::case_(chosen, programs, operands, loc);
}

// ---- loops ----

void check_carry(const LoopNames& names, const std::vector<std::string>& paths, std::span<const Array> in,
                 std::span<const Aval> out, const SourceLocation& loc) {
  const LocationScope scope(loc, names.function);
  const auto path = [&](std::size_t i) {
    const std::string full = i < paths.size() ? paths[i] : std::string();
    return names.carried + (full.starts_with(names.inside) ? full.substr(std::strlen(names.inside)) : full);
  };
  for (std::size_t i = 0; i < in.size(); ++i)
    check_same_type(in[i].aval(), out[i], std::string(names.function) + ": what is carried must keep its type",
                    path(i) + " going in as", "coming out as");
}

Arrays run_while(const char* function, const Staged& cond, const Staged& body, std::span<const Array> init,
                 const LoopOptions& options, const SourceLocation& loc) {
  const LocationScope scope(loc, function);
  Arrays captures = cond.captured;
  captures.append(body.captured.begin(), body.captured.end());
  return lax::while_(ir::with_num_consts(cond.jaxpr, cond.captured.size()),
                     ir::with_num_consts(body.jaxpr, body.captured.size()), captures, init, options.max_steps, loc);
}

std::int64_t scan_length(const LoopNames& names, std::span<const Array> xs, const std::vector<std::string>& paths,
                         const ScanOptions& options, const SourceLocation& loc) {
  const LocationScope scope(loc, names.function);
  const std::string op = std::string(names.function) + ": ";
  std::optional<std::int64_t> length = options.length;
  if (length && *length < 0) throw ValueError(op + "length must not be negative; got " + std::to_string(*length) + ".");
  if (options.unroll < 1)
    throw ValueError(op + "unroll must be at least 1; got " + std::to_string(options.unroll) + ".");
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (xs[i].ndim() == 0)
      throw ShapeError(op + "what is scanned over must have an axis; got " + with_path(names.xs, paths, i) +
                       " of type " + xs[i].aval().str() + ".");
    const std::int64_t n = xs[i].shape()[0];
    if (length && n != *length)
      throw ShapeError(op + "what is scanned over must have first axes of one length, " + std::to_string(*length) +
                       "; got " + with_path(names.xs, paths, i) + " of type " + xs[i].aval().str() + ".");
    length = n;
  }
  if (!length)
    throw ValueError(op + "the number of steps must be known; got no arrays to scan over and no length.",
                     "pass {.length = n}.");
  return *length;
}

ir::Avals slices_of(std::span<const Array> xs) {
  ir::Avals r;
  for (const Array& x : xs) r.push_back(x.aval().with_shape(x.shape().subspan(1)));
  return r;
}

namespace {

// `size` steps of the body as one, over slices that are groups.
Staged repeated(const Staged& body, std::span<const Array> carry, std::span<const Array> groups, std::int64_t size,
                bool reverse) {
  const std::size_t num_consts = body.captured.size();
  ir::Avals types = avals_of(body.captured);
  for (const Array& a : carry) types.push_back(a.aval());
  for (const Aval a : slices_of(groups)) types.push_back(a);
  Staged r = stage(
      [&](std::span<const Array> in, Arrays& outs) {
        Arrays state(in.subspan(num_consts, carry.size())), args, results;
        const std::span<const Array> xs = in.subspan(num_consts + carry.size());
        std::vector<Arrays> ys(body.jaxpr.outputs().size() - carry.size());
        for (std::int64_t k = 0; k < size; ++k) {
          const std::int64_t at = reverse ? size - 1 - k : k;
          args = Arrays(in.first(num_consts));
          args.append(state.begin(), state.end());
          for (const Array& x : xs) args.push_back(lax::reshape(rows(x, at, at + 1), x.shape().subspan(1)));
          results.clear();
          eval_jaxpr(body.jaxpr, args, results);
          state = Arrays(std::span<const Array>(results).first(carry.size()));
          for (std::size_t i = 0; i < ys.size(); ++i) {
            Dims shape(results[carry.size() + i].shape());
            shape.insert(shape.begin(), 1);
            ys[i].push_back(lax::reshape(results[carry.size() + i], shape));
          }
        }
        outs = state;
        for (Arrays& y : ys) {
          if (reverse) std::reverse(y.begin(), y.end());
          outs.push_back(lax::concatenate(y, 0));
        }
      },
      types, "scan");
  r.captured = body.captured;
  return r;
}

Arrays bind_scan(const Staged& body, std::span<const Array> carry, std::span<const Array> xs, std::int64_t length,
                 bool reverse, const SourceLocation& loc) {
  return lax::scan_(ir::with_num_consts(body.jaxpr, body.captured.size()), body.captured, carry, xs, length, reverse,
                    loc);
}

}  // namespace

Arrays run_scan(const Staged& body, std::span<const Array> carry, std::span<const Array> xs, std::int64_t length,
                const ScanOptions& options, const SourceLocation& loc) {
  const std::int64_t unroll = std::min(options.unroll, std::max<std::int64_t>(length, 1));
  if (unroll == 1) return bind_scan(body, carry, xs, length, options.reverse, loc);
  // Whole groups, and the rest at the end one by one: last, or first when going backwards.
  const std::int64_t groups = length / unroll, grouped = groups * unroll;
  Arrays first_xs, last_xs;
  for (const Array& x : xs) {
    first_xs.push_back(in_groups(rows(x, 0, grouped), unroll));
    last_xs.push_back(rows(x, grouped, length));
  }
  const Staged group = repeated(body, carry, first_xs, unroll, options.reverse);
  Arrays state(carry), first, last;
  const auto run_rest = [&] {
    last = bind_scan(body, state, last_xs, length - grouped, options.reverse, loc);
    state = Arrays(std::span<const Array>(last).first(carry.size()));
  };
  if (options.reverse && grouped < length) run_rest();
  first = bind_scan(group, state, first_xs, groups, options.reverse, loc);
  state = Arrays(std::span<const Array>(first).first(carry.size()));
  if (!options.reverse && grouped < length) run_rest();
  Arrays outs = state;
  for (std::size_t i = carry.size(); i < first.size(); ++i) {
    const Array y = out_of_groups(first[i]);
    outs.push_back(last.empty() ? y : lax::concatenate(Arrays{y, last[i]}, 0));
  }
  return outs;
}

std::int64_t trip_count(std::int64_t lower, std::int64_t upper, const SourceLocation& loc) {
  const LocationScope scope(loc, "fori_loop");
  if (upper <= lower) return 0;
  const auto n = static_cast<std::uint64_t>(upper) - static_cast<std::uint64_t>(lower);
  if (n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw ValueError("fori_loop: bounds must be less than 2^63 apart; got " + std::to_string(lower) + " and " +
                     std::to_string(upper) + ".");
  return static_cast<std::int64_t>(n);
}

DType counter_dtype(std::int64_t lower, std::int64_t upper) {
  const auto fits = [](std::int64_t v) {
    return v >= std::numeric_limits<std::int32_t>::min() && v <= std::numeric_limits<std::int32_t>::max();
  };
  return fits(lower) && fits(upper) ? i32 : i64;
}

namespace {

// The smallest integer type that has the values of both.
DType holding_both(DType a, DType b) {
  if (is_unsigned(a) == is_unsigned(b)) return bit_width(a) > bit_width(b) ? a : b;
  const DType with_sign = is_unsigned(a) ? b : a, without = is_unsigned(a) ? a : b;
  if (bit_width(with_sign) > bit_width(without)) return with_sign;
  for (const DType t : {i8, i16, i32, i64})
    if (bit_width(t) > bit_width(without)) return t;
  throw DTypeError("fori_loop: there must be an integer type that holds both bounds; got " + Aval(a, Dims{}).str() +
                       " and " + Aval(b, Dims{}).str() + ".",
                   "convert one of them with astype.");
}

}  // namespace

std::pair<Array, Array> loop_bounds(const Array& lower, const Array& upper, const SourceLocation& loc) {
  const LocationScope scope(loc, "fori_loop");
  for (const Array* a : {&lower, &upper}) {
    const std::string what = a == &lower ? "fori_loop: the lower bound" : "fori_loop: the upper bound";
    if (!a->defined()) throw DTypeError(what + " must be an integer; got none.");
    if (category(a->dtype()) != Category::kInteger)
      throw DTypeError(what + " must be an integer; got " + a->aval().str() + ".");
    if (a->ndim() != 0) throw ShapeError(what + " must be a scalar; got " + a->aval().str() + ".");
  }
  const DType wide = holding_both(lower.dtype(), upper.dtype());
  const auto in = [&](const Array& a) { return a.dtype() == wide ? a : lax::convert(a, wide); };
  return {in(lower), in(upper)};
}

// ---- associative_scan ----

Arrays associative_scan(Combine combine, std::span<const Array> elements, const std::vector<std::string>& paths,
                        bool reverse, int axis, const SourceLocation& loc) {
  if (elements.empty()) return {};
  std::optional<std::int64_t> length;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const LocationScope scope(loc, "associative_scan");
    const Array& x = elements[i];
    const int at = axis < 0 ? axis + x.ndim() : axis;
    if (at < 0 || at >= x.ndim())
      throw IndexError("associative_scan: the axis must be one of every array; got axis " + std::to_string(axis) +
                       " for " + with_path("elements", paths, i) + " of type " + x.aval().str() + ".");
    const std::int64_t n = x.shape()[static_cast<std::size_t>(at)];
    if (length && n != *length)
      throw ShapeError("associative_scan: arrays must be of one length along the axis, " + std::to_string(*length) +
                       "; got " + with_path("elements", paths, i) + " of type " + x.aval().str() + ".");
    length = n;
  }
  // A negative axis is a different one of arrays of different ranks; in front it is the same of all.
  const auto moved = [&](const Array& x, bool back) {
    const int at = axis < 0 ? axis + x.ndim() : axis;
    if (at == 0) return x;
    Dims order;
    for (int i = 0; i < x.ndim(); ++i) order.push_back(i);
    if (back) {
      order.erase(order.begin());
      order.insert(order.begin() + at, 0);
    } else {
      order.erase(order.begin() + at);
      order.insert(order.begin(), at);
    }
    return lax::transpose(x, order);
  };
  Arrays xs;
  for (const Array& x : elements) {
    const Array front = moved(x, false);
    xs.push_back(reverse ? lax::reverse(front, Dims{0}) : front);
  }
  // The function sees the arrays as they were given.
  const auto in_place = [&](std::span<const Array> a, std::span<const Array> b, Arrays& outs) {
    Arrays p, q, results;
    for (const Array& x : a) p.push_back(moved(x, true));
    for (const Array& x : b) q.push_back(moved(x, true));
    combine(p, q, results);
    const LocationScope scope(loc, "associative_scan");
    for (std::size_t i = 0; i < results.size(); ++i) {
      check_same_type(p[i].aval(), results[i].aval(), "associative_scan: the function must return what it takes",
                      with_path("elements", paths, i) + " going in as", "coming out as");
      outs.push_back(moved(results[i], false));
    }
  };
  Arrays ys = prefixes(in_place, xs, *length);
  for (Array& y : ys) y = moved(reverse ? lax::reverse(y, Dims{0}) : y, true);
  return ys;
}

}  // namespace weft::api

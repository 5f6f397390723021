// Operations of CHLO, and MHLO's that have no successor, as what their dialects say they mean.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "weft/control/programs.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

// chlo.cosh of f32 near 0 by the formula that CHLO defines it to be lowered to: a program must compute what its
// producer saw, and up to 16 that is within 5 units in the last place of the true value. Further out the formula loses
// the more of log(1/2) the larger x is, up to 25 units; there, and in f64, lax says what the program means.
void Importer::chlo_cosh(const Op& op, Operands operands, Results& results) {
  const Array x = single(op, operands, 0);
  need_operands(op, 1);
  if (x.dtype() != f32) return give(op, lax::cosh(x), results);
  const double log_half = -0.693147180559945309417;
  const Array near = lax::lt(lax::abs(x), 16.0);
  const Array z = lax::select(near, x, lax::full(x.shape(), Scalar(0.0), f32));
  const Array up = lax::exponential(lax::add(z, log_half));
  const Array down = lax::exponential(lax::add(lax::negate(z), log_half));
  give(op, lax::select(near, lax::add(up, down), lax::cosh(x)), results);
}

// chlo.broadcast_<op>: operands are brought to the result's shape; the axes of one of lower rank are its last, or
// `broadcast_dimensions`.
void Importer::chlo_broadcast(const Op& op, Operands operands, Results& results) {
  const Aval result = this->result(op);
  const auto rank = static_cast<std::size_t>(result.ndim());
  Arrays args;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Array x = single(op, operands, i);
    const auto r = static_cast<std::size_t>(x.ndim());
    if (r > rank)
      fail(op,
           "an operand may not have more axes than the result; got " + x.aval().str() + " for " + result.str() + ".");
    if (same_dims(x.shape(), result.shape())) {
      args.push_back(x);
      continue;
    }
    Dims axes(r);
    std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(rank - r));
    if (r < rank && reader(op).has("broadcast_dimensions")) axes = reader(op).dims("broadcast_dimensions");
    args.push_back(lax::broadcast_in_dim(x, result.shape(), axes));
  }
  const std::string base = op.name.substr(std::string_view("chlo.broadcast_").size());
  const Operation* row = operation_named("stablehlo." + base);
  if (!row) row = operation_named("chlo." + base);
  if (!row) refuse(op, std::string(reason_of_unknown(op.name)) + ".");
  if (base == "compare" && read_comparison(reader(op)).weak_order)
    for (Array& a : args) a = in_weak_order(a);
  ir::Avals in = avals_of(args);
  const ir::Params params =
      row->read ? row->read(AttributeReader(module_, op, in, std::span<const Aval>(&result, 1))) : ir::Params();
  give(op, bind_all(row->op, params, args), results);
}

// w with asin(z) = atan2(re z, re w) + i sign(im z) im w, and acos(z) alike. With v = |im asin(z)| and a = cosh(v),
// half the sum of the distances r and s of z from -1 and 1,
//   re w = sqrt(a^2 - x^2) = sqrt((a + x) (a - x)),   im w = v,   where z = +-x +- iy,
// and a - x is a sum of positive terms, by which nothing cancels (Hull, Fairgrieve & Tang, 1997).
void Importer::chlo_asin_acos_kernel(const Op& op, Operands operands, Results& results) {
  const Array z = single(op, operands, 0);
  if (!is_complex(z.dtype())) fail(op, "the operand must be complex; got " + z.aval().str() + ".");
  const Array x = lax::abs(lax::real(z)), y = lax::abs(lax::imag(z));
  const Array right = lax::add(x, 1.0), left = lax::subtract(x, 1.0);
  const Array r = lax::abs(lax::complex(right, y)), s = lax::abs(lax::complex(left, y));
  const Array a = lax::multiply(lax::add(r, s), 0.5), half = lax::multiply(lax::add(a, x), 0.5);
  // Within the unit interval s - (x - 1) is such a sum; beyond it y^2 / (s + (x - 1)) is the same number.
  const Array first = lax::add(r, right);
  const Array inner =
      lax::sqrt(lax::multiply(half, lax::add(lax::divide(lax::multiply(y, y), first), lax::subtract(s, left))));
  const Array outer =
      lax::multiply(y, lax::sqrt(lax::add(lax::divide(half, first), lax::divide(half, lax::add(s, left)))));
  // Far out a^2 = x^2 + y^2, whose squares would overflow.
  const double far = z.dtype() == c64 ? std::sqrt(static_cast<double>(std::numeric_limits<float>::max())) / 8
                                      : std::sqrt(std::numeric_limits<double>::max()) / 8;
  const Array near = lax::select(lax::le(x, 1.0), inner, outer);
  const Array re = lax::select(lax::ge(lax::maximum(x, y), far), y, near);
  give(op, lax::complex(re, lax::abs(lax::imag(lax::asin(z)))), results);
}

// The `k` largest along the last axis in descending order and their positions, or the smallest in ascending order.
void Importer::top_k(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const Array x = single(op, operands, 0);
  const std::int64_t k = from.integer("k");
  if (from.boolean("largest", true)) {
    const auto [values, positions] = lax::top_k(x, k);
    return give(op, Arrays{values, positions}, results);
  }
  if (x.ndim() == 0 || k < 0 || k > x.shape().back())
    fail(op, "k must be in [0, size of the last axis]; got " + std::to_string(k) + " for " + x.aval().str() + ".");
  const Array pair[] = {x, lax::iota(i32, x.shape(), x.ndim() - 1)};
  const Arrays sorted = lax::sort(pair, x.ndim() - 1);
  Dims limit(x.shape());
  limit.back() = k;
  Arrays outs;
  for (const Array& all : sorted) outs.push_back(lax::slice(all, Dims(limit.size(), 0), limit));
  give(op, outs, results);
}

// ---- scan ----

namespace {

// The axis first; a scan goes over that one.
Array axis_to_front(const Array& x, std::int64_t axis) {
  if (axis == 0) return x;
  Dims permutation{axis};
  for (std::int64_t i = 0; i < x.ndim(); ++i)
    if (i != axis) permutation.push_back(i);
  return lax::transpose(x, permutation);
}

Array axis_from_front(const Array& x, std::int64_t axis) {
  if (axis == 0) return x;
  Dims permutation;
  for (std::int64_t i = 1; i < x.ndim(); ++i) permutation.push_back(i);
  permutation.insert(permutation.begin() + static_cast<std::ptrdiff_t>(axis), std::int64_t{0});
  return lax::transpose(x, permutation);
}

}  // namespace

// (outputs, carries) = body(slices, carries) for each slice of the inputs along `dimension`, from the last to the first
// when is_reverse; outputs are stacked along it.
void Importer::scan(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  need_regions(op, 1);
  const Dims sizes = from.dims("operandSegmentSizes"), kinds = from.dims("resultSegmentSizes");
  const auto all = static_cast<std::int64_t>(operands.size()), given = static_cast<std::int64_t>(op.results.size());
  if (sizes.size() != 2 || sizes[0] < 0 || sizes[1] < 0 || sizes[0] > all || sizes[1] != all - sizes[0])
    fail(op, "operandSegmentSizes must be how many inputs and carries there are; got [" + join(sizes, ", ") + "] for " +
                 count_str(all, "operand", "operands") + ".");
  if (kinds.size() != 2 || kinds[0] < 0 || kinds[0] > given || kinds[1] != given - kinds[0] || kinds[1] != sizes[1])
    fail(op, "resultSegmentSizes must be how many outputs there are, and as many carries as operands; got [" +
                 join(kinds, ", ") + "] for " + count_str(given, "result", "results") + ".");
  const auto inputs = static_cast<std::size_t>(sizes[0]), carries = static_cast<std::size_t>(sizes[1]);
  const std::int64_t axis = from.integer("dimension");
  const bool reverse = from.boolean("is_reverse", false);
  std::int64_t length = from.integer("scan_dim_size", -1);
  const Arrays args = tensors(op, operands);
  const ir::Avals body = computation_arguments(op, op.regions[0], args.size());
  Arrays xs;
  for (const Array& x : std::span<const Array>(args).first(inputs)) {
    const std::int64_t size = axis >= 0 && axis < x.ndim() ? x.aval().shape(static_cast<std::size_t>(axis)) : -1;
    if (size < 0 || (length >= 0 && size != length))
      fail(op, "inputs must have axis " + std::to_string(axis) + " of one size; got " + x.aval().str() + ".");
    length = size;
    xs.push_back(axis_to_front(x, axis));
  }
  if (length < 0) fail(op, "there must be an input, or scan_dim_size.");
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Aval expected = i < inputs ? xs[i].aval().with_shape(xs[i].aval().shape().subspan(1)) : args[i].aval();
    if (body[i] != expected)
      fail(op, "the body must take slices of the inputs and the carries; got " + body[i].str() + " for " +
                   expected.str() + ", argument " + std::to_string(i) + ".");
  }
  const Arrays initial(std::span<const Array>(args).subspan(inputs));
  Arrays outs;
  if (eager_ && evaluating() && length > 0) {
    outs = scan_now(op, xs, initial, length, reverse);
  } else {
    // Weft's body takes and gives carries first.
    ir::Avals types(std::span<const Aval>(body).subspan(inputs));
    types.append(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(inputs));
    const Staged staged = stage(
        [&](std::span<const Array> a, Arrays& ys) {
          Results lists;
          for (std::size_t i = 0; i < inputs; ++i) lists.push_back({a[carries + i]});
          for (std::size_t i = 0; i < carries; ++i) lists.push_back({a[i]});
          const Arrays returned = flat(run_region(op.regions[0], lists));
          if (static_cast<std::int64_t>(returned.size()) != given)
            fail(op, "the body must return a value per result; got " +
                         count_str(static_cast<std::int64_t>(returned.size()), "value", "values") + " for " +
                         std::to_string(given) + ".");
          const std::size_t outputs = returned.size() - carries;
          for (std::size_t i = 0; i < returned.size(); ++i) ys.push_back(returned[(i + outputs) % returned.size()]);
        },
        types, op.name);
    outs = lax::scan_(staged.jaxpr, staged.captured, initial, xs, length, reverse);
    std::ranges::rotate(outs, outs.begin() + static_cast<std::ptrdiff_t>(carries));
  }
  for (std::int64_t i = 0; i < kinds[0]; ++i) {
    Array& y = outs[static_cast<std::size_t>(i)];
    if (axis < 0 || axis >= y.ndim())
      fail(op, "outputs must have axis " + std::to_string(axis) + "; got slices of " + y.aval().str() + ".");
    y = axis_from_front(y, axis);
  }
  give(op, outs, results);
}

Arrays Importer::scan_now(const Op& op, std::span<const Array> xs, Arrays carry, std::int64_t length, bool reverse) {
  std::vector<Arrays> stacks;  // slices of each output, in order
  for (std::int64_t step = 0; step < length; ++step) {
    const std::int64_t at = reverse ? length - 1 - step : step;
    Results lists;
    for (const Array& x : xs) {
      Dims start(x.shape().size(), 0), limit(x.shape()), shape(x.aval().shape().subspan(1));
      start[0] = at;
      limit[0] = at + 1;
      lists.push_back({lax::reshape(lax::slice(x, start, limit), shape)});
    }
    for (const Array& c : carry) lists.push_back({c});
    Arrays returned = flat(run_region(op.regions[0], lists));
    if (returned.size() < carry.size())
      fail(op, "the body must return as many values as are carried; got " + std::to_string(returned.size()) + " for " +
                   std::to_string(carry.size()) + ".");
    const std::size_t outputs = returned.size() - carry.size();
    stacks.resize(outputs);
    for (std::size_t i = 0; i < outputs; ++i) {
      Dims shape{1};
      shape.append(returned[i].shape().begin(), returned[i].shape().end());
      stacks[i].push_back(lax::reshape(returned[i], shape));
    }
    carry = Arrays(std::span<const Array>(returned).subspan(outputs));
  }
  Arrays outs;
  for (Arrays& slices : stacks) {
    if (reverse) std::ranges::reverse(slices);
    outs.push_back(lax::concatenate(slices, 0));
  }
  outs.append(carry.begin(), carry.end());
  return outs;
}

}  // namespace weft::stablehlo

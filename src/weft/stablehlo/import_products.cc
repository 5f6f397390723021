// Products of arrays that are more than a dot_general: dot, einsum, ragged_dot. Each is written with operations that
// have derivatives, so it has them too.
#include <algorithm>
#include <map>
#include <numeric>

#include "weft/core/rules.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

bool has(DimSpan list, std::int64_t v) { return std::ranges::find(list, v) != list.end(); }

std::int64_t position(DimSpan list, std::int64_t v) { return std::ranges::find(list, v) - list.begin(); }

std::int64_t size_along(const Array& x, std::int64_t axis) { return x.aval().shape(static_cast<std::size_t>(axis)); }

}  // namespace

// dot contracts the last axis of the left operand with the first of the right.
void Importer::dot(const Op& op, Operands operands, Results& results) {
  need_operands(op, 2);
  Arrays factors = tensors(op, operands);
  widen_if_mixed(factors, result(op).dtype());
  const Array &x = factors[0], &y = factors[1];
  if (x.ndim() < 1 || x.ndim() > 2 || y.ndim() < 1 || y.ndim() > 2)
    fail(op, "operands must be vectors or matrices; got " + x.aval().str() + " and " + y.aval().str() + ".");
  DotDimensionNumbers d;
  d.lhs_contracting = {x.ndim() - 1};
  d.rhs_contracting = {0};
  give(op, lax::dot_general(x, y, d, result(op).dtype()), results);
}

// ---- einsum: "ab,bc->ac" ----

namespace {

// A label per axis: a letter, or kEllipsis + k for the axis of "..." that is k before its last.
using Labels = Dims;
constexpr std::int64_t kEllipsis = 256;

struct Einsum {
  std::vector<Labels> terms;
  Labels result;
};

// The labels of one term for an operand of `rank` axes; "..." stands for those that have no letter. nullopt when the
// term does not fit.
std::optional<Labels> labels_of(std::string_view term, std::int64_t rank) {
  Labels labels;
  const std::size_t dots = term.find("...");
  const auto letters = static_cast<std::int64_t>(term.size()) - (dots == std::string_view::npos ? 0 : 3);
  if (letters > rank || (dots == std::string_view::npos && letters != rank)) return std::nullopt;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (i == dots) {
      for (std::int64_t k = rank - letters; k-- > 0;) labels.push_back(kEllipsis + k);
      i += 2;
    } else if ((term[i] >= 'a' && term[i] <= 'z') || (term[i] >= 'A' && term[i] <= 'Z')) {
      labels.push_back(term[i]);
    } else {
      return std::nullopt;
    }
  }
  return labels;
}

// Without "->" the result has the axes of "...", then the letters that occur once, in order.
std::optional<Einsum> read_einsum(std::string_view config, std::span<const Array> xs) {
  std::string text;
  for (const char c : config)
    if (c != ' ') text += c;
  const std::size_t arrow = text.find("->");
  std::string_view rest = std::string_view(text).substr(0, arrow);
  Einsum e;
  std::int64_t broadcast = 0;
  std::map<std::int64_t, int> counts;
  for (const Array& x : xs) {
    const std::size_t comma = rest.find(',');
    // As many terms as operands.
    if ((comma == std::string_view::npos) != (&x == &xs.back())) return std::nullopt;
    const std::optional<Labels> labels = labels_of(rest.substr(0, comma), x.ndim());
    if (!labels) return std::nullopt;
    std::int64_t own = 0;
    for (const std::int64_t l : *labels) {
      own += l >= kEllipsis;
      ++counts[l];
    }
    broadcast = std::max(broadcast, own);
    e.terms.push_back(*labels);
    if (comma != std::string_view::npos) rest.remove_prefix(comma + 1);
  }
  if (arrow == std::string::npos) {
    for (std::int64_t k = broadcast; k-- > 0;) e.result.push_back(kEllipsis + k);
    for (const auto& [label, n] : counts)
      if (label < kEllipsis && n == 1) e.result.push_back(label);
    return e;
  }
  const std::string_view result = std::string_view(text).substr(arrow + 2);
  const bool dots = result.find("...") != std::string_view::npos;
  const std::optional<Labels> labels =
      labels_of(result, static_cast<std::int64_t>(result.size()) - (dots ? 3 - broadcast : 0));
  // The axes of "..." are never summed; each letter of the result is an operand's and occurs once.
  if (!labels || (broadcast > 0 && !dots)) return std::nullopt;
  for (std::size_t i = 0; i < labels->size(); ++i)
    if (!counts.contains((*labels)[i]) || has(DimSpan(*labels).first(i), (*labels)[i])) return std::nullopt;
  e.result = *labels;
  return e;
}

// y[..., i] = x[..., i, ..., i, ...]: the diagonal over axes `a` and `b`, last. The two axes become one of n^2, of
// which every (n + 1)st element is on the diagonal.
Array diagonal(const Array& x, std::int64_t a, std::int64_t b) {
  Dims order, shape;
  for (std::int64_t axis = 0; axis < x.ndim(); ++axis)
    if (axis != a && axis != b) {
      order.push_back(axis);
      shape.push_back(size_along(x, axis));
    }
  order.push_back(a);
  order.push_back(b);
  const std::int64_t n = size_along(x, a);
  shape.push_back(n * n);
  Dims strides(shape.size(), 1);
  strides.back() = n + 1;
  return lax::slice(lax::reshape(lax::transpose(x, order), shape), Dims(shape.size(), 0), shape, strides);
}

}  // namespace

// Letters of both operands and the result are batched, of both operands contracted, of one summed; a letter that an
// operand repeats means its diagonal; axes of "..." are batched from the last on and broadcast.
void Importer::einsum(const Op& op, Operands operands, Results& results) {
  const std::string config = reader(op).text("einsum_config");
  need_operands(op, op.name == "stablehlo.einsum" ? 2 : 1);
  Arrays xs = tensors(op, operands);
  widen_if_mixed(xs, result(op).dtype());
  std::optional<Einsum> e = read_einsum(config, xs);
  if (!e)
    fail(op,
         "einsum_config must have one term per operand, with a letter per axis or \"...\", and a result of their "
         "letters; got \"" +
             config + "\".");
  for (std::size_t i = 0; i < xs.size(); ++i) {
    Labels& term = e->terms[i];
    for (std::size_t a = 0; a < term.size();) {
      const auto b = static_cast<std::size_t>(position(DimSpan(term).subspan(a + 1), term[a])) + a + 1;
      if (b == term.size()) {
        ++a;
        continue;
      }
      const auto first = static_cast<std::int64_t>(a), second = static_cast<std::int64_t>(b);
      if (size_along(xs[i], first) != size_along(xs[i], second))
        fail(op, "axes of one letter must have equal sizes; got " + xs[i].aval().str() + " for \"" + config + "\".");
      xs[i] = diagonal(xs[i], first, second);
      const std::int64_t label = term[a];
      term.erase(term.begin() + second);
      term.erase(term.begin() + first);
      term.push_back(label);
    }
  }
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Labels other = xs.size() == 2 ? e->terms[1 - i] : Labels();
    Dims summed;
    Labels left;
    for (std::size_t a = 0; a < e->terms[i].size(); ++a) {
      const std::int64_t l = e->terms[i][a];
      // An axis of "..." of size 1 is the other's, whatever its size.
      const bool broadcast = l >= kEllipsis && has(other, l) && size_along(xs[i], static_cast<std::int64_t>(a)) == 1 &&
                             size_along(xs[1 - i], position(other, l)) != 1;
      if ((has(e->result, l) || has(other, l)) && !broadcast)
        left.push_back(l);
      else
        summed.push_back(static_cast<std::int64_t>(a));
    }
    if (!summed.empty()) xs[i] = lax::reduce_sum(xs[i], summed);
    e->terms[i] = left;
  }
  Array y = xs[0];
  Labels labels = e->terms[0];
  if (xs.size() == 2) {
    const Labels &lhs = e->terms[0], &rhs = e->terms[1];
    DotDimensionNumbers d;
    labels.clear();
    Labels rest;
    for (std::size_t a = 0; a < lhs.size(); ++a) {
      const auto axis = static_cast<std::int64_t>(a);
      if (!has(rhs, lhs[a])) {
        rest.push_back(lhs[a]);
      } else if (has(e->result, lhs[a])) {
        d.lhs_batch.push_back(axis);
        d.rhs_batch.push_back(position(rhs, lhs[a]));
        labels.push_back(lhs[a]);
      } else {
        d.lhs_contracting.push_back(axis);
        d.rhs_contracting.push_back(position(rhs, lhs[a]));
      }
    }
    for (const std::int64_t l : rhs)
      if (!has(lhs, l)) rest.push_back(l);
    labels.append(rest.begin(), rest.end());
    y = lax::dot_general(xs[0], xs[1], d, result(op).dtype());
  }
  Dims permutation;
  for (const std::int64_t l : e->result) permutation.push_back(position(labels, l));
  give(op, lax::transpose(y, permutation), results);
}

// ---- ragged_dot ----

namespace {

struct RaggedDot {
  DotDimensionNumbers dims;
  Dims ragged, group;
};

// #chlo.ragged_dot<...>, or a list of the six lists, as a custom call has it.
RaggedDot read_ragged_dot(const AttributeReader& from) {
  constexpr const char* name = "ragged_dot_dimension_numbers";
  const Attribute& a = from.required(name);
  RaggedDot r;
  if (a.kind == Attribute::Kind::kArray) {
    Dims* const lists[] = {&r.dims.lhs_batch,       &r.dims.rhs_batch, &r.dims.lhs_contracting,
                           &r.dims.rhs_contracting, &r.ragged,         &r.group};
    if (a.items.size() != std::size(lists)) from.mistyped(a, name, "#chlo.ragged_dot<...> or six lists");
    for (std::size_t i = 0; i < std::size(lists); ++i)
      *lists[i] = Dims(std::span<const std::int64_t>(dense_integers(from.module, a.items[i].value)));
    return r;
  }
  // MHLO has the four lists of a dot_general together.
  const AttributeFields f =
      from.fields(name, "ragged_dot",
                  {"lhs_batching_dimensions", "rhs_batching_dimensions", "lhs_contracting_dimensions",
                   "rhs_contracting_dimensions", "lhs_ragged_dimensions", "rhs_group_dimensions"},
                  {}, {"dot_dimension_numbers"});
  r.dims = {f.dims("lhs_contracting_dimensions"), f.dims("rhs_contracting_dimensions"),
            f.dims("lhs_batching_dimensions"), f.dims("rhs_batching_dimensions")};
  r.ragged = f.dims("lhs_ragged_dimensions");
  r.group = f.dims("rhs_group_dimensions");
  return r;
}

// inside[prefix..., i, g]: whether i is in group g, [start, start + size), of those that partition an axis of n
// elements. `sizes` has shape [prefix..., g].
Array membership(const Array& sizes, std::int64_t n) {
  const int last = sizes.ndim() - 1;
  const Array counts = lax::convert(sizes, i64);
  const Array ends = lax::cumsum(counts, last), starts = lax::subtract(ends, counts);
  Dims shape(sizes.shape()), axes(sizes.shape().size());
  shape.insert(shape.end() - 1, n);
  std::iota(axes.begin(), axes.end(), 0);
  ++axes.back();
  const Array i = lax::iota(i64, shape, last);
  return lax::and_(lax::ge(i, lax::broadcast_in_dim(starts, shape, axes)),
                   lax::lt(i, lax::broadcast_in_dim(ends, shape, axes)));
}

// x, along the axes that `inside` names, where it says so; zero elsewhere.
Array keep(const Array& inside, const Dims& axes, const Array& x) {
  return lax::select(lax::broadcast_in_dim(inside, x.shape(), axes), x, zeros_of(x.aval()));
}

}  // namespace

// A dot_general in which one axis of lhs is partitioned into g groups, whose sizes are given for each place along the
// axes before it. By what that axis is:
//
//   non-contracting   [b, m, k], [g, b, k, n], [b, g]  ->  [b, m, n]      rows of a group meet its own rhs
//   contracting       [b, m, k], [b, k, n],    [b, g]  ->  [g, b, m, n]   a product per group
//   batch             [b, m, k], [b, k, n],    [g]     ->  [b, m, n]
//
// What is in no group is zero. Products are computed for every group and then chosen from, so that what is not finite
// stays in its group.
void Importer::ragged_dot(const Op& op, Operands operands, Results& results) {
  need_operands(op, 3);
  const Array x = single(op, operands, 0), y = single(op, operands, 1);
  Array sizes = single(op, operands, 2);
  RaggedDot r = read_ragged_dot(reader(op));
  DotDimensionNumbers& d = r.dims;
  const auto check = [&](DimSpan axes, int rank) {
    for (const std::int64_t axis : axes)
      if (axis < 0 || axis >= rank) fail(op, "dimension numbers must be axes; got " + std::to_string(axis) + ".");
  };
  for (const Dims* list : {&d.lhs_batch, &d.lhs_contracting, &r.ragged}) check(*list, x.ndim());
  for (const Dims* list : {&d.rhs_batch, &d.rhs_contracting, &r.group}) check(*list, y.ndim());
  if (r.ragged.size() != 1) fail(op, "there must be one ragged axis; got " + shape_str(r.ragged) + ".");
  if (d.lhs_batch.size() != d.rhs_batch.size() || d.lhs_contracting.size() != d.rhs_contracting.size())
    fail(op, "there must be as many batching and contracting axes of lhs as of rhs; got " + shape_str(d.lhs_batch) +
                 " and " + shape_str(d.lhs_contracting) + " for " + shape_str(d.rhs_batch) + " and " +
                 shape_str(d.rhs_contracting) + ".");
  if (!is_integer(sizes.dtype()) || sizes.ndim() == 0)
    fail(op, "group sizes must be integers, with an axis of groups; got " + sizes.aval().str() + ".");
  const std::int64_t ragged = r.ragged[0], groups = sizes.shape().back();
  const bool batch = has(d.lhs_batch, ragged), contracting = has(d.lhs_contracting, ragged);
  if (r.group.size() != (batch || contracting ? 0u : 1u))
    fail(
        op,
        "there must be one group axis of rhs where the ragged axis is neither batched nor contracted, else none; got " +
            shape_str(r.group) + ".");
  if (!r.group.empty() && size_along(y, r.group[0]) != groups)
    fail(op, "there must be one part of rhs per group; got " + std::to_string(size_along(y, r.group[0])) + " for " +
                 count_str(groups, "group", "groups") + ".");

  Dims free;  // of lhs
  for (std::int64_t axis = 0; axis < x.ndim(); ++axis)
    if (!has(d.lhs_batch, axis) && !has(d.lhs_contracting, axis)) free.push_back(axis);
  // The axes of lhs that `inside` has, the ragged one last, and its shape's part before the groups.
  Dims axes;
  if (!batch) axes = d.lhs_batch;
  const Dims& kin = batch ? d.lhs_batch : contracting ? d.lhs_contracting : free;
  for (const std::int64_t axis : kin) {
    axes.push_back(axis);
    if (axis == ragged) break;
  }
  Dims shape;
  for (std::size_t i = 0; i + 1 < axes.size(); ++i) shape.push_back(size_along(x, axes[i]));
  shape.push_back(groups);
  if (sizes.ndim() == 1) sizes = lax::broadcast_in_dim(sizes, shape, Dims{static_cast<std::int64_t>(shape.size()) - 1});
  if (!same_dims(sizes.shape(), shape))
    fail(op, "group sizes must have shape " + shape_str(shape) + " or [" + std::to_string(groups) + "]; got " +
                 sizes.aval().str() + ".");
  const Array inside = membership(sizes, size_along(x, ragged));
  const int last = inside.ndim() - 1;

  if (contracting) {
    // Both sides once per group, only its own elements, and the groups batched.
    const auto per_group = [&](const Array& a, DimSpan of_lhs_batch, DimSpan of_lhs_contracting) {
      Dims wide{groups}, along(a.shape().size()), at;
      wide.append(a.shape().begin(), a.shape().end());
      std::iota(along.begin(), along.end(), 1);
      for (const std::int64_t axis : axes)
        at.push_back(1 + (has(d.lhs_batch, axis)
                              ? of_lhs_batch[static_cast<std::size_t>(position(d.lhs_batch, axis))]
                              : of_lhs_contracting[static_cast<std::size_t>(position(d.lhs_contracting, axis))]));
      at.push_back(0);
      return keep(inside, at, lax::broadcast_in_dim(a, wide, along));
    };
    const Array lhs = per_group(x, d.lhs_batch, d.lhs_contracting);
    const Array rhs = per_group(y, d.rhs_batch, d.rhs_contracting);
    for (Dims* list : {&d.lhs_batch, &d.rhs_batch, &d.lhs_contracting, &d.rhs_contracting})
      for (std::int64_t& axis : *list) ++axis;
    d.lhs_batch.insert(d.lhs_batch.begin(), 0);
    d.rhs_batch.insert(d.rhs_batch.begin(), 0);
    return give(op, lax::dot_general(lhs, rhs, d, result(op).dtype()), results);
  }

  // Where axes of lhs are in the product: batched ones first, then the free ones, then those of rhs.
  const Array z = lax::dot_general(x, y, d, result(op).dtype());
  Dims at;
  for (const std::int64_t axis : axes)
    at.push_back(has(d.lhs_batch, axis) ? position(d.lhs_batch, axis)
                                        : static_cast<std::int64_t>(d.lhs_batch.size()) + position(free, axis));
  if (batch) return give(op, keep(lax::reduce_or(inside, Dims{last}), at, z), results);
  auto group = static_cast<std::int64_t>(d.lhs_batch.size() + free.size());
  for (std::int64_t axis = 0; axis < r.group[0]; ++axis)
    group += !has(d.rhs_batch, axis) && !has(d.rhs_contracting, axis);
  at.push_back(group);
  give(op, lax::reduce_sum(keep(inside, at, z), Dims{group}), results);
}

}  // namespace weft::stablehlo

#include "weft/np/products.h"

#include <algorithm>
#include <map>

#include "weft/base/function_ref.h"
#include "weft/base/text.h"
#include "weft/np/promotion.h"
#include "weft/np/reductions.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"
#include "weft/ops/common.h"

namespace weft::np {

namespace {

// Both operands in their common dtype, shapes as they are.
std::pair<Array, Array> common_dtype(const Arg& x, const Arg& y) {
  const DType t = result_type({x, y});
  return {lax::convert(Arg(x.filled(t, {}), x.location()), t), lax::convert(y.filled(t, {}), t)};
}

void check_preferred(const char* op, DType operands, std::optional<DType> preferred) {
  if (preferred && category(*preferred) < category(operands))
    throw DTypeError(std::string(op) + ": the preferred dtype must hold the operands' kind of numbers; got " +
                     std::string(name(*preferred)) + " for " + std::string(name(operands)) + ".");
}

// With a 0-d operand there is nothing to sum, but the product has the preferred dtype all the same.
Array product_with_number(const Arg& x, const Arg& y, std::optional<DType> preferred) {
  if (!preferred) return multiply(x, y);
  check_preferred("dot", result_type({x, y}), preferred);
  return multiply(lax::convert(x, *preferred), lax::convert(y, *preferred));
}

Array dot_in(const Arg& x, const Arg& y, std::optional<DType> preferred) {
  const LocationScope scope(x.location(), "dot");
  if (x.shape().empty() || y.shape().empty()) return product_with_number(x, y, preferred);
  const auto [a, b] = common_dtype(x, y);
  return lax::dot_general(a, b, {{a.ndim() - 1}, {b.ndim() == 1 ? 0 : b.ndim() - 2}, {}, {}}, preferred);
}

Array matmul_in(const Arg& x, const Arg& y, std::optional<DType> preferred) {
  const LocationScope scope(x.location(), "matmul");
  auto [a, b] = common_dtype(x, y);
  if (a.ndim() == 0 || b.ndim() == 0)
    throw ShapeError(
        "matmul: operands must have at least one axis; got " + a.aval().str() + " and " + b.aval().str() + ".",
        "multiply by a number with *.");
  const std::int64_t k = a.shape(-1), l = b.shape(b.ndim() == 1 ? 0 : -2);
  if (k != l)
    throw ShapeError(
        "matmul: contracting sizes must match; lhs axis " + std::to_string(a.ndim() - 1) + " has " + std::to_string(k) +
            ", rhs axis " + std::to_string(b.ndim() == 1 ? 0 : b.ndim() - 2) + " has " + std::to_string(l) + " (lhs " +
            a.aval().str() + ", rhs " + b.aval().str() + ").",
        b.ndim() >= 2 && b.shape(-1) == k ? "rhs looks transposed; use matmul(x, swapaxes(y, -1, -2))." : "");
  if (a.ndim() <= 2 && b.ndim() <= 2)
    return lax::dot_general(a, b, {{a.ndim() - 1}, {b.ndim() == 1 ? 0 : b.ndim() - 2}, {}, {}}, preferred);
  // A lone matrix or vector on the right needs no batch: its axis is free.
  if (b.ndim() <= 2)
    return lax::dot_general(a, b, {{a.ndim() - 1}, {b.ndim() == 1 ? 0 : b.ndim() - 2}, {}, {}}, preferred);
  const bool vector_a = a.ndim() == 1;
  const DimSpan lead_a = vector_a ? DimSpan() : a.shape().first(static_cast<std::size_t>(a.ndim() - 2));
  const DimSpan lead_b = b.shape().first(static_cast<std::size_t>(b.ndim() - 2));
  if (!broadcastable(lead_a, lead_b))
    throw ShapeError("matmul: the axes before the last two must broadcast; got " + a.aval().str() + " and " +
                     b.aval().str() + ".");
  const Dims lead = broadcast_shapes("matmul", lead_a, lead_b);
  const auto widened = [&](const Array& m, bool vector) {
    Dims shape(lead);
    if (!vector) shape.push_back(m.shape(-2));
    shape.push_back(m.shape(-1));
    return broadcast_to(m, shape);
  };
  const Array p = vector_a ? a : widened(a, false), q = widened(b, false);
  const auto n = static_cast<std::int64_t>(lead.size());
  if (vector_a) {
    // [k] . [lead, k, m]: contract, the batch is free.
    return lax::dot_general(p, q, {{0}, {n}, {}, {}}, preferred);
  }
  Dims batch;
  for (std::int64_t i = 0; i < n; ++i) batch.push_back(i);
  return lax::dot_general(p, q, {{n + 1}, {n}, batch, batch}, preferred);
}

}  // namespace

Array dot(const Arg& x, const Arg& y) { return dot_in(x, y, {}); }
Array dot_as(const Arg& x, const Arg& y, DType preferred) { return dot_in(x, y, preferred); }
Array matmul(const Arg& x, const Arg& y) { return matmul_in(x, y, {}); }
Array matmul_as(const Arg& x, const Arg& y, DType preferred) { return matmul_in(x, y, preferred); }

Array tensordot(const Arg& x, const Arg& y, const ContractedAxes& axes, std::optional<DType> preferred) {
  const LocationScope scope(x.location(), "tensordot");
  const auto [a, b] = common_dtype(x, y);
  lax::DotDimensionNumbers d;
  for (const int i : axes.x) d.lhs_contracting.push_back(ops::normal_axis("tensordot", i, a.aval()));
  for (const int i : axes.y) d.rhs_contracting.push_back(ops::normal_axis("tensordot", i, b.aval()));
  return lax::dot_general(a, b, d, preferred);
}

Array tensordot(const Arg& x, const Arg& y, int axes, std::optional<DType> preferred) {
  const LocationScope scope(x.location(), "tensordot");
  const int rank = static_cast<int>(x.shape().size());
  if (axes < 0 || axes > rank || axes > static_cast<int>(y.shape().size()))
    throw ValueError("tensordot: the number of axes must be in [0, rank]; got " + std::to_string(axes) + " for " +
                     x.array().aval().str() + " and " + y.array().aval().str() + ".");
  std::vector<int> p, q;
  for (int i = 0; i < axes; ++i) {
    p.push_back(rank - axes + i);
    q.push_back(i);
  }
  return tensordot(x, y, p, q, preferred);
}

Array vdot(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "vdot");
  const Array a = x.array(), b = y.array();
  if (a.size() != b.size())
    throw ShapeError("vdot: operands must have equally many elements; got " + a.aval().str() + " and " +
                     b.aval().str() + ".");
  return dot(conj(ravel(x)), ravel(y));
}

Array inner(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "inner");
  if (x.shape().empty() || y.shape().empty()) return multiply(x, y);
  return tensordot(x, y, {{-1}, {-1}});
}

Array outer(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "outer");
  const auto [a, b] = common_dtype(x, y);
  const Dims shape{a.size(), b.size()};
  return lax::multiply(lax::broadcast_in_dim(ravel(a), shape, Dims{0}),
                       lax::broadcast_in_dim(ravel(b), shape, Dims{1}));
}

Array vecdot(const Arg& x, const Arg& y, Axis axis) {
  const LocationScope scope(x.location(), "vecdot");
  const auto [a, b] = promote("vecdot", x, y);
  const int d = ops::normal_axis("vecdot", axis, a.aval());
  if (x.shape().empty() || y.shape().empty() || moveaxis(x, axis, -1).shape(-1) != moveaxis(y, axis, -1).shape(-1))
    throw ShapeError("vecdot: both operands must have the axis, with one size; got axis " + std::to_string(axis) +
                     " of " + x.array().aval().str() + " and " + y.array().aval().str() + ".");
  Dims batch;
  for (int i = 0; i < a.ndim(); ++i)
    if (i != d) batch.push_back(i);
  return lax::dot_general(conj(a), b, {{d}, {d}, batch, batch});
}

Array kron(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "kron");
  const auto [a, b] = common_dtype(x, y);
  const std::size_t rank = std::max(a.shape().size(), b.shape().size());
  // [i, 1, j, 1] * [1, k, 1, l] -> [i, k, j, l] -> [i k, j l]
  Dims wide, a_dims, b_dims, shape;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t skip_a = rank - a.shape().size(), skip_b = rank - b.shape().size();
    const std::int64_t p = i < skip_a ? 1 : a.aval().shape(i - skip_a), q = i < skip_b ? 1 : b.aval().shape(i - skip_b);
    if (i >= skip_a) a_dims.push_back(static_cast<std::int64_t>(2 * i));
    if (i >= skip_b) b_dims.push_back(static_cast<std::int64_t>(2 * i + 1));
    wide.push_back(p);
    wide.push_back(q);
    shape.push_back(p * q);
  }
  return lax::reshape(lax::multiply(lax::broadcast_in_dim(a, wide, a_dims), lax::broadcast_in_dim(b, wide, b_dims)),
                      shape);
}

Array cross(const Arg& x, const Arg& y) {
  const LocationScope scope(x.location(), "cross");
  const auto [a, b] = promote("cross", x, y);
  if (x.shape().empty() || y.shape().empty() || x.shape().back() != 3 || y.shape().back() != 3)
    throw ShapeError("cross: the last axes must have size 3; got " + x.array().aval().str() + " and " +
                     y.array().aval().str() + ".");
  // (a1 b2 - a2 b1, a2 b0 - a0 b2, a0 b1 - a1 b0): by rotations of the axis.
  const auto turned = [](const Array& v, int by) { return roll(v, -by, -1); };
  return lax::subtract(lax::multiply(turned(a, 1), turned(b, 2)), lax::multiply(turned(a, 2), turned(b, 1)));
}

Array trace(const Arg& x, Integer offset, Axis axis1, Axis axis2) {
  const LocationScope scope(x.location(), "trace");
  return sum(diagonal(x, offset, axis1, axis2), -1);
}

// ---- einsum ----

namespace {

// Letters are themselves; the i-th axis from the right of an ellipsis is -1 - i.
using Labels = std::vector<int>;

struct Operand {
  Array array;
  Labels labels;
};

bool contains(const Labels& l, int v) { return std::find(l.begin(), l.end(), v) != l.end(); }

[[noreturn]] void malformed(std::string_view spec, const std::string& what) {
  throw ValueError("einsum: " + what + "; got \"" + std::string(spec) + "\".");
}

// The character at `i` as it can be printed: whole UTF-8 sequences, and bytes that are none by number.
std::string sign(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u; };
  const unsigned first = byte(i);
  if (first >= ' ' && first < 0x7f) return std::string("'") + text[i] + "'";
  std::size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  for (std::size_t k = 1; k < n; ++k)
    if ((byte(i + k) & 0xc0) != 0x80) n = 0;
  if (n > 0 && first < 0xf5) return "'" + std::string(text.substr(i, n)) + "'";
  constexpr const char* kDigits = "0123456789abcdef";
  return std::string("byte 0x") + kDigits[first >> 4] + kDigits[first & 15];
}

// Only letters, blanks and ellipses may stand in a term.
void check_signs(std::string_view spec, std::string_view term) {
  for (std::size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (c == ' ' || c == '.' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) continue;
    malformed(spec, "axes must be named by letters, not " + sign(term, i));
  }
}

// The labels of one term; `ellipsis` axes stand where the dots are.
Labels parse_term(std::string_view spec, std::string_view term, int ellipsis) {
  Labels labels;
  bool dots = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (c == ' ') continue;
    if (c == '.') {
      if (term.substr(i, 3) != "...") malformed(spec, "an ellipsis must have three dots");
      if (dots) malformed(spec, "a term must have at most one ellipsis");
      dots = true;
      for (int k = ellipsis; k-- > 0;) labels.push_back(-1 - k);
      i += 2;
    } else {
      labels.push_back(c);
    }
  }
  return labels;
}

std::string types_of(std::span<const Array> xs) {
  std::string s;
  for (const Array& x : xs) s += (s.empty() ? "" : ", ") + x.aval().str();
  return s;
}

std::size_t letters(std::string_view term) {
  return static_cast<std::size_t>(std::count_if(term.begin(), term.end(), [](char c) { return c != ' ' && c != '.'; }));
}

// Axis q of the operand runs along with axis p: keep the diagonal, as the last axis.
Operand take_diagonal(const Operand& x, std::size_t p, std::size_t q) {
  Operand r{diagonal(x.array, 0, static_cast<int>(p), static_cast<int>(q)), x.labels};
  const int label = r.labels[p];
  r.labels.erase(r.labels.begin() + static_cast<std::ptrdiff_t>(q));
  r.labels.erase(r.labels.begin() + static_cast<std::ptrdiff_t>(p));
  r.labels.push_back(label);
  return r;
}

// One operand alone: diagonals, and sums over labels that nobody else needs.
Operand simplify(Operand x, FunctionRef<bool(int)> needed, const std::map<int, std::int64_t>& sizes,
                 std::optional<DType> preferred) {
  for (std::size_t q = 0; q < x.labels.size();) {
    const auto p =
        static_cast<std::size_t>(std::find(x.labels.begin(), x.labels.end(), x.labels[q]) - x.labels.begin());
    if (p < q) {
      x = take_diagonal(x, p, q);
      q = 0;
    } else {
      ++q;
    }
  }
  Dims summed;
  Labels kept;
  Dims shape;
  for (std::size_t i = 0; i < x.labels.size(); ++i) {
    const std::int64_t n = x.array.aval().shape(i);
    // A broadcast axis of size 1 vanishes where another operand has more.
    const bool repeats = x.labels[i] < 0 && n == 1 && sizes.at(x.labels[i]) != 1;
    if (!needed(x.labels[i]) || repeats)
      summed.push_back(static_cast<std::int64_t>(i));
    else
      kept.push_back(x.labels[i]);
  }
  if (preferred && !summed.empty()) x.array = lax::convert(x.array, promote_types(x.array.dtype(), *preferred));
  return {lax::reduce_sum(x.array, summed), std::move(kept)};
}

Operand contract(const Operand& x, const Operand& y, FunctionRef<bool(int)> needed, std::optional<DType> preferred) {
  lax::DotDimensionNumbers d;
  Labels batch, free;
  for (std::size_t i = 0; i < x.labels.size(); ++i) {
    const int label = x.labels[i];
    const auto j = std::find(y.labels.begin(), y.labels.end(), label);
    if (j == y.labels.end()) {
      free.push_back(label);
    } else if (needed(label)) {
      d.lhs_batch.push_back(static_cast<std::int64_t>(i));
      d.rhs_batch.push_back(j - y.labels.begin());
      batch.push_back(label);
    } else {
      d.lhs_contracting.push_back(static_cast<std::int64_t>(i));
      d.rhs_contracting.push_back(j - y.labels.begin());
    }
  }
  for (const int label : y.labels)
    if (!contains(x.labels, label)) free.push_back(label);
  batch.insert(batch.end(), free.begin(), free.end());
  // Of different dtypes after an earlier step in the preferred one.
  const DType t = promote_types(x.array.dtype(), y.array.dtype());
  return {lax::dot_general(lax::convert(x.array, t), lax::convert(y.array, t), d, preferred), std::move(batch)};
}

}  // namespace

Array einsum(EinsumSpec specification, std::span<const Array> xs, std::optional<DType> preferred) {
  const LocationScope scope(specification.location, "einsum");
  const std::string_view spec = specification.text;
  if (xs.empty()) throw ValueError("einsum: there must be at least one operand; got none.");
  std::string_view inputs = spec, output;
  const auto arrow = spec.find("->");
  if (arrow != std::string_view::npos) {
    inputs = spec.substr(0, arrow);
    output = spec.substr(arrow + 2);
  }
  std::vector<std::string_view> terms;
  for (std::string_view rest = inputs;;) {
    const auto comma = rest.find(',');
    terms.push_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  for (const std::string_view term : terms) check_signs(spec, term);
  check_signs(spec, output);
  if (terms.size() != xs.size())
    throw ValueError("einsum: there must be one term per operand; got " +
                     count_str(static_cast<std::int64_t>(terms.size()), "term", "terms") + " in \"" +
                     std::string(spec) + "\" for " +
                     count_str(static_cast<std::int64_t>(xs.size()), "operand", "operands") + ".");

  DType t = xs[0].dtype();
  for (const Array& x : xs) t = promote_types(t, x.dtype());
  check_preferred("einsum", t, preferred);
  std::vector<Operand> operands;
  std::map<int, std::int64_t> sizes;
  int widest = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const bool dots = terms[i].find('.') != std::string_view::npos;
    const int extra = xs[i].ndim() - static_cast<int>(letters(terms[i]));
    if (extra < 0 || (extra > 0 && !dots))
      throw ShapeError("einsum: a term must name every axis of its operand; got \"" + std::string(terms[i]) +
                       "\" for " + xs[i].aval().str() + " in \"" + std::string(spec) + "\".");
    Labels labels = parse_term(spec, terms[i], dots ? extra : 0);
    widest = std::max(widest, dots ? extra : 0);
    for (std::size_t a = 0; a < labels.size(); ++a) {
      const std::int64_t n = xs[i].aval().shape(a);
      auto [it, added] = sizes.emplace(labels[a], n);
      if (added || it->second == n) continue;
      if (labels[a] < 0 && (n == 1 || it->second == 1)) {
        if (it->second == 1) it->second = n;
        continue;
      }
      const std::string which = labels[a] < 0 ? "..." : std::string(1, static_cast<char>(labels[a]));
      throw ShapeError("einsum: axes of one name must have equal sizes; got " + std::to_string(it->second) + " and " +
                       std::to_string(n) + " for '" + which + "' in \"" + std::string(spec) + "\" (operands " +
                       types_of(xs) + ").");
    }
    operands.push_back({lax::convert(xs[i], t), std::move(labels)});
  }
  Labels result;
  if (arrow != std::string_view::npos) {
    result = parse_term(spec, output, widest);
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (!sizes.count(result[i]))
        malformed(spec, std::string("every axis of the result must be in a term, unlike '") +
                            static_cast<char>(result[i]) + "'");
      if (std::count(result.begin(), result.end(), result[i]) > 1)
        malformed(spec, std::string("an axis must be in the result only once, unlike '") +
                            (result[i] < 0 ? "..." : std::string(1, static_cast<char>(result[i]))) + "'");
    }
  } else {
    for (int k = widest; k-- > 0;) result.push_back(-1 - k);
    for (const auto& [label, size] : sizes) {
      std::ptrdiff_t uses = 0;
      for (const Operand& x : operands) uses += std::count(x.labels.begin(), x.labels.end(), label);
      if (label > 0 && uses == 1) result.push_back(label);
    }
  }

  // From left to right, dropping each label as soon as nobody needs it.
  const auto needed_after = [&](std::size_t first) {
    return [&, first](int label) {
      if (contains(result, label)) return true;
      for (std::size_t i = first; i < operands.size(); ++i)
        if (contains(operands[i].labels, label)) return true;
      return false;
    };
  };
  Operand total = simplify(operands[0], needed_after(1), sizes, preferred);
  for (std::size_t i = 1; i < operands.size(); ++i) {
    const auto after = needed_after(i + 1);
    const Operand next = simplify(
        operands[i], [&](int label) { return after(label) || contains(total.labels, label); }, sizes, preferred);
    // Labels of the total that only the dropped (repeated) axes shared are summed by nobody else.
    total = contract(total, next, after, preferred);
    total = simplify(std::move(total), after, sizes, preferred);
  }
  Dims permutation, shape;
  Labels order;
  for (const int label : result) {
    shape.push_back(sizes.at(label));
    const auto at = std::find(total.labels.begin(), total.labels.end(), label);
    if (at != total.labels.end()) permutation.push_back(at - total.labels.begin());
  }
  const Array y = lax::convert(lax::transpose(total.array, permutation), preferred.value_or(t));
  return lax::reshape(y, shape);
}

}  // namespace weft::np

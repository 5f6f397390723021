// Rules about parts of arrays: slice, split, dynamic_slice, dynamic_update_slice, concatenate, pad. Each is headed by
// what it says. A slice goes through what only moves elements, whoever else uses that: there is no less to move. Going
// through what computes is a matter of who needs what (simplify_narrow.cc).
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_forms.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/elements.h"

namespace weft::compiler::simplifying {

namespace {

using Value = std::optional<Atom>;

// Concatenations of more operands than this are not taken apart, nor looked for in splits: a chain of them would be
// copied again and again.
constexpr std::size_t kMostJoined = 64;

bool same_literal(const Rewriter& to, Atom a, Atom b) {
  const Literal *x = to.literal(a), *y = to.literal(b);
  return x && y && same_element(*x, *y);
}

// A value as a window of another.
struct View {
  Atom of;
  Window window;
};
std::optional<View> view_of(const Rewriter& to, Atom a) {
  const Equation* e = to.producer(a);
  if (e && e->op == OpCode::kSlice) return View{e->operands[0], window_of(e->params_as<SliceParams>())};
  if (e && e->op == OpCode::kSplit && e->types.size() <= kMostJoined) {
    const Window w = window_of(e->params_as<SplitParams>(), a.index() - e->first, shape(to, e->operands[0]));
    return View{e->operands[0], w};
  }
  return std::nullopt;
}

// ---- slice ----

// x[literal] is a literal
Value slice_of_splat(Rewriter& to, const Equation& e) {
  const Literal* l = to.literal(e.operands[0]);
  return l ? Value(to.literal(reshaped(*l, e.types[0]))) : std::nullopt;
}

// x[all] = x; a window that is written in another way
Value slice_of_all(Rewriter& to, const Equation& e) {
  const auto& p = e.params_as<SliceParams>();
  const Window w = window_of(p);
  if (is_whole(w, shape(to, e.operands[0]))) return e.operands[0];
  const SliceParams usual = slice_params(w);
  const bool same =
      p.start_indices == usual.start_indices && p.limit_indices == usual.limit_indices && p.strides == usual.strides;
  return same ? std::nullopt : Value(slice(to, e.operands[0], w));
}

// x[v][w] = x[v o w]
Value slice_of_view(Rewriter& to, const Equation& e) {
  const auto view = view_of(to, e.operands[0]);
  if (!view) return std::nullopt;
  return slice(to, view->of, within(view->window, window_of(e.params_as<SliceParams>())));
}

// f(x)[w] = f(x[v])
Value slice_of_moved(Rewriter& to, const Equation& e) {
  const Equation* inner = to.producer(e.operands[0]);
  if (!inner) return std::nullopt;
  const bool joins = inner->op == OpCode::kConcatenate || inner->op == OpCode::kPad;
  const bool moves = inner->op == OpCode::kBroadcastInDim || inner->op == OpCode::kReshape ||
                     inner->op == OpCode::kTranspose || inner->op == OpCode::kReverse;
  if (!joins && !moves) return std::nullopt;
  Avals in;
  for (const Atom a : inner->operands) in.push_back(to.aval(a));
  const auto narrow = narrowed(inner->op, inner->params, in, inner->types[0], window_of(e.params_as<SliceParams>()));
  // Of what is joined, one part must hold it all: else there would be more to move.
  if (!narrow || (joins && !narrow->moves_only)) return std::nullopt;
  const Atom part = slice(to, inner->operands[narrow->parts[0].operand], narrow->parts[0].window);
  return narrow->moves_only ? part : to.make(narrow->op, narrow->params, {part});
}

// ---- windows whose place is known ----

// Where the window along `axis` starts, when that is known: it is moved so that it fits.
std::optional<std::int64_t> known_start(const Rewriter& to, Atom start, std::int64_t size, std::int64_t window) {
  if (size == window) return 0;
  const Literal* l = to.literal(start);
  if (!l) return std::nullopt;
  return std::clamp<std::int64_t>(integer_element(l->aval.dtype(), l->value.data()), 0, size - window);
}

// x[i, j] of a window that takes the axis of j whole: j is 0. `first` is the operand of the first start.
Value with_idle_starts(Rewriter& to, const Equation& e, std::size_t first, DimSpan window) {
  Atoms operands = e.operands;
  for (std::size_t i = 0; i < window.size(); ++i)
    if (window[i] == shape(to, e.operands[0])[i])
      operands[first + i] = to.literal(number(to.aval(operands[first + i]), 0));
  return operands == e.operands ? std::nullopt : Value(to.make(e.op, e.params, operands));
}

// dynamic_slice(x, 1, 2) = x[1 + ..., 2 + ...]
Value dynamic_slice_at_known(Rewriter& to, const Equation& e) {
  Window w;
  for (std::size_t i = 0; i < e.types[0].shape().size(); ++i) {
    const std::int64_t size = e.types[0].shape(i);
    const auto start = known_start(to, e.operands[1 + i], shape(to, e.operands[0])[i], size);
    if (!start) return std::nullopt;
    w.push_back({*start, size, 1});
  }
  return slice(to, e.operands[0], w);
}

Value dynamic_slice_with_idle_starts(Rewriter& to, const Equation& e) {
  return with_idle_starts(to, e, 1, e.types[0].shape());
}

// dynamic_slice(literal) is a literal
Value dynamic_slice_of_splat(Rewriter& to, const Equation& e) { return slice_of_splat(to, e); }

// x with all of it replaced by y is y; with nothing of it replaced, or equals by equals, x
Value update_of_all_or_nothing(Rewriter& to, const Equation& e) {
  const Aval update = to.aval(e.operands[1]);
  if (update == e.types[0]) return e.operands[1];
  return update.size() == 0 || same_literal(to, e.operands[0], e.operands[1]) ? Value(e.operands[0]) : std::nullopt;
}

Value update_with_idle_starts(Rewriter& to, const Equation& e) {
  return with_idle_starts(to, e, 2, shape(to, e.operands[1]));
}

// ---- concatenate ----

// Whether `b` goes on where `a` ends, along axis `d`; then `a` becomes both.
bool joined(std::optional<View>& a, const std::optional<View>& b, std::size_t d) {
  if (!a || !b || a->of != b->of) return false;
  Window both = a->window;
  const Range& next = b->window[d];
  both[d].size += next.size;
  Window ends = both;
  ends[d] = next;
  const bool goes_on = next.start == a->window[d].start + a->window[d].size * a->window[d].stride;
  if (!goes_on || next.stride != both[d].stride || ends != b->window) return false;
  a->window = both;
  return true;
}

// concatenate(concatenate(x, y), z) = concatenate(x, y, z); what lies beside each other in one array is one part; what
// is empty is none; concatenate(x) = x
Value concatenate_fewer(Rewriter& to, const Equation& e) {
  const std::int64_t dimension = e.params_as<ConcatenateParams>().dimension;
  const auto d = static_cast<std::size_t>(dimension);
  Atoms flat;
  for (const Atom a : e.operands) {
    const Equation* inner = to.definition(a, OpCode::kConcatenate);
    if (inner && inner->params_as<ConcatenateParams>().dimension == dimension && to.used_once(a) &&
        inner->operands.size() <= kMostJoined && flat.size() <= kMostJoined)
      flat.append(inner->operands.begin(), inner->operands.end());
    else
      flat.push_back(a);
  }
  Atoms parts;
  std::optional<View> last;  // the last of them as a view
  for (const Atom a : flat) {
    if (to.aval(a).shape(d) == 0) continue;
    const std::optional<View> view = view_of(to, a);
    if (!parts.empty() && joined(last, view, d)) {
      parts.back() = slice(to, last->of, last->window);
    } else if (!parts.empty() && same_literal(to, parts.back(), a)) {
      Dims sum(shape(to, a));
      sum[d] += shape(to, parts.back())[d];
      parts.back() = to.literal(reshaped(*to.literal(a), to.aval(a).with_shape(sum)));
    } else {
      parts.push_back(a);
      last = view;
    }
  }
  if (parts == e.operands && parts.size() > 1) return std::nullopt;
  return parts.size() == 1 ? parts[0] : to.make(OpCode::kConcatenate, e.params, parts);
}

// ---- pad ----

// pad(x) = x by nothing; pad(x, y) = broadcast(y) of nothing; pad(literal, same literal) is a literal
Value pad_in_vain(Rewriter& to, const Equation& e) {
  const Atom x = e.operands[0], value = e.operands[1];
  const auto& p = e.params_as<PadParams>();
  const Dims none(p.low.size(), 0);
  if (p.low == none && p.high == none && (p.interior == none || to.aval(x).size() <= 1)) return x;
  if (same_literal(to, x, value)) return to.literal(reshaped(*to.literal(x), e.types[0]));
  return to.aval(x).size() == 0 ? Value(broadcast(to, value, e.types[0].shape(), {})) : std::nullopt;
}

constexpr RuleOf kRules[] = {
    {OpCode::kSlice, slice_of_splat},
    {OpCode::kSlice, slice_of_all},
    {OpCode::kSlice, slice_of_view},
    {OpCode::kSlice, slice_of_moved},
    {OpCode::kDynamicSlice, dynamic_slice_of_splat},
    {OpCode::kDynamicSlice, dynamic_slice_at_known},
    {OpCode::kDynamicSlice, dynamic_slice_with_idle_starts},
    {OpCode::kDynamicUpdateSlice, update_of_all_or_nothing},
    {OpCode::kDynamicUpdateSlice, update_with_idle_starts},
    {OpCode::kConcatenate, concatenate_fewer},
    {OpCode::kPad, pad_in_vain},
};

}  // namespace

std::span<const RuleOf> part_rules() { return kRules; }

}  // namespace weft::compiler::simplifying

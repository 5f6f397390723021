#include "weft/control/counted_loop.h"

#include <algorithm>
#include <unordered_map>

#include "weft/control/counting.h"
#include "weft/core/rules.h"
#include "weft/core/stage.h"
#include "weft/ir/builder.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"
#include "weft/ops/lax.h"

namespace weft::control {

namespace {

// What becomes of a carried value of the while.
enum class Role : std::uint8_t {
  kCarried,
  kUnchanged,  // a capture
  kCounter,    // nothing, since its value in the end is known, as long as no equation needs it
  kStacked,    // a result of the scan's steps, one row each
};

// Rows of an array that steps read or write one by one, and the equation that does.
struct Rows {
  const ir::Eqn* eqn;
  std::size_t input;   // of the body: the array
  std::int64_t first;  // the lowest row
};

class CountedLoop {
 public:
  CountedLoop(const ir::Jaxpr& body, Counting counting);

  Arrays run(std::span<const Array> operands) const;

 private:
  std::size_t num_consts() const { return body_.num_consts(); }
  std::size_t num_carried() const { return roles_.size(); }
  std::optional<Rows> rows(const ir::Eqn& e, ir::Atom array, std::size_t first_start, DimSpan sizes);
  void find_read_rows();
  void find_written_rows();
  ir::Jaxpr body_of_scan() const;
  Arrays results(std::span<const Array> carry, std::span<const Array> of_scan) const;

  ir::Jaxpr body_;
  Counting counting_;
  Progressions known_;                        // by variable of the body
  std::optional<bool> reverse_;               // once some rows have decided it
  std::vector<Role> roles_;                   // by carried value
  std::vector<Rows> read_;                    // what is scanned over, in the order of the body
  std::vector<std::optional<Rows>> written_;  // by carried value: of those that are stacked
  ir::Jaxpr scan_;                            // its body
};

CountedLoop::CountedLoop(const ir::Jaxpr& body, Counting counting)
    : body_(ir::dce(body)), counting_(std::move(counting)), roles_(body_.outputs().size(), Role::kCarried) {
  known_ = progressions(body_, counting_.inputs, counting_.length);
  for (std::size_t k = 0; k < num_carried(); ++k) {
    if (body_.outputs()[k] == ir::Atom::var(static_cast<ir::Var>(num_consts() + k)))
      roles_[k] = Role::kUnchanged;
    else if (counting_.inputs[num_consts() + k])
      roles_[k] = Role::kCounter;
  }
  find_read_rows();
  find_written_rows();
  // A counter that something needs is carried, and may need others.
  for (bool grown = true; grown;) {
    grown = false;
    scan_ = body_of_scan();
    std::vector<bool> used(scan_.num_inputs(), false);
    const auto use = [&](ir::Atom a) {
      if (!a.is_literal() && a.index() < used.size()) used[a.index()] = true;
    };
    for (const ir::Eqn& e : scan_.eqns()) std::ranges::for_each(scan_.operands(e), use);
    std::ranges::for_each(scan_.outputs(), use);
    std::size_t next = num_consts();
    for (Role& role : roles_) {
      const bool is_const = role == Role::kUnchanged || role == Role::kCounter;
      if (is_const && used[next++] && role == Role::kCounter) {
        role = Role::kCarried;
        grown = true;
      }
    }
  }
}

// ---- rows ----

// Whether the slice of `sizes` of `array` that begins at the operands of `e` from `first_start` is the next row, or the
// one before, at every step, in the direction of the rows found so far.
std::optional<Rows> CountedLoop::rows(const ir::Eqn& e, ir::Atom array, std::size_t first_start, DimSpan sizes) {
  if (array.is_literal() || array.index() >= body_.num_inputs() || sizes.empty() || sizes[0] != 1) return std::nullopt;
  const DimSpan shape = body_.aval(array).shape();
  // Starts move to where the slice fits: along axes that it has whole, to 0.
  if (!std::ranges::equal(shape.subspan(1), sizes.subspan(1))) return std::nullopt;
  const ir::Atom start = body_.operands(e)[first_start];
  if (start.is_literal() || !known_[start.index()]) return std::nullopt;
  const Progression row = *known_[start.index()];
  const std::int64_t last = row.at(counting_.length - 1), lowest = std::min(row.start, last);
  if ((row.stride != 1 && row.stride != -1) || lowest < 0 || std::max(row.start, last) >= shape[0]) return std::nullopt;
  if (reverse_.value_or(row.stride < 0) != (row.stride < 0)) return std::nullopt;
  reverse_ = row.stride < 0;
  return Rows{&e, array.index(), lowest};
}

void CountedLoop::find_read_rows() {
  for (const ir::Eqn& e : body_.eqns()) {
    if (e.op != OpCode::kDynamicSlice) continue;
    const ir::Atom array = body_.operands(e)[0];
    const bool is_carried = !array.is_literal() && array.index() >= num_consts() &&
                            array.index() < body_.num_inputs() &&
                            roles_[array.index() - num_consts()] != Role::kUnchanged;
    if (is_carried) continue;
    if (const auto r = rows(e, array, 1, ir::params_as<DynamicSliceParams>(e.params).slice_sizes)) read_.push_back(*r);
  }
}

// A carried array whose only use is that a row of it is replaced.
void CountedLoop::find_written_rows() {
  std::vector<int> uses(body_.num_vars(), 0);
  const auto count = [&](ir::Atom a) {
    if (!a.is_literal()) ++uses[a.index()];
  };
  for (const ir::Eqn& e : body_.eqns()) std::ranges::for_each(body_.operands(e), count);
  std::ranges::for_each(body_.outputs(), count);
  written_.resize(num_carried());
  for (std::size_t k = 0; k < num_carried(); ++k) {
    const ir::Eqn* e = definition(body_, body_.outputs()[k]);
    const auto input = static_cast<ir::Var>(num_consts() + k);
    if (!e || e->op != OpCode::kDynamicUpdateSlice || body_.operands(*e)[0] != ir::Atom::var(input) ||
        uses[input] != 1 || uses[e->out_begin] != 1)
      continue;
    written_[k] = rows(*e, body_.operands(*e)[0], 2, body_.aval(body_.operands(*e)[1]).shape());
    if (written_[k]) roles_[k] = Role::kStacked;
  }
}

// ---- the scan ----

// Constants are those of the body, then carried values that are not carried any more; the counters among them must
// turn out to be needed by no equation.
ir::Jaxpr CountedLoop::body_of_scan() const {
  ir::JaxprBuilder builder;
  std::vector<ir::Var> consts, inputs;
  std::vector<ir::Atom> renamed(body_.num_vars(), ir::Atom::var(0)), outputs, stacked;
  const auto input = [&](std::size_t i, std::vector<ir::Var>& list) {
    list.push_back(builder.add_var(body_.aval(static_cast<ir::Var>(i))));
    renamed[i] = ir::Atom::var(list.back());
  };
  for (std::size_t i = 0; i < num_consts(); ++i) input(i, consts);
  for (std::size_t k = 0; k < num_carried(); ++k) {
    if (roles_[k] == Role::kUnchanged || roles_[k] == Role::kCounter) input(num_consts() + k, consts);
    if (roles_[k] == Role::kCarried) input(num_consts() + k, inputs);
  }
  const auto use = [&](ir::Atom a) {
    return a.is_literal() ? builder.add_literal(body_.literal(a)) : renamed[a.index()];
  };
  const auto reshaped = [&](ir::Atom a, Aval type, const ir::Eqn& e) {
    return ir::Atom::var(builder.add_eqn(OpCode::kReshape, ir::make_params(ReshapeParams{Dims(type.shape())}),
                                         std::span(&a, 1), std::span(&type, 1), e.location, e.scope));
  };
  const auto row_type = [](Aval a) { return a.with_shape(a.shape().subspan(1)); };
  // A row of x as the scan has it, without the axis of size 1 that a slice keeps, by the variable that is the slice.
  std::unordered_map<ir::Var, ir::Atom> rows_read;
  for (const Rows& r : read_) {
    inputs.push_back(builder.add_var(row_type(body_.aval(r.eqn->out_begin))));
    rows_read.emplace(r.eqn->out_begin, ir::Atom::var(inputs.back()));
  }
  // An update without its first axis: what it was before it got that, if it shows.
  const auto row_written = [&](const Rows& r) {
    const ir::Atom update = body_.operands(*r.eqn)[1];
    const Aval type = row_type(body_.aval(update));
    if (!update.is_literal())
      if (const auto row = rows_read.find(update.index()); row != rows_read.end()) return row->second;
    if (const ir::Eqn* e = definition(body_, update);
        e && (e->op == OpCode::kReshape || e->op == OpCode::kBroadcastInDim)) {
      const ir::Atom before = body_.operands(*e)[0];
      bool in_order = body_.aval(before) == type;
      if (e->op == OpCode::kBroadcastInDim) {
        const Dims& axes = ir::params_as<BroadcastInDimParams>(e->params).broadcast_dimensions;
        for (std::size_t i = 0; i < axes.size(); ++i) in_order &= axes[i] == static_cast<std::int64_t>(i) + 1;
      }
      if (in_order) return use(before);
    }
    return reshaped(use(update), type, *r.eqn);
  };

  const auto writes = [&](const ir::Eqn& e) {
    return std::ranges::any_of(written_, [&](const std::optional<Rows>& r) { return r && r->eqn == &e; });
  };

  SmallVector<ir::Atom, 4> operands;
  ir::Avals types;
  for (const ir::Eqn& e : body_.eqns()) {
    if (const auto row = rows_read.find(e.out_begin); row != rows_read.end() && e.op == OpCode::kDynamicSlice) {
      renamed[e.out_begin] = reshaped(row->second, body_.aval(e.out_begin), e);
      continue;
    }
    if (e.op == OpCode::kReshape && !body_.operands(e)[0].is_literal()) {
      const auto row = rows_read.find(body_.operands(e)[0].index());
      if (row != rows_read.end() && builder.aval(row->second.index()) == body_.aval(e.out_begin)) {
        renamed[e.out_begin] = row->second;
        continue;
      }
    }
    if (e.op == OpCode::kDynamicUpdateSlice && writes(e)) continue;
    operands.clear();
    types.clear();
    for (const ir::Atom a : body_.operands(e)) operands.push_back(use(a));
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) types.push_back(body_.aval(v));
    const ir::Var out = builder.add_eqn(e.op, e.params, operands, types, e.location, e.scope);
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) renamed[v] = ir::Atom::var(out + (v - e.out_begin));
  }
  for (std::size_t k = 0; k < num_carried(); ++k) {
    if (roles_[k] == Role::kCarried) outputs.push_back(use(body_.outputs()[k]));
    if (roles_[k] == Role::kStacked) stacked.push_back(row_written(*written_[k]));
  }
  outputs.insert(outputs.end(), stacked.begin(), stacked.end());
  return ir::dce(builder.build(consts, inputs, outputs));
}

// Rows `first` to `first + length` of x.
Array slab(const Array& x, std::int64_t first, std::int64_t length) {
  if (length == x.shape()[0]) return x;
  Dims start(x.shape().size(), 0), limit(x.shape());
  start[0] = first;
  limit[0] = first + length;
  return lax::slice(x, start, limit);
}

Array with_slab(const Array& x, std::int64_t first, const Array& rows) {
  if (rows.shape()[0] == x.shape()[0]) return rows;
  Arrays start(x.shape().size(), Array(std::int64_t{0}));
  start[0] = Array(first);
  return lax::dynamic_update_slice(x, rows, start);
}

Arrays CountedLoop::run(std::span<const Array> operands) const {
  const std::span<const Array> carry = operands.subspan(num_consts());
  if (scan_.outputs().empty() && !ir::has_effects(scan_)) return results(carry, {});
  Arrays consts(operands.first(num_consts())), inputs, outs;
  for (std::size_t k = 0; k < num_carried(); ++k) {
    if (roles_[k] == Role::kUnchanged || roles_[k] == Role::kCounter) consts.push_back(carry[k]);
    if (roles_[k] == Role::kCarried) inputs.push_back(carry[k]);
  }
  const auto num_carry = static_cast<std::int64_t>(inputs.size());
  for (const Rows& r : read_) inputs.push_back(slab(operands[r.input], r.first, counting_.length));
  // Staged again around its constants, so that those which are literals now become part of it, and those that it does
  // not need vanish.
  const ir::Avals types = scan_.input_avals();
  const Staged staged = stage(
      [&](std::span<const Array> in, Arrays& results) {
        Arrays args(consts);
        args.append(in.begin(), in.end());
        eval_jaxpr(scan_, args, results);
      },
      std::span<const Aval>(types).subspan(consts.size()), "while");
  Arrays all(staged.captured);
  all.append(inputs.begin(), inputs.end());
  bind(OpCode::kScan, ir::make_params(ScanParams{staged.jaxpr, counting_.length, num_carry, reverse_.value_or(false)}),
       all, outs);
  return results(carry, outs);
}

Arrays CountedLoop::results(std::span<const Array> carry, std::span<const Array> of_scan) const {
  std::size_t next_carried = 0, next_stacked = 0;
  for (const Role r : roles_) next_stacked += r == Role::kCarried;
  Arrays out;
  for (std::size_t k = 0; k < num_carried(); ++k) {
    switch (roles_[k]) {
      case Role::kCarried: out.push_back(of_scan[next_carried++]); break;
      case Role::kUnchanged: out.push_back(carry[k]); break;
      case Role::kCounter:
        out.push_back(
            Array::full({}, carry[k].dtype(), Scalar(counting_.inputs[num_consts() + k]->at(counting_.length))));
        break;
      case Role::kStacked: out.push_back(with_slab(carry[k], written_[k]->first, of_scan[next_stacked++])); break;
    }
  }
  return out;
}

}  // namespace

std::optional<Arrays> counted_loop(const ir::Jaxpr& cond, const ir::Jaxpr& body, std::span<const Array> operands,
                                   const std::vector<std::optional<std::int64_t>>& known) {
  if (ir::has_effects(cond)) return std::nullopt;
  const std::optional<Counting> counted = counting(cond, body, known);
  if (!counted) return std::nullopt;
  const std::span<const Array> of_body = operands.subspan(cond.num_consts());
  if (counted->length == 0) return Arrays(of_body.subspan(body.num_consts()));
  return CountedLoop(body, *counted).run(of_body);
}

}  // namespace weft::control

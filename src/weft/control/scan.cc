// scan[jaxpr, length, num_carry, reverse](consts..., carry..., xs...): carry, y = jaxpr(consts, carry, x) for each of
// the `length` slices x of xs along their first axis; the last carry, and the ys stacked along a new first axis.
// Which carried values have a tangent, are linear, or have a mapped axis is a fixpoint, as in while.cc.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "weft/base/loop_trail.h"
#include "weft/control/effects.h"
#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/control/spread.h"
#include "weft/ir/builder.h"
#include "weft/ir/interpret.h"
#include "weft/ir/prune.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"
#include "weft/transforms/vmap.h"

namespace weft {

using namespace control;

namespace {

Aval slice_type(Aval stacked) { return stacked.with_shape(stacked.shape().subspan(1)); }
Aval stacked_type(Aval slice, std::int64_t length) {
  Dims shape(slice.shape());
  shape.insert(shape.begin(), length);
  return slice.with_shape(shape);
}

// The parts of operands (also of the body's inputs) and of results (also of the body's outputs).
struct Scan {
  const ir::Jaxpr& body;
  std::int64_t length;
  bool reverse;
  std::size_t num_consts, num_carry, num_xs, num_ys;

  explicit Scan(const ScanParams& p)
      : body(p.jaxpr),
        length(p.length),
        reverse(p.reverse),
        num_consts(body.num_consts()),
        num_carry(static_cast<std::size_t>(p.num_carry)),
        num_xs(body.num_inputs() - num_consts - num_carry),
        num_ys(body.outputs().size() - num_carry) {}

  template <class T>
  std::span<T> consts(std::span<T> in) const {
    return in.first(num_consts);
  }
  template <class T>
  std::span<T> carry(std::span<T> in) const {
    return in.subspan(num_consts, num_carry);
  }
  template <class T>
  std::span<T> xs(std::span<T> in) const {
    return in.subspan(num_consts + num_carry);
  }
  // The slice that step `i` works on.
  std::int64_t at(std::int64_t i) const { return reverse ? length - 1 - i : i; }
};

void infer_scan(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ScanParams>(params);
  const std::size_t num_consts = num_captures("scan", "the body", p.jaxpr, in);
  if (p.length < 0) throw ValueError("scan: length must not be negative; got " + std::to_string(p.length) + ".");
  if (p.num_carry < 0 || static_cast<std::size_t>(p.num_carry) > in.size() - num_consts ||
      static_cast<std::size_t>(p.num_carry) > p.jaxpr.outputs().size())
    throw ValueError("scan: num_carry must count operands after the captured ones, and results of the body; got " +
                     std::to_string(p.num_carry) + " of " + std::to_string(in.size() - num_consts) +
                     " operands, and a body with " + std::to_string(p.jaxpr.outputs().size()) + " results.");
  const auto num_carry = static_cast<std::size_t>(p.num_carry);
  Avals types(in.first(num_consts + num_carry));
  for (const Aval x : in.subspan(num_consts + num_carry)) {
    if (x.ndim() == 0 || x.shape()[0] != p.length)
      throw ShapeError("scan: what is scanned over must have a first axis of the length " + std::to_string(p.length) +
                       "; got " + x.str() + ".");
    types.push_back(slice_type(x));
  }
  check_inputs("scan", "the body", p.jaxpr, types);
  Avals results = p.jaxpr.output_avals();
  for (std::size_t i = 0; i < num_carry; ++i) results[i] = types[num_consts + i];
  check_outputs("scan", "the body", p.jaxpr, results);
  for (std::size_t i = 0; i < results.size(); ++i)
    out.push_back(i < num_carry ? results[i] : stacked_type(results[i], p.length));
}

void eval_scan(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const Scan scan(ir::params_as<ScanParams>(params));
  const ir::BorrowedInterpreter body(scan.body);
  const auto copy = [](const void* from, void* to, Aval type) {
    if (type.size() > 0) std::memcpy(to, from, static_cast<std::size_t>(type.bytes()));
  };
  for (std::size_t i = 0; i < scan.num_consts; ++i) body->set_input(i, in[i].data);
  // The results hold the carry, from the beginning.
  for (std::size_t i = 0; i < scan.num_carry; ++i) {
    copy(in[scan.num_consts + i].data, out[i].data, out[i].aval);
    body->set_input(scan.num_consts + i, out[i].data);
  }
  LoopFrame frame("scan");
  for (std::int64_t step = 0; step < scan.length; ++step) {
    const std::int64_t at = scan.at(step);
    frame.at(at);
    for (std::size_t i = scan.num_consts + scan.num_carry; i < in.size(); ++i)
      body->set_input(i, static_cast<const std::byte*>(in[i].data) + at * slice_type(in[i].aval).bytes());
    body->run();
    for (std::size_t i = 0; i < scan.num_carry; ++i) copy(body->output(i), out[i].data, out[i].aval);
    for (std::size_t i = scan.num_carry; i < out.size(); ++i) {
      const Aval type = slice_type(out[i].aval);
      copy(body->output(i), static_cast<std::byte*>(out[i].data) + at * type.bytes(), type);
    }
  }
}

bool has_effects_scan(const ParamsBase* params) { return ir::has_effects(ir::params_as<ScanParams>(params).jaxpr); }

// A scan being put together: its operands, with the types of the body's inputs beside them.
struct Operands {
  Arrays consts, carry, xs;

  Arrays all() const {
    Arrays r(consts);
    r.append(carry.begin(), carry.end());
    r.append(xs.begin(), xs.end());
    return r;
  }
  Avals body_types() const {
    Avals r = avals_of(consts);
    for (const Array& a : carry) r.push_back(a.aval());
    for (const Array& a : xs) r.push_back(slice_type(a.aval()));
    return r;
  }
};

void bind_scan(const ir::Jaxpr& body, const Operands& operands, std::int64_t length, bool reverse, Arrays& outs) {
  bind(OpCode::kScan,
       ir::make_params(ScanParams{ir::with_num_consts(body, operands.consts.size()), length,
                                  static_cast<std::int64_t>(operands.carry.size()), reverse}),
       operands.all(), outs);
}

// Tangents of a scan's operands, and which of the body's inputs have one once those of the carry have spread.
struct Tangents {
  std::vector<bool> consts, carry, xs;

  std::vector<bool> mask() const {
    std::vector<bool> r(consts);
    r.insert(r.end(), carry.begin(), carry.end());
    r.insert(r.end(), xs.begin(), xs.end());
    return r;
  }
};

// A mask by input of the body.
Tangents parts_of(const Scan& scan, const std::vector<bool>& mask) {
  const auto part = [&](std::size_t from, std::size_t n) {
    const auto begin = mask.begin() + static_cast<std::ptrdiff_t>(from);
    return std::vector<bool>(begin, begin + static_cast<std::ptrdiff_t>(n));
  };
  return {part(0, scan.num_consts), part(scan.num_consts, scan.num_carry),
          part(scan.num_consts + scan.num_carry, scan.num_xs)};
}

// `operands`, by operand, and the carried values to which that spreads (spread.h).
Tangents spread_in(const Scan& scan, const std::vector<bool>& operands, const ir::Passage& passage,
                   FunctionRef<std::vector<bool>(const std::vector<bool>&)> of_results) {
  return parts_of(scan, spread({scan.body, scan.num_consts, scan.num_carry, passage}, operands, of_results));
}

// Appends the tangents that `mask` marks, zeros where the operand has none.
void append_masked(std::span<const Array> tangents, const std::vector<bool>& mask, std::span<const Array> primals,
                   Arrays& to) {
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) to.push_back(tangents[i].defined() ? tangents[i] : zeros_of(primals[i].aval()));
}

// ---- forward mode ----

void jvp_scan(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const Scan scan(call.params_as<ScanParams>());
  const Tangents mask = spread_in(scan, defined(tangents), passage_of_tangents(), [&](const std::vector<bool>& m) {
    return transforms::jvp_jaxpr(scan.body, m)->out_nonzero;
  });
  const auto jvp = transforms::jvp_jaxpr(scan.body, mask.mask());
  Operands operands{Arrays(scan.consts(call.args)), Arrays(scan.carry(call.args)), Arrays(scan.xs(call.args))};
  append_masked(scan.consts(tangents), mask.consts, scan.consts(call.args), operands.consts);
  append_masked(scan.carry(tangents), mask.carry, scan.carry(call.args), operands.carry);
  append_masked(scan.xs(tangents), mask.xs, scan.xs(call.args), operands.xs);
  const Avals types = scan.body.output_avals();
  const std::vector<bool> y_mask(jvp->out_nonzero.begin() + static_cast<std::ptrdiff_t>(scan.num_carry),
                                 jvp->out_nonzero.end());
  const ir::Jaxpr body =
      derive(scan.body, transforms::mask_key("scan_jvp", mask.mask()), operands.body_types(), operands.consts.size(),
             [&](std::span<const Array> in, Arrays& results) {
               // The jvp takes consts, carry, xs, then all tangents; here each part has its tangents behind it.
               const auto consts = take(in, scan.num_consts), const_tangents = take(in, count(mask.consts)),
                          carry = take(in, scan.num_carry), carry_tangents = take(in, count(mask.carry)),
                          xs = take(in, scan.num_xs), x_tangents = take(in, count(mask.xs));
               Arrays args, all;
               for (const auto part : {consts, carry, xs, const_tangents, carry_tangents, x_tangents})
                 append(args, part);
               eval_jaxpr(jvp->jaxpr, args, all);
               std::span<const Array> rest(all);
               append(results, take(rest, scan.num_carry));
               const auto ys = take(rest, scan.num_ys);
               std::vector<bool> have(jvp->out_nonzero.begin(),
                                      jvp->out_nonzero.begin() + static_cast<std::ptrdiff_t>(scan.num_carry));
               fill_zeros(take(rest, count(have)), have, mask.carry, types, results);
               append(results, ys);
               append(results, rest);
             });
  Arrays results;
  bind_scan(body, operands, scan.length, scan.reverse, results);
  std::span<const Array> rest(results);
  append(outs, take(rest, scan.num_carry));
  auto carry_tangents = take(rest, count(mask.carry));
  append(outs, take(rest, scan.num_ys));
  for (const bool m : mask.carry) out_tangents.push_back(m ? take(carry_tangents, 1)[0] : Array());
  for (const bool m : y_mask) out_tangents.push_back(m ? take(rest, 1)[0] : Array());
}

// ---- linearization ----

// Where a residual of the body's linearization comes from: what is the same in every step is computed once, what is a
// slice of an operand needs no copy, the rest is stacked.
struct Residuals {
  enum class Kind : std::uint8_t { kHoisted, kSlice, kStacked };
  std::vector<Kind> kinds;
  std::vector<std::size_t> xs;         // of kSlice: which of the xs
  std::vector<bool> hoisted, stacked;  // masks over the primal program's outputs

  Residuals(const Scan& scan, const transforms::LinearizedJaxpr& lin) {
    const ir::Jaxpr& primal = lin.primal;
    const std::size_t n = primal.outputs().size() - lin.num_residuals;
    std::vector<bool> inputs(primal.num_inputs(), true);
    std::fill_n(inputs.begin(), scan.num_consts, false);
    const std::vector<bool> varies = ir::dependent_variables(primal, std::move(inputs), true);
    hoisted.assign(n, false);
    stacked.assign(n, true);
    const std::size_t first_x = scan.num_consts + scan.num_carry;
    for (const ir::Atom a : primal.outputs().subspan(n)) {
      const bool is_x = !a.is_literal() && a.index() >= first_x && a.index() < primal.num_inputs();
      kinds.push_back(a.is_literal() || !varies[a.index()] ? Kind::kHoisted : is_x ? Kind::kSlice : Kind::kStacked);
      if (is_x) xs.push_back(a.index() - first_x);
      hoisted.push_back(kinds.back() == Kind::kHoisted);
      stacked.push_back(kinds.back() == Kind::kStacked);
    }
  }
};

void linearize_scan(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                    Arrays& out_tangents) {
  using Kind = Residuals::Kind;
  const Scan scan(call.params_as<ScanParams>());
  const Tangents mask = spread_in(scan, defined(tangents), passage_of_tangents(), [&](const std::vector<bool>& m) {
    return transforms::linearize_jaxpr(scan.body, m)->has_tangent;
  });
  const auto lin = transforms::linearize_jaxpr(scan.body, mask.mask());
  const Residuals residuals(scan, *lin);

  Arrays results, hoisted;
  const Operands primals{Arrays(scan.consts(call.args)), Arrays(scan.carry(call.args)), Arrays(scan.xs(call.args))};
  bind_scan(ir::prune(lin->primal, residuals.stacked), primals, scan.length, scan.reverse, results);
  if (count(residuals.hoisted) > 0) {
    // Only what these need of the constants: effects happen in the steps. Without steps not even that, for it might
    // fail.
    const auto once = lin->primal.memo<ir::Jaxpr>(transforms::mask_key("hoisted", residuals.hoisted), [&] {
      std::vector<ir::Var> given(scan.num_consts);
      std::iota(given.begin(), given.end(), ir::Var{0});
      const ir::Jaxpr part = ir::prune(lin->primal, residuals.hoisted);
      return std::make_shared<const ir::Jaxpr>(ir::part_of(part, given, part.outputs()));
    });
    if (scan.length > 0)
      eval_jaxpr(*once, primals.consts, hoisted);
    else
      for (const Aval a : once->output_avals()) hoisted.push_back(zeros_of(a));
  }
  std::span<const Array> rest(results), once(hoisted);
  append(outs, take(rest, scan.num_carry + scan.num_ys));

  // The tangent program takes the residuals in their order, then the tangents of consts, carry and xs.
  Operands operands;
  std::size_t next_x = 0;
  for (const Kind k : residuals.kinds) {
    if (k == Kind::kHoisted)
      operands.consts.push_back(take(once, 1)[0]);
    else if (k == Kind::kSlice)
      operands.xs.push_back(primals.xs[residuals.xs[next_x++]]);
    else
      operands.xs.push_back(take(rest, 1)[0]);
  }
  const std::size_t num_hoisted = operands.consts.size(), num_sliced = operands.xs.size();
  std::vector<bool> has(lin->has_tangent);
  for (std::size_t i = 0; i < scan.num_carry; ++i) has[i] = mask.carry[i];
  Arrays tangent_results;
  if (count(has) > 0) {
    const CurrentTrace staging(tangent_trace);
    append_masked(scan.consts(tangents), mask.consts, scan.consts(call.args), operands.consts);
    append_masked(scan.carry(tangents), mask.carry, scan.carry(call.args), operands.carry);
    append_masked(scan.xs(tangents), mask.xs, scan.xs(call.args), operands.xs);
    const Avals types = scan.body.output_avals();
    const ir::Jaxpr body = derive(lin->tangent, transforms::mask_key("scan_tangent", has), operands.body_types(),
                                  operands.consts.size(), [&](std::span<const Array> in, Arrays& o) {
                                    auto same = take(in, num_hoisted);
                                    const auto const_tangents = take(in, count(mask.consts)),
                                               carry_tangents = take(in, count(mask.carry));
                                    auto sliced = take(in, num_sliced);
                                    Arrays args, all;
                                    for (const Kind k : residuals.kinds)
                                      args.push_back(take(k == Kind::kHoisted ? same : sliced, 1)[0]);
                                    for (const auto part : {const_tangents, carry_tangents, in}) append(args, part);
                                    eval_jaxpr(lin->tangent, args, all);
                                    fill_zeros(all, lin->has_tangent, has, types, o);
                                  });
    bind_scan(body, operands, scan.length, scan.reverse, tangent_results);
  }
  for (std::size_t i = 0, j = 0; i < has.size(); ++i) out_tangents.push_back(has[i] ? tangent_results[j++] : Array());
}

// ---- transposition ----

// The values at the beginning of each step of the carry that does not depend on linear operands, stacked.
Arrays known_carries(const Scan& scan, const Tangents& linear, std::span<const Array> args) {
  const std::size_t n = scan.num_carry - count(linear.carry);
  if (n == 0) return {};
  const auto known = [](std::span<const Array> all, const std::vector<bool>& l) {
    Arrays r;
    for (std::size_t i = 0; i < l.size(); ++i)
      if (!l[i]) r.push_back(all[i]);
    return r;
  };
  const Operands operands{known(scan.consts(args), linear.consts), known(scan.carry(args), linear.carry),
                          known(scan.xs(args), linear.xs)};
  std::vector<bool> wanted(scan.num_carry + scan.num_ys, false);
  for (std::size_t i = 0; i < scan.num_carry; ++i) wanted[i] = !linear.carry[i];
  const ir::Jaxpr program = ir::prune(scan.body, wanted);
  const Avals types = scan.body.input_avals();
  const std::vector<bool> mask = linear.mask();
  const ir::Jaxpr body = derive(scan.body, transforms::mask_key("scan_known", mask), operands.body_types(),
                                operands.consts.size(), [&](std::span<const Array> in, Arrays& results) {
                                  std::span<const Array> rest = in;
                                  Arrays full;
                                  for (std::size_t i = 0; i < mask.size(); ++i)
                                    full.push_back(mask[i] ? zeros_of(types[i]) : take(rest, 1)[0]);
                                  eval_jaxpr(program, full, results);
                                  append(results, in.subspan(operands.consts.size(), n));
                                });
  Arrays results;
  bind_scan(body, operands, scan.length, scan.reverse, results);
  return Arrays(std::span<const Array>(results).subspan(n));
}

// The scan backwards: the cotangents of linear constants add up in the carry, beside the cotangent of the carry.
void transpose_scan(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  // The known part of a body runs again here, and what only watches has seen it.
  ScanParams params = call.params_as<ScanParams>();
  params.jaxpr = without_watchers(params.jaxpr);
  const Scan scan(params);
  std::vector<bool> operands_linear;
  for (const GradAccum* a : accums) operands_linear.push_back(a != nullptr);
  const Tangents linear =
      parts_of(scan, ir::dependent_carry(scan.body, operands_linear, scan.num_consts, scan.num_carry));
  const std::vector<bool> mask = linear.mask();
  const Avals types = scan.body.input_avals();
  std::vector<bool> nonzero(linear.carry);
  for (const Array& ct : cts.subspan(scan.num_carry)) nonzero.push_back(ct.defined());
  const auto transposed = transforms::transpose_jaxpr(scan.body, mask, nonzero);
  // By input of the body: whether it gets a cotangent.
  std::vector<bool> gets(mask.size(), false);
  for (std::size_t i = 0, j = 0; i < mask.size(); ++i)
    if (mask[i]) gets[i] = transposed->out_nonzero[j++];
  const auto const_gets = [&](std::size_t i) { return gets[i]; };
  std::vector<bool> summed(gets);
  std::fill(summed.begin() + static_cast<std::ptrdiff_t>(scan.num_consts), summed.end(), false);
  const auto with_sums =
      count(summed) == 0 ? transposed : transforms::transpose_jaxpr(scan.body, mask, nonzero, summed);
  const auto carry_gets = [&](std::size_t i) { return gets[scan.num_consts + i]; };
  const auto x_gets = [&](std::size_t i) { return gets[scan.num_consts + scan.num_carry + i]; };

  Operands operands;
  for (std::size_t i = 0; i < scan.num_consts; ++i) {
    if (!linear.consts[i])
      operands.consts.push_back(call.args[i]);
    else if (const_gets(i))
      operands.carry.push_back(zeros_of(types[i]));
  }
  const std::size_t num_sums = operands.carry.size();
  for (std::size_t i = 0; i < scan.num_carry; ++i)
    if (linear.carry[i]) operands.carry.push_back(cts[i].defined() ? cts[i] : zeros_of(types[scan.num_consts + i]));
  operands.xs = known_carries(scan, linear, call.args);
  const std::size_t num_known_carries = operands.xs.size();
  for (std::size_t i = 0; i < scan.num_xs; ++i)
    if (!linear.xs[i]) operands.xs.push_back(scan.xs(call.args)[i]);
  const std::size_t num_known_xs = operands.xs.size() - num_known_carries;
  append_defined(cts.subspan(scan.num_carry), operands.xs);

  const ir::Jaxpr body =
      derive(scan.body, transforms::mask_key("scan_transpose", mask) + transforms::mask_key("", nonzero),
             operands.body_types(), operands.consts.size(), [&](std::span<const Array> in, Arrays& results) {
               const auto consts = take(in, operands.consts.size());
               const auto sums = take(in, num_sums);
               const auto carry_cts = take(in, count(linear.carry)), carries = take(in, num_known_carries),
                          xs = take(in, num_known_xs);
               Arrays args, all;
               for (const auto part : {consts, carries, xs, carry_cts, in, sums}) append(args, part);
               eval_jaxpr(with_sums->jaxpr, args, all);
               std::span<const Array> rest(all);
               append(results, take(rest, num_sums));
               for (std::size_t i = 0; i < scan.num_carry; ++i)
                 if (linear.carry[i])
                   results.push_back(carry_gets(i) ? take(rest, 1)[0] : zeros_of(types[scan.num_consts + i]));
               append(results, rest);
             });
  Arrays results;
  bind_scan(body, operands, scan.length, !scan.reverse, results);
  std::span<const Array> rest(results);
  const std::span<GradAccum* const> to_carry = scan.carry(accums), to_xs = scan.xs(accums);
  for (std::size_t i = 0; i < scan.num_consts; ++i)
    if (const_gets(i)) accums[i]->add(take(rest, 1)[0]);
  for (std::size_t i = 0; i < scan.num_carry; ++i) {
    if (!linear.carry[i]) continue;
    const Array& ct = take(rest, 1)[0];
    if (to_carry[i]) to_carry[i]->add(ct);  // null: the carry begins with a known value
  }
  for (std::size_t i = 0; i < scan.num_xs; ++i)
    if (x_gets(i)) to_xs[i]->add(take(rest, 1)[0]);
}

// ---- batching ----

// A slice is mapped along its first axis, what is stacked along its second.
void batch_scan(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  const Scan scan(call.params_as<ScanParams>());
  std::vector<bool> operands_mapped;
  for (const int b : bdims) operands_mapped.push_back(b != kUnmapped);
  const auto dims_of = [](const std::vector<bool>& mask) {
    Bdims r;
    for (const bool m : mask) r.push_back(m ? 0 : kUnmapped);
    return r;
  };
  const Tangents mapped = spread_in(scan, operands_mapped, passage_of_axis(axis), [&](const std::vector<bool>& m) {
    std::vector<bool> r;
    for (const int b : transforms::batch_jaxpr(scan.body, dims_of(m), axis)->out_bdims) r.push_back(b != kUnmapped);
    return r;
  });
  const std::vector<bool> mask = mapped.mask();
  const auto batched = transforms::batch_jaxpr(scan.body, dims_of(mask), axis);
  std::vector<bool> result_mapped(mapped.carry);
  for (std::size_t i = scan.num_carry; i < batched->out_bdims.size(); ++i)
    result_mapped.push_back(batched->out_bdims[i] != kUnmapped);

  Operands operands;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    Arrays& part = i < scan.num_consts                    ? operands.consts
                   : i < scan.num_consts + scan.num_carry ? operands.carry
                                                          : operands.xs;
    const int to = &part == &operands.xs ? 1 : 0;
    part.push_back(mask[i] ? bdim_to(call.args[i], bdims[i], to, axis.size) : call.args[i]);
  }
  std::string key = "scan_vmap:" + axis.key() + transforms::mask_key("", mask);
  const ir::Jaxpr body =
      derive(scan.body, key, operands.body_types(), scan.num_consts, [&](std::span<const Array> in, Arrays& results) {
        eval_jaxpr(batched->jaxpr, in, results);
        for (std::size_t i = 0; i < results.size(); ++i)
          if (result_mapped[i]) results[i] = bdim_to(results[i], batched->out_bdims[i], 0, axis.size);
      });
  bind_scan(body, operands, scan.length, scan.reverse, outs);
  for (std::size_t i = 0; i < result_mapped.size(); ++i)
    out_bdims.push_back(!result_mapped[i] ? kUnmapped : i < scan.num_carry ? 0 : 1);
}

}  // namespace

Arrays lax::scan_(const ir::Jaxpr& body, std::span<const Array> consts, std::span<const Array> carry,
                  std::span<const Array> xs, std::int64_t length, bool reverse, SourceLocation loc) {
  const LocationScope scope(loc, "scan");
  Arrays outs;
  bind_scan(body, Operands{Arrays(consts), Arrays(carry), Arrays(xs)}, length, reverse, outs);
  return outs;
}

const ir::OpInfo op_infos::scan{.operands = ir::takes_at_least(0),
                                .parse = ir::parse_params<ScanParams>,
                                .infer = infer_scan,
                                .eval = eval_scan,
                                .storage_types = true,
                                .has_effects = has_effects_scan};
const OpRules op_rule_table::scan{.jvp = jvp_scan,
                                  .transpose = transpose_scan,
                                  .batch = batch_scan,
                                  .factors = factors_replicated,
                                  .linearize = linearize_scan};

}  // namespace weft

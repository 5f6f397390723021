// Checks of values while programs run: check_finite and check_index are identities that throw. A second operand, a mask
// of the same shape, says which elements are looked at.
#include "weft/ir/checks.h"

#include <algorithm>
#include <cmath>

#include "weft/base/loop_trail.h"
#include "weft/ops/common.h"

namespace weft {

using namespace ops;

namespace {

void check_operands(OpCode op, const std::vector<CheckedAxis>& examples, std::span<const Aval> in) {
  Dims axes;
  for (const CheckedAxis& e : examples) axes.push_back(e.axis);
  check_axes(ir::op_name(op), axes, in[0].ndim());
  if (in.size() > 1 && (in[1].dtype() != boolean || !std::ranges::equal(in[1].shape(), in[0].shape())))
    throw ShapeError(std::string(ir::op_name(op)) + ": the mask must be bool and of the shape of the values, " +
                     shape_str(in[0].shape()) + "; got " + in[1].str() + ".");
}

// The mask of a check, or null.
const bool* mask_of(std::span<const TensorView> in) { return in.size() > 1 ? in[1].as<bool>() : nullptr; }

// The same check of another value of that shape.
Array check_again(const Call& call, const ir::Params& params, const Array& x) {
  Arrays operands(call.args);
  operands[0] = x;
  return bind1(call.op, params, operands);
}

void copy(const TensorView& from, const MutableTensorView& to) {
  if (from.size()) __builtin_memcpy(to.data, from.data, static_cast<std::size_t>(from.aval.bytes()));
}

bool contains(const std::vector<CheckedAxis>& examples, std::int64_t axis) {
  for (const CheckedAxis& e : examples)
    if (e.axis == axis) return true;
  return false;
}

// Where element `at` of an array is: "at [3,1]" of one example; "" for the element of a scalar.
std::string place(const Dims& index, const std::vector<CheckedAxis>& examples, std::int64_t left_out = -1) {
  std::string text;
  for (std::size_t i = 0; i < index.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    if (axis != left_out && !contains(examples, axis)) text += (text.empty() ? "" : ",") + std::to_string(index[i]);
  }
  return text.empty() ? "" : " at [" + text + "]";
}

// ", for example 2 of axis 'i', in iteration 3 of scan at train.cc:12".
std::string circumstances(const Dims& index, const std::vector<CheckedAxis>& examples) {
  std::string text;
  for (std::size_t i = examples.size(); i-- > 0;) {
    const CheckedAxis& e = examples[i];
    text += ", for example " + std::to_string(index[static_cast<std::size_t>(e.axis)]);
    if (!e.name.empty()) text += " of axis '" + e.name + "'";
  }
  const std::string loops = LoopFrame::trail();
  return loops.empty() ? text : text + ", " + loops;
}

Dims index_of(std::int64_t element, DimSpan shape) {
  Dims index(shape.size(), 0);
  for (std::size_t i = shape.size(); i-- > 0;) {
    index[i] = element % shape[i];
    element /= shape[i];
  }
  return index;
}

// ---- check_finite ----

[[noreturn]] void throw_not_finite(const CheckFiniteParams& p, const TensorView& x, std::int64_t element,
                                   const char* what) {
  const Dims index = index_of(element, x.shape());
  const char* value = "the result";
  const char* when = "in the forward pass";
  if (p.pass == CheckPass::kTangent) value = "the tangent of the result", when = "in forward mode";
  if (p.pass == CheckPass::kBackward) value = "the gradient by an operand", when = "in the backward pass";
  if (p.pass == CheckPass::kBackwardRule) when = "in the backward pass";
  throw NonFiniteError(p.op + ": " + value + " must be " + (p.infs ? "finite" : "a number") + "; got " + what +
                       place(index, p.examples) + ", " + when + circumstances(index, p.examples) + ".");
}

template <class T>
void check_part(const CheckFiniteParams& p, const TensorView& x, T v, std::int64_t element) {
  if (std::isfinite(v)) return;
  if (std::isnan(v)) {
    if (p.nans) throw_not_finite(p, x, element, "nan");
  } else if (p.infs) {
    throw_not_finite(p, x, element, v < 0 ? "-inf" : "inf");
  }
}

void infer_check_finite(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  check_operands(OpCode::kCheckFinite, ir::params_as<CheckFiniteParams>(params).examples, in);
  out.push_back(in[0]);
}

void eval_check_finite(const ParamsBase* params, std::span<const TensorView> in,
                       std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<CheckFiniteParams>(params);
  const TensorView& x = in[0];
  copy(x, out[0]);
  if (p.pass == CheckPass::kWaiting) return;
  const bool* mask = mask_of(in);
  visit_dtype(x.dtype(), [&]<class T>(TypeTag<T>) {
    const T* data = x.as<T>();
    for (std::int64_t i = 0; i < x.size(); ++i) {
      if (mask && !mask[i]) continue;
      if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
        check_part(p, x, static_cast<float>(data[i]), i);
      } else if constexpr (std::is_floating_point_v<T>) {
        check_part(p, x, data[i], i);
      } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
        check_part(p, x, data[i].real(), i);
        check_part(p, x, data[i].imag(), i);
      }
    }
  });
}

ir::Params in_pass(CheckFiniteParams p, CheckPass pass) {
  p.pass = pass;
  return ir::make_params(std::move(p));
}

// What waits for the backward pass waits with the tangent; the other values are looked at in both.
void jvp_check_finite(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CheckFiniteParams>();
  if (p.pass == CheckPass::kWaiting) {
    outs.push_back(call.args[0]);
    out_tangents.push_back(check_again(call, call.params, tangents[0]));
  } else {
    outs.push_back(bind1(call.op, call.params, call.args));
    out_tangents.push_back(check_again(call, in_pass(p, CheckPass::kTangent), tangents[0]));
  }
}

// A cotangent that comes in bad was bad before, where somebody else looked.
void transpose_check_finite(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CheckFiniteParams>();
  const bool waited = p.pass == CheckPass::kWaiting;
  accums[0]->add(waited ? check_again(call, in_pass(p, CheckPass::kBackward), cts[0]) : cts[0]);
}

// The check for all examples. A value that all share is checked where the mask holds for any of them.
template <class P>
void batch_check(const Call& call, P p, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                 Bdims& out_bdims) {
  Arrays operands(call.args);
  const int at = bdims[0];
  if (at == kUnmapped) {
    operands[1] = lax::reduce_or(operands[1], Dims{bdims[1]});
  } else {
    for (CheckedAxis& e : p.examples)
      if (e.axis >= at) ++e.axis;
    p.examples.push_back({at, axis.name});
    if (operands.size() > 1) operands[1] = bdim_to(operands[1], bdims[1], at, axis.size);
  }
  outs.push_back(bind1(call.op, ir::make_params(std::move(p)), operands));
  out_bdims.push_back(at);
}

void batch_check_finite(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                        Bdims& out_bdims) {
  batch_check(call, call.params_as<CheckFiniteParams>(), bdims, axis, outs, out_bdims);
}

// ---- check_index ----

// Where negative indices count from the end, the size was added.
template <class T>
std::string from_the_end(T index, std::int64_t size) {
  if (std::is_unsigned_v<T> || index >= 0) return {};
  return " (" + std::to_string(static_cast<std::int64_t>(index) - size) + " if counted from the end)";
}

template <class T>
bool inside(T index, std::int64_t last) {
  return index >= 0 && static_cast<std::uint64_t>(index) <= static_cast<std::uint64_t>(last);
}

void infer_check_index(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<CheckIndexParams>(params);
  const Aval x = in[0];
  check_operands(OpCode::kCheckIndex, p.examples, in);
  std::int64_t components = 1;
  if (p.component_axis != -1) {
    check_axes("check_index", Dims{p.component_axis}, x.ndim());
    components = x.shape(static_cast<std::size_t>(p.component_axis));
  }
  for (const Dims* list : {&p.axes, &p.sizes, &p.windows})
    if (static_cast<std::int64_t>(list->size()) != components)
      throw ValueError("check_index: there must be one axis, size and window for each of " +
                       std::to_string(components) + " components; got " + shape_str(*list) + ".");
  out.push_back(x);
}

// Components of one index vector belong together.
FactorTable factors_check_index(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval>) {
  const auto& p = ir::params_as<CheckIndexParams>(params);
  FactorTable table;
  FactorTable::Axes axes;
  for (int i = 0; i < in[0].ndim(); ++i)
    axes.push_back(
        {table.add(in[0].shape(static_cast<std::size_t>(i)),
                   i == p.component_axis ? FactorTable::Kind::kNeedReplication : FactorTable::Kind::kPassThrough)});
  table.operands.assign(in.size(), axes);
  table.results.push_back(axes);
  return table;
}

void eval_check_index(const ParamsBase* params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<CheckIndexParams>(params);
  const TensorView& x = in[0];
  copy(x, out[0]);
  std::int64_t inner = 1;  // elements between two components of a vector
  if (p.component_axis >= 0) inner = product(x.shape().subspan(static_cast<std::size_t>(p.component_axis) + 1));
  const auto components = static_cast<std::int64_t>(p.sizes.size());
  const bool* mask = mask_of(in);
  visit_dtype(x.dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      for (std::int64_t i = 0; i < x.size(); ++i) {
        if (mask && !mask[i]) continue;
        const auto c = static_cast<std::size_t>(i / inner % components);
        const T v = x.as<T>()[i];
        if (inside(v, p.sizes[c] - p.windows[c])) continue;
        const Dims index = index_of(i, x.shape());
        throw IndexError(p.op + ": indices must be inside of the array; got " + std::to_string(v) +
                         from_the_end(v, p.sizes[c]) + " for axis " + std::to_string(p.axes[c]) + " of size " +
                         std::to_string(p.sizes[c]) +
                         (p.windows[c] == 1 ? "" : ", for a slice of " + std::to_string(p.windows[c])) + "," +
                         (place(index, p.examples, p.component_axis).empty()
                              ? ""
                              : place(index, p.examples, p.component_axis) + " of the indices,") +
                         " in the forward pass" + circumstances(index, p.examples) + ".");
      }
    }
  });
}

void batch_check_index(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                       Bdims& out_bdims) {
  CheckIndexParams p = call.params_as<CheckIndexParams>();
  if (bdims[0] != kUnmapped && p.component_axis >= bdims[0]) ++p.component_axis;
  batch_check(call, std::move(p), bdims, axis, outs, out_bdims);
}

}  // namespace

const ir::OpInfo op_infos::check_finite{.operands = {1, 2},
                                        .parse = ir::parse_params<CheckFiniteParams>,
                                        .infer = infer_check_finite,
                                        .eval = eval_check_finite};
const OpRules op_rule_table::check_finite{.jvp = jvp_check_finite,
                                          .transpose = transpose_check_finite,
                                          .batch = batch_check_finite,
                                          .factors = factors_elementwise};

const ir::OpInfo op_infos::check_index{.operands = {1, 2},
                                       .parse = ir::parse_params<CheckIndexParams>,
                                       .infer = infer_check_index,
                                       .eval = eval_check_index};
const OpRules op_rule_table::check_index{.jvp = rules::zero_tangent,
                                         .transpose = rules::not_linear,
                                         .batch = batch_check_index,
                                         .factors = factors_check_index};

}  // namespace weft

// What the op files share: argument handling, common inference, evaluation loops and rules.
// Private to ops/.
#pragma once

#include <utility>

#include "weft/core/rules.h"
#include "weft/ops/lax.h"

namespace weft::ops {

using ir::Avals;
using ir::ParamsBase;

// ---- arguments ----

/// Operands of one dtype and shape: a number beside an array becomes a filled array of its type.
std::pair<Array, Array> pair_of(const Arg& x, const Arg& y);
/// `axis` of x counted from the front; IndexError naming `op` when it is outside [-rank, rank).
int normal_axis(std::string_view op, int axis, Aval x);
/// The same for an axis of a result that is still to be made.
int normal_axis(std::string_view op, int axis, int rank);
/// Checks that `axes`, which count from the front, are in range and distinct; IndexError otherwise.
void check_axes(std::string_view op, DimSpan axes, int rank);
/// The types of operands in words: "f32[3] and i32[]".
std::string operand_text(std::span<const Aval> in);
/// DTypeError: the operands must be `accepted`.
[[noreturn]] void throw_dtype(std::string_view op, std::string_view accepted, std::span<const Aval> got);

// ---- inference ----

/// Categories of dtypes an elementwise op takes.
enum Accept : unsigned {
  kAcceptBool = 1,
  kAcceptInteger = 2,
  kAcceptFloat = 4,
  kAcceptComplex = 8,
  kAcceptSigned = 16
};
bool accepts(unsigned mask, DType t);

/// Result like the operands, which must have equal types, of accepted dtypes.
void infer_elementwise(OpCode op, std::span<const Aval> in, unsigned accept, Avals& out);
template <OpCode kOp, unsigned kAccept>
void infer_same(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  infer_elementwise(kOp, in, kAccept, out);
}
/// As infer_same, with a bool result.
template <OpCode kOp, unsigned kAccept>
void infer_predicate(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  infer_elementwise(kOp, in, kAccept, out);
  out.back() = out.back().with_dtype(boolean);
}

// ---- linear ops: the same op applied to the tangent ----

/// y = f(x) linear in its only operand.
void jvp_linear(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);
/// y = f(x1, ..., xn) linear in all operands together (concatenate, ...): zeros are made explicit.
void jvp_multilinear(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);
/// z = f(x, y) linear in each operand (multiply, dot_general).
void jvp_bilinear(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);

// ---- elementwise jvp: one partial derivative per operand ----

/// The term `t * df/dx_i`, given tangent, operands and result; null function: zero.
using PartialRule = Array (*)(const Array& t, std::span<const Array> x, const Array& y);
template <PartialRule... kPartials>
void jvp_elementwise(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  constexpr PartialRule partials[] = {kPartials...};
  bind(call.op, call.params, call.args, outs);
  Array sum;
  for (std::size_t i = 0; i < tangents.size(); ++i) {
    if (!tangents[i].defined() || !partials[i]) continue;
    Array term = partials[i](tangents[i], call.args, outs[0]);
    sum = sum.defined() ? lax::add(sum, term) : std::move(term);
  }
  out_tangents.push_back(std::move(sum));
}

/// A factor and its tangent: a product of these carries Leibniz' rule along.
struct Factor {
  Array value, tangent;
};
inline Factor operator*(const Factor& a, const Factor& b) {
  return {lax::multiply(a.value, b.value),
          lax::add(lax::multiply(a.tangent, b.value), lax::multiply(a.value, b.tangent))};
}

// ---- batching ----

/// Elementwise ops: mapped operands brought to a common axis, the others broadcast along it.
void batch_elementwise(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                       Bdims& out_bdims);
/// `x` with its mapped axis in front, added by broadcasting when it is not mapped.
Array bdim_to_front(const Array& x, int bdim, std::int64_t size);
/// `x` with its mapped axis at `to`, added by broadcasting when it is not mapped.
Array bdim_to(const Array& x, int bdim, int to, std::int64_t size);
/// The operation once per example, one after the other: for those that do something each time.
void batch_unrolled(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                    Bdims& out_bdims);
/// Axis numbers of one example, renumbered for an array with a mapped axis at `bdim`.
Dims axes_past(DimSpan axes, int bdim);

// ---- sharding ----

/// Every axis passes through; operand and result axes correspond one to one.
FactorTable factors_elementwise(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out);

/// Nothing may be split: whoever shards must look inside, or cannot.
FactorTable factors_replicated(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out);

// ---- reference evaluation ----

/// out[i] = f(x[i]) for the dtypes that `F` is callable with; a bool-returning F writes bool.
/// `f(TypeTag<T>{})` gives the function for element type T. f16 and bf16 go through float.
template <class T>
using compute_t = std::conditional_t<std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>, float, T>;

/// A dense index space in row-major order: calls f(index) with a Dims for every element.
template <class F>
void for_each_index(DimSpan shape, F&& f) {
  Dims index(shape.size(), 0);
  const std::int64_t n = product(shape);
  for (std::int64_t done = 0; done < n; ++done) {
    f(std::as_const(index));
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
}
/// Row-major position of an index.
inline std::int64_t offset_of(DimSpan index, DimSpan strides) {
  std::int64_t o = 0;
  for (std::size_t i = 0; i < index.size(); ++i) o += index[i] * strides[i];
  return o;
}
/// Axes in [0, rank) that are in neither list, in order.
Dims axes_without(int rank, DimSpan a, DimSpan b = {});
/// Row-major offsets of every position along `axes` of an array of `shape`, in row-major order.
std::vector<std::int64_t> offsets_along(DimSpan shape, DimSpan axes);
inline void copy_element(const void* from, std::int64_t i, void* to, std::int64_t j, std::int64_t size) {
  __builtin_memcpy(static_cast<char*>(to) + j * size, static_cast<const char*>(from) + i * size,
                   static_cast<std::size_t>(size));
}

}  // namespace weft::ops

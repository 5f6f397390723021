#include "weft/ops/collective_rules.h"

namespace weft::ops {

AxisBytes axis_of(Aval a, std::int64_t axis) {
  const auto d = static_cast<std::size_t>(axis);
  return {product(a.shape().first(d)), a.shape(d), product(a.shape().subspan(d + 1)) * byte_size(a.dtype())};
}

void copy_positions(const void* from, const AxisBytes& a, std::int64_t begin, void* to, const AxisBytes& b,
                    std::int64_t at, std::int64_t count) {
  const std::int64_t bytes = count * a.inner;
  if (bytes == 0) return;
  for (std::int64_t o = 0; o < a.outer; ++o)
    std::memcpy(static_cast<std::byte*>(to) + (o * b.size + at) * b.inner,
                static_cast<const std::byte*>(from) + (o * a.size + begin) * a.inner, static_cast<std::size_t>(bytes));
}

void fill_zero(const MutableTensorView& v) {
  if (v.size() > 0) std::memset(v.data, 0, static_cast<std::size_t>(v.aval.bytes()));
}
void copy_all(const TensorView& from, const MutableTensorView& to) {
  if (to.size() > 0) std::memcpy(to.data, from.data, static_cast<std::size_t>(to.aval.bytes()));
}

void jvp_each(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Arrays some, results;
  for (const Array& t : tangents)
    if (t.defined()) some.push_back(t);
  bind(call.op, call.params, some, results);
  for (std::size_t i = 0, j = 0; i < tangents.size(); ++i)
    out_tangents.push_back(tangents[i].defined() ? results[j++] : Array());
}

void transpose_each(OpCode op, const ir::Params& params, std::span<const Array> cts,
                    std::span<GradAccum* const> accums) {
  Arrays some, results;
  for (const Array& ct : cts)
    if (ct.defined()) some.push_back(ct);
  bind(op, params, some, results);
  for (std::size_t i = 0, j = 0; i < cts.size(); ++i) {
    if (!cts[i].defined()) continue;
    if (accums[i]) accums[i]->add(results[j]);
    ++j;
  }
}

void batch_anywhere(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, call.args, outs);
  out_bdims = Bdims(bdims);
}

void batch_in_front(const Call& call, const ir::Params& params, std::span<const int> bdims, const MappedAxis& axis,
                    Arrays& outs, Bdims& out_bdims) {
  Arrays operands;
  for (std::size_t i = 0; i < bdims.size(); ++i) operands.push_back(bdim_to_front(call.args[i], bdims[i], axis.size));
  bind(call.op, params, operands, outs);
  out_bdims.assign(outs.size(), 0);
}

}  // namespace weft::ops

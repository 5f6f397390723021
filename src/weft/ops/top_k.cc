// top_k: the k largest along the last axis, and where they are. Stable; NaN is larger than every number.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "weft/ops/common.h"

namespace weft {

using namespace ops;

namespace {

void infer_top_k(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const std::int64_t k = ir::params_as<TopKParams>(params).k;
  if (in[0].ndim() == 0) throw ShapeError("top_k: the operand must have an axis; got " + in[0].str() + ".");
  if (is_complex(in[0].dtype())) throw_dtype("top_k", "bool, integer or float", in);
  Dims shape(in[0].shape());
  if (k < 0 || k > shape.back())
    throw ValueError("top_k: k must be in [0, " + std::to_string(shape.back()) + "], the size of the last axis; got " +
                     std::to_string(k) + " for " + in[0].str() + ".");
  if (shape.back() > std::int64_t{1} << 31)
    throw ShapeError("top_k: positions must fit in i32; got " + in[0].str() + ".");
  shape.back() = k;
  out.push_back(in[0].with_shape(shape));
  out.push_back(out[0].with_dtype(i32));
}

void eval_top_k(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const std::int64_t k = ir::params_as<TopKParams>(params).k, n = in[0].shape().back();
  if (out[0].size() == 0) return;
  const std::int64_t rows = in[0].size() / n;
  std::vector<std::int32_t> order(static_cast<std::size_t>(n));
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
      using C = compute_t<T>;
      for (std::int64_t row = 0; row < rows; ++row) {
        const T* x = in[0].as<T>() + row * n;
        // Larger first, then the earlier one: a strict order, so no stable algorithm is needed. Floats in total order:
        // NaN above inf, -NaN below -inf, 0 above -0.
        const auto before = [x](std::int32_t i, std::int32_t j) {
          const auto a = static_cast<C>(x[i]), b = static_cast<C>(x[j]);
          if constexpr (std::is_floating_point_v<C>) {
            const auto side = [](C v) { return v != v ? (std::signbit(v) ? -1 : 1) : 0; };
            if (side(a) != side(b)) return side(a) > side(b);
            if (a == b && std::signbit(a) != std::signbit(b)) return std::signbit(b);
          }
          if (a > b || a < b) return a > b;
          return i < j;
        };
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
        for (std::int64_t i = 0; i < k; ++i) {
          const std::int32_t from = order[static_cast<std::size_t>(i)];
          out[0].as<T>()[row * k + i] = x[from];
          out[1].as<std::int32_t>()[row * k + i] = from;
        }
      }
    }
  });
}

// Tangents move with their values.
void jvp_top_k(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  const DimSpan shape = call.args[0].shape();
  const auto last = static_cast<std::int64_t>(shape.size()) - 1;
  GatherDimensionNumbers d;
  for (std::int64_t i = 0; i < last; ++i) d.operand_batching_dims.push_back(i);
  d.start_indices_batching_dims = d.operand_batching_dims;
  d.collapsed_slice_dims = {last};
  d.start_index_map = {last};
  Dims with_vector(outs[1].shape()), sizes;
  with_vector.push_back(1);
  for (const std::int64_t size : shape) sizes.push_back(std::min<std::int64_t>(size, 1));
  out_tangents.push_back(
      shape.back() == 0 ? Array()
                        : lax::gather(tangents[0], lax::reshape(outs[1], with_vector), d, sizes, IndexMode::kPromise));
  out_tangents.push_back(Array());
}

void batch_top_k(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, Arrays{bdim_to_front(call.args[0], bdims[0], axis.size)}, outs);
  out_bdims.assign(2, 0);
}

FactorTable factors_top_k(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  using Kind = FactorTable::Kind;
  FactorTable table;
  FactorTable::Axes x, y;
  const std::size_t last = in[0].shape().size() - 1;
  for (std::size_t i = 0; i < last; ++i) x.push_back({table.add(in[0].shape(i))});
  y = x;
  x.push_back({table.add(in[0].shape(last), Kind::kNeedReplication)});
  y.push_back({table.add(out[0].shape(last), Kind::kNeedReplication)});
  table.operands.push_back(std::move(x));
  table.results.push_back(y);
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

std::pair<Array, Array> lax::top_k(const Arg& x, std::int64_t k) {
  const LocationScope scope(x.location(), "top_k");
  Arrays outs;
  bind(OpCode::kTopK, ir::make_params(TopKParams{k}), Arrays{x.array()}, outs);
  return {outs[0], outs[1]};
}

const ir::OpInfo op_infos::top_k{.parse = ir::parse_params<TopKParams>, .infer = infer_top_k, .eval = eval_top_k};
const OpRules op_rule_table::top_k{
    .jvp = jvp_top_k, .transpose = rules::not_linear, .batch = batch_top_k, .factors = factors_top_k};

}  // namespace weft

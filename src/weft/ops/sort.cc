// sort: operands reordered along one axis so that the keys ascend. Always stable.
#include <algorithm>
#include <numeric>

#include "weft/ops/common.h"
#include "weft/ops/gather_scatter.h"

namespace weft {

using namespace ops;

namespace {

void infer_sort(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<SortParams>(params);
  if (in.empty()) throw ValueError("sort: there must be at least one operand; got none.");
  check_axes("sort", Dims{p.dimension}, in[0].ndim());
  if (p.num_keys < 1 || p.num_keys > static_cast<std::int64_t>(in.size()))
    throw ValueError("sort: num_keys must be in [1, " + std::to_string(in.size()) + "]; got " +
                     std::to_string(p.num_keys) + ".");
  for (const Aval a : in) {
    if (!same_dims(a.shape(), in[0].shape()))
      throw ShapeError("sort: operands must have equal shapes; got " + in[0].str() + " and " + a.str() + ".");
    out.push_back(a);
  }
}

// -1, 0 or 1. NaN is larger than every number and equal to NaN; -0 equals 0.
template <class T>
int order(T a, T b) {
  if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
    const int re = order(a.real(), b.real());
    return re ? re : order(a.imag(), b.imag());
  } else {
    if (a != a || b != b) return static_cast<int>(a != a) - static_cast<int>(b != b);
    return static_cast<int>(a > b) - static_cast<int>(a < b);
  }
}

int order_elements(const TensorView& x, std::int64_t i, std::int64_t j) {
  return visit_dtype(x.dtype(), [&]<class T>(TypeTag<T>) {
    return order(static_cast<compute_t<T>>(x.as<T>()[i]), static_cast<compute_t<T>>(x.as<T>()[j]));
  });
}

void eval_sort(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<SortParams>(params);
  const auto d = static_cast<std::size_t>(p.dimension);
  const std::int64_t n = in[0].shape()[d], stride = product(in[0].shape().subspan(d + 1));
  const std::int64_t rows = n == 0 ? 0 : in[0].size() / n;
  std::vector<std::int64_t> at(static_cast<std::size_t>(n));
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t base = row / stride * stride * n + row % stride;
    std::iota(at.begin(), at.end(), 0);
    for (std::int64_t& i : at) i = base + i * stride;
    if (p.num_keys == 1 && !is_complex(in[0].dtype())) {
      visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
        if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
          const T* x = in[0].as<T>();
          std::stable_sort(at.begin(), at.end(), [x](std::int64_t i, std::int64_t j) {
            return order(static_cast<compute_t<T>>(x[i]), static_cast<compute_t<T>>(x[j])) < 0;
          });
        }
      });
    } else {
      std::stable_sort(at.begin(), at.end(), [&](std::int64_t i, std::int64_t j) {
        for (std::int64_t k = 0; k < p.num_keys; ++k)
          if (const int c = order_elements(in[static_cast<std::size_t>(k)], i, j)) return c < 0;
        return false;
      });
    }
    for (std::size_t k = 0; k < in.size(); ++k)
      for (std::int64_t i = 0; i < n; ++i)
        copy_element(in[k].data, at[static_cast<std::size_t>(i)], out[k].data, base + i * stride,
                     byte_size(in[k].dtype()));
  }
}

// Tangents move with their values: sort positions along, then gather.
void jvp_sort(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<SortParams>();
  const DimSpan shape = call.args[0].shape();
  Arrays operands(call.args), sorted;
  operands.push_back(
      lax::iota(position_dtype(shape[static_cast<std::size_t>(p.dimension)]), shape, static_cast<int>(p.dimension)));
  bind(call.op, call.params, operands, sorted);
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    outs.push_back(sorted[i]);
    out_tangents.push_back(tangents[i].defined() ? take_positions(tangents[i], sorted.back(), p.dimension) : Array());
  }
}

void batch_sort(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  const auto& p = call.params_as<SortParams>();
  Arrays operands;
  for (std::size_t i = 0; i < bdims.size(); ++i) operands.push_back(bdim_to_front(call.args[i], bdims[i], axis.size));
  bind(call.op, ir::make_params(SortParams{p.dimension + 1, p.num_keys}), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

FactorTable factors_sort(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table = factors_elementwise(params, in, out);
  table.factors[static_cast<std::size_t>(ir::params_as<SortParams>(params).dimension)].kind =
      FactorTable::Kind::kNeedReplication;
  return table;
}

}  // namespace

Arrays lax::sort(std::span<const Array> xs, int dimension, int num_keys, SourceLocation loc) {
  const LocationScope scope(loc, "sort");
  if (xs.empty()) throw ValueError("sort: there must be at least one operand; got none.");
  Arrays outs;
  bind(OpCode::kSort, ir::make_params(SortParams{normal_axis("sort", dimension, xs[0].aval()), num_keys}), xs, outs);
  return outs;
}

const ir::OpInfo op_infos::sort{
    .operands = ir::takes_at_least(0), .parse = ir::parse_params<SortParams>, .infer = infer_sort, .eval = eval_sort};
const OpRules op_rule_table::sort{
    .jvp = jvp_sort, .transpose = rules::not_linear, .batch = batch_sort, .factors = factors_sort};

}  // namespace weft

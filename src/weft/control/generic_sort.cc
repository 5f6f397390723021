// generic_sort: arrays reordered together along one axis by any comparator.
#include <algorithm>
#include <numeric>

#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/ops/common.h"
#include "weft/ops/gather_scatter.h"

namespace weft {

using namespace control;

namespace {

void infer_sort(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<GenericSortParams>(params);
  const std::size_t captures = num_captures("generic_sort", "the comparator", p.comparator, in);
  const std::span<const Aval> xs = in.subspan(captures);
  if (xs.empty()) throw ShapeError("generic_sort: there must be at least one array; got none.");
  check_same_shape("generic_sort", "arrays", xs);
  ops::check_axes("generic_sort", Dims{p.dimension}, xs[0].ndim());
  Avals types(in.first(captures));
  for (const Aval a : xs)
    for (int side = 0; side < 2; ++side) types.push_back(scalar_of(a.dtype()));
  check_inputs("generic_sort", "the comparator", p.comparator, types);
  check_outputs("generic_sort", "the comparator", p.comparator, Avals{scalar_of(boolean)});
  for (const Aval a : xs) out.push_back(a);
}

// Merges sorted runs bottom up. Nothing of std::sort's kind: with a comparator that is no order those may read outside.
template <class Less>
void merge_sort(std::vector<std::int64_t>& at, std::vector<std::int64_t>& spare, const Less& less) {
  const std::size_t n = at.size();
  for (std::size_t run = 1; run < n; run *= 2) {
    for (std::size_t begin = 0; begin < n; begin += 2 * run) {
      const std::size_t middle = std::min(begin + run, n), end = std::min(begin + 2 * run, n);
      std::size_t left = begin, right = middle;
      for (std::size_t to = begin; to < end; ++to) {
        const bool take_right = left == middle || (right < end && less(at[right], at[left]));
        spare[to] = take_right ? at[right++] : at[left++];
      }
    }
    std::swap(at, spare);
  }
}

void eval_sort(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<GenericSortParams>(params);
  const std::size_t captures = p.comparator.num_consts();
  const std::span<const TensorView> xs = in.subspan(captures);
  const auto d = static_cast<std::size_t>(p.dimension);
  const std::int64_t n = xs[0].shape()[d], stride = product(xs[0].shape().subspan(d + 1));
  const std::int64_t rows = n == 0 ? 0 : xs[0].size() / n;
  const ir::BorrowedInterpreter comparator(p.comparator);
  for (std::size_t i = 0; i < captures; ++i) comparator->set_input(i, in[i].data);
  const auto less = [&](std::int64_t left, std::int64_t right) {
    for (std::size_t k = 0; k < xs.size(); ++k) {
      const auto* data = static_cast<const std::byte*>(xs[k].data);
      const std::int64_t size = byte_size(xs[k].dtype());
      comparator->set_input(captures + 2 * k, data + left * size);
      comparator->set_input(captures + 2 * k + 1, data + right * size);
    }
    comparator->run();
    return *static_cast<const bool*>(comparator->output(0));
  };
  std::vector<std::int64_t> at(static_cast<std::size_t>(n)), spare(at);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t base = row / stride * stride * n + row % stride;
    for (std::int64_t i = 0; i < n; ++i) at[static_cast<std::size_t>(i)] = base + i * stride;
    merge_sort(at, spare, less);
    for (std::size_t k = 0; k < xs.size(); ++k)
      for (std::int64_t i = 0; i < n; ++i)
        ops::copy_element(xs[k].data, at[static_cast<std::size_t>(i)], out[k].data, base + i * stride,
                          byte_size(xs[k].dtype()));
  }
}

// The comparator with one more array, at which it does not look.
ir::Jaxpr beside_positions(const ir::Jaxpr& comparator, DType position) {
  const std::size_t n = comparator.num_inputs();
  Avals types = comparator.input_avals();
  for (int side = 0; side < 2; ++side) types.push_back(scalar_of(position));
  return derive(comparator, "positions:" + std::string(name(position)), types, comparator.num_consts(),
                [&](std::span<const Array> args, Arrays& outs) { eval_jaxpr(comparator, args.first(n), outs); });
}

// Tangents move with their values: sort positions along, then gather.
void jvp_sort(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<GenericSortParams>();
  const std::size_t captures = p.comparator.num_consts();
  const DimSpan shape = call.args[captures].shape();
  const DType position = ops::position_dtype(shape[static_cast<std::size_t>(p.dimension)]);
  Arrays operands(call.args), sorted;
  operands.push_back(lax::iota(position, shape, static_cast<int>(p.dimension)));
  bind(call.op, ir::make_params(GenericSortParams{p.dimension, p.is_stable, beside_positions(p.comparator, position)}),
       operands, sorted);
  for (std::size_t i = captures; i < call.args.size(); ++i) {
    outs.push_back(sorted[i - captures]);
    out_tangents.push_back(tangents[i].defined() ? ops::take_positions(tangents[i], sorted.back(), p.dimension)
                                                 : Array());
  }
}

void batch_sort(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  GenericSortParams p = call.params_as<GenericSortParams>();
  const std::size_t captures = p.comparator.num_consts();
  if (!all_unmapped(bdims.first(captures))) return batch_by_loop(call, bdims, axis, outs, out_bdims);
  Arrays operands(call.args);
  for (std::size_t k = captures; k < operands.size(); ++k)
    operands[k] = ops::bdim_to(operands[k], bdims[k], 0, axis.size);
  ++p.dimension;
  bind(call.op, ir::make_params(p), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

bool has_effects_sort(const ParamsBase* params) {
  return ir::has_effects(ir::params_as<GenericSortParams>(params).comparator);
}

}  // namespace

Arrays lax::generic_sort(std::span<const Array> xs, const ir::Jaxpr& comparator, int dimension, bool is_stable,
                         std::span<const Array> captures, SourceLocation loc) {
  const LocationScope scope(loc, "generic_sort");
  if (xs.empty()) throw ShapeError("generic_sort: there must be at least one array; got none.");
  Arrays operands(captures), outs;
  operands.append(xs.begin(), xs.end());
  const GenericSortParams p{ops::normal_axis("generic_sort", dimension, xs[0].aval()), is_stable, comparator};
  bind(OpCode::kGenericSort, ir::make_params(p), operands, outs);
  return outs;
}

const ir::OpInfo op_infos::generic_sort{.operands = ir::takes_at_least(0),
                                        .parse = ir::parse_params<GenericSortParams>,
                                        .infer = infer_sort,
                                        .eval = eval_sort,
                                        .storage_types = true,
                                        .has_effects = has_effects_sort};
const OpRules op_rule_table::generic_sort{
    .jvp = jvp_sort, .transpose = rules::not_linear, .batch = batch_sort, .factors = factors_replicated};

}  // namespace weft

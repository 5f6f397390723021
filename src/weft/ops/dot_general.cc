// dot_general: out[batch..., m..., n...] = sum_k lhs[batch, m, k] * rhs[batch, n, k], the axes in
// any order.
#include <algorithm>

#include "weft/base/text.h"
#include "weft/ops/common.h"

namespace weft {

using namespace ops;

void print_param(ir::ParamWriter& w, const DotDimensionNumbers& v) {
  const auto list = [](const Dims& d) { return "[" + join(d, ", ") + "]"; };
  w.text += "((" + list(v.lhs_contracting) + ", " + list(v.rhs_contracting) + "), (" + list(v.lhs_batch) + ", " +
            list(v.rhs_batch) + "))";
}

void parse_param(TextCursor& in, DotDimensionNumbers& v) {
  const auto list = [&](Dims& d) {
    in.expect("[");
    while (!in.accept("]")) {
      d.push_back(in.integer());
      if (!in.accept(",")) {
        in.expect("]");
        break;
      }
    }
  };
  const auto pair = [&](Dims& a, Dims& b) {
    in.expect("(");
    list(a);
    in.expect(",");
    list(b);
    in.expect(")");
  };
  in.expect("(");
  pair(v.lhs_contracting, v.rhs_contracting);
  in.expect(",");
  pair(v.lhs_batch, v.rhs_batch);
  in.expect(")");
}

std::uint64_t hash_param(const DotDimensionNumbers& v) {
  return hash_mix(hash_mix(ir::hash_param(v.lhs_contracting), ir::hash_param(v.rhs_contracting)),
                  hash_mix(ir::hash_param(v.lhs_batch), ir::hash_param(v.rhs_batch)));
}

namespace {

std::string operands_text(std::span<const Aval> in) { return "(lhs " + in[0].str() + ", rhs " + in[1].str() + ")"; }

void check_side(const char* side, DimSpan contracting, DimSpan batch, Aval aval) {
  Dims all(contracting);
  all.append(batch.begin(), batch.end());
  for (const std::int64_t d : all)
    if (d < 0 || d >= aval.ndim())
      throw IndexError(std::string("dot_general: axes of ") + side + " must be in [0, " + std::to_string(aval.ndim()) +
                       "); got " + std::to_string(d) + " for " + aval.str() + ".");
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (all[i] == all[j])
        throw ShapeError(std::string("dot_general: an axis of ") + side +
                         " must be contracted or batch only once; got " + shape_str(contracting) + " contracted and " +
                         shape_str(batch) + " batch for " + aval.str() + ".");
}

void check_sizes(const char* what, DimSpan lhs_axes, DimSpan rhs_axes, std::span<const Aval> in) {
  if (lhs_axes.size() != rhs_axes.size())
    throw ShapeError(std::string("dot_general: lhs and rhs must have equally many ") + what + " axes; got " +
                     std::to_string(lhs_axes.size()) + " and " + std::to_string(rhs_axes.size()) + " " +
                     operands_text(in) + ".");
  for (std::size_t i = 0; i < lhs_axes.size(); ++i) {
    const std::int64_t a = in[0].shape(static_cast<std::size_t>(lhs_axes[i])),
                       b = in[1].shape(static_cast<std::size_t>(rhs_axes[i]));
    if (a == b) continue;
    std::string hint;
    for (int j = 0; j < in[1].ndim(); ++j)
      if (j != rhs_axes[i] && in[1].shape(static_cast<std::size_t>(j)) == a && hint.empty())
        hint = "rhs looks transposed; " + std::string(what) + " rhs axis " + std::to_string(j) + " would give sizes " +
               std::to_string(a) + " and " + std::to_string(a) + ".";
    throw ShapeError(std::string("dot_general: ") + what + " sizes must match; lhs axis " +
                         std::to_string(lhs_axes[i]) + " has " + std::to_string(a) + ", rhs axis " +
                         std::to_string(rhs_axes[i]) + " has " + std::to_string(b) + " " + operands_text(in) + ".",
                     hint);
  }
}

void infer(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<DotGeneralParams>(params);
  const DotDimensionNumbers& d = p.dimension_numbers;
  check_side("lhs", d.lhs_contracting, d.lhs_batch, in[0]);
  check_side("rhs", d.rhs_contracting, d.rhs_batch, in[1]);
  check_sizes("contracting", d.lhs_contracting, d.rhs_contracting, in);
  check_sizes("batch", d.lhs_batch, d.rhs_batch, in);
  if (in[0].dtype() != in[1].dtype())
    throw DTypeError("dot_general: operands must have equal dtypes; got " + in[0].str() + " and " + in[1].str() + ".",
                     "convert one of them with astype, or use np::matmul, which promotes.");
  if (category(p.preferred_element_type) < category(in[0].dtype()))
    throw DTypeError("dot_general: the preferred dtype must hold the operands' kind of numbers; got " +
                     std::string(name(p.preferred_element_type)) + " for " + in[0].str() + ".");
  if (p.ordered && !((in[0].dtype() == f32 || in[0].dtype() == f64) && p.preferred_element_type == in[0].dtype()))
    throw DTypeError("dot_general: an ordered product must be f32 or f64 and have a result of this dtype; got " +
                     in[0].str() + ", " + in[1].str() + " and " + std::string(name(p.preferred_element_type)) + ".");
  Dims shape;
  for (const std::int64_t a : d.lhs_batch) shape.push_back(in[0].shape(static_cast<std::size_t>(a)));
  for (const std::int64_t a : axes_without(in[0].ndim(), d.lhs_contracting, d.lhs_batch))
    shape.push_back(in[0].shape(static_cast<std::size_t>(a)));
  for (const std::int64_t a : axes_without(in[1].ndim(), d.rhs_contracting, d.rhs_batch))
    shape.push_back(in[1].shape(static_cast<std::size_t>(a)));
  out.push_back(Aval(p.preferred_element_type, shape, in[0].vary() | in[1].vary()));
}

// An element as a term of a sum: integers wrap.
template <class W, class T>
W widened_element(T v) {
  if constexpr (std::is_integral_v<W>)
    return static_cast<W>(static_cast<std::int64_t>(v));
  else
    return convert_element<W>(v);
}

void eval(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<DotGeneralParams>(params);
  const DotDimensionNumbers& d = p.dimension_numbers;
  const auto lb = offsets_along(in[0].shape(), d.lhs_batch), rb = offsets_along(in[1].shape(), d.rhs_batch);
  const auto lk = offsets_along(in[0].shape(), d.lhs_contracting), rk = offsets_along(in[1].shape(), d.rhs_contracting);
  const auto lm = offsets_along(in[0].shape(), axes_without(in[0].ndim(), d.lhs_contracting, d.lhs_batch));
  const auto rn = offsets_along(in[1].shape(), axes_without(in[1].ndim(), d.rhs_contracting, d.rhs_batch));
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    const T* x = in[0].as<T>();
    const T* y = in[1].as<T>();
    visit_dtype(out[0].dtype(), [&]<class R>(TypeTag<R>) {
      // f32 and c64 with results of their own type add up in it and in the order of the contracted positions, like
      // StableHLO's reference: where terms cancel, its results can be met in no other way. Other floats add up in
      // double; integers wrap.
      constexpr bool kComplex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
      constexpr bool kOwn = std::is_same_v<T, R> && (kComplex || std::is_same_v<T, float>);
      using W =
          std::conditional_t<std::is_integral_v<T>, std::uint64_t,
                             std::conditional_t<kOwn, T, std::conditional_t<kComplex, std::complex<double>, double>>>;
      // The elements of an operand that are added up before they are added to what was added up before.
      const std::size_t run = p.ordered ? kOrderedRunBytes / sizeof(T) : std::max<std::size_t>(lk.size(), 1);
      const auto widen = [](T v) { return widened_element<W>(v); };
      R* z = out[0].as<R>();
      for (std::size_t b = 0; b < lb.size(); ++b)
        for (const std::int64_t m : lm)
          for (const std::int64_t n : rn) {
            W sum{};
            for (std::size_t first = 0; first < lk.size(); first += run) {
              W part{};
              for (std::size_t k = first; k < std::min(first + run, lk.size()); ++k)
                part += widen(x[lb[b] + m + lk[k]]) * widen(y[rb[b] + n + rk[k]]);
              sum = first == 0 ? part : sum + part;
            }
            if constexpr (std::is_integral_v<W> && std::is_integral_v<R> && !std::is_same_v<R, bool>)
              *z++ = static_cast<R>(sum);
            else if constexpr (std::is_integral_v<W>)
              *z++ = convert_element<R>(static_cast<std::int64_t>(sum));
            else
              *z++ = convert_element<R>(sum);
          }
    });
  });
}

// d out / d lhs: contract the cotangent with rhs over rhs's free axes, and bring the axes back
// into lhs's order. The other operand is the mirror image.
void transpose_side(const Call& call, const Array& ct, GradAccum& accum, bool lhs) {
  const DotDimensionNumbers& d = call.params_as<DotGeneralParams>().dimension_numbers;
  const Array& other = call.args[lhs ? 1 : 0];
  const Aval own = accum.aval();
  const Dims& own_contracting = lhs ? d.lhs_contracting : d.rhs_contracting;
  const Dims& own_batch = lhs ? d.lhs_batch : d.rhs_batch;
  const Dims& other_contracting = lhs ? d.rhs_contracting : d.lhs_contracting;
  const Dims& other_batch = lhs ? d.rhs_batch : d.lhs_batch;
  const Dims own_free = axes_without(own.ndim(), own_contracting, own_batch);
  const Dims other_free = axes_without(other.ndim(), other_contracting, other_batch);
  // Axes of ct: batch, lhs free, rhs free.
  const auto nb = static_cast<std::int64_t>(own_batch.size()), nown = static_cast<std::int64_t>(own_free.size()),
             nother = static_cast<std::int64_t>(other_free.size());
  Dims ct_batch, ct_other;
  for (std::int64_t i = 0; i < nb; ++i) ct_batch.push_back(i);
  for (std::int64_t i = 0; i < nother; ++i) ct_other.push_back(nb + (lhs ? nown : 0) + i);
  // The other operand's contracted axes come out in its own order; find where each belongs.
  Dims kept(other_contracting);
  std::sort(kept.begin(), kept.end());
  Dims kept_own;
  for (const std::int64_t k : kept)
    kept_own.push_back(own_contracting[static_cast<std::size_t>(
        std::find(other_contracting.begin(), other_contracting.end(), k) - other_contracting.begin())]);
  // As `other . ct` or `ct . other`, whichever leaves less to transpose.
  const DType t = own.dtype();
  const Array g = lax::convert(ct, t);
  Array product;
  Dims order(own_batch);  // own axis of each axis of the product
  const bool ct_first = lhs;
  if (ct_first) {
    product = lax::dot_general(g, other, {ct_other, other_free, ct_batch, other_batch}, t);
    order.append(own_free.begin(), own_free.end());
    order.append(kept_own.begin(), kept_own.end());
  } else {
    product = lax::dot_general(other, g, {other_free, ct_other, other_batch, ct_batch}, t);
    order.append(kept_own.begin(), kept_own.end());
    order.append(own_free.begin(), own_free.end());
  }
  Dims permutation(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    permutation[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  accum.add(lax::transpose(product, permutation));
}

void transpose_dot(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  if (accums[0] && accums[1]) return rules::not_linear(call, cts, accums);
  if (accums[0])
    transpose_side(call, cts[0], *accums[0], true);
  else
    transpose_side(call, cts[0], *accums[1], false);
}

void batch(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  const auto& p = call.params_as<DotGeneralParams>();
  DotDimensionNumbers d = p.dimension_numbers;
  const Array& x = call.args[0];
  const Array& y = call.args[1];
  if (bdims[0] != kUnmapped) {
    d.lhs_contracting = axes_past(d.lhs_contracting, bdims[0]);
    d.lhs_batch = axes_past(d.lhs_batch, bdims[0]);
  }
  if (bdims[1] != kUnmapped) {
    d.rhs_contracting = axes_past(d.rhs_contracting, bdims[1]);
    d.rhs_batch = axes_past(d.rhs_batch, bdims[1]);
  }
  int out = 0;
  if (bdims[0] != kUnmapped && bdims[1] != kUnmapped) {
    d.lhs_batch.insert(d.lhs_batch.begin(), bdims[0]);
    d.rhs_batch.insert(d.rhs_batch.begin(), bdims[1]);
  } else if (bdims[0] != kUnmapped) {
    // One more free axis of lhs: it comes out among them, in lhs's order.
    const Dims lhs_free = axes_without(x.ndim(), d.lhs_contracting, d.lhs_batch);
    out = static_cast<int>(d.lhs_batch.size()) +
          static_cast<int>(std::find(lhs_free.begin(), lhs_free.end(), bdims[0]) - lhs_free.begin());
  } else {
    const Dims rhs_free = axes_without(y.ndim(), d.rhs_contracting, d.rhs_batch);
    out = x.ndim() - static_cast<int>(d.lhs_contracting.size()) +
          static_cast<int>(std::find(rhs_free.begin(), rhs_free.end(), bdims[1]) - rhs_free.begin());
  }
  outs.push_back(lax::dot_general(x, y, d, p.preferred_element_type));
  out_bdims.push_back(out);
}

FactorTable factors(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval>) {
  const DotDimensionNumbers& d = ir::params_as<DotGeneralParams>(params).dimension_numbers;
  FactorTable table;
  FactorTable::Axes x(in[0].shape().size()), y(in[1].shape().size()), z;
  const auto own = [](FactorTable::Axes& axes, std::int64_t a) -> SmallVector<int, 2>& {
    return axes[static_cast<std::size_t>(a)];
  };
  for (std::size_t i = 0; i < d.lhs_batch.size(); ++i) {
    const int f = table.add(in[0].shape(static_cast<std::size_t>(d.lhs_batch[i])));
    own(x, d.lhs_batch[i]).push_back(f);
    own(y, d.rhs_batch[i]).push_back(f);
    z.push_back({f});
  }
  for (std::size_t i = 0; i < d.lhs_contracting.size(); ++i) {
    const int f = table.add(in[0].shape(static_cast<std::size_t>(d.lhs_contracting[i])), FactorTable::Kind::kReduction);
    own(x, d.lhs_contracting[i]).push_back(f);
    own(y, d.rhs_contracting[i]).push_back(f);
  }
  const auto free = [&](FactorTable::Axes& axes, Aval aval) {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (!axes[i].empty()) continue;
      axes[i].push_back(table.add(aval.shape(i)));
      z.push_back(axes[i]);
    }
  };
  free(x, in[0]);
  free(y, in[1]);
  table.operands.push_back(std::move(x));
  table.operands.push_back(std::move(y));
  table.results.push_back(std::move(z));
  return table;
}

}  // namespace

Array lax::dot_general(const Arg& lhs, const Arg& rhs, const DotDimensionNumbers& dims,
                       std::optional<DType> preferred) {
  const LocationScope scope(lhs.location(), "dot_general");
  const auto [x, y] = pair_of(lhs, rhs);
  return bind1(OpCode::kDotGeneral, ir::make_params(DotGeneralParams{dims, preferred.value_or(x.dtype())}), {x, y});
}

const ir::OpInfo op_infos::dot_general{
    .operands = ir::takes(2), .parse = ir::parse_params<DotGeneralParams>, .infer = infer, .eval = eval};
const OpRules op_rule_table::dot_general{
    .jvp = jvp_bilinear, .transpose = transpose_dot, .batch = batch, .factors = factors};

}  // namespace weft

// Factor tables: sizes, and shards computed apart against parts of the whole.
#include <algorithm>

#include "harness/functions.h"
#include "harness/values.h"
#include "samples/checks.h"
#include "weft/core/rules.h"
#include "weft/ir/contraction.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"

namespace weft::testing {

namespace {

using Kind = FactorTable::Kind;

bool holds(std::span<const int> axis, int factor) { return std::find(axis.begin(), axis.end(), factor) != axis.end(); }

std::string size_difference(const FactorTable& table, const FactorTable::Axes& axes, Aval aval) {
  if (static_cast<int>(axes.size()) != aval.ndim())
    return "must list factors for each axis of " + aval.str() + "; got " + std::to_string(axes.size()) + ".";
  std::vector<int> seen;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::int64_t n = 1;
    for (const int f : axes[i]) {
      if (f < 0 || f >= static_cast<int>(table.factors.size()))
        return "names factor " + std::to_string(f) + ", which does not exist.";
      if (holds(seen, f)) return "names factor " + std::to_string(f) + " twice.";
      seen.push_back(f);
      n *= table.factors[static_cast<std::size_t>(f)].size;
    }
    if (n != aval.shape(i))
      return "factors of axis " + std::to_string(i) + " must multiply to " + std::to_string(aval.shape(i)) + "; got " +
             std::to_string(n) + ".";
  }
  return "";
}

// The shard of `x` that holds positions [begin, end) of `factor`; x itself when it has none of it.
Array shard(const Array& x, const FactorTable& table, const FactorTable::Axes& axes, int factor, std::int64_t begin,
            std::int64_t end) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!holds(axes[i], factor)) continue;
    std::int64_t minor = 1;
    for (std::size_t k = axes[i].size(); axes[i][--k] != factor;)
      minor *= table.factors[static_cast<std::size_t>(axes[i][k])].size;
    return part(x, static_cast<int>(i), table.factors[static_cast<std::size_t>(factor)].size, minor, begin, end);
  }
  return x;
}

// The parameters with which a shard computes: shapes in them become those of the shards.
ir::Params shard_params(const Sample& sample, std::span<const Array> whole, std::span<const Array> in, DimSpan out) {
  switch (sample.op) {
    case OpCode::kReshape: return ir::make_params(ReshapeParams{Dims(out)});
    case OpCode::kDynamicSlice: return ir::make_params(DynamicSliceParams{Dims(out)});
    case OpCode::kIota: {
      auto p = ir::params_as<IotaParams>(sample.params);
      p.shape = Dims(out);
      return ir::make_params(p);
    }
    case OpCode::kBroadcastInDim: {
      auto p = ir::params_as<BroadcastInDimParams>(sample.params);
      p.shape = Dims(out);
      return ir::make_params(p);
    }
    case OpCode::kSlice: {
      auto p = ir::params_as<SliceParams>(sample.params);
      for (std::size_t i = 0; i < p.limit_indices.size(); ++i)
        p.limit_indices[i] = std::min(p.limit_indices[i], in[0].aval().shape(i));
      return ir::make_params(p);
    }
    case OpCode::kGather: {
      auto p = ir::params_as<GatherParams>(sample.params);
      for (std::size_t i = 0; i < p.slice_sizes.size(); ++i)
        if (p.slice_sizes[i] == whole[0].aval().shape(i)) p.slice_sizes[i] = in[0].aval().shape(i);
      return ir::make_params(p);
    }
    default: return sample.params;
  }
}

// How partial results combine.
OpCode combiner(const Sample& sample) {
  if (sample.op == OpCode::kDotGeneral || sample.op == OpCode::kConvolution) return OpCode::kAdd;
  internal_check(sample.op == OpCode::kReduce,
                 "factors: the harness does not know how this operation's partial results combine");
  switch (ir::params_as<ReduceParams>(sample.params).kind) {
    case ReduceKind::kSum: return OpCode::kAdd;
    case ReduceKind::kProd: return OpCode::kMultiply;
    case ReduceKind::kMax: return OpCode::kMaximum;
    case ReduceKind::kMin: return OpCode::kMinimum;
    case ReduceKind::kAnd: return OpCode::kAnd;
    case ReduceKind::kOr: return OpCode::kOr;
    default: return OpCode::kXor;
  }
}

}  // namespace

void checks::factors(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const Arrays whole = call(operation(sample), args);
  ir::Avals in, out;
  for (const Array& a : args) in.push_back(a.aval());
  for (const Array& r : whole) out.push_back(r.aval());
  const FactorTable table = op_rules(sample.op).factors(sample.params.get(), in, out);
  if (table.operands.size() != in.size() || table.results.size() != out.size()) {
    findings.add("factors", "there must be one list per operand and result; got " +
                                std::to_string(table.operands.size()) + " and " + std::to_string(table.results.size()) +
                                ".");
    return;
  }
  std::string wrong;
  const auto sizes = [&](const std::string& what, const FactorTable::Axes& axes, Aval aval) {
    const std::string s = size_difference(table, axes, aval);
    if (!s.empty()) findings.add("factors", wrong = what + " " + s);
  };
  for (std::size_t i = 0; i < in.size(); ++i) sizes("operand " + std::to_string(i), table.operands[i], in[i]);
  for (std::size_t i = 0; i < out.size(); ++i) sizes("result " + std::to_string(i), table.results[i], out[i]);
  if (!wrong.empty()) return;

  for (int f = 0; f < static_cast<int>(table.factors.size()); ++f) {
    const FactorTable::Factor factor = table.factors[static_cast<std::size_t>(f)];
    const auto has = [&](std::span<const FactorTable::Axes> lists) {
      for (const FactorTable::Axes& axes : lists)
        for (const auto& axis : axes)
          if (holds(axis, f)) return true;
      return false;
    };
    const std::string what = "factor " + std::to_string(f) + " of size " + std::to_string(factor.size);
    if (factor.kind == Kind::kReduction && (has(table.results) || !has(table.operands)))
      findings.add(what, "a reduction must be in operands and in no result.");
    if (factor.size < 2 || (factor.kind != Kind::kPassThrough && factor.kind != Kind::kReduction)) continue;
    // Whoever splits the numbered axis of an iota must add where the shard begins.
    if (sample.op == OpCode::kIota &&
        holds(table.results[0][static_cast<std::size_t>(ir::params_as<IotaParams>(sample.params).dimension)], f))
      continue;

    // Two uneven shards.
    const std::int64_t cut = std::max<std::int64_t>(1, factor.size / 3);
    Arrays combined;
    for (int half = 0; half < 2; ++half) {
      const std::int64_t begin = half ? cut : 0, end = half ? factor.size : cut;
      Arrays shards, want;
      for (std::size_t i = 0; i < args.size(); ++i)
        shards.push_back(shard(args[i], table, table.operands[i], f, begin, end));
      for (std::size_t i = 0; i < whole.size(); ++i)
        want.push_back(shard(whole[i], table, table.results[i], f, begin, end));
      Arrays got;
      bind(sample.op, shard_params(sample, args, shards, want[0].shape()), shards, got);
      if (factor.kind == Kind::kPassThrough) {
        double tolerance = 0;
        for (const Array& w : want) tolerance = std::max(tolerance, precision(w.dtype()));
        findings.add(what + ", shard " + std::to_string(half), difference(got, want, tolerance));
      } else if (half == 0) {
        combined = got;
      } else {
        const Array sum = bind1(combiner(sample), {combined[0], got[0]});
        findings.add(what + ", partial results combined", difference(sum, whole[0], precision(whole[0].dtype())));
      }
    }
  }
}

}  // namespace weft::testing

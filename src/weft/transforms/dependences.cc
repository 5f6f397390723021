#include "weft/transforms/dependences.h"

#include <algorithm>

#include "weft/core/rules.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"
#include "weft/ir/window.h"
#include "weft/transforms/nonzero.h"

namespace weft::transforms {

namespace {

using Id = IndexSets::Id;

// Above it, windows and known zeros are not looked at one by one: the result is what the sharding rule says.
constexpr std::int64_t kMostVisits = std::int64_t{1} << 27;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// ---- set numbers moved about as if they were the elements ----

struct Moved {
  Dims shape;
  Ids ids;
  std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
};

Moved run_on_ids(OpCode op, const ir::Params& params, std::span<const TensorView> in) {
  ir::Avals types, outs;
  for (const TensorView& v : in) types.push_back(v.aval);
  ir::infer(op, params.get(), types, outs);
  Moved r{Dims(outs[0].shape()), Ids(at(outs[0].size()))};
  const MutableTensorView out{outs[0], r.ids.data()};
  ir::evaluate(op, params.get(), in, {&out, 1});
  return r;
}

TensorView view_of(const Moved& m) { return {Aval(i32, m.shape), m.ids.data()}; }

Moved transposed(const Moved& m, const Dims& permutation) {
  return run_on_ids(OpCode::kTranspose, ir::make_params(TransposeParams{permutation}), std::array{view_of(m)});
}

Moved padded(const Moved& m, const Dims& low, const Dims& high, const Dims& interior) {
  const Id nothing = IndexSets::kEmpty;
  return run_on_ids(OpCode::kPad, ir::make_params(PadParams{low, high, interior}),
                    std::array{view_of(m), TensorView{Aval(i32, DimSpan()), &nothing}});
}

// An axis of `size` elements, dilated and padded, over which a window slides.
struct SlidingAxis {
  std::int64_t size, window, stride, base_dilation, window_dilation, low, high;

  std::int64_t places() const {
    const std::int64_t extent = low + (size == 0 ? 0 : (size - 1) * base_dilation + 1) + high,
                       reach = window == 0 ? 0 : (window - 1) * window_dilation + 1;
    return extent <= 0 || reach > extent ? 0 : (extent - reach) / stride + 1;
  }
};

// For each element of the window, in row-major order, what it sees at every place: a padded array, cut. Axes beyond
// `axes`, which count from the back, are left whole.
std::vector<Moved> seen_by_window(const Moved& x, std::span<const SlidingAxis> axes) {
  const std::size_t rank = x.shape.size(), first = rank - axes.size();
  Dims low(rank, 0), high(rank, 0), interior(rank, 0), window, places;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    low[first + i] = axes[i].low, high[first + i] = axes[i].high, interior[first + i] = axes[i].base_dilation - 1;
    window.push_back(axes[i].window);
    places.push_back(axes[i].places());
  }
  if (std::find(places.begin(), places.end(), 0) != places.end()) return {};
  const Moved whole = padded(x, low, high, interior);
  std::vector<Moved> r;
  Dims k(axes.size(), 0);
  for (std::int64_t n = product(window); n > 0; --n) {
    SliceParams cut{whole.shape, Dims(rank, 0), Dims(rank, 1)};
    for (std::size_t i = 0; i < axes.size(); ++i) {
      cut.start_indices[first + i] = k[i] * axes[i].window_dilation;
      cut.strides[first + i] = axes[i].stride;
      cut.limit_indices[first + i] = cut.start_indices[first + i] + (places[i] - 1) * axes[i].stride + 1;
    }
    r.push_back(run_on_ids(OpCode::kSlice, ir::make_params(std::move(cut)), std::array{view_of(whole)}));
    for (std::size_t i = axes.size(); i-- > 0;) {
      if (++k[i] < window[i]) break;
      k[i] = 0;
    }
  }
  return r;
}

std::vector<SlidingAxis> axes_of(const Window& w, Aval x) {
  std::vector<SlidingAxis> r;
  for (std::size_t i = 0; i < x.shape().size(); ++i)
    r.push_back({x.shape(i), w.dimensions[i], w.strides[i], w.base_dilations[i], w.window_dilations[i],
                 w.padding_low[i], w.padding_high[i]});
  return r;
}

Moved moved_of(const Finding& f, Aval aval) {
  return {Dims(aval.shape()), f.deps ? *f.deps : Ids(at(aval.size()), IndexSets::kEmpty)};
}

bool any_set(const Ids& ids) {
  return std::any_of(ids.begin(), ids.end(), [](Id id) { return id != IndexSets::kEmpty; });
}
Deps deps_of(Ids ids) { return any_set(ids) ? std::make_shared<const Ids>(std::move(ids)) : nullptr; }

// Whether the operation gives each element of its results the place of one element of its operands.
bool moves(OpCode op, const ir::ParamsBase* params) {
  switch (op) {
    case OpCode::kReshape:
    case OpCode::kBroadcastInDim:
    case OpCode::kTranspose:
    case OpCode::kReverse:
    case OpCode::kSlice:
    case OpCode::kDynamicSlice:
    case OpCode::kDynamicUpdateSlice:
    case OpCode::kConcatenate:
    case OpCode::kSplit:
    case OpCode::kPad:
    case OpCode::kGather:
    case OpCode::kSelect: return true;
    case OpCode::kScatter: return ir::params_as<ScatterParams>(params).kind == ScatterKind::kSet;
    default: return false;
  }
}

}  // namespace

// ---- shared ----

Deps Dependences::unite(const Deps& a, const Deps& b) {
  if (!a || a == b) return b;
  if (!b) return a;
  Ids r(a->size());
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = sets_.unite((*a)[i], (*b)[i]);
  return std::make_shared<const Ids>(std::move(r));
}

Deps Dependences::leveled(const Deps& a) {
  return a ? std::make_shared<const Ids>(a->size(), sets_.unite(*a)) : nullptr;
}

std::optional<std::vector<char>> Dependences::nonzero(const Finding& finding, Aval aval) {
  const Array* value = known_.get(finding.known);
  if (!value) return {};
  if (const BufferValue* b = value->buffer(); b->splat()) {
    if (nonzero_elements(aval.dtype(), b->data(), 1)[0]) return {};
    return std::vector<char>(at(aval.size()), 0);
  }
  std::vector<char> r = nonzero_elements(aval.dtype(), value->host("sparsity").view.data, aval.size());
  if (std::find(r.begin(), r.end(), 0) == r.end()) return {};
  return r;
}

Ids Dependences::unite_by_target(std::int64_t size, std::span<const std::int64_t> targets, std::span<const Id> ids) {
  std::vector<std::size_t> end(at(size) + 1, 0);
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (targets[i] >= 0 && ids[i] != IndexSets::kEmpty) ++end[at(targets[i])];
  for (std::size_t t = 0, sum = 0; t < end.size(); ++t) sum = end[t] += sum;
  Ids sorted(end.back());
  for (std::size_t i = ids.size(); i-- > 0;)
    if (targets[i] >= 0 && ids[i] != IndexSets::kEmpty) sorted[--end[at(targets[i])]] = ids[i];
  // Now end[t] is where those of t begin.
  Ids r(at(size));
  for (std::size_t t = 0; t < r.size(); ++t) r[t] = sets_.unite(std::span(sorted).subspan(end[t], end[t + 1] - end[t]));
  return r;
}

std::vector<Deps> Dependences::of(const DependenceCall& call) {
  std::vector<Deps> results(call.out.size());
  if (std::none_of(call.args.begin(), call.args.end(), [](const Finding& f) { return f.deps != nullptr; }))
    return results;
  Deps one;
  if (ir::op_info(call.op).identity) {
    for (std::size_t i = 0; i < results.size(); ++i) results[i] = call.args[i].deps;
  } else if (moves(call.op, call.params) && moved(call, results)) {
    // done
  } else if (ir::op_info(call.op).elementwise || call.op == OpCode::kSelect) {
    results[0] = elementwise(call);
  } else {
    switch (call.op) {
      case OpCode::kScatter: one = scattered(call); break;
      case OpCode::kCumsum: one = accumulated(call); break;
      case OpCode::kDotGeneral: one = contracted(call); break;
      case OpCode::kConvolution: one = convolved(call); break;
      case OpCode::kReduceWindow:
      case OpCode::kSelectAndScatter:
      case OpCode::kSelectAndGatherAdd: one = over_windows(call); break;
      default: break;
    }
    if (one)
      results[0] = std::move(one);
    else
      for (std::size_t r = 0; r < results.size(); ++r) results[r] = by_factors(call, r);
  }
  for (std::size_t r = 0; r < results.size(); ++r)
    if (!is_inexact(call.out[r].dtype())) results[r] = nullptr;
  return results;
}

// ---- one element from one ----

// The reference evaluation, of set numbers in place of elements. Operands that are no floats say where elements go:
// false unless they are known.
bool Dependences::moved(const DependenceCall& call, std::vector<Deps>& results) {
  std::vector<Ids> zeros;
  std::vector<TensorView> in;
  std::vector<detail::HostView> hosts;
  zeros.reserve(call.in.size());
  for (std::size_t i = 0; i < call.in.size(); ++i) {
    const Aval aval = call.in[i];
    if (is_inexact(aval.dtype())) {
      if (!call.args[i].deps) zeros.emplace_back(at(aval.size()), IndexSets::kEmpty);
      in.push_back({aval.with_dtype(i32), call.args[i].deps ? call.args[i].deps->data() : zeros.back().data()});
      continue;
    }
    const Array* value = known_.get(call.args[i].known);
    if (!value) return false;
    hosts.push_back(value->host("sparsity"));
    in.push_back(hosts.back().view);
  }
  std::vector<Ids> ids;
  std::vector<MutableTensorView> out;
  ids.reserve(call.out.size());
  out.reserve(call.out.size());
  for (const Aval aval : call.out) ids.emplace_back(at(aval.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) out.push_back({call.out[i].with_dtype(i32), ids[i].data()});
  ir::evaluate(call.op, call.params, in, out);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    // A read from outside gives the lowest integer where floats have NaN.
    for (Id& id : ids[i]) id = std::max(id, IndexSets::kEmpty);
    results[i] = deps_of(std::move(ids[i]));
  }
  return true;
}

// ---- element by element ----

Deps Dependences::elementwise(const DependenceCall& call) {
  const bool choice = call.op == OpCode::kSelect;
  Deps all;
  for (std::size_t i = choice ? 1 : 0; i < call.args.size(); ++i) {
    Deps d = call.args[i].deps;
    if (!d) continue;
    if (call.in[i].ndim() == 0 && call.out[0].ndim() > 0)
      d = std::make_shared<const Ids>(at(call.out[0].size()), (*d)[0]);
    if (call.op == OpCode::kMultiply)
      if (const auto factor = nonzero(call.args[1 - i], call.in[1 - i])) {
        Ids cut(*d);
        for (std::size_t k = 0; k < cut.size(); ++k)
          if (!(*factor)[k]) cut[k] = IndexSets::kEmpty;
        d = deps_of(std::move(cut));
      }
    all = unite(all, d);
  }
  return all;
}

// ---- sums ----

// scatter that combines: the operand's element and every update that meets it. Null when indices are not known.
Deps Dependences::scattered(const DependenceCall& call) {
  const auto& p = ir::params_as<ScatterParams>(call.params);
  const Array* indices = known_.get(call.args[1].known);
  if (!indices || p.kind == ScatterKind::kSet) return nullptr;
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const Aval x = call.in[0], updates = call.in[2];
  // The gather that reads where the scatter writes, of places counted from 1: 0 is outside.
  const GatherDimensionNumbers numbers{d.update_window_dims, d.inserted_window_dims, d.input_batching_dims,
                                       d.scatter_indices_batching_dims, d.scatter_dims_to_operand_dims};
  Dims sizes(x.shape().size(), 1);
  const auto among = [](const Dims& axes, std::size_t a) {
    return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(a)) != axes.end();
  };
  for (std::size_t a = 0, w = 0; a < sizes.size(); ++a) {
    if (!among(d.inserted_window_dims, a) && !among(d.input_batching_dims, a))
      sizes[a] = updates.shape(at(d.update_window_dims[w++]));
    sizes[a] = std::min(sizes[a], x.shape(a));
  }
  const bool clip = p.mode == IndexMode::kClip || p.mode == IndexMode::kPromise;
  const IndexMode mode = clip                            ? IndexMode::kClip
                         : p.mode == IndexMode::kPartial ? IndexMode::kPartial
                                                         : IndexMode::kZeroOrDrop;
  std::vector<std::int64_t> places(at(x.size())), targets(at(updates.size()));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::int64_t>(i) + 1;
  const detail::HostView host = indices->host("sparsity");
  const std::array<TensorView, 2> in{TensorView{Aval(i64, x.shape()), places.data()}, host.view};
  const MutableTensorView out{Aval(i64, updates.shape()), targets.data()};
  ir::evaluate(OpCode::kGather, ir::make_params(GatherParams{numbers, mode, sizes}).get(), in, {&out, 1});
  for (std::int64_t& t : targets) --t;
  Deps from_updates;
  if (call.args[2].deps) from_updates = deps_of(unite_by_target(x.size(), targets, *call.args[2].deps));
  const Deps all = unite(call.args[0].deps, from_updates);
  return all ? all : std::make_shared<const Ids>(at(x.size()), IndexSets::kEmpty);
}

Deps Dependences::accumulated(const DependenceCall& call) {
  const auto& p = ir::params_as<CumsumParams>(call.params);
  const DimSpan shape = call.in[0].shape();
  const std::size_t axis = at(p.axis);
  const std::int64_t n = shape[axis], inner = product(shape.subspan(axis + 1)), outer = product(shape.first(axis));
  Ids r(*call.args[0].deps);
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t k = 1; k < n; ++k) {
      const std::int64_t to = p.reverse ? n - 1 - k : k, from = p.reverse ? to + 1 : to - 1;
      for (std::int64_t i = 0; i < inner; ++i) {
        Id& id = r[at((o * n + to) * inner + i)];
        id = sets_.unite(id, r[at((o * n + from) * inner + i)]);
      }
    }
  return std::make_shared<const Ids>(std::move(r));
}

// dot_general with zeros in a known operand: what they would multiply does not count. Null when there are none.
Deps Dependences::contracted(const DependenceCall& call) {
  const bool on_left = call.args[0].deps != nullptr;
  if (on_left && call.args[1].deps) return nullptr;
  const std::size_t own = on_left ? 0 : 1, other = 1 - own;
  const auto mask = nonzero(call.args[other], call.in[other]);
  if (!mask) return nullptr;
  const DotDimensionNumbers& d = ir::params_as<DotGeneralParams>(call.params).dimension_numbers;
  // Both as [batch, free, contracted].
  const auto arranged = [&](const Moved& m, const Dims& batch, const Dims& contracting) {
    Dims order(batch);
    for (std::int64_t a = 0; a < static_cast<std::int64_t>(m.shape.size()); ++a)
      if (std::find(batch.begin(), batch.end(), a) == batch.end() &&
          std::find(contracting.begin(), contracting.end(), a) == contracting.end())
        order.push_back(a);
    order.append(contracting.begin(), contracting.end());
    return transposed(m, order);
  };
  const Dims &own_batch = on_left ? d.lhs_batch : d.rhs_batch, &other_batch = on_left ? d.rhs_batch : d.lhs_batch,
             &own_sum = on_left ? d.lhs_contracting : d.rhs_contracting,
             &other_sum = on_left ? d.rhs_contracting : d.lhs_contracting;
  const Moved x = arranged(moved_of(call.args[own], call.in[own]), own_batch, own_sum),
              zeros = arranged({Dims(call.in[other].shape()), Ids(mask->begin(), mask->end())}, other_batch, other_sum);
  std::int64_t batch = 1, sum = 1;
  for (const std::int64_t a : own_batch) batch *= call.in[own].shape(at(a));
  for (const std::int64_t a : own_sum) sum *= call.in[own].shape(at(a));
  if (batch * sum == 0) return nullptr;
  const std::int64_t rows = x.size() / (batch * sum), cols = zeros.size() / (batch * sum);
  const auto nonzeros = std::count(mask->begin(), mask->end(), 1);
  if (rows > 0 && nonzeros > kMostVisits / rows) return nullptr;

  Ids r(at(call.out[0].size())), terms;
  std::vector<std::int64_t> kept;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t j = 0; j < cols; ++j) {
      kept.clear();
      for (std::int64_t k = 0; k < sum; ++k)
        if (zeros.ids[at((b * cols + j) * sum + k)]) kept.push_back(k);
      for (std::int64_t i = 0; i < rows; ++i) {
        terms.clear();
        for (const std::int64_t k : kept) terms.push_back(x.ids[at((b * rows + i) * sum + k)]);
        r[at(b * rows * cols + (on_left ? i * cols + j : j * rows + i))] = sets_.unite(terms);
      }
    }
  return std::make_shared<const Ids>(std::move(r));
}

// By lhs alone, and without batch groups: what the window sees where the kernel is not a known zero.
Deps Dependences::convolved(const DependenceCall& call) {
  const auto& p = ir::params_as<ConvolutionParams>(call.params);
  if (call.args[1].deps || p.batch_group_count > 1) return nullptr;
  const ConvDimensionNumbers& d = p.dimension_numbers;
  const Aval lhs = call.in[0], rhs = call.in[1];
  const std::size_t rank = d.input_spatial.size();
  const auto order = [](std::int64_t a, std::int64_t b, const Dims& spatial) {
    Dims r{a, b};
    r.append(spatial.begin(), spatial.end());
    return r;
  };
  std::vector<SlidingAxis> axes;
  std::int64_t window = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    axes.push_back({lhs.shape(at(d.input_spatial[i])), rhs.shape(at(d.kernel_spatial[i])), p.window_strides[i],
                    p.lhs_dilation[i], p.rhs_dilation[i], p.padding_low[i], p.padding_high[i]});
    window *= axes.back().window;
  }
  const std::int64_t per_group = rhs.shape(at(d.kernel_input_feature)),
                     features = rhs.shape(at(d.kernel_output_feature)), visits = window * per_group;
  if (visits == 0 || call.out[0].size() > kMostVisits / visits) return nullptr;
  const std::vector<Moved> seen = seen_by_window(
      transposed(moved_of(call.args[0], lhs), order(d.input_batch, d.input_feature, d.input_spatial)), axes);
  if (seen.empty()) return nullptr;
  // The kernel as [output feature, input feature, window...], in the order in which it meets the window.
  const auto mask = nonzero(call.args[1], rhs);
  Moved kernel{Dims(rhs.shape()), mask ? Ids(mask->begin(), mask->end()) : Ids(at(rhs.size()), 1)};
  kernel = transposed(kernel, order(d.kernel_output_feature, d.kernel_input_feature, d.kernel_spatial));
  Dims reversed(p.reversed);
  for (std::int64_t& a : reversed) a += 2;
  kernel = run_on_ids(OpCode::kReverse, ir::make_params(ReverseParams{reversed}), std::array{view_of(kernel)});

  const std::int64_t batch = lhs.shape(at(d.input_batch)), in_features = lhs.shape(at(d.input_feature)),
                     places = seen[0].size() / std::max<std::int64_t>(1, batch * in_features),
                     out_per_group = features / p.feature_group_count;
  Moved r{Dims{batch, features}, Ids(at(batch * features * places))};
  r.shape.append(seen[0].shape.begin() + 2, seen[0].shape.end());
  Ids terms;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t f = 0; f < features; ++f)
      for (std::int64_t o = 0; o < places; ++o) {
        terms.clear();
        for (std::int64_t c = 0; c < per_group; ++c)
          for (std::int64_t k = 0; k < window; ++k)
            if (kernel.ids[at((f * per_group + c) * window + k)])
              terms.push_back(seen[at(k)].ids[at((b * in_features + f / out_per_group * per_group + c) * places + o)]);
        r.ids[at((b * features + f) * places + o)] = sets_.unite(terms);
      }
  // Axis order[i] of the result is axis i here.
  const Dims to = order(d.output_batch, d.output_feature, d.output_spatial);
  Dims back(to.size());
  for (std::size_t i = 0; i < to.size(); ++i) back[at(to[i])] = static_cast<std::int64_t>(i);
  return std::make_shared<const Ids>(transposed(r, back).ids);
}

// reduce_window and select_and_gather_add take what the window sees, select_and_scatter gives it back. The operand that
// selects has no derivative.
Deps Dependences::over_windows(const DependenceCall& call) {
  const bool plain = call.op == OpCode::kReduceWindow, back = call.op == OpCode::kSelectAndScatter;
  const Window& w = plain ? ir::params_as<ReduceWindowParams>(call.params).window
                          : ir::params_as<WindowSelectParams>(call.params).window;
  const Finding& f = call.args[plain ? 0 : 1];
  const std::int64_t window = product(w.dimensions), places = back ? call.in[1].size() : call.out[0].size();
  if (window == 0 || places > kMostVisits / window || !f.deps) return nullptr;
  const auto axes = axes_of(w, call.in[0]);
  if (!back) {
    const std::vector<Moved> seen = seen_by_window({Dims(call.in[0].shape()), *f.deps}, axes);
    if (seen.empty()) return nullptr;
    Ids r(at(places)), terms(seen.size());
    for (std::size_t o = 0; o < r.size(); ++o) {
      for (std::size_t k = 0; k < seen.size(); ++k) terms[k] = seen[k].ids[o];
      r[o] = sets_.unite(terms);
    }
    return std::make_shared<const Ids>(std::move(r));
  }
  const std::int64_t size = call.out[0].size();
  if (size >= std::int64_t{INT32_MAX}) return nullptr;
  Moved numbers{Dims(call.in[0].shape()), Ids(at(size))};
  for (std::int64_t i = 0; i < size; ++i) numbers.ids[at(i)] = static_cast<Id>(i) + 1;
  std::vector<std::int64_t> targets;
  Ids sources;
  for (const Moved& m : seen_by_window(numbers, axes)) {
    for (const Id place : m.ids) targets.push_back(place - 1);
    sources.insert(sources.end(), f.deps->begin(), f.deps->end());
  }
  return std::make_shared<const Ids>(unite_by_target(size, targets, sources));
}

// ---- by the sharding rule ----

namespace {

// For each element of an array, its position along those factors that have a stride.
std::vector<std::int64_t> keys_of(DimSpan shape, const FactorTable::Axes& axes, const FactorTable& table,
                                  const std::vector<std::int64_t>& strides) {
  // What each index along each axis adds: its digits, major to minor, are those of the axis's factors.
  std::vector<std::vector<std::int64_t>> adds;
  for (std::size_t a = 0; a < shape.size(); ++a) {
    auto& add = adds.emplace_back(at(shape[a]), 0);
    std::int64_t minor = 1;
    for (std::size_t k = axes[a].size(); k-- > 0;) {
      const std::size_t f = at(axes[a][k]);
      const std::int64_t size = table.factors[f].size;
      for (std::size_t i = 0; i < add.size(); ++i) add[i] += static_cast<std::int64_t>(i) / minor % size * strides[f];
      minor *= size;
    }
    internal_check(shape[a] == 0 || axes[a].empty() || minor == shape[a], "sparsity: a sharding rule does not fit");
  }
  std::vector<std::int64_t> keys{0};
  for (const auto& add : adds) {
    std::vector<std::int64_t> longer;
    longer.reserve(keys.size() * add.size());
    for (const std::int64_t key : keys)
      for (const std::int64_t more : add) longer.push_back(key + more);
    keys = std::move(longer);
  }
  return keys;
}

}  // namespace

Deps Dependences::by_factors(const DependenceCall& call, std::size_t result) {
  const FactorTable table = op_rules(call.op).factors(call.params, call.in, call.out);
  const DimSpan shape = call.out[result].shape();
  Deps all;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    if (!call.args[i].deps) continue;
    // Both have these factors, and shards of them know nothing of each other.
    const auto has = [](const FactorTable::Axes& axes, std::size_t f) {
      return std::any_of(axes.begin(), axes.end(), [&](const auto& axis) {
        return std::find(axis.begin(), axis.end(), static_cast<int>(f)) != axis.end();
      });
    };
    std::vector<std::int64_t> strides(table.factors.size(), 0);
    std::int64_t groups = 1;
    for (std::size_t f = 0; f < strides.size(); ++f) {
      if (table.factors[f].kind != FactorTable::Kind::kPassThrough || !has(table.operands[i], f) ||
          !has(table.results[result], f))
        continue;
      strides[f] = groups;
      groups *= table.factors[f].size;
    }
    const Ids united =
        unite_by_target(groups, keys_of(call.in[i].shape(), table.operands[i], table, strides), *call.args[i].deps);
    Ids r;
    for (const std::int64_t key : keys_of(shape, table.results[result], table, strides)) r.push_back(united[at(key)]);
    all = unite(all, deps_of(std::move(r)));
  }
  return all;
}

}  // namespace weft::transforms

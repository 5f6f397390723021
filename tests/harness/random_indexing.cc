// Random equations that read and write at places which are values: dynamic slices, gather, scatter; and sort, top_k and
// random bits. Places are mostly inside and sometimes not.
#include <algorithm>
#include <array>

#include "harness/program_scope.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"

namespace weft::testing {

namespace {

constexpr auto has_axes = [](Aval a) { return a.ndim() > 0; };

// A position along an axis of `n`.
Operand random_start(Scope& s, std::int64_t n) {
  const DType t = s.random().chance(0.8) ? i32 : s.random().of({i8, i64, u8, u32, u64, i16});
  const Aval type(t, Dims{});
  const double kind = s.random().uniform();
  if (kind < 0.35) return s.literal(type, static_cast<double>(s.random().between(is_unsigned(t) ? 0 : -2, n + 2)));
  if (kind < 0.6)
    if (const auto found = s.find([](Aval a) { return a.ndim() == 0 && is_integer(a.dtype()); })) return *found;
  return s.wants_inputs() ? s.add_input(type, Fill::kSmall) : s.recent_of_type(type);
}

// Positions along axes of about `n`.
Operand random_indices(Scope& s, const Dims& shape, std::int64_t n) {
  const DType t = s.random().chance(0.8) ? i32 : s.random().of({i64, u8, u32, i16});
  const Aval type(t, shape);
  const double kind = s.random().uniform();
  if (kind < 0.35 && s.wants_inputs()) return s.add_input(type, Fill::kSmall);
  if (kind < 0.7 && n > 0) {
    // Whatever is there, brought near.
    const auto near =
        s.apply1(OpCode::kRemainder, ir::Params(), {s.recent_of_type(type), s.literal(type, static_cast<double>(n))});
    if (near) return *near;
  }
  return s.of_type(type);
}

bool make_dynamic_slice(Scope& s) {
  const auto x = s.find(has_axes);
  if (!x) return false;
  DynamicSliceParams p;
  Operands operands{*x};
  for (const std::int64_t n : x->aval.shape()) {
    p.slice_sizes.push_back(s.random().chance(0.4) ? n : s.random().between(std::min<std::int64_t>(n, 1), n));
    operands.push_back(random_start(s, n));
  }
  return s.apply(OpCode::kDynamicSlice, ir::make_params(p), operands).has_value();
}

bool make_dynamic_update_slice(Scope& s) {
  const auto x = s.find(has_axes);
  if (!x) return false;
  const auto fits = [&](Aval a) {
    if (a.dtype() != x->aval.dtype() || a.ndim() != x->aval.ndim() || a == x->aval) return false;
    for (std::size_t i = 0; i < a.shape().size(); ++i)
      if (a.shape(i) > x->aval.shape(i)) return false;
    return true;
  };
  std::optional<Operand> update = s.random().chance(0.4) ? s.find(fits) : std::nullopt;
  if (!update) {
    Dims shape;
    for (const std::int64_t n : x->aval.shape())
      shape.push_back(s.random().chance(0.4) ? n : s.random().between(std::min<std::int64_t>(n, 1), n));
    update = s.of_type(x->aval.with_shape(shape));
  }
  Operands operands{*x, *update};
  for (const std::int64_t n : x->aval.shape()) operands.push_back(random_start(s, n));
  return s.apply(OpCode::kDynamicUpdateSlice, {}, operands).has_value();
}

// Which axes of an operand index vectors speak of: what gather and scatter share.
struct Places {
  Dims absent;                      // axes that windows do not have
  Dims batching, indices_batching;  // axes that run along with axes of the indices
  Dims map;                         // axis of each component of an index vector
  Dims window;                      // the other axes, whose windows are `sizes` long
  Dims sizes;                       // by axis of the operand
  Dims batch;                       // the shape of the indices, without index vectors
  Dims window_dims;                 // of the result or the updates
  Dims shape;                       // theirs
  std::int64_t positions = 0;       // along the shortest axis of `map`
};

Places random_places(RandomSource& random, Aval x) {
  Places p;
  for (std::int64_t i = 0; i < x.ndim(); ++i) {
    const std::int64_t n = x.shape(static_cast<std::size_t>(i));
    const double role = random.uniform();
    if (role < 0.12 && n < 40) {
      p.batching.push_back(i);
      p.sizes.push_back(std::min<std::int64_t>(n, 1));
    } else if (role < 0.55) {
      p.absent.push_back(i);
      p.sizes.push_back(std::min<std::int64_t>(n, 1));
    } else {
      p.window.push_back(i);
      p.sizes.push_back(random.chance(0.6) ? n : random.between(std::min<std::int64_t>(n, 1), n));
    }
    if (p.batching.empty() || p.batching.back() != i)
      if ((p.window.empty() || p.window.back() != i ? random.chance(0.9) : random.chance(0.35))) p.map.push_back(i);
  }
  if (p.map.size() > 1 && random.chance(0.3)) std::swap(p.map.front(), p.map.back());
  for (std::size_t i = 0; i < p.map.size(); ++i) {
    const std::int64_t n = x.shape(static_cast<std::size_t>(p.map[i]));
    p.positions = i == 0 ? n : std::min(p.positions, n);
  }
  for (const std::int64_t i : p.batching) {
    p.indices_batching.push_back(static_cast<std::int64_t>(p.batch.size()));
    p.batch.push_back(x.shape(static_cast<std::size_t>(i)));
  }
  for (std::int64_t n = random.between(0, 2); n > 0; --n) p.batch.push_back(random_size(random, 9));
  // Windows first, last or in between.
  const std::int64_t rank = static_cast<std::int64_t>(p.batch.size() + p.window.size());
  std::vector<bool> of_window(static_cast<std::size_t>(rank), false);
  for (std::size_t i = 0; i < p.window.size(); ++i) of_window[of_window.size() - 1 - i] = true;
  if (random.chance(0.3)) std::reverse(of_window.begin(), of_window.end());
  if (rank > 1 && random.chance(0.3)) {
    const auto i = static_cast<std::size_t>(random.below(rank)), k = static_cast<std::size_t>(random.below(rank));
    std::vector<bool>::swap(of_window[i], of_window[k]);
  }
  std::size_t next_window = 0, next_batch = 0;
  for (std::int64_t i = 0; i < rank; ++i) {
    if (of_window[static_cast<std::size_t>(i)]) {
      p.window_dims.push_back(i);
      p.shape.push_back(p.sizes[static_cast<std::size_t>(p.window[next_window++])]);
    } else {
      p.shape.push_back(p.batch[next_batch++]);
    }
  }
  return p;
}

Operand indices_of(Scope& s, const Places& p) {
  Dims shape = p.batch;
  shape.push_back(static_cast<std::int64_t>(p.map.size()));
  return random_indices(s, shape, p.positions);
}

IndexMode random_mode(RandomSource& random) {
  using enum IndexMode;
  return random.of({kClip, kClip, kFillOrDrop, kPromise, kZeroOrDrop, kPartial});
}

bool make_gather(Scope& s) {
  const auto x = s.find(has_axes);
  if (!x) return false;
  const Places p = random_places(s.random(), x->aval);
  const GatherParams params{
      {p.window_dims, p.absent, p.batching, p.indices_batching, p.map}, random_mode(s.random()), p.sizes};
  return s.apply1(OpCode::kGather, params, {*x, indices_of(s, p)}).has_value();
}

// Rows by number: what indexing with an array of integers is.
bool make_take(Scope& s) {
  const auto x = s.find(has_axes);
  if (!x) return false;
  Dims sizes(x->aval.shape()), offsets;
  sizes[0] = std::min<std::int64_t>(sizes[0], 1);
  for (int i = 1; i < x->aval.ndim(); ++i) offsets.push_back(i);
  const Operand indices = random_indices(s, Dims{random_size(s.random(), 20), 1}, x->aval.shape(0));
  const GatherParams params{{offsets, {0}, {}, {}, {0}}, random_mode(s.random()), sizes};
  return s.apply1(OpCode::kGather, params, {*x, indices}).has_value();
}

bool make_scatter(Scope& s) {
  const auto x = s.find(has_axes);
  if (!x) return false;
  const Places p = random_places(s.random(), x->aval);
  const auto kind = static_cast<ScatterKind>(s.random().below(5));
  const ScatterParams params{
      kind, {p.window_dims, p.absent, p.batching, p.indices_batching, p.map}, random_mode(s.random()), false};
  return s.apply1(OpCode::kScatter, params, {*x, indices_of(s, p), s.of_type(x->aval.with_shape(p.shape))}).has_value();
}

bool make_sort(Scope& s) {
  const auto x = s.find(has_axes);
  if (!x) return false;
  Operands operands{*x};
  for (std::int64_t n = s.random().below(3); n > 0; --n) {
    const auto more = s.find([&](Aval a) { return same_dims(a.shape(), x->aval.shape()); });
    operands.push_back(more ? *more : s.of_type(x->aval.with_dtype(random_dtype(s.random()))));
  }
  const SortParams p{s.random().below(x->aval.ndim()),
                     s.random().between(1, static_cast<std::int64_t>(operands.size()))};
  return s.apply(OpCode::kSort, ir::make_params(p), operands).has_value();
}

bool make_top_k(Scope& s) {
  const auto x = s.find(has_axes);
  if (!x) return false;
  return s
      .apply(OpCode::kTopK,
             ir::make_params(TopKParams{s.random().between(0, std::min<std::int64_t>(x->aval.shape().back(), 10))}),
             std::array{*x})
      .has_value();
}

bool make_threefry(Scope& s) {
  const auto x = s.find([](Aval a) { return a.dtype() == u32; });
  const Aval counter = x ? x->aval : Aval(u32, random_shape(s.random(), 200));
  const Aval key = s.random().chance(0.7) ? Aval(u32, Dims{}) : counter;
  const Operands operands{s.of_type(key), s.of_type(s.random().chance(0.8) ? key : counter), s.of_type(counter),
                          s.of_type(counter)};
  return s.apply(OpCode::kThreefry2x32, {}, operands).has_value();
}

}  // namespace

std::span<const WeightedMaker> indexing_makers() {
  static constexpr WeightedMaker kMakers[] = {{make_dynamic_slice, 5}, {make_dynamic_update_slice, 5},
                                              {make_gather, 3},        {make_take, 2},
                                              {make_scatter, 4},       {make_sort, 2},
                                              {make_top_k, 1},         {make_threefry, 1.5}};
  return kMakers;
}

}  // namespace weft::testing

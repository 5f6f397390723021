// Samples of gather, scatter and sort.
#include "weft/ir/indexing.h"

#include <cmath>
#include <limits>

#include "samples/sample.h"

namespace weft::testing {

namespace {

using enum IndexMode;

bool differentiable(DType t) { return is_inexact(t) && byte_size(t) >= 4; }

// One way to name windows, for both gather and scatter.
struct Windows {
  std::string name;
  Dims operand;
  SampleOperand indices;
  Dims window_dims;  // offset_dims, update_window_dims
  Dims inserted;     // collapsed_slice_dims, inserted_window_dims
  Dims operand_batching, indices_batching;
  Dims map;
  Dims sizes;    // by operand axis
  Dims updates;  // the gather's result
  bool distinct = false;
};

SampleOperand index_vectors(Dims shape, std::vector<double> values, DType t = i32) {
  return {t, std::move(shape), 0, 0, std::move(values)};
}

// All inside, so that every mode means the same.
std::vector<Windows> windows() {
  return {
      {"rows", {4, 3}, index_vectors({2, 1}, {2, 0, 3, 1}), {1}, {0}, {}, {}, {0}, {1, 3}, {2, 3}, true},
      {"repeated_rows", {4, 3}, index_vectors({3, 1}, {2, 0, 2, 1, 1, 3}), {1}, {0}, {}, {}, {0}, {1, 3}, {3, 3}},
      {"elements", {4, 3}, index_vectors({3, 2}, {2, 0, 3, 1, 2, 0}), {}, {0, 1}, {}, {}, {0, 1}, {1, 1}, {3}},
      {"elements_by_crossed_vectors",
       {4, 3},
       index_vectors({2, 2}, {0, 2, 1, 3}),
       {},
       {0, 1},
       {},
       {},
       {1, 0},
       {1, 1},
       {2},
       true},
      {"overlapping_windows",
       {5, 4},
       index_vectors({2, 2}, {1, 0, 2, 1, 3, 1}),
       {1, 2},
       {},
       {},
       {},
       {0, 1},
       {2, 3},
       {2, 2, 3}},
      {"windows_around_batch",
       {3, 4},
       index_vectors({2, 2}, {0, 1, 1, 2, 1, 0}),
       {0, 2},
       {},
       {},
       {},
       {0, 1},
       {2, 2},
       {2, 2, 2}},
      {"columns_in_front", {3, 5}, index_vectors({2, 1}, {4, 1, 0}), {0}, {1}, {}, {}, {1}, {3, 1}, {3, 2}, true},
      {"one_window", {6}, index_vectors({1}, {2, 1, 0}), {0}, {}, {}, {}, {0}, {3}, {3}, true},
      {"one_element", {6}, index_vectors({1}, {2, 5}), {}, {0}, {}, {}, {0}, {1}, {}, true},
      {"grid_of_indices", {5}, index_vectors({2, 2, 1}, {4, 0, 3, 1}), {}, {0}, {}, {}, {0}, {1}, {2, 2}, true},
      {"batching", {2, 4}, index_vectors({2, 3, 1}, {0, 3, 1, 2, 0, 3}), {}, {1}, {0}, {0}, {1}, {1, 1}, {2, 3}, true},
      {"batching_crossed",
       {4, 2, 3},
       index_vectors({3, 2, 1}, {0, 3, 1, 2, 0, 3}),
       {},
       {0},
       {1, 2},
       {1, 0},
       {0},
       {1, 1, 1},
       {3, 2},
       true},
      {"batched_windows",
       {2, 5, 3},
       index_vectors({2, 1}, {0, 2, 1, 3}),
       {1, 2},
       {},
       {0},
       {0},
       {1},
       {1, 2, 3},
       {2, 2, 3},
       true},
      {"wide_indices", {4, 3}, index_vectors({2, 1}, {3, 1, 0, 2}, i64), {1}, {0}, {}, {}, {0}, {1, 3}, {2, 3}, true},
      {"narrow_indices", {4, 3}, index_vectors({2, 1}, {3, 1, 0, 2}, u8), {1}, {0}, {}, {}, {0}, {1, 3}, {2, 3}, true},
      {"no_indices", {4, 3}, index_vectors({0, 1}, {0}), {1}, {0}, {}, {}, {0}, {1, 3}, {0, 3}, true},
      {"empty_vectors", {3}, index_vectors({2, 0}, {0}), {1}, {}, {}, {}, {}, {2}, {2, 2}},
  };
}

ir::Params gather_params(const Windows& w, IndexMode mode) {
  return ir::make_params(
      GatherParams{{w.window_dims, w.inserted, w.operand_batching, w.indices_batching, w.map}, mode, w.sizes});
}
ir::Params scatter_params(const Windows& w, ScatterKind kind, IndexMode mode, bool unique) {
  return ir::make_params(
      ScatterParams{kind, {w.window_dims, w.inserted, w.operand_batching, w.indices_batching, w.map}, mode, unique});
}

// Starts before, across and beyond the ends.
const Windows kRowsOutside{"rows_outside", {4, 3}, index_vectors({4, 1}, {-1, 1, 4, 3, 100, -7}), {1}, {0}, {}, {}, {0},
                           {1, 3},         {4, 3}};
const Windows kWindowsOutside{
    "windows_outside", {5, 4}, index_vectors({2, 2}, {4, 1, -1, 3, 2, 0, 1, 9}), {1, 2}, {}, {}, {}, {0, 1}, {2, 3},
    {2, 2, 3}};

// One window across each end.
const Windows kTwoAcrossEnds{"", {5}, index_vectors({2, 1}, {3, -1}), {1}, {}, {}, {}, {0}, {3}, {2, 3}};

void add_gather(std::vector<Sample>& out) {
  const auto add = [&](const Windows& w, IndexMode mode, DType t, const std::string& name, bool smooth,
                       std::vector<double> values = {}, std::vector<double> expected = {}) {
    Sample s{.name = "gather_" + name,
             .op = OpCode::kGather,
             .params = gather_params(w, mode),
             .operands = {{t, w.operand, -9, 9, std::move(values)}, w.indices},
             .expected = std::move(expected)};
    if (smooth) s.smooth_in = {0};
    out.push_back(std::move(s));
  };
  for (const Windows& w : windows()) {
    add(w, kClip, f64, w.name, true);
    add(w, kFillOrDrop, f64, w.name + "_filled", true);
  }
  const Windows rows = windows()[0];
  for (const DType t : {f32, bf16, c128, c64, i8, u16, i64, boolean})
    add(rows, kClip, t, "rows_" + std::string(name(t)), differentiable(t));
  for (const Windows* w : {&kRowsOutside, &kWindowsOutside}) {
    add(*w, kClip, f64, w->name + "_clipped", true);
    add(*w, kPromise, f64, w->name + "_promised", true);
    add(*w, kZeroOrDrop, f64, w->name + "_zero", true);
    add(*w, kPartial, f64, w->name + "_partial", true);
    add(*w, kFillOrDrop, f64, w->name + "_filled", false);
    for (const DType t : {i32, u8, boolean, c64})
      add(*w, kFillOrDrop, t, w->name + "_filled_" + std::string(name(t)), false);
  }
  const Windows four{"", {3}, index_vectors({4, 1}, {2, 3, 0, -1}), {}, {0}, {}, {}, {0}, {1}, {4}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  add(four, kClip, f64, "known_clipped", true, {10, 20, 30}, {30, 30, 10, 10});
  add(four, kFillOrDrop, f64, "known_filled", false, {10, 20, 30}, {30, nan, 10, nan});
  add(four, kFillOrDrop, i8, "known_filled_i8", false, {10, 20, 30}, {30, -128, 10, -128});
  add(four, kZeroOrDrop, f64, "known_zero", true, {10, 20, 30}, {30, 0, 10, 0});
  add(kTwoAcrossEnds, kPartial, f64, "known_partial", true, {10, 20, 30, 40, 50}, {40, 50, 0, 0, 10, 20});
  add(kTwoAcrossEnds, kPartial, i8, "known_partial_i8", false, {10, 20, 30, 40, 50}, {40, 50, 0, 0, 10, 20});
}

void add_scatter(std::vector<Sample>& out) {
  using enum ScatterKind;
  const auto add = [&](const Windows& w, ScatterKind kind, IndexMode mode, bool unique, DType t,
                       const std::string& name, std::vector<int> smooth_in, std::vector<double> values = {},
                       std::vector<double> updates = {}, std::vector<double> expected = {}) {
    out.push_back(
        {.name = "scatter_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]) + "_" + name,
         .op = OpCode::kScatter,
         .params = scatter_params(w, kind, mode, unique),
         .operands = {{t, w.operand, -3, 3, std::move(values)}, w.indices, {t, w.updates, -2, 2.5, std::move(updates)}},
         .smooth_in = std::move(smooth_in),
         .expected = std::move(expected)});
  };
  for (const ScatterKind kind : {kSet, kAdd, kMul, kMin, kMax}) {
    const std::vector<int> both{0, 2};
    for (const Windows& w : windows()) {
      add(w, kind, kFillOrDrop, false, f64, w.name, both);
      if (w.distinct) add(w, kind, kFillOrDrop, true, f64, w.name + "_unique", both);
    }
    for (const Windows* w : {&kRowsOutside, &kWindowsOutside}) {
      add(*w, kind, kFillOrDrop, false, f64, w->name + "_dropped", both);
      add(*w, kind, kClip, false, f64, w->name + "_clipped", both);
      add(*w, kind, kPartial, false, f64, w->name + "_partial", both);
    }
    const Windows rows = windows()[1];
    for (const DType t : {f32, bf16, f16, c128, i8, u16, i64, boolean})
      add(rows, kind, kClip, false, t, "rows_" + std::string(name(t)), differentiable(t) ? both : std::vector<int>{});
  }
  const Windows four{"", {3}, index_vectors({4, 1}, {2, 3, 0, 2}), {}, {0}, {}, {}, {0}, {1}, {4}};
  add(four, kSet, kFillOrDrop, false, f64, "known", {0, 2}, {10, 20, 30}, {1, 2, 3, 4}, {3, 20, 4});
  add(four, kSet, kClip, false, f64, "known_clipped", {0, 2}, {10, 20, 30}, {1, 2, 3, 4}, {3, 20, 4});
  add(four, kAdd, kFillOrDrop, false, f64, "known", {0, 2}, {10, 20, 30}, {1, 2, 3, 4}, {13, 20, 35});
  add(four, kAdd, kClip, false, i32, "known_clipped", {}, {10, 20, 30}, {1, 2, 3, 4}, {13, 20, 37});
  add(four, kMul, kFillOrDrop, false, f64, "known", {0, 2}, {10, 20, 30}, {1, 2, 3, 4}, {30, 20, 120});
  // Products of no, one and two zeros, in runs that are no power of two.
  const Windows runs{"", {4}, index_vectors({8, 1}, {2, 0, 2, 1, 0, 2, 9, 2}), {}, {0}, {}, {}, {0}, {1}, {8}};
  add(runs, kMul, kFillOrDrop, false, f64, "zeros", {0, 2}, {2, 3, -1, 5}, {0, 2, 3, 1.5, 0, -1, 0, 2}, {0, 4.5, 0, 5});
  add(runs, kMul, kFillOrDrop, false, f64, "zero_met", {0, 2}, {2, 0, 0, 5}, {4, 2, 3, 0, 1, -1, 7, 2}, {4, 0, 0, 5});
  add({"", {0}, index_vectors({2, 1}, {0, 1}), {}, {0}, {}, {}, {0}, {1}, {2}}, kMul, kFillOrDrop, false, f64,
      "into_nothing", {0, 2});
  add(four, kMin, kFillOrDrop, false, f64, "known", {0, 2}, {10, 20, 2}, {1, 2, 3, 4}, {3, 20, 1});
  add(kTwoAcrossEnds, kAdd, kPartial, false, f64, "known_partial", {0, 2}, {10, 20, 30, 40, 50}, {1, 2, 3, 4, 5, 6},
      {15, 26, 30, 41, 52});
  add(kTwoAcrossEnds, kSet, kPartial, false, i32, "known_partial", {}, {10, 20, 30, 40, 50}, {1, 2, 3, 4, 5, 6},
      {5, 6, 30, 1, 2});
  add(kTwoAcrossEnds, kAdd, kFillOrDrop, false, f64, "known_none", {0, 2}, {10, 20, 30, 40, 50}, {1, 2, 3, 4, 5, 6},
      {10, 20, 30, 40, 50});
  add(four, kMax, kFillOrDrop, false, f64, "known", {0, 2}, {10, 20, 2}, {1, 2, 3, 4}, {10, 20, 4});
}

void add_sort(std::vector<Sample>& out) {
  const auto add = [&](std::string name, std::vector<SampleOperand> operands, std::int64_t dimension,
                       std::int64_t num_keys, std::vector<int> smooth_in = {}, std::vector<double> expected = {}) {
    out.push_back({.name = "sort_" + name,
                   .op = OpCode::kSort,
                   .params = ir::make_params(SortParams{dimension, num_keys}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected)});
  };
  for (const DType t : {f64, f32, f16, bf16, c64, c128, i8, i32, i64, u16, boolean})
    add(std::string(name(t)), {{t, {2, 5}, -9, 9}}, 1, 1, differentiable(t) ? std::vector<int>{0} : std::vector<int>{});
  add("first", {{f64, {5, 3}}}, 0, 1, {0});
  add("middle", {{f64, {2, 4, 3}}}, 1, 1, {0});
  add("one_element", {{f64, {3, 1}}}, 1, 1, {0});
  add("no_elements", {{f64, {3, 0}}}, 1, 1, {0});
  add("carried", {{f64, {3, 4}}, {i32, {3, 4}, -9, 9}, {f64, {3, 4}, -9, 9}}, 1, 1, {0, 2});
  add("by_two_keys", {{i32, {6}, 0, 0, {1, 0, 1, 0, 1, 0}}, {f64, {6}}, {f64, {6}}}, 0, 2, {1, 2}, {0, 0, 0, 1, 1, 1});
  add("ties_keep_order", {{f32, {4}, 0, 0, {1, 0, 1, 0}}, {i32, {4}, 0, 0, {0, 1, 2, 3}}}, 0, 1, {}, {0, 0, 1, 1});
  // Long enough that an unstable sort would show: the carried numbers ascend among equal keys.
  std::vector<double> numbers, evens_then_odds;
  for (int i = 0; i < 100; ++i) numbers.push_back(i);
  for (int i = 0; i < 50; ++i) evens_then_odds.push_back(2 * i);
  for (int i = 0; i < 50; ++i) evens_then_odds.push_back(2 * i + 1);
  for (const DType t : {f32, i8}) {
    add("long_with_ties_" + std::string(name(t)), {{t, {100}, 0, 0, {0, 1}}, {i32, {100}, 0, 0, numbers}}, 0, 1, {},
        evens_then_odds);
    out.back().known_result = 1;
  }
  add("long_with_ties_by_two_keys", {{i8, {100}, 0, 0, {0, 1}}, {i8, {100}, 0, 0, {7}}, {f64, {100}, 0, 0, numbers}}, 0,
      2, {}, evens_then_odds);
  out.back().known_result = 2;
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  add("nan_is_last", {{f32, {5}, 0, 0, {nan, 1, -inf, inf, 0}}}, 0, 1, {}, {-inf, 0, 1, inf, nan});
}

}  // namespace

std::vector<Sample> indexing_samples() {
  std::vector<Sample> out;
  add_gather(out);
  add_scatter(out);
  add_sort(out);
  return out;
}

}  // namespace weft::testing

// Samples of operations that make, reshape, slice and join arrays.
#include "weft/ir/shape.h"

#include "samples/sample.h"

namespace weft::testing {

namespace {

bool differentiable(DType t) { return is_inexact(t) && byte_size(t) >= 4; }

/// One operand, spread over dtypes: every kind of element moves alike.
template <class P>
void add_moving(std::vector<Sample>& out, OpCode op, const std::string& name, Dims shape, P params,
                std::initializer_list<DType> dtypes = {f64}) {
  for (const DType t : dtypes) {
    Sample s{.name = std::string(ir::op_name(op)) + "_" + name + "_" + std::string(weft::name(t)),
             .op = op,
             .params = ir::make_params(params),
             .operands = {{t, shape, -9, 9}}};
    if (differentiable(t)) s.smooth_in = {0};
    out.push_back(std::move(s));
  }
}
constexpr std::initializer_list<DType> kEverySize = {f64, f32, bf16, c128, c64, i8, u16, i64, boolean};

/// The numbers 0, 1, 2, ... moved to known places.
template <class P>
void add_known(std::vector<Sample>& out, OpCode op, std::vector<Dims> shapes, P params, std::vector<double> expected) {
  Sample s{.name = std::string(ir::op_name(op)) + "_known",
           .op = op,
           .params = ir::make_params(params),
           .expected = std::move(expected)};
  double next = 0;
  for (const Dims& shape : shapes) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < product(shape); ++i) values.push_back(next++);
    s.operands.push_back({i32, shape, 0, 0, std::move(values)});
  }
  out.push_back(std::move(s));
}

void add_moved_to_known_places(std::vector<Sample>& out) {
  add_known(out, OpCode::kReshape, {{2, 3}}, ReshapeParams{{3, 2}}, {0, 1, 2, 3, 4, 5});
  add_known(out, OpCode::kBroadcastInDim, {{1, 2}}, BroadcastInDimParams{{2, 0}, {2, 2, 3}},
            {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1});
  add_known(out, OpCode::kTranspose, {{1, 2, 3}}, TransposeParams{{2, 0, 1}}, {0, 3, 1, 4, 2, 5});
  add_known(out, OpCode::kReverse, {{2, 3}}, ReverseParams{{1}}, {2, 1, 0, 5, 4, 3});
  add_known(out, OpCode::kConcatenate, {{2, 1}, {2, 2}}, ConcatenateParams{1}, {0, 2, 3, 1, 4, 5});
}

void add_iota(std::vector<Sample>& out) {
  const auto add = [&](std::string name, DType t, Dims shape, std::int64_t dimension,
                       std::vector<double> expected = {}) {
    out.push_back({.name = "iota_" + name,
                   .op = OpCode::kIota,
                   .params = ir::make_params(IotaParams{dimension, t, std::move(shape)}),
                   .operands = {},
                   .expected = std::move(expected)});
  };
  for (const DType t : {i8, i32, i64, u8, u32, f16, bf16, f32, f64}) add(std::string(name(t)), t, {4}, 0, {0, 1, 2, 3});
  add("c64", c64, {2}, 0, {0, 0, 1, 0});
  add("rows", i32, {2, 3}, 0, {0, 0, 0, 1, 1, 1});
  add("columns", i32, {2, 3}, 1, {0, 1, 2, 0, 1, 2});
  add("middle", f32, {2, 2, 2}, 1, {0, 0, 1, 1, 0, 0, 1, 1});
  add("empty", i32, {0}, 0);
}

void add_reshape(std::vector<Sample>& out) {
  add_moving(out, OpCode::kReshape, "flat", {2, 3}, ReshapeParams{{6}}, kEverySize);
  add_moving(out, OpCode::kReshape, "split", {12}, ReshapeParams{{2, 3, 2}});
  add_moving(out, OpCode::kReshape, "regroup", {4, 6}, ReshapeParams{{2, 12}});
  add_moving(out, OpCode::kReshape, "unrelated", {4, 3}, ReshapeParams{{3, 4}});
  add_moving(out, OpCode::kReshape, "ones_added", {2, 3}, ReshapeParams{{1, 2, 1, 3, 1}});
  add_moving(out, OpCode::kReshape, "ones_removed", {1, 2, 1, 3}, ReshapeParams{{2, 3}});
  add_moving(out, OpCode::kReshape, "to_scalar", {1, 1}, ReshapeParams{{}});
  add_moving(out, OpCode::kReshape, "of_scalar", {}, ReshapeParams{{1, 1}});
  add_moving(out, OpCode::kReshape, "empty", {0, 3}, ReshapeParams{{2, 0}});
}

void add_broadcast(std::vector<Sample>& out) {
  add_moving(out, OpCode::kBroadcastInDim, "rows", {3}, BroadcastInDimParams{{1}, {2, 3}}, kEverySize);
  add_moving(out, OpCode::kBroadcastInDim, "columns", {2}, BroadcastInDimParams{{0}, {2, 3}});
  add_moving(out, OpCode::kBroadcastInDim, "scalar", {}, BroadcastInDimParams{{}, {2, 3}});
  add_moving(out, OpCode::kBroadcastInDim, "scalar_to_scalar", {}, BroadcastInDimParams{{}, {}});
  add_moving(out, OpCode::kBroadcastInDim, "size_one", {2, 1}, BroadcastInDimParams{{0, 1}, {2, 3}});
  add_moving(out, OpCode::kBroadcastInDim, "size_one_moved", {1, 2}, BroadcastInDimParams{{2, 0}, {2, 4, 3}});
  add_moving(out, OpCode::kBroadcastInDim, "crossed", {3, 2}, BroadcastInDimParams{{1, 0}, {2, 3}});
  add_moving(out, OpCode::kBroadcastInDim, "to_nothing", {3}, BroadcastInDimParams{{1}, {0, 3}});
  add_moving(out, OpCode::kBroadcastInDim, "one_to_none", {1}, BroadcastInDimParams{{0}, {0}});
  add_moving(out, OpCode::kBroadcastInDim, "unchanged", {2, 3}, BroadcastInDimParams{{0, 1}, {2, 3}});
}

void add_transpose(std::vector<Sample>& out) {
  add_moving(out, OpCode::kTranspose, "matrix", {2, 3}, TransposeParams{{1, 0}}, kEverySize);
  add_moving(out, OpCode::kTranspose, "cycle", {2, 3, 4}, TransposeParams{{2, 0, 1}});
  add_moving(out, OpCode::kTranspose, "other_cycle", {2, 3, 4}, TransposeParams{{1, 2, 0}});
  add_moving(out, OpCode::kTranspose, "inner", {2, 3, 4}, TransposeParams{{0, 2, 1}});
  add_moving(out, OpCode::kTranspose, "four", {2, 3, 1, 2}, TransposeParams{{3, 1, 0, 2}});
  add_moving(out, OpCode::kTranspose, "identity", {2, 3}, TransposeParams{{0, 1}});
  add_moving(out, OpCode::kTranspose, "scalar", {}, TransposeParams{{}});
  add_moving(out, OpCode::kTranspose, "empty", {0, 3}, TransposeParams{{1, 0}});

  add_moving(out, OpCode::kReverse, "vector", {5}, ReverseParams{{0}}, kEverySize);
  add_moving(out, OpCode::kReverse, "inner", {2, 3}, ReverseParams{{1}});
  add_moving(out, OpCode::kReverse, "both", {2, 3, 2}, ReverseParams{{2, 0}});
  add_moving(out, OpCode::kReverse, "none", {2, 3}, ReverseParams{{}});
  add_moving(out, OpCode::kReverse, "empty", {0, 3}, ReverseParams{{0}});
}

void add_slice(std::vector<Sample>& out) {
  // Limits come first in the parameters.
  add_moving(out, OpCode::kSlice, "vector", {7}, SliceParams{{5}, {1}, {1}}, kEverySize);
  add_moving(out, OpCode::kSlice, "stride", {8}, SliceParams{{8}, {1}, {3}});
  add_moving(out, OpCode::kSlice, "stride_past_the_end", {5}, SliceParams{{5}, {0}, {7}});
  add_moving(out, OpCode::kSlice, "columns", {3, 6}, SliceParams{{3, 5}, {0, 1}, {1, 2}});
  add_moving(out, OpCode::kSlice, "rows", {6, 4}, SliceParams{{5, 4}, {2, 0}, {1, 1}});
  add_moving(out, OpCode::kSlice, "whole", {2, 3}, SliceParams{{2, 3}, {0, 0}, {1, 1}});
  add_moving(out, OpCode::kSlice, "nothing", {2, 3}, SliceParams{{2, 1}, {0, 1}, {1, 1}});
  add_moving(out, OpCode::kSlice, "scalar", {}, SliceParams{{}, {}, {}});

  out.push_back({.name = "slice_known",
                 .op = OpCode::kSlice,
                 .params = ir::make_params(SliceParams{{7}, {1}, {3}}),
                 .operands = {{f32, {8}, 0, 0, {0, 1, 2, 3, 4, 5, 6, 7}}},
                 .expected = {1, 4}});
  const auto dynamic_known = [&](std::string name, double start, std::vector<double> taken,
                                 std::vector<double> updated) {
    const SampleOperand x{f64, {4}, 0, 0, {0, 1, 2, 3}}, at{i32, {}, 0, 0, {start}};
    out.push_back({.name = "dynamic_slice_known_" + name,
                   .op = OpCode::kDynamicSlice,
                   .params = ir::make_params(DynamicSliceParams{{2}}),
                   .operands = {x, at},
                   .expected = std::move(taken)});
    out.push_back({.name = "dynamic_update_slice_known_" + name,
                   .op = OpCode::kDynamicUpdateSlice,
                   .operands = {x, {f64, {2}, 0, 0, {8, 9}}, at},
                   .expected = std::move(updated)});
  };
  dynamic_known("inside", 1, {1, 2}, {0, 8, 9, 3});
  dynamic_known("beyond", 9, {2, 3}, {0, 1, 8, 9});
  dynamic_known("below", -3, {0, 1}, {8, 9, 2, 3});

  // Starts inside, beyond the end and negative: the window is moved inside.
  const auto dynamic = [&](std::string name, DType t, Dims shape, Dims sizes, DType index,
                           std::vector<std::vector<double>> starts) {
    Sample s{.name = "dynamic_slice_" + name,
             .op = OpCode::kDynamicSlice,
             .params = ir::make_params(DynamicSliceParams{sizes})};
    Sample u{.name = "dynamic_update_slice_" + name, .op = OpCode::kDynamicUpdateSlice};
    s.operands = {{t, shape}};
    u.operands = {{t, shape}, {t, sizes, -9, -3}};
    if (t == boolean) u.operands[1] = {t, sizes};
    for (std::vector<double>& v : starts) {
      s.operands.push_back({index, {}, 0, 0, v});
      u.operands.push_back({index, {}, 0, 0, v});
    }
    if (differentiable(t)) {
      s.smooth_in = {0};
      u.smooth_in = {0, 1};
    }
    out.push_back(std::move(s));
    out.push_back(std::move(u));
  };
  for (const DType t : kEverySize) dynamic("vector_" + std::string(name(t)), t, {6}, {3}, i32, {{1, 0, 2}});
  dynamic("matrix", f64, {4, 5}, {2, 3}, i32, {{1, 2, 0}, {2, 0, 1}});
  dynamic("rows", f64, {4, 3}, {2, 3}, i32, {{2, 0, 1}, {0}});
  dynamic("clamped", f64, {4, 5}, {2, 3}, i32, {{9, -1, 1}, {-7, 2, 40}});
  dynamic("wide_indices", f64, {4, 3}, {1, 2}, i64, {{3, 1, -5}, {1, 0, 1000000000000}});
  dynamic("narrow_indices", f64, {6}, {2}, u8, {{3, 200, 0}});
  dynamic("whole", f64, {2, 3}, {2, 3}, i32, {{0, 1, 2}, {1}});
  dynamic("nothing", f64, {4}, {0}, i32, {{2, 4, 1}});
  dynamic("scalar", f64, {}, {}, i32, {});
}

void add_joining(std::vector<Sample>& out) {
  const auto concatenate = [&](std::string name, DType t, std::vector<Dims> shapes, std::int64_t dimension) {
    Sample s{.name = "concatenate_" + name,
             .op = OpCode::kConcatenate,
             .params = ir::make_params(ConcatenateParams{dimension})};
    for (const Dims& shape : shapes) {
      if (differentiable(t)) s.smooth_in.push_back(static_cast<int>(s.operands.size()));
      s.operands.push_back({t, shape, -9, 9});
    }
    out.push_back(std::move(s));
  };
  for (const DType t : kEverySize) concatenate("rows_" + std::string(name(t)), t, {{2, 3}, {1, 3}}, 0);
  concatenate("columns", f64, {{2, 1}, {2, 3}, {2, 2}}, 1);
  concatenate("middle", f64, {{2, 1, 2}, {2, 2, 2}}, 1);
  concatenate("alone", f64, {{2, 3}}, 0);
  concatenate("with_nothing", f64, {{2, 0}, {2, 3}, {2, 0}}, 1);
  concatenate("of_nothing", f64, {{0}, {0}}, 0);

  const auto split = [&](std::string name, DType t, Dims shape, std::int64_t axis, Dims sizes) {
    Sample s{.name = "split_" + name,
             .op = OpCode::kSplit,
             .params = ir::make_params(SplitParams{axis, std::move(sizes)}),
             .operands = {{t, std::move(shape), -9, 9}}};
    if (differentiable(t)) s.smooth_in = {0};
    out.push_back(std::move(s));
  };
  for (const DType t : kEverySize) split("rows_" + std::string(name(t)), t, {3, 3}, 0, {2, 1});
  split("columns", f64, {2, 6}, 1, {1, 3, 2});
  split("middle", f64, {2, 3, 2}, 1, {1, 2});
  split("alone", f64, {2, 3}, 0, {2});
  split("with_nothing", f64, {2, 3}, 1, {0, 3, 0});
  split("of_nothing", f64, {0}, 0, {0, 0});

  const auto pad = [&](std::string name, DType t, Dims shape, Dims low, Dims high, Dims interior) {
    Sample s{.name = "pad_" + name,
             .op = OpCode::kPad,
             .params = ir::make_params(PadParams{std::move(low), std::move(high), std::move(interior)}),
             .operands = {{t, std::move(shape), -9, 9}, {t, {}, 20, 30}}};
    if (t == boolean) s.operands[1] = {t, {}};
    if (differentiable(t)) s.smooth_in = {0, 1};
    out.push_back(std::move(s));
  };
  for (const DType t : kEverySize) pad("ends_" + std::string(name(t)), t, {3}, {1}, {2}, {0});
  const auto pad_known = [&](std::string name, PadParams p, std::vector<double> expected) {
    out.push_back({.name = "pad_known_" + name,
                   .op = OpCode::kPad,
                   .params = ir::make_params(p),
                   .operands = {{f32, {4}, 0, 0, {1, 2, 3, 4}}, {f32, {}, 0, 0, {0}}},
                   .expected = std::move(expected)});
  };
  pad_known("around", {{2}, {3}, {0}}, {0, 0, 1, 2, 3, 4, 0, 0, 0});
  pad_known("between", {{0}, {0}, {1}}, {1, 0, 2, 0, 3, 0, 4});
  pad_known("negative", {{-1}, {-2}, {0}}, {2});
  pad("matrix", f64, {2, 3}, {1, 0}, {0, 2}, {0, 1});
  pad("interior", f64, {3, 2}, {0, 0}, {0, 0}, {2, 1});
  pad("negative", f64, {5, 3}, {-1, 1}, {-2, 0}, {0, 0});
  pad("negative_interior", f64, {4}, {-2}, {-1}, {2});
  pad("shifted", f64, {4}, {1}, {-1}, {0});
  pad("spread_and_cut", f64, {3}, {0}, {-2}, {1});
  pad("of_nothing", f64, {0, 2}, {1, 0}, {2, 0}, {3, 0});
  pad("to_nothing", f64, {2}, {-1}, {-1}, {0});
  pad("unchanged", f64, {2, 2}, {0, 0}, {0, 0}, {0, 0});
  pad("scalar", f64, {}, {}, {}, {});
}

}  // namespace

std::vector<Sample> shape_samples() {
  std::vector<Sample> out;
  add_moved_to_known_places(out);
  add_iota(out);
  add_reshape(out);
  add_broadcast(out);
  add_transpose(out);
  add_slice(out);
  add_joining(out);
  return out;
}

}  // namespace weft::testing

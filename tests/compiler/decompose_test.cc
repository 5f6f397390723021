// What object files have in the place of prebuilt kernels means the same, to the bit: by reference evaluation, which
// needs no compiler.
#include "weft/compiler/decompose.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/compare_programs.h"
#include "harness/random_values.h"
#include "samples/sample.h"
#include "weft/core/stage.h"
#include "weft/ir/builder.h"
#include "weft/ir/parse.h"
#include "weft/weft.h"

namespace weft::compiler {
namespace {

bool is_decomposed(OpCode op) {
  switch (op) {
    case OpCode::kReduceWindow:
    case OpCode::kArgmax:
    case OpCode::kArgmin:
    case OpCode::kGather:
    case OpCode::kScatter:
    case OpCode::kCumsum: return true;
    default: return false;
  }
}

bool keeps_operation(const ir::Jaxpr& program) {
  for (const ir::Eqn& e : program.eqns())
    if (is_decomposed(e.op)) return true;
  return false;
}

// Whether the program could be written otherwise; then that gives the same bits.
bool expect_same(const ir::Jaxpr& program, const Arrays& inputs, const std::string& what) {
  const ir::Jaxpr other = decompose(program, /*ordered=*/false);
  ir::check(other);
  if (keeps_operation(other)) return false;
  Arrays expected, got;
  eval_jaxpr(program, inputs, expected);
  eval_jaxpr(other, inputs, got);
  EXPECT_EQ(weft::testing::difference_within(got[0], expected[0], {}), "") << what << "\n" << program << "\n" << other;
  return true;
}

// Of samples with plain elements: windows partly outside, and updates that meet in another order window by window.
bool may_stay(std::string_view sample) {
  return sample.find("_partial") != sample.npos || sample.find("_windows_around_batch") != sample.npos;
}

TEST(decompose, every_sample_keeps_its_bits) {
  std::set<std::string> kept;
  int written = 0;
  for (const weft::testing::Sample& s : weft::testing::all_samples()) {
    if (!is_decomposed(s.op)) continue;
    ir::JaxprBuilder b;
    std::vector<ir::Var> inputs;
    std::vector<ir::Atom> operands;
    ir::Avals in, out;
    Arrays values;
    bool plain = true, empty = false;
    for (const Array& x : make_operands(s)) {
      in.push_back(x.aval());
      inputs.push_back(b.add_var(x.aval()));
      operands.push_back(ir::Atom::var(inputs.back()));
      values.push_back(x);
      plain = plain && !is_complex(x.dtype()) && !is_storage(x.dtype());
      empty = empty || x.size() == 0;
    }
    ir::infer(s.op, s.params.get(), in, out);
    const ir::Atom outputs[] = {ir::Atom::var(b.add_eqn(s.op, s.params, operands, out, SourceLocation()))};
    if (expect_same(b.build({}, inputs, outputs), values, s.name))
      ++written;
    else if (plain && !empty && out[0].size() > 0 && !may_stay(s.name))
      kept.insert(s.name);
  }
  EXPECT_GT(written, 300);
  EXPECT_EQ(kept, std::set<std::string>{});
}

// ---- what samples do not reach ----

Array normal(int seed, const Shape& shape) { return random::normal(random::key(seed), shape); }

TEST(decompose, windows_of_any_length_keep_their_bits) {
  for (const DType t : {f32, bf16, f64, i32, boolean})
    for (const ReduceKind kind : {ReduceKind::kSum, ReduceKind::kProd, ReduceKind::kMax, ReduceKind::kMin,
                                  ReduceKind::kAnd, ReduceKind::kOr, ReduceKind::kXor}) {
      if (is_float(t) && kind >= ReduceKind::kAnd) continue;
      for (const auto& [length, size] : {std::pair{0, 3}, {1, 1}, {3, 3}, {4, 4}, {17, 1}, {1, 16}, {40, 2}}) {
        Window w{.dimensions = {size, length}, .strides = {2, 1}, .window_dilations = {1, 1}};
        w.padding_low = {1, length}, w.padding_high = {2, length / 2};
        const auto f = [&](Array x) { return lax::reduce_window(x, kind, w); };
        const Array x =
            t == boolean || t == i32 ? (normal(1, {20, 50}) * 3.0f).astype(t) : normal(1, {20, 50}).astype(t);
        EXPECT_TRUE(expect_same(make_jaxpr(f)(x), {x}, "window"));
      }
    }
}

TEST(decompose, sums_in_several_blocks_keep_their_bits) {
  for (const DType t : {f32, f16, f64, i32, u8})
    for (const std::int64_t n : {1, 63, 64, 65, 300})
      for (const bool reverse : {false, true}) {
        const Array x = (normal(2, {3, n, 2}) * 9.0f).astype(t);
        EXPECT_TRUE(expect_same(make_jaxpr([&](Array v) { return lax::cumsum(v, 1, reverse); })(x), {x}, "cumsum"));
      }
}

TEST(decompose, indices_of_every_type_keep_their_meaning) {
  const Array x = normal(3, {6, 4}), u = normal(4, {5, 4});
  for (const DType t : {i8, u8, i32, u64, i64})
    for (const IndexMode mode : {IndexMode::kClip, IndexMode::kFillOrDrop, IndexMode::kZeroOrDrop}) {
      // Far outside, on both sides.
      Array at = np::array({0, 5, -1, 3, 120}).astype(t);
      if (t == u64) at = lax::bitcast_convert(np::array({0, 5, -1, 3, 120}).astype(i64), u64);
      const Array vectors = lax::reshape(at, Dims{5, 1});
      const auto read = [&](Array a, Array i) {
        return lax::gather(a, i, {.offset_dims = {1}, .collapsed_slice_dims = {0}, .start_index_map = {0}}, Dims{1, 4},
                           mode);
      };
      EXPECT_TRUE(expect_same(make_jaxpr(read)(x, vectors), {x, vectors}, "gather"));
      for (const ScatterKind kind :
           {ScatterKind::kSet, ScatterKind::kAdd, ScatterKind::kMul, ScatterKind::kMin, ScatterKind::kMax}) {
        const auto write = [&](Array a, Array i, Array v) {
          return lax::scatter(
              a, i, v, {.update_window_dims = {1}, .inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}},
              kind, mode);
        };
        EXPECT_TRUE(expect_same(make_jaxpr(write)(x, vectors, u), {x, vectors, u}, "scatter"));
      }
    }
}

TEST(decompose, zeros_and_nans_meet_as_they_do_in_scatter) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Array x = np::array({0.0f, -0.0f, nan, 1.0f}), u = np::array({-0.0f, 0.0f, 2.0f, nan}),
              at = lax::reshape(np::arange(4), Dims{4, 1});
  for (const ScatterKind kind : {ScatterKind::kMin, ScatterKind::kMax}) {
    const auto write = [&](Array a, Array i, Array v) {
      return lax::scatter(a, i, v, {.inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}}, kind,
                          IndexMode::kClip);
    };
    EXPECT_TRUE(expect_same(make_jaxpr(write)(x, at, u), {x, at, u}, "scatter"));
  }
}

TEST(decompose, what_negative_padding_removes_is_sliced_off) {
  const Array x = normal(5, {5, 6});
  const auto f = [](Array v) { return lax::pad(v, 2.0f, Dims{-1, 2}, Dims{1, -2}, Dims{1, 0}); };
  const ir::Jaxpr program = make_jaxpr(f)(x), other = decompose(program, false);
  EXPECT_NE(other, program);
  EXPECT_TRUE(expect_same(program, {x}, "pad"));
}

// The places are computed by the program, and as many as there are: what it says does not grow with them.
TEST(decompose, programs_do_not_grow_with_windows_or_indices) {
  const auto eqns = [](std::int64_t n) {
    const Array x = np::zeros({2 * n});
    const auto f = [&](Array v) {
      const Array sums = lax::reduce_window(v, ReduceKind::kSum, {.dimensions = {n}});
      return lax::cumsum(np::take(sums, np::arange(n), 0), 0);
    };
    return decompose(make_jaxpr(f)(x), false).eqns().size();
  };
  EXPECT_EQ(eqns(200), eqns(2000));
}

}  // namespace
}  // namespace weft::compiler

#include "weft/cpu/plan.h"

#include <gtest/gtest.h>

#include <cstring>

#include "weft/base/thread_pool.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/shape.h"
#include "weft/runtime/client.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

Aval f32_of(DimSpan shape) { return Aval(f32, shape); }

OpPlan::Kind kind_of(OpCode op, std::initializer_list<Aval> in, Aval out) {
  return plan_op(op, nullptr, std::span(in.begin(), in.size()), {&out, 1}).kind;
}

// f's result on one and on two threads, which must agree bit for bit.
template <class F>
Array on_threads(F&& f) {
  const int before = num_threads();
  set_num_threads(1);
  const Array one = f();
  set_num_threads(2);
  const Array two = f();
  set_num_threads(before);
  EXPECT_EQ(one.aval(), two.aval());
  EXPECT_EQ(std::memcmp(one.buffer()->data(), two.buffer()->data(), static_cast<std::size_t>(one.aval().bytes())), 0);
  return two;
}

TEST(plan, an_operation_with_a_kernel_uses_it) {
  const Aval x = f32_of(Dims{3});
  EXPECT_EQ(kind_of(OpCode::kAdd, {x, x}, x), OpPlan::Kind::kElementwise);
  EXPECT_EQ(kind_of(OpCode::kSine, {x}, x), OpPlan::Kind::kElementwise);
  EXPECT_EQ(kind_of(OpCode::kLgamma, {x}, x), OpPlan::Kind::kReference);
  EXPECT_EQ(kind_of(OpCode::kReshape, {x}, f32_of(Dims{3, 1})), OpPlan::Kind::kAlias);
}

TEST(plan, every_number_adds_by_a_kernel) {
  for (const DType t : {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64, c64, c128}) {
    const Aval x(t, Dims{4});
    EXPECT_EQ(kind_of(OpCode::kAdd, {x, x}, x), OpPlan::Kind::kElementwise) << name(t);
    EXPECT_EQ(kind_of(OpCode::kMultiply, {x, x}, x), OpPlan::Kind::kElementwise) << name(t);
  }
}

TEST(plan, storage_types_have_kernels_only_where_their_bytes_move) {
  for (const DType t : {f8e4m3fn, i4, u2, f4e2m1fn}) {
    const Aval x(t, Dims{4}), scalar(t, {}), sum(t, Dims{});
    const auto kind = [&](OpCode op, ir::Params params, std::initializer_list<Aval> in, Aval out) {
      return plan_op(op, params.get(), std::span(in.begin(), in.size()), {&out, 1}).kind;
    };
    for (const OpCode op : {OpCode::kAdd, OpCode::kMaximum, OpCode::kDivide})
      EXPECT_EQ(kind(op, {}, {x, x}, x), OpPlan::Kind::kReference) << name(t);
    EXPECT_EQ(kind(OpCode::kNegate, {}, {x}, x), OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kClamp, {}, {scalar, x, scalar}, x), OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kCompare, ir::make_params(CompareParams{}), {x, x}, Aval(boolean, Dims{4})),
              OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kConvert, ir::make_params(ConvertParams{f32}), {x}, f32_of(Dims{4})),
              OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kReduce, ir::make_params(ReduceParams{ReduceKind::kSum, {0}}), {x}, sum),
              OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kArgmax, ir::make_params(ArgReduceParams{0, i32}), {x}, Aval(i32, Dims{})),
              OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kDotGeneral, ir::make_params(DotGeneralParams{{{0}, {0}, {}, {}}, t}), {x, x}, sum),
              OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kIota, ir::make_params(IotaParams{0, t, {4}}), {}, x), OpPlan::Kind::kReference);
    EXPECT_EQ(kind(OpCode::kSelect, {}, {Aval(boolean, Dims{4}), x, x}, x), OpPlan::Kind::kElementwise);
    EXPECT_EQ(kind(OpCode::kReverse, ir::make_params(ReverseParams{{0}}), {x}, x), OpPlan::Kind::kDense);
  }
}

TEST(plan, total_order_of_floats_has_no_kernel) {
  const auto kind = [](DType t, ComparisonDirection d) {
    const Aval x(t, Dims{4}), y(boolean, Dims{4});
    const std::initializer_list<Aval> in{x, x};
    return plan_op(OpCode::kCompare, ir::make_params(CompareParams{d}).get(), in, {&y, 1}).kind;
  };
  for (const DType t : {f16, bf16, f32, f64})
    EXPECT_EQ(kind(t, ComparisonDirection::kTotalGt), OpPlan::Kind::kReference) << name(t);
  EXPECT_EQ(kind(i32, ComparisonDirection::kTotalGt), OpPlan::Kind::kElementwise);
  EXPECT_EQ(kind(f32, ComparisonDirection::kGt), OpPlan::Kind::kElementwise);
}

TEST(plan, reshape_and_broadcast_take_no_memory) {
  const Array x = np::ones({1000, 100});
  x.to_vector<float>();
  const std::int64_t before = memory_stats().live_bytes;
  const Array y = np::reshape(x, {100, 1000}), z = np::broadcast_to(x, {50, 1000, 100});
  EXPECT_LT(memory_stats().live_bytes - before, 2000);
  EXPECT_EQ(np::sum(z).item<float>(), 5e6f);
  EXPECT_EQ(y.shape(0), 100);
}

TEST(plan, large_operations_without_a_kernel_are_split_and_give_the_same_bits) {
  const Array x = random::uniform(random::key(0), {300, 401}) * 5.0f;
  const Array y = on_threads([&] { return lax::lgamma(x); });
  for (const int i : {0, 150, 299}) {
    const float at = x(i, i).item<float>();
    EXPECT_EQ(y(i, i).item<float>(), lax::lgamma(Array(at)).item<float>());
  }
}

TEST(plan, a_scalar_operand_serves_every_part) {
  const Array x = random::uniform(random::key(1), {200000});
  const Array z = on_threads([&] { return lax::zeta(x + 2.0f, 1.5f); });
  EXPECT_EQ(z(199999).item<float>(), lax::zeta(x(199999) + 2.0f, 1.5f).item<float>());
}

TEST(plan, large_indexing_agrees_with_a_loop) {
  const std::int64_t n = 200000;
  const Array x = random::uniform(random::key(2), {n});
  const Array i = random::randint(random::key(3), {n}, 0, static_cast<int>(n));
  const std::vector<float> values = x.to_vector<float>();
  const std::vector<int> at = i.to_vector<int>();
  const std::vector<float> taken = on_threads([&] { return x(i); }).to_vector<float>();
  std::vector<float> sums(values.size(), 0.0f);
  for (std::size_t k = 0; k < at.size(); ++k) {
    ASSERT_EQ(taken[k], values[static_cast<std::size_t>(at[k])]);
    sums[static_cast<std::size_t>(at[k])] += values[k];
  }
  EXPECT_EQ(np::zeros({n}).at(i).add(x).to_vector<float>(), sums);
}

}  // namespace
}  // namespace weft::cpu

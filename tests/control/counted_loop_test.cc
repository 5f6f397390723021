// While loops that count: the scan computes what the loop does, and has the form that makes reverse mode linear.
#include "weft/control/counted_loop.h"

#include <gtest/gtest.h>

#include "harness/functions.h"
#include "harness/values.h"
#include "weft/control/programs.h"
#include "weft/ir/parse.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using Known = std::vector<std::optional<std::int64_t>>;

Known known_of(std::span<const Array> xs) {
  Known r;
  for (const Array& x : xs) {
    const bool integer = x.ndim() == 0 && is_integer(x.dtype());
    r.push_back(integer ? std::optional(lax::convert(x, i64).item<std::int64_t>()) : std::nullopt);
  }
  return r;
}

struct Loop {
  std::string cond, body;
  Arrays operands;
};

// The loop as a scan, after it has been checked to compute what the while does; null when it is none.
std::optional<ir::Jaxpr> scan_of(const Loop& loop) {
  const ir::Jaxpr cond = ir::parse(loop.cond), body = ir::parse(loop.body);
  const std::size_t captures = cond.num_consts() + body.num_consts();
  const std::span<const Array> all(loop.operands);
  const Known known = known_of(all);
  bool counted = false;
  ir::Avals types = avals_of(all);
  const Staged staged = stage(
      [&](std::span<const Array> in, Arrays& outs) {
        const auto results = control::counted_loop(cond, body, in, known);
        counted = results.has_value();
        outs = counted ? *results : lax::while_(cond, body, in.first(captures), in.subspan(captures));
      },
      types, "test");
  if (!counted) return std::nullopt;
  const Arrays want = lax::while_(cond, body, all.first(captures), all.subspan(captures));
  Arrays args(staged.captured), got;
  args.append(all.begin(), all.end());
  eval_jaxpr(staged.jaxpr, args, got);
  EXPECT_EQ(testing::bit_difference(got, want), "");
  // Values that are there already must not make a difference.
  const auto now = control::counted_loop(cond, body, all, known);
  EXPECT_EQ(testing::bit_difference(*now, want), "");
  return staged.jaxpr;
}

const ScanParams* scan_in(const ir::Jaxpr& jaxpr) {
  for (const ir::Eqn& e : jaxpr.eqns())
    if (e.op == OpCode::kScan) return &ir::params_as<ScanParams>(e.params);
  return nullptr;
}

Array ramp(std::int64_t n) {
  std::vector<float> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(0.5f + static_cast<float>(i) * 0.25f);
  return Array(v);
}

TEST(counted_loop, values_that_stay_are_captured_and_an_unused_counter_vanishes) {
  const auto jaxpr = scan_of({"{ lambda ; i:i32[] a:f32[2] n:i32[] w:f32[2]. let c:bool[] = lt i n in (c,) }",
                              R"({ lambda ; i:i32[] a:f32[2] n:i32[] w:f32[2]. let
    j:i32[] = add i 1:i32[]
    b:f32[2] = mul a w
  in (j, b, n, w) })",
                              {Array(2), ramp(2), Array(6), ramp(2)}});
  ASSERT_TRUE(jaxpr);
  EXPECT_EQ(jaxpr->str(),
            "{ lambda ; a:i32[] b:f32[2] c:i32[] d:f32[2]. let\n"
            "    e:f32[2] = scan[\n"
            "      jaxpr={ lambda f:f32[2]; g:f32[2]. let h:f32[2] = mul g f in (h,) }\n"
            "      length=4\n"
            "      num_carry=1\n"
            "      reverse=False\n"
            "    ] d b\n"
            "  in (6:i32[], e, c, d) }");
}

TEST(counted_loop, a_counter_that_is_used_is_carried) {
  const auto jaxpr = scan_of({"{ lambda ; i:u32[] a:f32[]. let c:bool[] = ne i 1:u32[] in (c,) }",
                              R"({ lambda ; i:u32[] a:f32[]. let
    j:u32[] = sub i 2:u32[]
    x:f32[] = convert_element_type[new_dtype=float32] i
    b:f32[] = add a x
  in (j, b) })",
                              {Array(std::uint32_t{9}), Array(0.5f)}});
  ASSERT_TRUE(jaxpr);
  EXPECT_EQ(scan_in(*jaxpr)->length, 4);
  EXPECT_EQ(scan_in(*jaxpr)->num_carry, 2);
}

TEST(counted_loop, rows_that_are_read_and_written_one_after_the_other_are_scanned_and_stacked) {
  // As JAX writes scan: the index counts from the end when it is negative, which it never is.
  const auto jaxpr =
      scan_of({"{ lambda ; i:i32[] x:f32[5,2] a:f32[2] y:f32[5,2]. let c:bool[] = lt i 5:i32[] in (c,) }",
               R"({ lambda ; i:i32[] x:f32[5,2] a:f32[2] y:f32[5,2]. let
    n:bool[] = lt i 0:i32[]
    m:i32[] = add i 5:i32[]
    k:i32[] = select n m i
    r:f32[1,2] = dynamic_slice[slice_sizes=(1,2)] x k 0:i32[]
    s:f32[2] = reshape[new_sizes=(2,)] r
    b:f32[2] = mul a s
    t:f32[1,2] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(1,2)] b
    z:f32[5,2] = dynamic_update_slice y t k 0:i32[]
    j:i32[] = add i 1:i32[]
  in (j, x, b, z) })",
               {Array(0), lax::reshape(ramp(10), Dims{5, 2}), ramp(2), Array::full(Dims{5, 2}, f32, Scalar(7.0f))}});
  ASSERT_TRUE(jaxpr);
  const ScanParams& p = *scan_in(*jaxpr);
  EXPECT_EQ(p.jaxpr.str(), "{ lambda ; a:f32[2] b:f32[2]. let c:f32[2] = mul a b in (c, c) }");
  EXPECT_EQ(p.num_carry, 1);
  EXPECT_FALSE(p.reverse);
}

TEST(counted_loop, rows_may_be_read_backwards_in_part_and_beside_other_uses) {
  const std::string cond = "{ lambda ; i:i64[] a:f32[] y:f32[6]. let c:bool[] = lt i 4:i64[] in (c,) }";
  const auto jaxpr = scan_of({cond,
                              R"({ lambda x:f32[6]; i:i64[] a:f32[] y:f32[6]. let
    k:i64[] = sub 5:i64[] i
    r:f32[1] = dynamic_slice[slice_sizes=(1,)] x k
    s:f32[] = reshape[new_sizes=()] r
    u:f32[1] = slice[limit_indices=(1,) start_indices=(0,) strides=(1,)] x
    v:f32[] = reshape[new_sizes=()] u
    b:f32[] = mul a s
    d:f32[] = add b v
    t:f32[1] = reshape[new_sizes=(1,)] d
    z:f32[6] = dynamic_update_slice y t k
    j:i64[] = add i 1:i64[]
  in (j, d, z) })",
                              {ramp(6), Array(std::int64_t{0}), Array(2.0f), ramp(6)}});
  ASSERT_TRUE(jaxpr);
  const ScanParams& p = *scan_in(*jaxpr);
  EXPECT_TRUE(p.reverse);
  EXPECT_EQ(p.jaxpr.num_consts(), 1u);
  EXPECT_EQ(p.jaxpr.num_inputs(), 3u);  // x, a, a row of x
  EXPECT_EQ(p.num_carry, 1);
  EXPECT_EQ(p.length, 4);
}

TEST(counted_loop, other_reads_and_writes_stay_what_they_are) {
  const auto inner = [](const std::string& name, const std::string& lines, const std::string& row) {
    const auto jaxpr = scan_of({"{ lambda ; i:i32[] a:f32[] y:f32[4]. let c:bool[] = lt i 4:i32[] in (c,) }",
                                "{ lambda x:f32[4]; i:i32[] a:f32[] y:f32[4]. let\n" + lines + R"(
    r:f32[1] = dynamic_slice[slice_sizes=(1,)] x k
    s:f32[] = reshape[new_sizes=()] r
    b:f32[] = add a s
    t:f32[1] = reshape[new_sizes=(1,)] b
    z:f32[4] = dynamic_update_slice y t k
    j:i32[] = add i 1:i32[]
  in (j, b, )" + row + ") }",
                                {ramp(4), Array(0), Array(2.0f), ramp(4)}});
    ASSERT_TRUE(jaxpr) << name;
    EXPECT_EQ(scan_in(*jaxpr)->num_carry, 3) << name << ": " << jaxpr->str();
    EXPECT_EQ(scan_in(*jaxpr)->jaxpr.num_inputs(), 4u) << name;
  };
  inner("two rows further", "    k:i32[] = mul i 2:i32[]", "z");
  inner("beyond the end", "    k:i32[] = add i 1:i32[]", "z");
  inner("not one after the other", "    k:i32[] = mul i i", "z");
  inner("always the same", "    k:i32[] = mul i 0:i32[]", "z");
}

TEST(counted_loop, an_array_that_is_read_while_it_is_written_is_carried) {
  // y[i + 1] = y[i] + x[i]
  const auto jaxpr = scan_of({"{ lambda ; i:i32[] y:f32[5]. let c:bool[] = gt 4:i32[] i in (c,) }",
                              R"({ lambda x:f32[4]; i:i32[] y:f32[5]. let
    a:f32[1] = dynamic_slice[slice_sizes=(1,)] x i
    b:f32[1] = dynamic_slice[slice_sizes=(1,)] y i
    d:f32[1] = add a b
    j:i32[] = add i 1:i32[]
    z:f32[5] = dynamic_update_slice y d j
  in (j, z) })",
                              {ramp(4), Array(0), ramp(5)}});
  ASSERT_TRUE(jaxpr);
  EXPECT_EQ(scan_in(*jaxpr)->num_carry, 2);
  EXPECT_EQ(scan_in(*jaxpr)->jaxpr.num_inputs(), 3u);
}

TEST(counted_loop, what_is_read_one_way_and_written_the_other_is_right) {
  const auto jaxpr = scan_of({"{ lambda ; i:i32[] y:f32[4]. let c:bool[] = lt i 4:i32[] in (c,) }",
                              R"({ lambda x:f32[4]; i:i32[] y:f32[4]. let
    a:f32[1] = dynamic_slice[slice_sizes=(1,)] x i
    k:i32[] = sub 3:i32[] i
    z:f32[4] = dynamic_update_slice y a k
    j:i32[] = add i 1:i32[]
  in (j, z) })",
                              {ramp(4), Array(0), ramp(4)}});
  ASSERT_TRUE(jaxpr);
}

TEST(counted_loop, a_loop_of_no_steps_gives_what_it_was_given) {
  const auto jaxpr = scan_of({"{ lambda ; i:i32[] y:f32[4]. let c:bool[] = lt i 4:i32[] in (c,) }",
                              R"({ lambda ; i:i32[] y:f32[4]. let
    a:f32[1] = dynamic_slice[slice_sizes=(1,)] y i
    z:f32[4] = dynamic_update_slice y a i
    j:i32[] = add i 1:i32[]
  in (j, z) })",
                              {Array(4), ramp(4)}});
  ASSERT_TRUE(jaxpr);
  EXPECT_TRUE(jaxpr->eqns().empty());
}

TEST(counted_loop, a_loop_that_only_counts_is_its_end) {
  const auto jaxpr = scan_of({"{ lambda ; i:i64[]. let c:bool[] = le i 1000000000:i64[] in (c,) }",
                              "{ lambda ; i:i64[]. let j:i64[] = add i 1000000:i64[] in (j,) }",
                              {Array(std::int64_t{0})}});
  ASSERT_TRUE(jaxpr);
  EXPECT_EQ(jaxpr->str(), "{ lambda ; a:i64[]. let  in (1001000000:i64[],) }");
}

TEST(counted_loop, a_value_that_was_another_before_is_no_constant) {
  // The values change places, so neither stays.
  const auto jaxpr = scan_of({"{ lambda ; i:i32[] a:f32[] b:f32[]. let c:bool[] = lt i 3:i32[] in (c,) }",
                              R"({ lambda ; i:i32[] a:f32[] b:f32[]. let
    j:i32[] = add i 1:i32[]
  in (j, b, a) })",
                              {Array(0), Array(1.0f), Array(2.0f)}});
  ASSERT_TRUE(jaxpr);
  EXPECT_EQ(scan_in(*jaxpr)->num_carry, 2);
}

TEST(counted_loop, others_are_left_alone) {
  const auto is_counted = [](const std::string& cond, const std::string& body, Arrays operands) {
    return scan_of({"{ lambda ; i:i32[] n:i32[] x:f32[]. let " + cond + " in (c,) }",
                    "{ lambda ; i:i32[] n:i32[] x:f32[]. let " + body + " }", std::move(operands)})
        .has_value();
  };
  const Arrays start{Array(0), Array(5), Array(1.0f)};
  const std::string next = "j:i32[] = add i 1:i32[]; y:f32[] = mul x 0.5:f32[]";
  EXPECT_TRUE(is_counted("c:bool[] = lt i n", next + " in (j, n, y)", start));
  EXPECT_FALSE(is_counted("c:bool[] = lt i n", next + "; m:i32[] = sub n 1:i32[] in (j, m, y)", start));
  EXPECT_FALSE(is_counted("c:bool[] = gt x 0.1:f32[]", next + " in (j, n, y)", start));
  EXPECT_FALSE(
      is_counted("a:bool[] = lt i n; b:bool[] = gt x 0.1:f32[]; c:bool[] = and a b", next + " in (j, n, y)", start));
  EXPECT_FALSE(
      is_counted("c:bool[] = lt i n", "j:i32[] = mul i 2:i32[] in (j, n, x)", {Array(1), Array(5), Array(1.0f)}));
}

}  // namespace
}  // namespace weft

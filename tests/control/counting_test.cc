// How often loops run, against loops that are run.
#include "weft/control/counting.h"

#include <gtest/gtest.h>

#include "weft/ir/parse.h"

namespace weft::control {
namespace {

using Known = std::optional<std::int64_t>;

bool goes_on(const std::string& comparison, std::int64_t i, std::int64_t bound) {
  if (comparison == "lt") return i < bound;
  if (comparison == "le") return i <= bound;
  if (comparison == "gt") return i > bound;
  if (comparison == "ge") return i >= bound;
  return i != bound;
}

struct Type {
  std::string name;
  std::int64_t least, most;
};

// The steps of a loop that ends before its counter leaves the type.
Known steps(const std::string& comparison, std::int64_t i, std::int64_t stride, std::int64_t bound, const Type& type) {
  for (std::int64_t n = 0; i >= type.least && i <= type.most; ++n, i += stride) {
    if (!goes_on(comparison, i, bound)) return n;
    if (stride == 0) break;
  }
  return std::nullopt;
}

std::string str(Known n) { return n ? std::to_string(*n) : "none"; }

// All loops over a small type: every comparison, either way round, every start, stride and bound.
TEST(counting, counts_the_steps_of_every_loop_over_four_bits) {
  for (const Type& t : {Type{"i4", -8, 7}, Type{"u4", 0, 15}}) {
    const auto literal = [&](std::int64_t v) { return std::to_string(v) + ":" + t.name + "[]"; };
    int counted = 0, wrong = 0;
    for (std::int64_t stride = t.least; stride <= t.most; ++stride) {
      const ir::Jaxpr body =
          ir::parse("{ lambda ; i:" + t.name + "[]. let j:" + t.name + "[] = add i " + literal(stride) + " in (j,) }");
      for (std::int64_t bound = t.least; bound <= t.most; ++bound) {
        for (const std::string comparison : {"lt", "le", "gt", "ge", "ne"}) {
          for (const bool turned : {false, true}) {
            const std::string opposite = comparison == "ne"     ? "ne"
                                         : comparison[0] == 'l' ? "g" + comparison.substr(1)
                                                                : "l" + comparison.substr(1);
            const ir::Jaxpr cond = ir::parse(
                "{ lambda ; i:" + t.name + "[]. let c:bool[] = " +
                (turned ? opposite + " " + literal(bound) + " i" : comparison + " i " + literal(bound)) + " in (c,) }");
            for (std::int64_t start = t.least; start <= t.most; ++start) {
              const std::optional<Counting> got = counting(cond, body, {start});
              const Known want = steps(comparison, start, stride, bound, t);
              counted += want.has_value();
              if ((got ? Known(got->length) : std::nullopt) == want) continue;
              if (++wrong < 10)
                ADD_FAILURE() << t.name << ": for (i = " << start << "; i " << comparison << " " << bound
                              << "; i += " << stride << "): must be " << str(want) << " steps; got "
                              << str(got ? Known(got->length) : std::nullopt);
            }
          }
        }
      }
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_GT(counted, 10000);
  }
}

TEST(counting, numbers_at_the_ends_of_64_bits_overflow_nothing) {
  const auto length = [](std::int64_t start, std::int64_t stride, const std::string& comparison, std::int64_t bound) {
    const auto literal = [](std::int64_t v) { return std::to_string(v) + ":i64[]"; };
    const std::optional<Counting> c =
        counting(ir::parse("{ lambda ; i:i64[]. let c:bool[] = " + comparison + " i " + literal(bound) + " in (c,) }"),
                 ir::parse("{ lambda ; i:i64[]. let j:i64[] = add i " + literal(stride) + " in (j,) }"), {start});
    return c ? Known(c->length) : std::nullopt;
  };
  constexpr std::int64_t kLeast = INT64_MIN, kMost = INT64_MAX;
  // Steps that leave no room to count on.
  EXPECT_EQ(length(0, 1, "lt", kMost), std::nullopt);
  EXPECT_EQ(length(2, 1, "lt", kMost), kMost - 2);
  EXPECT_EQ(length(0, 1, "le", kMost), std::nullopt);
  EXPECT_EQ(length(kLeast, 1, "lt", kMost), std::nullopt);
  EXPECT_EQ(length(0, -1, "gt", kLeast), std::nullopt);
  EXPECT_EQ(length(0, kLeast, "gt", kLeast), std::nullopt);
  EXPECT_EQ(length(kMost, kMost, "lt", kMost), 0);
  EXPECT_EQ(length(kMost - 1, kMost, "lt", kMost), std::nullopt);
}

TEST(counting, counters_are_tested_and_moved_on_in_functions_that_are_called) {
  const std::optional<Counting> c = counting(ir::parse(R"({ lambda n:i32[]; a:f32[] i:i32[] m:i32[]. let
    k:i32[] = sub m 1:i32[]
    c:bool[] = jit[name=less jaxpr={ lambda ; x:i32[] y:i32[]. let z:bool[] = lt x y in (z,) }] i k
  in (c,) })"),
                                             ir::parse(R"({ lambda s:i64[]; a:f32[] i:i32[] m:i32[]. let
    t:i32[] = convert_element_type[new_dtype=int32] s
    j:i32[] = jit[name=next jaxpr={ lambda ; x:i32[] y:i32[]. let z:i32[] = sub x y in (z,) }] i t
  in (a, j, m) })"),
                                             {7, -2, std::nullopt, 1, 12});
  ASSERT_TRUE(c);
  EXPECT_EQ(c->length, 5);  // 1, 3, 5, 7, 9
  ASSERT_EQ(c->inputs.size(), 4u);
  EXPECT_EQ(c->inputs[0]->at(5), -2);  // s
  EXPECT_FALSE(c->inputs[1]);
  EXPECT_EQ(c->inputs[2]->at(5), 11);  // i
  EXPECT_EQ(c->inputs[3]->at(5), 12);  // m, which stays
}

TEST(counting, progressions_follow_what_programs_compute) {
  const ir::Jaxpr program = ir::parse(R"({ lambda ; i:i32[] j:i8[]. let
    a:i32[] = sub 9:i32[] i
    b:i32[] = mul i 3:i32[]
    c:bool[] = lt i 0:i32[]
    d:i32[] = add i 10:i32[]
    e:i32[] = select c d i
    f:i64[] = convert_element_type[new_dtype=int64] e
    g:i8[] = mul j 2:i8[]
    h:bool[] = ne i 5:i32[]
    k:bool[] = lt i 5:i32[]
    l:u8[] = convert_element_type[new_dtype=uint8] a
    m:i32[] = mul i i
    n:u8[] = convert_element_type[new_dtype=uint8] i
    o:i32[] = neg b
    p:bool[] = ne i 10:i32[]
  in (a,) })");
  const Progressions got = progressions(program, {Progression{0, 1}, Progression{60, 1}}, 10);
  const auto text = [&](std::size_t v) {
    return got[v] ? std::to_string(got[v]->start) + "+" + std::to_string(got[v]->stride) + "t" : "none";
  };
  const std::vector<std::string> want{"0+1t", "60+1t", "9+-1t", "0+3t",  "0+0t", "10+1t", "0+1t",  "0+1t",
                                      "none", "none",  "none",  "9+-1t", "none", "0+1t",  "0+-3t", "1+0t"};
  for (std::size_t v = 0; v < want.size(); ++v) EXPECT_EQ(text(v), want[v]) << "variable " << v;
}

}  // namespace
}  // namespace weft::control

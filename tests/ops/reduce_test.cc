// What samples do not show of reductions: ties, printed names, exactness, and the texts of errors.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/errors.h"
#include "weft/core/stage.h"
#include "weft/ops/lax.h"
#include "weft/transforms/jvp.h"

namespace weft {
namespace {

using testing::error_of;
using Function = std::function<Array(const Array&)>;

Array tangent(const Function& f, const Array& x, const Array& t) {
  Arrays outs, tangents;
  transforms::jvp([&](std::span<const Array> a, Arrays& o) { o.push_back(f(a[0])); }, std::span(&x, 1),
                  std::span(&t, 1), "f", outs, tangents);
  return tangents[0];
}

std::string program(const Function& f, Aval aval) {
  return stage([&](std::span<const Array> a, Arrays& outs) { outs.push_back(f(a[0])); }, std::span(&aval, 1), "f")
      .jaxpr.str();
}

TEST(reduce, prints_its_kind_in_its_name) {
  const Aval x(f32, Dims{2, 3});
  EXPECT_EQ(program([](const Array& a) { return lax::reduce_sum(a, Dims{0}); }, x),
            "{ lambda ; a:f32[2,3]. let b:f32[3] = reduce_sum[axes=(0,)] a in (b,) }");
  EXPECT_EQ(program([](const Array& a) { return lax::reduce_max(a, Dims{1, 0}); }, x),
            "{ lambda ; a:f32[2,3]. let b:f32[] = reduce_max[axes=(0, 1)] a in (b,) }");
}

TEST(reduce, over_no_axes_is_no_operation) {
  EXPECT_EQ(program([](const Array& a) { return lax::reduce_prod(a, Dims{}); }, Aval(f32, Dims{2})),
            "{ lambda ; a:f32[2]. let  in (a,) }");
}

TEST(reduce, max_and_min_share_the_tangent_among_ties) {
  const Array x(std::vector<double>{3, 1, 3, 3, 1}), t(std::vector<double>{1, 10, 2, 6, 30});
  EXPECT_EQ(tangent([](const Array& a) { return lax::reduce_max(a, Dims{0}); }, x, t).item<double>(), 3.0);
  EXPECT_EQ(tangent([](const Array& a) { return lax::reduce_min(a, Dims{0}); }, x, t).item<double>(), 20.0);
}

TEST(reduce, the_tangent_of_a_product_with_one_zero_is_the_product_of_the_others) {
  const Array x(std::vector<double>{2, 0, 3}), t(std::vector<double>{1, 1, 1});
  EXPECT_EQ(tangent([](const Array& a) { return lax::reduce_prod(a, Dims{0}); }, x, t).item<double>(), 6.0);
}

TEST(reduce, sums_of_many_small_numbers_stay_exact) {
  // Summed in turn in f32 the sum would stop at 2^24.
  constexpr std::int64_t kCount = (1 << 24) + 64;
  const Array ones = Array::from_vector(std::vector<std::uint8_t>(kCount, 1), Dims{kCount});
  EXPECT_EQ(lax::reduce_sum(lax::convert(ones, f32), Dims{0}).item<float>(), static_cast<float>(kCount));
}

TEST(reduce, max_and_min_tell_zeros_apart) {
  for (const auto& zeros : {std::vector{0.0, -0.0}, std::vector{-0.0, 0.0}}) {
    const Array x(zeros);
    EXPECT_FALSE(std::signbit(lax::reduce_max(x, Dims{0}).item<double>()));
    EXPECT_TRUE(std::signbit(lax::reduce_min(x, Dims{0}).item<double>()));
    const Window both{.dimensions = {2}};
    EXPECT_FALSE(std::signbit(lax::reduce_window(x, ReduceKind::kMax, both).to_vector<double>()[0]));
    EXPECT_TRUE(std::signbit(lax::reduce_window(x, ReduceKind::kMin, both).to_vector<double>()[0]));
  }
}

TEST(reduce, a_sum_of_negative_zeros_is_zero_however_many_there_are) {
  for (const DType t : {f32, f64, bf16})
    for (const std::int64_t n : {0, 1, 2, 5}) {
      const Array sums = lax::reduce_sum(Array::full(Dims{2, n}, t, -0.0), Dims{1});
      for (const double sum : lax::convert(sums, f64).to_vector<double>()) {
        EXPECT_EQ(sum, 0);
        EXPECT_FALSE(std::signbit(sum)) << n;
      }
    }
}

TEST(reduce, mistakes_have_texts) {
  const Array x = Array::full(Dims{2, 3}, f32, 0.0);
  EXPECT_EQ(error_of([&] { lax::reduce_sum(x, Dims{2}); }), "IndexError: reduce: axes must be in [0, 2); got [2].");
  EXPECT_EQ(error_of([&] { lax::reduce_sum(x, Dims{1, 1}); }), "IndexError: reduce: axes must be distinct; got [1,1].");
  EXPECT_EQ(error_of([&] { lax::reduce_and(x, Dims{0}); }),
            "DTypeError: reduce: the operand must be bool or integer; got f32[2,3].");
}

TEST(argmax, mistakes_have_texts) {
  EXPECT_EQ(error_of([] { lax::argmax(Array::full(Dims{2, 0}, f32, 0.0), 1); }),
            "ShapeError: argmax: the axis must not be empty; got axis 1 of f32[2,0].");
  EXPECT_EQ(error_of([] { lax::argmin(Array::full(Dims{2}, f32, 0.0), 1); }),
            "IndexError: argmin: axis must be in [-1, 1); got 1 for f32[2].");
  EXPECT_EQ(error_of([] { lax::argmax(Array::full(Dims{2}, c64, 0.0), 0); }),
            "DTypeError: argmax: the operand must be bool, integer or float; got c64[2].");
  EXPECT_EQ(error_of([] { lax::argmax(Array::full(Dims{2}, f32, 0.0), 0, f32); }),
            "DTypeError: argmax: indices must be integers; got f32.");
}

TEST(cumsum, mistakes_have_texts) {
  EXPECT_EQ(error_of([] { lax::cumsum(Array::full(Dims{2}, boolean, false), 0); }),
            "DTypeError: cumsum: the operand must be integer, float or complex; got bool[2].");
  EXPECT_EQ(error_of([] { lax::cumsum(Array::full(Dims{}, f32, 0.0), 0); }),
            "IndexError: cumsum: a 0-d array has no axes; got axis 0 for f32[].");
}

}  // namespace
}  // namespace weft

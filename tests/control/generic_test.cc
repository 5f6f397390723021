// What samples do not show of operations with computations on scalars: the order in which elements meet, special
// values, sizes, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/errors.h"
#include "harness/functions.h"
#include "harness/values.h"
#include "weft/base/error.h"
#include "weft/control/programs.h"
#include "weft/ir/parse.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::call;
using testing::error_of;
using Ints = std::vector<std::int32_t>;

Array ints(const Ints& v) { return Array(v); }

const ir::Jaxpr& digits() {  // 10 a + b
  static const ir::Jaxpr p = ir::parse(R"({ lambda ; a:i32[] b:i32[]. let
    c:i32[] = mul a 10:i32[]
    d:i32[] = add c b
  in (d,) })");
  return p;
}
const ir::Jaxpr& sum() {
  static const ir::Jaxpr p = ir::parse("{ lambda ; a:i32[] b:i32[]. let c:i32[] = add a b in (c,) }");
  return p;
}
const ir::Jaxpr& ge() {
  static const ir::Jaxpr p = ir::parse("{ lambda ; a:i32[] b:i32[]. let c:bool[] = ge a b in (c,) }");
  return p;
}

TEST(generic_reduce, elements_meet_in_row_major_order) {
  const Array x = lax::reshape(ints({1, 2, 3, 4, 5, 6}), Dims{2, 3});
  const auto reduced = [&](Dims axes) {
    return lax::generic_reduce(Arrays{x}, Arrays{Array(7)}, digits(), axes)[0].to_vector<std::int32_t>();
  };
  EXPECT_EQ(reduced({1}), (Ints{7123, 7456}));
  EXPECT_EQ(reduced({0}), (Ints{714, 725, 736}));
  EXPECT_EQ(reduced({1, 0}), (Ints{7123456}));
  EXPECT_EQ(reduced({}), (Ints{71, 72, 73, 74, 75, 76}));
}

TEST(generic_reduce, a_million_elements_take_no_stack_and_little_time) {
  const Array x = lax::iota(i32, Dims{1000, 1000}, 1);
  EXPECT_EQ(lax::generic_reduce(Arrays{x}, Arrays{Array(0)}, sum(), Dims{0, 1})[0].item<std::int32_t>(), 499500000);
}

TEST(generic_reduce_window, padding_is_made_of_initial_values) {
  const Window window{{3}, {1}, {2}, {1}, {1}, {1}};  // 9 1 9 2 9 as seen
  EXPECT_EQ(
      lax::generic_reduce_window(Arrays{ints({1, 2})}, Arrays{Array(9)}, digits(), window)[0].to_vector<std::int32_t>(),
      (Ints{9919, 9192, 9929}));
}

TEST(generic_sort, nan_goes_where_the_comparator_puts_it) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Array x(std::vector<double>{3, nan, 2, nan, -1});
  const ir::Jaxpr nan_first = ir::parse(R"({ lambda ; a:f64[] b:f64[]. let
    c:bool[] = ne a a
    d:bool[] = eq b b
    e:bool[] = and c d
    f:bool[] = lt a b
    g:bool[] = or e f
  in (g,) })");
  const std::vector<double> y = lax::generic_sort(Arrays{x}, nan_first, 0)[0].to_vector<double>();
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(std::vector<double>(y.begin() + 2, y.end()), (std::vector<double>{-1, 2, 3}));
}

TEST(generic_sort, gives_a_permutation_whatever_the_comparator_says) {
  // Pseudo-random answers.
  const ir::Jaxpr mad = ir::parse(R"({ lambda ; a:i32[] b:i32[]. let
    c:i32[] = mul a 77:i32[]
    d:i32[] = mul b 131:i32[]
    e:i32[] = add c d
    f:i32[] = and e 4:i32[]
    g:bool[] = eq f 0:i32[]
  in (g,) })");
  Ints v(257);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<std::int32_t>(i);
  Ints y = lax::generic_sort(Arrays{ints(v)}, mad, 0)[0].to_vector<std::int32_t>();
  std::sort(y.begin(), y.end());
  EXPECT_EQ(y, v);
}

TEST(generic_sort, is_stable_and_merges_runs_of_any_length) {
  const ir::Jaxpr by_key = ir::parse("{ lambda ; a:i32[] b:i32[] c:i32[] d:i32[]. let e:bool[] = lt a b in (e,) }");
  for (const int n : {1, 2, 3, 7, 8, 9, 100}) {
    Ints keys, places;
    for (int i = 0; i < n; ++i) {
      keys.push_back(i * 7 % 5);
      places.push_back(i);
    }
    const Arrays y = lax::generic_sort(Arrays{ints(keys), ints(places)}, by_key, -1);
    const Ints k = y[0].to_vector<std::int32_t>(), p = y[1].to_vector<std::int32_t>();
    for (std::size_t i = 1; i < k.size(); ++i)
      EXPECT_TRUE(k[i - 1] < k[i] || (k[i - 1] == k[i] && p[i - 1] < p[i])) << n << " at " << i;
  }
}

TEST(generic_scatter, updates_outside_are_dropped_and_others_come_in_order) {
  const ScatterDimensionNumbers numbers{{}, {0}, {}, {}, {0}};
  const Array y = lax::generic_scatter(Arrays{ints({1, 2, 3})}, lax::reshape(ints({2, -1, 2, 3, 0}), Dims{5, 1}),
                                       Arrays{ints({4, 5, 6, 7, 8})}, digits(), numbers)[0];
  EXPECT_EQ(y.to_vector<std::int32_t>(), (Ints{18, 2, 346}));
}

TEST(generic_select_and_scatter, padding_is_never_selected) {
  // Windows of three around each element; the second select keeps the last candidate.
  const Window window{{3}, {1}, {1}, {1}, {1}, {1}};
  const ir::Jaxpr never = ir::parse("{ lambda ; a:i32[] b:i32[]. let  in (False:bool[],) }");
  const auto scattered = [&](const ir::Jaxpr& select) {
    return lax::generic_select_and_scatter(ints({-5, -7, -6}), ints({1, 2, 3}), Array(0), select, digits(), window)
        .to_vector<std::int32_t>();
  };
  EXPECT_EQ(scattered(ge()), (Ints{12, 0, 3}));
  EXPECT_EQ(scattered(never), (Ints{0, 1, 23}));
}

TEST(generic_reduce, derivatives_are_those_of_the_order_in_which_it_runs) {
  // a + b b is not associative: a tree would square sums.
  const ir::Jaxpr f = ir::parse("{ lambda ; a:f64[] b:f64[]. let c:f64[] = mul b b; d:f64[] = add a c in (d,) }");
  const FlatFunction g = [&](std::span<const Array> a, Arrays& outs) {
    outs = lax::generic_reduce(a.first(1), a.subspan(1), f, Dims{0});
  };
  const Arrays r = call(testing::pushforward(g, 2, {0}),
                        Arrays{Array(std::vector<double>{1, 2, 3}), Array(0.5), Array(std::vector<double>{1, 0, 1})});
  EXPECT_EQ(r[0].item<double>(), 2 + 6);
}

TEST(generic_ops, computations_that_do_not_fit_are_refused) {
  const Array x = ints({1, 2}), zero(0);
  const auto reduced = [&](const Arrays& xs, const Arrays& inits, const ir::Jaxpr& f, Dims axes = {0}) {
    return error_of([&] { lax::generic_reduce(xs, inits, f, axes); });
  };
  EXPECT_EQ(reduced({x}, {}, sum()), "ShapeError: generic_reduce: there must be at least 2 operands; got 1.");
  EXPECT_EQ(
      reduced({x, x}, {zero}, sum()),
      "ShapeError: generic_reduce: there must be as many initial values as arrays, and at least one; got 3 operands.");
  EXPECT_EQ(reduced({x}, {x}, sum()), "ShapeError: generic_reduce: initial values must be 0-d; got i32[2].");
  EXPECT_EQ(reduced({x}, {Array(0.5f)}, sum()),
            "DTypeError: generic_reduce: an initial value must have the dtype of its array; got f32[] for i32[2].");
  EXPECT_EQ(reduced({x}, {zero}, ge()),
            "DTypeError: generic_reduce: the computation must have input 0 of type bool[]; got i32[].");
  EXPECT_EQ(reduced({x, x}, {zero, zero}, sum()),
            "ShapeError: generic_reduce: the computation must give one scalar per array; got 1 for 2.");
  EXPECT_EQ(reduced({x}, {zero}, sum(), {1}), "IndexError: generic_reduce: axes must be in [0, 1); got [1].");
  EXPECT_EQ(
      reduced({Array(std::vector<float>{1})}, {Array(0.0f)}, sum()),
      "DTypeError: generic_reduce: the computation must be on the elements of its array or a wider dtype; got i32[] "
      "for f32[1].");
  EXPECT_EQ(reduced({x}, {zero}, ir::Jaxpr()),
            "ValueError: generic_reduce: the computation must be a program; got none.");
  EXPECT_EQ(error_of([&] { lax::generic_sort(Arrays{x}, sum(), 0); }),
            "DTypeError: generic_sort: the comparator must have output 0 of type bool[]; got i32[].");
  EXPECT_EQ(error_of([&] { lax::generic_sort(Arrays{x, ints({1})}, ge(), 0); }),
            "ShapeError: generic_sort: arrays must have equal shapes; got i32[2] and i32[1].");
}

TEST(generic_ops, windows_that_make_no_sense_are_refused_before_they_overflow) {
  const auto refused = [](Window w) {
    return error_of([&] { lax::generic_reduce_window(Arrays{ints({1, 2})}, Arrays{Array(0)}, sum(), w); });
  };
  EXPECT_EQ(refused({{1, 1}, {1}, {1}, {1}, {0}, {0}}),
            "ShapeError: generic_reduce_window: window_dimensions must have one entry per axis of i32[2]; got [1,1].");
  EXPECT_EQ(refused({{0}, {1}, {1}, {1}, {0}, {0}}),
            "ValueError: generic_reduce_window: window_dimensions must be positive; got [0].");
  EXPECT_EQ(refused({{1}, {-1}, {1}, {1}, {0}, {0}}),
            "ValueError: generic_reduce_window: window_strides must be positive; got [-1].");
  const std::int64_t huge = std::int64_t{1} << 61;
  const std::string too_large =
      "ValueError: generic_reduce_window: the padded array must have sizes below 2^61; got axis 0 of i32[2].";
  EXPECT_EQ(refused({{huge}, {1}, {1}, {huge}, {0}, {0}}), too_large);
  EXPECT_EQ(refused({{1}, {1}, {huge}, {1}, {0}, {0}}), too_large);
  EXPECT_EQ(refused({{1}, {1}, {1}, {1}, {INT64_MAX}, {INT64_MIN}}), too_large);
  EXPECT_EQ(refused({{1}, {1}, {1}, {1}, {INT64_MIN}, {0}}), too_large);
  EXPECT_EQ(refused({{1}, {1}, {1}, {1}, {huge}, {huge}}), too_large);
  EXPECT_EQ(error_of([] {
              lax::generic_select_and_scatter(ints({1, 2}), ints({1, 2, 3}), Array(0), ge(), sum(),
                                              {{2}, {1}, {1}, {1}, {0}, {0}});
            }),
            "ShapeError: generic_select_and_scatter: the source must have one element per window, [1]; got i32[3].");
}

}  // namespace
}  // namespace weft

#include "optim/hyperparam.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

TEST(hyperparam, is_rounded_to_the_dtype_it_stands_beside) {
  EXPECT_EQ(Hyperparam(0.1).in(f64).item<double>(), 0.1);
  EXPECT_EQ(Hyperparam(0.1).in(f32).item<float>(), 0.1f);
  EXPECT_EQ(Hyperparam(Array(0.5)).in(bf16).dtype(), bf16);
  EXPECT_EQ(Hyperparam(3).in(i32).item<int>(), 3);
}
TEST(hyperparam, computes_in_double_what_is_a_number) {
  // 1 - 0.999 in f32 would be wrong in its fifth digit.
  EXPECT_EQ(Hyperparam(0.999).complement().in(f32).item<float>(), 0.001f);
  EXPECT_EQ(Hyperparam(0.5).negated().number(), -0.5);
  EXPECT_EQ(Hyperparam(Array(0.25f)).complement().in(f32).item<float>(), 0.75f);
  EXPECT_EQ(Hyperparam(3).map([](const auto& x) { return x * x; }).number(), 9);
}
TEST(hyperparam, is_copied_for_a_state) {
  Array rate(0.5f);
  const Hyperparam h(rate);
  const auto take = jit([](Array x) { return x + 1; }, {.donate = {0}});
  take(h.copy_in(f32));
  EXPECT_EQ(h.in(f32).item<float>(), 0.5f);
}
TEST(hyperparam, may_be_traced) {
  const auto f = jit([](Array x) { return Hyperparam(x).complement().in(f32); });
  EXPECT_EQ(f(0.25f).item<float>(), 0.75f);
}
TEST(hyperparam, refuses_what_is_not_one_real_number) {
  EXPECT_EQ(error_of([] { Hyperparam(np::ones({1})); }),
            "ShapeError: hyperparameter: a hyperparameter must be a number or a 0-d array; got f32[1].");
  EXPECT_EQ(error_of([] { Hyperparam(Array(std::complex<float>(1, 2))); }),
            "DTypeError: hyperparameter: a hyperparameter must be real; got c64[].");
}

TEST(scalar_or_schedule, is_the_same_at_all_steps_unless_a_schedule) {
  EXPECT_EQ(ScalarOrSchedule(0.5).at(Array()).number(), 0.5);
  EXPECT_FALSE(ScalarOrSchedule(0.5).initial_count().defined());
  EXPECT_FALSE(ScalarOrSchedule(Array(2.f)).is_schedule());
  const ScalarOrSchedule s = [](const Array& count) { return 2 * count; };
  EXPECT_TRUE(s.is_schedule());
  EXPECT_EQ(s.initial_count().item<int>(), 0);
  EXPECT_EQ(s.at(s.next_count(s.initial_count())).in(f32).item<float>(), 2);
}
TEST(scalar_or_schedule, takes_schedules_that_give_numbers) {
  const ScalarOrSchedule s = [](const Array&) { return 0.5; };
  EXPECT_EQ(s.at(Array(3)).in(f32).item<float>(), 0.5f);
}
TEST(scalar_or_schedule, refuses_an_empty_schedule) {
  const std::string text = "ValueError: hyperparameter: a schedule must be a function; got an empty one.";
  EXPECT_EQ(error_of([] { ScalarOrSchedule{Schedule()}; }), text);
  EXPECT_EQ(error_of([] { ScalarOrSchedule{static_cast<Array (*)(const Array&)>(nullptr)}; }), text);
  EXPECT_EQ(error_of([] { sgd(Schedule()); }), text);
}
TEST(scalar_or_schedule, maps_numbers_arrays_and_schedules) {
  const auto square = [](const auto& x) { return x * x; };
  EXPECT_EQ(ScalarOrSchedule(3).map(square).at(Array()).number(), 9);
  EXPECT_EQ(ScalarOrSchedule(Array(3.f)).map(square).at(Array()).in(f32).item<float>(), 9);
  const ScalarOrSchedule s = [](const Array& count) { return count; };
  EXPECT_EQ(s.map(square).at(Array(4)).in(f32).item<float>(), 16);
}

}  // namespace
}  // namespace weft::optim

// Texts of DonatedError.
#include "error_text.h"

namespace weft::errors {
namespace {

struct Params {
  Array w;
};

TEST(donated_error, reading_names_the_argument_and_the_call) {
  const auto step = jit([](Array g, Params p) { return Params{p.w - g}; }, {.name = "step", .donate = {1}});
  const Params params{np::array({1.0f, 2.0f})};
  step(np::array({3.0f, 4.0f}), params);
  expect_error<DonatedError>(
      [&] { params.w.to_vector<float>(); },
      "to_vector: the array must hold values; got f32[2], which was donated as args[1].w of "
      "jit(step) at here.\n  at here\n"
      "hint: that call has its memory now: use what it returned, or pass it a copy, np::copy(x).");
  expect_error<DonatedError>(
      [&] { params.w* params.w; },
      "multiply: operands must hold values; got f32[2], which was donated as args[1].w of "
      "jit(step) at here.\n  at here\n"
      "hint: that call has its memory now: use what it returned, or pass it a copy, np::copy(x).");
}

TEST(donated_error, calls_of_compiled_functions_refuse_it) {
  const auto step = jit([](Array x) { return x + 1.0f; }, {.name = "step", .donate = {0}});
  const Array x = np::array({1.0f, 2.0f});
  const auto captures = jit([x](Array y) { return x + y; });
  captures(x);
  step(x);
  expect_error<DonatedError>(
      [&] { step(x); },
      "jit: arguments must hold values; got f32[2], which was donated as args[0] of jit(step) "
      "at here.\n  at here\n"
      "hint: that call has its memory now: use what it returned, or pass it a copy, np::copy(x).");
  expect_error<DonatedError>(
      [&] { captures(np::ones({2})); },
      "jit: captured arrays must hold values; got f32[2], which was donated as args[0] of "
      "jit(step) at here.\n  at here\n"
      "hint: that call has its memory now: use what it returned, or pass it a copy, np::copy(x).");
}

}  // namespace
}  // namespace weft::errors

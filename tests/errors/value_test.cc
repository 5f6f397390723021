#include <functional>

#include "error_text.h"

namespace weft::errors {
namespace {

TEST(value_error, a_none_operand) {
  expect_error<ValueError>([&] { np::sin(Array()); },
                           "sin: the array must hold a value; got none (a default-constructed Array).\n"
                           "  at here");
}

TEST(value_error, a_none_operand_of_an_operator) {
  Array x;
  expect_error<ValueError>([&] { x + 1; },
                           "add: the array must hold a value; got none (a default-constructed Array).\n"
                           "  at here");
}

TEST(value_error, the_elements_of_none) {
  expect_error<ValueError>([&] { Array().item<float>(); },
                           "item: the array must hold a value; got none (a default-constructed Array).\n"
                           "  at here");
}

TEST(value_error, the_type_of_none) {
  const std::string rest = ": the array must hold a value; got none (a default-constructed Array).\n  at here";
  expect_error<ValueError>([&] { Array().shape(); }, "shape" + rest);
  expect_error<ValueError>([&] { Array().shape(0); }, "shape" + rest);
  expect_error<ValueError>([&] { Array().ndim(); }, "ndim" + rest);
  expect_error<ValueError>([&] { Array().size(); }, "size" + rest);
  expect_error<ValueError>([&] { Array().nbytes(); }, "nbytes" + rest);
  expect_error<ValueError>([&] { Array().dtype(); }, "dtype" + rest);
  expect_error<ValueError>([&] { Array().aval(); }, "aval" + rest);
  expect_error<ValueError>([&] { Array().device(); }, "device" + rest);
  expect_error<ValueError>([&] { np::result_type(Array(), 1); }, "result_type" + rest);
  expect_error<ValueError>([&] { np::floor(Array()); }, "floor" + rest);
  expect_error<ValueError>([&] { np::imag(Array()); }, "imag" + rest);
  expect_error<ValueError>([&] { np::isneginf(Array()); }, "isneginf" + rest);
}

TEST(value_error, a_none_operand_of_any_function_blames_the_line_of_the_user) {
  const Array none, x = np::ones({2, 2});
  const std::function<void()> calls[] = {
      [&] { np::abs(none); },
      [&] { np::floor(none); },
      [&] { np::real(none); },
      [&] { np::conj(none); },
      [&] { np::isposinf(none); },
      [&] { np::sum(none); },
      [&] { np::var(none); },
      [&] { np::logsumexp(none); },
      [&] { np::sum(x, 0, {.where = none}); },
      [&] { np::argmax(none); },
      [&] { np::sort(none); },
      [&] { np::reshape(none, {1}); },
      [&] { np::atleast_2d(none); },
      [&] { np::concatenate({x, none}); },
      [&] { np::stack({none, none}); },
      [&] { np::split(none, 2); },
      [&] { np::tile(none, 2); },
      [&] { np::pad(none, 1); },
      [&] { np::where(none, 1, 2); },
      [&] { np::clip(none, 0, 1); },
      [&] { np::matmul(x, none); },
      [&] { np::dot(none, x); },
      [&] { np::tensordot(x, none, 1); },
      [&] { np::einsum("ij->i", none); },
      [&] { np::take(none, {0}); },
      [&] { np::take(x, none); },
      [&] { none(0); },
      [&] { none.at(0).set(1); },
      [&] { x.at(0).set(none); },
      [&] { np::full({2}, none); },
      [&] { np::zeros_like(none); },
      [&] { np::linspace(none, 1); },
      [&] { np::diag(none); },
      [&] { np::meshgrid({none}); },
      [&] { np::broadcast_to(none, {2}); },
      [&] { np::array(none, f32); },
      [&] { np::result_type(x, none); },
      [&] { (void)(none + 1); },
      [&] { (void)(1 < none); },
      [&] { (void)none.T(); },
      [&] { (void)none.astype(f32); },
      [&] { random::split(none); },
      [&] { random::uniform(none, {2}); },
      [&] { np::vectorize([](Array v) { return v; })(none); },
  };
  for (const auto& call : calls) try {
      call();
      ADD_FAILURE() << "nothing was thrown by call " << &call - calls;
    } catch (const Error& e) {
      const std::string place = e.location().str();
      EXPECT_TRUE(place.starts_with("value_test.cc")) << "call " << &call - calls << ": " << e.what();
    }
}

TEST(value_error, a_none_argument_of_jit_that_is_used) {
  expect_error<ValueError>([&] { jit([](Array x, Array bias) { return x + bias; })(1.0f, Array()); },
                           "add: the array must hold a value; got none (a default-constructed Array).\n"
                           "  at here\n"
                           "  while tracing jit(f) at here");
}

TEST(value_error, an_einsum_letter_that_is_nowhere) {
  expect_error<ValueError>([&] { np::einsum("ij,jk->iz", np::ones({2, 3}), np::ones({3, 4})); },
                           "einsum: every axis of the result must be in a term, unlike 'z'; got \"ij,jk->iz\".\n"
                           "  at here");
}

TEST(value_error, an_einsum_with_too_few_operands) {
  expect_error<ValueError>([&] { np::einsum("ij,jk->ik", np::ones({2, 3})); },
                           "einsum: there must be one term per operand; got 2 terms in \"ij,jk->ik\" for 1 "
                           "operand.\n"
                           "  at here");
}

TEST(value_error, a_range_with_step_zero) {
  expect_error<ValueError>([&] { np::arange(0, 3, 0); },
                           "arange: the step must not be zero; got 0.\n"
                           "  at here");
}

TEST(value_error, a_slice_with_step_zero) {
  expect_error<ValueError>([&] { np::ones({3})(slice(0, 3, 0)); },
                           "index: the step of a slice must not be zero; got 0.\n"
                           "  at here");
}

TEST(value_error, vmap_of_nothing) {
  expect_error<ValueError>([&] { vmap([](Array x) { return x; }, unmapped)(np::ones({3})); },
                           "vmap: at least one argument must be mapped; got only unmapped ones.\n"
                           "  while tracing vmap(f) at here\n"
                           "hint: give an axis in in_axes, or axis_size.");
}

TEST(value_error, an_unmapped_result_that_varies) {
  expect_error<ValueError>([&] { vmap([](Array x) { return x; }, 0, unmapped)(np::ones({3})); },
                           "vmap: out_axes must give an axis for a result that varies; got `unmapped` for result.\n"
                           "  while tracing vmap(f) at here");
}

TEST(value_error, concatenation_of_nothing) {
  expect_error<ValueError>([&] { np::concatenate(std::vector<Array>()); },
                           "concatenate: there must be at least one array; got none.\n"
                           "  at here");
}

TEST(value_error, no_threads) {
  expect_error<ValueError>([&] { set_num_threads(0); },
                           "set_num_threads: the number of threads must be from 1 to 1024; got 0.\n"
                           "  at here");
}

TEST(value_error, a_negative_number_of_keys) {
  expect_error<ValueError>([&] { random::split(random::key(0), -1); },
                           "split: the number of keys must not be negative; got -1.\n"
                           "  at here");
}

TEST(value_error, a_number_beyond_a_word_folded_into_a_key) {
  expect_error<ValueError>([&] { random::fold_in(random::key(0), std::int64_t{1} << 32); },
                           "fold_in: a number must fit the dtype that it takes; got 4294967296 for u32.\n"
                           "  at here\n"
                           "hint: u32 holds 0 to 4294967295; convert an array with astype to wrap or saturate.");
  expect_error<ValueError>([&] { random::fold_in(random::key(0), -1); },
                           "fold_in: a number must fit the dtype that it takes; got -1 for u32.\n"
                           "  at here\n"
                           "hint: u32 holds 0 to 4294967295; convert an array with astype to wrap or saturate.");
}

TEST(value_error, an_einsum_with_a_strange_sign) {
  expect_error<ValueError>([&] { np::einsum("i*,j->ij", np::ones({2, 3}), np::ones({3})); },
                           "einsum: axes must be named by letters, not '*'; got \"i*,j->ij\".\n"
                           "  at here");
}

TEST(value_error, an_einsum_with_a_strange_sign_that_stands_for_an_axis) {
  expect_error<ValueError>([&] { np::einsum("i?->i", np::ones({3})); },
                           "einsum: axes must be named by letters, not '?'; got \"i?->i\".\n"
                           "  at here");
}

TEST(value_error, an_einsum_with_a_wrong_arrow) {
  expect_error<ValueError>([&] { np::einsum("i,j=>ij", np::ones({3}), np::ones({3})); },
                           "einsum: axes must be named by letters, not '='; got \"i,j=>ij\".\n"
                           "  at here");
}

TEST(value_error, an_einsum_with_a_strange_sign_in_the_result) {
  expect_error<ValueError>([&] { np::einsum("i->i\xc3\xa9", np::ones({3})); },
                           "einsum: axes must be named by letters, not 'é'; got \"i->ié\".\n"
                           "  at here");
}

TEST(value_error, an_einsum_with_half_an_ellipsis) {
  expect_error<ValueError>([&] { np::einsum("i..->i", np::ones({2, 3})); },
                           "einsum: an ellipsis must have three dots; got \"i..->i\".\n"
                           "  at here");
}

TEST(value_error, an_einsum_with_a_letter_twice_in_the_result) {
  expect_error<ValueError>([&] { np::einsum("i->ii", np::ones({3})); },
                           "einsum: an axis must be in the result only once, unlike 'i'; got \"i->ii\".\n"
                           "  at here");
}

TEST(value_error, a_number_above_the_dtype) {
  expect_error<ValueError>([&] { np::ones({3}, u8) + 300; },
                           "add: a number must fit the dtype that it takes; got 300 for u8.\n"
                           "  at here\n"
                           "hint: convert the array first, for example with astype(i64).");
}

TEST(value_error, a_number_below_the_dtype) {
  expect_error<ValueError>([&] { np::ones({3}, u32) * -1; },
                           "multiply: a number must fit the dtype that it takes; got -1 for u32.\n"
                           "  at here\n"
                           "hint: convert the array first, for example with astype(i64).");
}

TEST(value_error, a_number_that_needs_64_bits) {
  expect_error<ValueError>([&] { np::arange(3) + 3000000000; },
                           "add: a number must fit the dtype that it takes; got 3000000000 for i32.\n"
                           "  at here\n"
                           "hint: convert the array first, for example with astype(i64).");
}

TEST(value_error, a_number_that_does_not_fit_the_dtype_asked_for) {
  const std::string hint = "hint: u8 holds 0 to 255; convert an array with astype to wrap or saturate.";
  expect_error<ValueError>([&] { np::array({1, 300}, u8); },
                           "array: a number must fit the dtype that it takes; got 300 for u8.\n  at here\n" + hint);
  expect_error<ValueError>([&] { np::full({2}, 300, u8); },
                           "full: a number must fit the dtype that it takes; got 300 for u8.\n  at here\n" + hint);
  expect_error<ValueError>([&] { np::full_like(np::ones({2}, u8), -1); },
                           "full_like: a number must fit the dtype that it takes; got -1 for u8.\n  at here\n" + hint);
  expect_error<ValueError>([&] { np::ones({3}, u8).at(0).set(300); },
                           "at.set: a number must fit the dtype that it takes; got 300 for u8.\n  at here\n" + hint);
  expect_error<ValueError>([&] { np::pad(np::ones({3}, u8), 1, 300); },
                           "pad: a number must fit the dtype that it takes; got 300 for u8.\n  at here\n" + hint);
  expect_error<ValueError>(
      [&] { np::array({np::nan}, i32); },
      "array: a number must fit the dtype that it takes; got nan for i32.\n  at here\n"
      "hint: i32 holds -2147483648 to 2147483647; convert an array with astype to wrap or saturate.");
  expect_error<ValueError>([&] { np::array({std::complex<float>(1, 2)}, f32); },
                           "array: a number must fit the dtype that it takes; got 1.0+2.0j for f32.\n  at here\n"
                           "hint: f32 holds real numbers.");
}

TEST(value_error, the_type_of_no_operands) {
  expect_error<ValueError>([&] { np::result_type({}); },
                           "result_type: there must be at least one operand; got none.\n"
                           "  at here");
}

TEST(value_error, a_none_index) {
  expect_error<ValueError>([&] { np::ones({3})(Array()); },
                           "index: an index array must hold a value; got none (a default-constructed Array).\n"
                           "  at here");
}

TEST(value_error, a_none_on_the_left_of_an_assignment) {
  Array x;
  expect_error<ValueError>([&] { x += 1; },
                           "operator+=: the array must hold a value; got none (a default-constructed Array).\n"
                           "  at here");
}

TEST(value_error, a_none_among_the_arrays_to_join) {
  expect_error<ValueError>([&] { np::concatenate({np::ones({3}), Array()}); },
                           "concatenate: the array must hold a value; got none (a default-constructed Array).\n"
                           "  at here");
}

TEST(value_error, split_into_no_parts) {
  expect_error<ValueError>([&] { np::split(np::ones({3}), 0); },
                           "split: there must be at least one part; got 0.\n"
                           "  at here");
}

TEST(value_error, a_range_without_end) {
  expect_error<ValueError>([&] { np::arange(0.0f, np::inf); },
                           "arange: the range must be finite; got 0.0 to inf.\n"
                           "  at here");
}

TEST(value_error, a_negative_number_of_points) {
  expect_error<ValueError>([&] { np::linspace(0, 1, -3); },
                           "linspace: the number of points must not be negative; got -3.\n"
                           "  at here");
}

TEST(value_error, negative_repetitions) {
  expect_error<ValueError>([&] { np::repeat(np::ones({3}), -1); },
                           "repeat: repetitions must not be negative; got -1.\n"
                           "  at here");
}

TEST(value_error, a_wrong_number_of_padding_widths) {
  expect_error<ValueError>([&] { np::pad(np::ones({2, 3}), {{1, 1}, {1, 1}, {1, 1}}); },
                           "pad: there must be one pair of widths, or one for every axis; got 3 pairs for "
                           "f32[2,3].\n"
                           "  at here");
}

TEST(value_error, an_unknown_meshgrid_order) {
  expect_error<ValueError>([&] { np::meshgrid({np::ones({3})}, "yx"); },
                           "meshgrid: indexing must be \"xy\" or \"ij\"; got \"yx\".\n"
                           "  at here");
}

TEST(value_error, tensordot_over_more_axes_than_there_are) {
  expect_error<ValueError>([&] { np::tensordot(np::ones({2, 3}), np::ones({3}), 3); },
                           "tensordot: the number of axes must be in [0, rank]; got 3 for f32[2,3] and f32[3].\n"
                           "  at here");
}

TEST(value_error, a_negative_power_of_integers) {
  const std::string hint = "  at here\nhint: make the base a float first, for example with astype(f32).";
  expect_error<ValueError>([&] { np::power(np::array({2}), -1); },
                           "power: integers have no negative whole powers; got i32 to the -1.\n" + hint);
  expect_error<ValueError>([&] { np::power(np::array({2}, u8), -40); },
                           "power: integers have no negative whole powers; got u8 to the -40.\n" + hint);
  expect_error<ValueError>([&] { np::power(3, -2); },
                           "power: integers have no negative whole powers; got i32 to the -2.\n" + hint);
  expect_error<ValueError>([&] { np::pow(np::array({true}), -1); },
                           "power: integers have no negative whole powers; got i32 to the -1.\n" + hint);
}

TEST(value_error, a_loop_that_takes_more_steps_than_it_may) {
  const auto loop = [](Array x) {
    return while_loop([](Array y) { return y < 100; }, [](Array y) { return y + 1; }, x, {.max_steps = 10});
  };
  expect_error<ValueError>([&] { loop(2.0); },
                           "while_loop: the condition must become false within max_steps; got one that still holds "
                           "after them.\n"
                           "  at here\n"
                           "hint: allow more steps, or end the loop earlier.");
  expect_error<ValueError>(
      [&] { jit(loop)(2.0); },
      "while_loop: the condition must become false within max_steps; got one that still holds after "
      "them.\n"
      "  at here\n"
      "hint: allow more steps, or end the loop earlier.");
}

TEST(value_error, an_integer_that_the_parameter_does_not_hold) {
  const auto f = jit([](Array x, int n) { return x * n; });
  expect_error<ValueError>([&] { f(1.0f, 1LL << 32); },
                           "call: args[1] must be an integer that the function's parameter holds, -2147483648 to "
                           "2147483647; got 4294967296.");
  const auto g = jit([](Array x, std::size_t n) { return x * static_cast<double>(n); });
  expect_error<ValueError>([&] { g(1.0f, -1); },
                           "call: args[1] must be an integer that the function's parameter holds, 0 to "
                           "18446744073709551615; got -1.");
  const auto h = [](Array x, std::optional<signed char> n) { return x * static_cast<int>(n.value_or(1)); };
  expect_error<ValueError>(
      [&] { grad(h)(1.0f, 128u); },
      "call: args[1] must be an integer that the function's parameter holds, -128 to 127; got 128.");
}

TEST(value_error, transformations_that_nest_without_an_end) {
  // Plain recursion, as the transformed functions cannot know how deep they are.
  struct Forever {
    static Array of(const Array& x) {
      return jit([](Array y) { return of(y); }, {.name = "of"})(x);
    }
  };
  try {
    Forever::of(1.0f);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const ValueError& e) {
    EXPECT_EQ(with_here(e.message(), std::source_location::current()),
              "jit: at most 200 transformations may run inside one another; got one more, jit(of) at here.");
    EXPECT_EQ(
        e.hint(),
        "a function that transforms itself must come to an end; what repeats belongs into fori_loop, while_loop or "
        "scan.");
    EXPECT_EQ(e.notes().size(), 201u);
  }
  EXPECT_TRUE(evaluating());
}

TEST(value_error, a_negative_bound_on_steps) {
  expect_error<ValueError>(
      [&] {
        while_loop([](Array y) { return y < 100; }, [](Array y) { return y + 1; }, Array(2.0), {.max_steps = -3});
      },
      "while_loop: max_steps must not be negative; got -3.\n"
      "  at here");
}

TEST(value_error, a_bound_on_steps_that_reverse_mode_cannot_keep_states_for) {
  const auto f = [](Array x) {
    return while_loop([](Array y) { return y < 100; }, [](Array y) { return y + 1; }, x, {.max_steps = INT64_MAX});
  };
  expect_error<ValueError>(
      [&] { grad(f)(Array(2.0)); },
      "while: reverse mode keeps about 2 sqrt(max_steps) states, so max_steps must be at most 2^40; "
      "got 9223372036854775807.\n"
      "  at here\n"
      "  while tracing grad(f) at here\n"
      "hint: pass a bound near the number of steps that the loop takes.");
}

TEST(value_error, a_call_that_would_compile_where_nothing_may) {
  const auto f = jit([](std::pair<Array, Array> p, int n) { return p.first + n; }, {.name = "step"});
  const auto call = [&](std::int64_t size, int n) {
    const CompilePolicyScope serving(CompilePolicy::kNever);
    const std::pair p(np::ones({size}), Array(1.0f));
    f(p, n);
  };
  expect_error<ValueError>([&] { call(3, 1); },
                           "jit: no program may be compiled here (CompilePolicy::kNever); got a call of jit(step) at "
                           "here that needs one: it was not called before.\n"
                           "  after ones at here\n"
                           "hint: call it once like this where the policy is CompilePolicy::kAlways.");
  f(std::pair(np::ones({3}), Array(1.0f)), 1);
  call(3, 1);
  expect_error<ValueError>([&] { call(4, 2); },
                           "jit: no program may be compiled here (CompilePolicy::kNever); got a call of jit(step) at "
                           "here that needs one: it differs from its only program.\n"
                           "  args[0][0]: f32[4] instead of f32[3]\n"
                           "  args[1]: 2 instead of 1\n"
                           "  after ones at here\n"
                           "hint: pass what was passed before, padded to the same shapes, or call it once like this "
                           "where the policy is CompilePolicy::kAlways.");
  const auto once = jit([](Array x) { return x; }, {.policy = CompilePolicy::kOnce});
  once(1.0f);
  expect_error<ValueError>([&] { once(1.0); },
                           "jit: no second program may be compiled here (CompilePolicy::kOnce); got a call of jit(f) "
                           "at here that needs one: it differs from its only program.\n"
                           "  args[0]: f64[] instead of f32[]\n"
                           "hint: pass what was passed before, padded to the same shapes, or call it once like this "
                           "where the policy is CompilePolicy::kAlways.");
}

TEST(value_error, a_print_with_too_few_arguments) {
  expect_error<ValueError>([&] { jit([](Array x) { return debug::print("{} {}", x), x; })(1.0f); },
                           "debug_print: there must be an argument for each place; got 1 argument and a place for "
                           "number 1 in \"{} {}\".\n"
                           "  at here\n"
                           "  while tracing jit(f) at here");
}

TEST(value_error, an_ordered_print_under_vmap) {
  expect_error<ValueError>(
      [&] { vmap([](Array x) { return debug::print(debug::ordered, "{}", x), x; })(np::ones({3})); },
      "debug_print: an ordered callback must not be mapped; got vmap over 3 examples.\n"
      "  at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: vmap runs the examples side by side, so the calls of one cannot all come before those of the next: leave "
      "`ordered` out, or run the examples one after the other with map or scan.");
}

TEST(value_error, a_check_that_fails) {
  expect_error<ValueError>([&] { checkify::check(Array(-1) > 0, "x must be positive; got {}.", Array(-1)); },
                           "x must be positive; got -1.\n"
                           "  at here");
}

TEST(value_error, a_check_in_a_compiled_program) {
  expect_error<ValueError>(
      [&] { jit([](Array x) { return checkify::check(x > 0, "x must be positive"), x; })(1.0f); },
      "check: in a program that is compiled, a check must have been made a value by checkify; got one that was not.\n"
      "  at here\n"
      "hint: checkify::checkify(f) gives a function of {error, result}; transform and jit that, and call "
      "error.throw_() outside.");
}

TEST(value_error, nan_found_by_checkify) {
  expect_error<ValueError>(
      [&] { checkify::checkify([](Array x) { return np::log(x); }, checkify::nan_checks)(-1.0f).first.throw_(); },
      "log: results must not be NaN; got NaN in f32[].\n"
      "  at here");
}

TEST(value_error, io_in_a_mapped_branch) {
  const auto io = io_callback([](Array x) { return x; }, abstract(f32, {}));
  expect_error<ValueError>(
      [&] { vmap([&](Array x) { return cond(x > 0, io, [](Array v) { return v; }, x); })(np::ones({2})); },
      "cond: branches with effects must have the same index for all examples of vmap; got a mapped index.\n"
      "  at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: all branches would run for all examples. Prints, debug callbacks and checks may be there, unless they are "
      "ordered or in a function with rules of its own.");
}

}  // namespace
}  // namespace weft::errors

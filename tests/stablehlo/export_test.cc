// Programs as text: every sample of every operation comes back from it as a program that computes the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>

#include "harness/functions.h"
#include "samples/checks.h"
#include "weft/base/error.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/export.h"
#include "weft/stablehlo/operations.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

TEST(coverage, every_operation_has_text) {
  for (int i = 0; i < kNumOps; ++i) {
    const auto op = static_cast<OpCode>(i);
    // There are no mapped axes in StableHLO: a program that names one is refused.
    EXPECT_EQ(has_text(op), op != OpCode::kAxisIndex) << ir::op_name(op) << " has no StableHLO text";
    if (const Operation* row = operation_of(op)) {
      EXPECT_EQ(row->read == nullptr, row->write == nullptr) << ir::op_name(op);
      EXPECT_EQ(operation_named(row->name), row);
    }
  }
}

TEST(print, a_program_that_names_a_mapped_axis_is_refused) {
  ir::Jaxpr program;
  vmap(
      [&](Array x) {
        program = make_jaxpr([](Array v) { return lax::psum(v, "i"); })(x);
        return x;
      },
      {.axis_name = "i"})(np::ones({2}));
  try {
    stablehlo::print(program);
    FAIL() << "nothing was thrown";
  } catch (const UnboundAxisError& e) {
    EXPECT_EQ(e.message(), "stablehlo: there are no mapped axes in StableHLO; got a program that names axis 'i'.");
    EXPECT_EQ(e.hint(), "print the function that vmap returns: there the axis is one of an array.");
  }
}

// What may differ after text: the order of a sum in operations that are written as others, and cosh of f32, which means
// CHLO's formula when it is read (import_chlo.cc); small products that are code of a program have an order of their
// own.
bool exact(OpCode op, DType t) {
  return op != OpCode::kCumsum && !(op == OpCode::kDotGeneral && is_float(t)) && op != OpCode::kReduceWindow &&
         !(op == OpCode::kCosh && t == f32);
}

TEST(print, every_sample_computes_the_same_after_text_in_both_forms) {
  const char* only = std::getenv("WEFT_SAMPLES");
  for (const weft::testing::Sample& sample : weft::testing::all_samples()) {
    if (only && sample.name.find(only) == std::string::npos) continue;
    SCOPED_TRACE(sample.name);
    try {
      const Arrays args = weft::testing::make_operands(sample);
      ir::Avals inputs = avals_of(args);
      const FlatFunction f = weft::testing::operation(sample);
      const Staged staged = stage(f, inputs, "sample");
      const Arrays expected = weft::testing::call(f, args);
      const Module m = to_module(staged.jaxpr, staged.captured);
      for (const Form form : {Form::kPretty, Form::kGeneric}) {
        const std::string text = print(m, form);
        const Module back = parse(text);
        EXPECT_TRUE(back == m) << text;
        const std::vector<Array> got = import(back)(std::vector<Array>(args.begin(), args.end()));
        ASSERT_EQ(got.size(), expected.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
          const std::string difference = exact(sample.op, got[i].dtype()) ? differ_exactly(got[i], expected[i])
                                                                          : differ_by_ulps(got[i], expected[i], 16);
          EXPECT_EQ(difference, "") << text;
        }
      }
    } catch (const Error& e) {
      ADD_FAILURE() << e.what();
    }
  }
}

TEST(print, functions_read_as_people_write_them) {
  const auto f = [](const Array& x) { return lax::reduce_sum(lax::multiply(lax::sine(x), 2.0f), Dims{0}); };
  EXPECT_EQ(print(f, Form::kPretty, np::ones({3})),
            "module {\n"
            "  func.func public @main(%arg0: tensor<3xf32>) -> tensor<f32> {\n"
            "    %0 = stablehlo.sine %arg0 : tensor<3xf32>\n"
            "    %1 = stablehlo.constant dense<2.0> : tensor<3xf32>\n"
            "    %2 = stablehlo.multiply %0, %1 : tensor<3xf32>\n"
            "    %3 = stablehlo.constant dense<0.0> : tensor<f32>\n"
            "    %4 = stablehlo.reduce(%2 init: %3) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, "
            "tensor<f32>) -> tensor<f32>\n"
            "    func.return %4 : tensor<f32>\n"
            "  }\n"
            "}\n");
}

TEST(print, programs_come_back_equal) {
  const auto square = jit([](const Array& x) { return lax::multiply(x, x); }, {.name = "square"});
  const auto f = [&](const Array& x, const Array& y) {
    const Array z = lax::add(square(x), square(y));
    const std::vector<Array> both{z, y};
    return lax::sort(both, 0, 2)[0];
  };
  const Jaxpr jaxpr = make_jaxpr(f)(np::ones({4}), np::ones({4}));
  const Jaxpr back = import(print(jaxpr, Form::kPretty)).jaxpr();
  EXPECT_EQ(back, jaxpr) << back.str();
  EXPECT_EQ(import(print(jaxpr, Form::kGeneric)).jaxpr(), jaxpr);
}

TEST(print, a_program_that_is_called_twice_is_written_once) {
  const auto square = jit([](const Array& x) { return lax::multiply(x, x); }, {.name = "square"});
  const std::string text = print([&](const Array& x) { return square(square(x)); }, Form::kPretty, np::ones({4}));
  const std::size_t first = text.find("func.func private @square(%arg0");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("func.func private @square(%arg0", first + 1), std::string::npos) << text;
}

// n branches, each with a literal of its own and one that all share.
std::string many_regions(int n) {
  std::string text =
      "func.func @main(%x0: tensor<f32>, %p: tensor<i1>) -> tensor<f32> {\n  %c = stablehlo.constant dense<7.0> : "
      "tensor<f32>\n";
  for (int i = 0; i < n; ++i) {
    const std::string now = std::to_string(i), next = std::to_string(i + 1);
    text += "  %x" + next + " = \"stablehlo.if\"(%p) ({\n    %c" + now + " = stablehlo.constant dense<" + now +
            ".5> : tensor<f32>\n    %m" + now + " = stablehlo.multiply %x" + now + ", %c" + now +
            " : tensor<f32>\n    %a" + now + " = stablehlo.add %m" + now +
            ", %c : tensor<f32>\n    stablehlo.return %a" + now + " : tensor<f32>\n  }, {\n    stablehlo.return %x" +
            now + " : tensor<f32>\n  }) : (tensor<i1>) -> tensor<f32>\n";
  }
  return text + "  return %x" + std::to_string(n) + " : tensor<f32>\n}\n";
}

// One branch that captures n values.
std::string many_captures(int n) {
  std::string text = "func.func @main(%x0: tensor<f32>, %p: tensor<i1>) -> tensor<f32> {\n", sum;
  for (int i = 0; i < n; ++i) {
    const std::string now = std::to_string(i), next = std::to_string(i + 1);
    text += "  %x" + next + " = stablehlo.sine %x" + now + " : tensor<f32>\n";
    sum += "    %s" + next + " = stablehlo.add %s" + now + ", %x" + next + " : tensor<f32>\n";
  }
  return text + "  %y = \"stablehlo.if\"(%p) ({\n    %s0 = stablehlo.add %x0, %x0 : tensor<f32>\n" + sum +
         "    stablehlo.return %s" + std::to_string(n) +
         " : tensor<f32>\n  }, {\n    stablehlo.return %x0 : tensor<f32>\n  }) : (tensor<i1>) -> tensor<f32>\n  return "
         "%y "
         ": tensor<f32>\n}\n";
}

// How many times as much work the program of 16 n is as that of n, to read and to print in both forms. The processor's
// time, so that nothing else on the machine counts: 16 or somewhat more, for memory is slower the more of it there is;
// 256 if the work were quadratic.
double growth(std::string (*program)(int), int n) {
  const auto ticks = [&](int size) {
    const std::string text = program(size);
    std::clock_t least = std::numeric_limits<std::clock_t>::max();
    for (int round = 0; round < 3; ++round) {
      const std::clock_t begin = std::clock();
      const Function f = import(text);
      const std::size_t length = print(f, Form::kPretty).size() + print(f, Form::kGeneric).size();
      least = std::min(least, std::clock() - begin);
      EXPECT_GT(length, text.size());
    }
    return static_cast<double>(std::max<std::clock_t>(least, 1));
  };
  const double small = ticks(n);
  return ticks(16 * n) / small;
}

TEST(print, work_is_in_proportion_to_regions_literals_and_captured_values) {
  EXPECT_LT(growth(many_regions, 1000), 40);
  EXPECT_LT(growth(many_captures, 4000), 40);
}

TEST(print, literals_come_back_bit_for_bit) {
  for (const float v :
       {0.1f, -0.0f, 1e-45f, 3.4028235e38f, std::numeric_limits<float>::infinity(), std::nanf("5"), 1e10f}) {
    const std::string text = print([&](const Array& x) { return lax::multiply(x, v); }, Form::kPretty, np::ones({2}));
    const Jaxpr back = import(text).jaxpr();
    float got = 0;
    std::memcpy(&got, back.literal(back.operands(back.eqns()[0])[1]).value.data(), sizeof got);
    EXPECT_EQ(std::memcmp(&got, &v, sizeof v), 0) << text;
  }
}

// Calls of this process mean nothing to whoever reads the text, and a check has no place in a compiled program.
TEST(print, callbacks_and_checks_are_refused_with_their_line) {
  const auto refusal = [](auto&& f) {
    try {
      print(make_jaxpr(f)(1.0f), Form::kPretty);
    } catch (const ValueError& e) {
      EXPECT_TRUE(e.location());
      return e.message();
    }
    return std::string("nothing was thrown");
  };
  const std::string must = "stablehlo: a program that is written as text must not call functions of this process; got ";
  EXPECT_EQ(refusal([](Array x) { return debug::print("x = {}", x), x; }), must + "debug_print of x = {}.");
  EXPECT_EQ(
      refusal([](Array x) { return pure_callback([](Array v) { return v; }, abstract(f32, {}), {.name = "host"})(x); }),
      must + "pure_callback of host.");
  EXPECT_EQ(refusal([](Array x) { return checkify::check(x > 0, "positive"), x; }),
            "check: in a program that is compiled, a check must have been made a value by checkify; got one that was "
            "not.");
}

}  // namespace
}  // namespace weft::stablehlo

// Samples of random bits, of identities and of calls of programs.
#include "samples/sample.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/checks.h"
#include "weft/ir/parse.h"

namespace weft::testing {

namespace {

constexpr double kMax32 = 4294967295.0;

// Known answers are those published with the Random123 library.
void add_threefry(std::vector<Sample>& out) {
  const auto known = [&](std::string name, std::vector<double> k, std::vector<double> x, double first) {
    out.push_back({.name = "threefry2x32_" + name,
                   .op = OpCode::kThreefry2x32,
                   .operands = {{u32, {}, 0, 0, {k[0]}},
                                {u32, {}, 0, 0, {k[1]}},
                                {u32, {1}, 0, 0, {x[0]}},
                                {u32, {1}, 0, 0, {x[1]}}},
                   .expected = {first},
                   .tolerance = 0});
  };
  known("of_zeros", {0, 0}, {0, 0}, 0x6b200159);
  known("of_ones", {kMax32, kMax32}, {kMax32, kMax32}, 0x1cb996fc);
  known("of_digits_of_pi", {0x13198a2e, 0x03707344}, {0x243f6a88, 0x85a308d3}, 0xc4923a9c);
  const SampleOperand key{u32, {}, 0, kMax32}, keys{u32, {2, 3}, 0, kMax32};
  out.push_back({.name = "threefry2x32_one_key", .op = OpCode::kThreefry2x32, .operands = {key, key, keys, keys}});
  out.push_back({.name = "threefry2x32_a_key_each", .op = OpCode::kThreefry2x32, .operands = {keys, keys, keys, keys}});
  out.push_back({.name = "threefry2x32_mixed_keys", .op = OpCode::kThreefry2x32, .operands = {key, keys, keys, keys}});
  const SampleOperand none{u32, {0}};
  out.push_back({.name = "threefry2x32_of_nothing", .op = OpCode::kThreefry2x32, .operands = {key, key, none, none}});
}

void add_identities(std::vector<Sample>& out) {
  out.push_back({.name = "optimization_barrier_one",
                 .op = OpCode::kOptimizationBarrier,
                 .operands = {{f64, {2, 3}}},
                 .smooth_in = {0}});
  out.push_back({.name = "optimization_barrier_many",
                 .op = OpCode::kOptimizationBarrier,
                 .operands = {{f64, {2, 3}}, {i32, {4}, -9, 9}, {c128, {}}, {f32, {2, 0}}},
                 .smooth_in = {0, 2}});
  for (const DType t : {f64, i32, boolean})
    out.push_back(
        {.name = "stop_gradient_" + std::string(name(t)), .op = OpCode::kStopGradient, .operands = {{t, {2, 3}}}});
  const auto named = [&](std::string name, SampleOperand operand, std::vector<int> smooth_in,
                         std::vector<double> expected = {}) {
    out.push_back({.name = "checkpoint_name_" + name,
                   .op = OpCode::kCheckpointName,
                   .params = ir::make_params(CheckpointNameParams{"layer/" + name}),
                   .operands = {std::move(operand)},
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected)});
  };
  named("of_floats", {f64, {2, 3}}, {0});
  named("of_complex", {c128, {2}}, {0});
  for (const DType t : {f16, f32, f64, c64, c128})
    out.push_back({.name = "check_finite_" + std::string(name(t)),
                   .op = OpCode::kCheckFinite,
                   .params = ir::make_params(CheckFiniteParams{"sin", CheckPass::kForward, true, true, {}}),
                   .operands = {{t, {2, 3}}},
                   .smooth_in = t == f64 || t == c128 ? std::vector<int>{0} : std::vector<int>{}});
  for (const CheckPass pass : {CheckPass::kTangent, CheckPass::kBackward, CheckPass::kWaiting})
    out.push_back({.name = "check_finite_" + std::string(enum_names(pass)[static_cast<std::size_t>(pass)]),
                   .op = OpCode::kCheckFinite,
                   .params = ir::make_params(CheckFiniteParams{"sin", pass, true, false, {{1, "i"}, {0, ""}}}),
                   .operands = {{f64, {2, 3}, 0, 0, {1, 2, 3, 4, 5, 6}}},
                   .smooth_in = {0},
                   .expected = {1, 2, 3, 4, 5, 6}});
  out.push_back({.name = "check_finite_where",
                 .op = OpCode::kCheckFinite,
                 .params = ir::make_params(CheckFiniteParams{"sin", CheckPass::kForward, true, true, {{1, "i"}}}),
                 .operands = {{f64, {2, 3}, 0, 0, {1, 2, 3, 4, 5, 6}}, {boolean, {2, 3}, 0, 0, {1, 0, 1, 1, 0, 0}}},
                 .smooth_in = {0},
                 .expected = {1, 2, 3, 4, 5, 6}});
  out.push_back({.name = "check_index_where",
                 .op = OpCode::kCheckIndex,
                 .params = ir::make_params(CheckIndexParams{"gather", 1, {0, 1}, {3, 9}, {1, 1}, {}}),
                 .operands = {{i32, {2, 2}, 0, 0, {0, 8, 2, 3}}, {boolean, {2, 2}, 0, 0, {1, 1, 1, 0}}},
                 .expected = {0, 8, 2, 3}});
  const auto index = [&](std::string name, std::int64_t components, Dims sizes, SampleOperand operand,
                         std::vector<double> expected) {
    const Dims ones(sizes.size(), 1);
    Dims axes;
    for (std::size_t i = 0; i < sizes.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
    out.push_back({.name = "check_index_" + name,
                   .op = OpCode::kCheckIndex,
                   .params = ir::make_params(CheckIndexParams{"gather", components, axes, sizes, ones, {}}),
                   .operands = {std::move(operand)},
                   .expected = std::move(expected)});
  };
  index("of_vectors", 1, {3, 9}, {i32, {2, 2}, 0, 0, {0, 8, 2, 3}}, {0, 8, 2, 3});
  index("of_unsigned", -1, {200}, {u8, {2}, 0, 0, {199, 0}}, {199, 0});
  named("of_integers", {i32, {3}, 0, 0, {4, -5, 6}}, {}, {4, -5, 6});
  for (const OpCode op : {OpCode::kStopGradient, OpCode::kOptimizationBarrier})
    out.push_back({.name = std::string(ir::op_name(op)) + "_known",
                   .op = op,
                   .operands = {{i32, {3}, 0, 0, {4, -5, 6}}},
                   .expected = {4, -5, 6}});
}

void add_call(std::vector<Sample>& out) {
  const auto add = [&](std::string name, std::string_view program, std::vector<SampleOperand> operands,
                       std::vector<int> smooth_in) {
    out.push_back({.name = "call_" + name,
                   .op = OpCode::kCall,
                   .params = ir::make_params(CallParams{name, ir::parse(program)}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in)});
  };
  add("chain", R"({ lambda ; a:f64[3] b:f64[3]. let
    c:f64[3] = mul a b
    d:f64[3] = sin c
    e:f64[3] = add d 0.5:f64[3]
  in (e, a, c) })",
      {{f64, {3}}, {f64, {3}}}, {0, 1});
  add("product", R"({ lambda ; a:f64[2,3] b:f64[3]. let
    c:f64[2] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=float64] a b
    d:f64[2] = tanh c
    e:f64[] = reduce_sum[axes=(0,)] d
  in (e,) })",
      {{f64, {2, 3}}, {f64, {3}}}, {0, 1});
  add("integers_beside", R"({ lambda ; a:f64[3] b:i32[3]. let
    c:i32[3] = mul b 2:i32[3]
    d:f64[3] = square a
  in (d, c, b) })",
      {{f64, {3}}, {i32, {3}, -9, 9}}, {0});
  add("constant", "{ lambda ; a:f64[3]. let  in (1.5:f64[2],) }", {{f64, {3}}}, {0});
  add("unused_input", R"({ lambda ; a:f64[3] b:f64[2]. let
    c:f64[3] = exp a
  in (c,) })",
      {{f64, {3}}, {f64, {2}}}, {0, 1});
}

}  // namespace

std::vector<Sample> other_samples() {
  std::vector<Sample> out;
  add_threefry(out);
  add_identities(out);
  add_call(out);
  return out;
}

}  // namespace weft::testing

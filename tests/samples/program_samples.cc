// Samples of operations that carry programs, and of collectives as a process alone runs them. What needs several
// processes, or a host, is in tests/ops/collectives_test.cc.
#include "samples/sample.h"
#include "weft/core/custom_call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/collectives.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/parse.h"
#include "weft/ir/programs.h"
#include "weft/ops/lax.h"

namespace weft::testing {

namespace {

// ---- functions with rules of their own ----

void add_custom(std::vector<Sample>& out) {
  const auto add = [&](std::string name, OpCode op, ir::Params params, std::vector<SampleOperand> operands,
                       std::vector<int> smooth_in, std::vector<double> expected) {
    out.push_back({.name = std::move(name),
                   .op = op,
                   .params = std::move(params),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected)});
  };
  // a is captured: rules give no derivative by it.
  const ir::Jaxpr sine = ir::parse(R"({ lambda a:f64[]; b:f64[3]. let
    c:f64[3] = sin b
    d:f64[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3,)] a
    e:f64[3] = mul c d
  in (e,) })");
  const ir::Jaxpr sine_jvp = ir::parse(R"({ lambda a:f64[]; b:f64[3] c:f64[3]. let
    d:f64[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3,)] a
    e:f64[3] = sin b
    f:f64[3] = mul e d
    g:f64[3] = cos b
    h:f64[3] = mul g d
    i:f64[3] = mul h c
  in (f, i) })");
  add("custom_jvp_call_with_capture", OpCode::kCustomJvpCall,
      ir::make_params(CustomJvpCallParams{"scaled_sine", sine, ir::Rule(sine_jvp)}), {{f64, {}}, {f64, {3}}}, {1}, {});
  add("custom_jvp_call_with_integers", OpCode::kCustomJvpCall,
      ir::make_params(CustomJvpCallParams{"times", ir::parse(R"({ lambda ; a:f64[2] b:i32[2]. let
    c:f64[2] = convert_element_type[new_dtype=float64] b
    d:f64[2] = mul a c
    e:i32[2] = add b 1:i32[2]
  in (d, e) })"),
                                          ir::Rule(ir::parse(R"({ lambda ; a:f64[2] b:i32[2] c:f64[2]. let
    d:f64[2] = convert_element_type[new_dtype=float64] b
    e:f64[2] = mul a d
    f:i32[2] = add b 1:i32[2]
    g:f64[2] = mul c d
  in (e, f, g) })"))}),
      {{f64, {2}, 0, 0, {1.5, 2}}, {i32, {2}, 0, 0, {2, 3}}}, {0}, {3, 6});
  const ir::Jaxpr product = ir::parse("{ lambda ; a:f64[2] b:f64[2]. let c:f64[2] = mul a b in (c,) }");
  const ir::Rule fwd(ir::parse("{ lambda ; a:f64[2] b:f64[2]. let c:f64[2] = mul a b in (c, a, b) }"));
  const ir::Rule bwd(ir::parse(R"({ lambda ; a:f64[2] b:f64[2] c:f64[2]. let
    d:f64[2] = mul b c
    e:f64[2] = mul a c
  in (d, e) })"));
  add("custom_vjp_call_of_product", OpCode::kCustomVjpCall,
      ir::make_params(CustomVjpCallParams{"product", product, fwd, bwd,
                                          ir::Rule(ir::parse(R"({ lambda ; a:f64[2] b:f64[2] c:f64[2] d:f64[2]. let
    e:f64[2] = mul a b
    f:f64[2] = mul b c
    g:f64[2] = mul a d
    h:f64[2] = add f g
  in (e, h) })"))}),
      {{f64, {2}, 0, 0, {2, 3}}, {f64, {2}, 0, 0, {5, 0.5}}}, {0, 1}, {10, 1.5});
  // Residuals twice: as bwd gets them, and as the arguments of jvp.
  add("custom_vjp_tangent_of_product", OpCode::kCustomVjpTangent,
      ir::make_params(CustomVjpTangentParams{"product",
                                             0,
                                             2,
                                             2,
                                             {Aval(f64, Dims{2})},
                                             bwd,
                                             ir::Rule(ir::parse(R"({ lambda ; a:f64[2] b:f64[2] c:f64[2] d:f64[2]. let
    e:f64[2] = mul b c
    f:f64[2] = mul a d
    g:f64[2] = add e f
  in (g,) })"))}),
      {{f64, {2}, 0, 0, {2, 3}},
       {f64, {2}, 0, 0, {5, 0.5}},
       {f64, {2}, 0, 0, {2, 3}},
       {f64, {2}, 0, 0, {5, 0.5}},
       {f64, {2}, 0, 0, {1, -1}},
       {f64, {2}, 0, 0, {0.5, 2}}},
      {2, 3}, {6, 5.5});
  add("custom_vmap_call_of_product", OpCode::kCustomVmapCall,
      ir::make_params(CustomVmapCallParams{"product", product, ir::Rule()}), {{f64, {2}}, {f64, {2}}}, {0, 1}, {});
  const ir::Jaxpr quotient = ir::parse("{ lambda a:f64[3]; b:f64[3]. let c:f64[3] = div b a in (c,) }");
  add("custom_linear_solve_of_diagonal", OpCode::kCustomLinearSolve,
      ir::make_params(CustomLinearSolveParams{
          ir::parse("{ lambda a:f64[3]; b:f64[3]. let c:f64[3] = mul a b in (c,) }"), quotient, ir::Rule(quotient)}),
      {{f64, {3}, 0.5, 1.5, {2, 4, 5}}, {f64, {3}, -2, 2, {1, 2, 10}}}, {0, 1}, {0.5, 0.5, 2});
  // (a u + v, v) = (b, c).
  add("custom_linear_solve_of_two", OpCode::kCustomLinearSolve,
      ir::make_params(CustomLinearSolveParams{ir::parse(R"({ lambda a:f64[2]; u:f64[2] v:f64[2]. let
    b:f64[2] = mul a u
    c:f64[2] = add b v
  in (c, v) })"),
                                              ir::parse(R"({ lambda a:f64[2]; b:f64[2] c:f64[2]. let
    d:f64[2] = sub b c
    e:f64[2] = div d a
  in (e, c) })"),
                                              ir::Rule(ir::parse(R"({ lambda a:f64[2]; b:f64[2] c:f64[2]. let
    d:f64[2] = div b a
    e:f64[2] = sub c d
  in (d, e) })"))}),
      {{f64, {2}, 0.5, 1.5, {2, 4}}, {f64, {2}, -2, 2, {5, 6}}, {f64, {2}, -2, 2, {1, 2}}}, {0, 1, 2}, {2, 1});
}

// ---- case, while, composite ----

void add_case(std::vector<Sample>& out) {
  const ir::Jaxpr sines = ir::parse(R"({ lambda ; a:f64[3] b:f64[]. let
    c:f64[3] = sin a
    d:f64[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3,)] b
    e:f64[3] = mul c d
  in (e, b) })");
  const ir::Jaxpr squares = ir::parse(R"({ lambda ; a:f64[3] b:f64[]. let
    c:f64[3] = square a
  in (c, 2.5:f64[]) })");
  const ir::Jaxpr constants = ir::parse("{ lambda ; a:f64[3] b:f64[]. let  in (1.5:f64[3], b) }");
  const auto add = [&](std::string name, std::vector<ir::Jaxpr> branches, SampleOperand index,
                       std::vector<double> expected = {}) {
    std::vector<SampleOperand> operands{index, {f64, {3}, 0.5, 1.5}, {f64, {}, 0.5, 1.5}};
    if (!expected.empty()) operands[1].values = {1, 2, 3};
    out.push_back({.name = "case_" + name,
                   .op = OpCode::kCase,
                   .params = ir::make_params(CaseParams{std::move(branches)}),
                   .operands = std::move(operands),
                   .smooth_in = {1, 2},
                   .expected = std::move(expected)});
  };
  add("of_three", {sines, squares, constants}, {i32, {}, 0, 0, {0, 1, 2}});
  add("out_of_range", {sines, constants, squares}, {i32, {}, 0, 0, {7, -1, 0}}, {1, 4, 9});
  add("of_bool", {sines, squares}, {boolean, {}, 0, 0, {1, 0}}, {1, 4, 9});
  add("of_one_branch", {sines}, {i32, {}, 0, 0, {3}});
  out.push_back({.name = "case_of_integers",
                 .op = OpCode::kCase,
                 .params = ir::make_params(CaseParams{{ir::parse("{ lambda ; a:i32[2,0] b:i32[]. let  in (b, a) }"),
                                                       ir::parse(R"({ lambda ; a:i32[2,0] b:i32[]. let
    c:i32[] = mul b b
  in (c, a) })")}}),
                 .operands = {{i32, {}, 0, 0, {1, 0}}, {i32, {2, 0}}, {i32, {}, 0, 0, {5}}},
                 .expected = {25}});
}

void add_while(std::vector<Sample>& out) {
  const auto add = [&](std::string name, std::string_view cond, std::string_view body,
                       std::vector<SampleOperand> operands, std::vector<double> expected, std::size_t known,
                       std::optional<std::int64_t> max_steps = {}, std::vector<int> smooth_in = {}) {
    out.push_back({.name = "while_" + name,
                   .op = OpCode::kWhile,
                   .params = ir::make_params(WhileParams{ir::parse(cond), ir::parse(body), max_steps}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected),
                   .known_result = known});
  };
  add("counted", "{ lambda ; a:i32[] b:f64[3]. let c:bool[] = lt a 4:i32[] in (c,) }",
      R"({ lambda ; a:i32[] b:f64[3]. let
    c:i32[] = add a 1:i32[]
    d:f64[3] = mul b b
    e:f64[3] = mul d 0.5:f64[3]
  in (c, e) })",
      {{i32, {}, 0, 0, {1, 0, 3}}, {f64, {3}, 0, 0, {1, 2, 4}}}, {1.0 / 128, 2, 512}, 1);
  add("with_captures", "{ lambda a:f64[]; b:f64[2]. let c:f64[] = reduce_sum[axes=(0,)] b; d:bool[] = lt c a in (d,) }",
      R"({ lambda a:f64[2] b:i32[]; c:f64[2]. let
    d:f64[2] = add c a
  in (d,) })",
      {{f64, {}, 0, 0, {10, 4}}, {f64, {2}, 0, 0, {1, 2}}, {i32, {}, 0, 5}, {f64, {2}, 0, 0, {0, 0.5}}}, {4, 8.5}, 0);
  add("that_never_runs", "{ lambda ; a:f32[2,0]. let  in (False:bool[],) }", "{ lambda ; a:f32[2,0]. let  in (a,) }",
      {{f32, {2, 0}}}, {}, 0);
  add("that_swaps", "{ lambda ; a:i32[] b:i32[] c:i32[]. let d:bool[] = gt c 0:i32[] in (d,) }",
      R"({ lambda ; a:i32[] b:i32[] c:i32[]. let
    d:i32[] = sub c 1:i32[]
  in (b, a, d) })",
      {{i32, {}, 0, 0, {10}}, {i32, {}, 0, 0, {20}}, {i32, {}, 0, 0, {3, 2}}}, {20}, 0);
  // With a bound there is reverse mode. The values decide when to stop; examples take 4, 2 and 5 steps.
  const std::string_view below = R"({ lambda a:i32[]; b:i32[] c:f64[2] d:f64[]. let
    e:bool[] = lt b a
    f:f64[] = reduce_sum[axes=(0,)] c
    g:bool[] = lt f 1000.0:f64[]
    h:bool[] = and e g
  in (h,) })";
  const std::string_view grow = R"({ lambda a:f64[2]; b:i32[] c:f64[2] d:f64[]. let
    e:i32[] = add b 1:i32[]
    f:f64[2] = sin c
    g:f64[2] = mul f a
    h:f64[2] = add c g
    i:f64[] = reduce_sum[axes=(0,)] h
    j:f64[] = mul d i
  in (e, h, j) })";
  const std::vector<SampleOperand> operands{
      {i32, {}, 0, 0, {6}}, {f64, {2}, 0.1, 0.3}, {i32, {}, 0, 0, {2, 4, 1}}, {f64, {2}, 0.5, 1}, {f64, {}, 0.5, 1}};
  add("bounded", below, grow, operands, {}, 0, 7, {1, 3, 4});
  add("bounded_exactly", below, grow, operands, {}, 0, 5, {1, 3, 4});
  add("bounded_that_never_runs", below, grow,
      {{i32, {}, 0, 0, {0}}, {f64, {2}}, {i32, {}, 0, 0, {2}}, {f64, {2}}, {f64, {}}}, {2}, 0, 0, {1, 3, 4});
}

// ---- checkpoint ----

void add_checkpoint(std::vector<Sample>& out) {
  const auto add = [&](std::string name, std::string_view program, CheckpointPolicy policy, bool differentiated,
                       std::vector<SampleOperand> operands, std::vector<int> smooth_in) {
    out.push_back({.name = "checkpoint_" + name,
                   .op = OpCode::kCheckpoint,
                   .params = ir::make_params(CheckpointParams{ir::parse(program), std::move(policy), differentiated}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in)});
  };
  const std::string_view program = R"({ lambda ; a:f64[2,3] b:f64[3]. let
    c:f64[2] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=float64] a b
    d:f64[2] = name[name=hidden] c
    e:f64[2] = sin d
    f:f64[2] = name[name=out] e
    g:f64[2] = mul f e
  in (g, b) })";
  using Kind = SaveRuleKind;
  const std::vector<SampleOperand> operands{{f64, {2, 3}}, {f64, {3}}};
  add("of_nothing_kept", program, {}, false, operands, {0, 1});
  add("of_everything_kept", program, {Kind::kEverythingSaveable}, false, operands, {0, 1});
  add("of_dots_kept", program, {Kind::kDotsSaveable}, false, operands, {0, 1});
  add("of_names_kept", program, {Kind::kSaveOnlyTheseNames, {"hidden", "a name"}}, false, operands, {0, 1});
  add("of_names_not_kept", program,
      CheckpointPolicy(Kind::kSaveAnythingExceptTheseNames, {"out"}) | CheckpointPolicy(Kind::kSaveAnyNamesButThese),
      true, operands, {0, 1});
  add("of_integers_beside", R"({ lambda ; a:f64[3] b:i32[3]. let
    c:i32[3] = mul b 2:i32[3]
    d:f64[3] = square a
    e:f64[3] = exp d
  in (e, c, b, 1.5:f64[]) })",
      {}, true, {{f64, {3}}, {i32, {3}, -9, 9}}, {0});
  add("in_checkpoint", R"({ lambda ; a:f64[3]. let
    b:f64[3] = sin a
    c:f64[3] = checkpoint[
      jaxpr={ lambda ; d:f64[3]. let e:f64[3] = sin d; f:f64[3] = tanh e in (f,) }
      policy=nothing_saveable
      differentiated=False
    ] b
    g:f64[3] = exp c
  in (g,) })",
      {Kind::kDotsWithNoBatchDimsSaveable}, false, {{f64, {3}}}, {0});
}

void add_scan(std::vector<Sample>& out) {
  const auto add = [&](std::string name, std::string_view body, std::int64_t length, std::int64_t num_carry,
                       bool reverse, std::vector<SampleOperand> operands, std::vector<int> smooth_in,
                       std::vector<double> expected = {}, std::size_t known = 0) {
    out.push_back({.name = "scan_" + name,
                   .op = OpCode::kScan,
                   .params = ir::make_params(ScanParams{ir::parse(body), length, num_carry, reverse}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected),
                   .known_result = known});
  };
  // A captured value, a carry, slices; the constant part sin(a) is the same in every step.
  const std::string_view recurrence = R"({ lambda a:f64[2]; b:f64[2] c:f64[2]. let
    d:f64[2] = sin a
    e:f64[2] = mul b d
    f:f64[2] = cos c
    g:f64[2] = add e f
    h:f64[2] = mul g c
  in (g, h) })";
  add("recurrence", recurrence, 4, 1, false, {{f64, {2}, 0.5, 1.5}, {f64, {2}}, {f64, {4, 2}}}, {0, 1, 2});
  add("backwards", recurrence, 3, 1, true, {{f64, {2}, 0.5, 1.5}, {f64, {2}}, {f64, {3, 2}}}, {0, 1, 2});
  add("of_one_step", recurrence, 1, 1, false, {{f64, {2}, 0.5, 1.5}, {f64, {2}}, {f64, {1, 2}}}, {0, 1, 2});
  add("of_no_step", recurrence, 0, 1, false, {{f64, {2}, 0.5, 1.5}, {f64, {2}}, {f64, {0, 2}}}, {0, 1, 2});
  add("sums", "{ lambda ; a:i32[] b:i32[]. let c:i32[] = add a b in (c, c) }", 4, 1, false,
      {{i32, {}, 0, 0, {10}}, {i32, {4}, 0, 0, {1, 2, 3, 4}}}, {}, {11, 13, 16, 20}, 1);
  add("sums_from_the_end", "{ lambda ; a:i32[] b:i32[]. let c:i32[] = add a b in (c, c) }", 4, 1, true,
      {{i32, {}, 0, 0, {10}}, {i32, {4}, 0, 0, {1, 2, 3, 4}}}, {}, {20, 19, 17, 14}, 1);
  // A counter beside the state, and a value that only becomes differentiable on the way.
  add("counter", R"({ lambda ; a:i32[] b:f64[] c:f64[] d:f64[]. let
    e:i32[] = add a 1:i32[]
    f:f64[] = convert_element_type[new_dtype=float64] a
    g:f64[] = mul b f
    h:f64[] = mul d d
    i:f64[] = add g h
  in (e, i, b, c) })",
      3, 3, false, {{i32, {}, 0, 0, {1}}, {f64, {}}, {f64, {}}, {f64, {3}}}, {1, 3});
  add("without_slices", "{ lambda ; a:f64[3]. let b:f64[3] = sin a in (b,) }", 5, 1, false, {{f64, {3}}}, {0});
  add("without_carry", "{ lambda ; a:f64[2] b:f64[]. let c:f64[2] = mul a a; d:f64[] = exp b in (d, c) }", 3, 0, false,
      {{f64, {3, 2}}, {f64, {3}}}, {0, 1});
}

void add_composite(std::vector<Sample>& out) {
  out.push_back({.name = "composite_chain",
                 .op = OpCode::kComposite,
                 .params = ir::make_params(CompositeParams{"my.scaled_sine", 1, "{scale = 2.0 : f64}",
                                                           ir::parse(R"({ lambda ; a:f64[3] b:i32[]. let
    c:f64[3] = sin a
    d:f64[3] = mul c 2.0:f64[3]
  in (d, b) })")}),
                 .operands = {{f64, {3}}, {i32, {}, 0, 9}},
                 .smooth_in = {0}});
}

// ---- custom_call ----

// z = x y elementwise, in f64, with a derivative; and the sum of squares, without one.
void register_functions() {
  static const bool once = [] {
    register_custom_call(
        "weft.test.product",
        {.eval =
             [](const CustomCallParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
               for (std::int64_t i = 0; i < out[0].size(); ++i)
                 out[0].as<double>()[i] = in[0].as<double>()[i] * in[1].as<double>()[i];
             },
         .jvp =
             [](const Call& call, std::span<const Array> t, Arrays& outs, Arrays& out_tangents) {
               bind(call.op, call.params, call.args, outs);
               Array sum;
               for (std::size_t i = 0; i < 2; ++i) {
                 if (!t[i].defined()) continue;
                 const Array term = lax::multiply(t[i], call.args[1 - i]);
                 sum = sum.defined() ? lax::add(sum, term) : term;
               }
               out_tangents.push_back(sum);
             }});
    register_custom_call(
        "weft.test.sum_of_squares",
        {.eval = [](const CustomCallParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
          std::int32_t sum = 0;
          for (std::int64_t i = 0; i < in[0].size(); ++i)
            sum += in[0].as<std::int32_t>()[i] * in[0].as<std::int32_t>()[i];
          *out[0].as<std::int32_t>() = sum;
        }});
    return true;
  }();
  (void)once;
}

void add_custom_call(std::vector<Sample>& out) {
  register_functions();
  out.push_back({.name = "custom_call_with_derivative",
                 .op = OpCode::kCustomCall,
                 .params = ir::make_params(
                     CustomCallParams{"weft.test.product", false, "a \"config\"", 4, {Aval(f64, Dims{2, 3})}}),
                 .operands = {{f64, {2, 3}}, {f64, {2, 3}}},
                 .smooth_in = {0, 1}});
  out.push_back({.name = "custom_call_without_derivative",
                 .op = OpCode::kCustomCall,
                 .params = ir::make_params(CustomCallParams{"weft.test.sum_of_squares", true, "", 1, {Aval(i32, {})}}),
                 .operands = {{i32, {3}, 0, 0, {1, 2, 3, 4}}},
                 .expected = {14}});
}

// ---- reductions ----

// a o b = a + b + s a b, which is associative for every s.
constexpr std::string_view kCircle = R"({ lambda s:f64[]; a:f64[] b:f64[]. let
    c:f64[] = mul a b
    d:f64[] = mul s c
    e:f64[] = add a b
    f:f64[] = add e d
  in (f,) })";
// (a, b) o (c, d) = (a c, c b + d): affine functions one after the other. Not commutative.
constexpr std::string_view kAffine = R"({ lambda ; a:f64[] b:f64[] c:f64[] d:f64[]. let
    e:f64[] = mul a c
    f:f64[] = mul c b
    g:f64[] = add f d
  in (e, g) })";
// Not associative: what is added is squared.
constexpr std::string_view kAddSquare = R"({ lambda ; a:f64[] b:f64[]. let
    c:f64[] = mul b b
    d:f64[] = add a c
  in (d,) })";
// The larger value, and where it is: the first of equal ones.
constexpr std::string_view kArgmax = R"({ lambda ; a:f32[] i:i32[] b:f32[] j:i32[]. let
    c:bool[] = ge a b
    d:f32[] = select c a b
    e:i32[] = select c i j
  in (d, e) })";
constexpr std::string_view kAdd = "{ lambda ; a:i32[] b:i32[]. let c:i32[] = add a b in (c,) }";

void add_reduce(std::vector<Sample>& out) {
  const auto add = [&](std::string name, Dims axes, std::string_view computation, std::vector<SampleOperand> operands,
                       std::vector<int> smooth_in, std::vector<double> expected = {}, std::size_t known = 0) {
    out.push_back({.name = "generic_reduce_" + name,
                   .op = OpCode::kGenericReduce,
                   .params = ir::make_params(GenericReduceParams{axes, ir::parse(computation)}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected),
                   .known_result = known});
  };
  const SampleOperand half{f64, {}, -0.5, 0.5};
  add("with_capture", {1}, kCircle, {half, {f64, {2, 5}, -0.5, 0.5}, half}, {0, 1, 2});
  add("of_all", {1, 0}, kCircle, {half, {f64, {2, 3}, -0.5, 0.5}, half}, {0, 1, 2});
  add("along_nothing", {}, kCircle, {half, {f64, {2, 2}, -0.5, 0.5}, half}, {0, 1, 2});
  add("of_no_elements", {0}, kCircle, {half, {f64, {0, 2}}, half}, {0, 1, 2});
  add("of_scalar", {}, kCircle, {half, half, half}, {0, 1, 2});
  add("in_order", {0}, kAffine, {{f64, {7}, 0.5, 1.5}, {f64, {7}, 0.5, 1.5}, {f64, {}, 0.5, 1.5}, {f64, {}, 0.5, 1.5}},
      {0, 1, 2, 3});
  add("of_squares", {1}, kAddSquare, {{f64, {2, 4}, 0.5, 1.5}, {f64, {}, 0.5, 1.5}}, {0, 1});
  add("argmax", {1}, kArgmax,
      {{f32, {2, 3}, 0, 0, {1, 5, 5, 3, 2, 1}},
       {i32, {2, 3}, 0, 0, {0, 1, 2}},
       {f32, {}, 0, 0, {-100}},
       {i32, {}, 0, 0, {0}}},
      {}, {1, 0}, 1);
  add("in_wider_dtype", {0}, kAdd, {{i8, {3}, 0, 0, {100, 100, 27}}, {i8, {}, 0, 0, {1}}}, {}, {228});
}

void add_reduce_window(std::vector<Sample>& out) {
  const auto add = [&](std::string name, Window window, std::string_view computation,
                       std::vector<SampleOperand> operands, std::vector<int> smooth_in,
                       std::vector<double> expected = {}) {
    out.push_back({.name = "generic_reduce_window_" + name,
                   .op = OpCode::kGenericReduceWindow,
                   .params = ir::make_params(GenericReduceWindowParams{std::move(window), ir::parse(computation)}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected)});
  };
  const SampleOperand half{f64, {}, -0.5, 0.5};
  add("plain", {{2, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, kCircle, {half, {f64, {3, 4}, -0.5, 0.5}, half},
      {0, 1, 2});
  add("of_everything", {{2, 3}, {2, 1}, {2, 1}, {1, 2}, {1, -1}, {0, 3}}, kCircle,
      {half, {f64, {3, 4}, -0.5, 0.5}, half}, {0, 1, 2});
  add("that_does_not_fit", {{3}, {1}, {1}, {1}, {0}, {0}}, kCircle, {half, {f64, {2}}, half}, {0, 1, 2});
  add("in_order", {{3}, {1}, {1}, {1}, {1}, {1}}, kAffine,
      {{f64, {4}, 0.5, 1.5}, {f64, {4}, 0.5, 1.5}, {f64, {}, 0.5, 1.5}, {f64, {}, 0.5, 1.5}}, {0, 1, 2, 3});
  add("of_squares", {{2, 2}, {1, 2}, {1, 1}, {1, 1}, {1, 0}, {0, 1}}, kAddSquare,
      {{f64, {3, 3}, 0.5, 1.5}, {f64, {}, 0.5, 1}}, {0, 1});
  add("known", {{2}, {2}, {1}, {1}, {0}, {1}}, kAdd, {{i32, {3}, 0, 0, {1, 2, 4}}, {i32, {}, 0, 0, {0}}}, {}, {3, 4});
}

// ---- sort ----

void add_sort(std::vector<Sample>& out) {
  const auto add = [&](std::string name, std::int64_t dimension, std::string_view comparator,
                       std::vector<SampleOperand> operands, std::vector<int> smooth_in,
                       std::vector<double> expected = {}, std::size_t known = 0) {
    out.push_back({.name = "generic_sort_" + name,
                   .op = OpCode::kGenericSort,
                   .params = ir::make_params(GenericSortParams{dimension, true, ir::parse(comparator)}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected),
                   .known_result = known});
  };
  add("descending", 1, "{ lambda ; a:f64[] b:f64[] c:f64[] d:f64[]. let e:bool[] = gt a b in (e,) }",
      {{f64, {2, 5}}, {f64, {2, 5}}}, {0, 1});
  add("ties", 0, "{ lambda ; a:i32[] b:i32[] c:i32[] d:i32[]. let e:bool[] = lt a b in (e,) }",
      {{i32, {5}, 0, 0, {2, 1, 2, 1, 0}}, {i32, {5}, 0, 0, {0, 1, 2, 3, 4}}}, {}, {4, 1, 3, 0, 2}, 1);
  add("with_capture", 0, R"({ lambda c:f32[]; a:f32[] b:f32[]. let
    d:f32[] = sub a c
    e:f32[] = sub b c
    f:f32[] = abs d
    g:f32[] = abs e
    h:bool[] = lt f g
  in (h,) })",
      {{f32, {}, 0, 0, {3, 0}}, {f32, {4}, 0, 0, {0, 1, 7, 4}}}, {}, {4, 1, 0, 7});
  add("of_nothing", 0, "{ lambda ; a:f64[] b:f64[]. let c:bool[] = lt a b in (c,) }", {{f64, {0, 2}}}, {0});
  add("by_what_is_no_order", 0, "{ lambda ; a:i32[] b:i32[]. let  in (True:bool[],) }", {{i32, {5}, 0, 9}}, {});
}

// ---- scatter ----

void add_scatter(std::vector<Sample>& out) {
  // y = s y + u, which shows the order of the updates.
  constexpr std::string_view kMultiplyAdd = R"({ lambda s:i32[]; y:i32[] u:i32[]. let
    a:i32[] = mul s y
    b:i32[] = add a u
  in (b,) })";
  out.push_back(
      {.name = "generic_scatter_in_order",
       .op = OpCode::kGenericScatter,
       .params = ir::make_params(GenericScatterParams{{{}, {0}, {}, {}, {0}}, false, ir::parse(kMultiplyAdd)}),
       .operands = {{i32, {}, 0, 0, {10, 2, 3}},
                    {i32, {3}, 0, 0, {1, 2, 3}},
                    {i32, {4, 1}, 0, 0, {0, 2, 0, 3}},
                    {i32, {4}, 0, 0, {4, 5, 6, 7}}},
       .expected = {146, 2, 35}});
  out.push_back(
      {.name = "generic_scatter_of_windows",
       .op = OpCode::kGenericScatter,
       .params = ir::make_params(GenericScatterParams{{{1}, {0}, {}, {}, {0, 1}}, false, ir::parse(kMultiplyAdd)}),
       .operands = {{i32, {}, 0, 0, {10}},
                    {i32, {2, 3}, 0, 0, {1, 2, 3, 4, 5, 6}},
                    {i32, {2, 2}, 0, 0, {1, 1, 0, 2}},
                    {i32, {2, 2}, 0, 0, {7, 8, 9, 9}}},
       .expected = {1, 2, 39, 4, 57, 68}});
  out.push_back(
      {.name = "generic_scatter_of_two",
       .op = OpCode::kGenericScatter,
       .params = ir::make_params(GenericScatterParams{
           {{}, {1}, {0}, {0}, {1}}, false, ir::parse(R"({ lambda ; x:f32[] y:i32[] u:f32[] v:i32[]. let
    a:bool[] = gt u x
    b:f32[] = max x u
    c:i32[] = select a v y
  in (b, c) })")}),
       .operands = {{f32, {2, 3}}, {i32, {2, 3}, 0, 9}, {i32, {2, 2, 1}, 0, 3}, {f32, {2, 2}}, {i32, {2, 2}, 0, 9}}});
}

void add_smooth_scatter(std::vector<Sample>& out) {
  // y = s sin(y) u, by all of which there are derivatives, whatever met before.
  constexpr std::string_view kSine = R"({ lambda s:f64[]; y:f64[] u:f64[]. let
    a:f64[] = sin y
    b:f64[] = mul s a
    c:f64[] = mul b u
  in (c,) })";
  const auto add = [&](std::string name, ScatterDimensionNumbers numbers, bool unique, SampleOperand x,
                       SampleOperand indices, SampleOperand updates) {
    out.push_back({.name = "generic_scatter_" + name,
                   .op = OpCode::kGenericScatter,
                   .params = ir::make_params(GenericScatterParams{std::move(numbers), unique, ir::parse(kSine)}),
                   .operands = {{f64, {}, 0.5, 1.5}, std::move(x), std::move(indices), std::move(updates)},
                   .smooth_in = {0, 1, 3}});
  };
  add("of_sines_that_meet", {{}, {0}, {}, {}, {0}}, false, {f64, {3}}, {i32, {5, 1}, 0, 0, {0, 2, 0, 3, -1}},
      {f64, {5}});
  add("of_sines_apart", {{}, {0}, {}, {}, {0}}, true, {f64, {4}}, {i32, {4, 1}, 0, 0, {2, 0, 7, 3}}, {f64, {4}});
  // The window's axis before that of the index vectors; windows meet, and one is partly outside.
  add("of_windows_of_sines", {{0}, {}, {}, {}, {0}}, false, {f64, {4}}, {i32, {3, 1}, 0, 0, {1, 2, 3}}, {f64, {2, 3}});
  add("of_sines_in_batches", {{1}, {}, {0}, {1}, {1}}, false, {f64, {2, 4}}, {i32, {2, 2, 1}, 0, 0, {0, 1, 1, 2}},
      {f64, {2, 2, 2}});
  add("of_sines_into_nothing", {{}, {0}, {}, {}, {0}}, false, {f64, {0}}, {i32, {2, 1}}, {f64, {2}});
  add("of_no_sines", {{}, {0}, {}, {}, {0}}, false, {f64, {3}}, {i32, {0, 1}}, {f64, {0}});
}

void add_select_and_scatter(std::vector<Sample>& out) {
  constexpr std::string_view kGe = "{ lambda ; a:i32[] b:i32[]. let c:bool[] = ge a b in (c,) }";
  const auto add = [&](std::string name, Window window, std::string_view select, std::string_view scatter,
                       std::vector<SampleOperand> operands, std::vector<double> expected,
                       std::vector<int> smooth_in = {}) {
    out.push_back({.name = "generic_select_and_scatter_" + name,
                   .op = OpCode::kGenericSelectAndScatter,
                   .params = ir::make_params(
                       GenericSelectAndScatterParams{std::move(window), ir::parse(select), ir::parse(scatter)}),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in),
                   .expected = std::move(expected)});
  };
  // The example of the StableHLO specification.
  add("known", {{3, 1}, {2, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 0}}, kGe, kAdd,
      {{i32, {4, 2}, 0, 0, {1, 5, 2, 5, 3, 6, 4, 4}}, {i32, {2, 2}, 0, 0, {5, 6, 7, 8}}, {i32, {}, 0, 0, {0}}},
      {0, 0, 0, 0, 5, 14, 7, 0});
  add("in_order", {{2}, {1}, {1}, {1}, {0}, {0}}, "{ lambda a:i32[]; b:i32[] c:i32[]. let d:bool[] = ge b c in (d,) }",
      R"({ lambda s:i32[]; a:i32[] b:i32[]. let
    c:i32[] = mul s a
    d:i32[] = add c b
  in (d,) })",
      {{i32, {}, 0, 9},
       {i32, {}, 0, 0, {10}},
       {i32, {3}, 0, 0, {1, 3, 2}},
       {i32, {2}, 0, 0, {4, 5}},
       {i32, {}, 0, 0, {1}}},
      {1, 145, 1});
  add("in_padding", {{2}, {2}, {1}, {2}, {1}, {1}}, kGe, kAdd,
      {{i32, {3}, 0, 0, {1, 3, 2}}, {i32, {2}, 0, 0, {4, 5}}, {i32, {}, 0, 0, {1}}}, {});
  // What is scattered multiplies, where windows meet and where they do not; each selects its last element.
  constexpr std::string_view kLast = "{ lambda ; a:f64[] b:f64[]. let  in (False:bool[],) }";
  constexpr std::string_view kProduct = R"({ lambda s:f64[]; a:f64[] b:f64[]. let
    c:f64[] = mul a b
    d:f64[] = mul s c
  in (d,) })";
  const SampleOperand scale{f64, {}, 0.5, 1.5}, init{f64, {}, 0.5, 1.5};
  add("products_that_meet", {{3, 2}, {1, 1}, {1, 1}, {1, 1}, {1, 0}, {1, 0}}, kLast, kProduct,
      {scale, {f64, {3, 3}}, {f64, {3, 2}, 0.5, 1.5}, init}, {}, {0, 1, 2, 3});
  add("products_apart", {{2}, {2}, {1}, {1}, {1}, {1}}, kLast, kProduct,
      {scale, {f64, {4}}, {f64, {3}, 0.5, 1.5}, init}, {}, {0, 1, 2, 3});
  add("greatest", {{2}, {1}, {1}, {1}, {0}, {0}}, "{ lambda ; a:f64[] b:f64[]. let c:bool[] = gt a b in (c,) }",
      "{ lambda ; a:f64[] b:f64[]. let c:f64[] = sub a b in (c,) }",
      {{f64, {4}, 0, 0, {1, 3, 2, 5}}, {f64, {3}}, {f64, {}}}, {}, {0, 1, 2});
}

// ---- processes ----

void add_collectives(std::vector<Sample>& out) {
  const ProcessGroups alone{{{0}}, 0, false}, all{{}, 1, true};
  const auto add = [&](std::string name, OpCode op, ir::Params params, std::vector<SampleOperand> operands,
                       std::vector<int> smooth_in) {
    out.push_back({.name = std::string(ir::op_name(op)) + "_" + name,
                   .op = op,
                   .params = std::move(params),
                   .operands = std::move(operands),
                   .smooth_in = std::move(smooth_in)});
  };
  const SampleOperand x{f64, {2, 3}}, i{i32, {3}, -9, 9};
  const ir::Jaxpr circle =
      ir::parse("{ lambda ; a:f64[] b:f64[]. let c:f64[] = add a b; d:f64[] = mul c 0.5:f64[] in (d,) }");
  const ir::Jaxpr sum = ir::parse("{ lambda ; a:f64[] b:f64[]. let c:f64[] = add a b in (c,) }");
  add("alone", OpCode::kAllGather, ir::make_params(AllGatherParams{1, alone}), {x, {f64, {3, 2}}}, {0, 1});
  add("of_all", OpCode::kAllGather, ir::make_params(AllGatherParams{0, all, 1}), {i}, {});
  add("sum", OpCode::kAllReduce, ir::make_params(AllReduceParams{ReduceKind::kSum, alone, {}}), {x, {f64, {}}}, {0, 1});
  add("max", OpCode::kAllReduce, ir::make_params(AllReduceParams{ReduceKind::kMax, all, {}}), {x, x}, {0, 1});
  add("xor", OpCode::kAllReduce, ir::make_params(AllReduceParams{ReduceKind::kXor, alone, {}}), {i}, {});
  add("computed", OpCode::kAllReduce, ir::make_params(AllReduceParams{ReduceKind::kSum, alone, circle}), {x}, {});
  add("widened", OpCode::kAllReduce, ir::make_params(AllReduceParams{ReduceKind::kSum, alone, sum}), {{f32, {3}}}, {0});
  add("alone", OpCode::kAllToAll, ir::make_params(AllToAllParams{1, 0, 1, alone}), {x, {f64, {1, 2}}}, {0, 1});
  add("alone", OpCode::kCollectiveBroadcast, ir::make_params(CollectiveBroadcastParams{alone}), {x}, {0});
  add("in_no_group", OpCode::kCollectiveBroadcast, ir::make_params(CollectiveBroadcastParams{{{{-1}}, 0, false}}), {x},
      {0});
  add("to_itself", OpCode::kCollectivePermute, ir::make_params(CollectivePermuteParams{{{0, 0}}, 0}), {x}, {0});
  add("from_nowhere", OpCode::kCollectivePermute, ir::make_params(CollectivePermuteParams{{}, 1}), {x}, {0});
  add("sum", OpCode::kCollectiveReduce, ir::make_params(AllReduceParams{ReduceKind::kSum, alone, {}}), {x}, {0});
  add("min", OpCode::kCollectiveReduce, ir::make_params(AllReduceParams{ReduceKind::kMin, alone, {}}), {i}, {});
  add("sum", OpCode::kReduceScatter, ir::make_params(ReduceScatterParams{ReduceKind::kSum, 1, alone, {}, 0}), {x}, {0});
  add("computed", OpCode::kReduceScatter, ir::make_params(ReduceScatterParams{ReduceKind::kSum, 1, alone, circle, 0}),
      {x}, {});
  for (const OpCode op : {OpCode::kPartitionId, OpCode::kReplicaId})
    out.push_back({.name = std::string(ir::op_name(op)) + "_alone", .op = op, .expected = {0}});
  add("to_host", OpCode::kSend, ir::make_params(TransferParams{77, 2, true, {}, {}}), {x, i}, {});
  add("two", OpCode::kOutfeed, ir::make_params(FeedParams{"", {}}), {x, i}, {});
}

}  // namespace

std::vector<Sample> program_samples() {
  std::vector<Sample> out;
  add_case(out);
  add_while(out);
  add_custom(out);
  add_checkpoint(out);
  add_scan(out);
  add_composite(out);
  add_custom_call(out);
  add_reduce(out);
  add_reduce_window(out);
  add_sort(out);
  add_scatter(out);
  add_smooth_scatter(out);
  add_select_and_scatter(out);
  add_collectives(out);
  return out;
}

}  // namespace weft::testing

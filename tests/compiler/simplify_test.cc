// The engine of simplify: literals, equal equations, effects, barriers, places; the time it takes; and programs drawn
// at random, and made by transformations, before and after.
#include <ctime>
#include <functional>

#include "harness/compare_programs.h"
#include "harness/expected_results.h"
#include "harness/random_program.h"
#include "simplify_checks.h"
#include "weft/ir/call.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"
#include "weft/weft.h"

namespace weft::compiler {
namespace {

using namespace testing;

// ---- literals ----

TEST(simplify, operations_on_literals_are_literals) {
  expect_value("x:f32[]", "r:f32[4] = add 1.5:f32[4] 2.0:f32[4]", "3.5:f32[4]");
  expect_value("x:f32[]", "r:bool[2,2] = lt 1:i32[2,2] 2:i32[2,2]", "True:bool[2,2]");
  expect_value("x:f32[]", "r:f32[4] = select True:bool[] 1.0:f32[4] 2.0:f32[4]", "1.0:f32[4]");
  expect_value("x:f32[]", "r:i32[4] = convert_element_type[new_dtype=int32] 2.5:f32[4]", "2:i32[4]");
  expect_value("x:f32[]", "r:f8e4m3fn[2] = add 1.0:f8e4m3fn[2] 0.5:f8e4m3fn[2]", "1.5:f8e4m3fn[2]");
  expect_value("x:f32[]",
               "a:f32[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3,)] 2.0:f32[]; r:f32[3] = mul a a",
               "4.0:f32[3]");
}

TEST(simplify, moving_a_literal_gives_a_literal) {
  for (const std::string equation :
       {"r:f32[6] = reshape[new_sizes=(6,)] 7.0:f32[2,3]", "r:f32[6] = rev[dimensions=(0,)] 7.0:f32[6]",
        "r:f32[6] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(6,)] 7.0:f32[1]",
        "r:f32[6] = slice[limit_indices=(9,) start_indices=(3,) strides=(1,)] 7.0:f32[9]",
        "r:f32[6] = dynamic_slice[slice_sizes=(6,)] 7.0:f32[9] i",
        "r:f32[6] = dynamic_update_slice 7.0:f32[6] 7.0:f32[2] i",
        "r:f32[6] = concatenate[dimension=0] 7.0:f32[2] 7.0:f32[4]",
        "r:f32[6] = pad[low=(1,) high=(2,) interior=(0,)] 7.0:f32[3] 7.0:f32[]",
        "r:f32[6] = reduce_max[axes=(0,)] 7.0:f32[4,6]", "r:f32[6] _:f32[3] = split[axis=0 sizes=(6, 3)] 7.0:f32[9]"})
    expect_value("i:i32[]", equation, "7.0:f32[6]");
  expect_value("i:i32[]", "r:f32[3,2] = transpose[permutation=(1, 0)] 7.0:f32[2,3]", "7.0:f32[3,2]");
  expect_value("i:i32[]", "r:bool[6] = reduce_and[axes=(0,)] True:bool[4,6]", "True:bool[6]");
  expect_value("i:i32[]", "r:f32[6] = reduce_sum[axes=(0,)] 0.0:f32[4,6]", "0.0:f32[6]");
  expect_value("i:i32[]", "r:i32[2,1,3] = iota[dimension=1 dtype=int32 shape=(2, 1, 3)] ", "0:i32[2,1,3]");
  // Of no elements at all, and sums and parities of some, are other numbers.
  for (const std::string equation :
       {"r:f32[6] = reduce_max[axes=(0,)] 7.0:f32[0,6]", "r:f32[6] = reduce_sum[axes=(0,)] 7.0:f32[4,6]",
        "r:f32[6] = reduce_sum[axes=(0,)] -0.0:f32[4,6]", "r:f32[6] = reduce_prod[axes=(0,)] 7.0:f32[4,6]"})
    expect_stays(program("i:i32[]", equation, "r"));
}

TEST(simplify, values_without_elements_are_literals) {
  expect_value("x:f32[0,3]", "r:f32[0,3] = sin x", "0.0:f32[0,3]");
  expect_value("x:f32[2,3]", "r:f32[0,3] = slice[limit_indices=(1, 3) start_indices=(1, 0) strides=(1, 1)] x",
               "0.0:f32[0,3]");
}

// ---- equal equations ----

TEST(simplify, equal_equations_become_one) {
  expect_becomes(program("x:f32[3]", "a:f32[3] = sin x; b:f32[3] = sin x; r:f32[3] = mul a b", "r"),
                 program("x:f32[3]", "a:f32[3] = sin x; r:f32[3] = mul a a", "r"));
  expect_becomes(program("x:f32[3] y:f32[3]", "a:f32[3] = add x y; b:f32[3] = add y x; r:f32[3] = mul a b", "r"),
                 program("x:f32[3] y:f32[3]", "a:f32[3] = add x y; r:f32[3] = mul a a", "r"));
  expect_stays(program("x:f32[3] y:f32[3]", "a:f32[3] = sub x y; b:f32[3] = sub y x; r:f32[3] = mul a b", "r"));
  expect_becomes(
      program("x:f32[2,2]",
              "a:f32[2] = reduce_max[axes=(0,)] x; b:f32[2] = reduce_max[axes=(0,)] x; "
              "c:f32[2] = reduce_max[axes=(1,)] x",
              "a, b, c"),
      program("x:f32[2,2]", "a:f32[2] = reduce_max[axes=(0,)] x; c:f32[2] = reduce_max[axes=(1,)] x", "a, a, c"));
}

TEST(simplify, equations_with_programs_become_one_too) {
  const std::string loop =
      " = scan[jaxpr={ lambda ; a:f32[] b:f32[]. let c:f32[] = mul a b in (c, c) } length=3 num_carry=1 reverse=False] "
      "s x";
  expect_becomes(program("s:f32[] x:f32[3]", "a:f32[] b:f32[3]" + loop + "; c:f32[] d:f32[3]" + loop, "a, b, c, d"),
                 program("s:f32[] x:f32[3]", "a:f32[] b:f32[3]" + loop, "a, b, a, b"));
}

TEST(simplify, effects_stay_in_order) {
  const Jaxpr before = ir::inline_calls(make_jaxpr([](Array x) {
    debug::print("first {}", np::sin(x));
    debug::print("second {}", np::sin(x));
    debug::print("third {}", x * 1.0f);
    return np::sin(x);
  })(1.0f));
  const auto prints = [](const Jaxpr& program) {
    std::vector<const ir::ParamsBase*> r;
    for (const ir::Eqn& e : program.eqns())
      if (e.op == OpCode::kHostCallback) r.push_back(e.params.get());
    return r;
  };
  const Jaxpr after = simplified(before);
  EXPECT_EQ(prints(after), prints(before));
  EXPECT_EQ(after.eqns().size(), 4u) << after.str();
}

TEST(simplify, numbers_drawn_twice_are_two) {
  const std::string drawn = ":f32[3] = rng[rng_distribution=UNIFORM shape=(3,)] x y";
  expect_stays(program("x:f32[] y:f32[]", "a" + drawn + "; b" + drawn, "a, b"));
  expect_stays(program("x:f32[] y:f32[]", "a" + drawn, "x"));
}

TEST(simplify, the_sides_of_a_barrier_stay_apart) {
  expect_stays(program("x:f32[3]", "a:f32[3] = sin x; b:f32[3] = optimization_barrier x; c:f32[3] = sin b", "a, c"));
  expect_stays(program("x:f32[3]", "a:f32[3] = optimization_barrier x; b:f32[3] = optimization_barrier x", "a, b"));
  expect_stays(program("x:f32[3]", "a:f32[3] = optimization_barrier 1.0:f32[3]; b:f32[3] = add a x", "b"));
  // What nobody needs does not pass.
  expect_becomes(program("x:f32[3] y:f32[3]", "a:f32[3] = sin y; b:f32[3] c:f32[3] = optimization_barrier x a", "b"),
                 program("x:f32[3] y:f32[3]", "b:f32[3] = optimization_barrier x", "b"));
}

TEST(simplify, what_only_transformations_ask_about_is_gone) {
  expect_value("x:f32[3]", "a:f32[3] = stop_gradient x; r:f32[3] = name[name=a] a", "x");
}

TEST(simplify, what_nobody_needs_is_gone) {
  expect_becomes(program("x:f32[3] y:f32[3]", "a:f32[3] = sin x; b:f32[3] = cos y; c:f32[3] = exp b", "a"),
                 program("x:f32[3] y:f32[3]", "a:f32[3] = sin x", "a"));
}

TEST(simplify, places_and_scopes_stay) {
  const std::string scope = "layer";
  const SourceLocation here("model.cc", 7);
  ir::JaxprBuilder builder;
  const Aval type(f32, Dims{2, 3});
  const ir::Var x = builder.add_var(type);
  const ir::Atom in[] = {ir::Atom::var(x)};
  const ir::Var y = builder.add_eqn(OpCode::kTranspose, ir::make_params(TransposeParams{Dims{1, 0}}), in,
                                    std::initializer_list<Aval>{Aval(f32, Dims{3, 2})}, SourceLocation("model.cc", 5));
  const ir::Atom between[] = {ir::Atom::var(y)};
  const ir::Var z =
      builder.add_eqn(OpCode::kReshape, ir::make_params(ReshapeParams{Dims{3, 2, 1}}), between,
                      std::initializer_list<Aval>{Aval(f32, Dims{3, 2, 1})}, SourceLocation("model.cc", 6));
  const ir::Atom last[] = {ir::Atom::var(z)};
  const ir::Var w = builder.add_eqn(OpCode::kReshape, ir::make_params(ReshapeParams{Dims{6}}), last,
                                    std::initializer_list<Aval>{Aval(f32, Dims{6})}, here, &scope);
  const ir::Var inputs[] = {x};
  const ir::Atom outputs[] = {ir::Atom::var(w)};
  const Jaxpr after = simplified(builder.build({}, inputs, outputs));
  ASSERT_EQ(after.eqns().size(), 2u);
  EXPECT_EQ(after.eqns()[0].location.line, 5u);
  EXPECT_EQ(after.eqns()[1].location.line, 7u);
  EXPECT_EQ(after.eqns()[1].scope, &scope);
}

// ---- whole programs ----

// Where the sign or the bits of a NaN are read, the result may be anything.
void expect_same_expectations(const weft::testing::Expected& before, const weft::testing::Expected& after) {
  std::vector<double> errors = before.error;
  for (double& e : errors)
    if (!std::isinf(e)) e = 0;
  EXPECT_EQ(weft::testing::difference_within(after.value, before.value, errors), "");
}

// Other programs for every --gtest_random_seed.
TEST(simplify, programs_drawn_at_random_give_the_same_bits_or_errors) {
  const auto first = static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)) * 1000000;
  std::size_t eqns_before = 0, eqns_after = 0;
  for (std::uint64_t seed = first; seed < first + 1000; ++seed) {
    const weft::testing::RandomProgram drawn = weft::testing::random_program(seed);
    const Jaxpr from = ir::inline_calls(drawn.jaxpr), to = simplified(from);
    SCOPED_TRACE(std::to_string(seed) + "\n" + from.str() + "\n" + to.str());
    eqns_before += from.eqns().size();
    eqns_after += to.eqns().size();
    const auto results = [&](const Jaxpr& program, bool& failed) {
      try {
        return weft::testing::expected_results(program, drawn.inputs);
      } catch (const Error&) {
        failed = true;
        return std::vector<weft::testing::Expected>();
      }
    };
    bool fails_before = false, fails_after = false;
    const auto before = results(from, fails_before), after = results(to, fails_after);
    EXPECT_EQ(fails_before, fails_after);
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t k = 0; k < before.size(); ++k) expect_same_expectations(before[k], after[k]);
  }
  EXPECT_LT(eqns_after, eqns_before * 2 / 3);
}

// Those of programs inside, too.
std::size_t count_eqns(const Jaxpr& program) {
  std::size_t n = program.eqns().size();
  for (const ir::Eqn& e : program.eqns())
    if (e.params) ir::for_each_program(*e.params, ir::Programs::kRun, [&](const Jaxpr& p) { n += count_eqns(p); });
  return n;
}

void expect_same_when_simplified(const Jaxpr& staged) {
  const Jaxpr from = ir::inline_calls(staged), to = simplified(from);
  EXPECT_LT(count_eqns(to), count_eqns(from));
  expect_same_results(from, to);
}

TEST(simplify, derivatives_give_the_same_bits_from_fewer_equations) {
  const auto network = [](Array w, Array v, Array x) {
    const Array hidden = np::maximum(np::dot(x, w), 0.0f);
    const Array logits = np::dot(hidden, np::transpose(v));
    const Array shifted = logits - np::max(logits, 1, true);
    return np::mean(np::log(np::sum(np::exp(shifted), 1)) - shifted(ellipsis, 0));
  };
  const Array w = np::ones({3, 5}), v = np::ones({4, 5}), x = np::ones({2, 3});
  expect_same_when_simplified(make_jaxpr(network)(w, v, x));
  expect_same_when_simplified(
      make_jaxpr([&](Array a, Array b, Array c) { return grad<0, 1>(network)(a, b, c); })(w, v, x));
  expect_same_when_simplified(make_jaxpr([&](Array a) {
    return vmap([&](Array row) { return grad([&](Array y) { return network(w, v, np::reshape(y, {1, 3})); })(row); })(
        a);
  })(x));
}

TEST(simplify, derivatives_of_loops_give_the_same_bits) {
  const auto loop = [](Array x, Array k) {
    return scan([k](Array c, Array v) { return std::pair(np::sin(c) * k + v, c * 1.0f); }, np::sum(x), x).first;
  };
  const Array x = np::ones({4}), k = np::ones({});
  expect_same_when_simplified(make_jaxpr([&](Array a, Array b) { return grad<0, 1>(loop)(a, b); })(x, k));
  expect_same_when_simplified(
      make_jaxpr([&](Array a, Array b) { return vmap([&](Array y) { return grad(loop)(a, y); })(b); })(x, x));
}

// ---- time ----

// A program whose equations each take the one before.
using Next = FunctionRef<ir::Atom(ir::JaxprBuilder&, ir::Atom, std::size_t)>;
Jaxpr chain(std::size_t length, Next next) {
  ir::JaxprBuilder builder;
  const ir::Var x = builder.add_var(Aval(f32, Dims{4}));
  ir::Atom last = ir::Atom::var(x);
  for (std::size_t i = 0; i < length; ++i) last = next(builder, last, i);
  const ir::Var inputs[] = {x};
  return builder.build({}, inputs, {&last, 1});
}

ir::Atom equation(ir::JaxprBuilder& builder, OpCode op, ir::Params params, std::initializer_list<ir::Atom> operands) {
  std::vector<Aval> in;
  for (const ir::Atom a : operands) in.push_back(a.is_literal() ? Aval(f32, Dims{4}) : builder.aval(a.index()));
  if (op == OpCode::kPad) in[1] = Aval(f32, Dims{});
  ir::Avals out;
  ir::infer(op, params.get(), in, out);
  const std::vector<ir::Atom> atoms(operands);
  return ir::Atom::var(
      builder.add_eqn(op, std::move(params), atoms, std::vector<Aval>(out.begin(), out.end()), SourceLocation()));
}

ir::Atom number(ir::JaxprBuilder& builder, float v, const Dims& shape) {
  ir::Literal l{Aval(f32, shape)};
  std::memcpy(l.value.data(), &v, sizeof v);
  return builder.add_literal(l);
}

// Of this thread alone, whatever else the machine does.
double seconds(const std::function<void()>& f) {
  const auto now = [] {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double start = now();
    f();
    best = std::min(best, now() - start);
  }
  return best;
}

TEST(simplify, time_is_linear_in_the_equations) {
  const auto arithmetic = [](ir::JaxprBuilder& b, ir::Atom x, std::size_t i) {
    if (i % 3 == 0) return equation(b, OpCode::kMultiply, {}, {x, number(b, 1, {4})});
    return equation(b, i % 3 == 1 ? OpCode::kSine : OpCode::kNegate, {}, {x});
  };
  // A slice of a long chain of elementwise operations, pads and reversals.
  const auto window = [](ir::JaxprBuilder& b, ir::Atom x, std::size_t i) {
    const std::int64_t n = b.aval(x.index()).shape(0);
    if (i % 1000 == 999)
      return equation(b, OpCode::kSlice, ir::make_params(SliceParams{{n / 2 + 2}, {n / 2 - 2}, {1}}), {x});
    if (i % 3 == 0) return equation(b, OpCode::kPad, ir::make_params(PadParams{{1}, {1}, {0}}), {x, number(b, 1, {})});
    return i % 3 == 1 ? equation(b, OpCode::kReverse, ir::make_params(ReverseParams{{0}}), {x})
                      : equation(b, OpCode::kCosine, {}, {x});
  };
  // One concatenation into another, all of which are needed.
  const auto joined = [](ir::JaxprBuilder& b, ir::Atom x, std::size_t i) {
    if (i % 10 == 9) return equation(b, OpCode::kSlice, ir::make_params(SliceParams{{30}, {0}, {10}}), {x});
    return equation(b, OpCode::kConcatenate, ir::make_params(ConcatenateParams{0}),
                    {x, number(b, static_cast<float>(i), {4})});
  };
  for (const auto& next : {Next(arithmetic), Next(window), Next(joined)}) {
    const double few = seconds([&] { simplified(chain(10000, next)); }),
                 many = seconds([&] { simplified(chain(100000, next)); });
    EXPECT_LT(many, 60 * few)
        << "ten times as many equations take some 25 times as long, as caches go; a hundred is too many";
  }
}

// A scan over n arrays, each of which is an operation on an input.
Jaxpr scan_over(std::size_t n) {
  const Aval slice(f32, Dims{64}), all(f32, Dims{3, 64});
  ir::JaxprBuilder body, builder;
  std::vector<ir::Var> taken{body.add_var(slice)}, inputs{builder.add_var(slice)};
  std::vector<ir::Atom> operands{ir::Atom::var(inputs[0])};
  ir::Atom sum = ir::Atom::var(taken[0]);
  for (std::size_t i = 0; i < n; ++i) {
    taken.push_back(body.add_var(slice));
    inputs.push_back(builder.add_var(all));
    const ir::Atom two[] = {sum, ir::Atom::var(taken.back())}, x = ir::Atom::var(inputs.back());
    sum = ir::Atom::var(body.add_eqn(OpCode::kAdd, {}, two, {&slice, 1}, SourceLocation()));
    operands.push_back(ir::Atom::var(builder.add_eqn(OpCode::kNegate, {}, {&x, 1}, {&all, 1}, SourceLocation())));
  }
  const Jaxpr program = body.build({}, taken, {&sum, 1});
  const ir::Var out = builder.add_eqn(OpCode::kScan, ir::make_params(ScanParams{program, 3, 1, false}), operands,
                                      {&slice, 1}, SourceLocation());
  const ir::Atom result = ir::Atom::var(out);
  return builder.build({}, inputs, {&result, 1});
}

TEST(simplify, time_is_linear_in_what_a_scan_takes) {
  EXPECT_EQ(simplified(scan_over(10)).eqns().size(), 1u) << "the operations are made inside";
  const double few = seconds([&] { simplified(scan_over(1000)); }),
               many = seconds([&] { simplified(scan_over(10000)); });
  EXPECT_LT(many, 60 * few)
      << "ten times as many arrays take some 25 times as long, as caches go; a hundred is too many";
}

TEST(simplify, functions_that_each_call_the_one_before_twice_are_simplified_once) {
  // x * 1 and 5000 sines, too many to be written out; then f(f(x)) of that, forty times.
  Jaxpr f = chain(5000, [](ir::JaxprBuilder& b, ir::Atom x, std::size_t i) {
    return i == 0 ? equation(b, OpCode::kMultiply, {}, {x, number(b, 1, {4})}) : equation(b, OpCode::kSine, {}, {x});
  });
  for (int level = 0; level < 40; ++level)
    f = chain(2, [&](ir::JaxprBuilder& b, ir::Atom x, std::size_t) {
      return equation(b, OpCode::kCall, ir::make_params(CallParams{"f", f}), {x});
    });
  const Jaxpr after = simplified(f);
  EXPECT_EQ(ir::count_distinct_eqns(after), ir::count_distinct_eqns(f) - 1);
}

}  // namespace
}  // namespace weft::compiler

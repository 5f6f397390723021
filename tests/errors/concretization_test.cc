#include "error_text.h"

#include <sstream>

namespace weft::errors {
namespace {

const std::string kHidden =
    ": the array's value must be known; got a traced bool[], whose value is known only when the program runs.\n";
const std::string kChoose =
    "hint: np::where(condition, a, b) chooses by element, cond runs one of two functions, while_loop repeats one; a "
    "static argument (int, bool, string) is known while tracing; to debug, let a DisableJit live around the call.";
const std::string kCompute =
    "hint: compute with the array itself, pass a static argument (int, bool, string), or read the value outside the "
    "traced function; to debug, let a DisableJit live around the call.";

TEST(concretization_error, if_under_jit) {
  const auto relu = [](Array x) {
    if (x > 0) return x;
    return 0 * x;
  };
  expect_error<ConcretizationError>([&] { jit(relu)(1.0f); }, "bool" + kHidden +
                                                                  "  asked for after greater at here\n"
                                                                  "  made by greater at here in jit(f) at here\n"
                                                                  "  it depends on args[0]\n"
                                                                  "  while tracing jit(f) at here\n" +
                                                                  kChoose);
}

TEST(concretization_error, if_under_vmap) {
  const auto relu = [](Array x) {
    if (x > 0) return x;
    return 0 * x;
  };
  expect_error<ConcretizationError>(
      [&] { vmap(relu)(np::ones({3})); },
      "bool: the array's value must be known; got a mapped bool[], which has one value per "
      "example.\n"
      "  asked for after greater at here\n"
      "  made by greater at here in vmap(f) at here\n"
      "  it depends on args[0]\n"
      "  while tracing vmap(f) at here\n"
      "hint: np::where(condition, a, b) and cond choose for each example; or map over another axis.");
}

TEST(concretization_error, while_under_jit) {
  expect_error<ConcretizationError>(
      [&] {
        jit([](Array x) {
          while (x < 10) x = 2 * x;
          return x;
        })(1.0f);
      },
      "bool" + kHidden +
          "  asked for after less at here\n"
          "  made by less at here in jit(f) at here\n"
          "  it depends on args[0]\n"
          "  while tracing jit(f) at here\n" +
          kChoose);
}

TEST(concretization_error, item_under_jit) {
  expect_error<ConcretizationError>([&] { jit([](Array x) { return x * x.item<float>(); })(1.0f); },
                                    "item: the array's value must be known; got a traced f32[], whose value is known "
                                    "only when the program runs.\n"
                                    "  at here\n"
                                    "  argument args[0] of jit(f) at here\n"
                                    "  while tracing jit(f) at here\n" +
                                        kCompute);
}

TEST(concretization_error, to_vector_under_jit) {
  expect_error<ConcretizationError>([&] { jit([](Array x) { return x * x.to_vector<float>()[0]; })(np::ones({3})); },
                                    "to_vector: the array's value must be known; got a traced f32[3], whose value is "
                                    "known only when the program runs.\n"
                                    "  at here\n"
                                    "  argument args[0] of jit(f) at here\n"
                                    "  while tracing jit(f) at here\n" +
                                        kCompute);
}

TEST(concretization_error, mask_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return np::sum(x(x > 0)); })(np::ones({3})); },
      "index: a bool array used as an index must have known values, for the result's shape "
      "depends on them; got a traced bool[3].\n"
      "  at here\n"
      "  made by greater at here in jit(f) at here\n"
      "  it depends on args[0]\n"
      "  while tracing jit(f) at here\n"
      "hint: np::where(mask, x, 0) keeps the shape.");
}

TEST(concretization_error, mask_under_vmap) {
  expect_error<ConcretizationError>(
      [&] { vmap([](Array x) { return np::sum(x(x > 0)); })(np::ones({2, 3})); },
      "index: a bool array used as an index must have known values, for the result's shape "
      "depends on them; got a mapped bool[3].\n"
      "  at here\n"
      "  made by greater at here in vmap(f) at here\n"
      "  it depends on args[0]\n"
      "  while tracing vmap(f) at here\n"
      "hint: np::where(mask, x, 0) keeps the shape.");
}

TEST(concretization_error, nonzero_under_jit) {
  expect_error<ConcretizationError>(
      [&] { jit([](Array x) { return x.at(x > 0).set(0); })(np::ones({3})); },
      "at.set: a bool array used as an index must have known values, for the result's shape "
      "depends on them; got a traced bool[3].\n"
      "  at here\n"
      "  made by greater at here in jit(f) at here\n"
      "  it depends on args[0]\n"
      "  while tracing jit(f) at here\n"
      "hint: np::where(mask, x, 0) keeps the shape.");
}

TEST(concretization_error, if_under_grad_of_jit) {
  expect_error<ConcretizationError>(
      [&] {
        grad(jit([](Array x) {
          if (x > 0) return x;
          return -x;
        }))(1.0f);
      },
      "bool" + kHidden +
          "  asked for after greater at here\n"
          "  made by greater at here in jit(f) at here\n"
          "  it depends on args[0]\n"
          "  while tracing jit(f) at here\n"
          "  while tracing grad(f) at here\n" +
          kChoose);
}

TEST(concretization_error, the_value_of_an_abstract_array) {
  expect_error<ConcretizationError>(
      [&] { eval_shape([](Array x) { return np::sum(x); }, np::ones({3})).item<float>(); },
      "item: the array's value must be known; got an abstract f32[], which has a type only.\n"
      "  at here\n"
      "hint: call the function itself instead of eval_shape to get values.");
}

TEST(concretization_error, computing_with_an_abstract_array) {
  expect_error<ConcretizationError>([&] { eval_shape([](Array x) { return 2 * x; }, np::ones({3})) + 1; },
                                    "add: operands must have values; got an abstract f32[3], which has a type only.\n"
                                    "  at here\n"
                                    "hint: abstract arrays are arguments for eval_shape and make_jaxpr; call the "
                                    "function with real arrays.");
}

TEST(concretization_error, item_under_vmap) {
  expect_error<ConcretizationError>(
      [&] { vmap([](Array x) { return x * x.item<float>(); })(np::ones({3})); },
      "item: the array's value must be known; got a mapped f32[], which has one value per "
      "example.\n"
      "  at here\n"
      "  argument args[0] of vmap(f) at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: compute with the array itself, or read the values after vmap has returned.");
}

TEST(concretization_error, an_integer_for_a_size_or_an_index_of_a_container) {
  const std::string remedies =
      "hint: a size must be a static argument (int); np::take reads at an index that is traced, and switch_ calls one "
      "of several functions; to debug, let a DisableJit live around the call.";
  expect_error<ConcretizationError>(
      [&] { jit([](Array n) { return np::zeros({(n + 1).item<int>()}); })(3); },
      "item: the array's value must be known; got a traced i32[], whose value is known only when the program runs.\n"
      "  at here\n"
      "  made by add at here in jit(f) at here\n"
      "  it depends on args[0]\n"
      "  while tracing jit(f) at here\n" +
          remedies);
  const std::vector<Array> layers(3, Array(1.0f));
  expect_error<ConcretizationError>(
      [&] { jit([&](Array i) { return layers[i.item<std::size_t>()]; })(0); },
      "item: the array's value must be known; got a traced i32[], whose value is known only when the program runs.\n"
      "  at here\n"
      "  argument args[0] of jit(f) at here\n"
      "  while tracing jit(f) at here\n" +
          remedies);
  expect_error<ConcretizationError>(
      [&] { vmap([&](Array i) { return layers[i.item<std::size_t>()]; })(np::arange(3)); },
      "item: the array's value must be known; got a mapped i32[], which has one value per example.\n"
      "  at here\n"
      "  argument args[0] of vmap(f) at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: a size must be the same for all examples; np::take reads at an index that is mapped, and switch_ calls "
      "one of several functions.");
}

struct Model {
  Array w, b;
  std::vector<Array> layers;
};

// What the condition depends on: arguments by their paths, also through calls and captures, and nothing else.
TEST(concretization_error, names_the_arguments_that_the_value_depends_on) {
  const auto f = [](Model m, Array x) {
    const Array y = m.w * x + m.layers[1];
    const Array unused = m.b + y;
    if (np::sum(y) > 0) return y;
    return unused;
  };
  expect_error<ConcretizationError>([&] { jit(f, {.name = "step"})(Model{1.0f, 2.0f, {3.0f, 4.0f}}, 5.0f); },
                                    "bool" + kHidden +
                                        "  asked for after greater at here\n"
                                        "  made by greater at here in jit(step) at here\n"
                                        "  it depends on args[0].w, args[0].layers[1] and args[1]\n"
                                        "  while tracing jit(step) at here\n" +
                                        kChoose);
  expect_error<ConcretizationError>(
      [&] {
        jit([](std::vector<Array> xs) {
          Array sum = xs[0];
          for (const Array& x : xs) sum = sum + x;
          return sum > 0 ? sum : -sum;
        })(std::vector<Array>(6, Array(1.0f)));
      },
      "bool" + kHidden +
          "  asked for after greater at here\n"
          "  made by greater at here in jit(f) at here\n"
          "  it depends on args[0][0], args[0][1], args[0][2] and 3 more\n"
          "  while tracing jit(f) at here\n" +
          kChoose);
  // Under jit operations on captured arrays are recorded, too.
  const Array w = np::array({1.0f, 2.0f});
  expect_error<ConcretizationError>(
      [&] {
        jit([&](Array x) {
          if (w(0) > 0) return x;
          return -x;
        })(1.0f);
      },
      "bool" + kHidden +
          "  asked for after greater at here\n"
          "  made by greater at here in jit(f) at here\n"
          "  it depends on the captured f32[2]\n"
          "  while tracing jit(f) at here\n" +
          kChoose);
  expect_error<ConcretizationError>(
      [&] {
        jit([](Array x) {
          const Array fill = np::zeros({2}) + 1;
          return np::all(fill == 1) ? x : -x;
        })(1.0f);
      },
      "bool" + kHidden +
          "  asked for after all at here\n"
          "  made by all at here in jit(f) at here\n"
          "  it depends on no argument\n"
          "  while tracing jit(f) at here\n" +
          kChoose);
}

TEST(concretization_error, where_the_value_was_asked_for_is_told_apart_from_where_it_was_made) {
  expect_error<ConcretizationError>(
      [&] {
        jit([](Array x, Array flag) {
          const Array y = np::sin(x);
          if (flag) return y;
          return x;
        })(1.0f, true);
      },
      "bool" + kHidden +
          "  asked for after sin at here\n"
          "  argument args[1] of jit(f) at here\n"
          "  while tracing jit(f) at here\n" +
          kChoose);
  // Nothing was called in the function: what was called before it does not count.
  expect_error<ConcretizationError>([&] { jit([](Array flag, Array x) { return flag ? x : x; })(true, np::ones({2})); },
                                    "bool" + kHidden +
                                        "  argument args[0] of jit(f) at here\n"
                                        "  while tracing jit(f) at here\n" +
                                        kChoose);
}

TEST(concretization_error, in_the_body_of_a_scan) {
  expect_error<ConcretizationError>(
      [&] { scan([](Array c, Array x) { return std::pair(c > 0 ? c + x : c, x); }, 0.0f, np::ones({3})); },
      "bool" + kHidden +
          "  asked for after greater at here\n"
          "  made by greater at here in the body of scan at here\n"
          "  it depends on args[0]\n"
          "  while tracing the body of scan at here\n" +
          kChoose);
  // A value from around the loop, through what the body captures.
  expect_error<ConcretizationError>(
      [&] {
        jit([](Array w, Array x) {
          return scan([&](Array c) { return std::pair(w(0) > 0 ? c : -c, c); }, x, no_xs, {.length = 2}).first;
        })(np::ones({3}), 1.0f);
      },
      "bool" + kHidden +
          "  asked for after greater at here\n"
          "  made by greater at here in the body of scan at here\n"
          "  it depends on the captured f32[3], argument args[0] of jit(f) at here\n"
          "  while tracing the body of scan at here\n"
          "  while tracing jit(f) at here\n" +
          kChoose);
}

TEST(concretization_error, in_branches_and_loops) {
  const auto choose = [](Array x) { return x > 0 ? x : -x; };
  const auto same = [](Array x) { return x; };
  const auto expect_in = [&](auto&& mistake, const std::string& name, const std::string& argument = "args[0]",
                             std::source_location at = std::source_location::current()) {
    expect_error<ConcretizationError>(mistake,
                                      "bool" + kHidden +
                                          "  asked for after greater at there\n"
                                          "  made by greater at there in " +
                                          name +
                                          " at here\n"
                                          "  it depends on " +
                                          argument + "\n  while tracing " + name + " at here\n" + kChoose,
                                      at);
  };
  expect_in([&] { cond(true, choose, same, 1.0f); }, "the true branch of cond");
  expect_in([&] { cond(true, same, choose, 1.0f); }, "the false branch of cond");
  expect_in([&] { switch_(0, std::tuple(same, choose), 1.0f); }, "branch 1 of switch_");
  expect_in([&] { switch_(0, std::vector{choose, choose}, 1.0f); }, "branch 0 of switch_");
  expect_in([&] { while_loop([](Array x) { return x < 3; }, choose, 1.0f); }, "the body of while_loop");
  expect_in([&] { while_loop([&](Array x) { return choose(x) < 3; }, same, 1.0f); }, "the condition of while_loop");
  expect_in([&] { map(choose, np::ones({3})); }, "the body of map", "args[1]");
  expect_in([&] { checkpoint(choose)(1.0f); }, "checkpoint(f)");
}

TEST(concretization_error, under_grad_only_what_is_around_it_hides_values) {
  const auto f = [](Array x) {
    if (np::sum(x * x) > 1) return np::sum(x);
    return -np::sum(x);
  };
  EXPECT_EQ(grad(f)(np::array({2.0f, 3.0f})).to_vector<float>(), (std::vector<float>{1, 1}));
  expect_error<ConcretizationError>([&] { jit(grad(f))(np::array({2.0f, 3.0f})); },
                                    "bool" + kHidden +
                                        "  asked for after greater at here\n"
                                        "  made by greater at here in jit(f) at here\n"
                                        "  it depends on args[0]\n"
                                        "  while tracing grad(f) at here\n"
                                        "  while tracing jit(f) at here\n" +
                                        kChoose);
}

// The remedy that is in force already is not offered again.
TEST(concretization_error, while_jit_is_disabled) {
  const DisableJit eager;
  expect_error<ConcretizationError>(
      [&] { make_jaxpr([](Array x) { return x * x.item<float>(); })(1.0f); },
      "item: the array's value must be known; got a traced f32[], whose value is known only when the program runs.\n"
      "  at here\n"
      "  argument args[0] of make_jaxpr(f) at here\n"
      "  while tracing make_jaxpr(f) at here\n"
      "hint: compute with the array itself, pass a static argument (int, bool, string), or read the value outside the "
      "traced function.");
}

TEST(concretization_error, more_arguments_than_vmap_keeps_account_of) {
  std::vector<Array> xs(70, np::ones({2}));
  expect_error<ConcretizationError>(
      [&] { vmap([](std::vector<Array> v) { return v[69] + 1 > v[0] ? v[0] : v[1]; })(xs); },
      "bool: the array's value must be known; got a mapped bool[], which has one value per example.\n"
      "  asked for after greater at here\n"
      "  made by greater at here in vmap(f) at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: np::where(condition, a, b) and cond choose for each example; or map over another axis.");
}

TEST(concretization_error, printing_a_traced_value_is_none) {
  std::ostringstream out;
  Array stored;
  jit([&](Array x) {
    out << x + 1;
    stored = x;
    return x;
  })(np::ones({2}));
  EXPECT_EQ(out.str().rfind("Traced(f32[2], jit(f) at concretization_test.cc:", 0), 0u) << out.str();
  out.str("");
  vmap([&](Array x) {
    out << x;
    return x;
  })(np::ones({2}));
  grad([&](Array x) {
    out << " " << x;
    return x;
  })(1.0f);
  out << " " << stored.repr();  // its transformation has ended
  EXPECT_EQ(out.str().rfind("Traced(f32[], vmap(f)", 0), 0u) << out.str();
  EXPECT_NE(out.str().find(" Traced(f32[], grad(f)"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find(" Traced(f32[2], jit(f)"), std::string::npos) << out.str();
}

}  // namespace
}  // namespace weft::errors

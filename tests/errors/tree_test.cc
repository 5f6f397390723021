#include "error_text.h"

namespace weft::errors {

// Of a type that has no text, and of which all values have one hash.
struct Plain {
  int v;
  bool operator==(const Plain&) const = default;
};

}  // namespace weft::errors

template <>
struct std::hash<weft::errors::Plain> {
  std::size_t operator()(const weft::errors::Plain&) const { return 0; }
};

namespace weft::errors {
namespace {

TEST(tree_error, tangents_of_another_structure) {
  using Tree = std::map<std::string, Array>;
  expect_error<TreeError>(
      [&] {
        jvp([](Tree t) { return np::sum(t.at("w")); }, Tree{{"b", np::ones({2})}, {"w", np::ones({2})}},
            Tree{{"w", np::ones({2})}});
      },
      "jvp: tangents must have the structure of primals; got nothing for primals[0]['b'].\n"
      "  at here");
}

TEST(tree_error, a_tangent_for_none) {
  using Pair = std::pair<Array, Array>;
  expect_error<TreeError>(
      [&] {
        jvp([](Pair p) { return np::sum(p.first); }, Pair{np::ones({2}), Array()}, Pair{np::ones({2}), np::ones({2})});
      },
      "jvp: tangents[0][1] must be none because primals[0][1] is; got f32[2].\n"
      "  at here");
}

TEST(tree_error, a_cotangent_of_another_structure) {
  const auto result = vjp([](Array x) { return std::vector<Array>{x, 2 * x}; }, np::ones({2}));
  expect_error<TreeError>([&] { result.second({np::ones({2})}); },
                          "vjp: cotangent must have the structure of result; got nothing for result[1].\n"
                          "  at here");
}

TEST(tree_error, map_over_trees_of_different_length) {
  const std::vector<Array> a{np::ones({2}), np::ones({2})}, b{np::ones({2})};
  expect_error<TreeError>([&] { tree::map([](Array x, Array y) { return x + y; }, a, b); },
                          "tree::map: trees must have equal structure; got 2 entries and 1 entry at the root.\n"
                          "  at here");
}

TEST(tree_error, map_over_trees_with_other_names) {
  using Tree = std::map<std::string, Array>;
  const Tree a{{"w", np::ones({2})}}, b{{"v", np::ones({2})}};
  expect_error<TreeError>([&] { tree::map([](Array x, Array y) { return x + y; }, a, b); },
                          "tree::map: trees must have equal structure; got an array and nothing at ['w'].\n"
                          "  at here");
}

TEST(tree_error, map_over_trees_with_other_numbers) {
  struct Layer {
    Array w;
    int units;
  };
  expect_error<TreeError>(
      [&] { tree::map([](Array x, Array y) { return x + y; }, Layer{np::ones({2}), 2}, Layer{np::ones({2}), 3}); },
      "tree::map: trees must have equal structure; got the static value 2 and the static value 3 at .units.\n"
      "  at here");
}

TEST(tree_error, map_over_trees_with_other_static_arguments) {
  const auto add = [](Array x, Array y) { return x + y; };
  expect_error<TreeError>(
      [&] { tree::map(add, std::pair(Array(1.f), static_arg(2.5)), std::pair(Array(1.f), static_arg(3.5))); },
      "tree::map: trees must have equal structure; got the static value static(2.5) and the static value static(3.5) "
      "at "
      "[1].\n"
      "  at here");
  expect_error<TreeError>(
      [&] { tree::map(add, std::pair(Array(1.f), static_arg(Plain{1})), std::pair(Array(1.f), static_arg(Plain{2}))); },
      "tree::map: trees must have equal structure; got a static value and one that is not equal at [1].\n"
      "  at here");
}

TEST(tree_error, map_over_several_trees_of_which_the_last_differs) {
  const std::vector<Array> a{np::ones({2})}, b{Array()};
  const std::string text = "tree::map: trees must have equal structure; got an array and none at [0].\n";
  const auto first = [](const Array& x, const auto&...) { return x; };
  expect_error<TreeError>([&] { tree::map(first, a, a, b); }, text + "  at here");
  expect_error<TreeError>([&] { tree::map(first, a, a, a, b); }, text + "  at here");
  // A line of its own does not fit behind any number of trees.
  expect_error<TreeError>(
      [&] {
        np::ones({2});
        tree::map(first, a, a, a, a, b);
      },
      text + "  after ones at here");
}

TEST(tree_error, structures_that_a_program_of_the_users_compares) {
  expect_error<TreeError>(
      [&] {
        tree::check_same_structure("restore: parameters", std::pair(np::ones({2}), 1), std::pair(np::ones({2}), 2));
      },
      "restore: parameters: trees must have equal structure; got the static value 1 and the static value 2 at [1].\n"
      "  at here");
}

TEST(tree_error, branches_and_loops_that_change_the_structure) {
  const auto one = [](Array x) { return std::vector<Array>{x}; };
  const auto two = [](Array x) { return std::vector<Array>{x, x}; };
  expect_error<TreeError>(
      [&] { cond(true, one, two, 1.0f); },
      "cond: the true and the false branch: trees must have equal structure; got 1 entry and 2 entries at the root.\n"
      "  at here");
  expect_error<TreeError>([&] { switch_(0, std::tuple(one, two), 1.0f); },
                          "switch_: branches: trees must have equal structure; got 1 entry and 2 entries at the root.\n"
                          "  at here");
  const auto longer = [](std::vector<Array> v) {
    v.push_back(v[0]);
    return v;
  };
  expect_error<TreeError>(
      [&] {
        scan([&](std::vector<Array> v) { return std::pair(longer(v), v[0]); }, std::vector<Array>{1.0f}, no_xs,
             {.length = 3});
      },
      "scan: carry: trees must have equal structure; got 1 entry and 2 entries at the root.\n"
      "  at here\n"
      "  while tracing scan at here");
  expect_error<TreeError>(
      [&] { while_loop([](std::vector<Array> v) { return v[0] < 3; }, longer, std::vector<Array>{1.0f}); },
      "while_loop: state: trees must have equal structure; got 1 entry and 2 entries at the root.\n"
      "  at here\n"
      "  while tracing while_loop at here");
  expect_error<TreeError>(
      [&] {
        associative_scan([&](std::vector<Array> a, std::vector<Array>) { return longer(a); },
                         std::vector<Array>{np::ones({4})});
      },
      "associative_scan: what the function takes and returns: trees must have equal structure; got 1 entry and 2 "
      "entries "
      "at the root.\n"
      "  at here");
}

TEST(tree_error, in_axes_of_the_wrong_length) {
  expect_error<TreeError>(
      [&] { vmap([](Array x, Array y) { return x * y; }, {0, 0, 0})(np::ones({3}), np::ones({3})); },
      "vmap: in_axes must have one entry per element of args; got 3 entries for 2 elements.\n"
      "  while tracing vmap(f) at here");
}

TEST(tree_error, in_axes_that_go_deeper_than_the_argument) {
  expect_error<TreeError>([&] { vmap([](Array x) { return x; }, {{0, 0}})(np::ones({3})); },
                          "vmap: in_axes must be one axis for an array; got a list for args[0].\n"
                          "  while tracing vmap(f) at here");
}

TEST(tree_error, out_axes_of_the_wrong_length) {
  expect_error<TreeError>([&] { vmap([](Array x) { return std::pair(x, x); }, 0, {0, 0, 0})(np::ones({3})); },
                          "vmap: out_axes must have one entry per element of result; got 3 entries for 2 elements.\n"
                          "  while tracing vmap(f) at here");
}

TEST(tree_error, tangents_with_other_names) {
  using Tree = std::map<std::string, Array>;
  expect_error<TreeError>(
      [&] { jvp([](Tree t) { return np::sum(t.at("w")); }, Tree{{"w", np::ones({2})}}, Tree{{"v", np::ones({2})}}); },
      "jvp: tangents must have the structure of primals; got tangents[0]['v'] but nothing "
      "for primals[0]['w'].\n"
      "  at here");
}

TEST(tree_error, tangents_with_names_too_many) {
  using Tree = std::map<std::string, Array>;
  expect_error<TreeError>(
      [&] {
        jvp([](Tree t) { return np::sum(t.at("w")); }, Tree{{"w", np::ones({2})}},
            Tree{{"v", np::ones({2})}, {"w", np::ones({2})}});
      },
      "jvp: tangents must have the structure of primals; got tangents[0]['v'] for nothing.\n"
      "  at here");
}

TEST(tree_error, a_cotangent_with_other_names) {
  using Tree = std::map<std::string, Array>;
  const auto result = vjp([](Array x) { return Tree{{"w", x}}; }, np::ones({2}));
  expect_error<TreeError>([&] { result.second({{"v", np::ones({2})}}); },
                          "vjp: cotangent must have the structure of result; got cotangent['v'] but nothing "
                          "for result['w'].\n"
                          "  at here");
}

TEST(tree_error, tangents_of_a_linearized_function_with_other_names) {
  using Tree = std::map<std::string, Array>;
  const auto result = linearize([](Tree t) { return t.at("w"); }, Tree{{"w", np::ones({2})}});
  expect_error<TreeError>([&] { result.second({{"v", np::ones({2})}}); },
                          "linearize: tangents must have the structure of args; got tangents[0]['v'] but "
                          "nothing for args[0]['w'].\n"
                          "  at here");
}

}  // namespace
}  // namespace weft::errors

#include "optim/masking.h"

#include <gtest/gtest.h>

#include <chrono>

#include "harness/errors.h"
#include "optim/contrib_sam.h"
#include "optim/inject.h"
#include "optim/optimizers.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

struct Dense {
  Array w, b;
};
struct Model {
  std::vector<Dense> layers;
  std::map<std::string, Array> norm;
};
Model ones() {
  return {{{np::ones({2, 2}), np::ones({2})}, {np::ones({2, 1}), np::ones({1})}}, {{"scale", np::ones({2})}}};
}
std::vector<float> first_elements(const Model& m) {
  std::vector<float> r;
  for (const Array& x : tree::leaves(m)) r.push_back(np::ravel(x)(0).item<float>());
  return r;
}
template <class T>
std::vector<float> after_one_step(const T& opt) {
  const Model p = ones();
  return first_elements(opt.update(p, opt.init(p), p).first);
}

TEST(masked, transforms_the_leaves_that_a_function_of_paths_names) {
  const auto opt = masked(scale(10), [](const std::string& path) { return path.ends_with(".b"); });
  EXPECT_EQ(after_one_step(opt), (std::vector<float>{1, 10, 1, 10, 1}));
}
TEST(masked, gives_the_function_path_and_array) {
  std::vector<std::string> paths;
  const auto opt = masked(scale(10), [&](const std::string& path, const Array& p) {
    paths.push_back(path);
    return p.ndim() == 1;
  });
  EXPECT_EQ(after_one_step(opt), (std::vector<float>{1, 10, 1, 10, 10}));
  paths.resize(5);
  EXPECT_EQ(paths, (std::vector<std::string>{".layers[0].w", ".layers[0].b", ".layers[1].w", ".layers[1].b",
                                             ".norm['scale']"}));
}
TEST(masked, takes_a_tree_like_the_parameters) {
  Model mask = ones();
  tree::for_each(mask, [](Array& a) { a = Array(false); });
  mask.layers[1].w = Array(true);
  EXPECT_EQ(after_one_step(masked(scale(10), mask)), (std::vector<float>{1, 1, 10, 1, 1}));
}
struct BoolDense {
  bool w, b;
};
struct BoolModel {
  std::vector<BoolDense> layers;
  bool norm;  // for all below
};
TEST(masked, takes_a_tree_of_bools_also_for_whole_subtrees) {
  const BoolModel mask{{{true, false}, {false, true}}, true};
  EXPECT_EQ(after_one_step(masked(scale(10), mask)), (std::vector<float>{10, 1, 1, 10, 10}));
  const std::map<std::string, bool> by_name{{"a", true}, {"b", false}};
  const std::map<std::string, Array> p{{"a", Array(1.f)}, {"b", Array(1.f)}};
  const auto opt = masked(scale(10), by_name);
  const auto [u, state] = opt.update(p, opt.init(p), p);
  EXPECT_EQ(u.at("a").item<float>(), 10);
  EXPECT_EQ(u.at("b").item<float>(), 1);
}
TEST(masked, keeps_state_for_its_leaves_alone) {
  const auto opt = masked(scale_by_adam(), [](const std::string& path) { return path.ends_with(".w"); });
  const auto state = opt.init(ones());
  EXPECT_TRUE(state.inner_state.mu.layers[0].w.defined());
  EXPECT_FALSE(state.inner_state.mu.layers[0].b.defined());
  EXPECT_EQ(tree::leaves(state).size(), 5u);  // a count, and two moments of two leaves
}
TEST(masked, norms_go_over_its_leaves_alone) {
  const auto opt = masked(clip_by_global_norm(1), [](const std::string& path) { return path == ".layers[0].w"; });
  EXPECT_EQ(after_one_step(opt), (std::vector<float>{0.5f, 1, 1, 1, 1}));
}
TEST(masked, keeps_its_state_from_step_to_step_when_compiled) {
  const auto opt = chain(masked(adam(0.1), [](const std::string&, const Array& p) { return p.ndim() > 1; }),
                         masked(trace(0.9), [](const std::string&, const Array& p) { return p.ndim() == 1; }));
  Model p = ones();
  auto state = opt.init(p);
  const auto step = jit([&opt](Model g, decltype(state) s, Model p) { return opt.update(g, s, p); });
  for (int i = 0; i < 3; ++i) state = step(p, state, p).second;
  EXPECT_EQ(step.cache_size(), 1u);
  EXPECT_EQ(tree::structure(state), tree::structure(opt.init(p)));
}
TEST(masked, inside_of_masked_sees_what_is_left) {
  const auto opt = masked(masked(scale(10), [](const std::string& path) { return path.starts_with(".layers[0]"); }),
                          [](const std::string& path) { return path.ends_with(".w"); });
  EXPECT_EQ(after_one_step(opt), (std::vector<float>{10, 1, 1, 1, 1}));
  const BoolModel inner{{{true, false}, {false, false}}, false};
  EXPECT_EQ(after_one_step(masked(masked(scale(10), inner), [](const std::string& p) { return p.ends_with(".w"); })),
            (std::vector<float>{10, 1, 1, 1, 1}));
}
TEST(masked, line_searches_see_the_loss_as_a_function_of_their_leaves) {
  // (w - 1)^2 + (b - 1)^2 from 0: w alone goes to its minimum.
  const auto loss = [](const Dense& d) { return np::square(d.w - 1) + np::square(d.b - 1); };
  const auto opt = masked(lbfgs(), [](const std::string& path) { return path == ".w"; });
  Dense p{Array(0.f), Array(0.f)};
  auto state = opt.init(p);
  for (int i = 0; i < 3; ++i) {
    const auto [value, g] = value_and_grad(loss)(p);
    auto [u, next] = opt.update(g, state, p, {.value = value, .grad = g, .value_fn = loss});
    u.b = Array(0.f);
    p = apply_updates(p, u);
    state = next;
  }
  EXPECT_NEAR(p.w.item<float>(), 1, 1e-5);
}
TEST(masked, refuses_trees_that_do_not_fit) {
  const Model p = ones();
  const std::map<std::string, bool> mask{{"a", true}};
  EXPECT_EQ(error_of([&] { masked(scale(1), mask).init(p); }),
            "TreeError: masked: a tree of values must have one for each leaf of the parameters; got none for "
            ".layers[0].w.");
  const std::map<std::string, Array> q{{"a", Array(1.f)}};
  const std::map<std::string, bool> more{{"a", true}, {"b", true}};
  EXPECT_EQ(error_of([&] { masked(scale(1), more).init(q); }),
            "TreeError: masked: a tree of values must have them for leaves of the parameters; got one for ['b'], where "
            "there is no leaf.");
  EXPECT_EQ(error_of([&] { masked(scale(1), std::map<std::string, Array>{{"a", Array(1.f)}}); }),
            "DTypeError: mask: arrays in a mask must be bool[]; got f32[].");
  EXPECT_EQ(error_of([&] { jit([](Array m) { return masked(scale(1), std::pair(m, m)), m; })(true); }).substr(0, 20),
            "ConcretizationError:");
}

TEST(masked, refuses_an_empty_function) {
  const std::string text = "ValueError: mask: what tells the value of a leaf must be a function; got an empty one.";
  EXPECT_EQ(error_of([] { masked(scale(1), std::function<bool(const std::string&)>()); }), text);
  EXPECT_EQ(error_of([] { masked(scale(1), std::function<bool(const std::string&, const Array&)>()); }), text);
}
TEST(masked, refuses_a_transformation_that_loses_leaves) {
  const auto lose = stateless([](const std::vector<Array>& u, const std::vector<Array>&) {
    return std::vector<Array>(u.begin(), u.begin() + 1);
  });
  const std::vector<Array> p{np::ones({2}), np::ones({2})};
  const auto opt = masked(lose, true);
  EXPECT_EQ(error_of([&] { opt.update(p, opt.init(p), p); }),
            "TreeError: masked: a transformation must keep the structure of updates; got 1 array for 2.");
}
TEST(masked, gradients_elsewhere_must_have_the_structure_of_the_parameters) {
  const std::vector<Array> p{np::ones({2}), np::ones({2})};
  const auto opt = masked(contrib::sam(sgd(1.0), sgd(1.0), {.opaque_mode = true}), true);
  const Extra<std::vector<Array>> extra{
      .grad_fn = [](const std::vector<Array>& x, const Array&) { return std::vector<Array>{x[0]}; }};
  EXPECT_EQ(error_of([&] { opt.update(p, opt.init(p), p, extra); }).substr(0, 10), "TreeError:");
}
TEST(masked, with_a_tree_takes_time_in_proportion_to_its_leaves) {
  const auto seconds = [](std::size_t n) {
    const std::vector<Array> p(n, np::ones({1}));
    const Mask mask = std::vector<Array>(n, Array(true));
    double least = 1e9;
    for (int i = 0; i < 3; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(mask.of("mask", p).size(), n);
      least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return least;
  };
  // 16 times the leaves: 256 times the pairs of leaf and value.
  EXPECT_LT(seconds(16000), 80 * seconds(1000));
}

TEST(freeze, gives_zeros_to_the_leaves_of_its_mask) {
  EXPECT_EQ(after_one_step(freeze([](const std::string& path) { return path.starts_with(".layers[0]"); })),
            (std::vector<float>{0, 0, 1, 1, 1}));
  EXPECT_EQ(after_one_step(freeze(true)), (std::vector<float>{0, 0, 0, 0, 0}));
}
TEST(selective_transform, optimises_the_leaves_that_are_not_frozen) {
  const auto opt = selective_transform(sgd(0.5), [](const std::string& path) { return path.ends_with(".b"); });
  EXPECT_EQ(after_one_step(opt), (std::vector<float>{-0.5f, 0, -0.5f, 0, -0.5f}));
  const BoolModel mask{{{true, false}, {false, true}}, true};
  EXPECT_EQ(after_one_step(selective_transform(sgd(0.5), mask)), (std::vector<float>{0, -0.5f, -0.5f, 0, 0}));
}

TEST(partition, applies_to_each_leaf_the_transformation_of_its_label) {
  const auto label = [](const std::string& path) -> std::string { return path.ends_with(".b") ? "bias" : "weight"; };
  const auto opt = partition(label, group("bias", sgd(2.0)), group("weight", sgd(1.0, {.momentum = 0.5})));
  const Model p = ones();
  auto state = opt.init(p);
  for (int i = 0; i < 2; ++i) {
    const auto [u, next] = opt.update(p, state, p);
    EXPECT_EQ(first_elements(u),
              i == 0 ? (std::vector<float>{-1, -2, -1, -2, -1}) : (std::vector<float>{-1.5f, -2, -1.5f, -2, -1.5f}));
    state = next;
  }
  EXPECT_EQ(tree::leaves(state).size(), 3u);  // the traces of the weights
}
TEST(partition, takes_a_tree_of_labels_also_for_whole_subtrees) {
  const std::pair<Model, Model> p(ones(), ones());
  const std::pair<std::string, std::string> labels("generator", "discriminator");
  const auto opt = multi_transform(labels, group("generator", scale(2)), group("discriminator", scale(3)));
  const auto [u, state] = opt.update(p, opt.init(p), p);
  EXPECT_EQ(first_elements(u.first), (std::vector<float>{2, 2, 2, 2, 2}));
  EXPECT_EQ(first_elements(u.second), (std::vector<float>{3, 3, 3, 3, 3}));
}
TEST(partition, may_have_groups_without_leaves) {
  const auto opt =
      partition([](const std::string&) -> std::string { return "a"; }, group("a", scale(2)), group("b", adam(0.1)));
  EXPECT_EQ(after_one_step(opt), (std::vector<float>{2, 2, 2, 2, 2}));
}
TEST(partition, compiles_once_for_all_steps) {
  const auto label = [](const std::string&, const Array& p) -> std::string { return p.ndim() > 1 ? "adam" : "sgd"; };
  const auto opt = partition(label, group("sgd", sgd(0.1)), group("adam", adam(0.1)));
  Model p = ones();
  auto state = opt.init(p);
  const auto step = jit([&opt](Model p, decltype(state) s) {
    const auto [u, next] = opt.update(p, s, p);
    return std::pair(apply_updates(p, u), next);
  });
  for (int i = 0; i < 5; ++i) std::tie(p, state) = step(p, state);
  EXPECT_EQ(step.cache_size(), 1u);
  EXPECT_NEAR(p.layers[0].b(0).item<float>(), std::pow(0.9, 5), 1e-5);
}
TEST(partition, refuses_labels_without_a_group_and_groups_with_one_label) {
  const auto opt = partition([](const std::string& path) { return path; }, group("a", scale(2)), group("b", scale(2)));
  EXPECT_EQ(error_of([&] { opt.init(ones()); }),
            "ValueError: partition: every leaf must have the label of a group, which are a, b; got '.layers[0].w' for "
            ".layers[0].w.");
  EXPECT_EQ(error_of([] { partition(std::string("a"), group("a", scale(2)), group("a", scale(2))); }),
            "ValueError: partition: groups must have labels that differ; got 'a' twice.");
}

}  // namespace
}  // namespace weft::optim

#include "optim/transformation.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/constraining.h"
#include "optim/optimizers.h"
#include "optim/schedule.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

struct Dense {
  Array w, b;
};
struct Mlp {
  std::vector<Dense> layers;
  std::string name;
};
Mlp make_mlp() { return {{{np::ones({2, 3}), np::zeros({3})}, {np::full({3, 1}, 2.0f), np::zeros({1})}}, "mlp"}; }

TEST(apply_updates, adds_in_the_dtype_of_the_parameters) {
  const Array p = np::array({1.f, 2.f}).astype(bf16);
  EXPECT_EQ(apply_updates(p, np::array({0.5f, 1.f})).dtype(), bf16);
  EXPECT_EQ(apply_updates(p, np::array({0.5f, 1.f})).astype(f32).to_vector<float>(), (std::vector<float>{1.5f, 3}));
}
TEST(apply_updates, rounds_the_sum_and_not_the_update) {
  // 1 + 2^-9 + 2^-10 is nearer to 1.0078125 than to 1 in bf16; 2^-9 + 2^-10 itself is a number of bf16, 2^-8 + 2^-20
  // not.
  const Array p = np::array({1.f}).astype(bf16), u = np::array({0.00390625f + 9.5e-7f});
  EXPECT_EQ(apply_updates(p, u).astype(f32).item<float>(), 1.0078125f);
}
TEST(apply_updates, refuses_other_structures_and_shapes) {
  std::map<std::string, Array> p{{"a", np::ones({2})}}, q{{"b", np::ones({2})}}, r{{"a", np::ones({1})}};
  EXPECT_EQ(error_of([&] { apply_updates(p, q); }),
            "TreeError: apply_updates: trees must have equal structure; got an array and nothing at ['a'].");
  EXPECT_EQ(
      error_of([&] { apply_updates(p, r); }),
      "ShapeError: apply_updates: updates and parameters must have equal shapes; got f32[1] and f32[2] at ['a'].");
}

TEST(global_norm, goes_over_all_leaves) {
  const Dense d{np::array({{3.f, 0.f}}), np::array({4.f})};
  EXPECT_EQ(global_norm(d).item<float>(), 5);
  EXPECT_EQ(global_norm(np::array({3.0, 4.0})).dtype(), f64);
  EXPECT_EQ(global_norm(Dense{}).item<float>(), 0);
  // In f16 the squares would overflow.
  EXPECT_EQ(global_norm(np::array({300.f, 400.f}).astype(f16)).item<float>(), 500);
}
TEST(incremental_update, averages) {
  const Array r = incremental_update(np::array({10.f}), np::array({2.f}), 0.25);
  EXPECT_EQ(r.item<float>(), 4);
  EXPECT_EQ(incremental_update(np::array({10.f}), np::array({2.f}).astype(bf16), 0.25).dtype(), bf16);
}
TEST(incremental_update, refuses_other_shapes) {
  EXPECT_EQ(error_of([] { incremental_update(np::ones({2}), np::ones({1}), 0.5); }),
            "ShapeError: incremental_update: newer parameters and older ones must have equal shapes; got f32[2] and "
            "f32[1] at "
            "the root.");
}
TEST(periodic_update, takes_the_new_every_period_steps) {
  const Array a = np::array({1.f}), b = np::array({2.f});
  EXPECT_EQ(periodic_update(a, b, 10, 5).item<float>(), 1);
  EXPECT_EQ(periodic_update(a, b, 11, 5).item<float>(), 2);
  const auto traced = jit([&](Array n) { return periodic_update(a, b, n, 5); });
  EXPECT_EQ(traced(15).item<float>(), 1);
  EXPECT_EQ(error_of([&] { periodic_update(a, b, 1, 0); }),
            "ValueError: periodic_update: the period must be 1 or more; got 0.");
}

TEST(identity, and_set_to_zero_do_what_they_say) {
  const Mlp g = make_mlp();
  EXPECT_TRUE(np::array_equal(identity().update(g, {}, g).first.layers[0].w, g.layers[0].w).item<bool>());
  EXPECT_EQ(global_norm(set_to_zero().update(g, {}, g).first).item<float>(), 0);
}
TEST(stateless, takes_functions_of_trees_and_of_leaves) {
  const auto tree = stateless([](const Dense& u, const Dense&) { return Dense{u.w * 2, u.b}; });
  const auto leaf = stateless_with_tree_map([](const Array& u, const Array& p) { return u + p; });
  const Dense d{np::ones({2}), np::ones({1})};
  EXPECT_EQ(tree.update(d, {}, d).first.w.to_vector<float>(), (std::vector<float>{2, 2}));
  EXPECT_EQ(leaf.update(d, {}, d).first.b.to_vector<float>(), (std::vector<float>{2}));
}

TEST(chain, applies_its_members_in_order) {
  const auto opt = chain(scale(2), stateless([](const Array& u, const Array& p) { return u + p; }), scale(10));
  EXPECT_EQ(opt.update(Array(1.f), opt.init(Array(1.f)), Array(5.f)).first.item<float>(), 70);
}
TEST(chain, has_the_states_of_its_members_as_its_state) {
  const auto opt = chain(trace(0.9), scale(-1), scale_by_adam());
  const auto state = opt.init(make_mlp());
  EXPECT_EQ(std::get<2>(state).mu.name, "mlp");
  EXPECT_EQ(tree::structure(state).paths()[0], "[0].trace.layers[0].w");
  EXPECT_EQ(tree::structure(state).paths()[4], "[2].count");
}
TEST(chain, takes_gradient_transformations_alone) {
  // chain(adam), without the call: tests/compile_errors has what the compiler says then.
  static_assert(!GradientTransformation<decltype(&adam)>);
  static_assert(!GradientTransformation<decltype([](const Array& u) { return u; })>);
  static_assert(!GradientTransformation<Mlp>);
  static_assert(GradientTransformation<decltype(adam(0.1))>);
  static_assert(GradientTransformation<Identity>);
  // Whatever parameters it is for.
  static_assert(GradientTransformation<decltype(lookahead(adam(0.1), 2, 0.5))>);
  static_assert(GradientTransformationOf<Adam, Mlp>);
  static_assert(GradientTransformationOf<decltype(masked(chain(clip(1), adamw(0.1)), true)), Mlp>);
  static_assert(!GradientTransformationOf<decltype(lookahead(adam(0.1), 2, 0.5)), Mlp>);
  static_assert(std::is_same_v<decltype(adam(0.1)), Adam> && std::is_same_v<decltype(adamw(0.1)), AdamW>);
}
TEST(chain, of_chains_is_a_transformation) {
  const auto opt = chain(chain(scale(2)), chain(scale(3), chain(scale(5))));
  EXPECT_EQ(opt.update(Array(1.f), opt.init(Array(1.f)), Array(1.f)).first.item<float>(), 30);
}
TEST(chain, hands_extras_to_the_members_that_take_them) {
  const auto opt = chain(scale(1), chain(scale_by_polyak()), scale(-1));
  const Array p = np::array({1.f, 2.f, 3.f});
  const auto [u, state] = opt.update(2 * p, opt.init(p), p, {.value = 14.f});
  EXPECT_TRUE(np::allclose(u, -p / 2).item<bool>());
}

TEST(named_chain, has_states_by_name) {
  const auto opt = named_chain(named<"momentum">(trace(0.5)), named<"adam">(scale_by_adam()));
  const Array g = np::array({1.f, 2.f});
  auto state = opt.init(g);
  EXPECT_EQ(state.get<"adam">().count.item<int>(), 0);
  EXPECT_EQ(tree::structure(state).paths()[0], ".momentum.trace");
  EXPECT_EQ(tree::structure(state).paths()[1], ".adam.count");
  const auto step = jit([&opt](Array g, decltype(state) s) { return opt.update(g, s, g); });
  state = step(g, state).second;
  state = step(g, state).second;
  EXPECT_EQ(std::as_const(state).get<"adam">().count.item<int>(), 2);
  EXPECT_EQ(state.get<"momentum">().trace.to_vector<float>(), (std::vector<float>{1.5, 3}));
  EXPECT_EQ(step.cache_size(), 1u);
}

TEST(updates, of_other_structure_or_shape_or_of_integers_are_refused) {
  const auto opt = adam(0.1);
  const Dense p{np::ones({2, 3}), np::ones({3})};
  const auto state = opt.init(p);
  EXPECT_EQ(error_of([&] { opt.update(Dense{p.w, Array()}, state, p); }),
            "TreeError: update: trees must have equal structure; got none and an array at .b.");
  EXPECT_EQ(error_of([&] { opt.update(Dense{p.w, np::ones({1})}, state, p); }),
            "ShapeError: update: updates and parameters must have equal shapes; got f32[1] and f32[3] at .b.");
  EXPECT_EQ(error_of([&] { opt.update(Dense{p.w, np::ones({3}, i32)}, state, p); }),
            "DTypeError: update: updates must be float or complex; got i32[3] at .b.");
  const auto other = opt.init(Dense{p.w, np::ones({1})});
  EXPECT_EQ(error_of([&] { opt.update(p, other, p); }),
            "ShapeError: update: updates and state must have equal shapes; got f32[3] and f32[1] at .b.");
}
TEST(updates, errors_name_the_users_line) {
  const auto opt = scale_by_adam();
  const Array p = np::ones({2});
  try {
    opt.update(np::ones({3}), opt.init(p), p);
    FAIL();
  } catch (const ShapeError& e) {
    EXPECT_NE(std::string(e.what()).find("scale_by_adam: updates and parameters"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("at transformation_test.cc:"), std::string::npos) << e.what();
  }
}

TEST(counts, stay_at_the_largest_number) {
  EXPECT_EQ(safe_increment(Array(5)).item<int>(), 6);
  EXPECT_EQ(safe_increment(Array(2147483646)).item<int>(), 2147483647);
  EXPECT_EQ(safe_increment(Array(2147483647)).item<int>(), 2147483647);
}

TEST(states, have_leaves_of_their_own_so_that_they_can_be_donated_with_the_parameters) {
  const auto opt = chain(zero_nans(), adamw(0.1), scale_by_amsgrad(), add_noise(1, 1, random::key(0)));
  Mlp p = make_mlp();
  auto state = opt.init(p);
  const auto step = jit(
      [&opt](Mlp p, decltype(state) s, Mlp g) {
        auto [u, next] = opt.update(g, s, p);
        return std::pair(apply_updates(p, u), next);
      },
      {.donate = {0, 1}});
  const Mlp g = make_mlp();
  for (int i = 0; i < 3; ++i) {
    auto [next, s] = step(std::move(p), std::move(state), g);
    p = next;
    state = s;
  }
  EXPECT_EQ(step.cache_size(), 1u);
  // The transformation itself has nothing that was given away.
  EXPECT_NO_THROW(opt.init(make_mlp()));
}

TEST(training, of_a_small_model_converges_compiled_and_not) {
  const auto loss = [](const Dense& m) {
    const Array x = np::array({{1.f, 2.f}, {3.f, -1.f}, {0.f, 1.f}, {2.f, 2.f}});
    return np::mean(np::square(np::matmul(x, m.w) + m.b - np::matmul(x, np::array({{1.f}, {-2.f}})) - 0.5f));
  };
  const auto opt =
      chain(clip_by_global_norm(1.0),
            adam(warmup_cosine_decay_schedule({.peak_value = 0.1, .warmup_steps = 10, .decay_steps = 400})));
  const auto train = [&](Dense m, decltype(opt.init(Dense())) state) {
    const auto [u, next] = opt.update(grad(loss)(m), state, m);
    return std::pair(apply_updates(m, u), next);
  };
  const auto compiled = jit(train);
  Dense m{np::zeros({2, 1}), np::zeros({1})};
  auto state = opt.init(m);
  const auto [eager, s] = train(m, state);
  for (int i = 0; i < 400; ++i) {
    std::tie(m, state) = compiled(m, state);
    if (i == 0) {
      EXPECT_TRUE(np::allclose(m.w, eager.w).item<bool>());
    }
  }
  EXPECT_LT(loss(m).item<float>(), 1e-4);
  EXPECT_EQ(compiled.cache_size(), 1u);
}
TEST(training, runs_inside_of_a_scan) {
  const auto opt = adam(0.1);
  using State = std::pair<Array, decltype(opt.init(Array()))>;
  const Array p = np::array({1.f, 2.f});
  const auto step = [&](State s) {
    const auto [u, next] = opt.update(2 * s.first, s.second, s.first);
    return std::pair(State(apply_updates(s.first, u), next), std::tuple<>());
  };
  const State end = scan(step, State(p, opt.init(p)), no_xs, {.length = 300}).first;
  EXPECT_LT(global_norm(end.first).item<float>(), 1e-2);
  EXPECT_EQ(std::get<0>(end.second).count.item<int>(), 300);
}

}  // namespace
}  // namespace weft::optim

// What dtypes states and updates have, for every optimiser: in mixed precision, in half precision and of complex
// parameters the types of a state never change, so that a compiled step fits all steps. And that half precision, whose
// range is small, does what single precision does.
#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optim.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

// A step with parameters of one dtype and gradients of another: the updates and the next state.
template <class T>
auto step(const T& opt, const Array& p, const Array& g, auto state) {
  const auto loss = [](const Array& x) { return np::sum(np::real(np::conj(x) * x)); };
  return opt.update(g, std::move(state), p, {.value = 1.5f, .grad = g, .value_fn = loss});
}
// Those that take other trees than the parameters': a pair of fast and slow ones, gradients of examples.
template <class T>
auto step(const Lookahead<T>& opt, const Array& p, const Array& g, auto state) {
  auto [u, next] = opt.update(g, std::move(state), LookaheadParams<Array>{p, p});
  return std::pair(u.fast, std::move(next));
}
template <class T>
auto init(const T& opt, const Array& p) {
  return opt.init(p);
}
template <class T>
auto init(const Lookahead<T>& opt, const Array& p) {
  return opt.init(LookaheadParams<Array>{p, p});
}
template <class T>
struct OfExamples {
  T inner;
};
template <class T>
auto step(const OfExamples<T>& opt, const Array& p, const Array& g, auto state) {
  return opt.inner.update(np::stack({g, g}), std::move(state), p);
}
template <class T>
auto init(const OfExamples<T>& opt, const Array& p) {
  return opt.inner.init(p);
}

// Steps with a small matrix, and what of the types changed.
template <class T>
std::string changes(const T& opt, DType params, DType grads) {
  const Array p = np::array({{1.f, -2.f}, {3.f, 0.5f}}).astype(params),
              g = np::array({{0.5f, 1.f}, {-1.f, 2.f}}).astype(grads);
  const auto state = init(opt, p);
  const auto [u, next] = step(opt, p, g, state);
  const auto [v, last] = step(opt, p, g, next);
  const auto paths = tree::structure(state).paths();
  if (tree::structure(state) != tree::structure(next)) return "the structure";
  std::string r;
  const Arrays before = tree::leaves(state), after = tree::leaves(next), end = tree::leaves(last);
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i].aval() != after[i].aval() || before[i].aval() != end[i].aval())
      r += paths[i] + ": " + before[i].aval().str() + " became " + after[i].aval().str() + "; ";
  if (!np::all(np::isfinite(v)).template item<bool>()) r += "updates are not finite";
  if (apply_updates(p, v).aval() != p.aval()) r += "the parameters";
  return r;
}

// Calls f(name, optimiser) for all that give updates of finite size; `real` are those that refuse complex parameters.
template <class F, class G>
void for_each_optimizer(F&& f, G&& real) {
  f("sgd", sgd(0.1, {.momentum = 0.9}));
  f("noisy_sgd", noisy_sgd(0.1, random::key(0)));
  f("sign_sgd", sign_sgd(0.1));
  f("signum", signum(0.1));
  f("optimistic_gradient_descent", optimistic_gradient_descent(0.1));
  f("polyak_sgd", polyak_sgd());
  f("adam", adam(0.1));
  f("nadam", nadam(0.1));
  f("adamw", adamw(0.1));
  f("nadamw", nadamw(0.1));
  f("adamax", adamax(0.1));
  f("adamaxw", adamaxw(0.1));
  f("amsgrad", amsgrad(0.1));
  f("adabelief", adabelief(0.1));
  f("radam", radam(0.1));
  f("yogi", yogi(0.1));
  f("adan", adan(0.1));
  f("lion", lion(0.1));
  f("novograd", novograd(0.1, {.weight_decay = 0.1}));
  f("optimistic_adam", optimistic_adam(0.1));
  f("optimistic_adam_v2", optimistic_adam_v2(0.1));
  f("adagrad", adagrad(0.1));
  f("adadelta", adadelta(0.1, {.weight_decay = 0.1}));
  f("rmsprop", rmsprop(0.1, {.momentum = 0.9, .bias_correction = true}));
  f("centered rmsprop", rmsprop(0.1, {.eps = 0.01, .centered = true}));
  f("adafactor", adafactor(0.1, {.min_dim_size_to_factor = 2, .momentum = 0.9, .weight_decay_rate = 0.1}));
  real("sm3", sm3(0.1));
  real("rprop", rprop(0.1));
  f("lars", lars(0.1, {.weight_decay = 0.1}));
  f("lamb", lamb(0.1));
  f("fromage", fromage(0.1));
  f("lbfgs", lbfgs());
  f("lookahead", lookahead(adam(0.1), 2, 0.5));
  f("distance over gradients", scale_by_distance_over_gradients());
  f("clipping",
    chain(clip_by_global_norm(1), clip_by_block_rms(0.1), adaptive_grad_clip(0.1), zero_nans(), centralize()));
  f("averages", chain(ema(0.9), apply_every(2), normalize_by_update_norm(), scale_by_param_block_rms()));
  f("backtracking",
    chain(sgd(1.0), scale_by_backtracking_linesearch({.max_backtracking_steps = 5, .store_grad = true})));
  f("muon", contrib::muon(0.1));
  f("prodigy", contrib::prodigy());
  f("momo", contrib::momo());
  f("momo_adam", contrib::momo_adam());
  f("schedule_free_sgd", contrib::schedule_free_sgd());
  f("schedule_free_adamw", contrib::schedule_free_adamw());
  f("reduce_on_plateau", contrib::reduce_on_plateau());
  f("dpsgd", OfExamples<decltype(contrib::dpsgd(0.1, 1, 1, random::key(0)))>{
                 contrib::dpsgd(0.1, 1.0, 0.1, random::key(0), {.momentum = 0.9})});
  f("multi_steps", multi_steps(adam(0.1), 2, {.should_skip = skip_not_finite}));
  f("apply_if_finite", apply_if_finite(adam(0.1), 2));
  f("conditionally_mask", conditionally_mask(adam(0.1), [](const Array& count) { return count > 0; }));
  f("flatten", flatten(adam(0.1)));
  f("masked", masked(adam(0.1), true));
  f("partition", partition(std::string("all"), group("all", adam(0.1)), group("none", sgd(0.1))));
  f("inject_hyperparams", inject_hyperparams([](const Hyperparams& h) { return adam(h.at("rate")); }, {{"rate", 0.1}}));
  f("monitor", chain(adam(0.1), monitor(named<"norm">([](const auto& u) { return global_norm(u); }))));
  f("any_transformation", AnyTransformation<Array>(adam(0.1)));
  f("sam", contrib::sam(adam(0.1), chain(contrib::normalize(), sgd(0.1))));
}
template <class F>
void for_each_optimizer(F&& f) {
  for_each_optimizer(f, f);
}

TEST(dtypes, of_states_stay_when_gradients_are_narrower_than_parameters) {
  for_each_optimizer([](const char* name, const auto& opt) { EXPECT_EQ(changes(opt, f32, bf16), "") << name; });
}
TEST(dtypes, of_states_stay_when_gradients_are_wider_than_parameters) {
  for_each_optimizer([](const char* name, const auto& opt) { EXPECT_EQ(changes(opt, bf16, f32), "") << name; });
}
TEST(dtypes, of_states_stay_in_half_precision) {
  for_each_optimizer([](const char* name, const auto& opt) {
    EXPECT_EQ(changes(opt, f16, f16), "") << name;
    EXPECT_EQ(changes(opt, bf16, bf16), "") << name;
  });
}
TEST(dtypes, of_states_stay_in_double_precision) {
  for_each_optimizer([](const char* name, const auto& opt) { EXPECT_EQ(changes(opt, f64, f64), "") << name; });
}
TEST(dtypes, of_states_stay_for_complex_parameters) {
  for_each_optimizer([](const char* name, const auto& opt) { EXPECT_EQ(changes(opt, c64, c64), "") << name; },
                     [](const char* name, const auto& opt) {
                       EXPECT_EQ(error_of([&] { changes(opt, c64, c64); }).substr(0, 11), "DTypeError:") << name;
                     });
}

// The parameters after some steps with gradients of very different sizes, of which f16 holds the squares badly.
template <class T>
std::vector<double> trained(const T& opt, DType dtype) {
  Array p = np::array({{1.f, -2.f}, {3.f, 0.5f}}).astype(dtype);
  const Array g = np::array({{0.f, 1e-3f}, {-300.f, 2.f}}).astype(dtype);
  auto state = init(opt, p);
  for (int t = 0; t < 5; ++t) {
    auto [u, next] = step(opt, p, g, std::move(state));
    p = apply_updates(p, u);
    state = std::move(next);
  }
  return p.astype(f64).template to_vector<double>();
}
TEST(half_precision, does_what_single_precision_does) {
  for_each_optimizer([](const char* name, const auto& opt) {
    // Line searches look at the loss, which 1.5 is not; noise of another dtype is other noise.
    const std::string_view own = name;
    if (own == "lbfgs" || own == "backtracking" || own == "noisy_sgd") return;
    const std::vector<double> want = trained(opt, f32), f16_got = trained(opt, f16), bf16_got = trained(opt, bf16);
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_NEAR(f16_got[i], want[i], 0.01 * std::max(std::abs(want[i]), 1.0)) << name << ", f16, element " << i;
      EXPECT_NEAR(bf16_got[i], want[i], 0.06 * std::max(std::abs(want[i]), 1.0)) << name << ", bf16, element " << i;
    }
  });
}

}  // namespace
}  // namespace weft::optim

// Every composition of depth 3 of the transformations, of a set of functions, against derivatives in closed form.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "weft/weft.h"

namespace weft {
namespace {

// Type-erased, so that every transformation is instantiated once.
using F = std::function<Array(Array)>;

struct Function {
  const char* name;
  F f;
  double (*derivative)(int order, double x);
};

double sine(int k, double x) { return std::pow(1.3, k) * std::sin(1.3 * x + k * M_PI / 2); }

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"sin(1.3 x)", [](Array x) { return np::sin(1.3 * x); }, sine},
      {"x exp(-x / 2)", [](Array x) { return x * np::exp(-0.5 * x); },
       [](int k, double x) { return std::pow(-0.5, k) * std::exp(-x / 2) * (x - 2 * k); }},
      {"a dot product with sines",
       [](Array x) {
         const Array a = np::array({0.5, -1.0, 2.0}), w = np::array({1.0, 0.25, -0.5});
         return np::dot(w, np::sin(a * x)) + 1.0 / (1.0 + x);
       },
       [](int k, double x) {
         const double a[] = {0.5, -1, 2}, w[] = {1, 0.25, -0.5};
         double sum = (k % 2 ? -1 : 1) * std::tgamma(k + 1) / std::pow(1 + x, k + 1);
         for (int i = 0; i < 3; ++i) sum += w[i] * std::pow(a[i], k) * std::sin(a[i] * x + k * M_PI / 2);
         return sum;
       }},
  };
  return all;
}

enum class Kind { kSame, kForward, kReverse, kForwardRule, kReverseRule };
struct Transformation {
  const char* name;
  Kind kind;  // kForward and kReverse take the derivative
  F (*of)(F);
};

constexpr double kAt = 0.7;

const std::vector<Transformation>& transformations() {
  static const std::vector<Transformation> all = {
      {"jit", Kind::kSame, [](F f) -> F { return [f](Array x) { return jit(f)(x); }; }},
      {"grad", Kind::kReverse, [](F f) -> F { return [f](Array x) { return grad(f)(x); }; }},
      {"jvp", Kind::kForward, [](F f) -> F { return [f](Array x) { return jvp(f, x, Array(1.0)).second; }; }},
      {"vmap", Kind::kSame,
       [](F f) -> F {
         return [f](Array x) { return np::sum(vmap(f)(x * np::array({1.0, 1.25})) * np::array({1.0, 0.0})); };
       }},
      {"linearize+transpose", Kind::kReverse,
       [](F f) -> F {
         return [f](Array x) {
           const auto linear = linearize(f, x).second;
           const F push = [&](Array t) { return linear(t); };
           return std::get<0>(linear_transpose(push, Array(1.0))(Array(1.0)));
         };
       }},
      {"checkpoint", Kind::kSame, [](F f) -> F { return [f](Array x) { return checkpoint(f)(x); }; }},
      {"custom_jvp", Kind::kForwardRule,
       [](F f) -> F {
         return [f](Array x) { return custom_jvp(f, [f](Array a, Array da) { return jvp(f, a, da); })(x); };
       }},
      {"custom_vjp", Kind::kReverseRule,
       [](F f) -> F {
         return [f](Array x) {
           return custom_vjp(
               f, [f](Array a) { return std::pair(f(a), a); }, [f](Array a, Array ct) { return grad(f)(a) * ct; })(x);
         };
       }},
      // The branch that is not taken has no value, nor derivative, at any x.
      {"cond", Kind::kSame,
       [](F f) -> F {
         const F other = [](Array a) { return np::sqrt(a - 100.0) + np::log(0.0 * a); };
         return [f, other](Array x) { return cond(x > 0.0, f, other, x); };
       }},
      {"scan", Kind::kSame,
       [](F f) -> F {
         return [f](Array x) {
           // Of what is scanned over, and of what is captured.
           const auto step = [=](Array sum, Array a) { return std::pair(sum + f(a) + f(x), std::tuple<>()); };
           return 0.5 * scan(step, Array(0.0), np::reshape(x, {1})).first;
         };
       }},
  };
  return all;
}

// custom_vjp without a jvp rule refuses forward mode: whether that is asked of it, also by a jvp rule that is jvp.
bool asks_forward_mode(const std::vector<const Transformation*>& from_inside) {
  bool refuses = false, rule_asks = false;
  for (const Transformation* t : from_inside) {
    if (t->kind == Kind::kForward && (refuses || rule_asks)) return true;
    if (t->kind == Kind::kReverse && rule_asks) return true;
    if (t->kind == Kind::kReverse) refuses = false;
    if (t->kind == Kind::kForwardRule && refuses) rule_asks = true;
    if (t->kind == Kind::kForwardRule) refuses = false;
    if (t->kind == Kind::kReverseRule) refuses = true;
  }
  return false;
}

void check(const Function& function, const std::vector<const Transformation*>& from_inside) {
  F f = function.f;
  int order = 0;
  std::string name = function.name;
  for (const Transformation* t : from_inside) {
    f = t->of(f);
    order += t->kind == Kind::kForward || t->kind == Kind::kReverse;
    name = std::string(t->name) + "(" + name + ")";
  }
  const bool refused = asks_forward_mode(from_inside);
  try {
    const double got = f(Array(kAt)).item<double>(), want = function.derivative(order, kAt);
    EXPECT_FALSE(refused) << name;
    EXPECT_NEAR(got, want, 1e-9 * std::max(1.0, std::abs(want))) << name;
  } catch (const NotDifferentiableError& e) {
    EXPECT_TRUE(refused && e.message().starts_with("custom_vjp: forward mode")) << name << ": " << e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << name << ": " << e.what();
  }
}

// One test per outermost transformation, so that they may run beside each other.
class composition : public ::testing::TestWithParam<std::size_t> {};

TEST_P(composition, of_depth_three_has_the_value_in_closed_form) {
  const auto& all = transformations();
  for (const Transformation& inner : all)
    for (const Transformation& middle : all)
      for (const Function& f : functions()) check(f, {&inner, &middle, &all[GetParam()]});
}

INSTANTIATE_TEST_SUITE_P(transformations, composition, ::testing::Range(std::size_t{0}, transformations().size()),
                         [](const auto& info) {
                           std::string name = transformations()[info.param].name;
                           for (char& c : name) c = c == '+' ? '_' : c;
                           return name;
                         });

TEST(compositions, the_set_is_whole) { EXPECT_EQ(transformations().size(), 10u); }

}  // namespace
}  // namespace weft

// What happens to traced values that go astray: leaks, threads, none.
#include "weft/core/trace.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "weft/weft.h"

namespace weft {
namespace {

template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(trace, a_value_that_outlived_its_transformation_is_refused_with_its_line) {
  Array leaked;
  jit([&](Array x) {
    leaked = np::sin(x);
    return x;
  })(1.0f);
  const std::string what = message_of<LeakError>([&] { leaked + 1.0f; });
  EXPECT_EQ(
      what.rfind("add: operands must belong to a running transformation; got f32[] made by sin at trace_test.cc:", 0),
      0u)
      << what;
  EXPECT_NE(what.find("trace_test.cc:"), std::string::npos) << what;
  EXPECT_NE(what.find("jit(f)"), std::string::npos) << what;
  EXPECT_NE(what.find("hint: return the value from the function"), std::string::npos) << what;
  // Asking for its numbers is refused as well, and everything goes on working.
  EXPECT_THROW(leaked.item<float>(), LeakError);
  EXPECT_EQ((Array(1.0f) + 1.0f).item<float>(), 2.0f);
}

TEST(trace, leaks_of_every_transformation_are_refused) {
  Array leaked;
  const auto keep = [&](Array x) {
    leaked = x * 2;
    return np::sum(leaked);
  };
  grad(keep)(1.0);
  EXPECT_THROW(leaked + 1, LeakError);
  vmap(keep)(np::ones({3}));
  EXPECT_THROW(leaked + 1, LeakError);
  jvp(keep, 1.0, 1.0);
  EXPECT_THROW(leaked + 1, LeakError);
  make_jaxpr(keep)(1.0);
  EXPECT_THROW(leaked + 1, LeakError);
  // Also when it is used inside another transformation.
  EXPECT_THROW(grad([&](Array x) { return x * leaked; })(1.0), LeakError);
}

TEST(trace, checking_leaks_lists_every_line_that_made_one) {
  std::vector<Array> kept;
  const CheckLeaks check;
  const std::string what = message_of<LeakError>([&] {
    jit([&](Array x) {
      kept.push_back(np::sin(x));
      kept.push_back(np::cos(x));
      return x;
    })(1.0f);
  });
  EXPECT_NE(what.find("2 of jit(f)"), std::string::npos) << what;
  EXPECT_NE(what.find("leaked f32[] made by sin at trace_test.cc:"), std::string::npos) << what;
  kept.clear();
  // No false alarms: results, captured values and nested transformations are not leaks.
  const Array w(2.0);
  const auto f = [&](Array x) { return np::sum(jit([&](Array y) { return y * x * w; })(x)); };
  EXPECT_EQ(jit(grad(f))(3.0).item<double>(), 12.0);
  EXPECT_EQ(vmap(grad(f))(np::array({1.0, 2.0})).to_vector<double>(), (std::vector<double>{4, 8}));
  EXPECT_EQ(hessian(f)(3.0).item<double>(), 4.0);
}

TEST(trace, a_traced_value_belongs_to_one_thread) {
  std::string what;
  grad([&](Array x) {
    std::thread([&] { what = message_of<LeakError>([&] { x * 2; }); }).join();
    return x;
  })(1.0);
  EXPECT_NE(what.find("operands must belong to a transformation of this thread; got f64[], an argument of grad(f)"),
            std::string::npos)
      << what;
  EXPECT_NE(what.find("grad(f)"), std::string::npos) << what;
}

TEST(trace, threads_transform_independently) {
  const auto f = jit(grad([](Array x) { return np::sum(np::sin(x) * x); }));
  std::vector<std::thread> threads;
  std::vector<double> results(8);
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) results[i] = f(static_cast<double>(i)).item<double>();
    });
  for (auto& t : threads) t.join();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const double x = static_cast<double>(i);
    EXPECT_NEAR(results[i], std::sin(x) + x * std::cos(x), 1e-12);
  }
}

TEST(trace, none_is_refused_as_an_operand) {
  const std::string what = message_of<ValueError>([] { np::sin(Array()); });
  EXPECT_NE(what.find("none"), std::string::npos) << what;
}

TEST(trace, an_error_inside_a_transformation_leaves_no_trace_current) {
  EXPECT_THROW(jit([](Array x) { return x + np::ones({3}); })(np::ones({4})), ShapeError);
  EXPECT_TRUE(evaluating());
  EXPECT_THROW(grad([](Array) -> Array { throw std::runtime_error("mine"); })(1.0), std::runtime_error);
  EXPECT_TRUE(evaluating());
  EXPECT_EQ((Array(1.0f) + 1.0f).item<float>(), 2.0f);
}

TEST(trace, errors_name_the_users_line_and_what_was_traced) {
  const std::string what = message_of<ShapeError>(
      [] { jit([](Array x) { return np::exp(x) + np::ones({3}); }, {.name = "step"})(np::ones({4})); });
  EXPECT_NE(what.find("add: shapes must broadcast; got f32[4] and f32[3]."), std::string::npos) << what;
  EXPECT_NE(what.find("\n  at trace_test.cc:"), std::string::npos) << what;
  EXPECT_NE(what.find("\n  while tracing jit(step) at trace_test.cc:"), std::string::npos) << what;
}

TEST(deep_chains, a_million_operations_are_traced_transformed_and_released) {
  const auto chain = [](Array x) {
    for (int i = 0; i < 1000000; ++i) x = -x;
    return x;
  };
  const Jaxpr jaxpr = make_jaxpr(chain)(1.0f);
  EXPECT_EQ(jaxpr.eqns().size(), 1000000u);
  EXPECT_EQ(jit(chain)(1.5f).item<float>(), 1.5f);
  EXPECT_EQ(grad(chain)(1.5f).item<float>(), 1.0f);
  EXPECT_EQ(chain(Array(1.5f)).item<float>(), 1.5f);
}

TEST(trace, a_dead_value_is_refused_even_by_the_identity) {
  Array leaked;
  jit([&](Array x) {
    leaked = x * 2;
    return x;
  })(np::ones({2}));
  const auto identity = [](Array a) { return a; };
  EXPECT_THROW(vmap(identity)(leaked), LeakError);
  EXPECT_THROW(jvp(identity, leaked, np::ones({2})), LeakError);
  EXPECT_THROW(jvp(identity, np::ones({2}), leaked), LeakError);
}

TEST(trace, values_of_another_thread_cannot_be_read) {
  grad([](Array x) {
    std::thread([&] { EXPECT_THROW(x.item<float>(), LeakError); }).join();
    return x * x;
  })(1.0f);
}

TEST(trace, errors_name_the_argument_by_its_path) {
  struct Params {
    Array w, b;
  };
  const std::string what = message_of<ConcretizationError>([] {
    jit([](std::vector<Params> p) {
      if (p[1].b) return p[0].w;
      return p[0].b;
    })(std::vector<Params>(2, Params{Array(1.0f), Array(2.0f)}));
  });
  EXPECT_NE(what.find("argument args[0][1].b of jit(f)"), std::string::npos) << what;
}

}  // namespace
}  // namespace weft

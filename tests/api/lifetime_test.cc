// What programs hold ends with them: executables, and what is memoised with programs, keep none alive.
#include <gtest/gtest.h>

#include <memory>

#include "weft/api/compile.h"
#include "weft/weft.h"

namespace weft {
namespace {

// Whether nothing of a function of the host remains once `use(function)` and its results are gone. The function is a
// parameter of the programs that call it.
template <class Use>
bool ends(Use&& use) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = held;
  use(pure_callback([held = std::move(held)](Array x) { return x; }, abstract(f32, {3})));
  return watch.expired();
}

TEST(lifetime, of_jitted_programs_ends_with_the_function) {
  EXPECT_TRUE(ends([](const auto& host) { jit([&](Array x) { return host(x) + 1.0f; })(np::ones({3})); }));
  EXPECT_TRUE(ends([](const auto& host) {
    jit([&](Array x) { return host(x) + 1.0f; }, {.effort = Effort::kNone})(np::ones({3}));
  }));
  EXPECT_TRUE(ends([](const auto& host) { jit(jit([&](Array x) { return host(x); }))(np::ones({3})); }));
  EXPECT_TRUE(ends([](const auto& host) { vmap(jit([&](Array x) { return host(x); }))(np::ones({2, 3})); }));
  EXPECT_TRUE(ends([](const auto& host) { compile([&](Array x) { return host(x); }, abstract(f32, {3})); }));
}

TEST(lifetime, of_loops_and_branches_that_run_at_once_ends_with_them) {
  EXPECT_TRUE(ends([](const auto& host) { fori_loop(0, 2, [&](Array, Array x) { return host(x); }, np::ones({3})); }));
  EXPECT_TRUE(ends([](const auto& host) {
    while_loop([](Array x) { return np::sum(x) < 5.0f; }, [&](Array x) { return host(x) + 1.0f; }, np::ones({3}));
  }));
  EXPECT_TRUE(ends([](const auto& host) {
    cond(np::sum(np::ones({3})) > 0.0f, [&](Array x) { return host(x); }, [](Array x) { return -x; }, np::ones({3}));
  }));
  EXPECT_TRUE(ends([](const auto& host) {
    jit([&](Array y) { return fori_loop(0, 2, [&](Array, Array x) { return host(x); }, y); })(np::ones({3}));
  }));
}

TEST(lifetime, of_derivatives_ends_with_them) {
  // The callback has a constant for its operand, so that nothing is differentiated through it.
  const auto loss = [](const auto& host, const Array& x) {
    return np::sum(fori_loop(0, 2, [&](Array, Array c) { return np::sin(c) * host(np::ones({3})); }, x));
  };
  EXPECT_TRUE(ends([&](const auto& host) { grad([&](Array x) { return loss(host, x); })(np::ones({3})); }));
  EXPECT_TRUE(ends([&](const auto& host) { jit(grad([&](Array x) { return loss(host, x); }))(np::ones({3})); }));
  EXPECT_TRUE(ends([&](const auto& host) { grad(jit([&](Array x) { return loss(host, x); }))(np::ones({3})); }));
  EXPECT_TRUE(ends(
      [&](const auto& host) { vmap(grad(checkpoint([&](Array x) { return loss(host, x); })))(np::ones({2, 3})); }));
}

}  // namespace
}  // namespace weft

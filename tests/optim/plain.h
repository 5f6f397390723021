// Optimisers in plain C++, as something independent to compare with: doubles in vectors, one loop per formula.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "optim/transformation.h"
#include "weft/weft.h"

namespace weft::optim::plain {

/// A leaf in row-major order.
struct Leaf {
  std::vector<std::int64_t> shape;
  std::vector<double> x;
  std::size_t size() const { return x.size(); }
};
using Tree = std::vector<Leaf>;

/// A tree with a struct, a map and a list; leaves of none to three axes.
struct Params {
  Array w;
  std::map<std::string, Array> norm;
  std::vector<Array> more;
};

inline Tree random_tree(unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  Tree tree{{{3, 4}, {}}, {{4}, {}}, {{4}, {}}, {{2, 3, 2}, {}}, {{}, {}}};
  for (Leaf& leaf : tree) {
    std::int64_t n = 1;
    for (const std::int64_t d : leaf.shape) n *= d;
    // Numbers of f32, so that both precisions begin with the same.
    for (std::int64_t i = 0; i < n; ++i) leaf.x.push_back(static_cast<float>(normal(engine)));
  }
  return tree;
}

inline Params to_params(const Tree& tree, DType dtype) {
  const auto array = [&](std::size_t i) { return Array::from_vector(tree[i].x, Shape(tree[i].shape)).astype(dtype); };
  return {array(0), {{"bias", array(1)}, {"scale", array(2)}}, {array(3), array(4)}};
}

inline double largest(const Tree& tree) {
  double r = 0;
  for (const Leaf& leaf : tree)
    for (const double v : leaf.x) r = std::max(r, std::abs(v));
  return r;
}

/// Each element within `tolerance` of the largest in the plain tree, which counts as `least` at least.
inline void expect_close(const Params& got, const Tree& want, double tolerance, double least, const std::string& what) {
  const Arrays leaves = tree::leaves(got);
  ASSERT_EQ(leaves.size(), want.size()) << what;
  const double scale = std::max(largest(want), least);
  for (std::size_t i = 0; i < want.size(); ++i) {
    const std::vector<double> x = leaves[i].astype(f64).to_vector<double>();
    ASSERT_EQ(x.size(), want[i].size()) << what;
    for (std::size_t j = 0; j < x.size(); ++j)
      ASSERT_NEAR(x[j], want[i].x[j], tolerance * scale) << what << ", leaf " << i << ", element " << j;
  }
}

/// Makes updates of gradients, in place; t counts from 1, `value` is the loss. Keeps its state itself.
using Rule = std::function<void(Tree& u, const Tree& p, int t, double value)>;

/// A rule for each element by itself: u = f(g, p, state, t), with kStates numbers of state that begin as `first`.
template <std::size_t kStates, class F>
Rule each(F f, std::array<double, kStates> first = {}) {
  return [f, first, all = std::vector<std::vector<std::array<double, kStates>>>()](Tree& u, const Tree& p, int t,
                                                                                   double) mutable {
    if (t == 1) {
      all.clear();
      for (const Leaf& leaf : u) all.emplace_back(leaf.size(), first);
    }
    for (std::size_t i = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < u[i].size(); ++j) u[i].x[j] = f(u[i].x[j], p[i].x[j], all[i][j].data(), t);
  };
}

inline double norm(const Leaf& leaf) {
  double s = 0;
  for (const double v : leaf.x) s += v * v;
  return std::sqrt(s);
}
inline double rms(const Leaf& leaf) { return norm(leaf) / std::sqrt(static_cast<double>(leaf.size())); }
inline double squared_norm(const Tree& t) {
  double s = 0;
  for (const Leaf& leaf : t) s += norm(leaf) * norm(leaf);
  return s;
}
inline double dot(const Tree& a, const Tree& b) {
  double s = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j) s += a[i].x[j] * b[i].x[j];
  return s;
}
/// x + scale y.
inline Tree add(Tree x, double scale, const Tree& y) {
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < x[i].size(); ++j) x[i].x[j] += scale * y[i].x[j];
  return x;
}
inline Tree times(double scale, Tree x) {
  for (Leaf& leaf : x)
    for (double& v : leaf.x) v *= scale;
  return x;
}
inline void scale_leaf(Leaf& leaf, double scale) {
  for (double& v : leaf.x) v *= scale;
}

struct Steps {
  int count = 4;
  double f64_tolerance = 1e-10, f32_tolerance = 1e-4;
  double least = 1e-12;  // size of updates below which they are rounding
};

/// The optimiser does what the rule does, in f64 and, as one compiled program for all steps, in f32; and compiled or
/// not is the same.
template <class T>
void expect_follows(const T& opt, const Rule& rule, Steps steps = {}) {
  const auto gradient = [](int t) { return random_tree(static_cast<unsigned>(100 + t)); };
  const auto loss = [](int t) { return 1.0 + 1.0 / t; };
  const auto eager = [&](Params g, auto state, Params p, Array value) {
    return opt.update(g, state, p, {.value = value});
  };
  const auto run = [&](DType dtype, double tolerance, auto&& update, const char* how) {
    Tree plain = random_tree(1);
    Rule reference = rule;
    Params p = to_params(plain, dtype);
    auto state = opt.init(p);
    std::vector<Params> all;
    for (int t = 1; t <= steps.count; ++t) {
      Tree u = gradient(t);
      auto [updates, next] = update(to_params(u, dtype), state, p, Array::full({}, dtype, loss(t)));
      reference(u, plain, t, loss(t));
      expect_close(updates, u, tolerance, steps.least, std::string(how) + ", step " + std::to_string(t));
      if (::testing::Test::HasFatalFailure()) return all;
      state = std::move(next);
      p = apply_updates(p, updates);
      plain = add(plain, 1, u);
      all.push_back(updates);
    }
    return all;
  };
  run(f64, steps.f64_tolerance, eager, "f64");
  if (::testing::Test::HasFatalFailure()) return;
  const auto plainly = run(f32, steps.f32_tolerance, eager, "f32");
  const auto compiled = jit([&opt](Params g, decltype(opt.init(Params())) state, Params p, Array value) {
    return opt.update(g, state, p, {.value = value});
  });
  const auto compiled_ones = run(f32, steps.f32_tolerance, compiled, "jit");
  EXPECT_EQ(compiled.cache_size(), 1u) << "the state's types change from step to step";
  ASSERT_EQ(plainly.size(), compiled_ones.size());
  for (std::size_t t = 0; t < plainly.size(); ++t) {
    const Arrays a = tree::leaves(plainly[t]), b = tree::leaves(compiled_ones[t]);
    for (std::size_t i = 0; i < a.size(); ++i)
      EXPECT_TRUE(np::allclose(a[i], b[i], 2e-5, 1e-6).item<bool>()) << "jit, step " << t + 1 << ", leaf " << i;
  }
}

}  // namespace weft::optim::plain

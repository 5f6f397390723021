// How layers are tested: against plain loops over doubles, by central differences, under jit, and by what they make.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "harness/errors.h"
#include "nn/module.h"
#include "weft/weft.h"

namespace weft::nn::testing {

using weft::testing::error_of;
using Doubles = std::vector<double>;
using Texts = std::vector<std::string>;

/// Numbers between lo and hi.
inline Array draw(const np::Shape& shape, unsigned seed, DType t = f64, double lo = -1, double hi = 1) {
  std::mt19937 source(seed);
  std::uniform_real_distribution<double> number(lo, hi);
  Doubles values(static_cast<std::size_t>(product(shape.dims())));
  for (double& v : values) v = number(source);
  return Array::from_vector(values, shape).astype(t);
}
inline Doubles values(const Array& x) { return x.astype(f64).to_vector<double>(); }

/// Whether all elements are within tolerance (1 + |want|), or both are NaN.
inline ::testing::AssertionResult near(const Array& got, const Doubles& want, double tolerance = 1e-12) {
  const Doubles v = values(got);
  if (v.size() != want.size())
    return ::testing::AssertionFailure() << "there must be " << want.size() << " elements; got " << got.aval().str();
  for (std::size_t i = 0; i < v.size(); ++i)
    if (!(std::abs(v[i] - want[i]) <= tolerance * (1 + std::abs(want[i]))) && v[i] != want[i] &&
        !(std::isnan(v[i]) && std::isnan(want[i])))
      return ::testing::AssertionFailure() << "element " << i << " must be " << want[i] << "; got " << v[i];
  return ::testing::AssertionSuccess();
}
inline ::testing::AssertionResult near(const Array& got, const Array& want, double tolerance = 1e-12) {
  if (got.shape() != want.shape())
    return ::testing::AssertionFailure() << "the shape must be " << want.shape() << "; got " << got.shape();
  return near(got, values(want), tolerance);
}

/// "params/kernel f32[2,3]" of every variable.
inline Texts types(const Variables& v) {
  Texts r;
  for (const auto& [name, collection] : v)
    for (const auto& [path, value] : collection) r.push_back(name + "/" + path + " " + value.aval().str());
  return r;
}

/// Variables of the same types with other elements: also where they begin as zeros.
inline Variables drawn(Variables v, unsigned seed = 1, double lo = -1, double hi = 1) {
  tree::for_each(v, [&](Array& a) { a = draw(a.shape(), ++seed, a.dtype(), lo, hi); });
  return v;
}

/// A number that every element of the arrays of a result changes.
template <class T>
Array loss_of(const T& result) {
  Array sum = Array(0.0);
  unsigned seed = 77;
  tree::for_each(result, [&](const Array& a) {
    if (is_float(a.dtype())) sum = sum + np::sum(a.astype(f64) * draw(a.shape(), ++seed));
  });
  return sum;
}

/// That the gradient of f, a function of a tree of f64, is what central differences say.
template <class F, class T>
void expect_gradient(const F& f, const T& at, double h = 1e-6, double tolerance = 1e-7) {
  const Arrays got = tree::leaves(grad(f)(at)), leaves = tree::leaves(at);
  ASSERT_EQ(got.size(), leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const Doubles x = values(leaves[i]);
    Doubles slopes;
    for (std::size_t j = 0; j < x.size(); ++j) {
      const auto moved = [&](double by) {
        Doubles other = x;
        other[j] += by;
        Arrays all = leaves;
        all[i] = Array::from_vector(other, leaves[i].shape());
        return f(tree::with_leaves(at, all)).template item<double>();
      };
      slopes.push_back((moved(h) - moved(-h)) / (2 * h));
    }
    EXPECT_TRUE(near(got[i], slopes, tolerance)) << "of " << tree::leaves_with_path(at)[i].first;
  }
}

/// That a layer of f64 has right gradients by all parameters and arguments, and does the same under jit.
template <class M, class... A>
void expect_layer(const M& layer, const Variables& v, const A&... args) {
  const auto f = [&](const std::pair<Collection, std::tuple<A...>>& at) {
    Variables all = v;
    if (!at.first.empty()) all["params"] = at.first;
    return std::apply([&](const A&... a) { return loss_of(layer.apply(all, a...)); }, at.second);
  };
  const std::pair at(v.contains("params") ? v.at("params") : Collection(), std::tuple<A...>(args...));
  expect_gradient(f, at);
  const auto program = weft::jit([&](const Variables& w, const A&... a) { return layer.apply(w, a...); });
  const Arrays got = tree::leaves(program(v, args...)), want = tree::leaves(layer.apply(v, args...));
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(near(got[i], want[i]));
}

/// That init gives the same bits for the same key, and others for another.
template <class M, class... A>
void expect_same_bits(const M& layer, const A&... args) {
  const Variables a = layer.init(random::key(3), args...), b = layer.init(random::key(3), args...),
                  c = layer.init(random::key(4), args...);
  ASSERT_EQ(types(a), types(b));
  ASSERT_EQ(types(a), types(c));
  const Arrays x = tree::leaves(a), y = tree::leaves(b), z = tree::leaves(c);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_TRUE(np::array_equal(x[i], y[i]).item<bool>());
    // All elements differ, or all are the constant of an initialiser without a key.
    EXPECT_TRUE(np::array_equal(x[i], z[i]).item<bool>() ? np::all(x[i] == np::ravel(x[i])(0)).item<bool>()
                                                         : !np::any(x[i] == z[i]).item<bool>())
        << tree::leaves_with_path(a)[i].first;
  }
}

}  // namespace weft::nn::testing

// Patterns found in programs, against the entries of dense Jacobians that are not zero: exact where the structure can
// be told, never too small where it cannot.
#include <gtest/gtest.h>

#include "harness/convolutions.h"
#include "weft/transforms/sparsity.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Entries = std::vector<SparsityPattern::Entry>;

// Distinct numbers that are no special points of anything.
Array numbers(const Shape& shape, DType dtype = f64) {
  const Array zero = np::zeros(shape, f64);
  const Array i = np::reshape(np::arange(zero.size()).astype(f64), zero.shape());
  return (np::sin(i * 2.399 + 0.7) * 0.9 + 0.01 * i).astype(dtype);
}

template <class F>
SparsityPattern dense_pattern(const F& f, const Array& x) {
  const Array j = jacfwd(f)(x);
  return SparsityPattern(np::reshape(j, {j.size() / std::max<std::int64_t>(x.size(), 1), x.size()}));
}

template <class F>
void expect_exact(const F& f, const Array& x) {
  EXPECT_EQ(jacobian_sparsity(f)(x), dense_pattern(f, x)) << jacobian_sparsity(f)(x) << "\nbut the derivative is\n"
                                                          << dense_pattern(f, x);
}

template <class F>
void expect_covers(const F& f, const Array& x, std::int64_t entries) {
  const SparsityPattern found = jacobian_sparsity(f)(x), needed = dense_pattern(f, x);
  for (std::int64_t i = 0; i < needed.rows(); ++i)
    for (const std::int64_t j : needed.row(i)) EXPECT_TRUE(found.contains(i, j)) << i << " " << j;
  EXPECT_EQ(found.nnz(), entries) << found;
}

TEST(jacobian_sparsity, of_elementwise_functions_is_diagonal) {
  const Array x = numbers({5});
  expect_exact([](Array v) { return np::sin(v) * v + np::exp(v) / 3 - np::maximum(v, 0.1); }, x);
  expect_exact([](Array v) { return np::power(np::abs(v), 1.5); }, x);
  EXPECT_EQ(jacobian_sparsity([](Array v) { return np::tanh(v) * v; })(x), SparsityPattern::banded(5, 0, 0));
}

TEST(jacobian_sparsity, what_has_no_derivative_has_no_entry) {
  const Array x = numbers({4});
  EXPECT_EQ(jacobian_sparsity([](Array v) { return np::floor(v) + np::sign(v); })(x).nnz(), 0);
  EXPECT_EQ(jacobian_sparsity([](Array v) { return stop_gradient(v) * 2; })(x).nnz(), 0);
  EXPECT_EQ(jacobian_sparsity([](Array v) { return v.astype(i32).astype(f64); })(x).nnz(), 0);
  EXPECT_EQ(jacobian_sparsity([](Array) { return np::ones({3}); })(x), SparsityPattern(3, 4, {}));
  EXPECT_EQ(jacobian_sparsity([](Array v) { return v * 0.0; })(x).nnz(), 0);
}

TEST(jacobian_sparsity, follows_elements_that_move) {
  const Array x = numbers({3, 4});
  expect_exact([](Array v) { return v.T(); }, x);
  expect_exact([](Array v) { return np::reshape(v, {2, 6})(1, slice({}, {}, -2)); }, x);
  expect_exact([](Array v) { return np::roll(v, 1, 0) - 2 * v + np::roll(v, -1, 1); }, x);
  expect_exact([](Array v) { return np::flip(v) + np::roll(v, 5); }, x);
  expect_exact([](Array v) { return np::concatenate({v, v(slice(0, 1)) * 2}); }, x);
  expect_exact([](Array v) { return np::pad(v, 1); }, x);
  expect_exact([](Array v) { return np::broadcast_to(v(slice(), 1), {2, 3}); }, x);
  expect_exact([](Array v) { return lax::split(v, Dims{1, 3}, 1)[1]; }, x);
  expect_exact([](Array v) { return np::where(np::tri(3, 4) > 0, v, 2 * np::roll(v, 1)); }, x);
  expect_exact([](Array v) { return lax::complex(v, np::roll(v, 1)); }, x);
}

TEST(jacobian_sparsity, follows_constant_indices) {
  const Array x = numbers({6}), i = np::array({4, 0, 4, 2});
  expect_exact([&](Array v) { return v(i) * v(0); }, x);
  expect_exact([&](Array v) { return np::take(v, np::array({1, 99, -1})); }, x);
  expect_exact([&](Array v) { return v.at(i).set(np::roll(v, 1)(slice(0, 4)), IndexMode::kFillOrDrop); }, x);
  expect_exact([&](Array v) { return v.at(i).add(v(slice(1, 5)) * 2); }, x);
  expect_exact([&](Array v) { return np::zeros({3}, f64).at(np::array({0, 9, 0, 2})).add(v(slice(0, 4))); }, x);
  expect_exact([&](Array v) { return v.at(np::array({1, 1})).multiply(v(slice(2, 4))); }, x);
  expect_exact([&](Array v) { return np::reshape(v, {2, 3})(np::array({1, 0}), np::array({2, 2})); }, x);
  expect_exact([](Array v) { return lax::dynamic_slice(v, Arrays{Array(2)}, Dims{3}); }, x);
  expect_exact([](Array v) { return lax::dynamic_update_slice(v, v(slice(4, 6)) * 2, Arrays{Array(1)}); }, x);
}

TEST(jacobian_sparsity, indices_that_are_arguments_are_known_when_they_have_values) {
  const Array x = numbers({6}), i = np::array({4, 0});
  const auto f = [](Array v, Array at) { return v(at) * v(at + 1); };
  EXPECT_EQ(jacobian_sparsity(f)(x, i), SparsityPattern(2, 6, {{0, 4}, {0, 5}, {1, 0}, {1, 1}}));
  EXPECT_EQ(jacobian_sparsity(f)(x, abstract(i32, {2})), SparsityPattern::dense(2, 6));
  EXPECT_EQ(jacobian_sparsity(f)(abstract(f64, {6}), i).nnz(), 4);
}

TEST(jacobian_sparsity, unknown_indices_mix_only_the_axes_they_index) {
  const Array x = numbers({3, 4});
  expect_covers(vmap([](Array row) { return row(np::argmax(row)); }), x, 12);
  // Here the indices of rows are made into one array with the unknown ones.
  expect_covers([](Array v) { return np::take_along_axis(v, np::argmax(v, 1, true), 1); }, x, 36);
  expect_covers([](Array v) { return v(slice(), np::argmax(v(0))); }, x, 12);
  expect_covers([](Array v) { return v.at(slice(), np::argmax(v(0))).set(v(slice(), 0) * 3); }, x, 12 * 4);
}

TEST(jacobian_sparsity, sums_depend_on_what_they_add) {
  const Array x = numbers({3, 4});
  expect_exact([](Array v) { return np::sum(v, 0); }, x);
  expect_exact([](Array v) { return v / np::sum(v, 1, true); }, x);
  expect_exact([](Array v) { return np::cumsum(v, 1); }, x);
  expect_exact([](Array v) { return lax::cumsum(v, 0, true); }, x);
  expect_exact([](Array v) { return np::prod(v, 1); }, x);
  expect_exact([](Array v) { return np::logsumexp(v, 0); }, x);
  expect_covers([](Array v) { return np::max(v, 1); }, x, 12);
  expect_covers([](Array v) { return np::sort(v, 1); }, x, 48);
  expect_covers([](Array v) { return np::real(lax::fft(lax::complex(v, v), FftType::kFft, Dims{4})); }, x, 48);
}

TEST(jacobian_sparsity, products_with_known_zeros_have_holes) {
  const Array x = numbers({5});
  const Array band = np::tri(5, 5, 1, f64) - np::tri(5, 5, -2, f64);
  EXPECT_EQ(jacobian_sparsity([&](Array v) { return np::matmul(band, v); })(x), SparsityPattern::banded(5, 1, 1));
  EXPECT_EQ(jacobian_sparsity([&](Array v) { return np::matmul(v, np::triu(band)); })(x),
            SparsityPattern::banded(5, 1, 0));
  expect_exact([&](Array v) { return np::matmul(band, np::reshape(v, {5, 1}) * np::ones({1, 2}, f64)); }, x);
  expect_exact([&](Array v) { return np::sin(v) * np::array({1.0, 0.0, 2.0, 0.0, 3.0}); }, x);
  expect_exact(
      [&](Array v) {
        return np::einsum("bi,bij->bj", np::reshape(v(slice(0, 4)), {2, 2}),
                          np::stack({np::eye(2, {}, 0, f64), np::tri(2, 2, 0, f64)}));
      },
      x);
  expect_exact([](Array v) { return np::matmul(np::reshape(v, {5, 1}), np::reshape(v, {1, 5})); }, x);
  // An imaginary factor is not zero.
  const Array imaginary = lax::complex(np::zeros({5}, f64), np::array({1.0, 0.0, 1.0, 0.0, 1.0}));
  expect_exact([&](Array v) { return lax::complex(v, v) * imaginary; }, x);
  // Under jit the matrix is not known.
  const auto of_both = [](Array v, Array m) { return np::matmul(m, v); };
  EXPECT_EQ(jacobian_sparsity(of_both)(x, band).nnz(), 13);
  EXPECT_EQ(jacobian_sparsity(of_both)(x, abstract(f64, {5, 5})).nnz(), 25);
}

TEST(jacobian_sparsity, of_windows_is_what_they_see) {
  const Array x = numbers({1, 5, 6, 1});
  const Array laplace = np::reshape(np::array({0.0, 1.0, 0.0, 1.0, -4.0, 1.0, 0.0, 1.0, 0.0}), {3, 3, 1, 1});
  const auto convolve = [&](ConvolutionParams p, Array kernel) {
    p.dimension_numbers = testing::nhwc_hwio();
    return [=](Array v) { return lax::convolution(v, kernel, p); };
  };
  expect_exact(convolve({.padding_low = {1, 1}, .padding_high = {1, 1}}, laplace), x);
  expect_exact(
      convolve({.window_strides = {2, 1}, .padding_low = {0, 2}, .padding_high = {-1, 0}, .rhs_dilation = {1, 2}},
               laplace + 1),
      x);
  expect_exact(convolve({.padding_low = {1, 0}, .padding_high = {0, 1}, .lhs_dilation = {2, 3}, .reversed = {1}},
                        np::reshape(np::array({1.0, 0.0, 2.0, 3.0}), {2, 2, 1, 1})),
               x);
  // Two groups of features, of which the kernel uses some.
  const Array channels = numbers({1, 4, 3, 4});
  ConvolutionParams grouped{.feature_group_count = 2};
  expect_exact(convolve(grouped, np::reshape(np::array({1.0, 0.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0}), {1, 1, 2, 4})),
               channels);
  const Window pooled{.dimensions = {1, 2, 3, 1}, .strides = {1, 2, 1, 1}, .padding_low = {0, 1, 0, 0}};
  expect_exact([&](Array v) { return lax::reduce_window(v, ReduceKind::kSum, pooled); }, x);
  expect_covers([&](Array v) { return lax::reduce_window(v, ReduceKind::kMax, pooled); }, x, 3 * 4 * 6 - 4 * 3);
}

TEST(jacobian_sparsity, of_batched_functions_is_block_diagonal) {
  const Array x = numbers({3, 2});
  const auto f = [](Array v) { return np::stack({v(0) * v(1), np::sin(v(1))}); };
  expect_exact(vmap(f), x);
  const Array m = numbers({3, 2, 2}) + 3 * np::eye(2, {}, 0, f64);
  expect_covers(
      [&](Array v) {
        return vmap([](Array a, Array b) { return lax::triangular_solve(a, b, {}); })(m, np::reshape(v, {3, 2, 1}));
      },
      x, 12);
}

// ---- programs inside ----

TEST(jacobian_sparsity, looks_into_calls_checkpoints_and_custom_rules) {
  const Array x = numbers({5});
  const auto stencil = [](Array v) { return v * np::roll(v, 1); };
  const SparsityPattern expected = dense_pattern(stencil, x);
  EXPECT_EQ(jacobian_sparsity(jit(stencil))(x), expected);
  EXPECT_EQ(jacobian_sparsity(checkpoint(stencil))(x), expected);
  EXPECT_EQ(jacobian_sparsity(grad([&](Array v) { return np::sum(checkpoint(stencil)(v)); }))(x),
            dense_pattern(grad([&](Array v) { return np::sum(stencil(v)); }), x));
  const Array i = np::array({3, 1, 0});
  expect_exact([&](Array v) { return jit([&](Array w) { return w(i - 1) * 2; })(np::sin(v)); }, x);
  expect_exact([&](Array v) { return jit([](Array w, Array at) { return w(at) * w(at + 1); })(np::sin(v), i); }, x);
  // The rule counts, not the function.
  const auto through =
      custom_jvp([](Array v) { return np::round(v); }, [](Array v, Array t) { return std::pair(np::round(v), t); });
  EXPECT_EQ(jacobian_sparsity([&](Array v) { return through(v) * 2; })(x), SparsityPattern::banded(5, 0, 0));
}

TEST(jacobian_sparsity, of_functions_with_only_a_backward_rule_comes_from_the_transpose) {
  const Array x = numbers({5});
  const auto f =
      custom_vjp([](Array v) { return v * np::roll(v, 1); }, [](Array v) { return std::pair(v * np::roll(v, 1), v); },
                 [](Array v, Array ct) { return ct * np::roll(v, 1) + np::roll(ct * v, -1); });
  const auto g = [&](Array v) { return f(np::sin(v))(slice(1, 5)); };
  const Array j = jacrev(g)(x);
  EXPECT_EQ(jacobian_sparsity(g)(x), SparsityPattern(j));
  EXPECT_EQ(jacobian_sparsity(jit(g))(x), SparsityPattern(j));
  // Beside results that have no derivative, whose rows are empty.
  const auto two = [&](Array v) { return std::pair(np::ones({2}, f64), g(v)); };
  EXPECT_EQ(jacobian_sparsity(two)(x), SparsityPattern(np::concatenate({np::zeros({2, 5}, f64), j})));
  EXPECT_EQ(hessian_sparsity([&](Array v) { return np::sum(f(v)); })(x),
            SparsityPattern(hessian([](Array v) { return np::sum(v * np::roll(v, 1)); })(x)));
}

TEST(jacobian_sparsity, branches_are_united_unless_the_choice_is_known) {
  const Array x = numbers({4});
  const auto f = [](Array v, Array p) {
    return cond(p, [](Array a) { return np::roll(a, 1) * 2; }, [](Array a) { return np::sin(a); }, v);
  };
  const auto both = SparsityPattern(4, 4, {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {0, 3}, {1, 0}, {2, 1}, {3, 2}});
  EXPECT_EQ(jacobian_sparsity([&](Array v) { return f(v, v(0) > 0); })(x), both);
  EXPECT_EQ(jacobian_sparsity(f)(x, abstract(boolean, {})), both);
  EXPECT_EQ(jacobian_sparsity(f)(x, false), SparsityPattern::banded(4, 0, 0));
  EXPECT_EQ(jacobian_sparsity(f)(x, true).nnz(), 4);
  EXPECT_TRUE(jacobian_sparsity(f)(x, true).contains(1, 0));
}

TEST(jacobian_sparsity, of_scans_is_exact_step_by_step) {
  const Array x = numbers({6});
  const auto recurrence = [](Array v) {
    return scan([](Array c, Array s) { return std::pair(c * 0.5 + s, np::sin(c)); }, Array(0.0), v).second;
  };
  EXPECT_EQ(jacobian_sparsity(recurrence)(x), SparsityPattern(np::tri(6, 6, -1)));
  const auto backwards = [](Array v) {
    return scan([](Array c, Array s) { return std::pair(c * s, c * s); }, Array(1.0), v, {.reverse = true}).second;
  };
  expect_exact(backwards, x);
  // Each step looks one further.
  const auto smooth = [](Array v) { return fori_loop(0, 2, [](auto, Array u) { return u * np::roll(u, 1); }, v); };
  expect_exact(smooth, x);
  EXPECT_EQ(jacobian_sparsity(smooth)(x).nnz(), 18);
  // Elements by number: the counter is known.
  const auto numbered = [](Array v) {
    return fori_loop(1, 6, [](Array i, Array u) { return u.at(i).set(u(i) * u(i - 1)); }, v);
  };
  EXPECT_EQ(jacobian_sparsity(numbered)(x), SparsityPattern(np::tri(6)));
  const auto indexed = [](Array v) { return weft::map([&](Array i) { return v(i) * v(i + 1); }, np::arange(5)); };
  EXPECT_EQ(jacobian_sparsity(indexed)(x), dense_pattern(indexed, x));
  EXPECT_EQ(jacobian_sparsity(grad([&](Array v) { return np::sum(indexed(v)); }))(x),
            SparsityPattern(np::eye(6, {}, 1) + np::eye(6, {}, -1)));
  EXPECT_EQ(jacobian_sparsity([](Array v) {
              return scan([](Array c, Array s) { return std::pair(c, s); }, v, np::zeros({0}, f64)).first;
            })(x),
            SparsityPattern::banded(6, 0, 0));
}

TEST(jacobian_sparsity, of_loops_of_unknown_length_holds_for_every_length) {
  const Array x = numbers({6});
  const auto halve = [](Array v) {
    return while_loop([](Array u) { return np::max(np::abs(u)) > 0.1; }, [](Array u) { return u * 0.5; }, v);
  };
  EXPECT_EQ(jacobian_sparsity(halve)(x), SparsityPattern::banded(6, 0, 0));
  const auto bounded = [](Array v) {
    return while_loop([](Array u) { return np::max(np::abs(u)) > 0.1; }, [](Array u) { return np::sin(u) * 0.5; }, v,
                      {.max_steps = 20});
  };
  EXPECT_EQ(jacobian_sparsity(bounded)(x), SparsityPattern::banded(6, 0, 0));
  EXPECT_EQ(jacobian_sparsity(grad([&](Array v) { return np::sum(bounded(v)); }))(x), SparsityPattern::banded(6, 0, 0));
  const auto diffuse = [](Array v) {
    return while_loop([](Array u) { return np::max(np::abs(u)) > 0.1; },
                      [](Array u) { return 0.5 * (u + np::roll(u, 1)); }, v);
  };
  EXPECT_EQ(jacobian_sparsity(diffuse)(x), SparsityPattern::dense(6, 6));
  // More rounds than are followed exactly.
  EXPECT_EQ(jacobian_sparsity(diffuse)(numbers({60})), SparsityPattern::dense(60, 60));
  // Too long to be unrolled: the same rounds.
  const auto long_scan = [](Array v) {
    return scan([](Array c, Array s) { return std::pair(np::sin(c) * 0.5, c(0) * s); }, v, np::ones({500000}, f64))
        .first;
  };
  EXPECT_EQ(jacobian_sparsity(long_scan)(abstract(f64, {3})), SparsityPattern::banded(3, 0, 0));
}

TEST(jacobian_sparsity, of_linear_solves_follows_matrix_and_solver) {
  const Array x = numbers({4}), d = np::abs(numbers({4})) + 1;
  const auto diagonal_solve = [&](Array v) {
    return custom_linear_solve([&](Array u) { return (2 + np::square(v)) * u; }, np::sin(v),
                               [&](auto, Array b) { return b / (2 + np::square(v)); }, symmetric);
  };
  EXPECT_EQ(jacobian_sparsity(diagonal_solve)(x), SparsityPattern::banded(4, 0, 0));
  expect_covers([&](Array v) { return lax::triangular_solve(np::diag(d), np::reshape(v, {4, 1}), {}); }, x, 16);
}

// ---- more arguments, and edges ----

TEST(jacobian_sparsity, trees_count_their_leaves_in_order) {
  const auto f = [](std::pair<Array, Array> p) { return std::tuple(p.second * 2, np::sum(p.first) * p.second(0)); };
  const std::pair<Array, Array> p{numbers({2, 2}), numbers({3})};
  EXPECT_EQ(jacobian_sparsity(f)(p),
            SparsityPattern(4, 7, {{0, 4}, {1, 5}, {2, 6}, {3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 4}}));
  const auto second = [](Array n, Array x) { return n * np::roll(x, 1); };
  EXPECT_EQ(jacobian_sparsity<1>(second)(np::arange(3), numbers({3})), SparsityPattern(3, 3, {{1, 0}, {2, 1}}));
}

TEST(jacobian_sparsity, of_nothing_is_empty) {
  EXPECT_EQ(jacobian_sparsity([](Array v) { return np::sin(v); })(np::zeros({0})), SparsityPattern(0, 0, {}));
  EXPECT_EQ(jacobian_sparsity([](Array v) { return np::sum(v); })(np::zeros({0, 3})), SparsityPattern(1, 0, {}));
  EXPECT_EQ(jacobian_sparsity([](Array v) { return v(slice(0, 0)); })(np::zeros({3})), SparsityPattern(0, 3, {}));
}

TEST(jacobian_sparsity, knows_captured_values_only_when_there_are_some) {
  const Array x = numbers({4}), i = np::array({2, 0});
  // Inside of jit the indices are an argument, and the pattern must hold for all.
  SparsityPattern inside;
  jit([&](Array v, Array at) {
    inside = jacobian_sparsity([&](Array u) { return u(at); })(v);
    return v;
  })(x, i);
  EXPECT_EQ(inside, SparsityPattern::dense(2, 4));
  jit([&](Array v) {
    inside = jacobian_sparsity([&](Array u) { return u(i); })(v);
    return v;
  })(x);
  EXPECT_EQ(inside, SparsityPattern(2, 4, {{0, 2}, {1, 0}}));
}

TEST(jacobian_sparsity, a_branch_that_is_never_taken_may_fail) {
  const Array x = numbers({3});
  const auto f = [](Array v) {
    const Array endless =
        while_loop([](Array) { return Array(true); }, [](Array s) { return s; }, Array(1), {.max_steps = 1});
    return cond(
        v(0) > 1e9, [](Array a, Array n) { return a * np::array({1.0, 0.0, 2.0}) * n; },
        [](Array a, Array) { return a; }, v, endless);
  };
  EXPECT_EQ(jacobian_sparsity(f)(x), SparsityPattern::banded(3, 0, 0));
}

// ---- Hessians ----

TEST(hessian_sparsity, of_functions_without_curvature_is_empty) {
  const Array x = numbers({4});
  EXPECT_EQ(hessian_sparsity([](Array v) { return np::sum(3 * v + np::abs(v)); })(x), SparsityPattern(4, 4, {}));
  EXPECT_EQ(hessian_sparsity([](Array v) { return np::sum(np::sort(v)); })(x), SparsityPattern(4, 4, {}));
  EXPECT_EQ(hessian_sparsity([](Array) { return Array(1.0); })(x), SparsityPattern(4, 4, {}));
}

TEST(hessian_sparsity, has_the_pairs_that_meet) {
  const Array x = numbers({5});
  const auto exact = [&](const auto& f) {
    EXPECT_EQ(hessian_sparsity(f)(x), SparsityPattern(hessian(f)(x))) << hessian_sparsity(f)(x);
  };
  exact([](Array v) { return np::sum(v * np::roll(v, 2)); });
  exact([](Array v) { return np::sum(np::square(v(slice(1, 5)) - np::square(v(slice(0, 4))))); });
  exact([](Array v) { return v(0) * np::sum(np::square(v)); });
  exact([](Array v) { return np::square(np::sum(v(slice(0, 3)))) + np::exp(v(4)); });
  exact([](Array v) { return np::logsumexp(v); });
  const Array m = np::tri(5, 5, 0, f64) - np::tri(5, 5, -2, f64);
  exact([&](Array v) { return np::dot(v, np::matmul(m, v)); });
}

// ---- cost ----

// Work is counted, not time: the elements of sets that are visited.
TEST(jacobian_sparsity, work_is_linear_in_the_size_of_a_stencil) {
  const FlatFunction f = [](std::span<const Array> u, Arrays& outs) {
    Array v = u[0];
    for (int k = 0; k < 3; ++k) v = np::sin(np::roll(v, 1) - 2 * v + np::roll(v, -1)) * v;
    outs.push_back(v);
  };
  const auto work_of = [&](std::int64_t n) {
    std::int64_t work = 0;
    const Array unknown;
    const Staged program = stage(f, ir::Avals{Aval(f64, Dims{n})}, "f");
    const SparsityPattern p = transforms::jacobian_sparsity(program.jaxpr, {true}, {&unknown, 1}, &work);
    EXPECT_EQ(p.nnz(), 7 * n);
    EXPECT_LE(p.column_coloring().num_colors, 2 * 7 - 1);  // where the ends of the ring meet
    return work;
  };
  const std::int64_t small = work_of(1000);
  EXPECT_GT(small, 1000);
  EXPECT_EQ(work_of(10000), 10 * small);
}

}  // namespace
}  // namespace weft

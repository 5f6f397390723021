// Sparse Jacobians and Hessians against dense ones, and what they cost.
#include <gtest/gtest.h>

#include <chrono>

#include "harness/errors.h"
#include "harness/values.h"
#include "weft/weft.h"

namespace weft {
namespace {

using weft::testing::difference;
using weft::testing::error_of;

Array numbers(const Shape& shape, DType dtype = f64) {
  const Array zero = np::zeros(shape, f64);
  const Array i = np::reshape(np::arange(zero.size()).astype(f64), zero.shape());
  return (np::sin(i * 2.399 + 0.7) * 0.9 + 0.01 * i).astype(dtype);
}

Array as_matrix(const Array& j, const Array& x) {
  return np::reshape(j, {j.size() / std::max<std::int64_t>(x.size(), 1), x.size()});
}

template <class F>
void expect_jacobian(const F& f, const Array& x) {
  const Array dense = as_matrix(jacfwd(f)(x), x);
  for (const JacobianMode mode : {JacobianMode::kAutomatic, JacobianMode::kForward, JacobianMode::kReverse}) {
    const SparseMatrix j = jacobian_sparse(f, {.mode = mode, .check = true})(x);
    EXPECT_EQ(difference(j.to_dense(), dense, 1e-12), "");
    EXPECT_EQ(j.pattern(), jacobian_sparsity(f)(x));
  }
  EXPECT_EQ(difference(jit(jacobian_sparse(f))(x).to_dense(), dense, 1e-12), "");
}

template <class F>
void expect_hessian(const F& f, const Array& x) {
  const Array dense = as_matrix(hessian(f)(x), x);
  const SparseMatrix h = hessian_sparse(f, {.check = true})(x);
  EXPECT_EQ(difference(h.to_dense(), dense, 1e-12), "");
  EXPECT_EQ(h.pattern(), hessian_sparsity(f)(x));
  EXPECT_EQ(difference(jit(hessian_sparse(f))(x).to_dense(), dense, 1e-12), "");
}

// ---- test problems ----

Array laplace_1d(Array u) { return np::pad(u, 1)(slice(2, {})) - 2 * u + np::pad(u, 1)(slice(0, -2)); }
Array laplace_2d(Array u) {
  const Array p = np::pad(u, 1);
  return p(slice(2, {}), slice(1, -1)) + p(slice(0, -2), slice(1, -1)) + p(slice(1, -1), slice(2, {})) +
         p(slice(1, -1), slice(0, -2)) - 4 * u;
}
// du/dt of the Brusselator on a periodic grid, u and v stacked.
Array brusselator(Array w) {
  const Array u = w(0), v = w(1), uuv = u * u * v;
  const auto diffusion = [](Array a) {
    return np::roll(a, 1, 0) + np::roll(a, -1, 0) + np::roll(a, 1, 1) + np::roll(a, -1, 1) - 4 * a;
  };
  return np::stack({1 + uuv - 4.4 * u + 0.1 * diffusion(u), 3.4 * u - uuv + 0.1 * diffusion(v)});
}
Array rosenbrock(Array x) {
  const Array a = x(slice({}, -1)), b = x(slice(1, {}));
  return np::sum(100 * np::square(b - np::square(a)) + np::square(1 - a));
}
Array arrowhead(Array x) { return x(0) * np::sum(np::exp(x(slice(1, {})))) + np::sum(np::square(x)); }

TEST(jacobian_sparse, equals_the_dense_one_on_the_test_problems) {
  expect_jacobian(laplace_1d, numbers({12}));
  expect_jacobian([](Array u) { return laplace_1d(np::exp(u)) * u; }, numbers({12}));
  expect_jacobian(laplace_2d, numbers({5, 6}));
  expect_jacobian(brusselator, numbers({2, 5, 6}));
  expect_jacobian(vmap([](Array v) { return np::stack({v(0) * v(1), np::sin(v(2)), v(1)}); }), numbers({4, 3}));
  expect_jacobian([](Array v) { return v(np::array({3, 0, 3})) * v(1); }, numbers({5}));
  expect_jacobian(grad(rosenbrock), numbers({10}));
  expect_jacobian(grad(arrowhead), numbers({7}));
  expect_jacobian([](Array v) { return np::cumsum(np::square(v)); }, numbers({5}));
  expect_jacobian([](Array v) { return v / np::sum(v); }, numbers({5}));
  expect_jacobian(
      [](Array v) {
        return scan([](Array c, Array s) { return std::pair(c * 0.5 + s, c * s); }, Array(0.2), v).second;
      },
      numbers({6}));
  expect_jacobian(
      [](Array v) {
        return cond(v(0) > 0, [](Array a) { return np::sin(a); }, [](Array a) { return np::roll(a, 1); }, v);
      },
      numbers({4}));
  expect_jacobian([](Array v) { return np::sum(v); }, numbers({3, 2}));
  expect_jacobian([](Array v) { return np::outer(v, np::ones({4}, f64)); }, numbers({1}));
}

TEST(hessian_sparse, equals_the_dense_one_on_the_test_problems) {
  expect_hessian(rosenbrock, numbers({12}));
  expect_hessian(arrowhead, numbers({9}));
  expect_hessian([](Array u) { return np::sum(np::square(laplace_2d(np::sin(u)))); }, numbers({5, 6}));
  expect_hessian([](Array w) { return np::sum(np::square(brusselator(w))); }, numbers({2, 4, 5}));
  expect_hessian([](Array v) { return np::logsumexp(v); }, numbers({5}));
  expect_hessian(
      [](Array v) { return np::sum(vmap([](Array a) { return a(0) * a(1) * a(2); })(np::reshape(v, {4, 3}))); },
      numbers({12}));
  expect_hessian([](Array v) { return np::sum(np::prod(np::reshape(v, {2, 3}), 1)); }, numbers({6}));
  expect_hessian(
      [](Array v) {
        return scan([](Array c, Array s) { return std::pair(c + np::square(s) * c, s); }, Array(0.2), v).first;
      },
      numbers({5}));
  expect_hessian([](Array v) { return np::sum(3 * v); }, numbers({4}));
  expect_hessian([](Array v) { return v(0) * v(3) + np::max(v); }, numbers({4}));
  expect_hessian([](Array v) { return np::sum(checkpoint([](Array a) { return np::sin(a) * np::roll(a, 1); })(v)); },
                 numbers({6}));
}

// ---- passes ----

TEST(jacobian_sparse, takes_the_mode_with_fewer_passes) {
  // One full row: reverse mode shows it in one pass, forward mode needs a pass for each column.
  const auto f = [](Array x) { return np::concatenate({np::reshape(np::sum(x), {1}), x(slice(0, 2))}); };
  const SparsityPattern p = jacobian_sparsity(f)(numbers({40}));
  EXPECT_EQ(p.column_coloring().num_colors, 40);
  EXPECT_EQ(p.row_coloring().num_colors, 2);
  // Products with matrices show in their types how many passes there are.
  const std::string program = make_jaxpr(jacobian_sparse(f))(numbers({40})).str();
  EXPECT_NE(program.find("f64[2,40]"), std::string::npos) << program;
  EXPECT_EQ(program.find("[40,40]"), std::string::npos) << program;
  expect_jacobian(f, numbers({40}));
}

TEST(jacobian_sparse, the_number_of_passes_does_not_depend_on_the_size) {
  const auto f = [](Array u) { return laplace_1d(np::exp(u)); };
  for (const std::int64_t n : {10, 10000}) {
    const std::string program = make_jaxpr(jacobian_sparse(f))(abstract(f64, {n})).str();
    EXPECT_NE(program.find("f64[3," + std::to_string(n) + "]"), std::string::npos);
    EXPECT_EQ(program.find("f64[4," + std::to_string(n) + "]"), std::string::npos);
  }
}

TEST(hessian_sparse, of_a_hundred_thousand_unknowns_takes_three_products) {
  constexpr std::int64_t kSize = 100000;
  const Array x = numbers({kSize});
  const SparseMatrix h = hessian_sparse(rosenbrock)(x);
  EXPECT_EQ(h.pattern().symmetric_coloring().num_colors, 3);
  EXPECT_EQ(h.pattern(), SparsityPattern::banded(kSize, 1, 1));
  // d2/dx0 dx1 = -400 x0 and d2/dx0^2 = 1200 x0^2 - 400 x1 + 2.
  const auto values = h.values().to_vector<double>(), xs = x.to_vector<double>();
  EXPECT_NEAR(values[0], 1200 * xs[0] * xs[0] - 400 * xs[1] + 2, 1e-9);
  EXPECT_NEAR(values[1], -400 * xs[0], 1e-9);
  EXPECT_NEAR(values.back(), 200, 1e-9);
}

// ---- with other transformations ----

TEST(jacobian_sparse, under_jit_has_a_static_pattern_and_traced_values) {
  const auto f = [](Array u) { return laplace_1d(np::exp(u)); };
  const auto jitted = jit(jacobian_sparse(f));
  const Array x = numbers({8}), y = numbers({8}) * 2;
  EXPECT_EQ(difference(jitted(x).to_dense(), jacfwd(f)(x), 1e-12), "");
  EXPECT_EQ(difference(jitted(y).to_dense(), jacfwd(f)(y), 1e-12), "");
  EXPECT_EQ(jitted.cache_size(), 1u);
  // A sparse matrix as an argument: its pattern is part of the key.
  const auto dense = jit([](SparseMatrix m) { return m.to_dense(); });
  EXPECT_EQ(difference(dense(jitted(x)), jacfwd(f)(x), 1e-12), "");
  dense(jitted(y));
  EXPECT_EQ(dense.cache_size(), 1u);
  const SparseMatrix other(jitted(x).pattern().transposed(), jitted(x).values());
  dense(other);
  EXPECT_EQ(dense.cache_size(), 1u);  // symmetric
  dense(SparseMatrix(SparsityPattern(8, 8, {{0, 1}}), np::ones({1}, f64)));
  EXPECT_EQ(dense.cache_size(), 2u);
}

TEST(jacobian_sparse, its_values_are_differentiated_and_batched) {
  const auto f = [](Array u) { return np::sin(u) * np::roll(u, 1); };
  const Array x = numbers({5}), batch = numbers({3, 5});
  const auto norm = [&](Array u) { return np::sum(np::square(jacobian_sparse(f)(u).values())); };
  const auto dense_norm = [&](Array u) { return np::sum(np::square(jacfwd(f)(u))); };
  EXPECT_EQ(difference(grad(norm)(x), grad(dense_norm)(x), 1e-12), "");
  EXPECT_EQ(difference(jit(grad(norm))(x), grad(dense_norm)(x), 1e-12), "");
  const SparseMatrix all = vmap(jacobian_sparse(f))(batch);
  EXPECT_EQ(all.values().aval().str(), "f64[3,10]");
  EXPECT_EQ(difference(all.to_dense(), vmap(jacfwd(f))(batch), 1e-12), "");
  EXPECT_EQ(
      difference(vmap([&](Array u) { return jacobian_sparse(f)(u).to_dense(); })(batch), vmap(jacfwd(f))(batch), 1e-12),
      "");
  EXPECT_EQ(difference(vmap([&](Array u) { return hessian_sparse(rosenbrock)(u).to_dense(); })(batch),
                       vmap(hessian(rosenbrock))(batch), 1e-12),
            "");
}

// ---- trees, dtypes, edges ----

TEST(jacobian_sparse, of_trees_joins_their_leaves) {
  struct State {
    Array u, v;
  };
  const auto f = [](State s, Array scale) { return std::vector<Array>{s.u * s.v(0) * scale, np::sum(s.v)}; };
  const State s{numbers({2, 2}), numbers({3})};
  const Array scale(2.0);
  const SparseMatrix j = jacobian_sparse(f, {.check = true})(s, scale);
  EXPECT_EQ(j.shape(), (Dims{5, 7}));
  const auto [flat, unravel] = ravel(s);
  const auto back = unravel;
  const auto flat_f = [&](Array a) { return ravel(f(back(a), scale)).first; };
  EXPECT_EQ(difference(j.to_dense(), jacfwd(flat_f)(flat), 1e-12), "");
  // By another argument, beside integers.
  const auto indexed = [](Array i, Array x) { return x(i) * x(0); };
  const SparseMatrix by_x = jacobian_sparse<1>(indexed)(np::array({2, 1}), numbers({3}));
  EXPECT_EQ(by_x.pattern(), SparsityPattern(2, 3, {{0, 0}, {0, 2}, {1, 0}, {1, 1}}));
  const auto energy = [](State t) { return np::sum(np::square(t.u)) * t.v(1); };
  EXPECT_EQ(difference(hessian_sparse(energy, {.check = true})(s).to_dense(),
                       hessian([&](Array a) { return energy(back(a)); })(flat), 1e-12),
            "");
}

TEST(jacobian_sparse, has_the_dtype_of_the_result) {
  const auto f = [](Array x) { return np::sin(x) * 2; };
  EXPECT_EQ(jacobian_sparse(f)(numbers({3}, f32)).values().aval().str(), "f32[3]");
  const auto wider = [](Array x) { return x.astype(f64) * 2; };
  for (const JacobianMode mode : {JacobianMode::kForward, JacobianMode::kReverse})
    EXPECT_EQ(jacobian_sparse(wider, {.mode = mode, .check = true})(numbers({3}, f32)).values().aval().str(), "f64[3]");
  EXPECT_EQ(jacobian_sparse(f, {.check = true})(numbers({3}, bf16)).values().aval().str(), "bf16[3]");
  const auto complex = [](Array x) { return lax::complex(x * x, np::roll(x, 1)); };
  const Array x = numbers({4});
  EXPECT_EQ(difference(jacobian_sparse(complex, {.check = true})(x).to_dense(), jacfwd(complex)(x), 1e-12), "");
}

TEST(jacobian_sparse, may_have_no_entry) {
  const SparseMatrix none = jacobian_sparse([](Array) { return np::ones({3}, f64); }, {.check = true})(numbers({2}));
  EXPECT_EQ(none.nnz(), 0);
  EXPECT_EQ(none.values().aval().str(), "f64[0]");
  EXPECT_EQ(none.to_dense().to_vector<double>(), std::vector<double>(6, 0));
  EXPECT_EQ(jacobian_sparse([](Array x) { return np::sin(x); })(np::zeros({0}, f64)).to_dense().aval().str(),
            "f64[0,0]");
  EXPECT_EQ(hessian_sparse([](Array x) { return np::sum(x); })(np::zeros({0}, f64)).to_dense().aval().str(),
            "f64[0,0]");
  EXPECT_EQ(hessian_sparse([](Array x) { return np::sum(x); })(numbers({3})).nnz(), 0);
  EXPECT_EQ(SparseMatrix().shape(), (Dims{0, 0}));
}

TEST(sparse_matrix, says_its_entries_by_coordinates_and_by_rows) {
  const SparseMatrix m(SparsityPattern(2, 3, {{1, 2}, {0, 1}, {1, 0}}), np::array({1.f, 2.f, 3.f}));
  EXPECT_EQ(m.row_indices(), (std::vector<std::int64_t>{0, 1, 1}));
  EXPECT_EQ(std::vector<std::int64_t>(m.col_indices().begin(), m.col_indices().end()),
            (std::vector<std::int64_t>{1, 0, 2}));
  EXPECT_EQ(std::vector<std::int64_t>(m.offsets().begin(), m.offsets().end()), (std::vector<std::int64_t>{0, 1, 3}));
  EXPECT_EQ(m.to_dense().to_vector<float>(), (std::vector<float>{0, 1, 0, 2, 0, 3}));
  EXPECT_EQ(grad([](SparseMatrix a) { return np::sum(np::square(a.to_dense())); })(m).values().to_vector<float>(),
            (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(error_of([] { SparseMatrix(SparsityPattern::dense(2, 2), np::ones({3})); }),
            "ShapeError: SparseMatrix: there must be one value for each entry of the pattern; got f32[3] for 4.");
}

// ---- given patterns ----

TEST(jacobian_sparse, uses_a_given_pattern_without_looking_at_the_program) {
  // Branches on a value: no program could be found.
  const auto f = [](Array x) { return x.item<double>() > 0 ? x * 2 : x; };
  EXPECT_THROW(jacobian_sparse([&](Array x) { return f(x(0)) * x; })(numbers({2})), ConcretizationError);
  const auto branching = [](Array x) { return np::sum(x) > 0 ? np::roll(x, 1) * x : x; };
  const Array x = np::abs(numbers({6}));
  const SparsityPattern p(np::eye(6) + np::roll(np::eye(6), 1, 0));
  EXPECT_EQ(
      difference(jacobian_sparse(branching, {.pattern = p, .check = true})(x).to_dense(), jacfwd(branching)(x), 1e-12),
      "");
  // More entries than needed are zeros.
  const auto diagonal = [](Array v) { return np::sin(v); };
  EXPECT_EQ(
      difference(jacobian_sparse(diagonal, {.pattern = SparsityPattern::banded(6, 2, 1), .check = true})(x).to_dense(),
                 jacfwd(diagonal)(x), 1e-12),
      "");
  EXPECT_EQ(
      difference(hessian_sparse(rosenbrock, {.pattern = SparsityPattern::banded(6, 2, 2), .check = true})(x).to_dense(),
                 hessian(rosenbrock)(x), 1e-12),
      "");
}

TEST(jacobian_sparse, check_names_an_entry_that_the_pattern_lacks) {
  const Array x = numbers({30});
  const auto f = [](Array v) { return v * v + np::where(np::arange(30) == 7, v(19), 0.0); };
  const auto text = [](std::int64_t i, std::int64_t j) {
    return "the pattern must have every entry that is not zero; got none at (" + std::to_string(i) + ", " +
           std::to_string(j) + ").";
  };
  std::string hint;
  for (const JacobianMode mode : {JacobianMode::kForward, JacobianMode::kReverse})
    EXPECT_EQ(
        error_of(
            [&] { jacobian_sparse(f, {.pattern = SparsityPattern::banded(30, 0, 0), .mode = mode, .check = true})(x); },
            &hint),
        "ValueError: jacobian_sparse: " + text(7, 19));
  EXPECT_EQ(hint, "leave the pattern out, and it is found from the program.");
  // Without the check it is lost, or spoils another.
  EXPECT_EQ(jacobian_sparse(f, {.pattern = SparsityPattern::banded(30, 0, 0)})(x).nnz(), 30);
  const auto h = [](Array v) { return rosenbrock(v) + v(3) * v(25); };
  const std::string message =
      error_of([&] { hessian_sparse(h, {.pattern = SparsityPattern::banded(30, 1, 1), .check = true})(x); });
  EXPECT_EQ(message, "ValueError: hessian_sparse: " + text(3, 25));
  // NaN is no missing entry.
  const auto nan = [](Array v) { return np::log(v); };
  jacobian_sparse(nan, {.pattern = SparsityPattern::banded(2, 0, 0), .check = true})(np::array({-1.0, 0.0}));
  EXPECT_TRUE(
      error_of([&] { jit(jacobian_sparse(f, {.check = true}))(x); })
          .starts_with("ConcretizationError: jacobian_sparse: `check` looks at the entries, which must be known; "
                       "got a traced f"));
}

// ---- mistakes ----

TEST(jacobian_sparse, mistakes_are_explained) {
  EXPECT_THROW(jacobian_sparse([](Array) { return std::tuple<>(); })(np::ones({2})), ShapeError);
  const Array x = numbers({3});
  const auto f = [](Array v) { return v * v; };
  EXPECT_EQ(error_of([&] { jacobian_sparse(f, {.pattern = SparsityPattern::banded(4, 0, 0)})(x); }),
            "ShapeError: jacobian_sparse: the pattern must have a row for each element of the result and a column for "
            "each of the argument; got 4 x 4 for 3 x 3.");
  EXPECT_EQ(error_of([&] { hessian_sparse(rosenbrock, {.pattern = SparsityPattern(3, 2, {})})(x); }),
            "ShapeError: hessian_sparse: the pattern must have a row and a column for each element of the argument; "
            "got 3 x 2 for 3 x 3.");
  EXPECT_EQ(error_of([&] { hessian_sparse(rosenbrock, {.pattern = SparsityPattern::banded(3, 1, 0)})(x); }),
            "ValueError: hessian_sparse: the pattern must be symmetric; got (1, 0) without (0, 1).");
  EXPECT_EQ(error_of([&] { hessian_sparse(rosenbrock, {.mode = JacobianMode::kReverse})(x); }),
            "ValueError: hessian_sparse: there is one mode, forward over reverse; got another.");
  EXPECT_EQ(error_of([&] { jacobian_sparse(f)(np::arange(3)); }),
            "NotDifferentiableError: jacobian_sparse: differentiated arguments must be float or complex; got i32[3] "
            "for args[0].");
  EXPECT_EQ(error_of([&] { jacobian_sparse([](Array v) { return v.astype(i32); })(x); }),
            "DTypeError: jacobian_sparse: results must be float or complex; got i32[3].");
  EXPECT_EQ(error_of([&] { jacobian_sparse([](Array v) { return std::pair(v, v.astype(f32)); })(x); }),
            "DTypeError: jacobian_sparse: results must have one dtype; got f64[3] and f32[3].");
  EXPECT_EQ(
      error_of([&] { jacobian_sparse([](Array) { return Array(); })(x); }),
      "ShapeError: jacobian_sparse: the function must return an array; got no arrays (a default-constructed one is "
      "none).");
  EXPECT_EQ(error_of([&] { hessian_sparse(f)(x); }),
            "ShapeError: hessian_sparse: the function must return a scalar; got f64[3].");
  EXPECT_EQ(error_of([&] { jacobian_sparse(f)(np::array({std::complex<double>(1, 2)})); }),
            "DTypeError: jacobian_sparse: differentiated arguments must be real; got c128[1].");
  try {
    jacobian_sparse(f, {.pattern = SparsityPattern::banded(4, 0, 0)})(x);
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("while tracing jacobian_sparse(f) at sparse_test.cc:"), std::string::npos)
        << e.what();
  }
}

TEST(jacobian_sparse, a_derivative_that_is_too_large_is_refused) {
  const auto f = [](Array v) { return v / np::sum(v); };
  EXPECT_EQ(error_of([&] { jacobian_sparsity(f)(abstract(f64, {16385})); }),
            "ValueError: sparsity: the derivative must have fewer than 2^28 entries; got 268468225.");
}

TEST(jacobian_sparse, of_functions_with_only_a_backward_rule_runs_in_reverse) {
  const auto f =
      custom_vjp([](Array v) { return v * np::roll(v, 1); }, [](Array v) { return std::pair(v * np::roll(v, 1), v); },
                 [](Array v, Array ct) { return ct * np::roll(v, 1) + np::roll(ct * v, -1); });
  const Array x = numbers({6});
  EXPECT_EQ(difference(jacobian_sparse(f, {.check = true})(x).to_dense(), jacrev(f)(x), 1e-12), "");
  EXPECT_THROW(jacobian_sparse(f, {.mode = JacobianMode::kForward})(x), NotDifferentiableError);
  EXPECT_EQ(
      difference(hessian_sparse([&](Array v) { return np::sum(np::square(f(v))); }, {.check = true})(x).to_dense(),
                 hessian([](Array v) { return np::sum(np::square(v * np::roll(v, 1))); })(x), 1e-12),
      "");
}

// ---- hvp ----

TEST(jacobian_sparse, of_loops_without_a_bound_runs_forward) {
  const auto f = [](Array x) {
    const Array s = while_loop([](Array y) { return np::sum(y) < 100.0; }, [](Array y) { return 2.0 * y; }, x);
    return s(np::array({0, 1}));
  };
  const Array x = np::array({1.0, 2.0, 3.0, 4.0, 5.0});
  EXPECT_EQ(testing::difference(jacobian_sparse(f)(x).to_dense(), jacfwd(f)(x), 0), "");
}

TEST(jacobian_sparse, colours_the_side_that_a_long_row_leaves_cheap) {
  // One row of all but one column: colours of columns would take the square of that.
  const std::int64_t n = 40'000;
  const auto f = [](Array v) { return np::concatenate(Arrays{v * v, np::reshape(np::sum(v(slice(1, {}))), {1})}); };
  const SparseMatrix j = jacobian_sparse(f)(np::ones({n}, f64));
  EXPECT_EQ(j.nnz(), 2 * n - 1);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(jacobian_sparse(f)(np::ones({n}, f64)).nnz(), 2 * n - 1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));  // 4 s at half the size before
}

TEST(hvp, is_the_hessian_times_a_vector) {
  const Array x = numbers({6}), v = np::cos(numbers({6}));
  EXPECT_EQ(difference(hvp(rosenbrock, x, v), np::matmul(hessian(rosenbrock)(x), v), 1e-12), "");
  EXPECT_EQ(difference(jit([](Array a, Array b) { return hvp(rosenbrock, a, b); })(x, v), hvp(rosenbrock, x, v), 1e-12),
            "");
  EXPECT_EQ(hvp([](Array a) { return np::sum(a); }, x, v).to_vector<double>(), std::vector<double>(6, 0));
}

TEST(hvp, of_several_arguments_and_trees_has_their_structure) {
  const auto f = [](std::pair<Array, Array> p, Array i, Array y) {
    return np::sum(p.first(i) * np::square(y)) * p.second;
  };
  const std::pair<Array, Array> p{numbers({3}), Array(2.0)}, tp{np::ones({3}, f64), Array()};
  const Array i = np::array({2, 0}), y = numbers({2});
  const auto [hp, hi, hy] = hvp(f, std::tuple(p, i, y), std::tuple(tp, Array(), y * 3));
  EXPECT_FALSE(hi.defined());
  const auto gradient = [&](Array a, Array s, Array b) { return grad<0, 2>(f)(std::pair(a, s), i, b); };
  const auto [g, t] =
      jvp(gradient, std::tuple(p.first, p.second, y), std::tuple(np::ones({3}, f64), Array(0.0), y * 3));
  EXPECT_EQ(difference(hp.first, std::get<0>(t).first, 1e-12), "");
  EXPECT_EQ(difference(hp.second, std::get<0>(t).second, 1e-12), "");
  EXPECT_EQ(difference(hy, std::get<1>(t), 1e-12), "");
}

TEST(hvp, mistakes_name_the_leaf) {
  EXPECT_EQ(error_of([] { hvp(rosenbrock, numbers({3}), numbers({4})); }),
            "ShapeError: hvp: tangents[0] must have the shape of primals[0]; got f64[4] for f64[3].");
  EXPECT_EQ(error_of([] { hvp([](Array x) { return x * x; }, numbers({3}), numbers({3})); }),
            "ShapeError: hvp: the function must return a scalar; got f64[3].");
}

}  // namespace
}  // namespace weft

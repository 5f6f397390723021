// Collectives over mapped axes: values that others printed, and the same computed on the axis of an array.
#include "weft/api/collectives.h"

#include <gtest/gtest.h>

#include "harness/values.h"
#include "weft/weft.h"

namespace weft {
namespace {

void expect_close(const Array& got, const Array& want, double tolerance) {
  EXPECT_EQ(testing::difference(got, want, tolerance), "");
}

Array iota(Dims shape, DType t = f64) { return np::reshape(np::arange(product(shape), t), shape); }

TEST(named_axis, sum_of_all_examples) {
  const auto share = vmap([](Array x) { return x / lax::psum(x, "i"); }, {.axis_name = "i"});
  expect_close(share(iota({4})), np::array({0., 1. / 6, 2. / 6, 3. / 6}), 1e-15);
  expect_close(share(iota({8})), iota({8}) / 28., 1e-15);
}

TEST(named_axis, sum_in_groups) {
  const auto f = vmap([](Array x) { return lax::psum(x, "i", {{0, 1}, {2, 3}}); }, {.axis_name = "i"});
  expect_close(f(iota({4})), np::array({1., 1., 5., 5.}), 0);
  const auto crossed = vmap([](Array x) { return lax::psum(x, "i", {{0, 3}, {2, 1}}); }, {.axis_name = "i"});
  expect_close(crossed(iota({4})), np::array({3., 3., 3., 3.}), 0);
}

TEST(named_axis, reductions_of_every_kind_and_type) {
  const Array x = np::array({{1., -5.}, {3., 2.}, {-2., 7.}});
  const auto of = [&](auto f) { return vmap(f, {.axis_name = "i"})(x); };
  expect_close(of([](Array v) { return lax::pmax(v, "i"); })(1), np::array({3., 7.}), 0);
  expect_close(of([](Array v) { return lax::pmin(v, "i"); })(2), np::array({-2., -5.}), 0);
  expect_close(of([](Array v) { return lax::pmean(v, "i"); })(0), np::array({2. / 3, 4. / 3}), 1e-15);
  const Array whole = vmap([](Array v) { return lax::pmean(v, "i"); }, {.axis_name = "i"})(np::array({1, 2}));
  EXPECT_EQ(whole.dtype(), f32);
  const Array count =
      vmap([](Array v) { return lax::psum(v, "i"); }, {.axis_name = "i"})(np::array({true, false, true}));
  EXPECT_EQ(count.dtype(), i32);
  EXPECT_EQ(count(0).item<int>(), 2);
}

TEST(named_axis, what_does_not_vary_is_summed_as_often_as_there_are_examples) {
  const auto f = vmap([](Array x) { return x * lax::psum(2.0, "i"); }, {.axis_name = "i"});
  expect_close(f(iota({3})), np::array({0., 6., 12.}), 0);
}

TEST(named_axis, trees_keep_their_structure) {
  const auto f = vmap(
      [](std::pair<Array, Array> p) {
        const auto [a, b] = lax::psum(p, "i");
        return std::pair(a, b);
      },
      {.axis_name = "i"});
  const auto [a, b] = f(std::pair(iota({3}), iota({3, 2})));
  expect_close(a, np::array({3., 3., 3.}), 0);
  expect_close(b(1), np::array({6., 9.}), 0);
}

TEST(named_axis, gathers_rows_to_everybody) {
  const Array x = iota({4, 2});
  const auto all = vmap([](Array v) { return lax::all_gather(v, "i"); }, {.axis_name = "i"})(x);
  for (int i = 0; i < 4; ++i) expect_close(all(i), x, 0);
  const auto last = vmap([](Array v) { return lax::all_gather(v, "i", {.axis = -1}); }, {.axis_name = "i"})(x);
  expect_close(last(2), np::transpose(x), 0);
  const auto joined = vmap([](Array v) { return lax::all_gather(v, "i", {.tiled = true}); }, {.axis_name = "i"})(x);
  expect_close(joined(3), iota({8}), 0);
  const auto grouped =
      vmap([](Array v) { return lax::all_gather(v, "i", {.groups = {{0, 2}, {3, 1}}}); }, {.axis_name = "i"})(x);
  for (const int i : {0, 2}) expect_close(grouped(i), np::stack({x(0), x(2)}), 0);
  for (const int i : {1, 3}) expect_close(grouped(i), np::stack({x(3), x(1)}), 0);
}

TEST(named_axis, scatters_a_sum) {
  const Array x = iota({4, 4});
  const auto parts = [&](PsumScatterOptions o) {
    return vmap([o](Array v) { return lax::psum_scatter(v, "i", o); }, {.axis_name = "i"})(x);
  };
  expect_close(parts({}), np::array({24., 28., 32., 36.}), 0);
  expect_close(parts({.tiled = true}), np::array({{24.}, {28.}, {32.}, {36.}}), 0);
  expect_close(parts({.tiled = true, .groups = {{0, 2}, {3, 1}}}),
               np::array({{8., 10.}, {20., 22.}, {12., 14.}, {16., 18.}}), 0);
}

TEST(named_axis, scattered_truth_values_are_counted) {
  const auto f = vmap([](Array x) { return lax::psum_scatter(x > 0.0, "i"); }, {.axis_name = "i"});
  EXPECT_EQ(f(np::array({{1.0, 1.0}, {1.0, -1.0}})).str(), "[2 1]");
}

TEST(named_axis, permutes_and_leaves_zeros) {
  const auto shift =
      vmap([](Array v) { return lax::ppermute(v, "i", {{0, 1}, {1, 2}, {2, 3}, {3, 0}}); }, {.axis_name = "i"});
  expect_close(shift(iota({4})), np::array({3., 0., 1., 2.}), 0);
  const auto once = vmap([](Array v) { return lax::ppermute(v, "i", {{0, 2}}); }, {.axis_name = "i"});
  expect_close(once(iota({4}) + 1.), np::array({0., 0., 1., 0.}), 0);
}

TEST(named_axis, all_to_all_exchanges_the_split_axis_with_the_mapped_one) {
  const Array x = iota({3, 3, 2});
  const auto f = [&](int split, int concat) {
    return vmap([=](Array v) { return lax::all_to_all(v, "i", split, concat); }, {.axis_name = "i"})(x);
  };
  expect_close(f(0, 0), np::transpose(x, {1, 0, 2}), 0);
  // y[j][a, i] = x(i)[j, a].
  expect_close(f(0, 1), np::transpose(x, {1, 2, 0}), 0);
  const Array wide = iota({2, 2, 6});
  const auto tiled =
      vmap([](Array v) { return lax::all_to_all(v, "i", 1, 0, {.tiled = true}); }, {.axis_name = "i"})(wide);
  for (int j = 0; j < 2; ++j)
    expect_close(
        tiled(j),
        np::concatenate({wide(0, slice(), slice(3 * j, 3 * j + 3)), wide(1, slice(), slice(3 * j, 3 * j + 3))}, 0), 0);
}

TEST(named_axis, groups_and_pairs_are_looked_at_before_anything_is_computed) {
  const Array x = iota({4});
  const auto over = [&](auto f) { return [=] { vmap([&](Array v) { return f(v); }, {.axis_name = "i"})(x); }; };
  for (const AxisGroups& groups : {AxisGroups{{0, 1}, {1, 2}}, AxisGroups{{0, 0}, {1, 2}}, AxisGroups{{0, 1}},
                                   AxisGroups{{0, -1}, {1, 2}}, AxisGroups{{0, 1, 2}, {3}}, AxisGroups{{0, 4}, {1, 2}}})
    EXPECT_THROW(over([&](Array v) { return lax::psum(v, "i", groups); })(), ValueError);
  using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
  for (const Pairs& pairs :
       {Pairs{{0, 7}}, Pairs{{0, 100'000'000}}, Pairs{{-1, 0}}, Pairs{{0, 1}, {2, 1}}, Pairs{{0, 1}, {0, 2}}}) {
    EXPECT_THROW(over([&](Array v) { return lax::ppermute(v, "i", pairs); })(), ValueError);
    EXPECT_THROW(jit(vmap([&](Array v) { return lax::ppermute(v, "i", pairs); }, {.axis_name = "i"}))(x), ValueError);
  }
  EXPECT_THROW(over([](Array v) { return lax::psum(v, {"i", "i"}); })(), ValueError);
}

TEST(named_axis, of_no_examples) {
  const VmapOptions named{.axis_name = "i"};
  EXPECT_EQ(vmap([](Array v) { return lax::psum(v, "i") + v; }, named)(np::ones({0, 2})).aval().str(), "f32[0,2]");
  EXPECT_EQ(vmap([](Array v) { return lax::ppermute(v, "i", {}); }, named)(np::ones({0, 2})).aval().str(), "f32[0,2]");
  EXPECT_THROW(vmap([](Array v) { return lax::all_gather(v, "i"); }, named)(np::ones({0, 2})), ValueError);
  EXPECT_THROW(vmap([](Array v) { return lax::psum_scatter(v, "i", {.tiled = true}); }, named)(np::ones({0, 2})),
               ValueError);
  EXPECT_THROW(vmap([](Array v) { return lax::all_to_all(v, "i", 0, 0); }, named)(np::ones({0, 0, 2})), ValueError);
}

TEST(named_axis, index_and_size) {
  const auto f = vmap([](Array x) { return x * 10. + np::astype(lax::axis_index("i"), f64); }, {.axis_name = "i"});
  expect_close(f(iota({3})), np::array({0., 11., 22.}), 0);
  std::int64_t size = 0;
  vmap(
      [&](Array x) {
        size = lax::axis_size("i");
        return x;
      },
      {.axis_name = "i"})(iota({5}));
  EXPECT_EQ(size, 5);
  // Nothing is mapped but the name.
  const auto numbers = vmap([] { return lax::axis_index("i"); }, {.axis_name = "i", .axis_size = 4});
  EXPECT_EQ(numbers().to_vector<int>(), (std::vector<int>{0, 1, 2, 3}));
}

TEST(named_axis, several_axes_count_in_row_major_order) {
  const auto index =
      vmap(vmap([](Array x) { return np::astype(lax::axis_index({"i", "j"}), f64) + 0. * x; }, {.axis_name = "j"}),
           {.axis_name = "i"});
  expect_close(index(iota({4, 2})), iota({4, 2}), 0);
  const auto total =
      vmap(vmap([](Array x) { return lax::psum(x, {"i", "j"}); }, {.axis_name = "j"}), {.axis_name = "i"});
  expect_close(total(iota({4, 2})), np::full({4, 2}, 28.), 0);
  const auto all =
      vmap(vmap([](Array x) { return lax::all_gather(x, {"i", "j"}); }, {.axis_name = "j"}), {.axis_name = "i"});
  expect_close(all(iota({4, 2}))(3, 1), iota({8}), 0);
  const auto parts =
      vmap(vmap([](Array x) { return lax::psum_scatter(x, {"i", "j"}); }, {.axis_name = "j"}), {.axis_name = "i"});
  expect_close(parts(np::zeros({2, 3, 6}, f64) + iota({6})), 6. * iota({2, 3}), 0);
}

TEST(named_axis, rows_columns_and_both_are_normalised_apart) {
  const auto f = [](Array x) {
    const Array row = x / lax::psum(x, "rows"), column = x / lax::psum(x, "columns");
    return std::tuple(row, column, x / lax::psum(x, {"rows", "columns"}));
  };
  const Array x = iota({2, 3}) + 1.;
  const auto [row, column, both] = vmap(vmap(f, {.axis_name = "columns"}), {.axis_name = "rows"})(x);
  expect_close(row, x / np::sum(x, 0, true), 1e-15);
  expect_close(column, x / np::sum(x, 1, true), 1e-15);
  expect_close(both, x / np::sum(x), 1e-15);
}

// The README of JAX 0.2.17: a nested map of both modes of differentiation, with a sum over the inner axis.
TEST(named_axis, gradient_of_a_nested_map) {
  const auto f = [](Array row) {
    const Array y = vmap([](Array v) { return np::cos(lax::psum(np::sin(v), "i")); }, {.axis_name = "i"})(row);
    return np::sum(y);
  };
  const Array x = iota({4, 2});
  // d/dx_i of n cos(sum_j sin x_j) = -n sin(sum) cos x_i.
  const Array s = np::sum(np::sin(x), 1, true);
  expect_close(vmap(grad(f))(x), -2. * np::sin(s) * np::cos(x), 1e-14);
}

TEST(named_axis, psum_is_its_own_transpose_under_vmap) {
  const Array x = iota({4}) + 1.;
  // Inside of vmap: of the sum of all examples' results by this example's x.
  const auto inside = vmap(grad([](Array v) { return lax::psum(v * v, "i"); }), {.axis_name = "i"});
  expect_close(inside(x), 8. * x, 1e-15);
  // Outside of it there is one function.
  const auto outside =
      grad([](Array v) { return np::sum(vmap([](Array e) { return lax::psum(e * e, "i"); }, {.axis_name = "i"})(v)); });
  expect_close(outside(x), 8. * x, 1e-15);
}

// <u, J v> = <J' u, v> for the linear ones, and J v against differences for all.
TEST(named_axis, derivatives_fit_together) {
  const Array x = np::sin(iota({4, 4}) * 1.3 + 0.2), v = np::cos(iota({4, 4}) * 0.7), h = np::array(1e-6);
  const auto check = [&](const char* what, auto op) {
    SCOPED_TRACE(what);
    const auto f = [&](Array a) { return vmap([&](Array e) { return op(np::sin(e)); }, {.axis_name = "i"})(a); };
    const auto [y, jv] = jvp(f, x, v);
    const Array difference = (f(x + h * v) - f(x - h * v)) / (2. * h);
    expect_close(jv, difference, 1e-8);
    const auto [again, pull] = vjp(f, x);
    const Array u = np::cos(np::reshape(np::arange(y.size(), f64), y.shape()) * 0.31);
    const auto [ju] = pull(u);
    EXPECT_NEAR(np::sum(u * jv).template item<double>(), np::sum(ju * v).template item<double>(), 1e-12);
    // And the same inside: vmap of jvp.
    const auto inner = vmap([&](Array e, Array t) { return jvp([&](Array q) { return op(np::sin(q)); }, e, t).second; },
                            {.axis_name = "i"});
    expect_close(inner(x, v), jv, 1e-14);
    // Compiled, and with jit inside.
    expect_close(jit(f)(x), y, 1e-15);
    expect_close(vmap(jit([&](Array e) { return op(np::sin(e)); }), {.axis_name = "i"})(x), y, 1e-15);
  };
  check("psum", [](Array a) { return lax::psum(a, "i"); });
  check("psum in groups", [](Array a) { return lax::psum(a, "i", {{0, 2}, {3, 1}}); });
  check("pmean", [](Array a) { return lax::pmean(a, "i"); });
  check("pmax", [](Array a) { return lax::pmax(a, "i"); });
  check("pmin", [](Array a) { return lax::pmin(a, "i"); });
  check("all_gather", [](Array a) { return lax::all_gather(a, "i", {.axis = 1}); });
  check("all_gather in groups", [](Array a) { return lax::all_gather(a, "i", {.groups = {{0, 2}, {3, 1}}}); });
  check("psum_scatter", [](Array a) { return lax::psum_scatter(a, "i"); });
  check("psum_scatter tiled in groups",
        [](Array a) { return lax::psum_scatter(a, "i", {.tiled = true, .groups = {{0, 2}, {3, 1}}}); });
  check("ppermute", [](Array a) { return lax::ppermute(a, "i", {{0, 2}, {2, 3}}); });
  check("all_to_all", [](Array a) { return lax::all_to_all(a, "i", 0, 0); });
}

// An example's values reach those that take a branch, or go on, where it does not itself.
TEST(named_axis, derivatives_in_branches_and_loops_of_some_examples) {
  const Array x = np::array({1., 2., 3., 4.});
  const auto expect_gradients = [&](auto f) {
    const auto mapped = vmap(f, {.axis_name = "i"});
    const auto total = [&](Array v) { return np::sum(mapped(v)); };
    const double h = 1e-6;
    std::vector<double> differences;
    for (int i = 0; i < 4; ++i) {
      const Array step = np::eye(4).astype(f64)(i) * h;
      differences.push_back((total(x + step) - total(x - step)).template item<double>() / (2 * h));
    }
    const Array expected(differences);
    expect_close(grad(total)(x), expected, 1e-6);
    expect_close(vmap(grad(f), {.axis_name = "i"})(x), expected, 1e-6);
    expect_close(jit(vmap(grad(f), {.axis_name = "i"}))(x), expected, 1e-6);
    expect_close(vmap(grad(jit(f)), {.axis_name = "i"})(x), expected, 1e-6);
  };
  expect_gradients([](Array x) {
    return cond(
        lax::axis_index("i") == 1, [](Array y) { return y * y; }, [](Array y) { return lax::psum(y * y * y, "i") * y; },
        x);
  });
  expect_gradients([](Array x) {
    return switch_(
        lax::axis_index("i"),
        std::tuple([](Array y) { return y * y; }, [](Array y) { return np::sin(y) * lax::pmean(y * y, "i"); },
                   [](Array y) { return 2.0 * y; }),
        x);
  });
  expect_gradients([](Array x) {
    return while_loop([](Array v) { return v < 5.0; },
                      [](Array v) { return v + 0.1 * np::sin(lax::psum(v, "i")) + 1.0; }, x, {.max_steps = 8});
  });
}

TEST(named_axis, reaches_into_every_program) {
  const Array x = iota({4}) + 1.;
  const auto total = [](Array v) { return lax::psum(v, "i"); };
  const auto run = [&](auto f) { return vmap(f, {.axis_name = "i"})(x); };
  const Array want = np::full({4}, 10.);
  expect_close(run(jit(total)), want, 0);
  expect_close(run(checkpoint(total)), want, 0);
  expect_close(
      run([&](Array v) { return cond(v > 0., [&](Array e) { return total(e); }, [](Array e) { return e; }, v); }), want,
      0);
  expect_close(run([&](Array v) {
                 const auto step = [&](Array c, Array) { return std::pair(c + total(v), c); };
                 return scan(step, np::zeros({}, f64), np::arange(3)).first;
               }),
               3. * want, 0);
  expect_close(run([&](Array v) { return fori_loop(0, 2, [&](Array, Array c) { return c + total(v); }, v); }), x + 20.,
               0);
  // Carries that begin the same for all and come to differ.
  expect_close(run([&](Array v) {
                 const auto step = [&](Array c, Array) { return std::pair(lax::psum(c, "i") + v, c); };
                 return scan(step, np::ones({}, f64), np::arange(2)).first;
               }),
               np::full({4}, 4. * 4 + 10.) + x, 0);
}

// No operand of the program is mapped, but it asks for the position.
TEST(named_axis, position_asked_for_inside_of_a_program_without_mapped_operands) {
  const auto f = vmap(
      [](Array x) {
        return x + jit([](Array c) { return c + np::astype(lax::axis_index("i"), f64); })(np::array(100.));
      },
      {.axis_name = "i"});
  expect_close(f(iota({3})), np::array({100., 102., 104.}), 0);
  const auto g = vmap(
      [](Array x) {
        return x +
               fori_loop(
                   0, 3, [](Array, Array c) { return c + np::astype(lax::axis_index("i"), f64); }, np::zeros({}, f64));
      },
      {.axis_name = "i"});
  expect_close(g(iota({3})), np::array({0., 4., 8.}), 0);
}

TEST(named_axis, jit_traces_again_for_another_axis) {
  const auto f = jit([](Array x) { return x * static_cast<double>(lax::axis_size("i")); });
  const auto mapped = vmap([&](Array x) { return f(x); }, {.axis_name = "i"});
  expect_close(mapped(iota({3})), 3. * iota({3}), 0);
  expect_close(mapped(iota({5})), 5. * iota({5}), 0);
  EXPECT_EQ(f.cache_size(), 2u);
  mapped(iota({5}));
  EXPECT_EQ(f.cache_size(), 2u);
}

TEST(named_axis, an_inner_axis_hides_an_outer_one_of_its_name) {
  const auto f = vmap(vmap([](Array x) { return lax::psum(x, "i"); }, {.axis_name = "i"}), {.axis_name = "i"});
  expect_close(f(iota({2, 3})), np::array({{3., 3., 3.}, {12., 12., 12.}}), 0);
}

TEST(named_axis, other_maps_pass_collectives_on) {
  const auto f = vmap(vmap([](Array x) { return lax::psum(x, "rows"); }), {.axis_name = "rows"});
  expect_close(f(iota({2, 3})), np::array({{3., 5., 7.}, {3., 5., 7.}}), 0);
  const auto moved = vmap(vmap([](Array x) { return lax::all_gather(x, "rows"); }, 0, 1), {.axis_name = "rows"});
  expect_close(moved(iota({2, 3}))(0), iota({2, 3}), 0);
}

TEST(named_axis, programs_of_mapped_functions_have_plain_operations) {
  const std::string text =
      make_jaxpr(vmap([](Array x) { return lax::psum(x, "i"); }, {.axis_name = "i"}))(np::zeros({3})).str();
  EXPECT_EQ(text,
            "{ lambda ; a:f32[3]. let\n"
            "    b:f32[] = reduce_sum[axes=(0,)] a\n"
            "    c:f32[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3,)] b\n"
            "  in (c,) }");
}

}  // namespace
}  // namespace weft

#include "weft/api/vmap.h"

#include <gtest/gtest.h>

#include <map>

#include "weft/weft.h"

namespace weft {
namespace {

bool same(const Array& a, const Array& b) {
  return same_dims(a.shape(), b.shape()) && bool(np::allclose(a, b, 1e-12, 1e-12));
}

TEST(vmap, maps_each_argument_along_its_axis) {
  const auto f = [](Array x, Array y) { return np::sum(x) * y; };
  const Array x = random::normal(random::key(0), {3, 4}, f64), y = random::normal(random::key(1), {2, 4}, f64);
  const Array r = vmap(f, {1, -1})(x, y);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(same(r(i), f(x(slice(), i), y(slice(), i))));
  EXPECT_TRUE(same(vmap(f, {1, unmapped})(x, y)(2), f(x(slice(), 2), y)));
}

TEST(vmap, places_the_mapped_axis_of_results) {
  const auto f = [](Array x) { return std::pair(np::outer(x, x), np::sum(x)); };
  const Array x = random::normal(random::key(0), {5, 3}, f64);
  const auto [a, b] = vmap(f, 0, {1, 0})(x);
  EXPECT_EQ(a.aval().str(), "f64[3,5,3]");
  EXPECT_EQ(b.aval().str(), "f64[5]");
  EXPECT_TRUE(same(vmap(f, 0, {-1, 0})(x).first(slice(), slice(), 4), f(x(4)).first));
}

TEST(vmap, a_result_that_does_not_depend_on_the_mapped_arguments_is_repeated_or_not) {
  const Array c = np::array({1.0, 2.0});
  const auto f = [&](Array x) { return std::pair(x, c); };
  const auto [a, b] = vmap(f)(np::ones({3}));
  EXPECT_EQ(b.aval().str(), "f64[3,2]");
  EXPECT_EQ(vmap(f, 0, {0, unmapped})(np::ones({3})).second.aval().str(), "f64[2]");
  EXPECT_THROW(vmap(f, 0, {unmapped, 0})(np::ones({3})), ValueError);
}

struct Params {
  Array w;
  std::vector<Array> layers;
  std::map<std::string, Array> named;
};

TEST(vmap, axes_follow_trees) {
  const auto f = [](Params p, Array x) { return p.w * x + p.layers[0] + p.layers[1] + p.named.at("b"); };
  const Params p{np::array({1.0, 2.0}), {np::array({10.0, 20.0}), Array(100.0)}, {{"b", np::array({1000.0, 2000.0})}}};
  const Array r = vmap(f, {{0, {0, unmapped}, 0}, unmapped})(p, 3.0);
  EXPECT_EQ(r.to_vector<double>(), (std::vector<double>{1113, 2126}));
}

TEST(vmap, nests_and_commutes) {
  const auto f = [](Array x, Array y) { return np::dot(x, y); };
  const Array x = random::normal(random::key(0), {3, 5}, f64), y = random::normal(random::key(1), {4, 5}, f64);
  const Array all = vmap(vmap(f, {unmapped, 0}), {0, unmapped})(x, y);
  EXPECT_TRUE(same(all, np::matmul(x, y.T())));
  const Array other = vmap(vmap(f, {0, unmapped}), {unmapped, 0})(x, y);
  EXPECT_TRUE(same(other, all.T()));
}

TEST(vmap, of_a_jitted_function_and_jit_of_vmap) {
  const auto f = [](Array x) { return np::cumsum(np::sin(x)) * np::max(x); };
  const Array x = random::normal(random::key(0), {4, 6}, f64);
  const Array expected = np::stack({f(x(0)), f(x(1)), f(x(2)), f(x(3))});
  EXPECT_TRUE(same(vmap(f)(x), expected));
  EXPECT_TRUE(same(vmap(jit(f))(x), expected));
  EXPECT_TRUE(same(jit(vmap(f))(x), expected));
}

TEST(vmap, of_indexing_and_updates) {
  const Array x = random::normal(random::key(0), {4, 6}, f64), i = np::array({0, 5, 9, -1});
  const auto read = [](Array a, Array k) { return a(k); };
  const auto write = [](Array a, Array k) { return a.at(k).set(7.0); };
  const Array r = vmap(read)(x, i), w = vmap(write)(x, i);
  for (int k = 0; k < 4; ++k) {
    EXPECT_TRUE(same(r(k), read(x(k), i(k))));
    EXPECT_TRUE(same(w(k), write(x(k), i(k))));
  }
  EXPECT_TRUE(same(vmap(read, {unmapped, 0})(x(0), i)(2), x(0, 5)));
}

TEST(vmap, over_no_examples) {
  EXPECT_EQ(vmap([](Array x) { return np::outer(x, x); })(np::zeros({0, 3})).aval().str(), "f32[0,3,3]");
}

TEST(vmap, mistakes_name_the_argument) {
  const auto f = [](Array x, Array y) { return x + y; };
  const auto message = [](auto&& g) -> std::string {
    try {
      g();
    } catch (const Error& e) {
      return std::string(e.kind()) + ": " + e.what();
    }
    return "nothing was thrown";
  };
  const std::string sizes = message([&] { vmap(f)(np::ones({3}), np::ones({4})); });
  EXPECT_NE(sizes.find("ShapeError: vmap: mapped axes must have equal sizes; got 3 for args[0] (f32[3], axis 0) and 4 "
                       "for args[1] (f32[4], axis 0)."),
            std::string::npos)
      << sizes;
  EXPECT_NE(message([&] {
              vmap(f)(np::ones({3}), 1.0f);
            }).find("IndexError: vmap: a mapped argument must have an axis; got axis 0 for args[1]"),
            std::string::npos);
  EXPECT_NE(message([&] {
              vmap(f, {0, 0, 0})(np::ones({3}), np::ones({3}));
            }).find("TreeError: vmap: in_axes must have one entry per element of args; got 3"),
            std::string::npos);
  EXPECT_NE(message([&] {
              vmap(f, unmapped)(np::ones({3}), np::ones({3}));
            }).find("ValueError: vmap: at least one argument must be mapped"),
            std::string::npos);
}

TEST(vmap, an_optional_takes_the_axes_of_its_value) {
  struct Pair {
    Array a, b;
  };
  const auto f = [](std::optional<Pair> p) { return p->a + np::sum(p->b); };
  const std::optional<Pair> p(Pair{np::ones({3, 2}), np::ones({2, 3})});
  EXPECT_EQ(vmap(f, {{0, 1}})(p).aval().str(), "f32[3,2]");
}

TEST(vmap, starts_beyond_every_end_stay_there) {
  const Array x = np::arange(5);
  const auto window = [&](Array start) { return lax::dynamic_slice(x, std::vector<Array>{start}, Dims{2}); };
  const Array starts = np::array(std::vector<std::uint64_t>{0, 2, ~std::uint64_t{0}});
  EXPECT_EQ(vmap(window)(starts).to_vector<std::int32_t>(), (std::vector<std::int32_t>{0, 1, 2, 3, 3, 4}));
}

}  // namespace
}  // namespace weft

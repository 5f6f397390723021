#include "weft/core/tree.h"

#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft {
namespace {

struct Dense {
  Array w, b;
};
enum class Activation { kRelu, kTanh };
struct Model {
  std::vector<Dense> layers;
  Dense head;
  std::optional<Array> scale;
  std::map<std::string, Array> extra;
  std::array<Array, 2> pair;
  std::tuple<Array, int> tuple;
  Activation activation = Activation::kRelu;
  bool bias = true;
};
class Hidden {
 public:
  explicit Hidden(Array x) : x_(std::move(x)) {}
  WEFT_TREE(x_, steps_)
  const Array& x() const { return x_; }

 private:
  Array x_;
  int steps_ = 3;
};

Model model() {
  const auto n = [v = 0]() mutable { return Array(static_cast<float>(v++)); };
  Model m;
  auto next = n;
  m.layers.push_back({next(), next()});
  m.layers.push_back({next(), next()});
  m.head = {next(), next()};
  m.scale = next();
  m.extra["beta"] = next();
  m.extra["alpha"] = next();
  m.pair = {next(), next()};
  std::get<0>(m.tuple) = next();
  return m;
}

TEST(tree, leaves_come_in_order_of_declaration_and_maps_by_key) {
  std::vector<float> values;
  for (const Array& a : tree::leaves(model())) values.push_back(a.item<float>());
  EXPECT_EQ(values, (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 8, 7, 9, 10, 11}));
}

TEST(tree, paths_name_members_indices_and_keys) {
  const auto paths = tree::structure(model()).paths();
  EXPECT_EQ(paths, (std::vector<std::string>{".layers[0].w", ".layers[0].b", ".layers[1].w", ".layers[1].b", ".head.w",
                                             ".head.b", ".scale", ".extra['alpha']", ".extra['beta']", ".pair[0]",
                                             ".pair[1]", ".tuple[0]"}));
}

TEST(tree, structures_compare_and_print) {
  Model m = model();
  EXPECT_EQ(tree::structure(m), tree::structure(model()));
  EXPECT_EQ(tree::structure(m).hash(), tree::structure(model()).hash());
  m.activation = Activation::kTanh;
  EXPECT_NE(tree::structure(m), tree::structure(model()));
  m = model();
  m.layers.pop_back();
  EXPECT_NE(tree::structure(m), tree::structure(model()));
  EXPECT_EQ(tree::structure(std::pair(Dense{Array(1), Array()}, 3)).str(), "({w: *, b: none}, 3)");
}

TEST(tree, map_applies_to_every_leaf) {
  const Dense a{Array(1.0f), Array(2.0f)}, b{Array(10.0f), Array(20.0f)};
  const Dense sum = tree::map([](const Array& x, const Array& y) { return x + y; }, a, b);
  EXPECT_EQ(sum.w.item<float>(), 11);
  EXPECT_EQ(sum.b.item<float>(), 22);
  EXPECT_EQ(tree::reduce([](double s, const Array& x) { return s + x.item<double>(); }, sum, 0.0), 33);
}

TEST(tree, map_over_different_trees_names_the_path) {
  std::vector<Dense> a(2, Dense{Array(1), Array(2)}), b(3, Dense{Array(1), Array(2)});
  try {
    tree::map([](const Array& x, const Array&) { return x; }, a, b);
    FAIL();
  } catch (const TreeError& e) {
    EXPECT_NE(std::string(e.what()).find("got 2 entries and 3 entries at the root"), std::string::npos) << e.what();
  }
}

TEST(tree, a_class_opts_in_with_one_line) {
  const Hidden h(Array(2.0));
  EXPECT_EQ(tree::structure(h).str(), "{x_: *, steps_: 3}");
  EXPECT_EQ(grad([](Hidden p) { return p.x() * p.x(); })(h).x().item<double>(), 4.0);
}

TEST(tree, gradients_have_the_structure_of_the_parameters) {
  const Model g = grad([](Model m) {
    Array sum(0.0f);
    float weight = 1;
    for (const Array& a : tree::leaves(m)) sum += a * a * weight++;
    return sum;
  })(model());
  EXPECT_EQ(tree::structure(g), tree::structure(model()));
  EXPECT_EQ(g.layers[1].b.item<float>(), 2 * 3 * 4);
  EXPECT_EQ(g.extra.at("alpha").item<float>(), 2 * 8 * 8);
}

TEST(tree, ravel_and_back) {
  const auto [flat, unravel] = ravel(model());
  EXPECT_EQ(flat.aval().str(), "f32[12]");
  const Model back = unravel(flat * 2);
  EXPECT_EQ(back.extra.at("beta").item<float>(), 14);
  EXPECT_THROW(unravel(np::ones({5})), ShapeError);
}

TEST(tree, keys_and_names_are_told_apart_exactly) {
  const auto of = [](double key) { return tree::structure(std::map<double, Array>{{key, np::ones({1})}}); };
  EXPECT_NE(of(1e-9), of(2e-9));
  using Names = std::vector<std::string>;
  EXPECT_NE(tree::structure(Names{"a\", \"b"}), tree::structure(Names{"a", "b"}));
}

}  // namespace
}  // namespace weft

// A hash that tells nothing apart: equality must.
struct Options {
  int a = 0;
  friend bool operator==(const Options&, const Options&) = default;
};
template <>
struct std::hash<Options> {
  std::size_t operator()(const Options&) const { return 7; }
};

namespace weft {
namespace {

TEST(tree, static_arguments_are_compared_by_value) {
  const auto f = [](Array x, const StaticArg<Options>& o) { return x * o.value.a; };
  const auto g = jit(f);
  const Array x(2.0f);
  EXPECT_EQ(g(x, static_arg(Options{3})).item<float>(), 6);
  EXPECT_EQ(g(x, static_arg(Options{4})).item<float>(), 8);
  EXPECT_EQ(g(x, static_arg(Options{3})).item<float>(), 6);
  EXPECT_EQ(g.cache_size(), 2u);
  EXPECT_NE(tree::structure(static_arg(Options{3})), tree::structure(static_arg(Options{4})));
}

}  // namespace
}  // namespace weft

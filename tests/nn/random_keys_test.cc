// Which keys modules take: a hash of their path and a count, folded into the key of the stream. Numbers are those that
// Flax's guide of random streams prints.
#include <gtest/gtest.h>

#include "nn/linear.h"
#include "weft/weft.h"

namespace weft::nn {
namespace {

using Taken = std::map<std::string, std::vector<std::uint32_t>>;

// What modules take, by path: the tests' own notes.
Taken& taken() {
  static Taken t;
  return t;
}
void take(const std::string& path, const Array& key) {
  for (const std::uint32_t word : key.to_vector<std::uint32_t>()) taken()[path].push_back(word);
}

struct RNGSubSubModule : Module<RNGSubSubModule> {
  Array call(const Array& x) const {
    for (int i = 0; i < 2; ++i) take(path(), make_rng("rng_stream"));
    return x;
  }
};
struct RNGSubModule : Module<RNGSubModule> {
  Array call(const Array& x) const {
    for (int i = 0; i < 2; ++i) take(path(), make_rng("rng_stream"));
    return RNGSubSubModule{}(x);
  }
};
struct RNGModule : Module<RNGModule> {
  Array call(const Array& x) const {
    for (int i = 0; i < 3; ++i) take(path(), make_rng("rng_stream"));
    RNGSubModule{}(x);
    return RNGSubModule{}(x);
  }
};
Taken keys_of(const Rngs& rngs) {
  taken().clear();
  RNGModule{}.apply({}, {.rngs = rngs}, np::ones({1}));
  return taken();
}

TEST(random_keys, are_those_of_the_guide) {
  const Taken zero = keys_of({{"rng_stream", random::key(0)}});
  using Words = std::vector<std::uint32_t>;
  EXPECT_EQ(zero.at(""), (Words{1428664606, 3351135085, 3456700291, 3873160899, 2411773124, 4124888837}));
  EXPECT_EQ(zero.at("RNGSubModule_0/RNGSubSubModule_0"), (Words{234240654, 1028548813, 3650462303, 2124609379}));
  EXPECT_EQ(zero.at("RNGSubModule_1"), (Words{426957352, 2006350344, 4006253729, 4205356731}));
  const Taken one = keys_of({{"rng_stream", random::key(1)}});
  EXPECT_EQ(one.at(""), (Words{3077990774, 2166202870, 3825832496, 2886313970, 791337683, 1373966058}));
}

TEST(random_keys, the_hash_is_of_names_and_count) {
  EXPECT_EQ(detail::path_hash("A/B/C", 1), 947574064u);
  EXPECT_EQ(detail::path_hash("ABC", 1), 947574064u);
}

struct Leaf : Module<Leaf> {
  std::string name = {};
  Array call() const { return make_rng("rng"); }
};
struct Node : Module<Node> {
  std::string leaf_name, name = {};
  Array call() const { return Leaf{.name = leaf_name}(); }
};
struct TwoLeaves : Module<TwoLeaves> {
  std::pair<Array, Array> call() const {
    const Array first = Node{.leaf_name = "cdef", .name = "ab"}();
    return {first, Node{.leaf_name = "def", .name = "abc"}()};
  }
};
// "Sharp edge" of the guide.
TEST(random_keys, names_are_kept_apart_where_one_asks_for_it) {
  EXPECT_NE(detail::path_hash("A/BC", 1, true), detail::path_hash("AB/C", 1, true));
  const Rngs rngs{{"rng", random::key(33)}};
  const auto [a, b] = TwoLeaves{}.apply({}, {.rngs = rngs});
  const auto [c, d] = TwoLeaves{}.apply({}, {.rngs = Rngs::separated(rngs)});
  EXPECT_TRUE(np::array_equal(a, b).item<bool>());
  EXPECT_FALSE(np::array_equal(c, d).item<bool>());
}

TEST(random_keys, a_stream_without_a_key_takes_those_of_params) {
  EXPECT_EQ(keys_of({{"params", random::key(0)}}), keys_of({{"rng_stream", random::key(0)}}));
}

TEST(random_keys, parameters_begin_as_published) {
  const Variables v = Embed{.num_embeddings = 5, .features = 3}.init(random::key(0), np::array({1}));
  const Array want = np::array({{.04396089f, -.9328513f, -.97328115f},
                                {.41147125f, .66334754f, .49469155f},
                                {.09719624f, .49861377f, .49519277f},
                                {-.13316602f, .6697022f, .3710195f},
                                {-.5039532f, .287319f, 1.4369922f}});
  EXPECT_TRUE(np::allclose(v.at("params").at("embedding"), want, 1e-6, 1e-7).item<bool>());
}

}  // namespace
}  // namespace weft::nn

#include "train/state_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

#include "harness/errors.h"
#include "train/msgpack.h"
#include "weft/base/error.h"
#include "weft/np/np.h"

namespace weft::train {
namespace {

using testing::message_of;

// A short text of a value: {a: f32[2], b: {0: 3}}.
std::string outline(const StateValue& v) {
  if (const auto* dict = v.get_if<StateDict>()) {
    std::string out = "{";
    for (const StateEntry& e : *dict) out += (out.size() > 1 ? ", " : "") + e.key + ": " + outline(e.value);
    return out + "}";
  }
  if (const auto* text = v.get_if<std::string>()) return "'" + *text + "'";
  return v.str();
}

Array ones(std::initializer_list<std::int64_t> shape) { return np::ones(Dims(shape)); }

enum class Mode : std::uint8_t { kTrain, kEval };
struct StateLayer {
  Array w, b;
};
struct StateOptions {
  int depth = 2;
  float rate = 0.5f;
  bool bias = true;
  std::string name = "mlp";
  Mode mode = Mode::kEval;
  DType dtype = bf16;
  std::complex<float> z{1, 2};
  std::uint64_t big = ~std::uint64_t{0};
};
struct StateModel {
  std::vector<StateLayer> layers;
  std::map<std::string, Array> named;
  std::tuple<Array, int> pair;
  std::optional<Array> maybe;
  StateOptions options;
  std::vector<bool> bits;
  std::array<double, 2> numbers;
};

StateModel state_model() {
  return {.layers = {{ones({2, 3}), ones({3})}, {ones({3, 1}), {}}},
          .named = {{"x", ones({1})}},
          .pair = {ones({}), 7},
          .maybe = {},
          .options = {},
          .bits = {true, false},
          .numbers = {1, 2.5}};
}

TEST(state_tree, structs_tuples_and_lists_become_dictionaries_in_order) {
  EXPECT_EQ(outline(to_state_dict(state_model())),
            "{layers: {0: {w: f32[2,3], b: f32[3]}, 1: {w: f32[3,1], b: none}}, named: {x: f32[1]}, "
            "pair: {0: f32[], 1: the integer 7}, maybe: none, options: {depth: the integer 2, rate: the number 0.5, "
            "bias: true, name: 'mlp', mode: the integer 1, dtype: 'bfloat16', z: a complex number, "
            "big: the integer 18446744073709551615}, bits: {0: true, 1: false}, "
            "numbers: {0: the number 1.0, 1: the number 2.5}}");
  EXPECT_EQ(outline(to_state_dict(ones({2}))), "f32[2]");
  EXPECT_EQ(outline(to_state_dict(std::optional<Array>())), "none");
  struct Empty {};
  EXPECT_EQ(outline(to_state_dict(std::pair(Empty(), std::vector<Array>()))), "{0: {}, 1: {}}");
}

TEST(state_tree, a_tree_comes_back_with_its_static_values) {
  const StateModel model = state_model();
  StateModel target = model;
  target.layers[0].w = np::zeros({2, 3});
  target.options = {9, 0, false, "", Mode::kTrain, f32, {}, 0};
  target.numbers = {};
  const StateModel back = from_state_dict(target, to_state_dict(model));
  EXPECT_EQ(tree::structure(back).str(), tree::structure(model).str());
  EXPECT_EQ(back.layers[0].w.to_vector<float>(), std::vector<float>(6, 1));
}

TEST(state_tree, keys_with_slashes_are_nested_in_the_order_of_keys) {
  const std::map<std::string, std::map<std::string, Array>> variables{
      {"batch_stats", {{"BatchNorm_0/mean", ones({2})}}},
      {"params",
       {{"Dense-1/kernel", ones({1})}, {"Dense/kernel", ones({2})}, {"Dense/bias", ones({3})}, {"scale", {}}}}};
  EXPECT_EQ(outline(to_state_dict(variables)),
            "{batch_stats: {BatchNorm_0: {mean: f32[2]}}, "
            "params: {Dense: {bias: f32[3], kernel: f32[2]}, Dense-1: {kernel: f32[1]}, scale: none}}");
  const auto back = from_state_dict(variables, to_state_dict(variables));
  EXPECT_EQ(tree::structure(back), tree::structure(variables));
  const std::map<int, Array> numbers{{2, ones({})}, {10, ones({1})}};
  EXPECT_EQ(outline(to_state_dict(numbers)), "{2: f32[], 10: f32[1]}");
  EXPECT_EQ(message_of<ValueError>([] { to_state_dict(std::map<std::string, Array>{{"a", {}}, {"a/b", {}}}); }),
            "to_state_dict: no key of a map may begin with another and '/'; got 'a' and 'a/b'.");
  EXPECT_THROW(to_state_dict(std::map<std::string, Array>{{"a/b", {}}, {"a/b/c", {}}, {"a-", {}}}), ValueError);
  // The entries of a value stay in their own order.
  const std::map<std::string, StateLayer> layers{{"a/one", {ones({1}), ones({2})}}};
  EXPECT_EQ(outline(to_state_dict(layers)), "{a: {one: {w: f32[1], b: f32[2]}}}");
}

// The shortest of a few times, in seconds.
template <class F>
double seconds_of(F&& f) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

TEST(state_tree, wide_maps_take_time_as_their_width) {
  const auto wide = [](int n) {
    std::map<std::string, Array> out;
    for (int i = 0; i < n; ++i) {
      out.emplace("plain" + std::to_string(i), Array());
      out.emplace("layer" + std::to_string(i) + "/kernel", Array());
      out.emplace("one/kernel" + std::to_string(i), Array());
    }
    return out;
  };
  const auto few = wide(1000), many = wide(20000);
  // 20 times as many: work that grows as the square would take 400 times as long.
  EXPECT_LT(seconds_of([&] { to_state_dict(many); }), 100 * seconds_of([&] { to_state_dict(few); }));
}

TEST(state_tree, keys_may_have_slashes_in_the_file_too) {
  StateDict inner, params;
  inner.set("w", ones({2}));
  params.set("linear/~/0", inner);
  const std::map<std::string, Array> target{{"linear/~/0/w", np::zeros({2})}};
  EXPECT_EQ(from_state_dict(target, params).at("linear/~/0/w").to_vector<float>(), std::vector<float>(2, 1));
}

TEST(state_tree, all_differences_are_listed_by_path) {
  struct Target {
    StateLayer layer;
    Array count;
    int steps;
    std::optional<Array> none;
    std::vector<bool> bits;
  };
  StateDict layer, file;
  layer.set("w", ones({3, 2}));
  layer.set("c", ones({1}));
  file.set("layer", layer);
  file.set("count", ones({}));
  file.set("steps", std::string("many"));
  file.set("none", ones({4}));
  StateDict bits;
  bits.set("0", false);
  file.set("bits", bits);
  file.set("nothing", StateValue());
  const Target target{{ones({2, 3}), ones({3})}, np::zeros({}, i32), 3, {}, {true}};
  EXPECT_EQ(message_of<TreeError>([&] { from_state_dict(target, file); }),
            "from_state_dict: the state dictionary must have the leaves of the target; got 7 differences:\n"
            "  missing layer/b, f32[3]\n"
            "  extra layer/c, f32[1]\n"
            "  extra none, f32[4]\n"
            "  mismatched layer/w, f32[3,2] for f32[2,3]\n"
            "  mismatched count, f32[] for i32[]\n"
            "  mismatched steps, a text for the integer 3\n"
            "  mismatched bits/0, false for a fixed bool.");
  EXPECT_EQ(message_of<TreeError>([] { from_state_dict(Array(1.0f), StateDict()); }),
            "from_state_dict: the state dictionary must have the leaves of the target; got 1 difference:\n"
            "  missing the root, f32[].");
}

TEST(state_tree, missing_and_extra_leaves_may_be_allowed) {
  StateDict file;
  file.set("w", ones({2}));
  file.set("other", ones({5}));
  const StateLayer target{np::zeros({2}), np::zeros({3})};
  const StateLayer back = from_state_dict(target, file, {.allow_missing = true, .allow_extra = true});
  EXPECT_EQ(back.w.to_vector<float>(), std::vector<float>(2, 1));
  EXPECT_TRUE(back.b.identical(target.b));
}

TEST(state_tree, dtypes_are_kept_converted_or_taken_from_the_file) {
  StateDict file;
  file.set("w", ones({2}).astype(bf16));
  file.set("b", ones({3}));
  const StateLayer target{np::zeros({2}), np::zeros({3})};
  EXPECT_THROW(from_state_dict(target, file), TreeError);
  EXPECT_EQ(from_state_dict(target, file, {.dtype = RestoreDType::kTarget}).w.dtype(), f32);
  EXPECT_EQ(from_state_dict(target, file, {.dtype = RestoreDType::kFile}).w.dtype(), bf16);
}

TEST(state_tree, numbers_become_arrays_without_dimensions_where_they_fit) {
  const auto restored = [](const Array& target, const StateValue& number) {
    return from_state_dict(target, number).item<double>();
  };
  EXPECT_EQ(restored(Array(std::int32_t{0}), 5), 5);
  EXPECT_EQ(restored(Array(0.0f), 5), 5);
  EXPECT_EQ(restored(Array(0.0f), 0.5), 0.5);
  EXPECT_EQ(restored(Array(false), true), 1);
  EXPECT_EQ(restored(Array(std::uint64_t{0}), ~std::uint64_t{0}), 18446744073709551615.0);
  EXPECT_EQ(restored(Array(0.0f), NumpyScalar{Array(2.5f)}), 2.5);
  EXPECT_THROW(restored(Array(std::int8_t{0}), 300), TreeError);
  EXPECT_THROW(restored(Array(std::int32_t{0}), 0.5), TreeError);
  EXPECT_THROW(restored(Array(false), 1), TreeError);
  EXPECT_THROW(restored(np::zeros({1}), 5), TreeError);
}

TEST(state_tree, the_target_stays_when_something_does_not_fit) {
  StateDict file;
  file.set("w", ones({2}));
  StateLayer target{np::zeros({2}), np::zeros({3})};
  const Array before = target.w;
  EXPECT_THROW(target = from_state_dict(target, file), TreeError);
  EXPECT_TRUE(target.w.identical(before));
}

TEST(state_dict, keys_are_found_replaced_and_missed) {
  StateDict d;
  d.set("b", 1);
  d.set("a", 2);
  d.set("b", 3);
  EXPECT_EQ(outline(d), "{b: the integer 3, a: the integer 2}");
  EXPECT_EQ(outline(sorted(d)), "{a: the integer 2, b: the integer 3}");
  EXPECT_EQ(message_of<IndexError>([&] { (void)d.at("c"); }),
            "at: the dictionary must have the key 'c'; got 'b', 'a'.");
}

TEST(state_dict, two_leaves_of_one_path_are_refused) {
  StateDict inner, d;
  inner.set("b", 1);
  d.set("a", inner);
  d.set("a/b", 2);
  EXPECT_EQ(message_of<ParseError>([&] { StateLeaves(d, "the file"); }),
            "from_state_dict: the file must have every path once; got a/b twice.");
}

}  // namespace
}  // namespace weft::train

#include "nn/tabulate.h"

#include <gtest/gtest.h>

#include "nn/lift.h"
#include "nn/linear.h"
#include "weft/weft.h"

namespace weft::nn {
namespace {

struct Block : Module<Block> {
  int features = 0;
  Array call(const Array& x) const {
    const Variable seen = variable("stats", "seen", [] { return np::zeros({}, i32); });
    return np::tanh(Dense{.features = features}(x)) + seen.value();
  }
};
struct Net : Module<Net> {
  Array call(const Array& x) const {
    const Block block{.features = 4};
    return Dense{.features = 2, .use_bias = false, .name = "out"}(block(block(x)));
  }
};

// Of a product 2 x 3 x 4 x 4 and a bias, forward; backward two more products, the bias's sums, and the
// sums of both calls' derivatives, which are with the first.
TEST(tabulate, lists_modules_types_variables_and_operations) {
  EXPECT_EQ(
      "\n" + tabulate(Net{}, random::key(0), {.compute_flops = true, .compute_vjp_flops = true}, np::ones({3, 4})),
      R"(
+-----------------+--------+----------+----------+-------+-----------+------------------+-------------+
| path            | module | inputs   | outputs  | flops | vjp_flops | params           | stats       |
+-----------------+--------+----------+----------+-------+-----------+------------------+-------------+
|                 | Net    | f32[3,4] | f32[3,2] | 314   | 934       |                  |             |
+-----------------+--------+----------+----------+-------+-----------+------------------+-------------+
| Block_0         | Block  | f32[3,4] | f32[3,4] | 133   | 405       |                  | seen: i32[] |
|                 |        |          |          |       |           |                  | 1 (4 B)     |
+-----------------+--------+----------+----------+-------+-----------+------------------+-------------+
| Block_0/Dense_0 | Dense  | f32[3,4] | f32[3,4] | 108   | 332       | bias: f32[4]     |             |
|                 |        |          |          |       |           | kernel: f32[4,4] |             |
|                 |        |          |          |       |           | 20 (80 B)        |             |
+-----------------+--------+----------+----------+-------+-----------+------------------+-------------+
| out             | Dense  | f32[3,4] | f32[3,2] | 48    | 144       | kernel: f32[4,2] |             |
|                 |        |          |          |       |           | 8 (32 B)         |             |
+-----------------+--------+----------+----------+-------+-----------+------------------+-------------+
|                 |        |          | total    |       |           | 28 (112 B)       | 1 (4 B)     |
+-----------------+--------+----------+----------+-------+-----------+------------------+-------------+

total parameters and other variables: 29 (116 B)
)");
}

TEST(tabulate, lists_as_deep_as_it_is_told) {
  EXPECT_EQ("\n" + tabulate(Net{}, random::key(0), {.depth = 2, .show_repeated = true}, np::ones({3, 4})), R"(
+---------+--------+----------+----------+------------------+-------------+
| path    | module | inputs   | outputs  | params           | stats       |
+---------+--------+----------+----------+------------------+-------------+
|         | Net    | f32[3,4] | f32[3,2] |                  |             |
+---------+--------+----------+----------+------------------+-------------+
| Block_0 | Block  | f32[3,4] | f32[3,4] | 20 (80 B)        | seen: i32[] |
|         |        |          |          |                  | 1 (4 B)     |
+---------+--------+----------+----------+------------------+-------------+
| Block_0 | Block  | f32[3,4] | f32[3,4] | 20 (80 B)        | seen: i32[] |
|         |        |          |          |                  | 1 (4 B)     |
+---------+--------+----------+----------+------------------+-------------+
| out     | Dense  | f32[3,4] | f32[3,2] | kernel: f32[4,2] |             |
|         |        |          |          | 8 (32 B)         |             |
+---------+--------+----------+----------+------------------+-------------+
|         |        |          | total    | 28 (112 B)       | 1 (4 B)     |
+---------+--------+----------+----------+------------------+-------------+

total parameters and other variables: 29 (116 B)
)");
}

struct Jitted : Module<Jitted> {
  Array call(const Array& x) const {
    const auto layer = jit(Block{.features = 4});
    return layer(layer(x));
  }
};
TEST(tabulate, lists_what_is_compiled_on_its_own) {
  const std::string text =
      tabulate(Jitted{}, random::key(0), {.show_repeated = true, .compute_flops = true}, np::ones({3, 4}));
  const auto count = [&](const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("| JitBlock_0 "), 2u) << text;
  EXPECT_EQ(count("| JitBlock_0/Dense_0 "), 2u) << text;
  EXPECT_EQ(count(" 108 "), 2u) << text;
}

struct Layers : Module<Layers> {
  Array call(const Array& x) const {
    struct Layer : Module<Layer> {
      std::pair<Array, std::tuple<>> call(const Array& c) const {
        return {Dense{.features = 4, .use_bias = false}(c), {}};
      }
    };
    return scan(Layer{}, {.variable_axes = {{"params", 0}}, .split_rngs = {{"params", true}}, .length = 5})(x).first;
  }
};
TEST(tabulate, counts_the_steps_of_a_scan) {
  const std::string text = tabulate(Layers{}, random::key(0), {.depth = 1, .compute_flops = true}, np::ones({3, 4}));
  EXPECT_NE(text.find(" 485 "), std::string::npos) << text;  // 5 x 2 x 3 x 4 x 4, and 5 keys
}

}  // namespace
}  // namespace weft::nn

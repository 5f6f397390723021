// Layers that compute in bf16 from parameters in f32, beside the same layers in f32.
#include <gtest/gtest.h>

#include "nn/checks.h"
#include "nn/nn.h"
#include "weft/weft.h"

namespace weft::nn {
namespace {

using namespace testing;

// Results are of bf16, parameters of f32, and results are those of f32 to the digits that bf16 has: each of the few
// roundings on the way is off by 2^-9 of the largest number at most.
template <class M, class... A>
void expect_mixed(const M& mixed, const A&... args) {
  M exact = mixed;
  exact.dtype = f32;
  const Variables v = drawn(exact.init(random::key(0), args...));
  for (const auto& [path, array] : v.at("params")) EXPECT_EQ(array.dtype(), f32) << path;
  EXPECT_EQ(types(mixed.init(random::key(0), args...)), types(v));
  const Arrays got = tree::leaves(mixed.apply(v, args...)), want = tree::leaves(exact.apply(v, args...));
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].dtype(), bf16) << i;
    ASSERT_EQ(got[i].shape(), want[i].shape()) << i;
    const double largest = np::max(np::abs(want[i])).template item<double>();
    EXPECT_LE(np::max(np::abs(got[i].astype(f32) - want[i])).template item<double>(), 8 * largest / 512) << i;
  }
}

const Array kRows = draw({3, 4, 6}, 1, f32), kImages = draw({2, 5, 6, 4}, 2, f32);

TEST(mixed_precision, of_products) {
  expect_mixed(Dense{.features = 5, .dtype = bf16}, kRows);
  expect_mixed(DenseGeneral{.features = {2, 3}, .axis = {-2, -1}, .dtype = bf16}, kRows);
  expect_mixed(Einsum{.shape = {6, 5}, .einsum_str = "abc,cd->abd", .dtype = bf16}, kRows);
  expect_mixed(Embed{.num_embeddings = 7, .features = 4, .dtype = bf16}, np::array({1, 6, 0}));
}

TEST(mixed_precision, of_convolutions) {
  expect_mixed(Conv{.features = 3, .kernel_size = {3, 3}, .dtype = bf16}, kImages);
  expect_mixed(
      Conv{.features = 4, .kernel_size = 3, .padding = Padding::kCausal, .feature_group_count = 2, .dtype = bf16},
      draw({2, 7, 4}, 3, f32));
  expect_mixed(ConvTranspose{.features = 3, .kernel_size = {3, 2}, .strides = 2, .dtype = bf16}, kImages);
}

TEST(mixed_precision, of_norms) {
  expect_mixed(LayerNorm{.dtype = bf16}, kRows);
  expect_mixed(RMSNorm{.dtype = bf16}, kRows);
  expect_mixed(GroupNorm{.num_groups = 2, .dtype = bf16}, kImages);
  expect_mixed(InstanceNorm{.dtype = bf16}, kImages);
}

TEST(mixed_precision, of_attention) {
  expect_mixed(MultiHeadDotProductAttention{.num_heads = 2, .dtype = bf16}, kRows, kRows);
}

TEST(mixed_precision, of_cells) {
  // States of bf16 stay so.
  const Array h = draw({3, 4}, 4, bf16), x = draw({3, 2}, 5, bf16);
  const auto expect = [&](const auto& cell) {
    auto exact = cell;
    exact.dtype = f32;
    const Variables v = drawn(exact.init(random::key(0), h, x));
    const auto [after, y] = cell.apply(v, h, x);
    EXPECT_EQ(y.dtype(), bf16);
    EXPECT_EQ(after.dtype(), bf16);
    const Array want = exact.apply(v, h.astype(f32), x.astype(f32)).second;
    EXPECT_LE(np::max(np::abs(y.astype(f32) - want)).template item<double>(), 8 / 512.0);
  };
  expect(SimpleCell{.features = 4, .dtype = bf16});
  expect(GRUCell{.features = 4, .dtype = bf16});
  expect(MGUCell{.features = 4, .dtype = bf16});
}

}  // namespace
}  // namespace weft::nn

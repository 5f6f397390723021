#include "weft/cpu/stored_part.h"

#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft {
namespace {

// Of 4 TiB in full.
Array huge() { return np::zeros({1 << 20, 1 << 20}); }

TEST(stored_part, pieces_of_what_repeats_are_taken_without_writing_it_out) {
  const Array x = huge();
  EXPECT_EQ(x(slice(0, 2), slice(3, 5)).to_vector<float>(), (std::vector<float>{0, 0, 0, 0}));
  EXPECT_EQ(x(7, 9).item<float>(), 0);
  EXPECT_EQ(x(-1, slice(3)).size(), 3);
  EXPECT_EQ(jit([](Array a) { return a(3, 5); })(x).item<float>(), 0);
  EXPECT_EQ(lax::dynamic_slice(x, Arrays{5, 6}, Dims{2, 3}).size(), 6);
  EXPECT_EQ(np::transpose(x)(1, 2).item<float>(), 0);
  EXPECT_EQ(np::flip(x)(1, 2).item<float>(), 0);
  EXPECT_EQ(np::max(x).item<float>(), 0);
  EXPECT_EQ(x(np::array({1, 2}), np::array({3, 4})).to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(x.str().substr(0, 20), "[[0. 0. 0. ... 0. 0.");
  EXPECT_EQ(x(slice(0, 3), 0).repr(), "Array([0., 0., 0.], dtype=float32)");
}

TEST(stored_part, results_are_those_of_the_whole) {
  const Array line = np::arange(6.0f);
  const Array view = np::broadcast_to(np::reshape(line, {1, 6}), {5, 6});
  const Array full = Array::from_vector(view.to_vector<float>(), {5, 6});
  const auto same = [&](auto f) { EXPECT_EQ(f(view).str(), f(full).str()); };
  same([](Array a) { return a(slice(1, 4, 2), slice(5, 0, -2)); });
  same([](Array a) { return a(2); });
  same([](Array a) { return a(slice(3, 3)); });
  same([](Array a) { return np::transpose(a); });
  same([](Array a) { return np::transpose(a)(slice(1, 3), 2); });
  same([](Array a) { return np::flip(a); });
  same([](Array a) { return np::max(a, 0); });
  same([](Array a) { return np::max(a, 1); });
  same([](Array a) { return np::sum(a, 0); });
  same([](Array a) { return lax::dynamic_slice(a, Arrays{9, 2}, Dims{2, 3}); });
  same([](Array a) { return a(np::array({4, 0, 4})); });
  same([](Array a) { return a(ellipsis, np::array({4, 0, 4})); });
  same([](Array a) { return a(np::array({4, 0}), np::array({1, 5})); });
  // Outside along the repeated axis: whether an element is filled is a matter of the whole size.
  const Array at = np::reshape(np::array({4, 5, -7}), {3, 1});
  for (const IndexMode mode : {IndexMode::kFillOrDrop, IndexMode::kClip, IndexMode::kZeroOrDrop})
    same([&](Array a) {
      return lax::gather(a, at, {.offset_dims = {1}, .collapsed_slice_dims = {0}, .start_index_map = {0}}, Dims{1, 6},
                         mode);
    });
}

}  // namespace
}  // namespace weft

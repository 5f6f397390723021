#include "weft/np/shape.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::message_of;
using testing::throws;

Array cube() { return np::reshape(np::arange(24), {2, 3, 4}); }
std::string shape_of(const Array& x) { return shape_str(x.shape()); }

TEST(shape, reshape_works_out_one_size) {
  const Array x = np::arange(6);
  expect_equal(np::reshape(x, {2, 3}), np::array({{0, 1, 2}, {3, 4, 5}}));
  expect_equal(np::reshape(x, {-1, 2}), np::array({{0, 1}, {2, 3}, {4, 5}}));
  expect_equal(np::ravel(np::reshape(x, {3, 2})), x);
  EXPECT_EQ(shape_of(np::reshape(np::zeros({0, 3}), {3, -1})), "[3,0]");
  EXPECT_EQ(shape_of(np::ravel(1.0f)), "[1]");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::reshape(x, {-1, 4}); }),
            "reshape: the sizes beside -1 must divide the number of elements; got i32[6] (6 elements) to [-1,4].");
  EXPECT_TRUE(throws<ShapeError>([&] { return np::reshape(x, {-1, -1}); }));
  EXPECT_TRUE(throws<ShapeError>([&] { return np::reshape(x, {5}); }));
  EXPECT_TRUE(throws<ShapeError>([&] { return np::reshape(np::zeros({0}), {-1, 0}); }));
}

TEST(shape, axes_change_places) {
  const Array x = cube();
  EXPECT_EQ(shape_of(np::transpose(x)), "[4,3,2]");
  EXPECT_EQ(shape_of(np::transpose(x, {1, -1, 0})), "[3,4,2]");
  EXPECT_EQ(shape_of(np::swapaxes(x, 0, -1)), "[4,3,2]");
  EXPECT_EQ(shape_of(np::moveaxis(x, 0, -1)), "[3,4,2]");
  EXPECT_EQ(shape_of(np::moveaxis(x, {0, 1}, {-1, -2})), "[4,3,2]");
  EXPECT_EQ(shape_of(np::moveaxis(x, {2}, {0})), "[4,2,3]");
  EXPECT_EQ(shape_of(np::matrix_transpose(x)), "[2,4,3]");
  EXPECT_EQ(np::transpose(x, {1, 2, 0})(2, 3, 1).item<int>(), x(1, 2, 3).item<int>());
  expect_equal(np::array({{1, 2}, {3, 4}}).T(), np::array({{1, 3}, {2, 4}}));
  EXPECT_EQ(message_of<IndexError>([&] { return np::swapaxes(x, 0, 3); }),
            "swapaxes: axis must be in [-3, 3); got 3 for i32[2,3,4].");
  EXPECT_TRUE(throws<IndexError>([&] { return np::moveaxis(x, {0, 0}, {1, 2}); }));
  EXPECT_TRUE(throws<ValueError>([&] { return np::moveaxis(x, {0, 1}, {1}); }));
  EXPECT_TRUE(throws<ShapeError>([&] { return np::matrix_transpose(np::ones({2})); }));
}

TEST(shape, axes_of_size_one_come_and_go) {
  const Array x = np::ones({2, 3});
  EXPECT_EQ(shape_of(np::expand_dims(x, 0)), "[1,2,3]");
  EXPECT_EQ(shape_of(np::expand_dims(x, -1)), "[2,3,1]");
  EXPECT_EQ(shape_of(np::expand_dims(x, {0, 2})), "[1,2,1,3]");
  EXPECT_EQ(shape_of(np::squeeze(np::ones({1, 2, 1}))), "[2]");
  EXPECT_EQ(shape_of(np::squeeze(np::ones({1, 2, 1}), -1)), "[1,2]");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::squeeze(x, 0); }),
            "squeeze: removed axes must have size 1; got axis 0 of f32[2,3].");
  EXPECT_TRUE(throws<IndexError>([&] { return np::squeeze(np::ones({1, 1}), {0, -2}); }));
  EXPECT_TRUE(throws<IndexError>([&] { return np::expand_dims(x, 3); }));
  EXPECT_EQ(shape_of(np::atleast_1d(2.0f)), "[1]");
  EXPECT_EQ(shape_of(np::atleast_2d(np::ones({3}))), "[1,3]");
  EXPECT_EQ(shape_of(np::atleast_3d(np::ones({3}))), "[1,3,1]");
  EXPECT_EQ(shape_of(np::atleast_3d(x)), "[2,3,1]");
}

TEST(shape, arrays_are_joined) {
  const Array a = np::array({1, 2}), b = np::array({3, 4}), m = np::array({{1, 2}, {3, 4}});
  expect_equal(np::concatenate({a, b}), np::array({1, 2, 3, 4}));
  expect_equal(np::concatenate({m, m}, -1), np::array({{1, 2, 1, 2}, {3, 4, 3, 4}}));
  expect_equal(np::concatenate({m, a}, std::nullopt), np::array({1, 2, 3, 4, 1, 2}));
  expect_equal(np::concatenate({a, np::array({0.5f})}), np::array({1.f, 2.f, 0.5f}));
  expect_equal(np::stack({a, b}), np::array({{1, 2}, {3, 4}}));
  expect_equal(np::stack({a, b}, -1), np::array({{1, 3}, {2, 4}}));
  expect_equal(np::vstack({a, m}), np::array({{1, 2}, {1, 2}, {3, 4}}));
  expect_equal(np::hstack({a, b}), np::array({1, 2, 3, 4}));
  expect_equal(np::hstack({m, m}), np::concatenate({m, m}, 1));
  expect_equal(np::dstack({a, b}), np::array({{{1, 3}, {2, 4}}}));
  expect_equal(np::column_stack({a, b}), np::array({{1, 3}, {2, 4}}));
  expect_equal(np::append(a, 7), np::array({1, 2, 7}));
  expect_equal(np::append(m, np::array({{5, 6}}), 0), np::array({{1, 2}, {3, 4}, {5, 6}}));
  const std::vector<Array> several{a, b, a};
  expect_equal(np::concatenate(several), np::array({1, 2, 3, 4, 1, 2}));
}

TEST(shape, what_cannot_be_joined_is_refused) {
  const Array a = np::array({1, 2});
  EXPECT_EQ(message_of<ValueError>([] { return np::concatenate(std::vector<Array>()); }),
            "concatenate: there must be at least one array; got none.");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::stack({a, np::array({1.f})}); }),
            "stack: arrays must have equal shapes; got i32[2] and f32[1].");
  EXPECT_EQ(message_of<IndexError>([&] { return np::concatenate({a, a}, 1); }),
            "concatenate: axis must be in [-1, 1); got 1 for i32[2].");
  EXPECT_TRUE(throws<ShapeError>([&] { return np::concatenate({a, np::ones({1, 2})}); }));
  try {
    np::stack({a, np::array({1})});
    FAIL();
  } catch (const ShapeError& e) {
    EXPECT_NE(std::string(e.what()).find("shape_test.cc"), std::string::npos) << e.what();
  }
}

TEST(shape, arrays_are_taken_apart) {
  const Array x = np::arange(6);
  const auto text = [](const std::vector<Array>& parts) {
    std::string s;
    for (const Array& p : parts) s += p.str();
    return s;
  };
  EXPECT_EQ(text(np::split(x, 3)), "[0 1][2 3][4 5]");
  EXPECT_EQ(text(np::split(x, {1, 4})), "[0][1 2 3][4 5]");
  EXPECT_EQ(text(np::split(x, {4, 2, 9})), "[0 1 2 3][][2 3 4 5][]");
  EXPECT_EQ(text(np::split(x, {-1})), "[0 1 2 3 4][5]");
  EXPECT_EQ(text(np::array_split(x, 4)), "[0 1][2 3][4][5]");
  EXPECT_EQ(text(np::array_split(np::arange(2), 3)), "[0][1][]");
  EXPECT_EQ(text(np::unstack(np::reshape(x, {2, 3}), 1)), "[0 3][1 4][2 5]");
  EXPECT_TRUE(np::unstack(np::zeros({0, 2})).empty());
  EXPECT_EQ(message_of<ShapeError>([&] { return np::split(x, 4); }),
            "split: the axis must divide into equal parts; got 4 parts of axis 0 of i32[6].");
  EXPECT_TRUE(throws<ValueError>([&] { return np::split(x, 0); }));
  EXPECT_TRUE(throws<ValueError>([&] { return np::array_split(x, 0); }));
}

TEST(shape, elements_are_repeated) {
  const Array m = np::array({{1, 2}, {3, 4}});
  expect_equal(np::tile(np::array({1, 2}), {2}), np::array({1, 2, 1, 2}));
  expect_equal(np::tile(np::array({1, 2}), {2, 1}), np::array({{1, 2}, {1, 2}}));
  expect_equal(np::tile(m, {2}), np::array({{1, 2, 1, 2}, {3, 4, 3, 4}}));
  EXPECT_EQ(shape_of(np::tile(m, {0, 1})), "[0,2]");
  expect_equal(np::repeat(m, 2), np::array({1, 1, 2, 2, 3, 3, 4, 4}));
  expect_equal(np::repeat(m, 2, 0), np::array({{1, 2}, {1, 2}, {3, 4}, {3, 4}}));
  expect_equal(np::repeat(m, 2, -1), np::array({{1, 1, 2, 2}, {3, 3, 4, 4}}));
  EXPECT_TRUE(throws<ValueError>([&] { return np::repeat(m, -1); }));
  EXPECT_TRUE(throws<ValueError>([&] { return np::tile(m, {-1}); }));
}

TEST(shape, elements_move) {
  const Array m = np::array({{1, 2}, {3, 4}});
  expect_equal(np::flip(m), np::array({{4, 3}, {2, 1}}));
  expect_equal(np::flip(m, 0), np::array({{3, 4}, {1, 2}}));
  expect_equal(np::fliplr(m), np::array({{2, 1}, {4, 3}}));
  expect_equal(np::flipud(m), np::flip(m, 0));
  expect_equal(np::rot90(m), np::array({{2, 4}, {1, 3}}));
  expect_equal(np::rot90(m, 2), np::flip(m));
  expect_equal(np::rot90(m, -1), np::array({{3, 1}, {4, 2}}));
  expect_equal(np::rot90(m, 4), m);
  expect_equal(np::rot90(np::arange(3)(newaxis), 1), np::array({{2}, {1}, {0}}));
  expect_equal(np::rot90(m, 1, {1, 0}), np::rot90(m, -1));
  expect_equal(np::roll(np::arange(5), 2), np::array({3, 4, 0, 1, 2}));
  expect_equal(np::roll(np::arange(5), -6), np::array({1, 2, 3, 4, 0}));
  expect_equal(np::roll(m, 1), np::array({{4, 1}, {2, 3}}));
  expect_equal(np::roll(m, 1, 0), np::array({{3, 4}, {1, 2}}));
  expect_equal(np::roll(np::zeros({0}), 3), np::zeros({0}));
  EXPECT_TRUE(throws<IndexError>([&] { return np::flip(m, {0, 0}); }));
}

TEST(shape, padding_surrounds) {
  const Array m = np::array({{1, 2}});
  expect_equal(np::pad(m, 1), np::array({{0, 0, 0, 0}, {0, 1, 2, 0}, {0, 0, 0, 0}}));
  expect_equal(np::pad(m, {{0, 1}, {2, 0}}, 9), np::array({{9, 9, 1, 2}, {9, 9, 9, 9}}));
  expect_equal(np::pad(np::array({1.f}), {{1, 2}}, np::nan), np::array({np::nan, 1.f, np::nan, np::nan}));
  EXPECT_TRUE(throws<ValueError>([&] { return np::pad(m, -1); }));
  EXPECT_EQ(message_of<ValueError>([&] { return np::pad(m, {{1, 1}, {1, 1}, {1, 1}}); }),
            "pad: there must be one pair of widths, or one for every axis; got 3 pairs for i32[1,2].");
}

TEST(shape, rearrangements_pass_gradients_back_to_their_places) {
  const auto f = [](Array x) {
    const Array y = np::concatenate({np::roll(x, 1, 1), np::flip(x)}, 0);
    return np::sum(np::pad(np::tile(y, {1, 2}), 1) * np::reshape(np::arange(48.f), {6, 8}));
  };
  const Array x = np::reshape(np::arange(6.f), {2, 3});
  const Array g = grad(f)(x);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) {
      const Array one = np::zeros({2, 3}).at(i, j).set(1);
      EXPECT_EQ(g(i, j).item<float>(), (f(one) - f(np::zeros({2, 3}))).item<float>());
    }
}

// Work is counted, not time: as many elements per part for many parts as for few.
TEST(shape, gradients_of_parts_are_linear_in_their_number) {
  const auto elements = [](std::int64_t n, const std::function<std::vector<Array>(Array)>& take_apart) {
    const auto f = [&](Array x) {
      Array sum(0.0f);
      for (const Array& part : take_apart(x)) sum = sum + np::sum(part);
      return sum;
    };
    const Jaxpr program = make_jaxpr(grad(f))(np::ones({n, 2}));
    std::int64_t total = 0;
    for (std::size_t v = 0; v < program.num_vars(); ++v) total += program.aval(static_cast<ir::Var>(v)).size();
    return total;
  };
  const auto unstack = [](Array x) { return np::unstack(x); };
  const auto halves = [](Array x) { return np::split(x, static_cast<int>(x.shape(0) / 2)); };
  const auto thirds = [](Array x) { return np::array_split(x, static_cast<int>(x.shape(0) / 3)); };
  const auto at = [](Array x) {
    std::vector<std::int64_t> cuts;
    for (std::int64_t i = 1; i < x.shape(0); i += 2) cuts.push_back(i);
    return np::split(x, cuts);
  };
  for (const std::function<std::vector<Array>(Array)>& f :
       {std::function<std::vector<Array>(Array)>(unstack), {halves}, {thirds}, {at}})
    EXPECT_LE(elements(1000, f), 11 * elements(100, f));
}

TEST(shape, elements_are_repeated_one_by_one) {
  const Array x = np::array({{1, 2, 3}, {4, 5, 6}});
  expect_equal(np::repeat(x, {1, 2, 0}, 1), np::array({{1, 2, 2}, {4, 5, 5}}));
  expect_equal(np::repeat(x, std::vector<int>{0, 2}, 0), np::array({{4, 5, 6}, {4, 5, 6}}));
  expect_equal(np::repeat(np::array({1, 2}), {2, 3}), np::array({1, 1, 2, 2, 2}));
  expect_equal(np::repeat(np::array({1, 2}), {2}), np::array({1, 1, 2, 2}));
  expect_equal(np::repeat(x, {0, 0}, 0), np::zeros({0, 3}, i32));
  expect_equal(grad([](Array v) { return np::sum(np::repeat(v, {3, 1})); })(np::array({1.f, 2.f})),
               np::array({3.f, 1.f}));
  EXPECT_EQ(message_of<ShapeError>([&] { np::repeat(x, {1, 2}, 1); }),
            "repeat: there must be one count, or one for every element of axis 1; got 2 counts for i32[2,3].");
  EXPECT_EQ(message_of<ValueError>([&] { np::repeat(x, {1, -2}, 0); }),
            "repeat: repetitions must not be negative; got -2.");
  EXPECT_TRUE(throws<ValueError>([] { np::repeat(np::ones({2}), {std::int64_t{1} << 62, std::int64_t{1} << 62}); }));
}

TEST(shape, tiles_by_a_number_or_a_list) {
  expect_equal(np::tile(np::array({1, 2}), 2), np::array({1, 2, 1, 2}));
  expect_equal(np::tile(np::array({1, 2}), {2, 1}), np::array({{1, 2}, {1, 2}}));
}

TEST(shape, concat_takes_vectors) {
  const std::vector<Array> xs{np::array({1, 2}), np::array({3})};
  expect_equal(np::concat(xs), np::array({1, 2, 3}));
  expect_equal(np::concat({xs[0], xs[1]}), np::array({1, 2, 3}));
  EXPECT_EQ(np::zeros(std::vector<int>{2, 3}).aval().str(), "f32[2,3]");
}

}  // namespace
}  // namespace weft

#include "weft/np/products.h"

#include <map>

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::expect_near;
using testing::message_of;
using testing::throws;

// Whole numbers from -4 to 4: products and sums are exact.
Array numbers(const Dims& shape, int seed = 0) {
  std::vector<float> v(static_cast<std::size_t>(product(shape)));
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = static_cast<float>((i * 7 + static_cast<std::size_t>(seed) * 5) % 9) - 4;
  return Array::from_vector(v, shape);
}

// Einstein's summation by its definition: a loop over every value of every index.
Array einsum_by_loops(const std::vector<std::string>& terms, const std::string& result, const std::vector<Array>& xs) {
  std::map<char, std::int64_t> sizes;
  for (std::size_t i = 0; i < xs.size(); ++i)
    for (std::size_t a = 0; a < terms[i].size(); ++a) sizes[terms[i][a]] = xs[i].shape(static_cast<int>(a));
  std::map<char, std::int64_t> at;
  std::vector<std::vector<float>> values;
  for (const Array& x : xs) values.push_back(x.to_vector<float>());
  Dims shape;
  for (const char c : result) shape.push_back(sizes.at(c));
  const auto offset = [&](const std::string& term) {
    std::int64_t o = 0;
    for (const char c : term) o = o * sizes.at(c) + at[c];
    return static_cast<std::size_t>(o);
  };
  std::vector<float> out(static_cast<std::size_t>(product(shape)), 0.f);
  std::int64_t total = 1;
  for (const auto& [c, n] : sizes) total *= n;
  for (std::int64_t step = 0; step < total; ++step) {
    std::int64_t rest = step;
    for (const auto& [c, n] : sizes) {
      at[c] = rest % n;
      rest /= n;
    }
    float term = 1;
    for (std::size_t i = 0; i < xs.size(); ++i) term *= values[i][offset(terms[i])];
    out[offset(result)] += term;
  }
  return Array::from_vector(out, shape);
}

TEST(products, dot_contracts_last_with_last_but_one) {
  const Array x = numbers({2, 3}), y = numbers({3, 4}, 1), v = numbers({3}, 2);
  expect_equal(np::dot(x, y), einsum_by_loops({"ij", "jk"}, "ik", {x, y}));
  expect_equal(np::dot(x, v), einsum_by_loops({"ij", "j"}, "i", {x, v}));
  expect_equal(np::dot(v, v), einsum_by_loops({"i", "i"}, "", {v, v}));
  expect_equal(np::dot(x, 2), x * 2);
  const Array a = numbers({2, 4, 3}), b = numbers({5, 3, 2}, 3);
  expect_equal(np::dot(a, b), einsum_by_loops({"abk", "ckd"}, "abcd", {a, b}));
  EXPECT_TRUE(throws<ShapeError>([&] { return np::dot(x, x); }));
  EXPECT_EQ(np::dot(np::ones({2}, i32), np::ones({2}, f16)).dtype(), f16);
}

TEST(products, matmul_broadcasts_leading_axes) {
  const Array a = numbers({5, 2, 3}), b = numbers({5, 3, 4}, 1), m = numbers({3, 4}, 2), v = numbers({3}, 3),
              l = numbers({2, 3}, 4);
  expect_equal(np::matmul(a, b), einsum_by_loops({"bij", "bjk"}, "bik", {a, b}));
  expect_equal(np::matmul(a, m), einsum_by_loops({"bij", "jk"}, "bik", {a, m}));
  expect_equal(np::matmul(l, b), einsum_by_loops({"ij", "bjk"}, "bik", {l, b}));
  expect_equal(np::matmul(a, v), einsum_by_loops({"bij", "j"}, "bi", {a, v}));
  expect_equal(np::matmul(v, b), einsum_by_loops({"j", "bjk"}, "bk", {v, b}));
  expect_equal(np::matmul(v, v), np::dot(v, v));
  const Array wide = numbers({2, 1, 2, 3}), tall = numbers({5, 3, 4}, 6);
  const Array both = np::matmul(wide, tall);
  EXPECT_EQ(shape_str(both.shape()), "[2,5,2,4]");
  expect_equal(both(1, 3), np::matmul(wide(1, 0), tall(3)));
}

TEST(products, matmul_says_what_does_not_fit) {
  EXPECT_EQ(message_of<ShapeError>([] { return np::matmul(np::ones({2, 3}), np::ones({4, 3})); }),
            "matmul: contracting sizes must match; lhs axis 1 has 3, rhs axis 0 has 4 (lhs f32[2,3], rhs f32[4,3]).");
  EXPECT_EQ(message_of<ShapeError>([] { return np::matmul(np::ones({2}), 3); }),
            "matmul: operands must have at least one axis; got f32[2] and f32[].");
  EXPECT_EQ(message_of<ShapeError>([] { return np::matmul(np::ones({2, 3, 4}), np::ones({3, 4, 5})); }),
            "matmul: the axes before the last two must broadcast; got f32[2,3,4] and f32[3,4,5].");
  try {
    np::matmul(np::ones({2, 3}), np::ones({4, 3}));
    FAIL();
  } catch (const ShapeError& e) {
    EXPECT_NE(e.hint().find("transposed"), std::string::npos);
  }
}

TEST(products, tensordot_and_its_kin) {
  const Array x = numbers({2, 3, 4}), y = numbers({3, 4, 5}, 1), v = numbers({4}, 2);
  expect_equal(np::tensordot(x, y), einsum_by_loops({"abc", "bcd"}, "ad", {x, y}));
  expect_equal(np::tensordot(x, y, {1}, {0}), einsum_by_loops({"abc", "bde"}, "acde", {x, y}));
  expect_equal(np::tensordot(x, y, {-1, 1}, {1, 0}), np::tensordot(x, y));
  expect_equal(np::tensordot(v, v, 0), np::outer(v, v));
  expect_equal(np::outer(v, numbers({2, 2})), einsum_by_loops({"a", "b"}, "ab", {v, np::ravel(numbers({2, 2}))}));
  expect_equal(np::inner(x, v), einsum_by_loops({"abc", "c"}, "ab", {x, v}));
  expect_equal(np::vecdot(x, v), np::inner(x, v));
  expect_equal(np::vecdot(x, x, 1), einsum_by_loops({"abc", "abc"}, "ac", {x, x}));
  const std::complex<float> i(0, 1);
  expect_equal(np::vdot(np::array({i, 2.f * i}), np::array({i, i})), Array(std::complex<float>(3, 0)));
  EXPECT_TRUE(throws<ValueError>([&] { return np::tensordot(x, v, 2); }));
  EXPECT_TRUE(throws<ShapeError>([&] { return np::tensordot(x, y, {0}, {0}); }));
  EXPECT_TRUE(throws<ShapeError>([&] { return np::vecdot(x, np::ones({1})); }));
}

TEST(products, kron_cross_and_trace) {
  expect_equal(np::kron(np::array({1, 10}), np::array({1, 2, 3})), np::array({1, 2, 3, 10, 20, 30}));
  expect_equal(np::kron(np::eye(2, 2, 0, i32), np::array({{1, 2}})), np::array({{1, 2, 0, 0}, {0, 0, 1, 2}}));
  expect_equal(np::kron(np::array({{1}, {2}}), np::array({1, 3})), np::array({{1, 3}, {2, 6}}));
  expect_equal(np::cross(np::array({1, 0, 0}), np::array({0, 1, 0})), np::array({0, 0, 1}));
  expect_equal(np::cross(np::array({1, 2, 3}), np::array({{4, 5, 6}, {7, 8, 1}})),
               np::array({{-3, 6, -3}, {-22, 20, -6}}));
  EXPECT_TRUE(throws<ShapeError>([] { return np::cross(np::ones({2}), np::ones({2})); }));
  const Array x = np::reshape(np::arange(12), {3, 4});
  expect_equal(np::trace(x), Array(15));
  expect_equal(np::trace(x, 1), Array(18));
  expect_equal(np::trace(np::reshape(np::arange(8), {2, 2, 2})), np::array({6, 8}));
}

struct Einsum {
  const char* spec;
  std::vector<std::string> terms;
  std::string result;
  std::vector<Dims> shapes;
};

TEST(einsum, agrees_with_its_definition) {
  const Einsum cases[] = {
      {"ij,jk->ik", {"ij", "jk"}, "ik", {{2, 3}, {3, 4}}},
      {"ij,jk", {"ij", "jk"}, "ik", {{2, 3}, {3, 4}}},
      {"ba", {"ba"}, "ab", {{2, 3}}},
      {" i j , j -> i ", {"ij", "j"}, "i", {{2, 3}, {3}}},
      {"ij->", {"ij"}, "", {{2, 3}}},
      {"ij->ji", {"ij"}, "ji", {{2, 3}}},
      {"ii", {"ii"}, "", {{3, 3}}},
      {"ii->i", {"ii"}, "i", {{3, 3}}},
      {"iji->j", {"iji"}, "j", {{2, 3, 2}}},
      {"ijji->ij", {"ijji"}, "ij", {{2, 3, 3, 2}}},
      {"iii->i", {"iii"}, "i", {{2, 2, 2}}},
      {"i,j->ij", {"i", "j"}, "ij", {{2}, {3}}},
      {"i,i", {"i", "i"}, "", {{3}, {3}}},
      {"i,i->i", {"i", "i"}, "i", {{3}, {3}}},
      {"bij,bjk->bki", {"bij", "bjk"}, "bki", {{2, 3, 4}, {2, 4, 5}}},
      {"bhqd,bkhd->bhqk", {"bhqd", "bkhd"}, "bhqk", {{2, 3, 4, 2}, {2, 5, 3, 2}}},
      {"ij,kl->", {"ij", "kl"}, "", {{2, 3}, {2, 2}}},
      {"ij,ij->j", {"ij", "ij"}, "j", {{2, 3}, {2, 3}}},
      {"ii,ij->j", {"ii", "ij"}, "j", {{3, 3}, {3, 2}}},
      {"ij,jk,kl->il", {"ij", "jk", "kl"}, "il", {{2, 3}, {3, 4}, {4, 2}}},
      {"i,ij,j", {"i", "ij", "j"}, "", {{2}, {2, 3}, {3}}},
      {"ij,ik,il->jkl", {"ij", "ik", "il"}, "jkl", {{2, 2}, {2, 3}, {2, 4}}},
      {"i,j,i,j->ij", {"i", "j", "i", "j"}, "ij", {{2}, {3}, {2}, {3}}},
      {"ab,cb,cd,ad->", {"ab", "cb", "cd", "ad"}, "", {{2, 3}, {4, 3}, {4, 2}, {2, 2}}},
      {"ij,jk->ik", {"ij", "jk"}, "ik", {{2, 0}, {0, 4}}},
      {",i->i", {"", "i"}, "i", {{}, {3}}},
  };
  for (const Einsum& c : cases) {
    SCOPED_TRACE(c.spec);
    std::vector<Array> xs;
    for (std::size_t i = 0; i < c.shapes.size(); ++i) xs.push_back(numbers(c.shapes[i], static_cast<int>(i)));
    expect_equal(np::einsum(c.spec, std::span<const Array>(xs)), einsum_by_loops(c.terms, c.result, xs));
  }
}

TEST(einsum, an_ellipsis_broadcasts) {
  const Array a = numbers({5, 2, 3}), b = numbers({3, 4}, 1), c = numbers({1, 3, 4}, 2), d = numbers({6, 1, 2, 3}, 3);
  expect_equal(np::einsum("...ij,jk->...ik", a, b), np::matmul(a, b));
  expect_equal(np::einsum("...ij,...jk", a, c), np::matmul(a, c));
  expect_equal(np::einsum("...ij,...jk->...ik", d, numbers({5, 3, 4})), np::matmul(d, numbers({5, 3, 4})));
  expect_equal(np::einsum("i...->...i", a), np::moveaxis(a, 0, -1));
  expect_equal(np::einsum("...,...", a, np::array({{1.f}, {2.f}})), a * np::array({{1.f}, {2.f}}));
  expect_equal(np::einsum("...i->...", a), np::sum(a, -1));
  EXPECT_EQ(shape_str(np::einsum("...i,...i->...i", np::zeros({0, 2}), np::ones({1, 2})).shape()), "[0,2]");
}

TEST(einsum, is_one_dot_general_for_two_operands) {
  const Jaxpr jaxpr =
      make_jaxpr([](Array x, Array y) { return np::einsum("ij,jk->ik", x, y); })(numbers({2, 3}), numbers({3, 4}));
  EXPECT_EQ(jaxpr.eqns().size(), 1u) << jaxpr.str();
}

TEST(einsum, gradients) {
  const Array x = numbers({3, 3}), y = numbers({3, 2}, 1);
  const auto f = [](Array p, Array q) { return np::sum(np::square(np::einsum("ii,ij->j", p, q))); };
  // d/dx_kk sum_j (sum_i x_ii y_ij)^2 = 2 sum_j s_j y_kj
  const Array s = np::einsum("ii,ij->j", x, y);
  expect_equal(grad(f)(x, y), np::diag(2 * np::dot(y, s)));
}

TEST(einsum, malformed_specifications_are_refused) {
  const Array m = np::ones({2, 3});
  EXPECT_EQ(message_of<ValueError>([&] { return np::einsum("ij,jk", m); }),
            "einsum: there must be one term per operand; got 2 terms in \"ij,jk\" for 1 operand.");
  EXPECT_EQ(message_of<ValueError>([&] { return np::einsum("i1->i", m); }),
            "einsum: axes must be named by letters, not '1'; got \"i1->i\".");
  EXPECT_EQ(message_of<ValueError>([&] { return np::einsum("ij->k", m); }),
            "einsum: every axis of the result must be in a term, unlike 'k'; got \"ij->k\".");
  EXPECT_EQ(message_of<ValueError>([&] { return np::einsum("ij->ii", m); }),
            "einsum: an axis must be in the result only once, unlike 'i'; got \"ij->ii\".");
  EXPECT_EQ(message_of<ValueError>([&] { return np::einsum("..ij", m); }),
            "einsum: an ellipsis must have three dots; got \"..ij\".");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::einsum("ijk", m); }),
            "einsum: a term must name every axis of its operand; got \"ijk\" for f32[2,3] in \"ijk\".");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::einsum("ij,ij", m, np::ones({2, 2})); }),
            "einsum: axes of one name must have equal sizes; got 3 and 2 for 'j' in \"ij,ij\" (operands f32[2,3], "
            "f32[2,2]).");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::einsum("ii", m); }),
            "einsum: axes of one name must have equal sizes; got 2 and 3 for 'i' in \"ii\" (operands f32[2,3]).");
  EXPECT_TRUE(throws<ShapeError>([&] { return np::einsum("...,...", m, np::ones({4})); }));
  EXPECT_EQ(message_of<ValueError>([&] { return np::einsum("......", m); }),
            "einsum: a term must have at most one ellipsis; got \"......\".");
  EXPECT_TRUE(throws<ValueError>([&] { return np::einsum("ij->i->j", m); }));
  EXPECT_TRUE(throws<ValueError>([] { return np::einsum("", std::span<const Array>()); }));
}

TEST(products, the_preferred_dtype_is_that_of_products_and_sums) {
  const Array x = np::full({2, 300}, 100, i8), y = np::full({300, 2}, 100, i8);
  expect_equal(np::matmul_as(x, y, i32), np::full({2, 2}, 3000000));
  expect_equal(np::dot_as(x, y, i32), np::full({2, 2}, 3000000));
  expect_equal(np::tensordot(x, y, 1, i32), np::full({2, 2}, 3000000));
  expect_equal(np::tensordot(x, y, {{1}, {0}}, i32), np::full({2, 2}, 3000000));
  expect_equal(np::einsum("ij,jk->ik", {x, y}, i32), np::full({2, 2}, 3000000));
  expect_equal(np::einsum("ij->i", {x}, i32), np::full({2}, 30000));
  expect_equal(np::einsum("ij,jk,kl->il", {x, y, np::ones({2, 1}, i8)}, i32), np::full({2, 1}, 6000000));
  expect_equal(np::dot_as(np::full({1}, 100, i8), 100, i32), np::full({1}, 10000));
  EXPECT_EQ(np::matmul_as(np::ones({2, 2}, bf16), np::ones({2, 2}, bf16), f32).dtype(), f32);
  EXPECT_EQ(np::matmul_as(np::ones({3, 2, 2}, bf16), np::ones({3, 2, 2}, bf16), f32).aval().str(), "f32[3,2,2]");
  EXPECT_EQ(message_of<DTypeError>([] { np::einsum("i,i->", {np::ones({2}), np::ones({2})}, i32); }),
            "einsum: the preferred dtype must hold the operands' kind of numbers; got i32 for f32.");
}

TEST(products, tensordot_takes_pairs_of_axes) {
  const Array x = np::reshape(np::arange(6), {2, 3}), y = np::reshape(np::arange(6), {3, 2});
  expect_equal(np::tensordot(x, y, {{1}, {0}}), np::matmul(x, y));
  expect_equal(np::tensordot(x, y, {{0, 1}, {1, 0}}), np::einsum("ij,ji->", x, y));
}

}  // namespace
}  // namespace weft

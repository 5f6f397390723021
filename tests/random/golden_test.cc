// JAX's random numbers, as it prints them (golden values A1 - A6). Rows marked O are the original
// layout, P the partitionable one.
#include <gtest/gtest.h>

#include <cmath>

#include "weft/weft.h"

namespace weft {
namespace {

constexpr auto O = random::Layout::kOriginal;

template <class T>
std::vector<T> values(const Array& a) {
  return a.to_vector<T>();
}

// `absolute` is for rows that say why.
void expect_close(const Array& got, const std::vector<double>& expected, double relative = 1e-6, double absolute = 0) {
  const std::vector<double> v = got.astype(f64).to_vector<double>();
  ASSERT_EQ(v.size(), expected.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    EXPECT_NEAR(v[i], expected[i], relative * std::abs(expected[i]) + absolute) << "element " << i;
}

// The same of rows with six decimals.
void expect_close_to_six_decimals(const Array& got, const std::vector<double>& expected, double relative = 1e-6) {
  expect_close(got, expected, relative, 0.5e-6);
}

using U32 = std::vector<std::uint32_t>;

TEST(threefry, rows_1_to_3_known_answers) {
  const auto block = [](std::uint32_t k0, std::uint32_t k1, std::uint32_t x0, std::uint32_t x1) {
    const auto [a, b] = lax::threefry2x32(Array(k0), Array(k1), Array(x0), Array(x1));
    return std::pair(a.item<std::uint32_t>(), b.item<std::uint32_t>());
  };
  EXPECT_EQ(block(0, 0, 0, 0), std::pair(0x6b200159u, 0x99ba4efeu));
  EXPECT_EQ(block(~0u, ~0u, ~0u, ~0u), std::pair(0x1cb996fcu, 0xbb002be7u));
  EXPECT_EQ(block(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), std::pair(0xc4923a9cu, 0x483df7a0u));
}

TEST(threefry, row_3_repeated_gives_the_same_pair_everywhere) {
  const std::int64_t n = 10'000'000;
  const auto [a, b] =
      lax::threefry2x32(Array(0x13198a2eu), Array(0x03707344u), np::full({n}, 0x243f6a88u), np::full({n}, 0x85a308d3u));
  EXPECT_TRUE(bool(np::all(a == 0xc4923a9cu)));
  EXPECT_TRUE(bool(np::all(b == 0x483df7a0u)));
  EXPECT_EQ(
      lax::threefry2x32(Array(0u), Array(0u), np::zeros({10, 0}, u32), np::zeros({10, 0}, u32)).first.aval().str(),
      "u32[10,0]");
}

TEST(key, rows_13_to_19_seeds_with_64_bits) {
  EXPECT_EQ(values<std::uint32_t>(random::key(0)), (U32{0, 0}));
  EXPECT_EQ(values<std::uint32_t>(random::key(3)), (U32{0, 3}));
  EXPECT_EQ(values<std::uint32_t>(random::key(-1)), (U32{4294967295, 4294967295}));
  EXPECT_EQ(values<std::uint32_t>(random::key(-3)), (U32{4294967295, 4294967293}));
  EXPECT_EQ(values<std::uint32_t>(random::key((1ll << 31) - 1 + 100)), (U32{0, 2147483747}));
  EXPECT_EQ(values<std::uint32_t>(random::key(-(1ll << 31) - 100)), (U32{4294967295, 2147483548}));
}

TEST(split, rows_20_to_26) {
  const Array k = random::key(0);
  EXPECT_EQ(values<std::uint32_t>(random::split(k, 4, O)),
            (U32{2285895361, 1501764800, 1518642379, 4090693311, 433833334, 4221794875, 839183663, 3740430601}));
  const Array two = random::split(k, 2, O);
  EXPECT_EQ(values<std::uint32_t>(two), (U32{4146024105, 967050713, 2718843009, 1272950319}));
  EXPECT_EQ(values<std::uint32_t>(random::split(two(0), 2, O)), (U32{2384771982, 3928867769, 1278412471, 2182328957}));
  EXPECT_EQ(values<std::uint32_t>(random::split(random::key(42), 2, O)),
            (U32{2465931498, 3679230171, 255383827, 267815257}));
  EXPECT_EQ(values<std::uint32_t>(random::split(k)), (U32{1797259609, 2579123966, 928981903, 3453687069}));
  EXPECT_EQ(values<std::uint32_t>(random::fold_in(k, 0)), (U32{1797259609, 2579123966}));
  EXPECT_EQ(values<std::uint32_t>(random::fold_in(k, 1)), (U32{928981903, 3453687069}));
}

TEST(bits, rows_28_to_35) {
  const Array k = random::key(1701);
  EXPECT_EQ(values<std::uint8_t>(random::bits(k, {3}, u8, O)), (std::vector<std::uint8_t>{216, 115, 43}));
  EXPECT_EQ(values<std::uint16_t>(random::bits(k, {3}, u16, O)), (std::vector<std::uint16_t>{41682, 1300, 55017}));
  EXPECT_EQ(values<std::uint32_t>(random::bits(k, {3}, u32, O)), (U32{56197195, 4200222568, 961309823}));
  EXPECT_EQ(values<std::uint64_t>(random::bits(k, {3}, u64, O)),
            (std::vector<std::uint64_t>{3982329540505020460u, 16822122385914693683u, 7882654074788531506u}));
  EXPECT_EQ(values<std::uint8_t>(random::bits(random::key(942802475), {5}, u8, O)),
            (std::vector<std::uint8_t>{10, 158, 82, 54, 158}));
  EXPECT_EQ(values<std::uint64_t>(random::bits(random::key(942802475), {5}, u64, O)),
            (std::vector<std::uint64_t>{17649965731882839947u, 1415307058040849897u, 8282622628079774249u,
                                        14024425113645909402u, 2012979996110532418u}));
  const Array zero = random::key(0);
  EXPECT_EQ(values<std::uint32_t>(random::bits(zero, {4})), (U32{4070199207, 4202968722, 1427181096, 2012915765}));
  EXPECT_EQ(values<std::uint8_t>(random::bits(zero, {4}, u8)), (std::vector<std::uint8_t>{167, 146, 40, 53}));
  EXPECT_EQ(values<std::uint16_t>(random::bits(zero, {4}, u16)),
            (std::vector<std::uint16_t>{20391, 13970, 3624, 43061}));
  EXPECT_EQ(values<std::uint64_t>(random::bits(zero, {2}, u64)),
            (std::vector<std::uint64_t>{7719171245655871230u, 3989946895414531357u}));
  EXPECT_EQ(values<std::uint32_t>(random::bits(zero, {5}, u32, O)),
            (U32{2467461003, 428148500, 1688610540, 3840466878, 2562233961}));
}

TEST(bits, row_32_streams_of_equal_size_are_views_of_each_other) {
  const Array k = random::key(7);
  const Array words = random::bits(k, {6}, u32, O);
  EXPECT_TRUE(bool(np::array_equal(np::ravel(lax::bitcast_convert(words, u8)), random::bits(k, {24}, u8, O))));
  EXPECT_TRUE(bool(np::array_equal(np::ravel(lax::bitcast_convert(words, u16)), random::bits(k, {12}, u16, O))));
}

TEST(samplers, row_40_keys_of_a_stateful_stream) {
  // JAX's stateful_rng folds its counter, 0 at first, into the key, and so do the lanes that it splits into.
  const Array lanes = random::split(random::fold_in(random::key(123), 0), 3);
  const auto lane = [](Array key) { return random::uniform(random::fold_in(key, 0)); };
  expect_close(vmap(lane)(lanes), {0.35525954, 0.21937883, 0.5336956});
}

TEST(samplers, rows_37_to_46_partitionable) {
  const Array k = random::key(0);
  expect_close(random::uniform(random::split(k)(1)), {0.00729382});
  expect_close(random::normal(k, {6}), {1.6226422, 2.0252647, -0.43359444, -0.07861735, 0.1760909, -0.97208923});
  expect_close(random::normal(random::key(42)), {-0.02830462});
  expect_close(random::normal(random::key(42), {3}), {-0.02830462, 0.46713185, 0.29570296});
  expect_close_to_six_decimals(random::exponential(k, {3}), {2.950128, 3.843425, 0.403904});
  expect_close_to_six_decimals(random::gumbel(k, {3}), {2.923373, 3.832618, -0.096893});
  expect_close_to_six_decimals(random::logistic(k, {3}), {2.896376, 3.821772, -0.697839});
  expect_close_to_six_decimals(random::laplace(k, {3}), {-2.256981, -3.150276, 0.408596});
  expect_close_to_six_decimals(random::truncated_normal(k, -2, 2, {3}), {1.455959, 1.714748, -0.412675});
  EXPECT_EQ(values<bool>(random::bernoulli(k, 0.5, {3})), (std::vector<bool>{false, false, true}));
  expect_close(random::uniform(k, {2}, f64), {0.41845711171638644, 0.21629545460551136}, 1e-16);
}

// JAX's normals depend on the last bit of XLA's polynomial, which is not as good as lax::erf_inv.
TEST(samplers, normals_have_the_bits_of_xlas_polynomial) {
  constexpr float kCentral[] = {2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f, 0.00021858087f,
                                -0.00125372503f, -0.00417768164f, 0.246640727f,    1.50140941f};
  constexpr float kTail[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
                             -0.0076224613f,   0.00943887047f,  1.00167406f,    2.83297682f};
  const Array k = random::key(3);
  const Array drawn = random::uniform(k, {20000}, f32, -1.0 + 0x1p-24, 1.0);
  const std::vector<float> u = drawn.to_vector<float>(), accurate = lax::erf_inv(drawn).to_vector<float>();
  // The polynomial's argument comes from our own logarithm, which math_f32_test has within 1.5 ULP.
  const std::vector<float> logarithms = lax::log_plus_one(-(drawn * drawn)).to_vector<float>();
  const std::vector<float> normals = random::normal(k, {20000}).to_vector<float>();
  int better = 0, tails = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    float w = -logarithms[i];
    const bool central = w < 5;
    w = central ? w - 2.5f : std::sqrt(w) - 3.0f;
    const float* c = central ? kCentral : kTail;
    float p = c[0];
    for (int j = 1; j < 9; ++j) p = c[j] + p * w;
    EXPECT_EQ(normals[i], p * u[i] * 1.41421356237309504880f) << u[i];
    better += p * u[i] != accurate[i];
    tails += !central;
  }
  EXPECT_GT(better, 1000);
  EXPECT_GT(tails, 20);
}

TEST(samplers, derivatives_go_through_the_polynomial) {
  const auto f = [](Array high) { return random::truncated_normal(random::key(1), -1.0f, high, {}); };
  const double h = 1e-2, x = 1.25;
  const double slope =
      (f(Array(static_cast<float>(x + h))).item<double>() - f(Array(static_cast<float>(x - h))).item<double>()) /
      (2 * h);
  EXPECT_NEAR(grad(f)(Array(static_cast<float>(x))).item<double>(), slope, 1e-3 * (1 + std::abs(slope)));
}

TEST(samplers, rows_47_to_58_original) {
  const auto key = [](std::int64_t seed) { return random::key(seed); };
  expect_close_to_six_decimals(random::uniform(key(1338574713), {5}, f32, 0, 1, O),
                               {.298671, .073213, .873356, .260549, .412797});
  expect_close_to_six_decimals(random::exponential(key(1942292768), {5}, f32, O),
                               {.526067, .043046, .039932, .46427, .123886});
  expect_close_to_six_decimals(random::gumbel(key(1179715317), {5}, f32, O),
                               {2.06701, .911726, .145736, .185427, -.00711});
  expect_close_to_six_decimals(random::logistic(key(1466238935), {5}, f32, O),
                               {.19611, -1.709053, -.274093, -.208322, -1.675489});
  expect_close_to_six_decimals(random::truncated_normal(key(2846034731), 0, 2, {5}, f32, O),
                               {.582807, 1.709771, .159513, .861376, .36148});
  EXPECT_EQ(values<bool>(random::bernoulli(key(1612777541), 0.5, {5}, O)),
            (std::vector<bool>{false, true, true, true, false}));
  // Near the poles of the tangent a unit in the last place of u moves the sample by 1e-5.
  expect_close_to_six_decimals(random::cauchy(key(1175914230), {5}, f32, O),
                               {-.088416, -10.169713, 3.49677, -1.18056, .34556}, 1e-5);
  expect_close_to_six_decimals(random::weibull_min(key(1921059088), 1, 1, {5}, f32, O),
                               {1.605863, .841809, .224218, .4826, .027901});
  EXPECT_EQ(values<std::int32_t>(random::randint(key(0), {3, 3}, 0, 8, i32, O)),
            (std::vector<std::int32_t>{2, 1, 3, 6, 1, 5, 6, 3, 4}));
  EXPECT_EQ(values<std::int64_t>(random::randint(key(0), {3, 3}, 0, 8, i64, O)),
            (std::vector<std::int64_t>{7, 2, 6, 2, 1, 0, 6, 7, 7}));
  EXPECT_EQ(values<std::int8_t>(random::randint(key(42), {32}, -5, 5, i8, O)),
            (std::vector<std::int8_t>{2, 2,  2, -1, 1, 0, 2, -3, -1, 1, 3, -2, -4, 1,  -1, -1,
                                      4, -5, 3, 3,  2, 3, 3, -5, 2,  4, 2, -5, 4,  -1, -4, -2}));
}

TEST(samplers, more_normals_of_the_original_layout) {
  const auto normal = [](const Array& k, const np::Shape& shape = {}) { return random::normal(k, shape, f32, O); };
  // These were printed when XLA joined the constants of 2 (f - 1) + (-1 + 2^-24): it dropped the 2^-24, which the slope
  // sqrt(pi / 2) of the quantile function at the median turns into 7.5e-8.
  const auto expect_close = [](const Array& got, const std::vector<double>& expected) {
    weft::expect_close(got, expected, 1e-6, 1.26 * 0x1p-24);
  };
  expect_close(normal(random::key(42)), {-0.18471184});
  expect_close(normal(random::key(42), {3}), {0.18693541, -1.2806507, -1.5593133});
  expect_close(normal(random::split(random::key(42), 2, O)(1)), {1.3694694});
  expect_close(vmap([&](Array k) { return normal(k); })(random::split(random::key(42), 3, O)),
               {-0.04838839, 0.10796146, -1.2226542});
  expect_close(normal(random::key(0)), {-0.20584226});
  expect_close(normal(random::key(0), {5}), {0.18784378, -1.2833427, -0.27109176, 1.2490592, 0.24446994});
  expect_close(normal(random::split(random::key(0), 2, O)(0)), {0.14389044});
  expect_close(normal(random::split(random::key(0), 2, O)(1)), {-1.2515389});
  expect_close(normal(random::split(random::split(random::key(0), 2, O)(0), 2, O)(1)), {-0.58665055});
}

TEST(samplers, uniform_doubles_and_raw_keys_of_the_original_layout) {
  expect_close(random::uniform(random::key(42), {5, 4}, f64, 0, 1, O)(0),
               {0.52286734638827848, 0.63809277992222024, 0.48479882418789, 0.76266020446279748}, 1e-15);
  expect_close(random::uniform(np::array({42u, 43u}), {2, 4}, f32, 0, 1, O),
               {.42591238, .076994896, .44370103, .72904015, .17879379, .81439507, .0019190311, .68608475});
}

TEST(samplers, rows_70_and_71_initialisers_scale_the_samplers) {
  const Array k = random::key(42);
  expect_close(5.0 * random::normal(k, {2, 3}, f32, O),
               {3.0613258, 5.6129413, 5.6866574, -4.063663, -4.4520254, .63115686});
  expect_close(5.0 * random::truncated_normal(k, -2, 2, {2, 3}, f32, O),
               {2.9047365, 5.2338114, 5.29852, -3.836303, -4.192359, .6022964});
}

TEST(samplers, the_same_under_jit_vmap_and_threads) {
  const Array k = random::key(5);
  const Array eager = random::normal(k, {64});
  const auto f = jit([](Array key) { return random::normal(key, {64}); });
  EXPECT_TRUE(bool(np::array_equal(f(k), eager)));
  set_num_threads(2);
  const Array keys = random::split(k, 3);
  const Array all = vmap([](Array key) { return random::normal(key, {4}); })(keys);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bool(np::array_equal(all(i), random::normal(keys(i), {4}))));
}

TEST(samplers, permutation_and_categorical) {
  const Array order = random::permutation(random::key(0), 1000);
  std::vector<std::int32_t> sorted = values<std::int32_t>(order);
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(sorted[static_cast<std::size_t>(i)], i);
  EXPECT_FALSE(bool(np::array_equal(order, np::arange(1000))));
  const Array x = np::reshape(np::arange(12), {4, 3});
  EXPECT_TRUE(bool(np::array_equal(random::permutation(random::key(3), x), x(random::permutation(random::key(3), 4)))));
  // The frequencies of 20,000 draws lie within four standard deviations of the probabilities.
  const Array p = np::array({0.1f, 0.2f, 0.7f});
  const Array draws = random::categorical(random::key(1), np::log(p), -1, np::Shape{20000});
  for (int i = 0; i < 3; ++i) {
    const double expected = p(i).item<double>(), got = np::mean((draws == i).astype(f32)).item<double>();
    EXPECT_NEAR(got, expected, 4 * std::sqrt(expected * (1 - expected) / 20000));
  }
}

TEST(samplers, shapes_may_be_written_in_braces) {
  const Array k = random::key(0);
  EXPECT_EQ(random::bernoulli(k, 0.5, {2, 3}).aval().str(), "bool[2,3]");
  EXPECT_EQ(random::bernoulli(k, np::zeros({4})).aval().str(), "bool[4]");
  EXPECT_EQ(random::bernoulli(k, 0.5, std::nullopt).aval().str(), "bool[]");
  EXPECT_EQ(random::categorical(k, np::zeros({2, 3}), -1, {5, 2}).aval().str(), "i32[5,2]");
}

TEST(samplers, bad_arguments_are_refused) {
  EXPECT_THROW(random::normal(np::zeros({3}, u32)), ShapeError);
  EXPECT_THROW(random::normal(np::zeros({2})), DTypeError);
  EXPECT_THROW(random::bits(random::key(0), {3}, i32), DTypeError);
  EXPECT_THROW(random::uniform(random::key(0), {3}, i32), DTypeError);
  EXPECT_THROW(random::split(random::key(0), -1), ValueError);
}

}  // namespace
}  // namespace weft

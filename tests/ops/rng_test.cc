// Bits against published vectors of the ciphers and against what XLA draws; the stream of rng by its moments; the
// texts of errors.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/errors.h"
#include "weft/core/stage.h"
#include "weft/ops/lax.h"
#include "weft/transforms/jvp.h"

namespace weft {
namespace {

using testing::error_of;
using Words = std::vector<std::uint64_t>;

constexpr std::uint64_t kOnes = ~std::uint64_t{0};

// The elements of unsigned integers.
Words words(const Array& x) { return lax::convert(x, u64).to_vector<std::uint64_t>(); }

struct Drawn {
  Words state, bits;
};
Drawn draw(RngAlgorithm algorithm, Words state, DType t, Dims shape) {
  const auto [next, bits] = lax::rng_bit_generator(Array(state), algorithm, t, shape);
  return {words(next), words(bits)};
}

// Known answers of the Random123 library of Salmon et al.
TEST(rng_bit_generator, philox_gives_the_published_vectors) {
  const Drawn zeros = draw(RngAlgorithm::kPhilox, {0, 0, 0}, u32, {4});
  EXPECT_EQ(zeros.bits, (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(zeros.state, (Words{0, 1, 0}));
  const Drawn ones = draw(RngAlgorithm::kPhilox, {kOnes, kOnes, kOnes}, u32, {4});
  EXPECT_EQ(ones.bits, (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(ones.state, (Words{kOnes, 0, 0}));
  const Drawn pi = draw(RngAlgorithm::kPhilox, {0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e}, u32, {4});
  EXPECT_EQ(pi.bits, (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(rng_bit_generator, threefry_gives_the_published_vectors) {
  EXPECT_EQ(draw(RngAlgorithm::kThreeFry, {0, 0}, u32, {2}).bits, (Words{0x6b200159, 0x99ba4efe}));
  EXPECT_EQ(draw(RngAlgorithm::kThreeFry, {kOnes, kOnes}, u32, {2}).bits, (Words{0x1cb996fc, 0xbb002be7}));
  EXPECT_EQ(draw(RngAlgorithm::kThreeFry, {0x0370734413198a2e, 0x85a308d3243f6a88}, u32, {2}).bits,
            (Words{0xc4923a9c, 0x483df7a0}));
}

// From the conformance program rng_bit_generator_uint32_4.
TEST(rng_bit_generator, threefry_of_64_bits_gives_what_xla_draws) {
  const Array state = Array(std::vector<std::uint32_t>{1, 4, 0, 1});
  const auto [next, bits] = lax::rng_bit_generator(state, RngAlgorithm::kThreeFry, u64, Dims{100, 100});
  const Words w = words(bits);
  EXPECT_EQ(next.to_vector<std::uint32_t>(), (std::vector<std::uint32_t>{1, 4, 10000, 1}));
  EXPECT_EQ(w[0], 0xa3e974730835d3c1);
  EXPECT_EQ(w[1], 0x252e8081823789ce);
  EXPECT_EQ(w[2], 0xb4c691df7e36a68e);
  EXPECT_EQ(w[5000], 0x45735e7a44612b74);
  EXPECT_EQ(w[9999], 0xa39216886a197768);
}

TEST(rng_bit_generator, threefry_pairs_neighbours_along_the_first_even_axis) {
  const auto block = [](std::uint64_t i) { return draw(RngAlgorithm::kThreeFry, {7, i}, u32, {2}).bits; };
  const Drawn even = draw(RngAlgorithm::kThreeFry, {7, 100}, u32, {3, 2, 2});  // 6 blocks [3, 1, 2]
  EXPECT_EQ(even.state, (Words{7, 106}));
  for (std::size_t o = 0; o < 3; ++o)
    for (std::size_t j = 0; j < 2; ++j)
      for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(even.bits[o * 4 + k * 2 + j], block(100 + o * 2 + j)[k]);
  const Drawn odd = draw(RngAlgorithm::kThreeFry, {7, 0}, u32, {3, 5});  // 9 blocks [3, 3], the last words unused
  EXPECT_EQ(odd.state, (Words{7, 9}));
  for (std::size_t o = 0; o < 3; ++o)
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(odd.bits[o * 5 + i], block(o * 3 + i / 2)[i % 2]);
  const Drawn scalar = draw(RngAlgorithm::kThreeFry, {7, 3}, u32, {});
  EXPECT_EQ(scalar.bits, Words{block(3)[0]});
  EXPECT_EQ(scalar.state, (Words{7, 4}));
}

TEST(rng_bit_generator, narrow_elements_are_low_bits_and_wide_ones_two_words) {
  const Words wide = draw(RngAlgorithm::kPhilox, {5, 6}, u32, {12}).bits;
  const Words u8s = draw(RngAlgorithm::kPhilox, {5, 6}, u8, {12}).bits,
              u16s = draw(RngAlgorithm::kPhilox, {5, 6}, u16, {3, 4}).bits,
              u64s = draw(RngAlgorithm::kPhilox, {5, 6}, u64, {6}).bits;
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(u8s[i], wide[i] & 0xff);
    EXPECT_EQ(u16s[i], wide[i] & 0xffff);
    EXPECT_EQ(i % 2 ? u64s[i / 2] >> 32 : u64s[i / 2] & 0xffffffff, wide[i]);
  }
  const auto [next, floats] = lax::rng_bit_generator(Array(Words{5, 6}), RngAlgorithm::kPhilox, f32, Dims{12});
  EXPECT_EQ(words(lax::bitcast_convert(floats, u32)), wide);
}

TEST(rng_bit_generator, philox_of_two_words_takes_the_key_for_the_high_word) {
  const Drawn two = draw(RngAlgorithm::kPhilox, {5, kOnes}, u32, {9}),
              three = draw(RngAlgorithm::kPhilox, {5, kOnes, 5}, u32, {9});
  EXPECT_EQ(two.bits, three.bits);
  EXPECT_EQ(two.state, (Words{5, 2}));
  EXPECT_EQ(three.state, (Words{5, 2, 6}));
  EXPECT_EQ(draw(RngAlgorithm::kDefault, {5, kOnes}, u32, {9}).bits, two.bits);
}

TEST(rng_bit_generator, no_bits_leave_the_state) {
  const Drawn none = draw(RngAlgorithm::kThreeFry, {7, 3}, u32, {std::int64_t{1} << 50, 0});
  EXPECT_EQ(none.state, (Words{7, 3}));
  EXPECT_EQ(draw(RngAlgorithm::kPhilox, {7, 3}, u32, {2, 0}).state, (Words{7, 3}));
}

TEST(rng_bit_generator, mistakes_have_texts) {
  const auto error = [](DType t, Dims shape, RngAlgorithm algorithm, DType bits, Dims bits_shape) {
    return error_of([&] { lax::rng_bit_generator(Array::full(shape, t, 0), algorithm, bits, bits_shape); });
  };
  EXPECT_EQ(error(u64, {3}, RngAlgorithm::kThreeFry, u32, {}),
            "ShapeError: rng_bit_generator: the last axis of the state must be that of u64[2] or u32[4]; got u64[3].");
  EXPECT_EQ(error(u64, {}, RngAlgorithm::kPhilox, u32, {}),
            "ShapeError: rng_bit_generator: the last axis of the state must be that of u64[2], u64[3] or u32[4]; got "
            "u64[].");
  EXPECT_EQ(error(i32, {4}, RngAlgorithm::kPhilox, u32, {}),
            "DTypeError: rng_bit_generator: the state must be u64 or u32; got i32[4].");
  EXPECT_EQ(error(u64, {2}, RngAlgorithm::kPhilox, boolean, {}),
            "DTypeError: rng_bit_generator: bits must be integer or float; got bool.");
  EXPECT_EQ(error(u64, {2}, RngAlgorithm::kPhilox, u32, {-1}),
            "ShapeError: array: sizes must not be negative; got shape [-1].");
}

TEST(rng, uniform_numbers_fill_their_interval_evenly) {
  constexpr std::int64_t kCount = 100000;
  const auto x = lax::rng(Array(-2.0f), Array(6.0f), RngDistribution::kUniform, Dims{kCount}).to_vector<float>();
  double sum = 0, squares = 0;
  for (const float v : x) {
    ASSERT_TRUE(v >= -2 && v < 6);
    sum += v;
    squares += (v - 2.0) * (v - 2.0);
  }
  // Five standard deviations of the mean and of the variance of so many.
  EXPECT_NEAR(sum / kCount, 2, 5 * 8 / std::sqrt(12.0 * kCount));
  EXPECT_NEAR(squares / kCount, 64 / 12.0, 5 * 64 * std::sqrt(1 / 180.0 / kCount));
  std::vector<int> counts(6);
  for (const int v : lax::rng(Array(-3), Array(3), RngDistribution::kUniform, Dims{kCount}).to_vector<int>()) {
    ASSERT_TRUE(v >= -3 && v < 3);
    ++counts[static_cast<std::size_t>(v + 3)];
  }
  for (const int c : counts) EXPECT_NEAR(c, kCount / 6.0, 5 * std::sqrt(kCount * 5 / 36.0));
}

TEST(rng, normal_numbers_have_mean_and_deviation) {
  constexpr std::int64_t kCount = 100000;
  const auto x = lax::rng(Array(3.0), Array(2.0), RngDistribution::kNormal, Dims{kCount}).to_vector<double>();
  double sum = 0, squares = 0, fourth = 0;
  for (const double v : x) {
    const double z = (v - 3) / 2;
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / kCount, 0, 5 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1, 5 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(fourth / kCount, 3, 5 * std::sqrt(96.0 / kCount));
}

// y = a + u (b - a), or a + z b: with da = 1 and db = 10 the tangent follows from y.
TEST(rng, derivatives_hold_the_draw_fixed) {
  const auto derivative = [](RngDistribution distribution, double a, double b) {
    const FlatFunction f = [=](std::span<const Array> in, Arrays& outs) {
      outs.push_back(lax::rng(in[0], in[1], distribution, Dims{5}));
    };
    Arrays y, dy;
    transforms::jvp(f, Arrays{Array(a), Array(b)}, Arrays{Array(1.0), Array(10.0)}, "test", y, dy);
    return std::pair(y[0].to_vector<double>(), dy[0].to_vector<double>());
  };
  const auto [u, du] = derivative(RngDistribution::kUniform, 2, 5);
  for (std::size_t i = 0; i < u.size(); ++i) EXPECT_NEAR(du[i], 1 + (u[i] - 2) / 3 * 9, 1e-12);
  const auto [z, dz] = derivative(RngDistribution::kNormal, 2, 5);
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(dz[i], 1 + (z[i] - 2) / 5 * 10, 1e-12);
  EXPECT_EQ(derivative(RngDistribution::kNormal, 2, 0).second, std::vector<double>(5, 1.0));
}

TEST(rng, extremes_stay_inside) {
  const Array low(std::numeric_limits<std::int64_t>::min()), high(std::numeric_limits<std::int64_t>::max());
  std::set<bool> signs;
  for (const std::int64_t v : lax::rng(low, high, RngDistribution::kUniform, Dims{100}).to_vector<std::int64_t>())
    signs.insert(v < 0);
  EXPECT_EQ(signs.size(), 2u);
  const double most = std::numeric_limits<double>::max();
  for (const double v : lax::rng(Array(-most), Array(most), RngDistribution::kUniform, Dims{100}).to_vector<double>())
    EXPECT_TRUE(std::isfinite(v));
  // The only bf16 below 1 + 2^-7 in the interval is 1.
  const Array one = lax::convert(Array(1.0f), bf16), above = lax::convert(Array(1.0f + 0x1p-7f), bf16);
  for (const float v : lax::convert(lax::rng(one, above, RngDistribution::kUniform, Dims{100}), f32).to_vector<float>())
    EXPECT_EQ(v, 1.0f);
}

TEST(rng, every_call_draws_anew_and_none_is_dropped) {
  const auto draw = [] { return lax::rng(Array(0.0), Array(1.0), RngDistribution::kUniform, Dims{8}); };
  EXPECT_NE(draw().to_vector<double>(), draw().to_vector<double>());
  const std::string text = stage(
                               [&](std::span<const Array>, Arrays& outs) {
                                 draw();
                                 outs.push_back(draw());
                               },
                               {}, "f")
                               .jaxpr.str();
  const std::size_t first = text.find("rng[");
  EXPECT_NE(text.find("rng[", first + 1), std::string::npos) << text;
}

TEST(rng, mistakes_have_texts) {
  EXPECT_EQ(error_of([] { lax::rng(Array(0), Array(1), RngDistribution::kNormal, Dims{}); }),
            "DTypeError: rng of NORMAL: operands must be float; got i32[] and i32[].");
  EXPECT_EQ(error_of([] { lax::rng(Array(0), Array(1.0), RngDistribution::kUniform, Dims{}); }),
            "DTypeError: rng: operands must have equal dtypes; got i32[] and f64[].");
  EXPECT_EQ(error_of([] { lax::rng(Array(0.0), Array(std::vector<double>{1}), RngDistribution::kUniform, Dims{}); }),
            "ShapeError: rng: operands must have equal shapes; got f64[] and f64[1].");
}

}  // namespace
}  // namespace weft

#include "weft/cpu/kernels/threefry.h"

#include <gtest/gtest.h>

#include "cpu/kernel_testing.h"

namespace weft::cpu {
namespace {

class Threefry : public KernelTest {};

struct Answer {
  std::uint32_t key[2], counter[2], out[2];
};
// Known-answer vectors of Random123, as in JAX's tests/random_test.py.
constexpr Answer kAnswers[] = {
    {{0, 0}, {0, 0}, {0x6b200159, 0x99ba4efe}},
    {{0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x1cb996fc, 0xbb002be7}},
    {{0x13198a2e, 0x03707344}, {0x243f6a88, 0x85a308d3}, {0xc4923a9c, 0x483df7a0}},
};

TEST_F(Threefry, known_answers) {
  for (const Isa isa : available_isas()) {
    force_isa(isa);
    for (const Answer& a : kAnswers) {
      std::uint32_t o0, o1;
      const std::uint32_t* const in[4] = {&a.key[0], &a.key[1], &a.counter[0], &a.counter[1]};
      for (const unsigned scalar : {0u, 3u, 15u}) {
        threefry2x32(1, in, scalar, &o0, &o1);
        EXPECT_EQ(o0, a.out[0]);
        EXPECT_EQ(o1, a.out[1]);
      }
    }
  }
}

TEST_F(Threefry, a_large_call_gives_the_same_pair_everywhere) {
  const std::int64_t n = 1000003;
  const Answer& a = kAnswers[2];
  const std::vector<std::uint32_t> c0(static_cast<std::size_t>(n), a.counter[0]),
      c1(static_cast<std::size_t>(n), a.counter[1]);
  const std::uint32_t* const in[4] = {&a.key[0], &a.key[1], c0.data(), c1.data()};
  std::vector<std::uint32_t> o0(c0), o1(c1);
  threefry2x32(n, in, 3, o0.data(), o1.data());
  for (std::int64_t i = 0; i < n; ++i) {
    ASSERT_EQ(o0[static_cast<std::size_t>(i)], a.out[0]);
    ASSERT_EQ(o1[static_cast<std::size_t>(i)], a.out[1]);
  }
}

TEST_F(Threefry, every_mix_of_single_words_and_arrays) {
  const std::int64_t n = 1000;
  std::vector<std::vector<std::uint32_t>> words(4, std::vector<std::uint32_t>(static_cast<std::size_t>(n)));
  std::mt19937 rng(1);
  for (auto& w : words)
    for (auto& v : w) v = rng();
  for (unsigned scalar = 0; scalar < 16; ++scalar) {
    const Buffer r = same_everywhere(
        [&] {
          Buffer out(u32, 2 * n);
          const std::uint32_t* const in[4] = {words[0].data(), words[1].data(), words[2].data(), words[3].data()};
          auto* o = static_cast<std::uint32_t*>(out.data());
          threefry2x32(n, in, scalar, o, o + n);
          return out;
        },
        "threefry");
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint32_t* one[4];
      for (unsigned k = 0; k < 4; ++k) one[k] = &words[k][static_cast<std::size_t>(scalar >> k & 1u ? 0 : i)];
      std::uint32_t o0, o1;
      threefry2x32(1, one, 15, &o0, &o1);
      ASSERT_EQ(r.at<std::uint32_t>(i), o0);
      ASSERT_EQ(r.at<std::uint32_t>(n + i), o1);
    }
  }
}

TEST_F(Threefry, no_counters_give_no_words) {
  const std::uint32_t key = 0;
  const std::uint32_t* const in[4] = {&key, &key, nullptr, nullptr};
  threefry2x32(0, in, 3, nullptr, nullptr);
}

}  // namespace
}  // namespace weft::cpu

// The threefry2x32 block function, 20 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011), over arrays of counters.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

using U = std::uint32_t;

template <int kBits>
WEFT_INLINE void round(U& x0, U& x1) {
  x0 += x1;
  x1 = (x1 << kBits) | (x1 >> (32 - kBits));
  x1 ^= x0;
}

// Four rounds, then the key schedule's injection number i.
template <int kA, int kB, int kC, int kD>
WEFT_INLINE void four_rounds(U& x0, U& x1, U add0, U add1, U i) {
  round<kA>(x0, x1);
  round<kB>(x0, x1);
  round<kC>(x0, x1);
  round<kD>(x0, x1);
  x0 += add0;
  x1 += add1 + i;
}

WEFT_INLINE void block(U k0, U k1, U& x0, U& x1) {
  const U k2 = k0 ^ k1 ^ 0x1BD11BDAu;
  x0 += k0;
  x1 += k1;
  four_rounds<13, 15, 26, 6>(x0, x1, k1, k2, 1);
  four_rounds<17, 29, 16, 24>(x0, x1, k2, k0, 2);
  four_rounds<13, 15, 26, 6>(x0, x1, k0, k1, 3);
  four_rounds<17, 29, 16, 24>(x0, x1, k1, k2, 4);
  four_rounds<13, 15, 26, 6>(x0, x1, k2, k0, 5);
}

}  // namespace

void threefry(const U* const* in, unsigned scalar, U* const* out, std::int64_t n) {
  constexpr std::int64_t kPiece = 256;
  alignas(64) U spread[4][kPiece];
  const std::int64_t first = n < kPiece ? n : kPiece;
  // A single key is kept in a register; anything else that is one word is spread over a piece.
  const bool one_key = (scalar & 3u) == 3u;
  for (int q = one_key ? 2 : 0; q < 4; ++q)
    if (scalar >> q & 1u)
      for (std::int64_t i = 0; i < first; ++i) spread[q][i] = *in[q];
  for (std::int64_t begin = 0; begin < n; begin += kPiece) {
    const std::int64_t m = n - begin < kPiece ? n - begin : kPiece;
    const U* c0 = scalar & 4u ? spread[2] : in[2] + begin;
    const U* c1 = scalar & 8u ? spread[3] : in[3] + begin;
    U* o0 = out[0] + begin;
    U* o1 = out[1] + begin;
    if (one_key) {
      const U k0 = *in[0], k1 = *in[1];
      WEFT_INDEPENDENT
      for (std::int64_t i = 0; i < m; ++i) {
        U x0 = c0[i], x1 = c1[i];  // NOLINT(clang-analyzer-core.*): spread where they are one word
        block(k0, k1, x0, x1);
        o0[i] = x0, o1[i] = x1;
      }
    } else {
      const U* k0 = scalar & 1u ? spread[0] : in[0] + begin;
      const U* k1 = scalar & 2u ? spread[1] : in[1] + begin;
      WEFT_INDEPENDENT
      for (std::int64_t i = 0; i < m; ++i) {
        U x0 = c0[i], x1 = c1[i];
        block(k0[i], k1[i], x0, x1);
        o0[i] = x0, o1[i] = x1;
      }
    }
  }
}

}  // namespace weft::cpu::WEFT_ISA

// The threefry2x32 block function over arrays of counters.
#include "weft/cpu/math/threefry.h"
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

using U = std::uint32_t;

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
        // NOLINTNEXTLINE(clang-analyzer-core.*): counters are spread where they are one word
        const Threefry2x32::Block y = Threefry2x32::apply(k0, k1, c0[i], c1[i]);
        o0[i] = y.x0, o1[i] = y.x1;
      }
    } else {
      const U* k0 = scalar & 1u ? spread[0] : in[0] + begin;
      const U* k1 = scalar & 2u ? spread[1] : in[1] + begin;
      WEFT_INDEPENDENT
      for (std::int64_t i = 0; i < m; ++i) {
        const Threefry2x32::Block y = Threefry2x32::apply(k0[i], k1[i], c0[i], c1[i]);
        o0[i] = y.x0, o1[i] = y.x1;
      }
    }
  }
}

}  // namespace weft::cpu::WEFT_ISA

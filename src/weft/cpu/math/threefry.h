// The threefry2x32 block function, 20 rounds, as a functor of four words, key first (Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include "weft/cpu/math/scalar.h"

namespace weft::cpu::WEFT_ISA {

struct Threefry2x32 {
  using U = std::uint32_t;
  struct Block {
    U x0, x1;
  };
  WEFT_INLINE Block apply(U k0, U k1, U x0, U x1) {
    const U k2 = k0 ^ k1 ^ 0x1BD11BDAu;
    x0 += k0;
    x1 += k1;
    four_rounds<13, 15, 26, 6>(x0, x1, k1, k2, 1);
    four_rounds<17, 29, 16, 24>(x0, x1, k2, k0, 2);
    four_rounds<13, 15, 26, 6>(x0, x1, k0, k1, 3);
    four_rounds<17, 29, 16, 24>(x0, x1, k1, k2, 4);
    four_rounds<13, 15, 26, 6>(x0, x1, k2, k0, 5);
    return {x0, x1};
  }

 private:
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
};

}  // namespace weft::cpu::WEFT_ISA

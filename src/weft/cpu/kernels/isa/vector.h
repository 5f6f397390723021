// Groups of 64 bytes whatever the instruction set, held in the registers it has: lanes, and with them the order of
// every sum, are the same everywhere. Written out by hand because compilers lower vector types wider than the
// registers to scalar code.
#pragma once

#include "weft/cpu/math/scalar.h"

namespace weft::cpu::WEFT_ISA {

#if defined(__AVX512F__)
inline constexpr int kRegisterBytes = 64;
#elif defined(__AVX__)
inline constexpr int kRegisterBytes = 32;
#else
inline constexpr int kRegisterBytes = 16;
#endif

template <class T, int kBytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
};
template <class T, int kBytes = kRegisterBytes>
using Vector = typename VectorOf<T, kBytes>::type;

template <class V, class T>
WEFT_INLINE V load(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
WEFT_INLINE void store(T* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}

/// 64 bytes of T.
template <class T>
struct Group {
  static constexpr int kLanes = 64 / static_cast<int>(sizeof(T));
  static constexpr int kParts = 64 / kRegisterBytes;
  static constexpr int kPartLanes = kLanes / kParts;
  Vector<T> part[kParts];
};

template <class T>
WEFT_INLINE Group<T> load_group(const T* p) {
  using G = Group<T>;
  G g;
  g.part[0] = load<Vector<T>>(p);
  if constexpr (G::kParts > 1) g.part[1] = load<Vector<T>>(p + G::kPartLanes);
  if constexpr (G::kParts > 2) {
    g.part[2] = load<Vector<T>>(p + 2 * G::kPartLanes);
    g.part[3] = load<Vector<T>>(p + 3 * G::kPartLanes);
  }
  return g;
}
template <class T>
WEFT_INLINE void store_group(T* p, const Group<T>& g) {
  using G = Group<T>;
  store(p, g.part[0]);
  if constexpr (G::kParts > 1) store(p + G::kPartLanes, g.part[1]);
  if constexpr (G::kParts > 2) {
    store(p + 2 * G::kPartLanes, g.part[2]);
    store(p + 3 * G::kPartLanes, g.part[3]);
  }
}
/// F::apply on every lane.
template <class F, class T>
WEFT_INLINE Group<T> apply(const Group<T>& a, const Group<T>& b) {
  using G = Group<T>;
  G g;
  g.part[0] = F::apply(a.part[0], b.part[0]);
  if constexpr (G::kParts > 1) g.part[1] = F::apply(a.part[1], b.part[1]);
  if constexpr (G::kParts > 2) {
    g.part[2] = F::apply(a.part[2], b.part[2]);
    g.part[3] = F::apply(a.part[3], b.part[3]);
  }
  return g;
}

/// Joins the lanes in halves: lane i with lane i + n/2, then the same of the n/2 results.
template <class F, class T, int kBytes>
WEFT_INLINE T join_lanes(Vector<T, kBytes> v) {
  if constexpr (kBytes > 16) {
    using H = Vector<T, kBytes / 2>;
    H low, high;
    __builtin_memcpy(&low, &v, sizeof low);
    __builtin_memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof low, sizeof high);
    return join_lanes<F, T, kBytes / 2>(F::apply(low, high));
  } else {
    T lanes[16 / sizeof(T)];
    __builtin_memcpy(lanes, &v, sizeof v);
    for (unsigned half = 8 / sizeof(T); half > 0; half /= 2)
      for (unsigned i = 0; i < half; ++i) lanes[i] = F::apply(lanes[i], lanes[i + half]);
    return lanes[0];
  }
}
template <class F, class T>
WEFT_INLINE T join_lanes(const Group<T>& g) {
  using G = Group<T>;
  if constexpr (G::kParts == 1) {
    return join_lanes<F, T, kRegisterBytes>(g.part[0]);
  } else if constexpr (G::kParts == 2) {
    return join_lanes<F, T, kRegisterBytes>(F::apply(g.part[0], g.part[1]));
  } else {
    return join_lanes<F, T, kRegisterBytes>(F::apply(F::apply(g.part[0], g.part[2]), F::apply(g.part[1], g.part[3])));
  }
}

}  // namespace weft::cpu::WEFT_ISA

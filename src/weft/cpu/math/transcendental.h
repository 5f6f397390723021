// The functions of math_f32.h and math_f64.h as functors of the element types. functions.def says which operation is
// which.
#pragma once

#include "weft/cpu/math/math_f32.h"
#include "weft/cpu/math/math_f64.h"

namespace weft::cpu::WEFT_ISA {

// A function of double as one of float.
template <class F>
struct Narrowed : SameResult {
  static constexpr float kCost = F::kCost;
  template <class T>
  WEFT_INLINE float apply(T x) {
    return static_cast<float>(F::apply(static_cast<double>(x)));
  }
};
// One of float; the small floats go through it.
template <class F>
struct Direct : SameResult {
  static constexpr float kCost = F::kCost;
  template <class T>
  WEFT_INLINE float apply(T x) {
    return F::apply(x);
  }
};
// A function of doubles as one of T; its cost is a double's, and the descriptor doubles that of 8-byte elements.
template <class F>
struct Rounded : SameResult {
  static constexpr float kCost = F::kCost;
  static constexpr bool kSpreadsScalars = true;
  template <class T>
  WEFT_INLINE T apply(T x, T y) {
    return static_cast<T>(F::apply(static_cast<double>(x), static_cast<double>(y)));
  }
};

// sin, cos and tan: the fast form holds for arguments below F::kLimit only; the one for far arguments takes longer.
template <class F>
struct Periodic {
  static constexpr float kCost = F::kCost;
  template <class T>
  WEFT_INLINE bool is_far(T x) {
    return !(absolute(x) < static_cast<T>(F::kLimit));  // NaN is
  }
  template <class T>
  WEFT_INLINE T apply(T x) {
    return static_cast<T>(F::apply(x));
  }
  template <class T>
  WEFT_INLINE T far(T x) {
    return static_cast<T>(F::far(static_cast<double>(x)));
  }
};

}  // namespace weft::cpu::WEFT_ISA

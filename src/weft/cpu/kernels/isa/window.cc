// What one tap of a window does to a line of places: reductions, the choice of an element, and moves to and from what
// was chosen.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/math/binary.h"

namespace weft::cpu::WEFT_ISA {
namespace {

// Calls f(place, element) for every step of every neighbour. Steps of one and of two, which most are, are known to the
// compiler.
template <class F>
WEFT_INLINE void for_each_step(const WindowSteps& s, F f) {
  if (s.place_step == 1 && s.element_step == 1) {
    const std::int64_t n = s.count * s.inner;
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) f(i, i);
  } else if (s.inner == 1 && s.place_step == 1 && s.element_step == 2) {
    const std::int64_t n = s.count;
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) f(i, 2 * i);
  } else if (s.inner == 1) {
    for (std::int64_t j = 0; j < s.count; ++j) f(j * s.place_step, j * s.element_step);
  } else {
    const std::int64_t inner = s.inner;
    for (std::int64_t j = 0; j < s.count; ++j) {
      const std::int64_t place = j * s.place_step * inner, element = j * s.element_step * inner;
      WEFT_INDEPENDENT
      for (std::int64_t i = 0; i < inner; ++i) f(place + i, element + i);
    }
  }
}

template <class F, class T>
WEFT_INLINE T step(T a, T b) {
  if constexpr (is_small_float<T>)
    return small_from<T>(F::apply(to_float(a), to_float(b)));
  else
    return F::apply(a, b);
}

template <class F, class T>
void combine(char* places, const char* elements, const WindowSteps& s) {
  T* p = reinterpret_cast<T*>(places);
  const T* x = reinterpret_cast<const T*>(elements);
  for_each_step(s, [=](std::int64_t i, std::int64_t e) { p[i] = step<F>(p[i], x[e]); });
}

// n adjacent places of kTaps taps, in their order after what the place holds, or after `none` where it holds nothing
// yet.
template <class F, class T, int kTaps>
WEFT_INLINE void combine_run(T* p, const char* const* elements, std::int64_t from, const T* none, std::int64_t n) {
  const T* x[kTaps];
  for (int t = 0; t < kTaps; ++t) x[t] = reinterpret_cast<const T*>(elements[t]) + from;
  const auto place = [&](std::int64_t i, T value) {
#pragma GCC unroll 4
    for (int t = 0; t < kTaps; ++t) value = step<F>(value, x[t][i]);
    p[i] = value;
  };
  if (none) {
    const T first = *none;
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) place(i, first);
  } else {
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) place(i, p[i]);
  }
}

// Place by place, so that elements are read once and in order.
template <class F, class T>
void combine_all(char* places, const char* const* elements, std::int64_t taps, const char* identity,
                 const WindowSteps& s) {
  const T* identity_value = reinterpret_cast<const T*>(identity);
  constexpr std::int64_t kRun = 1024;
  const bool adjacent = s.element_step == 1;
  const std::int64_t count = adjacent ? 1 : s.count, inner = adjacent ? s.count * s.inner : s.inner;
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t begin = 0; begin < inner; begin += kRun) {
      const std::int64_t n = inner - begin < kRun ? inner - begin : kRun;
      const std::int64_t from = j * s.element_step * s.inner + begin;
      T* p = reinterpret_cast<T*>(places) + j * inner + begin;
      for (std::int64_t t = 0; t < taps;) {
        const T* none = t == 0 ? identity_value : nullptr;
        if (taps - t >= 4) {
          combine_run<F, T, 4>(p, elements + t, from, none, n);
          t += 4;
        } else if (taps - t >= 2) {
          combine_run<F, T, 2>(p, elements + t, from, none, n);
          t += 2;
        } else {
          combine_run<F, T, 1>(p, elements + t, from, none, n);
          t += 1;
        }
      }
    }
}

struct StaysGe {
  template <class T>
  WEFT_INLINE bool apply(T chosen, T next) {
    return chosen >= next;
  }
};
struct StaysLe {
  template <class T>
  WEFT_INLINE bool apply(T chosen, T next) {
    return chosen <= next;
  }
};
struct StaysGt {
  template <class T>
  WEFT_INLINE bool apply(T chosen, T next) {
    return chosen > next;
  }
};
struct StaysLt {
  template <class T>
  WEFT_INLINE bool apply(T chosen, T next) {
    return chosen < next;
  }
};

template <class F, class T>
void choose(char* best, std::int32_t* chosen, const char* elements, const WindowSteps& s, std::int32_t tap) {
  T* p = reinterpret_cast<T*>(best);
  const T* x = reinterpret_cast<const T*>(elements);
  for_each_step(s, [=](std::int64_t i, std::int64_t e) {
    const T before = p[i], next = x[e];
    const std::int32_t c = chosen[i];
    bool wins;
    if constexpr (is_small_float<T>)
      wins = F::apply(to_float(before), to_float(next));
    else
      wins = F::apply(before, next);
    const bool stays = (c >= 0) & wins;
    p[i] = stays ? before : next;
    chosen[i] = stays ? c : tap;
  });
}

template <class T>
void scatter(char* elements, const std::int32_t* chosen, const char* source, const WindowSteps& s, std::int32_t tap) {
  T* y = reinterpret_cast<T*>(elements);
  const T* p = reinterpret_cast<const T*>(source);
  for_each_step(s, [=](std::int64_t i, std::int64_t e) {
    const T sum = step<Add>(y[e], p[i]);
    y[e] = chosen[i] == tap ? sum : y[e];
  });
}

template <class T>
void gather(char* places, const std::int32_t* chosen, const char* elements, const WindowSteps& s, std::int32_t tap) {
  using U = std::conditional_t<is_small_float<T>, T, Unsigned<T>>;  // bits, whatever they mean
  U* p = reinterpret_cast<U*>(places);
  const U* x = reinterpret_cast<const U*>(elements);
  for_each_step(s, [=](std::int64_t i, std::int64_t e) { p[i] = chosen[i] == tap ? x[e] : p[i]; });
}

template <class F, class T>
constexpr void set(WindowKernel& k, ReduceOp op) {
  k.combine[static_cast<int>(op)] = combine<F, T>;
  k.combine_all[static_cast<int>(op)] = combine_all<F, T>;
}
template <class T>
constexpr WindowKernel make() {
  WindowKernel k{};
  set<Add, T>(k, ReduceOp::kSum);
  set<Multiply, T>(k, ReduceOp::kProd);
  set<Maximum, T>(k, ReduceOp::kMax);
  set<Minimum, T>(k, ReduceOp::kMin);
  if constexpr (std::is_integral_v<T>) {
    set<And, T>(k, ReduceOp::kAnd);
    set<Or, T>(k, ReduceOp::kOr);
    set<Xor, T>(k, ReduceOp::kXor);
  }
  k.choose[0] = choose<StaysGe, T>;
  k.choose[1] = choose<StaysLe, T>;
  k.choose[2] = choose<StaysGt, T>;
  k.choose[3] = choose<StaysLt, T>;
  k.scatter = scatter<T>;
  k.gather = gather<T>;
  return k;
}
template <class T>
inline constexpr WindowKernel kWindow = make<T>();

}  // namespace

const WindowKernel* window(DType t) {
  switch (t) {
    case DType::kF32: return &kWindow<float>;
    case DType::kF64: return &kWindow<double>;
    case DType::kF16: return &kWindow<Half>;
    case DType::kBF16: return &kWindow<Brain>;
    case DType::kI8: return &kWindow<std::int8_t>;
    case DType::kI16: return &kWindow<std::int16_t>;
    case DType::kI32: return &kWindow<std::int32_t>;
    case DType::kI64: return &kWindow<std::int64_t>;
    case DType::kU8: return &kWindow<std::uint8_t>;
    case DType::kU16: return &kWindow<std::uint16_t>;
    case DType::kU32: return &kWindow<std::uint32_t>;
    case DType::kU64: return &kWindow<std::uint64_t>;
    default: return nullptr;
  }
}

}  // namespace weft::cpu::WEFT_ISA

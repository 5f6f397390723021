// Reductions of a block of elements along rows or columns, each a fixed tree: elements go to lanes by position,
// sixteen of them in turn to one accumulator (a leaf), leaves are joined in pairs, lanes last, in halves.
// Invariant: the tree depends on the counts alone, not on registers or threads.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/kernels/isa/vector.h"
#include "weft/ir/reduction_order.h"

namespace weft::cpu::WEFT_ISA {
namespace {

constexpr int kLeaf = kReduceLeaf;
constexpr int kLevels = 16;  // joins of leaves: at most 2^16 leaves

// `apply` works on scalars and on vectors alike.
struct Sum {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  WEFT_INLINE V apply(V a, V b) {
    return a + b;
  }
};
struct Prod {
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class V>
  WEFT_INLINE V apply(V a, V b) {
    // Promotion would make products of u16 signed.
    if constexpr (std::is_integral_v<V>)
      return static_cast<V>(static_cast<std::common_type_t<V, unsigned>>(a) * b);
    else
      return a * b;
  }
};
struct And {
  template <class T>
  static constexpr T identity() {
    return static_cast<T>(~T(0));
  }
  template <class V>
  WEFT_INLINE V apply(V a, V b) {
    return a & b;
  }
};
struct Or {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  WEFT_INLINE V apply(V a, V b) {
    return a | b;
  }
};
struct Xor {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  WEFT_INLINE V apply(V a, V b) {
    return a ^ b;
  }
};
template <class V, class T>
WEFT_INLINE V or_bits(V a, V b) {
  using B = Vector<Unsigned<T>, sizeof(V)>;
  return reinterpret_cast<V>(reinterpret_cast<B>(a) | reinterpret_cast<B>(b));
}
template <class V>
using ElementOf = std::remove_cvref_t<decltype(std::declval<V&>()[0])>;
template <class T>
constexpr T lowest() {
  if constexpr (std::is_same_v<T, float>)
    return -__builtin_inff();
  else if constexpr (std::is_same_v<T, double>)
    return -__builtin_inf();
  else if constexpr (std::is_signed_v<T>)
    return static_cast<T>(kSignBit<T>);
  else
    return T(0);
}
template <class T>
constexpr T highest() {
  if constexpr (std::is_floating_point_v<T>)
    return -lowest<T>();
  else
    return static_cast<T>(~static_cast<Unsigned<T>>(lowest<T>()));
}
struct Min {
  template <class T>
  static constexpr T identity() {
    return highest<T>();
  }
  // As minimum() and maximum() of math/scalar.h, in vectors.
  template <class V>
  WEFT_INLINE V apply(V a, V b) {
    if constexpr (std::is_arithmetic_v<V>)
      return minimum(a, b);
    else if constexpr (std::is_floating_point_v<ElementOf<V>>)
      return or_bits<V, ElementOf<V>>(a < b ? a : b, b < a ? b : a);
    else
      return a < b ? a : b;
  }
};
struct Max {
  template <class T>
  static constexpr T identity() {
    return lowest<T>();
  }
  template <class V>
  WEFT_INLINE V apply(V a, V b) {
    if constexpr (std::is_arithmetic_v<V>)
      return maximum(a, b);
    else if constexpr (std::is_floating_point_v<ElementOf<V>>)
      return -Min::apply(V(-a), V(-b));
    else
      return a > b ? a : b;
  }
};
template <class F, class T>
T reduce_row(const T* x, std::int64_t n) {
  using G = Group<T>;
  constexpr int kWidth = G::kLanes;
  constexpr int kStep = kReduceGroups * kWidth;
  static_assert(kReduceGroups == 4 && kWidth * sizeof(T) == kReduceGroupBytes);
  if (n < kStep) {
    // Few elements: two accumulators, no vectors to fill.
    T even = F::template identity<T>(), odd = even;
    std::int64_t i = 0;
    for (; i + 2 <= n; i += 2) {
      even = F::apply(even, x[i]);
      odd = F::apply(odd, x[i + 1]);
    }
    if (i < n) even = F::apply(even, x[i]);
    return F::apply(even, odd);
  }
  G stack[kLevels][4];
  int top = 0;
  const std::int64_t steps = n / kStep;
  const std::int64_t tail = n - steps * kStep;
  G a0, a1, a2, a3;
  const auto join_below = [&] {
    --top;
    a0 = apply<F>(stack[top][0], a0), a1 = apply<F>(stack[top][1], a1);
    a2 = apply<F>(stack[top][2], a2), a3 = apply<F>(stack[top][3], a3);
  };
  for (std::int64_t leaf = 0, done = 0;; ++leaf) {
    const std::int64_t last = done + kLeaf < steps ? done + kLeaf : steps;
    const T* p = x + done * kStep;
    a0 = load_group(p), a1 = load_group(p + kWidth), a2 = load_group(p + 2 * kWidth), a3 = load_group(p + 3 * kWidth);
    for (++done; done < last; ++done) {
      p += kStep;
      a0 = apply<F>(a0, load_group(p));
      a1 = apply<F>(a1, load_group(p + kWidth));
      a2 = apply<F>(a2, load_group(p + 2 * kWidth));
      a3 = apply<F>(a3, load_group(p + 3 * kWidth));
    }
    if (done == steps) break;
    for (std::int64_t k = leaf; k & 1; k >>= 1) join_below();
    stack[top][0] = a0, stack[top][1] = a1, stack[top][2] = a2, stack[top][3] = a3;
    ++top;
  }
  if (tail) {
    // Lanes without an element keep the last leaf's value.
    alignas(64) T lanes[kStep];
    store_group(lanes, a0), store_group(lanes + kWidth, a1);
    store_group(lanes + 2 * kWidth, a2), store_group(lanes + 3 * kWidth, a3);
    for (std::int64_t i = 0; i < tail; ++i) lanes[i] = F::apply(lanes[i], x[steps * kStep + i]);
    a0 = load_group(lanes), a1 = load_group(lanes + kWidth);
    a2 = load_group(lanes + 2 * kWidth), a3 = load_group(lanes + 3 * kWidth);
  }
  while (top > 0) join_below();
  return join_lanes<F>(apply<F>(apply<F>(a0, a1), apply<F>(a2, a3)));
}

// Sums start from +0, which matters where all elements are -0.
template <class F, class T>
WEFT_INLINE T from_identity(T v) {
  if constexpr (std::is_same_v<F, Sum> && std::is_floating_point_v<T>)
    return v + T(0);
  else
    return v;
}

template <class F, class T>
void rows(const char* in, char* out, std::int64_t count, std::int64_t n, std::int64_t stride) {
  const T* x = reinterpret_cast<const T*>(in);
  T* o = reinterpret_cast<T*>(out);
  for (std::int64_t r = 0; r < count; ++r) o[r] = from_identity<F>(reduce_row<F>(x + r * stride, n));
}

// out[j] = x[0][j] op ... op x[n - 1][j], n <= kLeaf, rows in turn.
template <class F, class T>
void leaf_columns(const T* x, T* out, std::int64_t n, std::int64_t width, std::int64_t stride) {
  constexpr int kWidth = Group<T>::kLanes;
  std::int64_t j = 0;
  for (; j + 2 * kWidth <= width; j += 2 * kWidth) {
    Group<T> a = load_group(x + j), b = load_group(x + j + kWidth);
    for (std::int64_t i = 1; i < n; ++i) {
      a = apply<F>(a, load_group(x + i * stride + j));
      b = apply<F>(b, load_group(x + i * stride + j + kWidth));
    }
    store_group(out + j, a);
    store_group(out + j + kWidth, b);
  }
  for (; j < width; ++j) {
    T a = x[j];
    for (std::int64_t i = 1; i < n; ++i) a = F::apply(a, x[i * stride + j]);
    out[j] = a;
  }
}

template <class F, class T>
void columns(const char* in, char* out, std::int64_t n, std::int64_t width, std::int64_t stride) {
  alignas(64) T stack[6][kReduceTile];
  static_assert(kReduceColumnBlock <= kLeaf << 6);
  const T* x = reinterpret_cast<const T*>(in);
  T* o = reinterpret_cast<T*>(out);
  int top = 0;
  const auto join = [&](T* into) {
    const T* below = stack[--top];
    WEFT_INDEPENDENT
    for (std::int64_t j = 0; j < width; ++j) into[j] = F::apply(below[j], into[j]);
  };
  for (std::int64_t leaf = 0;; ++leaf) {
    const std::int64_t left = n - leaf * kLeaf;
    const bool last = left <= kLeaf;
    T* into = last ? o : stack[top];
    leaf_columns<F>(x + leaf * kLeaf * stride, into, last ? left : kLeaf, width, stride);
    if (last) break;
    for (std::int64_t k = leaf; k & 1; k >>= 1) {
      // Joins in place below the top: stack[top - 1] = stack[top - 1] op stack[top].
      T* above = stack[top];
      T* below = stack[--top];
      WEFT_INDEPENDENT
      for (std::int64_t j = 0; j < width; ++j) below[j] = F::apply(below[j], above[j]);
    }
    ++top;
  }
  while (top > 0) join(o);
  WEFT_INDEPENDENT
  for (std::int64_t j = 0; j < width; ++j) o[j] = from_identity<F>(o[j]);
}

template <class F, class T>
constexpr ReduceKernel make(T identity) {
  ReduceKernel k = {rows<F, T>, columns<F, T>, sizeof(T), {}};
  struct Bytes {
    char b[sizeof(T)];
  };
  const Bytes bytes = __builtin_bit_cast(Bytes, identity);
  for (unsigned i = 0; i < sizeof(T); ++i) k.identity[i] = bytes.b[i];
  return k;
}
template <class F, class T>
inline constexpr ReduceKernel kReduce = make<F, T>(F::template identity<T>());
// bool is one byte, 0 or 1: largest and smallest are or and and.
inline constexpr ReduceKernel kAll = make<Min, std::uint8_t>(1);

template <class T>
const ReduceKernel* real(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum: return &kReduce<Sum, T>;
    case ReduceOp::kProd: return &kReduce<Prod, T>;
    case ReduceOp::kMax: return &kReduce<Max, T>;
    case ReduceOp::kMin: return &kReduce<Min, T>;
    default: return nullptr;
  }
}
template <class T>
const ReduceKernel* integer(ReduceOp op) {
  using U = Unsigned<T>;  // where the sign makes no difference to the bits; sums and products wrap
  switch (op) {
    case ReduceOp::kSum: return &kReduce<Sum, U>;
    case ReduceOp::kProd: return &kReduce<Prod, U>;
    case ReduceOp::kMax: return &kReduce<Max, T>;
    case ReduceOp::kMin: return &kReduce<Min, T>;
    case ReduceOp::kAnd: return &kReduce<And, U>;
    case ReduceOp::kOr: return &kReduce<Or, U>;
    case ReduceOp::kXor: return &kReduce<Xor, U>;
  }
  return nullptr;
}

// ---- positions ----

// Of numbers: what a NaN is compared with stays.
template <bool kMax, class V>
WEFT_INLINE auto farther(V a, V b) {
  return kMax ? a > b : a < b;
}
template <class T, bool kMax>
WEFT_INLINE bool beats(T b, T a) {
  return farther<kMax>(b, a) || (b != b && a == a);
}

template <class T>
struct Place {
  T value;
  std::int64_t at;
  T sum;  // of floats, of all that was looked at: NaN if one of them is, or if they are infinite
};

// Each lane of four registers keeps its first best and the number of the register that it came from. Those numbers have
// the width of T, which limits how many elements there may be.
template <class T>
struct PlaceSearch {
  using Number = std::make_signed_t<Unsigned<T>>;
  static constexpr int kRegisters = 4, kLanes = kRegisterBytes / static_cast<int>(sizeof(T));
  static constexpr std::int64_t kNumbers = sizeof(T) == 1 ? 128 : 4096;
  static_assert(kNumbers - 1 <= static_cast<std::int64_t>(highest<Number>()));
  static constexpr std::int64_t kStep = kRegisters * kLanes, kMost = kNumbers * kLanes;
};

// The first of the largest (smallest) of n numbers, 1 <= n <= kMost, in one pass, because what is read comes from
// memory. Of numbers with a NaN among them nothing but the sum holds.
template <bool kMax, class T>
Place<T> farthest(const T* x, std::int64_t n) {
  using S = PlaceSearch<T>;
  using Number = typename S::Number;
  constexpr bool kFloat = std::is_floating_point_v<T>;
  Place<T> best{x[0], 0, T(0)};
  std::int64_t i = 0;
  if (n >= S::kStep) {
    Vector<T> most[S::kRegisters], sum[S::kRegisters];
    Vector<Number> number{}, at[S::kRegisters];
#pragma GCC unroll 4
    for (int k = 0; k < S::kRegisters; ++k) {
      most[k] = sum[k] = load<Vector<T>>(x + k * S::kLanes);
      at[k] = number + static_cast<Number>(k);
    }
    for (i = S::kStep; i + S::kStep <= n; i += S::kStep) {
      number += S::kRegisters;
#pragma GCC unroll 4
      for (int k = 0; k < S::kRegisters; ++k) {
        const Vector<T> v = load<Vector<T>>(x + i + k * S::kLanes);
        const auto take = farther<kMax>(v, most[k]);
        most[k] = take ? v : most[k];
        at[k] = take ? number + static_cast<Number>(k) : at[k];
        if constexpr (kFloat) sum[k] += v;
      }
    }
#pragma GCC unroll 4
    for (int k = 1; k < S::kRegisters; ++k) {
      const auto take = farther<kMax>(most[k], most[0]) | ((most[k] == most[0]) & (at[k] < at[0]));
      most[0] = take ? most[k] : most[0];
      at[0] = take ? at[k] : at[0];
      if constexpr (kFloat) sum[0] += sum[k];
    }
    T values[S::kLanes];
    Number numbers[S::kLanes];
    store(values, most[0]);
    store(numbers, at[0]);
    for (int j = 0; j < S::kLanes; ++j) {
      const std::int64_t here = std::int64_t{numbers[j]} * S::kLanes + j;
      if (farther<kMax>(values[j], best.value) || (values[j] == best.value && here < best.at))
        best.value = values[j], best.at = here;
    }
    if constexpr (kFloat) best.sum = join_lanes<Sum, T, kRegisterBytes>(sum[0]);
  }
  for (; i < n; ++i) {
    if (farther<kMax>(x[i], best.value)) best.value = x[i], best.at = i;
    if constexpr (kFloat) best.sum += x[i];
  }
  return best;
}

template <class T, bool kMax>
std::int64_t arg_row(const char* in, std::int64_t n) {
  const T* x = reinterpret_cast<const T*>(in);
  std::int64_t at = 0;
  constexpr std::int64_t kMost = PlaceSearch<T>::kMost;
  for (std::int64_t begin = 0; begin < n; begin += kMost) {
    const std::int64_t m = n - begin < kMost ? n - begin : kMost;
    const Place<T> best = farthest<kMax>(x + begin, m);
    if (best.sum != best.sum)
      for (std::int64_t i = begin; i < begin + m; ++i)
        if (x[i] != x[i]) return i;
    if (farther<kMax>(best.value, x[at])) at = begin + best.at;
  }
  return at;
}

template <class T, bool kMax>
void arg_columns(const char* in, std::int64_t* out, std::int64_t n, std::int64_t width, std::int64_t stride) {
  using Index = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
  alignas(64) T best[kReduceTile];
  alignas(64) Index at[kReduceTile];
  const T* x = reinterpret_cast<const T*>(in);
  for (std::int64_t j = 0; j < width; ++j) best[j] = x[j], at[j] = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const T* row = x + i * stride;
    const Index here = static_cast<Index>(i);
    WEFT_INDEPENDENT
    for (std::int64_t j = 0; j < width; ++j) {
      const T v = row[j], b = best[j];
      const bool take = beats<T, kMax>(v, b);
      best[j] = take ? v : b;
      at[j] = take ? here : at[j];
    }
  }
  for (std::int64_t j = 0; j < width; ++j) out[j] = at[j];
}

template <class T, bool kMax>
bool arg_better(const char* in, std::int64_t b, std::int64_t a) {
  const T* x = reinterpret_cast<const T*>(in);
  return beats<T, kMax>(x[b], x[a]);
}

template <class T, bool kMax>
inline constexpr ArgReduceKernel kArg = {arg_row<T, kMax>, arg_columns<T, kMax>, arg_better<T, kMax>, sizeof(T)};

}  // namespace

const ReduceKernel* reduce(ReduceOp op, DType t) {
  if (t == DType::kBool) {
    if (op == ReduceOp::kOr || op == ReduceOp::kMax) return &kReduce<Max, std::uint8_t>;
    if (op == ReduceOp::kAnd || op == ReduceOp::kMin) return &kAll;
    return op == ReduceOp::kXor ? &kReduce<Xor, std::uint8_t> : nullptr;
  }
  if (const ReduceKernel* k = for_integer(t, [op]<class T>(TypeTag<T>) { return integer<T>(op); })) return k;
  return for_wide_float(t, [op]<class T>(TypeTag<T>) { return real<T>(op); });
}

const ArgReduceKernel* arg_reduce(bool max, DType t) {
  const auto find = [max]<class T>(TypeTag<T>) { return max ? &kArg<T, true> : &kArg<T, false>; };
  if (t == DType::kBool) return find(TypeTag<std::uint8_t>{});
  const ArgReduceKernel* k = for_integer(t, find);
  return k ? k : for_wide_float(t, find);
}

}  // namespace weft::cpu::WEFT_ISA

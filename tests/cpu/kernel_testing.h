// What the kernel tests share: data with awkward values, and running a kernel on every instruction set and on one and
// two threads, whose results must agree bit for bit.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "weft/base/dims.h"
#include "weft/base/float16.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

inline std::vector<Isa> available_isas() {
  std::vector<Isa> r;
  for (const Isa i : {Isa::kBaseline, Isa::kV3, Isa::kV4})
    if (isa_available(i)) r.push_back(i);
  return r;
}

/// Dense elements of one dtype as bytes.
struct Buffer {
  DType dtype = f32;
  std::vector<unsigned char> bytes;

  Buffer() = default;
  Buffer(DType t, std::int64_t n) : dtype(t), bytes(static_cast<std::size_t>(n * byte_size(t)), 0x5a) {}
  void* data() { return bytes.data(); }
  const void* data() const { return bytes.data(); }
  std::int64_t size() const { return static_cast<std::int64_t>(bytes.size()) / byte_size(dtype); }
  template <class T>
  T at(std::int64_t i) const {
    T v;
    std::memcpy(&v, bytes.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
    return v;
  }
  template <class T>
  void set(std::int64_t i, T v) {
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(T), &v, sizeof(T));
  }
};

/// Values of every kind: small and large, zeros of both signs, the ends of the range, and NaN and infinities if
/// `special`.
inline Buffer random_buffer(DType t, std::int64_t n, unsigned seed, bool special = true) {
  Buffer b(t, n);
  std::mt19937_64 rng(seed);
  visit_dtype(t, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint64_t r = rng();
      const double u = static_cast<double>(rng() >> 11) * 0x1p-52 - 1.0;
      if constexpr (std::is_same_v<T, bool>) {
        b.set<T>(i, r & 1);
      } else if constexpr (std::is_integral_v<T>) {
        const T ends[] = {T(0), T(1), static_cast<T>(-1), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
        b.set<T>(i, r % 8 < 5 && special ? ends[r % 8]
                    : r % 8 < 7          ? static_cast<T>(rng() % 201) - static_cast<T>(100)
                                         : static_cast<T>(rng()));
      } else if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
        using L = std::numeric_limits<T>;
        const T odd[] = {T(0.0f),        T(-0.0f),      T(1.0f),
                         T(-1.0f),       T(0.5f),       T(-2.5f),
                         T(float(1e-4)), L::infinity(), T(-float(L::infinity())),
                         L::quiet_NaN(), L::max(),      L::lowest()};
        if (special && r % 16 < 12 && r / 16 % 3 == 0)
          b.set<T>(i, odd[r % 16]);
        else
          b.set<T>(i, T(static_cast<float>(u * (r / 64 % 4 == 0 ? 1000.0 : 4.0))));
      } else {
        using R = typename T::value_type;
        b.set<T>(i, T(static_cast<R>(u), static_cast<R>(static_cast<double>(r % 1000) * 0.001)));
      }
    }
  });
  return b;
}

/// Puts the thread count and the instruction set back at the end of a test.
class KernelTest : public ::testing::Test {
 protected:
  void TearDown() override {
    set_num_threads(threads_);
    force_isa(isa_);
  }
  int threads_ = num_threads();
  Isa isa_ = active_isa();
};

/// Runs `make()`, which returns a Buffer, on every instruction set and on one and two threads; all results must be
/// the same bytes. Returns the result.
template <class F>
Buffer same_everywhere(F&& make, const char* what, bool same_on_every_isa = true) {
  Buffer first;
  bool have = false;
  for (const Isa isa : available_isas()) {
    force_isa(isa);
    if (!same_on_every_isa) have = false;
    for (const int threads : {1, 2}) {
      set_num_threads(threads);
      Buffer r = make();
      if (!have)
        first = std::move(r);
      else
        EXPECT_TRUE(first.bytes == r.bytes) << what << " on " << threads << " threads, set " << static_cast<int>(isa);
      have = true;
    }
  }
  return first;
}

/// Equal, or both NaN.
template <class T>
::testing::AssertionResult same_value(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a && b != b) return ::testing::AssertionSuccess();
    if (a == b && std::signbit(a) == std::signbit(b)) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << a << " is not " << b;
  } else if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    return same_value<float>(a, b);
  } else {
    if (a == b) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << +a << " is not " << +b;
  }
}

}  // namespace weft::cpu

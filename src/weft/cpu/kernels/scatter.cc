// Updates are taken in order, run by run. Threads share them out by where they go: each goes over all of them and does
// those of its own part of the result, so the order of those that meet stays.
#include "weft/cpu/kernels/scatter.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <optional>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/scratch.h"

namespace weft::cpu {
namespace {

// Bytes copied, and updates (each counts as some bytes besides), that are worth another thread.
constexpr std::int64_t kRangeBytes = 1 << 20, kThreadUpdates = 64 << 10;
// Index vectors that are read at a time.
constexpr std::int64_t kVectors = 256;
// Shorter runs do not pay for a call of an elementwise loop.
constexpr std::int64_t kLongRun = 16;

// What an update does to the value it meets. bool adds by or and multiplies by and; integers wrap.
template <ScatterKind kKind, class T>
T combine(T a, T b) {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    if constexpr (kKind == ScatterKind::kSet) return b;
    return T(combine<kKind, float>(a, b));
  } else if constexpr (kKind == ScatterKind::kSet) {
    return b;
  } else if constexpr (std::is_same_v<T, bool>) {
    return kKind == ScatterKind::kAdd || kKind == ScatterKind::kMax ? a || b : a && b;
  } else if constexpr (kKind == ScatterKind::kAdd || kKind == ScatterKind::kMul) {
    using U = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
    const U x = static_cast<U>(a), y = static_cast<U>(b);
    return static_cast<T>(kKind == ScatterKind::kAdd ? x + y : x * y);
  } else {
    const auto less = [](T p, T q) {
      if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
        return p.real() < q.real() || (p.real() == q.real() && p.imag() < q.imag());
      else
        return p < q;
    };
    if (a != a || b != b) return a != a ? a : b;
    return (kKind == ScatterKind::kMin ? less(b, a) : less(a, b)) ? b : a;
  }
}

// The vector loop that does the same to a run; null when there is none.
const ElementwiseKernel* run_kernel(ScatterKind kind, DType t) {
  if (t == boolean || is_complex(t)) return nullptr;
  if (kind == ScatterKind::kAdd) return find_binary(OpCode::kAdd, t);
  return kind == ScatterKind::kMul ? find_binary(OpCode::kMultiply, t) : nullptr;
}

template <ScatterKind kKind, class T>
class Scatter {
 public:
  Scatter(const IndexWindows& windows, DType t, const void* indices, const T* updates, T* y)
      : w_(windows), kernel_(run_kernel(kKind, t)), indices_(indices), updates_(updates), y_(y) {
    if (w_.in_order()) return;
    starts_.emplace(w_.vectors() * 8);
    auto* const starts = reinterpret_cast<std::int64_t*>(starts_->data());
    parallel_for(w_.vectors(), kThreadUpdates,
                 [&](std::int64_t begin, std::int64_t end) { w_.starts(indices_, begin, end, starts + begin); });
  }

  // The updates of elements [low, high).
  void run(std::int64_t low, std::int64_t high) const {
    const std::int64_t n = w_.run();
    if (starts_) {
      const auto* const starts = reinterpret_cast<const std::int64_t*>(starts_->data());
      const std::int64_t step = w_.axes().back().vector_step;
      w_.each_run(0, w_.runs(), [&](std::int64_t r, std::int64_t vector, std::int64_t offset) {
        if (w_.runs_in_window())
          window(starts[vector], offset, updates_ + r * n, low, high);
        else
          elements(starts + vector, step, n, offset, updates_ + r * n, low, high);
      });
      return;
    }
    std::int64_t starts[kVectors];
    for (std::int64_t v = 0; v < w_.vectors(); v += kVectors) {
      const std::int64_t m = std::min(kVectors, w_.vectors() - v);
      w_.starts(indices_, v, v + m, starts);
      if (!w_.runs_in_window())
        elements(starts, 1, m, 0, updates_ + v, low, high);
      else
        for (std::int64_t k = 0; k < m; ++k) window(starts[k], 0, updates_ + (v + k) * n, low, high);
    }
  }

 private:
  void window(std::int64_t start, std::int64_t offset, const T* u, std::int64_t low, std::int64_t high) const {
    if (start < 0) return;
    const std::int64_t step = w_.axes().back().window_step, first = start + offset;
    if (step != 1) {
      for (std::int64_t k = 0; k < w_.run(); ++k)
        if (const std::int64_t j = first + k * step; j >= low && j < high) y_[j] = combine<kKind>(y_[j], u[k]);
      return;
    }
    const std::int64_t begin = std::max(first, low), n = std::min(first + w_.run(), high) - begin;
    if (n <= 0) return;
    u += begin - first;
    T* const y = y_ + begin;
    if constexpr (kKind == ScatterKind::kSet) {
      std::copy_n(u, n, y);
    } else if (kernel_ && n >= kLongRun) {
      const char* const operands[2] = {reinterpret_cast<const char*>(y), reinterpret_cast<const char*>(u)};
      kernel_->loop(operands, 0, reinterpret_cast<char*>(y), n);
    } else {
      for (std::int64_t k = 0; k < n; ++k) y[k] = combine<kKind>(y[k], u[k]);
    }
  }
  void elements(const std::int64_t* starts, std::int64_t step, std::int64_t n, std::int64_t offset, const T* u,
                std::int64_t low, std::int64_t high) const {
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t start = starts[k * step], j = start + offset;
      if (start >= 0 && j >= low && j < high) y_[j] = combine<kKind>(y_[j], u[k]);
    }
  }

  const IndexWindows& w_;
  const ElementwiseKernel* kernel_;
  const void* indices_;
  const T* updates_;
  T* y_;
  std::optional<Scratch> starts_;  // of all vectors, unless they come in order
};

template <ScatterKind kKind, class T>
void scatter_as(const IndexWindows& w, DType t, std::int64_t size, const void* indices, const T* updates, T* y) {
  const Scatter<kKind, T> scatter(w, t, indices, updates, y);
  const std::int64_t work = w.runs() * w.run(), visits = w.runs_in_window() ? w.runs() : work;
  // Every thread visits everything, so there must be more to do than that: a run, or memory that is far away.
  const std::int64_t threads = std::min<std::int64_t>(num_threads(), (work + visits) / kThreadUpdates);
  if (threads <= 1 || size < threads) return scatter.run(0, size);
  parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t end) {
    scatter.run(size / threads * begin + std::min(begin, size % threads),
                size / threads * end + std::min(end, size % threads));
  });
}

}  // namespace

bool can_scatter(DType t) { return !is_storage(t); }

void scatter(const IndexWindows& windows, ScatterKind kind, DType t, std::int64_t size, const void* in,
             const void* indices, const void* updates, void* out) {
  internal_check(can_scatter(t), "scatter: no kernel for this type");
  const std::int64_t bytes = size * byte_size(t);
  if (in != out)
    parallel_for(bytes, kRangeBytes, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(static_cast<char*>(out) + begin, static_cast<const char*>(in) + begin,
                  static_cast<std::size_t>(end - begin));
    });
  if (windows.runs() * windows.run() == 0) return;
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    const T* u = static_cast<const T*>(updates);
    T* y = static_cast<T*>(out);
    switch (kind) {
      case ScatterKind::kSet: return scatter_as<ScatterKind::kSet>(windows, t, size, indices, u, y);
      case ScatterKind::kAdd: return scatter_as<ScatterKind::kAdd>(windows, t, size, indices, u, y);
      case ScatterKind::kMul: return scatter_as<ScatterKind::kMul>(windows, t, size, indices, u, y);
      case ScatterKind::kMin: return scatter_as<ScatterKind::kMin>(windows, t, size, indices, u, y);
      case ScatterKind::kMax: return scatter_as<ScatterKind::kMax>(windows, t, size, indices, u, y);
    }
  });
}

}  // namespace weft::cpu

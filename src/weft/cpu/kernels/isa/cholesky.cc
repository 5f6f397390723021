// The Cholesky factor of one matrix: a panel of a few columns is factored, then what lies to its right is updated by
// the whole panel at once (right-looking; Golub and Van Loan, "Matrix Computations", 4th edition, section 4.2.5).
#include <limits>

#include "weft/cpu/kernels/isa/tables.h"
#include "weft/cpu/kernels/isa/vector.h"

namespace weft::cpu::WEFT_ISA {
namespace {

constexpr int kPanel = 8;

template <class T>
constexpr std::int64_t kLanes = 64 / sizeof(T);
template <class T>
std::int64_t padded(std::int64_t n) {
  return (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// Works on the lower triangle alone, in rows of padded(n); what lies right of the diagonal holds anything.
template <class T>
class Factor {
 public:
  Factor(T* matrix, T* panel, std::int64_t n) : a_(matrix), panel_(panel), n_(n), row_(padded<T>(n)) {}

  // False when the matrix is not positive definite.
  bool run() {
    for (std::int64_t k = 0; k < n_; k += kPanel) {
      const int width = n_ - k < kPanel ? static_cast<int>(n_ - k) : kPanel;
      if (!factor_panel(k, width)) return false;
      // After a narrower panel nothing is left. Updates go over whole vectors, and with them over columns of the panel,
      // which are written back after them.
      for (std::int64_t i = k + kPanel; i < n_; ++i) {
        update_row(k, i);
        for (int q = 0; q < kPanel; ++q) a_[i * row_ + k + q] = panel_[q * row_ + i];
      }
    }
    return true;
  }

 private:
  // Columns [k, k + width), held as rows of panel_ meanwhile: panel_[q][i] is element (i, k + q). All runs by whole
  // vectors, so what lies above the diagonal holds anything; nothing reads it.
  bool factor_panel(std::int64_t k, int width) {
    const std::int64_t begin = k / kLanes<T> * kLanes<T>;
    for (std::int64_t i = k; i < n_; ++i)
      for (int q = 0; q < width; ++q) panel_[q * row_ + i] = a_[i * row_ + k + q];
    for (int q = 0; q < width; ++q) {
      T* column = panel_ + q * row_;
      const std::int64_t d = k + q;
      if (!(column[d] > T(0))) return false;
      const T pivot = square_root(column[d]);
      for (std::int64_t i = begin; i < n_; i += kLanes<T>) divide(column + i, pivot);
      column[d] = pivot;
      for (int r = q + 1; r < width; ++r) {
        T* other = panel_ + r * row_;
        const T s = column[k + r];
        for (std::int64_t i = begin; i < n_; i += kLanes<T>) subtract(other + i, column + i, s);
      }
    }
    for (std::int64_t i = k; i < k + width; ++i)
      for (int q = 0; k + q <= i; ++q) a_[i * row_ + k + q] = panel_[q * row_ + i];
    return true;
  }

  // One vector: x /= d, and x -= y s.
  static void divide(T* x, T d) {
    Group<T> g = load_group(x);
#pragma GCC unroll 4
    for (int p = 0; p < Group<T>::kParts; ++p) g.part[p] /= d;
    store_group(x, g);
  }
  static void subtract(T* x, const T* y, T s) {
    Group<T> g = load_group(x);
    const Group<T> other = load_group(y);
#pragma GCC unroll 4
    for (int p = 0; p < Group<T>::kParts; ++p) g.part[p] -= other.part[p] * s;
    store_group(x, g);
  }

  // a[i][j] -= sum of panel[q][i] panel[q][j], product by product, for k + kPanel <= j <= i.
  void update_row(std::int64_t k, std::int64_t i) {
    T factors[kPanel];
    for (int q = 0; q < kPanel; ++q) factors[q] = panel_[q * row_ + i];
    T* row = a_ + i * row_;
    for (std::int64_t j = (k + kPanel) / kLanes<T> * kLanes<T>; j <= i; j += kLanes<T>) {
      Group<T> sum = load_group(row + j);
#pragma GCC unroll 8
      for (int q = 0; q < kPanel; ++q) {
        const Group<T> other = load_group(panel_ + q * row_ + j);
#pragma GCC unroll 4
        for (int p = 0; p < Group<T>::kParts; ++p) sum.part[p] -= other.part[p] * factors[q];
      }
      store_group(row + j, sum);
    }
  }

  T* a_;
  T* panel_;
  std::int64_t n_, row_;
};

template <class T>
std::int64_t workspace_bytes(std::int64_t n) {
  return (n + kPanel) * padded<T>(n) * static_cast<std::int64_t>(sizeof(T));
}

template <class T>
void factor(const char* in, char* out, std::int64_t n, bool lower, char* workspace) {
  const std::int64_t row = padded<T>(n);
  const T* x = reinterpret_cast<const T*>(in);
  T* y = reinterpret_cast<T*>(out);
  T* a = reinterpret_cast<T*>(workspace);
  T* panel = a + n * row;
  const auto bytes = [](std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(T); };
  for (std::int64_t i = 0; i < n; ++i) {
    if (lower)
      __builtin_memcpy(a + i * row, x + i * n, bytes(i + 1));
    else
      for (std::int64_t j = 0; j <= i; ++j) a[i * row + j] = x[j * n + i];
    __builtin_memset(a + i * row + i + 1, 0, bytes(row - i - 1));
  }
  __builtin_memset(panel, 0, bytes(kPanel * row));
  if (!Factor<T>(a, panel, n).run())
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j <= i; ++j) a[i * row + j] = std::numeric_limits<T>::quiet_NaN();
  for (std::int64_t i = 0; i < n; ++i) {
    if (lower) {
      __builtin_memcpy(y + i * n, a + i * row, bytes(i + 1));
      __builtin_memset(y + i * n + i + 1, 0, bytes(n - i - 1));
    } else {
      __builtin_memset(y + i * n, 0, bytes(i));
      for (std::int64_t j = i; j < n; ++j) y[i * n + j] = a[j * row + i];
    }
  }
}

template <class T>
inline constexpr CholeskyKernel kCholesky = {factor<T>, workspace_bytes<T>};

}  // namespace

const CholeskyKernel* cholesky(DType t) {
  return t == DType::kF32 ? &kCholesky<float> : t == DType::kF64 ? &kCholesky<double> : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA

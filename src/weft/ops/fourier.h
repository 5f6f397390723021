// The discrete Fourier transform of one line: of any length, in double precision and O(n log n), and of real lines of
// small prime length as others compute it. Knows nothing of arrays. Private to ops/.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <vector>

namespace weft::ops {

/// What transforms of one length share. Not to be used by two threads at once: it holds scratch space.
class FourierPlan {
 public:
  /// n >= 1.
  explicit FourierPlan(std::int64_t n);
  /// x[k] <- sum_j x[j] e^(-2 pi i j k / n), in place.
  void transform(std::complex<double>* x);
  /// x[k] <- sum_j x[j] e^(+2 pi i j k / n) / n, in place.
  void inverse(std::complex<double>* x);

 private:
  using Complex = std::complex<double>;
  void mixed_radix(const Complex* in, std::int64_t step, Complex* out, std::int64_t n, std::size_t level);
  void chirp_z(Complex* x);

  std::int64_t n_;
  std::vector<std::int64_t> factors_;  // of n, when all are small
  std::vector<Complex> roots_;         // e^(-2 pi i k / n); e^(-pi i k^2 / n) for a chirp
  std::vector<Complex> scratch_;
  std::vector<Complex> spectrum_;        // of the chirp that lines are convolved with
  std::unique_ptr<FourierPlan> longer_;  // the power of two in which they are
};

/// The transform of a real line whose length is a prime from 7 to 47, in T's own precision: half the spectrum from sums
/// and differences of mirrored elements. Operations and their order are FFTPACK's, which NumPy, SciPy and JAX use
/// for these lengths, so results are theirs to the last bit, also where terms cancel.
template <class T>
class PrimeFourierPlan {
 public:
  static bool takes(std::int64_t n);
  explicit PrimeFourierPlan(std::int64_t n);
  /// y[k] = sum_j x[j] e^(-2 pi i j k / n) for k <= n / 2.
  void transform(const T* x, std::complex<T>* y);

 private:
  std::vector<std::complex<T>> roots_;  // e^(2 pi i k / n)
  std::vector<T> sums_, differences_;
};

}  // namespace weft::ops

// The discrete Fourier transform of one line of any length, in double precision and O(n log n). Knows nothing of
// arrays. Private to ops/.
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

}  // namespace weft::ops

// Mixed radix (J. W. Cooley, J. W. Tukey, 1965) where all prime factors are small, else the transform as a
// convolution with a chirp (L. I. Bluestein, 1970).
#include "weft/ops/fourier.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft::ops {

namespace {

using Complex = std::complex<double>;

// A factor p costs n p operations; beyond this a chirp is cheaper.
constexpr std::int64_t kLargestRadix = 31;

// std::complex's operator also repairs infinities, which costs more than all the rest.
Complex times(Complex x, Complex y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

// e^(-2 pi i k / n) for 0 <= k < n, to the last bit or so: sine and cosine of an eighth of the circle, turned and
// mirrored exactly.
Complex root(std::int64_t k, std::int64_t n) {
  const std::int64_t quarter = 4 * k / n, rest = 4 * k - quarter * n;
  const bool mirrored = 2 * rest > n;
  const double angle =
      std::numbers::pi / 2 * (static_cast<double>(mirrored ? n - rest : rest) / static_cast<double>(n));
  double c = std::cos(angle), s = std::sin(angle);
  if (mirrored) std::swap(c, s);
  switch (quarter) {
    case 0: return {c, -s};
    case 1: return {-s, -c};
    case 2: return {-c, s};
    default: return {s, c};
  }
}

}  // namespace

FourierPlan::FourierPlan(std::int64_t n) : n_(n) {
  std::int64_t rest = n;
  const auto take = [&](std::int64_t p) {
    while (rest % p == 0) {
      factors_.push_back(p);
      rest /= p;
    }
  };
  take(4);
  for (std::int64_t p = 2; p <= kLargestRadix; ++p) take(p);
  const auto size = static_cast<std::size_t>(n);
  roots_.reserve(size);
  if (rest == 1) {
    for (std::int64_t k = 0; k < n; ++k) roots_.push_back(root(k, n));
    scratch_.resize(size);
    return;
  }
  // jk = (j^2 + k^2 - (k - j)^2) / 2. Squares modulo 2 n, by adding odd numbers, keep angles small.
  std::int64_t square = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    roots_.push_back(root(square, 2 * n));
    square = (square + 2 * k + 1) % (2 * n);
  }
  std::int64_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  longer_ = std::make_unique<FourierPlan>(m);
  scratch_.resize(static_cast<std::size_t>(m));
  spectrum_.resize(static_cast<std::size_t>(m));
  spectrum_[0] = 1;
  for (std::size_t k = 1; k < size; ++k)
    spectrum_[k] = spectrum_[static_cast<std::size_t>(m) - k] = std::conj(roots_[k]);
  longer_->transform(spectrum_.data());
}

// out[k + q m] = sum_r w^(r k) w^(r q m) out_r[k], where out_r is the transform of every p-th element from r, m = n / p
// long, and w = e^(-2 pi i / n).
void FourierPlan::mixed_radix(const Complex* in, std::int64_t step, Complex* out, std::int64_t n, std::size_t level) {
  if (n == 1) {
    *out = *in;
    return;
  }
  const std::int64_t p = factors_[level], m = n / p, turn = n_ / n;
  for (std::int64_t r = 0; r < p; ++r) mixed_radix(in + r * step, step * p, out + r * m, m, level + 1);
  Complex t[kLargestRadix];
  for (std::int64_t k = 0; k < m; ++k) {
    t[0] = out[k];
    for (std::int64_t r = 1; r < p; ++r) t[r] = times(out[r * m + k], roots_[static_cast<std::size_t>(r * k * turn)]);
    if (p == 2) {
      out[k] = t[0] + t[1];
      out[k + m] = t[0] - t[1];
    } else if (p == 4) {
      const Complex a = t[0] + t[2], b = t[0] - t[2], c = t[1] + t[3], d = t[1] - t[3];
      const Complex turned(d.imag(), -d.real());  // -i d
      out[k] = a + c;
      out[k + m] = b + turned;
      out[k + 2 * m] = a - c;
      out[k + 3 * m] = b - turned;
    } else {
      for (std::int64_t q = 0; q < p; ++q) {
        Complex sum = t[0];
        for (std::int64_t r = 1; r < p; ++r) sum += times(t[r], roots_[static_cast<std::size_t>(r * q % p * (n_ / p))]);
        out[k + q * m] = sum;
      }
    }
  }
}

void FourierPlan::chirp_z(Complex* x) {
  const auto n = static_cast<std::size_t>(n_);
  std::fill(scratch_.begin(), scratch_.end(), Complex());
  for (std::size_t k = 0; k < n; ++k) scratch_[k] = times(x[k], roots_[k]);
  longer_->transform(scratch_.data());
  for (std::size_t k = 0; k < scratch_.size(); ++k) scratch_[k] = times(scratch_[k], spectrum_[k]);
  longer_->inverse(scratch_.data());
  for (std::size_t k = 0; k < n; ++k) x[k] = times(scratch_[k], roots_[k]);
}

void FourierPlan::transform(Complex* x) {
  if (longer_) return chirp_z(x);
  std::copy(x, x + n_, scratch_.begin());
  mixed_radix(scratch_.data(), 1, x, n_, 0);
}

void FourierPlan::inverse(Complex* x) {
  for (std::int64_t k = 0; k < n_; ++k) x[k] = std::conj(x[k]);
  transform(x);
  const auto n = static_cast<double>(n_);
  for (std::int64_t k = 0; k < n_; ++k) x[k] = {x[k].real() / n, -x[k].imag() / n};
}

}  // namespace weft::ops

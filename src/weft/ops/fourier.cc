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

// ---- real lines of prime length ----

namespace {

// e^(2 pi i k / n) for 0 <= k <= n / 2, by the eighth of the circle in which it lies.
Complex half_turn_root(std::int64_t k, std::int64_t n) {
  const auto eighth = static_cast<double>(std::numbers::pi_v<long double> / 4 / static_cast<long double>(n));
  const auto at = [&](std::int64_t eighths) { return static_cast<double>(eighths) * eighth; };
  const std::int64_t x = 8 * k;
  if (x < n) return {std::cos(at(x)), std::sin(at(x))};
  if (x < 2 * n) return {std::sin(at(2 * n - x)), std::cos(at(2 * n - x))};
  if (x < 3 * n) return {-std::sin(at(x - 2 * n)), std::cos(at(x - 2 * n))};
  return {-std::cos(at(4 * n - x)), std::sin(at(4 * n - x))};
}

}  // namespace

template <class T>
bool PrimeFourierPlan<T>::takes(std::int64_t n) {
  if (n < 7 || n > 47) return false;
  for (std::int64_t p = 2; p * p <= n; ++p)
    if (n % p == 0) return false;
  return true;
}

// Roots are products of two from tables of about sqrt(n) entries: one step of rounding that others make too.
template <class T>
PrimeFourierPlan<T>::PrimeFourierPlan(std::int64_t n)
    : sums_(static_cast<std::size_t>(n / 2 + 1)), differences_(static_cast<std::size_t>(n / 2 + 1)) {
  std::int64_t shift = 1;
  while ((std::int64_t{1} << 2 * shift) < (n + 2) / 2) ++shift;
  const auto table = [n](std::int64_t k) { return k == 0 ? Complex(1) : half_turn_root(k, n); };
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t m = std::min(k, n - k), low = m & ((std::int64_t{1} << shift) - 1);
    const Complex r = times(table(low), table(m - low));
    roots_.emplace_back(static_cast<T>(r.real()), static_cast<T>(m == k ? r.imag() : -r.imag()));
  }
}

template <class T>
void PrimeFourierPlan<T>::transform(const T* x, std::complex<T>* y) {
  const std::size_t n = roots_.size(), half = n / 2;
  T all = x[0];
  for (std::size_t j = 1; j <= half; ++j) {
    sums_[j] = x[j] + x[n - j];
    differences_[j] = x[n - j] - x[j];
    all += sums_[j];
  }
  y[0] = all;
  for (std::size_t k = 1; k <= half; ++k) {
    const auto re = [&](std::size_t j) { return roots_[j * k % n].real() * sums_[j]; };
    const auto im = [&](std::size_t j) { return roots_[j * k % n].imag() * differences_[j]; };
    T a = x[0] + re(1) + re(2), b = im(1) + im(2);
    // Terms come in groups of four, two and one, each summed before it is added.
    for (std::size_t j = 3; j <= half;) {
      const std::size_t rest = half + 1 - j, group = rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
      T c = re(j), d = im(j);
      for (std::size_t i = 1; i < group; ++i) {
        c += re(j + i);
        d += im(j + i);
      }
      a += c;
      b += d;
      j += group;
    }
    y[k] = {a, b};
  }
}

template class PrimeFourierPlan<float>;
template class PrimeFourierPlan<double>;

}  // namespace weft::ops

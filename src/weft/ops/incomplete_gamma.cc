// The regularized incomplete gamma functions P and Q, their derivative by the order, and the
// derivative of gamma samples. All of them are one function written as e^s times a sum, by four
// formulas: a series, a continued fraction, a form for small orders, and Temme's for large ones.
// Sums run in 32 digits, because exponents of a thousand turn relative errors into absolute ones.
#include <algorithm>

#include "weft/ops/double_double.h"
#include "weft/ops/special_functions.h"

namespace weft::ops {

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Sums end with terms of this share, a thousandth of a unit in the last place of double.
constexpr double kShare = 1e-19;

// e^scale * sum is P or, where `upper`, Q. With N = Dual, slopes are by the order a.
template <class N>
struct Part {
  N scale, sum;
  bool upper;
};

// log of x^a e^-x / Gamma(a + 1)
template <class N>
N log_weight(const N& a, double x) {
  return a * N(log(DD(x))) - DD(x) - log_gamma1(a);
}

// P: sum over n >= 0 of x^n / ((a+1)...(a+n)). DLMF 8.11.4.
template <class N>
Part<N> by_series(const N& a, double x) {
  N sum = 1, term = 1, r = a;
  do {
    r = r + 1;
    term = term * x / r;
    sum = sum + term;
  } while (matters(term, sum, kShare));
  return {log_weight(a, x), sum, false};
}

// Q: a / (x+1-a - 1(1-a) / (x+3-a - 2(2-a) / ...)). DLMF 8.9.2 contracted, by Lentz' method.
template <class N>
Part<N> by_fraction(const N& a, double x) {
  N b = N(x) + 1 - a, c = DD(1e300), d = N(1) / b, h = d;
  for (int i = 1; i < 100000; ++i) {
    const N numerator = (a - i) * i;
    b = b + 2;
    d = N(1) / (numerator * d + b);
    c = b + numerator / c;
    const N change = h * (c * d - 1);
    h = h + change;
    if (!matters(change, h, kShare)) break;
  }
  return {log_weight(a, x), a * h, true};
}

// Q for 0 < x < 1 and small a, where it is of the size of a:
// 1 - u - u a sum over n >= 1 of (-x)^n / (n! (a + n)) with u = x^a / Gamma(a + 1). DLMF 8.7.1.
double upper_of_small_order(double a, double x) {
  constexpr DD kEuler{0.5772156649015329, -4.942915152430645e-18}, kZeta2{0.8224670334241132, 1.520336175199238e-17},
      kZeta3{0.40068563438653143, -2.250747042487504e-18}, kZeta4{0.27058080842778454, 1.1871280107138412e-17};
  // Taylor's series keeps the digits of log Gamma(1 + a) for tiny a.
  const DD log_gamma =
      a < 1e-5 ? DD(a) * (DD(a) * (kZeta2 - DD(a) * (kZeta3 - DD(a) * kZeta4)) - kEuler) : log_gamma1(DD(a));
  const DD u = expm1(DD(a) * log(DD(x)) - log_gamma);
  DD sum = 0, power = 1;
  for (int n = 1; n < 40; ++n) {
    power = power * -x / n;
    sum = sum + power / (DD(a) + n);
  }
  return static_cast<double>(-u - (u + 1) * sum * a);
}

// Temme's uniform expansion for large a and x near it: with m = (x - a) / a and
// eta = sign(m) sqrt(2 (m - log(1 + m))),
//   Q = erfc(eta sqrt(a/2)) / 2 + R,  R = e^(-a eta^2 / 2) / sqrt(2 pi a) sum of C_k(eta) a^-k.
// N. M. Temme (1979); the coefficients follow from DLMF 8.12.10-12.
constexpr double kTemmeOrder = 1000, kTemmeWidth = 0.15;
constexpr int kTemmeTerms = 6, kTemmePowers = 12;
constexpr double kTemme[kTemmeTerms][kTemmePowers] = {
    {-0.3333333333333333, 0.08333333333333333, -0.014814814814814815, 0.0011574074074074073, 0.0003527336860670194,
     -0.0001787551440329218, 3.919263178522438e-05, -2.185448510679992e-06, -1.85406221071516e-06,
     8.296711340953087e-07, -1.7665952736826078e-07, 6.707853543401498e-09},
    {-0.001851851851851852, -0.003472222222222222, 0.0026455026455026454, -0.0009902263374485596,
     0.00020576131687242798, -4.018775720164609e-07, -1.8098550334489977e-05, 7.64916091608111e-06,
     -1.6120900894563446e-06, 4.647127802807434e-09, 1.378633446915721e-07, -5.752545603517705e-08},
    {0.004133597883597883, -0.0026813271604938273, 0.0007716049382716049, 2.0093878600823047e-06,
     -0.0001073665322636516, 5.2923448829120125e-05, -1.2760635188618728e-05, 3.423578734096138e-08,
     1.3721957309062934e-06, -6.298992138380055e-07, 1.4280614206064242e-07, -2.0477098421990866e-10},
    {0.0006494341563786008, 0.00022947209362139917, -0.0004691894943952557, 0.00026772063206283885,
     -7.561801671883977e-05, -2.396505113867297e-07, 1.1082654115347302e-05, -5.6749528269915965e-06,
     1.4230900732435883e-06, -2.7861080291528143e-11, -1.6958404091930278e-07, 8.099464905388083e-08},
    {-0.0008618882909167117, 0.0007840392217200666, -0.0002990724803031902, -1.4638452578843418e-06,
     6.641498215465122e-05, -3.968365047179435e-05, 1.1375726970678419e-05, 2.507497226237533e-10,
     -1.6954149536558305e-06, 8.907507532205309e-07, -2.292934834000805e-07, 2.956794137544049e-11},
    {-0.00033679855336635813, -6.972813758365857e-05, 0.0002772753244959392, -0.00019932570516188847,
     6.797780477937208e-05, 1.419062920643967e-07, -1.3594048189768693e-05, 8.018470256334202e-06,
     -2.291481176508095e-06, -3.252473551298454e-10, 3.4652846491085265e-07, -1.8447187191171344e-07},
};

bool temme_applies(double a, double x) { return a >= kTemmeOrder && std::abs(x - a) <= kTemmeWidth * a; }

template <class N>
struct Temme {
  N exponent;   // -a eta^2 / 2
  N z;          // eta sqrt(a/2), of which the square is -exponent
  N remainder;  // R e^(-exponent)
};

template <class N>
Temme<N> temme(const N& a, double x) {
  const N m = (N(x) - a) / a, exponent = a * log1p_minus(m), half = -log1p_minus(m);
  const double sign = value_of(m).hi < 0 ? -1 : 1;
  // eta = m sqrt(2 half / m^2), smooth through m = 0.
  const N eta = std::abs(value_of(m).hi) < 1e-12 ? m - m * m / 3 : sqrt(half * 2) * sign;
  N sum = 0;
  for (int k = kTemmeTerms - 1; k >= 0; --k) {
    N c = 0;
    for (int n = kTemmePowers - 1; n >= 0; --n) c = c * eta + kTemme[k][n];
    sum = sum / a + c;
  }
  return {exponent, eta * sqrt(a / 2), sum / sqrt(a * (kPiDD * 2))};
}

// e^(-exponent) dQ/da: with L = log(x/a) and z' = -L / (2 z), -z' / sqrt(pi) + L r + r'.
DD temme_slope(double a, double x) {
  const Temme<Dual> t = temme(Dual(a, DD(1)), x);
  const DD m = (DD(x) - a) / a, sqrt_pi = sqrt(kPiDD);
  const DD change = m.hi == 0 ? sqrt(DD(a) / 2) / a : log1p(m) / (t.z.value * 2);
  return change / sqrt_pi + t.exponent.slope * t.remainder.value + t.remainder.slope;
}

// Whether x^a e^-x / Gamma(a) underflows so far that no sum makes up for it. Far from Temme's region
// this is so for all large a, where the logarithm itself might overflow.
bool vanishes(double a, double x) { return !temme_applies(a, x) && (a > 1e15 || log_weight(DD(a), x).hi < -800); }

// e^s y without losing digits to subnormal factors.
double scaled(DD s, DD y) {
  constexpr int kShift = 300;
  if (s.hi > -400) return static_cast<double>(exp(s) * y);
  return std::ldexp(static_cast<double>(exp(s + kLn2DD * kShift) * y), -kShift);
}

struct Values {
  double lower, upper;
};

Values regularized(double a, double x) {
  if (a == 0) return {1, 0};
  if (x == 0 || a == kInf) return {0, 1};
  if (x == kInf) return {1, 0};
  DD value;
  bool upper;
  if (temme_applies(a, x)) {
    const Temme<DD> t = temme(DD(a), x);
    upper = t.z.hi >= 0;
    const double z = std::abs(t.z.hi), low = upper ? t.z.lo : -t.z.lo;
    // erfc(z + low); the square in e^(-z^2) is known to more digits than z.
    const double tail = std::erfc(z) / 2 - low / std::sqrt(kPiDD.hi) * std::exp(-z * z);
    value = DD(tail) + (upper ? DD(1) : DD(-1)) * scaled(t.exponent, t.remainder);
  } else if (x < 1 && a < 0.1) {
    const double q = upper_of_small_order(a, x);
    const Part<DD> p = by_series(DD(a), x);
    return {scaled(p.scale, p.sum), q};
  } else {
    upper = x >= 1 && x > a;
    if (vanishes(a, x)) return upper ? Values{1, 0} : Values{0, 1};
    const Part<DD> p = upper ? by_fraction(DD(a), x) : by_series(DD(a), x);
    value = scaled(p.scale, p.sum);
  }
  const double part = std::clamp(static_cast<double>(value), 0.0, 1.0);
  return upper ? Values{static_cast<double>(DD(1) - part), part} : Values{part, static_cast<double>(DD(1) - part)};
}

bool outside(double a, double x) { return !(a >= 0) || !(x >= 0) || (a == 0 && x == 0) || (a == kInf && x == kInf); }

// dP/da e^(-scale), for the scale of the formula that fits; of Temme's form the scale is `temme().exponent`.
DD slope_by_order(double a, double x) {
  if (temme_applies(a, x)) return -temme_slope(a, x);
  const bool upper = x >= 1 && x > a;
  const Dual order(a, DD(1));
  const Part<Dual> p = upper ? by_fraction(order, x) : by_series(order, x);
  const DD slope = p.scale.slope * p.sum.value + p.sum.slope;
  return upper ? -slope : slope;
}

}  // namespace

double igamma(double a, double x) { return outside(a, x) ? kNaN : regularized(a, x).lower; }
double igammac(double a, double x) { return outside(a, x) ? kNaN : regularized(a, x).upper; }

double igamma_grad_a(double a, double x) {
  if (outside(a, x)) return kNaN;
  if (x == 0 || x == kInf || a == kInf || vanishes(a, x)) return 0;
  const DD scale = temme_applies(a, x) ? temme(DD(a), x).exponent : log_weight(DD(a), x);
  return scaled(scale, slope_by_order(a, x));
}

double random_gamma_grad(double a, double x) {
  if (outside(a, x) || a == 0) return kNaN;
  if (x == 0) return 0;
  if (x == kInf || a == kInf) return kNaN;
  // -(dP/da) / p with the density p = x^a e^-x / Gamma(a + 1) a / x, of which the weight cancels.
  const DD ratio = -slope_by_order(a, x) * x;
  if (!temme_applies(a, x)) return static_cast<double>(ratio / a);
  // sqrt(2 pi a) Gamma*(a), the weight without its exponential.
  const DD r = DD(1) / a;
  const DD gamma_star = r * (r * (r * (r * (-571.0 / 2488320) - 139.0 / 51840) + DD(1) / 288) + DD(1) / 12) + 1;
  return static_cast<double>(ratio * r * sqrt(kPiDD * 2 * a) * gamma_star);
}

}  // namespace weft::ops

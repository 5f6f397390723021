// The budgets of docs/concepts/accuracy.md, which this test reads: no function errs by more units in the last place
// than the page says, in any dtype, for normal and for subnormal numbers; and the page is not far off. Small floats are
// tried out for every number, the others for dense samples, all against the C library in long double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <sstream>

#include "harness/files.h"
#include "weft/base/float16.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/plan.h"

namespace weft::cpu {
namespace {

using Real = long double;

// By Newton's method, of erf where it has more digits than erfc.
Real erf_inv(Real x) {
  const Real a = std::abs(x);
  if (!(a < 1)) return a == 1 ? x * HUGE_VALL : std::numeric_limits<Real>::quiet_NaN();
  // Erf is about this near 0, and about 1 - e^(-y^2) far from it.
  Real y = a < 0.5L ? a * 0.886226925452758013649L : std::sqrt(-std::log(1 - a));
  for (int i = 0; i < 60; ++i) {
    const Real error = a < 0.5L ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const Real next = y - error / (1.12837916709551257390L * std::exp(-y * y));
    if (next == y) break;
    y = next;
  }
  return std::copysign(y, x);
}

struct Function {
  const char* name;
  OpCode op;
  Real (*of)(Real);
};
const Function kFunctions[] = {
    {"exp", OpCode::kExponential, std::exp},
    {"expm1", OpCode::kExponentialMinusOne, std::expm1},
    {"log", OpCode::kLog, std::log},
    {"log1p", OpCode::kLogPlusOne, std::log1p},
    {"logistic", OpCode::kLogistic,
     [](Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }},
    {"tanh", OpCode::kTanh, std::tanh},
    {"sinh", OpCode::kSinh, std::sinh},
    {"cosh", OpCode::kCosh, std::cosh},
    {"sin", OpCode::kSine, std::sin},
    {"cos", OpCode::kCosine, std::cos},
    {"tan", OpCode::kTan, std::tan},
    {"asin", OpCode::kAsin, std::asin},
    {"acos", OpCode::kAcos, std::acos},
    {"atan", OpCode::kAtan, std::atan},
    {"asinh", OpCode::kAsinh, std::asinh},
    {"acosh", OpCode::kAcosh, std::acosh},
    {"atanh", OpCode::kAtanh, std::atanh},
    {"cbrt", OpCode::kCbrt, std::cbrt},
    {"erf", OpCode::kErf, std::erf},
    {"erfc", OpCode::kErfc, std::erfc},
    {"erf_inv", OpCode::kErfInv, erf_inv},
    {"sqrt", OpCode::kSqrt, std::sqrt},
    {"rsqrt", OpCode::kRsqrt, [](Real x) { return 1 / std::sqrt(x); }},
};

struct Function2 {
  const char* name;
  OpCode op;
  Real (*of)(Real, Real);
};
const Function2 kFunctions2[] = {
    {"pow", OpCode::kPower, std::pow},
    {"atan2", OpCode::kAtan2, std::atan2},
    {"rem", OpCode::kRemainder, std::fmod},
    {"add", OpCode::kAdd, [](Real x, Real y) { return x + y; }},
    {"mul", OpCode::kMultiply, [](Real x, Real y) { return x * y; }},
    {"div", OpCode::kDivide, [](Real x, Real y) { return x / y; }},
};

// What is known of a float type: its digits, and the exponents of its least and greatest normal numbers.
template <class T>
struct Format;
template <>
struct Format<float> {
  static constexpr DType dtype = f32;
  static constexpr int kDigits = 24, kLeast = -126, kGreatest = 127;
};
template <>
struct Format<double> {
  static constexpr DType dtype = f64;
  static constexpr int kDigits = 53, kLeast = -1022, kGreatest = 1023;
};
template <>
struct Format<float16> {
  static constexpr DType dtype = f16;
  static constexpr int kDigits = 11, kLeast = -14, kGreatest = 15;
};
template <>
struct Format<bfloat16> {
  static constexpr DType dtype = bf16;
  static constexpr int kDigits = 8, kLeast = -126, kGreatest = 127;
};
template <class T>
using Bits =
    std::conditional_t<sizeof(T) == 2, std::uint16_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;

template <class T>
T from_bits(std::uint64_t bits) {
  const auto b = static_cast<Bits<T>>(bits);
  T v;
  std::memcpy(static_cast<void*>(&v), &b, sizeof v);
  return v;
}
template <class T>
Real real(T v) {
  if constexpr (sizeof(T) == 2)
    return static_cast<Real>(static_cast<float>(v));
  else
    return v;
}

// As programs compute it.
template <class T>
std::vector<T> compute(OpCode op, std::initializer_list<const std::vector<T>*> operands) {
  const auto n = static_cast<std::int64_t>((*operands.begin())->size());
  const Aval type(Format<T>::dtype, Dims{n});
  std::vector<T> y(static_cast<std::size_t>(n));
  std::vector<Aval> in;
  std::vector<TensorView> from;
  for (const std::vector<T>* x : operands) {
    in.push_back(type);
    from.push_back({type, x->data()});
  }
  const Aval out[] = {type};
  const MutableTensorView to[] = {{type, y.data()}};
  run_dense(plan_op(op, nullptr, in, out), op, nullptr, from, to);
  return y;
}

// The largest errors, in units in the last place of the exact result, and where they are.
struct Worst {
  double ulp[2] = {0, 0};  // of normal numbers, and where an operand or the result is subnormal
  Real at[2] = {0, 0};
  std::string fault = {};  // a result that is no number, or is one, and must not
};
template <class T>
void judge(Worst& worst, Real got, Real want, Real x, bool subnormal) {
  using F = Format<T>;
  const auto fault = [&] {
    std::ostringstream s;
    s << "of " << x << ": got " << got << ", not " << want;
    worst.fault = s.str();
  };
  if (std::isnan(want) || std::isinf(want) || std::isnan(got)) {
    if (!(std::isnan(want) ? std::isnan(got) : got == want)) fault();
    return;
  }
  const Real beyond = std::ldexp(Real(1), F::kGreatest + 1);
  if (std::abs(want) >= beyond) {
    if (!(std::isinf(got) && std::signbit(got) == std::signbit(want))) fault();
    return;
  }
  if (std::isinf(got)) got = std::copysign(beyond, got);  // where the next number would be
  const int exponent = want == 0 ? F::kLeast : std::max(std::ilogb(want), F::kLeast);
  subnormal = subnormal || std::abs(want) < std::ldexp(Real(1), F::kLeast);
  const auto error = static_cast<double>(std::abs(got - want) / std::ldexp(Real(1), exponent - F::kDigits + 1));
  if (error > worst.ulp[subnormal]) worst.ulp[subnormal] = error, worst.at[subnormal] = x;
}
template <class T>
bool is_subnormal(Real x) {
  return x != 0 && std::abs(x) < std::ldexp(Real(1), Format<T>::kLeast);
}

// Every number of two bytes; of others, numbers of all magnitudes, and many near 0, 1 and 100.
template <class T>
std::vector<T> samples() {
  std::vector<T> x;
  if constexpr (sizeof(T) == 2) {
    for (std::uint64_t b = 0; b < 65536; ++b) x.push_back(from_bits<T>(b));
  } else {
    std::mt19937_64 random(1);
    for (int i = 0; i < 60000; ++i) x.push_back(from_bits<T>(random()));
    for (int i = -30000; i <= 30000; ++i) x.push_back(static_cast<T>(i) / T(15000));
    for (int i = -20000; i <= 20000; ++i) x.push_back(static_cast<T>(i) / T(190));
    for (int i = 0; i < 8000; ++i) x.push_back(from_bits<T>(random() >> (sizeof(T) == 8 ? 12 : 41)));  // subnormal
    for (int k = 1; k < Format<T>::kDigits; ++k)
      for (const T s : {T(1), T(-1)}) x.push_back(T(1) + std::ldexp(s, -k)), x.push_back(-x.back());
    for (const Real v : {0.0L, -0.0L, 1.0L, -1.0L, Real(INFINITY), -Real(INFINITY), Real(NAN)})
      x.push_back(static_cast<T>(v));
  }
  return x;
}

template <class T>
Worst measure(const Function& f) {
  const std::vector<T> x = samples<T>(), y = compute<T>(f.op, {&x});
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i)
    judge<T>(worst, real(y[i]), f.of(real(x[i])), real(x[i]), is_subnormal<T>(real(x[i])));
  return worst;
}
template <class T>
Worst measure(const Function2& f) {
  std::mt19937_64 random(2);
  std::vector<T> x, y;
  for (int i = 0; i < 200000; ++i) {
    // Any two numbers, which mostly give 0 or infinity, and moderate ones.
    const auto number = [&](bool any) {
      if (any) return from_bits<T>(random());
      return static_cast<T>(static_cast<float>(std::ldexp(static_cast<double>(random() >> 11), -50) - 4));
    };
    x.push_back(number(i % 4 == 0));
    y.push_back(number(i % 8 == 0));
  }
  const std::vector<T> z = compute<T>(f.op, {&x, &y});
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i)
    judge<T>(worst, real(z[i]), f.of(real(x[i]), real(y[i])), real(x[i]),
             is_subnormal<T>(real(x[i])) || is_subnormal<T>(real(y[i])));
  return worst;
}

// The page's tables: budgets by function, of f32, f64, f16 and bf16; first of normal, then of subnormal numbers.
using Budgets = std::map<std::string, std::vector<double>>;
std::vector<Budgets> read_page() {
  std::vector<Budgets> tables;
  std::istringstream page(testing::read_file(WEFT_TEST_FOLDER "/../docs/concepts/accuracy.md"));
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| Function")) tables.emplace_back();
    if (!line.starts_with("| `") || tables.empty()) continue;
    std::istringstream cells(line.substr(2));
    std::string name, cell;
    std::getline(cells, name, '|');
    std::vector<double>& budgets = tables.back()[name.substr(1, name.find('`', 1) - 1)];
    while (std::getline(cells, cell, '|')) budgets.push_back(std::stod(cell));
  }
  return tables;
}

template <class F>
void check(const F& f, const std::vector<Budgets>& page) {
  const Worst found[] = {measure<float>(f), measure<double>(f), measure<float16>(f), measure<bfloat16>(f)};
  constexpr const char* kTypes[] = {"f32", "f64", "f16", "bf16"};
  for (std::size_t t = 0; t < 4; ++t) {
    EXPECT_EQ(found[t].fault, "") << f.name << " of " << kTypes[t];
    for (std::size_t subnormal = 0; subnormal < 2; ++subnormal) {
      const auto row = page[subnormal].find(f.name);
      ASSERT_TRUE(row != page[subnormal].end() && row->second.size() == 4) << f.name << " has no row";
      const double budget = row->second[t], worst = found[t].ulp[subnormal];
      // Long double itself is rounded.
      EXPECT_LE(worst, budget + 0.001) << f.name << " of " << kTypes[t] << (subnormal ? ", subnormal" : "") << ", at "
                                       << found[t].at[subnormal];
      EXPECT_LE(budget, std::max(1.3 * worst + 0.1, 0.5))
          << f.name << " of " << kTypes[t] << (subnormal ? ", subnormal" : "") << " is better than the page says";
    }
  }
}

TEST(accuracy, functions_of_one_number_stay_within_the_budgets_of_the_page) {
  const std::vector<Budgets> page = read_page();
  ASSERT_EQ(page.size(), 2u);
  for (const Function& f : kFunctions) check(f, page);
}

TEST(accuracy, functions_of_two_numbers_stay_within_the_budgets_of_the_page) {
  const std::vector<Budgets> page = read_page();
  ASSERT_EQ(page.size(), 2u);
  for (const Function2& f : kFunctions2) check(f, page);
}

TEST(accuracy, the_page_has_no_row_of_anything_else) {
  const std::vector<Budgets> page = read_page();
  for (const Budgets& table : page) EXPECT_EQ(table.size(), std::size(kFunctions) + std::size(kFunctions2));
}

// 0, 1 and infinities of either sign, where the result is a number that the type has.
template <class T>
void check_special(const Function& f) {
  std::vector<T> x;
  for (const float v : {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN}) x.push_back(static_cast<T>(v));
  const std::vector<T> y = compute<T>(f.op, {&x});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Real want = f.of(real(x[i])), got = real(y[i]);
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(got)) << f.name << " of " << real(x[i]);
    } else if (real(static_cast<T>(static_cast<double>(want))) == want) {
      EXPECT_EQ(got, want) << f.name << " of " << real(x[i]);
      EXPECT_EQ(std::signbit(got), std::signbit(want)) << f.name << " of " << real(x[i]);
    }
  }
}
TEST(accuracy, special_numbers_give_what_the_c_library_gives) {
  for (const Function& f : kFunctions) {
    check_special<float>(f);
    check_special<double>(f);
    check_special<float16>(f);
    check_special<bfloat16>(f);
  }
}

// Functions of small floats are those of f32, rounded once more: the same on every instruction set.
TEST(accuracy, small_floats_have_the_same_bits_on_every_instruction_set) {
  const Isa before = active_isa();
  for (const Function& f : kFunctions) {
    force_isa(Isa::kBaseline);
    const std::vector<float16> x = samples<float16>(), want = compute<float16>(f.op, {&x});
    for (const Isa isa : {Isa::kV3, Isa::kV4}) {
      if (!isa_available(isa)) continue;
      force_isa(isa);
      const std::vector<float16> got = compute<float16>(f.op, {&x});
      EXPECT_EQ(std::memcmp(got.data(), want.data(), 2 * got.size()), 0) << f.name;
    }
  }
  force_isa(before);
}

}  // namespace
}  // namespace weft::cpu

#include "testing/gradients.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "testing/trees.h"
#include "weft/api/autodiff.h"
#include "weft/base/text.h"
#include "weft/ir/elements.h"

namespace weft::testing::detail {

namespace {

using Complex = std::complex<double>;
using Numbers = std::vector<Complex>;

Numbers numbers_of(const char* op, const Array& x, const SourceLocation& loc) {
  const weft::detail::HostView host = x.host(op, loc);
  Numbers r(static_cast<std::size_t>(x.size()));
  convert_elements(host.view.dtype(), host.view.data, c128, r.data(), x.size());
  return r;
}

Array array_of(const Array& like, const Numbers& numbers) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(like.nbytes()) + 1);
  convert_elements(c128, numbers.data(), like.dtype(), bytes.data(), like.size());
  return Array::copy(like.dtype(), DimSpan(like.shape()), bytes.data(), numbers.size());
}

// Numbers from -1 to 1, in both parts of complex, and none below 1/2 in size, so that each counts for something.
Array direction(const Array& like, unsigned seed) {
  std::mt19937 source(seed);
  std::uniform_real_distribution<double> size(0.5, 1);
  const auto number = [&] {
    const double v = size(source);
    return source() & 1 ? v : -v;
  };
  Numbers r(static_cast<std::size_t>(like.size()));
  for (Complex& v : r) v = is_complex(like.dtype()) ? Complex(number(), number()) : Complex(number());
  return array_of(like, r);
}

struct Tolerances {
  double eps, rtol, atol;
};

double precision(DType t) {
  t = real_dtype(t);
  return t == f64 ? 0x1p-52 : t == f32 ? 0x1p-23 : t == f16 ? 0x1p-10 : 0x1p-7;
}
double usual_tolerance(double precision) {
  return precision <= 0x1p-52 ? 1e-5 : precision <= 0x1p-23 ? 2e-3 : precision <= 0x1p-10 ? 5e-2 : 0.2;
}

Tolerances tolerances_of(const FlatLeaves& x, const FlatLeaves& y, const GradCheck& options) {
  double coarsest = 0;
  for (const FlatLeaves* leaves : {&x, &y})
    for (const Array& a : *leaves) coarsest = std::max(coarsest, precision(a.dtype()));
  const double usual = usual_tolerance(coarsest);
  return {options.eps.value_or(std::cbrt(coarsest)), options.rtol.value_or(usual), options.atol.value_or(usual)};
}

std::string number_text(Complex v, DType t) {
  if (!is_complex(t)) return number_str(v.real());
  return "(" + number_str(v.real()) + (v.imag() < 0 || std::signbit(v.imag()) ? "" : "+") + number_str(v.imag()) + "j)";
}

// A direction of one leaf of the arguments, and the differences along it by leaf of the result.
struct Slopes {
  Numbers along;
  std::vector<Numbers> of;
};

// A check of one function, which may be a derivative of the user's.
class Checker {
 public:
  Checker(const char* op, const FlatCheck& check, const GradCheck& options, const SourceLocation& loc)
      : op_(op),
        check_(check),
        options_(options),
        loc_(loc),
        y_(check.f(check.x)),
        y_paths_(*check.y_paths),
        tolerance_(tolerances_of(check.x, y_, options)) {}

  void run() {
    if (check_.x.empty()) throw_nothing("arguments");
    if (y_.empty()) throw_nothing("result");
    std::vector<Slopes> slopes;
    for (std::size_t i = 0; i < check_.x.size(); ++i) {
      const Array t = direction(check_.x[i], static_cast<unsigned>(i));
      slopes.push_back({numbers_of(op_, t, loc_), differences(i, t)});
      if (has(GradModes::kForward)) check_forward(i, t, slopes[i].of);
    }
    if (has(GradModes::kReverse)) check_reverse(slopes);
    if (options_.order > 1) check_derivatives();
  }

 private:
  bool has(GradModes mode) const { return static_cast<unsigned>(options_.modes) & static_cast<unsigned>(mode); }

  [[noreturn]] void throw_nothing(const char* where) const {
    const LocationScope scope(loc_, op_);
    throw ValueError(std::string(op_) + ": there must be a float or complex array in the " + where + "; got none.");
  }

  FlatLeaves tangents(std::size_t i, const Array& t) const {
    FlatLeaves r;
    for (std::size_t k = 0; k < check_.x.size(); ++k)
      r.push_back(k == i ? t : array_of(check_.x[k], Numbers(static_cast<std::size_t>(check_.x[k].size()))));
    return r;
  }

  // (f(x + eps t) - f(x - eps t)) / 2 eps by leaf of the result, where t is along leaf i.
  std::vector<Numbers> differences(std::size_t i, const Array& t) const {
    const Numbers at = numbers_of(op_, check_.x[i], loc_), along = numbers_of(op_, t, loc_);
    const auto moved = [&](double by) {
      Numbers v = at;
      for (std::size_t k = 0; k < v.size(); ++k) v[k] += by * along[k];
      FlatLeaves x = check_.x;
      x[i] = array_of(check_.x[i], v);
      return check_.f(x);
    };
    const FlatLeaves up = moved(tolerance_.eps), down = moved(-tolerance_.eps);
    std::vector<Numbers> r;
    for (std::size_t k = 0; k < up.size(); ++k) {
      Numbers a = numbers_of(op_, up[k], loc_);
      const Numbers b = numbers_of(op_, down[k], loc_);
      for (std::size_t j = 0; j < a.size(); ++j) a[j] = (a[j] - b[j]) / (2 * tolerance_.eps);
      r.push_back(std::move(a));
    }
    return r;
  }

  std::string within() const {
    return " must be that of central differences within rtol " + number_str(tolerance_.rtol) + " and atol " +
           number_str(tolerance_.atol);
  }

  void check_forward(std::size_t i, const Array& t, const std::vector<Numbers>& slopes) const {
    const FlatLeaves dy =
        jvp(check_.f, std::tuple<FlatLeaves>(check_.x), std::tuple<FlatLeaves>(tangents(i, t)), loc_).second;
    for (std::size_t k = 0; k < dy.size(); ++k) {
      const Numbers got = numbers_of(op_, dy[k], loc_);
      for (std::size_t j = 0; j < got.size(); ++j) {
        const Complex want = slopes[k][j];
        if (std::abs(got[j] - want) <= tolerance_.atol + tolerance_.rtol * std::abs(want)) continue;
        fail(op_, "the derivative by jvp" + within(),
             number_text(got[j], dy[k].dtype()) + " and " + number_text(want, dy[k].dtype()) + " at " + y_paths_[k] +
                 place(j, dy[k].shape()) + " along " + check_.x_paths[i],
             loc_);
      }
    }
  }

  // With one cotangent of all elements a wrong one would hide: its part of <ct, J t> is soon below what many elements
  // that are each a little off make of the sum. So each cotangent has few elements. And as the terms of a sum cancel
  // one another, a derivative that is wrong everywhere could be as small as theirs: so there is one of all elements,
  // too, with the signs of the slopes.
  void check_reverse(const std::vector<Slopes>& slopes) const {
    constexpr std::size_t kParts = 8;
    const auto pullback = vjp(check_.f, check_.x).second;
    std::vector<Numbers> all;
    std::size_t size = 0;
    for (std::size_t k = 0; k < y_.size(); ++k) {
      all.push_back(numbers_of(op_, direction(y_[k], static_cast<unsigned>(1000 + k)), loc_));
      size += all[k].size();
    }
    const auto gradients = [&](const std::vector<Numbers>& cts) {
      FlatLeaves arrays;
      for (std::size_t k = 0; k < cts.size(); ++k) arrays.push_back(array_of(y_[k], cts[k]));
      return std::get<0>(pullback(arrays, loc_));
    };
    const std::size_t parts = std::min(size, kParts);
    for (std::size_t part = 0; part < parts; ++part) {
      std::vector<Numbers> cts = all;
      std::string where;
      for (std::size_t k = 0, n = 0; k < cts.size(); ++k)
        for (std::size_t j = 0; j < cts[k].size(); ++j, ++n) {
          if (n % parts != part)
            cts[k][j] = 0;
          else if (size == parts)
            where = " at " + y_paths_[k] + place(j, y_[k].shape());
        }
      const FlatLeaves g = gradients(cts);
      for (std::size_t i = 0; i < g.size(); ++i) check_product(i, g[i], cts, slopes[i], Signs::kRandom, where);
    }
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      std::vector<Numbers> cts = all;
      for (std::size_t k = 0; k < cts.size(); ++k)
        for (std::size_t j = 0; j < cts[k].size(); ++j)
          if (const Complex s = slopes[i].of[k][j]; s != 0.0)
            cts[k][j] = std::abs(cts[k][j]) * std::conj(s) / std::abs(s);
      check_product(i, gradients(cts)[i], cts, slopes[i], Signs::kOfSlopes, "");
    }
  }

  enum class Signs : std::uint8_t { kRandom, kOfSlopes };

  // <J^T ct, t> = <ct, J t>.
  void check_product(std::size_t i, const Array& gradient, const std::vector<Numbers>& cts, const Slopes& slopes,
                     Signs signs, const std::string& where) const {
    const Numbers g = numbers_of(op_, gradient, loc_);
    double got = 0, want = 0, sum = 0, squares = 0;
    for (std::size_t k = 0; k < g.size(); ++k) got += (g[k] * slopes.along[k]).real();
    for (std::size_t k = 0; k < cts.size(); ++k)
      for (std::size_t j = 0; j < cts[k].size(); ++j) {
        want += (cts[k][j] * slopes.of[k][j]).real();
        const double off = std::abs(cts[k][j]) * (tolerance_.atol + tolerance_.rtol * std::abs(slopes.of[k][j]));
        sum += off;
        squares += off * off;
      }
    // What elements that are each off by so much make of the sum: with random signs, hardly more than three times the
    // root of their squares.
    const double allowed = signs == Signs::kRandom ? std::min(sum, 3 * std::sqrt(squares)) : sum;
    if (std::abs(got - want) <= allowed) return;
    fail(op_, "<ct, J t> by vjp" + within(),
         number_str(got) + " and " + number_str(want) + where + " along " + check_.x_paths[i], loc_);
  }

  // The derivatives as functions of their own, checked to one order less.
  void check_derivatives() const {
    std::vector<std::string> paths;
    if (has(GradModes::kForward)) {
      FlatCheck next{{}, check_.x, check_.x_paths, &paths};
      for (std::size_t i = 0; i < check_.x.size(); ++i) {
        next.x.push_back(direction(check_.x[i], static_cast<unsigned>(2000 + i)));
        next.x_paths.push_back("the tangent of " + check_.x_paths[i]);
      }
      next.f = [this, &paths](const FlatLeaves& x) {
        const auto n = static_cast<std::ptrdiff_t>(check_.x.size());
        auto [y, dy] = jvp(check_.f, std::tuple<FlatLeaves>(FlatLeaves(x.begin(), x.begin() + n)),
                           std::tuple<FlatLeaves>(FlatLeaves(x.begin() + n, x.end())), loc_);
        y.insert(y.end(), dy.begin(), dy.end());
        paths = *check_.y_paths;
        for (std::size_t i = 0, count = paths.size(); i < count; ++i) paths.push_back("the tangent of " + paths[i]);
        return y;
      };
      check_next(next, "jvp");
    }
    if (has(GradModes::kReverse)) {
      FlatCheck next{{}, check_.x, check_.x_paths, &paths};
      next.f = [this, &paths](const FlatLeaves& x) {
        const auto [y, pullback] = vjp(check_.f, x);
        paths.clear();
        for (const std::string& path : check_.x_paths) paths.push_back("the cotangent of " + path);
        return std::get<0>(pullback(y, loc_));
      };
      check_next(next, "vjp");
    }
  }

  void check_next(const FlatCheck& next, const char* mode) const {
    GradCheck options = options_;
    --options.order;
    try {
      Checker(op_, next, options, loc_).run();
    } catch (Error& e) {
      e.add_note("while checking the derivatives of " + std::string(mode) + " of the function");
      throw;
    }
  }

  const char* op_;
  const FlatCheck& check_;
  const GradCheck& options_;
  const SourceLocation& loc_;
  FlatLeaves y_;
  std::vector<std::string> y_paths_;
  Tolerances tolerance_;
};

}  // namespace

void check_grads(const char* op, const FlatCheck& check, const GradCheck& options, const SourceLocation& loc) {
  if (options.order < 1) {
    const LocationScope scope(loc, op);
    throw ValueError(std::string(op) + ": the order must be at least 1; got " + std::to_string(options.order) + ".");
  }
  Checker(op, check, options, loc).run();
}

}  // namespace weft::testing::detail

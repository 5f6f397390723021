#include "weft/np/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <vector>

#include "weft/base/text.h"
#include "weft/ir/elements.h"

namespace weft::np {

namespace {

constexpr std::string_view kNan = "nan";
constexpr std::string_view kInf = "inf";

FloatFormat float_format(DType t) {
  switch (real_dtype(t)) {
    case DType::kF16: return FloatFormat::kF16;
    case DType::kBF16: return FloatFormat::kBF16;
    case DType::kF32: return FloatFormat::kF32;
    default: return FloatFormat::kF64;
  }
}

// The magnitude of `value`, correctly rounded to `precision` digits after the point, ties to even.
std::string exact_digits(double value, std::chars_format format, int precision) {
  std::string out(static_cast<std::size_t>(precision) + 340, '\0');
  const auto end = std::to_chars(out.data(), out.data() + out.size(), std::fabs(value), format, precision).ptr;
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

// A number around its point: "-12" and "5".
struct Parts {
  std::string whole, fraction;
  int exponent = 0;  // used by scientific notation only
};

// How many digits after the point to print.
struct Digits {
  int most = -1;    // no limit when negative
  int fewest = -1;  // when not negative, all digits before the point and this many after it are exact
  bool unique = true;
};

void trim_zeros(std::string& digits) {
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
}

Parts positional(double value, FloatFormat format, const Digits& want, std::string_view plus) {
  Parts out;
  int exact = want.unique ? -1 : want.most;
  if (want.unique) {
    const Decimal d = shortest_decimal(value, format);
    const int n = static_cast<int>(d.digits.size());
    const int fraction = d.digits == "0" ? 0 : std::max(0, n - 1 - d.exponent);
    if (want.most >= 0 && fraction > want.most) {
      exact = want.most;
    } else if (fraction < want.fewest || (want.fewest == 0 && n <= d.exponent)) {
      exact = want.fewest;
    } else if (d.exponent < 0) {
      out.whole = "0";
      out.fraction = std::string(static_cast<std::size_t>(-d.exponent - 1), '0') + d.digits;
    } else {
      out.whole = d.digits.substr(0, static_cast<std::size_t>(d.exponent + 1));
      out.whole.resize(static_cast<std::size_t>(d.exponent + 1), '0');
      if (fraction > 0) out.fraction = d.digits.substr(static_cast<std::size_t>(d.exponent + 1));
    }
  }
  if (exact >= 0) {
    const std::string text = exact_digits(value, std::chars_format::fixed, exact);
    const std::size_t point = std::min(text.find('.'), text.size());
    out.whole = text.substr(0, point);
    if (point < text.size()) out.fraction = text.substr(point + 1);
  }
  out.whole.insert(0, std::signbit(value) ? "-" : plus);
  return out;
}

Parts scientific(double value, FloatFormat format, const Digits& want, std::string_view plus) {
  Decimal d = shortest_decimal(value, format);
  const int fraction = static_cast<int>(d.digits.size()) - 1;
  int exact = want.unique ? -1 : want.most;
  if (want.unique && want.most >= 0 && fraction > want.most)
    exact = want.most;
  else if (want.unique && fraction < want.fewest)
    exact = want.fewest;
  if (exact >= 0) {
    const std::string text = exact_digits(value, std::chars_format::scientific, exact);
    const std::size_t e = text.find('e');
    d.digits = text.substr(0, 1) + (exact > 0 ? text.substr(2, e - 2) : "");
    const std::size_t sign = text[e + 1] == '+' ? 2 : 1;
    std::from_chars(text.data() + e + sign, text.data() + text.size(), d.exponent);
  }
  Parts out;
  out.whole = (std::signbit(value) ? "-" : std::string(plus)) + d.digits[0];
  out.fraction = d.digits.substr(1);
  out.exponent = d.exponent;
  return out;
}

// Formats floats of one array so that their points align: the rules of NumPy's FloatingFormat.
class FloatColumn {
 public:
  FloatColumn(const std::vector<double>& values, DType dtype, const PrintOptions& options, Sign sign)
      : format_(float_format(dtype)), plus_(sign == Sign::kPlus ? "+" : "") {
    if (options.floatmode != FloatMode::kUnique) digits_.most = options.precision;
    digits_.unique = options.floatmode != FloatMode::kFixed;

    std::vector<double> finite;
    std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](double v) { return std::isfinite(v); });
    scientific_ = needs_exponent(finite, dtype, options);
    if (finite.empty()) {
      digits_ = Digits{};
      trim_ = true;
    } else {
      measure(finite, options.floatmode);
    }
    if (sign == Sign::kSpace && std::none_of(finite.begin(), finite.end(), [](double v) { return std::signbit(v); }))
      ++left_;
    if (finite.size() != values.size()) {
      const bool signed_inf = sign != Sign::kMinus || std::any_of(values.begin(), values.end(),
                                                                  [](double v) { return std::isinf(v) && v < 0; });
      const int point = right_ + 1;
      left_ =
          std::max({left_, static_cast<int>(kNan.size()) - point, static_cast<int>(kInf.size()) + signed_inf - point});
    }
  }

  std::string operator()(double v) const {
    if (!std::isfinite(v)) {
      std::string out(v < 0 ? "-" : plus_);
      out += std::isnan(v) ? kNan : kInf;
      return pad_left(std::move(out), left_ + right_ + 1);
    }
    Parts p = scientific_ ? scientific(v, format_, digits_, plus_) : positional(v, format_, digits_, plus_);
    if (trim_) trim_zeros(p.fraction);
    std::string out = pad_left(std::move(p.whole), left_) + "." + p.fraction;
    if (scientific_) return out + exponent_text(p.exponent);
    const int missing = right_ - static_cast<int>(p.fraction.size());
    if (missing > 0) out.append(static_cast<std::size_t>(missing), ' ');
    return out;
  }

 private:
  static std::string pad_left(std::string s, int width) {
    const int missing = width - static_cast<int>(s.size());
    if (missing > 0) s.insert(0, static_cast<std::size_t>(missing), ' ');
    return s;
  }

  std::string exponent_text(int exponent) const {
    std::string digits = std::to_string(std::abs(exponent));
    const int missing = exponent_digits_ - static_cast<int>(digits.size());
    if (missing > 0) digits.insert(0, static_cast<std::size_t>(missing), '0');
    return (exponent < 0 ? "e-" : "e+") + digits;
  }

  // The ratio is rounded to the array's own type because NumPy divides there.
  static bool needs_exponent(const std::vector<double>& finite, DType dtype, const PrintOptions& options) {
    double largest = 0, smallest = INFINITY;
    for (const double v : finite) {
      if (v == 0) continue;
      largest = std::max(largest, std::fabs(v));
      smallest = std::min(smallest, std::fabs(v));
    }
    if (largest == 0) return false;
    if (largest >= 1e8) return true;
    if (options.suppress) return false;
    double ratio = largest / smallest;
    switch (real_dtype(dtype)) {
      case DType::kF16: ratio = static_cast<float>(float16(ratio)); break;
      case DType::kBF16: ratio = static_cast<float>(bfloat16(ratio)); break;
      case DType::kF32: ratio = static_cast<float>(ratio); break;
      default: break;
    }
    return smallest < 0.0001 || ratio > 1000.;
  }

  void measure(const std::vector<double>& finite, FloatMode mode) {
    exponent_digits_ = 2;
    for (const double v : finite) {
      Parts p = scientific_ ? scientific(v, format_, digits_, plus_) : positional(v, format_, digits_, plus_);
      if (digits_.unique) trim_zeros(p.fraction);
      left_ = std::max(left_, static_cast<int>(p.whole.size()));
      right_ = std::max(right_, static_cast<int>(p.fraction.size()));
      if (std::abs(p.exponent) >= 100) exponent_digits_ = 3;
    }
    if (scientific_ || mode == FloatMode::kFixed || mode == FloatMode::kMaxPrecEqual)
      digits_.most = digits_.fewest = right_;
    else
      digits_.fewest = 0, trim_ = true;
    if (scientific_) right_ += exponent_digits_ + 2;
  }

  FloatFormat format_;
  std::string_view plus_;
  Digits digits_;
  bool scientific_ = false;
  bool trim_ = false;
  int left_ = 0;   // columns before the point
  int right_ = 0;  // columns after it
  int exponent_digits_ = 2;
};

// Positions (element offsets) of what is printed, and how brackets, separators and line breaks go around it.
class Layout {
 public:
  using Format = std::function<std::string(std::int64_t)>;

  Layout(DimSpan stored, DimSpan shape, const PrintOptions& options)
      : shape_(shape),
        strides_(row_major_strides(stored)),
        edge_(product(shape) > options.threshold ? options.edgeitems : 0) {
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (stored[i] != shape[i]) strides_[i] = 0;
  }

  // Calls `f(offset)` for every element that is printed.
  template <class F>
  void for_each(F&& f) const {
    visit(0, 0, f);
  }

  std::string text(const Format& format, std::string_view separator, int width, int indent) const {
    return rows(format, separator, 0, 0, width, std::string(static_cast<std::size_t>(indent), ' '));
  }

 private:
  bool summarised(std::size_t axis) const { return edge_ > 0 && shape_[axis] > 2 * std::int64_t{edge_}; }

  template <class F>
  void visit(std::size_t axis, std::int64_t offset, F& f) const {
    if (axis == shape_.size()) {
      f(offset);
      return;
    }
    const std::int64_t n = shape_[axis];
    for (std::int64_t i = 0; i < n; ++i) {
      if (summarised(axis) && i == edge_) i = n - edge_;
      visit(axis + 1, offset + i * strides_[axis], f);
    }
  }

  std::string rows(const Format& format, std::string_view separator, std::size_t axis, std::int64_t offset, int width,
                   const std::string& indent) const {
    if (axis == shape_.size()) return format(offset);
    const std::int64_t n = shape_[axis];
    const std::size_t left = shape_.size() - axis;
    const std::string_view bare = separator.substr(0, separator.find_last_not_of(' ') + 1);
    std::string out, line = indent;
    // A word goes to a new line when it does not fit, unless it would have no more room there.
    const auto put = [&](const std::string& word) {
      const auto room = std::max<std::int64_t>(0, width - std::max<std::int64_t>(std::ssize(bare), 1));
      if (std::ssize(line) + std::ssize(word) > room && line.size() > indent.size()) {
        line.resize(line.find_last_not_of(' ') + 1);
        out += line + "\n";
        line = indent;
      }
      line += word;
    };
    for (std::int64_t i = 0; i < n; ++i) {
      std::string word;
      if (summarised(axis) && i == edge_) {
        word = "...";
        i = n - edge_ - 1;
      } else {
        word = rows(format, separator, axis + 1, offset + i * strides_[axis], width - 1, indent + ' ');
      }
      const bool last = i + 1 == n;
      if (left == 1) {
        put(word);
        if (!last) line += separator;
      } else {
        out += indent + word;
        if (!last) out += std::string(bare) + std::string(left - 1, '\n');
      }
    }
    if (left == 1) out += line;
    return "[" + out.substr(indent.size()) + "]";
  }

  DimSpan shape_;
  Dims strides_;
  int edge_;
};

template <class T>
Layout::Format integer_format(const T* data, const Layout& layout) {
  std::size_t width = 0;
  layout.for_each([&](std::int64_t i) { width = std::max(width, number_str(data[i]).size()); });
  return [=](std::int64_t i) {
    std::string s = number_str(data[i]);
    s.insert(0, width - std::min(width, s.size()), ' ');
    return s;
  };
}

Layout::Format element_format(TensorView array, const Layout& layout, const PrintOptions& options) {
  return visit_dtype(array.dtype(), [&](auto tag) -> Layout::Format {
    using T = typename decltype(tag)::type;
    const T* data = array.as<T>();
    if constexpr (std::is_same_v<T, bool>) {
      const std::string yes = array.ndim() > 0 ? " True" : "True";
      return [=](std::int64_t i) { return data[i] ? yes : std::string("False"); };
    } else if constexpr (std::is_integral_v<T>) {
      return integer_format(data, layout);
    } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
      std::vector<double> real, imag;
      layout.for_each([&](std::int64_t i) {
        real.push_back(data[i].real());
        imag.push_back(data[i].imag());
      });
      return [=, r = FloatColumn(real, array.dtype(), options, options.sign),
              m = FloatColumn(imag, array.dtype(), options, Sign::kPlus)](std::int64_t i) {
        std::string s = m(data[i].imag());
        s.insert(s.find_last_not_of(' ') + 1, "j");
        return r(data[i].real()) + s;
      };
    } else {
      std::vector<double> values;
      const auto at = [data](std::int64_t i) {
        return static_cast<double>(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(data[i]));
      };
      layout.for_each([&](std::int64_t i) { values.push_back(at(i)); });
      return [=, column = FloatColumn(values, array.dtype(), options, options.sign)](std::int64_t i) {
        return column(at(i));
      };
    }
  });
}

std::string bracketed(TensorView array, DimSpan shape, const PrintOptions& options, std::string_view separator,
                      int prefix, int suffix) {
  if (product(shape) == 0) return "[]";
  const Layout layout(array.shape(), shape, options);
  return layout.text(element_format(array, layout, options), separator, options.linewidth - suffix, prefix + 1);
}

// A complex number's part: a scalar's text without ".0".
template <class T>
std::string part_str(T v) {
  std::string s = number_str(v);
  if (s.ends_with(".0")) s.resize(s.size() - 2);
  return s;
}

template <class T>
std::string complex_str(std::complex<T> v) {
  std::string imag = part_str(v.imag()) + "j";
  if (v.real() == 0 && !std::signbit(v.real())) return imag;
  if (imag[0] != '-') imag.insert(0, "+");
  return "(" + part_str(v.real()) + imag + ")";
}

std::string scalar_str(TensorView scalar) {
  return visit_dtype(scalar.dtype(), [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    const T v = *scalar.as<T>();
    if constexpr (std::is_same_v<T, bool>)
      return v ? "True" : "False";
    else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
      return complex_str(v);
    else
      return number_str(v);
  });
}

void check(const PrintOptions& o) {
  const auto at_least = [](std::string_view what, std::int64_t value, std::int64_t least) {
    if (value < least)
      throw ValueError("array_str: " + std::string(what) + " must be at least " + std::to_string(least) + "; got " +
                       std::to_string(value) + ".");
  };
  at_least("precision", o.precision, 0);
  at_least("threshold", o.threshold, 0);
  at_least("edgeitems", o.edgeitems, 1);
  at_least("linewidth", o.linewidth, 0);
}

std::string shape_tuple(DimSpan shape) { return "(" + join(shape, ", ") + (shape.size() == 1 ? ",)" : ")"); }

}  // namespace

namespace {

// Elements of a storage type print as those of the type that they are computed in.
struct Printable {
  explicit Printable(TensorView array) : view(array) {
    if (!is_storage(array.dtype())) return;
    const DType t = compute_dtype(array.dtype());
    memory.resize(static_cast<std::size_t>(array.size() * byte_size(t)));
    widen_elements(array.dtype(), array.data, memory.data(), array.size());
    view = {array.aval.with_dtype(t), memory.data()};
  }
  Printable(const Printable&) = delete;
  std::vector<std::byte> memory;
  TensorView view;
};

}  // namespace

std::string array_str(TensorView stored, DimSpan shape, const PrintOptions& options) {
  check(options);
  const Printable printable(stored);
  const TensorView array = printable.view;
  return array.ndim() == 0 ? scalar_str(array) : bracketed(array, shape, options, " ", 0, 0);
}

std::string array_repr(TensorView stored, DimSpan shape, const PrintOptions& options) {
  check(options);
  const Printable printable(stored);
  const TensorView array = printable.view;
  const std::string prefix = "Array(";
  const int indent = static_cast<int>(prefix.size());
  const std::string body =
      product(shape) == 0 ? "[], shape=" + shape_tuple(shape) : bracketed(array, shape, options, ", ", indent, 1);
  const std::string dtype = "dtype=" + std::string(numpy_name(stored.dtype())) + ")";
  // JAX separates by the prefix's width, on the same line, where NumPy would start a new line.
  const std::size_t newline = body.rfind('\n');
  const std::size_t last_line = newline == std::string::npos ? body.size() + 2 : body.size() - newline + 1;
  const bool full = static_cast<std::int64_t>(last_line + dtype.size() + 1) > options.linewidth;
  return prefix + body + "," + (full ? std::string(prefix.size(), ' ') : " ") + dtype;
}

}  // namespace weft::np

#include "testing/values.h"

#include <cmath>
#include <cstring>

#include "testing/program_checks.h"
#include "weft/base/text.h"
#include "weft/ir/elements.h"
#include "weft/ir/print.h"
#include "weft/np/reductions.h"
#include "weft/np/ufuncs.h"

namespace weft::testing::detail {

namespace {

using Complex = std::complex<double>;

// The elements of an array that is known.
class Known {
 public:
  Known(const char* op, const Array& x, const SourceLocation& loc)
      : host_(x.host(op, loc)), numbers_(static_cast<std::size_t>(x.size())) {
    convert_elements(dtype(), host_.view.data, c128, numbers_.data(), x.size());
  }
  DType dtype() const { return host_.view.dtype(); }
  std::size_t size() const { return numbers_.size(); }
  Complex operator[](std::size_t i) const { return numbers_[i]; }
  const std::byte* bytes(std::size_t i) const {
    return static_cast<const std::byte*>(host_.view.data) + i * static_cast<std::size_t>(byte_size(dtype()));
  }
  std::string str(std::size_t i) const { return ir::element_str(dtype(), bytes(i)); }
  // Of an integer dtype: whether it is negative, and its lowest 64 bits.
  std::pair<bool, std::uint64_t> integer(std::size_t i) const {
    std::uint64_t bits;
    if (dtype() == u64) {
      std::memcpy(&bits, bytes(i), sizeof bits);
      return {false, bits};
    }
    const std::int64_t v = integer_element(dtype(), bytes(i));
    return {v < 0, static_cast<std::uint64_t>(v)};
  }
  bool is_nan(std::size_t i) const { return std::isnan(numbers_[i].real()) || std::isnan(numbers_[i].imag()); }

 private:
  weft::detail::HostView host_;
  std::vector<Complex> numbers_;
};

bool all_known(const Array& a, const Array& b) { return a.known() && b.known(); }

bool equal_elements(const Known& x, const Known& y, std::size_t i) {
  if (x.is_nan(i) || y.is_nan(i)) return x.is_nan(i) && y.is_nan(i);
  // Doubles do not tell large integers apart.
  if (is_integer(x.dtype()) && is_integer(y.dtype())) return x.integer(i) == y.integer(i);
  return x[i] == y[i];
}

bool close_elements(const Known& x, const Known& y, std::size_t i, const Tolerance& tolerance) {
  if (equal_elements(x, y, i)) return true;
  const double difference = std::abs(x[i] - y[i]);
  // An infinite right side would be close to everything.
  return std::isfinite(difference) && difference <= tolerance.atol + tolerance.rtol * std::abs(y[i]);
}

// Elements for which `same(i)` does not hold, as "1.0 and 2.0 at .w[0] (3 of 4 elements differ, by up to 1.0)"; "" for
// none. `distance(i)`, where given, is how far they are apart.
template <class Same, class Distance>
std::string unlike(const Known& x, const Known& y, DimSpan shape, const std::string& path, const Same& same,
                   const Distance& distance, const char* unit) {
  std::size_t first = 0, count = 0;
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (same(i)) continue;
    if (count++ == 0) first = i;
    const double d = distance(i);
    most = std::isnan(d) || d > most ? d : most;
  }
  if (count == 0) return {};
  std::string text = at_path(x.str(first) + " and " + y.str(first), path + place(first, shape));
  if (x.size() > 1 || *unit)
    text += " (" + std::to_string(count) + " of " +
            count_str(static_cast<std::int64_t>(x.size()), "element", "elements") +
            (count == 1 ? " differs" : " differ") + ", by up to " + number_str(most) + unit + ")";
  return text;
}

// Shapes (and dtypes when `types`) agree, or else the assertion fails.
void check_shapes(const char* op, const PathLeaves& a, const PathLeaves& b, bool types, const SourceLocation& loc) {
  compare_leaves(op, types ? "leaves must have equal shapes and dtypes" : "leaves must have equal shapes", a, b,
                 types ? types_differ : shapes_differ, loc);
}

// Fails with the differences of all leaves that are known; the others become checks that `holds(x, y)`.
template <class Difference, class Holds>
void compare_values(const char* op, const std::string& must, const PathLeaves& a, const PathLeaves& b,
                    const Difference& difference, const Holds& holds, const SourceLocation& loc) {
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& [path, x] = a[i];
    const Array& y = b[i].second;
    if (!all_known(x, y)) continue;
    if (std::string text = difference(Known(op, x, loc), Known(op, y, loc), x.shape(), path); !text.empty())
      wrong.push_back(std::move(text));
  }
  if (!wrong.empty()) fail(op, must, listed(wrong), loc);
  const LocationScope scope(loc, op);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& [path, x] = a[i];
    const Array& y = b[i].second;
    if (!all_known(x, y)) check_value(op, must, holds(x, y), at_path("{} and {}", escaped(path)), {x, y}, loc);
  }
}

// How many numbers of a float dtype are between two of its elements. Codes of negative numbers count down.
std::uint64_t ulps(const Known& x, const Known& y, std::size_t i) {
  const auto size = static_cast<std::size_t>(byte_size(x.dtype()));
  const auto order = [&](const std::byte* bytes) {
    std::uint64_t code = 0;
    std::memcpy(&code, bytes, size);  // little-endian, as all of Weft
    const std::uint64_t sign = 1ull << (8 * size - 1);
    return code & sign ? -static_cast<std::int64_t>(code ^ sign) : static_cast<std::int64_t>(code);
  };
  const std::int64_t a = order(x.bytes(i)), b = order(y.bytes(i));
  return a > b ? static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)
               : static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
}

}  // namespace

void check_close(const char* op, const PathLeaves& a, const PathLeaves& b, const Tolerance& tolerance,
                 const SourceLocation& loc) {
  check_shapes(op, a, b, false, loc);
  const std::string must =
      "leaves must be equal within rtol " + number_str(tolerance.rtol) + " and atol " + number_str(tolerance.atol);
  const auto difference = [&](const Known& x, const Known& y, DimSpan shape, const std::string& path) {
    return unlike(
        x, y, shape, path, [&](std::size_t i) { return close_elements(x, y, i, tolerance); },
        [&](std::size_t i) { return std::abs(x[i] - y[i]); }, "");
  };
  const auto holds = [&](const Array& x, const Array& y) {
    return np::all(np::isclose(x, y, tolerance.rtol, tolerance.atol, true));
  };
  compare_values(op, must, a, b, difference, holds, loc);
}

void check_equal(const char* op, const PathLeaves& a, const PathLeaves& b, const SourceLocation& loc) {
  check_shapes(op, a, b, false, loc);
  const auto difference = [](const Known& x, const Known& y, DimSpan shape, const std::string& path) {
    return unlike(
        x, y, shape, path, [&](std::size_t i) { return equal_elements(x, y, i); },
        [&](std::size_t i) { return std::abs(x[i] - y[i]); }, "");
  };
  const auto holds = [](const Array& x, const Array& y) {
    return np::all(np::equal(x, y) | (np::isnan(x) & np::isnan(y)));
  };
  compare_values(op, "leaves must be equal", a, b, difference, holds, loc);
}

void check_close_ulp(const char* op, const PathLeaves& a, const PathLeaves& b, std::int64_t maxulp,
                     const SourceLocation& loc) {
  check_shapes(op, a, b, true, loc);
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Known x(op, a[i].second, loc), y(op, b[i].second, loc);
    const bool floats = is_float(x.dtype()) && !is_storage(x.dtype());
    const auto distance = [&](std::size_t k) -> double {
      if (equal_elements(x, y, k)) return 0;
      if (!floats || x.is_nan(k) || y.is_nan(k)) return __builtin_inf();
      return static_cast<double>(ulps(x, y, k));
    };
    const auto same = [&](std::size_t k) { return distance(k) <= static_cast<double>(maxulp); };
    std::string text = unlike(x, y, a[i].second.shape(), a[i].first, same, distance, " ulp");
    if (!text.empty()) wrong.push_back(std::move(text));
  }
  if (!wrong.empty()) fail(op, "leaves must be equal within " + std::to_string(maxulp) + " ulp", listed(wrong), loc);
}

void check_finite(const char* op, const PathLeaves& leaves, std::vector<std::string> wrong, const SourceLocation& loc) {
  const std::string must = "every element must be finite";
  for (const auto& [path, leaf] : leaves) {
    if (!leaf.known() || !is_inexact(leaf.dtype())) continue;
    const Known x(op, leaf, loc);
    std::size_t first = 0, count = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (std::isfinite(x[i].real()) && std::isfinite(x[i].imag())) continue;
      if (count++ == 0) first = i;
    }
    if (count == 0) continue;
    std::string text = at_path(x.str(first), path + place(first, leaf.shape()));
    if (count > 1) text += " and " + std::to_string(count - 1) + " more of " + std::to_string(x.size()) + " elements";
    wrong.push_back(std::move(text));
  }
  if (!wrong.empty()) fail(op, must, listed(wrong), loc);
  const LocationScope scope(loc, op);
  for (const auto& [path, x] : leaves)
    if (!x.known() && is_inexact(x.dtype()))
      check_value(op, must, np::all(np::isfinite(x)), at_path("{}", escaped(path)), {x}, loc);
}

}  // namespace weft::testing::detail

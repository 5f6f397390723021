#include "train/parameter_overview.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train::detail {

namespace {

// Three digits, as Python's format(v, ".3") has them: "0.0", "-0.0123", "12.3", "1.23e+02", "nan".
std::string three_digits(double v) {
  if (!std::isfinite(v)) return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
  char text[32];
  std::snprintf(text, sizeof text, "%.2e", v);
  std::string out = text;
  const auto e = out.find('e');
  const int exponent = std::atoi(out.c_str() + e + 1);
  const auto without_zeros = [](std::string digits) {
    digits.erase(digits.find_last_not_of('0') + 1);
    return digits.back() == '.' ? digits.substr(0, digits.size() - 1) : digits;
  };
  // Python writes 100.0 as 1e+02, as "100.0" would have four digits.
  if (exponent < -4 || exponent > 1) return without_zeros(out.substr(0, e)) + out.substr(e);
  std::snprintf(text, sizeof text, "%.*f", 2 - exponent, v);
  out = without_zeros(text);
  return out.find('.') == std::string::npos ? out + ".0" : out;
}

struct Stats {
  double mean = 0, std = 0;
};

// In double, whatever the dtype, and in two passes.
Stats stats_of(const Array& a) {
  const Array wide = a.astype(f64);
  const auto x = wide.elements<double>();
  Stats out;
  if (x.empty()) return out;
  const auto n = static_cast<double>(x.size());
  for (const double v : x) out.mean += v / n;
  double squares = 0;
  for (const double v : x) squares += (v - out.mean) * (v - out.mean);
  out.std = std::sqrt(squares / n);
  return out;
}

std::string shape_text(const Array& a) {
  std::ostringstream out;
  out << a.shape();
  return out.str();
}

using Row = std::vector<std::string>;

std::string table(const std::vector<Row>& rows, std::size_t max_lines) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string rule = "+";
  for (const std::size_t w : widths) rule += std::string(w + 2, '-') + "+";
  std::vector<std::string> lines{rule};
  for (const Row& row : rows) {
    // Of a table that is too long: room for this line, the last rule and the total.
    if (max_lines != 0 && lines.size() > 3 && lines.size() + 3 >= max_lines && &row != &rows.back()) {
      lines.emplace_back("[...]");
      break;
    }
    std::string line = "|";
    for (std::size_t i = 0; i < row.size(); ++i)
      line += " " + row[i] + std::string(widths[i] - row[i].size(), ' ') + " |";
    lines.push_back(line);
    if (lines.size() == 2) lines.push_back(rule);
  }
  lines.push_back(rule);
  return join(lines, "\n");
}

}  // namespace

std::string parameter_table(const StateValue& tree, const ParameterOverviewOptions& options) {
  std::vector<Row> rows{{"Name", "Shape", "Dtype", "Size"}};
  if (options.stats) rows[0].insert(rows[0].end(), {"Mean", "Std"});
  std::int64_t elements = 0, bytes = 0;
  const StateLeaves leaves(tree, "the tree");
  for (const StateLeaves::Leaf& leaf : leaves.all()) {
    const Array* a = leaf.value->array();
    if (a == nullptr) continue;
    elements += a->size();
    bytes += a->nbytes();
    Row row{leaf.path, shape_text(*a), std::string(numpy_name(a->dtype())), with_commas(number_str(a->size()))};
    if (options.stats && is_complex(a->dtype())) {
      row.insert(row.end(), {"", ""});
    } else if (options.stats) {
      const Stats stats = stats_of(*a);
      row.insert(row.end(), {three_digits(stats.mean), three_digits(stats.std)});
    }
    rows.push_back(std::move(row));
  }
  return table(rows, options.max_lines) + "\nTotal: " + with_commas(number_str(elements)) + " -- " +
         with_commas(number_str(bytes)) + " bytes";
}

std::int64_t num_parameters(const StateValue& tree) {
  std::int64_t n = 0;
  const StateLeaves leaves(tree, "the tree");
  for (const StateLeaves::Leaf& leaf : leaves.all())
    if (const Array* a = leaf.value->array()) n += a->size();
  return n;
}

}  // namespace weft::train::detail

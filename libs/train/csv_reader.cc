#include "train/csv_reader.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "train/csv_rows.h"
#include "train/file.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

std::vector<Series> read_series(const std::string& path, const std::vector<std::string>& names, SourceLocation loc) {
  const LocationScope scope(loc, "read_series");
  std::map<std::string, std::map<std::int64_t, double>, std::less<>> table;
  const std::vector<std::byte> bytes = file_exists(path) ? read_file(path) : std::vector<std::byte>();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t number = 1;
  for (std::size_t at = 0, end = 0; (end = csv_row_end(text, at)) != std::string_view::npos; at = end + 1, ++number) {
    const std::string_view row = text.substr(at, end - at);
    if (number == 1 && row == kCsvTitle) continue;
    const std::size_t first = row.find(','), last = row.rfind(',');
    std::optional<std::int64_t> step;
    std::optional<double> value;
    if (number > 1 && first < last && last != std::string_view::npos) {
      step = parse_integer<std::int64_t>(row.substr(0, first));
      value = parse_number<double>(row.substr(last + 1));
    }
    if (!step || !value)
      throw ParseError("read_series: " + path + " must be a table of rows " + std::string(kCsvTitle) + "; got \"" +
                       std::string(row) + "\" in row " + std::to_string(number) + ".");
    table[csv_text(row.substr(first + 1, last - first - 1))][*step] = *value;
  }

  std::vector<Series> out;
  for (const std::string& name : names) {
    Series& series = out.emplace_back(Series{.name = name});
    const auto found = table.find(name);
    if (found == table.end()) continue;
    for (const auto& [step, value] : found->second) {
      series.x.push_back(static_cast<double>(step));
      series.y.push_back(value);
    }
  }
  return out;
}

}  // namespace weft::train

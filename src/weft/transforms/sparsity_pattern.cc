#include "weft/transforms/sparsity_pattern.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <ostream>

#include "weft/base/hash.h"
#include "weft/base/text.h"
#include "weft/transforms/coloring.h"
#include "weft/transforms/nonzero.h"

namespace weft {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::string size_str(std::int64_t rows, std::int64_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

// So that offsets and picture never overflow, and a slip of the pen does not fill the memory.
constexpr std::int64_t kMostEntries = std::int64_t{1} << 32;

void check_sizes(std::int64_t rows, std::int64_t cols) {
  if (rows < 0 || cols < 0)
    throw ValueError("SparsityPattern: sizes must not be negative; got " + size_str(rows, cols) + ".");
}

void check_entry(std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t cols) {
  if (i < 0 || i >= rows || j < 0 || j >= cols)
    throw IndexError("SparsityPattern: entries must be inside of the matrix; got (" + std::to_string(i) + ", " +
                     std::to_string(j) + ") for " + size_str(rows, cols) + ".");
}

}  // namespace

struct SparsityPattern::Colorings {
  std::once_flag once[3];
  Coloring columns, rows, symmetric;
};

SparsityPattern::SparsityPattern(Data data) {
  data.colorings = std::make_shared<Colorings>();
  data_ = std::make_shared<const Data>(std::move(data));
}

SparsityPattern::SparsityPattern() : SparsityPattern(Data{.offsets = {0}, .columns = {}, .colorings = {}}) {}

SparsityPattern::SparsityPattern(std::int64_t rows, std::int64_t cols, std::vector<Entry> entries, SourceLocation loc) {
  const LocationScope scope(loc, "SparsityPattern");
  check_sizes(rows, cols);
  for (const auto& [i, j] : entries) check_entry(i, j, rows, cols);
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  Data data{.rows = rows,
            .cols = cols,
            .offsets = std::vector<std::int64_t>(at(rows) + 1, 0),
            .columns = {},
            .colorings = {}};
  data.columns.reserve(entries.size());
  for (const auto& [i, j] : entries) {
    ++data.offsets[at(i) + 1];
    data.columns.push_back(j);
  }
  std::partial_sum(data.offsets.begin(), data.offsets.end(), data.offsets.begin());
  *this = SparsityPattern(std::move(data));
}

SparsityPattern::SparsityPattern(const Array& matrix, SourceLocation loc) {
  const LocationScope scope(loc, "SparsityPattern");
  const Aval type = matrix.aval(loc);
  if (type.ndim() != 2) throw ShapeError("SparsityPattern: the matrix must have two axes; got " + type.str() + ".");
  const detail::HostView host = matrix.host("SparsityPattern", loc);
  const std::vector<char> nonzero = transforms::nonzero_elements(type.dtype(), host.view.data, type.size());
  Data data{.rows = type.shape(0), .cols = type.shape(1), .offsets = {0}, .columns = {}, .colorings = {}};
  for (std::int64_t i = 0, k = 0; i < data.rows; ++i) {
    for (std::int64_t j = 0; j < data.cols; ++j)
      if (nonzero[at(k++)]) data.columns.push_back(j);
    data.offsets.push_back(static_cast<std::int64_t>(data.columns.size()));
  }
  *this = SparsityPattern(std::move(data));
}

SparsityPattern SparsityPattern::from_csr(std::int64_t rows, std::int64_t cols, std::span<const std::int64_t> offsets,
                                          std::span<const std::int64_t> columns, SourceLocation loc) {
  const LocationScope scope(loc, "SparsityPattern");
  check_sizes(rows, cols);
  const auto nnz = static_cast<std::int64_t>(columns.size());
  if (static_cast<std::int64_t>(offsets.size()) - 1 != rows || offsets.front() != 0 || offsets.back() != nnz ||
      !std::is_sorted(offsets.begin(), offsets.end()))
    throw ValueError(
        "SparsityPattern: offsets must be one more than there are rows, and ascend from 0 to the number of "
        "entries; got " +
        count_str(static_cast<std::int64_t>(offsets.size()), "offset", "offsets") + " for " + size_str(rows, cols) +
        " with " + count_str(nnz, "entry", "entries") + ".");
  Data data{.rows = rows, .cols = cols, .offsets = {0}, .columns = {}, .colorings = {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto first =
        data.columns.insert(data.columns.end(), columns.begin() + offsets[at(i)], columns.begin() + offsets[at(i) + 1]);
    for (auto j = first; j != data.columns.end(); ++j) check_entry(i, *j, rows, cols);
    std::sort(first, data.columns.end());
    data.columns.erase(std::unique(first, data.columns.end()), data.columns.end());
    data.offsets.push_back(static_cast<std::int64_t>(data.columns.size()));
  }
  return SparsityPattern(std::move(data));
}

SparsityPattern SparsityPattern::banded(std::int64_t n, std::int64_t lower, std::int64_t upper, SourceLocation loc) {
  const LocationScope scope(loc, "SparsityPattern");
  check_sizes(n, n);
  if (lower < 0 || upper < 0)
    throw ValueError("SparsityPattern: a band must have no negative number of diagonals; got " + std::to_string(lower) +
                     " below and " + std::to_string(upper) + " above the main one.");
  lower = std::min(lower, n), upper = std::min(upper, n);
  if (n > 0 && lower + upper + 1 > kMostEntries / n)
    throw ValueError("SparsityPattern: there must be at most 2^32 entries; got " + std::to_string(lower + upper + 1) +
                     " diagonals of " + size_str(n, n) + ".");
  Data data{.rows = n, .cols = n, .offsets = {0}, .columns = {}, .colorings = {}};
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = std::max<std::int64_t>(0, i - lower); j < std::min(n, i + upper + 1); ++j)
      data.columns.push_back(j);
    data.offsets.push_back(static_cast<std::int64_t>(data.columns.size()));
  }
  return SparsityPattern(std::move(data));
}

SparsityPattern SparsityPattern::dense(std::int64_t rows, std::int64_t cols, SourceLocation loc) {
  const LocationScope scope(loc, "SparsityPattern");
  check_sizes(rows, cols);
  if (rows > 0 && cols > kMostEntries / rows)
    throw ValueError("SparsityPattern: there must be at most 2^32 entries; got " + size_str(rows, cols) + ".");
  Data data{.rows = rows, .cols = cols, .offsets = {0}, .columns = {}, .colorings = {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) data.columns.push_back(j);
    data.offsets.push_back(static_cast<std::int64_t>(data.columns.size()));
  }
  return SparsityPattern(std::move(data));
}

std::span<const std::int64_t> SparsityPattern::row(std::int64_t i) const {
  if (i < 0 || i >= rows())
    throw IndexError("SparsityPattern: the row must be inside of the matrix; got row " + std::to_string(i) + " of " +
                     size_str(rows(), cols()) + ".");
  const std::int64_t begin = data_->offsets[at(i)];
  return columns().subspan(at(begin), at(data_->offsets[at(i) + 1] - begin));
}

std::vector<std::int64_t> SparsityPattern::row_indices() const {
  std::vector<std::int64_t> r;
  r.reserve(at(nnz()));
  for (std::int64_t i = 0; i < rows(); ++i) r.insert(r.end(), row(i).size(), i);
  return r;
}

bool SparsityPattern::contains(std::int64_t i, std::int64_t j) const {
  if (i < 0 || i >= rows()) return false;
  const auto r = row(i);
  return std::binary_search(r.begin(), r.end(), j);
}

SparsityPattern SparsityPattern::transposed() const {
  Data data{.rows = cols(),
            .cols = rows(),
            .offsets = std::vector<std::int64_t>(at(cols()) + 1, 0),
            .columns = std::vector<std::int64_t>(at(nnz())),
            .colorings = {}};
  for (const std::int64_t j : columns()) ++data.offsets[at(j) + 1];
  std::partial_sum(data.offsets.begin(), data.offsets.end(), data.offsets.begin());
  std::vector<std::int64_t> next(data.offsets.begin(), data.offsets.end() - 1);
  for (std::int64_t i = 0; i < rows(); ++i)
    for (const std::int64_t j : row(i)) data.columns[at(next[at(j)]++)] = i;
  return SparsityPattern(std::move(data));
}

const Coloring& SparsityPattern::column_coloring() const {
  Colorings& c = *data_->colorings;
  std::call_once(c.once[0], [&] { c.columns = transforms::color_columns(*this); });
  return c.columns;
}
const Coloring& SparsityPattern::row_coloring() const {
  Colorings& c = *data_->colorings;
  std::call_once(c.once[1], [&] { c.rows = transforms::color_columns(transposed()); });
  return c.rows;
}
const Coloring& SparsityPattern::symmetric_coloring() const {
  Colorings& c = *data_->colorings;
  std::call_once(c.once[2], [&] { c.symmetric = transforms::color_symmetric(*this); });
  return c.symmetric;
}

std::string SparsityPattern::str() const {
  constexpr std::int64_t kMostRows = 20, kMostCols = 40;
  std::string text = "SparsityPattern " + size_str(rows(), cols()) + ", " + count_str(nnz(), "entry", "entries");
  if (rows() == 0 || cols() == 0) return text;
  const std::int64_t down = (rows() - 1) / kMostRows + 1, across = (cols() - 1) / kMostCols + 1;
  if (down > 1 || across > 1) text += ", in blocks of " + size_str(down, across);
  std::string line;
  const std::string blank(at((cols() - 1) / across + 1), '.');
  for (std::int64_t i = 0; i < rows(); ++i) {
    if (i % down == 0) line = blank;
    for (const std::int64_t j : row(i)) line[at(j / across)] = 'x';
    if (i % down == down - 1 || i == rows() - 1) text += "\n" + line;
  }
  return text;
}

std::uint64_t SparsityPattern::hash() const {
  std::uint64_t h = hash_mix(static_cast<std::uint64_t>(rows()), static_cast<std::uint64_t>(cols()));
  for (const std::int64_t o : offsets()) h = hash_mix(h, static_cast<std::uint64_t>(o));
  for (const std::int64_t j : columns()) h = hash_mix(h, static_cast<std::uint64_t>(j));
  return h;
}

std::ostream& operator<<(std::ostream& out, const SparsityPattern& pattern) { return out << pattern.str(); }

}  // namespace weft

// Which entries of a matrix may be other than zero: data about a program, never traced, cheap to copy, and used again
// for every call. Knows how its rows and columns are coloured; nothing of functions and derivatives.
// Invariant: columns ascend in every row, and no entry is there twice.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/core/array.h"

namespace weft {

/// A colour for every column (row) of a matrix, -1 for those without entries. One derivative pass computes all of a
/// colour together.
struct Coloring {
  std::vector<std::int32_t> colors;
  std::int32_t num_colors = 0;
};

class SparsityPattern {
 public:
  /// Row and column.
  using Entry = std::pair<std::int64_t, std::int64_t>;

  /// 0 x 0.
  SparsityPattern();
  /// The entries in any order; one that is there twice counts once. ValueError for a negative size, IndexError for an
  /// entry that is outside.
  SparsityPattern(std::int64_t rows, std::int64_t cols, std::vector<Entry> entries,
                  SourceLocation loc = std::source_location::current());
  /// The elements of a matrix that are not zero (for bool, true). ShapeError unless it has two axes,
  /// ConcretizationError when it is only traced.
  explicit SparsityPattern(const Array& matrix, SourceLocation loc = std::source_location::current());
  /// Compressed rows as scipy.sparse.csr_matrix has them: row i has the columns columns[offsets[i]] ...
  /// columns[offsets[i + 1]], in any order. ValueError, IndexError.
  static SparsityPattern from_csr(std::int64_t rows, std::int64_t cols, std::span<const std::int64_t> offsets,
                                  std::span<const std::int64_t> columns,
                                  SourceLocation loc = std::source_location::current());
  /// n x n, with `lower` diagonals under the main one and `upper` above it. ValueError for a negative number.
  static SparsityPattern banded(std::int64_t n, std::int64_t lower, std::int64_t upper,
                                SourceLocation loc = std::source_location::current());
  /// All entries.
  static SparsityPattern dense(std::int64_t rows, std::int64_t cols,
                               SourceLocation loc = std::source_location::current());

  std::int64_t rows() const { return data_->rows; }
  std::int64_t cols() const { return data_->cols; }
  /// The number of entries.
  std::int64_t nnz() const { return static_cast<std::int64_t>(data_->columns.size()); }
  /// The columns of row i, ascending.
  std::span<const std::int64_t> row(std::int64_t i) const;
  /// rows() + 1 places in columns(), where each row begins.
  std::span<const std::int64_t> offsets() const { return data_->offsets; }
  /// The columns of all entries, by row.
  std::span<const std::int64_t> columns() const { return data_->columns; }
  /// The rows of all entries, in the same order.
  std::vector<std::int64_t> row_indices() const;
  bool contains(std::int64_t i, std::int64_t j) const;
  SparsityPattern transposed() const;

  /// Columns that share a row have different colours. Computed once, as are the others.
  const Coloring& column_coloring() const;
  /// Rows that share a column have different colours.
  const Coloring& row_coloring() const;
  /// Of a symmetric matrix: neighbours have different colours, and no path of four vertices has two colours only, so
  /// that every entry is the only one of its colour in its row or in its column.
  const Coloring& symmetric_coloring() const;

  /// The size, the number of entries, and a picture: `x` where there are entries. A large matrix is shown in blocks.
  std::string str() const;
  std::uint64_t hash() const;
  friend bool operator==(const SparsityPattern& a, const SparsityPattern& b) {
    return a.data_ == b.data_ || (a.data_->rows == b.data_->rows && a.data_->cols == b.data_->cols &&
                                  a.data_->offsets == b.data_->offsets && a.data_->columns == b.data_->columns);
  }

 private:
  struct Colorings;
  struct Data {
    std::int64_t rows = 0, cols = 0;
    std::vector<std::int64_t> offsets, columns;
    std::shared_ptr<Colorings> colorings;
  };
  explicit SparsityPattern(Data data);
  std::shared_ptr<const Data> data_;
};

std::ostream& operator<<(std::ostream& out, const SparsityPattern& pattern);

}  // namespace weft

template <>
struct std::hash<weft::SparsityPattern> {
  std::size_t operator()(const weft::SparsityPattern& p) const { return p.hash(); }
};

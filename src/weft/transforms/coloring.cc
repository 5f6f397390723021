#include "weft/transforms/coloring.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "weft/base/hash.h"

namespace weft::transforms {

namespace {

using Vertex = std::int64_t;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Every column with entries by itself.
Coloring all_different(const std::vector<bool>& used) {
  Coloring r;
  for (const bool u : used) r.colors.push_back(u ? r.num_colors++ : -1);
  return r;
}

// Greedy colouring with the smallest colour that is not forbidden.
class Palette {
 public:
  explicit Palette(std::size_t n) : coloring_{std::vector<std::int32_t>(n, -1), 0}, forbidden_for_(n + 1, -1) {}
  std::int32_t color(Vertex v) const { return coloring_.colors[at(v)]; }
  void forbid(std::int32_t color, Vertex v) {
    if (color >= 0) forbidden_for_[at(color)] = v;
  }
  std::int32_t choose(Vertex v) {
    std::int32_t c = 0;
    while (forbidden_for_[at(c)] == v) ++c;
    coloring_.num_colors = std::max(coloring_.num_colors, c + 1);
    return coloring_.colors[at(v)] = c;
  }
  Coloring take() { return std::move(coloring_); }

 private:
  Coloring coloring_;
  std::vector<Vertex> forbidden_for_;  // by colour
};

// The vertices with a positive degree: as they come, and by descending degree.
std::pair<std::vector<Vertex>, std::vector<Vertex>> orders(const std::vector<std::int64_t>& degree) {
  std::vector<Vertex> own;
  for (std::size_t v = 0; v < degree.size(); ++v)
    if (degree[v] > 0) own.push_back(static_cast<Vertex>(v));
  std::vector<Vertex> largest_first = own;
  std::stable_sort(largest_first.begin(), largest_first.end(),
                   [&](Vertex a, Vertex b) { return degree[at(a)] > degree[at(b)]; });
  return {std::move(own), std::move(largest_first)};
}

template <class Color>
Coloring better_of_orders(const std::vector<std::int64_t>& degree, Color&& color) {
  const auto [own, largest_first] = orders(degree);
  Coloring a = color(own);
  if (own == largest_first) return a;
  Coloring b = color(largest_first);
  return b.num_colors < a.num_colors ? b : a;
}

// Rows with the same columns say the same once.
std::vector<std::int64_t> distinct_rows(const SparsityPattern& p) {
  std::vector<std::int64_t> r;
  std::unordered_multimap<std::uint64_t, std::int64_t> by_hash;
  for (std::int64_t i = 0; i < p.rows(); ++i) {
    const auto row = p.row(i);
    if (row.empty()) continue;
    std::uint64_t hash = row.size();
    for (const std::int64_t j : row) hash = hash_mix(hash, static_cast<std::uint64_t>(j));
    const auto [begin, end] = by_hash.equal_range(hash);
    const bool known = std::any_of(begin, end, [&](const auto& other) {
      const auto there = p.row(other.second);
      return std::equal(there.begin(), there.end(), row.begin(), row.end());
    });
    if (known) continue;
    by_hash.emplace(hash, i);
    r.push_back(i);
  }
  return r;
}

}  // namespace

Coloring color_columns(const SparsityPattern& pattern) {
  const auto n = at(pattern.cols());
  std::vector<bool> used(n, false);
  for (const std::int64_t j : pattern.columns()) used[at(j)] = true;
  const auto num_used = static_cast<std::size_t>(std::count(used.begin(), used.end(), true));
  const std::vector<std::int64_t> rows = distinct_rows(pattern);
  // A full row leaves nothing to choose.
  for (const std::int64_t i : rows)
    if (pattern.row(i).size() == num_used) return all_different(used);

  std::vector<std::vector<std::int64_t>> rows_of(n);
  std::vector<std::int64_t> degree(n, 0);
  for (const std::int64_t i : rows)
    for (const std::int64_t j : pattern.row(i)) {
      rows_of[at(j)].push_back(i);
      degree[at(j)] += static_cast<std::int64_t>(pattern.row(i).size());
    }
  return better_of_orders(degree, [&](const std::vector<Vertex>& order) {
    Palette palette(n);
    for (const Vertex v : order) {
      for (const std::int64_t i : rows_of[at(v)])
        for (const std::int64_t w : pattern.row(i)) palette.forbid(palette.color(w), v);
      palette.choose(v);
    }
    return palette.take();
  });
}

namespace {

// Greedy star colouring in time (entries x colours): a path of four vertices gets its last colour at one of its ends,
//   v - w - x - y:  w has a neighbour x that has another neighbour, y, of w's colour; x's colour is bad for w's others,
// or inside,
//   x - w - v - y:  two neighbours of v have one colour; the colours around them are bad for v.
class StarColoring {
 public:
  StarColoring(const SparsityPattern& pattern, const std::vector<Vertex>& order)
      : pattern_(pattern), palette_(at(pattern.rows())), around_(at(pattern.rows())), bad_(at(pattern.rows())) {
    for (const Vertex v : order) color(v);
  }
  Coloring take() { return palette_.take(); }

 private:
  // The coloured neighbours of a vertex that have one colour.
  struct Group {
    std::int32_t color;
    std::int64_t count;
    Vertex first;
  };

  void color(Vertex v) {
    for (const Vertex w : pattern_.row(v)) {
      const std::int32_t c = palette_.color(w);
      if (w == v || c < 0) continue;
      palette_.forbid(c, v);
      for (const std::int32_t b : bad_[at(w)]) palette_.forbid(b, v);
      if (group(v, c).count > 1)
        for (const Group& g : around_[at(w)]) palette_.forbid(g.color, v);
    }
    const std::int32_t c = palette_.choose(v);
    for (const Vertex w : pattern_.row(v)) {
      if (w == v) continue;
      Group& g = group(w, c);
      if (g.count++ == 0) g.first = v;
      const std::int32_t d = palette_.color(w);
      if (d < 0) continue;
      // v is between w and another vertex of w's colour; w is between v and another of v's colour.
      if (group(v, d).count > 1) add_bad(w, c);
      if (g.count == 2) add_bad(g.first, d);
      if (g.count >= 2) add_bad(v, d);
    }
  }

  Group& group(Vertex v, std::int32_t color) {
    for (Group& g : around_[at(v)])
      if (g.color == color) return g;
    return around_[at(v)].emplace_back(Group{color, 0, v});
  }
  void add_bad(Vertex v, std::int32_t color) {
    auto& bad = bad_[at(v)];
    if (std::find(bad.begin(), bad.end(), color) == bad.end()) bad.push_back(color);
  }

  const SparsityPattern& pattern_;
  Palette palette_;
  std::vector<std::vector<Group>> around_;
  std::vector<std::vector<std::int32_t>> bad_;
};

SparsityPattern with_diagonal(const SparsityPattern& p) {
  std::vector<std::int64_t> offsets{0}, columns;
  for (std::int64_t i = 0; i < p.rows(); ++i) {
    const auto row = p.row(i);
    columns.insert(columns.end(), row.begin(), row.end());
    if (!row.empty() && !p.contains(i, i)) columns.push_back(i);
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return SparsityPattern::from_csr(p.rows(), p.cols(), offsets, columns);
}

}  // namespace

Coloring color_symmetric(const SparsityPattern& pattern) {
  std::vector<bool> used;
  std::vector<std::int64_t> degree;
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < pattern.rows(); ++i) {
    degree.push_back(static_cast<std::int64_t>(pattern.row(i).size()));
    used.push_back(degree.back() > 0);
    n += used.back();
  }
  // A graph with e edges has a vertex whose neighbours need about e / n colours: nothing is left to gain.
  if (pattern.nnz() > n * n / 2) return all_different(used);
  Coloring star =
      better_of_orders(degree, [&](const std::vector<Vertex>& order) { return StarColoring(pattern, order).take(); });
  Coloring distance_2 = color_columns(with_diagonal(pattern));
  return distance_2.num_colors < star.num_colors ? distance_2 : star;
}

std::vector<std::int64_t> symmetric_positions(const SparsityPattern& pattern, const Coloring& coloring) {
  const std::int64_t n = pattern.rows();
  // How many neighbours of row i have each colour; `row_of` says for which row a count holds.
  std::vector<std::int64_t> count(at(coloring.num_colors), 0), row_of(at(coloring.num_colors), -1);
  std::vector<std::int64_t> positions;
  positions.reserve(at(pattern.nnz()));
  for (std::int64_t i = 0; i < n; ++i) {
    for (const std::int64_t j : pattern.row(i)) {
      const std::size_t c = at(coloring.colors[at(j)]);
      if (row_of[c] != i) count[c] = 0;
      row_of[c] = i;
      ++count[c];
    }
    // Alone of its colour in row i, an entry is what the product shows there; otherwise it is alone in row j.
    for (const std::int64_t j : pattern.row(i)) {
      const std::int64_t c = coloring.colors[at(j)];
      positions.push_back(count[at(c)] == 1 ? c * n + i : coloring.colors[at(i)] * n + j);
    }
  }
  return positions;
}

}  // namespace weft::transforms

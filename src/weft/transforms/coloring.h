// Colours for the columns of a sparse matrix, so that few products with vectors show all of its entries.
//
// A. H. Gebremedhin, F. Manne, A. Pothen, "What Color Is Your Jacobian? Graph Coloring for Computing Derivatives",
// SIAM Review 47 (2005). Both are greedy, over the vertices by descending degree and in their own order, whichever
// needs fewer colours; a pattern always gets the same colours.
#pragma once

#include "weft/transforms/sparsity_pattern.h"

namespace weft::transforms {

/// Distance-2 colouring: columns that share a row differ.
Coloring color_columns(const SparsityPattern& pattern);

/// Star colouring of a symmetric pattern, see SparsityPattern::symmetric_coloring. Never more colours than
/// color_columns needs for the pattern with its diagonal.
Coloring color_symmetric(const SparsityPattern& pattern);

/// Where the products show the entries of a symmetric matrix H: entry k of the pattern is element positions[k] of the
/// row-major matrix of [num_colors, n] whose row c is H times the indicator of colour c.
std::vector<std::int64_t> symmetric_positions(const SparsityPattern& pattern, const Coloring& coloring);

}  // namespace weft::transforms

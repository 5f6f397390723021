// All prefixes of arrays combined by an associative function, in a tree of depth log n: what associative_scan and the
// cumulative functions are made of; and the rows of arrays along their first axes, on which it works.
#pragma once

#include <span>

#include "weft/base/function_ref.h"
#include "weft/core/array.h"

namespace weft::ops {

/// Positions from, from + step, ... before `to` along the first axis.
Array rows(const Array& x, std::int64_t from, std::int64_t to, std::int64_t step = 1);
Arrays rows(std::span<const Array> xs, std::int64_t from, std::int64_t to, std::int64_t step = 1);
/// Rows in groups of `size`, which divides their number: a new second axis. And the reverse.
Array in_groups(const Array& x, std::int64_t size);
Array out_of_groups(const Array& x);

/// Combines arrays row by row.
using CombineRows = FunctionRef<void(std::span<const Array> a, std::span<const Array> b, Arrays& outs)>;
/// Row i is that of rows 0 to i of `elements`, which have `n`, combined in order.
Arrays prefixes(CombineRows combine, std::span<const Array> elements, std::int64_t n);

}  // namespace weft::ops

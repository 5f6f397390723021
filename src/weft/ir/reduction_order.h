// The order in which the elements of a reduction meet: a tree that shapes alone decide, the same in kernels, in
// generated code and in programs that compilers write, so that a sum has the same bits whoever computes it.
// Constants only: files compiled for different instruction sets include it.
#pragma once

#include <cstdint>

namespace weft {

/// A row, elements beside each other, is reduced in blocks of so many; their results are a row again.
inline constexpr std::int64_t kReduceRowBlock = 32768;
/// Columns are reduced in blocks of so many elements; their results are columns again.
inline constexpr std::int64_t kReduceColumnBlock = 512;
/// Few columns are folded: several rows count as one until they are this wide (reduction_fold).
inline constexpr std::int64_t kReduceFoldWidth = 256;

/// Within a block an accumulator takes so many elements in turn, a leaf; leaves are joined in pairs.
inline constexpr int kReduceLeaf = 16;
/// The elements of a row go in turn to so many accumulators of lanes, each of so many bytes.
inline constexpr int kReduceGroups = 4;
inline constexpr std::int64_t kReduceGroupBytes = 64;

}  // namespace weft

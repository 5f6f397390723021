// The parameters of contractions and reductions. Here, not in ops/, because compilers read them too.
#pragma once

#include "weft/ir/params.h"

namespace weft {

/// Axes of a dot_general. Prints as "(([1], [0]), ([], []))": contracting, then batch.
struct DotDimensionNumbers {
  Dims lhs_contracting, rhs_contracting;
  Dims lhs_batch, rhs_batch;
  friend bool operator==(const DotDimensionNumbers&, const DotDimensionNumbers&) = default;
};

void print_param(ir::ParamWriter& w, const DotDimensionNumbers& v);
void parse_param(TextCursor& in, DotDimensionNumbers& v);
std::uint64_t hash_param(const DotDimensionNumbers& v);

/// What is added up in one run by an ordered product, of each operand.
inline constexpr std::int64_t kOrderedRunBytes = 1024;

struct DotGeneralParams {
  DotDimensionNumbers dimension_numbers;
  DType preferred_element_type = f32;
  /// Whether sums have an order: in that of the contracting axes as they are listed, the last varying fastest, in runs
  /// of kOrderedRunBytes, each of which starts from 0 and is added to those before; every product and every sum rounded
  /// on its own. Of f32 and f64 with results of their own type; compilers make such products (Fp::kStrict).
  bool ordered = false;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("dimension_numbers", &DotGeneralParams::dimension_numbers),
                 ir::field("preferred_element_type", &DotGeneralParams::preferred_element_type),
                 ir::optional_field("ordered", &DotGeneralParams::ordered));
  }
};

enum class ReduceKind : std::uint8_t { kSum, kProd, kMax, kMin, kAnd, kOr, kXor };
inline constexpr std::string_view kReduceKindNames[] = {"sum", "prod", "max", "min", "and", "or", "xor"};
constexpr std::span<const std::string_view> enum_names(ReduceKind) { return kReduceKindNames; }

/// reduce: printed as reduce_sum, reduce_prod, ...
struct ReduceParams {
  ReduceKind kind{};
  Dims axes;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("kind", &ReduceParams::kind), ir::field("axes", &ReduceParams::axes));
  }
};

/// argmax and argmin.
struct ArgReduceParams {
  std::int64_t axis = 0;
  DType index_dtype = i32;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("axis", &ArgReduceParams::axis), ir::field("index_dtype", &ArgReduceParams::index_dtype));
  }
};

/// cumsum adds in blocks of this many elements along the axis: y[i] = c + t, where t is the sum of the block's elements
/// up to i, one after the other, and c that of the sums of the blocks before. So sums of numbers >= 0 never fall, and
/// blocks can be summed at the same time.
inline constexpr std::int64_t kCumsumBlock = 64;

struct CumsumParams {
  std::int64_t axis = 0;
  bool reverse = false;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("axis", &CumsumParams::axis), ir::field("reverse", &CumsumParams::reverse));
  }
};

}  // namespace weft

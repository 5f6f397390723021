// Maps dot_general onto a strided matmul: each group of dimensions (batch, free, contracting) must step through its
// operand with one stride, that of the batch with two at most, and one of them along neighbours; or else the operand is
// copied. Free dimensions of rhs on both sides of the contracting ones can be a batch instead.
#include <algorithm>
#include <optional>

#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/matmul.h"
#include "weft/cpu/kernels/scratch.h"

namespace weft::cpu {
namespace {

struct Group {
  std::int64_t size = 1, stride = 0;
};

// The dimensions `dims` of an operand, in this order, as one; none when their strides do not continue one another.
std::optional<Group> merge(DimSpan shape, DimSpan strides, DimSpan dims) {
  Group g;
  bool first = true;
  for (std::size_t i = dims.size(); i-- > 0;) {
    const std::size_t d = static_cast<std::size_t>(dims[i]);
    if (shape[d] == 1) continue;
    if (first)
      g.stride = strides[d];
    else if (strides[d] != g.stride * g.size)
      return std::nullopt;
    g.size *= shape[d];
    first = false;
  }
  return g;
}

Dims free_dims(std::size_t rank, DimSpan batch, DimSpan contracting) {
  Dims r;
  for (std::int64_t d = 0; d < static_cast<std::int64_t>(rank); ++d)
    if (std::find(batch.begin(), batch.end(), d) == batch.end() &&
        std::find(contracting.begin(), contracting.end(), d) == contracting.end())
      r.push_back(d);
  return r;
}

Dims join(DimSpan a, DimSpan b, DimSpan c) {
  Dims r(a);
  r.append(b.begin(), b.end());
  r.append(c.begin(), c.end());
  return r;
}

std::int64_t size_of(DimSpan shape, DimSpan dims) {
  std::int64_t n = 1;
  for (const std::int64_t d : dims) n *= shape[static_cast<std::size_t>(d)];
  return n;
}

// Strides of one operand: batch (outer and inner axes), free, contracting; or, when it must be transposed first, by
// which permutation.
struct Side {
  std::int64_t batch = 0, inner = 0, free = 0, contracting = 0;
  Dims permutation;
};
// `split`: how many of the batch's axes are outer ones.
// `dots`: neither operand has free elements, and so no product has neighbours but along what is summed over.
Side plan_side(DimSpan shape, DimSpan batch, std::size_t split, DimSpan free, DimSpan contracting, bool dots) {
  constexpr std::int64_t kShortDot = 8;
  const Dims strides = row_major_strides(shape);
  const auto outer = merge(shape, strides, batch.first(split)), inner = merge(shape, strides, batch.subspan(split));
  const auto f = merge(shape, strides, free), k = merge(shape, strides, contracting);
  // Products want neighbours along one side.
  const bool neighbours =
      f && k && (f->stride == 1 || k->stride == 1 || (f->size == 1 && !dots) || k->size <= (dots ? kShortDot : 1));
  if (outer && inner && neighbours) return {outer->stride, inner->stride, f->stride, k->stride, {}};
  const std::int64_t depth = size_of(shape, contracting), size = size_of(shape, free) * depth;
  return {size_of(shape, batch.subspan(split)) * size, size, depth, 1, join(batch, free, contracting)};
}

// What such a product must be worth, beside what it takes to start one and what its vectors leave unused: those of 16
// columns take twice as long as one of all that are copied first, those of 32 less.
constexpr std::int64_t kOuterFreeColumns = 32, kOuterFreeProducts = 1024;
// Free dimensions of rhs on both sides of those that are summed over, as an average along a middle axis has them: where
// rhs lies as it is, each index of the outer ones has a product of its own with all of lhs.
struct OuterFree {
  Group outer;
  Side side;  // of the others
};
std::optional<OuterFree> plan_outer_free(DimSpan shape, DimSpan free, DimSpan contracting) {
  const Dims strides = row_major_strides(shape);
  const auto k = merge(shape, strides, contracting);
  if (!k) return std::nullopt;
  for (std::size_t split = 1; split < free.size(); ++split) {
    const auto outer = merge(shape, strides, free.first(split)), inner = merge(shape, strides, free.subspan(split));
    if (outer && outer->size > 1 && inner && inner->stride == 1 && inner->size >= kOuterFreeColumns &&
        inner->size * k->size >= kOuterFreeProducts)
      return OuterFree{*outer, {0, 0, inner->stride, k->stride, {}}};
  }
  return std::nullopt;
}
// Up to how many rows of lhs that takes less time than a copy of rhs. In f32 it is a fifth for 2 rows and nine tenths
// for 128; with more the copy costs nothing, and results that lie apart do, unless sums are long. Small floats are
// widened by each product, or fall below what the library is worth.
std::int64_t outer_free_rows(DType dtype, std::int64_t summed) {
  return dtype == bf16 || dtype == f16 ? 8 : std::max<std::int64_t>(128, 2 * summed);
}

// Sorts `keys`, and `others` along with it.
void sort_pairs(Dims& keys, Dims& others) {
  for (std::size_t i = 1; i < keys.size(); ++i)
    for (std::size_t j = i; j > 0 && keys[j - 1] > keys[j]; --j) {
      std::swap(keys[j - 1], keys[j]);
      std::swap(others[j - 1], others[j]);
    }
}

}  // namespace

DotPlan plan_dot_general(DType dtype, DType result, DimSpan lhs_shape, DimSpan rhs_shape, DimSpan lhs_batch,
                         DimSpan rhs_batch, DimSpan lhs_contracting, DimSpan rhs_contracting) {
  const Dims lhs_free = free_dims(lhs_shape.size(), lhs_batch, lhs_contracting);
  const Dims rhs_free = free_dims(rhs_shape.size(), rhs_batch, rhs_contracting);
  const std::int64_t m = size_of(lhs_shape, lhs_free), n = size_of(rhs_shape, rhs_free);
  const bool dots = m == 1 && n == 1;
  // The pairs may be taken in any order: the one in which they lie in lhs, or in rhs; and the batch's axes be split
  // anywhere. Whichever copies least, the first of those.
  Dims lk(lhs_contracting), rk(rhs_contracting), lk2, rk2;
  sort_pairs(lk, rk);
  lk2 = lk, rk2 = rk;
  sort_pairs(rk2, lk2);
  Side l, r;
  std::size_t split = 0;
  std::int64_t least = -1;
  for (std::size_t s = 0; s <= lhs_batch.size() && least != 0; ++s)
    for (const auto& [in_l, in_r] : {std::pair(lk, rk), std::pair(lk2, rk2)}) {
      Side lhs = plan_side(lhs_shape, lhs_batch, s, lhs_free, in_l, dots),
           rhs = plan_side(rhs_shape, rhs_batch, s, rhs_free, in_r, dots);
      const std::int64_t copied =
          (lhs.permutation.empty() ? 0 : product(lhs_shape)) + (rhs.permutation.empty() ? 0 : product(rhs_shape));
      if (least >= 0 && copied >= least) continue;
      l = std::move(lhs), r = std::move(rhs), split = s, least = copied;
    }
  Group outer;  // free dimensions of rhs that are the batch
  if (!r.permutation.empty() && lhs_batch.empty() && m <= outer_free_rows(dtype, size_of(lhs_shape, lhs_contracting)))
    if (auto apart = plan_outer_free(rhs_shape, rhs_free, rk2)) {
      outer = apart->outer;
      r = std::move(apart->side);
      r.batch = outer.stride;
      l = plan_side(lhs_shape, lhs_batch, 0, lhs_free, lk2, false);
      l.batch = 0;
    }
  DotPlan plan;
  MatmulProblem& p = plan.problem;
  p.dtype = dtype;
  p.result = result;
  p.batch = size_of(lhs_shape, lhs_batch) * outer.size;
  p.m = m;
  p.n = n / outer.size;
  p.k = size_of(lhs_shape, lhs_contracting);
  p.inner = size_of(lhs_shape, lhs_batch.subspan(split));
  p.a_inner = l.inner, p.b_inner = r.inner;
  p.a_batch = l.batch, p.a_row = l.free, p.a_col = l.contracting;
  p.b_batch = r.batch, p.b_row = r.contracting, p.b_col = r.free;
  p.c_batch = outer.size > 1 ? p.n : p.m * p.n;
  p.c_row = n;
  plan.lhs_permutation = std::move(l.permutation);
  plan.rhs_permutation = std::move(r.permutation);
  for (const std::int64_t d : lhs_batch) plan.result_shape.push_back(lhs_shape[static_cast<std::size_t>(d)]);
  for (const std::int64_t d : lhs_free) plan.result_shape.push_back(lhs_shape[static_cast<std::size_t>(d)]);
  for (const std::int64_t d : rhs_free) plan.result_shape.push_back(rhs_shape[static_cast<std::size_t>(d)]);
  return plan;
}

void run_dot_general(const DotPlan& plan, DimSpan lhs_shape, DimSpan rhs_shape, const void* lhs, const void* rhs,
                     void* out) {
  const std::int64_t bytes = byte_size(plan.problem.dtype);
  if (plan.lhs_permutation.empty() && plan.rhs_permutation.empty()) {
    matmul(plan.problem, lhs, rhs, out);
    return;
  }
  Scratch l(plan.lhs_permutation.empty() ? 0 : product(lhs_shape) * bytes);
  Scratch r(plan.rhs_permutation.empty() ? 0 : product(rhs_shape) * bytes);
  if (!plan.lhs_permutation.empty()) transpose(bytes, lhs_shape, plan.lhs_permutation, lhs, l.data());
  if (!plan.rhs_permutation.empty()) transpose(bytes, rhs_shape, plan.rhs_permutation, rhs, r.data());
  matmul(plan.problem, plan.lhs_permutation.empty() ? lhs : l.data(), plan.rhs_permutation.empty() ? rhs : r.data(),
         out);
}

}  // namespace weft::cpu

// A function of a batch, computed for parts of the batch one after the other: less memory.
#pragma once

#include "optim/masking.h"
#include "weft/api/control_flow.h"
#include "weft/api/jit.h"
#include "weft/np/indexing.h"

namespace weft::optim {

/// What becomes of the results of the parts.
enum class Accumulation : std::uint8_t {
  kSum,
  kMean,    ///< of floats or complex numbers: DTypeError
  kConcat,  ///< along their first axes
};
/// For each leaf of a result: one for all, or a tree of them.
using Accumulations = PerLeaf<Accumulation>;

namespace detail {

/// IndexError unless each is the number of an argument.
void check_argnums(const std::vector<int>& argnums, std::size_t arguments);
/// Leaves [parts, size, ...] of those of a batch, [parts * size, ...]. ValueError unless there are some, ShapeError
/// unless they have one first axis, whose size is a positive multiple of `size`.
Leaves split_batch(const Leaves& batch, std::int64_t size);
/// What sums begin with: zeros of f32 at least, of what has the types of a part's results; none of what is not summed.
Leaves begin_sums(const Leaves& types, const std::vector<Accumulation>& how);
/// The next sums, and what is not summed of a part.
std::pair<Leaves, Leaves> add_part(const Leaves& sums, const Leaves& part, const std::vector<Accumulation>& how);
/// The whole results from the sums and from the stacked rest, in the dtypes of `types`.
Leaves finish_parts(const Leaves& sums, const Leaves& rest, const Leaves& types, const std::vector<Accumulation>& how,
                    std::int64_t parts);

}  // namespace detail

/// A function like f, of arguments of which those with the numbers `argnums` have a batch along the first axes of all
/// leaves: f gets microbatch_size of it at a time, in order, in a scan, and its results, trees of arrays, are summed,
/// or what `accumulator` says of each. Sums of 16-bit numbers are made in f32.
///   const auto g = microbatch(grad(loss), {1, 2}, 32, Accumulation::kMean);
///   g(params, x, y)
/// ValueError unless microbatch_size is positive and divides the batch, ShapeError unless batches have one size,
/// IndexError for other argnums, TreeError when the tree of accumulations does not fit. Source: optax.microbatch.
template <class F>
auto microbatch(F f, std::vector<int> argnums, std::int64_t microbatch_size,
                Accumulations accumulator = Accumulation::kSum, SourceLocation loc = std::source_location::current()) {
  const detail::Require check("microbatch", loc);
  check.at_least("microbatch_size", microbatch_size, 1);
  return [f = std::move(f), argnums = std::move(argnums), microbatch_size, accumulator = std::move(accumulator),
          loc]<class... A>(const A&... args) {
    const LocationScope scope(loc, "microbatch");
    detail::check_argnums(argnums, sizeof...(A));
    // Calls visit(argument) for the arguments with a batch.
    const auto for_batched = [&](std::tuple<A...>& all, auto&& visit) {
      int i = 0;
      const auto one = [&](auto& own) {
        if (std::find(argnums.begin(), argnums.end(), i++) != argnums.end()) visit(own);
      };
      std::apply([&](auto&... own) { (one(own), ...); }, all);
    };
    std::tuple<A...> whole(args...);
    Leaves batch;
    for_batched(whole, [&](const auto& own) { tree::for_each(own, [&](const Array& a) { batch.push_back(a); }); });
    const Leaves parts = detail::split_batch(batch, microbatch_size);

    const auto of_part = [&](const Leaves& part) {
      std::tuple<A...> own = whole;
      std::size_t next = 0;
      for_batched(own, [&](auto& batched) { tree::for_each(batched, [&](Array& a) { a = part[next++]; }); });
      return std::apply(f, own);
    };
    Leaves first;
    for (const Array& x : parts) first.push_back(x(0));
    auto result = eval_shape(of_part, first);
    const Leaves types = detail::leaves_of(result);
    const std::vector<Accumulation> how = accumulator.of("microbatch", result);
    const auto [sums, rest] =
        scan([&](Leaves sums, Leaves part) { return detail::add_part(sums, detail::leaves_of(of_part(part)), how); },
             detail::begin_sums(types, how), parts);
    return tree::with_leaves(std::move(result), detail::finish_parts(sums, rest, types, how, parts[0].shape(0)));
  };
}

}  // namespace weft::optim

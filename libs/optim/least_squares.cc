#include "optim/least_squares.h"

#include "optim/hyperparam.h"
#include "weft/weft.h"

namespace weft::optim {

namespace {

Array transposed(const Array& a) { return np::swapaxes(a, -1, -2); }
Array times(const Array& matrix, const Array& vector) {
  return np::squeeze(np::matmul(matrix, np::expand_dims(vector, -1)), -1);
}
Array sum(const Array& x) { return np::sum(x, -1, {.keepdims = true}); }

// Where the iteration is, where the next step begins, and how much it leans on the step before.
struct Steps {
  Array x, from, momentum;
};

}  // namespace

Array nnls(const Arg& A, const Arg& b, std::int64_t iters, const NnlsOptions& options) {
  const detail::Require check("nnls", A.location());
  check.at_least("iters", iters, 1).at_least("unroll", options.unroll, 1);
  if (options.L) check.positive("L", *options.L);
  const Array matrix = A.array(), wanted = b.array();
  for (const Array& a : {matrix, wanted})
    if (is_complex(a.dtype())) throw DTypeError("nnls: A and b must be real; got " + a.aval().str() + ".");
  if (matrix.ndim() < 2 || wanted.ndim() < 1 || matrix.shape(-2) != wanted.shape(-1))
    throw ShapeError("nnls: b must have a number for each row of the matrix A; got A " + matrix.aval().str() +
                     " and b " + wanted.aval().str() + ".");
  const DType t = np::inexact_dtype(np::result_type({matrix, wanted}));
  const Array a = matrix.astype(t), at = transposed(a), ata = np::matmul(at, a), atb = times(at, wanted.astype(t));
  // No eigenvalue is above the largest sum of a row's magnitudes. Of zeros any x is as good.
  const Array largest = np::max(np::sum(np::abs(ata), -1), -1, {.keepdims = true});
  const Array bound = options.L ? np::full({}, *options.L, t) : np::where(largest > 0, largest, 1);

  const Array zero = np::zeros_like(atb + times(ata, np::zeros_like(atb)));
  const auto step = [&](const Steps& s) {
    const Array x = np::maximum(s.from - (times(ata, s.from) - atb) / bound, 0);
    const Array back = sum((s.from - x) * (x - s.x)) > 0;
    const Array momentum = np::where(back, 1, (1 + np::sqrt(1 + 4 * s.momentum * s.momentum)) / 2);
    const Array lean = np::where(back, 0, (s.momentum - 1) / momentum);
    return Steps{x, x + lean * (x - s.x), momentum};
  };
  const auto last =
      scan([&](const Steps& s) { return std::pair(step(s), std::tuple<>()); },
           Steps{zero, zero, np::ones_like(sum(zero))}, no_xs, {.length = iters, .unroll = options.unroll})
          .first;
  return last.x;
}

}  // namespace weft::optim

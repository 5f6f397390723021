#include "weft/api/grad.h"

#include "weft/ops/common.h"

namespace weft::api {

void check_grad_inputs(const char* what, const PathLeaves& leaves, const std::vector<bool>& which) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < leaves.arrays.size(); ++i) {
    if (!leaves.arrays[i].defined()) continue;
    if (!which[next++]) continue;
    const Aval aval = leaves.arrays[i].aval();
    if (!is_inexact(aval.dtype()))
      throw NotDifferentiableError(
          std::string(what) + ": differentiated arguments must be float or complex; got " + aval.str() + " for " +
              leaves.paths[i] + ".",
          "convert it with astype(f32), or differentiate another argument: " + std::string(what) + "<1>(f).");
  }
}

void check_grad_output(const char* what, const Array& loss) {
  const std::string op(what);
  if (!loss.defined())
    throw ShapeError(op + ": the function must return a scalar; got none, a default-constructed Array.");
  const Aval y = loss.aval();
  if (y.ndim() != 0)
    throw ShapeError(op + ": the function must return a scalar; got " + y.str() + ".",
                     "reduce it with np::sum or np::mean, or use jacrev for all its derivatives.");
  if (!is_float(y.dtype()))
    throw DTypeError(op + ": the function must return a real float; got " + y.str() + ".",
                     is_complex(y.dtype()) ? "take np::real(y) or np::abs(y), or use vjp, which allows complex results."
                                           : "integers and bool have no derivative; compute the loss in floats.");
}

void check_jacobian(bool forward, const char* what, std::span<const Array> inputs, std::span<const Array> outs,
                    bool none_result) {
  const std::string op(what);
  if (none_result) throw ShapeError(op + ": the function must return an array; got none, a default-constructed Array.");
  for (const Array& x : inputs)
    if (forward && is_complex(x.dtype()))
      throw DTypeError(op + ": differentiated arguments must be real; got " + x.aval().str() + ".",
                       "differentiate by real and imaginary part, or use jvp, which takes complex tangents.");
  for (const Array& y : outs) {
    if (!is_inexact(y.dtype()))
      throw DTypeError(op + ": results must be float or complex; got " + y.aval().str() + ".",
                       "integers and bool have no derivative.");
    if (!forward && is_complex(y.dtype()))
      throw DTypeError(op + ": results must be real; got " + y.aval().str() + ".",
                       "return real and imaginary part, or use vjp, which takes complex cotangents.");
  }
}

namespace {

// The rows of an identity matrix of x's size, each in x's shape.
Array standard_basis(Aval x) {
  const std::int64_t n = x.size();
  const Dims square{n, n};
  const Array eye = lax::convert(lax::eq(lax::iota(i32, square, 0), lax::iota(i32, square, 1)), x.dtype());
  Dims shape(x.shape());
  shape.insert(shape.begin(), n);
  return lax::reshape(eye, shape);
}

Dims joined(DimSpan a, DimSpan b) {
  Dims r(a);
  r.append(b.begin(), b.end());
  return r;
}

// [mapped, rest...] with the mapped axis in front, whatever vmap made of it.
Array in_front(const Array& x, int bdim, std::int64_t size) { return ops::bdim_to_front(x, bdim, size); }

}  // namespace

Arrays jacobian_columns(const transforms::Linearized& lin, std::span<const Array> inputs, const std::string& name) {
  std::vector<Arrays> by_output(lin.outs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Aval x = inputs[k].aval();
    const FlatFunction push = [&](std::span<const Array> tangent, Arrays& outs) {
      Arrays args = lin.residuals;
      for (std::size_t i = 0; i < inputs.size(); ++i) args.push_back(i == k ? tangent[0] : zeros_of(inputs[i].aval()));
      eval_jaxpr(lin.tangent, args, outs);
    };
    Arrays columns;
    Bdims bdims;
    const Array basis = standard_basis(x);
    const int axis = 0;
    transforms::vmap(push, {&basis, 1}, {&axis, 1}, MappedAxis{x.size()}, name, columns, bdims);
    for (std::size_t o = 0, next = 0; o < lin.outs.size(); ++o) {
      const Aval y = lin.outs[o].aval();
      const Dims shape = joined(y.shape(), x.shape());
      if (!lin.has_tangent[o]) {
        by_output[o].push_back(zeros_of(Aval(y.dtype(), shape)));
        continue;
      }
      const Array rows = in_front(columns[next], bdims[next], x.size());
      ++next;
      Dims to_back;
      for (int i = 1; i <= y.ndim(); ++i) to_back.push_back(i);
      to_back.push_back(0);
      by_output[o].push_back(lax::reshape(lax::transpose(rows, to_back), shape));
    }
  }
  Arrays blocks;
  for (const Arrays& row : by_output) blocks.append(row.begin(), row.end());
  return blocks;
}

Arrays jacobian_rows(const transforms::Linearized& lin, std::span<const Array> inputs, const std::string& name) {
  Arrays blocks;
  for (std::size_t o = 0; o < lin.outs.size(); ++o) {
    const Aval y = lin.outs[o].aval();
    const FlatFunction pull = [&](std::span<const Array> ct, Arrays& outs) {
      Arrays cts(lin.outs.size());
      cts[o] = ct[0];
      const Arrays input_cts = pull_back(lin, std::vector<bool>(inputs.size(), true), cts);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        outs.push_back(input_cts[i].defined() ? input_cts[i] : zeros_of(inputs[i].aval()));
    };
    Arrays rows;
    Bdims bdims;
    const Array basis = standard_basis(y);
    const int axis = 0;
    transforms::vmap(pull, {&basis, 1}, {&axis, 1}, MappedAxis{y.size()}, name, rows, bdims);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      blocks.push_back(lax::reshape(in_front(rows[i], bdims[i], y.size()), joined(y.shape(), inputs[i].shape())));
  }
  return blocks;
}

}  // namespace weft::api

#include "nn/linear.h"

#include "weft/weft.h"

namespace weft::nn {

namespace {

void check_size(const char* op, const char* what, std::int64_t n) {
  if (n < 1) throw ValueError(std::string(op) + ": " + what + " must be positive; got " + std::to_string(n) + ".");
}
void check_has_axes(const char* op, const Array& x) {
  if (x.ndim() < 1)
    throw ShapeError(std::string(op) + ": the input must have an axis of features; got " + x.aval().str() + ".");
}

}  // namespace

// ---- Dense ----

Array Dense::call(const Array& x) const {
  check_size("dense", "features", features);
  check_has_axes("dense", x);
  const Array kernel = param("kernel", kernel_init, {x.shape().back(), features}, param_dtype);
  const Array bias = use_bias ? param("bias", bias_init, {features}, param_dtype) : Array();
  const Arrays p = promoted(dtype, {x, kernel, bias});
  const Array y = np::matmul(p[0], p[1]);
  return use_bias ? y + p[2] : y;
}

// ---- DenseGeneral ----

namespace {

// The first axes, 0, 1, ...: their number.
std::size_t batch_axes(const np::Axes& batch_dims, const Array& x) {
  const Dims axes = np::AxisArg(batch_dims.axes()).resolve("dense_general", x.aval());
  if (!axes.empty() && axes.back() != static_cast<std::int64_t>(axes.size()) - 1)
    throw ValueError("dense_general: batch_dims must be the first axes of the input; got " + shape_str(axes) + " of " +
                     x.aval().str() + ".");
  return axes.size();
}

Dims joined(DimSpan a, DimSpan b) {
  Dims r(a);
  for (const std::int64_t n : b) r.push_back(n);
  return r;
}

}  // namespace

Array DenseGeneral::call(const Array& x) const {
  const Dims& to = features.dims();
  if (to.empty()) throw ValueError("dense_general: there must be at least one number of features; got none.");
  for (const std::int64_t n : to) check_size("dense_general", "features", n);
  check_has_axes("dense_general", x);
  const Dims from = axis.resolve("dense_general", x.aval());
  const std::size_t batch = batch_axes(batch_dims, x);
  if (from.empty()) throw ValueError("dense_general: there must be an axis to sum over; got none.");
  if (from[0] < static_cast<std::int64_t>(batch))
    throw ValueError("dense_general: axis and batch_dims must differ; got axis " + std::to_string(from[0]) +
                     " in both.");

  Dims each, kernel_axes, batch_list, sizes;  // sizes of the batch and of what is summed over, and their axes
  for (std::size_t i = 0; i < batch; ++i) {
    each.push_back(x.shape()[i]);
    batch_list.push_back(static_cast<std::int64_t>(i));
  }
  for (const std::int64_t a : from) {
    kernel_axes.push_back(static_cast<std::int64_t>(batch + kernel_axes.size()));
    sizes.push_back(x.shape()[static_cast<std::size_t>(a)]);
  }
  // Fans are those of the whole as one matrix.
  const Initializer kernel_of_matrix = [&](const Array& key, const Dims& shape, DType t) {
    return np::reshape(kernel_init(key, {product(each) * product(sizes), product(to)}, t), shape);
  };
  const Initializer bias_of_vector = [&](const Array& key, const Dims& shape, DType t) {
    return np::reshape(bias_init(key, {product(shape)}, t), shape);
  };
  const Array kernel = param("kernel", kernel_of_matrix, joined(joined(each, sizes), to), param_dtype);
  const Array bias = use_bias ? param("bias", bias_of_vector, joined(each, to), param_dtype) : Array();
  const Arrays p = promoted(dtype, {x, kernel, bias});
  Array y = lax::dot_general(
      p[0], p[1],
      {.lhs_contracting = from, .rhs_contracting = kernel_axes, .lhs_batch = batch_list, .rhs_batch = batch_list});
  if (!use_bias) return y;
  Dims spread = each;
  while (spread.size() + to.size() < static_cast<std::size_t>(y.ndim())) spread.push_back(1);
  return y + np::reshape(p[2], joined(spread, to));
}

// ---- Einsum ----

namespace {

struct Specification {
  std::string text, x, kernel, result;
};
Specification specification(const std::string& member, const std::string& argument) {
  if (member.empty() == argument.empty())
    throw ValueError("einsum: the specification must be given once, as a member or as an argument of the call; got " +
                     std::string(member.empty() ? "neither." : "both."));
  Specification s;
  for (const char c : member.empty() ? argument : member)
    if (c != ' ') s.text += c;
  const std::size_t comma = s.text.find(','), arrow = s.text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow ||
      s.text.find(',', comma + 1) != std::string::npos)
    throw ValueError("einsum: the specification must have two operands and a result, as \"ab,bc->ac\"; got \"" +
                     s.text + "\".");
  s.x = s.text.substr(0, comma);
  s.kernel = s.text.substr(comma + 1, arrow - comma - 1);
  s.result = s.text.substr(arrow + 2);
  return s;
}

constexpr std::string_view kEllipsis = "...";
// The axes of a term of `ndim` axes, where those of the ellipsis are "0", "1", ... of `most` such axes, aligned to the
// right.
std::string axes_of(const std::string& term, std::int64_t hidden, std::int64_t most) {
  const std::size_t at = term.find(kEllipsis);
  if (at == std::string::npos) return term;
  std::string between;
  for (std::int64_t i = most - hidden; i < most; ++i) between += static_cast<char>('0' + i);
  return term.substr(0, at) + between + term.substr(at + kEllipsis.size());
}
// How many axes the ellipsis of a term stands for.
std::int64_t hidden_axes(const std::string& term, std::int64_t ndim) {
  if (term.find(kEllipsis) == std::string::npos) return 0;
  return std::max<std::int64_t>(0, ndim - static_cast<std::int64_t>(term.size() - kEllipsis.size()));
}

}  // namespace

Array Einsum::call(const Array& x, const std::string& given) const {
  const Specification s = specification(einsum_str, given);
  const Dims& sizes = shape.dims();
  const auto rank = static_cast<std::int64_t>(sizes.size());
  const std::int64_t hidden = hidden_axes(s.kernel, rank);
  const std::int64_t most = std::max(hidden, hidden_axes(s.x, x.ndim()));
  const std::string kernel_axes = axes_of(s.kernel, hidden, most);
  if (kernel_axes.size() != sizes.size())
    throw ValueError("einsum: the kernel must have the axes of the specification's second operand; got the shape " +
                     shape_str(sizes) + " and \"" + s.text + "\".");
  for (std::size_t i = 0; i < kernel_axes.size(); ++i)
    if (kernel_axes.find(kernel_axes[i], i + 1) != std::string::npos)
      throw ValueError("einsum: a letter must name one axis of the kernel; got \"" + s.text + "\".");
  const Array kernel = param("kernel", kernel_init, sizes, param_dtype);
  Array bias;
  Dims spread;
  if (use_bias) {
    Dims bias_sizes;
    for (const char c : axes_of(s.result, most, most)) {
      const std::size_t at = kernel_axes.find(c);
      spread.push_back(at == std::string::npos ? 1 : sizes[at]);
      if (at != std::string::npos) bias_sizes.push_back(sizes[at]);
    }
    bias = param("bias", bias_init, bias_sizes, param_dtype);
  }
  const Arrays p = promoted(dtype, {x, kernel, bias});
  const Array y = np::einsum(std::string_view(s.text), p[0], p[1]);
  return use_bias ? y + np::reshape(p[2], spread) : y;
}

// ---- Embed ----

Array Embed::call(const Array& i) const {
  check_size("embed", "num_embeddings", num_embeddings);
  check_size("embed", "features", features);
  if (!is_integer(i.dtype())) throw DTypeError("embed: what is embedded must be integers; got " + i.aval().str() + ".");
  Array table = param("embedding", embedding_init, {num_embeddings, features}, param_dtype);
  if (dtype) table = table.astype(computation_dtype(dtype, {}));
  if (num_embeddings > 1) return np::take(table, i, 0);
  Dims shape(i.shape());
  shape.push_back(features);
  return np::broadcast_to(table(0), shape);
}

Array Embed::attend(const Array& query) const {
  check_has_axes("embed", query);
  const Array table = param("embedding", embedding_init, {num_embeddings, features}, param_dtype);
  const Arrays p = promoted(dtype, {query, table});
  return np::matmul(p[0], np::transpose(p[1]));
}

}  // namespace weft::nn

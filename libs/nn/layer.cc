#include "nn/layer.h"

#include "weft/np/promotion.h"

namespace weft::nn {

DType computation_dtype(std::optional<DType> dtype, std::initializer_list<Array> arrays) {
  if (dtype) {
    if (!is_inexact(*dtype))
      throw DTypeError("layer: dtype must be float or complex; got " + std::string(name(*dtype)) + ".");
    return *dtype;
  }
  std::vector<np::TypeArg> there;
  for (const Array& a : arrays)
    if (a.defined()) there.emplace_back(a);
  const DType t = np::result_type(there);
  return is_inexact(t) ? t : f32;
}

Arrays promoted(std::optional<DType> dtype, std::initializer_list<Array> arrays) {
  const DType t = computation_dtype(dtype, arrays);
  Arrays r;
  for (const Array& a : arrays) r.push_back(a.defined() ? a.astype(t) : a);
  return r;
}

bool given_once(std::string_view op, std::string_view flag, std::optional<bool> member, std::optional<bool> argument) {
  if (member.has_value() == argument.has_value())
    throw ValueError(std::string(op) + ": " + std::string(flag) +
                     " must be given once, as a member or as an argument of the call; got " +
                     (member ? "both." : "neither."));
  return member ? *member : *argument;
}

}  // namespace weft::nn

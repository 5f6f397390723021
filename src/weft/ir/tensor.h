// Views of dense row-major host data: what reference evaluation, printing and files work on.
// A view owns nothing.
#pragma once

#include "weft/ir/aval.h"

namespace weft {

/// Read-only dense row-major data of a known type.
struct TensorView {
  Aval aval;
  const void* data = nullptr;

  DType dtype() const { return aval.dtype(); }
  DimSpan shape() const { return aval.shape(); }
  int ndim() const { return aval.ndim(); }
  std::int64_t size() const { return aval.size(); }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

/// Writable dense row-major data of a known type.
struct MutableTensorView {
  Aval aval;
  void* data = nullptr;

  DType dtype() const { return aval.dtype(); }
  DimSpan shape() const { return aval.shape(); }
  int ndim() const { return aval.ndim(); }
  std::int64_t size() const { return aval.size(); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  operator TensorView() const { return {aval, data}; }
};

/// Element `i` of integers of type `t` as an index. One too large for std::int64_t is the largest there is, which is
/// beyond every array's end just the same.
inline std::int64_t index_element(DType t, const void* data, std::int64_t i) {
  return visit_dtype(t, [&]<class T>(TypeTag<T>) -> std::int64_t {
    if constexpr (std::is_integral_v<T>) {
      T v;
      __builtin_memcpy(&v, static_cast<const char*>(data) + i * static_cast<std::int64_t>(sizeof v), sizeof v);
      return std::is_same_v<T, std::uint64_t> && v > static_cast<T>(INT64_MAX) ? INT64_MAX : static_cast<std::int64_t>(v);
    } else {
      throw InternalError("index_element: indices must be integers");
    }
  });
}

}  // namespace weft

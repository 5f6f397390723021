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

}  // namespace weft

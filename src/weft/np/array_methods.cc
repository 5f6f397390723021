// The methods of Array whose meaning is np's: declared in core/array.h, defined here.
#include <ostream>

#include "weft/core/trace.h"

#include "weft/np/creation.h"
#include "weft/np/indexing.h"
#include "weft/np/print.h"

namespace weft {

Array Array::astype(DType dtype, SourceLocation loc) const { return np::astype(Arg(*this, loc), dtype); }

Array Array::T(SourceLocation loc) const {
  const LocationScope scope(loc, "T");
  Dims permutation;
  for (int i = ndim(); i-- > 0;) permutation.push_back(i);
  return lax::transpose(*this, permutation);
}

Array Array::operator()(const Index& i0) const { return np::index(*this, Indices{i0}); }
Array Array::operator()(const Index& i0, const Index& i1) const { return np::index(*this, Indices{i0, i1}); }
Array Array::operator()(const Index& i0, const Index& i1, const Index& i2) const {
  return np::index(*this, Indices{i0, i1, i2});
}
Array Array::operator()(const Index& i0, const Index& i1, const Index& i2, const Index& i3) const {
  return np::index(*this, Indices{i0, i1, i2, i3});
}
Array Array::operator()(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4) const {
  return np::index(*this, Indices{i0, i1, i2, i3, i4});
}
Array Array::operator()(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4,
                        const Index& i5) const {
  return np::index(*this, Indices{i0, i1, i2, i3, i4, i5});
}

IndexUpdate Array::at(const Index& i0) const { return {*this, Indices{i0}}; }
IndexUpdate Array::at(const Index& i0, const Index& i1) const { return {*this, Indices{i0, i1}}; }
IndexUpdate Array::at(const Index& i0, const Index& i1, const Index& i2) const { return {*this, Indices{i0, i1, i2}}; }
IndexUpdate Array::at(const Index& i0, const Index& i1, const Index& i2, const Index& i3) const {
  return {*this, Indices{i0, i1, i2, i3}};
}

IndexUpdate Array::at(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4) const {
  return {*this, Indices{i0, i1, i2, i3, i4}};
}
IndexUpdate Array::at(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4,
                      const Index& i5) const {
  return {*this, Indices{i0, i1, i2, i3, i4, i5}};
}

namespace {

// A tracer has no elements to show: its type, and what it belongs to.
std::string traced_str(const Array& x) { return "Traced(" + x.aval().str() + ", " + x.tracer()->trace()->name() + ")"; }

}  // namespace

std::string Array::str() const {
  if (!defined()) return "none";
  return is_tracer() ? traced_str(*this) : np::array_str(host_stored("str").view, aval().shape());
}

std::string Array::repr() const {
  if (!defined()) return "none";
  return is_tracer() ? traced_str(*this) : np::array_repr(host_stored("repr").view, aval().shape());
}

std::ostream& operator<<(std::ostream& out, const Array& x) { return out << x.str(); }

}  // namespace weft

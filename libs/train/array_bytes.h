// The elements of arrays as bytes of files, little-endian and row-major, and back. Knows no format.
#pragma once

#include <cstddef>
#include <span>

#include "weft/core/array.h"

namespace weft::train {

/// The elements of an array; keeps them alive. ConcretizationError when it is only traced, DonatedError when it was
/// given away.
class ArrayBytes {
 public:
  ArrayBytes(const Array& a, const char* op) : host_(a.host(op)) {}
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(host_.view.data), static_cast<std::size_t>(host_.view.aval.bytes())};
  }

 private:
  weft::detail::HostView host_;
};

/// Whether `bytes` bytes are the elements of a shape of that dtype, which Weft can have. Never overflows.
bool fills(DType dtype, std::span<const std::int64_t> shape, std::size_t bytes);

/// An array with a copy of the bytes, which fill it. Bytes of bool other than 0 become true, and bits that the dtype
/// does not use are put right.
Array array_from_bytes(DType dtype, std::span<const std::int64_t> shape, std::span<const std::byte> bytes);

}  // namespace weft::train

// The type of a value: dtype, shape, and over which mesh axes it may vary.
// Avals are interned: equality is a pointer comparison and a copy is one word.
#pragma once

#include <cstdint>
#include <string>

#include "weft/base/dims.h"
#include "weft/ir/dtype.h"

namespace weft {

/// Arrays have at most this many dimensions.
inline constexpr std::size_t kMaxRank = 32;

class Aval {
 public:
  Aval() = default;
  /// Throws ShapeError for a negative size, a rank above kMaxRank or more than 2^62 bytes, where sizes 0 count as 1:
  /// products of sizes never overflow.
  Aval(DType dtype, DimSpan shape, std::uint64_t vary = 0);

  DType dtype() const { return p_->dtype; }
  DimSpan shape() const { return p_->shape; }
  std::int64_t shape(std::size_t i) const { return p_->shape[i]; }
  int ndim() const { return static_cast<int>(p_->shape.size()); }
  std::int64_t size() const { return p_->size; }
  std::int64_t bytes() const { return p_->size * byte_size(p_->dtype); }
  /// Bit i is set when the value may differ along mesh axis i of the enclosing shard_map.
  std::uint64_t vary() const { return p_->vary; }
  std::uint64_t hash() const { return p_->hash; }
  Aval with_dtype(DType t) const { return t == dtype() ? *this : Aval(t, shape(), vary()); }
  Aval with_shape(DimSpan s) const { return Aval(dtype(), s, vary()); }
  /// "f32[2,3]".
  std::string str() const;
  friend std::ostream& operator<<(std::ostream& out, Aval a);
  explicit operator bool() const { return p_ != nullptr; }
  friend bool operator==(Aval a, Aval b) { return a.p_ == b.p_; }
  /// The identity of the interned type; stable for the life of the process.
  const void* id() const { return p_; }

 private:
  struct Data {
    DType dtype;
    Dims shape;
    std::int64_t size;
    std::uint64_t vary;
    std::uint64_t hash;
  };
  static const Data* intern(DType, DimSpan, std::uint64_t);
  const Data* p_ = nullptr;
};

/// "[2,3]".
std::string shape_str(DimSpan shape);

}  // namespace weft

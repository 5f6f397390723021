// Memory behind arrays. A Storage is a counted block of bytes, 64-byte aligned unless it wraps
// the user's memory. What is in it (type, shape, layout) is the array's business.
#pragma once

#include <cstddef>
#include <functional>

#include "weft/base/ref.h"

namespace weft {

class Storage : public RefCounted {
 public:
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  /// Whether it may be written to when nobody else holds it: not memory of somebody else's.
  bool writable() const { return writable_; }

  /// Wraps memory owned elsewhere; `release` runs once, when the last array over it is gone.
  static Ref<Storage> external(void* data, std::size_t bytes, std::function<void()> release);

  static void destroy(Storage* s) { s->free_(s); }

 protected:
  using Free = void (*)(Storage*);
  Storage(void* data, std::size_t bytes, Free free, bool writable = true)
      : writable_(writable), data_(data), bytes_(bytes), free_(free) {}
  ~Storage() = default;
  /// For views: other memory of the same size.
  void move_to(void* data) { data_ = data; }

 private:
  bool writable_;
  void* data_;
  std::size_t bytes_;
  Free free_;
};

}  // namespace weft

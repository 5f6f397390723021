#include "weft/ir/aval.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <ostream>
#include <unordered_map>

#include "weft/base/hash.h"

namespace weft {

namespace {
// Direct-mapped and per thread: nearly every lookup ends here without a lock.
constexpr std::size_t kCacheSize = 256;
}  // namespace

const Aval::Data* Aval::intern(DType dtype, DimSpan shape, std::uint64_t vary) {
  std::uint64_t h = hash_mix(static_cast<std::uint64_t>(dtype), vary);
  for (const std::int64_t d : shape) h = hash_mix(h, static_cast<std::uint64_t>(d));
  const auto matches = [&](const Data* d) {
    return d->hash == h && d->dtype == dtype && d->vary == vary && same_dims(d->shape, shape);
  };
  thread_local const Data* cache[kCacheSize] = {};
  const Data*& slot = cache[h % kCacheSize];
  if (slot && matches(slot)) return slot;

  if (shape.size() > kMaxRank)
    throw ShapeError("array: there must be at most " + std::to_string(kMaxRank) + " axes; got " +
                     std::to_string(shape.size()) + ".");
  // Sizes beside a 0 count too, as in NumPy, so that no product of some of them (a stride) overflows.
  std::int64_t size = 1;
  bool overflow = false, empty = false;
  for (const std::int64_t d : shape) {
    if (d < 0) throw ShapeError("array: sizes must not be negative; got shape " + shape_str(shape) + ".");
    empty |= d == 0;
    overflow |= __builtin_mul_overflow(size, d == 0 ? 1 : d, &size);
  }
  if (overflow || size > (std::int64_t{1} << 62) / byte_size(dtype))
    throw ShapeError("array: the elements must need fewer than 2^62 bytes; got shape " + shape_str(shape) + ".");

  if (empty) size = 0;

  // Interned types are never freed: programs use few, and every copy would pay for counting.
  struct Table {
    std::mutex mutex;
    std::unordered_multimap<std::uint64_t, const Data*> by_hash;
    std::deque<Data> storage;
  };
  static Table* const table = new Table;
  const std::lock_guard lock(table->mutex);
  const auto [first, last] = table->by_hash.equal_range(h);
  for (auto it = first; it != last; ++it)
    if (matches(it->second)) return slot = it->second;
  table->storage.push_back(Data{dtype, Dims(shape), size, vary, h});
  table->by_hash.emplace(h, &table->storage.back());
  return slot = &table->storage.back();
}

Aval::Aval(DType dtype, DimSpan shape, std::uint64_t vary) : p_(intern(dtype, shape, vary)) {}

std::string shape_str(DimSpan shape) {
  std::string s = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i) s += ",";
    s += std::to_string(shape[i]);
  }
  return s + "]";
}

std::ostream& operator<<(std::ostream& out, Aval a) { return out << a.str(); }

std::string Aval::str() const {
  if (!p_) return "none";
  return std::string(name(dtype())) + shape_str(shape());
}

}  // namespace weft

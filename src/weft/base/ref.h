// Intrusive reference counting: one word per handle, thread-safe counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace weft {

/// Base of counted objects. `Derived` is destroyed by `Derived::destroy(Derived*)` when it
/// declares one, so that variable-sized objects can free themselves.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  /// True when the caller held the last reference and must destroy the object.
  bool drop() const {
    // A sole owner needs no read-modify-write: nobody else can be counting.
    if (refs_.load(std::memory_order_acquire) == 1) return true;
    return refs_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

 private:
  mutable std::atomic<std::int32_t> refs_{1};
};

/// A counted pointer to T, which derives from RefCounted. May be null.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  Ref(const Ref& o) : p_(o.p_) {
    if (p_) p_->retain();
  }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U> o) : p_(o.release()) {}
  ~Ref() { reset(); }
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }

  /// Takes over the reference a new object is born with.
  static Ref adopt(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }
  /// Adds a reference to an object owned elsewhere.
  static Ref share(T* p) {
    if (p) p->retain();
    return adopt(p);
  }

  void reset() {
    if (p_ && p_->drop()) {
      if constexpr (requires(T* q) { T::destroy(q); })
        T::destroy(p_);
      else
        delete p_;
    }
    p_ = nullptr;
  }
  T* release() { return std::exchange(p_, nullptr); }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) { return a.p_ == b.p_; }

 private:
  T* p_ = nullptr;
};

template <class T, class... A>
Ref<T> make_ref(A&&... args) {
  return Ref<T>::adopt(new T(std::forward<A>(args)...));
}

}  // namespace weft

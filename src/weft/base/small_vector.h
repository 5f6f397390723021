// A vector whose first N elements live inside the object: shapes, operand lists
// and other short sequences that must not cost an allocation.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace weft {

template <class T, std::size_t N>
class SmallVector {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  SmallVector() = default;
  explicit SmallVector(std::size_t n) { resize(n); }
  SmallVector(std::size_t n, const T& v) { assign(n, v); }
  SmallVector(std::initializer_list<T> v) { append(v.begin(), v.end()); }
  SmallVector(std::span<const T> v) { append(v.begin(), v.end()); }
  template <std::input_iterator It>
  SmallVector(It first, It last) {
    append(first, last);
  }
  SmallVector(const SmallVector& o) { append(o.begin(), o.end()); }
  SmallVector(SmallVector&& o) noexcept { steal(o); }
  ~SmallVector() {
    clear();
    release_heap();
  }
  SmallVector& operator=(const SmallVector& o) {
    if (this != &o) {
      clear();
      append(o.begin(), o.end());
    }
    return *this;
  }
  SmallVector& operator=(SmallVector&& o) noexcept {
    if (this != &o) {
      clear();
      release_heap();
      steal(o);
    }
    return *this;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T& front() { return data_[0]; }
  T& back() { return data_[size_ - 1]; }
  const T& front() const { return data_[0]; }
  const T& back() const { return data_[size_ - 1]; }

  void reserve(std::size_t n) {
    if (n > capacity_) grow(n);
  }
  void clear() {
    std::destroy_n(data_, size_);
    size_ = 0;
  }
  void resize(std::size_t n) {
    if (n < size_) {
      std::destroy_n(data_ + n, size_ - n);
    } else {
      reserve(n);
      std::uninitialized_value_construct_n(data_ + size_, n - size_);
    }
    size_ = n;
  }
  void assign(std::size_t n, const T& v) {
    const T copy = v;  // NOLINT(performance-unnecessary-copy-initialization): v may be an element
    clear();
    reserve(n);
    std::uninitialized_fill_n(data_, n, copy);
    size_ = n;
  }
  template <class It>
  void append(It first, It last) {
    reserve(size_ + static_cast<std::size_t>(std::distance(first, last)));
    for (; first != last; ++first) ::new (data_ + size_++) T(*first);
  }
  void push_back(const T& v) { emplace_back(v); }
  void push_back(T&& v) { emplace_back(std::move(v)); }
  template <class... A>
  T& emplace_back(A&&... args) {
    if (size_ == capacity_) {
      T tmp(std::forward<A>(args)...);  // the arguments may point into this vector
      grow(size_ + 1);
      return *::new (data_ + size_++) T(std::move(tmp));
    }
    return *::new (data_ + size_++) T(std::forward<A>(args)...);
  }
  void pop_back() { std::destroy_at(data_ + --size_); }
  T* insert(const T* at, T v) {
    const std::size_t i = static_cast<std::size_t>(at - data_);
    emplace_back(std::move(v));
    for (std::size_t j = size_ - 1; j > i; --j) std::swap(data_[j], data_[j - 1]);
    return data_ + i;
  }
  T* erase(const T* at) {
    const std::size_t i = static_cast<std::size_t>(at - data_);
    for (std::size_t j = i; j + 1 < size_; ++j) data_[j] = std::move(data_[j + 1]);
    pop_back();
    return data_ + i;
  }

  operator std::span<const T>() const { return {data_, size_}; }
  operator std::span<T>() { return {data_, size_}; }

  friend bool operator==(const SmallVector& a, const SmallVector& b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i)
      if (!(a.data_[i] == b.data_[i])) return false;
    return true;
  }

 private:
  T* inline_data() { return std::launder(reinterpret_cast<T*>(inline_)); }
  // What std::uninitialized_move_n does, which takes ten times as long to compile.
  static void move_construct(T* from, std::size_t n, T* to) {
    for (std::size_t i = 0; i < n; ++i) ::new (to + i) T(std::move(from[i]));
  }
  void release_heap() {
    if (data_ != inline_data()) std::allocator<T>().deallocate(data_, capacity_);
    data_ = inline_data();
    capacity_ = N;
  }
  void grow(std::size_t n) {
    if (n < 2 * capacity_) n = 2 * capacity_;
    T* p = std::allocator<T>().allocate(n);
    move_construct(data_, size_, p);
    std::destroy_n(data_, size_);
    release_heap();
    data_ = p;
    capacity_ = n;
  }
  void steal(SmallVector& o) {
    if (o.data_ == o.inline_data()) {
      move_construct(o.data_, o.size_, data_);
      size_ = o.size_;
      o.clear();
    } else {
      data_ = std::exchange(o.data_, o.inline_data());
      capacity_ = std::exchange(o.capacity_, N);
      size_ = std::exchange(o.size_, 0);
    }
  }

  T* data_ = inline_data();
  std::size_t size_ = 0;
  std::size_t capacity_ = N;
  alignas(T) unsigned char inline_[N * sizeof(T)];
};

}  // namespace weft

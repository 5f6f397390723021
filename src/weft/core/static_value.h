// A value of any type that can be compared, with the type forgotten: what a program's key holds of static arguments.
#pragma once

#include <memory>
#include <utility>

namespace weft {

class StaticValue {
 public:
  template <class T>
  explicit StaticValue(T value) : held_(std::make_shared<const Holder<T>>(std::move(value))) {}
  /// Of one type, and equal.
  friend bool operator==(const StaticValue& a, const StaticValue& b) { return a.held_->equals(*b.held_); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual bool equals(const Base& other) const = 0;
  };
  template <class T>
  struct Holder final : Base {
    explicit Holder(T v) : value(std::move(v)) {}
    bool equals(const Base& other) const override {
      const auto* o = dynamic_cast<const Holder*>(&other);
      return o && value == o->value;
    }
    T value;
  };
  std::shared_ptr<const Base> held_;
};

}  // namespace weft

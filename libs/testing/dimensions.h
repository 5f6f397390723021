// Sizes with names of one letter, for tests with many shapes. Source: chex.Dimensions.
//
//   testing::Dimensions dims{{'B', 3}, {'T', 5}, {'N', 7}};
//   const Array x = np::zeros(dims.shape("BTN"));
//   testing::assert_shape(np::sum(x, 1), dims["BN"]);
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "testing/shape_matcher.h"

namespace weft::testing {

/// A map from letters to sizes, or to std::nullopt, any size. Keys are letters; in keys that read, a digit is that
/// size, '*' any size, and letters in parentheses are one axis, of the product of their sizes; in keys that write, '_'
/// skips a size. ValueError, here and below, for keys of another form, and for letters without a size.
class Dimensions {
 public:
  Dimensions() = default;
  Dimensions(std::initializer_list<std::pair<const char, std::optional<std::int64_t>>> sizes);

  /// For assertions: dims["BT"], dims["(BT)N"], dims["B1*"].
  ShapeMatcher operator[](std::string_view key) const;
  /// The sizes, for making arrays. ValueError where one may be any.
  Dims shape(std::string_view key) const;
  /// Their product.
  std::int64_t size(std::string_view key) const;
  /// Gives letters the sizes of a shape: dims.set("XY", z.shape()), dims.set("__N", z.shape()). ValueError unless there
  /// are as many.
  void set(std::string_view key, const Shape& shape);
  /// Gives one letter a size, or any.
  void set(char dim, std::optional<std::int64_t> size);
  /// Takes the sizes of letters away.
  void erase(std::string_view key);
  /// "Dimensions(B=3, T=5)", in the order of the letters.
  std::string str() const;

 private:
  std::optional<std::int64_t> at(char dim, std::string_view key) const;
  std::vector<std::optional<std::int64_t>> parse(std::string_view key) const;
  std::map<char, std::optional<std::int64_t>> sizes_;
};

}  // namespace weft::testing

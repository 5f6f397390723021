// How inputs go on beyond their ends where windows slide over them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/base/dims.h"

namespace weft::nn {

/// Zeros (in pooling, nothing), as many as are said, or what a mode says:
///   .padding = nn::Padding::kValid    .padding = 1    .padding = {1, 2}    .padding = {{0, 1}, {2, 2}}
/// which are a mode, a number for all ends, a number for both ends of each axis, and numbers for each end.
class Padding {
 public:
  enum Mode : std::uint8_t {
    kValid,     ///< none: windows lie inside
    kSame,      ///< so that there are ceil(size / stride) places; of an odd number, the last one is at the far end
    kCircular,  ///< the input again, round and round; in convolutions
    kReflect,   ///< the input backwards from its end on, without the last element; in convolutions
    kCausal,    ///< all before the input, so that no place sees what comes later; in convolutions of one axis
    kNumbers
  };
  struct Ends {
    template <std::integral T>
    Ends(T both) : low(static_cast<std::int64_t>(both)), high(low) {}  // implicit by design
    Ends(std::int64_t low, std::int64_t high) : low(low), high(high) {}
    std::int64_t low, high;
  };

  Padding(Mode mode) : mode_(mode) {}  // implicit by design, as the others
  template <std::integral T>
  Padding(T all) : mode_(kNumbers), ends_{Ends(all)}, for_all_(true) {}
  Padding(std::initializer_list<Ends> axes) : mode_(kNumbers), ends_(axes) {}
  explicit Padding(std::vector<Ends> axes) : mode_(kNumbers), ends_(std::move(axes)) {}

  Mode mode() const { return mode_; }
  /// Elements before and after each of `rank` axes, in mode kNumbers. ShapeError for another number of axes.
  std::vector<Ends> numbers(std::string_view op, std::size_t rank) const;
  /// The same in modes kValid, kSame and kNumbers, for a window and its strides; ValueError in others.
  std::vector<Ends> ends(std::string_view op, DimSpan sizes, DimSpan window, DimSpan strides) const;
  /// "kSame".
  static std::string_view mode_name(Mode mode);

 private:
  Mode mode_;
  std::vector<Ends> ends_ = {};
  bool for_all_ = false;
};

namespace detail {

/// The numbers of a parameter for each of `rank` axes, where one stands for all. ShapeError for another number of them,
/// ValueError unless all are positive.
Dims per_axis(std::string_view op, std::string_view what, DimSpan numbers, std::size_t rank);

}  // namespace detail

}  // namespace weft::nn

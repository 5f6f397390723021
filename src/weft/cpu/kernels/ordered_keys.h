// Unsigned integers whose order is that of elements, for sorting without comparisons of floats.
// Knows the bits of dtypes and two orders of floats: that of sort, where -0 equals 0 and NaN is above all, and that of
// top_k, where -0 is below 0 and NaN of the sign - below all. All NaN of a kind are equal.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "weft/ir/dtype.h"

namespace weft::cpu {

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 1, std::uint8_t,
                                 std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                                    std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

template <class T>
inline constexpr bool is_float_element =
    std::is_floating_point_v<T> || std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

/// Bits of a float's positive infinity.
template <class T>
constexpr KeyOf<T> infinity_bits() {
  if constexpr (std::is_same_v<T, float16>)
    return 0x7c00;
  else if constexpr (std::is_same_v<T, bfloat16>)
    return 0x7f80;
  else if constexpr (std::is_same_v<T, float>)
    return 0x7f800000u;
  else
    return 0x7ff0000000000000u;
}

template <class T>
inline constexpr KeyOf<T> kTopBit = static_cast<KeyOf<T>>(KeyOf<T>(1) << (8 * sizeof(T) - 1));

/// Ordered as the values are, floats by their bits.
template <class T>
KeyOf<T> bits_key(KeyOf<T> bits) {
  using K = KeyOf<T>;
  if constexpr (is_float_element<T>)
    return static_cast<K>(bits ^ ((bits & kTopBit<T>) ? static_cast<K>(~K(0)) : kTopBit<T>));
  else if constexpr (std::is_signed_v<T>)
    return static_cast<K>(bits ^ kTopBit<T>);
  else
    return bits;
}

/// Keys of sort. A key of a number other than 0 tells its bits.
template <class T>
KeyOf<T> sort_key(T v) {
  using K = KeyOf<T>;
  const K bits = std::bit_cast<K>(v);
  if constexpr (is_float_element<T>) {
    const K magnitude = static_cast<K>(bits & static_cast<K>(~kTopBit<T>));
    const K key = bits_key<T>(magnitude == 0 ? K(0) : bits);
    return magnitude > infinity_bits<T>() ? static_cast<K>(~K(0)) : key;
  } else {
    return bits_key<T>(bits);
  }
}

/// The way back.
template <class T>
T from_sort_key(KeyOf<T> key) {
  using K = KeyOf<T>;
  K bits = key;
  if constexpr (is_float_element<T>)
    bits = static_cast<K>((key & kTopBit<T>) ? key ^ kTopBit<T> : ~key);
  else if constexpr (std::is_signed_v<T>)
    bits = static_cast<K>(key ^ kTopBit<T>);
  return std::bit_cast<T>(bits);
}

/// Keys of top_k. NaN have the least key that bits_key has for one of their sign, the least of all for a negative one.
template <class T>
KeyOf<T> total_key(T v) {
  using K = KeyOf<T>;
  const K bits = std::bit_cast<K>(v);
  if constexpr (is_float_element<T>) {
    const K magnitude = static_cast<K>(bits & static_cast<K>(~kTopBit<T>));
    if (magnitude > infinity_bits<T>())
      return (bits & kTopBit<T>) ? K(0) : bits_key<T>(static_cast<K>(infinity_bits<T>() + 1));
  }
  return bits_key<T>(bits);
}

}  // namespace weft::cpu

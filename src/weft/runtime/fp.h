// How exact the promise about the bits of floats is.
#pragma once

#include <cstdint>

namespace weft {

enum class Fp : std::uint8_t {
  /// The same bits for the same program, inputs and machine, whatever the number of threads.
  kFast,
  /// The same bits on every x86-64 level and AArch64, compiled, ahead of time and step by step: no library computes
  /// products or functions, and all sums have one order. NaN is NaN: its sign and payload are the processor's.
  /// Programs with operations that cannot promise it are refused.
  kStrict,
};

}  // namespace weft

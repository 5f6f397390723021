// Random bits: the threefry2x32 block function over arrays.
#pragma once

#include "weft/cpu/kernels/kernel.h"

namespace weft::cpu {

/// (out0[i], out1[i]) = threefry2x32(key (in[0][i], in[1][i]), counter (in[2][i], in[3][i])), 20 rounds. Bit k of
/// `scalar` set: in[k] is one word for all i. An output may be the same memory as a counter that is not scalar.
void threefry2x32(std::int64_t n, const std::uint32_t* const in[4], unsigned scalar, std::uint32_t* out0,
                  std::uint32_t* out1);

}  // namespace weft::cpu

// The names of all operations: plain values, for code that needs no more.
#pragma once

#include <cstdint>

namespace weft {

enum class OpCode : std::uint16_t {
#define WEFT_OP(code, mnemonic, text) code,
#include "weft/ir/ops.def"
#undef WEFT_OP
};

inline constexpr int kNumOps = 0
#define WEFT_OP(code, mnemonic, text) +1
#include "weft/ir/ops.def"
#undef WEFT_OP
    ;

}  // namespace weft

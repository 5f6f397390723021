// Holds the bitcode that the build made of bitcode.cc (WEFT_MATH_BITCODE names the file).
#include "weft/cpu/math/bitcode.h"

#if !defined(__ELF__)
#error "the bitcode is embedded by directives of ELF assemblers"
#endif

asm(R"(
  .pushsection .rodata
  .balign 16
  .hidden weft_math_bitcode_begin
  .hidden weft_math_bitcode_end
  .globl weft_math_bitcode_begin
  .globl weft_math_bitcode_end
weft_math_bitcode_begin:
  .incbin ")" WEFT_MATH_BITCODE R"("
weft_math_bitcode_end:
  .popsection
)");

extern "C" {
[[gnu::visibility("hidden")]] extern const std::byte weft_math_bitcode_begin[], weft_math_bitcode_end[];
}

namespace weft::cpu {

std::span<const std::byte> math_bitcode() { return {weft_math_bitcode_begin, weft_math_bitcode_end}; }

}  // namespace weft::cpu

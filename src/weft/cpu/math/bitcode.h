// The scalar functions of this folder as LLVM bitcode, for compilers of programs. Knows nothing of LLVM: bytes.
//
// The module holds functions with C linkage, one per operation and dtype that has an elementwise kernel, which give the
// bits that the kernel gives. <op> is ir::op_name, <t> is weft::name of a dtype:
//   weft_<op>_<t>(x), weft_<op>_<t>(a, b), weft_compare_<eq|ne|lt|le|gt|ge>_<t>(a, b), weft_clamp_<t>(lo, x, hi),
//   weft_convert_<from>_<to>(x), weft_threefry2x32_<first|second>_u32(k0, k1, x0, x1), a word of the block each
// A bool is passed as uint8_t 0 or 1, an f16 or bf16 as its bits in an uint16_t, any other type as itself.
// sine, cosine and tan of f32 and f64 come in three: weft_sine_f32(x), valid where weft_sine_f32_is_far(x) is 0;
// weft_sine_f32_far(x), valid where that is 1; and weft_sine_f32_is_far(x) itself, an uint8_t.
//
// Nearly all are one basic block without calls but of intrinsics; tests/cpu/math_bitcode_test.cc lists the others.
// float_math::multiply_add is the intrinsic llvm.fma.f32, and weft_multiply_add_f32(a, b, c) the same for processors
// without it.
// They were compiled for the plain architecture and say so in their attributes target-cpu and target-features.
#pragma once

#include <cstddef>
#include <span>

namespace weft::cpu {

/// The module; lives as long as the process. Only in builds with LLVM (WEFT_HAVE_LLVM).
std::span<const std::byte> math_bitcode();

}  // namespace weft::cpu

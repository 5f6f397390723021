// The parameters of fft, cholesky and triangular_solve. Here, not in ops/, because compilers read them too.
#pragma once

#include "weft/ir/params.h"

namespace weft {

enum class FftType : std::uint8_t { kFft, kIfft, kRfft, kIrfft };
inline constexpr std::string_view kFftTypeNames[] = {"FFT", "IFFT", "RFFT", "IRFFT"};
constexpr std::span<const std::string_view> enum_names(FftType) { return kFftTypeNames; }

/// Over the last fft_length.size() axes.
struct FftParams {
  FftType fft_type{};
  Dims fft_length;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("fft_type", &FftParams::fft_type), ir::field("fft_length", &FftParams::fft_length));
  }
};

struct CholeskyParams {
  bool lower = true;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("lower", &CholeskyParams::lower)); }
};

enum class TransposeA : std::uint8_t { kNoTranspose, kTranspose, kAdjoint };
inline constexpr std::string_view kTransposeANames[] = {"NO_TRANSPOSE", "TRANSPOSE", "ADJOINT"};
constexpr std::span<const std::string_view> enum_names(TransposeA) { return kTransposeANames; }

struct TriangularSolveParams {
  bool left_side = true;
  bool lower = true;
  bool unit_diagonal = false;
  TransposeA transpose_a{};
  static constexpr auto fields(auto&& visit) {
    using T = TriangularSolveParams;
    return visit(ir::field("left_side", &T::left_side), ir::field("lower", &T::lower),
                 ir::field("unit_diagonal", &T::unit_diagonal), ir::field("transpose_a", &T::transpose_a));
  }
};

}  // namespace weft

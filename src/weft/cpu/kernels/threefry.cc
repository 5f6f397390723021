#include "weft/cpu/kernels/threefry.h"

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"

namespace weft::cpu {

void threefry2x32(std::int64_t n, const std::uint32_t* const in[4], unsigned scalar, std::uint32_t* out0,
                  std::uint32_t* out1) {
  const auto kernel = isa_kernels().threefry;
  // About 1 ns per block.
  parallel_for(n, 64 << 10, [&](std::int64_t begin, std::int64_t end) {
    const std::uint32_t* p[4];
    for (int k = 0; k < 4; ++k) p[k] = in[k] + (scalar >> k & 1u ? 0 : begin);
    std::uint32_t* const out[2] = {out0 + begin, out1 + begin};
    kernel(p, scalar, out, end - begin);
  });
}

}  // namespace weft::cpu

// Convolutions of 3x3, their gradients, and pooling. Features are last, as Weft's users have them.
#include "models.h"

namespace workloads {

void add_convolutions(Cases& cases) {
  struct Layer {
    std::int64_t in, size, out;
  };
  for (const Layer& l : {Layer{64, 56, 64}, Layer{1, 28, 32}}) {
    const std::string side = std::to_string(l.size);
    const std::string params = "32x" + side + "x" + side + "x" + std::to_string(l.in) + "->" + std::to_string(l.out);
    const double flops = 2.0 * 32 * 9 * static_cast<double>(l.size * l.size * l.in * l.out);
    const weft::Dims images{32, l.size, l.size, l.in}, kernel{3, 3, l.in, l.out}, results{32, l.size, l.size, l.out};
    cases.push_back(weft_case("conv3x3", params, {.flops = flops},
                              [=] { return compiled(convolution_3x3, normal(0, images), normal(1, kernel)); }));
    // The first layer of a network needs no gradient of its images.
    if (l.in == 1)
      cases.push_back(weft_case("conv3x3_fwdbwd", params, {.flops = 2 * flops}, [=] {
        return compiled(
            [](Array x, Array k, Array ct) {
              const auto [y, pullback] = weft::vjp([&](Array kernel) { return convolution_3x3(x, kernel); }, k);
              return std::pair(y, pullback(ct));
            },
            normal(0, images), normal(1, kernel), normal(2, results));
      }));
    else
      cases.push_back(weft_case("conv3x3_fwdbwd", params, {.flops = 3 * flops}, [=] {
        return compiled(
            [](Array x, Array k, Array ct) {
              const auto [y, pullback] = weft::vjp(convolution_3x3, x, k);
              return std::pair(y, pullback(ct));
            },
            normal(0, images), normal(1, kernel), normal(2, results));
      }));
  }
  const Amount pool{.bytes = 5.0 * 32 * 56 * 56 * 64};
  const auto images = [] { return normal(0, {32, 56, 56, 64}); };
  cases.push_back(weft_case("maxpool2x2", "32x56x56x64", pool, [=] { return compiled(max_pool_2x2, images()); }));
  cases.push_back(weft_case("avgpool2x2", "32x56x56x64", pool, [=] { return compiled(average_pool_2x2, images()); }));
}

}  // namespace workloads

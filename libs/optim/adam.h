// Adam and its family: updates divided by the root of what they usually are. u are the updates, t the steps so far with
// this one; m and v begin at 0 unless said; divisions by 1 - b^t make up for that. Squares are |u|^2, real for complex
// parameters. Decay rates are in [0, 1), every eps is 0 or more: ValueError.
//
// States have the dtypes of the parameters, but averages of squares are f32 for f16 ones, and 16-bit updates are
// computed in f32. In f16, and so in Optax, u^2 is infinite from 256 on, 0.001 u^2 is 0 for u below 5e-3, and an eps of
// 1e-8 is 0: quotients would be infinite or NaN. bf16 has the range of f32, and its states stay bf16, in which an
// average with b2 = 0.999 hardly moves, as in Optax: better keep parameters in f32 and cast them in the loss.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

template <class P>
struct ScaleByAdamState {
  Array count;  ///< steps taken, i32[]
  P mu;         ///< the average of u
  P nu;         ///< the average of |u|^2, or what stands for it
};

/// m = b1 m + (1 - b1) u;  v = b2 v + (1 - b2) u^2;  u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t) + eps_root) + eps)
/// (Kingma and Ba, 2014). With nesterov, b1 m / (1 - b1^(t+1)) + (1 - b1) u / (1 - b1^t) is the numerator (Dozat,
/// 2016).
struct ScaleByAdam {
  static constexpr const char* kName = "scale_by_adam";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;  ///< positive where derivatives go through the update
  std::optional<DType> mu_dtype = {};
  bool nesterov = false;
  ScaleByAdamState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByAdam> scale_by_adam(ScaleByAdam options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByAmsgradState {
  Array count;
  P mu, nu;
  P nu_max;  ///< the largest v / (1 - b2^t) so far
};
/// As Adam, with the largest second moment so far (Reddi et al., 2018), which has no corrections.
struct ScaleByAmsgrad {
  static constexpr const char* kName = "scale_by_amsgrad";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;
  std::optional<DType> mu_dtype = {};
  bool bias_correction_mu = true;
  bool bias_correction_nu = true;
  ScaleByAmsgradState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAmsgradState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByAmsgrad> scale_by_amsgrad(ScaleByAmsgrad options = {},
                                         SourceLocation loc = std::source_location::current());

/// m = b1 m + (1 - b1) u;  v = max(b2 v, |u| + eps);  u = m / (1 - b1^t) / v (Kingma and Ba, 2014, section 7).
struct ScaleByAdamax {
  static constexpr const char* kName = "scale_by_adamax";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  ScaleByAdamState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByAdamax> scale_by_adamax(ScaleByAdamax options = {},
                                       SourceLocation loc = std::source_location::current());

/// m as Adam;  v = b2 v + (1 - b2) (u - m)^2 + eps_root;  u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
/// (AdaBelief: Zhuang et al., 2020).
struct ScaleByBelief {
  static constexpr const char* kName = "scale_by_belief";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-16;
  Hyperparam eps_root = 1e-16;
  bool nesterov = false;
  ScaleByAdamState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByBelief> scale_by_belief(ScaleByBelief options = {},
                                       SourceLocation loc = std::source_location::current());

/// m as Adam;  v = v - (1 - b2) sign(v - u^2) u^2;  u as Adam; m and v begin at initial_accumulator_value (Zaheer et
/// al., 2018).
struct ScaleByYogi {
  static constexpr const char* kName = "scale_by_yogi";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-3;
  Hyperparam eps_root = 0;
  Hyperparam initial_accumulator_value = 1e-6;
  ScaleByAdamState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByYogi> scale_by_yogi(ScaleByYogi options = {}, SourceLocation loc = std::source_location::current());

/// As Adam, times r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho)), where rho = rho_inf -
/// 2 t b2^t / (1 - b2^t) and rho_inf = 2 / (1 - b2) - 1; u = m / (1 - b1^t) alone while rho < threshold (Liu et al.,
/// 2020).
struct ScaleByRadam {
  static constexpr const char* kName = "scale_by_radam";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.999;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;
  Hyperparam threshold = 5;
  bool nesterov = false;
  ScaleByAdamState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAdamState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByRadam> scale_by_radam(ScaleByRadam options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByAdanState {
  P m;  ///< the average of u
  P v;  ///< of the differences d
  P n;  ///< of (u + (1 - b2) d)^2
  P g;  ///< the last u
  Array t;
};
/// d = u - last u (0 in the first step), averaged by b1 (u), b2 (d) and b3 (square), all with corrections;
/// u = (m + (1 - b2) v) / (sqrt(n + eps_root) + eps) (Xie et al., 2022).
struct ScaleByAdan {
  static constexpr const char* kName = "scale_by_adan";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.98;
  Hyperparam b2 = 0.92;
  Hyperparam b3 = 0.99;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;
  ScaleByAdanState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByAdanState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByAdan> scale_by_adan(ScaleByAdan options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByLionState {
  Array count;
  P mu;
};
enum class LionMode : std::uint8_t {
  kHard,     ///< sign(x)
  kSmooth,   ///< tanh(smooth_beta x)
  kRefined,  ///< x where |x| < 1, else sign(x)
};
/// u = sign(b1 m + (1 - b1) u);  m = b2 m + (1 - b2) u of before (Chen et al., 2023).
struct ScaleByLion {
  static constexpr const char* kName = "scale_by_lion";
  static constexpr bool kWide = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.99;
  std::optional<DType> mu_dtype = {};
  LionMode mode = LionMode::kHard;
  Hyperparam smooth_beta = 1;
  ScaleByLionState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByLionState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByLion> scale_by_lion(ScaleByLion options = {}, SourceLocation loc = std::source_location::current());

template <class P>
struct ScaleByNovogradState {
  Array count;
  P mu;
  P nu;  ///< one number for each leaf
};
/// For each leaf v = b2 v + (1 - b2) sum u^2 (sum u^2 in the first step) and x = u / (sqrt(v + eps_root) + eps) +
/// weight_decay p;  m = b1 m + x;  u = m (Ginsburg et al., 2019).
struct ScaleByNovograd {
  static constexpr const char* kName = "scale_by_novograd";
  static constexpr bool kWide = true;
  static constexpr bool kAnyState = true;
  Hyperparam b1 = 0.9;
  Hyperparam b2 = 0.25;
  Hyperparam eps = 1e-8;
  Hyperparam eps_root = 0;
  ScalarOrSchedule weight_decay = 0;
  std::optional<DType> mu_dtype = {};
  ScaleByNovogradState<Leaves> init(const Leaves& params) const;
  void update(Leaves& u, ScaleByNovogradState<Leaves>& state, const Leaves& params) const;
};
OnTrees<ScaleByNovograd> scale_by_novograd(ScaleByNovograd options = {},
                                           SourceLocation loc = std::source_location::current());

}  // namespace weft::optim

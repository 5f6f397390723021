// Updates times a number: fixed, scheduled, or made of the norms of updates and parameters. u are the updates.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

/// u = step_size * u, in u's dtype.
struct Scale {
  static constexpr const char* kName = "scale";
  Hyperparam step_size = 1;
  void update(Leaves& u, const Leaves& params) const;
};
/// ValueError for NaN.
OnTrees<Scale> scale(Hyperparam step_size, SourceLocation loc = std::source_location::current());

/// The number of steps that a schedule has seen, i32[]; none where nothing is scheduled.
struct ScheduleState {
  Array count;
};

/// u = -rate * u, or rate * u without flip_sign.
struct ScaleByLearningRate {
  static constexpr const char* kName = "scale_by_learning_rate";
  ScalarOrSchedule learning_rate = 1;
  bool flip_sign = true;
  ScheduleState init(const Leaves& params) const;
  void update(Leaves& u, ScheduleState& state, const Leaves& params) const;
};
struct LearningRateOptions {
  bool flip_sign = true;
};
/// ValueError for NaN.
OnTrees<ScaleByLearningRate> scale_by_learning_rate(ScalarOrSchedule learning_rate, LearningRateOptions options = {},
                                                    SourceLocation loc = std::source_location::current());
/// u = schedule(count) * u.
OnTrees<ScaleByLearningRate> scale_by_schedule(Schedule step_size,
                                               SourceLocation loc = std::source_location::current());

/// u = sign(u).
struct ScaleBySign {
  static constexpr const char* kName = "scale_by_sign";
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<ScaleBySign> scale_by_sign();

/// u = scale_factor * u / (|u| + eps), with the norm over all leaves.
struct NormalizeByUpdateNorm {
  static constexpr const char* kName = "normalize_by_update_norm";
  Hyperparam scale_factor = 1;
  Hyperparam eps = 1e-6;
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<NormalizeByUpdateNorm> normalize_by_update_norm(NormalizeByUpdateNorm options = {},
                                                        SourceLocation loc = std::source_location::current());

/// u = max(sqrt(sum |p|^2), min_scale) * u for each leaf p of the parameters.
struct ScaleByParamBlockNorm {
  static constexpr const char* kName = "scale_by_param_block_norm";
  Hyperparam min_scale = 1e-3;
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<ScaleByParamBlockNorm> scale_by_param_block_norm(Hyperparam min_scale = 1e-3,
                                                         SourceLocation loc = std::source_location::current());

/// u = max(sqrt(mean |p|^2), min_scale) * u for each leaf p of the parameters.
struct ScaleByParamBlockRms {
  static constexpr const char* kName = "scale_by_param_block_rms";
  Hyperparam min_scale = 1e-3;
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<ScaleByParamBlockRms> scale_by_param_block_rms(Hyperparam min_scale = 1e-3,
                                                       SourceLocation loc = std::source_location::current());

/// u = trust_coefficient * |p| / (|u| + eps) * u for each leaf, with norms of at least min_norm; u itself where a norm
/// is 0 (You, Gitman and Ginsburg, 2017; You et al., 2020).
struct ScaleByTrustRatio {
  static constexpr const char* kName = "scale_by_trust_ratio";
  Hyperparam min_norm = 0;
  Hyperparam trust_coefficient = 1;
  Hyperparam eps = 0;
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<ScaleByTrustRatio> scale_by_trust_ratio(ScaleByTrustRatio options = {},
                                                SourceLocation loc = std::source_location::current());

/// u[i, ...] = u[i, ...] - mean of u[i, ...]; leaves of less than two axes stay (Yong et al., 2020).
struct Centralize {
  static constexpr const char* kName = "centralize";
  void update(Leaves& u, const Leaves& params) const;
};
OnTrees<Centralize> centralize();

}  // namespace weft::optim

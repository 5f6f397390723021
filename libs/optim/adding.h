// What is added to updates: decayed weights, noise.
#pragma once

#include "optim/masking.h"
#include "optim/scaling.h"

namespace weft::optim {

/// u = u + weight_decay * p; the decay is a number, an array or a schedule.
struct AddDecayedWeights {
  static constexpr const char* kName = "add_decayed_weights";
  ScalarOrSchedule weight_decay = 0;
  ScheduleState init(const Leaves& params) const;
  void update(Leaves& u, ScheduleState& state, const Leaves& params) const;
};
/// The leaves that `mask` says: weight decay is usually not for biases and scales. ValueError for NaN.
Masked<OnTrees<AddDecayedWeights>> add_decayed_weights(ScalarOrSchedule weight_decay = 0, Mask mask = true,
                                                       SourceLocation loc = std::source_location::current());

struct AddNoiseState {
  Array count;    ///< steps taken, i32[]
  Array rng_key;  ///< of the next step
};
/// u = u + N(0, eta / t^gamma), t counting from 1 (Neelakantan et al., 2015).
struct AddNoise {
  static constexpr const char* kName = "add_noise";
  Hyperparam eta = 0.01;
  Hyperparam gamma = 0.55;
  Array key;
  AddNoiseState init(const Leaves& params) const;
  void update(Leaves& u, AddNoiseState& state, const Leaves& params) const;
};
/// `key`: u32[2], see random::key; ValueError, ShapeError or DTypeError otherwise.
OnTrees<AddNoise> add_noise(Hyperparam eta, Hyperparam gamma, const Array& key,
                            SourceLocation loc = std::source_location::current());

namespace detail {
/// Refuses what is no key.
void check_key(const char* what, const Array& key);
/// A standard normal for each leaf, each of its own part of the key.
Leaves normal_like(const Array& key, const Leaves& like);
}  // namespace detail

}  // namespace weft::optim

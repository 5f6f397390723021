// The training steps of the examples that learn from images, on random pixels: the very steps that they train with.
#ifdef WEFT_BENCH_EXAMPLES
#include "mnist/model.h"
#include "models.h"
#include "per_example_gradients/model.h"
#include "resnet/step.h"
#include "seed_sweep/model.h"
#include "vae/model.h"

namespace workloads {

namespace {

namespace optim = weft::optim;
namespace rnd = weft::random;

Array pixels(const weft::Dims& shape) { return labels(0, shape, 256).astype(weft::u8); }
weft::train::Digits digits(std::int64_t n) { return {pixels({n, 28, 28, 1}), labels(1, {n}, 10)}; }

Runnable dpsgd() {
  constexpr int kBatch = 256, kDigits = 60000;
  const Array keys = rnd::split(rnd::key(0), 3);
  const auto sampling = per_example_gradients::Sampling::of(kBatch, kDigits);
  const auto tx = per_example_gradients::private_descent({.learning_rate = 0.5,
                                                          .clip = 1,
                                                          .noise = 1.3,
                                                          .scale = static_cast<double>(sampling.room) / kBatch,
                                                          .key = keys(0)});
  return stepping_in_place(per_example_gradients::TrainStep{sampling, tx},
                           per_example_gradients::first_run(tx, keys(1), keys(2)), digits(kDigits));
}

Runnable seed_sweep_step() {
  constexpr int kSeeds = 4;
  const std::vector<double> rates = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3};
  const Array rate_of = np::repeat(Array(rates).astype(weft::f32), {kSeeds});
  const Array keys = np::tile(rnd::split(rnd::key(0), kSeeds), {rates.size(), 1});
  return stepping_in_place(seed_sweep::next_states, seed_sweep::first_states(keys, rate_of), rate_of, digits(128));
}

}  // namespace

void add_examples_of_images(Cases& cases) {
  const auto add = [&](std::string workload, std::string params, std::function<Runnable()> make) {
    cases.push_back(weft_case(std::move(workload), std::move(params), {}, std::move(make)));
  };
  add("example_mnist", "b128 sgdm", [] {
    const auto tx = optim::sgd(0.1, {.momentum = 0.9});
    return stepping_in_place(mnist::TrainStep{tx}, mnist::first_state(tx, rnd::key(0)), digits(128));
  });
  add("example_vae", "b128 adam", [] {
    const vae::Vae model;
    const auto tx = optim::adam(1e-3);
    return stepping_in_place(vae::TrainStep{model, tx}, vae::first_state(model, tx, rnd::key(0)),
                             pixels({128, vae::kPixels}), rnd::key(1));
  });
  add("example_resnet", "20 layers b128 nesterov", [] {
    const resnet::Model model{.stage_sizes = {3, 3, 3}, .filters = 16, .classes = 10};
    const auto tx = resnet::optimizer(0.2, 5e-4, 780);
    return stepping_in_place(resnet::TrainStep{model, tx}, resnet::first_state(model, tx, rnd::key(0)),
                             resnet::Images{pixels({128, 32, 32, 3}), labels(1, {128}, 10)}, rnd::key(1));
  });
  add("example_dpsgd", "b256 of 60000", dpsgd);
  add("example_seed_sweep", "24 members b128 sgdm", seed_sweep_step);
}

}  // namespace workloads
#endif

// Trains one network with many seeds and learning rates at once: vmap makes of one member's step the step of all, which
// is traced, compiled and run as one program. The best rate is chosen by digits that are held out of training, and only
// then do its members read the test digits.
#include <algorithm>
#include <cstdio>

#include "flags.h"
#include "model.h"
#include "report.h"
#include "testing/traces.h"
#include "train/data.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "weft/weft.h"

using weft::Array;
namespace np = weft::np;
namespace train = weft::train;
using seed_sweep::Hits;

// All that a sweep is. Members are in the order of their rates, those of a rate in the order of their seeds.
struct Run {
  seed_sweep::State states;  // arrays [members, ...]
  Array losses;              // f32[members]: sums since the last point of the curves
  train::DataPosition position;
};

constexpr std::int64_t kHeldOut = 5000;  // the last training digits
constexpr std::int64_t kPointSteps = 25;

int main(int argc, char** argv) {
  std::vector<double> rates = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3};
  int seeds = 4, epochs = 5, batch_size = 128, seed = 0;
  std::int64_t digits = 55000, save_every = 0;
  std::string out = "sweep_run";
  CLI::App app("Trains perceptrons on the MNIST digits, one for each learning rate and seed, all of them at once.");
  app.option_defaults()->always_capture_default();
  app.add_option("--rates", rates, "learning rates, with commas between them")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_option("--seeds", seeds, "members for each rate")->check(CLI::Range(1, 1000));
  app.add_option("--epochs", epochs, "passes over the training digits")->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "digits per step")->check(CLI::Range(1, 10000));
  app.add_option("--digits", digits, "train on so many of them at most; the last 5000 are held out in any case")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "that all seeds and the order of digits come from");
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
  CLI11_PARSE(app, argc, argv);

  return guarded([&] {
    const train::Mnist mnist = train::load_mnist();
    mnist.announce();
    const train::Digits all = mnist.train_digits();
    const std::int64_t not_held_out = std::max<std::int64_t>(0, all.size() - kHeldOut);
    const train::Digits used = all.part(0, std::min(digits, not_held_out)),
                        held_out = all.part(not_held_out, all.size());
    train::Pipeline data(used, {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    check_fills_batch(used.size(), "digits", batch_size);

    std::sort(rates.begin(), rates.end());
    rates.erase(std::unique(rates.begin(), rates.end()), rates.end());
    const std::vector<std::string> names = seed_sweep::member_names(rates, seeds);
    const Array keys = np::tile(weft::random::split(weft::random::key(seed), seeds), {rates.size(), 1});
    const Array rate_of = np::repeat(Array(rates).astype(weft::f32), {seeds});

    // A second trace would be an AssertionError.
    const auto train_step =
        weft::jit(weft::testing::assert_max_traces(seed_sweep::next_states, 1), {.name = "train_step", .donate = {0}});
    const auto eval_step = weft::jit(seed_sweep::EvalStep{std::ssize(rates), seeds}, {.name = "eval_step"});

    train::RunFolder folder(out,
                            run_settings(app, {"--epochs", "--save-every", "--out"}, {{"data", mnist.identity()}}));
    Run run = folder.restore(Run{seed_sweep::first_states(keys, rate_of), np::zeros({names.size()}), data.position()});
    data.seek(run.position);

    // In percent of the digits.
    const auto accuracies = [&](const train::Digits& of) {
      Hits sum{np::zeros({rates.size(), seeds}), np::zeros({rates.size()})};
      for (std::int64_t i = 0; i < of.size(); i += 1000)
        sum = weft::tree::map([](const Array& a, const Array& b) { return a + b; }, sum,
                              eval_step(run.states.params, of.part(i, i + 1000)));
      return weft::tree::map([&](const Array& a) { return a * (100.0 / static_cast<double>(of.size())); }, sum);
    };
    std::int64_t step = run.position.epoch * data.batches_per_epoch() + run.position.batch;
    const auto write_points = [&](const std::string& what, const Array& values) {
      const std::vector<float> v = np::ravel(values).to_vector<float>();
      train::MetricWriter::Scalars scalars;
      for (std::size_t i = 0; i < names.size(); ++i) scalars[what + " " + names[i]] = v[i];
      folder.write_scalars(step, scalars);
    };

    while (run.position.epoch < epochs) {
      const std::int64_t epoch = run.position.epoch;
      train::Progress progress("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs),
                               data.batches_per_epoch() - run.position.batch, "steps of all");
      while (run.position.epoch == epoch) {
        auto batch = data.next().value();
        auto [states, losses] = train_step(std::move(run.states), rate_of, batch.examples);
        run = {std::move(states), run.losses + losses, batch.next};
        progress.advance(1, {{"best loss", np::nanmin(losses).item<double>()}});
        if (++step % kPointSteps == 0) {
          write_points("loss", run.losses / kPointSteps);
          run.losses = np::zeros({names.size()});
        }
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) folder.save(run, step);
      }
      progress.finish();

      const Array tested = accuracies(held_out).members;
      write_points("accuracy", tested);
      std::printf("epoch %lld: held-out accuracy in %%:", static_cast<long long>(epoch + 1));
      for (std::size_t i = 0; i < rates.size(); ++i)
        std::printf("%s %.2f at rate %g", i == 0 ? "" : ",", np::mean(tested(i)).item<double>(), rates[i]);
      std::puts("");
      folder.save(run, step);
    }

    const std::size_t best = seed_sweep::print_table(rates, accuracies(held_out));
    train::line_plot(
        folder.file("curves.png"),
        {.title = "members by learning rate",
         .x_label = "step",
         .panels = {
             {"training loss", seed_sweep::curves(folder, "loss", rates, seeds, 0, 1)},
             {"held-out accuracy in %", seed_sweep::curves(folder, "accuracy", rates, seeds, 85, 100), {}, 100}}});
    std::printf("\nwrote curves.png to %s\n", out.c_str());
    const Hits tested = accuracies(mnist.test_digits());
    std::printf("best rate %g: test accuracy %s %%, all %d together %.2f %%, after %lld epochs\n", rates[best],
                seed_sweep::mean_and_deviation(tested.members(best)).c_str(), seeds,
                tested.together(best).item<double>(), static_cast<long long>(run.position.epoch));
  });
}

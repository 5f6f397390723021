// Learns handwritten digits with differential privacy: vmap of grad gives the gradient of every example, each is
// clipped to a norm, and their sum is drowned in noise (Abadi et al., "Deep Learning with Differential Privacy", 2016).
#include <algorithm>
#include <cstdio>
#include <random>

#include "accountant.h"
#include "flags.h"
#include "model.h"
#include "optim/optim.h"
#include "train/image_sheet.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "weft/base/text.h"
#include "weft/weft.h"

using weft::Array;
namespace lax = weft::lax;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using per_example_gradients::logits_of, per_example_gradients::Run, per_example_gradients::Sampling;

struct Flags {
  int epochs = 15, batch_size = 256;
  double learning_rate = 0.5, clip = 1.0, noise = 1.3, delta = 1e-5;
  std::int64_t digits = 60000, save_every = 0, seed = 0;
  bool seed_is_given = false, account_only = false;
  std::string out = "private_run";

  void add_to(CLI::App& app) {
    app.option_defaults()->always_capture_default();
    app.add_option("--epochs", epochs, "as many steps as passes over the digits would have")
        ->check(CLI::Range(1, 1000));
    app.add_option("--batch", batch_size, "digits per step, on average")->check(CLI::Range(1, 4096));
    app.add_option("--learning-rate", learning_rate)->check(CLI::PositiveNumber);
    app.add_option("--clip", clip, "largest norm of an example's gradient")->check(CLI::PositiveNumber);
    app.add_option("--noise", noise, "standard deviation of the noise, in units of --clip: 0, or from 0.05 on")
        ->check(
            [](const std::string& text) {
              const double x = weft::parse_number<double>(text).value_or(-1);
              return x == 0 || (x >= 0.05 && x <= 1e6) ? "" : "must be 0, or from 0.05 to 1e6; got " + text + ".";
            },
            "0, 0.05 ...");
    app.add_option("--delta", delta)->check(CLI::Range(1e-30, 0.5));
    app.add_option("--digits", digits, "train on so many of them at most")->check(CLI::PositiveNumber);
    app.add_option("--seed", seed, "to repeat a run, which is then not private")
        ->default_str("drawn")
        ->each([this](const std::string&) { seed_is_given = true; });
    app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
        ->check(CLI::NonNegativeNumber);
    app.add_flag("--account-only", account_only, "tell the privacy that the run would spend, and end");
    app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
  }
};

// What some steps on so many digits cost.
struct Privacy {
  double epsilon, delta;
};
Privacy privacy(const Flags& flags, std::int64_t digits, std::int64_t steps) {
  const auto sampling = Sampling::of(flags.batch_size, digits);
  const double epsilon = privacy_spent(sampling.probability, flags.noise, steps, flags.delta);
  const double cut = overflow_chance(digits, sampling.probability, sampling.room);
  return {epsilon, std::min(1.0, flags.delta + delta_of_accidents(epsilon, steps, cut))};
}

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Trains a small convolutional network on the MNIST digits by differentially private gradient descent.");
  flags.add_to(app);
  CLI11_PARSE(app, argc, argv);

  return guarded([&] {
    // Tells what the whole run will cost.
    const auto steps_in = [&](std::int64_t digits) {
      check_fills_batch(digits, "digits", flags.batch_size);
      const std::int64_t per_epoch = digits / flags.batch_size, steps = flags.epochs * per_epoch;
      const auto [epsilon, delta] = privacy(flags, digits, steps);
      std::printf("%lld steps with noise %g: epsilon %.2f at delta %.4g\n", static_cast<long long>(steps), flags.noise,
                  epsilon, delta);
      return per_epoch;
    };
    if (flags.account_only) return void(steps_in(flags.digits));

    const train::Mnist mnist = train::load_mnist();
    mnist.announce();
    const train::Digits all = mnist.train_digits().part(0, flags.digits), test = mnist.test_digits();
    const std::int64_t per_epoch = steps_in(all.size()), last_step = flags.epochs * per_epoch;
    if (flags.seed_is_given)
      std::puts("note: --seed is for repeating a run, and not for privacy: whoever knows it knows the noise");
    std::random_device entropy;
    // Of no use where a run goes on: the keys of its noise and of its samples are in the checkpoint.
    const std::int64_t drawn = static_cast<std::int64_t>(std::uint64_t{entropy()} << 32 | entropy());
    const Array keys = weft::random::split(weft::random::key(flags.seed_is_given ? flags.seed : drawn), 3);

    const auto sampling = Sampling::of(flags.batch_size, all.size());
    const auto tx =
        per_example_gradients::private_descent({.learning_rate = flags.learning_rate,
                                                .clip = flags.clip,
                                                .noise = flags.noise,
                                                .scale = static_cast<double>(sampling.room) / flags.batch_size,
                                                .key = keys(0)});
    const auto train_step =
        weft::jit(per_example_gradients::TrainStep{sampling, tx}, {.name = "train_step", .donate = {0}});
    const auto predict = weft::jit(
        [](const nn::Collection& params, const Array& images) { return np::argmax(logits_of(params, images), -1); },
        {.name = "predict"});

    train::RunFolder folder(flags.out, run_settings(app, {"--epochs", "--save-every", "--account-only", "--out"},
                                                    {{"data", mnist.identity()}}));
    Run run = folder.restore(per_example_gradients::first_run(tx, keys(1), keys(2)));
    auto step = run.state.step.item<std::int64_t>();

    const auto tested = [&] {
      return 100 * np::mean(predict(run.state.params, test.images) == test.labels).item<double>();
    };

    while (step < last_step) {
      const std::int64_t epoch = step / per_epoch + 1, end = epoch * per_epoch;
      // Nothing of the training digits is shown but what the model gives away: their loss would not be private.
      train::Progress progress("epoch " + std::to_string(epoch) + "/" + std::to_string(flags.epochs), end - step,
                               "steps");
      while (step < end) {
        run = train_step(std::move(run), all);
        progress.advance(1);
        ++step;
        // The end of an epoch is saved below, after its test.
        if (flags.save_every > 0 && step % flags.save_every == 0 && step < end) folder.save(run, step);
      }
      progress.finish();

      const double accuracy = tested();
      const double epsilon = privacy(flags, all.size(), step).epsilon;
      folder.write_scalars(step, {{"test/accuracy", accuracy}, {"privacy/epsilon", epsilon}});
      std::printf("epoch %lld: test accuracy %.2f %%, epsilon %.2f\n", static_cast<long long>(epoch), accuracy,
                  epsilon);
      folder.save(run, step);
    }

    // Those of the first test digits with the largest gradients, which clipping would hold back most.
    const train::Digits first = test.part(0, 1000);
    const auto norms = weft::jit([](const nn::Collection& params, const train::Digits& digits) {
      const nn::Collection grads =
          per_example_gradients::gradients(params, digits, np::ones(digits.labels.shape(), weft::boolean));
      return weft::vmap([](const nn::Collection& g) { return optim::global_norm(g); })(grads);
    });
    const Array shown = lax::top_k(norms(run.state.params, first), std::min<std::int64_t>(100, first.size())).second;
    train::image_sheet(folder.file("gradients.png"), {.title = "test digits with the largest gradients",
                                                      .images = first.images(shown),
                                                      .labels = first.labels(shown),
                                                      .predictions = predict(run.state.params, first.images(shown)),
                                                      .negative = true});
    train::line_plot(folder.file("curve.png"),
                     {.title = "private gradient descent on MNIST",
                      .x_label = "step",
                      .panels = {{"test accuracy in %", folder.series({"test/accuracy"}), {}, 100},
                                 {"epsilon", folder.series({"privacy/epsilon"}), 0}}});
    std::printf("wrote gradients.png and curve.png to %s\n", flags.out.c_str());
    const Privacy spent = privacy(flags, all.size(), step);
    std::printf("test accuracy %.2f %% at epsilon %.2f and delta %.4g, after %lld steps\n", tested(), spent.epsilon,
                spent.delta, static_cast<long long>(step));
  });
}

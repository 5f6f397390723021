// Trains a convolutional network on handwritten digits: two convolutions and two dense layers, by gradient descent with
// momentum. A run that is killed goes on from its last checkpoint, and ends as if it had never stopped.
#include <cstdio>

#include "flags.h"
#include "model.h"
#include "optim/optim.h"
#include "train/data.h"
#include "train/image_sheet.h"
#include "train/metrics.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "weft/weft.h"

namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using mnist::Metrics;

// All that a run is: what it has learned, the metrics of this epoch so far, and which digits come next.
struct Run {
  mnist::State state;
  Metrics seen;
  train::DataPosition position;
};

int main(int argc, char** argv) {
  int epochs = 10, batch_size = 128, seed = 0;
  double learning_rate = 0.1, momentum = 0.9;
  std::int64_t digits = 60000, save_every = 0;
  std::string out = "mnist_run";
  CLI::App app("Trains a small convolutional network on the MNIST digits.");
  app.option_defaults()->always_capture_default();
  app.add_option("--epochs", epochs, "passes over the training digits")->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "digits per step")->check(CLI::Range(1, 10000));
  app.add_option("--learning-rate", learning_rate)->check(CLI::PositiveNumber);
  app.add_option("--momentum", momentum)->check(CLI::Range(0.0, 1.0));
  app.add_option("--digits", digits, "train on so many of them at most")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed);
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
  CLI11_PARSE(app, argc, argv);

  return guarded([&] {
    const train::Mnist mnist = train::load_mnist();
    mnist.announce();
    const train::Digits used = mnist.train_digits().part(0, digits), test = mnist.test_digits();
    train::Pipeline data(used, {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    check_fills_batch(used.size(), "digits", batch_size);

    const optim::Sgd tx = optim::sgd(learning_rate, {.momentum = momentum});
    const auto train_step = weft::jit(mnist::TrainStep{tx}, {.name = "train_step", .donate = {0}});
    const auto eval_step = weft::jit(mnist::eval_step, {.name = "eval_step"});

    train::RunFolder folder(out,
                            run_settings(app, {"--epochs", "--save-every", "--out"}, {{"data", mnist.identity()}}));
    Run run = folder.restore(
        Run{mnist::first_state(tx, weft::random::key(seed)), train::metrics::empty<Metrics>(), data.position()});
    data.seek(run.position);

    const auto tested = [&] {
      Metrics metrics = train::metrics::empty<Metrics>();
      constexpr std::int64_t kTogether = 1000;
      for (std::int64_t i = 0; i < test.size(); i += kTogether)
        metrics = train::metrics::merge(metrics, eval_step(run.state.params, test.part(i, i + kTogether)));
      return train::metrics::scalars(metrics);
    };

    while (run.position.epoch < epochs) {
      const std::int64_t epoch = run.position.epoch;
      train::Progress progress("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs),
                               (data.batches_per_epoch() - run.position.batch) * batch_size, "images");
      while (run.position.epoch == epoch) {
        auto batch = data.next().value();
        auto [state, metrics] = train_step(std::move(run.state), batch.examples);
        run = {std::move(state), train::metrics::merge(run.seen, metrics), batch.next};
        const auto now = train::metrics::scalars(metrics);
        progress.advance(batch.size, {{"loss", now.at("loss")}, {"accuracy", now.at("accuracy")}});
        const auto step = run.state.step.item<std::int64_t>();
        if (step % 50 == 0) folder.write_scalars(step, {{"batch/loss", now.at("loss")}});
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) folder.save(run, step);
      }
      progress.finish();

      const auto train_values = train::metrics::scalars(run.seen), test_values = tested();
      const auto step = run.state.step.item<std::int64_t>();
      folder.write_scalars(step, {{"train/loss", train_values.at("loss")},
                                  {"train/accuracy", 100 * train_values.at("accuracy")},
                                  {"test/loss", test_values.at("loss")},
                                  {"test/accuracy", 100 * test_values.at("accuracy")}});
      std::printf("epoch %lld: test loss %.4f, test accuracy %.2f %%\n", static_cast<long long>(epoch + 1),
                  test_values.at("loss"), 100 * test_values.at("accuracy"));
      run.seen = train::metrics::empty<Metrics>();
      folder.save(run, step);
    }

    const train::Digits shown = test.part(0, 200);
    train::image_sheet(folder.file("digits.png"),
                       {.title = "test digits and predictions",
                        .images = shown.images,
                        .labels = shown.labels,
                        .predictions = np::argmax(mnist::predict(run.state.params, shown).at("logits"), -1),
                        .negative = true});
    train::line_plot(folder.file("curve.png"),
                     {.title = "convolutional network on MNIST",
                      .x_label = "step",
                      .panels = {{"loss", folder.series({"batch/loss", "train/loss", "test/loss"})},
                                 {"accuracy in %", folder.series({"train/accuracy", "test/accuracy"}), {}, 100}}});
    std::printf("wrote digits.png and curve.png to %s\n", out.c_str());
    std::printf("test accuracy %.2f %% after %lld epochs\n", 100 * tested().at("accuracy"),
                static_cast<long long>(run.position.epoch));
  });
}

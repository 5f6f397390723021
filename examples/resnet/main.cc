// Trains a residual network on small colour images: batch normalisation with running averages, mixed precision, SGD
// with Nesterov's momentum, a learning rate that warms up and then falls along half a cosine, weight decay of kernels
// alone, and images that are moved and mirrored anew each time. A run that is killed goes on from its last checkpoint,
// and ends as if it had never stopped.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "baseline.h"
#include "data.h"
#include "flags.h"
#include "resnet.h"
#include "step.h"
#include "train/data.h"
#include "train/image_sheet.h"
#include "train/md5.h"
#include "train/metrics.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace rnd = weft::random;
namespace train = weft::train;
using resnet::DataSet, resnet::Images, resnet::Metrics, resnet::State;

// All that a run is: what it has learned, how well it did in this epoch, how images are changed, and which come next.
struct Run {
  State state;
  Metrics seen;
  Array key;
  train::DataPosition position;
};

// Which images these are, for the settings of a run.
std::string identity_of(const DataSet& images) {
  std::string all;
  const auto append = [&](const auto& numbers) {
    const auto bytes = std::as_bytes(std::span(numbers));
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  for (const Images* part : {&images.train, &images.test}) {
    append(part->pixels.to_vector<std::uint8_t>());
    append(part->labels.to_vector<std::int32_t>());
  }
  return "MD5 " + train::md5(std::as_bytes(std::span(all)));
}

int main(int argc, char** argv) {
  int epochs = 10, batch_size = 128, blocks = 3, filters = 16, seed = 0;
  double learning_rate = 0.2, weight_decay = 5e-4;
  std::int64_t num_train = 10000, num_test = 2000, save_every = 0;
  std::string out = "resnet_run", dtype = "f32", cifar10;
  bool tabulate = false, linear = false, profile = false;
  CLI::App app("Trains a residual network on ten classes of small images.");
  app.option_defaults()->always_capture_default();
  app.add_option("--epochs", epochs, "passes over the images")->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "images per step")->check(CLI::Range(1, 10000));
  app.add_option("--blocks", blocks, "residual blocks in each of three stages; there are 6 blocks + 2 layers")
      ->check(CLI::Range(1, 200));
  app.add_option("--filters", filters, "of the first stage")->check(CLI::Range(1, 1000));
  app.add_option("--learning-rate", learning_rate, "the highest")->check(CLI::PositiveNumber);
  app.add_option("--weight-decay", weight_decay)->check(CLI::NonNegativeNumber);
  app.add_option("--dtype", dtype, "what layers compute in; parameters are f32")->check(CLI::IsMember({"f32", "bf16"}));
  auto* drawn = app.add_option("--images", num_train, "that are drawn to train on")->check(CLI::PositiveNumber);
  auto* drawn_to_test =
      app.add_option("--test-images", num_test, "that are drawn to test on")->check(CLI::PositiveNumber);
  app.add_option("--cifar10", cifar10, "folder with CIFAR-10's binary files, instead of drawn images")
      ->check(CLI::ExistingDirectory)
      ->excludes(drawn)
      ->excludes(drawn_to_test);
  app.add_option("--seed", seed);
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
  app.add_flag("--tabulate", tabulate, "only print a table of ResNet-50 for images of 224 x 224");
  app.add_flag("--linear", linear, "only print what a linear classifier reaches");
  app.add_flag("--profile", profile, "only print where the time of a training step goes");
  CLI11_PARSE(app, argc, argv);

  return guarded([&] {
    if (tabulate) {
      std::puts(nn::tabulate(resnet::resnet50(), rnd::key(0), {}, np::zeros({1, 224, 224, 3}), false).c_str());
      return;
    }
    const DataSet images =
        cifar10.empty() ? resnet::make_shapes(num_train, num_test, seed) : resnet::load_cifar10(cifar10);
    std::printf("%lld images of %zu classes to train on, %lld to test on\n",
                static_cast<long long>(images.train.size()), images.classes.size(),
                static_cast<long long>(images.test.size()));
    if (linear) {
      std::printf("linear classifier: test accuracy %.2f %%\n", 100 * resnet::linear_accuracy(images));
      return;
    }
    train::Pipeline data(images.train, {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    check_fills_batch(images.train.size(), "images", batch_size);

    const resnet::Model model{.stage_sizes = {blocks, blocks, blocks},
                              .filters = filters,
                              .classes = static_cast<int>(images.classes.size()),
                              .dtype = dtype == "bf16" ? weft::bf16 : weft::f32};
    const resnet::Optimizer tx = resnet::optimizer(learning_rate, weight_decay, epochs * data.batches_per_epoch());
    const resnet::TrainStep step_of{model, tx};
    const auto train_step = weft::jit(step_of, {.name = "train_step", .donate = {0}});
    const auto predict = weft::jit(resnet::Predict{model}, {.name = "predict"});

    const Array keys = rnd::split(rnd::key(seed));
    Run run{resnet::first_state(model, tx, keys(0)), train::metrics::empty<Metrics>(), keys(1), data.position()};
    std::printf("%lld parameters\n", static_cast<long long>(nn::num_elements(run.state.train.params)));
    if (profile) {
      std::puts(weft::profile({.runs = 5}, step_of, run.state, data.next()->examples, run.key).str().c_str());
      return;
    }
    std::vector<std::string> may_change{"--cifar10", "--save-every", "--out", "--tabulate", "--linear", "--profile"};
    if (!cifar10.empty()) may_change.insert(may_change.end(), {"--images", "--test-images"});
    train::RunFolder folder(out, run_settings(app, may_change, {{"data", identity_of(images)}}));
    run = folder.restore(std::move(run));
    data.seek(run.position);

    const auto tested = [&] {
      Metrics metrics = train::metrics::empty<Metrics>();
      constexpr std::int64_t kTogether = 500;
      for (std::int64_t i = 0; i < images.test.size(); i += kTogether) {
        const weft::Index part = weft::slice(i, std::min(i + kTogether, images.test.size()));
        const auto output = predict(run.state, Images{images.test.pixels(part), images.test.labels(part)});
        metrics = train::metrics::merge(metrics, train::metrics::from_model_output<Metrics>(output));
      }
      return train::metrics::scalars(metrics);
    };

    while (run.position.epoch < epochs) {
      const std::int64_t epoch = run.position.epoch;
      train::Progress progress("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs),
                               (data.batches_per_epoch() - run.position.batch) * batch_size, "images");
      while (run.position.epoch == epoch) {
        auto batch = data.next().value();
        auto [state, metrics] = train_step(std::move(run.state), batch.examples, run.key);
        run = {std::move(state), train::metrics::merge(run.seen, metrics), run.key, batch.next};
        const auto now = train::metrics::scalars(metrics);
        progress.advance(batch.size, {{"loss", now.at("loss")}, {"accuracy", now.at("accuracy")}});
        const auto step = run.state.train.step.item<std::int64_t>();
        if (step % 10 == 0) folder.write_scalars(step, {{"batch/loss", now.at("loss")}});
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) folder.save(run, step);
      }
      progress.finish();

      const auto train_values = train::metrics::scalars(run.seen), test_values = tested();
      const auto step = run.state.train.step.item<std::int64_t>();
      folder.write_scalars(step, {{"train/loss", train_values.at("loss")},
                                  {"train/accuracy", 100 * train_values.at("accuracy")},
                                  {"test/loss", test_values.at("loss")},
                                  {"test/accuracy", 100 * test_values.at("accuracy")}});
      std::printf("epoch %lld: test loss %.4f, test accuracy %.2f %%\n", static_cast<long long>(epoch + 1),
                  test_values.at("loss"), 100 * test_values.at("accuracy"));
      run.seen = train::metrics::empty<Metrics>();
      folder.save(run, step);
    }

    const weft::Index shown = weft::slice(std::min<std::int64_t>(72, images.test.size()));
    const Images first{images.test.pixels(shown), images.test.labels(shown)};
    train::image_sheet(folder.file("images.png"),
                       {.title = "test images and predictions",
                        .images = first.pixels,
                        .labels = first.labels,
                        .predictions = np::argmax(predict(run.state, first).at("logits"), -1),
                        .names = images.classes,
                        .per_line = 12});
    train::line_plot(folder.file("curve.png"),
                     {.title = "residual network",
                      .x_label = "step",
                      .panels = {{"loss", folder.series({"batch/loss", "train/loss", "test/loss"}), 0},
                                 {"accuracy in %", folder.series({"train/accuracy", "test/accuracy"}), {}, 100}}});
    std::printf("wrote images.png and curve.png to %s\n", out.c_str());
    std::printf("test accuracy %.2f %% after %lld epochs\n", 100 * tested().at("accuracy"),
                static_cast<long long>(run.position.epoch));
  });
}

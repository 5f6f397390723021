// Trains a residual network on small colour images: batch normalisation with running averages, mixed precision, SGD
// with Nesterov's momentum, a learning rate that warms up and then falls along half a cosine, weight decay of kernels
// alone, and images that are moved and mirrored anew each time.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>

#include "baseline.h"
#include "data.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "resnet.h"
#include "sheet.h"
#include "train/checkpoint.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/data.h"
#include "train/metric_writer.h"
#include "train/metrics.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/train_state.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace rnd = weft::random;
namespace train = weft::train;

struct Metrics {
  train::metrics::FromOutput<train::metrics::Average, "loss"> loss;
  train::metrics::Accuracy accuracy;
};

// The image moved by up to 4 pixels, and in half of the cases mirrored.
Array augmented(const Array& key, const Array& image) {
  const Array keys = rnd::split(key);
  const Array from = rnd::randint(keys(0), {2}, 0, 9);
  const Array padded = np::pad(image, {{4, 4}, {4, 4}, {0, 0}});
  const std::array<Array, 3> corner{from(0), from(1), Array(0)};
  const Array moved = weft::lax::dynamic_slice(padded, corner, weft::Dims{32, 32, 3});
  return np::where(rnd::bernoulli(keys(1)), np::flip(moved, 1), moved);
}

Array scaled(const Array& pixels) { return pixels.astype(weft::f32) / 127.5 - 1; }

train::metrics::ModelOutput outputs(const Array& logits, const Array& labels) {
  return {{"logits", logits},
          {"labels", labels},
          {"loss", optim::softmax_cross_entropy_with_integer_labels(logits, labels)}};
}

// The decay is of kernels, not of what batch normalisation scales and shifts by.
auto optimizer(double learning_rate, double weight_decay, std::int64_t steps) {
  const auto schedule = optim::warmup_cosine_decay_schedule(
      {.peak_value = learning_rate, .warmup_steps = steps / 20, .decay_steps = steps});
  const auto is_kernel = [](const std::string& path) { return path.ends_with("kernel']"); };
  return optim::chain(optim::add_decayed_weights(weight_decay, is_kernel),
                      optim::sgd(schedule, {.momentum = 0.9, .nesterov = true}));
}
using Optimizer = decltype(optimizer(0.1, 0, 100));

struct State {
  train::TrainState<nn::Collection, optim::StateOf<Optimizer, nn::Collection>> train;
  nn::Collection batch_stats;
};

// All that a run is: what it has learned, how well it did in this epoch, how images are changed, and which come next.
struct Run {
  State state;
  Metrics seen;
  Array key;
  train::DataPosition position;
};

int main(int argc, char** argv) {
  int epochs = 10, batch_size = 128, blocks = 3, filters = 16, seed = 0;
  double learning_rate = 0.2, weight_decay = 5e-4;
  std::int64_t num_train = 10000, num_test = 2000, save_every = 0;
  std::string out = "resnet_run", dtype = "f32", cifar10;
  bool tabulate = false, linear = false, profile = false;
  CLI::App app("Trains a residual network on ten classes of small images.");
  app.add_option("--epochs", epochs, "passes over the images")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "images per step")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--blocks", blocks, "residual blocks in each of three stages; there are 6 blocks + 2 layers")
      ->capture_default_str()
      ->check(CLI::Range(1, 200));
  app.add_option("--filters", filters, "of the first stage")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--learning-rate", learning_rate, "the highest")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--weight-decay", weight_decay)->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--dtype", dtype, "what layers compute in; parameters are f32")
      ->capture_default_str()
      ->check(CLI::IsMember({"f32", "bf16"}));
  app.add_option("--images", num_train, "that are drawn to train on")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--test-images", num_test, "that are drawn to test on")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--cifar10", cifar10, "folder with CIFAR-10's binary files, instead of drawn images")
      ->check(CLI::ExistingDirectory);
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on")
      ->capture_default_str();
  app.add_flag("--tabulate", tabulate, "only print a table of ResNet-50 for images of 224 x 224");
  app.add_flag("--linear", linear, "only print what a linear classifier reaches");
  app.add_flag("--profile", profile, "only print where the time of a training step goes");
  CLI11_PARSE(app, argc, argv);

  try {
    if (tabulate) {
      std::puts(nn::tabulate(resnet50(), rnd::key(0), {}, np::zeros({1, 224, 224, 3}), false).c_str());
      return 0;
    }
    const DataSet images = cifar10.empty() ? make_shapes(num_train, num_test, seed) : load_cifar10(cifar10);
    std::printf("%lld images of %zu classes to train on, %lld to test on\n",
                static_cast<long long>(images.train.size()), images.classes.size(),
                static_cast<long long>(images.test.size()));
    if (linear) {
      std::printf("linear classifier: test accuracy %.2f %%\n", 100 * linear_accuracy(images));
      return 0;
    }
    train::Pipeline data(images.train, {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    if (data.batches_per_epoch() == 0) throw weft::ValueError("resnet: the training images must fill a batch.");

    const ResNet<ResNetBlock> model{.stage_sizes = {blocks, blocks, blocks},
                                    .filters = filters,
                                    .classes = static_cast<int>(images.classes.size()),
                                    .dtype = dtype == "bf16" ? weft::bf16 : weft::f32};
    const Optimizer tx = optimizer(learning_rate, weight_decay, epochs * data.batches_per_epoch());
    const auto step_of = [=](const State& state, const Images& batch, const Array& key) {
      const Array step_key = rnd::fold_in(key, state.train.step);
      const Array x = scaled(weft::vmap(augmented)(rnd::split(step_key, batch.size()), batch.pixels));
      const auto loss = [&](const nn::Collection& params) {
        const auto [logits, changed] = model.apply_mutable({{"params", params}, {"batch_stats", state.batch_stats}},
                                                           {.mutable_collections = "batch_stats"}, x, true);
        const train::metrics::ModelOutput output = outputs(logits, batch.labels);
        return std::pair(np::mean(output.at("loss")), std::pair(output, changed.at("batch_stats")));
      };
      const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.train.params);
      const auto& [output, batch_stats] = value.second;
      return std::pair(State{state.train.apply_gradients(tx, grads), batch_stats},
                       train::metrics::from_model_output<Metrics>(output));
    };
    const auto train_step = weft::jit(step_of, {.name = "train_step", .donate = {0}});
    const auto predict = weft::jit(
        [=](const State& state, const Images& batch) {
          const nn::Variables variables = {{"params", state.train.params}, {"batch_stats", state.batch_stats}};
          return outputs(model.apply(variables, scaled(batch.pixels), false), batch.labels);
        },
        {.name = "predict"});

    const Array keys = rnd::split(rnd::key(seed));
    const auto init = weft::jit([=](const Array& key) { return model.init(key, np::zeros({1, 32, 32, 3}), false); });
    const nn::Variables variables = init(keys(0));
    std::printf("%lld parameters\n", static_cast<long long>(nn::num_elements(variables.at("params"))));
    Run run{{train::create_train_state(variables.at("params"), tx), variables.at("batch_stats")},
            train::metrics::empty<Metrics>(),
            keys(1),
            data.position()};
    if (profile) {
      std::puts(weft::profile({.runs = 5}, step_of, run.state, data.next()->examples, run.key).str().c_str());
      return 0;
    }
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    data.seek(run.position);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());

    const auto writer = train::create_default_writer(out);
    // The curves' points, which must be in the file before a checkpoint that comes after them.
    train::CsvWriter points(out + "/curve.csv");
    const auto save = [&] {
      points.flush();
      train::save_checkpoint(out, run, run.state.train.step.item<std::int64_t>());
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
        if (step % 10 == 0) points.write_scalars(step, {{"batch/loss", now.at("loss")}});
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) save();
      }
      progress.finish();

      Metrics tested = train::metrics::empty<Metrics>();
      constexpr std::int64_t kTogether = 500;
      for (std::int64_t i = 0; i < images.test.size(); i += kTogether) {
        const weft::Index part = weft::slice(i, std::min(i + kTogether, images.test.size()));
        const auto output = predict(run.state, Images{images.test.pixels(part), images.test.labels(part)});
        tested = train::metrics::merge(tested, train::metrics::from_model_output<Metrics>(output));
      }
      const auto train_values = train::metrics::scalars(run.seen), test_values = train::metrics::scalars(tested);
      const train::MetricWriter::Scalars scalars = {{"train/loss", train_values.at("loss")},
                                                    {"train/accuracy", 100 * train_values.at("accuracy")},
                                                    {"test/loss", test_values.at("loss")},
                                                    {"test/accuracy", 100 * test_values.at("accuracy")}};
      writer->write_scalars(run.state.train.step.item<std::int64_t>(), scalars);
      points.write_scalars(run.state.train.step.item<std::int64_t>(), scalars);
      std::printf("epoch %lld: test loss %.4f, test accuracy %.2f %%\n", static_cast<long long>(epoch + 1),
                  test_values.at("loss"), 100 * test_values.at("accuracy"));
      run.seen = train::metrics::empty<Metrics>();
      save();
    }
    writer->close();
    points.close();

    const weft::Index shown = weft::slice(std::min<std::int64_t>(72, images.test.size()));
    const Images first{images.test.pixels(shown), images.test.labels(shown)};
    write_sheet(out + "/images.png", "test images and predictions", first,
                np::argmax(predict(run.state, first).at("logits"), -1), images.classes);
    const auto series = [&](const std::vector<std::string>& names) {
      return train::read_series(out + "/curve.csv", names);
    };
    train::line_plot(out + "/curve.png",
                     {.title = "residual network",
                      .x_label = "step",
                      .panels = {{"loss", series({"batch/loss", "train/loss", "test/loss"}), 0},
                                 {"accuracy in %", series({"train/accuracy", "test/accuracy"}), {}, 100}}});
    std::printf("wrote images.png and curve.png to %s\n", out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}

// Trains a convolutional network on handwritten digits: two convolutions and two dense layers, by gradient descent with
// momentum. A run that is killed goes on from its last checkpoint, and ends as if it had never stopped.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/checkpoint.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/data.h"
#include "train/metric_writer.h"
#include "train/metrics.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/sheet.h"
#include "train/train_state.h"
#include "weft/weft.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;

// Logits[n, 10] of images[n, 28, 28, 1].
struct Cnn : nn::Module<Cnn> {
  Array call(Array x) const {
    x = nn::relu(nn::Conv{.features = 32, .kernel_size = {3, 3}}(x));
    x = nn::avg_pool(x, {2, 2}, {.strides = {2, 2}});
    x = nn::relu(nn::Conv{.features = 64, .kernel_size = {3, 3}}(x));
    x = nn::avg_pool(x, {2, 2}, {.strides = {2, 2}});
    x = np::reshape(x, {x.shape(0), -1});
    x = nn::relu(nn::Dense{.features = 256}(x));
    return nn::Dense{.features = 10}(x);
  }
};

struct Metrics {
  train::metrics::FromOutput<train::metrics::Average, "loss"> loss;
  train::metrics::Accuracy accuracy;
};

// The loss of each digit, and the logits.
train::metrics::ModelOutput predict(const nn::Collection& params, const train::Digits& digits) {
  const Array logits = Cnn().apply({{"params", params}}, digits.images.astype(weft::f32) / 255);
  return {{"logits", logits},
          {"labels", digits.labels},
          {"loss", optim::softmax_cross_entropy_with_integer_labels(logits, digits.labels)}};
}

using State = train::TrainState<nn::Collection, optim::StateOf<optim::Sgd, nn::Collection>>;

// All that a run is: what it has learned, the metrics of this epoch so far, and which digits come next.
struct Run {
  State state;
  Metrics seen;
  train::DataPosition position;
};

int main(int argc, char** argv) {
  int epochs = 10, batch_size = 128, seed = 0;
  double learning_rate = 0.1, momentum = 0.9;
  std::int64_t digits = 60000, save_every = 0;
  std::string out = "mnist_run";
  CLI::App app("Trains a small convolutional network on the MNIST digits.");
  app.add_option("--epochs", epochs, "passes over the training digits")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "digits per step")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--learning-rate", learning_rate)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--momentum", momentum)->capture_default_str()->check(CLI::Range(0.0, 1.0));
  app.add_option("--digits", digits, "train on so many of them at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    const train::Mnist mnist = train::load_mnist();
    for (const std::string& note : mnist.notes) std::printf("note: %s\n", note.c_str());
    std::printf("digits: %s\n", mnist.source.c_str());
    const weft::Index used = weft::slice(std::min(digits, mnist.num_train()));
    const train::Digits all = mnist.train_digits(), test = mnist.test_digits();
    train::Pipeline data(train::Digits{all.images(used), all.labels(used)},
                         {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    if (data.batches_per_epoch() == 0) throw weft::ValueError("mnist: the training digits must fill a batch.");

    const optim::Sgd tx = optim::sgd(learning_rate, {.momentum = momentum});
    const auto train_step = weft::jit(
        [tx](const State& state, const train::Digits& batch) {
          const auto loss = [&](const nn::Collection& params) {
            const train::metrics::ModelOutput output = predict(params, batch);
            return std::pair(np::mean(output.at("loss")), output);
          };
          const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.params);
          return std::pair(state.apply_gradients(tx, grads), train::metrics::from_model_output<Metrics>(value.second));
        },
        {.name = "train_step", .donate = {0}});
    const auto eval_step = weft::jit(
        [](const nn::Collection& params, const train::Digits& batch) {
          return train::metrics::from_model_output<Metrics>(predict(params, batch));
        },
        {.name = "eval_step"});

    const auto init = weft::jit([](const Array& key) { return Cnn().init(key, np::zeros({1, 28, 28, 1})); });
    Run run{train::create_train_state(init(weft::random::key(seed)).at("params"), tx), train::metrics::empty<Metrics>(),
            data.position()};
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    data.seek(run.position);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());

    const auto writer = train::create_default_writer(out);
    // The curves' points, which must be in the file before a checkpoint that comes after them.
    train::CsvWriter points(out + "/curve.csv");
    const auto save = [&] {
      points.flush();
      train::save_checkpoint(out, run, run.state.step.item<std::int64_t>());
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
        if (step % 50 == 0) points.write_scalars(step, {{"batch/loss", now.at("loss")}});
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) save();
      }
      progress.finish();

      Metrics tested = train::metrics::empty<Metrics>();
      constexpr std::int64_t kTogether = 1000;
      for (std::int64_t i = 0; i < mnist.num_test(); i += kTogether) {
        const weft::Index part = weft::slice(i, std::min(i + kTogether, mnist.num_test()));
        tested = train::metrics::merge(
            tested, eval_step(run.state.params, train::Digits{test.images(part), test.labels(part)}));
      }
      const auto train_values = train::metrics::scalars(run.seen), test_values = train::metrics::scalars(tested);
      const train::MetricWriter::Scalars scalars = {{"train/loss", train_values.at("loss")},
                                                    {"train/accuracy", 100 * train_values.at("accuracy")},
                                                    {"test/loss", test_values.at("loss")},
                                                    {"test/accuracy", 100 * test_values.at("accuracy")}};
      writer->write_scalars(run.state.step.item<std::int64_t>(), scalars);
      points.write_scalars(run.state.step.item<std::int64_t>(), scalars);
      std::printf("epoch %lld: test loss %.4f, test accuracy %.2f %%\n", static_cast<long long>(epoch + 1),
                  test_values.at("loss"), 100 * test_values.at("accuracy"));
      run.seen = train::metrics::empty<Metrics>();
      save();
    }
    writer->close();
    points.close();

    const std::int64_t shown = std::min<std::int64_t>(200, mnist.num_test());
    const train::Digits first{test.images(weft::slice(shown)), test.labels(weft::slice(shown))};
    const std::vector<std::int32_t> guesses =
        np::argmax(predict(run.state.params, first).at("logits"), -1).to_vector<std::int32_t>();
    const auto count = static_cast<std::size_t>(shown);
    train::digit_sheet(out + "/digits.png", {.title = "test digits and predictions",
                                             .images = std::span(mnist.test_images).first(count * 784),
                                             .labels = std::span(mnist.test_labels).first(count),
                                             .predictions = std::span(guesses)});
    const auto series = [&](const std::vector<std::string>& names) {
      return train::read_series(out + "/curve.csv", names);
    };
    train::line_plot(out + "/curve.png",
                     {.title = "convolutional network on MNIST",
                      .x_label = "step",
                      .panels = {{"loss", series({"batch/loss", "train/loss", "test/loss"})},
                                 {"accuracy in %", series({"train/accuracy", "test/accuracy"}), {}, 100}}});
    std::printf("wrote %s/digits.png and %s/curve.png\n", out.c_str(), out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}

// Learns handwritten digits with differential privacy: vmap of grad gives the gradient of every example, each is
// clipped to a norm, and their sum is drowned in noise (Abadi et al., "Deep Learning with Differential Privacy", 2016).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "accountant.h"
#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/checkpoint.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/metric_writer.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/sheet.h"
#include "train/train_state.h"
#include "weft/weft.h"

using weft::Array;
namespace lax = weft::lax;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;

// Logits[n, 10] of images[n, 28, 28, 1]. Activations that are bounded keep gradients small, so that clipping takes less
// away (Papernot et al., "Tempered Sigmoid Activations for Deep Learning with Differential Privacy", 2020).
struct Cnn : nn::Module<Cnn> {
  Array call(Array x) const {
    x = np::tanh(nn::Conv{.features = 16, .kernel_size = {8, 8}, .strides = 2}(x));
    x = nn::max_pool(x, {2, 2});
    x = np::tanh(nn::Conv{.features = 32, .kernel_size = {4, 4}, .strides = 2, .padding = nn::Padding::kValid}(x));
    x = nn::max_pool(x, {2, 2});
    x = np::reshape(x, {x.shape(0), -1});
    x = np::tanh(nn::Dense{.features = 32}(x));
    return nn::Dense{.features = 10}(x);
  }
};

Array logits_of(const nn::Collection& params, const Array& images) {
  return Cnn().apply({{"params", params}}, images.astype(weft::f32) / 255);
}

// The loss of one example, image[28, 28, 1]; 0, and so no gradient, where it does not count.
Array loss(const nn::Collection& params, const Array& image, const Array& label, const Array& counts) {
  const Array logits = logits_of(params, image(weft::newaxis))(0);
  return np::where(counts, optim::softmax_cross_entropy_with_integer_labels(logits, label), 0.0);
}

// The gradients of all examples: arrays with one more axis, the first, than those of the parameters.
nn::Collection gradients(const nn::Collection& params, const train::Digits& digits, const Array& counts) {
  return weft::vmap(weft::grad(loss), {weft::unmapped, 0, 0, 0})(params, digits.images, digits.labels, counts);
}

// Which examples take part in a step: each with the same probability, whatever the others do (Poisson sampling), which
// is what the accountant assumes. A compiled step has room for so many; `counts` tells which of them were drawn.
struct Sample {
  train::Digits digits;
  Array counts;  // bool[room]
};
Sample draw(const Array& key, const train::Digits& all, double probability, std::int64_t room) {
  const auto [values, indices] = lax::top_k(-weft::random::uniform(key, {all.labels.shape(0)}), room);
  return {{all.images(indices), all.labels(indices)}, -values < probability};
}

struct Descent {
  double learning_rate, clip, noise;
  double scale;  // of the mean over the room for examples: to one over as many as a sample has on average
  Array key;     // of the noise
};
auto private_descent(const Descent& d) {
  return optim::chain(optim::contrib::differentially_private_aggregate(d.clip, d.noise, d.key), optim::scale(d.scale),
                      optim::sgd(d.learning_rate));
}
using State = train::TrainState<nn::Collection, optim::StateOf<decltype(private_descent({})), nn::Collection>>;

// All that a run is.
struct Run {
  State state;
  Array key;  // of the next sample
};

int main(int argc, char** argv) {
  int epochs = 15, batch_size = 256, seed = 0;
  double learning_rate = 0.5, clip = 1.0, noise = 1.3, delta = 1e-5;
  std::int64_t digits = 60000, save_every = 0;
  bool account_only = false;
  std::string out = "private_run";
  CLI::App app("Trains a small convolutional network on the MNIST digits by differentially private gradient descent.");
  app.add_option("--epochs", epochs, "as many steps as passes over the digits would have")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "digits per step, on average")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_option("--learning-rate", learning_rate)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--clip", clip, "largest norm of an example's gradient")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--noise", noise, "standard deviation of the noise, in units of --clip")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--delta", delta)->capture_default_str()->check(CLI::Range(1e-30, 0.5));
  app.add_option("--digits", digits, "train on so many of them at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--account-only", account_only, "tell the privacy that the run would spend, and end");
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    const train::Mnist mnist = train::load_mnist();
    for (const std::string& note : mnist.notes) std::printf("note: %s\n", note.c_str());
    std::printf("digits: %s\n", mnist.source.c_str());
    const std::int64_t count = std::min(digits, mnist.num_train());
    const weft::Index used = weft::slice(count);
    const train::Digits everything = mnist.train_digits(), test = mnist.test_digits();
    const train::Digits all{everything.images(used), everything.labels(used)};
    const double probability = std::min(1.0, static_cast<double>(batch_size) / static_cast<double>(count));
    const std::int64_t per_epoch = std::max<std::int64_t>(1, count / batch_size), last_step = epochs * per_epoch;
    std::printf("%lld steps with noise %g: epsilon %.2f at delta %g\n", static_cast<long long>(last_step), noise,
                privacy_spent(probability, noise, last_step, delta), delta);
    if (account_only) return 0;

    // A larger sample than this comes less than once in 10^9 steps; what does not fit is left out.
    const std::int64_t room = std::min(count, static_cast<std::int64_t>(batch_size + 7 * std::sqrt(batch_size) + 7));
    const Array key = weft::random::key(seed);
    const auto tx = private_descent({.learning_rate = learning_rate,
                                     .clip = clip,
                                     .noise = noise,
                                     .scale = static_cast<double>(room) / batch_size,
                                     .key = weft::random::fold_in(key, 1)});
    const auto train_step = weft::jit(
        [=](const Run& run, const train::Digits& all) {
          const Array keys = weft::random::split(run.key);
          const Sample sample = draw(keys(0), all, probability, room);
          const nn::Collection grads = gradients(run.state.params, sample.digits, sample.counts);
          return Run{run.state.apply_gradients(tx, grads), keys(1)};
        },
        {.name = "train_step", .donate = {0}});
    const auto predict = weft::jit(
        [](const nn::Collection& params, const Array& images) { return np::argmax(logits_of(params, images), -1); },
        {.name = "predict"});

    const auto init = weft::jit([](const Array& key) { return Cnn().init(key, np::zeros({1, 28, 28, 1})); });
    Run run{train::create_train_state(init(key).at("params"), tx), weft::random::fold_in(key, 2)};
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());
    auto step = run.state.step.item<std::int64_t>();

    const auto writer = train::create_default_writer(out);
    // The curves' points, which must be in the file before a checkpoint that comes after them.
    train::CsvWriter points(out + "/curve.csv");
    const auto save = [&] {
      points.flush();
      train::save_checkpoint(out, run, step);
    };

    while (step < last_step) {
      const std::int64_t epoch = step / per_epoch + 1, end = epoch * per_epoch;
      // Nothing of the training digits is shown but what the model gives away: their loss would not be private.
      train::Progress progress("epoch " + std::to_string(epoch) + "/" + std::to_string(epochs), end - step, "steps");
      while (step < end) {
        run = train_step(std::move(run), all);
        progress.advance(1);
        ++step;
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && step < end) save();
      }
      progress.finish();

      const double accuracy = 100 * np::mean(predict(run.state.params, test.images) == test.labels).item<double>();
      const double epsilon = privacy_spent(probability, noise, step, delta);
      for (train::MetricWriter* w : {writer.get(), static_cast<train::MetricWriter*>(&points)})
        w->write_scalars(step, {{"test/accuracy", accuracy}, {"privacy/epsilon", epsilon}});
      std::printf("epoch %lld: test accuracy %.2f %%, epsilon %.2f\n", static_cast<long long>(epoch), accuracy,
                  epsilon);
      save();
    }
    writer->close();
    points.close();

    // Those of the first test digits with the largest gradients, which clipping would hold back most.
    const std::int64_t looked_at = std::min<std::int64_t>(1000, mnist.num_test());
    const train::Digits first{test.images(weft::slice(looked_at)), test.labels(weft::slice(looked_at))};
    const auto norms = weft::jit([](const nn::Collection& params, const train::Digits& digits) {
      const nn::Collection grads = gradients(params, digits, np::ones(digits.labels.shape(), weft::boolean));
      return weft::vmap([](const nn::Collection& g) { return optim::global_norm(g); })(grads);
    });
    const Array shown = lax::top_k(norms(run.state.params, first), std::min<std::int64_t>(100, looked_at)).second;
    const auto images = first.images(shown).to_vector<std::uint8_t>();
    const auto labels = first.labels(shown).astype(weft::u8).to_vector<std::uint8_t>();
    const auto guesses = predict(run.state.params, first.images(shown)).to_vector<std::int32_t>();
    train::digit_sheet(out + "/gradients.png", {.title = "test digits with the largest gradients",
                                                .images = std::span(images),
                                                .labels = std::span(labels),
                                                .predictions = std::span(guesses)});
    const auto series = [&](const char* name) { return train::read_series(out + "/curve.csv", {name}); };
    train::line_plot(out + "/curve.png", {.title = "private gradient descent on MNIST",
                                          .x_label = "step",
                                          .panels = {{"test accuracy in %", series("test/accuracy"), {}, 100},
                                                     {"epsilon", series("privacy/epsilon"), 0}}});
    std::printf("wrote %s/gradients.png and %s/curve.png\n", out.c_str(), out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}

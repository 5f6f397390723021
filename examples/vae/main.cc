// A variational autoencoder of handwritten digits (Kingma and Welling, "Auto-encoding variational Bayes", 2014): an
// encoder says where an image's code probably lies, a decoder makes an image of a code, and both are trained on the
// evidence lower bound. Then normal noise, decoded, is digits that nobody wrote.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/canvas.h"
#include "train/checkpoint.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/data.h"
#include "train/images.h"
#include "train/metric_writer.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/train_state.h"
#include "weft/weft.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;

constexpr int kSide = 28, kPixels = kSide * kSide;

// A normal distribution of codes for each image, independent in all latents.
struct Gaussian {
  Array mean, logvar;  // [n, latents]
};

// q(z | x)
struct Encoder : nn::Module<Encoder> {
  int latents = 0;
  Gaussian call(const Array& x) const {
    const Array h = nn::relu(nn::Dense{.features = 500, .name = "fc1"}(x));
    const Array mean = nn::Dense{.features = latents, .name = "fc2_mean"}(h);
    const Array logvar = nn::Dense{.features = latents, .name = "fc2_logvar"}(h);
    return {mean, logvar};
  }
};

// The logits of p(x | z): how dark each pixel is.
struct Decoder : nn::Module<Decoder> {
  Array call(const Array& z) const {
    const Array h = nn::relu(nn::Dense{.features = 500, .name = "fc1"}(z));
    return nn::Dense{.features = kPixels, .name = "fc2"}(h);
  }
};

struct Vae : nn::Module<Vae> {
  int latents = 20;
  Encoder encoder = {.latents = latents};
  Decoder decoder = {};

  // One code drawn for each image, and what the decoder makes of it. The noise does not depend on the parameters, so
  // gradients pass through the mean and the deviation.
  std::pair<Array, Gaussian> call(const Array& x) const {
    const Gaussian q = encoder(x);
    const Array noise = weft::random::normal(make_rng("latents"), q.mean.shape());
    return {decoder(q.mean + np::exp(0.5 * q.logvar) * noise), q};
  }
  Array generate(const Array& z) const { return nn::sigmoid(decoder(z)); }
};

// Bounds -log p(x) = loss from above, in nats; means over images.
struct Elbo {
  Array loss, reconstruction, kl;
};
struct Autoencoded {
  Elbo elbo;
  Array images;  // f32[n, kPixels], from 0 to 1
};

// Of grey images u8[n, kPixels].
Autoencoded autoencode(const Vae& vae, const nn::Collection& params, const Array& images, const Array& key) {
  const Array x = images.astype(weft::f32) / 255;
  const auto [logits, q] = vae.apply({{"params", params}}, {.rngs = {{"latents", key}}}, x);
  const Array reconstruction = np::mean(np::sum(optim::sigmoid_binary_cross_entropy(logits, x), -1));
  // KL(q || N(0, 1)), in closed form.
  const Array kl = np::mean(0.5 * np::sum(np::square(q.mean) + np::exp(q.logvar) - 1 - q.logvar, -1));
  return {{reconstruction + kl, reconstruction, kl}, nn::sigmoid(logits)};
}

using State = train::TrainState<nn::Collection, optim::StateOf<decltype(optim::adam(0)), nn::Collection>>;

// All that a run is: what it has learned, where its noise comes from, and which digits come next.
struct Run {
  State state;
  Array key;
  train::DataPosition position;
};

// Images [n, kPixels] beside and below each other: [lines kSide, per_line kSide, 1].
Array sheet(const Array& images, int per_line) {
  const Array tiles = np::reshape(images, {-1, per_line, kSide, kSide});
  return np::reshape(np::transpose(tiles, {0, 2, 1, 3}), {-1, per_line * kSide, 1});
}

// Each line of images, and below it the same as they come out.
Array compared(const Array& before, const Array& after, int per_line) {
  const Array lines = np::stack({np::reshape(before.astype(weft::f32) / 255, {-1, per_line, kPixels}),
                                 np::reshape(after, {-1, per_line, kPixels})},
                                1);
  return sheet(np::reshape(lines, {-1, kPixels}), per_line);
}

void write_sheet(const std::string& path, const std::string& title, const Array& pixels) {
  const train::Image image = train::images_of(pixels).at(0);
  const int margin = 24, scale = 2, top = 2 * margin + train::text_height(3);
  train::Canvas canvas(image.width * scale + 2 * margin, image.height * scale + top + margin);
  canvas.text(margin, margin, title, train::kBlack, 3);
  canvas.grey(margin, top, image.pixels, image.width, image.height, scale);
  canvas.write(path);
}

int main(int argc, char** argv) {
  int epochs = 10, batch_size = 128, latents = 20, seed = 0;
  double learning_rate = 1e-3;
  std::int64_t digits = 60000, save_every = 0;
  std::string out = "vae_run";
  CLI::App app("Trains a variational autoencoder on the MNIST digits and draws new ones.");
  app.add_option("--epochs", epochs, "passes over the training digits")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "digits per step")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--latents", latents, "numbers in a code")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--learning-rate", learning_rate, "of Adam")->capture_default_str()->check(CLI::PositiveNumber);
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
    const Array all = np::reshape(mnist.train_digits().images, {-1, kPixels});
    const Array test = np::reshape(mnist.test_digits().images, {-1, kPixels});
    train::Pipeline data(all(weft::slice(std::min(digits, mnist.num_train()))),
                         {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    if (data.batches_per_epoch() == 0) throw weft::ValueError("vae: the training digits must fill a batch.");

    const Vae vae{.latents = latents};
    const auto tx = optim::adam(learning_rate);
    const auto train_step = weft::jit(
        [=](const State& state, const Array& images, const Array& key) {
          const Array step_key = weft::random::fold_in(key, state.step);
          const auto loss = [&](const nn::Collection& params) {
            const Elbo elbo = autoencode(vae, params, images, step_key).elbo;
            return std::pair(elbo.loss, elbo);
          };
          const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.params);
          return std::pair(state.apply_gradients(tx, grads), value.second);
        },
        {.name = "train_step", .donate = {0}});
    const auto eval_step = weft::jit([=](const nn::Collection& params, const Array& images, const Array& key) {
      return autoencode(vae, params, images, key);
    });
    const auto generate = weft::jit([=](const nn::Collection& params, const Array& z) {
      return vae.apply_method(&Vae::generate, {{"params", params}}, {}, z);
    });

    const Array keys = weft::random::split(weft::random::key(seed), 4);
    const auto init = weft::jit([=](const Array& key) { return vae.init(key, np::zeros({1, kPixels})); });
    Run run{train::create_train_state(init(keys(0)).at("params"), tx), keys(1), data.position()};
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    data.seek(run.position);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());

    // The same codes and the same noise after each epoch, so that pictures differ by what was learned alone.
    constexpr int kPerLine = 16;
    const Array codes = weft::random::normal(keys(2), {kPerLine * kPerLine, latents});
    const Array shown = test(weft::slice(std::min<std::int64_t>(6, mnist.num_test() / kPerLine) * kPerLine));
    const auto samples = [&] { return sheet(generate(run.state.params, codes), kPerLine); };
    const auto reconstructions = [&] {
      return compared(shown, eval_step(run.state.params, shown, keys(3)).images, kPerLine);
    };

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
        auto [state, elbo] = train_step(std::move(run.state), batch.examples, run.key);
        run = {std::move(state), run.key, batch.next};
        const auto loss = elbo.loss.item<double>();
        progress.advance(batch.size, {{"loss", loss}, {"KL", elbo.kl.item<double>()}});
        const auto step = run.state.step.item<std::int64_t>();
        if (step % 50 == 0) points.write_scalars(step, {{"batch/loss", loss}});
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) save();
      }
      progress.finish();

      const Elbo tested = eval_step(run.state.params, test, keys(3)).elbo;
      const train::MetricWriter::Scalars scalars = {{"test/loss", tested.loss.item<double>()},
                                                    {"test/reconstruction", tested.reconstruction.item<double>()},
                                                    {"test/kl", tested.kl.item<double>()}};
      const auto step = run.state.step.item<std::int64_t>();
      writer->write_scalars(step, scalars);
      writer->write_images(step, {{"samples", samples()}, {"reconstructions", reconstructions()}});
      points.write_scalars(step, scalars);
      std::printf("epoch %lld: test loss %.2f nats, of that KL %.2f\n", static_cast<long long>(epoch + 1),
                  scalars.at("test/loss"), scalars.at("test/kl"));
      save();
    }
    writer->close();
    points.close();

    write_sheet(out + "/samples.png", "digits that nobody wrote", samples());
    write_sheet(out + "/reconstructions.png", "test digits, and below each its reconstruction", reconstructions());
    const auto series = [&](const std::vector<std::string>& names) {
      return train::read_series(out + "/curve.csv", names);
    };
    train::line_plot(out + "/curve.png", {.title = "variational autoencoder on MNIST",
                                          .x_label = "step",
                                          .panels = {{"loss in nats", series({"batch/loss", "test/loss"})},
                                                     {"KL in nats", series({"test/kl"})}}});
    std::printf("wrote samples.png, reconstructions.png and curve.png to %s\n", out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}

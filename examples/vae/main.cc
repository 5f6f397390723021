// A variational autoencoder of handwritten digits (Kingma and Welling, "Auto-encoding variational Bayes", 2014): an
// encoder says where an image's code probably lies, a decoder makes an image of a code, and both are trained on the
// evidence lower bound. Then normal noise, decoded, is digits that nobody wrote.
#include <cstdio>

#include "flags.h"
#include "model.h"
#include "optim/optim.h"
#include "train/data.h"
#include "train/image_sheet.h"
#include "train/images.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "weft/weft.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using vae::Elbo, vae::kPixels, vae::kSide;

// All that a run is: what it has learned, where its noise comes from, and which digits come next.
struct Run {
  vae::State state;
  Array key;
  train::DataPosition position;
};

constexpr int kPerLine = 16;

train::Canvas sheet(const std::string& title, const Array& images) {
  return train::draw_image_sheet(
      {.title = title, .images = np::reshape(images, {-1, kSide, kSide}), .per_line = kPerLine, .negative = true});
}

// Each line of images u8[n, kPixels], and below it f32[n, kPixels], as what they come out.
Array compared(const Array& before, const Array& after) {
  const auto lines = [](const Array& images) { return np::reshape(images, {-1, kPerLine, kPixels}); };
  return np::stack({lines(before.astype(weft::f32) / 255), lines(after)}, 1);
}

int main(int argc, char** argv) {
  int epochs = 10, batch_size = 128, latents = 20, seed = 0;
  double learning_rate = 1e-3;
  std::int64_t digits = 60000, save_every = 0;
  std::string out = "vae_run";
  CLI::App app("Trains a variational autoencoder on the MNIST digits and draws new ones.");
  app.option_defaults()->always_capture_default();
  app.add_option("--epochs", epochs, "passes over the training digits")->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "digits per step")->check(CLI::Range(1, 10000));
  app.add_option("--latents", latents, "numbers in a code")->check(CLI::Range(1, 1000));
  app.add_option("--learning-rate", learning_rate, "of Adam")->check(CLI::PositiveNumber);
  app.add_option("--digits", digits, "train on so many of them at most")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed);
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
  CLI11_PARSE(app, argc, argv);

  return guarded([&] {
    const train::Mnist mnist = train::load_mnist();
    mnist.announce();
    const Array used = np::reshape(mnist.train_digits().part(0, digits).images, {-1, kPixels});
    const Array test = np::reshape(mnist.test_digits().images, {-1, kPixels});
    train::Pipeline data(used, {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    check_fills_batch(used.shape(0), "digits", batch_size);

    const vae::Vae model{.latents = latents};
    const auto tx = optim::adam(learning_rate);
    const auto train_step = weft::jit(vae::TrainStep{model, tx}, {.name = "train_step", .donate = {0}});
    const auto eval_step = weft::jit([=](const nn::Collection& params, const Array& images, const Array& key) {
      return vae::autoencode(model, params, images, key);
    });
    const auto generate = weft::jit([=](const nn::Collection& params, const Array& z) {
      return model.apply_method(&vae::Vae::generate, {{"params", params}}, {}, z);
    });

    train::RunFolder folder(out,
                            run_settings(app, {"--epochs", "--save-every", "--out"}, {{"data", mnist.identity()}}));
    const Array keys = weft::random::split(weft::random::key(seed), 4);
    Run run = folder.restore(Run{vae::first_state(model, tx, keys(0)), keys(1), data.position()});
    data.seek(run.position);

    // The same codes and the same noise after each epoch, so that pictures differ by what was learned alone.
    const Array codes = weft::random::normal(keys(2), {kPerLine * kPerLine, latents});
    const Array shown = test(weft::slice(std::min<std::int64_t>(6, test.shape(0) / kPerLine) * kPerLine));
    const auto samples = [&] { return sheet("digits that nobody wrote", generate(run.state.params, codes)); };
    const auto reconstructions = [&] {
      return sheet("test digits, and below each its reconstruction",
                   compared(shown, eval_step(run.state.params, shown, keys(3)).images));
    };

    const auto tested = [&] { return eval_step(run.state.params, test, keys(3)).elbo; };

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
        if (step % 50 == 0) folder.write_scalars(step, {{"batch/loss", loss}});
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) folder.save(run, step);
      }
      progress.finish();

      const Elbo elbo = tested();
      const auto loss = elbo.loss.item<double>(), kl = elbo.kl.item<double>();
      const auto step = run.state.step.item<std::int64_t>();
      folder.write_scalars(
          step, {{"test/loss", loss}, {"test/reconstruction", elbo.reconstruction.item<double>()}, {"test/kl", kl}});
      folder.writer().write_images(step, {{"samples", train::array_of(samples().image())},
                                          {"reconstructions", train::array_of(reconstructions().image())}});
      std::printf("epoch %lld: test loss %.2f nats, of that KL %.2f\n", static_cast<long long>(epoch + 1), loss, kl);
      folder.save(run, step);
    }

    samples().write(folder.file("samples.png"));
    reconstructions().write(folder.file("reconstructions.png"));
    train::line_plot(folder.file("curve.png"), {.title = "variational autoencoder on MNIST",
                                                .x_label = "step",
                                                .panels = {{"loss in nats", folder.series({"batch/loss", "test/loss"})},
                                                           {"KL in nats", folder.series({"test/kl"})}}});
    std::printf("wrote samples.png, reconstructions.png and curve.png to %s\n", out.c_str());
    const Elbo elbo = tested();
    std::printf("test loss %.2f nats, of that KL %.2f, after %lld epochs\n", elbo.loss.item<double>(),
                elbo.kl.item<double>(), static_cast<long long>(run.position.epoch));
  });
}

#include "sheet.h"

#include "train/canvas.h"
#include "train/images.h"

namespace train = weft::train;

void write_sheet(const std::string& path, const std::string& title, const Images& images,
                 const weft::Array& predictions, const std::vector<std::string>& classes) {
  constexpr int kMargin = 24, kPerLine = 12, kScale = 3, kCell = 32 * kScale + 24;
  const int line = 2 * train::text_height(2), cell_height = 32 * kScale + 2 * line + 4;
  const std::vector<train::Image> pictures = train::images_of(images.pixels);
  const auto labels = images.labels.to_vector<std::int32_t>(), guesses = predictions.to_vector<std::int32_t>();
  const int count = static_cast<int>(pictures.size()), lines = (count + kPerLine - 1) / kPerLine;
  const int top = kMargin + 2 * train::text_height(3);
  train::Canvas canvas(kPerLine * kCell + 2 * kMargin, top + lines * cell_height + kMargin);
  canvas.text(kMargin, kMargin, title, train::kBlack, 3);
  for (int i = 0; i < count; ++i) {
    const int left = kMargin + i % kPerLine * kCell, y = top + i / kPerLine * cell_height;
    const auto& pixels = pictures[static_cast<std::size_t>(i)].pixels;
    for (int p = 0; p < 32 * 32; ++p) {
      const std::uint8_t* rgb = pixels.data() + 3 * p;
      canvas.fill(left + p % 32 * kScale, y + p / 32 * kScale, kScale, kScale, {rgb[0], rgb[1], rgb[2]});
    }
    const auto name = [&](const std::vector<std::int32_t>& of) -> const std::string& {
      return classes.at(static_cast<std::size_t>(of[static_cast<std::size_t>(i)]));
    };
    const bool right = &name(labels) == &name(guesses);
    const int under = y + 32 * kScale + 6, middle = left + 16 * kScale;
    canvas.text(middle, under, name(guesses), right ? train::kBlack : train::Color{204, 32, 38}, 2,
                train::Align::kCenter);
    if (!right) canvas.text(middle, under + line, name(labels), train::kBlack, 2, train::Align::kCenter);
  }
  canvas.write(path);
}

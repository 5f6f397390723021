#include "train/sheet.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "weft/base/error.h"

namespace weft::train {

namespace {

constexpr Color kInk{40, 44, 52}, kFaint{110, 116, 126}, kEdge{214, 217, 222}, kWrong{204, 32, 38};
constexpr int kMargin = 24, kGap = 10;

}  // namespace

Canvas draw_digit_sheet(const DigitSheet& sheet, SourceLocation loc) {
  const LocationScope scope(loc, "draw_digit_sheet");
  if (sheet.rows < 1 || sheet.cols < 1 || sheet.per_line < 1 || sheet.scale < 1)
    throw ValueError("digit_sheet: rows, cols, per_line and scale must be at least 1; got " +
                     std::to_string(sheet.rows) + ", " + std::to_string(sheet.cols) + ", " +
                     std::to_string(sheet.per_line) + ", " + std::to_string(sheet.scale) + ".");
  const std::size_t count = sheet.labels.size();
  const std::size_t size = static_cast<std::size_t>(sheet.rows) * static_cast<std::size_t>(sheet.cols);
  if (sheet.predictions.size() != count || sheet.images.size() != count * size)
    throw ShapeError("digit_sheet: images, labels and predictions must agree in number; got " +
                     std::to_string(sheet.images.size()) + " bytes of " + std::to_string(sheet.rows) + "x" +
                     std::to_string(sheet.cols) + " images, " + std::to_string(count) + " labels, " +
                     std::to_string(sheet.predictions.size()) + " predictions.");
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) right += sheet.predictions[i] == sheet.labels[i] ? 1 : 0;
  const std::string summary = std::to_string(right) + " of " + std::to_string(count) + " right" +
                              (right < count ? "; wrong ones red: predicted (true)" : "");

  // Sides that no picture can have are for the canvas to refuse, so they must not overflow before.
  using Wide = std::int64_t;
  const auto side = [](Wide pixels) {
    return static_cast<int>(std::min<Wide>(pixels, std::numeric_limits<int>::max() / 2));
  };
  const Wide columns = std::clamp<Wide>(static_cast<Wide>(count), 1, sheet.per_line);
  const Wide lines = (static_cast<Wide>(count) + columns - 1) / columns;
  const int cell = side(Wide{sheet.cols} * sheet.scale), image_height = side(Wide{sheet.rows} * sheet.scale);
  const int cell_height = image_height + 6 + text_height() + kGap;
  const int head = kMargin + (sheet.title.empty() ? 0 : text_height(3) + kGap) + text_height() + 2 * kGap;
  const int grid = side(columns * (cell + kGap) - kGap);
  const int width = std::max({grid, text_width(sheet.title, 3), text_width(summary)}) + 2 * kMargin;
  Canvas canvas(width, side(head + lines * cell_height + kMargin - kGap));

  int y = kMargin;
  if (!sheet.title.empty()) {
    canvas.text(kMargin, y, sheet.title, kInk, 3);
    y += text_height(3) + kGap;
  }
  canvas.text(kMargin, y, summary, kFaint);

  std::vector<std::uint8_t> paper(size);
  for (std::size_t i = 0; i < count; ++i) {
    const int left = kMargin + static_cast<int>(static_cast<Wide>(i) % columns) * (cell + kGap);
    const int top = head + static_cast<int>(static_cast<Wide>(i) / columns) * cell_height;
    const bool wrong = sheet.predictions[i] != sheet.labels[i];
    std::transform(sheet.images.begin() + static_cast<std::ptrdiff_t>(i * size),
                   sheet.images.begin() + static_cast<std::ptrdiff_t>((i + 1) * size), paper.begin(),
                   [](std::uint8_t v) { return static_cast<std::uint8_t>(255 - v); });
    canvas.grey(left, top, paper, sheet.cols, sheet.rows, sheet.scale);
    if (wrong)
      canvas.frame(left - 3, top - 3, cell + 6, image_height + 6, kWrong, 3);
    else
      canvas.frame(left - 1, top - 1, cell + 2, image_height + 2, kEdge);
    std::string text = std::to_string(sheet.predictions[i]);
    if (wrong) text += " (" + std::to_string(sheet.labels[i]) + ")";
    // A space costs more room than a narrow cell has.
    if (text_width(text) > cell + kGap) std::erase(text, ' ');
    canvas.text(left + cell / 2, top + image_height + 6, text, wrong ? kWrong : kInk, 2, Align::kCenter);
  }
  return canvas;
}

void digit_sheet(const std::string& path, const DigitSheet& sheet, SourceLocation loc) {
  const LocationScope scope(loc, "digit_sheet");
  draw_digit_sheet(sheet).write(path);
}

}  // namespace weft::train

#include "train/image_sheet.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

#include "train/images.h"
#include "weft/base/error.h"
#include "weft/base/text.h"
#include "weft/np/np.h"

namespace weft::train {

namespace {

constexpr Color kEdge{214, 217, 222}, kWrong{204, 32, 38};
constexpr int kMargin = 24, kGap = 10, kLine = 20;  // a line of text has 14 rows, and 4 of descenders

std::vector<Image> pictures_of(const ImageSheet& sheet) {
  const Array& x = sheet.images;
  const bool grey = x.defined() && x.ndim() == 3;
  if (!x.defined() || (!grey && x.ndim() != 4) || x.size() == 0 || (!grey && x.shape(3) != 1 && x.shape(3) != 3))
    throw ShapeError(
        "image_sheet: images must be [n, height, width], or with 1 or 3 channels after it, and not empty; got " +
        (x.defined() ? x.aval().str() : "none") + ".");
  std::vector<Image> out = images_of(grey ? np::reshape(x, {x.shape(0), x.shape(1), x.shape(2), 1}) : x);
  if (sheet.negative)
    for (Image& image : out)
      for (std::uint8_t& v : image.pixels) v = static_cast<std::uint8_t>(255 - v);
  return out;
}

// The names of the classes in labels or predictions; none where these are none.
std::vector<std::string> names_of(const ImageSheet& sheet, const Array& classes, const char* what, std::size_t count) {
  if (!classes.defined()) return {};
  if (classes.ndim() != 1 || classes.shape(0) != static_cast<std::int64_t>(count))
    throw ShapeError(std::string("image_sheet: ") + what + " must be [" + number_str(count) +
                     "], one for each image; got " + classes.aval().str() + ".");
  if (!is_integer(classes.dtype()))
    throw DTypeError(std::string("image_sheet: ") + what + " must be integers; got " + classes.aval().str() + ".");
  std::vector<std::string> out;
  for (const std::int64_t c : classes.astype(i64).to_vector<std::int64_t>()) {
    if (!sheet.names.empty() && (c < 0 || c >= static_cast<std::int64_t>(sheet.names.size())))
      throw ValueError(std::string("image_sheet: ") + what + " must be classes that have names, below " +
                       number_str(sheet.names.size()) + "; got " + number_str(c) + ".");
    out.push_back(sheet.names.empty() ? number_str(c) : sheet.names[static_cast<std::size_t>(c)]);
  }
  return out;
}

struct Caption {
  std::string text, below = {};
  bool wrong = false;
};

struct Captions {
  std::vector<Caption> all;  // one for each image, or none
  std::string summary;
  int lines = 0, width = 0;
};

// `room` is the width that a line may have.
Captions captions_of(const std::vector<std::string>& labels, const std::vector<std::string>& predictions, int room) {
  Captions out;
  const bool both = !labels.empty() && !predictions.empty();
  const auto bracketed = [&](std::size_t i) { return predictions[i] + " (" + labels[i] + ")"; };
  const std::size_t count = std::max(labels.size(), predictions.size());
  std::size_t right = 0;
  bool one_line = true;
  for (std::size_t i = 0; both && i < count; ++i) {
    if (labels[i] == predictions[i])
      ++right;
    else
      one_line = one_line && text_width(bracketed(i)) <= room;
  }
  for (std::size_t i = 0; i < count; ++i) {
    Caption c{predictions.empty() ? labels[i] : predictions[i]};
    c.wrong = both && labels[i] != predictions[i];
    if (c.wrong && one_line) c.text = bracketed(i);
    if (c.wrong && !one_line) c.below = labels[i];
    out.width = std::max({out.width, text_width(c.text), text_width(c.below)});
    out.all.push_back(std::move(c));
  }
  out.lines = count == 0 ? 0 : one_line ? 1 : 2;
  if (!both) return out;
  out.summary = number_str(right) + " of " + number_str(count) + " right";
  if (right < count)
    out.summary += one_line ? "; wrong ones red: predicted (true)" : "; wrong ones red, above the true ones";
  return out;
}

}  // namespace

Canvas draw_image_sheet(const ImageSheet& sheet, SourceLocation loc) {
  const LocationScope scope(loc, "draw_image_sheet");
  if (sheet.per_line < 1 || sheet.scale < 1)
    throw ValueError("image_sheet: per_line and scale must be at least 1; got " + number_str(sheet.per_line) + " and " +
                     number_str(sheet.scale) + ".");
  const std::vector<Image> pictures = pictures_of(sheet);

  // Sides that no picture can have are for the canvas to refuse, so they must not overflow before.
  using Wide = std::int64_t;
  const auto side = [](Wide pixels) {
    return static_cast<int>(std::min<Wide>(pixels, std::numeric_limits<int>::max() / 4));
  };
  const int width = side(Wide{pictures[0].width} * sheet.scale), height = side(Wide{pictures[0].height} * sheet.scale);
  const std::vector<std::string> labels = names_of(sheet, sheet.labels, "labels", pictures.size());
  const std::vector<std::string> predictions = names_of(sheet, sheet.predictions, "predictions", pictures.size());
  const Captions captions = captions_of(labels, predictions, width + kGap);
  const int gap = captions.lines > 0 ? kGap : kGap / 2;
  const int cell = std::max(width, captions.width), cell_height = side(Wide{height} + captions.lines * kLine);
  const Wide columns = std::min<Wide>(static_cast<Wide>(pictures.size()), sheet.per_line);
  const Wide lines = (static_cast<Wide>(pictures.size()) + columns - 1) / columns;
  int head = kMargin;
  if (!sheet.title.empty()) head += text_height(3) + 2 * kGap;
  if (!captions.summary.empty()) head += text_height() + 2 * kGap;
  const int inside =
      std::max({side(columns * (Wide{cell} + gap) - gap), text_width(sheet.title, 3), text_width(captions.summary)});
  Canvas canvas(inside + 2 * kMargin, side(head + lines * (Wide{cell_height} + gap) - gap + kMargin));

  canvas.text(kMargin, kMargin, sheet.title, kInk, 3);
  canvas.text(kMargin, head - text_height() - 2 * kGap, captions.summary, kFaint);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const int left = kMargin + static_cast<int>(static_cast<Wide>(i) % columns) * (cell + gap);
    const int top = head + static_cast<int>(static_cast<Wide>(i) / columns) * (cell_height + gap);
    const int middle = left + cell / 2, image_left = left + (cell - width) / 2;
    const Caption caption = captions.all.empty() ? Caption() : captions.all[i];
    const int edge = caption.wrong ? 3 : 1;
    canvas.draw(image_left, top, pictures[i], sheet.scale);
    canvas.frame(image_left - edge, top - edge, width + 2 * edge, height + 2 * edge, caption.wrong ? kWrong : kEdge,
                 edge);
    const int under = top + height + kLine - text_height();
    canvas.text(middle, under, caption.text, caption.wrong ? kWrong : kInk, 2, Align::kCenter);
    canvas.text(middle, under + kLine, caption.below, kInk, 2, Align::kCenter);
  }
  return canvas;
}

void image_sheet(const std::string& path, const ImageSheet& sheet, SourceLocation loc) {
  const LocationScope scope(loc, "image_sheet");
  draw_image_sheet(sheet).write(path);
}

}  // namespace weft::train

#include "train/png.h"

#include <png.h>

#include "train/file.h"
#include "weft/base/error.h"

namespace weft::train {

namespace {

// libpng's simplified interface reports through return values; the full one would jump over destructors.
struct Png {
  png_image header{};
  Png() { header.version = PNG_IMAGE_VERSION; }
  ~Png() { png_image_free(&header); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
};

// Larger images are damaged headers rather than pictures.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 28;

}  // namespace

std::vector<std::byte> encode_png(const Image& image, SourceLocation loc) {
  const LocationScope scope(loc, "encode_png");
  const std::uint64_t count = static_cast<std::uint64_t>(image.width > 0 ? image.width : 0) *
                              static_cast<std::uint64_t>(image.height > 0 ? image.height : 0);
  if (count == 0 || count > kMostPixels || (image.channels != 1 && image.channels != 3) ||
      image.pixels.size() != count * static_cast<std::uint64_t>(image.channels))
    throw ShapeError("encode_png: pixels must fill a non-empty image of 1 or 3 channels; got " +
                     std::to_string(image.pixels.size()) + " bytes for " + std::to_string(image.width) + "x" +
                     std::to_string(image.height) + " pixels of " + std::to_string(image.channels) + " channels.");
  Png png;
  png.header.width = static_cast<png_uint_32>(image.width);
  png.header.height = static_cast<png_uint_32>(image.height);
  png.header.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png.header);
  std::vector<std::byte> out(size);
  if (png_image_write_to_memory(&png.header, out.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0)
    throw BackendError(std::string("encode_png: libpng must accept the image; got \"") + png.header.message + "\".");
  out.resize(size);
  return out;
}

Image decode_png(std::span<const std::byte> bytes, const std::string& source, SourceLocation loc) {
  const LocationScope scope(loc, "decode_png");
  const auto refuse = [&](const std::string& got) {
    throw ParseError("decode_png: " + source + " must be a valid PNG file; got " + got + ".");
  };
  if (bytes.empty()) refuse("no bytes");
  Png png;
  const auto text = [&] { return "\"" + std::string(png.header.message) + "\""; };
  if (png_image_begin_read_from_memory(&png.header, bytes.data(), bytes.size()) == 0) refuse(text());
  Image image;
  const std::uint64_t count = std::uint64_t{png.header.width} * png.header.height;
  if (count > kMostPixels)
    refuse(std::to_string(png.header.width) + "x" + std::to_string(png.header.height) + " pixels");
  image.width = static_cast<int>(png.header.width);
  image.height = static_cast<int>(png.header.height);
  image.channels = (png.header.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1;
  png.header.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  image.pixels.resize(count * static_cast<std::uint64_t>(image.channels));
  const png_color black{0, 0, 0};
  if (png_image_finish_read(&png.header, &black, image.pixels.data(), 0, nullptr) == 0) refuse(text());
  return image;
}

void write_png(const std::string& path, const Image& image, SourceLocation loc) {
  const LocationScope scope(loc, "write_png");
  write_file(path, encode_png(image));
}

Image read_png(const std::string& path, SourceLocation loc) {
  const LocationScope scope(loc, "read_png");
  return decode_png(read_file(path), path);
}

}  // namespace weft::train

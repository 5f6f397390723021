#include "train/wav.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

void append_number(std::string& out, std::uint32_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(v >> (8 * i));
}

// Up to the samples, which are `size` bytes.
std::string wav_head(std::uint32_t channels, std::uint32_t sample_rate, std::uint32_t size) {
  constexpr std::uint32_t kPcm = 1, kSampleBytes = 2;
  std::string out = "RIFF";
  append_number(out, 36 + size, 4);  // what follows
  out += "WAVEfmt ";
  append_number(out, 16, 4);  // the chunk
  append_number(out, kPcm, 2);
  append_number(out, channels, 2);
  append_number(out, sample_rate, 4);
  append_number(out, sample_rate * channels * kSampleBytes, 4);
  append_number(out, channels * kSampleBytes, 2);
  append_number(out, 8 * kSampleBytes, 2);
  out += "data";
  append_number(out, size, 4);
  return out;
}

std::uint32_t sample_of(float v) {
  if (std::isnan(v)) return 0;
  return static_cast<std::uint32_t>(
      static_cast<std::int32_t>(std::clamp(std::round(v * 32768.0f), -32768.0f, 32767.0f)));
}

}  // namespace

std::vector<std::string> wavs_of(const Array& x, int sample_rate, SourceLocation loc) {
  const LocationScope scope(loc, "wavs_of");
  constexpr std::int64_t kMostChannels = 65535, kMostSamples = (std::int64_t{1} << 30) - 1;
  const int ndim = x.ndim();
  const bool shaped = ndim == 2 || ndim == 3;
  const std::int64_t channels = shaped ? x.shape(ndim - 1) : 0, frames = shaped ? x.shape(ndim - 2) : 0;
  if (channels < 1 || channels > kMostChannels || frames > kMostSamples / channels)
    throw ShapeError(
        "wavs_of: sounds must be [n, frames, channels] or [frames, channels], of 1 to 65535 channels and below 2 GB; "
        "got " +
        x.aval().str() + ".");
  if (!is_float(x.dtype())) throw DTypeError("wavs_of: sounds must be floats; got " + x.aval().str() + ".");
  if (sample_rate < 1)
    throw ValueError("wavs_of: the sample rate must be positive; got " + number_str(sample_rate) + ".");
  const std::vector<float> samples = x.astype(f32).to_vector<float>();
  const auto one = static_cast<std::size_t>(frames * channels);
  std::vector<std::string> out;
  for (std::int64_t n = ndim == 2 ? 1 : x.shape(0), i = 0; i < n; ++i) {
    std::string& wav =
        out.emplace_back(wav_head(static_cast<std::uint32_t>(channels), static_cast<std::uint32_t>(sample_rate),
                                  static_cast<std::uint32_t>(2 * one)));
    for (std::size_t k = 0; k < one; ++k)
      append_number(wav, sample_of(samples[static_cast<std::size_t>(i) * one + k]), 2);
  }
  return out;
}

}  // namespace weft::train

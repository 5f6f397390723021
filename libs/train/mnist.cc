#include "train/mnist.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

#include "train/crc32c.h"
#include "train/data_folder.h"
#include "train/digits.h"
#include "train/file.h"
#include "train/gzip.h"
#include "train/idx.h"
#include "train/md5.h"
#include "weft/base/error.h"
#include "weft/base/text.h"
#include "weft/np/np.h"

namespace weft::train {

namespace {

constexpr std::int64_t kSide = 28;

// The published files: the size and MD5 of what is in them, unpacked. The archives differ between mirrors.
struct Published {
  const char* name;
  std::size_t size;
  const char* md5;
};
constexpr Published kFiles[] = {
    {"train-images-idx3-ubyte", 47040016, "6bbc9ace898e44ae57da46a324031adb"},
    {"train-labels-idx1-ubyte", 60008, "a25bea736e30d166cdddb491f175f624"},
    {"t10k-images-idx3-ubyte", 7840016, "2646ac647ad5339dbf082846283269ea"},
    {"t10k-labels-idx1-ubyte", 10008, "27ae3e4e09519cfbb04c329615203637"},
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
  return value != nullptr ? value : "";
}

// The file's path in the folder, packed or not; empty when there is none.
std::string find(const std::string& folder, const std::string& name) {
  for (const char* ending : {".gz", ""}) {
    const std::string path = folder + "/" + name + ending;
    if (file_exists(path)) return path;
  }
  return {};
}

std::vector<std::uint8_t> read_bytes(const std::string& path, std::int64_t rank, std::int64_t& count) {
  IdxFile file = read_idx(path);
  const bool image = rank == 3;
  if (file.dtype != u8 || static_cast<std::int64_t>(file.shape.size()) != rank ||
      (image && (file.shape[1] != kSide || file.shape[2] != kSide)) || file.shape[0] == 0)
    throw ParseError("load_mnist: " + path + " must hold " + (image ? "u8[n,28,28]" : "u8[n]") + " with n > 0; got " +
                     std::string(name(file.dtype)) + "[" + join(file.shape, ",") + "].");
  count = file.shape[0];
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.data.data());
  return {bytes, bytes + file.data.size()};
}

void read_pair(const std::string& images_path, const std::string& labels_path, std::vector<std::uint8_t>& images,
               std::vector<std::uint8_t>& labels) {
  std::int64_t num_images = 0, num_labels = 0;
  images = read_bytes(images_path, 3, num_images);
  labels = read_bytes(labels_path, 1, num_labels);
  if (num_images != num_labels)
    throw ParseError("load_mnist: " + images_path + " and " + labels_path + " must hold equally many; got " +
                     std::to_string(num_images) + " images and " + std::to_string(num_labels) + " labels.");
  const auto largest = *std::max_element(labels.begin(), labels.end());
  if (largest > 9)
    throw ParseError("load_mnist: the labels of " + labels_path + " must be below 10; got " + std::to_string(largest) +
                     ".");
}

// The four files of a folder, in the order of kFiles; an empty path for each that is missing.
std::vector<std::string> find_all(const std::string& folder) {
  std::vector<std::string> out;
  for (const Published& file : kFiles) out.push_back(find(folder, file.name));
  return out;
}

bool complete(const std::vector<std::string>& paths) {
  return std::none_of(paths.begin(), paths.end(), [](const std::string& p) { return p.empty(); });
}

Mnist read_files(const std::vector<std::string>& paths) {
  Mnist out;
  read_pair(paths[0], paths[1], out.train_images, out.train_labels);
  read_pair(paths[2], paths[3], out.test_images, out.test_labels);
  return out;
}

std::string counts(const Mnist& m) {
  return std::to_string(m.num_train()) + " training and " + std::to_string(m.num_test()) + " test digits";
}

// Fetches one file from one mirror and keeps it only if it is the published one.
void fetch(const Published& file, const std::string& mirror, const std::string& cache, const DownloadOptions& options) {
  const std::string url = mirror + file.name + ".gz", path = cache + "/" + file.name + ".gz";
  const std::string unchecked = temporary_name(path);
  download(url, unchecked, options);
  std::vector<std::byte> packed;
  try {
    packed = read_file(unchecked);
  } catch (...) {
    std::remove(unchecked.c_str());
    throw;
  }
  std::remove(unchecked.c_str());
  const std::vector<std::byte> content = is_gzip(packed) ? gunzip(packed, file.size, url) : packed;
  const std::string digest = md5(content);
  if (content.size() != file.size || digest != file.md5)
    throw ParseError("load_mnist: " + url + " must hold " + std::to_string(file.size) + " bytes with MD5 " + file.md5 +
                     "; got " + std::to_string(content.size()) + " with " + digest + ".");
  write_file(path, packed);
}

// Whether the cache has all files. False, with a note, when it cannot be looked into.
bool is_cached(const std::string& cache, std::vector<std::string>& notes) {
  try {
    return complete(find_all(cache));
  } catch (const BackendError& e) {
    notes.push_back(e.message());
    return false;
  }
}

// Fills the cache with what it lacks. False, with a note per mirror, when no mirror could.
bool fill_cache(const MnistOptions& options, std::vector<std::string>& notes) {
  try {
    make_folders(options.cache);
  } catch (const BackendError& e) {
    notes.push_back(e.message());
    return false;
  }
  for (const std::string& mirror : options.mirrors) {
    try {
      for (const Published& file : kFiles)
        if (find(options.cache, file.name).empty()) fetch(file, mirror, options.cache, options.download);
      return true;
    } catch (const BackendError& e) {
      notes.push_back(e.message());
    } catch (const ParseError& e) {
      notes.push_back(e.message());
    }
  }
  return false;
}

}  // namespace

Digits Digits::part(std::int64_t begin, std::int64_t end) const {
  const Index rows = slice(begin, end);
  return {images(rows), labels(rows)};
}

void Mnist::announce() const {
  for (const std::string& note : notes) std::printf("note: %s\n", note.c_str());
  std::printf("digits: %s\n", source.c_str());
}

std::string Mnist::identity() const {
  std::uint32_t sum = 0;
  for (const auto* bytes : {&train_images, &train_labels, &test_images, &test_labels})
    sum = crc32c(std::as_bytes(std::span(*bytes)), sum);
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(sum));
  return number_str(num_train()) + " + " + number_str(num_test()) + ", crc32c " + text;
}

std::string MnistOptions::default_folder() { return find_data_folder("mnist").value_or(""); }

std::string MnistOptions::default_cache() {
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) return cache + "/weft/mnist";
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.cache/weft/mnist";
}

std::vector<std::string> MnistOptions::default_mirrors() {
  return {"https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"};
}

Mnist load_mnist(const MnistOptions& options, SourceLocation loc) {
  const LocationScope scope(loc, "load_mnist");
  std::vector<std::string> notes;
  if (options.folder.empty()) {
    notes.emplace_back("no data folder is set (WEFT_DATA_DIR)");
  } else if (!file_exists(options.folder)) {
    notes.push_back(options.folder + " does not exist");
  } else {
    const std::vector<std::string> paths = find_all(options.folder);
    for (std::size_t i = 0; i < paths.size(); ++i)
      if (paths[i].empty())
        throw BackendError("load_mnist: " + options.folder + " must hold the four MNIST files, packed or not; got no " +
                           kFiles[i].name + ".gz.");
    Mnist out = read_files(paths);
    out.source = counts(out) + " from " + options.folder;
    return out;
  }

  if (!options.cache.empty()) {
    const bool cached = is_cached(options.cache, notes);
    if (cached || (!options.mirrors.empty() && fill_cache(options, notes))) {
      try {
        Mnist out = read_files(find_all(options.cache));
        out.source = counts(out) + (cached ? " from the cache " : " downloaded to ") + options.cache;
        out.notes = std::move(notes);
        return out;
      } catch (Error& e) {
        e.add_note("in the cache of downloads, which can be removed at any time: " + options.cache);
        throw;
      }
    }
  }

  Mnist out;
  DrawnDigits train = draw_digits(options.drawn_train, options.seed);
  // Another seed, so that no test digit is a training digit.
  DrawnDigits test = draw_digits(options.drawn_test, ~options.seed);
  out.train_images = std::move(train.images);
  out.train_labels = std::move(train.labels);
  out.test_images = std::move(test.images);
  out.test_labels = std::move(test.labels);
  out.source = counts(out) + " drawn by this program: the real ones were not available";
  out.notes = std::move(notes);
  out.drawn = true;
  return out;
}

}  // namespace weft::train

// The MNIST digits (LeCun, Cortes and Burges): from a folder, from a cache filled by download, or drawn instead.
// Invariant: images are 28 x 28 and as many as labels, labels are below 10, and `source` says where they came from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/download.h"
#include "weft/core/array.h"

namespace weft::train {

/// Digits as arrays: a tree, which Pipeline takes, and whose batches go into a model.
struct Digits {
  Array images;  ///< u8[n, 28, 28, 1]
  Array labels;  ///< i32[n]

  std::int64_t size() const { return labels.shape(0); }
  /// Those from `begin` on and before `end`, or the last one.
  Digits part(std::int64_t begin, std::int64_t end) const;
};

struct Mnist {
  std::vector<std::uint8_t> train_images;  ///< u8[n, 28, 28], 0 is paper, 255 is ink; n is 60000 for the real ones
  std::vector<std::uint8_t> train_labels;  ///< u8[n]
  std::vector<std::uint8_t> test_images;   ///< u8[m, 28, 28]; m is 10000 for the real ones
  std::vector<std::uint8_t> test_labels;   ///< u8[m]
  std::string source;                      ///< one line for people: which digits these are, and from where
  std::vector<std::string> notes;          ///< one line for each source that was tried before and why it was not used
  bool drawn = false;                      ///< these are not MNIST but digits drawn by the program

  std::int64_t num_train() const { return static_cast<std::int64_t>(train_labels.size()); }
  std::int64_t num_test() const { return static_cast<std::int64_t>(test_labels.size()); }
  /// The training digits as arrays, copies of the bytes here.
  Digits train_digits() const { return arrays(train_images, train_labels); }
  /// The test digits as arrays, copies of the bytes here.
  Digits test_digits() const { return arrays(test_images, test_labels); }

  /// Tells people on standard output which digits these are, and why not others: the notes, then the source.
  void announce() const;
  /// Which digits these are, for the settings of a run: "60000 + 10000, crc32c 1a2b3c4d", the same wherever they are
  /// read from.
  std::string identity() const;

 private:
  static Digits arrays(const std::vector<std::uint8_t>& images, const std::vector<std::uint8_t>& labels) {
    return {Array::from_vector(images, Dims{static_cast<std::int64_t>(labels.size()), 28, 28, 1}),
            Array(labels).astype(i32)};
  }
};

/// Where the digits may come from, in this order. An empty folder or list leaves that source out.
struct MnistOptions {
  std::string folder = default_folder();                 ///< holds the four files, packed or not
  std::string cache = default_cache();                   ///< filled by download
  std::vector<std::string> mirrors = default_mirrors();  ///< addresses that the four files' names are appended to
  DownloadOptions download = {};
  std::int64_t drawn_train = 12000;
  std::int64_t drawn_test = 2000;
  std::uint64_t seed = 0;  ///< of the drawn digits

  /// $WEFT_DATA_DIR/mnist, or empty when the variable is not set.
  static std::string default_folder();
  /// $XDG_CACHE_HOME/weft/mnist, else $HOME/.cache/weft/mnist, else empty.
  static std::string default_cache();
  static std::vector<std::string> default_mirrors();
};

/// The digits from the first source that has them. A folder or cache that does not exist, and a download that fails
/// or brings something other than MNIST (size or MD5), are noted and passed over. A folder that exists but is
/// incomplete is a BackendError, one with damaged or contradicting files a ParseError: silently training on
/// something else would be worse.
Mnist load_mnist(const MnistOptions& options = {}, SourceLocation loc = std::source_location::current());

}  // namespace weft::train

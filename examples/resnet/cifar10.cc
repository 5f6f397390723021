// CIFAR-10's binary files: 10000 times a byte for the class and 3072 for the picture, plane by plane.
#include "data.h"
#include "train/file.h"

namespace resnet {

using weft::Array;
namespace np = weft::np;

namespace {

constexpr std::int64_t kRecord = 1 + 3 * 32 * 32;

Images read(const std::vector<std::string>& paths) {
  std::vector<Array> parts;
  for (const std::string& path : paths) {
    const std::vector<std::byte> bytes = weft::train::read_file(path);
    const auto n = static_cast<std::int64_t>(bytes.size()) / kRecord;
    if (n == 0 || n * kRecord != static_cast<std::int64_t>(bytes.size()))
      throw weft::ParseError("cifar10: a file must have " + std::to_string(kRecord) + " bytes for each picture; got " +
                             std::to_string(bytes.size()) + " in \"" + path + "\".");
    parts.push_back(Array::copy(weft::u8, {n, kRecord}, bytes.data(), static_cast<std::size_t>(n * kRecord)));
  }
  const Array all = np::concatenate(parts);
  const Array planes = np::reshape(all(weft::slice(), weft::slice(1, std::nullopt)), {-1, 3, 32, 32});
  return {np::transpose(planes, {0, 2, 3, 1}), all(weft::slice(), 0).astype(weft::i32)};
}

}  // namespace

DataSet load_cifar10(const std::string& folder) {
  std::vector<std::string> train;
  for (int i = 1; i <= 5; ++i) train.push_back(folder + "/data_batch_" + std::to_string(i) + ".bin");
  return {read(train),
          read({folder + "/test_batch.bin"}),
          {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}};
}

}  // namespace resnet

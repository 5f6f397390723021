#include "train/checkpoint_folder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "train/crc32c.h"
#include "train/durable_file.h"
#include "train/file.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSafetensorsEnding = ".safetensors", kSumEnding = ".sum";
constexpr std::string_view kSumTitle = "weft checkpoint sums 1\n";
constexpr std::int64_t kLastStep = std::int64_t{1} << 53;  // steps are compared as doubles

// ---- sums: a title, and a line "<bytes> <CRC-32C>" for each content that the file may have ----

std::string sum_line(std::span<const std::byte> bytes) {
  std::array<char, 16> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x", static_cast<unsigned>(crc32c(bytes)));
  return number_str(bytes.size()) + " " + hex.data() + "\n";
}

std::string sum_path(const std::string& path) {
  const fs::path p(path);
  return (p.parent_path() / ("." + p.filename().string() + std::string(kSumEnding))).string();
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_sums(const std::string& folder, const std::string& name, const std::string& lines) {
  PendingFile file(folder, "." + name + std::string(kSumEnding));
  file.write(std::as_bytes(std::span(kSumTitle)));
  file.write(std::as_bytes(std::span(lines)));
  file.sync();
  file.commit();
}

// The lines for the content that a checkpoint has now: those that it was stored with, so that damage stays damage.
std::string present_sums(const std::string& path) {
  const std::string sums = sum_path(path);
  if (!file_exists(sums)) return sum_line(read_file(path));
  const std::string text = text_of(read_file(sums));
  return text.starts_with(kSumTitle) ? text.substr(kSumTitle.size()) : "";
}

bool is_damaged(const std::string& path) {
  try {
    (void)load_checkpoint(path);
  } catch (const ParseError&) {
    return true;
  } catch (const BackendError&) {  // which may be well again
  }
  return false;
}

std::string file_name(std::int64_t step, const CheckpointOptions& options) {
  return options.prefix + number_str(step) +
         (options.format == CheckpointFormat::kSafetensors ? std::string(kSafetensorsEnding) : "");
}

// ---- which ones go ----

void remove_checkpoint(const std::string& path) {
  std::error_code ignored;  // what stays goes next time
  fs::remove(path, ignored);
  fs::remove(sum_path(path), ignored);
}

// Flax's rule: the last `keep`, and of those before each that is `every` steps after the one kept before it; step 0
// never, for Flax asks whether there is a step by its truth.
void remove_superfluous(const std::string& folder, const std::string& stored, double step,
                        const CheckpointOptions& options) {
  std::vector<CheckpointFile> files = list_checkpoints(folder, options.prefix);
  // Without `overwrite` only damaged ones can be there.
  const auto is_replaced = [&](const CheckpointFile& f) { return f.path != stored && f.step >= step; };
  for (const CheckpointFile& f : files)
    if (is_replaced(f)) remove_checkpoint(f.path);
  std::erase_if(files, is_replaced);
  const std::size_t keep = static_cast<std::size_t>(options.keep);
  std::optional<double> last_kept;
  for (std::size_t i = 0; i + keep < files.size(); ++i) {
    const double every = static_cast<double>(options.keep_every_n_steps);
    if (every > 0 && files[i].step != 0 && (!last_kept || files[i].step - *last_kept >= every))
      last_kept = files[i].step;
    else
      remove_checkpoint(files[i].path);
  }
}

// Sums without a checkpoint: the program was killed between the two.
void remove_lonely_sums(const std::string& folder, const std::string& prefix) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with("." + prefix) || !name.ends_with(kSumEnding)) continue;
    name = name.substr(1, name.size() - 1 - kSumEnding.size());
    if (checkpoint_step(name, prefix) && fs::status(folder + "/" + name, ignored).type() == fs::file_type::not_found)
      fs::remove(entry.path(), ignored);
  }
}

}  // namespace

std::optional<double> checkpoint_step(const std::string& name, const std::string& prefix) {
  std::string_view rest = name;
  if (!rest.starts_with(prefix)) return std::nullopt;
  rest.remove_prefix(prefix.size());
  if (rest.ends_with(kSafetensorsEnding)) rest.remove_suffix(kSafetensorsEnding.size());
  // No names of numbers.
  if (rest.find_first_not_of("+-.0123456789eE") != std::string_view::npos) return std::nullopt;
  return parse_number<double>(rest);
}

namespace {

std::vector<CheckpointFile> list_entries(const std::string& folder, const std::string& prefix, fs::file_type type) {
  std::vector<std::pair<CheckpointFile, fs::file_time_type>> found;
  std::error_code error;
  auto it = fs::directory_iterator(folder, error);
  if (error == std::errc::no_such_file_or_directory) return {};
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    const auto step = checkpoint_step(name, prefix);
    if (!step) continue;
    const fs::file_type found_type = it->status(error).type();
    const auto time = found_type == type ? it->last_write_time(error) : fs::file_time_type();
    // It is gone since the list was made, or a link to nothing.
    if (error == std::errc::no_such_file_or_directory)
      error.clear();
    else if (!error && found_type == type)
      found.push_back({{folder + "/" + name, *step}, time});
    if (error) break;
  }
  if (error)
    throw BackendError("list_checkpoints: " + folder + " must be a folder that can be read; got \"" + error.message() +
                       "\".");
  // Two of one step are of two formats, or left by a program that was killed when it replaced one by the other.
  std::ranges::sort(found, {}, [](const auto& f) { return std::pair(f.first.step, f.second); });
  std::vector<CheckpointFile> out;
  for (auto& [file, time] : found) out.push_back(std::move(file));
  return out;
}

}  // namespace

std::vector<CheckpointFile> list_checkpoints(const std::string& folder, const std::string& prefix) {
  return list_entries(folder, prefix, fs::file_type::regular);
}

std::vector<CheckpointFile> list_checkpoint_folders(const std::string& folder, const std::string& prefix) {
  return list_entries(folder, prefix, fs::file_type::directory);
}

namespace {
[[noreturn]] void refuse(const std::string& must, const std::string& got, std::string hint = {}) {
  throw ValueError("save_checkpoint: " + must + "; got " + got + ".", std::move(hint));
}
}  // namespace

void check_checkpoint_options(const CheckpointOptions& options) {
  if (options.keep < 1) refuse("keep must be at least 1", number_str(options.keep));
  if (options.keep_every_n_steps < 0)
    refuse("keep_every_n_steps must not be negative", number_str(options.keep_every_n_steps));
  if (options.prefix.find('/') != std::string::npos) refuse("the prefix must have no '/'", options.prefix);
}

void check_new_checkpoint(const std::string& folder, std::int64_t step, const CheckpointOptions& options) {
  check_checkpoint_options(options);
  if (step < 0 || step > kLastStep) refuse("the step must be between 0 and 2^53", number_str(step));
  if (options.overwrite) return;
  const auto files = list_checkpoints(folder, options.prefix);
  for (auto f = files.rbegin(); f != files.rend() && f->step >= static_cast<double>(step); ++f)
    if (!is_damaged(f->path))
      refuse("the step must be after those of all checkpoints in " + folder,
             number_str(step) + " where there is " + f->path,
             "options.overwrite replaces checkpoints and removes those of later steps.");
}

std::string store_checkpoint(const std::string& folder, std::span<const std::byte> bytes, std::int64_t step,
                             const CheckpointOptions& options) {
  check_new_checkpoint(folder, step, options);
  make_durable_folders(folder);
  remove_abandoned(folder, options.prefix);
  remove_abandoned(folder, "." + options.prefix);  // of sums
  const std::string name = file_name(step, options), path = folder + "/" + name;

  PendingFile file(folder, name);
  file.write(bytes);
  file.sync();
  // The sum comes first, and for a moment stands for the old content too: whichever of the two is there fits it.
  const std::string sum = sum_line(bytes);
  const bool replaces = file_exists(path);
  write_sums(folder, name, replaces ? sum + present_sums(path) : sum);
  sync_folder(folder);
  file.commit();
  sync_folder(folder);
  if (replaces) write_sums(folder, name, sum);

  remove_superfluous(folder, path, static_cast<double>(step), options);
  remove_lonely_sums(folder, options.prefix);
  sync_folder(folder);
  return path;
}

CheckpointBytes load_checkpoint(const std::string& path) {
  const std::string sums = sum_path(path);
  // Twice, as a checkpoint may be replaced between the reading of its sum and of itself.
  for (int tries = 0;; ++tries) {
    CheckpointBytes out;
    out.checked = file_exists(sums);
    std::string lines = out.checked ? text_of(read_file(sums)) : "";
    out.bytes = read_file(path);
    if (!out.checked) return out;
    if (lines.starts_with(kSumTitle) &&
        ("\n" + lines.substr(kSumTitle.size())).find("\n" + sum_line(out.bytes)) != std::string::npos)
      return out;
    if (tries == 0) continue;
    std::string got = sum_line(out.bytes);
    got.pop_back();
    throw ParseError(
        "load_checkpoint: " + path + " must have the size and CRC-32C that are in " + sums + "; got " + got + ".",
        "the file is damaged, or another program wrote it; without " + sums + " it is read unchecked.");
  }
}

}  // namespace weft::train

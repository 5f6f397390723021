#include "train/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>

#include "train/file.h"
#include "train/msgpack.h"
#include "train/safetensors.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

// A header's size, which no MessagePack that Flax writes could be in so short a file, and '{'.
bool looks_like_safetensors(std::span<const std::byte> bytes) {
  std::uint64_t header = 0;
  if (bytes.size() <= sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header <= bytes.size() - sizeof header && bytes[sizeof header] == std::byte{'{'};
}

detail::ReadCheckpoint read_file_of(const CheckpointFile& file, std::optional<double> step) {
  if (folder_exists(file.path))
    throw ParseError("restore_checkpoint: " + file.path + " must be a file; got a folder.",
                     "Orbax writes folders, which are not read here; without it (flax_use_orbax_checkpointing = False) "
                     "Flax writes files.");
  const CheckpointBytes content = load_checkpoint(file.path);
  detail::ReadCheckpoint out;
  out.report = {.path = file.path, .step = step, .checked = content.checked};
  if (!content.checked)
    out.report.notes.push_back(file.path + " has no sum beside it; only its structure was checked.");
  if (looks_like_safetensors(content.bytes))
    out.state = leaves_of(parse_safetensors(content.bytes, file.path), file.path);
  else
    out.state = msgpack_restore(content.bytes, file.path);
  return out;
}

// The files that may be meant, the first choice first.
std::vector<CheckpointFile> candidates(const std::string& path, const CheckpointChoice& choice) {
  std::vector<CheckpointFile> files;
  if (folder_exists(path)) {
    // At equal steps the files are the first choice.
    files = list_checkpoint_folders(path, choice.prefix);
    for (CheckpointFile& f : list_checkpoints(path, choice.prefix)) files.push_back(std::move(f));
    std::ranges::stable_sort(files, {}, &CheckpointFile::step);
  } else if (file_exists(path)) {
    const auto step = checkpoint_step(std::filesystem::path(path).filename().string(), choice.prefix);
    files.push_back({path, step.value_or(std::numeric_limits<double>::quiet_NaN())});
  }
  std::vector<CheckpointFile> out(files.rbegin(), files.rend());
  if (!choice.step) return out;
  const auto other = [&](const CheckpointFile& f) { return f.step != static_cast<double>(*choice.step); };
  std::erase_if(out, other);
  if (!out.empty()) return out;
  std::vector<std::string> steps;
  for (const CheckpointFile& f : files) steps.push_back(std::filesystem::path(f.path).filename().string());
  throw ValueError("restore_checkpoint: " + path + " must have a checkpoint of step " + number_str(*choice.step) +
                   "; got " + (steps.empty() ? "none" : join(steps, ", ")) + ".");
}

}  // namespace

namespace detail {

std::vector<std::byte> checkpoint_bytes(const StateValue& state, CheckpointFormat format) {
  return format == CheckpointFormat::kMsgpack ? msgpack_serialize(state, {.sort_keys = false})
                                              : serialize_safetensors(safetensors_of(state));
}

ReadCheckpoint read_checkpoint(const std::string& path, const CheckpointChoice& choice) {
  const std::vector<CheckpointFile> files = candidates(path, choice);
  std::vector<std::string> notes;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string name = std::filesystem::path(files[i].path).filename().string();
    const auto skip = [&](Error& e) {
      if (choice.skip_damaged && i + 1 == files.size())
        for (const std::string& note : notes) e.add_note(note);
      if (!choice.skip_damaged || i + 1 == files.size()) throw;
      notes.push_back(files[i].path + " was skipped: " + e.message());
    };
    try {
      ReadCheckpoint out = read_file_of(files[i], checkpoint_step(name, choice.prefix));
      out.report.notes.insert(out.report.notes.begin(), notes.begin(), notes.end());
      return out;
    } catch (ParseError& e) {
      skip(e);
    } catch (BackendError& e) {
      skip(e);
    }
  }
  return {};
}

}  // namespace detail

std::optional<std::string> latest_checkpoint(const std::string& folder, const std::string& prefix, SourceLocation loc) {
  const LocationScope scope(loc, "latest_checkpoint");
  const auto files = list_checkpoints(folder, prefix);
  if (files.empty()) return std::nullopt;
  return files.back().path;
}

StateValue restore_checkpoint(const std::string& path, const CheckpointChoice& choice, CheckpointReport* report,
                              SourceLocation loc) {
  const LocationScope scope(loc, "restore_checkpoint");
  detail::ReadCheckpoint read = detail::read_checkpoint(path, choice);
  if (report != nullptr) *report = std::move(read.report);
  return std::move(read.state);
}

AsyncCheckpointer::~AsyncCheckpointer() {
  join();
  if (!error_) return;
  try {
    std::rethrow_exception(error_);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "a checkpoint was not saved: %s\n", e.what());
  }
}

void AsyncCheckpointer::wait(SourceLocation loc) {
  const LocationScope scope(loc, "wait");
  join();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void AsyncCheckpointer::start(std::string folder, std::vector<std::byte> bytes, std::int64_t step,
                              CheckpointOptions options, SourceLocation loc) {
  const std::exception_ptr before = std::exchange(error_, nullptr);
  thread_ = std::thread(
      [this, folder = std::move(folder), bytes = std::move(bytes), step, options = std::move(options), loc] {
        const LocationScope scope(loc, "save_checkpoint");
        try {
          store_checkpoint(folder, bytes, step, options);
        } catch (...) {
          error_ = std::current_exception();
        }
      });
  if (before) std::rethrow_exception(before);
}

void AsyncCheckpointer::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace weft::train

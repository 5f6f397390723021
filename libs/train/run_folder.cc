#include "train/run_folder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "train/async_writer.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/file.h"
#include "train/summary_writer.h"
#include "train/utf8.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

constexpr const char *kRun = "run", *kSettings = "settings", *kCurves = "curve.csv";

// ---- settings ----

const std::string* find(const Settings& settings, const std::string& name) {
  const auto it = std::ranges::find(settings, name, &Setting::name);
  return it == settings.end() ? nullptr : &it->value;
}

StateDict dict_of(const Settings& settings) {
  StateDict out;
  for (const Setting& s : settings) out.append(s.name, s.value);
  return out;
}

// Nullopt when the value is no dictionary of texts.
std::optional<Settings> settings_in(const StateValue* value) {
  const auto* dict = value == nullptr ? nullptr : value->get_if<StateDict>();
  if (dict == nullptr) return std::nullopt;
  Settings out;
  for (const StateEntry& e : *dict) {
    const auto* text = e.value.get_if<std::string>();
    if (text == nullptr) return std::nullopt;
    out.push_back({e.key, *text});
  }
  return out;
}

// Quoted where it would not be seen as one word.
std::string shown(const std::string& text) {
  const bool word = !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  return word ? text : "\"" + text + "\"";
}

// Differences as clauses, the wanted settings first.
std::vector<std::string> differences(const Settings& wanted, const Settings& kept) {
  std::vector<std::string> out;
  for (const auto& [name, value] : wanted) {
    const std::string* had = find(kept, name);
    if (had == nullptr || *had != value)
      out.push_back(name + " = " + shown(value) + " where it has " + (had == nullptr ? "none" : shown(*had)));
  }
  for (const auto& [name, value] : kept)
    if (find(wanted, name) == nullptr) out.push_back("no " + name + " where it has " + shown(value));
  return out;
}

MetricWriter::HParams hparams_of(const Settings& settings) {
  MetricWriter::HParams out;
  for (const auto& [name, value] : settings) {
    const auto number = parse_number<double>(value);
    if (value == "true" || value == "false")
      out[name] = value == "true";
    else if (number && std::isfinite(*number))
      out[name] = *number;
    else
      out[name] = value;
  }
  return out;
}

// ---- checkpoints: {"settings": {<name>: <text>, ...}, "run": <the tree>} ----

detail::SavedRun read_saved_run(const std::string& folder, const CheckpointOptions& options = {}) {
  detail::ReadCheckpoint read =
      detail::read_checkpoint(folder, {.prefix = options.prefix, .skip_damaged = options.keep > 1});
  detail::SavedRun out{.report = std::move(read.report)};
  if (out.report.path.empty()) return out;
  auto* dict = read.state.get_if<StateDict>();
  StateValue* run = dict == nullptr ? nullptr : dict->find(kRun);
  auto settings = dict == nullptr ? std::nullopt : settings_in(dict->find(kSettings));
  if (run == nullptr || !settings)
    throw ParseError(
        "restore: " + out.report.path + " must hold a run and the settings that it began with; got no such parts.",
        "RunFolder::save did not write it: save_checkpoint did, or an older program. Another folder begins a new run.");
  out.run = std::move(*run);
  out.settings = *std::move(settings);
  return out;
}

}  // namespace

RunFolder::RunFolder(std::string path, Settings settings, CheckpointOptions checkpoints, SourceLocation loc)
    : path_(std::move(path)), settings_(std::move(settings)), checkpoints_(std::move(checkpoints)) {
  const LocationScope scope(loc, "run_folder");
  if (path_.empty()) throw ValueError("run_folder: the folder must have a name; got none.");
  check_checkpoint_options(checkpoints_);
  for (const Setting& s : settings_) {
    if (!is_utf8(s.name) || !is_utf8(s.value))
      throw ValueError("run_folder: settings must be UTF-8; got other bytes in " + s.name + ".");
    if (find(settings_, s.name) != &s.value)
      throw ValueError("run_folder: each setting must have a name of its own; got " + shown(s.name) + " twice.");
  }
}

void RunFolder::check_settings(const detail::SavedRun& saved, const char* hint) const {
  if (!saved.report.step) throw ValueError("restore: " + path_ + " must be the folder of a run; got a file.");
  const std::vector<std::string> others = differences(settings_, saved.settings);
  if (!others.empty())
    throw ValueError(
        "restore: the run in " + path_ + " must have the settings that it began with; got " + join(others, ", ") + ".",
        hint);
}

detail::SavedRun RunFolder::read() const {
  detail::SavedRun saved = read_saved_run(path_, checkpoints_);
  if (!saved.report.path.empty())
    check_settings(saved, "another folder, or this one when it is removed, begins a run with other settings.");
  return saved;
}

detail::SavedRun RunFolder::read_learned() const {
  detail::SavedRun saved = read_saved_run(path_, checkpoints_);
  if (saved.report.path.empty())
    throw ValueError("learned: " + path_ + " must have a checkpoint of a run that learned; got none.");
  check_settings(saved, "leave these settings out, or name the folder of another run.");
  return saved;
}

void RunFolder::lock() {
  if (lock_ || !folder_exists(path_)) return;
  lock_ = FolderLock::take(path_);
  if (!lock_)
    throw ValueError("restore: the run in " + path_ + " must be written by one program at a time; got a second one.",
                     "wait until the first has ended, or name another folder.");
}

void RunFolder::open(const CheckpointReport& report) {
  if (curves_) throw ValueError("restore: a run must be restored once; got a second time.");
  make_folders(path_);
  lock();
  remove_abandoned(path_, kCurves);
  const bool goes_on = !report.path.empty();
  // From the first step on where there is no checkpoint: an earlier run was stopped before it had one.
  const std::int64_t last_step =
      goes_on ? static_cast<std::int64_t>(*report.step) : std::numeric_limits<std::int64_t>::min();
  auto curves = std::make_unique<CsvWriter>(file(kCurves), last_step);
  auto summaries = std::make_unique<SummaryWriter>(path_);
  summaries->start(goes_on ? last_step + 1 : 0);
  auto events = std::make_unique<AsyncWriter>(std::move(summaries));
  if (!goes_on && !settings_.empty()) events->write_hparams(hparams_of(settings_));
  curves_ = std::move(curves);
  events_ = std::move(events);
  for (const std::string& note : report.notes) std::printf("note: %s\n", note.c_str());
  if (goes_on) std::printf("goes on from %s\n", report.path.c_str());
}

void RunFolder::check_open(const char* op) const {
  if (!curves_)
    throw ValueError(std::string(op) + ": the run must be restored before; got a folder without a run.",
                     "call restore() first, also for a run that begins.");
}

void RunFolder::write_scalars(std::int64_t step, const MetricWriter::Scalars& scalars, SourceLocation loc) {
  const LocationScope scope(loc, "write_scalars");
  check_open("write_scalars");
  curves_->write_scalars(step, scalars);
  events_->write_scalars(step, scalars);
}

MetricWriter& RunFolder::writer(SourceLocation loc) {
  const LocationScope scope(loc, "writer");
  check_open("writer");
  return *events_;
}

std::string RunFolder::store(StateValue run, std::int64_t step) {
  check_open("save");
  curves_->flush();
  events_->flush();
  StateDict dict;
  dict.append(kSettings, dict_of(settings_));
  dict.append(kRun, std::move(run));
  return store_checkpoint(path_, detail::checkpoint_bytes(std::move(dict), checkpoints_.format), step, checkpoints_);
}

std::vector<Series> RunFolder::series(const std::vector<std::string>& names, SourceLocation loc) {
  const LocationScope scope(loc, "series");
  check_open("series");
  curves_->flush();
  return read_series(file(kCurves), names);
}

std::optional<Settings> settings_of(const std::string& folder, SourceLocation loc) {
  const LocationScope scope(loc, "settings_of");
  detail::SavedRun saved = read_saved_run(folder);
  if (saved.report.path.empty()) return std::nullopt;
  return std::move(saved.settings);
}

}  // namespace weft::train

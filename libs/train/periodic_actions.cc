#include "train/periodic_actions.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "train/metric_writer.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

std::string one_decimal(double v) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

}  // namespace

Clock steady_clock() {
  return [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
}

std::string days_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return "unknown";
  const auto minutes = static_cast<std::int64_t>(seconds / 60);
  const std::int64_t days = minutes / (24 * 60), hours = minutes / 60 % 24;
  return (days > 0 ? number_str(days) + "d" : "") + (hours > 0 ? number_str(hours) + "h" : "") +
         number_str(minutes % 60) + "m";
}

// ---- PeriodicAction ----

PeriodicAction::PeriodicAction(Schedule when, Clock clock, SourceLocation loc)
    : when_(std::move(when)), clock_(clock ? std::move(clock) : steady_clock()) {
  const LocationScope scope(loc, "periodic_action");
  if (when_.every_steps && *when_.every_steps < 1)
    throw ValueError("periodic_action: every_steps must be positive; got " + number_str(*when_.every_steps) + ".");
  if (when_.every_secs && !(*when_.every_secs > 0))
    throw ValueError("periodic_action: every_secs must be positive; got " + number_str(*when_.every_secs) + ".");
}

bool PeriodicAction::operator()(std::int64_t step, SourceLocation loc) {
  const double time = clock_();
  if (!last_step_) {
    previous_step_ = step;
    previous_time_ = time;
  } else if (when_.every_steps && step - *last_step_ != 1) {
    const LocationScope scope(loc, "periodic_action");
    throw ValueError("periodic_action: an action with every_steps must be called after every step, once; got step " +
                     number_str(step) + " after " + number_str(*last_step_) + ".");
  }
  last_step_ = step;
  if (!is_due(step, time)) return false;
  act(step, time);
  previous_step_ = step;
  previous_time_ = time;
  return true;
}

bool PeriodicAction::is_due(std::int64_t step, double time) {
  return (when_.every_steps && step % *when_.every_steps == 0) ||
         (when_.every_secs && time - previous_time_ > *when_.every_secs) || when_.on_steps.contains(step);
}

// ---- ReportProgress ----

namespace {

Schedule with_last_step(Schedule when, std::optional<std::int64_t> last) {
  if (last) when.on_steps.insert(*last);
  return when;
}

}  // namespace

ReportProgress::ReportProgress(ReportProgressOptions options, SourceLocation loc)
    : PeriodicAction(with_last_step(options.when, options.num_train_steps), options.clock, loc),
      options_(std::move(options)),
      start_(now()) {}

bool ReportProgress::is_due(std::int64_t step, double time) {
  return step != previous_step() && PeriodicAction::is_due(step, time);
}

void ReportProgress::act(std::int64_t step, double time) {
  const double speed = static_cast<double>(step - previous_step()) / (time - previous_time());
  std::string message = one_decimal(speed) + " steps/s";
  if (options_.num_train_steps && *options_.num_train_steps > 0) {
    const double all = static_cast<double>(*options_.num_train_steps), done = static_cast<double>(step);
    message += ", " + one_decimal(100 * done / all) + "% (" + number_str(step) + "/" +
               number_str(*options_.num_train_steps) + "), ETA: " + days_text((all - done) / speed);
  }
  const double uptime = now() - start_;
  if (!parts_.empty()) {
    std::vector<std::string> shares;
    for (const auto& [name, seconds] : parts_) shares.push_back(one_decimal(100 * seconds / uptime) + "% " + name);
    message += " (" + days_text(uptime) + " : " + join(shares, ", ") + ")";
  }
  if (options_.notes) options_.notes(message);
  if (options_.writer != nullptr) options_.writer->write_scalars(step, {{"steps_per_sec", speed}, {"uptime", uptime}});
}

// ---- PeriodicCallback ----

PeriodicCallback::PeriodicCallback(Schedule when, Callback callback, Clock clock, SourceLocation loc)
    : PeriodicAction(std::move(when), std::move(clock), loc), callback_(std::move(callback)) {
  const LocationScope scope(loc, "periodic_callback");
  if (!callback_) throw ValueError("periodic_callback: there must be a function to call; got none.");
}

// ---- ProfileAction ----

ProfileAction::ProfileAction(ProfileActionOptions options, SourceLocation loc)
    : PeriodicAction(options.when, options.clock, loc), options_(std::move(options)) {
  const LocationScope scope(loc, "profile_action");
  if (!options_.start || !options_.stop)
    throw ValueError("profile_action: there must be functions that start and stop a profiler; got " +
                     std::string(options_.start || options_.stop ? "one" : "none") + ".");
}

bool ProfileAction::is_due(std::int64_t step, double time) {
  if (!running_) return PeriodicAction::is_due(step, time) || step == options_.first_profile;
  if (step >= previous_step() + options_.num_profile_steps &&
      time - previous_time() >= options_.profile_duration_secs) {
    options_.stop(step);
    running_ = false;
  }
  return false;
}

void ProfileAction::act(std::int64_t step, double) {
  options_.start(step);
  running_ = true;
}

}  // namespace weft::train

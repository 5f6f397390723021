// What the examples' main functions share: options as the settings of a run, and errors told to people. Knows nothing
// about training.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "train/run_folder.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace flags_detail {

// Numbers in one form, so that 1e-3, 0.0010 and 0.001 are the same setting.
inline std::string in_one_form(const std::string& text) {
  if (const auto v = weft::parse_integer<std::int64_t>(text)) return weft::number_str(*v);
  const auto v = weft::parse_number<double>(text);
  if (!v) return text;
  const std::string number = weft::number_str(*v);
  return number.ends_with(".0") ? number.substr(0, number.size() - 2) : number;
}

// The option's value, given or by default: "[1,2]" of one that takes several, "true" or "false" of a flag.
inline std::string value_of(const CLI::Option& option) {
  const bool flag = option.get_items_expected_max() == 0, list = option.get_expected_max() > 1;
  std::string text = option.count() == 0 ? option.get_default_str() : weft::join(option.reduced_results(), ",");
  if (flag) return text == "true" ? "true" : "false";
  if (!list) return in_one_form(text);
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<std::string> values = CLI::detail::split(text, ',');
  for (std::string& v : values) v = in_one_form(v);
  return "[" + weft::join(values, ",") + "]";
}

}  // namespace flags_detail

/// All options of a program whose line was read, given or not, as the settings of its run: but for --help and those
/// named, "--out", which may change when the run goes on. `others`, such as which data it learns from, come last.
/// Options must have captured their defaults.
inline weft::train::Settings run_settings(const CLI::App& app, const std::vector<std::string>& may_change,
                                          const weft::train::Settings& others = {}) {
  std::vector<const CLI::Option*> left_out{app.get_help_ptr()};
  for (const std::string& name : may_change) left_out.push_back(app.get_option(name));
  weft::train::Settings out;
  for (const CLI::Option* o : app.get_options())
    if (std::ranges::find(left_out, o) == left_out.end())
      out.push_back({o->get_single_name(), flags_detail::value_of(*o)});
  out.insert(out.end(), others.begin(), others.end());
  return out;
}

/// Gives each option that was left out the value that the run in `folder` began with: for programs that only use what
/// it learned, which thus need no other option than the folder. The settings of that run that are no options.
/// ValueError where there is no checkpoint, or an option does not take its value.
inline weft::train::Settings take_settings(CLI::App& app, const std::string& folder) {
  const auto settings = weft::train::settings_of(folder);
  if (!settings)
    throw weft::ValueError("take_settings: " + folder + " must have a checkpoint of a run that learned; got none.",
                           "train first, or name the folder of another run with --out");
  weft::train::Settings others;
  for (const auto& [name, value] : *settings) {
    CLI::Option* option = app.get_option_no_throw("--" + name);
    if (option == nullptr) others.push_back({name, value});
    if (option == nullptr || option->count() > 0 || flags_detail::value_of(*option) == value) continue;
    try {
      option->add_result(value);
      option->run_callback();
    } catch (const CLI::Error&) {
      throw weft::ValueError(
          "take_settings: " + folder + " must be of a run of this program; got one with " + name + " = " + value + ".",
          "name the folder of another run with --out");
    }
  }
  return others;
}

/// ValueError unless there are as many examples, called "digits" or whatever they are, as a batch has.
inline void check_fills_batch(std::int64_t examples, const std::string& unit, std::int64_t batch_size) {
  if (examples < batch_size)
    throw weft::ValueError("check_fills_batch: there must be " + unit + " for a batch; got " +
                               weft::number_str(examples) + " " + unit + " for --batch " +
                               weft::number_str(batch_size) + ".",
                           "take a smaller --batch, or more " + unit + ".");
}

/// Runs `body`: 0, or 1 where it throws an error of Weft, which goes to standard error: "ShapeError: <text>".
template <class F>
int guarded(F&& body) {
  try {
    body();
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}

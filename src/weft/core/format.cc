#include "weft/core/format.h"

#include <algorithm>
#include <cstdio>

#include "weft/base/text.h"

namespace weft {

void FormatArgs::add_tree(const std::vector<std::string>& paths, const Arrays& arrays, bool is_array) {
  if (arrays.empty()) {
    args.push_back({.known = is_array ? "none" : "{}"});
    return;
  }
  args.push_back({.paths = paths});
  leaves.append(arrays.begin(), arrays.end());
}

namespace {

[[noreturn]] void fail(std::string_view op, const std::string& what, std::string_view text, std::string hint = {}) {
  throw ValueError(std::string(op) + ": " + what + " in \"" + std::string(text) + "\".", std::move(hint));
}

// ".3f": one to two digits and one of f, e, g.
bool is_spec(std::string_view spec) {
  if (spec.size() < 3 || spec.size() > 4 || spec[0] != '.') return false;
  const std::string_view digits = spec.substr(1, spec.size() - 2);
  const char c = spec.back();
  return std::all_of(digits.begin(), digits.end(), [](char d) { return d >= '0' && d <= '9'; }) &&
         (c == 'f' || c == 'e' || c == 'g');
}

class FormatParser {
 public:
  FormatParser(std::string_view op, std::string_view text, const FormatArgs& args)
      : op_(op), text_(text), args_(args), used_(args.args.size(), false) {
    std::size_t leaf = 0;
    for (const FormatArg& a : args.args) {
      first_leaf_.push_back(leaf);
      leaf += a.paths.size();
    }
  }

  ir::FormatText run() {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      const bool doubled = i + 1 < text_.size() && text_[i + 1] == c;
      if (c != '{' && c != '}') {
        result_.pieces.back() += c;
      } else if (doubled) {
        result_.pieces.back() += c;
        ++i;
      } else if (c == '}') {
        fail(op_, "a closing brace must follow an opening one; got } alone", text_, "write }} for a brace.");
      } else {
        const auto end = text_.find('}', i);
        if (end == std::string_view::npos)
          fail(op_, "an opening brace must be closed; got { alone", text_, "write {{ for a brace.");
        hole(text_.substr(i + 1, end - i - 1));
        i = end;
      }
    }
    const auto unused = std::find(used_.begin(), used_.end(), false);
    if (unused != used_.end())
      fail(op_,
           "there must be a place for each argument; got " + count(args_.args.size()) + " and none for number " +
               std::to_string(unused - used_.begin()),
           text_);
    return std::move(result_);
  }

 private:
  static std::string count(std::size_t n) { return count_str(static_cast<std::int64_t>(n), "argument", "arguments"); }

  void hole(std::string_view content) {
    const auto colon = content.find(':');
    const std::string_view which = content.substr(0, colon);
    const std::string_view spec = colon == std::string_view::npos ? std::string_view() : content.substr(colon + 1);
    if (!which.empty() &&
        (which.size() > 4 || !std::all_of(which.begin(), which.end(), [](char c) { return c >= '0' && c <= '9'; })))
      fail(op_, "an argument must be named by {} or its number; got {" + std::string(content) + "}", text_);
    if (numbered_ && *numbered_ == which.empty())
      fail(op_, "arguments must be named all by {} or all by number; got both", text_);
    numbered_ = !which.empty();
    const std::size_t n = which.empty() ? next_++ : static_cast<std::size_t>(std::stoi(std::string(which)));
    if (n >= args_.args.size())
      fail(op_,
           "there must be an argument for each place; got " + count(args_.args.size()) + " and a place for number " +
               std::to_string(n),
           text_);
    if (!spec.empty() && !is_spec(spec))
      fail(op_, "a specification must be like .3f, .3e or .3g; got " + std::string(spec), text_);
    used_[n] = true;
    argument(args_.args[n], first_leaf_[n], std::string(spec));
  }

  void argument(const FormatArg& a, std::size_t leaf, const std::string& spec) {
    if (a.known) {
      if (!spec.empty()) fail(op_, "a specification must be for a number; got " + spec + " for text", text_);
      result_.pieces.back() += *a.known;
      return;
    }
    const bool braces = !a.paths[0].empty();
    for (std::size_t i = 0; i < a.paths.size(); ++i) {
      const Aval type = args_.leaves[leaf + i].aval();
      if (!spec.empty() && (type.ndim() != 0 || is_complex(type.dtype()) || type.dtype() == boolean))
        fail(op_, "a specification must be for a real 0-d array; got " + spec + " for " + type.str(), text_);
      if (braces) result_.pieces.back() += (i == 0 ? "{" : ", ") + a.paths[i] + ": ";
      result_.pieces.emplace_back();
      result_.values.push_back(static_cast<std::int64_t>(leaf + i));
      result_.specs.push_back(spec);
    }
    if (braces) result_.pieces.back() += "}";
  }

  std::string_view op_, text_;
  const FormatArgs& args_;
  std::vector<bool> used_;
  std::vector<std::size_t> first_leaf_;
  std::optional<bool> numbered_;
  std::size_t next_ = 0;
  ir::FormatText result_;
};

std::string number(const Array& x, const std::string& spec) {
  const int digits = std::stoi(spec.substr(1, spec.size() - 2));
  const auto v = x.item<double>();
  char s[512];  // the largest double and 99 digits after its point are fewer
  switch (spec.back()) {
    case 'f': std::snprintf(s, sizeof s, "%.*f", digits, v); break;
    case 'e': std::snprintf(s, sizeof s, "%.*e", digits, v); break;
    default: std::snprintf(s, sizeof s, "%.*g", digits, v);
  }
  return s;
}

}  // namespace

ir::FormatText parse_format(std::string_view op, std::string_view text, const FormatArgs& args) {
  return FormatParser(op, text, args).run();
}

std::string render(const ir::FormatText& text, std::span<const Array> values) {
  std::string s = text.pieces[0];
  for (std::size_t i = 0; i < text.values.size(); ++i) {
    const Array& x = values[static_cast<std::size_t>(text.values[i])];
    s += text.specs[i].empty() ? x.str() : number(x, text.specs[i]);
    s += text.pieces[i + 1];
  }
  return s;
}

}  // namespace weft

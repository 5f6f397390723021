// What a parameter of weft::nn is called, for optimisers that treat some of them in another way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The names of the modules around a parameter, and its own, from its path in a tree:
/// {"Block_0", "Dense_1", "kernel"} of "['Block_0/Dense_1/kernel']".
inline std::vector<std::string> parameter_names(std::string_view path) {
  if (path.starts_with("['") && path.ends_with("']")) path = path.substr(2, path.size() - 4);
  std::vector<std::string> names;
  for (std::size_t end; (end = path.find('/')) != path.npos; path.remove_prefix(end + 1))
    names.emplace_back(path.substr(0, end));
  names.emplace_back(path);
  return names;
}

#include "testing/dimensions.h"

namespace weft::testing {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

[[noreturn]] void throw_key(std::string_view must, std::string_view key) {
  throw ValueError("Dimensions: " + std::string(must) + "; got \"" + std::string(key) + "\".");
}

void check_letter(char dim, std::string_view key) {
  if (!is_letter(dim)) throw_key("names must be letters", key);
}

}  // namespace

Dimensions::Dimensions(std::initializer_list<std::pair<const char, std::optional<std::int64_t>>> sizes) {
  for (const auto& [dim, size] : sizes) set(dim, size);
}

std::optional<std::int64_t> Dimensions::at(char dim, std::string_view key) const {
  if (dim == '*') return std::nullopt;
  if (dim >= '0' && dim <= '9') return dim - '0';
  const auto found = sizes_.find(dim);
  if (found == sizes_.end()) throw_key("every letter must have a size in " + str(), key);
  return found->second;
}

std::vector<std::optional<std::int64_t>> Dimensions::parse(std::string_view key) const {
  std::vector<std::optional<std::int64_t>> r;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] != '(') {
      if (key[i] == ')') throw_key("parentheses must match", key);
      r.push_back(at(key[i], key));
      continue;
    }
    const auto close = key.find_first_of("()", i + 1);
    if (close == std::string_view::npos || key[close] == '(' || close == i + 1)
      throw_key("parentheses must match, and have letters in them", key);
    std::int64_t product = 1;
    for (const char dim : key.substr(i + 1, close - i - 1)) {
      const auto size = at(dim, key);
      if (!size) throw_key("sizes in parentheses must be known", key);
      product *= *size;
    }
    r.emplace_back(product);
    i = close;
  }
  return r;
}

ShapeMatcher Dimensions::operator[](std::string_view key) const {
  const auto sizes = parse(key);
  return {std::vector<DimMatcher>(sizes.begin(), sizes.end())};
}

Dims Dimensions::shape(std::string_view key) const {
  Dims r;
  for (const auto& size : parse(key)) {
    if (!size) throw_key("every size must be known", key);
    r.push_back(*size);
  }
  return r;
}

std::int64_t Dimensions::size(std::string_view key) const { return product(shape(key)); }

void Dimensions::set(std::string_view key, const Shape& shape) {
  const Dims& sizes = shape.dims();
  if (key.size() != sizes.size())
    throw ValueError("Dimensions: there must be a letter for each size; got \"" + std::string(key) + "\" for " +
                     shape_str(sizes) + ".");
  for (const char dim : key)
    if (dim != '_') check_letter(dim, key);
  for (std::size_t i = 0; i < key.size(); ++i)
    if (key[i] != '_') sizes_[key[i]] = sizes[i];
}

void Dimensions::set(char dim, std::optional<std::int64_t> size) {
  check_letter(dim, std::string_view(&dim, 1));
  sizes_[dim] = size;
}

void Dimensions::erase(std::string_view key) {
  for (const char dim : key)
    if (dim != '_' && !sizes_.count(dim)) throw_key("every letter must have a size in " + str(), key);
  for (const char dim : key) sizes_.erase(dim);
}

std::string Dimensions::str() const {
  std::string s;
  for (const auto& [dim, size] : sizes_)
    s += (s.empty() ? "" : ", ") + std::string(1, dim) + "=" + (size ? std::to_string(*size) : "*");
  return "Dimensions(" + s + ")";
}

}  // namespace weft::testing

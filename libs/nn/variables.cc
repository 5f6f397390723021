#include "nn/variables.h"

namespace weft::nn {

Filter operator&(const Filter& a, const Filter& b) {
  Filter both = a;
  both.accepts_ = [a, b](const std::string& c) { return a(c) && b(c); };
  return both;
}
Filter operator|(const Filter& a, const Filter& b) {
  Filter either = a;
  either.accepts_ = [a, b](const std::string& c) { return a(c) || b(c); };
  return either;
}
Filter operator!(const Filter& a) {
  Filter other = a;
  other.accepts_ = [a](const std::string& c) { return !a(c); };
  return other;
}

Arrays sown_values(const Variables& variables, const std::string& collection, const std::string& path) {
  Arrays r;
  const auto c = variables.find(collection);
  if (c == variables.end()) return r;
  if (const auto one = c->second.find(path); one != c->second.end()) r.push_back(one->second);
  for (auto i = c->second.find(path + "/0"); i != c->second.end();
       i = c->second.find(path + "/" + std::to_string(r.size())))
    r.push_back(i->second);
  return r;
}

Collection below(const Collection& all, const std::string& path) {
  if (path.empty()) return all;
  const std::string prefix = path + "/";
  Collection r;
  for (auto i = all.lower_bound(prefix); i != all.end() && i->first.starts_with(prefix); ++i)
    r.emplace_hint(r.end(), i->first.substr(prefix.size()), i->second);
  return r;
}

Variables below(const Variables& all, const std::string& path) {
  Variables r;
  for (const auto& [name, collection] : all)
    if (Collection part = below(collection, path); !part.empty()) r.emplace(name, std::move(part));
  return r;
}

Collection at_path(const Collection& some, const std::string& path) {
  if (path.empty()) return some;
  Collection r;
  for (const auto& [name, array] : some) r.emplace_hint(r.end(), path + "/" + name, array);
  return r;
}

Variables at_path(const Variables& some, const std::string& path) {
  Variables r;
  for (const auto& [name, collection] : some) r.emplace(name, at_path(collection, path));
  return r;
}

std::int64_t num_elements(const Collection& c) {
  std::int64_t n = 0;
  for (const auto& [name, array] : c) n += array.size();
  return n;
}

std::int64_t num_bytes(const Collection& c) {
  std::int64_t n = 0;
  for (const auto& [name, array] : c) n += array.aval().bytes();
  return n;
}

}  // namespace weft::nn

#include "nn/lift.h"

#include <algorithm>

namespace weft::nn::detail {

SplitKeys split_keys(const Store& store, const std::map<std::string, bool>& split, std::int64_t n) {
  SplitKeys keys;
  for (const auto& [name, own] : split) {
    const auto key = store.rngs.find(name);
    if (key == store.rngs.end()) continue;  // whoever takes a key of it will say so
    (own ? keys.each : keys.shared)[name] = own ? random::split(key->second, n) : key->second;
  }
  return keys;
}

KeysFrom::KeysFrom(Store& store, const std::string& path) : store_(store), rngs_(store.rngs), from_(store.keys_from) {
  const std::string more = path.substr(from_.size());
  if (!more.empty())
    for (auto& [name, key] : store.rngs) key = random::fold_in(key, path_hash(more, 0, store.rngs.separate_names));
  store.keys_from = path;
}
KeysFrom::~KeysFrom() {
  store_.rngs = std::move(rngs_);
  store_.keys_from = std::move(from_);
}

Keys joined(const Keys& a, const Keys& b) {
  Keys all = a;
  all.insert(b.begin(), b.end());
  return all;
}

Collection current(const Store& store, const std::string& collection, const std::string& path) {
  Collection r;
  const std::string prefix = path.empty() ? "" : path + "/";
  for (const Variables* v : {&store.changed, store.given}) {
    const auto c = v->find(collection);
    if (c == v->end()) continue;
    for (auto i = c->second.lower_bound(prefix); i != c->second.end() && i->first.starts_with(prefix); ++i)
      r.insert(*i);  // what was changed stays
  }
  return r;
}

Variables current(const Store& store, const Filter& collections, const std::string& path) {
  std::set<std::string> names;
  for (const Variables* v : {&store.changed, store.given})
    for (const auto& [name, c] : *v)
      if (collections(name)) names.insert(name);
  Variables r;
  for (const std::string& name : names)
    if (Collection c = current(store, name, path); !c.empty()) r.emplace(name, std::move(c));
  return r;
}

Collection with_axis_moved(const Collection& c, int from, int to) {
  Collection r;
  for (const auto& [path, value] : c) r.emplace_hint(r.end(), path, np::moveaxis(value, from, to));
  return r;
}

void put_all(Variables& all, const Variables& others) {
  for (const auto& [name, c] : others)
    for (const auto& [path, value] : c) all[name].insert_or_assign(path, value);
}

void set_all(Store& store, const Variables& changed) {
  for (const auto& [name, c] : changed)
    if (store.may_change(name))
      for (const auto& [path, value] : c) store.set(name, path, value);
}

std::vector<Variables> of_each_branch(const Store& before, const std::vector<Variables>& changed) {
  Variables any;
  for (auto one = changed.rbegin(); one != changed.rend(); ++one) put_all(any, *one);  // the first stays
  for (auto& [name, c] : any)
    for (auto& [path, value] : c)
      if (const Array* old = before.find(name, path)) value = *old;
  std::vector<Variables> all;
  for (const Variables& own : changed) {
    all.push_back(any);
    put_all(all.back(), own);
  }
  return all;
}

Slices slices_of(const std::vector<api::AxesVisitor::Leaf>& args, const ScanOptions& o, const Variables& stacked) {
  Slices slices;
  std::vector<std::string> paths;
  for (const auto& leaf : args) {
    if (!leaf.axis) continue;
    slices.arrays.push_back(leaf.array.ndim() == 0 ? leaf.array : np::moveaxis(leaf.array, *leaf.axis, 0));
    paths.push_back(leaf.path);
  }
  std::optional<std::int64_t> length = o.length;
  for (const auto& [name, c] : stacked)
    if (!length && slices.arrays.empty()) length = c.begin()->second.shape()[0];
  slices.length = api::scan_length({.function = "nn::scan", .xs = ""}, slices.arrays, paths,
                                   weft::ScanOptions{.length = length, .reverse = o.reverse, .unroll = o.unroll},
                                   current_location());
  return slices;
}

Arrays with_out_axes(const std::vector<api::AxesVisitor::Leaf>& results) {
  Arrays r;
  for (const auto& leaf : results) {
    if (!leaf.axis)
      throw ValueError("nn::scan: results must be stacked along an axis; got out_axes with none for " + leaf.path +
                       ".");
    r.push_back(np::moveaxis(leaf.array, 0, *leaf.axis));
  }
  return r;
}

void Branches::end() {
  for (const auto& counts : after_)
    for (const auto& [of, count] : counts) {
      std::int64_t& now = place_.store->counts[of];
      now = std::max(now, count);
    }
  if (place_.frame) end_branches(*place_.frame);
}

}  // namespace weft::nn::detail

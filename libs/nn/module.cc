#include "nn/module.h"

#include <algorithm>

#include "weft/np/creation.h"
#include "weft/np/ufuncs.h"

namespace weft::nn::detail {

namespace {

// The paths of a collection that begin with a module's, as a list for an error.
std::string names_at(const Store& store, const std::string& collection, const std::string& path) {
  std::set<std::string> names;
  const std::string prefix = path.empty() ? "" : path + "/";
  for (const Variables* v : {&store.changed, store.given}) {
    const auto c = v->find(collection);
    if (c == v->end()) continue;
    for (auto i = c->second.lower_bound(prefix); i != c->second.end() && i->first.starts_with(prefix); ++i)
      names.insert(i->first.substr(prefix.size()));
  }
  std::string list;
  constexpr std::size_t kMost = 12;
  std::size_t n = 0;
  for (const std::string& name : names) {
    if (n++ == kMost) return list + ", and " + std::to_string(names.size() - kMost) + " more";
    list += (list.empty() ? "" : ", ") + name;
  }
  return list.empty() ? "none" : list;
}

constexpr const char* kNameInTransformation =
    "a transformation shows only collections that it is told of: name it in variable_axes, variable_broadcast or "
    "variable_carry";

Array make_param(const Place& place, const std::string& path, const std::string& name,
                 FunctionRef<Array(const Array&)> make) {
  if (!place.store->may_change("params"))
    throw ParamNotFoundError("param: the variables must have every parameter; got no \"" + name + "\" in " +
                                 path_str(place.path) + ", which has " + names_at(*place.store, "params", place.path) +
                                 ".",
                             place.store->is_hidden("params")
                                 ? kNameInTransformation
                                 : "initialise the same model with arguments of the same shapes, or give all that init "
                                   "gave");
  const Array value = make(next_key(*place.store, place.path, "params"));
  place.store->set("params", path, value);
  return value;
}

void check_shape(const Place& place, const std::string& name, DimSpan given, DimSpan wanted) {
  if (std::equal(given.begin(), given.end(), wanted.begin(), wanted.end())) return;
  throw ParamShapeError("param: a parameter must have the shape that the module asks for; got " + shape_str(given) +
                            " for \"" + name + "\" in " + path_str(place.path) + ", which asks for " +
                            shape_str(wanted) + ".",
                        "the model, or the shape of its input, is another than at init");
}

}  // namespace

Array param(const Place& place, const std::string& name, const Dims& shape, FunctionRef<Array(const Array&)> make) {
  reserve_name(place, name, "params");
  const std::string path = joined(place.path, name);
  if (const Array* a = place.store->find("params", path)) {
    check_shape(place, name, a->shape(), shape);
    return *a;
  }
  const Array value = make_param(place, path, name, make);
  check_shape(place, name, value.shape(), shape);
  return value;
}

Array param(const Place& place, const std::string& name, FunctionRef<Array(const Array&)> make) {
  reserve_name(place, name, "params");
  const std::string path = joined(place.path, name);
  const Array* a = place.store->find("params", path);
  if (!a) return make_param(place, path, name, make);
  const Array like = eval_shape([&](Array key) { return make(key); }, np::zeros({2}, u32));
  check_shape(place, name, a->shape(), like.shape());
  return *a;
}

namespace {
[[noreturn]] void throw_not_found(const char* what, const Place& place, const std::string& collection,
                                  const std::string& name) {
  throw VariableNotFoundError(
      std::string(what) + ": the variables must have every variable; got no \"" + name + "\" of \"" + collection +
          "\" in " + path_str(place.path) + ", which has " + names_at(*place.store, collection, place.path) + ".",
      place.store->is_hidden(collection)
          ? kNameInTransformation
          : "give the collection \"" + collection + "\" that init made, or name it in mutable_collections");
}
}  // namespace

Variable variable(const Place& place, const std::string& collection, const std::string& name,
                  FunctionRef<Array()> make) {
  reserve_name(place, name, collection);
  const std::string path = joined(place.path, name);
  if (!place.store->find(collection, path)) {
    if (!place.store->may_change(collection)) throw_not_found("variable", place, collection, name);
    place.store->set(collection, path, make());
  }
  return Variable(*place.store, collection, path);
}

Array get_variable(const Place& place, const std::string& collection, const std::string& name) {
  const Array* a = place.store->find(collection, joined(place.path, name));
  if (!a) throw_not_found("get_variable", place, collection, name);
  return *a;
}

bool sow(const Place& place, const std::string& collection, const std::string& name, const Array& value) {
  check_name(place, name);
  Store& store = *place.store;
  if (!store.may_change(collection)) return false;
  const std::string path = joined(place.path, name);
  if (store.find(collection, path))
    throw SowError("sow: a name that holds one value cannot hold a list; got \"" + name + "\" of \"" + collection +
                   "\" in " + path_str(place.path) + ".");
  std::size_t& n = store.sown[collection + "\n" + path];
  while (store.find(collection, path + "/" + std::to_string(n))) ++n;  // those that were given
  store.set(collection, path + "/" + std::to_string(n), value);
  return true;
}

bool sow(const Place& place, const std::string& collection, const std::string& name, const Array& value,
         FunctionRef<Array()> initial, FunctionRef<Array(const Array&, const Array&)> reduce) {
  check_name(place, name);
  Store& store = *place.store;
  if (!store.may_change(collection)) return false;
  const std::string path = joined(place.path, name);
  if (store.sown.contains(collection + "\n" + path) || store.find(collection, path + "/0"))
    throw SowError("sow: a name that holds a list cannot hold one value; got \"" + name + "\" of \"" + collection +
                   "\" in " + path_str(place.path) + ".");
  const Array* old = store.find(collection, path);
  store.set(collection, path, reduce(old ? *old : initial(), value));
  return true;
}

Array perturb(const Place& place, const std::string& name, const Array& value, const std::string& collection) {
  Store& store = *place.store;
  const std::string path = joined(place.path, name);
  if (store.may_change(collection) && !store.find(collection, path)) {
    reserve_name(place, name, collection);
    store.set(collection, path, np::zeros_like(value));
  }
  const Array* more = store.find(collection, path);
  if (!more && store.has(collection)) throw_not_found("perturb", place, collection, name);
  return more ? value + *more : value;
}

}  // namespace weft::nn::detail

#include "nn/scope.h"

#include <algorithm>
#include <utility>

#include "nn/sha1.h"
#include "weft/random/random.h"

namespace weft::nn {

namespace detail {

namespace {

constinit thread_local std::uint64_t last_frame = 0;

// ---- which module is where ----

// visit(frame) for the frames whose paths belong together, innermost first, until one gives true: not for those around
// an init or apply that was called by a module.
template <class Visit>
void for_each_frame(Frame* innermost, Visit&& visit) {
  if (!innermost) return;
  const Store* store = &innermost->store;
  for (Frame* f = innermost; f; f = f->outer) {
    while (store && store != &f->store) store = store->outer;
    if (!store || visit(*f)) return;
  }
}

struct Known {
  Frame* frame;
  SharedPath path;
};

SharedPath nowhere() { return std::make_shared<std::optional<std::string>>(); }

std::optional<Known> known_module(Frame* innermost, const ModuleKey& k) {
  std::optional<Known> found;
  for_each_frame(innermost, [&](Frame& f) {
    const auto i = f.known.find(k);
    if (i != f.known.end()) found = Known{&f, i->second};
    return found.has_value();
  });
  return found;
}

// A copy that was given another name is another module.
bool has_new_name(const SharedPath& path, const ModuleKey& k) {
  const std::string_view given = k.type->given_name(k.module);
  if (!*path || given.empty()) return false;
  const std::string_view own = **path;
  return own != given && !(own.ends_with(given) && own[own.size() - given.size() - 1] == '/');
}

std::string name_of(const std::string& member, const void* module, const ModuleType& type) {
  const std::string_view given = type.given_name(module);
  return given.empty() ? member : std::string(given);
}

// Makes members that have no place yet different from those that they were copied from.
class Apartness final : public MemberVisitor {
 public:
  explicit Apartness(Frame& frame) : frame_(frame) {}
  void member(const std::string&, const void* module, const ModuleType& type) override {
    const ModuleKey k{module, &type};
    const auto known = known_module(&frame_, k);
    if (!known || *known->path) return;
    known->frame->known.insert_or_assign(k, nowhere());
    type.members(module, *this);
  }

 private:
  Frame& frame_;
};

// Of a frame that begins: its module's members. Those that have no place yet have one here.
class Members final : public MemberVisitor {
 public:
  explicit Members(Frame& frame) : frame_(frame) {}
  void member(const std::string& name, const void* module, const ModuleType& type) override {
    const ModuleKey k{module, &type};
    const auto known = known_module(&frame_, k);
    SharedPath path = known ? known->path : nowhere();
    if (!known) frame_.known.emplace(k, path);
    if (frame_.type.wraps) {
      if (!*path) *path = frame_.path;
      return;
    }
    const std::string own = name_of(name, module, type), here = joined(frame_.path, own);
    if (mine_.contains(path) || has_new_name(path, k)) {
      // A copy of a member before, as of std::vector(3, layer): members are different modules.
      path = nowhere();
      known->frame->known.insert_or_assign(k, path);
      Apartness apart(frame_);
      type.members(module, apart);
    } else if (*path && **path != here) {
      return;  // shared: it was somewhere else before
    }
    mine_.insert(path);
    reserve_name({&frame_, &frame_.store, frame_.path}, own, "");
    *path = here;
  }

 private:
  Frame& frame_;
  std::set<SharedPath> mine_;
};

// Members of members, and theirs, by the paths that they will have when what holds them runs.
class InnerMembers final : public MemberVisitor {
 public:
  InnerMembers(Frame& frame, ByModule<std::string>& found)
      : frame_(frame), path_(frame.path), wraps_(frame.type.wraps), found_(found) {}
  void member(const std::string& name, const void* module, const ModuleType& type) override {
    const ModuleKey k{module, &type};
    std::string path;
    if (const auto known = known_module(&frame_, k)) {
      if (!*known->path) return;  // made here, and so is what is in it
      path = **known->path;
    } else {
      path = wraps_ ? path_ : joined(path_, name_of(name, module, type));
      found_.emplace(k, path);
    }
    std::swap(path_, path);
    const bool wraps = std::exchange(wraps_, type.wraps);
    type.members(module, *this);
    wraps_ = wraps;
    std::swap(path_, path);
  }

 private:
  Frame& frame_;
  std::string path_;  // of what holds them
  bool wraps_;
  ByModule<std::string>& found_;
};

// The same for one that no frame knows: it may be a member of a member.
std::optional<Known> known_or_inner(Frame* innermost, const ModuleKey& k) {
  auto found = known_module(innermost, k);
  if (found) return found;
  for_each_frame(innermost, [&](Frame& f) {
    if (!f.inner) {
      f.inner.emplace();
      InnerMembers visitor(f, *f.inner);
      f.type.members(f.module, visitor);
    }
    const auto i = f.inner->find(k);
    if (i == f.inner->end()) return false;
    found = Known{&f, std::make_shared<std::optional<std::string>>(i->second)};
    f.known.emplace(k, found->path);
    return true;
  });
  return found;
}

bool is_below(const std::string& path, const std::string& root) {
  return root.empty() || path == root || path.starts_with(root + "/");
}

// The name of a module that has none in the frame that it was made in.
std::string new_name(Frame& home, const ModuleKey& k) {
  std::string name(k.type->given_name(k.module));
  if (name.empty()) {
    const std::string type(k.type->name);
    const auto taken = [&] {
      for (const Frame* f = &home; f; f = f->branch_of)
        if (f->used.contains(name)) return true;
      return false;
    };
    do name = type + "_" + std::to_string(home.automatic[type]++);
    while (taken());
  }
  reserve_name({&home, &home.store, home.path}, name, "");
  return name;
}

std::string path_of(Frame& innermost, const ModuleKey& k) {
  auto known = known_or_inner(&innermost, k);
  if (!known) known = Known{&innermost, nowhere()};
  if (!innermost.type.wraps && has_new_name(known->path, k)) known->path = nowhere();
  known->frame->known.insert_or_assign(k, known->path);
  std::optional<std::string>& path = *known->path;
  const bool outside = &known->frame->store != &innermost.store;
  if (!path) {
    // Which number it has would depend on the order in which branches are traced.
    if (outside && k.type->given_name(k.module).empty())
      throw TransformError(
          "call: a module that was made outside of a transformation must have a name before it is "
          "called inside of it; got a " +
              std::string(k.type->name) + " without one.",
          "call it before the transformation, give it a name, or make it inside");
    path = joined(known->frame->path, new_name(*known->frame, k));
  }
  if (outside && !is_below(*path, innermost.store.root))
    throw TransformError(
        "call: a module whose variables are outside of a transformation must not be called inside of "
        "it; got " +
            *path + " inside of " + path_str(innermost.store.root) + ".",
        "make it inside, or call it outside and hand over what it gives");
  return *path;
}

[[noreturn]] void throw_unbound(const char* what, const ModuleType& type) {
  throw UnboundModuleError(std::string(what) + ": a module must run inside of init, apply or bind; got " +
                               std::string(type.name) + " outside.",
                           "variables = model.init(key, x); y = model.apply(variables, x)");
}

}  // namespace

void born(const void* module, const ModuleType& type) {
  current_frame->known.insert_or_assign({module, &type}, nowhere());
}

void copied(const void* module, const void* from, const ModuleType& type) {
  // Where the original is known, so that they are as long.
  if (const auto original = known_or_inner(current_frame, {from, &type}))
    original->frame->known.insert_or_assign({module, &type}, original->path);
  else
    born(module, type);
}

void died(const void* module, const ModuleType& type) {
  for (Frame* f = current_frame; f; f = f->outer) f->known.erase({module, &type});
}

// ---- the store ----

const Array* Store::find(const std::string& collection, const std::string& path) const {
  for (const Variables* v : {&changed, given}) {
    const auto c = v->find(collection);
    if (c == v->end()) continue;
    if (const auto a = c->second.find(path); a != c->second.end()) return &a->second;
  }
  return nullptr;
}

bool Store::is_hidden(const std::string& collection) const {
  return outer && !has(collection) && (outer->has(collection) || outer->may_change(collection));
}

void Store::set(const std::string& collection, const std::string& path, const Array& value) {
  if (!may_change(collection))
    throw ModifyVariableError(
        "variables: only those of mutable collections may be made or changed; got " + path + " of \"" + collection +
            "\".",
        outer && outer->may_change(collection)
            ? "a transformation lets only those change that it is told of: name the collection in its variable_axes, "
              "variable_carry or carry_variables, or give map_variables a trans_out_fn"
            : "name the collection: model.apply_mutable(variables, {.mutable_collections = \"" + collection +
                  "\"}, ...)");
  if (trace != weft::detail::current_trace)
    throw TransformError(
        "variables: inside of a transformation that began in a module, they may be read alone; got a "
        "new value of " +
            path + " of \"" + collection + "\".",
        "use the transformations of nn (nn::scan, nn::vmap, nn::remat, ...), which know of variables");
  changed[collection].insert_or_assign(path, value);
}

Variables Store::mutable_variables() const {
  Variables r;
  for (const Variables* v : {&changed, given})
    for (const auto& [name, collection] : *v)
      if (may_change(name)) r[name].insert(collection.begin(), collection.end());  // the first stay
  return r;
}

// ---- frames ----

std::string joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "/" + std::string(name);
}

std::string path_str(const std::string& path) { return path.empty() ? "the outermost module" : path; }

namespace {
Frame& innermost(const ModuleType& type) {
  if (!current_frame) throw_unbound("call", type);
  return *current_frame;
}
std::string last_of(const std::string& path) {
  const auto at = path.rfind('/');
  return at == std::string::npos ? path : path.substr(at + 1);
}
}  // namespace

Running::Running(const void* module, const ModuleType& type)
    : frame_{.store = innermost(type).store,
             .path = path_of(*current_frame, {module, &type}),
             .module = module,
             .type = type,
             .outer = current_frame,
             .number = ++last_frame} {
  begin(last_of(frame_.path));
}

Running::Running(Store& store, const void* module, const ModuleType& type, const std::string& path, Frame* branch_of)
    : frame_{.store = store,
             .path = path,
             .module = module,
             .type = type,
             .outer = current_frame,
             .number = ++last_frame,
             .branch_of = branch_of} {
  if (branch_of) frame_.automatic = branch_of->automatic;
  begin(std::string(type.name));
}

void Running::begin(const std::string& scope) {
  // Also itself, which may be copied or call itself.
  const ModuleKey self{frame_.module, &frame_.type};
  if (!known_module(&frame_, self))
    frame_.known.emplace(self, std::make_shared<std::optional<std::string>>(frame_.path));
  Members visitor(frame_);
  frame_.type.members(frame_.module, visitor);
  if (!frame_.branch_of) {
    const int call = frame_.store.listener ? ++frame_.store.calls[frame_.path] : 1;
    scope_.emplace(call == 1 ? scope : scope + "#" + std::to_string(call));
  }
  current_frame = &frame_;
}

Running::~Running() {
  current_frame = frame_.outer;
  if (frame_.branch_of)
    for (const auto& [type, next] : frame_.automatic) {
      int& after = frame_.branch_of->after_branches[type];
      after = std::max(after, next);
    }
}

void end_branches(Frame& frame) {
  for (const auto& [type, next] : frame.after_branches) frame.automatic[type] = std::max(frame.automatic[type], next);
  frame.after_branches.clear();
}

Place place_of(const char* what, const void* module, const ModuleType& type) {
  if (!current_frame) throw_unbound(what, type);
  Frame& f = *current_frame;
  if (f.module == module && &f.type == &type) return {&f, &f.store, f.path};
  // A method of a member that was called as any other.
  return {nullptr, &f.store, path_of(f, {module, &type})};
}

// ---- names and keys ----

void check_name(const Place& place, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos)
    throw InvalidNameError("module: a name must not be empty and have no '/'; got \"" + name + "\" in " +
                           path_str(place.path) + ".");
}

void reserve_name(const Place& place, const std::string& name, const std::string& collection) {
  check_name(place, name);
  if (!place.frame) return;
  std::set<std::string>& kinds = place.frame->used[name];
  const bool clash = collection.empty() ? !kinds.empty() : kinds.contains("") || kinds.contains(collection);
  if (clash)
    throw NameInUseError(
        "module: names in a module must differ; got \"" + name + "\" twice in " + path_str(place.path) + ".",
        collection.empty() ? "leave the name out, and one is made from the type" : "");
  kinds.insert(collection);
}

std::uint32_t path_hash(const std::string& path, std::int64_t count, bool separate_names) {
  // The names one after the other, then the count, its highest byte first.
  std::string bytes;
  bool within = false;
  for (const char c : path) {
    if (c != '/' && !within && separate_names) bytes += '\0';
    within = c != '/';
    if (within) bytes += c;
  }
  if (count > 0 && separate_names) bytes += '\0';
  std::string number;
  for (std::int64_t n = count; n > 0; n >>= 8) number.insert(number.begin(), static_cast<char>(n & 0xff));
  return sha1(bytes + number)[0];
}

Array next_key(Store& store, const std::string& path, const std::string& stream) {
  std::string from = stream;
  auto key = store.rngs.find(from);
  if (key == store.rngs.end()) key = store.rngs.find(from = "params");
  if (key == store.rngs.end()) {
    std::string have;
    for (const auto& [name, array] : store.rngs) have += (have.empty() ? "" : ", ") + name;
    throw InvalidRngError("make_rng: there must be a key for the stream \"" + stream + "\"; got " +
                              (have.empty() ? "none" : "keys for " + have) + ".",
                          store.outer && (store.outer->rngs.contains(stream) || store.outer->rngs.contains("params"))
                              ? "a transformation hands only those streams on that it is told of: name \"" + stream +
                                    "\" in its split_rngs"
                              : "pass one: model.apply(variables, {.rngs = {{\"" + stream + "\", key}}}, ...)");
  }
  const std::int64_t count = ++store.counts[path + "\n" + from];
  return random::fold_in(key->second, path_hash(path.substr(store.keys_from.size()), count, store.rngs.separate_names));
}

void check_keys(const Rngs& rngs, const SourceLocation& loc) {
  const LocationScope scope(loc);
  for (const auto& [stream, key] : rngs)
    if (!key.defined() || key.dtype() != u32 || key.ndim() != 1 || key.shape(0) != 2)
      throw InvalidRngError("make_rng: what is given for the stream \"" + stream + "\" must be a key, u32[2]; got " +
                                (key.defined() ? key.aval().str() : "none") + ".",
                            "make one with random::key(seed)");
}

}  // namespace detail

detail::Store& Variable::store() const {
  if (alive_.expired())
    throw UnboundModuleError(
        "variable: it must be read and set while its model runs; got " + path_ + " of \"" + collection_ +
            "\" after that.",
        "read its value inside of the module, or from the variables that init or apply_mutable gives");
  return *store_;
}

Array Variable::value() const {
  const Array* a = store().find(collection_, path_);
  internal_check(a != nullptr, "nn::Variable: it is gone");
  return *a;
}

void Variable::set(const Array& value) const { store().set(collection_, path_, value); }

}  // namespace weft::nn

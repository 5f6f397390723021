// Where a running module is: its path, the variables there, the streams of its keys. Modules reach it through
// module.h; this knows nothing of their types but what ModuleType tells.
//
// Frames lie on a stack of each thread, one for every call of a module that is under way. A frame knows by their
// addresses the modules that were made while it was the innermost, and the members of its own: for each its place, the
// path where its variables are, which it shares with its copies and which it has from its first call on, or, if that
// comes first, from the first call of a module that it is a member of.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nn/errors.h"
#include "nn/variables.h"
#include "weft/core/name_scope.h"
#include "weft/core/trace.h"

namespace weft::nn {

/// One call of a module, as a listener hears of it when it is over.
struct ModuleCall {
  std::string path;         // "" of the outermost
  std::string_view module;  // "Dense"
  std::string scope;        // "Cnn/Dense_0", the name scope of its equations; "Cnn/Dense_0#2" of a second call
  std::uint64_t started;    // less than of calls that began later
  std::vector<Aval> inputs, outputs;
};
using Listener = std::function<void(const ModuleCall&)>;

namespace detail {

struct ModuleType;

/// Hears of the modules that are members of a module.
class MemberVisitor {
 public:
  virtual void member(const std::string& name, const void* module, const ModuleType& type) = 0;

 protected:
  ~MemberVisitor() = default;
};

/// What there is to know of a type of modules.
struct ModuleType {
  std::string_view name;
  /// Whether it is one of this library, whose lines mean nothing to the user.
  bool ours;
  /// Whether its member `module` is at its own place: a module under a transformation.
  bool wraps;
  /// The name that a module was given, empty if none. `module` is the address of its base Module<D>.
  std::string_view (*given_name)(const void* module);
  /// Tells the modules among the members, not those among theirs.
  void (*members)(const void* module, MemberVisitor& visitor);
};

/// A module by where it lies. One and its first member lie at the same address, but differ in type.
struct ModuleKey {
  const void* module;
  const ModuleType* type;
  friend bool operator==(const ModuleKey&, const ModuleKey&) = default;
};
struct ModuleKeyHash {
  std::size_t operator()(const ModuleKey& k) const {
    return std::hash<const void*>()(k.module) ^ (std::hash<const void*>()(k.type) << 1);
  }
};
template <class T>
using ByModule = std::unordered_map<ModuleKey, T, ModuleKeyHash>;

/// The path of a module and its copies, none before it has one.
using SharedPath = std::shared_ptr<std::optional<std::string>>;

/// What all modules of one init or apply share, or of the inside of a transformation.
struct Store {
  const Variables* given;  // outlives the store
  Rngs rngs;
  Filter may_change = false;
  bool initializing = false;
  Listener listener = {};

  const Store* outer = nullptr;  // around the transformation that this is the inside of
  std::string root = {};         // what is inside sees variables below this path alone

  Variables changed = {};                                                  // made or changed since
  std::map<std::string, std::int64_t> counts = {};                         // of keys taken, by path and stream
  std::map<std::string, std::size_t> sown = {};                            // of values, by collection and path
  std::map<std::string, int> calls = {};                                   // by path, where there is a listener
  std::string keys_from = {};                                              // the path that `rngs` are the keys of
  std::shared_ptr<const bool> alive = std::make_shared<const bool>(true);  // of variables that outlive the store
  const Trace* trace = current_trace_of_thread();

  static const Trace* current_trace_of_thread() { return weft::detail::current_trace; }
  const Array* find(const std::string& collection, const std::string& path) const;
  bool has(const std::string& collection) const { return changed.contains(collection) || given->contains(collection); }
  /// Whether a collection that there is outside of this transformation is not seen inside.
  bool is_hidden(const std::string& collection) const;
  /// ModifyVariableError or TransformError when it may not.
  void set(const std::string& collection, const std::string& path, const Array& value);
  /// The collections that may change, as they are now.
  Variables mutable_variables() const;
};

/// A call of a module that is under way.
struct Frame {
  Store& store;
  std::string path;
  const void* module;
  const ModuleType& type;
  Frame* outer;
  std::uint64_t number;        // no other frame of this thread ever has it
  Frame* branch_of = nullptr;  // the frame of the same module that this is a branch of

  SourceLocation line = SourceLocation();  // of the call, as far as that is known

  std::map<std::string, int> automatic = {};               // the next numbers of names given by type
  std::map<std::string, int> after_branches = {};          // the same after the branches that have run
  std::map<std::string, std::set<std::string>> used = {};  // names, and the collections where they are
  ByModule<SharedPath> known = {};                         // made here, or members; and copies of these
  std::optional<ByModule<std::string>> inner = {};         // members of members, once they were looked for
};
inline constinit thread_local Frame* current_frame = nullptr;

/// Modules made while a module runs are told apart by when they were made: one may lie where another was before. Copies
/// are one with what they were copied from.
void born(const void* module, const ModuleType& type);
void copied(const void* module, const void* from, const ModuleType& type);
void died(const void* module, const ModuleType& type);

/// While it lives, the module runs. UnboundModuleError without an init, apply or bind around it; NameInUseError or
/// InvalidNameError for what its members are called.
class Running {
 public:
  Running(const void* module, const ModuleType& type);
  /// The outermost of a store. As a branch of a frame it has the names that come next there.
  Running(Store& store, const void* module, const ModuleType& type, const std::string& path = {},
          Frame* branch_of = nullptr);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Frame& frame() { return frame_; }

 private:
  void begin(const std::string& scope);
  Frame frame_;
  std::optional<NameScope> scope_;
};

/// The frame of a module: the innermost, or, in a method that was called without one, what stands for it.
struct Place {
  Frame* frame;  // of which names are taken
  Store* store;
  std::string path;  // of the module
};
Place place_of(const char* what, const void* module, const ModuleType& type);

/// Names that branches of the frame were given are taken.
void end_branches(Frame& frame);

/// "Encoder_0/Dense_1", or "the outermost module".
std::string path_str(const std::string& path);
std::string joined(const std::string& path, std::string_view name);

/// A key of the stream for the module at `path`, the next of those that it takes.
Array next_key(Store& store, const std::string& path, const std::string& stream);
/// The four bytes of the hash of path and count that make a key; with a zero byte before each name and the count where
/// they are kept apart. Without a count for 0.
std::uint32_t path_hash(const std::string& path, std::int64_t count, bool separate_names = false);
/// InvalidRngError, naming the stream, for what is no key.
void check_keys(const Rngs& rngs, const SourceLocation& loc);

/// InvalidNameError for a name that is empty or a path.
void check_name(const Place& place, const std::string& name);
/// NameInUseError, InvalidNameError.
void reserve_name(const Place& place, const std::string& name, const std::string& collection);

}  // namespace detail

/// A variable of a module. While the model runs, it may be read and, where its collection may change, set:
/// UnboundModuleError afterwards.
class Variable {
 public:
  Variable(detail::Store& store, std::string collection, std::string path)
      : store_(&store), alive_(store.alive), collection_(std::move(collection)), path_(std::move(path)) {}
  Array value() const;
  /// ModifyVariableError unless its collection is mutable, TransformError inside of a transformation.
  void set(const Array& value) const;

 private:
  detail::Store& store() const;
  detail::Store* store_;
  std::weak_ptr<const bool> alive_;
  std::string collection_, path_;
};

}  // namespace weft::nn

#include "weft/api/jit.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace weft {

namespace api {

std::uint64_t Signature::hash() const {
  std::uint64_t h = words.size();
  for (const std::uint64_t w : words) h = hash_mix(h, w);
  return h;
}

void Signature::text(const std::string& s) {
  words.push_back(s.size());
  for (std::size_t i = 0; i < s.size(); i += 8) {
    std::uint64_t w = 0;
    std::memcpy(&w, s.data() + i, std::min<std::size_t>(8, s.size() - i));
    words.push_back(w);
  }
}

struct JitCache::Entries {
  std::mutex mutex;
  std::unordered_multimap<std::uint64_t, std::shared_ptr<JitEntry>> by_hash;
};

JitCache::JitCache() : entries_(std::make_shared<Entries>()) {}

std::shared_ptr<JitEntry> JitCache::find(std::uint64_t hash, const Signature& signature) const {
  const std::lock_guard lock(entries_->mutex);
  const auto [first, last] = entries_->by_hash.equal_range(hash);
  for (auto it = first; it != last; ++it)
    if (std::ranges::equal(it->second->key, signature.words) && it->second->statics == signature.statics)
      return it->second;
  return nullptr;
}

void JitCache::add(std::uint64_t hash, std::shared_ptr<JitEntry> entry) const {
  const std::lock_guard lock(entries_->mutex);
  entries_->by_hash.emplace(hash, std::move(entry));
}

std::size_t JitCache::size() const {
  const std::lock_guard lock(entries_->mutex);
  return entries_->by_hash.size();
}

void call_entry(JitEntry& entry, std::span<const Array> leaves, const SourceLocation& loc, Arrays& outs) {
  Arrays args = entry.staged.captured;
  args.append(leaves.begin(), leaves.end());
  if (evaluating()) {
    bool traced = false;
    for (const Array& a : args) traced |= a.is_tracer();
    if (!traced) {
      // `executable` is memoised in the jaxpr, so threads that race here store the same pointer.
      std::shared_ptr<const Executable> compiled = std::atomic_load(&entry.executable);
      if (!compiled) {
        compiled = executable(entry.staged.jaxpr);
        std::atomic_store(&entry.executable, compiled);
      }
      return compiled->run(args, outs);
    }
  }
  const LocationScope scope(loc, "jit");
  bind(OpCode::kCall, entry.call_params, args, outs);
}

}  // namespace api

Array abstract(DType dtype, const Shape& shape, SourceLocation loc) {
  const LocationScope scope(loc, "abstract");
  class AbstractTrace final : public Trace {
   public:
    AbstractTrace() : Trace(Kind::kAbstract, "abstract") { finish(false); }
    void process(const Call&, Arrays&) override { throw InternalError("abstract arrays are never processed"); }
  };
  static AbstractTrace* const trace = [] {
    const CurrentTrace none(nullptr);
    return new AbstractTrace;
  }();
  return Array(
      Ref<const Value>::adopt(new Tracer(Ref<Trace>::share(trace), Aval(dtype, shape.dims()), Array(), Array(), 0)));
}

}  // namespace weft

#include "weft/api/jit.h"

#include <algorithm>
#include <chrono>
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
  const std::string function;
  const CompilePolicy policy;
  const Fp fp;
  const std::optional<Effort> effort;
  std::mutex mutex;
  std::unordered_multimap<std::uint64_t, std::shared_ptr<JitEntry>> by_hash;
  std::shared_ptr<const SignatureOutline> not_kept;  // of the last program that was for one call only
  JitStats stats;

  // Under the lock.
  std::shared_ptr<JitEntry> find(std::uint64_t hash, std::span<const std::uint64_t> key,
                                 const std::vector<StaticValue>& statics) const {
    const auto [first, last] = by_hash.equal_range(hash);
    for (auto it = first; it != last; ++it)
      if (std::ranges::equal(it->second->key, key) && it->second->statics == statics) return it->second;
    return nullptr;
  }
};

JitCache::JitCache(std::string function, CompilePolicy policy, Fp fp, std::optional<Effort> effort)
    : entries_(new Entries{.function = std::move(function),
                           .policy = policy,
                           .fp = fp,
                           .effort = effort,
                           .mutex = {},
                           .by_hash = {},
                           .not_kept = {},
                           .stats = {}}) {}

std::shared_ptr<JitEntry> JitCache::find(std::uint64_t hash, const Signature& signature) const {
  const std::lock_guard lock(entries_->mutex);
  std::shared_ptr<JitEntry> entry = entries_->find(hash, signature.words, signature.statics);
  if (entry) ++entries_->stats.hits;
  return entry;
}

std::size_t JitCache::size() const {
  const std::lock_guard lock(entries_->mutex);
  return entries_->by_hash.size();
}

JitStats JitCache::stats() const {
  const std::lock_guard lock(entries_->mutex);
  return entries_->stats;
}

const std::string& JitCache::function() const { return entries_->function; }

bool any_traced(std::span<const Array> arrays) {
  return std::any_of(arrays.begin(), arrays.end(), [](const Array& a) { return a.is_tracer(); });
}

bool all_buffers(std::span<const Array> arrays) {
  return std::all_of(arrays.begin(), arrays.end(), [](const Array& a) { return a.buffer() != nullptr; });
}

namespace {

ExecutableOptions options_of(const JitEntry& entry, std::optional<Effort> effort) {
  ExecutableOptions options{.effort = effort};
  if (entry.donation) options.donated = entry.donation->inputs;
  return options;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool forbidden(CompilePolicy policy, bool first) {
  return policy == CompilePolicy::kNever || (policy == CompilePolicy::kOnce && !first);
}

}  // namespace

NewProgram::NewProgram(const JitCache& cache, std::shared_ptr<const SignatureOutline> outline)
    : cache_(cache), outline_(std::move(outline)), explain_(explaining()) {
  JitCache::Entries& entries = *cache.entries_;
  const CompilePolicy policy = policy_in_force(entries.policy);
  std::unique_lock lock(entries.mutex);
  const bool forbid = forbidden(policy, entries.stats.traces == 0);
  if (explain_ || forbid) {
    explanation_.function = entries.function;
    explanation_.after = after_last_call();
    explanation_.programs = entries.by_hash.size() + (entries.not_kept ? 1 : 0);
    bool first = true;
    const auto compare = [&](const SignatureOutline& before, CompileExplanation::Reason if_equal) {
      std::vector<CompileDifference> d = differences(before, *outline_);
      if (!first && d.size() >= explanation_.differences.size()) return;
      first = false;
      explanation_.reason = d.empty() ? if_equal : CompileExplanation::Reason::kDifferent;
      explanation_.differences = std::move(d);
    };
    for (const auto& [hash, entry] : entries.by_hash) compare(*entry->outline, CompileExplanation::Reason::kDifferent);
    if (explanation_.reason == CompileExplanation::Reason::kDifferent && explanation_.differences.empty())
      explanation_.differences.push_back(
          {CompileDifference::Kind::kStructure, "args", "those before", "other C++ types or values"});
    if (entries.not_kept) compare(*entries.not_kept, CompileExplanation::Reason::kNotKept);
  }
  lock.unlock();
  if (forbid) throw_forbidden(policy, explanation_);
  start_ = now();
}

void NewProgram::traced(std::uint64_t hash, std::shared_ptr<JitEntry>& entry, std::span<const Array> leaves) {
  const double traced = now();
  JitCache::Entries& entries = *cache_.entries_;
  entry->outline = outline_;
  const Arrays captured = entry->staged.captured;
  const bool keep = !any_traced(captured);
  const bool compiles = keep && evaluating() && !any_traced(leaves);
  if (compiles)
    entry->executable = executable(with_fp(entry->staged.jaxpr, entries.fp), options_of(*entry, entries.effort));
  const double compiled = now();
  {
    const std::lock_guard lock(entries.mutex);
    ++entries.stats.traces;
    entries.stats.trace_seconds += traced - start_;
    if (compiles) {
      ++entries.stats.compiles;
      entries.stats.compile_seconds += compiled - traced;
    }
    // A captured tracer belongs to this call alone.
    if (!keep)
      entries.not_kept = outline_;
    else if (auto earlier = entries.find(hash, entry->key, entry->statics))
      entry = std::move(earlier);
    else
      entries.by_hash.emplace(hash, entry);
  }
  if (!explain_) return;
  explanation_.trace_seconds = traced - start_;
  if (compiles) explanation_.compile_seconds = compiled - traced;
  for (const Array& a : captured)
    if (a.is_tracer()) {
      explanation_.captured = a.tracer()->str();
      break;
    }
  explain(explanation_);
}

std::shared_ptr<const Executable> JitCache::compile(JitEntry& entry) const {
  Entries& entries = *entries_;
  CompileExplanation e{.function = entries.function,
                       .after = after_last_call(),
                       .reason = CompileExplanation::Reason::kFirstRun,
                       .programs = size(),
                       .differences = {},
                       .captured = {},
                       .trace_seconds = {},
                       .compile_seconds = {}};
  const CompilePolicy policy = policy_in_force(entries.policy);
  if (policy == CompilePolicy::kNever) throw_forbidden(policy, e);
  const double start = now();
  std::shared_ptr<const Executable> compiled = executable(with_fp(entry.staged.jaxpr, entries.fp),
                                                          options_of(entry, entries.effort)),
                                    none;
  // `executable` is memoised in the jaxpr, so threads that race here have the same pointer; one of them counts.
  if (!std::atomic_compare_exchange_strong(&entry.executable, &none, compiled)) return compiled;
  e.compile_seconds = now() - start;
  {
    const std::lock_guard lock(entries.mutex);
    ++entries.stats.compiles;
    entries.stats.compile_seconds += *e.compile_seconds;
  }
  if (explaining()) explain(e);
  return compiled;
}

void call_entry(const JitCache& cache, JitEntry& entry, std::span<const Array> leaves, const SourceLocation& loc,
                Arrays& outs) {
  Arrays args = entry.staged.captured;
  args.append(leaves.begin(), leaves.end());
  if (evaluating() && all_buffers(args)) {
    std::shared_ptr<const Executable> compiled = std::atomic_load(&entry.executable);
    if (!compiled) [[unlikely]]
      compiled = cache.compile(entry);
    return run_program("jit", loc, *compiled, entry.donation.get(), std::move(args), outs);
  }
  const LocationScope scope(loc, "jit");
  refuse_donated("jit", entry.staged.captured, leaves);
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

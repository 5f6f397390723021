#include "weft/ir/jaxpr.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <unordered_map>

namespace weft::ir {

struct JaxprData::Derived {
  std::mutex mutex;
  std::unique_ptr<Jaxpr::LastUses> last_uses;
  std::unordered_map<std::string, std::shared_ptr<const void>> memos;
  std::uint64_t hash = 0;  // 0 when not yet known
};

JaxprData::JaxprData() : derived(std::make_unique<Derived>()) {}
JaxprData::~JaxprData() = default;

Avals Jaxpr::input_avals() const {
  return Avals(d_->avals.begin(), d_->avals.begin() + static_cast<std::ptrdiff_t>(d_->num_inputs));
}

Avals Jaxpr::output_avals() const {
  Avals r;
  for (const Atom a : d_->outputs) r.push_back(aval(a));
  return r;
}

const Jaxpr::LastUses& Jaxpr::last_uses() const {
  const std::lock_guard lock(d_->derived->mutex);
  if (!d_->derived->last_uses) {
    auto uses = std::make_unique<LastUses>();
    constexpr std::uint32_t kNever = ~0u;
    std::vector<std::uint32_t> last(d_->avals.size(), kNever);
    for (std::uint32_t i = 0; i < d_->eqns.size(); ++i) {
      const Eqn& e = d_->eqns[i];
      for (Var v = e.out_begin; v < e.out_end; ++v) last[v] = i;
      for (const Atom a : operands(e))
        if (!a.is_literal()) last[a.index()] = i;
    }
    for (const Atom a : d_->outputs)
      if (!a.is_literal()) last[a.index()] = kNever;
    uses->begin.assign(d_->eqns.size() + 1, 0);
    for (const std::uint32_t i : last)
      if (i != kNever) ++uses->begin[i + 1];
    for (std::size_t i = 0; i < d_->eqns.size(); ++i) uses->begin[i + 1] += uses->begin[i];
    uses->vars.resize(uses->begin.back());
    std::vector<std::uint32_t> next(uses->begin.begin(), uses->begin.end() - 1);
    for (Var v = 0; v < last.size(); ++v)
      if (last[v] != kNever) uses->vars[next[last[v]]++] = v;
    d_->derived->last_uses = std::move(uses);
  }
  return *d_->derived->last_uses;
}

std::shared_ptr<const void> Jaxpr::memo_erased(const std::string& key,
                                               FunctionRef<std::shared_ptr<const void>()> make) const {
  {
    const std::lock_guard lock(d_->derived->mutex);
    const auto it = d_->derived->memos.find(key);
    if (it != d_->derived->memos.end()) return it->second;
  }
  std::shared_ptr<const void> made = make();
  const std::lock_guard lock(d_->derived->mutex);
  return d_->derived->memos.emplace(key, std::move(made)).first->second;
}

bool has_effects(const Jaxpr& jaxpr) {
  return *jaxpr.memo<bool>("effects", [&] {
    const auto& eqns = jaxpr.eqns();
    return std::make_shared<const bool>(
        std::any_of(eqns.begin(), eqns.end(), [](const Eqn& e) { return has_effects(e.op, e.params.get()); }));
  });
}

const AxisNames& named_axes(const Jaxpr& jaxpr) {
  return *jaxpr.memo<AxisNames>("named_axes", [&] {
    auto names = std::make_shared<AxisNames>();
    for (const Eqn& e : jaxpr.eqns())
      if (e.params) e.params->add_axes(*names);
    return names;
  });
}

void add_param_axes(const Jaxpr& v, AxisNames& names) {
  for (const std::string& name : named_axes(v))
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

namespace {

Ref<JaxprData> copy_of(const JaxprData& from) {
  auto data = Ref<JaxprData>::adopt(new JaxprData);
  data->num_consts = from.num_consts;
  data->num_inputs = from.num_inputs;
  data->avals = from.avals;
  data->literals = from.literals;
  data->operands = from.operands;
  data->eqns = from.eqns;
  data->outputs = from.outputs;
  return data;
}

}  // namespace

Jaxpr copy(const Jaxpr& jaxpr) { return Jaxpr(Ref<const JaxprData>(copy_of(*jaxpr.id()))); }

Jaxpr with_num_consts(const Jaxpr& jaxpr, std::size_t num_consts) {
  internal_check(num_consts <= jaxpr.num_inputs(), "with_num_consts: there are not that many inputs");
  if (jaxpr.num_consts() == num_consts) return jaxpr;
  Ref<JaxprData> data = copy_of(*jaxpr.id());
  data->num_consts = num_consts;
  return Jaxpr(Ref<const JaxprData>(std::move(data)));
}

Jaxpr with_outputs(const Jaxpr& jaxpr, std::span<const Atom> outputs) {
  for (const Atom a : outputs)
    internal_check(a.is_literal() ? a.index() < jaxpr.id()->literals.size() : a.index() < jaxpr.num_vars(),
                   "with_outputs: there is no such variable");
  Ref<JaxprData> data = copy_of(*jaxpr.id());
  data->outputs.assign(outputs.begin(), outputs.end());
  return Jaxpr(Ref<const JaxprData>(std::move(data)));
}

namespace {

// The pairs that the comparison running on this thread has found equal: of functions that each call the one before
// twice, every level would double the work.
class EqualPairs {
 public:
  EqualPairs() : before_(current_) {
    if (!before_) current_ = &pairs_;
  }
  ~EqualPairs() { current_ = before_; }
  EqualPairs(const EqualPairs&) = delete;
  EqualPairs& operator=(const EqualPairs&) = delete;

  bool contains(const JaxprData* a, const JaxprData* b) const { return current_->contains({a, b}); }
  void add(const JaxprData* a, const JaxprData* b) { current_->emplace(a, b); }

 private:
  using Pairs = std::set<std::pair<const JaxprData*, const JaxprData*>>;
  static inline constinit thread_local Pairs* current_ = nullptr;
  Pairs* const before_;
  Pairs pairs_;
};

}  // namespace

bool operator==(const Jaxpr& a, const Jaxpr& b) {
  if (a.d_ == b.d_) return true;
  if (!a.d_ || !b.d_) return false;
  const JaxprData& x = *a.d_;
  const JaxprData& y = *b.d_;
  EqualPairs equal;
  if (equal.contains(&x, &y)) return true;
  if (x.num_consts != y.num_consts || x.num_inputs != y.num_inputs || x.avals != y.avals ||
      x.eqns.size() != y.eqns.size() || x.outputs.size() != y.outputs.size())
    return false;
  const auto same_atom = [&](Atom p, Atom q) {
    if (p.is_literal() != q.is_literal()) return false;
    return p.is_literal() ? x.literals[p.index()] == y.literals[q.index()] : p.index() == q.index();
  };
  for (std::size_t i = 0; i < x.eqns.size(); ++i) {
    const Eqn& e = x.eqns[i];
    const Eqn& f = y.eqns[i];
    const auto p = a.operands(e), q = b.operands(f);
    if (e.op != f.op || p.size() != q.size() || e.out_end != f.out_end || !same_params(e.params, f.params))
      return false;
    for (std::size_t j = 0; j < p.size(); ++j)
      if (!same_atom(p[j], q[j])) return false;
  }
  for (std::size_t i = 0; i < x.outputs.size(); ++i)
    if (!same_atom(x.outputs[i], y.outputs[i])) return false;
  equal.add(&x, &y);
  return true;
}

std::uint64_t Jaxpr::hash() const {
  if (!d_) return 0;
  {
    const std::lock_guard lock(d_->derived->mutex);
    if (d_->derived->hash) return d_->derived->hash;
  }
  std::uint64_t h = hash_mix(d_->num_consts, d_->num_inputs);
  for (std::size_t i = 0; i < d_->num_inputs; ++i) h = hash_mix(h, d_->avals[i].hash());
  const auto atom = [&](Atom a) {
    if (!a.is_literal()) return static_cast<std::uint64_t>(a.index());
    const Literal& l = literal(a);
    return hash_mix(l.aval.hash(), hash_bytes({reinterpret_cast<const char*>(l.value.data()), l.value.size()}));
  };
  for (const Eqn& e : d_->eqns) {
    h = hash_mix(h, static_cast<std::uint64_t>(e.op));
    if (e.params) h = hash_mix(h, e.params->hash());
    for (const Atom a : operands(e)) h = hash_mix(h, atom(a));
  }
  for (const Atom a : d_->outputs) h = hash_mix(h, atom(a));
  if (h == 0) h = 1;
  const std::lock_guard lock(d_->derived->mutex);
  return d_->derived->hash = h;
}

}  // namespace weft::ir

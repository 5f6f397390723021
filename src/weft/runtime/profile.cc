#include "weft/runtime/profile.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ostream>

#include "weft/base/error.h"
#include "weft/base/text.h"
#include "weft/base/whole_file.h"
#include "weft/ir/flops.h"

namespace weft {

namespace {

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A string of JSON (RFC 8259, section 7).
std::string json_string(std::string_view s) {
  std::string r = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') {
      r += '\\';
      r += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      r += code;
    } else {
      r += c;
    }
  }
  return r + "\"";
}

// In decimal whatever the locale, at least `width` wide, to the right.
std::string cell(double v, int digits, std::size_t width = 0) {
  char text[400];
  const auto end = std::to_chars(text, text + sizeof text, v, std::chars_format::fixed, digits).ptr;
  const std::string s(text, end);
  return std::string(s.size() < width ? width - s.size() : 0, ' ') + s;
}

}  // namespace

ProgramStatement statement_of(const ir::Jaxpr& jaxpr, const ir::Eqn& eqn) {
  ProgramStatement s{std::string(ir::op_name(eqn.op)), eqn.location, 0, ir::flops(jaxpr, eqn)};
  for (const ir::Atom a : jaxpr.operands(eqn)) {
    s.name += " " + jaxpr.aval(a).str();
    s.bytes += static_cast<double>(a.is_literal() ? byte_size(jaxpr.aval(a).dtype()) : jaxpr.aval(a).bytes());
  }
  for (ir::Var v = eqn.out_begin; v < eqn.out_end; ++v) s.bytes += static_cast<double>(jaxpr.aval(v).bytes());
  return s;
}

std::vector<ProgramStatement> statements_of(const ir::Jaxpr& jaxpr) {
  std::vector<ProgramStatement> all;
  for (const ir::Eqn& e : jaxpr.eqns()) all.push_back(statement_of(jaxpr, e));
  return all;
}

StatementTimer::StatementTimer(std::size_t num_statements) : start_(clock_seconds()), times_(num_statements) {}

double StatementTimer::now() const { return clock_seconds() - start_; }

void StatementTimer::begin(std::size_t statement) { open_.push_back({statement, now(), 0}); }

void StatementTimer::end() {
  const double end = now();
  const Open ended = open_.back();
  open_.pop_back();
  const double seconds = end - ended.begin;
  Times& t = times_[ended.statement];
  ++t.calls;
  t.seconds += seconds;
  t.own += seconds - ended.inside;
  if (!open_.empty()) open_.back().inside += seconds;
  if (events_.size() < kMostEvents)
    events_.push_back({static_cast<std::uint32_t>(ended.statement), ended.begin, seconds});
}

Profile::Profile(std::vector<ProgramStatement> statements, const StatementTimer& timer, int runs, double seconds)
    : statements_(std::move(statements)), events_(timer.events()), runs_(runs), seconds_(seconds) {
  for (std::size_t i = 0; i < statements_.size(); ++i)
    if (timer.times()[i].calls > 0) rows_.push_back({statements_[i], timer.times()[i]});
  std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.times.own > b.times.own; });
}

std::string Profile::str() const {
  const double runs = std::max(1, runs_), total = seconds_ > 0 ? seconds_ : 1;
  std::string s = count_str(runs_, "run", "runs") + " of " + cell(1e3 * seconds_ / runs, 3) +
                  " ms\n share    ms/run  calls/run   us/call    GB/s  GFLOP/s  step\n";
  const auto row = [&](double own, double calls, double bytes, double flops, const std::string& what) {
    const auto rate = [&](double amount, std::size_t width) {
      return amount > 0 && own > 0 ? cell(1e-9 * amount * calls / own, 1, width) : std::string(width, ' ');
    };
    s += cell(100 * own / total, 1, 5) + "%" + cell(1e3 * own / runs, 4, 10) + cell(calls / runs, 1, 11) +
         cell(calls > 0 ? 1e6 * own / calls : 0, 2, 10) + rate(bytes, 8) + rate(flops, 9) + "  " + what + "\n";
  };
  double rest = seconds_;
  for (const Row& r : rows_) {
    rest -= r.times.own;
    const std::string at = r.statement.location.str();
    row(r.times.own, static_cast<double>(r.times.calls), r.statement.bytes, r.statement.flops,
        r.statement.name + (at.empty() ? "" : "  at " + at));
  }
  row(std::max(0.0, rest), runs, 0, 0, "(the call)");
  return s;
}

std::ostream& operator<<(std::ostream& out, const Profile& profile) { return out << profile.str(); }

void Profile::save_trace(const std::string& path, SourceLocation loc) const {
  const LocationScope scope(loc, "save_trace");
  std::string text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  bool first = true;
  for (const StatementTimer::Event& e : events_) {
    const ProgramStatement& s = statements_[e.statement];
    text += first ? "\n" : ",\n";
    first = false;
    text += "{\"name\":" + json_string(s.name) +
            ",\"cat\":\"weft\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":" + cell(1e6 * e.begin, 3) +
            ",\"dur\":" + cell(1e6 * e.seconds, 3) + ",\"args\":{\"at\":" + json_string(s.location.str()) +
            ",\"bytes\":" + cell(s.bytes, 0) + ",\"flops\":" + cell(s.flops, 0) + "}}";
  }
  text += "\n]}\n";
  if (const auto failure = write_whole_file(path, {{std::as_bytes(std::span(text))}}))
    throw BackendError("save_trace: the file must be writable; got " + path + ": cannot " + failure->step +
                       " it: " + failure->error.message() + ".");
}

}  // namespace weft

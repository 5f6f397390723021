#include "nn/tabulate.h"

#include <algorithm>
#include <cstdio>

#include "weft/base/text.h"
#include "weft/ir/flops.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"

namespace weft::nn::detail {

std::map<std::string, std::map<std::string, Aval>> types_of(const Variables& v) {
  std::map<std::string, std::map<std::string, Aval>> r;
  for (const auto& [name, c] : v)
    for (const auto& [path, value] : c) r[name].emplace(path, value.aval());
  return r;
}

// ---- operations ----

namespace {

double operations(const Jaxpr& program, const ir::Eqn& e) {
  const double products = ir::flops(program, e);
  if (products > 0) return products;
  if (ir::op_info(e.op).elementwise) return static_cast<double>(program.aval(e.out_begin).size());
  if (e.op == OpCode::kReduce || e.op == OpCode::kReduceWindow)
    return static_cast<double>(program.aval(program.operands(e)[0]).size());
  return 0;
}

void count(const Jaxpr& program, double times, std::map<std::string, double>& flops) {
  for (const ir::Eqn& e : program.eqns()) {
    if (ir::runs_programs(e.op)) {
      const double steps =
          e.op == OpCode::kScan ? static_cast<double>(ir::params_as<ScanParams>(e.params.get()).length) : 1;
      ir::for_each_program(*e.params, ir::Programs::kRun, [&](const Jaxpr& p) { count(p, times * steps, flops); });
      continue;
    }
    const double n = times * operations(program, e);
    if (n == 0 || !e.scope) continue;
    // "a/b/c" counts for a, a/b and a/b/c.
    for (std::size_t at = e.scope->find('/');; at = e.scope->find('/', at + 1)) {
      flops[e.scope->substr(0, at)] += n;
      if (at == std::string::npos) break;
    }
  }
}

// ---- text ----

// Operations of a program can be more than an integer holds.
std::string grouped(double n) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.0f", n);
  return with_commas(digits);
}
std::string bytes_str(double n) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (n >= 1000 && unit + 1 < std::size(kUnits)) n /= 1000, ++unit;
  char text[64];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", n, kUnits[unit]);
  return text;
}

struct Sum {
  double elements = 0, bytes = 0;
  void add(Aval a) {
    elements += static_cast<double>(a.size());
    bytes += static_cast<double>(a.bytes());
  }
  std::string str() const { return grouped(elements) + " (" + bytes_str(bytes) + ")"; }
};

using Cell = std::vector<std::string>;  // lines

// The variables of one collection that are of the module itself.
Cell own_variables(const std::map<std::string, Aval>& all, const std::string& path, bool whole) {
  const std::string prefix = path.empty() ? "" : path + "/";
  Cell cell;
  Sum sum;
  for (auto i = all.lower_bound(prefix); i != all.end() && i->first.starts_with(prefix); ++i) {
    const std::string name = i->first.substr(prefix.size());
    if (!whole && name.find('/') != std::string::npos) continue;
    sum.add(i->second);
    if (!whole || name.find('/') == std::string::npos) cell.push_back(name + ": " + i->second.str());
  }
  if (sum.elements > 0) cell.push_back(sum.str());
  return cell;
}

Cell lines_of(const std::vector<Aval>& types) {
  Cell cell;
  for (const Aval a : types) cell.push_back(a.str());
  return cell;
}

class Table {
 public:
  explicit Table(std::vector<std::string> header) {
    rows_.emplace_back();
    for (std::string& h : header) rows_.back().push_back({std::move(h)});
  }
  void row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  std::string str() const {
    std::vector<std::size_t> width;
    for (const auto& row : rows_)
      for (std::size_t c = 0; c < row.size(); ++c) {
        width.resize(std::max(width.size(), c + 1));
        for (const std::string& text : row[c]) width[c] = std::max(width[c], text.size());
      }
    std::string rule = "+";
    for (const std::size_t w : width) rule += std::string(w + 2, '-') + "+";
    rule += "\n";
    std::string s = rule;
    for (const auto& row : rows_) {
      std::size_t lines = 1;
      for (const Cell& cell : row) lines = std::max(lines, cell.size());
      for (std::size_t l = 0; l < lines; ++l) {
        s += "|";
        for (std::size_t c = 0; c < width.size(); ++c) {
          const std::string text = c < row.size() && l < row[c].size() ? row[c][l] : "";
          s += " " + text + std::string(width[c] - text.size(), ' ') + " |";
        }
        s += "\n";
      }
      s += rule;
    }
    return s;
  }

 private:
  std::vector<std::vector<Cell>> rows_;
};

int depth_of(const std::string& path) {
  return path.empty() ? 1 : 2 + static_cast<int>(std::count(path.begin(), path.end(), '/'));
}

}  // namespace

std::map<std::string, double> flops_by_scope(const Jaxpr& program) {
  std::map<std::string, double> flops;
  count(program, 1, flops);
  return flops;
}

std::string table_of(const Inventory& seen, const TabulateOptions& options) {
  std::map<std::string, double> forward, backward;
  if (seen.forward) forward = flops_by_scope(*seen.forward);
  if (seen.backward) backward = flops_by_scope(*seen.backward);
  std::vector<std::string> header{"path", "module", "inputs", "outputs"};
  if (seen.forward) header.push_back("flops");
  if (seen.backward) header.push_back("vjp_flops");
  for (const auto& [name, c] : seen.variables) header.push_back(name);
  Table table(header);

  // Calls are heard of as they end, inner ones first; a table begins with the outermost.
  std::vector<const ModuleCall*> calls;
  std::set<std::string> paths;
  for (const ModuleCall& c : seen.calls) {
    if (options.depth && depth_of(c.path) > *options.depth) continue;
    if (!paths.insert(c.path).second && !options.show_repeated) continue;
    calls.push_back(&c);
  }
  std::sort(calls.begin(), calls.end(),
            [](const ModuleCall* a, const ModuleCall* b) { return a->started < b->started; });
  for (const ModuleCall* c : calls) {
    std::vector<Cell> row{{c->path}, {std::string(c->module)}, lines_of(c->inputs), lines_of(c->outputs)};
    if (seen.forward) row.push_back({grouped(forward[c->scope])});
    if (seen.backward) row.push_back({grouped(backward[c->scope])});
    const bool whole = options.depth && depth_of(c->path) == *options.depth;
    for (const auto& [name, all] : seen.variables) row.push_back(own_variables(all, c->path, whole));
    table.row(std::move(row));
  }
  std::vector<Cell> last{{""}, {""}, {""}, {"total"}};
  if (seen.forward) last.push_back({""});
  if (seen.backward) last.push_back({""});
  Sum everything;
  for (const auto& [name, all] : seen.variables) {
    Sum sum;
    for (const auto& [path, type] : all) sum.add(type), everything.add(type);
    last.push_back({sum.str()});
  }
  table.row(std::move(last));
  return table.str() + "\ntotal parameters and other variables: " + everything.str() + "\n";
}

}  // namespace weft::nn::detail

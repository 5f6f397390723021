#include "weft/stablehlo/check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "weft/core/process_grid.h"
#include "weft/ir/elements.h"
#include "weft/ir/print.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

// ---- comparing ----

template <class T>
inline constexpr bool is_complex_type =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

// The array's elements, of storage types as doubles, which hold them all exactly.
struct Elements {
  explicit Elements(const Array& a)
      : view(a.host("check")), dtype(a.dtype()), data(view.view.data), stored(is_storage(dtype) ? data : nullptr) {
    if (!stored) return;
    widened.resize(static_cast<std::size_t>(a.size()));
    convert_elements(dtype, data, f64, widened.data(), a.size());
    dtype = f64;
    data = widened.data();
  }
  detail::HostView view;
  std::vector<double> widened;
  DType dtype;
  const void* data;
  /// Of a storage type: its bytes, one per element.
  const void* stored;
};

// A storage float's place among all of its type, as `ordinal`.
std::int64_t stored_ordinal(DType t, std::uint8_t bits) {
  const SmallFloatFormat& format = small_float_format(t);
  const auto magnitude = static_cast<std::int64_t>(bits & format.magnitude_mask());
  return bits & format.sign_bit() ? -magnitude : magnitude;
}

// Calls f(got, expected) for every element, parts of complex numbers one by one, until it says no.
template <class F>
std::string compare(const Array& got, const Array& expected, F&& f) {
  if (got.aval() != expected.aval())
    return "types differ: got " + got.aval().str() + ", expected " + expected.aval().str();
  const Elements a(got), b(expected);
  std::string difference;
  visit_dtype(a.dtype, [&]<class T>(TypeTag<T>) {
    const T* x = static_cast<const T*>(a.data);
    const T* y = static_cast<const T*>(b.data);
    for (std::int64_t i = 0; i < got.size() && difference.empty(); ++i) {
      bool agree;
      if constexpr (is_complex_type<T>)
        agree = f(x[i].real(), y[i].real()) && f(x[i].imag(), y[i].imag());
      else
        agree = f(x[i], y[i]);
      if (!agree)
        difference = "element " + std::to_string(i) + ": got " + ir::element_str(a.dtype, x + i) + ", expected " +
                     ir::element_str(a.dtype, y + i);
    }
  });
  return difference;
}

template <class T>
inline constexpr bool is_real_float = !std::is_integral_v<T> && !is_complex_type<T>;

// The number's place among all of its type, so that neighbours differ by one; -0 and 0 are one place.
template <class T>
std::int64_t ordinal(T v) {
  using Bits = std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
  Bits bits;
  std::memcpy(&bits, static_cast<const void*>(&v), sizeof v);
  constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
  const auto magnitude = static_cast<std::int64_t>(bits & static_cast<Bits>(sign - 1));
  return bits & sign ? -magnitude : magnitude;
}

// Hints of operations are for those who call them from C++; of the text, for who wrote that.
std::string hint_for_programs(const Error& e) {
  if (e.kind() == "ParseError") return e.hint();
  if (e.message().starts_with("while: reverse-mode derivatives need a bound"))
    return "a stablehlo.while has one when its condition compares a counter with a constant, and its body adds a "
           "constant to that counter.";
  return {};
}

}  // namespace

std::string error_text(const Error& e, std::string_view source) {
  const SourceLocation& at = e.location();
  std::string text = e.message();
  // Errors of the text name their place themselves, and other places are in the code that runs it.
  if (at && at.file == source && e.kind() != "ParseError")
    text = std::string(source) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + text;
  for (const std::string& note : e.notes()) text += "\n  " + note;
  const std::string hint = hint_for_programs(e);
  return text + (hint.empty() ? "" : "\nhint: " + hint);
}

std::string differ_exactly(const Array& got, const Array& expected) {
  return compare(got, expected, []<class T>(T x, T y) { return x == y || (x != x && y != y); });
}

std::string differ_beyond(const Array& got, const Array& expected, double tolerance) {
  return compare(got, expected, [tolerance]<class T>(T x, T y) {
    if (x == y || (x != x && y != y)) return true;
    return std::abs(static_cast<double>(x) - static_cast<double>(y)) <= tolerance;
  });
}

std::string differ_by_ulps(const Array& got, const Array& expected, std::int64_t ulps) {
  if (got.aval() == expected.aval() && is_storage(got.dtype()) && is_float(got.dtype())) {
    // Neighbours as doubles are none of the type's.
    const Elements a(got), b(expected);
    const auto* const x = static_cast<const std::uint8_t*>(a.stored);
    const auto* const y = static_cast<const std::uint8_t*>(b.stored);
    for (std::size_t i = 0; i < a.widened.size(); ++i) {
      const double u = a.widened[i], v = b.widened[i];
      if (u == v || (u != u && v != v)) continue;
      const bool finite = u - u == 0 && v - v == 0;
      if (!finite || std::abs(stored_ordinal(got.dtype(), x[i]) - stored_ordinal(got.dtype(), y[i])) > ulps)
        return "element " + std::to_string(i) + ": got " + ir::element_str(f64, &u) + ", expected " +
               ir::element_str(f64, &v);
    }
    return {};
  }
  return compare(got, expected, [ulps]<class T>(T x, T y) {
    if (x == y || (x != x && y != y)) return true;
    if constexpr (is_real_float<T>) {
      const auto finite = [](T v) { return static_cast<double>(v) - static_cast<double>(v) == 0; };
      if (!finite(x) || !finite(y)) return false;
      // The distance of doubles of opposite sign may exceed 63 bits.
      const auto distance = static_cast<std::uint64_t>(std::max(ordinal(x), ordinal(y))) -
                            static_cast<std::uint64_t>(std::min(ordinal(x), ordinal(y)));
      return distance <= static_cast<std::uint64_t>(ulps);
    }
    return false;
  });
}

namespace {

// ---- running ----

// One comparison that the program asks for.
struct Expectation {
  const Op* op;
  std::string kind;  // "eq", "almost_eq", "close"
  double tolerance = 0;
  std::int64_t ulps = 3;
  /// Of expect_close: they must differ by at least as much somewhere.
  std::int64_t least_ulps = 0;
};

// An operation of the check dialect, or the custom call that stands for one.
bool is_check(const Op& op) {
  const Attribute* target = op.name == "stablehlo.custom_call" ? op.find("call_target_name") : nullptr;
  return op.name.starts_with("check.") || (target && target->text.starts_with("check."));
}

class Checker {
 public:
  using Print = std::function<void(std::string_view)>;

  explicit Checker(const Module& module, const Refusals& refusals = {}, Print print = {})
      : module_(module), refusals_(refusals), print_(std::move(print)) {}

  std::vector<Array> interpret(std::string_view name, std::span<const Array> args) {
    Importer importer(module_, module_.top, extension());
    const Op& function = importer.chosen_function(name);
    importer.check_supported(function);
    eager_ = true;
    importer.set_eager(true);
    const Arrays outs = importer.run_function(function, args);
    return std::vector<Array>(outs.begin(), outs.end());
  }

  CheckReport run(const SelfCheck& check) {
    const Op& function = *check.function;
    CheckReport report;
    report.name = std::string(function.symbol());
    try {
      Importer importer(module_, *check.scope, extension());
      importer.check_supported(function, importer.reached(importer.called_from(function), refusals_));
      eager_ = runs_step_by_step(importer, function);
      importer.set_eager(eager_);
      ProcessGrid alone(1, 1);
      alone.host().close();
      alone.run([&](ProcessId) {
        if (eager_)
          importer.run_function(function, {});
        else
          run_staged(importer, function);
      });
    } catch (const Unsupported& e) {
      report.outcome = CheckReport::Outcome::kUnsupported;
      report.reason = e.message();
    } catch (const ParseError& e) {
      report.outcome = CheckReport::Outcome::kFailed;
      report.reason = e.message();
    } catch (const Error& e) {
      report.outcome = CheckReport::Outcome::kFailed;
      report.reason = error_text(e, module_.source);
    }
    report.checks = checks_;
    if (report.outcome == CheckReport::Outcome::kPassed && !failures_.empty()) {
      report.outcome = CheckReport::Outcome::kFailed;
      report.reason = join(failures_, "\n");
    }
    return report;
  }

 private:
  Importer::Extension extension() {
    return [this](Importer& i, const Op& op, Importer::Operands operands, Importer::Results& results) {
      return extend(i, op, operands, results);
    };
  }

  // Operations of the interpreter look at values while the program runs; and of checks in a region or in a function
  // that is called, those that are reached count, each time.
  static bool runs_step_by_step(Importer& importer, const Op& function) {
    for (const Op* f : importer.called_from(function))
      if (watches(*f, f != &function)) return true;
    return false;
  }
  static bool watches(const Op& op, bool within) {
    for (const Region& r : op.regions)
      for (const Block& b : r.blocks)
        for (const Op& inner : b.ops)
          if (inner.name.starts_with("interpreter.") || (within && is_check(inner)) || watches(inner, true))
            return true;
    return false;
  }

  // The whole function as one compiled program, in which what is to be compared is a result.
  void run_staged(Importer& importer, const Op& function) {
    Arrays pending;
    pending_ = &pending;
    const Staged staged = stage(
        [&](std::span<const Array> args, Arrays& outs) {
          main_trace_ = detail::current_trace;
          const Arrays results = importer.run_function(function, args);
          outs = pending;
          // What is a result is computed, whether it is checked or not.
          outs.append(results.begin(), results.end());
          pending.clear();
        },
        {}, "check of @" + std::string(function.symbol()));
    pending_ = nullptr;
    Arrays outs;
    executable(staged.jaxpr)->run(staged.captured, outs);
    for (std::size_t i = 0; i < expectations_.size(); ++i) judge(expectations_[i], outs[2 * i], outs[2 * i + 1]);
  }

  void judge(const Expectation& e, const Array& got, const Array& expected) {
    ++checks_;
    std::string difference;
    if (e.kind == "eq")
      difference = differ_exactly(got, expected);
    else if (e.kind == "almost_eq")
      difference = differ_beyond(got, expected, e.tolerance);
    else
      difference = differ_by_ulps(got, expected, e.ulps);
    if (difference.empty() && e.least_ulps > 0 && differ_by_ulps(got, expected, e.least_ulps - 1).empty())
      difference = "values must be at least " + std::to_string(e.least_ulps) + " representable numbers apart";
    if (!difference.empty())
      failures_.push_back(place_text(module_, e.op->place) + ": expect_" + e.kind + ": " + difference + ".");
  }

  double number(const Op& op, std::string_view name, double otherwise) const {
    const Attribute* a = op.find(name);
    if (!a) return otherwise;
    const std::optional<double> v = a->kind == Attribute::Kind::kNumber ? parse_number<double>(a->text) : std::nullopt;
    if (!v) fail_at(module_, a->place, op.name + ": " + std::string(name) + " must be a number.");
    return *v;
  }

  std::int64_t count(const Op& op, std::string_view name, std::int64_t otherwise) const {
    const double v = number(op, name, static_cast<double>(otherwise));
    if (!(v >= 0 && v <= 1e15))
      fail_at(module_, op.place, op.name + ": " + std::string(name) + " must be a count, at most 1e15.");
    return static_cast<std::int64_t>(v);
  }

  bool extend(Importer& importer, const Op& op, Importer::Operands operands, Importer::Results& results) {
    if (op.name.starts_with("interpreter.")) return interpret(importer, op, operands, results);
    if (!is_check(op)) return false;
    const bool custom_call = op.name == "stablehlo.custom_call";
    std::string name = (custom_call ? op.find("call_target_name")->text : op.name).substr(6);
    if (operands.empty() || operands[0].size() != 1)
      fail_at(module_, op.place, op.name + ": the first operand must be a tensor; got none.");
    const Array got = operands[0][0];
    if (name == "expect_serialized_eq") {
      expect_probe(op, got);
      return true;
    }
    Expectation e{&op, {}, 0, 3};
    const bool constant = name.ends_with("_const");
    if (constant) name.resize(name.size() - 6);
    if (!name.starts_with("expect_")) fail_at(module_, op.place, op.name + ": there is no check " + name + ".");
    e.kind = name.substr(7);
    if (e.kind == "almost_eq")
      e.tolerance = number(op, "tolerance", custom_call ? 1e-3 : 1e-4);
    else if (e.kind == "close") {
      e.ulps = count(op, "max_ulp_difference", 3);
      e.least_ulps = count(op, "min_ulp_difference", 0);
    } else if (e.kind != "eq")
      fail_at(module_, op.place, op.name + ": there is no check " + name + ".");
    Array expected;
    if (constant) {
      const Attribute* value = op.find("value");
      if (!value) fail_at(module_, op.place, op.name + ": there must be an attribute value.");
      expected = dense_array(module_, *value);
    } else {
      if (operands.size() < 2 || operands[1].size() != 1)
        fail_at(module_, op.place,
                op.name + ": there must be 2 operands, both tensors; got " + std::to_string(operands.size()) + ".");
      expected = operands[1][0];
    }
    if (evaluating()) {
      judge(e, got, expected);
    } else if (eager_ || detail::current_trace != main_trace_) {
      // A reduction's computation runs who knows how often, and a program of run_parallel beside others.
      throw Unsupported(place_text(module_, op.place) + ": " + op.name +
                        ": a check must stand in a function that is run or called, or in a branch or loop of one.");
    } else {
      expectations_.push_back(e);
      pending_->push_back(got);
      pending_->push_back(expected);
    }
    return true;
  }

  bool interpret(Importer& importer, const Op& op, Importer::Operands operands, Importer::Results& results) {
    if (op.name == "interpreter.print") {
      if (!print_) return true;
      if (!evaluating() || operands.size() != 1 || operands[0].size() != 1)
        throw Unsupported(place_text(module_, op.place) + ": " + op.name +
                          ": a print must see one value of a function that is run or called.");
      print_(printed(op, operands[0][0]));
      return true;
    }
    if (op.name == "interpreter.probe") {
      if (!evaluating() || operands.size() != 1 || operands[0].size() != 1)
        throw Unsupported(place_text(module_, op.place) + ": " + op.name +
                          ": a probe must see one value of the function that is run.");
      probes_[text(op, "probe_id")].push_back(operands[0][0]);
      results.push_back(operands[0]);
      return true;
    }
    if (op.name == "interpreter.run_parallel") {
      run_parallel(importer, op, operands, results);
      return true;
    }
    fail_at(module_, op.place, op.name + ": there is no such operation.");
  }

  // As the interpreter writes it, but for the form of numbers.
  std::string printed(const Op& op, const Array& x) const {
    const Value& v = module_.values[op.operands[0]];
    std::string text = "%" + v.name + (v.index > 0 ? "#" + std::to_string(v.index) : "") + " = " + v.type->text + " {";
    if (x.ndim() == 0) return text + x.str() + "}\n";
    text += "\n  ";
    for (const char c : x.str()) text += c == '\n' ? std::string("\n  ") : std::string(1, c);
    return text + "\n}\n";
  }

  // The symbols of an array attribute.
  std::vector<std::string> symbols(const Op& op, const Attribute& list) const {
    std::vector<std::string> names;
    for (const NamedAttribute& item : list.items) {
      if (item.value.kind != Attribute::Kind::kSymbol)
        fail_at(module_, list.place, op.name + ": there must be names of functions.");
      names.push_back(item.value.text);
    }
    return names;
  }

  // One process per program, replicas x partitions; operands and results are those of all processes in order.
  void run_parallel(Importer& importer, const Op& op, Importer::Operands operands, Importer::Results& results) {
    const Attribute* programs = op.find("programs");
    if (!programs || programs->kind != Attribute::Kind::kArray || programs->items.empty())
      fail_at(module_, op.place, op.name + ": there must be an attribute programs, lists of functions.");
    std::vector<std::string> names;
    const std::size_t partitions = programs->items[0].value.items.size();
    for (const NamedAttribute& row : programs->items) {
      if (row.value.items.size() != partitions)
        fail_at(module_, op.place,
                op.name + ": each replica must have as many partitions as the first; got " +
                    std::to_string(row.value.items.size()) + " for " + std::to_string(partitions) + ".");
      for (std::string& name : symbols(op, row.value)) names.push_back(std::move(name));
    }
    Arrays all;
    for (const Arrays& list : operands) all.append(list.begin(), list.end());
    std::vector<const Staged*> staged;
    std::vector<Arrays> args, outs(names.size());
    std::size_t next = 0;
    for (const std::string& name : names) {
      if (const Op* f = importer.find_function(name)) importer.check_supported(*f);
      staged.push_back(&importer.function(name, op));
      const Staged& s = *staged.back();
      const std::size_t n = s.jaxpr.num_inputs() - s.captured.size();
      if (next + n > all.size())
        fail_at(module_, op.place,
                op.name + ": there must be operands for every program; got " + std::to_string(all.size()) + ".");
      args.push_back(s.captured);
      args.back().append(all.begin() + next, all.begin() + next + n);
      next += n;
    }
    ProcessGrid grid(static_cast<std::int64_t>(programs->items.size()), static_cast<std::int64_t>(partitions));
    if (const Attribute* infeed = op.find("infeed"))
      for (const std::string& name : symbols(op, *infeed)) {
        const Staged& s = importer.function(name, op);
        Arrays values;
        executable(s.jaxpr)->run(s.captured, values);
        grid.host().feed(values);
      }
    grid.host().close();
    grid.run([&](ProcessId id) {
      const auto i = static_cast<std::size_t>(id.replica) * partitions + static_cast<std::size_t>(id.partition);
      executable(staged[i]->jaxpr)->run(args[i], outs[i]);
    });
    Arrays joined;
    for (const Arrays& list : outs) joined.append(list.begin(), list.end());
    importer.give(op, joined, results);
  }

  std::string text(const Op& op, std::string_view name) const {
    const Attribute* a = op.find(name);
    if (!a || a->kind != Attribute::Kind::kString)
      fail_at(module_, op.place, op.name + ": there must be an attribute " + std::string(name) + ", a string.");
    return a->text;
  }

  // Value `iter` that the probe of that name saw (the last one by default).
  void expect_probe(const Op& op, const Array& got) {
    const std::vector<Array>& seen = probes_[text(op, "probe_id")];
    const auto last = static_cast<std::int64_t>(seen.size()) - 1;
    const auto i = static_cast<std::size_t>(count(op, "iter", std::max<std::int64_t>(0, last)));
    if (i >= seen.size()) {
      ++checks_;
      failures_.push_back(place_text(module_, op.place) + ": the probe saw no such value.");
      return;
    }
    judge({&op, "eq", 0, 0}, got, seen[i]);
  }

  const Module& module_;
  const Refusals refusals_;
  const Print print_;
  bool eager_ = false;
  int checks_ = 0;
  Arrays* pending_ = nullptr;
  const Trace* main_trace_ = nullptr;
  std::vector<Expectation> expectations_;
  std::vector<std::string> failures_;
  std::map<std::string, std::vector<Array>> probes_;
};

bool has_checks(const Op& op) {
  for (const Region& r : op.regions)
    for (const Block& b : r.blocks)
      for (const Op& inner : b.ops)
        if (is_check(inner) || has_checks(inner)) return true;
  return false;
}

void find_in(const Module& module, const Op& scope, std::vector<SelfCheck>& checks) {
  std::vector<const Op*> functions;
  bool main = false;
  for (const Op& op : scope.regions.front().blocks.front().ops) {
    if (op.name == "builtin.module") find_in(module, op, checks);
    const Attribute* type = op.find("function_type");
    if (op.name != "func.func" || !type || !type->type || type->type->num_inputs != 0 || op.regions.empty() ||
        op.regions[0].blocks.empty())
      continue;
    functions.push_back(&op);
    main |= op.symbol() == "main";
  }
  // Beside @main, what checks nothing is there to be called.
  std::optional<Importer> importer;
  if (main && functions.size() > 1) importer.emplace(module, scope);
  for (const Op* f : functions)
    if (!importer || f->symbol() == "main" ||
        std::ranges::any_of(importer->called_from(*f), [](const Op* called) { return has_checks(*called); }))
      checks.push_back({&scope, f});
}

}  // namespace

std::vector<SelfCheck> find_checks(const Module& module) {
  std::vector<SelfCheck> checks;
  find_in(module, module.top, checks);
  return checks;
}

CheckReport run_check(const Module& module, const SelfCheck& check, const Refusals& refusals) {
  return Checker(module, refusals).run(check);
}

std::vector<Array> interpret(const Module& module, std::string_view function, std::span<const Array> args,
                             const std::function<void(std::string_view)>& print) {
  return Checker(module, {}, print).interpret(function, args);
}

std::vector<CheckReport> run_checks(const Module& module) {
  std::vector<CheckReport> reports;
  for (const SelfCheck& check : find_checks(module)) reports.push_back(run_check(module, check));
  return reports;
}

}  // namespace weft::stablehlo

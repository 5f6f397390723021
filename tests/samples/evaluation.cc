// Types, values, eager against reference, programs against single operations, text.
#include <algorithm>
#include <cstring>

#include "harness/functions.h"
#include "harness/values.h"
#include "samples/checks.h"
#include "weft/base/error.h"
#include "weft/ir/builder.h"
#include "weft/ir/parse.h"
#include "weft/runtime/reference.h"

namespace weft::testing {

namespace {

// The meaning of the operation.
Arrays reference(const Sample& sample, std::span<const Array> args) {
  Arrays outs;
  reference_evaluate(default_client(), Call{sample.op, sample.params, args}, outs);
  return outs;
}

std::string aval_difference(const ir::Avals& got, const ir::Avals& want) {
  if (got.size() != want.size())
    return "there must be " + std::to_string(want.size()) + " results; got " + std::to_string(got.size()) + ".";
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != want[i])
      return "result " + std::to_string(i) + " must be " + want[i].str() + "; got " + got[i].str() + ".";
  return "";
}

// Runs `eval` over memory filled with `fill`, with a margin on both sides that must stay.
std::vector<std::vector<unsigned char>> raw_results(const Sample& sample, std::span<const Array> args,
                                                    const ir::Avals& out, unsigned char fill, std::string& trespass) {
  constexpr std::size_t kMargin = 64;
  std::vector<detail::HostView> hosts;
  std::vector<TensorView> in;
  for (const Array& a : args) in.push_back(hosts.emplace_back(a.host("test")).view);
  std::vector<std::vector<unsigned char>> memory;
  std::vector<MutableTensorView> views;
  memory.reserve(out.size());
  for (const Aval a : out) {
    memory.emplace_back(static_cast<std::size_t>(a.bytes()) + 2 * kMargin, fill);
    views.push_back({a, memory.back().data() + kMargin});
  }
  ir::evaluate(sample.op, sample.params.get(), in, views);
  for (std::vector<unsigned char>& m : memory) {
    for (std::size_t i = 0; i < kMargin; ++i)
      if (m[i] != fill || m[m.size() - 1 - i] != fill) trespass = "must not write outside its results.";
    m = std::vector<unsigned char>(m.begin() + kMargin, m.end() - static_cast<std::ptrdiff_t>(kMargin));
  }
  return memory;
}

// `x` as a buffer that stores its axis `axis` once, and the same elements densely. x's other elements along it are
// lost.
std::pair<Array, Array> repeated_along(const Array& x, int axis) {
  const std::int64_t n = x.shape(axis);
  const Array once = part(x, axis, n, 1, 0, 1);
  Dims without(x.shape());
  without.erase(without.begin() + axis);
  const Array line =
      Array::copy(x.dtype(), without, once.host("test").view.data, static_cast<std::size_t>(once.size()));
  Arrays lines;
  for (std::int64_t i = 0; i < n; ++i) lines.push_back(line);
  auto stored = detail::materialize(*once.buffer())->storage();
  const Array repeated(Ref<const Value>(make_ref<BufferValue>(x.aval(), stored, 1u << axis)));
  return {repeated, stacked(lines, axis)};
}

}  // namespace

void checks::types(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const ir::OpInfo& info = ir::op_info(sample.op);
  const ir::Avals in = avals_of(args);
  ir::Avals inferred;
  info.infer(sample.params.get(), in, inferred);
  findings.add("types of eager results", aval_difference(avals_of(call(operation(sample), args)), inferred));
  findings.add("types of staged results",
               aval_difference(stage(operation(sample), in, "f").jaxpr.output_avals(), inferred));
  if (!info.eval) return;
  std::string trespass;
  const auto zeros = raw_results(sample, args, inferred, 0x00, trespass),
             ones = raw_results(sample, args, inferred, 0xff, trespass);
  findings.add("evaluation", trespass);
  if (zeros != ones)
    findings.add("evaluation", "must write every element; over zeros and over ones it leaves different results.");
}

void checks::operand_counts(const Sample& sample, Findings& findings) {
  const ir::Arity arity = ir::op_info(sample.op).operands;
  ir::Avals in;
  for (const SampleOperand& o : sample.operands) in.push_back(Aval(o.dtype, o.shape));
  const int n = static_cast<int>(in.size());
  const auto taken = [&](int m) { return m >= arity.least && (arity.most == ir::Arity::kAny || m <= arity.most); };
  if (!taken(n)) findings.add("arity", "must take the sample's " + std::to_string(n) + " operands.");
  // Every smaller and some larger numbers: an error, or an op that takes any number.
  for (int m = 0; m < n + 3; ++m) {
    ir::Avals some, out;
    for (int i = 0; i < m; ++i) some.push_back(in.empty() ? Aval(f32, Dims{2}) : in[static_cast<std::size_t>(i % n)]);
    const std::string what = "inference of " + std::to_string(m) + " operands";
    std::string refusal;
    try {
      ir::infer(sample.op, sample.params.get(), some, out);
    } catch (const InternalError& e) {
      findings.add(what, e.message());
    } catch (const ShapeError& e) {
      refusal = e.message();
    } catch (const Error&) {
      // Of their types, which were not made to fit.
    }
    const std::string want = std::string(ir::op_name(sample.op)) + ": there must be " +
                             (arity.least == arity.most ? "" : "at least ") + std::to_string(arity.least) +
                             (arity.least == 1 ? " operand" : " operands") + "; got " + std::to_string(m) + ".";
    if (!taken(m) && refusal != want)
      findings.add(what, "must be refused by \"" + want + "\"; got \"" + refusal + "\".");
  }
}

void checks::known_values(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const auto compare = [&](const char* what, const std::vector<double>& values) {
    const Array y = reference(sample, args)[sample.known_result];
    const std::size_t per = is_complex(y.dtype()) ? 2 : 1;
    if (values.size() != per * static_cast<std::size_t>(y.size())) {
      findings.add(what, "there must be " + std::to_string(values.size() / per) + " elements; got " +
                             std::to_string(y.size()) + ".");
      return;
    }
    std::vector<Complex> want;
    for (std::size_t i = 0; i < values.size(); i += per) want.emplace_back(values[i], per == 2 ? values[i + 1] : 0);
    findings.add(what, difference(y, array_of(y.aval(), want), sample.tolerance));
  };
  if (!sample.expected.empty()) compare("known value", sample.expected);
  if (sample.formula) {
    std::vector<std::vector<double>> in;
    for (const Array& a : args) {
      std::vector<double>& v = in.emplace_back();
      for (const Complex e : elements(a)) {
        v.push_back(e.real());
        if (is_complex(a.dtype())) v.push_back(e.imag());
      }
    }
    compare("formula", sample.formula(in));
  }
}

void checks::eager(const Sample& sample, Findings& findings) {
  for (int example = 0; example < 2; ++example) {
    const Arrays args = make_operands(sample, example);
    const Arrays want = reference(sample, args);
    findings.add("eager, example " + std::to_string(example),
                 difference(call(operation(sample), args), want, tolerance_of(want)));
  }
  const Arrays args = make_operands(sample);
  for (std::size_t i = 0; i < args.size(); ++i)
    for (int axis = 0; axis < args[i].ndim(); ++axis) {
      if (args[i].size() == 0) continue;
      Arrays repeated(args), dense(args);
      std::tie(repeated[i], dense[i]) = repeated_along(args[i], axis);
      const Arrays want = reference(sample, dense);
      findings.add("eager, operand " + std::to_string(i) + " repeated along axis " + std::to_string(axis),
                   difference(call(operation(sample), repeated), want, tolerance_of(want)));
    }
}

void checks::jit(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const FlatFunction f = operation(sample);
  const Arrays want = call(f, args);
  // A small product is code of the program, with an order of its own; eagerly it is a library's.
  const bool product = sample.op == OpCode::kDotGeneral && is_inexact(want[0].dtype());
  const auto differ = [&](const Arrays& got) {
    return product ? difference(got, want, tolerance_of(want)) : bit_difference(got, want);
  };
  findings.add("jit", differ(call(jitted(f), args)));
  const FlatFunction closed = [&](std::span<const Array>, Arrays& outs) { f(args, outs); };
  findings.add("jit with captured operands", differ(call(jitted(closed), {})));
  findings.add("jit of jit", differ(call(jitted(jitted(f)), args)));
}

void checks::text(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const auto survives = [&](const std::string& what, const FlatFunction& f, std::span<const Array> operands) {
    const ir::Jaxpr program = stage(f, avals_of(operands), "f").jaxpr;
    ir::check(program);
    const std::string printed = program.str();
    const ir::Jaxpr parsed = ir::parse(printed);
    if (parsed.str() != printed)
      findings.add(what,
                   "printing the parsed program must give the same text; got\n" + parsed.str() + "\nfor\n" + printed);
    if (!(parsed == program)) findings.add(what, "parsing must give the program that was printed; text is\n" + printed);
    if (parsed.hash() != program.hash())
      findings.add(what, "equal programs must have equal hashes; text is\n" + printed);
  };
  const FlatFunction f = operation(sample);
  survives("text", f, args);
  survives("text of jit", jitted(f), args);
  survives("text with captured operands", [&](std::span<const Array>, Arrays& outs) { f(args, outs); }, {});
  if (sample.smooth_in.empty()) return;
  Arrays operands(args);
  for (const Array& y : inexact(call(f, args))) operands.push_back(y);
  survives("text of vjp", pullback(f, args.size(), sample.smooth_in), operands);
}

}  // namespace weft::testing

#include "harness/compare_programs.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <sstream>

#include "weft/base/error.h"
#include "weft/ir/interpret.h"
#include "weft/ir/print.h"

namespace weft::testing {

namespace {

// One real part of an element: of complex numbers there are two.
struct Part {
  DType dtype;
  std::size_t size;
  std::size_t count;  // in an element
  explicit Part(DType t)
      : dtype(real_dtype(t)),
        size(static_cast<std::size_t>(byte_size(dtype))),
        count(static_cast<std::size_t>(byte_size(t)) / size) {}
  double read(const std::byte* at) const {
    return visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
      T v;
      std::memcpy(&v, at, sizeof v);
      if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
        return std::nan("");
      else
        return static_cast<double>(v);
    });
  }
};

bool agrees(const Part& part, const std::byte* got, const std::byte* want, double error) {
  if (error == 0 && std::memcmp(got, want, part.size) == 0) return true;
  if (std::isinf(error)) return true;
  if (!is_float(part.dtype)) return false;
  const double g = part.read(got), w = part.read(want);
  if (std::isnan(g) && std::isnan(w)) return true;
  return error > 0 && (std::abs(g - w) <= error || g == w);
}

std::string position_text(std::int64_t i, DimSpan shape) {
  Dims at(shape.size());
  for (std::size_t k = shape.size(); k-- > 0; i /= shape[k]) at[k] = i % shape[k];
  return shape_str(at);
}

std::string bits_of(const std::byte* element, std::size_t size) {
  std::string s;
  for (std::size_t k = size; k-- > 0;) {
    static constexpr char kHex[] = "0123456789abcdef";
    s += kHex[std::to_integer<unsigned>(element[k]) >> 4];
    s += kHex[std::to_integer<unsigned>(element[k]) & 15u];
  }
  return s;
}

std::string compare_all(const char* who, std::span<const Array> got, std::span<const Expected> want,
                        std::span<const Array> values, bool mismatches) {
  if (got.size() != want.size())
    return std::string(who) + ": there must be " + std::to_string(want.size()) + " results; got " +
           std::to_string(got.size()) + ".";
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::string s = difference_within(got[i], values[i], mismatches ? want[i].mismatch : want[i].error);
    if (!s.empty()) return std::string(who) + ", result " + std::to_string(i) + ": " + s;
  }
  return "";
}

std::vector<Array> interpreted(const RandomProgram& program) {
  std::vector<detail::HostView> hosts;
  std::vector<TensorView> in;
  for (const Array& x : program.inputs) in.push_back(hosts.emplace_back(x.host("test")).view);
  std::vector<Ref<BufferValue>> buffers;
  std::vector<MutableTensorView> out;
  for (const Aval a : program.jaxpr.output_avals()) {
    buffers.push_back(detail::new_buffer(a));
    out.push_back({a, buffers.back()->storage()->data()});
  }
  ir::interpret(program.jaxpr, in, out);
  std::vector<Array> results;
  for (Ref<BufferValue>& b : buffers) results.push_back(Array(Ref<const Value>(std::move(b))));
  return results;
}

Array copied(const Array& x) {
  const Ref<BufferValue> stored = detail::new_buffer(x.buffer()->stored_aval());
  if (x.size() > 0)
    std::memcpy(stored->storage()->data(), x.buffer()->data(), static_cast<std::size_t>(stored->aval().bytes()));
  return Array(Ref<const Value>(make_ref<BufferValue>(x.aval(), stored->storage(), x.buffer()->repeated())));
}

struct Run {
  std::vector<Array> results;
  std::string fault;
};

// On copies of the inputs, stored in the same way, so that no run sees what another one did.
Run run_compiled(const char* who, Compile compile, const RandomProgram& program) {
  Run run;
  try {
    Arrays inputs, outs;
    for (const Array& x : program.inputs) inputs.push_back(copied(x));
    compile(program.jaxpr)->run(inputs, outs);
    run.results.assign(outs.begin(), outs.end());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (const std::string s = difference_within(inputs[i], program.inputs[i], {}); !s.empty())
        run.fault = std::string(who) + ", input " + std::to_string(i) + " must stay as it is: " + s;
  } catch (const std::exception& e) {
    run.fault = std::string(who) + " threw: " + e.what();
  }
  return run;
}

}  // namespace

std::string difference_within(const Array& got, const Array& want, const std::vector<double>& errors) {
  if (!got.defined()) return "must be an array; got none.";
  if (got.aval() != want.aval()) return "must have type " + want.aval().str() + "; got " + got.aval().str() + ".";
  const auto g = got.host("test"), w = want.host("test");
  if (got.size() == 0 ||
      (errors.empty() && std::memcmp(g.view.data, w.view.data, static_cast<std::size_t>(got.nbytes())) == 0))
    return "";
  const DType t = got.dtype();
  const auto size = static_cast<std::size_t>(byte_size(t));
  const Part part(t);
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::byte *x = g.view.as<std::byte>() + at * size, *y = w.view.as<std::byte>() + at * size;
    const double error = errors.empty() ? 0 : errors[at];
    for (std::size_t k = 0; k < part.count; ++k) {
      if (agrees(part, x + k * part.size, y + k * part.size, error)) continue;
      std::ostringstream s;
      s << "element " << position_text(i, got.shape()) << " must be " << ir::element_str(t, y) << " (bits "
        << bits_of(y, size) << "); got " << ir::element_str(t, x) << " (bits " << bits_of(x, size) << ").";
      if (error > 0) s << " It may be off by " << error << ".";
      return s.str();
    }
  }
  return "";
}

std::string disagreement(const RandomProgram& program, Compile at_once, Compile step_by_step) {
  std::vector<Expected> expected;
  std::vector<Array> by_interpreter;
  try {
    expected = expected_results(program.jaxpr, program.inputs);
    by_interpreter = interpreted(program);
  } catch (const InternalError& e) {
    return std::string("reference evaluation threw: ") + e.what();
  } catch (const Error&) {
    return "";  // an error of the program (a loop that is not done in time), which is not what is tested here
  }
  std::vector<Array> values;
  for (const Expected& e : expected) values.push_back(e.value);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (const std::string s = difference_within(by_interpreter[i], values[i], {}); !s.empty())
      return "interpreted, result " + std::to_string(i) + ": " + s;
  const Run compiled = run_compiled("compiled", at_once, program);
  if (!compiled.fault.empty()) return compiled.fault;
  if (const std::string s = compare_all("compiled", compiled.results, expected, values, false); !s.empty()) return s;
  const Run stepwise = run_compiled("step by step", step_by_step, program);
  if (!stepwise.fault.empty()) return stepwise.fault;
  if (const std::string s = compare_all("step by step", stepwise.results, expected, values, false); !s.empty())
    return s;
  return compare_all("compiled against step by step", compiled.results, expected, stepwise.results, true);
}

std::string description(const RandomProgram& program) {
  std::ostringstream s;
  s << program.jaxpr.str() << "\n";
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    const Array& x = program.inputs[i];
    const auto host = x.host("test");
    s << "input " << i << ": " << x.aval();
    if (x.buffer()->repeated() != 0) s << " (repeated along axes " << x.buffer()->repeated() << ", as bits)";
    s << " =";
    for (std::int64_t k = 0; k < std::min<std::int64_t>(x.size(), 8); ++k)
      s << " " << ir::element_str(x.dtype(), host.view.as<std::byte>() + k * byte_size(x.dtype()));
    s << (x.size() > 8 ? " ...\n" : "\n");
  }
  return s.str();
}

}  // namespace weft::testing

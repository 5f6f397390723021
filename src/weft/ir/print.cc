#include "weft/ir/print.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <limits>
#include <ostream>
#include <unordered_map>

#include "weft/base/text.h"
#include "weft/ir/elements.h"

namespace weft::ir {

namespace {

constexpr std::size_t kColumns = 80;

// How the programs inside the one that this thread prints are written.
struct Nested {
  bool once;                // each once, under a name
  std::size_t written = 0;  // equations of programs inside, so far
  int depth = 1;            // of the program that is being written
  std::string definitions;
  std::unordered_map<const JaxprData*, std::string> names;
};
thread_local Nested* nested = nullptr;
class NestedScope {
 public:
  explicit NestedScope(bool once)
      : nested_{.once = once, .definitions = {}, .names = {}}, outer_(std::exchange(weft::ir::nested, &nested_)) {}
  ~NestedScope() { weft::ir::nested = outer_; }
  NestedScope(const NestedScope&) = delete;
  NestedScope& operator=(const NestedScope&) = delete;
  const Nested& nested() const { return nested_; }

 private:
  Nested nested_;
  Nested* outer_;
};
// The character as \xHH.
void append_escaped(std::string& text, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto u = static_cast<unsigned char>(c);
  text += {'\\', 'x', kHex[u >> 4], kHex[u & 15]};
}

// A comment ends with its line.
std::string comment_text(const std::string& v) {
  std::string text;
  for (const char c : v) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      append_escaped(text, c);
    else if (c == '\\')
      text += "\\\\";
    else
      text += c;
  }
  return text;
}

// Thrown where programs cannot be written each time, and caught by `print`.
struct TooMuch {};

class Printer {
 public:
  Printer(const Jaxpr& jaxpr, VarNames& names)
      : jaxpr_(jaxpr), names_(names), text_(jaxpr.num_vars()), used_(jaxpr.num_vars(), false) {
    for (const Eqn& e : jaxpr.eqns())
      for (const Atom a : jaxpr.operands(e))
        if (!a.is_literal()) used_[a.index()] = true;
    for (const Atom a : jaxpr.outputs())
      if (!a.is_literal()) used_[a.index()] = true;
  }

  std::string print(int indent) {
    std::string head = "{ lambda ";
    const auto binders = [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) head += (i > begin ? " " : "") + binder(static_cast<Var>(i), true);
    };
    binders(0, jaxpr_.num_consts());
    head += "; ";
    binders(jaxpr_.num_consts(), jaxpr_.num_inputs());
    head += ". let";
    std::vector<std::string> lines;
    bool broken = false;
    for (const Eqn& e : jaxpr_.eqns()) {
      lines.push_back(equation(e, indent + 4));
      if (names_.name_scopes() && e.scope) {
        lines.back() += "  # " + comment_text(*e.scope);
        broken = true;
      }
      broken |= lines.back().find('\n') != std::string::npos;
    }
    std::string outs = "in (";
    const auto outputs = jaxpr_.outputs();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (i) outs += ", ";
      outs += atom(outputs[i]);
    }
    outs += outputs.size() == 1 ? ",) }" : ") }";

    if (!broken) {
      std::string one = head + " ";
      for (std::size_t i = 0; i < lines.size(); ++i) one += (i ? "; " : "") + lines[i];
      one += " " + outs;
      if (one.size() + static_cast<std::size_t>(indent) <= kColumns) return one;
    }
    const std::string pad(static_cast<std::size_t>(indent), ' ');
    std::string all = head + "\n";
    for (const std::string& line : lines) all += pad + "    " + line + "\n";
    return all + pad + "  " + outs;
  }

 private:
  std::string binder(Var v, bool input) {
    text_[v] = input || used_[v] ? names_.next() : "_";
    return text_[v] + ":" + jaxpr_.aval(v).str();
  }

  std::string atom(Atom a) const {
    if (!a.is_literal()) return text_[a.index()];
    const Literal& l = jaxpr_.literal(a);
    return element_str(l.aval.dtype(), l.value.data()) + ":" + l.aval.str();
  }

  std::string equation(const Eqn& e, int indent) {
    std::string s;
    for (Var v = e.out_begin; v < e.out_end; ++v) s += (v > e.out_begin ? " " : "") + binder(v, false);
    const int variant = e.params ? e.params->variant() : -1;
    const auto variants = op_info(e.op).variants;
    const bool has_variant = variant >= 0 && !variants.empty();
    s += " = ";
    s += has_variant ? variants[static_cast<std::size_t>(variant)] : op_text(e.op);
    std::string operands;
    for (const Atom a : jaxpr_.operands(e)) operands += " " + atom(a);
    if (!e.params) return s + operands;

    std::vector<std::string> pieces;
    e.params->print(pieces, indent + 2, names_, has_variant ? 1 : 0);
    if (pieces.empty()) return s + operands;
    std::string one = s + "[";
    for (std::size_t i = 0; i < pieces.size(); ++i) one += (i ? " " : "") + pieces[i];
    one += "]" + operands;
    if (one.find('\n') == std::string::npos && one.size() + static_cast<std::size_t>(indent) <= kColumns) return one;
    const std::string pad(static_cast<std::size_t>(indent), ' ');
    s += "[\n";
    for (const std::string& piece : pieces) s += pad + "  " + piece + "\n";
    return s + pad + "]" + operands;
  }

  const Jaxpr& jaxpr_;
  VarNames& names_;
  std::vector<std::string> text_;
  std::vector<bool> used_;
};

// Bits of a NaN that is not the usual one are part of the literal: nan_FFC00000.
std::string nan_str(const void* element, std::size_t bytes) {
  std::uint64_t bits = 0;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(&bits, element, bytes);
  // Capitals: an 'e' before a sign would look like an exponent.
  std::string s(2 * bytes, '0');
  for (std::size_t i = s.size(); i-- > 0; bits >>= 4) s[i] = "0123456789ABCDEF"[bits & 15];
  return "nan_" + s;
}

template <class T>
std::string float_str(T v) {
  static const T usual = std::numeric_limits<T>::quiet_NaN();
  // The bits are meant: of NaN there are many.
  // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
  return v == v || std::memcmp(&v, &usual, sizeof v) == 0 ? number_str(v) : nan_str(&v, sizeof v);
}

}  // namespace

std::string VarNames::next() {
  for (;;) {
    std::string s;
    std::uint64_t n = count_++;
    do {
      s += static_cast<char>('a' + n % 26);
      n /= 26;
    } while (n > 0);
    std::reverse(s.begin(), s.end());
    if (s != "in" && s != "inf" && s != "nan") return s;  // words of the syntax
  }
}

std::string element_str(DType dtype, const void* element) {
  if (is_storage(dtype)) {
    const auto code = *static_cast<const std::uint8_t*>(element);
    if (!is_float(dtype)) return number_str(integer_element(dtype, element));
    const SmallFloatFormat& f = small_float_format(dtype);
    if (is_small_float_nan(f, code) && code != f.nan_code()) return nan_str(&code, 1);
    return number_str(static_cast<float>(decode_small_float(f, code)));
  }
  return visit_dtype(dtype, [&]<class T>(TypeTag<T>) -> std::string {
    T v;
    std::memcpy(&v, element, sizeof v);
    if constexpr (std::is_same_v<T, bool>)
      return v ? "True" : "False";
    else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
      const std::string im = float_str(v.imag());
      return "(" + float_str(v.real()) + (im.front() == '-' ? "" : "+") + im + "j)";
    } else if constexpr (std::is_integral_v<T>) {
      return number_str(v);
    } else {
      return float_str(v);
    }
  });
}

std::string print(const Jaxpr& jaxpr, PrintOptions options) {
  const auto written = [&](bool once) {
    NestedScope scope(once);
    VarNames names(options.name_scopes);
    const std::string program = Printer(jaxpr, names).print(0);
    return scope.nested().definitions + program;
  };
  try {
    return written(false);
  } catch (const TooMuch&) {
    return written(true);
  }
}

std::string Jaxpr::str() const { return print(*this); }
std::ostream& operator<<(std::ostream& out, const Jaxpr& jaxpr) { return out << jaxpr.str(); }

void print_param(ParamWriter& w, const Jaxpr& v) {
  if (!nested || !nested->once) {
    if (nested) {
      nested->written += v.eqns().size();
      if (nested->written > kMostWritten || nested->depth == kMostNested) throw TooMuch();
      ++nested->depth;
    }
    w.text += Printer(v, *w.names).print(w.indent);
    if (nested) --nested->depth;
    return;
  }
  auto it = nested->names.find(v.id());
  if (it == nested->names.end()) {
    // What it uses is written before it. Its variables have their own names, as nothing is seen from outside.
    VarNames own(w.names->name_scopes());
    const std::string program = Printer(v, own).print(0);
    const std::string name = "program_" + std::to_string(nested->names.size());
    nested->definitions += "let " + name + " = " + program + " in\n";
    it = nested->names.emplace(v.id(), name).first;
  }
  w.text += it->second;
}

void print_param(ParamWriter& w, const std::string& v) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  if (!v.empty() && !std::isdigit(static_cast<unsigned char>(v[0])) && std::all_of(v.begin(), v.end(), plain)) {
    w.text += v;
    return;
  }
  w.text += '"';
  for (const char c : v) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (w.text += '\\') += c;
    else if (u >= 0x20 && u < 0x7f)
      w.text += c;
    else
      append_escaped(w.text, c);
  }
  w.text += '"';
}

void print_param(ParamWriter& w, Aval v) { w.text += v.str(); }

void print_param(ParamWriter& w, const Dims& v) {
  w.text += "(";
  for (std::size_t i = 0; i < v.size(); ++i) w.text += (i ? ", " : "") + std::to_string(v[i]);
  w.text += v.size() == 1 ? ",)" : ")";
}

std::uint64_t hash_param(const Dims& v) {
  std::uint64_t h = v.size();
  for (const std::int64_t d : v) h = hash_mix(h, static_cast<std::uint64_t>(d));
  return h;
}

std::string describe(OpCode op, const ParamsBase* params, std::span<const Aval> operands) {
  const int variant = params ? params->variant() : -1;
  const auto variants = op_info(op).variants;
  std::string s(variant >= 0 && !variants.empty() ? variants[static_cast<std::size_t>(variant)] : op_name(op));
  for (const Aval a : operands) s += " " + a.str();
  return s;
}

}  // namespace weft::ir

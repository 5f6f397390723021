#include "weft/compiler/kernel.h"

#include <algorithm>

#include "weft/base/error.h"
#include "weft/ir/elements.h"
#include "weft/ir/elementwise.h"

namespace weft::compiler {

namespace {

template <class F>
void for_each_access(Kernel& kernel, F f) {
  for (Instr& i : kernel.body)
    if (i.kind == Instr::Kind::kLoad || i.kind == Instr::Kind::kIndex) f(i.at);
  for (Kernel::Store& s : kernel.stores) f(s.at);
}

bool merges(Kernel& kernel, std::size_t l) {
  bool all = true;
  for_each_access(kernel, [&](const Affine& a) { all = all && a.coeff[l] == a.coeff[l + 1] * kernel.loops[l + 1]; });
  return all;
}

void erase_loop(Kernel& kernel, std::size_t l) {
  for_each_access(kernel, [&](Affine& a) { a.coeff.erase(a.coeff.begin() + static_cast<std::ptrdiff_t>(l)); });
  kernel.loops.erase(kernel.loops.begin() + static_cast<std::ptrdiff_t>(l));
  if (l < kernel.outer) --kernel.outer;
  for (Instr& i : kernel.body)
    if (i.level > l) --i.level;
}

std::string affine_str(const Affine& a) {
  std::string s;
  const auto term = [&](std::int64_t c, const std::string& name) {
    if (c == 0) return;
    if (!s.empty()) s += "+";
    s += c == 1 ? name : std::to_string(c) + name;
  };
  for (std::size_t l = 0; l < a.coeff.size(); ++l) term(a.coeff[l], "i" + std::to_string(l));
  for (const Affine::Dynamic& d : a.dynamic) term(d.scale, "d" + std::to_string(d.index));
  if (a.offset != 0 || s.empty()) s += (s.empty() ? "" : "+") + std::to_string(a.offset);
  return s;
}

}  // namespace

std::size_t Kernel::phases() const {
  std::size_t most = 0;
  for (const Instr& i : body) most = std::max<std::size_t>(most, i.phase);
  return most + 1;
}

void merge_loops(Kernel& kernel) {
  for (std::size_t l = kernel.loops.size(); l-- > 0;)
    if (kernel.loops[l] == 1 && !(kernel.reduces && l >= kernel.outer)) erase_loop(kernel, l);
  const std::size_t mergeable = kernel.reduces ? kernel.outer : kernel.loops.size();
  for (std::size_t l = mergeable; l-- > 1;) {
    if (!merges(kernel, l - 1)) continue;
    const std::int64_t outer = kernel.loops[l - 1];
    erase_loop(kernel, l - 1);  // what depended on the outer one depended on the inner one, too
    kernel.loops[l - 1] *= outer;
  }
  if (kernel.reduces) return;
  if (kernel.loops.empty()) {
    kernel.loops.push_back(1);
    for_each_access(kernel, [](Affine& a) { a.coeff.push_back(0); });
  }
  kernel.outer = kernel.loops.size() - 1;
}

void prune(Kernel& kernel) {
  std::vector<bool> live(kernel.body.size()), dynamic(kernel.dynamic.size());
  const auto use = [&](const Affine& a) {
    for (const Affine::Dynamic& d : a.dynamic) {
      dynamic[d.index] = true;
      live[kernel.dynamic[d.index].start] = true;
    }
  };
  for (const Kernel::Store& s : kernel.stores) {
    live[s.value] = true;
    use(s.at);
  }
  for (std::size_t v = kernel.body.size(); v-- > 0;) {
    if (!live[v]) continue;
    for (const Value o : kernel.body[v].operands) live[o] = true;
    // A start comes before what it is a start of.
    use(kernel.body[v].at);
  }
  std::vector<Value> number(kernel.body.size(), kNoValue);
  std::vector<std::uint32_t> buffer_number(kernel.buffers.size(), kNoValue), dynamic_number(kernel.dynamic.size());
  std::vector<Kernel::Buffer> buffers;
  std::vector<Kernel::DynamicIndex> starts;
  std::vector<Instr> body;
  const auto renumber_buffer = [&](std::uint32_t b, bool written) {
    if (buffer_number[b] == kNoValue) {
      buffer_number[b] = static_cast<std::uint32_t>(buffers.size());
      buffers.push_back(kernel.buffers[b]);
      buffers.back().written = false;
    }
    if (written) buffers[buffer_number[b]].written = true;
    return buffer_number[b];
  };
  const auto renumber = [&](Affine& a) {
    for (Affine::Dynamic& d : a.dynamic) d.index = dynamic_number[d.index];
  };
  for (std::size_t d = 0; d < kernel.dynamic.size(); ++d) {
    if (!dynamic[d]) continue;
    dynamic_number[d] = static_cast<std::uint32_t>(starts.size());
    starts.push_back(kernel.dynamic[d]);
  }
  for (std::size_t v = 0; v < kernel.body.size(); ++v) {
    if (!live[v]) continue;
    Instr i = std::move(kernel.body[v]);
    for (Value& o : i.operands) o = number[o];
    if (i.kind == Instr::Kind::kLoad) i.buffer = renumber_buffer(i.buffer, false);
    renumber(i.at);
    number[v] = static_cast<Value>(body.size());
    body.push_back(std::move(i));
  }
  for (Kernel::DynamicIndex& d : starts) d.start = number[d.start];
  for (Kernel::Store& s : kernel.stores) {
    s.value = number[s.value];
    s.buffer = renumber_buffer(s.buffer, true);
    renumber(s.at);
  }
  kernel.body = std::move(body);
  kernel.buffers = std::move(buffers);
  kernel.dynamic = std::move(starts);
}

double op_cost(OpCode op, DType dtype) {
  double cost;
  switch (op) {
    case OpCode::kExponential: cost = 0.4; break;
    case OpCode::kExponentialMinusOne: cost = 0.5; break;
    case OpCode::kLog:
    case OpCode::kLogPlusOne:
    case OpCode::kLogistic:
    case OpCode::kTanh:
    case OpCode::kSinh:
    case OpCode::kCosh:
    case OpCode::kSine:
    case OpCode::kCosine: cost = byte_size(dtype) == 8 ? 1.2 : 0.5; break;  // f32 has its own
    case OpCode::kErf: cost = 0.7; break;
    case OpCode::kTan:
    case OpCode::kErfInv: cost = 1.2; break;
    case OpCode::kErfc:
    case OpCode::kAcos:
    case OpCode::kAcosh:
    case OpCode::kAsin:
    case OpCode::kAsinh:
    case OpCode::kAtan:
    case OpCode::kAtanh:
    case OpCode::kAtan2:
    case OpCode::kCbrt:
    case OpCode::kPower: cost = 2.2; break;
    case OpCode::kRemainder: cost = 1.5; break;
    case OpCode::kDivide:
    case OpCode::kSqrt:
    case OpCode::kRsqrt: cost = 0.3; break;
    case OpCode::kConvert: cost = 0.05; break;
    default: cost = 0.03; break;
  }
  return byte_size(dtype) == 8 ? 2 * cost : cost;
}

double Kernel::cost() const {
  double varying = 0, row = 0;
  for (const Instr& i : body) {
    double cost = 0;
    switch (i.kind) {
      case Instr::Kind::kApply: cost = op_cost(i.op, i.dtype); break;
      case Instr::Kind::kLoad: cost = 0.02 * static_cast<double>(byte_size(i.dtype)); break;
      case Instr::Kind::kReduce:
        cost = 0;
        varying += 0.05;
        break;
      default: break;
    }
    (i.level > outer ? varying : row) += cost;
  }
  for (const Store& s : stores) varying += 0.02 * static_cast<double>(byte_size(body[s.value].dtype));
  return static_cast<double>(rows()) * (2 + row + varying * static_cast<double>(row_size()));
}

std::string Kernel::str() const {
  std::string s = "kernel [";
  for (std::size_t l = 0; l < loops.size(); ++l) s += (l == 0 ? "" : l == outer ? ";" : ",") + std::to_string(loops[l]);
  s += "]";
  for (std::size_t b = 0; b < buffers.size(); ++b)
    s += " b" + std::to_string(b) + ":" + std::string(name(buffers[b].dtype)) + (buffers[b].written ? "*" : "");
  s += "\n";
  for (std::size_t d = 0; d < dynamic.size(); ++d)
    s += "  d" + std::to_string(d) + " = clamp %" + std::to_string(dynamic[d].start) + " 0 " +
         std::to_string(dynamic[d].most) + "\n";
  for (std::size_t v = 0; v < body.size(); ++v) {
    const Instr& i = body[v];
    s += "  %" + std::to_string(v) + ":" + std::string(name(i.dtype)) + " = ";
    switch (i.kind) {
      case Instr::Kind::kConstant: {
        s += "constant ";
        constexpr char kHex[] = "0123456789abcdef";
        for (std::size_t b = static_cast<std::size_t>(byte_size(i.dtype)); b-- > 0;) {
          const auto byte = static_cast<unsigned>(i.constant[b]);
          s += {kHex[byte >> 4], kHex[byte & 15]};
        }
        break;
      }
      case Instr::Kind::kIndex: s += "index " + affine_str(i.at); break;
      case Instr::Kind::kLoad: s += "load b" + std::to_string(i.buffer) + "[" + affine_str(i.at) + "]"; break;
      case Instr::Kind::kReduce: {
        s += "reduce_" + std::string(enum_names(i.reduce)[static_cast<std::size_t>(i.reduce)]);
        break;
      }
      case Instr::Kind::kApply: {
        s += ir::op_name(i.op);
        if (i.op == OpCode::kCompare) {
          const auto d = ir::params_as<CompareParams>(i.params.get()).direction;
          s += " " + std::string(enum_names(d)[static_cast<std::size_t>(d)]);
        }
        break;
      }
    }
    for (const Value o : i.operands) s += " %" + std::to_string(o);
    if (i.phase) s += "  @" + std::to_string(i.phase);
    s += "\n";
  }
  for (const Store& st : stores)
    s += "  b" + std::to_string(st.buffer) + "[" + affine_str(st.at) + "] = %" + std::to_string(st.value) + "\n";
  return s;
}

}  // namespace weft::compiler

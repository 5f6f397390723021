#include "weft/cpu/codegen/object_header.h"

#include <algorithm>
#include <cctype>

namespace weft::cpu {

namespace {

std::string c_type(DType t) {
  switch (t) {
    case DType::kI8: return "int8_t";
    case DType::kI16: return "int16_t";
    case DType::kI32: return "int32_t";
    case DType::kI64: return "int64_t";
    case DType::kU16:
    case DType::kF16:
    case DType::kBF16: return "uint16_t";
    case DType::kU32: return "uint32_t";
    case DType::kU64: return "uint64_t";
    case DType::kF32:
    case DType::kC64: return "float";
    case DType::kF64:
    case DType::kC128: return "double";
    default: return "uint8_t";  // bool, u8, and what is stored in a byte
  }
}

std::string list(const char* what, std::span<const Aval> avals) {
  std::string s;
  for (std::size_t i = 0; i < avals.size(); ++i)
    s += " *   " + std::string(what) + "[" + std::to_string(i) + "]: " + avals[i].str() + "\n";
  return s;
}

}  // namespace

std::string object_header(const std::string& name, std::span<const Aval> inputs, std::span<const Aval> outputs,
                          std::span<const int> replaces, std::int64_t workspace_bytes) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const std::int64_t bytes = std::max<std::int64_t>(workspace_bytes, 1);  // C has no arrays of nothing
  std::string s = "/* Made by Weft. The program in the object file of this name. */\n";
  s += "#ifndef WEFT_" + upper + "_H\n#define WEFT_" + upper + "_H\n\n#include <stdint.h>\n\n";
  s += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  s += "/* Bytes of the workspace, which is aligned to 64 bytes: _Alignas(64) char workspace[" + upper +
       "_WORKSPACE_BYTES]. */\n";
  s += "#define " + upper + "_WORKSPACE_BYTES " + std::to_string(bytes) + "\n\n";
  s += "/* Dense arrays, the last axis varying fastest:\n" + list("inputs", inputs) + list("outputs", outputs);
  for (std::size_t i = 0; i < replaces.size(); ++i)
    if (replaces[i] >= 0)
      s += " * outputs[" + std::to_string(i) + "] may be where inputs[" + std::to_string(replaces[i]) + "] is.\n";
  s += " * Otherwise outputs overlap neither inputs nor each other. Nothing is allocated and nothing kept: any number "
       "of threads "
       "may\n"
       " * call it, each with a workspace of its own. 0, or 1 when a loop went on for more than its max_steps. */\n";
  s += "int32_t " + name + "(const void* const* inputs, void* const* outputs, void* workspace);\n\n";
  s += "/* The same with an argument per array. */\n";
  s += "static inline int32_t " + name + "_call(";
  for (std::size_t i = 0; i < inputs.size(); ++i)
    s += "const " + c_type(inputs[i].dtype()) + "* in" + std::to_string(i) + ", ";
  for (std::size_t i = 0; i < outputs.size(); ++i) s += c_type(outputs[i].dtype()) + "* out" + std::to_string(i) + ", ";
  s += "void* workspace) {\n";
  const auto addresses = [](const char* type, const char* array, const char* each, std::size_t n) {
    std::string line = std::string("  ") + type + " " + array + "[] = {";
    for (std::size_t i = 0; i < n; ++i) line += (i ? ", " : "") + std::string(each) + std::to_string(i);
    return line + (n ? "};\n" : "0};\n");
  };
  s += addresses("const void* const", "inputs", "in", inputs.size());
  s += addresses("void* const", "outputs", "out", outputs.size());
  s += "  return " + name + "(inputs, outputs, workspace);\n}\n\n";
  s += "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return s;
}

}  // namespace weft::cpu

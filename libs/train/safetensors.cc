#include "train/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <set>

#include "train/array_bytes.h"
#include "train/durable_file.h"
#include "train/file.h"
#include "train/msgpack.h"
#include "train/utf8.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

// In the order in which the library sorts them: those of larger elements come first in files, so that all are aligned.
struct SafetensorsType {
  const char* name;
  DType dtype;
};
constexpr SafetensorsType kSafetensorsTypes[] = {
    {"U64", u64},          {"I64", i64},        {"F64", f64}, {"C64", c64}, {"F32", f32},     {"U32", u32},
    {"I32", i32},          {"BF16", bf16},      {"F16", f16}, {"U16", u16}, {"I16", i16},     {"F8_E8M0", f8e8m0fnu},
    {"F8_E4M3", f8e4m3fn}, {"F8_E5M2", f8e5m2}, {"I8", i8},   {"U8", u8},   {"BOOL", boolean}};

constexpr std::string_view kMetadata = "__metadata__", kValuePrefix = "weft:";
constexpr std::uint64_t kLongestSafetensorsHeader = 100'000'000;  // the library's limit

[[noreturn]] void refuse_safetensors(const std::string& source, const std::string& must, const std::string& got) {
  throw ParseError("parse_safetensors: " + source + " must " + must + "; got " + got + ".");
}

using Json = nlohmann::json;

// The text as a JSON string, in quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text) {
  return Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The object that the header spells, with each key once. Arrays and metadata lie two levels deep, so that deeper
// headers are somebody's mistake, or bait.
Json parse_header(std::string_view text, const std::string& source) {
  constexpr int kDeepest = 8;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > kDeepest)
      refuse_safetensors(source, "have a header nested at most " + number_str(kDeepest) + " deep", "more");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second)
      refuse_safetensors(source, "have each name once", parsed.dump() + " again");
    return true;
  };
  // The parser takes it for the end of the text.
  if (const auto at = text.find('\0'); at != text.npos)
    refuse_safetensors(source, "have a header in JSON",
                       "a zero byte, at byte " + number_str(sizeof(std::uint64_t) + at));
  // "[json.exception.parse_error.101] parse error at line 1, column 7: syntax error while ...", or "[...] number ...";
  // it quotes what it read, which may end inside of a character.
  const auto reason = [](const Json::exception& e) {
    const std::string all = Json::parse(json_quoted(e.what())).get<std::string>();
    const auto at = all.find(": ");
    return all.substr((at != all.npos ? at : all.find("] ")) + 2);
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::parse_error& e) {
    refuse_safetensors(source, "have a header in JSON",
                       reason(e) + ", at byte " + number_str(sizeof(std::uint64_t) + e.byte - 1));
  } catch (const Json::exception& e) {  // a number that is too large
    refuse_safetensors(source, "have a header in JSON", reason(e));
  }
}

void check_text(const std::string& text, const char* what) {
  if (!is_utf8(text))
    throw ValueError("serialize_safetensors: " + std::string(what) + " must be UTF-8; got other bytes.");
}

}  // namespace

std::vector<std::byte> serialize_safetensors(const Safetensors& file, SourceLocation loc) {
  const LocationScope scope(loc, "serialize_safetensors");
  std::vector<std::byte> data;
  std::string header = "{";
  const auto separate = [&] { header += header.size() > 1 ? "," : ""; };
  if (!file.metadata.empty()) {
    header += json_quoted(kMetadata) + ":{";
    bool first = true;
    for (const auto& [key, text] : file.metadata) {
      check_text(key, "metadata");
      check_text(text, "metadata");
      header += (first ? "" : ",") + json_quoted(key) + ":" + json_quoted(text);
      first = false;
    }
    header += "}";
  }
  for (const auto& [name, a] : file.tensors) {
    check_text(name, "the name of an array");
    if (name == kMetadata) throw ValueError("serialize_safetensors: no array may be named '__metadata__'; got one.");
    if (!a.defined())
      throw ValueError("serialize_safetensors: every array must have a value; got none for " + name + ".");
    if (std::ranges::find(kSafetensorsTypes, a.dtype(), &SafetensorsType::dtype) == std::end(kSafetensorsTypes))
      throw DTypeError("serialize_safetensors: the dtype must be one that safetensors files have; got " +
                       std::string(weft::name(a.dtype())) + " for " + name + ".");
  }
  for (const SafetensorsType& type : kSafetensorsTypes) {
    for (const auto& [name, a] : file.tensors) {
      if (a.dtype() != type.dtype) continue;
      const ArrayBytes elements(a, "serialize_safetensors");
      const std::size_t begin = data.size();
      data.insert(data.end(), elements.bytes().begin(), elements.bytes().end());
      separate();
      header += json_quoted(name) + ":{\"dtype\":\"" + type.name + "\",\"shape\":[" + join(a.shape(), ",") +
                "],\"data_offsets\":[" + number_str(begin) + "," + number_str(data.size()) + "]}";
    }
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t size = header.size();
  std::vector<std::byte> out(sizeof size);
  std::memcpy(out.data(), &size, sizeof size);
  const auto bytes = std::as_bytes(std::span(header));
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

namespace {

// What the header says of an array.
struct Described {
  std::string name;
  DType dtype;
  Dims shape;
  std::int64_t begin = 0, end = 0;
};

Described describe(const std::string& name, const Json& info, const std::string& source) {
  const auto refuse = [&](const std::string& must, const std::string& got) {
    refuse_safetensors(source, must, got + " for " + json_quoted(name));
  };
  const auto member = [&](const char* key) {
    const auto at = info.find(key);  // the end also of what is no object
    return at == info.end() ? Json() : *at;
  };
  const auto numbers = [&](const char* key) {
    const Json list = member(key);
    if (!list.is_array()) refuse(std::string("have ") + key, "none");
    Dims out;
    for (const Json& item : list) {
      if (!item.is_number_unsigned() || item.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
        refuse(std::string("have integers from 0 in ") + key, item.dump());
      out.push_back(item.get<std::int64_t>());
    }
    return out;
  };
  Described out{.name = name, .dtype = f32, .shape = numbers("shape")};
  const Json dtype = member("dtype");
  if (!dtype.is_string()) refuse("have a dtype", "none");
  const auto type = std::ranges::find(kSafetensorsTypes, dtype.get<std::string>(),
                                      [](const SafetensorsType& t) { return std::string_view(t.name); });
  if (type == std::end(kSafetensorsTypes)) refuse("have dtypes that Weft has", dtype.dump());
  out.dtype = type->dtype;
  const Dims offsets = numbers("data_offsets");
  if (offsets.size() != 2 || offsets[1] < offsets[0]) refuse("have two data_offsets in order", "others");
  out.begin = offsets[0];
  out.end = offsets[1];
  if (!fills(out.dtype, out.shape, static_cast<std::size_t>(out.end - out.begin)))
    refuse("have as many bytes in an array as its shape says",
           number_str(out.end - out.begin) + " for " + std::string(weft::name(out.dtype)) + shape_str(out.shape));
  return out;
}

Safetensors parsed(std::span<const std::byte> bytes, const std::string& source) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size)
    refuse_safetensors(source, "begin with the 8 bytes of its header's size", number_str(bytes.size()) + " bytes");
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes = bytes.subspan(sizeof size);
  if (size > kLongestSafetensorsHeader || size > bytes.size())
    refuse_safetensors(source, "have its whole header, of at most 100 MB",
                       number_str(bytes.size()) + " bytes for " + number_str(size));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
  if (!text.starts_with('{')) refuse_safetensors(source, "have a header that starts with '{'", "another");
  const auto data = bytes.subspan(static_cast<std::size_t>(size));
  const Json header = parse_header(text, source);

  Safetensors out;
  std::vector<Described> arrays;
  for (const auto& [name, info] : header.items()) {
    if (name != kMetadata) {
      arrays.push_back(describe(name, info, source));
      continue;
    }
    if (!info.is_object()) refuse_safetensors(source, "have an object as __metadata__", "something else");
    for (const auto& [key, value] : info.items()) {
      if (!value.is_string())
        refuse_safetensors(source, "have texts as metadata", "another value for " + json_quoted(key));
      out.metadata.emplace(key, value.get<std::string>());
    }
  }
  std::ranges::sort(arrays, {}, [](const Described& d) { return std::pair(d.begin, d.end); });
  std::int64_t at = 0;
  for (const Described& d : arrays) {
    if (d.begin != at)
      refuse_safetensors(
          source, "have its arrays one after the other",
          json_quoted(d.name) + " from " + number_str(d.begin) + " on where " + number_str(at) + " comes next");
    at = d.end;
  }
  if (static_cast<std::uint64_t>(at) != data.size())
    refuse_safetensors(source, "have the " + count_str(at, "byte", "bytes") + " of its arrays after the header",
                       number_str(data.size()));
  for (const Described& d : arrays)
    out.tensors.emplace(d.name, array_from_bytes(d.dtype, d.shape,
                                                 data.subspan(static_cast<std::size_t>(d.begin),
                                                              static_cast<std::size_t>(d.end - d.begin))));
  return out;
}

}  // namespace

Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& source, SourceLocation loc) {
  const LocationScope scope(loc, "parse_safetensors");
  try {
    return parsed(bytes, source);
  } catch (const std::bad_alloc&) {
    throw BackendError("parse_safetensors: there must be memory for what " + source + " holds; got none for its " +
                       number_str(bytes.size()) + " bytes.");
  }
}

void write_safetensors(const std::string& path, const Safetensors& file, SourceLocation loc) {
  const LocationScope scope(loc, "write_safetensors");
  write_durable_file(path, serialize_safetensors(file));
}

Safetensors read_safetensors(const std::string& path, SourceLocation loc) {
  const LocationScope scope(loc, "read_safetensors");
  return parse_safetensors(read_file(path), path);
}

// ---- trees ----

namespace {

// Values that are no arrays are kept as their MessagePack in hexadecimal digits: small, and exact.
std::string hex_of(const StateValue& value) {
  std::string out;
  for (const std::byte b : msgpack_serialize(value))
    for (const int shift : {4, 0}) out += "0123456789abcdef"[std::to_integer<int>(b) >> shift & 15];
  return out;
}

StateValue value_of_hex(const std::string& text, const std::string& key, const std::string& source) {
  std::vector<std::byte> bytes;
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = kDigits.find(text[i]), low = i + 1 < text.size() ? kDigits.find(text[i + 1]) : kDigits.npos;
    if (high == kDigits.npos || low == kDigits.npos)
      refuse_safetensors(source, "have hexadecimal digits in the metadata of Weft",
                         json_quoted(text) + " for " + json_quoted(key));
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return msgpack_restore(bytes, source + ", metadata " + json_quoted(key));
}

}  // namespace

Safetensors safetensors_of(const StateValue& state, const std::string& separator) {
  Safetensors out;
  const StateLeaves leaves(state, "the tree");
  for (const StateLeaves::Leaf& leaf : leaves.all()) {
    std::string name = leaf.path;
    if (separator != "/")
      for (std::size_t at = 0; (at = name.find('/', at)) != std::string::npos; at += separator.size())
        name.replace(at, 1, separator);
    const Array* a = leaf.value->array();
    const bool is_new = a != nullptr
                            ? out.tensors.emplace(name, *a).second
                            : out.metadata.emplace(std::string(kValuePrefix) + name, hex_of(*leaf.value)).second;
    if (!is_new)
      throw ValueError("to_safetensors: the names of leaves must differ; got " + json_quoted(name) + " twice.");
  }
  return out;
}

StateDict leaves_of(const Safetensors& file, const std::string& source) {
  StateDict out;
  for (const auto& [name, a] : file.tensors) out.append(name, a);
  for (const auto& [key, text] : file.metadata)
    if (key.starts_with(kValuePrefix)) out.append(key.substr(kValuePrefix.size()), value_of_hex(text, key, source));
  return out;
}

}  // namespace weft::train

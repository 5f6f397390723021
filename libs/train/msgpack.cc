#include "train/msgpack.h"

#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <unordered_map>
#include <unordered_set>

#include "train/array_bytes.h"
#include "train/utf8.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

enum ExtType : int { kExtArray = 1, kExtComplex = 2, kExtScalar = 3 };
constexpr std::string_view kChunked = "__msgpack_chunked_array__";
// Python's reader refuses to go deeper, and so do we.
constexpr int kDeepest = 512;

// ---- writing ----

class MsgpackWriter {
 public:
  explicit MsgpackWriter(const MsgpackOptions& options) : options_(options) {}
  std::vector<std::byte> take() { return std::move(out_); }

  void value(const StateValue& v) {
    std::visit([&](const auto& x) { write(x); }, v.value);
  }

 private:
  void byte(unsigned b) { out_.push_back(static_cast<std::byte>(b)); }
  void raw(std::span<const std::byte> bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  /// A number in the format's order, big-endian.
  void big_endian(std::uint64_t v, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) byte(static_cast<unsigned>(v >> (8 * i) & 255));
  }
  /// The shortest head of a size: `fix` | n below `fix_limit`, else `first` and those after it with 1 (if `has8`), 2 or
  /// 4 bytes.
  void head(std::size_t n, unsigned fix, std::size_t fix_limit, unsigned first, bool has8 = true) {
    if (n > std::numeric_limits<std::uint32_t>::max())
      throw ValueError("msgpack_serialize: a text, list or dictionary must have less than 2^32 bytes or entries; got " +
                       number_str(n) + ".");
    if (n < fix_limit) return byte(fix | static_cast<unsigned>(n));
    if (has8 && n < 256) return byte(first), big_endian(n, 1);
    if (n < 65536) return byte(first + has8), big_endian(n, 2);
    byte(first + has8 + 1);
    big_endian(n, 4);
  }

  void write(std::monostate) { byte(0xc0); }
  void write(bool v) { byte(v ? 0xc3 : 0xc2); }
  void write(std::uint64_t v) {
    if (v < 128) return byte(static_cast<unsigned>(v));
    const int log = v < 256 ? 0 : v < 65536 ? 1 : v <= std::numeric_limits<std::uint32_t>::max() ? 2 : 3;
    byte(0xcc + static_cast<unsigned>(log));
    big_endian(v, 1 << log);
  }
  void write(std::int64_t v) {
    if (v >= 0) return write(static_cast<std::uint64_t>(v));
    if (v >= -32) return byte(static_cast<unsigned>(v & 255));
    const int log = v >= -128 ? 0 : v >= -32768 ? 1 : v >= std::numeric_limits<std::int32_t>::min() ? 2 : 3;
    byte(0xd0 + static_cast<unsigned>(log));
    big_endian(static_cast<std::uint64_t>(v), 1 << log);
  }
  void write(double v) {
    byte(0xcb);
    big_endian(std::bit_cast<std::uint64_t>(v), 8);
  }
  void write(const std::complex<double>& v) {
    ext_head(kExtComplex, 19);
    byte(0x92);
    write(v.real());
    write(v.imag());
  }
  void write(const std::string& v) {
    head(v.size(), 0xa0, 32, 0xd9);
    raw(std::as_bytes(std::span(v)));
  }
  void write(const std::vector<std::byte>& v) {
    head(v.size(), 0, 0, 0xc4);
    raw(v);
  }
  void write(const StateList& v) {
    head(v.size(), 0x90, 16, 0xdc, false);
    for (const StateValue& x : v) value(x);
  }
  void write(const StateDict& v) {
    head(v.size(), 0x80, 16, 0xde, false);
    for (const StateEntry& e : v) {
      write(e.key);
      value(e.value);
    }
  }
  void write(const NumpyScalar& v) { array(kExtScalar, v.value); }
  void write(const Array& a) {
    if (!a.defined()) return write(std::monostate());
    if (a.nbytes() <= options_.max_chunk_bytes) return array(kExtArray, a);
    const ArrayBytes elements(a, "msgpack_serialize");
    const std::int64_t size = byte_size(a.dtype()), chunk = std::max<std::int64_t>(1, options_.max_chunk_bytes / size);
    head(3, 0x80, 16, 0xde, false);
    write(std::string(kChunked));
    write(true);
    write(std::string("shape"));
    const auto shape = a.shape();
    head(shape.size(), 0x80, 16, 0xde, false);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      write(number_str(i));
      write(shape[i]);
    }
    write(std::string("chunks"));
    head(static_cast<std::size_t>((a.size() + chunk - 1) / chunk), 0x80, 16, 0xde, false);
    for (std::int64_t at = 0, i = 0; at < a.size(); at += chunk, ++i) {
      const std::int64_t count = std::min(chunk, a.size() - at);
      write(number_str(i));
      array(kExtArray, a.dtype(), {&count, 1},
            elements.bytes().subspan(static_cast<std::size_t>(at * size), static_cast<std::size_t>(count * size)));
    }
  }

  void ext_head(ExtType type, std::size_t n) {
    if (std::has_single_bit(n) && n <= 16)
      byte(0xd4 + static_cast<unsigned>(std::countr_zero(n)));
    else
      head(n, 0, 0, 0xc7);
    byte(type);
  }
  void array(ExtType type, const Array& a) {
    if (!a.defined()) throw ValueError("msgpack_serialize: a NumPy scalar must have a value; got none.");
    const ArrayBytes elements(a, "msgpack_serialize");
    array(type, a.dtype(), a.shape(), elements.bytes());
  }
  // [shape, name of the dtype, elements], as MessagePack inside of the extension.
  void array(ExtType type, DType dtype, DimSpan shape, std::span<const std::byte> elements) {
    MsgpackWriter head_only(options_);
    head_only.byte(0x93);
    head_only.head(shape.size(), 0x90, 16, 0xdc, false);
    for (const std::int64_t n : shape) head_only.write(n);
    head_only.write(std::string(numpy_name(dtype)));
    head_only.head(elements.size(), 0, 0, 0xc4);
    ext_head(type, head_only.out_.size() + elements.size());
    raw(head_only.out_);
    raw(elements);
  }

  MsgpackOptions options_;
  std::vector<std::byte> out_;
};

// ---- reading ----

class MsgpackReader {
 public:
  /// `offset` is where the bytes stand in the file.
  MsgpackReader(std::span<const std::byte> bytes, const std::string& source, std::size_t offset = 0, int depth = 0)
      : bytes_(bytes), source_(source), offset_(offset), depth_(depth) {}

  StateValue whole() {
    StateValue v = value();
    if (at_ != bytes_.size()) fail(at_, "end with its value", count_bytes(bytes_.size() - at_) + " more");
    return v;
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& must, const std::string& got) const {
    throw ParseError("msgpack_restore: " + source_ + " must " + must + "; got " + got + " at byte " +
                     number_str(offset_ + at) + ".");
  }
  static std::string count_bytes(std::size_t n) { return count_str(static_cast<std::int64_t>(n), "byte", "bytes"); }

  std::span<const std::byte> take(std::size_t n) {
    if (n > bytes_.size() - at_)
      fail(at_, "be whole", count_bytes(bytes_.size() - at_) + " where " + number_str(n) + " should follow");
    at_ += n;
    return bytes_.subspan(at_ - n, n);
  }
  std::uint64_t big_endian(int bytes) {
    std::uint64_t v = 0;
    for (const std::byte b : take(static_cast<std::size_t>(bytes))) v = v << 8 | std::to_integer<unsigned>(b);
    return v;
  }
  std::int64_t signed_number(int bytes) {
    const int unused = 64 - 8 * bytes;
    return static_cast<std::int64_t>(big_endian(bytes) << unused) >> unused;
  }
  static StateValue number(std::uint64_t v) {
    return std::in_range<std::int64_t>(v) ? StateValue(static_cast<std::int64_t>(v)) : StateValue(v);
  }
  // What has n parts of at least `size` bytes each.
  std::size_t count(std::uint64_t n, std::size_t size) {
    if (n > (bytes_.size() - at_) / size)
      fail(at_, "be whole", count_bytes(bytes_.size() - at_) + " for " + number_str(n) + " entries");
    return static_cast<std::size_t>(n);
  }

  StateValue value() {
    const std::size_t start = at_;
    const unsigned b = static_cast<unsigned>(big_endian(1));
    if (b < 0x80) return std::int64_t{b};
    if (b < 0x90) return dict(b & 15, start);
    if (b < 0xa0) return list(b & 15);
    if (b < 0xc0) return text(b & 31);
    if (b >= 0xe0) return static_cast<std::int64_t>(b) - 256;
    switch (b) {
      case 0xc0: return StateValue();
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4:
      case 0xc5:
      case 0xc6: return binary(big_endian(1 << (b - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9: return extension(big_endian(1 << (b - 0xc7)), start);
      case 0xca: return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(4))));
      case 0xcb: return std::bit_cast<double>(big_endian(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf: return number(big_endian(1 << (b - 0xcc)));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3: return signed_number(1 << (b - 0xd0));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8: return extension(std::uint64_t{1} << (b - 0xd4), start);
      case 0xd9:
      case 0xda:
      case 0xdb: return text(big_endian(1 << (b - 0xd9)));
      case 0xdc:
      case 0xdd: return list(big_endian(2 << (b - 0xdc)));
      case 0xde:
      case 0xdf: return dict(big_endian(2 << (b - 0xde)), start);
      default: fail(start, "be MessagePack", "the byte 0xc1, which begins nothing");
    }
  }

  std::string text(std::uint64_t n) {
    const std::size_t start = at_;
    const auto bytes = take(n);
    std::string out(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!is_utf8(out)) fail(start, "have UTF-8 in its texts", "other bytes");
    return out;
  }
  std::vector<std::byte> binary(std::uint64_t n) {
    const auto bytes = take(n);
    return {bytes.begin(), bytes.end()};
  }
  void deeper(std::size_t start) {
    if (++depth_ > kDeepest) fail(start, "be nested at most " + number_str(kDeepest) + " deep", "more");
  }
  StateList list(std::uint64_t n) {
    deeper(at_);
    StateList out;
    for (std::size_t i = count(n, 1); i > 0; --i) out.push_back(value());
    --depth_;
    return out;
  }
  StateValue dict(std::uint64_t n, std::size_t start) {
    deeper(start);
    StateDict out;
    std::unordered_set<std::string> keys;
    for (std::size_t i = count(n, 2); i > 0; --i) {
      const std::size_t at = at_;
      StateValue key = value();
      auto* name = key.get_if<std::string>();
      if (name == nullptr) fail(at, "have texts as keys", key.str());
      if (!keys.insert(*name).second) fail(at, "have each key once", "'" + *name + "' again");
      out.append(std::move(*name), value());
    }
    --depth_;
    if (keys.contains(std::string(kChunked))) return joined(out, start);
    return out;
  }

  StateValue extension(std::uint64_t n, std::size_t start) {
    const auto type = static_cast<int>(signed_number(1));
    const std::size_t begin = at_;
    const auto payload = take(n);
    if (type != kExtArray && type != kExtComplex && type != kExtScalar)
      fail(start, "have extension types 1, 2 and 3 only", "type " + number_str(type));
    MsgpackReader inner(payload, source_, offset_ + begin, depth_);
    if (type == kExtComplex) {
      const StateValue parts = inner.whole();
      const auto* list = parts.get_if<StateList>();
      const auto* re = list != nullptr && list->size() == 2 ? (*list)[0].get_if<double>() : nullptr;
      const auto* im = re != nullptr ? (*list)[1].get_if<double>() : nullptr;
      if (im == nullptr) fail(begin, "have two numbers in a complex number", parts.str());
      return std::complex<double>(*re, *im);
    }
    Array a = inner.array();
    if (type == kExtArray) return a;
    if (a.ndim() != 0) fail(begin, "have scalars without dimensions", a.aval().str());
    return NumpyScalar{a};
  }

  // The whole of this reader: [shape, name of the dtype, elements].
  Array array() {
    if (big_endian(1) != 0x93) fail(0, "have a shape, a dtype and elements in each array", "something else");
    const StateValue sizes = value();
    const auto* list = sizes.get_if<StateList>();
    if (list == nullptr || list->size() > kMaxRank)
      fail(1, "have at most " + number_str(kMaxRank) + " sizes as the shape of an array", sizes.str());
    Dims shape;
    for (const StateValue& size : *list) {
      const auto* n = size.get_if<std::int64_t>();
      if (n == nullptr || *n < 0) fail(1, "have sizes from 0 in each shape", size.str());
      shape.push_back(*n);
    }
    const std::size_t at = at_;
    const StateValue name = value();
    // Old files have texts without a type of their own, and so do those of msgpack's old specification.
    std::string text;
    if (const auto* bytes = name.get_if<std::vector<std::byte>>())
      text.assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    else if (const auto* s = name.get_if<std::string>())
      text = *s;
    std::optional<DType> dtype;
    for (int i = 0; i < kNumDTypes; ++i)
      if (numpy_name(static_cast<DType>(i)) == text) dtype = static_cast<DType>(i);
    if (!dtype) fail(at, "have dtypes that Weft has", is_utf8(text) ? "'" + text + "'" : "other bytes");
    const std::size_t data = at_;
    const unsigned b = static_cast<unsigned>(big_endian(1));
    if (b < 0xc4 || b > 0xc6) fail(data, "have bytes as the elements of an array", "something else");
    const auto elements = take(big_endian(1 << (b - 0xc4)));
    if (!fills(*dtype, shape, elements.size()))
      fail(data, "have as many elements in an array as its shape says",
           count_bytes(elements.size()) + " for " + std::string(weft::name(*dtype)) + shape_str(shape));
    if (at_ != bytes_.size()) fail(at_, "end an array with its elements", count_bytes(bytes_.size() - at_) + " more");
    return array_from_bytes(*dtype, shape, elements);
  }

  // The array of a dictionary of chunks.
  Array joined(const StateDict& dict, std::size_t start) const {
    const auto refuse = [&](const std::string& got) { fail(start, "have a shape and chunks of one dtype", got); };
    const auto part = [&](const char* key) {
      const StateValue* v = dict.find(key);
      const auto* found = v != nullptr ? v->get_if<StateDict>() : nullptr;
      if (found == nullptr) refuse("no '" + std::string(key) + "'");
      return found;
    };
    const StateDict& sizes = *part("shape");
    const StateDict& chunks = *part("chunks");
    if (sizes.size() > kMaxRank) refuse(number_str(sizes.size()) + " sizes");
    Dims shape;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const StateValue* size = sizes.find(number_str(i));
      const auto* n = size != nullptr ? size->get_if<std::int64_t>() : nullptr;
      if (n == nullptr || *n < 0) refuse("no size " + number_str(i));
      shape.push_back(*n);
    }
    std::unordered_map<std::string_view, const StateValue*> by_key;
    for (const StateEntry& e : chunks) by_key.emplace(e.key, &e.value);
    std::vector<std::byte> elements;
    std::optional<DType> dtype;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const auto chunk = by_key.find(number_str(i));
      const auto* a = chunk != by_key.end() ? chunk->second->get_if<Array>() : nullptr;
      if (a == nullptr) refuse("no chunk " + number_str(i));
      if (dtype && *dtype != a->dtype()) refuse("two dtypes");
      dtype = a->dtype();
      const ArrayBytes more(*a, "msgpack_restore");
      elements.insert(elements.end(), more.bytes().begin(), more.bytes().end());
    }
    if (!dtype) refuse("no chunks");
    if (!fills(*dtype, shape, elements.size()))
      refuse(count_bytes(elements.size()) + " for " + std::string(weft::name(*dtype)) + shape_str(shape));
    return array_from_bytes(*dtype, shape, elements);
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
  std::size_t offset_, at_ = 0;
  int depth_;
};

}  // namespace

std::vector<std::byte> msgpack_serialize(const StateValue& value, const MsgpackOptions& options, SourceLocation loc) {
  const LocationScope scope(loc, "msgpack_serialize");
  if (options.max_chunk_bytes < 1)
    throw ValueError("msgpack_serialize: max_chunk_bytes must be positive; got " + number_str(options.max_chunk_bytes) +
                     ".");
  MsgpackWriter writer(options);
  writer.value(options.sort_keys ? sorted(value) : value);
  return writer.take();
}

StateValue msgpack_restore(std::span<const std::byte> bytes, const std::string& source, SourceLocation loc) {
  const LocationScope scope(loc, "msgpack_restore");
  try {
    return MsgpackReader(bytes, source).whole();
  } catch (const std::bad_alloc&) {
    throw BackendError("msgpack_restore: there must be memory for what " + source + " holds; got none for its " +
                       number_str(bytes.size()) + " bytes.");
  }
}

}  // namespace weft::train

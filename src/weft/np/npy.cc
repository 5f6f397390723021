#include "weft/np/npy.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <system_error>

#include "weft/base/text.h"
#include "weft/base/whole_file.h"

namespace weft::np {

namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written in the order of the host");

constexpr std::string_view kMagic = "\x93NUMPY";
// np.load's own limit (max_header_size) is of this size; no array of kMaxRank dimensions needs more.
constexpr std::size_t kMaxHeader = 65536;
// A preamble, and no more than the start of the data, is in this many bytes.
constexpr std::size_t kMaxPreamble = 12 + kMaxHeader;
// np.save aligns the data to this, after leaving room for the first size to grow to this many digits.
constexpr std::size_t kAlign = 64;
constexpr std::size_t kSizeDigits = 21;

struct Header {
  std::string descr;
  bool fortran = false;
  Dims shape;
};

struct Element {
  DType dtype;
  bool swap = false;
};

// Everything wrong with one file is reported through this.
class Refusal {
 public:
  explicit Refusal(std::string_view name) : name_(name) {}
  [[noreturn]] void operator()(const std::string& must, const std::string& got, std::string hint = {}) const {
    throw ParseError("read_npy: " + name_ + ": " + must + "; got " + got + ".", std::move(hint));
  }
  [[noreturn]] void header(const ParseError& e) const {
    throw ParseError("read_npy: " + name_ + ": header " + e.message());
  }
  [[noreturn]] void memory(const std::string& type, std::size_t bytes) const {
    throw BackendError("read_npy: there must be memory for '" + name_ + "'; got none for the " + number_str(bytes) +
                       " bytes of " + type + ".");
  }

 private:
  std::string name_;
};

std::string string_literal(TextCursor& in) {
  const char quote = in.peek();
  if (quote != '\'' && quote != '"') in.fail("a string");
  const std::size_t start = in.offset() + 1;
  const std::size_t end = in.text().find(quote, start);
  if (end == std::string_view::npos) in.fail_at(in.text().size(), "a closing quote", "end of text");
  in.seek(end + 1);
  return std::string(in.text().substr(start, end - start));
}

Dims shape_literal(TextCursor& in) {
  Dims shape;
  in.expect("(");
  while (!in.accept(")")) {
    const std::size_t start = in.offset();
    const std::int64_t n = in.integer();
    if (n < 0) in.fail_at(start, "a size that is not negative", number_str(n));
    if (shape.size() == kMaxRank) in.fail_at(start, "at most " + number_str(kMaxRank) + " dimensions", "one more");
    shape.push_back(n);
    if (in.accept(",")) continue;
    // "(3)" is a number in Python, not a tuple.
    if (shape.size() == 1) in.fail("','");
    in.expect(")");
    break;
  }
  return shape;
}

bool bool_literal(TextCursor& in) {
  if (in.accept("True")) return true;
  if (in.accept("False")) return false;
  in.fail("True or False");
}

// The Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
Header parse_dictionary(std::string_view text) {
  TextCursor in(text);
  Header out;
  bool has_descr = false, has_order = false, has_shape = false;
  const auto once = [&](bool& seen, std::size_t at, const std::string& key) {
    if (seen) in.fail_at(at, "every key once", "'" + key + "' again");
    seen = true;
  };
  in.expect("{");
  while (!in.accept("}")) {
    const std::size_t at = in.offset();
    const std::string key = string_literal(in);
    in.expect(":");
    if (key == "descr") {
      once(has_descr, at, key);
      if (in.looking_at("[")) in.fail("a plain type, not a structure");
      out.descr = string_literal(in);
    } else if (key == "fortran_order") {
      once(has_order, at, key);
      out.fortran = bool_literal(in);
    } else if (key == "shape") {
      once(has_shape, at, key);
      out.shape = shape_literal(in);
    } else {
      in.fail_at(at, "'descr', 'fortran_order' or 'shape'", "another key");
    }
    if (!in.accept(",")) {
      in.expect("}");
      break;
    }
  }
  if (!in.at_end()) in.fail("end of header");
  if (!has_descr || !has_order || !has_shape) in.fail("keys 'descr', 'fortran_order' and 'shape'");
  return out;
}

std::string printable(std::string_view text) {
  std::string out = "'";
  constexpr const char* kDigits = "0123456789abcdef";
  for (const char c : text.substr(0, 40)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c >= ' ' && c < 127)
      out += c;
    else
      (out += "\\x") += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out + "'";
}

// '<f4': byte order, kind, bytes.
Element parse_descr(std::string_view descr, NpyOptions options, const Refusal& refuse) {
  const std::string got = printable(descr);
  if (descr == "<V2" || descr == "|V2") {
    if (options.v2_is_bfloat16) return {bf16};
    refuse("'descr' must name a type of numbers", got,
           "bfloat16 arrays are stored like this; load(path, {.v2_is_bfloat16 = true}) reads it so.");
  }
  const char order = descr.empty() ? '\0' : descr[0];
  if (order == '|' && descr.substr(1, 1) == "O")
    refuse("'descr' must name a type of numbers", got + ", Python objects", "save the numbers with an explicit dtype.");
  const std::string_view kind = descr.substr(std::min<std::size_t>(1, descr.size()));
  static constexpr struct {
    std::string_view kind;
    DType dtype;
  } kKinds[] = {{"b1", boolean}, {"i1", i8},  {"i2", i16}, {"i4", i32}, {"i8", i64}, {"u1", u8},  {"u2", u16},
                {"u4", u32},     {"u8", u64}, {"f2", f16}, {"f4", f32}, {"f8", f64}, {"c8", c64}, {"c16", c128}};
  for (const auto& k : kKinds) {
    if (k.kind != kind) continue;
    const bool one_byte = byte_size(k.dtype) == 1;
    if (order == '<' || (order == '|' && one_byte)) return {k.dtype};
    if (order == '>') return {k.dtype, !one_byte};
  }
  refuse("'descr' must be a byte order and one of b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16", got);
}

std::string descr_of(DType t) {
  if (is_storage(t))
    throw DTypeError(
        "write_npy: the dtype must be one that .npy files have a name for; got " + std::string(name(t)) + ".",
        "store " + std::string(name(compute_dtype(t))) + " after astype(" + std::string(name(compute_dtype(t))) + ")" +
            (bit_width(t) == 8 ? ", or the bytes after lax::bitcast_convert(x, u8)." : "."));
  if (t == bf16) return "<V2";
  const std::int64_t n = byte_size(t);
  const char kind = t == boolean ? 'b' : is_unsigned(t) ? 'u' : is_integer(t) ? 'i' : is_float(t) ? 'f' : 'c';
  return std::string(n == 1 ? "|" : "<") + kind + number_str(n);
}

void swap_bytes(std::vector<std::byte>& bytes, DType dtype) {
  const auto n = byte_size(real_dtype(dtype));
  for (std::int64_t i = 0; i < std::ssize(bytes); i += n) std::reverse(bytes.begin() + i, bytes.begin() + i + n);
}

// Column-major to row-major.
std::vector<std::byte> transposed(const std::vector<std::byte>& in, DimSpan shape, std::int64_t element) {
  std::vector<std::byte> out(in.size());
  Dims strides(shape.size()), index(shape.size(), 0);
  std::int64_t step = element;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    strides[i] = step;
    step *= shape[i];
  }
  std::int64_t from = 0;
  for (std::int64_t to = 0; to < std::ssize(out); to += element) {
    std::memcpy(out.data() + to, in.data() + from, static_cast<std::size_t>(element));
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}

struct Preamble {
  Element element;
  Header header;
  std::size_t data = 0;   // where the array's bytes begin
  std::size_t bytes = 0;  // how many they are; the file ends with them
  std::string type() const { return std::string(name(element.dtype)) + shape_str(header.shape); }
};

// From the file's first kMaxPreamble bytes, or all when it is shorter.
Preamble parse_preamble(std::span<const std::byte> file, NpyOptions options, const Refusal& refuse) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(file[i]); };
  const auto need = [&](std::size_t n, const char* what) {
    if (file.size() < n) refuse(std::string("the file must hold ") + what, number_str(file.size()) + " bytes");
  };
  if (!text.starts_with(kMagic.substr(0, text.size())) || text.empty())
    refuse("the file must start with '\\x93NUMPY'", text.empty() ? "an empty file" : printable(text.substr(0, 6)));
  need(8, "a magic string and a version");
  const std::size_t major = byte(6), minor = byte(7);
  if (major < 1 || major > 3 || minor != 0)
    refuse("the format version must be 1.0, 2.0 or 3.0", number_str(major) + "." + number_str(minor));
  const std::size_t start = major == 1 ? 10 : 12;
  need(start, "the header's length");
  std::size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > kMaxHeader)
    refuse("the header must have at most " + number_str(kMaxHeader) + " bytes", number_str(length));
  need(start + length, "the whole header");

  Preamble out;
  out.data = start + length;
  try {
    out.header = parse_dictionary(text.substr(start, length));
  } catch (const ParseError& e) {
    refuse.header(e);
  }
  out.element = parse_descr(out.header.descr, options, refuse);

  // The same limit as Aval's, which counts the sizes beside a 0, too.
  std::int64_t bytes = byte_size(out.element.dtype);
  bool overflow = false, empty = false;
  for (const std::int64_t d : out.header.shape) {
    empty |= d == 0;
    overflow |= __builtin_mul_overflow(bytes, d == 0 ? 1 : d, &bytes);
  }
  if (overflow || bytes > std::int64_t{1} << 62)
    refuse("the shape must be of an array that memory can hold", out.type());
  out.bytes = empty ? 0 : static_cast<std::size_t>(bytes);
  return out;
}

void check_length(const Preamble& p, std::size_t rest, const std::string& got, const Refusal& refuse) {
  if (rest != p.bytes) refuse("the data of " + p.type() + " must have " + number_str(p.bytes) + " bytes", got);
}

// The type is interned for good, so it is made only here, when the file is known to hold that many bytes.
NpyData finish(std::vector<std::byte> bytes, const Preamble& p) {
  const DType dtype = p.element.dtype;
  if (p.element.swap) swap_bytes(bytes, dtype);
  if (dtype == boolean)
    for (std::byte& b : bytes) b = std::byte{b != std::byte{0}};
  if (p.header.fortran && p.header.shape.size() > 1) bytes = transposed(bytes, p.header.shape, byte_size(dtype));
  return {Aval(dtype, p.header.shape), std::move(bytes)};
}

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void system_refused(const std::string& what, const std::filesystem::path& path, int error) {
  throw BackendError(what + " '" + path.string() + "'; got " + std::generic_category().message(error) + ".");
}

// A file from its start. Nothing of it is read, and no memory taken, before somebody asks for it.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::is_directory(status)) system_refused("read_npy: must be able to read", path, EISDIR);
    file_.reset(std::fopen(path.c_str(), "rb"));
    if (!file_) system_refused("read_npy: must be able to open", path, errno);
    // Other things than files (pipes, devices) have no size, and 0 is only a hint for those that cannot say.
    if (std::filesystem::is_regular_file(status)) size_ = std::filesystem::file_size(path, error);
    if (error) size_ = 0;
  }
  /// How many bytes the file seems to have.
  std::uintmax_t size() const { return size_; }
  /// Appends what is next, until there are `count` bytes or the file ends.
  void read(std::vector<std::byte>& bytes, std::size_t count) {
    constexpr std::size_t kBlock = std::size_t{1} << 20;
    while (bytes.size() < count) {
      const std::size_t at = bytes.size(), block = std::min(count - at, kBlock);
      bytes.resize(at + block);
      const std::size_t got = std::fread(bytes.data() + at, 1, block, file_.get());
      bytes.resize(at + got);
      if (std::ferror(file_.get())) system_refused("read_npy: must be able to read", path_, errno);
      if (got < block) break;
    }
  }

 private:
  std::filesystem::path path_;
  File file_;
  std::uintmax_t size_ = 0;
};

}  // namespace

NpyData read_npy(const std::filesystem::path& path, NpyOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "read_npy");
  const Refusal refuse(path.string());
  Reader file(path);
  std::vector<std::byte> bytes;
  file.read(bytes, kMaxPreamble);
  const Preamble p = parse_preamble(bytes, options, refuse);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(p.data));
  try {
    // A header that promises more than is there takes no memory; one byte more than promised is enough to know.
    if (file.size() >= p.data + p.bytes) bytes.reserve(std::max(p.bytes + 1, bytes.size()));
    file.read(bytes, p.bytes + 1);
    check_length(p, bytes.size(), bytes.size() > p.bytes ? "more" : number_str(bytes.size()), refuse);
    return finish(std::move(bytes), p);
  } catch (const std::bad_alloc&) {
    refuse.memory(p.type(), p.bytes);
  }
}

NpyData read_npy(std::span<const std::byte> file, std::string_view name, NpyOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "read_npy");
  const Refusal refuse(name);
  const Preamble p = parse_preamble(file, options, refuse);
  file = file.subspan(p.data);
  check_length(p, file.size(), number_str(file.size()), refuse);
  try {
    return finish({file.begin(), file.end()}, p);
  } catch (const std::bad_alloc&) {
    refuse.memory(p.type(), p.bytes);
  }
}

std::vector<std::byte> npy_header(Aval aval) {
  const DimSpan shape = aval.shape();
  std::string text = "{'descr': '" + descr_of(aval.dtype()) + "', 'fortran_order': False, 'shape': (" +
                     join(shape, ", ") + (shape.size() == 1 ? ",), }" : "), }");
  if (!shape.empty()) text.append(kSizeDigits - number_str(shape[0]).size(), ' ');
  // kMaxRank sizes of 64 bits fit the two-byte length of version 1.0, so nothing newer is ever written.
  static_assert(kMaxRank * (kSizeDigits + 2) + 2 * kAlign < 65536);
  const std::size_t before = kMagic.size() + 4;
  text.append(kAlign - (before + text.size() + 1) % kAlign, ' ');
  text += '\n';
  std::string out(kMagic);
  out += {'\1', '\0', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  out += text;
  const auto* begin = reinterpret_cast<const std::byte*>(out.data());
  return {begin, begin + out.size()};
}

void write_npy(const std::filesystem::path& path, TensorView array, SourceLocation loc) {
  const LocationScope scope(loc, "write_npy");
  const std::vector<std::byte> header = npy_header(array.aval);
  const std::span<const std::byte> parts[] = {
      header, {static_cast<const std::byte*>(array.data), static_cast<std::size_t>(array.aval.bytes())}};
  if (const auto failed = write_whole_file(path, parts))
    system_refused(std::string("write_npy: must be able to ") + failed->step, path, failed->error.value());
}

}  // namespace weft::np

#include "weft/stablehlo/elements.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "weft/base/error.h"
#include "weft/ir/elements.h"
#include "weft/stablehlo/lexer.h"

namespace weft::stablehlo {

// ---- element types ----

namespace {

struct Spelling {
  std::string_view mlir;
  DType dtype;
};
// The spellings that differ from Weft's name of the type by more than case; the first of a type is the one written.
constexpr Spelling kSpellings[] = {
    {"i1", boolean}, {"ui8", u8},           {"ui16", u16},          {"ui32", u32},  {"ui64", u64}, {"si8", i8},
    {"si16", i16},   {"si32", i32},         {"si64", i64},          {"u8", u8},     {"u16", u16},  {"u32", u32},
    {"u64", u64},    {"complex<f32>", c64}, {"complex<f64>", c128}, {"index", i64},
};

}  // namespace

std::optional<DType> element_dtype(std::string_view mlir) {
  for (const Spelling& s : kSpellings)
    if (s.mlir == mlir) return s.dtype;
  // ui4 is u4, si4 is i4, f8E4M3FN is f8e4m3fn.
  std::string lower;
  for (const char c : mlir) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.starts_with("ui")) lower.erase(1, 1);
  if (lower.starts_with("si")) lower.erase(0, 1);
  const std::optional<DType> t = parse_dtype(lower);
  return t && name(*t) == lower && *t != boolean && !is_complex(*t) ? t : std::nullopt;
}

std::string element_name(DType t) {
  for (const Spelling& s : kSpellings)
    if (s.dtype == t && s.dtype != i8 && s.dtype != i16 && s.dtype != i32 && s.dtype != i64) return std::string(s.mlir);
  std::string text(name(t));
  if (is_unsigned(t)) return "ui" + text.substr(1);
  // The letters of small floats are capitals: f8E4M3FN.
  if (is_float(t) && text.find('e') != std::string::npos)
    for (std::size_t i = 1; i < text.size(); ++i)
      text[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[i])));
  return text;
}

TypeRef type_of(Aval aval) { return tensor_type(element_name(aval.dtype()), aval.shape()); }

std::optional<Quantization> quantization(std::string_view element) {
  constexpr std::string_view prefix = "!quant.uniform<";
  if (!element.starts_with(prefix)) return std::nullopt;
  try {
    const std::string_view body = element.substr(prefix.size(), element.size() - prefix.size() - 1);
    Lexer in(body, 0, body.size(), {}, nullptr);
    Quantization q;
    const auto type = [&](DType& t) {
      const std::optional<DType> found = element_dtype(in.word("a type"));
      if (found) t = *found;
      return found.has_value();
    };
    if (!type(q.storage) || !is_integer(q.storage)) return std::nullopt;
    const int bits = bit_width(q.storage);
    if (bits > 32) return std::nullopt;
    q.storage_min = is_unsigned(q.storage) ? 0 : -(std::int64_t{1} << (bits - 1));
    q.storage_max = (std::int64_t{1} << (is_unsigned(q.storage) ? bits : bits - 1)) - 1;
    if (in.accept("<")) {
      q.storage_min = in.integer("a bound");
      in.expect(":");
      q.storage_max = in.integer("a bound");
      in.expect(">");
    }
    in.expect(":");
    if (!type(q.expressed) || !is_float(q.expressed)) return std::nullopt;
    if (in.accept(":")) q.axis = in.integer("an axis");
    in.expect(",");
    const auto one = [&] {
      const std::optional<double> scale = parse_number<double>(in.number("a scale"));
      q.scales.push_back(scale.value_or(0));
      q.zero_points.push_back(in.accept(":") ? in.integer("a zero point") : 0);
    };
    if (in.accept("{")) {
      do one();
      while (in.accept(","));
      in.expect("}");
    } else {
      one();
    }
    if (!in.at_end() || (q.axis < 0 && q.scales.size() != 1)) return std::nullopt;
    return q;
  } catch (const ParseError&) {
    return std::nullopt;
  }
}

// ---- literals ----

namespace {

template <class T>
inline constexpr bool is_complex_type =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
template <class T>
inline constexpr bool has_parser =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

// The bits of an integer of `bits` bits, spelled in decimal or hexadecimal. A signless type (i8) holds what it does
// signed and what it does unsigned: -1 and 255 are the same i8. An unsigned one (ui8) holds no negative number, a
// signed one (si8) nothing beyond its largest.
enum class Signs : std::uint8_t { kSignless, kSigned, kUnsigned };
std::optional<std::uint64_t> integer_bits(std::string_view s, int bits, Signs signs) {
  const bool negative = s.starts_with('-');
  if (negative) s.remove_prefix(1);
  const bool hex = s.starts_with("0x");
  if (hex) s.remove_prefix(2);
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v, hex ? 16 : 10);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - bits), half = std::uint64_t{1} << (bits - 1);
  if (negative) {
    if (signs == Signs::kUnsigned || v > half) return std::nullopt;
    return (std::uint64_t{0} - v) & mask;
  }
  if (v > (signs == Signs::kSigned ? half - 1 : mask)) return std::nullopt;
  return v;
}

Signs signs_of(std::string_view element) {
  if (element.starts_with('u')) return Signs::kUnsigned;
  return element.starts_with("si") || element == "index" ? Signs::kSigned : Signs::kSignless;
}

template <class T>
std::optional<T> from_bits(std::string_view digits) {
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.size() > 2 * sizeof(T))
    return std::nullopt;
  T v{};
  std::memcpy(static_cast<void*>(&v), &bits, sizeof v);
  return v;
}

template <class T>
std::optional<T> read_real(std::string_view s, Signs signs = Signs::kSignless) {
  if constexpr (std::is_same_v<T, bool>) {
    if (s == "true" || s == "false") return s == "true";
    const std::optional<std::uint64_t> bit = integer_bits(s, 1, signs);
    return bit ? std::optional(*bit != 0) : std::nullopt;
  } else if constexpr (std::is_integral_v<T>) {
    const std::optional<std::uint64_t> bits = integer_bits(s, 8 * static_cast<int>(sizeof(T)), signs);
    return bits ? std::optional(static_cast<T>(*bits)) : std::nullopt;
  } else {
    if (s.starts_with("0x")) return from_bits<T>(s.substr(2));
    if constexpr (has_parser<T>) {
      if (const std::optional<T> v = parse_number<T>(s)) return v;
    }
    // Magnitudes that the type does not have round to zero or infinity; types of a few bits round from double.
    if (s.empty() || !(std::isdigit(static_cast<unsigned char>(s[0])) || s[0] == '-')) return std::nullopt;
    const std::string text(s);
    return static_cast<T>(std::strtod(text.c_str(), nullptr));
  }
}

// Elements of nested lists, read one after the other into growing memory. Errors are ParseErrors without a place.
class DenseReader {
 public:
  DenseReader(const Attribute& dense, DType t, DimSpan shape)
      : dtype_(t),
        shape_(shape),
        signs_(signs_of(dense.type->element)),
        in_(dense.text, 0, dense.text.size(), {}, nullptr) {}

  Array read() {
    const std::int64_t n = product_of(shape_);
    const auto size = static_cast<std::size_t>(byte_size(dtype_));
    if (in_.at_end()) {
      if (n != 0) fail("there must be " + count_str(n, "element", "elements") + "; got none.");
      return Array::copy(dtype_, shape_, nullptr, 0);
    }
    if (in_.peek() == '"') return hex(n, size);
    if (in_.peek() != '[') {
      one();
      if (!in_.at_end()) fail("a literal must be one element or one list.");
      return splat();
    }
    list();
    if (!in_.at_end()) fail("nothing may follow the list of elements.");
    if (n == 1) return splat();
    return Array::copy(dtype_, shape_, bytes_.data(), bytes_.size() / size);
  }

 private:
  static std::int64_t product_of(DimSpan shape) { return product(shape); }

  [[noreturn]] static void fail(const std::string& what) { throw ParseError(what); }

  Array splat() {
    const Aval aval(dtype_, shape_);
    if (aval.size() == 0) return Array::copy(dtype_, shape_, nullptr, 0);
    return detail::make_splat(aval, bytes_.data());
  }

  // The brackets must follow the shape; `counts` are the elements seen in each open list.
  void list() {
    SmallVector<std::int64_t, 8> counts;
    const std::size_t rank = shape_.size();
    for (;;) {
      if (in_.accept("[")) {
        if (counts.size() == rank) fail("lists must nest as deep as the type has dimensions.");
        counts.push_back(0);
        if (!in_.looking_at("]")) continue;
      } else {
        if (counts.size() != rank) fail("lists must nest as deep as the type has dimensions.");
        one();
        ++counts.back();
        if (counts.back() > shape_[rank - 1]) fail("a list must have as many elements as the dimension's size.");
      }
      for (;;) {
        if (in_.accept(",")) break;
        if (!in_.accept("]")) fail("expected ',' or ']' in a list of elements.");
        if (counts.back() != shape_[counts.size() - 1])
          fail("a list must have as many elements as the dimension's size; got " + std::to_string(counts.back()) +
               " for " + std::to_string(shape_[counts.size() - 1]) + ".");
        counts.pop_back();
        if (counts.empty()) return;
        if (++counts.back() > shape_[counts.size() - 1])
          fail("a list must have as many elements as the dimension's size.");
      }
    }
  }

  std::string_view token() {
    if (in_.at_number())
      last_ = in_.number("an element");
    else
      last_ = in_.peek_word().empty() ? std::string_view() : in_.word("an element");
    return last_;
  }

  // Of the last token, or of what stands in its place.
  std::string not_an_element() const {
    const std::string got = !last_.empty() ? std::string(last_) : in_.at_end() ? "nothing" : std::string(1, in_.peek());
    return "there must be elements of the type; got " + (got.size() > 40 ? got.substr(0, 37) + "..." : got) + ".";
  }

  void one() {
    if (is_storage(dtype_)) return one_stored();
    const bool read = visit_dtype(dtype_, [&]<class T>(TypeTag<T>) {
      if constexpr (is_complex_type<T>) {
        using R = typename T::value_type;
        const bool pair = in_.accept("(");
        const std::optional<R> re = read_real<R>(token());
        std::optional<R> im = R(0);
        if (pair) {
          in_.expect(",");
          im = read_real<R>(token());
          in_.expect(")");
        }
        if (!re || !im) return false;
        append(T(*re, *im));
      } else {
        const std::optional<T> v = read_real<T>(token(), signs_);
        if (!v) return false;
        append(*v);
      }
      return true;
    });
    if (!read) fail(not_an_element());
  }

  // A storage type's element is one byte: an integer, a float's code (0x7F), or a decimal rounded to it.
  void one_stored() {
    const std::string text(token());
    std::byte out{};
    if (is_integer(dtype_)) {
      const int bits = bit_width(dtype_);
      const std::optional<std::uint64_t> spelled = integer_bits(text, bits, signs_);
      if (!spelled) fail(not_an_element());
      auto v = static_cast<std::int64_t>(*spelled);
      if (!is_unsigned(dtype_) && v >= std::int64_t{1} << (bits - 1)) v -= std::int64_t{1} << bits;
      convert_elements(i64, &v, dtype_, &out, 1);
    } else if (text.starts_with("0x")) {
      const std::optional<std::uint8_t> code = from_bits<std::uint8_t>(std::string_view(text).substr(2));
      if (!code) fail(not_an_element());
      copy_canonical(dtype_, &*code, &out, 1);
    } else {
      const std::optional<double> v = read_real<double>(text);
      if (!v) fail(not_an_element());
      convert_elements(f64, &*v, dtype_, &out, 1);
    }
    append(out);
  }

  template <class T>
  void append(T v) {
    const auto* p = reinterpret_cast<const std::byte*>(&v);
    bytes_.insert(bytes_.end(), p, p + sizeof v);
  }

  Array hex(std::int64_t n, std::size_t size) {
    const std::string text = in_.quoted();
    if (!in_.at_end() || !text.starts_with("0x") || text.size() % 2 != 0)
      fail("bytes must be \"0x...\" in pairs of digits.");
    const auto digit = [&](char c) {
      if (c >= '0' && c <= '9') return c - '0';
      const int d = (c | 32) - 'a';
      if (d < 0 || d > 5) fail("bytes must be hexadecimal digits; got " + std::string(1, c) + ".");
      return d + 10;
    };
    bytes_.reserve(text.size() / 2);
    for (std::size_t i = 2; i < text.size(); i += 2)
      bytes_.push_back(static_cast<std::byte>(digit(text[i]) * 16 + digit(text[i + 1])));
    const auto count = static_cast<std::uint64_t>(n);
    if (dtype_ == boolean && bytes_.size() != count && bytes_.size() == (count + 7) / 8) {
      // Booleans may be packed, eight to a byte; one byte of equal bits is a splat.
      std::vector<std::byte> bits;
      if (bytes_.size() == 1 && (bytes_[0] == std::byte{0xFF} || bytes_[0] == std::byte{0})) {
        bytes_.assign(1, bytes_[0] & std::byte{1});
        return splat();
      }
      bits.reserve(count);
      for (std::uint64_t i = 0; i < count; ++i) bits.push_back((bytes_[i / 8] >> (i % 8)) & std::byte{1});
      bytes_ = std::move(bits);
    } else if (dtype_ == boolean) {
      for (std::byte& b : bytes_) b = b == std::byte{0} ? std::byte{0} : std::byte{1};
    }
    if (is_storage(dtype_))
      copy_canonical(dtype_, bytes_.data(), bytes_.data(), static_cast<std::int64_t>(bytes_.size()));
    if (bytes_.size() == size) return splat();
    if (bytes_.size() % size != 0 || bytes_.size() / size != count)
      fail("there must be " + count_str(n, "element", "elements") + " of " + std::to_string(size) + " bytes; got " +
           std::to_string(bytes_.size()) + " bytes.");
    return Array::copy(dtype_, shape_, bytes_.data(), count);
  }

  DType dtype_;
  DimSpan shape_;
  Signs signs_;
  Lexer in_;
  std::string_view last_;  // token
  std::vector<std::byte> bytes_;
};

}  // namespace

Array dense_array(const Module& module, const Attribute& dense) {
  if (dense.kind != Attribute::Kind::kDense)
    fail_at(module, dense.place, "there must be a literal dense<...>; got " + attribute_text(dense) + ".");
  const std::optional<DType> t = element_dtype(dense.type->element);
  if (!t || !dense.type->is_static())
    fail_at(module, dense.place,
            "a literal must have a static shape and an element type that Weft has; got " + dense.type->text + ".");
  try {
    const Aval checked(*t, dense.type->shape);  // sizes and their product
    return DenseReader(dense, *t, dense.type->shape).read();
  } catch (const ParseError& e) {
    fail_at(module, dense.place, "dense literal of type " + dense.type->text + ": " + e.message());
  } catch (const ShapeError& e) {
    fail_at(module, dense.place, e.message());
  }
}

std::vector<std::int64_t> dense_integers(const Module& module, const Attribute& dense, std::size_t limit) {
  if (dense.kind == Attribute::Kind::kIntegers) return dense.integers;
  const Array a = dense_array(module, dense);
  if (static_cast<std::size_t>(a.size()) > limit)
    fail_at(module, dense.place, "there may be at most " + std::to_string(limit) + " numbers in this list.");
  if (!is_integer(a.dtype()) && a.dtype() != boolean) fail_at(module, dense.place, "there must be integers.");
  std::vector<std::int64_t> out(static_cast<std::size_t>(a.size()));
  const detail::HostView view = a.host("import");
  convert_elements(a.dtype(), view.view.data, i64, out.data(), a.size());
  return out;
}

// ---- writing ----

namespace {

std::string hex_digits(std::uint64_t bits, std::size_t bytes) {
  std::string digits(2 * bytes, '0');
  for (std::size_t i = digits.size(); i-- > 0; bits >>= 4) digits[i] = "0123456789ABCDEF"[bits & 15];
  return "0x" + digits;
}

template <class T>
std::string element_text(T v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v ? "true" : "false";
  } else if constexpr (is_complex_type<T>) {
    return "(" + element_text(v.real()) + ", " + element_text(v.imag()) + ")";
  } else if constexpr (std::is_integral_v<T>) {
    return number_str(v);
  } else {
    const auto d = static_cast<double>(v);
    if (d == d && d - d == 0) {
      const std::string s = number_str(v);
      // MLIR wants a point in a number of a float type.
      const std::size_t e = s.find('e');
      return s.find('.') != std::string::npos || e == std::string::npos ? s : s.substr(0, e) + ".0" + s.substr(e);
    }
    std::uint64_t bits = 0;
    std::memcpy(&bits, static_cast<const void*>(&v), sizeof v);
    return hex_digits(bits, sizeof v);
  }
}

std::string text_of(DType t, const void* element) {
  if (is_storage(t)) {
    if (is_integer(t)) return number_str(integer_element(t, element));
    return hex_digits(*static_cast<const std::uint8_t*>(element), 1);
  }
  return visit_dtype(t, [&]<class T>(TypeTag<T>) {
    T v;
    std::memcpy(static_cast<void*>(&v), element, sizeof v);
    return element_text(v);
  });
}

}  // namespace

Attribute dense_attribute(const Array& array) {
  constexpr std::int64_t kMostInText = 64;  // more are bytes: a fraction of the size, read at memory's speed
  const Aval aval = array.aval();
  const TypeRef type = type_of(aval);
  if (aval.size() == 0) return Attribute::dense("", type);
  const BufferValue* buffer = array.buffer();
  if (buffer && buffer->splat()) return Attribute::dense(text_of(aval.dtype(), buffer->data()), type);
  const detail::HostView view = array.host("print");
  const auto* bytes = static_cast<const unsigned char*>(view.view.data);
  std::string text;
  // Not of booleans: readers differ on whether their bytes hold one or eight.
  if (aval.size() > kMostInText && aval.dtype() != boolean) {
    const auto n = static_cast<std::size_t>(aval.bytes());
    text.reserve(2 * n + 4);
    text = "\"0x";
    for (std::size_t i = 0; i < n; ++i) {
      text += "0123456789ABCDEF"[bytes[i] >> 4];
      text += "0123456789ABCDEF"[bytes[i] & 15];
    }
    return Attribute::dense(text + '"', type);
  }
  const DimSpan shape = aval.shape();
  for (std::int64_t i = 0; i < aval.size(); ++i) {
    // How many lists start, or have ended, at this element.
    std::size_t open = 0;
    for (std::int64_t block = 1; open < shape.size(); ++open) {
      block *= shape[shape.size() - 1 - open];
      if (i % block != 0) break;
    }
    if (i > 0) text += std::string(open, ']') + ", ";
    text += std::string(open, '[') + text_of(aval.dtype(), bytes + i * byte_size(aval.dtype()));
  }
  return Attribute::dense(text + std::string(shape.size(), ']'), type);
}

Attribute dense_matrix(std::span<const Dims> rows, std::int64_t columns) {
  std::string text;
  for (const Dims& row : rows) text += (text.empty() ? "[[" : ", [") + join(row, ", ") + "]";
  if (!text.empty()) text += "]";
  const auto n = static_cast<std::int64_t>(rows.size());
  return Attribute::dense(columns == 0 ? "" : std::move(text), tensor_type("i64", Dims{n, columns}));
}

}  // namespace weft::stablehlo

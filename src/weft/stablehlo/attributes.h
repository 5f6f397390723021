// Attributes of an operation as numbers and lists, with errors that name the place. Read by import and by the table of
// operations (operations.h), written by the table and by print.
#pragma once

#include <initializer_list>
#include <map>
#include <set>

#include "weft/core/trace.h"
#include "weft/stablehlo/elements.h"

namespace weft::stablehlo {

/// The fields of "#stablehlo.gather<offset_dims = [2, 3], index_vector_dim = 2>". Fields that it does not have, that
/// stand twice or that are of the other kind are errors.
class AttributeFields {
 public:
  using Names = std::initializer_list<std::string_view>;
  /// Fields named `lists` are lists of integers, those named `integers` are one each, and those named `nested` have
  /// fields of their own, which count as fields of the whole: "<dot_dimension_numbers = #mhlo.dot<...>>". The dialect
  /// may be StableHLO's or CHLO's. Without text: no fields.
  AttributeFields(const Module& module, const Attribute* a, std::string_view mnemonic, Names lists, Names integers = {},
                  Names nested = {});
  /// Empty when absent.
  Dims dims(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;

 private:
  struct Field {
    std::string name;
    Dims dims;
  };
  std::vector<Field> fields_;
};

/// While one lives, it notes which attributes readers on its thread ask for, there or not, by operation: so that a test
/// can tell which ones known_attributes (importer.h) does not know.
class AskedAttributes {
 public:
  AskedAttributes();
  ~AskedAttributes();
  AskedAttributes(const AskedAttributes&) = delete;
  AskedAttributes& operator=(const AskedAttributes&) = delete;

  std::map<std::string, std::set<std::string>, std::less<>> by_operation;
};

class AttributeReader {
 public:
  AttributeReader(const Module& module, const Op& op, std::span<const Aval> in, std::span<const Aval> out)
      : module(module), op(op), in(in), out(out) {}
  const Module& module;
  const Op& op;
  /// The operands' types, and the results' as the text declares them.
  std::span<const Aval> in, out;

  /// Null when the operation has no such attribute. Every other function asks this one.
  const Attribute* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// array<i64: ...>, dense<...> or [1, 2]; an error when absent.
  Dims dims(std::string_view name) const;
  Dims dims(std::string_view name, Dims otherwise) const { return has(name) ? dims(name) : std::move(otherwise); }
  std::int64_t integer(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const {
    return has(name) ? integer(name) : otherwise;
  }
  bool boolean(std::string_view name) const;
  bool boolean(std::string_view name, bool otherwise) const { return has(name) ? boolean(name) : otherwise; }
  /// True when it is there: an attribute that says nothing else, or true or false.
  bool flag(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::string text(std::string_view name, std::string_view otherwise) const {
    return has(name) ? text(name) : std::string(otherwise);
  }
  /// The number in `names` of what #stablehlo<fft_type FFT> says, also spelled #stablehlo.fft_type<FFT> or "FFT".
  std::size_t enumerator(std::string_view name, std::string_view mnemonic,
                         std::span<const std::string_view> names) const;
  template <class E>
  E enumerator_of(std::string_view name, std::string_view mnemonic) const {
    return static_cast<E>(enumerator(name, mnemonic, enum_names(E{})));
  }
  /// Rows of two (padding, source_target_pairs) or more numbers (replica_groups).
  std::vector<Dims> matrix(std::string_view name) const;
  /// An error when absent.
  AttributeFields fields(std::string_view name, std::string_view mnemonic, AttributeFields::Names lists,
                         AttributeFields::Names integers = {}, AttributeFields::Names nested = {}) const {
    return AttributeFields(module, &required(name), mnemonic, lists, integers, nested);
  }
  /// The declared type of the first result, which the attributes of some operations only imply.
  Aval result() const;
  [[noreturn]] void fail(const std::string& message) const { fail_at(module, op.place, op.name + ": " + message); }
  /// The attribute; an error when absent.
  const Attribute& required(std::string_view name) const;
  /// An error at the attribute: "<op>: <name> must be <what>."
  [[noreturn]] void mistyped(const Attribute& a, std::string_view name, std::string_view what) const;
};

/// Collects the attributes of an operation that is being written.
class AttributeWriter {
 public:
  AttributeWriter(std::span<const Aval> in, std::span<const Aval> out) : in(in), out(out) {}
  std::span<const Aval> in, out;
  std::vector<NamedAttribute> attributes;

  void add(std::string name, Attribute a) { attributes.push_back({std::move(name), std::move(a)}); }
  void dims(std::string name, DimSpan v) { add(std::move(name), Attribute::dims(v)); }
  void integer(std::string name, std::int64_t v, std::string_view type = "i64") {
    add(std::move(name), Attribute::integer(v, type));
  }
  void enumerator(std::string name, std::string_view mnemonic, std::string_view value) {
    add(std::move(name), Attribute::other("#stablehlo<" + std::string(mnemonic) + " " + std::string(value) + ">"));
  }
  /// #stablehlo.<mnemonic><name = [..], name = 1>: empty lists are left out.
  class Struct {
   public:
    explicit Struct(std::string_view mnemonic) : text_("#stablehlo." + std::string(mnemonic) + "<") {}
    Struct& dims(std::string_view name, DimSpan v) {
      if (!v.empty()) piece(std::string(name) + " = [" + join(v, ", ") + "]");
      return *this;
    }
    Struct& integer(std::string_view name, std::int64_t v) {
      piece(std::string(name) + " = " + std::to_string(v));
      return *this;
    }
    Attribute done() { return Attribute::other(text_ + ">"); }

   private:
    void piece(const std::string& s) { text_ += (text_.back() == '<' ? "" : ", ") + s; }
    std::string text_;
  };
};

}  // namespace weft::stablehlo

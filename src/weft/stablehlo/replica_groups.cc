// Groups of processes, as operations between them have them: listed, or named by the axes of a mesh along which the
// processes of a group differ.
//
//   #stablehlo.replica_group_mesh_axes<mesh = #stablehlo.mesh<axes = [#stablehlo.mesh_axis<name = "x", size = 4>]>,
//                                      axes = [#stablehlo.axis_ref<name = "x", sub_axis_info = (1)2>]>
//
// The mesh may be a symbol, of an operation sdy.mesh, and an axis in Shardy's spelling, #sdy<axis_ref"x":(1)2>. The
// part (k)m of an axis of size n is the middle one of the axes k, m and n / (k m) that it splits into.
#include <algorithm>
#include <numeric>

#include "weft/base/error.h"
#include "weft/stablehlo/lexer.h"
#include "weft/stablehlo/operations.h"

namespace weft::stablehlo {

namespace {

constexpr std::string_view kMeshAxes = "#stablehlo.replica_group_mesh_axes<";
/// Far more than there are; so that a few digits do not stand for any amount of memory.
constexpr std::int64_t kMostDevices = std::int64_t{1} << 20;

struct Axis {
  std::string name;
  std::int64_t size = 1;
};
struct Mesh {
  std::vector<Axis> axes;
  std::vector<std::int64_t> device_ids;  // empty: in order
};
struct AxisPart {
  std::string name;
  std::int64_t before = 1, size = 0;  // size 0: the whole axis
};

class MeshReader {
 public:
  MeshReader(const Module& module, std::string_view text) : module_(module), in_(text, 0, text.size(), {}, nullptr) {}

  // After kMeshAxes.
  std::vector<Dims> groups() {
    field("mesh");
    const Mesh mesh = this->mesh();
    in_.expect(",");
    field("axes");
    std::vector<AxisPart> parts;
    list([&] { parts.push_back(part()); });
    in_.expect(">");
    return groups_of(mesh, parts);
  }

 private:
  void field(std::string_view name) {
    in_.expect_word(name);
    in_.expect("=");
  }
  template <class F>
  void list(F&& item) {
    in_.expect("[");
    while (!in_.accept("]")) {
      item();
      if (!in_.accept(",") && !in_.looking_at("]")) in_.fail("',' or ']'");
    }
  }
  // "#stablehlo.x<" or "<".
  void open(std::string_view mnemonic) {
    if (in_.peek() == '#' && in_.sigil_name('#', "an attribute") != "stablehlo." + std::string(mnemonic))
      in_.fail("#stablehlo." + std::string(mnemonic));
    in_.expect("<");
  }

  Mesh mesh() {
    if (in_.peek() == '@') return named_mesh(in_.symbol());
    Mesh m;
    if (in_.looking_at("#sdy.mesh")) {
      in_.sigil_name('#', "a mesh");
      return sdy_mesh();
    }
    open("mesh");
    field("axes");
    list([&] {
      open("mesh_axis");
      field("name");
      Axis a{in_.quoted(), 1};
      in_.expect(",");
      field("size");
      a.size = in_.integer("a size");
      in_.expect(">");
      m.axes.push_back(std::move(a));
    });
    if (in_.accept(",")) {
      field("device_ids");
      in_.expect_word("dense");
      const std::string elements(in_.raw_angle_body());
      in_.expect(":");
      in_.expect_word("tensor");
      const Attribute ids =
          parse_attribute("dense<" + elements + "> : tensor<" + std::string(in_.raw_angle_body()) + ">");
      m.device_ids = dense_integers(module_, ids, kMostDevices);
    }
    in_.expect(">");
    return m;
  }

  // <["x"=2, "y"=4], device_ids=[...]>
  Mesh sdy_mesh() {
    Mesh m;
    in_.expect("<");
    list([&] {
      Axis a{in_.quoted(), 1};
      in_.expect("=");
      a.size = in_.integer("a size");
      m.axes.push_back(std::move(a));
    });
    if (in_.accept(",")) {
      field("device_ids");
      list([&] { m.device_ids.push_back(in_.integer("a device")); });
    }
    in_.expect(">");
    return m;
  }

  Mesh named_mesh(const std::string& symbol) {
    const Op* op = mesh_operation(module_.top, symbol);
    const Attribute* a = op ? op->find("mesh") : nullptr;
    constexpr std::string_view prefix = "#sdy.mesh";
    if (!a || a->kind != Attribute::Kind::kOther || !a->text.starts_with(prefix))
      throw ParseError("there must be a mesh @" + symbol + ".");
    return MeshReader(module_, std::string_view(a->text).substr(prefix.size())).sdy_mesh();
  }
  // Modules nest no deeper than the parser allows.
  static const Op* mesh_operation(const Op& scope, std::string_view symbol) {
    for (const Region& r : scope.regions)
      for (const Block& b : r.blocks)
        for (const Op& op : b.ops) {
          if (op.name == "sdy.mesh" && op.symbol() == symbol) return &op;
          if (op.name != "builtin.module") continue;
          if (const Op* found = mesh_operation(op, symbol)) return found;
        }
    return nullptr;
  }

  AxisPart part() {
    AxisPart p;
    const auto sub_axis = [&] {
      in_.expect("(");
      p.before = in_.integer("a size");
      in_.expect(")");
      p.size = in_.integer("a size");
      if (p.before < 1 || p.size < 1) in_.fail("sizes of at least 1");
    };
    if (in_.looking_at("#sdy")) {
      in_.sigil_name('#', "an axis");
      in_.expect("<");
      in_.expect_word("axis_ref");
      p.name = in_.quoted();
      if (in_.accept(":")) sub_axis();
    } else {
      open("axis_ref");
      field("name");
      p.name = in_.quoted();
      if (in_.accept(",")) {
        field("sub_axis_info");
        sub_axis();
      }
    }
    in_.expect(">");
    return p;
  }

  // Axes split where a part begins or ends; then groups run along some of the pieces.
  static std::vector<Dims> groups_of(const Mesh& mesh, const std::vector<AxisPart>& parts) {
    struct Piece {
      std::size_t axis;
      std::int64_t from, to;  // of the axis' size
      bool used = false;
      std::int64_t size() const { return to / from; }
    };
    std::vector<Piece> pieces;
    std::int64_t devices = 1;
    for (std::size_t i = 0; i < mesh.axes.size(); ++i) {
      const Axis& axis = mesh.axes[i];
      const bool countable = axis.size >= 1 && axis.size <= kMostDevices;
      if (countable) devices *= axis.size;
      if (!countable || devices > kMostDevices)
        throw ParseError("a mesh must have from 1 to " + std::to_string(kMostDevices) + " devices; got axis \"" +
                         axis.name + "\" of size " + std::to_string(axis.size) + ".");
      std::vector<std::int64_t> cuts{1, axis.size};
      for (const AxisPart& p : parts)
        if (p.name == axis.name && p.size > 0) {
          if (axis.size % p.before != 0 || axis.size / p.before % p.size != 0)
            throw ParseError("a part of an axis must divide it; got (" + std::to_string(p.before) + ")" +
                             std::to_string(p.size) + " of \"" + axis.name + "\", of size " +
                             std::to_string(axis.size) + ".");
          cuts.insert(cuts.end(), {p.before, p.before * p.size});
        }
      std::ranges::sort(cuts);
      for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
        if (cuts[c] == cuts[c + 1]) continue;
        if (cuts[c + 1] % cuts[c] != 0)
          throw ParseError("parts of an axis must follow one another; got others of \"" + axis.name + "\".");
        pieces.push_back({i, cuts[c], cuts[c + 1]});
      }
    }
    if (!mesh.device_ids.empty() && static_cast<std::int64_t>(mesh.device_ids.size()) != devices)
      throw ParseError("a mesh must name each of its devices; got " + std::to_string(mesh.device_ids.size()) + " for " +
                       std::to_string(devices) + ".");
    std::vector<std::size_t> along;
    for (const AxisPart& p : parts) {
      const auto axis = std::ranges::find(mesh.axes, p.name, &Axis::name);
      if (axis == mesh.axes.end()) throw ParseError("the mesh must have the axis; got \"" + p.name + "\".");
      const std::int64_t to = p.size > 0 ? p.before * p.size : axis->size;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        Piece& piece = pieces[i];
        if (piece.axis != static_cast<std::size_t>(axis - mesh.axes.begin()) || piece.from < p.before || piece.to > to)
          continue;
        if (piece.used) throw ParseError("groups must run along an axis once; got \"" + p.name + "\" again.");
        piece.used = true;
        along.push_back(i);
      }
    }
    std::vector<std::int64_t> strides(pieces.size(), 1);
    for (std::size_t i = pieces.size(); i-- > 1;) strides[i - 1] = strides[i] * pieces[i].size();
    // Offsets of all combinations of positions along some pieces, the last fastest.
    const auto offsets = [&](std::span<const std::size_t> chosen) {
      std::vector<std::int64_t> all{0};
      for (const std::size_t i : chosen) {
        std::vector<std::int64_t> next;
        for (const std::int64_t base : all)
          for (std::int64_t k = 0; k < pieces[i].size(); ++k) next.push_back(base + k * strides[i]);
        all = std::move(next);
      }
      return all;
    };
    std::vector<std::size_t> across;
    for (std::size_t i = 0; i < pieces.size(); ++i)
      if (!pieces[i].used) across.push_back(i);
    std::vector<Dims> groups;
    const std::vector<std::int64_t> members = offsets(along);
    for (const std::int64_t first : offsets(across)) {
      Dims& group = groups.emplace_back();
      for (const std::int64_t m : members) {
        const std::int64_t at = first + m;
        group.push_back(mesh.device_ids.empty() ? at : mesh.device_ids[static_cast<std::size_t>(at)]);
      }
    }
    return groups;
  }

  const Module& module_;
  Lexer in_;
};

std::vector<Dims> read_replica_groups(const AttributeReader& from) {
  const Attribute& a = from.required("replica_groups");
  if (a.kind != Attribute::Kind::kOther || !a.text.starts_with(kMeshAxes)) return from.matrix("replica_groups");
  try {
    return MeshReader(from.module, std::string_view(a.text).substr(kMeshAxes.size())).groups();
  } catch (const ParseError& e) {
    fail_at(from.module, a.place, from.op.name + ": replica_groups: " + e.message());
  }
}

}  // namespace

ProcessGroups read_groups(const AttributeReader& from) {
  ProcessGroups g;
  if (from.has("replica_groups")) g.replica_groups = read_replica_groups(from);
  g.channel_id = read_channel(from).first;
  g.use_global_device_ids = from.flag("use_global_device_ids");
  return g;
}

}  // namespace weft::stablehlo

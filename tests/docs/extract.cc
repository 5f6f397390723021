// Turns the C++ blocks of one Markdown page into source files: weft_docs_extract <page.md> <name> <out.cc>
// <program.cc>...
//
// It knows the conventions of HACKING.md ("Documentation") and nothing of Weft. What is wrong with a page becomes a
// fault in the generated table, so that the page's test reports it. Invariant: every C++ block is compiled, and every
// block of output belongs to exactly one C++ block.
#include <cctype>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Block {
  std::string info;  // what stands behind the backquotes
  std::string text;
  int line = 0;             // of the first line of text
  bool follows_on = false;  // only blank lines since the block before
};

struct Page {
  std::vector<Block> blocks;
  std::vector<std::pair<int, std::string>> links;
  std::vector<std::pair<int, std::string>> faults;
};

bool starts_with(const std::string& s, const std::string& with) { return s.compare(0, with.size(), with) == 0; }

bool is_blank(const std::string& s) { return s.find_first_not_of(" \t\r") == std::string::npos; }

// The targets of [text](target) in a line, without code in backquotes.
void find_links(std::string line, int number, Page& page) {
  for (std::size_t from; (from = line.find('`')) != std::string::npos;) {
    const auto to = line.find('`', from + 1);
    line.erase(from, to == std::string::npos ? to : to - from + 1);
  }
  for (std::size_t at = 0; (at = line.find("](", at)) != std::string::npos; ++at) {
    const auto end = line.find(')', at);
    if (end == std::string::npos) {
      page.faults.emplace_back(number, "a link must end on its line");
      return;
    }
    std::string target = line.substr(at + 2, end - at - 2);
    target = target.substr(0, target.find('#'));
    if (!target.empty() && target.find("://") == std::string::npos) page.links.emplace_back(number, target);
  }
}

Page read(std::istream& in) {
  Page page;
  std::string line;
  bool inside = false, only_blank = false;
  for (int number = 1; std::getline(in, line); ++number) {
    const bool fence = starts_with(line, "```");
    if (inside && fence) {
      inside = false;
      only_blank = true;
    } else if (inside) {
      page.blocks.back().text += line + "\n";
    } else if (fence) {
      page.blocks.push_back({line.substr(3), "", number + 1, only_blank});
      inside = true;
    } else {
      if (line.find("```") != std::string::npos)
        page.faults.emplace_back(number, "a block must begin at the start of its line");
      only_blank = only_blank && is_blank(line);
      find_links(line, number, page);
    }
  }
  if (inside) page.faults.emplace_back(page.blocks.back().line, "the block never ends");
  return page;
}

std::string quoted(const std::string& s) {
  std::string r = "\"";
  for (const char c : s) {
    if (c == '\n')
      r += "\\n\"\n    \"";
    else if (c == '"' || c == '\\')
      r += std::string("\\") + c;
    else if (c == '?')
      r += "\\?";
    else
      r += c;
  }
  return r + "\"";
}

// Moves #include lines from `text` to `includes`; the other lines keep their numbers.
std::string hoist_includes(const std::string& text, std::string& includes) {
  std::istringstream in(text);
  std::string line, rest;
  while (std::getline(in, line)) {
    const bool include = starts_with(line, "#include");
    (include ? includes : rest) += line + "\n";
    if (include) rest += "\n";
  }
  return rest;
}

class Writer {
 public:
  Writer(Page page, std::string path) : page_(std::move(page)), path_(std::move(path)) {}

  void run() {
    for (std::size_t i = 0; i < page_.blocks.size(); ++i) {
      const Block& b = page_.blocks[i];
      const bool has_text =
          i + 1 < page_.blocks.size() && page_.blocks[i + 1].info == "text" && page_.blocks[i + 1].follows_on;
      const std::string* text = has_text ? &page_.blocks[i + 1].text : nullptr;
      if (one(b, text) && text) ++i;
    }
  }

  void write(std::ostream& out, const std::string& name) const {
    out << "// Made from " << path_ << ".\n#include \"docs/snippet.h\"\n"
        << includes_ << "\nnamespace np = weft::np;\nusing weft::Array;\n\nnamespace {\n"
        << code_ << "}  // namespace\n\n"
        << "extern const weft::docs::Page " << name << ";\n"
        << "const weft::docs::Page " << name << " = {\n  " << quoted(path_) << ",\n  {\n"
        << table_ << "  },\n  {\n";
    for (const auto& [line, target] : page_.links) out << "    {" << line << ", " << quoted(target) << "},\n";
    out << "  },\n  {\n";
    for (const auto& [line, fault] : page_.faults) out << "    {" << line << ", " << quoted(fault) << "},\n";
    out << "  },\n};\n";
  }

  const std::vector<std::string>& programs() const { return programs_; }

 private:
  // Whether a text block that follows is this block's.
  bool one(const Block& b, const std::string* text) {
    const std::string at_line = "#line " + std::to_string(b.line) + " " + quoted(path_) + "\n";
    std::string marker;
    if (b.info == "text") return fault(b, "a text block must directly follow the C++ block whose output it is");
    for (const char* known : {"console", "sh", "cmake", "json", "python"})
      if (b.info == known) return false;
    if (starts_with(b.info, "cpp ")) {
      marker = b.info.substr(4);
    } else if (b.info != "cpp") {
      return fault(b, "unknown kind of block '" + b.info + "'");
    }
    if (marker == "decl") {
      code_ += at_line + hoist_includes(b.text, includes_);
      return false;
    }
    const bool throws = starts_with(marker, "throws="), no_run = marker == "no-run";
    if (!marker.empty() && !throws && !no_run) return fault(b, "unknown marker '" + marker + "'");
    const bool program = b.text.find("int main(") != std::string::npos;
    if (program) {
      if (throws) return fault(b, "a program is not checked for what it throws");
      programs_.push_back(at_line + b.text);
      if (!no_run) add(b, "nullptr", "", text, static_cast<int>(programs_.size()));
    } else {
      const std::string function = "snippet_" + std::to_string(b.line);
      code_ += "[[maybe_unused]] void " + function + "() {\n" + at_line + hoist_includes(b.text, includes_) + "}\n";
      if (!no_run) add(b, function, throws ? marker.substr(7) : "", text, 0);
    }
    return !no_run;
  }

  void add(const Block& b, const std::string& function, const std::string& throws, const std::string* text,
           int program) {
    std::ostringstream row;
    row << "    {" << b.line << ", " << function << ", " << quoted(throws) << ", "
        << (text ? quoted(*text) : std::string("nullptr")) << ", " << program << "},\n";
    table_ += row.str();
  }

  bool fault(const Block& b, const std::string& what) {
    page_.faults.emplace_back(b.line, what);
    return false;
  }

  Page page_;
  std::string path_, includes_, code_, table_;
  std::vector<std::string> programs_;
};

void save(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw std::runtime_error("weft_docs_extract <page.md> <name> <out.cc> <program.cc>...");
    std::ifstream in(argv[1], std::ios::binary);
    if (!in) throw std::runtime_error(std::string("cannot read ") + argv[1]);
    Writer writer(read(in), argv[1]);
    writer.run();
    std::ostringstream out;
    writer.write(out, argv[2]);
    save(argv[3], out.str());
    if (writer.programs().size() != static_cast<std::size_t>(argc - 4))
      throw std::runtime_error(std::string(argv[1]) + " has " + std::to_string(writer.programs().size()) +
                               " programs, but CMake counted " + std::to_string(argc - 4) + " lines with 'int main('");
    for (std::size_t i = 0; i < writer.programs().size(); ++i) save(argv[4 + i], writer.programs()[i]);
  } catch (const std::exception& e) {
    std::cerr << "weft_docs_extract: " << e.what() << "\n";
    return 1;
  }
}

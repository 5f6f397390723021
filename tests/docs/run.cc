// Runs the blocks of one page: weft_docs_test <page.md>. Prints "<page>:<line>: <what is wrong>" for every block that
// does not do what the page says, and fails if there is one. The table of pages is generated (pages.cc).
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <span>

#include "docs/snippet.h"

namespace weft::docs {

extern const std::span<const Page* const> pages;

namespace {

// What is written to file descriptor 1 while `body` runs. An exception passes through.
template <class F>
std::string printed_by(F&& body) {
  struct Redirected {
    std::FILE* file = std::tmpfile();
    int saved = -1;
    Redirected() {
      if (!file) throw std::runtime_error("cannot make a temporary file");
      flush();
      saved = ::dup(1);
      ::dup2(::fileno(file), 1);
    }
    ~Redirected() {
      restore();
      std::fclose(file);
    }
    static void flush() {
      std::cout.flush();
      std::fflush(stdout);
    }
    void restore() {
      if (saved < 0) return;
      flush();
      ::dup2(saved, 1);
      ::close(std::exchange(saved, -1));
    }
  } redirected;
  body();
  redirected.restore();
  std::rewind(redirected.file);
  std::string text;
  for (int c; (c = std::getc(redirected.file)) != EOF;) text += static_cast<char>(c);
  return text;
}

// Places in source differ between a page and its test, and the last line's end is invisible on the page.
std::string comparable(const std::string& text) {
  static const std::regex place(R"([A-Za-z0-9_./-]+\.(cc|cpp|h|hpp|md):[0-9]+)");
  std::string r = std::regex_replace(text, place, "<place>");
  while (!r.empty() && r.back() == '\n') r.pop_back();
  return r;
}

std::string program_path(const Page& page, int number) {
  return std::string(WEFT_DOCS_PROGRAMS) + "/weft_docs_" +
         std::regex_replace(std::string(page.path).substr(sizeof WEFT_DOCS_SOURCE), std::regex("[^A-Za-z0-9]"), "_") +
         "_" + std::to_string(number);
}

// What is wrong with a snippet; empty when all is well.
std::string check(const Page& page, const Snippet& s) {
  const std::string throws = s.throws;
  std::string printed;
  try {
    int status = 0;
    printed = printed_by([&] {
      if (s.run)
        s.run();
      else
        status = std::system(("'" + program_path(page, s.program) + "'").c_str());
    });
    if (status != 0) return "the program fails with status " + std::to_string(status);
  } catch (const Error& e) {
    if (e.kind() != throws)
      return std::string(e.kind()) + " is thrown instead of " + (throws.empty() ? "nothing" : throws) + ":\n" +
             e.what();
    if (s.text && comparable(e.what()).find(comparable(s.text)) == std::string::npos)
      return std::string("the error reads:\n") + e.what();
    return "";
  } catch (const std::exception& e) {
    return std::string("an exception is thrown that is not Weft's: ") + e.what();
  }
  if (!throws.empty()) return throws + " is not thrown";
  if (s.text && comparable(printed) != comparable(s.text)) return "the output is:\n" + printed;
  return "";
}

int run(const Page& page) {
  int wrong = 0;
  const auto report = [&](int line, const std::string& what) {
    std::cout << page.path << ":" << line << ": " << what << "\n";
    ++wrong;
  };
  for (const auto& [line, fault] : page.faults) report(line, fault);
  const std::filesystem::path folder = std::filesystem::path(page.path).parent_path();
  for (const auto& [line, target] : page.links)
    if (!std::filesystem::exists(folder / target)) report(line, std::string("there is no file ") + target);
  for (const Snippet& s : page.snippets)
    if (const std::string what = check(page, s); !what.empty()) report(s.line, what);
  std::cout << page.snippets.size() << " blocks ran, " << wrong << " mistakes.\n";
  return wrong != 0;
}

}  // namespace
}  // namespace weft::docs

int main(int argc, char** argv) {
  for (const weft::docs::Page* page : weft::docs::pages)
    if (argc == 2 && std::string(argv[1]) == page->path) return weft::docs::run(*page);
  std::cerr << "usage: weft_docs_test <page.md>, one of\n";
  for (const weft::docs::Page* page : weft::docs::pages) std::cerr << "  " << page->path << "\n";
  return 2;
}

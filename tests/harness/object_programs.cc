#include "harness/object_programs.h"

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

#include "harness/files.h"
#include "weft/base/error.h"

namespace weft::testing {

namespace {

namespace fs = std::filesystem;

struct Finished {
  int status;
  std::string text;
};
Finished run_command(const std::string& command) {
  Finished f{-1, {}};
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return f;
  char part[4096];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe)) f.text.append(part, n);
  f.status = pclose(pipe);
  return f;
}
void must_run(const std::string& command) {
  const Finished f = run_command(command);
  if (f.status == 0) return;
  const std::string how = WIFSIGNALED(f.status) ? std::string("signal ") + strsignal(WTERMSIG(f.status))
                                                : "exit status " + std::to_string(WEXITSTATUS(f.status));
  throw std::runtime_error(command + "\nended with " + how + ":\n" + f.text);
}
bool have(const std::string& program) { return run_command("command -v " + program).status == 0; }

// A folder that goes with everything in it.
class WorkFolder {
 public:
  WorkFolder() {
    std::string name = (fs::temp_directory_path() / "weft_objects.XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make the folder " + name);
    path_ = name;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::string str() const { return path_.string(); }

 private:
  fs::path path_;
};

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

// {{bytes, alignment}, ...}, as C.
std::string array_table(const std::string& name, std::span<const Aval> avals) {
  std::string s = "static const struct array " + name + "[] = {";
  for (const Aval a : avals)
    s += "{" + std::to_string(a.bytes()) + ", " + std::to_string(byte_size(real_dtype(a.dtype()))) + "}, ";
  return s + "{0, 0}};\n";
}

bool is_x86() {
#if defined(__x86_64__)
  return true;
#else
  return false;
#endif
}
bool runs_level(int level) {
#if defined(__x86_64__)
  switch (level) {
    case 2: return __builtin_cpu_supports("x86-64-v2") != 0;
    case 3: return __builtin_cpu_supports("x86-64-v3") != 0;
    default: return __builtin_cpu_supports("x86-64-v4") != 0;
  }
#else
  return level < 0;
#endif
}

}  // namespace

const std::vector<ObjectTarget>& object_targets() {
  static const std::vector<ObjectTarget> all = [] {
    std::vector<ObjectTarget> targets;
    for (const int level : {2, 3, 4}) {
      const std::string name = "x86-64-v" + std::to_string(level);
      targets.push_back({name, "x86_64-linux-gnu", name, WEFT_TEST_COMPILER, "", ""});
      if (!is_x86() || !runs_level(level)) targets.back().missing = "this machine is no " + name;
    }
    targets.push_back({"aarch64", "aarch64-linux-gnu", "", "aarch64-linux-gnu-gcc", "qemu-aarch64-static", ""});
    for (const std::string* program : {&targets.back().compiler, &targets.back().emulator})
      if (!have(*program))
        targets.back().missing = "there is no " + *program + " (tools/install_deps.sh --cross installs it)";
    return targets;
  }();
  return all;
}

bool has_object(const RandomProgram& program) {
  try {
    make_object(program, object_targets().front(), "p");
    return true;
  } catch (const BackendError&) {
    return false;
  }
}

ObjectFile make_object(const RandomProgram& program, const ObjectTarget& target, const std::string& name) {
  ObjectOptions options;
  options.name = name;
  options.triple = target.triple;
  options.cpu = target.cpu;
  return executable(program.jaxpr)->object(options, {});
}

std::vector<std::vector<Array>> run_objects(std::span<const RandomProgram> programs, const ObjectTarget& target) {
  const WorkFolder work;
  std::string includes, tables, list, input, objects;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const std::string name = "p" + std::to_string(i), upper = "P" + std::to_string(i);
    const ObjectFile file = make_object(programs[i], target, name);
    write_file(work / (name + ".o"), file.object);
    write_file(work / (name + ".h"), file.header);
    includes += "#include \"" + name + ".h\"\n";
    const ir::Avals in = programs[i].jaxpr.input_avals(), out = programs[i].jaxpr.output_avals();
    tables += array_table(name + "_in", in) + array_table(name + "_out", out);
    list += "  {" + name + ", " + upper + "_WORKSPACE_BYTES, " + std::to_string(in.size()) + ", " + name + "_in, " +
            std::to_string(out.size()) + ", " + name + "_out},\n";
    for (const Array& x : programs[i].inputs) {
      const auto host = x.host("test");
      input.append(host.view.as<char>(), static_cast<std::size_t>(x.nbytes()));
    }
    objects += " " + (work / (name + ".o")).string();
  }
  write_file(work / "table.h", includes + tables + "static const struct program programs[] = {\n" + list + "};\n");
  write_file(work / "in", input);
  const std::string program = (work / "program").string();
  // Without libm: on these machines nothing is left that needs it.
  must_run(target.compiler + " -x c -std=c11 -O1 -Wall -Wextra -Werror -I" + work.str() +
           " " WEFT_TEST_FOLDER "/harness/object_driver.c -x none" + objects + " -static -o " + program);
  must_run(target.emulator + " " + program + " " + (work / "in").string() + " " + (work / "out").string());
  const std::string output = read_file(work / "out");
  std::vector<std::vector<Array>> results;
  std::size_t at = 0;
  for (const RandomProgram& p : programs) {
    results.emplace_back();
    for (const Aval a : p.jaxpr.output_avals()) {
      if (at + static_cast<std::size_t>(a.bytes()) > output.size()) throw std::runtime_error("too few results");
      results.back().push_back(
          Array::copy(a.dtype(), Shape(a.shape()), output.data() + at, static_cast<std::size_t>(a.size())));
      at += static_cast<std::size_t>(a.bytes());
    }
  }
  return results;
}

}  // namespace weft::testing

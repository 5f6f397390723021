#include "train/csv_writer.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "train/csv_rows.h"
#include "train/file.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

CsvWriter::CsvWriter(const std::string& path, SourceLocation loc) : path_(path) {
  const LocationScope scope(loc, "csv_writer");
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty()) make_folders(folder);
  const std::string title = std::string(kCsvTitle) + "\n";
  bool is_new = true;
  if (file_exists(path)) {
    const std::vector<std::byte> bytes = read_file(path);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!title.starts_with(text.substr(0, title.size())))
      throw ParseError("csv_writer: " + path + " must begin with the line step,name,value; got another file.");
    is_new = text.size() < title.size();
    std::size_t whole = 0;
    for (std::size_t end = 0; !is_new && (end = csv_row_end(text, whole)) != std::string_view::npos;) whole = end + 1;
    std::error_code error;
    if (whole != text.size()) std::filesystem::resize_file(path, whole, error);
    if (error) throw BackendError("csv_writer: " + path + " must be writable; got \"" + error.message() + "\".");
  }
  file_.reset(std::fopen(path.c_str(), "abe"));
  if (!file_)
    throw BackendError("csv_writer: " + path + " must be writable; got \"" + std::generic_category().message(errno) +
                       "\".");
  if (is_new) append(title);
}

void CsvWriter::append(const std::string& text) {
  if (!file_) throw ValueError("csv_writer: a writer must be open when it is written to; got a closed one.");
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size())
    throw BackendError("csv_writer: " + path_ + " must be writable; got \"" + std::generic_category().message(errno) +
                       "\".");
}

void CsvWriter::write_scalars(std::int64_t step, const Scalars& scalars) {
  std::string rows;
  for (const auto& [name, value] : scalars)
    rows += number_str(step) + "," + csv_field(name) + "," + number_str(value) + "\n";
  append(rows);
}

void CsvWriter::flush() {
  append("");
  if (std::fflush(file_.get()) != 0)
    throw BackendError("csv_writer: " + path_ + " must be writable; got \"" + std::generic_category().message(errno) +
                       "\".");
}

void CsvWriter::close() {
  if (!file_) return;
  flush();
  file_.reset();
}

}  // namespace weft::train

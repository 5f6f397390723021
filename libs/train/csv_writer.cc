#include "train/csv_writer.h"

#include <cerrno>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include "train/csv_rows.h"
#include "train/durable_file.h"
#include "train/file.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

CsvWriter::CsvWriter(const std::string& path, std::optional<std::int64_t> last_step, SourceLocation loc) : path_(path) {
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
    std::string kept;  // whole rows up to the last step
    for (std::size_t at = 0, end = 0; !is_new && (end = csv_row_end(text, at)) != std::string_view::npos;
         at = end + 1) {
      const std::string_view row = text.substr(at, end + 1 - at);
      const auto step = parse_integer<std::int64_t>(row.substr(0, row.find(',')));
      if (!last_step || !step || *step <= *last_step) kept += row;
    }
    if (kept.size() != text.size()) write_durable_file(path, std::as_bytes(std::span(kept)));
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

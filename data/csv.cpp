#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <xgrad/data/csv.hpp>
#include <xgrad/io/file.hpp>

namespace xgrad::inline v0::data {
namespace {

constexpr std::string_view read_op = "read_csv";

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

bool to_number(std::string_view cell, double* value) {
  cell = trimmed(cell);
  if (!cell.empty() && cell.front() == '+') cell.remove_prefix(1);
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), *value);
  return error == std::errc() && end == cell.data() + cell.size();
}

/// Whether a number keeps its value in an integer or truth value of dtype t; floating dtypes round.
bool is_exact(double value, DType t) {
  if (is_floating(t)) return true;
  return dispatch(t, [&]<class T>() {
    // The upper limit of int64 is no double; the power of two above it is.
    constexpr double low = static_cast<double>(std::numeric_limits<T>::lowest());
    constexpr double beyond = 2 * (static_cast<double>(std::numeric_limits<T>::max() / 2) + 1);
    return value >= low && value < beyond && value == std::trunc(value);
  });
}

/// The rows of a text, one at a time.
class Reader {
 public:
  Reader(const std::string& path, std::string_view text, char separator)
      : path_(path), text_(text), separator_(separator) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
  }

  /// The cells of the next row that is not empty; false at the end. `line` is where it begins.
  bool next(std::vector<std::string>* cells, std::int64_t* line) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) line_ += text_[at_++] == '\n';
    cells->clear();
    if (at_ == text_.size()) return false;
    *line = line_;
    while (true) {
      cells->push_back(cell(cells->size() + 1));
      if (at_ == text_.size()) return true;
      const char c = text_[at_++];
      if (c == separator_) continue;
      if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
      ++line_;
      return true;
    }
  }

 private:
  std::string cell(std::size_t column) {
    std::string out;
    if (at_ < text_.size() && text_[at_] == '"') {
      const std::int64_t opened = line_;
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == '"') {
          if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') break;
          ++at_;
        }
        line_ += text_[at_] == '\n';
        out += text_[at_];
      }
      if (at_ == text_.size())
        io::detail::fail(
            read_op, path_,
            fmt::format("line {}, column {}: a quote is opened and never closed", opened, column),
            "close it, or write a quote within a cell twice");
      ++at_;
      if (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r')
        io::detail::fail(read_op, path_,
                         fmt::format("line {}, column {}: text behind a closing quote", line_, column),
                         "write a quote within a cell twice");
      return out;
    }
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r')
      out += text_[at_++];
    return out;
  }

  const std::string& path_;
  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

Csv read_csv(const std::string& path, const CsvOptions& options) {
  if (options.separator == '"' || options.separator == '\n' || options.separator == '\r')
    throw ValueError(read_op, "the separator is a quote or the end of a line: give another, as ',' or ';'");
  const std::vector<std::byte> bytes = io::detail::read_file(read_op, path);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    io::detail::fail(read_op, path, "it is written in UTF-16", "save it as UTF-8");
  Reader reader(path, text, options.separator);
  Csv csv;
  csv.path_ = path;
  csv.options_ = options;
  std::vector<std::string> row;
  std::int64_t line = 0;
  bool more = reader.next(&row, &line);
  if (!more) io::detail::fail(read_op, path, "it has no rows", "check that it is the file you mean");
  if (options.header) {
    for (std::string& name : row) csv.names_.emplace_back(trimmed(name));
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < csv.names_.size(); ++i)
      if (!seen.insert(csv.names_[i]).second)
        io::detail::fail(
            read_op, path,
            fmt::format("line {}, column {}: the name \"{}\" occurs twice", line, i + 1, csv.names_[i]),
            "name each column differently, or read it without a header");
    more = reader.next(&row, &line);
  } else {
    for (std::size_t i = 0; i < row.size(); ++i) csv.names_.push_back(std::to_string(i));
  }
  for (; more; more = reader.next(&row, &line)) {
    if (row.size() != csv.names_.size())
      io::detail::fail(
          read_op, path,
          fmt::format("line {}, column {}: the row has {} cells, the first one {}", line,
                      std::min(row.size(), csv.names_.size()) + 1, row.size(), csv.names_.size()),
          "give every row as many cells, or another .separator");
    csv.lines_.push_back(line);
    for (std::string& cell : row) csv.cells_.push_back(std::move(cell));
  }
  return csv;
}

const std::string& Csv::cell(std::int64_t row, std::int64_t column) const {
  if (row < 0 || row >= rows() || column < 0 || column >= columns())
    throw IndexError("Csv::cell",
                     fmt::format("cell ({}, {}) of a table of {} rows and {} columns: count both from 0", row,
                                 column, rows(), columns()));
  return cells_[static_cast<std::size_t>(row * columns() + column)];
}

std::size_t Csv::column(std::string_view op, std::string_view name) const {
  const auto it = std::find(names_.begin(), names_.end(), name);
  if (it == names_.end())
    throw ValueError(
        op, fmt::format("{} has no column \"{}\": its columns are {}", path_, name, fmt::join(names_, ", ")));
  return static_cast<std::size_t>(it - names_.begin());
}

bool Csv::is_missing(std::string_view cell) const {
  return std::find(options_.missing.begin(), options_.missing.end(), trimmed(cell)) != options_.missing.end();
}

void Csv::fail(std::string_view op, std::size_t row, std::size_t column, std::string_view what,
               std::string_view remedy) const {
  io::detail::fail(
      op, path_,
      fmt::format("line {}, column {} (\"{}\"): {}", lines_[row], column + 1, names_[column], what), remedy);
}

Tensor Csv::values(const std::vector<std::string>& names, const CsvValuesOptions& options) const {
  constexpr std::string_view op = "Csv::values";
  const DType dtype = options.dtype.value_or(default_dtype());
  if (options.fill && !is_exact(*options.fill, dtype))
    throw ValueError(op, fmt::format("fill = {} is no {}: give a value that it has, or a floating .dtype",
                                     *options.fill, name(dtype)));
  std::vector<std::size_t> wanted;
  for (const std::string& name : names) wanted.push_back(column(op, name));
  std::vector<double> out;
  out.reserve(lines_.size() * wanted.size());
  for (std::size_t r = 0; r < lines_.size(); ++r) {
    for (std::size_t c : wanted) {
      const std::string& text = cells_[r * names_.size() + c];
      double value = 0;
      if (is_missing(text)) {
        if (!options.fill)
          fail(op, r, c, "the value is missing", "pass {.fill = …}, or leave the row out of the file");
        value = *options.fill;
      } else if (!to_number(text, &value)) {
        fail(op, r, c, fmt::format("\"{}\" is not a number", text),
             "correct it, or read the column with classes()");
      } else if (!is_exact(value, dtype)) {
        fail(op, r, c, fmt::format("\"{}\" is no {}", text, name(dtype)), "give a wider .dtype, as float64");
      }
      out.push_back(value);
    }
  }
  const Array a = Array::from<double>(out, {rows(), static_cast<std::int64_t>(wanted.size())});
  return Tensor(a.astype(dtype));
}

Tensor Csv::values_without(const std::vector<std::string>& names, const CsvValuesOptions& options) const {
  std::vector<std::string> rest = names_;
  for (const std::string& name : names) {
    column("Csv::values_without", name);
    std::erase(rest, name);
  }
  return values(rest, options);
}

std::vector<std::string> Csv::labels(std::string_view name) const {
  constexpr std::string_view op = "Csv::labels";
  const std::size_t c = column(op, name);
  std::set<std::string> distinct;
  bool numbers = true;
  double value = 0;
  for (std::size_t r = 0; r < lines_.size(); ++r) {
    const std::string& text = cells_[r * names_.size() + c];
    if (is_missing(text))
      fail(op, r, c, "the value is missing", "leave the row out of the file, or name a class for it");
    numbers = to_number(text, &value) && numbers;
    distinct.emplace(trimmed(text));
  }
  std::vector<std::string> labels(distinct.begin(), distinct.end());
  if (numbers)
    std::stable_sort(labels.begin(), labels.end(), [](const std::string& a, const std::string& b) {
      double x = 0, y = 0;
      to_number(a, &x);
      to_number(b, &y);
      return x < y;
    });
  return labels;
}

Tensor Csv::classes(std::string_view name) const {
  const std::vector<std::string> all = labels(name);
  const std::size_t c = column("Csv::classes", name);
  Array out = Array::empty({rows()}, DType::int64);
  for (std::size_t r = 0; r < lines_.size(); ++r) {
    const std::string_view text = trimmed(cells_[r * names_.size() + c]);
    out.mutable_data<std::int64_t>()[r] = std::find(all.begin(), all.end(), text) - all.begin();
  }
  return Tensor(std::move(out));
}

}  // namespace xgrad::inline v0::data

#include <fmt/format.h>

#include <algorithm>
#include <xgrad/core/errors.hpp>
#include <xgrad/io/file.hpp>
#include <xgrad/train/history.hpp>

namespace xgrad::inline v0 {

namespace detail {

void check_separator(std::string_view op, char separator) {
  if (separator == '"' || separator == '\n' || separator == '\r')
    throw ValueError(op, "the separator is a quote or the end of a line: give another, as ',' or ';'");
}

std::string csv_header(const std::vector<std::string>& columns, char separator) {
  std::string line = "epoch";
  for (const std::string& name : columns) line.append(1, separator).append(name);
  return line.append("\n");
}

std::string csv_line(std::size_t epoch, std::span<const double> row, char separator) {
  std::string line = fmt::format("{}", epoch);
  for (const double v : row) line.append(1, separator).append(fmt::format("{}", v));
  return line.append("\n");
}

}  // namespace detail

History::History(std::vector<std::string> columns) : columns_(std::move(columns)) {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (find(columns_[i]) != i)
      throw ValueError("History",
                       fmt::format("two of the columns {} are called \"{}\": give each a name of its "
                                   "own",
                                   fmt::join(columns_, ", "), columns_[i]));
}

std::size_t History::find(std::string_view column) const {
  return static_cast<std::size_t>(std::find(columns_.begin(), columns_.end(), column) - columns_.begin());
}

std::size_t History::require(std::string_view column) const {
  const std::size_t i = find(column);
  if (i < columns_.size()) return i;
  if (columns_.empty())
    throw ValueError("History",
                     fmt::format("there is no column \"{}\", since there are none: take the history "
                                 "that fit returns",
                                 column));
  throw ValueError("History", fmt::format("there is no column \"{}\": choose among {}", column,
                                          fmt::join(columns_, ", ")));
}

std::vector<double> History::operator[](std::string_view column) const {
  std::vector<double> out;
  for (std::size_t i = require(column); i < values_.size(); i += columns_.size()) out.push_back(values_[i]);
  return out;
}

double History::last(std::string_view column) const {
  const std::size_t i = require(column);
  if (values_.empty()) throw ValueError("History", "there is no epoch yet: train for at least one");
  return values_[values_.size() - columns_.size() + i];
}

std::span<const double> History::row(std::size_t epoch) const {
  if (epoch >= epochs())
    throw IndexError("History", fmt::format("epoch {} of {}: epochs count from 0: give a smaller number",
                                            epoch, epochs()));
  return std::span<const double>(values_).subspan(epoch * columns_.size(), columns_.size());
}

void History::append(std::span<const double> row) {
  if (row.size() != columns_.size())
    throw ValueError("History", fmt::format("a row of {} values for {} columns: give one for each of {}",
                                            row.size(), columns_.size(), fmt::join(columns_, ", ")));
  values_.insert(values_.end(), row.begin(), row.end());
}

std::string History::to_csv(char separator) const {
  detail::check_separator("History::to_csv", separator);
  std::string text = detail::csv_header(columns_, separator);
  for (std::size_t e = 0; e < epochs(); ++e) text += detail::csv_line(e, row(e), separator);
  return text;
}

void History::write_csv(const std::string& path) const {
  const std::string text = to_csv();
  const io::detail::Bytes parts[] = {io::detail::bytes_of(text)};
  io::detail::write_file("History::write_csv", path, parts);
}

}  // namespace xgrad::inline v0

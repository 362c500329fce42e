#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::inline v0 {

/// What a fit measured: one row an epoch, one column each for the loss, the metrics, the same of the
/// validation data ("val_loss", "val_accuracy") and the learning rate at the epoch's end ("lr").
class History {
 public:
  History() = default;
  /// Throws ValueError for two columns of one name.
  explicit History(std::vector<std::string> columns);

  const std::vector<std::string>& columns() const { return columns_; }
  /// The number of epochs.
  std::size_t epochs() const { return columns_.empty() ? 0 : values_.size() / columns_.size(); }
  bool has(std::string_view column) const { return find(column) < columns_.size(); }
  /// A column, one value an epoch. Throws ValueError, naming the columns there are, for one that is not
  /// there.
  std::vector<double> operator[](std::string_view column) const;
  /// The last value of a column. Throws as above, and ValueError before the first epoch.
  double last(std::string_view column) const;
  /// A row: the values of epoch `epoch` (from 0), in the order of the columns. Throws IndexError.
  std::span<const double> row(std::size_t epoch) const;

  /// Appends an epoch; one value for each column. Throws ValueError for another number of values.
  void append(std::span<const double> row);

  /// The header "epoch,loss,…", then a line for each epoch, epochs counted from 0 as Keras does. Numbers read
  /// back as the same doubles. Throws ValueError for a quote or a line end as separator.
  std::string to_csv(char separator = ',') const;
  /// Writes `to_csv()` to a file, all or nothing. Throws IoError.
  void write_csv(const std::string& path) const;

 private:
  std::size_t find(std::string_view column) const;
  std::size_t require(std::string_view column) const;

  std::vector<std::string> columns_;
  std::vector<double> values_;  // row-major
};

namespace detail {
/// Throws ValueError, naming `op`, for a separator that would make the file unreadable.
void check_separator(std::string_view op, char separator);
/// One line of `to_csv`, with its end.
std::string csv_header(const std::vector<std::string>& columns, char separator);
std::string csv_line(std::size_t epoch, std::span<const double> row, char separator);
}  // namespace detail

}  // namespace xgrad::inline v0

#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <xgrad/core/tensor.hpp>

/// Tables of comma-separated values (RFC 4180): in as text, out as tensors.
///
///     data::Csv table = data::read_csv("diabetes.csv");
///     Tensor x = table.values({"glucose", "mass", "age"});
///     Tensor y = table.classes("diabetes");             // 0, 1, … in the order of table.labels("diabetes")
namespace xgrad::inline v0::data {

struct CsvOptions {
  bool header = true;  ///< the first row has the names of the columns; else they are "0", "1", …
  char separator = ',';
  /// Cells that stand for a missing value, apart from spaces around them.
  std::vector<std::string> missing = {"", "NA", "NaN", "nan", "null", "?"};
};

struct CsvValuesOptions {
  /// What a missing value becomes; without it, it is an error. NaN says that it is missing.
  std::optional<double> fill = {};
  std::optional<DType> dtype = {};  ///< the default dtype unless given
};

class Csv {
 public:
  const std::vector<std::string>& names() const { return names_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(lines_.size()); }
  std::int64_t columns() const { return static_cast<std::int64_t>(names_.size()); }
  /// The text of a cell. Throws IndexError.
  const std::string& cell(std::int64_t row, std::int64_t column) const;

  /// The columns with these names as numbers, (rows, names). Throws ValueError for a name that is not there,
  /// and IoError, naming file, line and column, for a cell that is no number, or none that an integer dtype
  /// has, or is missing without `.fill`.
  Tensor values(const std::vector<std::string>& names, const CsvValuesOptions& options = {}) const;
  /// All columns, or all but those named.
  Tensor values(const CsvValuesOptions& options = {}) const { return values(names_, options); }
  Tensor values_without(const std::vector<std::string>& names, const CsvValuesOptions& options = {}) const;

  /// The distinct texts of a column, in order: numbers by size, else alphabetically. Throws as `values`.
  std::vector<std::string> labels(std::string_view name) const;
  /// A column as class indices (int64) into `labels(name)`. A missing value is an error.
  Tensor classes(std::string_view name) const;

 private:
  friend Csv read_csv(const std::string& path, const CsvOptions& options);
  std::size_t column(std::string_view op, std::string_view name) const;
  bool is_missing(std::string_view cell) const;
  [[noreturn]] void fail(std::string_view op, std::size_t row, std::size_t column, std::string_view what,
                         std::string_view remedy) const;

  std::string path_;
  CsvOptions options_;
  std::vector<std::string> names_;
  std::vector<std::string> cells_;   // rows × columns
  std::vector<std::int64_t> lines_;  // of the file, on which each row begins
};

/// Reads a file. Cells may be quoted with ", and then hold separators, line ends and quotes written twice.
/// Empty lines are skipped. Throws IoError, naming file, line and column, for a file that cannot be read, a
/// row whose number of cells is not the header's, a quote that is not closed, and names that occur twice.
Csv read_csv(const std::string& path, const CsvOptions& options = {});

}  // namespace xgrad::inline v0::data

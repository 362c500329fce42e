#pragma once
#include <exception>
#include <string>
#include <string_view>

/// Every error that xgrad throws. A message names the operation, the shapes or values involved, what is wrong
/// and what to do: `[matmul] shapes (128, 784) and (500, 10): inner dimensions 784 and 500 differ: make b
/// (784, 10)`. An error is thrown before anything has changed.
namespace xgrad::inline v0 {

/// The base of all errors below. `what()` reads "[op] what is wrong: what to do".
class Error : public std::exception {
 public:
  Error(std::string_view op, std::string_view message)
      : text_(std::string("[").append(op).append("] ").append(message)) {}

  const char* what() const noexcept override { return text_.c_str(); }

  /// Inserts `note` in parentheses before the remedy, the part after the last ": ". Only the first note
  /// counts: it comes from the innermost operation.
  void annotate(std::string_view note);

 protected:
  std::string text_;

 private:
  bool annotated_ = false;
};

/// Shapes that do not fit the operation or each other.
class ShapeError : public Error {
  using Error::Error;
};
/// A dtype that the operation does not take.
class DTypeError : public Error {
  using Error::Error;
};
/// An axis or an index out of range.
class IndexError : public Error {
  using Error::Error;
};
/// An option or a value outside its domain.
class ValueError : public Error {
  using Error::Error;
};
/// A misuse of the tape: a second sweep over freed history, a stale saved value, an unused input.
class GraphError : public Error {
  using Error::Error;
};
/// An array for which the system has no memory. Allocation does not know for which operation it works, and
/// says "[array]"; the operation puts its name there.
class MemoryError : public Error {
 public:
  explicit MemoryError(std::string_view message) : Error(unnamed, message) {}
  /// Only the first name counts: it comes from the innermost operation.
  void name_operation(std::string_view op);

 private:
  static constexpr std::string_view unnamed = "array";
  bool named_ = false;
};
/// A file that cannot be read or written, or whose contents are not what they claim to be.
class IoError : public Error {
  using Error::Error;
};

}  // namespace xgrad::inline v0

#pragma once
#include <array>

#include <xgrad/core/op.hpp>

/// Are the gradients right? `gradcheck` asks it of any function of tensors, `check_op` of an op as
/// core/op.hpp describes it. The author of an op writes one line in a test of their own, and everything that
/// the op's declared traits call for is checked on its `samples()`:
///
///     CHECK(check_op<Log1p>());    // Catch2 prints the report if it fails
///
/// or, without a test framework,
///
///     CheckReport report = check_op<Log1p>();
///     std::puts(report.str().c_str());
///     return report.ok() ? 0 : 1;
///
/// Ops of the library need not even that: tests/ops/walk.cpp checks everything that is registered.
namespace xgrad::inline v0 {

/// Options of `gradcheck`.
struct GradcheckOptions {
  int order = 2;            ///< 1: first derivatives alone; 2: second ones too; and so on
  int directions = 2;       ///< random directions per input
  double step = 1e-4;       ///< of the finite differences, times max(1, |x|)
  double tolerance = 1e-7;  ///< relative to the sum of the magnitudes that the derivative adds up
  std::uint64_t seed = 0;   ///< of directions and cotangents
};

/// What `gradcheck` found.
struct GradcheckResult {
  bool ok = true;
  std::string message =
      {};  ///< which derivative, input and direction, and both numbers; empty if all is well

  explicit operator bool() const { return ok; }
  template <class Stream>
  friend Stream& operator<<(Stream& s, const GradcheckResult& r) {
    s << (r.ok ? std::string("every derivative is right") : r.message);
    return s;
  }
};

namespace detail {
using TensorFunction = Function<std::vector<Tensor>(std::span<const Tensor>)>;
GradcheckResult run_gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const std::vector<bool>& varied, const GradcheckOptions& options,
                              int first_order = 1);

inline std::vector<Tensor> tensor_list(Tensor t) { return {std::move(t)}; }
template <class List>
std::vector<Tensor> tensor_list(const List& list) {
  return std::vector<Tensor>(list.begin(), list.end());
}
}  // namespace detail

/// Compares the derivatives of `f` at `inputs` with central finite differences of the fourth order in
/// float64, along random directions: first derivatives from an unrecorded and from a recorded sweep, and with
/// `.order = 2` the derivatives of the gradient in the inputs and in the cotangents. `f` takes a
/// `std::span<const Tensor>` and returns a Tensor or a list of them, of any shapes; it gets copies of the
/// inputs, floating ones in float64 and the others, which are held fixed, as they are. It must be smooth near
/// the inputs and give the same values each time. Throws ValueError when it does not, when no input is
/// floating, and for options outside their domain.
///
///     GradcheckResult r = gradcheck([](std::span<const Tensor> x) { return tanh(x[0] * x[1]); }, {a, b});
///     if (!r.ok) std::puts(r.message.c_str());
template <class F>
requires std::is_invocable_v<F&, std::span<const Tensor>> GradcheckResult
gradcheck(F f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {}) {
  std::vector<bool> varied;
  for (const Tensor& x : inputs) varied.push_back(x.defined() && is_floating(x.dtype()));
  return detail::run_gradcheck([f](std::span<const Tensor> in) mutable { return detail::tensor_list(f(in)); },
                               inputs, varied, options);
}
/// The same for a function of one tensor.
template <class F>
requires(std::is_invocable_v<F&, const Tensor&> &&
         !std::is_invocable_v<F&, std::span<const Tensor>>) GradcheckResult
    gradcheck(F f, const Tensor& input, const GradcheckOptions& options = {}) {
  return gradcheck([f](std::span<const Tensor> in) mutable { return f(in[0]); }, std::vector<Tensor>{input},
                   options);
}

/// What became of one check on one sample.
struct CheckRecord {
  enum class Outcome : std::uint8_t { passed, failed, left_out };
  std::string_view check;
  std::string sample;  ///< the shapes of the inputs; empty when it is about the op as a whole
  Outcome outcome = Outcome::passed;
  std::string detail = {};  ///< the numbers of a failure, or why the check was left out
};

/// What `check_op` found: a record for each check that was run on each sample, and one for each that does not
/// apply.
class CheckReport {
 public:
  explicit CheckReport(std::string_view op) : op_(op) {}

  /// Whether nothing failed.
  bool ok() const;
  explicit operator bool() const { return ok(); }
  const std::string& op() const { return op_; }
  const std::vector<CheckRecord>& records() const& { return records_; }
  std::vector<CheckRecord> records() && { return std::move(records_); }
  /// Whether `check` was run, and failed on some sample.
  bool failed(std::string_view check) const;
  /// Failures with their numbers, then how many records passed, then what was left out and why.
  std::string str() const;

  void add(CheckRecord r) { records_.push_back(std::move(r)); }

  template <class Stream>
  friend Stream& operator<<(Stream& s, const CheckReport& r) {
    s << r.str();
    return s;
  }

 private:
  std::string op_;
  std::vector<CheckRecord> records_;
};

/// The names of all checks, in the order in which they run.
std::vector<std::string_view> check_names();

/// Runs every check that the op's traits imply, or of these only those named in `only`. An implied check that
/// leaves no record of having run is itself recorded as a failure. Throws ValueError for a name that is no
/// check's.
CheckReport check_op(const OpInfo& op, const std::vector<std::string_view>& only = {});
/// The same for an op by its struct.
template <class Op>
CheckReport check_op(const std::vector<std::string_view>& only = {}) {
  detail::check_op_struct<Op>();
  return check_op(detail::op_info<Op>(), only);
}

}  // namespace xgrad::inline v0

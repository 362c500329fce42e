#pragma once
#include <string>
#include <vector>
#include <xgrad/core/check_inputs.hpp>

/// What the checks of an op share: samples with values, and one run of the op forward and backward.
namespace xgrad::inline v0::detail {

/// A sample with values drawn for it.
struct Case {
  std::string name;  // for the report: "sample 0: (3, 4) (4,)"
  Sample sample;
  std::vector<Array> x;
  std::vector<Array> results;     // float64
  std::vector<Array> cotangents;  // one for each result; undefined for results that are not floating

  bool differentiable_in(std::size_t i) const {
    return sample.inputs()[i].kind == SampleInput::Kind::floating && !sample.inputs()[i].constant;
  }
  int differentiable_inputs() const;
  int floating_results() const;
};

/// Draws values for the sample and runs the op once.
Case make_case(const OpInfo& op, const Sample& s, std::string name, std::uint64_t seed);
/// The same sample with other shapes for its inputs.
Case reshaped_case(const OpInfo& op, const Case& c, const std::vector<Shape>& shapes, std::uint64_t seed);

/// Results and gradients of a run.
struct Run {
  std::vector<Array> results;
  std::vector<Array> grads;  // one for each input; undefined where none was wanted
};
struct RunOptions {
  bool recorded = false;  // the sweep
  int only_input = -1;    // want the gradient of this input alone
  int only_result = -1;   // a cotangent for this result alone
};
/// Runs the op on `x`. With cotangents and an input to differentiate in, sweeps too.
Run run_op(const OpInfo& op, const Case& c, const std::vector<Array>& x, const std::vector<Array>& cotangents,
           const RunOptions& options = {});

/// The reference's results on `x`; empty if the op has no reference.
std::vector<Array> expected_results(const OpInfo& op, const Case& c, const std::vector<Array>& x);

/// Empty if all results and gradients agree, else which one does not, and how. `spread`, if given: of each
/// result, then of each gradient.
std::string run_difference(const Run& got, const Run& expected, const Tolerance& tolerance,
                           const std::vector<std::vector<double>>& spread = {});
std::string results_difference(const std::vector<Array>& got, const std::vector<Array>& expected,
                               const Tolerance& tolerance);

}  // namespace xgrad::inline v0::detail

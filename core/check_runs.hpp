#pragma once
#include <algorithm>
#include <limits>
#include <xgrad/core/check.hpp>
#include <xgrad/core/check_cases.hpp>

/// The checks that core/check.cpp lists. Each `check_…` looks at one sample and returns what is wrong, or an
/// empty string; each `run_…` picks the samples itself and records the outcomes.
namespace xgrad::inline v0::detail {

inline constexpr double eps64 = std::numeric_limits<double>::epsilon();
inline constexpr double eps32 = std::numeric_limits<float>::epsilon();
/// For the same computation in another order.
inline constexpr Tolerance reordered{.relative = 256 * eps64, .absolute = 16 * eps64};

struct Context {
  const OpInfo& op;
  std::vector<Case> cases;        // the op's own samples
  std::vector<Case> large_cases;  // those marked `large`
  std::uint64_t seed;
  CheckReport& report;
  std::string_view check;  // the one that runs

  bool elementwise() const { return op.scalar_reference != nullptr; }
  bool has_reference() const { return elementwise() || op.array_reference != nullptr; }
  bool any(bool (*applies)(const Case&)) const { return std::any_of(cases.begin(), cases.end(), applies); }

  /// Runs `f`, which returns what is wrong, and records the outcome.
  template <class F>
  void record(const std::string& sample, F&& f) {
    std::string detail;
    try {
      detail = f();
    } catch (const std::exception& e) {
      detail = std::string("threw ") + e.what();
    }
    const auto outcome = detail.empty() ? CheckRecord::Outcome::passed : CheckRecord::Outcome::failed;
    report.add({check, sample, outcome, std::move(detail)});
  }
  /// Runs `f` on each sample that it applies to; on large ones only if it says so.
  void each(std::string (*f)(const Context&, const Case&), bool (*applies)(const Case&), bool large = false) {
    for (const Case& c : cases)
      if (applies(c)) record(c.name, [&] { return f(*this, c); });
    if (!large) return;
    for (const Case& c : large_cases)
      if (applies(c)) record(c.name, [&] { return f(*this, c); });
  }
  /// Runs `f` on each sample with these shapes instead; input i takes shape i, round and round.
  void each_as(const std::vector<Shape>& shapes, std::string (*f)(const Context&, const Case&)) {
    for (const Case& c : cases) {
      std::vector<Shape> own;
      for (std::size_t i = 0; i < c.x.size(); ++i) own.push_back(shapes[i % shapes.size()]);
      record(c.name, [&] { return f(*this, reshaped_case(op, c, own, seed)); });
    }
  }
};

// Which samples a check applies to.
inline bool differentiable(const Case& c) {
  return c.differentiable_inputs() > 0 && c.floating_results() > 0;
}
inline bool always(const Case&) { return true; }
inline int floating_inputs(const Case& c) {
  return static_cast<int>(
      std::count_if(c.x.begin(), c.x.end(), [](const Array& a) { return is_floating(a.dtype()); }));
}
inline bool has_floating(const Case& c) { return floating_inputs(c) > 0; }
inline bool has_two_floating(const Case& c) { return floating_inputs(c) > 1; }
inline bool has_two_gradients(const Case& c) { return c.differentiable_inputs() > 1; }
inline bool has_two_results(const Case& c) { return c.floating_results() > 1 && differentiable(c); }
/// Channels-last is an order of exactly four axes.
template <int rank>
bool has_rank(const Case& c) {
  return std::any_of(c.x.begin(), c.x.end(),
                     [](const Array& a) { return rank == 4 ? a.rank() == 4 : a.rank() >= rank; });
}
template <bool (*predicate)(const Shape&)>
bool has_input(const Case& c) {
  return std::any_of(c.x.begin(), c.x.end(), [](const Array& a) { return predicate(a.shape()); });
}

inline std::vector<Tensor> tensors(const std::vector<Array>& arrays) {
  std::vector<Tensor> list;
  for (const Array& a : arrays) list.emplace_back(a);
  return list;
}
/// a + b in float64, for arrays of one shape.
Array sum_of(const Array& a, const Array& b);
inline const char* sweep_name(bool recorded) { return recorded ? "recorded" : "unrecorded"; }

// Values and derivatives: core/check_runs.cpp.
std::string check_value(const Context& t, const Case& c);
std::string check_first(const Context& t, const Case& c);
std::string check_second(const Context& t, const Case& c);
/// The unrecorded sweep against the recorded one.
std::string check_kernel(const Context& t, const Case& c);
/// Value and first derivatives: what an input of odd shape has to give.
std::string check_basics(const Context& t, const Case& c);
/// Each input's gradient when no other is wanted.
std::string check_single_inputs(const Context& t, const Case& c);
/// Each result's cotangent when no other arrives.
std::string check_single_results(const Context& t, const Case& c);
/// That nothing writes to inputs and cotangents.
std::string check_untouched(const Context& t, const Case& c);
/// float32 against float64.
std::string check_float32(const Context& t, const Case& c);
/// One input float32, the others float64.
std::string check_mixed(const Context& t, const Case& c);

// Odd inputs: core/check_odd.cpp.
void run_broadcast(Context& t);
/// All inputs and cotangents in `layout`, and one at a time, against row-major ones.
std::string check_layout(const Context& t, const Case& c, Layout layout);
void run_channels_last(Context& t);
/// A cotangent that is one number, broadcast.
std::string check_expanded_cotangent(const Context& t, const Case& c);
/// The same tensor as two inputs, for each pair of inputs that allows it.
void run_twins(Context& t);
bool any_twins(const Context& t);
/// The same bits on 1, 2, 4 and 8 threads, float32 and both sweeps.
void run_threads(Context& t);

}  // namespace xgrad::inline v0::detail

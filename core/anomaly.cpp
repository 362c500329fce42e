#include <cxxabi.h>
#include <execinfo.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <xgrad/core/extras.hpp>

namespace xgrad::inline v0::detail {
namespace {

/// "program(_ZN3foo3barEv+0x12) [0x…]" with the name demangled.
std::string readable(std::string line) {
  const std::size_t open = line.find('('), plus = line.find('+', open);
  if (open == std::string::npos || plus == std::string::npos) return line;
  int status = 0;
  char* text = abi::__cxa_demangle(line.substr(open + 1, plus - open - 1).c_str(), nullptr, nullptr, &status);
  if (status == 0) line.replace(open + 1, plus - open - 1, text);
  std::free(text);
  return line;
}

}  // namespace

bool all_finite(const Tensor& t) {
  const Array a = t.array().contiguous();
  return dispatch(a.dtype(), [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>) {
      const T* p = a.data<T>();
      return std::all_of(p, p + a.numel(), [](T v) { return std::isfinite(v); });
    }
    return true;
  });
}

void note_trace(Node& n) {
  void* frames[32];
  const int count = backtrace(frames, 32);
  char** symbols = backtrace_symbols(frames, count);
  if (symbols == nullptr) return;
  // Frames inside this library, the C library and the program's start say nothing to the user.
  const auto within = [](const std::string& line, auto... names) {
    return ((line.find(names) != std::string::npos) || ...);
  };
  for (int i = 0; i < count; ++i) {
    std::string line = readable(symbols[i]);
    if (!within(line, "xgrad::", "/libxgrad.so", "/libc.so", "(_start+"))
      extras_of(n).trace.push_back(std::move(line));
  }
  std::free(symbols);
}

void check_anomaly(std::string_view op, const Tensor& result, const Tensor* const* inputs, int count) {
  if (all_finite(result)) return;
  std::string names;
  for (int i = 0; i < count; ++i) {
    if (!all_finite(*inputs[i])) return;  // not the first
    names +=
        fmt::format("{}{} of shape {}", i > 0 ? ", " : "", inputs[i]->describe(), inputs[i]->shape().str());
  }
  throw ValueError(
      op, fmt::format("is the first to make a NaN or an infinity, from finite inputs ({}): look at their "
                      "values",
                      names));
}

void check_anomaly(const Node& n, const Tensor* dys, const Tensor* grads) {
  for (int i = 0; i < n.output_count; ++i)
    if (dys[i].defined() && !all_finite(dys[i])) return;  // it began earlier
  for (int i = 0; i < n.edge_count; ++i) {
    if (!grads[i].defined() || all_finite(grads[i])) continue;
    std::string where;
    if (n.extras != nullptr)
      for (const std::string& line : n.extras->trace) where += "\n    " + line;
    throw ValueError(
        n.op_name(),
        fmt::format("the gradient of input {} (shape {}) is the first with a NaN or an infinity, from a "
                    "finite cotangent: look at the values that reach this {}, which was called at{}",
                    i, grads[i].shape().str(), n.op_name(),
                    where.empty() ? " a place that is not known, outside anomaly mode" : where));
  }
}

}  // namespace xgrad::inline v0::detail

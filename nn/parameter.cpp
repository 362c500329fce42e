#include <xgrad/nn/parameter.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <xgrad/core/extras.hpp>
#include <xgrad/core/require.hpp>

namespace xgrad::inline v0::nn {

namespace {

/// -1: the modules' own modes count; else whether to train.
thread_local signed char mode_override = -1;

/// Whether `name` matches `pattern`, where `*` stands for any characters.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, from = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {  // let the last star take one more
      p = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                     [](char c) { return c == '*'; });
}

std::vector<NamedTensor> select(const Parameters& all, std::string_view pattern, bool wanted) {
  std::vector<NamedTensor> some;
  for (const NamedTensor& p : all)
    if (matches(pattern, p.name) == wanted) some.push_back(p);
  return some;
}

}  // namespace

Tensor detail::State::own(std::string_view op, Tensor t, bool requires_grad) {
  xgrad::detail::require_defined(op, t);
  if (requires_grad && !is_floating(t.dtype()))
    throw DTypeError(op, fmt::format("values of shape {} are {}, which cannot be trained: convert them with "
                                     "astype(float32), or make them a Buffer",
                                     t.shape().str(), xgrad::name(t.dtype())));
  // Whoever else can see the memory holds a value, which training must not change.
  if (!t.is_leaf() || !t.impl()->refs.unique() || !t.array().unique() || !t.array().is_dense())
    t = Tensor(t.array().copy());
  t.set_requires_grad(requires_grad);
  xgrad::detail::offer_name(t, {});  // threads may be the first to visit the model at once
  return t;
}

bool Mode::training() const { return mode_override < 0 ? training_ : mode_override != 0; }

ModeOverride::ModeOverride(bool training) : previous_(mode_override) { mode_override = training; }
ModeOverride::~ModeOverride() { mode_override = previous_; }

const Tensor& Parameters::operator[](std::string_view name) const {
  for (const NamedTensor& p : items_)
    if (p.name == name) return p.tensor;
  throw ValueError(
      "parameters",
      fmt::format("none of the {} is called \"{}\": the names are those of the model's fields, as "
                  "in \"hidden.weight\"",
                  items_.size(), name));
}

const NamedTensor& Parameters::operator[](std::size_t i) const {
  if (i >= items_.size())
    throw IndexError("parameters", fmt::format("parameter {} of {}: they count from 0: give a smaller number",
                                               i, items_.size()));
  return items_[i];
}

Parameters Parameters::matching(std::string_view pattern) const {
  return Parameters(select(*this, pattern, true));
}

Parameters Parameters::except(std::string_view pattern) const {
  return Parameters(select(*this, pattern, false));
}

std::int64_t Parameters::numel() const {
  std::int64_t n = 0;
  for (const NamedTensor& p : items_) n += p.tensor.numel();
  return n;
}

}  // namespace xgrad::inline v0::nn

#include <fmt/core.h>

#include <limits>
#include <xgrad/core/errors.hpp>
#include <xgrad/core/shape.hpp>

namespace xgrad::inline v0 {

void Shape::throw_too_long(std::size_t n) {
  throw ShapeError("shape",
                   fmt::format("{} axes: an array has at most {}: merge some with reshape", n, max_rank));
}

void Shape::insert(int at, std::int64_t v) {
  push_back(v);
  for (int i = rank_ - 1; i > at; --i) values_[i] = values_[i - 1];
  values_[at] = v;
}

void Shape::erase(int at) {
  for (int i = at; i + 1 < rank_; ++i) values_[i] = values_[i + 1];
  --rank_;
}

std::string Shape::str() const {
  std::string s = "(";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) s += ", ";
    s += std::to_string(values_[i]);
  }
  return s += rank_ == 1 ? ",)" : ")";
}

Shape row_major_strides(const Shape& s) {
  Shape strides = Shape::filled(s.rank(), 1);
  for (int i = s.rank() - 2; i >= 0; --i) strides[i] = strides[i + 1] * s[i + 1];
  return strides;
}

Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape out = longer;
  const int lead = longer.rank() - shorter.rank();
  for (int i = 0; i < shorter.rank(); ++i) {
    const std::int64_t x = longer[lead + i], y = shorter[i];
    if (x != y && x != 1 && y != 1) {
      throw ShapeError(op,
                       fmt::format("shapes {} and {} do not broadcast: sizes {} and {} at axis {} differ and "
                                   "neither is 1: reshape one of them",
                                   a.str(), b.str(), x, y, i - shorter.rank()));
    }
    out[lead + i] = x == 1 ? y : x;
  }
  return out;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  const int lead = to.rank() - from.rank();
  if (lead < 0) return false;
  for (int i = 0; i < from.rank(); ++i)
    if (from[i] != to[lead + i] && from[i] != 1) return false;
  return true;
}

namespace {

/// `axis` counted from 0 among `count`, which is shape's rank or, `where` there is a new axis, one more.
int counted_from_0(std::string_view op, std::int64_t axis, int count, std::string_view where,
                   const Shape& shape) {
  const std::int64_t a = axis < 0 ? axis + count : axis;
  if (a >= 0 && a < count) return static_cast<int>(a);
  if (count == 0)
    throw IndexError(
        op, fmt::format("axis {} of shape (): it has no axes: leave the axis out, or give the tensor "
                        "one with unsqueeze(0)",
                        axis));
  throw IndexError(op, fmt::format("axis {} is out of range for {} {}: use {} to {}", axis, where,
                                   shape.str(), -count, count - 1));
}

}  // namespace

int normalize_axis(std::string_view op, std::int64_t axis, const Shape& shape) {
  return counted_from_0(op, axis, shape.rank(), "shape", shape);
}

int normalize_new_axis(std::string_view op, std::int64_t axis, const Shape& shape) {
  return counted_from_0(op, axis, shape.rank() + 1, "a new axis of shape", shape);
}

void check_shape(std::string_view op, const Shape& s) {
  std::int64_t n = 1;
  for (std::int64_t d : s) {
    if (d < 0)
      throw ShapeError(op, fmt::format("shape {} has a negative size: make every size 0 or more", s.str()));
    if (d > 0 && n > (std::numeric_limits<std::int64_t>::max() >> 4) / d)
      throw ShapeError(
          op, fmt::format("shape {} has more elements than memory can hold: make it smaller", s.str()));
    n *= d > 0 ? d : 1;
  }
}

unsigned Axes::mask(std::string_view op, const Shape& shape) const {
  if (every_) return (1u << shape.rank()) - 1;
  unsigned m = 0;
  for (std::int64_t axis : list_) {
    const unsigned bit = 1u << normalize_axis(op, axis, shape);
    if (m & bit)
      throw ValueError(op, fmt::format("axis {} of shape {} is named twice in {}: name each once", axis,
                                       shape.str(), str()));
    m |= bit;
  }
  return m;
}

Shape Axes::resolve(std::string_view op, const Shape& shape) const {
  const unsigned m = mask(op, shape);
  Shape out;
  for (int i = 0; i < shape.rank(); ++i)
    if (m >> i & 1) out.push_back(i);
  return out;
}

std::string Axes::str() const { return every_ ? "every axis" : list_.str(); }

}  // namespace xgrad::inline v0

#pragma once
#include <string>
#include <vector>
#include <xgrad/core/registry.hpp>

/// Inputs for the generic checks: random values, unusual layouts, comparisons.
namespace xgrad::inline v0::detail {

/// Random numbers that are the same on every machine (SplitMix64: Steele, Lea and Flood, 2014). The checks
/// need no more, and must not depend on what they check.
class CheckRandom {
 public:
  explicit CheckRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [low, high).
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

/// Values as the sample asks for them: floating ones in float64, integers in int64. Throws ValueError when
/// its ranges leave no room.
std::vector<Array> draw_inputs(std::string_view op, const Sample& s, CheckRandom& random);
/// A cotangent for a result: uniform in [0.5, 1.5] with random signs.
Array draw_cotangent(const Array& like, CheckRandom& random);

/// Ways in which the elements of an array may lie in memory.
enum class Layout : std::uint8_t {
  stepped,        ///< every second element along the last axis, from the second on, with garbage between
  flipped,        ///< backwards along every axis
  transposed,     ///< axes in reverse order; rank 2 at least
  channels_last,  ///< dense, axis 1 innermost; rank 4
  expanded,       ///< the first of each axis 0, repeated with stride 0: other values than the original's
};
/// The elements of `a` in that layout; `a` itself when its rank is too low.
Array laid_out(const Array& a, Layout layout);

/// How far results may be from what is expected, element by element:
/// relative · |expected| + spread · (how much rounding of the inputs moves it) + absolute · the largest
/// |expected|.
struct Tolerance {
  double relative = 0, absolute = 0, spread = 0;
};
/// Empty if `got` has the shape of `expected` and its values within the tolerance (bools and integers:
/// exactly), else what differs. `spread`, if given, has an element for each of `expected`.
std::string difference(const Array& got, const Array& expected, const Tolerance& tolerance,
                       const std::vector<double>& spread = {});

/// The indices of element `i` of an array of shape `s`.
std::string element_name(const Shape& s, std::int64_t i);

}  // namespace xgrad::inline v0::detail

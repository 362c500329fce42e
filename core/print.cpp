#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>
#include <vector>
#include <xgrad/core/print.hpp>

// NumPy's numpy/_core/arrayprint.py (version 2.4), for its default options.
namespace xgrad::inline v0 {
namespace {

constexpr int precision = 8;
constexpr std::size_t line_width = 75;
constexpr std::int64_t threshold = 1000;
constexpr std::int64_t edge_items = 3;

/// Indices along an axis of `n` that are shown; -1 stands for "...".
std::vector<std::int64_t> shown(std::int64_t n, bool summarize) {
  std::vector<std::int64_t> list;
  for (std::int64_t i = 0; i < n; ++i) {
    if (summarize && n > 2 * edge_items && i == edge_items) {
      list.push_back(-1);
      i = n - edge_items;
    }
    list.push_back(i);
  }
  return list;
}

// ---- numbers ----------------------------------------------------------------------------------------------

/// ±d.ddd… · 10^exponent, the fewest digits that give the number back.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};

template <class T>
Decimal shortest(T x) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::scientific).ptr;
  Decimal d;
  const char* p = buffer;
  if (*p == '-') d.negative = true, ++p;
  for (; *p != 'e'; ++p)
    if (*p != '.') d.digits += *p;
  p += p[1] == '+' ? 2 : 1;
  std::from_chars(p, end, d.exponent);
  return d;
}

/// A number as text before and after the point, without the zeros at its end; `exponent` only in scientific
/// form.
struct Text {
  std::string whole, fraction, exponent;
};

void trim_zeros(std::string& s) { s.erase(s.find_last_not_of('0') + 1); }

/// "-12" "5" for -12.5, correctly rounded to at most `most` digits after the point.
template <class T>
Text positional(T x, int most) {
  Decimal d = shortest(x);
  Text t;
  if (static_cast<int>(d.digits.size()) - 1 - d.exponent > most) {
    char buffer[512];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::fixed, most).ptr;
    const std::string s(buffer, end);
    const std::size_t point = s.find('.');
    t = {s.substr(0, point), s.substr(point + 1), ""};
  } else {
    const std::size_t whole = static_cast<std::size_t>(std::max(d.exponent + 1, 0));
    if (d.digits.size() < whole) d.digits.append(whole - d.digits.size(), '0');
    t.whole = (d.negative ? "-" : "") + (whole == 0 ? "0" : d.digits.substr(0, whole));
    if (d.exponent < 0) t.fraction.assign(static_cast<std::size_t>(-d.exponent - 1), '0');
    t.fraction += d.digits.substr(whole);
  }
  trim_zeros(t.fraction);
  return t;
}

/// "-1" "25" "+03" for -1250. Digits beyond the shortest ones, up to `least` after the point, are those of
/// the number itself: 0.1f with eight of them is 1.00000001e-01.
template <class T>
Text scientific(T x, int most, int least = 0) {
  const int digits = static_cast<int>(shortest(x).digits.size()) - 1;
  const auto form = std::chars_format::scientific;
  char buffer[512];
  char* const end = buffer + sizeof buffer;
  const bool enough = digits >= least && digits <= most;
  const auto stop = enough ? std::to_chars(buffer, end, x, form)
                           : std::to_chars(buffer, end, x, form, digits > most ? most : least);
  const std::string s(buffer, stop.ptr);
  const std::size_t e = s.find('e'), point = std::min(s.find('.'), e);
  Text t{s.substr(0, point), point < e ? s.substr(point + 1, e - point - 1) : "", s.substr(e + 1)};
  trim_zeros(t.fraction);
  return t;
}

std::string padded_left(const std::string& s, std::size_t width) {
  return s.size() < width ? std::string(width - s.size(), ' ') + s : s;
}

template <class T>
std::string nonfinite(T x) {
  return std::isnan(x) ? "nan" : x < 0 ? "-inf" : "inf";
}

/// How all elements of an array are written: the columns of its widest numbers.
template <class T>
class Format {
 public:
  explicit Format(const std::vector<T>& values) {
    if constexpr (std::is_floating_point_v<T>)
      fit(values);
    else if constexpr (!std::is_same_v<T, bool>)
      for (T v : values) left_ = std::max(left_, std::to_string(v).size());
  }

  std::string operator()(T x) const {
    if constexpr (std::is_same_v<T, bool>) {
      return x ? " True" : "False";
    } else if constexpr (!std::is_floating_point_v<T>) {
      return padded_left(std::to_string(x), left_);
    } else {
      if (!std::isfinite(x)) return padded_left(nonfinite(x), left_ + 1 + right_);
      if (scientific_) {
        const int digits = static_cast<int>(fraction_);
        Text t = scientific(x, digits, digits);
        t.fraction.resize(fraction_, '0');
        std::string power = t.exponent.substr(1);
        if (power.size() < exponent_) power.insert(0, exponent_ - power.size(), '0');
        return padded_left(t.whole, left_) + "." + t.fraction + "e" + t.exponent[0] + power;
      }
      Text t = positional(x, precision);
      t.fraction.resize(right_, ' ');
      return padded_left(t.whole, left_) + "." + t.fraction;
    }
  }

 private:
  void fit(const std::vector<T>& values) {
    // NumPy decides in the array's own precision.
    T largest = 0, smallest = 0;
    bool any = false;
    for (T v : values) {
      const T size = std::abs(v);
      if (!std::isfinite(v) || size == 0) continue;
      largest = any ? std::max(largest, size) : size;
      smallest = any ? std::min(smallest, size) : size;
      any = true;
    }
    constexpr T too_large = sizeof(T) == 4 ? T(1e6) : T(1e8);
    scientific_ = any && (largest >= too_large || smallest < T(1e-4) || largest / smallest > T(1000));
    bool all_finite = true, minus_infinity = false;
    for (T v : values) {
      if (!std::isfinite(v)) {
        all_finite = false;
        minus_infinity |= std::isinf(v) && v < 0;
        continue;
      }
      const Text t = scientific_ ? scientific(v, precision) : positional(v, precision);
      left_ = std::max(left_, t.whole.size());
      fraction_ = std::max(fraction_, t.fraction.size());
      if (scientific_) exponent_ = std::max(exponent_, t.exponent.size() - 1);
    }
    right_ = scientific_ ? exponent_ + 2 + fraction_ : fraction_;
    if (!all_finite) {
      const std::size_t room = (minus_infinity ? 4 : 3);
      if (room > right_ + 1) left_ = std::max(left_, room - right_ - 1);
    }
  }

  bool scientific_ = false;
  std::size_t left_ = 0, right_ = 0;  // characters before and after the point
  std::size_t fraction_ = 0, exponent_ = 0;
};

/// A 0-d array: NumPy's scalar.
template <class T>
std::string scalar_text(T x) {
  if constexpr (std::is_same_v<T, bool>) {
    return x ? "True" : "False";
  } else if constexpr (!std::is_floating_point_v<T>) {
    return std::to_string(x);
  } else {
    if (!std::isfinite(x)) return nonfinite(x);
    const double size = std::abs(static_cast<double>(x));
    constexpr int all_digits = 400;
    if (size == 0 || (size >= 1e-4 && size < (sizeof(T) == 4 ? 1e6 : 1e16))) {
      const Text t = positional(x, all_digits);
      return t.whole + "." + (t.fraction.empty() ? "0" : t.fraction);
    }
    const Text t = scientific(x, all_digits);
    return t.whole + (t.fraction.empty() ? "" : "." + t.fraction) + "e" + t.exponent;
  }
}

// ---- layout -----------------------------------------------------------------------------------------------

template <class T>
class Printer {
 public:
  explicit Printer(const Array& a)
      : a_(a), data_(a.data<T>()), summarize_(a.numel() > threshold), format_(collect()) {}

  std::string text() const { return axis_text(0, 0, " ", line_width); }

 private:
  std::vector<T> collect() const {
    std::vector<T> values;
    visit(0, 0, values);
    return values;
  }
  void visit(int axis, std::int64_t at, std::vector<T>& values) const {
    if (axis == a_.rank()) return values.push_back(data_[at]);
    for (std::int64_t i : shown(a_.size(axis), summarize_))
      if (i >= 0) visit(axis + 1, at + i * a_.stride(axis), values);
  }

  /// The elements from offset `at` on along the axes from `axis` on, in brackets. Lines but the first begin
  /// with `indent`.
  std::string axis_text(int axis, std::int64_t at, const std::string& indent, std::size_t width) const {
    const std::vector<std::int64_t> list = shown(a_.size(axis), summarize_);
    const bool last_axis = axis == a_.rank() - 1;
    std::string s = last_axis ? row_text(list, at, indent, width - 1) : "";
    if (!last_axis) {
      const std::string newlines(static_cast<std::size_t>(a_.rank() - axis - 1), '\n');
      for (std::int64_t i : list) {
        if (!s.empty()) s += newlines;
        s += indent;
        s += i < 0 ? "..." : axis_text(axis + 1, at + i * a_.stride(axis), indent + " ", width - 1);
      }
    }
    return "[" + s.substr(indent.size()) + "]";
  }

  std::string row_text(const std::vector<std::int64_t>& list, std::int64_t at, const std::string& indent,
                       std::size_t width) const {
    std::string s, line = indent;
    for (std::size_t k = 0; k < list.size(); ++k) {
      if (k > 0) line += ' ';
      const std::string word = list[k] < 0 ? "..." : format_(data_[at + list[k] * a_.stride(a_.rank() - 1)]);
      if (line.size() + word.size() > width && line.size() > indent.size()) {
        line.erase(line.find_last_not_of(' ') + 1);
        s += line + "\n";
        line = indent;
      }
      line += word;
    }
    return s + line;
  }

  const Array& a_;
  const T* data_;
  bool summarize_;
  Format<T> format_;
};

}  // namespace

std::string to_string(const Array& x) {
  if (!x.defined()) return "undefined";
  if (x.numel() == 0) return "[]";
  return dispatch(
      x.dtype(), [&]<class T>() { return x.rank() == 0 ? scalar_text(*x.data<T>()) : Printer<T>(x).text(); });
}

std::string to_string(const Tensor& x) { return x.defined() ? to_string(x.array()) : "undefined"; }

std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_string(x); }
std::ostream& operator<<(std::ostream& out, const Array& x) { return out << to_string(x); }

}  // namespace xgrad::inline v0

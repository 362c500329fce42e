#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Shapes, strides and axes: short lists of int64 that live inline.
namespace xgrad::inline v0 {

/// The most axes an array can have.
inline constexpr int max_rank = 8;

/// A list of at most `max_rank` int64: a shape, or strides counted in elements.
class Shape {
 public:
  constexpr Shape() : values_{} {}
  /// As `Shape()`, but the memory of its entries is left as it is.
  struct Uninitialized {};
  explicit Shape(Uninitialized) {}
  constexpr Shape(const Shape& o) : rank_(o.rank_) { copy_values(o); }
  constexpr Shape& operator=(const Shape& o) {
    rank_ = o.rank_;
    copy_values(o);
    return *this;
  }
  constexpr Shape(std::initializer_list<std::int64_t> values) : Shape(values.begin(), values.size()) {}
  constexpr Shape(std::span<const std::int64_t> values) : Shape(values.data(), values.size()) {}
  Shape(const std::vector<std::int64_t>& values) : Shape(values.data(), values.size()) {}

  /// `rank` entries of `value`.
  static constexpr Shape filled(int rank, std::int64_t value) {
    Shape s;
    for (int i = 0; i < rank; ++i) s.push_back(value);
    return s;
  }

  constexpr int rank() const { return rank_; }
  constexpr std::size_t size() const { return static_cast<std::size_t>(rank_); }
  constexpr bool empty() const { return rank_ == 0; }
  constexpr const std::int64_t* data() const { return values_; }
  constexpr const std::int64_t* begin() const { return values_; }
  constexpr const std::int64_t* end() const { return values_ + rank_; }
  constexpr std::int64_t* begin() { return values_; }
  constexpr std::int64_t* end() { return values_ + rank_; }
  constexpr std::int64_t operator[](int i) const { return values_[i]; }
  constexpr std::int64_t& operator[](int i) { return values_[i]; }
  constexpr std::int64_t back() const { return values_[rank_ - 1]; }
  constexpr std::int64_t& back() { return values_[rank_ - 1]; }

  /// Appends at the end. Throws ShapeError when there are `max_rank` entries already.
  constexpr void push_back(std::int64_t v) {
    if (rank_ == max_rank) throw_too_long(max_rank + 1);
    values_[rank_++] = v;
  }
  void insert(int at, std::int64_t v);
  void erase(int at);

  /// The product of the entries: the number of elements of an array of this shape.
  constexpr std::int64_t numel() const {
    std::int64_t n = 1;
    for (int i = 0; i < rank_; ++i) n *= values_[i];
    return n;
  }

  /// As Python writes it: "()", "(3,)", "(128, 784)".
  std::string str() const;

  friend constexpr bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.values_[i] != b.values_[i]) return false;
    return true;
  }

 private:
  constexpr Shape(const std::int64_t* p, std::size_t n) : values_{} {
    if (n > max_rank) throw_too_long(n);
    for (; rank_ < static_cast<int>(n); ++rank_) values_[rank_] = p[rank_];
  }
  [[noreturn]] static void throw_too_long(std::size_t n);

  // Two at a time, those beyond two axes only where there are such: of a loop or of one memcpy GCC makes a
  // call or a string instruction, which take several times as long.
  constexpr void copy_values(const Shape& o) {
    if (std::is_constant_evaluated()) {
      for (int i = 0; i < max_rank; ++i) values_[i] = o.values_[i];
      return;
    }
    copy_two(o, 0);
    if (rank_ > 2) {
      copy_two(o, 2);
      copy_two(o, 4);
      copy_two(o, 6);
    }
  }
  // Entries that mean nothing may be among those copied, and GCC would warn of it.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
  void copy_two(const Shape& o, int i) {
    __builtin_memcpy(values_ + i, o.values_ + i, 2 * sizeof values_[0]);
  }
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  static_assert(max_rank == 8);

  std::int64_t values_[max_rank];  // entries from rank_ on mean nothing
  int rank_ = 0;
};

/// Strides of a dense row-major array of shape `s`, in elements.
Shape row_major_strides(const Shape& s);

/// The shape to which `a` and `b` broadcast, by NumPy's rule. Throws ShapeError naming `op`.
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

/// Whether an array of shape `from` broadcasts to `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

/// `axis` of an array of `shape`, counted from 0: negative ones count from the end. Throws IndexError naming
/// `op` and the shape when it is outside [-rank, rank).
int normalize_axis(std::string_view op, std::int64_t axis, const Shape& shape);
/// The same for the place at which an axis is put into `shape`: [-rank - 1, rank].
int normalize_new_axis(std::string_view op, std::int64_t axis, const Shape& shape);

/// Throws ShapeError naming `op` if an entry is negative or the number of elements overflows.
void check_shape(std::string_view op, const Shape& s);

/// Axes of a function: one int, or a list in braces; negative ones count from the end. Default-constructed,
/// as `{}` or `every_axis`, it means all axes; an empty vector or `Shape()` means none.
class Axes {
 public:
  Axes() = default;
  Axes(std::int64_t axis) : list_{axis}, every_(false) {}
  Axes(int axis) : Axes(static_cast<std::int64_t>(axis)) {}
  Axes(std::initializer_list<std::int64_t> axes) : list_(axes), every_(false) {}
  Axes(const std::vector<std::int64_t>& axes) : list_(axes), every_(false) {}
  Axes(const Shape& axes) : list_(axes), every_(false) {}

  constexpr bool every() const { return every_; }
  constexpr const Shape& list() const { return list_; }

  /// The axes of an array of `shape`, counted from 0, ascending. Throws IndexError for one that is out of
  /// range and ValueError for one that is named twice, both naming `op` and the shape.
  Shape resolve(std::string_view op, const Shape& shape) const;
  /// The same as a bit mask: bit i is set when axis i is among them.
  unsigned mask(std::string_view op, const Shape& shape) const;
  std::string str() const;

 private:
  Shape list_;
  bool every_ = true;
};

inline const Axes every_axis{};

}  // namespace xgrad::inline v0

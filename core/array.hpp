#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include <xgrad/core/dtype.hpp>
#include <xgrad/core/memory.hpp>
#include <xgrad/core/scalar.hpp>
#include <xgrad/core/shape.hpp>

namespace xgrad::inline v0 {

/// Who holds the memory of a storage that is not the pool's: an adopted container, a mapped file. Destroyed
/// with the storage.
class StorageOwner {
 public:
  virtual ~StorageOwner() = default;
};

namespace detail {

/// A reference-counted buffer. Small payloads live in the header's own cache line, larger ones behind it.
struct Storage {
  RefCount refs;
  std::atomic<std::uint32_t> version{0};  // bumped by each write through `assign` and its like
  std::byte* data;
  std::size_t block_bytes;  // of the pool's block that holds this header
  StorageOwner* owner;      // null: the pool's
};
inline constexpr std::size_t inline_payload = 32;
static_assert(sizeof(Storage) == 32);

Storage* new_storage(std::size_t bytes);
Storage* new_storage(std::byte* data, StorageOwner* owner);
void delete_storage_slow(Storage* s) noexcept;

inline Storage* new_small_storage() {
  auto* s = new (allocate_lines(1)) Storage;
  s->data = reinterpret_cast<std::byte*>(s) + sizeof(Storage);
  s->block_bytes = 64;
  s->owner = nullptr;
  return s;
}

inline void drop(Storage* s) noexcept {
  if (s == nullptr || !s->refs.decrement()) return;
  if (s->block_bytes <= small_lines * 64 && s->owner == nullptr)
    return free_lines(s, static_cast<std::uint32_t>(s->block_bytes / 64));
  delete_storage_slow(s);
}

}  // namespace detail

/// A dense n-d value: a shared buffer, a dtype, a shape and strides. It knows nothing of gradients. Copies,
/// and the results of the view functions below, share the buffer; what an operation returns is not written to
/// again.
///
/// Kernels write into arrays fresh from `Array::empty`; everybody else reads.
class Array {
 public:
  /// An undefined array: no buffer, no shape. (Not defaulted: `Array()` would clear all its bytes first.)
  Array() {}
  Array(const Array& o)
      : storage_(o.storage_),
        data_(o.data_),
        size_(o.size_),
        shape_(o.shape_),
        dtype_(o.dtype_),
        contiguous_(o.contiguous_) {
    if (!contiguous_) strides_ = o.strides_;
    if (storage_ != nullptr) storage_->refs.increment();
  }
  Array(Array&& o) noexcept
      : storage_(o.storage_),
        data_(o.data_),
        size_(o.size_),
        shape_(o.shape_),
        dtype_(o.dtype_),
        contiguous_(o.contiguous_) {
    if (!contiguous_) strides_ = o.strides_;
    o.storage_ = nullptr;
  }
  Array& operator=(const Array& o) {
    if (this != &o) *this = Array(o);
    return *this;
  }
  Array& operator=(Array&& o) noexcept {
    if (this == &o) return *this;
    detail::drop(storage_);
    storage_ = o.storage_;
    data_ = o.data_;
    size_ = o.size_;
    shape_ = o.shape_;
    dtype_ = o.dtype_;
    contiguous_ = o.contiguous_;
    if (!contiguous_) strides_ = o.strides_;
    o.storage_ = nullptr;
    return *this;
  }
  ~Array() { detail::drop(storage_); }

  /// Row-major, uninitialised, from the pool. `shape` has been checked by the caller.
  static Array empty(const Shape& shape, DType dtype);
  /// As `empty`, with the dense strides of `like` where the shapes agree (a permuted dense array, as
  /// channels-last is, stays so) and row-major otherwise.
  static Array empty_like(const Array& like, const Shape& shape, DType dtype);
  static Array full(const Shape& shape, Scalar value, DType dtype);
  /// A 0-d array.
  template <class T>
  static Array scalar(T value) {
    Array a;
    a.storage_ = detail::new_small_storage();
    a.data_ = a.storage_->data;
    a.size_ = 1;
    a.dtype_ = dtype_of<T>;
    *reinterpret_cast<T*>(a.data_) = value;
    return a;
  }
  static Array scalar(Scalar value, DType dtype);
  template <class T>
  static Array from(std::span<const T> values, const Shape& shape) {
    return copy_from(reinterpret_cast<const std::byte*>(values.data()), shape, dtype_of<T>);
  }
  /// Over memory that `owner` holds; row-major. The array takes the owner.
  static Array adopt(std::byte* data, const Shape& shape, DType dtype, StorageOwner* owner);

  bool defined() const { return storage_ != nullptr; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  /// In elements; 0 along a broadcast axis, negative along a flipped one.
  Shape strides() const { return contiguous_ ? row_major_strides(shape_) : strides_; }
  int rank() const { return shape_.rank(); }
  /// The size along `axis`, which may count from the end. Not checked.
  std::int64_t size(int axis) const { return shape_[axis < 0 ? axis + rank() : axis]; }
  /// From one element to the next along `axis`, which counts from the start. Not checked.
  std::int64_t stride(int axis) const {
    if (!contiguous_) return strides_[axis];
    std::int64_t n = 1;
    for (int i = rank() - 1; i > axis; --i) n *= shape_[i];
    return n;
  }
  std::int64_t numel() const { return size_; }
  std::size_t nbytes() const { return static_cast<std::size_t>(size_) * itemsize(dtype_); }
  /// Whether elements lie row-major without gaps.
  bool is_contiguous() const { return contiguous_; }
  /// Whether elements fill one stretch of memory without gaps, in any order of axes.
  bool is_dense() const;
  /// Whether the elements are all the same one in memory, as in a number that was broadcast.
  bool is_one_number() const;

  const std::byte* bytes() const { return data_; }
  std::byte* mutable_bytes() { return data_; }
  /// The first element. T must be the dtype's type.
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(data_);
  }
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(data_);
  }
  /// Element 0, whatever the dtype, as T. For 0-d and one-element arrays.
  template <class T>
  T value() const {
    return dispatch(dtype_, [&]<class U>() { return static_cast<T>(*data<U>()); });
  }
  /// All elements in row-major order, converted to T.
  template <class T>
  std::vector<T> to_vector() const {
    const Array a = astype(dtype_of<T>).contiguous();
    return std::vector<T>(a.data<T>(), a.data<T>() + a.numel());
  }

  // Views and copies. Arguments have been checked by the caller, unless stated.
  /// A view where strides allow it, else a copy. `shape` has as many elements.
  Array reshape(const Shape& shape) const;
  Array permute(const Shape& axes) const;
  Array transpose(int a, int b) const;
  /// Elements start, start + step, … along `axis`, `count` of them. `step` may be negative.
  Array slice(int axis, std::int64_t start, std::int64_t count, std::int64_t step = 1) const;
  Array broadcast_to(const Shape& shape) const;
  /// A view with any shape, strides and offset (in elements) into the same buffer.
  Array as_strided(const Shape& shape, const Shape& strides, std::int64_t offset) const;
  /// Itself if row-major, else a row-major copy.
  Array contiguous() const;
  /// A copy of its own; dense, in the same order of axes where that is possible.
  Array copy() const;
  /// Itself if the dtype is `t`, else a converted copy. Floating to integer truncates as C++ does.
  Array astype(DType t) const;

  /// Whether nobody else holds the buffer, so that it may be written in place.
  bool unique() const { return storage_->refs.unique(); }
  std::uint32_t version() const { return storage_->version.load(std::memory_order_relaxed); }
  // Whoever bumps has just written to the buffer, so nobody else may: no locked instruction is needed.
  void bump_version() { storage_->version.store(version() + 1, std::memory_order_relaxed); }
  /// Whether both look at the same buffer.
  bool shares_storage_with(const Array& o) const { return storage_ == o.storage_; }

  /// Writes `src`, broadcast and converted, into this array's elements, in place.
  void copy_in(const Array& src);

 private:
  /// Without a buffer, of this shape and row-major.
  Array(const Shape& shape, DType dtype) : size_(shape.numel()), shape_(shape), dtype_(dtype) {}
  static Array copy_from(const std::byte* values, const Shape& shape, DType dtype);

  detail::Storage* storage_ = nullptr;
  std::byte* data_ = nullptr;
  std::int64_t size_ = 0;
  Shape shape_{Shape::Uninitialized()};    // of rank 0, in which no entry means anything
  Shape strides_{Shape::Uninitialized()};  // unless contiguous: most are, and copies take time
  DType dtype_ = DType::float32;
  bool contiguous_ = true;
};

}  // namespace xgrad::inline v0

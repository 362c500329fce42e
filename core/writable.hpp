#pragma once
#include <span>

#include <xgrad/core/tensor.hpp>

namespace xgrad::inline v0 {

namespace detail {

/// Opens a leaf for writing; the writes are done when it is destroyed.
class WriteAccess {
 public:
  WriteAccess(const Tensor& leaf, DType dtype);
  ~WriteAccess();
  WriteAccess(const WriteAccess&) = delete;
  WriteAccess& operator=(const WriteAccess&) = delete;

  Array& values() { return values_; }

 private:
  Tensor leaf_;
  Array values_;  // row-major: the leaf's own memory where that is so, else a copy that goes back at the end
};

}  // namespace detail

/// The elements of a leaf, to be written while this lives, row-major whatever the leaf's strides:
///
///     { Writable<float> w(x); for (float& v : w.span()) v *= 2; }
///
/// Views of the leaf see the writes, and values that the tape saved of it become stale, as after `assign`.
/// T must be the dtype's type. Throws GraphError unless the tensor is a leaf whose elements each have their
/// own memory, DTypeError for another T.
template <class T>
class Writable {
 public:
  explicit Writable(const Tensor& leaf) : access_(leaf, dtype_of<T>) {}

  T* data() { return access_.values().template mutable_data<T>(); }
  const Shape& shape() { return access_.values().shape(); }
  std::span<T> span() { return {data(), static_cast<std::size_t>(access_.values().numel())}; }

 private:
  detail::WriteAccess access_;
};

}  // namespace xgrad::inline v0

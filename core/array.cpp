#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <xgrad/core/array.hpp>
#include <xgrad/core/errors.hpp>
#include <xgrad/core/loops.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

namespace xgrad::inline v0 {
namespace detail {

Storage* new_storage(std::size_t bytes) {
  if (bytes <= inline_payload) return new_small_storage();
  constexpr std::size_t header = 64;  // keeps the payload aligned to a cache line
  const PoolBlock b = pool_allocate_at_least(header + (bytes + 63) / 64 * 64);
  auto* s = new (b.block) Storage;
  s->data = static_cast<std::byte*>(b.block) + header;
  s->block_bytes = b.bytes;
  s->owner = nullptr;
  return s;
}

Storage* new_storage(std::byte* data, StorageOwner* owner) {
  Storage* s = new_small_storage();
  s->data = data;
  s->owner = owner;
  return s;
}

void delete_storage_slow(Storage* s) noexcept {
  delete s->owner;
  pool_free(s, s->block_bytes);
}

}  // namespace detail

namespace {

/// Elements that one thread copies by itself; also the size of a chunk.
constexpr std::int64_t copy_grain = 1 << 16;

template <class To, class From>
void copy_row(To* to, std::int64_t to_stride, const From* from, std::int64_t from_stride, std::int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    if constexpr (std::is_same_v<To, From>) {
      std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(To));
    } else {
      for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<To>(from[i]);
    }
  } else if (from_stride == 0) {
    const To value = static_cast<To>(*from);
    for (std::int64_t i = 0; i < n; ++i) to[i * to_stride] = value;
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * to_stride] = static_cast<To>(from[i * from_stride]);
  }
}

/// to[…] = from[…], converted; `from` broadcasts to the shape of `to`.
template <class To, class From>
void copy_elements(Array& to, const Array& from) {
  const detail::LoopPlan plan = detail::plan_loops(to.shape(), {&to, &from});
  To* const d = to.mutable_data<To>();
  const From* const s = from.data<From>();
  const std::int64_t n = plan.inner_size();
  const std::int64_t ds = plan.inner_stride(0), ss = plan.inner_stride(1);
  if (plan.rows() == 1) {
    kernels::parallel_for(n, copy_grain, [&](std::int64_t b, std::int64_t e) {
      copy_row(d + b * ds, ds, s + b * ss, ss, e - b);
    });
    return;
  }
  kernels::parallel_for(
      plan.rows(), std::max<std::int64_t>(1, copy_grain / n), [&](std::int64_t b, std::int64_t e) {
        detail::for_each_row(plan, b, e,
                             [&](const std::int64_t* at) { copy_row(d + at[0], ds, s + at[1], ss, n); });
      });
}

void copy_any(Array& to, const Array& from) {
  if (to.numel() == 0) return;
  dispatch(to.dtype(), [&]<class To>() {
    dispatch(from.dtype(), [&]<class From>() { copy_elements<To, From>(to, from); });
  });
}

[[noreturn]] void throw_no_memory(const Shape& shape, DType dtype) {
  const double gib = static_cast<double>(shape.numel()) * static_cast<double>(itemsize(dtype)) / (1 << 30);
  throw MemoryError(
      fmt::format("shape {} of {} needs {:.3g} GiB, which the system does not have: use a smaller "
                  "batch or a narrower dtype",
                  shape.str(), name(dtype), gib));
}

}  // namespace

Array Array::empty(const Shape& shape, DType dtype) {
  Array a(shape, dtype);
  try {
    a.storage_ = detail::new_storage(static_cast<std::size_t>(a.size_) * itemsize(dtype));
  } catch (const std::bad_alloc&) {
    throw_no_memory(shape, dtype);
  }
  a.data_ = a.storage_->data;
  return a;
}

Array Array::empty_like(const Array& like, const Shape& shape, DType dtype) {
  Array a = empty(shape, dtype);
  if (!like.contiguous_ && like.shape_ == shape && like.is_dense()) {
    a.strides_ = like.strides_;
    a.contiguous_ = false;
    // A dense array with flipped axes starts at its last element; the copy lies forwards.
    for (int i = 0; i < a.rank(); ++i) a.strides_[i] = std::abs(a.strides_[i]);
  }
  return a;
}

Array Array::full(const Shape& shape, Scalar value, DType dtype) {
  Array a = empty(shape, dtype);
  dispatch(dtype, [&]<class T>() { std::fill_n(a.mutable_data<T>(), a.size_, value.to<T>()); });
  return a;
}

Array Array::scalar(Scalar value, DType dtype) {
  return dispatch(dtype, [&]<class T>() { return scalar(value.to<T>()); });
}

Array Array::copy_from(const std::byte* values, const Shape& shape, DType dtype) {
  Array a = empty(shape, dtype);
  if (a.size_ > 0) std::memcpy(a.data_, values, a.nbytes());
  return a;
}

Array Array::adopt(std::byte* data, const Shape& shape, DType dtype, StorageOwner* owner) {
  Array a(shape, dtype);
  a.storage_ = detail::new_storage(data, owner);
  a.data_ = data;
  return a;
}

bool Array::is_one_number() const {
  if (size_ <= 1) return size_ == 1;
  if (contiguous_) return false;
  for (int i = 0; i < rank(); ++i)
    if (strides_[i] != 0 && shape_[i] != 1) return false;
  return true;
}

bool Array::is_dense() const {
  if (contiguous_ || size_ <= 1) return true;
  // The axis with the tightest stride left must continue where the ones before it end.
  unsigned left = 0;
  for (int i = 0; i < rank(); ++i)
    if (shape_[i] != 1) left |= 1u << i;
  std::int64_t expected = 1;
  while (left != 0) {
    int next = -1;
    for (int i = 0; i < rank(); ++i)
      if ((left >> i & 1) && std::abs(strides_[i]) == expected) next = i;
    if (next < 0) return false;
    expected *= shape_[next];
    left &= ~(1u << next);
  }
  return true;
}

Array Array::as_strided(const Shape& shape, const Shape& strides, std::int64_t offset) const {
  Array a;
  a.storage_ = storage_;
  storage_->refs.increment();
  a.data_ = data_ + offset * static_cast<std::int64_t>(itemsize(dtype_));
  a.shape_ = shape;
  a.size_ = shape.numel();
  a.dtype_ = dtype_;
  std::int64_t expected = 1;
  for (int i = shape.rank() - 1; i >= 0 && a.contiguous_; --i) {
    a.contiguous_ = shape[i] == 1 || strides[i] == expected;
    expected *= shape[i];
  }
  if (a.size_ <= 1) a.contiguous_ = true;
  if (!a.contiguous_) a.strides_ = strides;
  return a;
}

Array Array::reshape(const Shape& shape) const {
  if (contiguous_) {
    Array a(shape, dtype_);
    a.storage_ = storage_;
    storage_->refs.increment();
    a.data_ = data_;
    return a;
  }
  if (size_ == 0) return empty(shape, dtype_);
  // A view exists when every group of axes that is merged or split lies evenly in memory.
  Shape strides = Shape::filled(shape.rank(), 0);
  int i = 0, j = 0;
  while (j < shape.rank() && i < rank()) {
    std::int64_t have = shape_[i], want = shape[j];
    const int i0 = i, j0 = j;
    while (have != want) {
      if (have < want)
        have *= shape_[++i];
      else
        want *= shape[++j];
    }
    for (int k = i0; k < i; ++k) {
      // Axes of size 1 have no say.
      int next = k + 1;
      if (shape_[k] == 1) continue;
      while (next <= i && shape_[next] == 1) ++next;
      if (next <= i && strides_[k] != shape_[next] * strides_[next]) return contiguous().reshape(shape);
    }
    int last = i;
    while (last > i0 && shape_[last] == 1) --last;
    std::int64_t stride = strides_[last];
    for (int k = j; k >= j0; --k) {
      strides[k] = stride;
      stride *= shape[k];
    }
    ++i;
    ++j;
  }
  return as_strided(shape, strides, 0);
}

Array Array::permute(const Shape& axes) const {
  const Shape own = strides();
  Shape shape, strides;
  for (std::int64_t axis : axes) {
    shape.push_back(shape_[static_cast<int>(axis)]);
    strides.push_back(own[static_cast<int>(axis)]);
  }
  return as_strided(shape, strides, 0);
}

Array Array::transpose(int a, int b) const {
  Shape shape = shape_, strides = this->strides();
  std::swap(shape[a], shape[b]);
  std::swap(strides[a], strides[b]);
  return as_strided(shape, strides, 0);
}

Array Array::slice(int axis, std::int64_t start, std::int64_t count, std::int64_t step) const {
  Shape shape = shape_, strides = this->strides();
  const std::int64_t stride = strides[axis];
  shape[axis] = count;
  strides[axis] *= step;
  return as_strided(shape, strides, count == 0 ? 0 : start * stride);
}

Array Array::broadcast_to(const Shape& shape) const {
  if (shape == shape_) return *this;
  const Shape own = strides();
  Shape strides = Shape::filled(shape.rank(), 0);
  const int lead = shape.rank() - rank();
  for (int i = 0; i < rank(); ++i)
    if (shape_[i] != 1) strides[lead + i] = own[i];
  return as_strided(shape, strides, 0);
}

Array Array::contiguous() const {
  if (contiguous_) return *this;
  Array a = empty(shape_, dtype_);
  copy_any(a, *this);
  return a;
}

Array Array::copy() const {
  Array a = empty_like(*this, shape_, dtype_);
  copy_any(a, *this);
  return a;
}

Array Array::astype(DType t) const {
  if (t == dtype_) return *this;
  Array a = empty_like(*this, shape_, t);
  copy_any(a, *this);
  return a;
}

void Array::copy_in(const Array& src) { copy_any(*this, src); }

}  // namespace xgrad::inline v0

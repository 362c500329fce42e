#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <xgrad/core/array.hpp>
#include <xgrad/core/errors.hpp>
#include <xgrad/core/function.hpp>

namespace xgrad::inline v0 {

class Tensor;
class Index;

namespace detail {
class Node;
struct TensorImpl;
void free_tensor(TensorImpl* t) noexcept;
}  // namespace detail

/// Options of the creation functions.
struct TensorOptions {
  std::optional<DType> dtype = {};  ///< what the values imply, or the default dtype
  bool requires_grad = false;
};

/// Options of `Tensor::backward`.
struct BackwardOptions;

/// Options that all reductions share.
struct ReduceOptions {
  bool keepdims = false;  ///< reduced axes stay, with size 1
};

class HookHandle;

/// An n-d value together with its place on the tape.
///
/// Copying a Tensor copies a handle. Operations never change one; `x += y` makes x name another value. The
/// one exception is `assign` on a leaf (a tensor that no recorded operation made). Operations are free
/// functions; those that people chain are members too, and forward to them.
class Tensor {
 public:
  /// An undefined tensor: `defined()` is false, every other use is an error.
  Tensor() = default;
  /// A constant with the values of `a`.
  explicit Tensor(const Array& a) : Tensor(Array(a)) {}
  explicit Tensor(Array&& a);
  Tensor(const Tensor& o) noexcept;
  Tensor(Tensor&& o) noexcept : impl_(std::exchange(o.impl_, nullptr)) {}
  // Only for named tensors: `x(0) = y` would be lost, so it does not compile.
  Tensor& operator=(const Tensor& o) & noexcept {
    Tensor(o).swap(*this);
    return *this;
  }
  Tensor& operator=(Tensor&& o) & noexcept {
    Tensor(std::move(o)).swap(*this);
    return *this;
  }
  ~Tensor();

  bool defined() const { return impl_ != nullptr; }
  const Array& array() const;
  const Shape& shape() const { return array().shape(); }
  DType dtype() const { return array().dtype(); }
  int rank() const { return array().rank(); }
  std::int64_t numel() const { return array().numel(); }
  /// The size along `axis`; negative axes count from the end. Throws IndexError.
  std::int64_t size(std::int64_t axis) const;

  // ---- values out
  /// The only element, converted to T. Throws ShapeError unless there is exactly one.
  template <class T = double>
  T item() const {
    require_one_element();
    return array().value<T>();
  }
  /// All elements, row-major, converted to T.
  template <class T>
  std::vector<T> to_vector() const {
    return array().to_vector<T>();
  }
  /// The elements in memory, row-major. Throws DTypeError unless T is the dtype's type, and ShapeError when
  /// they do not lie row-major: call `contiguous()` first.
  template <class T>
  const T* data() const {
    require_data(dtype_of<T>);
    return array().data<T>();
  }

  // ---- differentiation
  bool requires_grad() const;
  /// Makes a leaf want gradients, or stops it. Returns the tensor. Throws GraphError for the result of a
  /// recorded operation and DTypeError unless the dtype is floating.
  const Tensor& set_requires_grad(bool value) const;
  /// Whether no recorded operation made it.
  bool is_leaf() const;
  /// The gradient that `backward` accumulated in this leaf; undefined before that.
  Tensor grad() const;
  /// Makes `grad()` undefined again, or what is given, which must have this leaf's shape and dtype.
  void set_grad(Tensor g) const;
  /// d(this)/d(leaf) for every leaf that this depends on and that requires a gradient, added to its `grad()`.
  /// Without `.gradient` this must have one element. Frees what the tape saved unless `.retain_graph`. Throws
  /// GraphError when nothing was recorded, when the history has been freed, when a saved value was
  /// overwritten by `assign`, or when another thread is sweeping the same entries or leaves.
  void backward(const BackwardOptions& options) const;
  void backward() const;
  /// The same values, cut from the tape.
  Tensor detach() const;
  /// Calls `hook` with the cotangent of this tensor during each sweep, once it is complete; what it returns,
  /// if defined, replaces the cotangent. The tensor must require a gradient.
  HookHandle register_hook(Function<Tensor(const Tensor&)> hook) const;

  /// Overwrites the values of a leaf with `src`, broadcast and converted. Bumps the version: a sweep that
  /// still needs the old values throws. Throws GraphError for the result of a recorded operation.
  void assign(const Tensor& src) const;

  /// A name for messages and graph drawings: a parameter's path. Empty if none was given.
  std::string_view name() const;
  void set_name(std::string_view name) const;
  /// How messages call it: `"hidden.weight"`, `the result of relu`, or `a tensor`.
  std::string describe() const;

  // ---- operations that people chain; see the free functions of the same name
  Tensor astype(DType t) const;
  Tensor contiguous() const;
  Tensor sum(const Axes& axes = {}, ReduceOptions options = {}) const;
  Tensor mean(const Axes& axes = {}, ReduceOptions options = {}) const;
  Tensor max(const Axes& axes = {}, ReduceOptions options = {}) const;
  Tensor min(const Axes& axes = {}, ReduceOptions options = {}) const;
  Tensor argmax(std::optional<std::int64_t> axis = {}, ReduceOptions options = {}) const;
  Tensor argmin(std::optional<std::int64_t> axis = {}, ReduceOptions options = {}) const;
  Tensor reshape(const Shape& shape) const;
  Tensor flatten(std::int64_t first = 0, std::int64_t last = -1) const;
  Tensor T() const;
  Tensor transpose(std::int64_t a, std::int64_t b) const;
  Tensor permute(const Shape& axes) const;
  Tensor squeeze(const Axes& axes = {}) const;
  Tensor unsqueeze(std::int64_t axis) const;
  Tensor broadcast_to(const Shape& shape) const;
  Tensor matmul(const Tensor& other) const;
  Tensor exp() const;
  Tensor log() const;
  Tensor sqrt() const;
  Tensor abs() const;
  Tensor square() const;
  Tensor pow(Scalar exponent) const;

  /// Indexing as in NumPy: `x(0, slice(1, 5), newaxis, ellipsis)`, with int64 or bool tensors where NumPy
  /// takes arrays. Differentiable. Throws IndexError.
  template <class... I>
  requires(sizeof...(I) > 0 && (std::convertible_to<const I&, Index> && ...)) Tensor operator()(
      const I&... indices) const {
    return index({indices...});
  }
  Tensor index(std::initializer_list<Index> indices) const;

  Tensor& operator+=(const Tensor& o) &;
  Tensor& operator-=(const Tensor& o) &;
  Tensor& operator*=(const Tensor& o) &;
  Tensor& operator/=(const Tensor& o) &;
  Tensor& operator+=(Scalar s) &;
  Tensor& operator-=(Scalar s) &;
  Tensor& operator*=(Scalar s) &;
  Tensor& operator/=(Scalar s) &;

  // For the tape.
  explicit Tensor(detail::TensorImpl* adopted) noexcept : impl_(adopted) {}
  detail::TensorImpl* impl() const { return impl_; }
  detail::TensorImpl* release() noexcept { return std::exchange(impl_, nullptr); }
  void swap(Tensor& o) noexcept { std::swap(impl_, o.impl_); }

 private:
  void require_one_element() const;
  void require_data(DType t) const;

  detail::TensorImpl* impl_ = nullptr;
};

struct BackwardOptions {
  bool retain_graph = false;  ///< keep the history for another sweep
  bool create_graph = false;  ///< record the sweep, so that the gradients can be differentiated
  Tensor gradient = {};       ///< the cotangent of the tensor; needed unless it has one element
};

/// A gradient hook that has been registered; it stays when the handle goes.
class HookHandle {
 public:
  /// Takes the hook off again; harmless when that has been done.
  void remove();

 private:
  friend class Tensor;
  HookHandle(Tensor t, std::uint64_t id) : tensor_(std::move(t)), id_(id) {}
  Tensor tensor_;
  std::uint64_t id_;
};

inline void Tensor::backward() const { backward(BackwardOptions{}); }

namespace detail {

/// What a Tensor points to.
struct TensorImpl {
  explicit TensorImpl(Array&& a) : array(std::move(a)) {}

  RefCount refs;
  std::uint16_t output = 0;  // which result of `node` this is
  bool requires_grad = false;
  Node* node = nullptr;  // null for a constant
  Array array;
};
inline constexpr std::uint32_t tensor_lines = (sizeof(TensorImpl) + 63) / 64;
static_assert(tensor_lines == 3);

[[noreturn]] void throw_undefined_tensor(std::string_view op = "tensor");

}  // namespace detail

inline Tensor::Tensor(const Tensor& o) noexcept : impl_(o.impl_) {
  if (impl_ != nullptr) impl_->refs.increment();
}
inline Tensor::~Tensor() {
  if (impl_ != nullptr && impl_->refs.decrement()) detail::free_tensor(impl_);
}
inline Tensor::Tensor(Array&& a)
    : impl_(new (detail::allocate_lines(detail::tensor_lines)) detail::TensorImpl(std::move(a))) {}
inline const Array& Tensor::array() const {
  if (impl_ == nullptr) [[unlikely]]
    detail::throw_undefined_tensor();
  return impl_->array;
}
inline bool Tensor::requires_grad() const { return impl_ != nullptr && impl_->requires_grad; }

}  // namespace xgrad::inline v0

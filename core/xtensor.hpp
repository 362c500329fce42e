#pragma once

// xtensor 0.24 moved its headers into folders in 0.26, without forwarding.
#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xnoalias.hpp>
#else
#include <xtensor/xtensor_config.hpp>
// The next header is first of the rest, since the specialisation below must come before its first use.
#include <xtensor/xexpression_traits.hpp>
// Before 0.26 and under C++20, GCC takes the shape of an xarray (a template of a type, a size, a type and a
// bool) for the one of an xtensor (a type and a size), so that xt::eval, immediate reducers and temporaries
// of strided views have the wrong type and write out of bounds.
#if defined(__GNUC__) && __cplusplus > 201703L
namespace xt::detail {
template <template <class, std::size_t, class, bool> class S, class X, std::size_t N, class A, bool I>
struct xtype_for_shape<S<X, N, A, I>> {
  template <class T, layout_type L>
  using type = xarray<T, L>;
};
}  // namespace xt::detail
#endif
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include <memory>
#include <tuple>
#include <utility>

#include <xgrad/core/create.hpp>
#include <xgrad/core/writable.hpp>

/// xtensor around the tape. Include it before any header of xtensor: it repairs version 0.24 under C++20.
///
///     xt::xarray<float> a = …;
///     Tensor x = tensor(a + 1.f, {.requires_grad = true});       // from any expression
///     Tensor y = tensor(std::move(a));                           // a moved container: no copy
///     auto v = adapt<float>(x);                                  // read-only, an xtensor expression
///     xt::xarray<float> b = xt::sin(v) * v;
///     {
///       Writable<float> w(x);                                    // a leaf; saved values see the change
///       xt::view(adapt(w), 0) = 0.f;
///     }
///
/// The forward of an op may be one expression. The function is called with adaptors of the inputs:
///
///     Array forward(const Array& x) const {
///       return xt_forward("flip", x, x.shape(), [&](const auto& a) { return xt::flip(a, axis); });
///     }
///
/// Expressions hold lvalues by reference, as always in xtensor: an adaptor in a variable must outlive them.
/// `x * 2.0` widens float to double: write `x * 2.f`.
namespace xgrad::inline v0 {

namespace detail {

using XtShape = xt::dynamic_shape<std::size_t>;

inline XtShape xt_shape(const Shape& s) {
  XtShape out(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) out[i] = static_cast<std::size_t>(s[static_cast<int>(i)]);
  return out;
}

template <class S>
Shape shape_from(const S& s) {
  Shape out;
  for (const auto n : s) out.push_back(static_cast<std::int64_t>(n));
  return out;
}

/// The dtype's type that holds an element of type T: T itself where it is one, else the next wider of its
/// kind.
template <class T>
struct ElementOf {
  static_assert(std::is_arithmetic_v<T>, "[xgrad] elements must be numbers");
  static constexpr bool is_small = sizeof(T) < 4 || (sizeof(T) == 4 && std::is_signed_v<T>);
  using Integer = std::conditional_t<is_small, std::int32_t, std::int64_t>;
  using Floating = std::conditional_t<(sizeof(T) <= 4), float, double>;
  using type = std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t>, T,
                                  std::conditional_t<std::is_floating_point_v<T>, Floating, Integer>>;
};

template <class T>
inline constexpr bool is_element = std::is_arithmetic_v<T>&& std::is_same_v<typename ElementOf<T>::type, T>;

/// A row-major view of memory that somebody else keeps alive; T may be const.
template <class T>
auto xt_view(T* data, const Shape& shape) {
  return xt::adapt<xt::layout_type::row_major>(data, static_cast<std::size_t>(shape.numel()),
                                               xt::no_ownership(), xt_shape(shape));
}

template <class C>
struct AdoptedContainer final : StorageOwner {
  explicit AdoptedContainer(C&& c) : container(std::move(c)) {}
  C container;
};

template <class C>
Array adopt_container(C&& c) {
  const Shape shape = shape_from(c.shape());
  const Shape strides = shape_from(c.strides());
  auto owner = std::make_unique<AdoptedContainer<C>>(std::move(c));
  auto* const data = reinterpret_cast<std::byte*>(owner->container.data());
  return Array::adopt(data, shape, dtype_of<typename C::value_type>, owner.release())
      .as_strided(shape, strides, 0);
}

[[noreturn]] void throw_adapt_dtype(DType have, DType want);
[[noreturn]] void throw_expression_shape(std::string_view op, const Shape& have, const Shape& want);
[[noreturn]] void throw_mixed_dtypes(std::string_view op, DType a, DType b);

}  // namespace detail

/// The values of `x` as a read-only xtensor container of T, which must be its dtype's type. It looks at the
/// array's memory and keeps it alive; values that do not lie row-major are copied first. Throws DTypeError.
template <class T>
auto adapt(const Array& x) {
  if (x.dtype() != dtype_of<T>) detail::throw_adapt_dtype(x.dtype(), dtype_of<T>);
  auto owner = std::make_shared<const Array>(x.contiguous());
  const T* data = owner->template data<T>();
  return xt::adapt_smart_ptr<xt::layout_type::row_major>(std::move(data), detail::xt_shape(x.shape()),
                                                         std::move(owner));
}
template <class T>
auto adapt(const Tensor& x) {
  return adapt<T>(x.array());
}

/// The elements of a leaf as an xtensor container that may be written, as long as `w` lives.
template <class T>
auto adapt(Writable<T>& w) {
  return detail::xt_view(w.data(), w.shape());
}

/// The values of an xtensor expression, of its shape. The dtype is that of its elements unless given; element
/// types that are no dtype go to the next wider one of their kind. Throws ShapeError beyond `max_rank` axes.
template <class E>
Tensor tensor(const xt::xexpression<E>& expression, const TensorOptions& options = {}) {
  const E& e = expression.derived_cast();
  using T = typename detail::ElementOf<std::decay_t<typename E::value_type>>::type;
  Array a = Array::empty(detail::shape_from(e.shape()), dtype_of<T>);
  if (a.numel() > 0) {
    auto view = detail::xt_view(a.mutable_data<T>(), a.shape());
    xt::noalias(view) = e;
  }
  return detail::make_tensor(std::move(a), options);
}

/// The same from a container that is moved in: its memory becomes the tensor's, without a copy where its
/// elements are of a dtype.
template <class EC, xt::layout_type L, class SC, class Tag>
Tensor tensor(xt::xarray_container<EC, L, SC, Tag>&& a, const TensorOptions& options = {}) {
  using C = xt::xarray_container<EC, L, SC, Tag>;
  if constexpr (detail::is_element<typename C::value_type>)
    return detail::make_tensor(detail::adopt_container(std::move(a)), options);
  else
    return tensor(static_cast<const xt::xexpression<C>&>(a), options);
}
template <class EC, std::size_t N, xt::layout_type L, class Tag>
Tensor tensor(xt::xtensor_container<EC, N, L, Tag>&& a, const TensorOptions& options = {}) {
  using C = xt::xtensor_container<EC, N, L, Tag>;
  if constexpr (detail::is_element<typename C::value_type>)
    return detail::make_tensor(detail::adopt_container(std::move(a)), options);
  else
    return tensor(static_cast<const xt::xexpression<C>&>(a), options);
}

/// The values of an expression as an array of T and `shape`, in memory from the pool. Throws ShapeError
/// naming `op` unless the expression has that shape.
template <class T, class E>
Array xt_array(std::string_view op, const Shape& shape, const xt::xexpression<E>& expression) {
  const E& e = expression.derived_cast();
  const Shape have = detail::shape_from(e.shape());
  if (have != shape) detail::throw_expression_shape(op, have, shape);
  Array out = Array::empty(shape, dtype_of<T>);
  if (out.numel() > 0) {
    auto view = detail::xt_view(out.mutable_data<T>(), shape);
    xt::noalias(view) = e;
  }
  return out;
}

/// Which dtypes `xt_forward` compiles an expression for; others are a DTypeError.
enum class Elements : std::uint8_t { any, numeric, floating };

/// f(adaptors of the inputs…), an xtensor expression of shape `shape`, as an array of the inputs' dtype.
/// `f` is called with the dtype's type only at run time, so it is a generic lambda. Inputs have any strides
/// and one dtype. An empty result is not computed. Throws DTypeError and ShapeError naming `op`.
template <Elements elements = Elements::any, class F, class... In>
Array xt_forward(std::string_view op, const std::tuple<const In&...>& inputs, const Shape& shape, F&& f) {
  const DType dtype = std::get<0>(inputs).dtype();
  std::apply(
      [&](const auto&... a) {
        ((a.dtype() == dtype || (detail::throw_mixed_dtypes(op, dtype, a.dtype()), 0)), ...);
      },
      inputs);
  const auto run = [&]<class T>() {
    if (shape.numel() == 0) return Array::empty(shape, dtype);
    const auto call = [&](const auto&... rows) {
      const auto evaluate = [&](const auto&... views) { return xt_array<T>(op, shape, f(views...)); };
      return evaluate(detail::xt_view(rows.template data<T>(), rows.shape())...);
    };
    return std::apply([&](const auto&... a) { return call(a.contiguous()...); }, inputs);
  };
  if constexpr (elements == Elements::floating)
    return dispatch_floating(op, dtype, run);
  else if constexpr (elements == Elements::numeric)
    return dispatch_numeric(op, dtype, run);
  else
    return dispatch(dtype, run);
}
template <Elements elements = Elements::any, class F>
Array xt_forward(std::string_view op, const Array& x, const Shape& shape, F&& f) {
  return xt_forward<elements>(op, std::tuple<const Array&>(x), shape, std::forward<F>(f));
}
template <Elements elements = Elements::any, class F>
Array xt_forward(std::string_view op, const Array& a, const Array& b, const Shape& shape, F&& f) {
  return xt_forward<elements>(op, std::tie(a, b), shape, std::forward<F>(f));
}

}  // namespace xgrad::inline v0

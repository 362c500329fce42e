#pragma once
#include <cstddef>
#include <type_traits>
#include <utility>

/// Names for the fields of a struct, by structured binding: the one table that C++20 cannot do without.
namespace xgrad::inline v0::nn::detail {

/// The most fields that a struct may have.
inline constexpr std::size_t max_fields = 64;

template <std::size_t N>
struct FieldCount {};

/// Calls `f` with each of the N fields of `t`, in order.
template <class T, class F>
constexpr decltype(auto) bind_fields(T&, F&& f, FieldCount<0>) {
  return f();
}

// clang-format off
#define XGRAD_FIELDS_8 f0, f1, f2, f3, f4, f5, f6, f7
#define XGRAD_FIELDS_16 XGRAD_FIELDS_8, f8, f9, f10, f11, f12, f13, f14, f15
#define XGRAD_FIELDS_24 XGRAD_FIELDS_16, f16, f17, f18, f19, f20, f21, f22, f23
#define XGRAD_FIELDS_32 XGRAD_FIELDS_24, f24, f25, f26, f27, f28, f29, f30, f31
#define XGRAD_FIELDS_40 XGRAD_FIELDS_32, f32, f33, f34, f35, f36, f37, f38, f39
#define XGRAD_FIELDS_48 XGRAD_FIELDS_40, f40, f41, f42, f43, f44, f45, f46, f47
#define XGRAD_FIELDS_56 XGRAD_FIELDS_48, f48, f49, f50, f51, f52, f53, f54, f55
#define XGRAD_BIND(n, ...)                                               \
  template <class T, class F>                                            \
  constexpr decltype(auto) bind_fields(T& t, F&& f, FieldCount<n>) {     \
    auto& [__VA_ARGS__] = t;                                             \
    return f(__VA_ARGS__);                                               \
  }
XGRAD_BIND(1, f0)
XGRAD_BIND(2, f0, f1)
XGRAD_BIND(3, f0, f1, f2)
XGRAD_BIND(4, f0, f1, f2, f3)
XGRAD_BIND(5, f0, f1, f2, f3, f4)
XGRAD_BIND(6, f0, f1, f2, f3, f4, f5)
XGRAD_BIND(7, f0, f1, f2, f3, f4, f5, f6)
XGRAD_BIND(8, f0, f1, f2, f3, f4, f5, f6, f7)
XGRAD_BIND(9, XGRAD_FIELDS_8, f8)
XGRAD_BIND(10, XGRAD_FIELDS_8, f8, f9)
XGRAD_BIND(11, XGRAD_FIELDS_8, f8, f9, f10)
XGRAD_BIND(12, XGRAD_FIELDS_8, f8, f9, f10, f11)
XGRAD_BIND(13, XGRAD_FIELDS_8, f8, f9, f10, f11, f12)
XGRAD_BIND(14, XGRAD_FIELDS_8, f8, f9, f10, f11, f12, f13)
XGRAD_BIND(15, XGRAD_FIELDS_8, f8, f9, f10, f11, f12, f13, f14)
XGRAD_BIND(16, XGRAD_FIELDS_8, f8, f9, f10, f11, f12, f13, f14, f15)
XGRAD_BIND(17, XGRAD_FIELDS_16, f16)
XGRAD_BIND(18, XGRAD_FIELDS_16, f16, f17)
XGRAD_BIND(19, XGRAD_FIELDS_16, f16, f17, f18)
XGRAD_BIND(20, XGRAD_FIELDS_16, f16, f17, f18, f19)
XGRAD_BIND(21, XGRAD_FIELDS_16, f16, f17, f18, f19, f20)
XGRAD_BIND(22, XGRAD_FIELDS_16, f16, f17, f18, f19, f20, f21)
XGRAD_BIND(23, XGRAD_FIELDS_16, f16, f17, f18, f19, f20, f21, f22)
XGRAD_BIND(24, XGRAD_FIELDS_16, f16, f17, f18, f19, f20, f21, f22, f23)
XGRAD_BIND(25, XGRAD_FIELDS_24, f24)
XGRAD_BIND(26, XGRAD_FIELDS_24, f24, f25)
XGRAD_BIND(27, XGRAD_FIELDS_24, f24, f25, f26)
XGRAD_BIND(28, XGRAD_FIELDS_24, f24, f25, f26, f27)
XGRAD_BIND(29, XGRAD_FIELDS_24, f24, f25, f26, f27, f28)
XGRAD_BIND(30, XGRAD_FIELDS_24, f24, f25, f26, f27, f28, f29)
XGRAD_BIND(31, XGRAD_FIELDS_24, f24, f25, f26, f27, f28, f29, f30)
XGRAD_BIND(32, XGRAD_FIELDS_24, f24, f25, f26, f27, f28, f29, f30, f31)
XGRAD_BIND(33, XGRAD_FIELDS_32, f32)
XGRAD_BIND(34, XGRAD_FIELDS_32, f32, f33)
XGRAD_BIND(35, XGRAD_FIELDS_32, f32, f33, f34)
XGRAD_BIND(36, XGRAD_FIELDS_32, f32, f33, f34, f35)
XGRAD_BIND(37, XGRAD_FIELDS_32, f32, f33, f34, f35, f36)
XGRAD_BIND(38, XGRAD_FIELDS_32, f32, f33, f34, f35, f36, f37)
XGRAD_BIND(39, XGRAD_FIELDS_32, f32, f33, f34, f35, f36, f37, f38)
XGRAD_BIND(40, XGRAD_FIELDS_32, f32, f33, f34, f35, f36, f37, f38, f39)
XGRAD_BIND(41, XGRAD_FIELDS_40, f40)
XGRAD_BIND(42, XGRAD_FIELDS_40, f40, f41)
XGRAD_BIND(43, XGRAD_FIELDS_40, f40, f41, f42)
XGRAD_BIND(44, XGRAD_FIELDS_40, f40, f41, f42, f43)
XGRAD_BIND(45, XGRAD_FIELDS_40, f40, f41, f42, f43, f44)
XGRAD_BIND(46, XGRAD_FIELDS_40, f40, f41, f42, f43, f44, f45)
XGRAD_BIND(47, XGRAD_FIELDS_40, f40, f41, f42, f43, f44, f45, f46)
XGRAD_BIND(48, XGRAD_FIELDS_40, f40, f41, f42, f43, f44, f45, f46, f47)
XGRAD_BIND(49, XGRAD_FIELDS_48, f48)
XGRAD_BIND(50, XGRAD_FIELDS_48, f48, f49)
XGRAD_BIND(51, XGRAD_FIELDS_48, f48, f49, f50)
XGRAD_BIND(52, XGRAD_FIELDS_48, f48, f49, f50, f51)
XGRAD_BIND(53, XGRAD_FIELDS_48, f48, f49, f50, f51, f52)
XGRAD_BIND(54, XGRAD_FIELDS_48, f48, f49, f50, f51, f52, f53)
XGRAD_BIND(55, XGRAD_FIELDS_48, f48, f49, f50, f51, f52, f53, f54)
XGRAD_BIND(56, XGRAD_FIELDS_48, f48, f49, f50, f51, f52, f53, f54, f55)
XGRAD_BIND(57, XGRAD_FIELDS_56, f56)
XGRAD_BIND(58, XGRAD_FIELDS_56, f56, f57)
XGRAD_BIND(59, XGRAD_FIELDS_56, f56, f57, f58)
XGRAD_BIND(60, XGRAD_FIELDS_56, f56, f57, f58, f59)
XGRAD_BIND(61, XGRAD_FIELDS_56, f56, f57, f58, f59, f60)
XGRAD_BIND(62, XGRAD_FIELDS_56, f56, f57, f58, f59, f60, f61)
XGRAD_BIND(63, XGRAD_FIELDS_56, f56, f57, f58, f59, f60, f61, f62)
XGRAD_BIND(64, XGRAD_FIELDS_56, f56, f57, f58, f59, f60, f61, f62, f63)
#undef XGRAD_BIND
#undef XGRAD_FIELDS_8
#undef XGRAD_FIELDS_16
#undef XGRAD_FIELDS_24
#undef XGRAD_FIELDS_32
#undef XGRAD_FIELDS_40
#undef XGRAD_FIELDS_48
#undef XGRAD_FIELDS_56
// clang-format on

}  // namespace xgrad::inline v0::nn::detail

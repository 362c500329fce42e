#pragma once

/// \file
/// `Pack<T, W>`: W numbers of type T in one vector register, and `Mask<W, B>`: W truth values in lanes of B
/// bytes.
///
/// A pack behaves like a number: arithmetic, comparisons (which give masks), `select(mask, a, b)`. C++
/// scalars mix with packs and take the pack's type. The functions exist for plain scalars too, so that one
/// generic lambda, `[](auto x) { return select(x > 0, x, 0); }`, runs on float, on packs and on dual numbers
/// (dual.hpp).
///
/// Packs are GCC/Clang vector extensions: which instructions they become is decided by the function they end
/// up in. Two things make that safe. The vector type comes from a specialised trait, since `vector_size` of a
/// template parameter is silently ignored. And the copy constructor is user-provided, so that a pack is
/// passed in memory under every ABI: a call that was not inlined is slow, and never a mismatch of vector
/// registers.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <xgrad/ops/kernels/level.hpp>

namespace xgrad::inline v0::simd {

namespace detail {

template <class T, int Bytes>
struct Vector;
#define XGRAD_SIMD_VECTOR(T, Bytes)                     \
  template <>                                           \
  struct Vector<T, Bytes> {                             \
    typedef T type __attribute__((vector_size(Bytes))); \
  };
#define XGRAD_SIMD_VECTORS(T) \
  XGRAD_SIMD_VECTOR(T, 8)     \
  XGRAD_SIMD_VECTOR(T, 16) XGRAD_SIMD_VECTOR(T, 32) XGRAD_SIMD_VECTOR(T, 64) XGRAD_SIMD_VECTOR(T, 128)
XGRAD_SIMD_VECTORS(float)
XGRAD_SIMD_VECTORS(double)
XGRAD_SIMD_VECTORS(std::int32_t)
XGRAD_SIMD_VECTORS(std::uint32_t)
XGRAD_SIMD_VECTORS(std::int64_t)
XGRAD_SIMD_VECTORS(std::uint64_t)
XGRAD_SIMD_VECTORS(std::int8_t)
XGRAD_SIMD_VECTORS(std::uint8_t)
XGRAD_SIMD_VECTOR(std::int8_t, 2)
XGRAD_SIMD_VECTOR(std::uint8_t, 2)
XGRAD_SIMD_VECTOR(std::int8_t, 4)
XGRAD_SIMD_VECTOR(std::uint8_t, 4)
#undef XGRAD_SIMD_VECTORS
#undef XGRAD_SIMD_VECTOR

template <int Bytes>
struct SignedOf;
template <>
struct SignedOf<1> {
  using type = std::int8_t;
};
template <>
struct SignedOf<4> {
  using type = std::int32_t;
};
template <>
struct SignedOf<8> {
  using type = std::int64_t;
};

}  // namespace detail

/// The signed integer as wide as T.
template <class T>
using Int = typename detail::SignedOf<sizeof(T)>::type;

template <class T>
concept Number = std::is_arithmetic_v<T>;

namespace detail {
/// The same number in every lane. (s - 0 is s for every s; s + 0 would lose the sign of -0.) For the wide
/// registers it is written in a function of their own level: GCC spells a vector out lane by lane where it
/// has no register.
#if XGRAD_SIMD_X86
template <class V, class T>
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline void spread_v4(V& v, T lane) {
  v = lane - V{};
}
template <class V, class T>
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline void spread_v3(V& v, T lane) {
  v = lane - V{};
}
#endif
template <class V, class T>
XGRAD_SIMD_INLINE void spread(V& v, T lane) {
#if XGRAD_SIMD_X86
  if constexpr (sizeof(V) == 64) return spread_v4(v, lane);
  if constexpr (sizeof(V) == 32) return spread_v3(v, lane);
#endif
  v = lane - V{};
}

// Comparisons likewise: AVX-512 has registers of its own for truth values, and GCC decides for or against
// them in the function that the comparison is written in.
#if XGRAD_SIMD_X86
template <class V, class M>
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline void choose_v4(V& r, const M& m, const V& a, const V& b) {
  r = m ? a : b;
}
#endif
template <class V, class M>
XGRAD_SIMD_INLINE void choose(V& r, const M& m, const V& a, const V& b) {
#if XGRAD_SIMD_X86
  if constexpr (sizeof(V) == 64) return choose_v4(r, m, a, b);
#endif
  r = m ? a : b;
}
#if XGRAD_SIMD_X86
#define XGRAD_SIMD_COMPARE(op, name)                                                          \
  template <class M, class V>                                                                 \
  [[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline void name##_v4(M& m, const V& a, const V& b) { \
    m = a op b;                                                                               \
  }                                                                                           \
  template <class M, class V>                                                                 \
  XGRAD_SIMD_INLINE void name(M& m, const V& a, const V& b) {                                 \
    if constexpr (sizeof(V) == 64)                                                            \
      name##_v4(m, a, b);                                                                     \
    else                                                                                      \
      m = a op b;                                                                             \
  }
#else
#define XGRAD_SIMD_COMPARE(op, name)                          \
  template <class M, class V>                                 \
  XGRAD_SIMD_INLINE void name(M& m, const V& a, const V& b) { \
    m = a op b;                                               \
  }
#endif
XGRAD_SIMD_COMPARE(<, less)
XGRAD_SIMD_COMPARE(<=, less_equal)
XGRAD_SIMD_COMPARE(>, greater)
XGRAD_SIMD_COMPARE(>=, greater_equal)
XGRAD_SIMD_COMPARE(==, equal)
XGRAD_SIMD_COMPARE(!=, not_equal)
#undef XGRAD_SIMD_COMPARE
}  // namespace detail

namespace detail {
// The smaller and the larger lanes, b where either is NaN: one instruction, which GCC does not find by
// itself.
#if XGRAD_SIMD_X86
#if defined(__clang__)
#define XGRAD_SIMD_EXTREME512(name, s, mask) r = __builtin_ia32_##name##s##512(a, b, 4)
#else
#define XGRAD_SIMD_EXTREME512(name, s, mask) \
  r = __builtin_ia32_##name##s##512_mask(a, b, a, static_cast<mask>(-1), 4)
#endif
#define XGRAD_SIMD_EXTREME(name)                                                              \
  template <class V>                                                                          \
  [[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline void name##_v4(V& r, const V& a, const V& b) { \
    if constexpr (sizeof(a[0]) == 4)                                                          \
      XGRAD_SIMD_EXTREME512(name, ps, unsigned short);                                        \
    else                                                                                      \
      XGRAD_SIMD_EXTREME512(name, pd, unsigned char);                                         \
  }                                                                                           \
  template <class V>                                                                          \
  [[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline void name##_v3(V& r, const V& a, const V& b) { \
    if constexpr (sizeof(a[0]) == 4)                                                          \
      r = __builtin_ia32_##name##ps256(a, b);                                                 \
    else                                                                                      \
      r = __builtin_ia32_##name##pd256(a, b);                                                 \
  }                                                                                           \
  template <class T, class V>                                                                 \
  XGRAD_SIMD_INLINE bool name##_lanes(V& r, const V& a, const V& b) {                         \
    if constexpr (!std::is_floating_point_v<T> || sizeof(V) < 16 || sizeof(V) > 64)           \
      return false;                                                                           \
    else if constexpr (sizeof(V) == 64)                                                       \
      name##_v4(r, a, b);                                                                     \
    else if constexpr (sizeof(V) == 32)                                                       \
      name##_v3(r, a, b);                                                                     \
    else if constexpr (sizeof(T) == 4)                                                        \
      r = __builtin_ia32_##name##ps(a, b);                                                    \
    else                                                                                      \
      r = __builtin_ia32_##name##pd(a, b);                                                    \
    return true;                                                                              \
  }
XGRAD_SIMD_EXTREME(min)
XGRAD_SIMD_EXTREME(max)
#undef XGRAD_SIMD_EXTREME
#undef XGRAD_SIMD_EXTREME512
#endif
}  // namespace detail

namespace detail {
// Conversions of all lanes, in a function of the level that the larger of the two vectors belongs to.
#if XGRAD_SIMD_X86
// GCC makes several instructions of a conversion between float and double that is one.
#if defined(__clang__)
#define XGRAD_SIMD_BETWEEN_FLOATS(widening, narrowing)
#else
template <class V>
using LaneOf = std::decay_t<decltype(std::declval<V>()[0])>;
#define XGRAD_SIMD_BETWEEN_FLOATS(widening, narrowing)                                          \
  if constexpr (std::is_same_v<LaneOf<To>, double> && std::is_same_v<LaneOf<From>, float>)      \
    to = widening;                                                                              \
  else if constexpr (std::is_same_v<LaneOf<To>, float> && std::is_same_v<LaneOf<From>, double>) \
    to = narrowing;                                                                             \
  else
#endif
template <class To, class From>
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline void convert_v4(To& to, const From& from) {
  XGRAD_SIMD_BETWEEN_FLOATS(__builtin_ia32_cvtps2pd512_mask(from, To{}, static_cast<unsigned char>(-1), 4),
                            __builtin_ia32_cvtpd2ps512_mask(from, To{}, static_cast<unsigned char>(-1), 4))
  to = __builtin_convertvector(from, To);
}
template <class To, class From>
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline void convert_v3(To& to, const From& from) {
  XGRAD_SIMD_BETWEEN_FLOATS(__builtin_ia32_cvtps2pd256(from), __builtin_ia32_cvtpd2ps256(from))
  to = __builtin_convertvector(from, To);
}
#undef XGRAD_SIMD_BETWEEN_FLOATS
/// The sign bits of the lanes, as an integer.
template <class V>
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline unsigned sign_bits_v3(const V& v) {
  if constexpr (sizeof(v[0]) == 4)
    return __builtin_ia32_movmskps256(reinterpret_cast<Vector<float, 32>::type>(v));
  else
    return __builtin_ia32_movmskpd256(reinterpret_cast<Vector<double, 32>::type>(v));
}
template <class V>
XGRAD_SIMD_INLINE unsigned sign_bits(const V& v) {
  if constexpr (sizeof(V) == 32)
    return sign_bits_v3(v);
  else if constexpr (sizeof(v[0]) == 4)
    return __builtin_ia32_movmskps(reinterpret_cast<Vector<float, 16>::type>(v));
  else
    return __builtin_ia32_movmskpd(reinterpret_cast<Vector<double, 16>::type>(v));
}
#endif
template <class To, class From>
XGRAD_SIMD_INLINE void convert(To& to, const From& from) {
#if XGRAD_SIMD_X86
  constexpr std::size_t larger = sizeof(To) < sizeof(From) ? sizeof(From) : sizeof(To);
  if constexpr (larger == 64) return convert_v4(to, from);
  if constexpr (larger == 32) return convert_v3(to, from);
#endif
  to = __builtin_convertvector(from, To);
}

template <int W>
struct WordOf {
  using type = std::uint64_t;
};
template <>
struct WordOf<4> {
  using type = std::uint32_t;
};
/// Bit i of 4 or 8 bits as byte i, 0 or 1: copies of the bits in every byte, of which each keeps its own.
template <int W>
XGRAD_SIMD_INLINE typename WordOf<W>::type bytes_of_bits(unsigned bits) {
  using Word = typename WordOf<W>::type;
  constexpr auto ones = static_cast<Word>(0x0101010101010101), own = static_cast<Word>(0x8040201008040201);
  const auto kept = static_cast<Word>(static_cast<Word>(bits * ones) & own);
  return static_cast<Word>((static_cast<Word>(kept + 0x7f * ones) >> 7) & ones);
}
}  // namespace detail

/// W truth values; a lane is all ones (true) or zero.
template <int W, int B>
struct Mask {
  using Lane = typename detail::SignedOf<B>::type;
  using Lanes = typename detail::Vector<Lane, W * B>::type;
  static constexpr int width = W;
  Lanes v;

  Mask() = default;
  XGRAD_SIMD_INLINE Mask(const Mask& o) : v(o.v) {}
  XGRAD_SIMD_INLINE Mask& operator=(const Mask& o) {
    v = o.v;
    return *this;
  }
  XGRAD_SIMD_INLINE explicit Mask(const Lanes& lanes) : v(lanes) {}
  XGRAD_SIMD_INLINE Mask(bool b) {
    const Lane lane = b ? -1 : 0;
    detail::spread(v, lane);
  }
  /// The same truth values in lanes of another size.
  template <int C>
  XGRAD_SIMD_INLINE Mask(const Mask<W, C>& o) {
    detail::convert(v, o.v);
  }

  XGRAD_SIMD_INLINE friend Mask operator&(const Mask& a, const Mask& b) { return Mask(a.v & b.v); }
  XGRAD_SIMD_INLINE friend Mask operator|(const Mask& a, const Mask& b) { return Mask(a.v | b.v); }
  XGRAD_SIMD_INLINE friend Mask operator^(const Mask& a, const Mask& b) { return Mask(a.v ^ b.v); }
  XGRAD_SIMD_INLINE friend Mask operator!(const Mask& a) { return Mask(~a.v); }
  XGRAD_SIMD_INLINE friend Mask operator==(const Mask& a, const Mask& b) { return Mask(~(a.v ^ b.v)); }
  XGRAD_SIMD_INLINE friend Mask operator!=(const Mask& a, const Mask& b) { return a ^ b; }

  /// From and to bools in memory, a byte each.
  XGRAD_SIMD_INLINE static Mask load(const bool* p) {
    using Bytes = typename detail::Vector<std::int8_t, W>::type;
    Bytes bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    Mask r;
    detail::convert(r.v, -bytes);
    return r;
  }
  XGRAD_SIMD_INLINE void store(bool* p) const {
#if XGRAD_SIMD_X86
    if constexpr (B > 1 && W >= 4 && (W * B == 16 || W * B == 32)) {
      const auto word = detail::bytes_of_bits<W>(detail::sign_bits(v));
      __builtin_memcpy(p, &word, sizeof word);
      return;
    }
#endif
    typename detail::Vector<std::int8_t, W>::type bytes;
    detail::convert(bytes, v);
    bytes = -bytes;
    __builtin_memcpy(p, &bytes, sizeof bytes);
  }
};

/// W numbers.
template <class T, int W>
struct Pack {
  using Lanes = typename detail::Vector<T, W* static_cast<int>(sizeof(T))>::type;
  using Scalar = T;
  using Truth = Mask<W, sizeof(T)>;
  static constexpr int width = W;
  Lanes v;

  Pack() = default;
  XGRAD_SIMD_INLINE Pack(const Pack& o) : v(o.v) {}
  XGRAD_SIMD_INLINE Pack& operator=(const Pack& o) {
    v = o.v;
    return *this;
  }
  XGRAD_SIMD_INLINE explicit Pack(const Lanes& lanes) : v(lanes) {}
  /// The same number in every lane.
  template <Number S>
  XGRAD_SIMD_INLINE Pack(S s) {
    detail::spread(v, static_cast<T>(s));
  }

  XGRAD_SIMD_INLINE static Pack load(const T* p) {
    Pack r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  XGRAD_SIMD_INLINE void store(T* p) const { __builtin_memcpy(p, &v, sizeof v); }
  XGRAD_SIMD_INLINE T operator[](int lane) const { return v[lane]; }

  // clang fuses a * b + c across functions only where it is told so; GCC does by default.
#if defined(__clang__)
#define XGRAD_SIMD_CONTRACT _Pragma("clang fp contract(fast)")
#else
#define XGRAD_SIMD_CONTRACT
#endif
#define XGRAD_SIMD_OPERATOR(op)                                             \
  XGRAD_SIMD_INLINE friend Pack operator op(const Pack& a, const Pack& b) { \
    XGRAD_SIMD_CONTRACT                                                     \
    return Pack(a.v op b.v);                                                \
  }                                                                         \
  XGRAD_SIMD_INLINE Pack& operator op##=(const Pack& b) { return *this = *this op b; }
#define XGRAD_SIMD_WRAPPING_OPERATOR(op)                                                          \
  XGRAD_SIMD_INLINE friend Pack operator op(const Pack& a, const Pack& b) {                       \
    XGRAD_SIMD_CONTRACT                                                                           \
    if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) { /* overflow wraps around */     \
      using U = typename detail::Vector<std::make_unsigned_t<T>, sizeof(Lanes)>::type;            \
      return Pack(reinterpret_cast<Lanes>(reinterpret_cast<U>(a.v) op reinterpret_cast<U>(b.v))); \
    } else {                                                                                      \
      return Pack(a.v op b.v);                                                                    \
    }                                                                                             \
  }                                                                                               \
  XGRAD_SIMD_INLINE Pack& operator op##=(const Pack& b) { return *this = *this op b; }
  XGRAD_SIMD_WRAPPING_OPERATOR(+)
  XGRAD_SIMD_WRAPPING_OPERATOR(-)
  XGRAD_SIMD_WRAPPING_OPERATOR(*)
#undef XGRAD_SIMD_WRAPPING_OPERATOR
  XGRAD_SIMD_OPERATOR(/)
  XGRAD_SIMD_OPERATOR(%)
  XGRAD_SIMD_OPERATOR(&)
  XGRAD_SIMD_OPERATOR(|)
  XGRAD_SIMD_OPERATOR(^)
  XGRAD_SIMD_OPERATOR(<<)
  XGRAD_SIMD_OPERATOR(>>)
#undef XGRAD_SIMD_OPERATOR
  XGRAD_SIMD_INLINE friend Pack operator-(const Pack& a) {
    if constexpr (std::is_floating_point_v<T>)
      return Pack(-a.v);
    else
      return Pack(Lanes{}) - a;
  }
  XGRAD_SIMD_INLINE friend Pack operator+(const Pack& a) { return a; }
  XGRAD_SIMD_INLINE friend Pack operator~(const Pack& a) { return Pack(~a.v); }

#define XGRAD_SIMD_COMPARE(op, name)                                         \
  XGRAD_SIMD_INLINE friend Truth operator op(const Pack& a, const Pack& b) { \
    Truth r;                                                                 \
    detail::name(r.v, a.v, b.v);                                             \
    return r;                                                                \
  }
  XGRAD_SIMD_COMPARE(<, less)
  XGRAD_SIMD_COMPARE(<=, less_equal)
  XGRAD_SIMD_COMPARE(>, greater)
  XGRAD_SIMD_COMPARE(>=, greater_equal)
  XGRAD_SIMD_COMPARE(==, equal)
  XGRAD_SIMD_COMPARE(!=, not_equal)
#undef XGRAD_SIMD_COMPARE

  /// a where the mask is true, b elsewhere.
  XGRAD_SIMD_INLINE friend Pack select(const Truth& m, const Pack& a, const Pack& b) {
    Pack r;
    detail::choose(r.v, m.v, a.v, b.v);
    return r;
  }
  /// The smaller, b if either is NaN: one instruction. `minimum` is the one that passes NaN on.
  XGRAD_SIMD_INLINE friend Pack min(const Pack& a, const Pack& b) {
#if XGRAD_SIMD_X86
    Pack r;
    if (detail::min_lanes<T>(r.v, a.v, b.v)) return r;
#endif
    return select(a < b, a, b);
  }
  /// The larger, b if either is NaN: one instruction. `maximum` is the one that passes NaN on.
  XGRAD_SIMD_INLINE friend Pack max(const Pack& a, const Pack& b) {
#if XGRAD_SIMD_X86
    Pack r;
    if (detail::max_lanes<T>(r.v, a.v, b.v)) return r;
#endif
    return select(a > b, a, b);
  }
};

template <class T>
inline constexpr bool is_pack = false;
template <class T, int W>
inline constexpr bool is_pack<Pack<T, W>> = true;
template <class T>
inline constexpr bool is_mask = false;
template <int W, int B>
inline constexpr bool is_mask<Mask<W, B>> = true;

// ---- changes of type --------------------------------------------------------------------------------------

/// Each lane converted to U (as static_cast does; out of range is undefined for floating to integer).
template <class U, class T, int W>
XGRAD_SIMD_INLINE Pack<U, W> cast(const Pack<T, W>& a) {
  if constexpr (std::is_same_v<U, T>) {
    return a;
  } else if constexpr ((sizeof(U) == 1 && std::is_floating_point_v<T>) ||
                       (sizeof(T) == 1 && std::is_floating_point_v<U>)) {
    // There is no such instruction; what compilers make of it without one is a lane at a time.
    return cast<U>(cast<std::int32_t>(a));
  } else {
    Pack<U, W> r;
    detail::convert(r.v, a.v);
    return r;
  }
}
/// 1 where true, 0 where false.
template <class U, int W, int B>
XGRAD_SIMD_INLINE Pack<U, W> cast(const Mask<W, B>& m) {
  const Mask<W, sizeof(U)> wide(m);
  return select(wide, Pack<U, W>(1), Pack<U, W>(0));
}
template <class U, Number T>
XGRAD_SIMD_INLINE constexpr U cast(T a) {
  return static_cast<U>(a);
}

/// The same bits as lanes of another type of the same size.
template <class U, class T, int W>
XGRAD_SIMD_INLINE Pack<U, W> bits(const Pack<T, W>& a) {
  static_assert(sizeof(U) == sizeof(T));
  return Pack<U, W>(reinterpret_cast<typename Pack<U, W>::Lanes>(a.v));
}

// ---- lanes ------------------------------------------------------------------------------------------------

namespace detail {
template <class P, class V, std::size_t... I>
XGRAD_SIMD_INLINE P pick(const V& v, std::index_sequence<I...>, int /*offset is in the indices*/) {
  return P(__builtin_shufflevector(v, v, static_cast<int>(I)...));
}
template <class P, class V, std::size_t... I>
XGRAD_SIMD_INLINE P pick_from(const V& v, std::index_sequence<I...>) {
  return P(__builtin_shufflevector(v, v, static_cast<int>(I + sizeof...(I))...));
}
template <class P, class V, std::size_t... I>
XGRAD_SIMD_INLINE P glue(const V& a, const V& b, std::index_sequence<I...>) {
  return P(__builtin_shufflevector(a, b, static_cast<int>(I)...));
}
}  // namespace detail

/// Lanes 0 … W/2 - 1.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W / 2> low(const Pack<T, W>& a) {
  return detail::pick<Pack<T, W / 2>>(a.v, std::make_index_sequence<W / 2>{}, 0);
}
/// Lanes W/2 … W - 1.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W / 2> high(const Pack<T, W>& a) {
  return detail::pick_from<Pack<T, W / 2>>(a.v, std::make_index_sequence<W / 2>{});
}
/// The lanes of a followed by those of b.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, 2 * W> join(const Pack<T, W>& a, const Pack<T, W>& b) {
  return detail::glue<Pack<T, 2 * W>>(a.v, b.v, std::make_index_sequence<2 * W>{});
}

namespace detail {
/// Folds the lanes in halves: always in the same order.
template <class T, int W, class F>
XGRAD_SIMD_INLINE T fold(const Pack<T, W>& a, F f) {
  if constexpr (W == 2) {
    return f(a[0], a[1]);
  } else if constexpr (W * sizeof(T) <= 8) {
    T r = a[0];
    for (int i = 1; i < W; ++i) r = f(r, a[i]);
    return r;
  } else {
    return fold(f(low(a), high(a)), f);
  }
}
}  // namespace detail

// ---- the same names for scalars ---------------------------------------------------------------------------

template <Number A, Number B>
XGRAD_SIMD_INLINE constexpr std::common_type_t<A, B> select(bool m, A a, B b) {
  return m ? a : b;
}
template <Number A, Number B>
XGRAD_SIMD_INLINE constexpr std::common_type_t<A, B> min(A a, B b) {
  return a < b ? a : b;
}
template <Number A, Number B>
XGRAD_SIMD_INLINE constexpr std::common_type_t<A, B> max(A a, B b) {
  return a > b ? a : b;
}

/// A mask chooses between two scalars: lanes of their common type.
template <int W, int B, Number S, Number T>
XGRAD_SIMD_INLINE Pack<std::common_type_t<S, T>, W> select(const Mask<W, B>& m, S a, T b) {
  using R = std::common_type_t<S, T>;
  return select(Mask<W, sizeof(R)>(m), Pack<R, W>(a), Pack<R, W>(b));
}
template <int W, int B>
XGRAD_SIMD_INLINE Mask<W, B> select(const Mask<W, B>& m, const Mask<W, B>& a, const Mask<W, B>& b) {
  return (m & a) | ((!m) & b);
}

template <class T, int W>
XGRAD_SIMD_INLINE T sum_lanes(const Pack<T, W>& a) {
  return detail::fold(a, [](const auto& x, const auto& y) XGRAD_SIMD_LAMBDA { return x + y; });
}
template <class T, int W>
XGRAD_SIMD_INLINE T max_lanes(const Pack<T, W>& a) {
  return detail::fold(a, [](const auto& x, const auto& y) XGRAD_SIMD_LAMBDA { return max(x, y); });
}
template <class T, int W>
XGRAD_SIMD_INLINE T min_lanes(const Pack<T, W>& a) {
  return detail::fold(a, [](const auto& x, const auto& y) XGRAD_SIMD_LAMBDA { return min(x, y); });
}

/// Whether any lane is true; whether all are.
template <int W, int B>
XGRAD_SIMD_INLINE bool any(const Mask<W, B>& m) {
#if XGRAD_SIMD_X86
  if constexpr (B > 1 && (W * B == 16 || W * B == 32)) return detail::sign_bits(m.v) != 0;
#endif
  const Pack<typename Mask<W, B>::Lane, W> lanes(m.v);
  return detail::fold(lanes, [](const auto& x, const auto& y) XGRAD_SIMD_LAMBDA { return x | y; }) != 0;
}
template <int W, int B>
XGRAD_SIMD_INLINE bool all(const Mask<W, B>& m) {
  return !any(!m);
}
XGRAD_SIMD_INLINE constexpr bool any(bool m) { return m; }
XGRAD_SIMD_INLINE constexpr bool all(bool m) { return m; }

}  // namespace xgrad::inline v0::simd

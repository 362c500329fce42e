#include <bit>
#include <cmath>
#include <cstring>

#include <xgrad/ops/kernels/map.hpp>
#include <xgrad/ops/kernels/parallel.hpp>
#include <xgrad/ops/kernels/random.hpp>

// This file is compiled with -ffp-contract=off (CMakeLists.txt): the normals are the same bits on every CPU
// because each operation below is one correctly rounded IEEE operation, whichever instructions carry it out.

namespace xgrad::inline v0::kernels {
namespace {

/// Words that are made together: enough that GCC turns the loops below into vector code instead of unrolling
/// them.
constexpr int group_words = 128;
constexpr int group_blocks = group_words / 4;

/// The words of `group_blocks` blocks from number `block` on.
XGRAD_SIMD_INLINE void make_words(RandomKey key, std::uint64_t block, std::uint32_t* out) {
  constexpr int n = group_blocks;
  std::uint32_t c0[n], c1[n], c2[n], c3[n];
  for (int i = 0; i < n; ++i) {
    const std::uint64_t at = block + static_cast<std::uint64_t>(i);
    c0[i] = static_cast<std::uint32_t>(at);
    c1[i] = static_cast<std::uint32_t>(at >> 32);
    c2[i] = static_cast<std::uint32_t>(key.stream);
    c3[i] = static_cast<std::uint32_t>(key.stream >> 32);
  }
  std::uint32_t k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < n; ++i) {
      const std::uint64_t a = std::uint64_t{0xD2511F53u} * c0[i], b = std::uint64_t{0xCD9E8D57u} * c2[i];
      c0[i] = static_cast<std::uint32_t>(b >> 32) ^ c1[i] ^ k0;
      c1[i] = static_cast<std::uint32_t>(b);
      c2[i] = static_cast<std::uint32_t>(a >> 32) ^ c3[i] ^ k1;
      c3[i] = static_cast<std::uint32_t>(a);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int i = 0; i < n; ++i) {
    out[4 * i] = c0[i];
    out[4 * i + 1] = c1[i];
    out[4 * i + 2] = c2[i];
    out[4 * i + 3] = c3[i];
  }
}

XGRAD_SIMD_INLINE std::uint64_t joined(const std::uint32_t* words, int i) {
  return words[2 * i] | std::uint64_t{words[2 * i + 1]} << 32;
}

/// An integer below 2^52 as a double, without a conversion instruction, which AVX2 does not have.
XGRAD_SIMD_INLINE double to_double(std::uint64_t v) {
  return std::bit_cast<double>(v | 0x4330000000000000u) - 0x1p52;
}

/// log(x) for a normal x, to 1 ulp: fdlibm's e_log.c.
XGRAD_SIMD_INLINE double log_normal(double x) {
  // x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2)
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  const double k = to_double(bits >> 52) - 1023;
  const double f = std::bit_cast<double>((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1;
  const double s = f / (2 + f), z = s * s, w = z * z;
  const double even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332));
  const double odd =
      z * (0.6666666666666735130 +
           w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591)));
  const double half = 0.5 * f * f;
  return k * 6.93147180369123816490e-01 -
         ((half - (s * (half + even + odd) + k * 1.90821492927058770002e-10)) - f);
}

/// Two independent normals from u in (0, 1] and v in [0, 1): sqrt(-2 log u) times cos and sin of 2 pi v, with
/// fdlibm's polynomials for |angle| <= pi/4.
XGRAD_SIMD_INLINE void box_muller(double u, double v, double& a, double& b) {
  const double radius = std::sqrt(-2 * log_normal(u));
  const double quarters = 4 * v, nearest = (quarters + 0x1.8p52) - 0x1.8p52;
  const std::uint64_t quadrant = std::bit_cast<std::uint64_t>(quarters + 0x1.8p52);
  const double x = (quarters - nearest) * 1.57079632679489661923, z = x * x;
  const double sine =
      x + x * z *
              (-1.66666666666666324348e-01 +
               z * (8.33333333332248946124e-03 +
                    z * (-1.98412698298579493134e-04 +
                         z * (2.75573137070700676789e-06 +
                              z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
  const double cosine =
      1 -
      (0.5 * z - z * z *
                     (4.16666666666666019037e-02 +
                      z * (-1.38888888888741095749e-03 +
                           z * (2.48015872894767294178e-05 +
                                z * (-2.75573143513906633035e-07 +
                                     z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11))))));
  // A turn by a quarter takes (cos, sin) to (-sin, cos).
  const bool odd = (quadrant & 1) != 0;
  const double c = odd ? sine : cosine, s = odd ? cosine : sine;
  const std::uint64_t flip_c = (quadrant ^ quadrant << 1) << 62 & 0x8000000000000000u;
  const std::uint64_t flip_s = quadrant << 62 & 0x8000000000000000u;
  a = radius * std::bit_cast<double>(std::bit_cast<std::uint64_t>(c) ^ flip_c);
  b = radius * std::bit_cast<double>(std::bit_cast<std::uint64_t>(s) ^ flip_s);
}

// ---- what becomes of the words of a group -----------------------------------------------------------------

struct Bits32 {
  static constexpr int values = group_words;
  XGRAD_SIMD_INLINE static void convert(const std::uint32_t* w, std::uint32_t* out) {
    std::memcpy(out, w, group_words * sizeof *w);
  }
};
struct Bits64 {
  static constexpr int values = group_words / 2;
  XGRAD_SIMD_INLINE static void convert(const std::uint32_t* w, std::uint64_t* out) {
    for (int i = 0; i < values; ++i) out[i] = joined(w, i);
  }
};
struct Uniform32 {
  static constexpr int values = group_words;
  XGRAD_SIMD_INLINE static void convert(const std::uint32_t* w, float* out) {
    for (int i = 0; i < values; ++i)
      out[i] = static_cast<float>(static_cast<std::int32_t>(w[i] >> 8)) * 0x1p-24f;
  }
};
struct Uniform64 {
  static constexpr int values = group_words / 2;
  XGRAD_SIMD_INLINE static void convert(const std::uint32_t* w, double* out) {
    for (int i = 0; i < values; ++i) {
      // 53 bits as 32 + 21, each part and their sum exact.
      const std::uint64_t v = joined(w, i);
      out[i] = to_double(v >> 32) * 0x1p-32 + to_double(v >> 11 & 0x1fffffu) * 0x1p-53;
    }
  }
};
struct Normal32 {
  static constexpr int values = group_words;
  XGRAD_SIMD_INLINE static void convert(const std::uint32_t* w, float* out) {
    for (int i = 0; i < values / 2; ++i) {
      const std::uint64_t v = joined(w, i);
      double a, b;
      box_muller((to_double(v & 0xffffffffu) + 0.5) * 0x1p-32, to_double(v >> 32) * 0x1p-32, a, b);
      out[2 * i] = static_cast<float>(a);
      out[2 * i + 1] = static_cast<float>(b);
    }
  }
};
struct Normal64 {
  static constexpr int values = group_words / 2;
  XGRAD_SIMD_INLINE static void convert(const std::uint32_t* w, double* out) {
    for (int i = 0; i < values / 2; ++i) {
      const std::uint64_t u = joined(w, 2 * i), v = joined(w, 2 * i + 1);
      double a, b;
      box_muller((to_double(u >> 12) + 0.5) * 0x1p-52, to_double(v >> 12) * 0x1p-52, a, b);
      out[2 * i] = a;
      out[2 * i + 1] = b;
    }
  }
};

/// The values of [begin, end), where begin is the first of a group.
template <class Kind, class T>
void fill_range(RandomKey key, std::uint64_t offset, T* out, std::int64_t begin, std::int64_t end) {
  vectorized([=](auto) XGRAD_SIMD_LAMBDA {
    alignas(64) std::uint32_t words[group_words];
    std::uint64_t block = offset + static_cast<std::uint64_t>(begin / Kind::values) * group_blocks;
    std::int64_t i = begin;
    for (; i + Kind::values <= end; i += Kind::values, block += group_blocks) {
      make_words(key, block, words);
      Kind::convert(words, out + i);
    }
    if (i < end) {
      alignas(64) T rest[Kind::values];
      make_words(key, block, words);
      Kind::convert(words, rest);
      std::memcpy(out + i, rest, static_cast<std::size_t>(end - i) * sizeof(T));
    }
  });
}

template <class Kind, class T>
void fill(RandomKey key, std::uint64_t offset, T* out, std::int64_t n) {
  constexpr std::int64_t grain = 256 * Kind::values;
  parallel_for(n, grain,
               [&](std::int64_t begin, std::int64_t end) { fill_range<Kind>(key, offset, out, begin, end); });
}

}  // namespace

void fill_bits(RandomKey key, std::uint64_t offset, std::uint32_t* out, std::int64_t n) {
  fill<Bits32>(key, offset, out, n);
}
void fill_bits(RandomKey key, std::uint64_t offset, std::uint64_t* out, std::int64_t n) {
  fill<Bits64>(key, offset, out, n);
}
void fill_uniform(RandomKey key, std::uint64_t offset, float* out, std::int64_t n) {
  fill<Uniform32>(key, offset, out, n);
}
void fill_uniform(RandomKey key, std::uint64_t offset, double* out, std::int64_t n) {
  fill<Uniform64>(key, offset, out, n);
}
void fill_normal(RandomKey key, std::uint64_t offset, float* out, std::int64_t n) {
  fill<Normal32>(key, offset, out, n);
}
void fill_normal(RandomKey key, std::uint64_t offset, double* out, std::int64_t n) {
  fill<Normal64>(key, offset, out, n);
}

}  // namespace xgrad::inline v0::kernels

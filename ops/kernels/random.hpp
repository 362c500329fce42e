#pragma once
#include <array>
#include <cstdint>

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011). Block number n of a stream is a pure function of (seed, stream, n), so any part of a sequence
/// can be drawn, or drawn again, by itself: the same numbers on any machine and any number of threads.
namespace xgrad::inline v0::kernels {

/// Which sequence: 2^64 seeds with 2^64 independent streams each.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
};

/// Philox4x32-10 of a counter and a key, word by word as Random123 orders them.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c,
                                              std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * c[0], b = std::uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}
// Random123 1.14, tests/kat_vectors.
static_assert(philox({0, 0, 0, 0}, {0, 0}) ==
              std::array<std::uint32_t, 4>{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
static_assert(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
              std::array<std::uint32_t, 4>{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
static_assert(philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
              std::array<std::uint32_t, 4>{0xd16cfe09u, 0x94fdcceb, 0x5001e420u, 0x24126ea1u});

// `offset` counts blocks of four 32-bit words. A float, or a normal float, takes one word, a double two:
// value i comes from word i (words 2i, 2i + 1) after the offset, and normals are made in pairs.

/// out[i] = word i.
void fill_bits(RandomKey key, std::uint64_t offset, std::uint32_t* out, std::int64_t n);
/// 64-bit words; the first 32-bit word is the low half.
void fill_bits(RandomKey key, std::uint64_t offset, std::uint64_t* out, std::int64_t n);
/// Uniform on [0, 1): multiples of 2^-24 (float) and 2^-53 (double).
void fill_uniform(RandomKey key, std::uint64_t offset, float* out, std::int64_t n);
void fill_uniform(RandomKey key, std::uint64_t offset, double* out, std::int64_t n);
/// Standard normal, by the method of Box and Muller in double, the same bits everywhere. floats reach 6.8,
/// doubles 8.6.
void fill_normal(RandomKey key, std::uint64_t offset, float* out, std::int64_t n);
void fill_normal(RandomKey key, std::uint64_t offset, double* out, std::int64_t n);

}  // namespace xgrad::inline v0::kernels

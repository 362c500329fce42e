// The registers of gemm_small_body.hpp, which includes this once for each level of instructions:
// XGRAD_GEMM_LEVEL.

// Simd<T>: a register of T. `first(count)` is the mask of the first count lanes, 1 <= count <= lanes.
// `store_rows` stores these lanes of R registers, `ld` elements apart. `relu` keeps NaN. (Where a plain
// AVX-512 intrinsic would do, a masked one or a shuffle stands because GCC 12 warns of the uninitialised
// register inside its own headers.)
template <class T>
struct Simd;

#if XGRAD_GEMM_LEVEL == 4

constexpr int outer_rows = 12;
constexpr int dot_rows = 3;
constexpr int dot_columns = 8;

template <>
struct Simd<float> {
  static constexpr int lanes = 16;
  using V = __m512;
  using M = __mmask16;
  XGRAD_GEMM_INLINE M first(std::int64_t count) { return static_cast<M>((1U << count) - 1U); }
  XGRAD_GEMM_INLINE V zero() { return _mm512_setzero_ps(); }
  XGRAD_GEMM_INLINE V all(float x) { return _mm512_set1_ps(x); }
  XGRAD_GEMM_INLINE V load(const float* p) { return _mm512_loadu_ps(p); }
  XGRAD_GEMM_INLINE V load(const float* p, M m) { return _mm512_maskz_loadu_ps(m, p); }
  XGRAD_GEMM_INLINE void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  template <int R>
  XGRAD_GEMM_INLINE void store_rows(float* p, std::int64_t ld, const V (&v)[R], M m) {
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) _mm512_mask_storeu_ps(p + i * ld, m, v[i]);
  }
  XGRAD_GEMM_INLINE V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  XGRAD_GEMM_INLINE V add(V a, V b) { return _mm512_add_ps(a, b); }
  XGRAD_GEMM_INLINE V relu(V v) { return _mm512_maskz_max_ps(0xFFFF, zero(), v); }
  XGRAD_GEMM_INLINE __m128 fold(V v) {
    const __m256 h = _mm256_add_ps(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                   __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
    return _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  }
};

template <>
struct Simd<double> {
  static constexpr int lanes = 8;
  using V = __m512d;
  using M = __mmask8;
  XGRAD_GEMM_INLINE M first(std::int64_t count) { return static_cast<M>((1U << count) - 1U); }
  XGRAD_GEMM_INLINE V zero() { return _mm512_setzero_pd(); }
  XGRAD_GEMM_INLINE V all(double x) { return _mm512_set1_pd(x); }
  XGRAD_GEMM_INLINE V load(const double* p) { return _mm512_loadu_pd(p); }
  XGRAD_GEMM_INLINE V load(const double* p, M m) { return _mm512_maskz_loadu_pd(m, p); }
  XGRAD_GEMM_INLINE void store(double* p, V v) { _mm512_storeu_pd(p, v); }
  template <int R>
  XGRAD_GEMM_INLINE void store_rows(double* p, std::int64_t ld, const V (&v)[R], M m) {
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) _mm512_mask_storeu_pd(p + i * ld, m, v[i]);
  }
  XGRAD_GEMM_INLINE V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  XGRAD_GEMM_INLINE V add(V a, V b) { return _mm512_add_pd(a, b); }
  XGRAD_GEMM_INLINE V relu(V v) { return _mm512_maskz_max_pd(0xFF, zero(), v); }
  XGRAD_GEMM_INLINE __m128d fold(V v) {
    const __m256d h =
        _mm256_add_pd(__builtin_shufflevector(v, v, 0, 1, 2, 3), __builtin_shufflevector(v, v, 4, 5, 6, 7));
    return _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
  }
};

#elif XGRAD_GEMM_LEVEL == 3

constexpr int outer_rows = 6;
constexpr int dot_rows = 3;
constexpr int dot_columns = 4;

struct Mask {
  __m256i lanes;
  int count;
};

template <>
struct Simd<float> {
  static constexpr int lanes = 8;
  using V = __m256;
  using M = Mask;
  XGRAD_GEMM_INLINE M first(std::int64_t count) {
    const int n = static_cast<int>(count);
    return {_mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), n};
  }
  XGRAD_GEMM_INLINE V zero() { return _mm256_setzero_ps(); }
  XGRAD_GEMM_INLINE V all(float x) { return _mm256_set1_ps(x); }
  XGRAD_GEMM_INLINE V load(const float* p) { return _mm256_loadu_ps(p); }
  XGRAD_GEMM_INLINE V load(const float* p, M m) { return _mm256_maskload_ps(p, m.lanes); }
  XGRAD_GEMM_INLINE void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  // In pieces: a masked store takes AMD's CPUs a dozen cycles.
  template <int R>
  XGRAD_GEMM_INLINE void store_rows(float* p, std::int64_t ld, const V (&v)[R], M m) {
    __m128 x[R];
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) x[i] = _mm256_castps256_ps128(v[i]);
    if (m.count & 4) {
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) {
        _mm_storeu_ps(p + i * ld, x[i]);
        x[i] = _mm256_extractf128_ps(v[i], 1);
      }
      p += 4;
    }
    if (m.count & 2) {
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) {
        _mm_storel_pi(reinterpret_cast<__m64*>(p + i * ld), x[i]);
        x[i] = _mm_movehl_ps(x[i], x[i]);
      }
      p += 2;
    }
    if (m.count & 1) {
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) _mm_store_ss(p + i * ld, x[i]);
    }
  }
  XGRAD_GEMM_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  XGRAD_GEMM_INLINE V add(V a, V b) { return _mm256_add_ps(a, b); }
  XGRAD_GEMM_INLINE V relu(V v) { return _mm256_max_ps(zero(), v); }
  XGRAD_GEMM_INLINE __m128 fold(V v) {
    return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  }
};

template <>
struct Simd<double> {
  static constexpr int lanes = 4;
  using V = __m256d;
  using M = Mask;
  XGRAD_GEMM_INLINE M first(std::int64_t count) {
    return {_mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3)),
            static_cast<int>(count)};
  }
  XGRAD_GEMM_INLINE V zero() { return _mm256_setzero_pd(); }
  XGRAD_GEMM_INLINE V all(double x) { return _mm256_set1_pd(x); }
  XGRAD_GEMM_INLINE V load(const double* p) { return _mm256_loadu_pd(p); }
  XGRAD_GEMM_INLINE V load(const double* p, M m) { return _mm256_maskload_pd(p, m.lanes); }
  XGRAD_GEMM_INLINE void store(double* p, V v) { _mm256_storeu_pd(p, v); }
  template <int R>
  XGRAD_GEMM_INLINE void store_rows(double* p, std::int64_t ld, const V (&v)[R], M m) {
    __m128d x[R];
    XGRAD_GEMM_UNROLL
    for (int i = 0; i < R; ++i) x[i] = _mm256_castpd256_pd128(v[i]);
    if (m.count & 2) {
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) {
        _mm_storeu_pd(p + i * ld, x[i]);
        x[i] = _mm256_extractf128_pd(v[i], 1);
      }
      p += 2;
    }
    if (m.count & 1) {
      XGRAD_GEMM_UNROLL
      for (int i = 0; i < R; ++i) _mm_store_sd(p + i * ld, x[i]);
    }
  }
  XGRAD_GEMM_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  XGRAD_GEMM_INLINE V add(V a, V b) { return _mm256_add_pd(a, b); }
  XGRAD_GEMM_INLINE V relu(V v) { return _mm256_max_pd(zero(), v); }
  XGRAD_GEMM_INLINE __m128d fold(V v) {
    return _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  }
};

#else

constexpr int outer_rows = 4;
constexpr int dot_rows = 2;
constexpr int dot_columns = 4;

template <class T>
struct Lanes16;
template <>
struct Lanes16<float> {
  typedef float type __attribute__((vector_size(16)));
};
template <>
struct Lanes16<double> {
  typedef double type __attribute__((vector_size(16)));
};

template <class T>
struct Simd {
  static constexpr int lanes = 16 / sizeof(T);
  using V = typename Lanes16<T>::type;
  using M = std::int64_t;
  XGRAD_GEMM_INLINE M first(std::int64_t count) { return count; }
  XGRAD_GEMM_INLINE V zero() { return V{}; }
  XGRAD_GEMM_INLINE V all(T x) { return x - V{}; }
  XGRAD_GEMM_INLINE V load(const T* p) {
    V v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  XGRAD_GEMM_INLINE V load(const T* p, M count) {
    V v{};
    for (M i = 0; i < lanes; ++i) v[i] = i < count ? p[i] : T(0);
    return v;
  }
  XGRAD_GEMM_INLINE void store(T* p, V v) { __builtin_memcpy(p, &v, sizeof v); }
  template <int R>
  XGRAD_GEMM_INLINE void store_rows(T* p, std::int64_t ld, const V (&v)[R], M count) {
    XGRAD_GEMM_UNROLL
    for (int r = 0; r < R; ++r) {
      for (M i = 0; i < lanes; ++i) {
        if (i < count) p[r * ld + i] = v[r][i];
      }
    }
  }
  XGRAD_GEMM_INLINE V fma(V a, V b, V c) { return a * b + c; }
  XGRAD_GEMM_INLINE V add(V a, V b) { return a + b; }
  XGRAD_GEMM_INLINE V relu(V v) { return v < V{} ? V{} : v; }
  XGRAD_GEMM_INLINE V fold(V v) { return v; }
};

#endif

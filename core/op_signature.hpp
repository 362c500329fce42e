#pragma once
#include <array>
#include <bit>
#include <tuple>

#include <xgrad/core/registry.hpp>
#include <xgrad/core/tape.hpp>

/// What the members of an op (op.hpp) take and return, and what their signatures say that has to be kept.
namespace xgrad::inline v0 {

/// The saved result of an op, as a parameter of `vjp` and `vjp_kernel`.
struct Output : Tensor {
  using Tensor::Tensor;
  explicit Output(Tensor t) : Tensor(std::move(t)) {}
};

/// An input that was not saved: its shape and dtype.
struct Skip {
  Shape shape;
  DType dtype = DType::float32;
};

/// Which inputs' gradients the sweep wants.
class Needs {
 public:
  explicit Needs(const detail::Edge* edges) : edges_(edges) {}
  bool operator[](int i) const { return edges_[i].wanted; }

 private:
  const detail::Edge* edges_;
};

namespace detail {
using SavedArrays = std::vector<Array, PoolAllocator<Array>>;
}

/// Takes arrays from `forward` for `vjp`.
class Save {
 public:
  explicit Save(bool wanted) : wanted_(wanted) {}
  void operator()(Array a) { arrays_.push_back(std::move(a)); }
  /// Whether the run is recorded; if not, what is saved is dropped.
  bool wanted() const { return wanted_; }
  detail::SavedArrays& arrays() { return arrays_; }

 private:
  detail::SavedArrays arrays_;
  bool wanted_;
};

/// What `forward` saved, in order: constants to the tape.
class Saved {
 public:
  Tensor operator[](int i) const { return Tensor(array(i)); }
  const Array& array(int i) const { return arrays_[static_cast<std::size_t>(i)]; }
  int size() const { return static_cast<int>(arrays_.size()); }
  /// The array, of which a kernel may be the only holder and compute in its memory: it is handed over if the
  /// sweep frees the history anyway. For a rule that takes `Saved&`.
  Array take(int i) {
    Array& a = arrays_[static_cast<std::size_t>(i)];
    return last_use_ ? std::move(a) : a;
  }
  detail::SavedArrays& arrays() { return arrays_; }
  void set_last_use(bool last_use) { last_use_ = last_use; }

 private:
  detail::SavedArrays arrays_;
  bool last_use_ = false;
};

/// Gradients of N inputs, as `vjp` returns them.
template <int N>
using Grads = std::array<Tensor, N>;
/// The same from `vjp_kernel`.
template <int N>
using GradArrays = std::array<Array, N>;

namespace detail {

template <class F>
struct Signature;
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> {
  using Result = R;
  using Args = std::tuple<std::remove_cvref_t<A>...>;
};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (C::*)(A...) const> {};

/// The first parameter as it was declared.
template <class F>
struct FirstParameter;
template <class C, class R, class First, class... A>
struct FirstParameter<R (C::*)(First, A...) const> {
  using Type = First;
};

template <class T>
inline constexpr bool is_span = false;
template <class T>
inline constexpr bool is_span<std::span<T>> = true;

template <class Op>
concept HasName = requires {
  { Op::name } -> std::convertible_to<std::string_view>;
};
template <class Op>
concept HasSamples = requires {
  { Op::samples() } -> std::same_as<std::vector<Sample>>;
};
template <class Op>
concept HasForward = requires {
  &Op::forward;
};
template <class Op>
concept HasVjp = requires {
  &Op::vjp;
};
template <class Op>
concept HasVjpKernel = requires {
  &Op::vjp_kernel;
};
/// Whether the kernel takes its cotangent by value, to compute in its memory.
template <class Op>
consteval bool kernel_takes_over() {
  return std::same_as<typename FirstParameter<decltype(&Op::vjp_kernel)>::Type, Array>;
}
template <class Op>
consteval bool is_differentiable() {
  if constexpr (requires { Op::differentiable; })
    return Op::differentiable;
  else
    return true;
}

/// What a `vjp` or `vjp_kernel` with these parameters (after the cotangent) wants saved.
template <class Args, class Value>
struct Plan;
template <class Cotangent, class... A, class Value>
struct Plan<std::tuple<Cotangent, A...>, Value> {
  static constexpr bool all_saved = (std::same_as<A, std::span<const Value>> || ...);
  static constexpr bool all_skipped = (std::same_as<A, std::span<const Skip>> || ...);
  static constexpr bool output = (std::same_as<A, Output> || ...);
  static constexpr bool extra = (std::same_as<A, Saved> || ...);
  static constexpr bool known =
      ((std::same_as<A, Value> || std::same_as<A, Skip> || std::same_as<A, Output> ||
        std::same_as<A, Saved> || std::same_as<A, Needs> || std::same_as<A, std::span<const Value>> ||
        std::same_as<A, std::span<const Skip>>)&&...);
  /// Bit i: input i is saved (`saved`), or its shape is kept (`skipped`).
  static constexpr unsigned saved = [] {
    unsigned mask = 0;
    int i = 0;
    ((std::same_as<A, Value> ? void(mask |= 1u << i++) : std::same_as<A, Skip> ? void(++i) : void()), ...);
    return mask;
  }();
  static constexpr unsigned skipped = [] {
    unsigned mask = 0;
    int i = 0;
    ((std::same_as<A, Skip> ? void(mask |= 1u << i++) : std::same_as<A, Value> ? void(++i) : void()), ...);
    return mask;
  }();
  /// The input that parameter `p` (counted after the cotangent) stands for.
  static constexpr int input_of(int p) {
    int input = 0, at = 0;
    ((at++ < p && (std::same_as<A, Value> || std::same_as<A, Skip>) ? void(++input) : void()), ...);
    return input;
  }
};
template <class Value>
struct EmptyPlan {
  static constexpr bool all_saved = false, all_skipped = false, output = false, extra = false;
  static constexpr unsigned saved = 0, skipped = 0;
};

template <class Op>
consteval auto vjp_plan() {
  if constexpr (HasVjp<Op>)
    return Plan<typename Signature<decltype(&Op::vjp)>::Args, Tensor>{};
  else
    return EmptyPlan<Tensor>{};
}
template <class Op>
consteval auto kernel_plan() {
  if constexpr (HasVjpKernel<Op>)
    return Plan<typename Signature<decltype(&Op::vjp_kernel)>::Args, Array>{};
  else
    return EmptyPlan<Array>{};
}

/// All that `record` has to keep for an op, from both rules.
template <class Op>
struct OpPlan {
  using Vjp = decltype(vjp_plan<Op>());
  using Kernel = decltype(kernel_plan<Op>());
  static constexpr unsigned saved = Vjp::saved | Kernel::saved;
  static constexpr unsigned skipped = Vjp::skipped | Kernel::skipped;
  static constexpr bool all_saved = Vjp::all_saved || Kernel::all_saved;
  static constexpr bool all_skipped = Vjp::all_skipped || Kernel::all_skipped;
  static constexpr bool output = Vjp::output || Kernel::output;
  static constexpr bool extra = Vjp::extra || Kernel::extra;
  static constexpr int saved_count = std::popcount(saved);
  static constexpr int skipped_count = std::popcount(skipped);
  /// Where input `i` stands among the inputs whose bits are set in `mask`.
  static constexpr int slot(unsigned mask, int i) { return std::popcount(mask & ((1u << i) - 1)); }
};

template <class Op>
struct ForwardTraits {
  using Args = typename Signature<decltype(&Op::forward)>::Args;
  using Result = std::remove_cvref_t<typename Signature<decltype(&Op::forward)>::Result>;
  static constexpr int arg_count = static_cast<int>(std::tuple_size_v<Args>);
  static constexpr bool saves =
      arg_count > 0 && std::same_as<std::tuple_element_t<arg_count - 1, Args>, Save>;
  static constexpr bool takes_span = is_span<std::tuple_element_t<0, Args>>;
  static constexpr int inputs = takes_span ? -1 : arg_count - (saves ? 1 : 0);
  static constexpr bool one_result = std::same_as<Result, Array>;
};

template <class T>
struct StaticCount;  // of an std::array
template <class T, std::size_t N>
struct StaticCount<std::array<T, N>> {
  static constexpr int value = static_cast<int>(N);
};
struct Nothing {};

}  // namespace detail
}  // namespace xgrad::inline v0

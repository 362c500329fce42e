#pragma once

/// \file
/// Writing an optimizer. One struct, the rule, says how one element moves; everything else (groups, state
/// that is made, saved and restored, clipping, weight decay, threads, SIMD, float32 and float64) comes with
/// OptimizerOf.
///
///     struct LionOptions {
///       double lr = 1e-4;                            // every rule's options have lr
///       std::array<double, 2> betas = {0.9, 0.99};
///       double weight_decay = 0;                     // optional: g + weight_decay · p takes the place of g
///       double clip_norm = INFINITY;                 // optional: gradients are scaled down to this norm
///       double clip_value = INFINITY;                // optional: and limited to ± this
///     };
///     /// Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2.
///     struct LionRule {
///       using Options = LionOptions;
///       static constexpr std::string_view name = "lion";
///       static std::vector<std::string_view> states(const Options&) { return {"exp_avg"}; }
///
///       template <class T, class Pass>
///       void update(const Options& o, std::int64_t, const Pass& pass) {
///         const T lr(o.lr), b1(o.betas[0]), b2(o.betas[1]);
///         pass([=](auto p, auto g, auto m) XGRAD_SIMD_LAMBDA {
///           return simd::several(p - lr * sign(b1 * m + (1 - b1) * g), b2 * m + (1 - b2) * g);
///         });
///       }
///     };
///     using Lion = optim::OptimizerOf<LionRule>;
///     Lion lion(nn::parameters(model), {.lr = 3e-5});
///
/// `update` is called once a step with T = float or double and t = 1, 2, …, the number of this update, and
/// calls `pass` once. What it passes is called with packs (ops/kernels/map.hpp): the parameter, the gradient,
/// and each of the states in the order of their names, 0 before the first update; it returns what becomes of
/// them, without the gradient, in `simd::several`, or the parameter alone when there is no state. A rule
/// object lives as long as its group and may keep what it likes to compute once (`Power`), but nothing that
/// the result depends on: that is what states are for.
/// A rule may have `static void check(const Options&)`, which throws for values outside their domain, and
/// `static constexpr bool decoupled_weight_decay = true` when it applies weight_decay itself.

#include <algorithm>
#include <xgrad/ops/kernels/map.hpp>
#include <xgrad/ops/kernels/parallel.hpp>
#include <xgrad/optim/optimizer.hpp>

namespace xgrad::inline v0::optim {
namespace detail {

/// Elements that one thread updates by itself: p, g and two states of them stay within a level-2 cache.
inline constexpr std::int64_t grain = 1 << 14;

/// Slots of a batch, or what a chunk of its elements leaves of the first and the last of them.
struct Stretch {
  const Slot* const* slots;
  std::int64_t count;
  std::int64_t begin;  // in the first slot
  std::int64_t end;    // in the last one

  struct Piece {
    const Slot& slot;
    std::int64_t begin, length;

    template <class T>
    XGRAD_SIMD_INLINE T* data() const {
      return reinterpret_cast<T*>(slot.data) + begin;
    }
    template <class T>
    XGRAD_SIMD_INLINE const T* grad() const {
      return reinterpret_cast<const T*>(slot.grad) + begin;
    }
    template <class T>
    XGRAD_SIMD_INLINE T* state(std::size_t k) const {
      return reinterpret_cast<T*>(slot.state_data[k]) + begin;
    }
  };
  XGRAD_SIMD_INLINE Piece operator()(std::int64_t k) const {
    const Slot& slot = *slots[k];
    const std::int64_t from = k == 0 ? begin : 0, to = k == count - 1 ? end : slot.size;
    return {slot, from, to - from};
  }
};

/// Calls body(stretch) for all elements of the batch, cut into chunks by size; one chunk runs on one thread.
template <class F>
void for_each_stretch(const Batch& batch, const F& body) {
  const auto count = static_cast<std::int64_t>(batch.count);
  if (batch.extent <= grain) {
    body(Stretch{batch.slots, count, 0, batch.slots[count - 1]->size});
    return;
  }
  kernels::parallel_for(batch.extent, grain, [&](std::int64_t begin, std::int64_t end) {
    // The first slot that ends behind `begin`, and the first one that starts at `end` or behind it. Chunks
    // and slots start at whole cache lines: a chunk has elements of some slot.
    const Slot* const* const last = batch.slots + count;
    const Slot* const* const low = std::upper_bound(
        batch.slots, last, begin, [](std::int64_t at, const Slot* s) { return at < s->offset + s->size; });
    const Slot* const* const high =
        std::lower_bound(low, last, end, [](const Slot* s, std::int64_t at) { return s->offset < at; });
    const Slot &front = **low, &back = *high[-1];
    body(Stretch{low, high - low, std::max<std::int64_t>(begin - front.offset, 0),
                 std::min(end - back.offset, back.size)});
  });
}

/// The rule's function behind what happens to every gradient first.
template <class F, class T>
struct Prepared {
  F f;
  T scale, limit, decay;
  bool clipped;

  template <class P, class... S>
  XGRAD_SIMD_INLINE auto operator()(const P& p, const P& g, const S&... states) const {
    P h = g;
    if (clipped) h = min(P(limit), max(P(-limit), h * scale));  // in this order a NaN stays one
    if (decay != 0) h = h + decay * p;
    return f(p, h, states...);
  }
};

/// How many states F takes beside parameter and gradient; -1 if it cannot be called with packs.
template <class F, class P, class... S>
constexpr int states_of() {
  if constexpr (std::is_invocable_v<const F&, P, P, S...>)
    return sizeof...(S);
  else if constexpr (sizeof...(S) < max_states)
    return states_of<F, P, S..., P>();
  else
    return -1;
}

[[noreturn]] void throw_state_count(std::string_view rule, int declared, int taken);

/// What a rule's `update` hands its function to: runs it over a batch.
template <class T>
class Pass {
 public:
  Pass(std::string_view rule, const Batch& batch) : rule_(rule), batch_(batch) {}

  template <class F>
  void operator()(const F& f) const {
    constexpr int states = states_of<F, simd::Pack<T, 16 / sizeof(T)>>();
    static_assert(states >= 0, "an update takes packs: the parameter, the gradient and up to four states");
    if (states != batch_.state_count) throw_state_count(rule_, batch_.state_count, states);
    run(f, std::make_index_sequence<static_cast<std::size_t>(states)>{});
  }

 private:
  template <class F, std::size_t... K>
  void run(const F& f, std::index_sequence<K...>) const {
    const Prepared<F, T> prepared{f, static_cast<T>(batch_.scale), static_cast<T>(batch_.limit),
                                  static_cast<T>(batch_.decay),
                                  batch_.scale != 1 || batch_.limit != INFINITY};
    const kernels::Level level = kernels::level();
    for_each_stretch(batch_, [&](const Stretch& stretch) {
      using Piece = Stretch::Piece;
      kernels::map_lists(
          level, prepared, stretch.count, stretch,
          kernels::list_out<T, 1 + sizeof...(K)>([](std::size_t k, const Piece& p) XGRAD_SIMD_LAMBDA {
            return k == 0 ? p.data<T>() : p.state<T>(k - 1);
          }),
          kernels::list_in<T>([](const Piece& p) XGRAD_SIMD_LAMBDA { return p.data<T>(); }),
          kernels::list_in<T>([](const Piece& p) XGRAD_SIMD_LAMBDA { return p.grad<T>(); }),
          kernels::list_in<T>([](const Piece& p) XGRAD_SIMD_LAMBDA { return p.state<T>(K); })...);
    });
  }

  std::string_view rule_;
  const Batch& batch_;
};

}  // namespace detail

template <class Rule>
void OptimizerOf<Rule>::update(const detail::Batch& batch) {
  Part& part = parts_[static_cast<std::size_t>(batch.group)];
  if (batch.dtype == DType::float32)
    part.rule.template update<float>(part.options, batch.step, detail::Pass<float>(Rule::name, batch));
  else
    part.rule.template update<double>(part.options, batch.step, detail::Pass<double>(Rule::name, batch));
}

}  // namespace xgrad::inline v0::optim

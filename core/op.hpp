#pragma once
#include <xgrad/core/op_signature.hpp>
#include <xgrad/core/registry.hpp>

/// How an operation is written: one struct, and `record` does the rest.
///
///     /// log(1 + x) elementwise.   dy/dx = 1 / (1 + x)
///     struct Log1p {
///       static constexpr std::string_view name = "log1p";
///       static std::vector<Sample> samples() { return {sample({3, 4}).within(-0.9, 4.0)}; }
///       static long double reference(long double x) { return std::log1p(x); }
///       Array forward(const Array& x) const { … }
///       Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / (1.0 + x); }
///     };
///     Tensor log1p(const Tensor& x) { return record(Log1p{}, x); }
///
/// - `forward` takes one `const Array&` per input, or one `std::span<const Array>`, and returns one Array or
///   several (`std::array`, `std::vector`). A trailing `Save&` takes what the gradient needs and is neither
///   input nor result.
/// - `vjp` takes the cotangent (`std::span<const Tensor>` when there are several results; an undefined one
///   did not arrive), then says by its parameters what is saved: `const Tensor&` is the next input, `Skip` an
///   input of which only shape and dtype are kept, a second `std::span<const Tensor>` all inputs
///   (`std::span<const Skip>`: their shapes), `Output` the saved result, `const Saved&` what `forward` saved,
///   `Needs` which gradients are wanted. It returns one Tensor, `Grads<N>`, or a vector; an undefined one is
///   zero. Only differentiable ops may be used, and `Saved` only for what is locally constant (a mask, an
///   argmax).
/// - A gradient may have the shape to which its input was broadcast and another floating dtype: `record`
///   undoes both.
/// - `vjp_kernel`, optional, is the same on Arrays, for sweeps that nobody records. One that takes its
///   cotangent by value (`Array dy`) gets the sweep's own handle, and may compute in that memory
///   (`map_in_place`); so it may in what a `Saved&` lets it take.
/// - `bool reads_result() const`, optional, says of one instance whether its rule reads the `Output`; if not,
///   that is undefined.
/// - `inputs`, optional, names the inputs for messages: `static constexpr std::string_view inputs[] = {"x",
///   "weight"}`.
/// - An op without a derivative says `static constexpr bool differentiable = false;`.
/// - `reference` is its value once more, slow and plainly right: `long double` per input for elementwise ops,
///   else Arrays of float64 (integers and bools stay what they are), row-major, as `forward`. It may be a
///   member, where attributes matter. `check_op` (core/check.hpp) compares the two, and all that follows from
///   the traits.
namespace xgrad::inline v0 {

namespace detail {

// ---- the node

template <class Op>
class OpNode final : public Node {
  using P = OpPlan<Op>;
  using F = ForwardTraits<Op>;
  static constexpr bool dynamic = F::takes_span;
  static constexpr int inputs_inline = dynamic ? 1 : F::inputs;
  template <bool Wanted, class T>
  using If = std::conditional_t<Wanted, T, Nothing>;
  /// A list for ops that take a span, `count` places for the others.
  template <class T, bool All, int count>
  using PerInput =
      std::conditional_t<dynamic, If<All, std::vector<T>>, If<(count > 0), T[count == 0 ? 1 : count]>>;

 public:
  explicit OpNode(Op op) : op_(std::move(op)) {}

  /// Keeps what the gradient needs of the inputs.
  void keep_inputs(const Tensor* const* in, int count) {
    if constexpr (dynamic) {
      edge_list_.resize(static_cast<std::size_t>(count));
      edges = edge_list_.data();
      if constexpr (P::all_saved) {
        saved_list_.resize(static_cast<std::size_t>(count));
        saved = saved_list_.data();
        saved_count = static_cast<std::uint16_t>(count);
        for (int i = 0; i < count; ++i) keep(saved[i], *in[i]);
      }
      if constexpr (P::all_skipped)
        for (int i = 0; i < count; ++i) skip_list_.push_back({in[i]->shape(), in[i]->dtype()});
    } else {
      edges = edge_list_;
      if constexpr (P::saved_count > 0) {
        saved = saved_list_;
        saved_count = P::saved_count;
      }
      [&]<std::size_t... I>(std::index_sequence<I...>) { (keep_one<static_cast<int>(I)>(*in[I]), ...); }
      (std::make_index_sequence<static_cast<std::size_t>(F::inputs)>{});
    }
  }

  void keep_results(const Tensor* results, int count, Save* save) {
    if constexpr (F::one_result) {
      outputs = &slot_;
    } else {
      slot_.resize(static_cast<std::size_t>(count));
      outputs = slot_.data();
    }
    if constexpr (P::output)
      if (reads_result()) keep_result(results[0].array());
    if constexpr (P::extra) extra_.arrays() = std::move(save->arrays());
  }

  Op& op() { return op_; }
  void keep_result(const Array& y) { output_ = y; }

  std::string_view op_name() const override {
    if constexpr (requires { op_.label; })
      return op_.label;  // of one instance, where the type serves many ops
    else
      return Op::name;
  }

  void release() noexcept override {
    if constexpr (P::output) output_ = Array();
    if constexpr (P::extra) extra_.arrays() = {};
  }

  void vjp(Tensor* dys, Tensor* grads, bool recorded) override {
    if constexpr (HasVjpKernel<Op>) {
      if (!recorded) return run_kernel(dys, grads);
    }
    run<typename P::Vjp, Tensor>(
        dys, grads, recorded, [this](auto&&... a) { return op_.vjp(std::forward<decltype(a)>(a)...); },
        static_cast<typename Signature<decltype(&Op::vjp)>::Args*>(nullptr));
  }

 private:
  bool reads_result() const {
    if constexpr (requires { op_.reads_result(); })
      return op_.reads_result();
    else
      return true;
  }
  static void keep(SavedTensor& s, const Tensor& t) {
    s.tensor = t;
    s.version = t.array().version();
  }
  template <int I>
  void keep_one(const Tensor& t) {
    if constexpr (P::saved >> I & 1) keep(saved_list_[P::slot(P::saved, I)], t);
    if constexpr (P::skipped >> I & 1) skip_list_[P::slot(P::skipped, I)] = Skip{t.shape(), t.dtype()};
  }

  void run_kernel(Tensor* dys, Tensor* grads) {
    run<typename P::Kernel, Array>(
        dys, grads, false, [this](auto&&... a) { return op_.vjp_kernel(std::forward<decltype(a)>(a)...); },
        static_cast<typename Signature<decltype(&Op::vjp_kernel)>::Args*>(nullptr));
  }

  /// The cotangent for a kernel: handed over if the kernel wants that and nobody else holds the tensor.
  static decltype(auto) cotangent(Tensor& dy) {
    if constexpr (HasVjpKernel<Op>) {
      if constexpr (kernel_takes_over<Op>()) {
        TensorImpl& impl = *dy.impl();
        return impl.refs.unique() && impl.node == nullptr ? Array(std::move(impl.array)) : Array(impl.array);
      } else {
        return dy.array();
      }
    } else {
      return dy.array();
    }
  }

  /// Calls `rule` with the cotangents and the saved values in the order of its parameters.
  template <class RulePlan, class Value, class Rule, class Cotangent, class... A>
  void run(Tensor* dys, Tensor* grads, bool recorded, Rule rule, std::tuple<Cotangent, A...>*) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      auto result = [&] {
        if constexpr (is_span<Cotangent>) {
          std::vector<Value> all;
          for (int i = 0; i < output_count; ++i) {
            if constexpr (std::same_as<Value, Tensor>)
              all.push_back(dys[i]);
            else
              all.push_back(dys[i].defined() ? dys[i].array() : Array());
          }
          return rule(std::span<const Value>(all),
                      argument<RulePlan, Value, std::tuple_element_t<I, std::tuple<A...>>, I>(recorded)...);
        } else if constexpr (std::same_as<Value, Tensor>) {
          return rule(dys[0],
                      argument<RulePlan, Value, std::tuple_element_t<I, std::tuple<A...>>, I>(recorded)...);
        } else {
          return rule(cotangent(dys[0]),
                      argument<RulePlan, Value, std::tuple_element_t<I, std::tuple<A...>>, I>(recorded)...);
        }
      }();
      using Result = std::remove_cvref_t<decltype(result)>;
      if constexpr (std::same_as<Result, Tensor>) {
        grads[0] = std::move(result);
      } else if constexpr (std::same_as<Result, Array>) {
        if (result.defined()) grads[0] = Tensor(std::move(result));
      } else {
        for (std::size_t i = 0; i < result.size(); ++i) {
          if constexpr (std::same_as<typename Result::value_type, Tensor>) {
            grads[i] = std::move(result[i]);
          } else if (result[i].defined()) {
            grads[i] = Tensor(std::move(result[i]));
          }
        }
      }
    }
    (std::index_sequence_for<A...>{});
  }

  template <class RulePlan, class Value, class Param, std::size_t I>
  decltype(auto) argument([[maybe_unused]] bool recorded) {
    constexpr int input = RulePlan::input_of(static_cast<int>(I));
    if constexpr (std::same_as<Param, Tensor>) {
      return static_cast<const Tensor&>(saved_list_[P::slot(P::saved, input)].tensor);
    } else if constexpr (std::same_as<Param, Array>) {
      return saved_list_[P::slot(P::saved, input)].tensor.array();
    } else if constexpr (std::same_as<Param, Skip>) {
      return static_cast<const Skip&>(skip_list_[P::slot(P::skipped, input)]);
    } else if constexpr (std::same_as<Param, Output>) {
      if (!reads_result()) return Output();
      Tensor y = last_use ? Tensor(std::move(output_)) : Tensor(output_);
      if (recorded) {  // the result is on the tape: second derivatives lead through it
        y.impl()->node = this;
        y.impl()->requires_grad = true;
        refs.increment();
      }
      return Output(std::move(y));
    } else if constexpr (std::same_as<Param, Saved>) {
      extra_.set_last_use(last_use);
      return static_cast<Saved&>(extra_);
    } else if constexpr (std::same_as<Param, Needs>) {
      return Needs(edges);
    } else if constexpr (std::same_as<Param, std::span<const Skip>>) {
      return std::span<const Skip>(skip_list_);
    } else if constexpr (std::same_as<Param, std::span<const Tensor>>) {
      tensor_scratch_.clear();
      for (const SavedTensor& t : saved_list_) tensor_scratch_.push_back(t.tensor);
      return std::span<const Tensor>(tensor_scratch_);
    } else {
      array_scratch_.clear();
      for (const SavedTensor& t : saved_list_) array_scratch_.push_back(t.tensor.array());
      return std::span<const Array>(array_scratch_);
    }
  }

  Op op_;
  [[no_unique_address]] std::conditional_t<dynamic, std::vector<Edge>, Edge[inputs_inline]> edge_list_;
  [[no_unique_address]] std::conditional_t<F::one_result, OutputSlot, std::vector<OutputSlot>> slot_;
  [[no_unique_address]] PerInput<SavedTensor, P::all_saved, P::saved_count> saved_list_;
  [[no_unique_address]] PerInput<Skip, P::all_skipped, P::skipped_count> skip_list_;
  [[no_unique_address]] If<P::output, Array> output_;
  [[no_unique_address]] If<P::extra, Saved> extra_;
  // What a span in the rule's parameters looks at while the rule runs.
  [[no_unique_address]] If<P::all_saved, std::vector<Tensor>> tensor_scratch_;
  [[no_unique_address]] If<P::all_saved, std::vector<Array>> array_scratch_;
};

template <class Op>
OpNode<Op>* new_node(Op op) {
  auto* node = new (pool_allocate(sizeof(OpNode<Op>))) OpNode<Op>(std::move(op));
  node->bytes = static_cast<std::uint32_t>(sizeof(OpNode<Op>));
  return node;
}

/// Records one run of `op` whose results are `results`.
template <class Op>
void record_node(Op& op, const Tensor* const* in, int count, Tensor* results, int result_count, Save* save) {
  OpNode<Op>* node = new_node(std::move(op));
  node->keep_inputs(in, count);
  node->keep_results(results, result_count, save);
  attach(*node, in, count, results, result_count);
}

template <class Op>
consteval void check_op_struct() {
  static_assert(HasName<Op>, "[xgrad] this op needs `static constexpr std::string_view name = \"...\";`");
  static_assert(HasSamples<Op>,
                "[xgrad] this op needs `static std::vector<Sample> samples()`: inputs for the generic tests");
  static_assert(
      HasForward<Op>,
      "[xgrad] this op needs `Array forward(const Array&...) const`, not a template and not overloaded");
  static_assert(!is_differentiable<Op>() || HasVjp<Op>,
                "[xgrad] this op has no gradient rule: add `Tensor vjp(const Tensor& dy, ...) const`, or say "
                "`static constexpr bool differentiable = false;`");
  if constexpr (HasVjp<Op>)
    static_assert(
        decltype(vjp_plan<Op>())::known,
        "[xgrad] vjp takes the cotangent, then const Tensor&, Skip, Output, const Saved&, Needs or a span");
  if constexpr (HasVjpKernel<Op>)
    static_assert(
        decltype(kernel_plan<Op>())::known,
        "[xgrad] vjp_kernel takes the cotangent, then const Array&, Skip, Output, const Saved&, Needs or a "
        "span");
}

template <class Op>
auto run_forward(Op& op, const Tensor* const* in, int count) {
  using F = ForwardTraits<Op>;
  const bool tracked = [&] {
    if constexpr (!is_differentiable<Op>()) return false;
    if (thread_state.no_grad) return false;
    bool any = false;
    for (int i = 0; i < count; ++i) any |= in[i]->impl()->requires_grad;
    return any;
  }();
  [[maybe_unused]] auto save = [&] {
    if constexpr (F::saves)
      return Save(tracked);
    else
      return Nothing();
  }();
  try {
    auto arrays = [&] {
      if constexpr (F::takes_span) {
        std::vector<Array> all;
        all.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) all.push_back(in[i]->impl()->array);
        if constexpr (F::saves)
          return op.forward(std::span<const Array>(all), save);
        else
          return op.forward(std::span<const Array>(all));
      } else {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
          if constexpr (F::saves)
            return op.forward(in[I]->impl()->array..., save);
          else
            return op.forward(in[I]->impl()->array...);
        }
        (std::make_index_sequence<static_cast<std::size_t>(F::inputs)>{});
      }
    }();
    Save* const saved = [&]() -> Save* {
      if constexpr (F::saves) return &save;
      return nullptr;
    }();
    if constexpr (F::one_result) {
      Tensor y(std::move(arrays));
      if (thread_state.anomaly) [[unlikely]]
        check_anomaly(Op::name, y, in, count);
      if constexpr (is_differentiable<Op>()) {
        if (tracked && is_floating(y.impl()->array.dtype())) record_node(op, in, count, &y, 1, saved);
      }
      return y;
    } else {
      std::vector<Tensor> ys;
      ys.reserve(arrays.size());
      for (auto& a : arrays) ys.emplace_back(std::move(a));
      if (thread_state.anomaly) [[unlikely]]
        for (const Tensor& y : ys) check_anomaly(Op::name, y, in, count);
      if constexpr (is_differentiable<Op>()) {
        if (tracked) record_node(op, in, count, ys.data(), static_cast<int>(ys.size()), saved);
      }
      if constexpr (requires { StaticCount<typename F::Result>::value; }) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
          return std::array<Tensor, sizeof...(I)>{std::move(ys[I])...};
        }
        (std::make_index_sequence<static_cast<std::size_t>(StaticCount<typename F::Result>::value)>{});
      } else {
        return ys;
      }
    }
  } catch (Error& e) {
    if constexpr (requires { Op::inputs[0]; })
      annotate_inputs(e, Op::name, in, count, Op::inputs);
    else
      annotate_inputs(e, Op::name, in, count);
    throw;
  }
}

/// Runs an op on a list of tensors, as the generic tests do.
template <class Op>
std::vector<Tensor> apply_op(const Sample& s, std::span<const Tensor> in) {
  std::vector<const Tensor*> inputs;
  for (const Tensor& t : in) inputs.push_back(&t);
  Op op = [&] {
    if (s.op() != nullptr) return *static_cast<const Op*>(s.op());
    if constexpr (std::default_initializable<Op>)
      return Op{};
    else
      throw ValueError(Op::name, "a sample has no instance of the op: write sample(op, shapes)");
  }();
  auto result = run_forward(op, inputs.data(), static_cast<int>(inputs.size()));
  if constexpr (std::same_as<decltype(result), Tensor>)
    return {std::move(result)};
  else
    return std::vector<Tensor>(result.begin(), result.end());
}

template <class Op, class... A>
consteval bool scalar_reference_takes(std::tuple<A...>*) {
  return (std::same_as<A, long double> && ...);
}
template <class F>
struct FunctionArgs;
template <class R, class... A>
struct FunctionArgs<R (*)(A...)> {
  using Type = std::tuple<std::remove_cvref_t<A>...>;
};
template <class R, class C, class... A>
struct FunctionArgs<R (C::*)(A...) const> {
  using Type = std::tuple<std::remove_cvref_t<A>...>;
};

template <class Op>
void add_references(OpInfo& info) {
  if constexpr (requires { &Op::reference; }) {
    using Args = typename FunctionArgs<decltype(&Op::reference)>::Type;
    constexpr std::size_t n = std::tuple_size_v<Args>;
    if constexpr (scalar_reference_takes<Op>(static_cast<Args*>(nullptr))) {
      info.scalar_reference = [](const void* op, const long double* x) {
        return [&]<std::size_t... I>(std::index_sequence<I...>)->long double {
          if (op != nullptr) return static_cast<const Op*>(op)->reference(x[I]...);
          if constexpr (std::default_initializable<Op>)
            return Op{}.reference(x[I]...);
          else
            return 0;
        }
        (std::make_index_sequence<n>{});
      };
    } else {
      info.array_reference = [](const void* p, std::span<const Array> x) {
        const auto call = [&](const Op& op) {
          auto result = [&] {
            if constexpr (is_span<std::tuple_element_t<0, Args>>)
              return op.reference(x);
            else
              return [&]<std::size_t... I>(std::index_sequence<I...>) { return op.reference(x[I]...); }
            (std::make_index_sequence<n>{});
          }();
          if constexpr (std::same_as<decltype(result), Array>)
            return std::vector<Array>{std::move(result)};
          else
            return std::vector<Array>(result.begin(), result.end());
        };
        if (p != nullptr) return call(*static_cast<const Op*>(p));
        if constexpr (std::default_initializable<Op>)
          return call(Op{});
        else
          return std::vector<Array>{};
      };
    }
  }
}

/// What the generic tests need to know of an op.
template <class Op>
OpInfo op_info() {
  OpInfo info;
  info.name = Op::name;
  info.samples = &Op::samples;
  info.apply = &apply_op<Op>;
  info.inputs = ForwardTraits<Op>::inputs;
  info.differentiable = is_differentiable<Op>();
  info.has_vjp_kernel = HasVjpKernel<Op>;
  info.several_results = !ForwardTraits<Op>::one_result;
  add_references<Op>(info);
  return info;
}

template <class Op>
bool register_op_type() {
  if constexpr (HasName<Op> && HasSamples<Op> && HasForward<Op>) return register_op(op_info<Op>());
  return false;
}

}  // namespace detail

/// Registers Op when the program starts, because `record` names `done`.
template <class Op>
struct Registrar {
  static inline const bool done = detail::register_op_type<Op>();
};

/// Runs `op` on the inputs and, if one of them requires a gradient and nothing forbids it, appends it to the
/// tape. Returns a Tensor, or an array or vector of them, as `forward` does. Throws what `forward` throws,
/// with a note on how the inputs came about, and ValueError for an undefined input.
template <class Op, class... In>
requires(sizeof...(In) > 0 &&
         (std::convertible_to<const In&, const Tensor&> && ...)) auto record(Op op, const In&... in) {
  detail::check_op_struct<Op>();
  static_cast<void>(Registrar<Op>::done);
  if constexpr (detail::HasForward<Op>) {
    static_assert(detail::ForwardTraits<Op>::inputs == static_cast<int>(sizeof...(In)),
                  "[xgrad] forward takes one `const Array&` for each tensor that is passed to record");
    const Tensor* const inputs[] = {&static_cast<const Tensor&>(in)...};
    for (int i = 0; i < static_cast<int>(sizeof...(In)); ++i)
      if (!inputs[i]->defined())
        detail::throw_undefined_input(Op::name, i, inputs, static_cast<int>(sizeof...(In)));
    return detail::run_forward(op, inputs, static_cast<int>(sizeof...(In)));
  }
}

/// The same for an op whose `forward` takes a span.
template <class Op>
auto record(Op op, std::span<const Tensor> in) {
  detail::check_op_struct<Op>();
  static_cast<void>(Registrar<Op>::done);
  static_assert(detail::ForwardTraits<Op>::takes_span, "[xgrad] forward must take `std::span<const Array>`");
  std::vector<const Tensor*> inputs;
  inputs.reserve(in.size());
  for (const Tensor& t : in) {
    if (!t.defined()) detail::throw_undefined_input(Op::name, static_cast<int>(inputs.size()));
    inputs.push_back(&t);
  }
  return detail::run_forward(op, inputs.data(), static_cast<int>(inputs.size()));
}

}  // namespace xgrad::inline v0

#pragma once
#include <vector>

#include <xgrad/nn/visit.hpp>

namespace xgrad::inline v0::nn {

namespace detail {

/// Any module that takes a tensor and returns one, with the copies of a value.
class AnyModule {
  struct Base {
    virtual ~Base() = default;
    virtual Tensor call(Tensor x) const = 0;
    virtual Base* copy() const = 0;
    virtual void visit(Visitor& v) = 0;
    virtual const void* address() const = 0;
    virtual std::string_view type() const = 0;
  };
  template <class M>
  struct Holder final : Base {
    explicit Holder(M m) : module(std::move(m)) {}
    Tensor call(Tensor x) const override { return module(std::move(x)); }
    Base* copy() const override { return new Holder(module); }
    void visit(Visitor& v) override {
      if constexpr (is_plain<M>) {  // as a function is: nothing in it to walk over, and yet a layer
        if (v.enter({type_name<M>, &module, nullptr}, &module)) v.leave();
      } else {
        nn::visit(module, v);
      }
    }
    const void* address() const override { return &module; }
    std::string_view type() const override { return type_name<M>; }
    M module;
  };

 public:
  template <class M>
  requires(!std::is_same_v<M, AnyModule>) explicit AnyModule(M module)
      : held_(new Holder<M>(std::move(module))) {}
  AnyModule(const AnyModule& o) : held_(o.held_->copy()) {}
  AnyModule(AnyModule&& o) noexcept : held_(std::exchange(o.held_, nullptr)) {}
  AnyModule& operator=(AnyModule o) noexcept {
    std::swap(held_, o.held_);
    return *this;
  }
  ~AnyModule() { delete held_; }

  Tensor operator()(Tensor x) const;
  void visit(Visitor& v) { held_->visit(v); }

 private:
  Base* held_;
};

template <class M>
concept Callable = std::is_invocable_r_v < Tensor,
        const std::decay_t<M>
&, const Tensor& > ;

/// Only what a walk can enter: captures would hide tensors from it.
template <class M>
inline constexpr bool is_open =
    is_plain<M> || std::is_empty_v<M> || std::is_aggregate_v<M> || SaysFields<M> || VisitsItself<M>;

}  // namespace detail

/// Modules called one after the other: `nn::Sequential{nn::Linear{2, 10}, nn::ReLU{}, nn::Linear{10, 1}}`.
/// Holds any struct that is called with a tensor, functions, and lambdas without captures. It is a value: a
/// copy copies the modules, which share their weights. It nests; the paths of its parameters are "0.weight",
/// "3.2.bias".
class Sequential {
 public:
  Sequential() = default;
  template <class... M>
  requires((sizeof...(M) > 1 || (!std::is_same_v<std::decay_t<M>, Sequential> && ...)) && sizeof...(M) > 0 &&
           (detail::Callable<M> && ...)) explicit(sizeof...(M) == 1) Sequential(M&&... modules) {
    modules_.reserve(sizeof...(M));
    (append(static_cast<M&&>(modules)), ...);
  }

  /// One more module at the end. Throws ValueError for a null pointer to a function.
  template <class M>
  requires detail::Callable<M>
  void append(M&& module) {
    static_assert(
        detail::is_open<std::decay_t<M>>,
        "[xgrad] nn::Sequential holds structs with visible fields, functions and lambdas without captures: "
        "what a lambda captures would be hidden from parameters() and state_dict(); write a struct with "
        "nn::Parameter fields and an operator()");
    if constexpr (detail::is_open<std::decay_t<M>>) {
      std::decay_t<M> held(static_cast<M&&>(module));
      if constexpr (std::is_pointer_v<std::decay_t<M>>)
        if (held == nullptr) xgrad::detail::throw_null("Sequential", "the function");
      modules_.push_back(detail::AnyModule(std::move(held)));
    }
  }
  std::size_t size() const { return modules_.size(); }

  /// x itself when there are no modules. Throws what the modules throw.
  Tensor operator()(Tensor x) const;
  void visit(Visitor& v);

 private:
  std::vector<detail::AnyModule> modules_;
};

}  // namespace xgrad::inline v0::nn

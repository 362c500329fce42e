#pragma once
#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

namespace xgrad::inline v0 {

namespace detail {
/// Throws ValueError for a function or an object that was to be kept and called, and is null.
[[noreturn]] void throw_null(std::string_view op, std::string_view what);
}  // namespace detail

template <class Signature>
class Function;

/// A copyable holder of any callable, as std::function, whose header would cost every user's file 0.2 s.
/// Calling an empty one is undefined: whoever keeps one for later refuses it.
template <class R, class... Args>
class Function<R(Args...)> {
  struct Base {
    virtual ~Base() = default;
    virtual R call(Args... args) = 0;
    virtual Base* clone() const = 0;
  };
  template <class F>
  struct Holder final : Base {
    explicit Holder(F f) : f_(std::move(f)) {}
    R call(Args... args) override { return f_(static_cast<Args>(args)...); }
    Base* clone() const override { return new Holder(f_); }
    F f_;
  };

 public:
  Function() = default;
  Function(std::nullptr_t) {}
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Function> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) Function(F&& f)
      : held_(new Holder<std::decay_t<F>>(std::forward<F>(f))) {}
  Function(const Function& o) : held_(o.held_ ? o.held_->clone() : nullptr) {}
  Function(Function&& o) noexcept : held_(std::exchange(o.held_, nullptr)) {}
  Function& operator=(Function o) noexcept {
    std::swap(held_, o.held_);
    return *this;
  }
  ~Function() { delete held_; }

  explicit operator bool() const { return held_ != nullptr; }
  R operator()(Args... args) const { return held_->call(static_cast<Args>(args)...); }

 private:
  Base* held_ = nullptr;
};

}  // namespace xgrad::inline v0

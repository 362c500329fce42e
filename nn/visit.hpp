#pragma once
#include <array>
#include <optional>
#include <vector>

#include <xgrad/nn/parameter.hpp>
#include <xgrad/nn/reflect.hpp>

/// The one walk over a model's fields, on which `parameters`, `state_dict`, `train`, `clone` and the rest of
/// <xgrad/nn/model.hpp> stand.
///
/// A field is a Parameter, a Buffer, a Mode, a module (a struct of such fields, or a Sequential), a
/// std::vector, std::array, std::optional, std::pair or std::tuple of these, or a plain value, which is
/// passed over: a number, an enumeration, a string, a shape, a pointer to a function, an empty struct.
/// Anything else does not compile, because passing it over might forget weights.
namespace xgrad::inline v0::nn {

class KerasWeights;

/// For types of the user's that hold no parameters and that the walk does not know to be plain:
/// `template <> inline constexpr bool xgrad::nn::is_plain<Clock> = true;`.
template <class T>
inline constexpr bool is_plain =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>;
template <class R, class... A>
inline constexpr bool is_plain<R (*)(A...)> = true;
template <>
inline constexpr bool is_plain<std::string> = true;
template <>
inline constexpr bool is_plain<std::string_view> = true;
template <>
inline constexpr bool is_plain<Shape> = true;
template <>
inline constexpr bool is_plain<Axes> = true;
template <>
inline constexpr bool is_plain<Scalar> = true;

/// What the walk tells of a module.
struct ModuleInfo {
  std::string_view type;  ///< "Linear"
  const void* address;    ///< together with `type` it tells modules apart
  /// Takes what Keras keeps for this module, in Keras's order; null when that is the order of the fields.
  void (*load_keras)(void* module, KerasWeights& from);
};

/// What is done on a walk. `path()` is where the walk stands: "hidden.weight".
class Visitor {
 public:
  Visitor() = default;
  virtual ~Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  /// Each place that holds one, tied ones again; undefined ones are passed over.
  virtual void parameter(Parameter&) {}
  virtual void buffer(Buffer&) {}
  virtual void mode(Mode&) {}
  /// Before and after a module's fields. `enter` may return false: the fields are left out, and `leave` is
  /// not called.
  virtual bool enter(const ModuleInfo&, void* /*module*/) { return true; }
  virtual void leave() {}

  const std::string& path() const { return path_; }

  // For the walk, and for containers that have a `visit` of their own.
  class Step;
  void found(Parameter& p);
  void found(Buffer& b);

 private:
  std::string path_;
};

/// While it lives, the walk stands one step further down.
class Visitor::Step {
 public:
  Step(Visitor& v, std::string_view name);
  Step(Visitor& v, std::size_t index);
  ~Step() { visitor_.path_.resize(length_); }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  Visitor& visitor_;
  std::size_t length_;
};

namespace detail {

template <class T>
inline constexpr bool is_list = std::is_array_v<T>;
template <class T, class A>
inline constexpr bool is_list<std::vector<T, A>> = true;
template <class T, std::size_t N>
inline constexpr bool is_list<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
}
&&!is_list<T>;

/// Containers and type-erased modules that walk themselves.
template <class T>
concept VisitsItself = requires(T& t, Visitor& v) {
  t.visit(v);
};
template <class T>
concept LoadsKeras = requires(T& t, KerasWeights& w) {
  t.load_keras(w);
};

template <class T>
ModuleInfo module_info(T& t) {
  ModuleInfo info{type_name<T>, &t, nullptr};
  if constexpr (LoadsKeras<T>)
    info.load_keras = [](void* module, KerasWeights& w) { static_cast<T*>(module)->load_keras(w); };
  return info;
}

template <class T>
void visit_module(T& t, Visitor& v);

template <class T>
void visit_list(T& list, Visitor& v);

template <class T>
inline constexpr bool is_plain_list = is_plain<T>;
template <class T>
requires std::is_array_v<T>
inline constexpr bool is_plain_list<T> = is_plain_list<std::remove_extent_t<T>>;
template <class T, class A>
inline constexpr bool is_plain_list<std::vector<T, A>> = is_plain_list<T>;
template <class T, std::size_t N>
inline constexpr bool is_plain_list<std::array<T, N>> = is_plain_list<T>;
template <class T>
inline constexpr bool is_plain_list<std::optional<T>> = is_plain_list<T>;

}  // namespace detail

/// Walks over `t` and everything in it, in the order of the fields. Each parameter and buffer that has no
/// name gets its path as its name, for messages.
template <class T>
void visit(T& t, Visitor& v) {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, Parameter> || std::is_same_v<U, Buffer>) {
    v.found(const_cast<U&>(t));
  } else if constexpr (std::is_same_v<U, Tensor>) {
    static_assert(
        !std::is_same_v<U, Tensor>,
        "[xgrad] a bare Tensor as a model's field says neither whether it is trained nor whether it is "
        "saved: make it an nn::Parameter (trained) or an nn::Buffer (saved)");
  } else if constexpr (detail::is_plain_list<U>) {
    // numbers and the like
  } else if constexpr (std::is_const_v<T>) {
    static_assert(!std::is_const_v<T>,
                  "[xgrad] a const module as a model's field cannot be set to train or "
                  "evaluate: make the field non-const");
  } else if constexpr (std::is_same_v<U, Mode>) {
    v.mode(t);
  } else if constexpr (detail::is_list<U>) {
    detail::visit_list(t, v);
  } else if constexpr (detail::is_optional<U>) {
    if (t) visit(*t, v);
  } else if constexpr (detail::TupleLike<U>) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      [[maybe_unused]] const auto one = [&](auto& item, std::size_t i) {
        Visitor::Step step(v, i);
        visit(item, v);
      };
      (one(std::get<I>(t), I), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<U>>{});
  } else {
    static_assert(!std::is_pointer_v<U>,
                  "[xgrad] a pointer as a model's field hides the weights behind it: hold "
                  "the module itself, or a std::vector or std::optional of it");
    static_assert(std::is_pointer_v<U> || std::is_class_v<U>, "[xgrad] this type cannot be a model's field");
    if constexpr (std::is_class_v<U>) detail::visit_module(t, v);
  }
}

namespace detail {

template <class T>
void visit_list(T& list, Visitor& v) {
  std::size_t i = 0;
  for (auto& item : list) {
    Visitor::Step step(v, i++);
    visit(item, v);
  }
}

template <class T>
void visit_module(T& t, Visitor& v) {
  if (!v.enter(module_info(t), &t)) return;
  if constexpr (VisitsItself<T>) {
    t.visit(v);
  } else {
    with_fields(t, [&](auto&... field) {
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        [[maybe_unused]] const auto one = [&](auto& f, std::string_view name) {
          Visitor::Step step(v, name);
          visit(f, v);
        };
        (one(field, field_name<T, I>), ...);
      }
      (std::index_sequence_for<decltype(field)...>{});
    });
  }
  v.leave();
}

}  // namespace detail

/// A struct that the walk can enter: not a tensor and not a plain value.
template <class T>
concept Model = std::is_class_v<T> && !std::is_base_of_v<Tensor, T> && !is_plain<T>;

/// Any model, behind one pointer and one function, so that what works on models is compiled once.
struct ModelRef {
  void* object;
  void (*walk)(void* object, Visitor& v);

  void visit(Visitor& v) const { walk(object, v); }
};

/// Visitors that only read, or that write through tensors, take const models too.
template <Model M>
ModelRef model_ref(const M& model) {
  return {const_cast<M*>(&model), [](void* p, Visitor& v) { nn::visit(*static_cast<M*>(p), v); }};
}

}  // namespace xgrad::inline v0::nn

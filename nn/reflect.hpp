#pragma once
#include <concepts>
#include <string_view>

#include <xgrad/nn/bind.hpp>

/// The fields of a plain struct and their names, without a macro or a registration in the struct.
///
/// A struct without constructors is an aggregate, whose fields can be counted. A struct with constructors
/// says how many it has: `static constexpr std::size_t fields = 2;`. A wrong number does not compile.
namespace xgrad::inline v0::nn {

namespace detail {

/// Converts to anything, except to T itself, which would be its copy.
template <class T>
struct Anything {
  template <class U>
  requires(!std::is_same_v<U, T>) operator U() const {
    __builtin_unreachable();  // never called; clang asks for a definition where U has no linkage
  }
};

template <class T, std::size_t... I>
consteval bool initializable(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything<T>{})...}; };
}

/// Downwards: a field without a default makes the smaller numbers invalid too.
template <class T, std::size_t N = max_fields>
consteval std::size_t count_initializers() {
  if constexpr (initializable<T>(std::make_index_sequence<N>{}))
    return N;
  else if constexpr (N > 0)
    return count_initializers<T, N - 1>();
  else
    return 0;
}

template <class T>
concept SaysFields = requires {
  { T::fields } -> std::convertible_to<std::size_t>;
};

template <class T>
consteval std::size_t count_fields() {
  if constexpr (SaysFields<T>) {
    static_assert(T::fields <= max_fields, "[xgrad] a model has at most 64 fields: group some in a struct");
    static_assert(T::fields > 0 || std::is_empty_v<T>,
                  "[xgrad] `fields = 0`, but this type has data members: say how many, or specialise "
                  "`xgrad::nn::is_plain` for a type that holds no parameters");
    return T::fields;
  } else if constexpr (std::is_empty_v<T>) {
    return 0;
  } else {
    static_assert(std::is_aggregate_v<T>,
                  "[xgrad] this type has constructors or private members, so its fields cannot be counted: "
                  "make its data members public and add `static constexpr std::size_t fields = <how many>;` "
                  "(of the standard containers a model may hold std::vector, std::array, std::optional, "
                  "std::pair and std::tuple)");
    if constexpr (std::is_aggregate_v<T>) {
      static_assert(!initializable<T>(std::make_index_sequence<max_fields + 1>{}),
                    "[xgrad] a model has at most 64 fields: group some in a struct");
      return count_initializers<T>();
    } else {
      return 0;
    }
  }
}

// Names come from the text of a pointer to the field, as a template argument. Two compilers, two needs: clang
// 14 takes such a pointer only inside a struct, and the object must have linkage but is never defined.
template <class T>
struct Wrapped {
  T value;
};
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-internal"
#pragma clang diagnostic ignored "-Wundefined-var-template"
#endif
template <class T>
extern const Wrapped<T> no_object;

template <class F>
struct FieldPointer {
  const F* pointer;
};

template <std::size_t>
struct Ignore {
  constexpr Ignore(const volatile void*) {}
};
template <class Before>
struct Nth;
template <std::size_t... I>
struct Nth<std::index_sequence<I...>> {
  template <class F>
  static constexpr FieldPointer<F> pick(Ignore<I>..., const F* field, ...) {
    return {field};
  }
};
template <class T, std::size_t I>
constexpr auto pointer_to_field() {
  return bind_fields(
      no_object<T>.value,
      [](const auto&... field) { return Nth<std::make_index_sequence<I>>::pick(&field...); },
      FieldCount<count_fields<T>()>{});
}
template <auto pointer>
constexpr std::string_view pretty() {
  return __PRETTY_FUNCTION__;
}
template <class T, std::size_t I>
constexpr std::string_view pretty_field() {
  return pretty<pointer_to_field<T, I>()>();
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <class T>
constexpr std::string_view pretty_type() {
  return __PRETTY_FUNCTION__;
}

constexpr bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
/// The identifier that ends before `end`.
constexpr std::string_view identifier_before(std::string_view text, std::size_t end) {
  std::size_t begin = end;
  while (begin > 0 && is_identifier(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

/// "…FieldPointer<F>{(& …no_object<T>.Wrapped<T>::value.T::weight)}…" gives "weight".
constexpr std::string_view name_in(std::string_view text) {
  std::size_t end = text.rfind('}');
  while (end > 0 && !is_identifier(text[end - 1])) --end;
  return identifier_before(text, end);
}

/// "… T = demo::Block<int>]" gives "Block". Brackets before the name belong to what encloses a local struct;
/// a lambda has nothing but brackets, "<lambda(int)>" or "(lambda at …)", and is called "function".
constexpr std::string_view type_in(std::string_view text) {
  std::size_t begin = text.find("T = ") + 4, end = begin;
  int depth = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    const bool opens = c == '(' || c == '<' || c == '[';
    if (depth == 0 && c == ':') begin = i + 1;
    if (depth == 0 && (opens || c == ']' || c == ';') && end <= begin) end = i;
    if (depth == 0 && (c == ']' || c == ';')) break;
    depth += opens ? 1 : c == ')' || c == '>' || c == ']' ? -1 : 0;
  }
  if (text[begin] == '<' || text[begin] == '(') return "function";
  return text.substr(begin, end - begin);
}

}  // namespace detail

/// The number of fields of T.
template <class T>
inline constexpr std::size_t field_count = detail::count_fields<T>();

/// The name of field I of T: "hidden".
template <class T, std::size_t I>
inline constexpr std::string_view field_name = detail::name_in(detail::pretty_field<T, I>());

/// The name of T without namespaces and template arguments: "Linear". A lambda or a pointer to a function is
/// a "function".
template <class T>
inline constexpr std::string_view type_name = detail::type_in(detail::pretty_type<T>());
template <class R, class... A>
inline constexpr std::string_view type_name<R (*)(A...)> = "function";

/// Calls `f` with references to all fields of `t`, in order.
template <class T, class F>
constexpr decltype(auto) with_fields(T& t, F&& f) {
  return detail::bind_fields(t, static_cast<F&&>(f),
                             detail::FieldCount<field_count<std::remove_const_t<T>>>{});
}

}  // namespace xgrad::inline v0::nn

#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <xgrad/core/errors.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/random.hpp>

#include "tests/support/catch.hpp"

/// Tables of wrong calls: what each is refused with, and that nothing is different afterwards.
namespace xgrad::test {

/// Whether `e` is an E and nothing more special.
template <class E>
bool is(const Error& e) {
  return typeid(e) == typeid(E);
}

/// A wrong call: `{is<ShapeError>, "matmul", [&] { matmul(a, b); }, {"(2, 3) and (4, 5)", "make b (3, 5)"}}`.
struct Refusal {
  bool (*type)(const Error&);
  std::string op;  ///< what the message begins with, in brackets
  std::function<void()> call;
  std::vector<std::string> parts;  ///< what else it contains: shapes or values, the reason and the remedy
};

/// What calls may read and must not change, beside what they are given.
struct ThreadBefore {
  Generator generator = default_generator();
  bool recording = grad_enabled();
  DType dtype = default_dtype();
};

inline void check(const Refusal& r) {
  const ThreadBefore before;
  std::string text = "nothing, it returned";
  bool typed = false;
  try {
    r.call();
  } catch (const Error& e) {
    text = e.what();
    typed = r.type(e);
  } catch (const std::exception& e) {
    text = std::string("an exception that is not xgrad's: ") + e.what();
  }
  INFO(r.op << ": " << text);
  CHECK(typed);
  CHECK(text.starts_with("[" + r.op + "] "));
  for (const std::string& part : r.parts) {
    INFO("lacks: " << part);
    CHECK(text.find(part) != std::string::npos);
  }
  // The remedy is what follows the last ": ".
  const std::size_t remedy = text.rfind(": ");
  CHECK((remedy != std::string::npos && remedy > r.op.size() + 2 && remedy + 2 < text.size()));
  CHECK(default_generator().offset() == before.generator.offset());
  CHECK(grad_enabled() == before.recording);
  CHECK(default_dtype() == before.dtype);
}

inline void check(const std::vector<Refusal>& table) {
  for (const Refusal& r : table) check(r);
}

}  // namespace xgrad::test

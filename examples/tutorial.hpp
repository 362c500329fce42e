#pragma once
#include <unistd.h>

#include <cstdio>
#include <string>

/// How the examples print. Nothing in here is needed to use the library.

namespace detail {
inline int failures = 0;

/// On a terminal, the text in a colour or in bold, by its ANSI code.
inline std::string styled(const char* code, const std::string& text) {
  static const bool terminal = isatty(STDOUT_FILENO) == 1;
  return terminal ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
}
}  // namespace detail

/// Prints a heading.
inline void section(const std::string& title) { std::printf("\n%s\n", detail::styled("1", title).c_str()); }

/// Prints a fact that the text has promised: with a tick, or with a cross if it is not one.
inline void expect(bool fact, const std::string& text) {
  std::printf("  %s %s\n", (fact ? detail::styled("32", "✓") : detail::styled("31", "✗")).c_str(),
              text.c_str());
  if (!fact) ++detail::failures;
}

/// What main returns: 0 if everything that was expected came about.
inline int result() { return detail::failures == 0 ? 0 : 1; }

/// Prints `name = value`, further lines of the value under the first.
inline void show(const std::string& name, const std::string& value) {
  const std::string head = "  " + name + " = ";
  std::size_t width = 0;
  for (const char c : head)
    width += (c & 0xC0) != 0x80;  // characters, not bytes: the rest of UTF-8 begins with 10
  std::string text = head;
  for (const char c : value) {
    text += c;
    if (c == '\n') text += std::string(width, ' ');
  }
  std::puts(text.c_str());
}

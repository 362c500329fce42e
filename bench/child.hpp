#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace bench {

/// A system under test in a process of its own, spoken to through pipes (the protocol is in serve.hpp).
class Child {
 public:
  /// Starts `command` with OpenMP, MKL and OpenBLAS limited to `threads`, and without settings that would
  /// choose their kernels. Throws std::runtime_error.
  Child(const std::vector<std::string>& command, int threads);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Sends one line and returns the answer after "ok ". Throws std::runtime_error for "error …" or a process
  /// that has ended.
  std::string ask(const std::string& request);

  /// Waits until its threads have stopped looking for work, half a second at most.
  void settle() const;

 private:
  std::string name_;
  pid_t process_ = -1;
  std::FILE* requests_ = nullptr;
  std::FILE* answers_ = nullptr;
};

}  // namespace bench

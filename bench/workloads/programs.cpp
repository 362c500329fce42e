// What a user waits for before the first step: the compiler, and the start of a program.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "workload.hpp"

namespace {

namespace fs = std::filesystem;
using Step = std::function<void()>;

/// Each call runs the command and waits for its end.
Step running(std::vector<std::string> command) {
  return [command] {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t process = 0;
    int status = 0;
    if (posix_spawn(&process, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0 ||
        waitpid(process, &status, 0) != process || status != 0)
      throw std::runtime_error(command[0] + " failed");
  };
}

/// The stripped program of programs/startup.cpp from its start to its end: the MLP is built and takes `steps`
/// steps with batches of 32.
Step startup(const char* steps) {
  return running({fs::read_symlink("/proc/self/exe").parent_path() / "startup", steps});
}

/// As a user's build does, without precompiled headers and without ccache.
Step compiling(const char* compiler, const char* source) {
  return running({compiler, "-std=c++20", "-O2", "-I", XGRAD_INCLUDE_DIR, "-c", source, "-o", "/dev/null"});
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, const char* system, std::function<Step()> make) {
    bench::workloads().push_back(
        {.name = name, .system = system, .make = [=](int) { return make(); }, .in_process = false});
  };
  add("startup", "xgrad", [] { return startup("0"); });
  add("first_step", "xgrad", [] { return startup("1"); });
  for (const char* compiler : {XGRAD_COMPILERS}) {
    const std::string name = "compile_" + fs::path(compiler).filename().string();
    add(name, "xgrad", [=] { return compiling(compiler, XGRAD_SOURCE_DIR "/examples/fashion_mnist.cpp"); });
    add(name, "floor", [=] { return compiling(compiler, XGRAD_SOURCE_DIR "/bench/programs/iostream.cpp"); });
  }
  return true;
}();

}  // namespace

#include "child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

[[noreturn]] void become(const std::vector<std::string>& command, int threads, int input, int output) {
  const std::string count = std::to_string(threads);
  for (const char* name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"})
    setenv(name, count.c_str(), 1);
  // What a system makes of the CPU is its own affair, and nobody's setting for this machine.
  for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}) unsetenv(name);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

Child::Child(const std::vector<std::string>& command, int threads) : name_(command.at(0)) {
  signal(SIGPIPE, SIG_IGN);  // a child that died is an error message, not our end
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for " + name_);
  if (pipe2(from_child, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for " + name_);
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("cannot start " + name_);
  if (process_ == 0) become(command, threads, to_child[0], from_child[1]);
  close(to_child[0]);
  close(from_child[1]);
  requests_ = fdopen(to_child[1], "w");
  answers_ = fdopen(from_child[0], "r");
}

Child::~Child() {
  std::fclose(requests_);  // the end of its input ends it
  std::fclose(answers_);
  waitpid(process_, nullptr, 0);
}

std::string Child::ask(const std::string& request) {
  std::fprintf(requests_, "%s\n", request.c_str());
  std::fflush(requests_);
  char* line = nullptr;
  std::size_t capacity = 0;
  const ssize_t length = getline(&line, &capacity, answers_);
  const std::string answer = length > 0 ? std::string(line, static_cast<std::size_t>(length) - 1) : "";
  std::free(line);
  if (answer.rfind("ok", 0) == 0) return answer.size() > 3 ? answer.substr(3) : "";
  throw std::runtime_error(length > 0 ? answer : "error the process has ended");
}

void Child::settle() const {
  using namespace std::chrono_literals;
  clockid_t clock;
  if (clock_getcpuclockid(process_, &clock) != 0) return;
  const auto used = [clock] {
    timespec t{};
    clock_gettime(clock, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
  };
  constexpr auto step = 5ms;
  auto before = used();
  for (auto waited = 0ms; waited < 500ms; waited += step) {
    std::this_thread::sleep_for(step);
    const auto now = used();
    if (now - before < step / 10) return;
    before = now;
  }
}

}  // namespace bench

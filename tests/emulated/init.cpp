// The first and only process of the emulated machine: runs the command that stands in /command, one argument
// a line, says how it ended, and switches the machine off.
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

int main() {
  mount("proc", "/proc", "proc", 0, nullptr);
  setenv("OMP_NUM_THREADS", "1", 1);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  std::vector<std::string> words;
  std::ifstream file("/command");
  for (std::string word; std::getline(file, word);) words.push_back(word);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execv(arguments[0], arguments.data());
    std::perror("execv");
    std::_Exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::printf("emulated: exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  std::fflush(stdout);
  sync();
  usleep(200'000);
  reboot(RB_POWER_OFF);
}

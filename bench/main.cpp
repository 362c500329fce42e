// The benchmark's driver: `bench --help`. It times xgrad, its peers and the floors in turn, each in a process
// of its own; with --serve it is itself one of these processes.
#include <getopt.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "driver.hpp"
#include "report.hpp"
#include "serve.hpp"

namespace {

namespace fs = std::filesystem;

constexpr const char* usage = R"(usage: bench [options]
  --only REGEX     only workloads whose name contains a match
  --targets        only what the table of targets (table.py) needs
  --threads LIST   numbers of threads, "1,2" by default
  --rounds N       rounds, of which the median is taken; at least 7, 9 by default
  --seconds S      how long each system runs in a round, 0.05 by default
  --no-peers       only xgrad and the floors
  --peers DIR      where `make bench-peers` put the peers; ../peers beside this program by default
  --json FILE      writes the results there too
)";

struct Options {
  bench::Plan plan;
  bool peers = true;
  fs::path peers_dir;
  std::string json;
  std::string serve;
};

std::vector<int> parse_threads(const std::string& list) {
  std::vector<int> counts;
  std::istringstream text(list);
  for (std::string word; std::getline(text, word, ',');) counts.push_back(std::stoi(word));
  if (counts.empty()) throw std::invalid_argument("--threads wants a list like 1,2");
  for (const int count : counts)
    if (count < 1) throw std::invalid_argument("--threads wants counts of at least 1");
  return counts;
}

Options parse(int argc, char** argv) {
  enum { only = 1, targets, threads, rounds, seconds, no_peers, peers, json, serve, help };
  const option long_options[] = {{"only", required_argument, nullptr, only},
                                 {"targets", no_argument, nullptr, targets},
                                 {"threads", required_argument, nullptr, threads},
                                 {"rounds", required_argument, nullptr, rounds},
                                 {"seconds", required_argument, nullptr, seconds},
                                 {"no-peers", no_argument, nullptr, no_peers},
                                 {"peers", required_argument, nullptr, peers},
                                 {"json", required_argument, nullptr, json},
                                 {"serve", required_argument, nullptr, serve},
                                 {"help", no_argument, nullptr, help},
                                 {}};
  Options options;
  options.peers_dir = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "peers";
  for (int code; (code = getopt_long(argc, argv, "", long_options, nullptr)) != -1;) {
    switch (code) {
      case only:
        options.plan.only = std::regex(optarg);
        break;
      case targets:
        options.plan.targets_only = true;
        break;
      case threads:
        options.plan.threads = parse_threads(optarg);
        break;
      case rounds:
        options.plan.rounds = std::stoi(optarg);
        break;
      case seconds:
        options.plan.round_seconds = std::stod(optarg);
        break;
      case no_peers:
        options.peers = false;
        break;
      case peers:
        options.peers_dir = optarg;
        break;
      case json:
        options.json = optarg;
        break;
      case serve:
        options.serve = optarg;
        break;
      case help:
        std::cout << usage;
        std::exit(0);
      default:
        throw std::invalid_argument("unknown option");
    }
  }
  if (options.plan.rounds < 7) throw std::invalid_argument("--rounds must be at least 7");
  return options;
}

/// xgrad and the floor are this program itself, the peers whatever start scripts `make bench-peers` made.
void find_systems(Options& options) {
  const std::string self = fs::read_symlink("/proc/self/exe");
  options.plan.systems = {{"xgrad", {self, "--serve", "xgrad"}}};
  for (const char* peer : {"libtorch", "pytorch", "jax"}) {
    if (!options.peers) break;
    const fs::path script = options.peers_dir / "bin" / peer;
    if (fs::exists(script))
      options.plan.systems.push_back({peer, {script}});
    else
      std::cerr << "no " << peer << ": `make bench-peers` installs it\n";
  }
  options.plan.systems.push_back({"floor", {self, "--serve", "floor"}});
}

}  // namespace

int main(int argc, char** argv) try {
  Options options = parse(argc, argv);
  if (!options.serve.empty()) return bench::serve(options.serve, std::atoi(argv[optind]));
  find_systems(options);
  bench::print_head();
  const std::vector<bench::Result> results = bench::measure(options.plan, bench::print_rows);
  if (!options.json.empty()) bench::write_json(options.json, results);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench: " << error.what() << '\n' << usage;
  return 2;
}

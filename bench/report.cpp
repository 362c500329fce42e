#include "report.hpp"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace bench {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

const char* vector_level() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
#endif
  return "baseline";
}

/// Three digits and a unit.
std::string duration(double seconds) {
  char text[32];
  if (seconds >= 1e-3)
    std::snprintf(text, sizeof text, "%.3g ms", seconds * 1e3);
  else if (seconds >= 1e-6)
    std::snprintf(text, sizeof text, "%.3g us", seconds * 1e6);
  else
    std::snprintf(text, sizeof text, "%.3g ns", seconds * 1e9);
  return text;
}

std::string number(const char* format, std::optional<double> value) {
  if (!value) return "";
  char text[32];
  std::snprintf(text, sizeof text, format, *value);
  return text;
}

nlohmann::ordered_json or_null(std::optional<double> value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

void print_head() {
  std::printf("%s, %s\n\n", processor().c_str(), vector_level());
  std::printf("%-20s %2s %-9s %10s %7s %8s %8s %8s %8s %9s  %s\n", "workload", "t", "system", "time",
              "spread", "x peer", "x floor", "allocs", "library", "peak MB", "note");
}

void print_rows(const std::vector<Result>& results) {
  for (const Result& result : results) {
    std::optional<double> megabytes;
    if (result.peak_bytes) megabytes = *result.peak_bytes / 1e6;
    std::printf("%-20s %2d %-9s %10s %6.1f%% %8s %8s %8s %8s %9s  %s\n", result.workload.c_str(),
                result.threads, result.system.c_str(), duration(result.seconds).c_str(), result.spread * 100,
                number("%.3f", result.ratio).c_str(), number("%.3f", result.over_floor).c_str(),
                number("%.4g", result.allocations).c_str(),
                number("%.4g", result.library_allocations).c_str(), number("%.2f", megabytes).c_str(),
                result.note.c_str());
  }
  std::fflush(stdout);
}

void write_json(const std::string& path, const std::vector<Result>& results) {
  const std::string cpu = processor();
  auto list = nlohmann::ordered_json::array();
  for (const Result& result : results) {
    if (result.system == "floor") continue;  // stands in every other object of its workload
    list.push_back({{"workload", result.workload},
                    {"threads", result.threads},
                    {"system", result.system},
                    {"seconds", result.seconds},
                    {"rounds", result.rounds},
                    {"spread", result.spread},
                    {"ratio", or_null(result.ratio)},
                    {"floor", or_null(result.floor)},
                    {"over_floor", or_null(result.over_floor)},
                    {"allocations_per_step", or_null(result.allocations)},
                    {"library_allocations_per_step", or_null(result.library_allocations)},
                    {"peak_bytes", or_null(result.peak_bytes)},
                    {"note", result.note},
                    {"cpu", cpu},
                    {"simd", vector_level()}});
  }
  std::ofstream file(path);
  file << list.dump(1) << '\n';
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace bench

#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <xgrad/core/check.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

/// What tests register for themselves.
bool is_of_tests(const OpInfo& op) { return op.name.starts_with("test_"); }

/// For each check and reason, the ops that it was not run on.
using LeftOut = std::map<std::pair<std::string, std::string>, std::string>;

void print(const LeftOut& table) {
  for (const auto& [key, ops] : table)
    std::printf("left out: %s, because %s:%s\n", key.first.c_str(), key.second.c_str(), ops.c_str());
}

}  // namespace

TEST_CASE("every registered op passes every check that its traits call for") {
  LeftOut left_out;
  std::size_t walked = 0, records = 0;
  for (const OpInfo& op : registered_ops()) {
    if (is_of_tests(op)) continue;
    const CheckReport report = check_op(op);
    CHECK(report);
    std::set<std::string_view> seen;
    for (const CheckRecord& r : report.records()) {
      seen.insert(r.check);
      if (r.outcome == CheckRecord::Outcome::left_out)
        left_out[{std::string(r.check), r.detail}].append(" ").append(op.name);
    }
    for (std::string_view check : check_names()) {
      INFO(op.name << ": " << check);
      CHECK(seen.count(check) == 1);
    }
    ++walked;
    records += report.records().size();
  }
  print(left_out);
  std::printf("%zu ops, %zu records\n", walked, records);
}

TEST_CASE("ops that nobody names in a test are in the registry") {
  std::set<std::string_view> names;
  for (const OpInfo& op : registered_ops()) names.insert(op.name);
  for (std::string_view name :
       {"add",     "sum_to",  "broadcast_to",  "astype",     "sub",        "mul",    "div",    "pow",
        "exp",     "tanh",    "where",         "clip",       "less",       "relu",   "gelu",   "sum",
        "mean",    "max",     "logsumexp",     "argmax",     "softmax",    "matmul", "linear", "reshape",
        "permute", "concat",  "split",         "index",      "gather",     "pad",    "cumsum", "mse",
        "huber",   "one_hot", "cross_entropy", "layer_norm", "batch_norm", "var",    "stack"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
}

#pragma once

#include <string>
#include <vector>

#include "driver.hpp"

namespace bench {

/// Prints the processor's name and the head of the table.
void print_head();
/// Prints one row per system.
void print_rows(const std::vector<Result>& results);
/// Writes the list of objects that bench/README.md describes. Throws std::runtime_error.
void write_json(const std::string& path, const std::vector<Result>& results);

}  // namespace bench

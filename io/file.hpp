#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xgrad/core/errors.hpp>

/// Whole files in and out, for the formats of this folder.
namespace xgrad::inline v0::io::detail {

using Bytes = std::span<const std::byte>;

/// The contents of a file. Throws IoError, naming `op` and the path, when it cannot be read.
std::vector<std::byte> read_file(std::string_view op, const std::string& path);

/// Writes the parts one after the other, all or nothing: to a temporary beside `path`, which takes its place
/// once it is on the disk. Throws IoError; then `path` is what it was.
void write_file(std::string_view op, const std::string& path, std::span<const Bytes> parts);

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// Throws IoError: "[op] PATH: WHAT: REMEDY".
[[noreturn]] void fail(std::string_view op, const std::string& path, std::string_view what,
                       std::string_view remedy);

}  // namespace xgrad::inline v0::io::detail

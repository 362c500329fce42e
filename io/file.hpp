#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xgrad/core/errors.hpp>
#include <xgrad/core/shape.hpp>

/// Whole files in and out, for the formats of this folder.
namespace xgrad::inline v0::io::detail {

using Bytes = std::span<const std::byte>;

/// A descriptor of a regular file, to be read; the caller closes it. Throws IoError, naming `op` and the
/// path, when there is none: a folder, or a pipe that would never end.
int open_file(std::string_view op, const std::string& path);

/// The contents of a file. Throws IoError, naming `op` and the path, when it cannot be read.
std::vector<std::byte> read_file(std::string_view op, const std::string& path);

/// Writes the parts one after the other, all or nothing: to a temporary beside `path`, which takes its place
/// once it is on the disk. Throws IoError; then `path` is what it was.
void write_file(std::string_view op, const std::string& path, std::span<const Bytes> parts);

/// Throws what `write_file` would throw at once: when no file can be made beside `path`. Changes nothing.
void check_writable(std::string_view op, const std::string& path);

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// The bytes of an array whose shape a file claims, `width` for each element. Throws IoError for sizes whose
/// product is beyond all memory, also when another size is 0.
std::uint64_t claimed_bytes(std::string_view op, const std::string& path, const Shape& shape,
                            std::size_t width);

/// Throws IoError: "[op] PATH: WHAT: REMEDY".
[[noreturn]] void fail(std::string_view op, const std::string& path, std::string_view what,
                       std::string_view remedy);

}  // namespace xgrad::inline v0::io::detail

#include <fmt/core.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <xgrad/data/idx.hpp>
#include <xgrad/io/file.hpp>

namespace xgrad::inline v0::data {
namespace {

constexpr std::string_view op = "read_idx";
constexpr std::string_view damaged = "fetch it again";

/// A file that zlib reads, unpacking it if it is gzip.
class GzFile {
 public:
  explicit GzFile(const std::string& path) : path_(path) {
    const int file = io::detail::open_file(op, path);
    file_ = gzdopen(file, "rb");
    if (file_ == nullptr) {
      ::close(file);
      io::detail::fail(op, path, "there is no memory to unpack it", "free some");
    }
    gzbuffer(file_, 1 << 17);
  }
  GzFile(const GzFile&) = delete;
  GzFile& operator=(const GzFile&) = delete;
  ~GzFile() { gzclose_r(file_); }

  /// Up to n bytes; fewer at the end of the file.
  std::size_t read(void* to, std::size_t n) {
    const int got = gzread(file_, to, static_cast<unsigned>(n));
    int error = Z_OK;
    const char* message = gzerror(file_, &error);
    if (got < 0 || (error != Z_OK && error != Z_STREAM_END && error != Z_BUF_ERROR))
      io::detail::fail(op, path_, fmt::format("it cannot be unpacked ({})", message), damaged);
    if (error == Z_BUF_ERROR) io::detail::fail(op, path_, "it ends within a gzip stream", damaged);
    return static_cast<std::size_t>(got);
  }

 private:
  const std::string& path_;
  gzFile file_;
};

template <class Raw, class To>
Array convert(const std::vector<std::byte>& bytes, const Shape& shape) {
  Array a = Array::empty(shape, dtype_of<To>);
  To* out = a.mutable_data<To>();
  using Bits = std::conditional_t<
      sizeof(Raw) == 1, std::uint8_t,
      std::conditional_t<sizeof(Raw) == 2, std::uint16_t,
                         std::conditional_t<sizeof(Raw) == 4, std::uint32_t, std::uint64_t>>>;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    Bits bits = 0;  // big-endian
    for (std::size_t k = 0; k < sizeof(Raw); ++k)
      bits = static_cast<Bits>(
          static_cast<std::uint64_t>(bits) << 8 |
          std::to_integer<std::uint64_t>(bytes[static_cast<std::size_t>(i) * sizeof(Raw) + k]));
    out[i] = static_cast<To>(std::bit_cast<Raw>(bits));
  }
  return a;
}

}  // namespace

Tensor read_idx(const std::string& path) {
  GzFile file(path);
  unsigned char magic[4];
  if (file.read(magic, 4) != 4 || magic[0] != 0 || magic[1] != 0)
    io::detail::fail(op, path, "it does not begin as an IDX file", "check that it is the file you mean");
  const int type = magic[2], rank = magic[3];
  const std::size_t width = type == 0x08 || type == 0x09   ? 1
                            : type == 0x0B                 ? 2
                            : type == 0x0C || type == 0x0D ? 4
                            : type == 0x0E                 ? 8
                                                           : 0;
  if (width == 0)
    io::detail::fail(op, path, fmt::format("its element type {:#04x} is unknown", type), damaged);
  if (rank > max_rank) io::detail::fail(op, path, fmt::format("it claims {} axes", rank), damaged);
  Shape shape;
  for (int i = 0; i < rank; ++i) {
    unsigned char size[4];
    if (file.read(size, 4) != 4) io::detail::fail(op, path, "it ends within its header", damaged);
    const std::uint64_t n =
        std::uint64_t{size[0]} << 24 | std::uint64_t{size[1]} << 16 | std::uint64_t{size[2]} << 8 | size[3];
    shape.push_back(static_cast<std::int64_t>(n));
  }
  const std::uint64_t total = io::detail::claimed_bytes(op, path, shape, width);
  // Read in pieces: a claimed size is believed only as far as there are bytes.
  std::vector<std::byte> bytes;
  while (bytes.size() <= total) {
    const std::size_t have = bytes.size(),
                      piece = static_cast<std::size_t>(std::min<std::uint64_t>(total + 1 - have, 1 << 22));
    bytes.resize(have + piece);
    const std::size_t got = file.read(bytes.data() + have, piece);
    bytes.resize(have + got);
    if (got == 0) break;
  }
  if (bytes.size() != total)
    io::detail::fail(op, path,
                     fmt::format("shape {} needs {} bytes, {} are there", shape.str(), total,
                                 bytes.size() > total ? "more" : std::to_string(bytes.size())),
                     damaged);
  switch (type) {
    case 0x08:
      return Tensor(convert<std::uint8_t, std::uint8_t>(bytes, shape));
    case 0x09:
      return Tensor(convert<std::int8_t, std::int32_t>(bytes, shape));
    case 0x0B:
      return Tensor(convert<std::int16_t, std::int32_t>(bytes, shape));
    case 0x0C:
      return Tensor(convert<std::int32_t, std::int32_t>(bytes, shape));
    case 0x0D:
      return Tensor(convert<float, float>(bytes, shape));
    default:
      return Tensor(convert<double, double>(bytes, shape));
  }
}

}  // namespace xgrad::inline v0::data

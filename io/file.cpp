#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>
#include <xgrad/io/file.hpp>

namespace xgrad::inline v0::io::detail {
namespace {

/// A file descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string_view remedy(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "check the path, which counts from the folder that the program runs in";
    case EACCES:
    case EPERM:
    case EROFS:
      return "change the permissions, or choose a path that this user may use";
    case ENOSPC:
    case EDQUOT:
      return "make room on the disk, or choose a path on another";
    default:
      return "check the path and the disk";
  }
}

[[noreturn]] void fail_system(std::string_view op, const std::string& path, std::string_view doing) {
  const int error = errno;
  fail(op, path, fmt::format("cannot {}: {}", doing, std::strerror(error)), remedy(error));
}

/// A fresh file beside `path`, removed again unless it was put in its place.
class Temporary {
 public:
  Temporary(std::string_view op, const std::string& path)
      : path_(beside(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
    if (!file_.valid()) fail_system(op, path, "write beside it");
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (file_.valid() && !renamed_) ::unlink(path_.c_str());
  }
  int file() const { return file_.get(); }
  bool rename_to(const std::string& path) { return renamed_ = ::rename(path_.c_str(), path.c_str()) == 0; }

 private:
  static std::string beside(const std::string& path) {
    static std::atomic<unsigned> counter{0};
    return fmt::format("{}.{}-{}.tmp", path, ::getpid(), ++counter);
  }

  std::string path_;
  Descriptor file_;
  bool renamed_ = false;
};

}  // namespace

void fail(std::string_view op, const std::string& path, std::string_view what, std::string_view remedy) {
  throw IoError(op, fmt::format("{}: {}: {}", path, what, remedy));
}

std::uint64_t claimed_bytes(std::string_view op, const std::string& path, const Shape& shape,
                            std::size_t width) {
  constexpr std::uint64_t most = std::uint64_t{1} << 59;
  std::uint64_t bytes = width;
  bool empty = false;
  for (const std::int64_t d : shape) {
    const auto n = static_cast<std::uint64_t>(d);
    empty = empty || n == 0;
    if (n != 0 && (n > most || bytes > most / n))
      fail(op, path, fmt::format("it claims a shape of {}, more than memory can hold", shape.str()),
           "it is damaged: make it again");
    bytes *= n == 0 ? 1 : n;
  }
  return empty ? 0 : bytes;
}

int open_file(std::string_view op, const std::string& path) {
  // O_NONBLOCK means nothing to a file, and does not wait for somebody at the other end of a pipe.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) fail_system(op, path, "open it");
  if (!S_ISREG(info.st_mode)) fail(op, path, "it is not a regular file", "give the path of a file");
  return file.release();
}

std::vector<std::byte> read_file(std::string_view op, const std::string& path) {
  const Descriptor file(open_file(op, path));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_system(op, path, "open it");
  std::vector<std::byte> data(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = ::read(file.get(), data.data() + done, data.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system(op, path, "read it");
    if (n == 0) fail(op, path, "it became shorter while it was read", "try again when nobody writes to it");
    done += static_cast<std::size_t>(n);
  }
  return data;
}

void check_writable(std::string_view op, const std::string& path) { const Temporary probe(op, path); }

void write_file(std::string_view op, const std::string& path, std::span<const Bytes> parts) {
  Temporary temporary(op, path);
  for (Bytes part : parts) {
    while (!part.empty()) {
      const ssize_t n = ::write(temporary.file(), part.data(), part.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail_system(op, path, "write it");
      part = part.subspan(static_cast<std::size_t>(n));
    }
  }
  if (::fsync(temporary.file()) != 0) fail_system(op, path, "bring it to the disk");
  if (!temporary.rename_to(path)) fail_system(op, path, "put it in place");
  // The new name is on the disk only when its folder is.
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) ::fsync(directory.get());
}

}  // namespace xgrad::inline v0::io::detail

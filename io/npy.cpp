#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <type_traits>
#include <xgrad/core/require.hpp>
#include <xgrad/io/file.hpp>
#include <xgrad/io/npy.hpp>

namespace xgrad::inline v0::io {
namespace {

constexpr std::string_view load_op = "io::load_npy";
constexpr std::string_view magic = "\x93NUMPY";
constexpr std::string_view damaged = "it is damaged or not an .npy file: save it again";
constexpr char native_order = std::endian::native == std::endian::little ? '<' : '>';

// ---- the header: a Python dictionary ----------------------------------------------------------------------

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }: exactly these keys, in any order.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), rest_(text) {}

  Header parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = text();
      expect(':');
      if (key == "descr")
        once(&descr_, text());
      else if (key == "fortran_order")
        once(&fortran_order_, truth());
      else if (key == "shape")
        once(&shape_, tuple());
      else
        fail(fmt::format("has an unknown key \"{}\"", key));
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty()) fail("goes on after its dictionary");
    if (!descr_ || !fortran_order_ || !shape_) fail("lacks one of descr, fortran_order and shape");
    return {*descr_, *fortran_order_, *shape_};
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    detail::fail(load_op, path_, fmt::format("its header {}", what), damaged);
  }
  template <class T>
  void once(std::optional<T>* to, T value) const {
    if (to->has_value()) fail("has a key twice");
    *to = std::move(value);
  }
  void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size())); }
  bool accept(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("has no '{}' where one belongs", c));
  }
  bool accept(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string text() {
    const char quote = accept('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail("has a string that does not end");
    const std::string s(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return s;
  }
  bool truth() {
    if (accept(std::string_view("True"))) return true;
    if (!accept(std::string_view("False"))) fail("has a fortran_order that is neither True nor False");
    return false;
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      std::int64_t n = -1;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
      if (error != std::errc() || n < 0) fail("has a shape that is not a tuple of natural numbers");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (shape.rank() == max_rank) fail(fmt::format("has a shape of more than {} axes", max_rank));
      shape.push_back(n);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  const std::string& path_;
  std::string_view rest_;
  std::optional<std::string> descr_;
  std::optional<bool> fortran_order_;
  std::optional<Shape> shape_;
};

// ---- elements ---------------------------------------------------------------------------------------------

/// One element as it lies in the file, its bytes in reverse if the file has the other order.
template <class Raw>
Raw element(const std::byte* from, bool swap) {
  std::byte bytes[sizeof(Raw)];
  for (std::size_t i = 0; i < sizeof(Raw); ++i) bytes[i] = from[swap ? sizeof(Raw) - 1 - i : i];
  Raw value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

struct Elements {
  std::string_view code;  // of the descr, without its byte order
  std::size_t width;
  Array (*read)(const std::byte* from, const Shape& shape, bool swap);
};

template <class Raw, class To = Raw>
Array read_elements(const std::byte* from, const Shape& shape, bool swap) {
  Array a = Array::empty(shape, dtype_of<To>);
  To* const out = a.mutable_data<To>();
  if (std::is_same_v<Raw, To> && !swap) {
    if (a.numel() > 0) std::memcpy(out, from, a.nbytes());
  } else {
    for (std::int64_t i = 0; i < a.numel(); ++i)
      out[i] = static_cast<To>(element<Raw>(from + static_cast<std::size_t>(i) * sizeof(Raw), swap));
  }
  return a;
}

constexpr Elements element_types[] = {
    {"f4", 4, read_elements<float>},
    {"f8", 8, read_elements<double>},
    {"i4", 4, read_elements<std::int32_t>},
    {"i8", 8, read_elements<std::int64_t>},
    {"u1", 1, read_elements<std::uint8_t>},
    {"b1", 1, read_elements<bool>},
    {"i1", 1, read_elements<std::int8_t, std::int32_t>},
    {"i2", 2, read_elements<std::int16_t, std::int32_t>},
    {"u2", 2, read_elements<std::uint16_t, std::int32_t>},
    {"u4", 4, read_elements<std::uint32_t, std::int64_t>},
};

const Elements& elements_of(const std::string& path, const std::string& descr) {
  const bool has_order = !descr.empty() && std::string_view("<>=|").find(descr[0]) != std::string_view::npos;
  for (const Elements& e : element_types)
    if (has_order && descr.substr(1) == e.code && (descr[0] != '|' || e.width == 1)) return e;
  detail::fail(load_op, path, fmt::format("it holds \"{}\", which xgrad does not have", descr),
               "convert it with astype(\"float32\") where it was made");
}

/// NumPy's code of a dtype, as "<f4".
std::string descr_of(DType t) {
  constexpr std::string_view codes[] = {"f4", "f8", "i4", "i8", "u1", "b1"};
  const char order = itemsize(t) == 1 ? '|' : native_order;
  return order + std::string(codes[static_cast<int>(t)]);
}

}  // namespace

void save_npy(const std::string& path, const Tensor& x) {
  xgrad::detail::require_defined("io::save_npy", x);
  const Array a = x.array().contiguous();
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                                   descr_of(a.dtype()), a.shape().str());
  // The elements begin at a multiple of 64; the magic, the version and the length take ten bytes.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string start(magic);
  start += {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  const detail::Bytes parts[] = {detail::bytes_of(start), detail::bytes_of(header), {a.bytes(), a.nbytes()}};
  detail::write_file("io::save_npy", path, parts);
}

Tensor load_npy(const std::string& path) {
  const std::vector<std::byte> file = detail::read_file(load_op, path);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(magic) || text.size() < 8)
    detail::fail(load_op, path, "it does not begin as an .npy file", damaged);
  const int version = text[6];
  if (version < 1 || version > 3 || text[7] != 0)
    detail::fail(load_op, path, fmt::format("its version is {}.{}", version, static_cast<int>(text[7])),
                 "save it with version 1.0, 2.0 or 3.0");
  const std::size_t width = version == 1 ? 2 : 4, begin = 8 + width;
  if (file.size() < begin) detail::fail(load_op, path, "it ends within its header", damaged);
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= std::to_integer<std::size_t>(file[8 + i]) << (8 * i);
  if (length > file.size() - begin)
    detail::fail(load_op, path, fmt::format("its header claims {} bytes of {}", length, file.size()),
                 damaged);

  const Header header = HeaderParser(path, text.substr(begin, length)).parse();
  const Elements& elements = elements_of(path, header.descr);
  const std::uint64_t size = detail::claimed_bytes(load_op, path, header.shape, elements.width);
  const std::size_t have = file.size() - begin - length;
  if (size != have)
    detail::fail(load_op, path,
                 fmt::format("shape {} needs {} bytes, {} are there", header.shape.str(), size, have),
                 damaged);
  const std::byte* const data = file.data() + begin + length;
  if (elements.code == "b1") {
    // Any byte but 0 and 1 would be no bool at all.
    for (std::size_t i = 0; i < have; ++i)
      if (std::to_integer<int>(data[i]) > 1)
        detail::fail(load_op, path, "it has a bool that is neither 0 nor 1", damaged);
  }
  const bool other_order = header.descr[0] == (native_order == '<' ? '>' : '<');
  if (!header.fortran_order) return Tensor(elements.read(data, header.shape, other_order));
  // Column-major: the row-major array of the reversed shape, seen from the other side.
  Shape reversed, axes;
  for (int i = header.shape.rank() - 1; i >= 0; --i) {
    reversed.push_back(header.shape[i]);
    axes.push_back(i);
  }
  return Tensor(elements.read(data, reversed, other_order).permute(axes).contiguous());
}

}  // namespace xgrad::inline v0::io

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <xgrad/io/file.hpp>
#include <xgrad/io/safetensors.hpp>

namespace xgrad::inline v0::io {
namespace {

using Json = nlohmann::ordered_json;
using detail::fail;

constexpr std::string_view load_op = "io::load";
constexpr std::uint64_t max_header = 100'000'000;  // as the reference implementation

struct Name {
  std::string_view code;
  DType dtype;
};
constexpr Name dtype_names[] = {{"F32", DType::float32}, {"F64", DType::float64}, {"I32", DType::int32},
                                {"I64", DType::int64},   {"U8", DType::uint8},    {"BOOL", DType::bool_}};

std::string_view code_of(DType t) {
  for (const Name& n : dtype_names)
    if (n.dtype == t) return n.code;
  return {};
}

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;
};

struct File {
  std::vector<std::byte> bytes;
  std::uint64_t data_begin;
  std::vector<Entry> entries;
  Metadata metadata;
};

constexpr std::string_view damaged = "it is damaged or not a safetensors file: save it again";

/// Parses the header; a name that occurs twice at one level is refused, and nesting, which costs memory.
Json parse_header(const std::string& path, std::string_view text) {
  std::vector<std::set<std::string>> seen;
  bool twice = false;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, Json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > 4) fail(load_op, path, "its header is nested deeper than the format is", damaged);
    if (event == Event::object_start) seen.resize(static_cast<std::size_t>(depth) + 1);
    if (event == Event::object_start) seen.back().clear();
    if (event == Event::key && seen.size() >= static_cast<std::size_t>(depth))
      twice = !seen[static_cast<std::size_t>(depth) - 1].insert(value.get<std::string>()).second || twice;
    return true;
  };
  Json header;
  try {
    header = Json::parse(text, watch);
  } catch (const nlohmann::json::exception& e) {
    fail(load_op, path, fmt::format("its header is not JSON ({})", e.what()), damaged);
  }
  if (twice) fail(load_op, path, "its header has a name twice", damaged);
  if (!header.is_object()) fail(load_op, path, "its header is not an object", damaged);
  return header;
}

std::uint64_t natural(const std::string& path, const std::string& name, const Json& v) {
  if (!v.is_number_unsigned())
    fail(load_op, path, fmt::format("\"{}\" has {} where a natural number belongs", name, v.dump()), damaged);
  return v.get<std::uint64_t>();
}

Entry parse_entry(const std::string& path, const std::string& name, const Json& v, std::uint64_t data_size) {
  if (!v.is_object() || v.size() != 3 || !v.contains("dtype") || !v.contains("shape") ||
      !v.contains("data_offsets") || !v["dtype"].is_string() || !v["shape"].is_array() ||
      !v["data_offsets"].is_array() || v["data_offsets"].size() != 2)
    fail(load_op, path, fmt::format("\"{}\" is not described by dtype, shape and data_offsets", name),
         damaged);
  Entry e{name, DType::float32, {}, 0, 0};
  const auto code = v["dtype"].get<std::string>();
  const auto* known = std::find_if(std::begin(dtype_names), std::end(dtype_names),
                                   [&](const Name& n) { return n.code == code; });
  if (known == std::end(dtype_names))
    fail(load_op, path, fmt::format("\"{}\" has dtype {}, which xgrad does not have", name, code),
         "convert it to F32 where it was made");
  e.dtype = known->dtype;
  if (v["shape"].size() > max_rank)
    fail(load_op, path,
         fmt::format("\"{}\" has {} axes, and {} is the most", name, v["shape"].size(), max_rank),
         "reshape it where it was made");
  // The size is computed without trust: it must be that of a part of this file.
  for (const Json& d : v["shape"]) {
    const std::uint64_t n = natural(path, name, d);
    if (n > (std::uint64_t{1} << 60))
      fail(load_op, path, fmt::format("\"{}\" claims a size of {}", name, n), damaged);
    e.shape.push_back(static_cast<std::int64_t>(n));
  }
  const std::uint64_t size = detail::claimed_bytes(load_op, path, e.shape, itemsize(e.dtype));
  if (size > data_size)
    fail(load_op, path, fmt::format("\"{}\" of shape {} is larger than the file", name, e.shape.str()),
         damaged);
  e.begin = natural(path, name, v["data_offsets"][0]);
  e.end = natural(path, name, v["data_offsets"][1]);
  if (e.begin > e.end || e.end > data_size)
    fail(load_op, path, fmt::format("\"{}\" lies at [{}, {}) of {} bytes", name, e.begin, e.end, data_size),
         damaged);
  if (e.end - e.begin != size)
    fail(load_op, path,
         fmt::format("\"{}\" of shape {} and dtype {} has {} bytes instead of {}", name, e.shape.str(), code,
                     e.end - e.begin, size),
         damaged);
  return e;
}

File read(const std::string& path) {
  File f{detail::read_file(load_op, path), 0, {}, {}};
  std::uint64_t length = 0;
  if (f.bytes.size() < sizeof length) fail(load_op, path, "it has less than 8 bytes", damaged);
  for (std::size_t i = 0; i < sizeof length; ++i)
    length |= std::to_integer<std::uint64_t>(f.bytes[i]) << (8 * i);
  if (length > max_header || length > f.bytes.size() - sizeof length)
    fail(load_op, path, fmt::format("its header claims {} bytes of {}", length, f.bytes.size()), damaged);
  f.data_begin = sizeof length + length;
  const std::uint64_t data_size = f.bytes.size() - f.data_begin;
  const Json header = parse_header(path, {reinterpret_cast<const char*>(f.bytes.data()) + sizeof length,
                                          static_cast<std::size_t>(length)});
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      f.entries.push_back(parse_entry(path, name, value, data_size));
      continue;
    }
    if (!value.is_object()) fail(load_op, path, "its metadata is not an object", damaged);
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string())
        fail(load_op, path, fmt::format("its metadata \"{}\" is not a string", key), damaged);
      f.metadata[key] = text.get<std::string>();
    }
  }
  // Every byte belongs to one tensor.
  std::vector<const Entry*> order;
  for (const Entry& e : f.entries) order.push_back(&e);
  std::sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t at = 0;
  for (const Entry* e : order) {
    if (e->begin != at)
      fail(load_op, path,
           fmt::format("\"{}\" begins at {}, the tensor before it ends at {}", e->name, e->begin, at),
           damaged);
    at = e->end;
  }
  if (at != data_size)
    fail(load_op, path, fmt::format("{} bytes belong to no tensor", data_size - at), damaged);
  return f;
}

}  // namespace

void save(const std::string& path, const StateDict& state, const Metadata& metadata) {
  constexpr std::string_view op = "io::save";
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  // Wide types first: then every tensor is aligned to its elements.
  std::vector<Array> arrays;
  std::vector<std::size_t> order;
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : state) {
    if (!names.insert(name).second)
      throw ValueError(op,
                       fmt::format("the name \"{}\" occurs twice: give each tensor a name of its own", name));
    if (name == "__metadata__")
      throw ValueError(op, "the name \"__metadata__\" belongs to the format: call the tensor something else");
    if (!tensor.defined())
      throw ValueError(op,
                       fmt::format("\"{}\" is an undefined tensor: give it a value, or leave it out", name));
    order.push_back(arrays.size());
    arrays.push_back(tensor.array().contiguous());
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return itemsize(arrays[a].dtype()) > itemsize(arrays[b].dtype());
  });
  std::vector<std::uint64_t> begins(arrays.size());
  std::uint64_t at = 0;
  for (std::size_t i : order) {
    begins[i] = at;
    at += arrays[i].nbytes();
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    Json shape = Json::array();
    for (std::int64_t d : arrays[i].shape()) shape.push_back(d);
    header[state[i].name] = {{"dtype", code_of(arrays[i].dtype())},
                             {"shape", shape},
                             {"data_offsets", {begins[i], begins[i] + arrays[i].nbytes()}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(op, "a name or the metadata is not UTF-8: write it in UTF-8");
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  std::byte length[8];
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(text.size() >> (8 * i));
  std::vector<detail::Bytes> parts{length, detail::bytes_of(text)};
  for (std::size_t i : order) parts.emplace_back(arrays[i].bytes(), arrays[i].nbytes());
  detail::write_file(op, path, parts);
}

StateDict load(const std::string& path) {
  const File f = read(path);
  StateDict state;
  for (const Entry& e : f.entries) {
    Array a = Array::empty(e.shape, e.dtype);
    const std::byte* from = f.bytes.data() + f.data_begin + e.begin;
    if (e.dtype == DType::bool_) {
      // Any byte but 0 and 1 would be no bool at all.
      for (std::uint64_t i = 0; i < e.end - e.begin; ++i) {
        if (std::to_integer<int>(from[i]) > 1)
          fail(load_op, path, fmt::format("\"{}\" has a bool that is neither 0 nor 1", e.name), damaged);
      }
    }
    if (e.end > e.begin) std::memcpy(a.mutable_bytes(), from, static_cast<std::size_t>(e.end - e.begin));
    state.push_back({e.name, Tensor(std::move(a))});
  }
  return state;
}

Metadata load_metadata(const std::string& path) { return read(path).metadata; }

}  // namespace xgrad::inline v0::io

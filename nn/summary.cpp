#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <xgrad/core/create.hpp>
#include <xgrad/nn/model.hpp>
#include <xgrad/nn/observe.hpp>

namespace xgrad::inline v0::nn::detail {

namespace {

thread_local Observer* current = nullptr;

struct Counts {
  std::int64_t trained = 0, frozen = 0, buffers = 0;
};

struct Row {
  std::string name;  // indented
  ModuleInfo info;
  std::string shape;
  std::int64_t parameters = 0;  // its own, not those of modules in it
  bool shared = false;
};

/// The rows of the table, in the order of the walk, and the totals.
struct Rows final : Visitor {
  std::vector<Row> rows;
  Counts total;

  bool enter(const ModuleInfo& info, void*) override {
    // The way from the module around it: "hidden", and "blocks.0" for one in a list.
    const std::size_t above = open_.empty() || open_.back().path == 0 ? 0 : open_.back().path + 1;
    const std::string_view name = std::string_view(path()).substr(above);
    const std::string label = name.empty() ? std::string(info.type) : fmt::format("{} ({})", name, info.type);
    rows.push_back({std::string(2 * open_.size(), ' ') + label, info, {}, 0, false});
    open_.push_back({rows.size() - 1, path().size()});
    return true;
  }
  void leave() override { open_.pop_back(); }

  void parameter(Parameter& p) override {
    Row* row = open_.empty() ? nullptr : &rows[open_.back().row];
    if (row != nullptr) row->parameters += p.numel();
    if (!seen_.insert(p.impl()).second) {
      if (row != nullptr) row->shared = true;
      return;
    }
    (p.requires_grad() ? total.trained : total.frozen) += p.numel();
  }
  void buffer(Buffer& b) override {
    if (seen_.insert(b.impl()).second) total.buffers += b.numel();
  }

 private:
  struct Open {
    std::size_t row, path;  // its number, and the length of its path
  };
  std::vector<Open> open_;
  std::unordered_set<const void*> seen_;
};

/// Two modules may share an address, as a struct and its first field do, but not if they have one type.
struct ShapeRecorder final : Observer {
  explicit ShapeRecorder(std::vector<Row>& all) : rows(all) {}
  void output(std::string_view type, const void* module, const Tensor& y) override {
    for (Row& row : rows)
      if (row.info.address == module && row.info.type == type) row.shape = y.shape().str();
  }
  std::vector<Row>& rows;
};

/// 1234567 as "1,234,567".
std::string grouped(std::int64_t n) {
  std::string s = std::to_string(n);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(s.size()) - 3; i > 0; i -= 3)
    s.insert(static_cast<std::size_t>(i), 1, ',');
  return s;
}

std::string table(const std::vector<Row>& rows, const Counts& total, bool with_shapes) {
  std::size_t name_width = 5, shape_width = 12;
  for (const Row& r : rows) {
    name_width = std::max(name_width, r.name.size());
    shape_width = std::max(shape_width, r.shape.size());
  }
  std::string out;
  const auto line = [&](std::string_view name, std::string_view shape, std::string_view parameters) {
    out += with_shapes
               ? fmt::format("{:<{}}  {:<{}}  {:>12}", name, name_width, shape, shape_width, parameters)
               : fmt::format("{:<{}}  {:>12}", name, name_width, parameters);
  };
  line("Layer", "Output shape", "Parameters");
  const std::string rule(out.size(), '-');
  out += '\n' + rule + '\n';
  for (const Row& r : rows) {
    line(r.name, r.shape, r.parameters == 0 ? "" : grouped(r.parameters));
    if (r.shared) out += "  shared";
    while (out.back() == ' ') out.pop_back();
    out += '\n';
  }
  out += rule + '\n';
  out += fmt::format("Parameters: {} ({} trained, {} frozen)", grouped(total.trained + total.frozen),
                     grouped(total.trained), grouped(total.frozen));
  if (total.buffers > 0) out += fmt::format("; buffers: {}", grouped(total.buffers));
  return out + '\n';
}

}  // namespace

Observer::Observer() : previous_(current) { current = this; }
Observer::~Observer() { current = previous_; }
Observer* observer() { return current; }

std::string summary(ModelRef model, const Shape* input, SummaryOptions options,
                    Tensor (*call)(const void* model, const Tensor& x)) {
  Rows rows;
  model.visit(rows);
  if (input != nullptr) {
    NoGrad no_grad;
    ModeOverride evaluate(false);
    ShapeRecorder recorder(rows.rows);
    const Tensor y = call(model.object, zeros(*input, {.dtype = options.dtype}));
    if (!rows.rows.empty()) rows.rows.front().shape = y.shape().str();
  }
  return table(rows.rows, rows.total, input != nullptr);
}

}  // namespace xgrad::inline v0::nn::detail

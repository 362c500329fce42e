#include "tests/support/catch.hpp"

#include <optional>
#include <string>
#include <vector>
#include <xgrad/nn/visit.hpp>

using namespace xgrad;

namespace {

struct Dense {
  static constexpr std::size_t fields = 2;
  nn::Parameter weight, bias;
  Dense(std::int64_t in, std::int64_t out) : weight(Tensor(Array::full({out, in}, 0.5, float32))) {}
};
struct Nothing {};
struct Options {
  double rate = 0.5;
  std::string title = "x";
  Shape shape = {1, 2};
};
struct Anonymous {
  Dense value{1, 2};
  Dense pointer{1, 2};
};
template <class T>
struct Wrapper {
  T inner;
  Dense no_object{1, 2};
};
struct Wide {
  int a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0;
  int b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0, b7 = 0;
  int c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, c6 = 0, c7 = 0;
  int d0 = 0, d1 = 0, d2 = 0, d3 = 0, d4 = 0, d5 = 0, d6 = 0, d7 = 0;
  int e0 = 0, e1 = 0, e2 = 0, e3 = 0, e4 = 0, e5 = 0, e6 = 0, e7 = 0;
  int f0 = 0, f1 = 0, f2 = 0, f3 = 0, f4 = 0, f5 = 0, f6 = 0, f7 = 0;
  int g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0, g6 = 0, g7 = 0;
  int h0 = 0, h1 = 0, h2 = 0, h3 = 0, h4 = 0, h5 = 0, h6 = 0, h7 = 0;
};

template <class T>
std::vector<std::string> names() {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::vector<std::string>{std::string(nn::field_name<T, I>)...};
  }
  (std::make_index_sequence<nn::field_count<T>>{});
}

using Names = std::vector<std::string>;

/// Everything that a walk meets, in order.
struct Recorder : nn::Visitor {
  Names met;
  void parameter(nn::Parameter&) override { met.push_back(path()); }
  void buffer(nn::Buffer&) override { met.push_back(path() + " (buffer)"); }
  void mode(nn::Mode&) override { met.push_back(path() + " (mode)"); }
};

template <class T>
Names walk(T& model) {
  Recorder r;
  nn::visit(model, r);
  return r.met;
}

Tensor identity(const Tensor& x) { return x; }

}  // namespace

TEST_CASE("fields of a plain struct are counted and named") {
  CHECK(names<Anonymous>() == Names{"value", "pointer"});
  CHECK(names<Options>() == Names{"rate", "title", "shape"});
  CHECK(names<Nothing>().empty());
}

TEST_CASE("a struct with constructors says how many fields it has and keeps their names") {
  CHECK(names<Dense>() == Names{"weight", "bias"});
}

TEST_CASE("names of fields do not depend on where the struct is defined") {
  struct Local {
    Dense first{1, 2};
    nn::Buffer table;
    std::optional<Dense> maybe;
  };
  CHECK(names<Local>() == Names{"first", "table", "maybe"});
  CHECK(names<Wrapper<Local>>() == Names{"inner", "no_object"});
  CHECK(names<Wrapper<Wrapper<int>>>() == Names{"inner", "no_object"});
  CHECK(nn::type_name<Local> == "Local");
  CHECK(nn::type_name<Wrapper<Wrapper<int>>> == "Wrapper");
  CHECK(nn::type_name<nn::Parameter> == "Parameter");
  const auto lambda = [](const Tensor& x) { return x; };
  CHECK(nn::type_name<std::remove_const_t<decltype(lambda)>> == "function");
  CHECK(nn::type_name<Tensor (*)(const Tensor&)> == "function");
}

TEST_CASE("a struct may have 64 fields") {
  const Names n = names<Wide>();
  REQUIRE(n.size() == 64);
  CHECK(n.front() == "a0");
  CHECK(n.back() == "h7");
}

TEST_CASE("an empty field without an address of its own is counted and named") {
  struct Model {
    [[no_unique_address]] Nothing relu;
    Dense out{2, 3};
    [[no_unique_address]] Nothing last;
  };
  CHECK(names<Model>() == Names{"relu", "out", "last"});
}

TEST_CASE("a field without a default is counted") {
  struct NoDefault {
    Dense in;
    int n;
    Dense out;
  };
  CHECK(names<NoDefault>() == Names{"in", "n", "out"});
}

TEST_CASE("the walk enters nested structs, vectors, arrays, optionals, pairs and tuples") {
  struct Block {
    Dense linear{2, 2};
    nn::Mode mode;
  };
  struct Model {
    std::vector<Block> blocks{{}, {}};
    std::array<Dense, 2> heads{Dense{1, 2}, Dense{3, 4}};
    std::optional<Dense> maybe = Dense{1, 1};
    std::optional<Dense> absent;
    std::pair<Dense, int> pair{Dense{1, 1}, 2};
    std::vector<std::optional<Dense>> some{Dense{1, 1}, std::nullopt, Dense{1, 1}};
    nn::Buffer table{Tensor(Array::full({2}, 1.0, float32))};
    nn::Buffer undefined;
  };
  Model m;
  CHECK(walk(m) == Names{"blocks.0.linear.weight", "blocks.0.mode (mode)", "blocks.1.linear.weight",
                         "blocks.1.mode (mode)", "heads.0.weight", "heads.1.weight", "maybe.weight",
                         "pair.0.weight", "some.0.weight", "some.2.weight", "table (buffer)"});
}

TEST_CASE("the walk passes over plain values") {
  enum class Kind { a, b };
  struct Model {
    Options options;
    Kind kind = Kind::a;
    Tensor (*activation)(const Tensor&) = identity;
    std::vector<double> numbers{1, 2};
    std::vector<bool> flags{true};
    std::vector<std::vector<std::string>> words;
    const int width = 3;
    Nothing nothing;
  };
  Model m;
  CHECK(walk(m).empty());
}

TEST_CASE("the walk names a parameter by the path at which it first meets it") {
  struct Model {
    Dense hidden{2, 3};
    Dense out{2, 3};
  };
  Model m;
  m.out.weight = m.hidden.weight;
  walk(m);
  CHECK(m.hidden.weight.name() == "hidden.weight");
  CHECK(m.out.weight.name() == "hidden.weight");
  CHECK(m.out.weight.describe() == "\"hidden.weight\"");
}

TEST_CASE("tied parameters are met at both places") {
  struct Model {
    Dense a{2, 3};
    Dense b{2, 3};
  };
  Model m;
  m.b.weight = m.a.weight;
  CHECK(walk(m) == Names{"a.weight", "b.weight"});
}

// Mistakes in a model that must not compile, and the message that each must give. run.cmake compiles this
// file once for each line that starts with "// CASE", with that CASE defined, and once with CASE=0, which
// must compile.
//
// CASE 1: a bare Tensor as a model's field says neither whether it is trained nor whether it is saved
// CASE 2: a bare Tensor as a model's field
// CASE 3: decomposes into 3 elements
// CASE 4: decomposes into 1 element
// CASE 5: constructors or private members, so its fields cannot be counted
// CASE 6: constructors or private members, so its fields cannot be counted
// CASE 7: cannot decompose (private|inaccessible) member '(Model::)?b'
// CASE 8: both it and its base class 'Base' have non-static data members
// CASE 9: a pointer as a model's field hides the weights behind it
// CASE 10: a const module as a model's field
// CASE 11: `fields = 0`, but this type has data members
// CASE 12: constructors or private members, so its fields cannot be counted
// CASE 13: what a lambda captures would be hidden
// CASE 14: (no match for 'operator='|no viable overloaded '=')
// CASE 15: deleted (function|operator)
// CASE 16: no matching function for call to
#include <xgrad/xgrad.hpp>

#include <map>

using namespace xgrad;

struct Base {
  nn::Linear t{1, 2};
};

#if CASE == 1  // which is it: trained or saved?
struct Model {
  nn::Linear a{1, 2};
  Tensor scale;
};
#elif CASE == 2  // the same in a container
struct Model {
  std::vector<Tensor> tables;
};
#elif CASE == 3  // a forgotten field
struct Model {
  static constexpr std::size_t fields = 2;
  explicit Model(int) {}
  nn::Linear a{1, 2}, b{1, 2}, forgotten{1, 2};
};
#elif CASE == 4  // one too many
struct Model {
  static constexpr std::size_t fields = 2;
  explicit Model(int) {}
  nn::Linear a{1, 2};
};
#elif CASE == 5  // a constructor and no `fields`
struct Model {
  explicit Model(int) {}
  nn::Linear a{1, 2};
};
#elif CASE == 6  // a private member
struct Model {
  nn::Linear a{1, 2};

 private:
  nn::Linear b{1, 2};
};
#elif CASE == 7  // a private member that `fields` counts
struct Model {
  static constexpr std::size_t fields = 2;
  nn::Linear a{1, 2};

 private:
  nn::Linear b{1, 2};
};
#elif CASE == 8  // half of the fields in a base class
struct Model : Base {
  nn::Linear a{1, 2};
};
#elif CASE == 9
struct Model {
  nn::Linear* elsewhere = nullptr;
};
#elif CASE == 10
struct Model {
  const nn::BatchNorm1d norm{3};
};
#elif CASE == 11  // a way round the check
struct Model {
  static constexpr std::size_t fields = 0;
  explicit Model(int) {}
  nn::Linear a{1, 2};
};
#elif CASE == 12  // a container that the walk does not know
struct Model {
  std::map<std::string, nn::Linear> heads;
};
#else
struct Model {
  nn::Linear a{1, 2};
  nn::Parameter w{ones({2})};
};
#endif

Tensor use(Model& model, [[maybe_unused]] const Tensor& x) {
  const auto n = nn::parameters(model).size();
#if CASE == 13
  const nn::Sequential s{nn::ReLU{}, [x](const Tensor& y) { return y * x; }};
  return s(x);
#elif CASE == 14
  model.w = model.w * 0.5;  // optimizers hold the other tensor
#elif CASE == 15
  model.w -= x;
#elif CASE == 16
  return nn::parameters(x)[n].tensor;  // not a model
#endif
  return ones({static_cast<std::int64_t>(n)});
}

// Mistakes with tensors that must not compile, and the message that each must give: see model.cpp.
//
// CASE 1: ('this' argument discards qualifiers|no viable overloaded '=')
// CASE 2: ('this' argument discards qualifiers|no viable overloaded '=')
// CASE 3: (conversion from 'double' to non-scalar type|no viable conversion from 'double')
// CASE 4: (invalid initialization of reference|no matching function for call to 'relu'|no known conversion|could not convert|no viable conversion)
#include <xgrad/xgrad.hpp>

using namespace xgrad;

Tensor use(const Tensor& x, const Tensor& y) {
  Tensor z = x(0) + y;
  z = x;  // a name can stand for another value
#if CASE == 1
  z(0) = y;  // nothing would change: no op writes into a value
#elif CASE == 2
  relu(z) = y;
#elif CASE == 3
  const Tensor two = 2.0;  // of which dtype? tensor(2.0)
  return two;
#elif CASE == 4
  return relu(2.0);
#endif
  return z;
}

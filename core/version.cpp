#include <xgrad/core/version.hpp>

namespace xgrad::inline v0 {

const char* version() { return XGRAD_VERSION; }

}  // namespace xgrad::inline v0

// <xgrad/xgrad.hpp> stays cheap: a program that includes it and nothing else gets none of these headers, each
// of which costs a compiler a quarter of a second or more, and nothing of what the library is built from. The
// names are libstdc++'s include guards and the dependencies' own version macros.
#include <xgrad/xgrad.hpp>

#ifdef _GLIBCXX_MEMORY
#error "<memory>"
#endif
#ifdef _GLIBCXX_FUNCTIONAL
#error "<functional>"
#endif
#ifdef _GLIBCXX_CHRONO
#error "<chrono>"
#endif
#ifdef _GLIBCXX_THREAD
#error "<thread>"
#endif
#ifdef _GLIBCXX_MUTEX
#error "<mutex>"
#endif
#ifdef _GLIBCXX_IOSTREAM
#error "<iostream>"
#endif
#ifdef _GLIBCXX_SSTREAM
#error "<sstream>"
#endif
#ifdef _GLIBCXX_RANGES
#error "<ranges>"
#endif
#ifdef _GLIBCXX_REGEX
#error "<regex>"
#endif
#ifdef _GLIBCXX_FILESYSTEM
#error "<filesystem>"
#endif
#ifdef _GLIBCXX_ALGORITHM
#error "<algorithm>"
#endif
#ifdef FMT_VERSION
#error "fmt"
#endif
#ifdef XTENSOR_VERSION_MAJOR
#error "xtensor"
#endif
#ifdef NLOHMANN_JSON_VERSION_MAJOR
#error "nlohmann-json"
#endif

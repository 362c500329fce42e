#pragma once
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

namespace xgrad::test {

/// Damages files at random, the same way in every run.
class Damage {
 public:
  /// `bytes` with one to four of them changed, or a stretch cut out, repeated or filled.
  std::string operator()(std::string bytes) {
    switch (below(8)) {
      case 0:
        return bytes.substr(0, below(bytes.size() + 1));
      case 1:
        return bytes.erase(below(bytes.size() + 1), below(16));
      case 2: {
        const std::size_t from = below(bytes.size() + 1);
        return bytes.insert(below(bytes.size() + 1), bytes.substr(from, below(32)));
      }
      case 3: {
        const std::size_t from = below(bytes.size() + 1), n = std::min(below(9), bytes.size() - from);
        return bytes.replace(from, n, n, below(2) == 0 ? '\xff' : '\0');
      }
      case 4: {  // digits and signs are what sizes are made of
        const std::size_t at = bytes.find_first_of("0123456789", below(bytes.size() + 1));
        if (at != std::string::npos) bytes.insert(at, std::string(1 + below(20), "0123456789-"[below(11)]));
        return bytes;
      }
      default:
        for (std::size_t n = 1 + below(4); n > 0 && !bytes.empty(); --n)
          bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8));
        return bytes;
    }
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::mt19937 random_{20240229};
};

}  // namespace xgrad::test

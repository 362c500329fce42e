#include <xgrad/core/errors.hpp>

namespace xgrad::inline v0 {

void Error::annotate(std::string_view note) {
  if (annotated_) return;
  annotated_ = true;
  const std::size_t remedy = text_.rfind(": ");
  const std::string inserted = std::string(" (").append(note).append(")");
  if (remedy == std::string::npos)
    text_ += inserted;
  else
    text_.insert(remedy, inserted);
}

}  // namespace xgrad::inline v0

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

void MemoryError::name_operation(std::string_view op) {
  if (named_) return;
  named_ = true;
  text_.replace(1, unnamed.size(), op);
}

}  // namespace xgrad::inline v0

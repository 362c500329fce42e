#pragma once
#include <map>
#include <string>

#include <xgrad/core/state_dict.hpp>

/// Named tensors in files that Python reads: safetensors (huggingface/safetensors, format version of 2023). A
/// file is an 8-byte length, a JSON header of names, dtypes, shapes and places, and the elements.
///
///     io::save("model.safetensors", nn::state_dict(model));
///     nn::load_state_dict(model, io::load("model.safetensors"));
namespace xgrad::inline v0::io {

using Metadata = std::map<std::string, std::string>;

/// Writes the tensors under their names, all or nothing: the path holds the old file or the whole new one.
/// Throws ValueError for an undefined tensor and for a name that occurs twice, is not UTF-8 or is
/// "__metadata__", and IoError when the file cannot be written.
void save(const std::string& path, const StateDict& state, const Metadata& metadata = {});

/// The tensors of a file, in the order of its header. Throws IoError, naming the file and what is wrong with
/// it, for anything that is not a well-formed safetensors file of float32, float64, int32, int64, uint8 and
/// bool.
StateDict load(const std::string& path);

/// The metadata of a file. Throws as `load`.
Metadata load_metadata(const std::string& path);

}  // namespace xgrad::inline v0::io

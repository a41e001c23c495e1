#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/platform.h"

namespace shaduf::sandbox::facebook {

bool owns_path(std::string_view path);
std::string make_id(Level level, uint32_t index, uint64_t seed);
std::unique_ptr<Platform> make_platform(Environment& environment);
std::vector<TruthStream> truth_streams();

}  // namespace shaduf::sandbox::facebook

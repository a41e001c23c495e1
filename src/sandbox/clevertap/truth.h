#pragma once

#include <vector>

#include "sandbox/platform.h"

namespace shaduf::sandbox::clevertap {

std::vector<TruthStream> truth_streams();

}  // namespace shaduf::sandbox::clevertap

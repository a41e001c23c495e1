#pragma once

#include <vector>

#include "sandbox/platform.h"

namespace shaduf::sandbox::x_ads {

std::vector<TruthStream> truth_streams();

}  // namespace shaduf::sandbox::x_ads

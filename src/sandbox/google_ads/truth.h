#pragma once

#include <vector>

#include "sandbox/platform.h"

namespace shaduf::sandbox::google_ads {

// The tables that a loader of the streams that are built in should end up with: told by the world and the model.
std::vector<TruthStream> truth_streams();

}  // namespace shaduf::sandbox::google_ads

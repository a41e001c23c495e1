#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace shaduf::models {

// Unpacks a .tar.gz (POSIX ustar and pax, GNU long names) into a folder that exists. bad_data: damaged, over 1 GB, or
// with a name or link that leads out of the folder; what was unpacked before stays. Devices and pipes are passed over.
Result<void> unpack_tarball(std::string_view bytes, const std::string& folder);

}  // namespace shaduf::models

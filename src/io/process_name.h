#pragma once

#include <string>

namespace shaduf {

// "host:pid": this process, for people. Not one of its kind: in containers, hosts may have one name.
std::string process_name();

}  // namespace shaduf

#pragma once

namespace shaduf {

// Names the calling thread for `top -H`, debuggers and profiles; at most 15 characters.
void name_thread(const char* name);

}  // namespace shaduf

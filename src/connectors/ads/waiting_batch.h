#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "connectors/connector.h"

namespace shaduf::ads {

// A batch between the thread that fetched it and the reader. Answers of advertising systems repeat their names in every
// row, so their text packs to a tenth and less, at about a second of CPU a gigabyte. One thread at a time.
class WaitingBatch {
public:
    explicit WaitingBatch(ReadBatch batch);

    size_t bytes() const { return bytes_; }  // as it is now
    // Packs the text. What has none, or little, stays as it is.
    Result<void> pack();
    Result<ReadBatch> unpack() &&;

private:
    ReadBatch batch_;
    std::string packed_;     // "": it is not
    size_t text_bytes_ = 0;  // of what is packed
    size_t bytes_;
};

}  // namespace shaduf::ads

// Reads any text as an envelope of Kafka Connect. What is read is JSON again.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "connectors/kafka/connect_json.h"
#include "data/buffer.h"
#include "tests/world.h"

namespace shaduf::kafka {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void run(std::string_view text) {
    static World world;
    BufferBuilder padded;
    padded.append(text);
    const BufferPtr message = padded.finish();
    const auto finder = find_connect_json();
    for (int round = 0; round < 2; ++round) {  // the second finds what the first has made
        const auto found = finder->find(world.run, message->view(), std::nullopt).release_value();
        if (found.reader == ReaderFinder::Found::kNone) return;
        require(found.skip + found.drop <= message->size());
        const PayloadReader& reader = *finder->readers()[found.reader];
        RecordBatchBuilder rows(reader.schema());
        const auto payload = message->view().substr(found.skip, message->size() - found.skip - found.drop);
        if (reader.read(payload, rows)) {
            rows.undo_row();
            (void)rows.finish();
            return;
        }
        rows.end_row();
        require(nlohmann::json::accept(rows.finish().row_as_json(0)));
    }
}

}  // namespace
}  // namespace shaduf::kafka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::kafka::run({reinterpret_cast<const char*>(data), size});
    return 0;
}

#include "connectors/kafka/quarantine_topic.h"

#include <span>
#include <string>

#include "data/ndjson_writer.h"
#include "data/system_columns.h"

namespace shaduf::kafka {

KafkaTopicSpec quarantine_topic() { return {std::string(kQuarantineTable), 1, -1, {{"cleanup.policy", "compact"}}}; }

Result<void> send_quarantined(KafkaProducer& producer, const RecordBatch& rows) {
    const Column& ids = rows.column(*rows.schema()->index_of("id"));
    std::string line;
    for (uint32_t row = 0; row < rows.rows(); ++row) {
        line.clear();
        append_ndjson_rows(rows, std::span(&row, 1), line);
        line.pop_back();
        TRY(producer.send(std::string(kQuarantineTable), {.key = ids.text_at(row), .value = line}));
    }
    return {};
}

}  // namespace shaduf::kafka

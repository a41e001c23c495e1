#pragma once

#include "base/result.h"
#include "data/batch.h"
#include "io/kafka.h"

// Rows that were turned away: the topic kQuarantineTable, compacted, a record a row, whose key is its id.
namespace shaduf::kafka {

KafkaTopicSpec quarantine_topic();
// Rows of quarantine_schema().
Result<void> send_quarantined(KafkaProducer& producer, const RecordBatch& rows);

}  // namespace shaduf::kafka

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/batch.h"

// Rows as CSV (RFC 4180, lines ended by \n): a null is an empty field, an empty text is "", lists and structures are
// their JSON. What was written is read back as it was with the same types declared.
namespace shaduf {

// `disarmed` is for people who open it in a spreadsheet, which would run a text that begins as a formula does: it gets
// an apostrophe before it. Numbers and times are as they are.
enum class CsvTexts : uint8_t { exact, disarmed };

void append_csv_header(const Schema& schema, std::string& out, CsvTexts texts = CsvTexts::exact);
void append_csv_rows(const RecordBatch& batch, std::span<const uint32_t> rows, std::string& out,
                     CsvTexts texts = CsvTexts::exact);

}  // namespace shaduf

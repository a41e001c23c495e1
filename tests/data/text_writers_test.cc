#include <gtest/gtest.h>

#include "data/builder.h"
#include "data/csv_writer.h"
#include "data/ndjson_writer.h"

namespace shaduf {
namespace {

RecordBatch example() {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64},
                                                                    {"the \"name\"", TypeKind::string},
                                                                    {"j", TypeKind::json},
                                                                    {"l", DataType::list(TypeKind::string)}});
    RecordBatchBuilder rows(schema);
    for (const char* name : {"plain", "", "a,b", "say \"hi\"\nnow", " padded "}) {
        rows.column(0).append_int64(static_cast<int64_t>(rows.rows()));
        rows.column(1).append_text(name);
        rows.column(2).append_text("{\"a\":\n1}");
        rows.column(3).child(0).append_text("x,y");
        rows.column(3).append_list();
        rows.end_row();
    }
    for (size_t i = 0; i < 4; ++i) rows.column(i).append_null();
    rows.end_row();
    return rows.finish();
}

TEST(CsvWriter, QuotesWhatNeedsIt) {
    std::string text;
    append_csv_header(*example().schema(), text);
    const std::vector<uint32_t> rows{5, 0, 1, 2, 3, 4};
    append_csv_rows(example(), rows, text);
    const std::string rest = ",\"{\"\"a\"\":\n1}\",\"[\"\"x,y\"\"]\"\n";
    EXPECT_EQ(text, "id,\"the \"\"name\"\"\",j,l\n,,,\n0,plain" + rest + "1,\"\"" + rest + "2,\"a,b\"" + rest +
                        "3,\"say \"\"hi\"\"\nnow\"" + rest + "4,\" padded \"" + rest);
}

TEST(NdjsonWriter, WritesOneObjectALine) {
    std::string text;
    const std::vector<uint32_t> rows{3, 5};
    append_ndjson_rows(example(), rows, text);
    EXPECT_EQ(text, R"({"id":3,"the \"name\"":"say \"hi\"\nnow","j":{"a": 1},"l":["x,y"]})"
                    "\n"
                    R"({"id":null,"the \"name\"":null,"j":null,"l":null})"
                    "\n");
}

}  // namespace
}  // namespace shaduf

#include "tests/connectors/files_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FilesParquetTest : public FilesTest {
protected:
    // One row, whose id is `id`.
    void put_parquet(const std::string& name, int id) {
        auto connection = databases.open_in_memory({}).value()->connect(world.cancellation).release_value();
        const std::string plain = folder / "plain.parquet";
        auto written = connection->query("COPY (SELECT " + std::to_string(id) + "::BIGINT AS id) TO " +
                                         quote_literal(plain) + " (FORMAT parquet)");
        ASSERT_TRUE(written.ok()) << written.error().to_string();
        std::filesystem::create_directories((folder.path() / name).parent_path());
        std::filesystem::rename(plain, folder / name);
    }
};

TEST_F(FilesParquetTest, FoldersAddNoColumns) {
    put_parquet("in/day=2024-01-01/site=web/a.parquet", 1);
    EXPECT_THAT(read_stream("files: 'in/**/*.parquet'").rows, ElementsAre(R"({"id":1})"));
}

TEST_F(FilesParquetTest, NamesAreNoPatterns) {
    const char* const names[] = {"a*.parquet",      "a?.parquet",    "a[bc].parquet",  "ab.parquet",
                                 "ac.parquet",      "b[*.parquet",   "b\\c.parquet",   "c'd.parquet",
                                 "x=1,y=2.parquet", "{a,b}.parquet", "d[1]/e.parquet", "d1/e.parquet"};
    int id = 0;
    for (const char* name : names) put_parquet("in/" + std::string(name), id++);
    // Byte order of the names, in whose order files are read.
    std::vector<std::pair<std::string, std::string>> expected;
    for (int i = 0; i < id; ++i) expected.emplace_back(names[i], "{\"id\":" + std::to_string(i) + "}");
    std::sort(expected.begin(), expected.end());
    const auto found = read_stream("files: 'in/**'");
    EXPECT_EQ(found.error, "");
    std::vector<std::string> rows;
    for (const auto& [name, row] : expected) rows.push_back(row);
    EXPECT_EQ(found.rows, rows);
}

TEST_F(FilesParquetTest, OneThatIsBrokenIsNamedAsItIs) {
    put("in/a[1].parquet", "PAR1 and no more");
    const std::string error = read_stream("files: 'in/*'").error;
    EXPECT_THAT(error, HasSubstr("file is no whole Parquet file: " + (folder / "in/a[1].parquet")));
}

}  // namespace
}  // namespace shaduf
